//! The `generate` source: rows made up from a seed, for demos, benchmarks and tests.

mod column;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use async_trait::async_trait;
use dataflare_core::batch::Reject;
use dataflare_core::component::{
    Build, Component, Options, Position, Problem, Pushdown, Read, Reader, Records, RoleEntry, Scan, Source,
    Split,
};
use dataflare_core::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use column::{Column, ColumnOptions, hash};

/// The row of the table.
pub(crate) const COMPONENT: Component = Component {
    name: "generate",
    roles: &[RoleEntry {
        summary: "Makes rows up from a seed: for demos, benchmarks and tests",
        example: "rows: 1000\ncolumns: { id: { type: sequence }, price: { type: float, max: 100 } }",
        options: || schemars::schema_for!(GenerateOptions),
        build: Build::Source(build),
    }],
};

/// Options of `generate`. A row is a pure function of the seed and its number, so that a resumed run
/// makes the same rows.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GenerateOptions {
    /// Rows in all; without it they never end.
    #[serde(default)]
    rows: Option<u64>,
    /// Another seed makes other rows.
    #[serde(default)]
    seed: u64,
    /// The columns, in order of their names.
    columns: BTreeMap<String, ColumnOptions>,
    /// Rows in a second, at most, over all lanes.
    #[serde(default)]
    rate: Option<u64>,
    /// The share of rows, 0 to 1, that are bad: they go where `on_error` of this source says.
    #[serde(default)]
    bad_share: f64,
    /// Rows in a part that one lane makes.
    #[serde(default = "default_split")]
    split_rows: u64,
}

fn default_split() -> u64 {
    4_000_000
}

struct Generate {
    options: GenerateOptions,
    columns: Arc<[Column]>,
    schema: SchemaRef,
}

