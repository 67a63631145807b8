//! Reads Parquet, Arrow IPC and Avro.

use std::fs::File;
use std::io::BufReader;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::FileReader;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use arrow_avro::reader::ReaderBuilder;
use async_trait::async_trait;
use dataflare_core::component::{Position, Read, Reader, Records, Scan};
use dataflare_core::{Error, Result};

use super::format::Format;
use super::input::unreadable;

type Batches = Box<dyn Iterator<Item = std::result::Result<RecordBatch, ArrowError>> + Send>;

/// Reads a columnar file, or some row groups of one.
pub(super) struct ColumnarReader {
    path: PathBuf,
    batches: Batches,
    schema: SchemaRef,
    /// Rows read so far, those of a run before included.
    row: u64,
    /// Rows still to be passed over.
    skip: u64,
    bytes_per_row: f64,
    rows_max: usize,
    /// What is left of a batch that was larger than one may be.
    rest: Option<RecordBatch>,
}

/// What a file says of itself.
pub(super) struct Outline {
    /// Its columns.
    pub schema: SchemaRef,
    /// Rows and bytes of each row group; empty for formats without.
    pub row_groups: Vec<(u64, u64)>,
}

/// Reads a file's footer or header.
pub(super) fn outline(path: &Path, format: Format) -> Result<Outline> {
    let file = File::open(path).map_err(|cause| unreadable(path, cause))?;
    if format == Format::Parquet {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|cause| damaged(path, cause))?;
        let groups = builder.metadata().row_groups().iter();
        let positive = |number: i64| u64::try_from(number).unwrap_or(0);
        let row_groups =
            groups.map(|group| (positive(group.num_rows()), positive(group.compressed_size()))).collect();
        return Ok(Outline { schema: builder.schema().clone(), row_groups });
    }
    let schema = if format == Format::Arrow {
        FileReader::try_new(BufReader::new(file), None).map_err(|cause| damaged(path, cause))?.schema()
    } else {
        ReaderBuilder::new().build(BufReader::new(file)).map_err(|cause| damaged(path, cause))?.schema()
    };
    Ok(Outline { schema, row_groups: Vec::new() })
}

impl ColumnarReader {
    /// Reads `path`, or `groups` of its row groups, after the position's row.
    pub(super) fn open(
        path: PathBuf,
        format: Format,
        groups: Option<Range<usize>>,
        bytes: u64,
        from: Option<&Position>,
        scan: &Scan,
    ) -> Result<Self> {
        let file = File::open(&path).map_err(|cause| unreadable(&path, cause))?;
        let row = from.and_then(|position| position.0.as_u64()).unwrap_or(0);
        let mut total = None;
        let mut skip = row;
        let batches: Batches = match format {
            Format::Parquet => {
                let builder =
                    ParquetRecordBatchReaderBuilder::try_new(file).map_err(|cause| damaged(&path, cause))?;
                let groups: Vec<usize> = groups
                    .map_or_else(|| (0..builder.metadata().num_row_groups()).collect(), Iterator::collect);
                let rows: i64 =
                    groups.iter().map(|group| builder.metadata().row_group(*group).num_rows()).sum();
                let memory: i64 =
                    groups.iter().map(|group| builder.metadata().row_group(*group).total_byte_size()).sum();
                total = u64::try_from(rows).ok();
                let names = scan.schema.fields().iter().map(|field| field.name().as_str());
                let mask = ProjectionMask::columns(builder.parquet_schema(), names);
                skip = 0;
                let width = usize::try_from(memory / rows.max(1)).unwrap_or(1).max(1);
                let size = (scan.limits.bytes / width).clamp(1, scan.limits.rows);
                let builder = builder.with_row_groups(groups).with_projection(mask).with_batch_size(size);
                let builder = builder.with_offset(usize::try_from(row).unwrap_or(usize::MAX));
                Box::new(builder.build().map_err(|cause| damaged(&path, cause))?)
            }
            Format::Arrow => Box::new(
                FileReader::try_new(BufReader::new(file), None).map_err(|cause| damaged(&path, cause))?,
            ),
            _ => {
                let reader = ReaderBuilder::new().with_batch_size(scan.limits.rows.min(8192));
                Box::new(reader.build(BufReader::new(file)).map_err(|cause| damaged(&path, cause))?)
            }
        };
        let bytes_per_row = total.filter(|rows| *rows > 0).map_or(0.0, |rows| bytes as f64 / rows as f64);
        let (schema, rows_max) = (scan.schema.clone(), scan.limits.rows.max(1));
        Ok(Self { path, batches, schema, row, skip, bytes_per_row, rows_max, rest: None })
    }

    /// The next batch, no larger than it may be, without the rows that were read before.
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let batch = match self.rest.take() {
                Some(rest) => rest,
                None => match self.batches.next() {
                    None => return Ok(None),
                    Some(batch) => {
                        batch.map_err(|cause| damaged(&self.path, cause).at(format!("row {}", self.row)))?
                    }
                },
            };
            let rows = batch.num_rows() as u64;
            if self.skip >= rows {
                self.skip -= rows;
                continue;
            }
            let skipped = usize::try_from(std::mem::take(&mut self.skip)).unwrap_or(usize::MAX);
            let batch = batch.slice(skipped, batch.num_rows() - skipped);
            if batch.num_rows() > self.rows_max {
                self.rest = Some(batch.slice(self.rows_max, batch.num_rows() - self.rows_max));
                return Ok(Some(batch.slice(0, self.rows_max)));
            }
            return Ok(Some(batch));
        }
    }

    /// The columns wanted, in their order.
    fn project(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let column = |field: &std::sync::Arc<arrow::datatypes::Field>| {
            let column = batch.column_by_name(field.name()).cloned();
            column.ok_or_else(|| {
                let message = format!("{} has no column `{}`", self.path.display(), field.name());
                Error::config(message).help("read files of different columns as sources of their own")
            })
        };
        let columns = self.schema.fields().iter().map(column).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options).map_err(|cause| {
            Error::config(format!("{} does not have the columns of the first file", self.path.display()))
                .caused_by(cause)
        })
    }
}

#[async_trait]
impl Reader for ColumnarReader {
    async fn read(&mut self) -> Result<Read> {
        let Some(batch) = self.next()? else { return Ok(Read::End) };
        let batch = self.project(&batch)?;
        let rows = batch.num_rows() as u64;
        self.row += rows;
        let bytes = (self.bytes_per_row * rows as f64) as u64;
        let position = Position(serde_json::json!(self.row));
        Ok(Read::Records(Records { batch, rejects: Vec::new(), position, bytes }))
    }
}

fn damaged(path: &Path, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    let error = Error::permanent(format!("{} is damaged or not of its format", path.display()));
    error.caused_by(cause).help("get a whole copy of the file, or say its `format`")
}