fn build(options: &Options) -> Result<Arc<dyn Source>, Vec<Problem>> {
    let options: GenerateOptions = options.parse()?;
    let mut problems = Vec::new();
    if options.columns.is_empty() {
        problems.push(Problem::new(&["columns"], "there is no column"));
    }
    if !(0.0..=1.0).contains(&options.bad_share) {
        problems.push(Problem::new(&["bad_share"], "a share is between 0 and 1"));
    }
    let mut columns = Vec::new();
    for (number, (name, column)) in options.columns.iter().enumerate() {
        match Column::new(name, column, hash(options.seed, number as u64)) {
            Ok(column) => columns.push(column),
            Err(message) => problems.push(Problem::new(&["columns", name], message)),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let fields: Vec<Field> = columns.iter().map(|column| column.field.clone()).collect();
    Ok(Arc::new(Generate { options, columns: columns.into(), schema: Arc::new(Schema::new(fields)) }))
}

#[async_trait]
impl Source for Generate {
    fn declared_schema(&self) -> Option<SchemaRef> {
        Some(self.schema.clone())
    }

    async fn schema(&self) -> Result<SchemaRef> {
        Ok(self.schema.clone())
    }

    fn bounded(&self) -> bool {
        self.options.rows.is_some()
    }

    fn pushdown(&self) -> Pushdown {
        Pushdown { columns: true, filter: false }
    }

    async fn splits(&self) -> Result<Vec<Split>> {
        let Some(rows) = self.options.rows else {
            return Ok(vec![split(0, u64::MAX, None)]);
        };
        let size = self.options.split_rows.max(1);
        let starts = (0..rows.div_ceil(size)).map(|number| number * size);
        Ok(starts
            .map(|start| split(start, (start + size).min(rows), Some((start + size).min(rows) - start)))
            .collect())
    }

    async fn open(&self, split: &Split, from: Option<&Position>, scan: &Scan) -> Result<Box<dyn Reader>> {
        let (start, end): (u64, u64) = serde_json::from_value(split.detail.clone())
            .map_err(|cause| Error::permanent("a split of another kind of source").caused_by(cause))?;
        let next = from.and_then(|position| position.0.as_u64()).unwrap_or(start);
        let wanted = scan.schema.fields().iter().filter_map(|field| self.schema.index_of(field.name()).ok());
        let width: usize = self.columns.iter().map(Column::width).sum();
        let rows = (scan.limits.bytes / width.max(1)).clamp(1, scan.limits.rows) as u64;
        Ok(Box::new(GenerateReader {
            columns: Arc::clone(&self.columns),
            wanted: wanted.collect(),
            schema: scan.schema.clone(),
            next,
            end,
            rows,
            reject: scan.reject,
            bad: Bad { share: self.options.bad_share, seed: hash(self.options.seed, u64::MAX) },
            pace: self.options.rate.map(|rate| Pace { rate: rate.max(1), begun: Instant::now(), made: 0 }),
        }))
    }
}

fn split(start: u64, end: u64, rows: Option<u64>) -> Split {
    Split { id: format!("rows {start}"), version: None, bytes: None, rows, detail: json!((start, end)) }
}

struct GenerateReader {
    columns: Arc<[Column]>,
    wanted: Vec<usize>,
    schema: SchemaRef,
    next: u64,
    end: u64,
    rows: u64,
    reject: bool,
    bad: Bad,
    pace: Option<Pace>,
}

/// Which rows are bad.
struct Bad {
    share: f64,
    seed: u64,
}

impl Bad {
    fn is(&self, row: u64) -> bool {
        self.share > 0.0 && (hash(self.seed, row) >> 11) as f64 / ((1_u64 << 53) as f64) < self.share
    }
}

/// Holds a lane to its rate.
struct Pace {
    rate: u64,
    begun: Instant,
    made: u64,
}

impl Pace {
    /// Waits until the next rows are due, a second at most; says how many may be made now.
    async fn due(&mut self, wanted: u64) -> u64 {
        let part = wanted.min((self.rate / 10).max(1));
        let at = self.begun + Duration::from_secs_f64(self.made as f64 / self.rate as f64);
        tokio::time::sleep_until(at.min(Instant::now() + Duration::from_secs(1))).await;
        if Instant::now() < at {
            return 0;
        }
        self.made += part;
        part
    }
}

#[async_trait]
impl Reader for GenerateReader {
    async fn read(&mut self) -> Result<Read> {
        let mut rows = self.rows.min(self.end - self.next);
        if rows == 0 {
            return Ok(Read::End);
        }
        if let Some(pace) = &mut self.pace {
            rows = pace.due(rows).await;
            if rows == 0 {
                return Ok(Read::Idle);
            }
        }
        let range = self.next..self.next + rows;
        self.next = range.end;
        let columns = self.wanted.iter().map(|index| self.columns[*index].fill(range.clone())).collect();
        let count = usize::try_from(rows).unwrap_or(usize::MAX);
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(|cause| Error::permanent("cannot make rows").caused_by(cause))?;
        let (batch, rejects) = self.take_bad_out(batch, range)?;
        let position = Position(json!(self.next));
        Ok(Read::Records(Records { batch, rejects, position, bytes: 0 }))
    }
}

impl GenerateReader {
    fn take_bad_out(
        &self,
        batch: RecordBatch,
        range: std::ops::Range<u64>,
    ) -> Result<(RecordBatch, Vec<Reject>)> {
        let bad: Vec<u64> = range.clone().filter(|row| self.bad.is(*row)).collect();
        let Some(first) = bad.first() else { return Ok((batch, Vec::new())) };
        if !self.reject {
            return Err(Error::config("the row is bad, as `bad_share` asks for").at(format!("row {first}")));
        }
        let mask: arrow::array::BooleanArray = range.map(|row| Some(!self.bad.is(row))).collect();
        let kept = arrow::compute::filter_record_batch(&batch, &mask)
            .map_err(|cause| Error::permanent("cannot make rows").caused_by(cause))?;
        let reject = |row: &u64| Reject {
            raw: format!("row {row}").into_bytes(),
            error: "the row is bad, as `bad_share` asks for".to_owned(),
            position: format!("row {row}"),
        };
        Ok((kept, bad.iter().map(reject).collect()))
    }
}
