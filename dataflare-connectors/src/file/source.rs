//! The source `file`.

use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use dataflare_core::component::{Options, Position, Problem, Pushdown, Reader, Scan, Source, Split};
use dataflare_core::{Error, Result};
use dataflare_decode::csv::{Borders, Dialect};
use dataflare_decode::{csv, ndjson};
use serde_json::json as value;

use super::columnar::{ColumnarReader, outline};
use super::format::{Compression, Format};
use super::input;
use super::json::{self, JsonReader};
use super::list::{Listed, list};
use super::options::FileOptions;
use super::sample::{beginning, failed, infer};
use super::text::{Decoder, Range, TextReader};
use super::types;

/// The size of a part of a big file where nothing is said.
const SPLIT_BYTES: u64 = 128 << 20;

/// The longest record where nothing is said.
const RECORD_MAX: u64 = 256 << 20;

struct FileSource {
    options: FileOptions,
    dialect: Dialect,
    split_bytes: u64,
    record_max: usize,
    declared: Option<SchemaRef>,
    schema: OnceLock<SchemaRef>,
}

pub(super) fn build(options: &Options) -> Result<Arc<dyn Source>, Vec<Problem>> {
    let options: FileOptions = options.parse()?;
    let size = |key: &str, text: &Option<String>, default: u64| {
        let parsed = text.as_ref().map(|text| text.parse::<bytesize::ByteSize>()).transpose();
        let size = parsed.map_err(|message| vec![Problem::new(&[key], message)])?;
        Ok::<u64, Vec<Problem>>(size.map_or(default, |size| size.as_u64()).max(1))
    };
    let dialect = options.csv.dialect().map_err(|(key, character)| {
        vec![Problem::new(&["csv", key], format!("`{character}` is not one ASCII character"))]
    })?;
    let declared = options.schema.as_ref().map(types::schema).transpose();
    let declared = declared.map_err(|(column, message)| vec![Problem::new(&["schema", &column], message)])?;
    Ok(Arc::new(FileSource {
        dialect,
        split_bytes: size("split", &options.split, SPLIT_BYTES)?,
        record_max: usize::try_from(size("record_max", &options.record_max, RECORD_MAX)?)
            .unwrap_or(usize::MAX),
        declared,
        options,
        schema: OnceLock::new(),
    }))
}

impl FileSource {
    fn files(&self) -> Result<Vec<Listed>> {
        list(&self.options.path.all(), self.options.format)
    }

    fn format(&self, path: &Path) -> Result<Format> {
        self.options.format.or_else(|| Format::of(path)).ok_or_else(|| {
            Error::config(format!("the name of {} does not tell its format", path.display()))
                .help("set `format` to csv, ndjson, json, parquet, arrow or avro")
        })
    }

    fn compression(&self, path: &Path) -> Compression {
        self.options.compression.unwrap_or_else(|| Compression::of(path))
    }

    fn sample(&self, file: &Listed) -> Result<Vec<u8>> {
        let format = self.format(&file.path)?;
        beginning(file, self.compression(&file.path), format, &self.dialect, self.record_max)
    }

    /// The columns of the first file that tells any.
    fn look(&self) -> Result<SchemaRef> {
        let files = self.files()?;
        for file in &files {
            let format = self.format(&file.path)?;
            if format == Format::Json {
                let schema = json::look(
                    file,
                    self.compression(&file.path),
                    self.options.sample_rows,
                    self.record_max,
                )?;
                if !schema.fields().is_empty() {
                    return Ok(schema);
                }
                continue;
            }
            if !format.is_text() {
                return Ok(outline(&file.path, format)?.schema);
            }
            let sample = self.sample(file)?;
            let header = self.options.csv.header;
            let schema = infer(file, &sample, format, &self.dialect, header, self.options.sample_rows)?;
            if !schema.fields().is_empty() {
                return Ok(schema);
            }
        }
        let first = files.first().map(|file| file.path.display().to_string()).unwrap_or_default();
        Err(Error::config(format!("{first} is empty, so that its columns cannot be told"))
            .help("say them under `schema`"))
    }

    /// A big file in parts.
    fn parts(&self, file: &Listed) -> Result<Vec<Split>> {
        let format = self.format(&file.path)?;
        let whole = || vec![self.split(file, format, None, file.bytes, None)];
        if self.compression(&file.path) != Compression::None {
            return Ok(whole());
        }
        match format {
            Format::Parquet => self.row_groups(file),
            Format::Ndjson if file.bytes > self.split_bytes => {
                let starts: Vec<u64> =
                    (0..file.bytes.div_ceil(self.split_bytes)).map(|part| part * self.split_bytes).collect();
                Ok(self.ranges(file, format, &starts))
            }
            Format::Csv if file.bytes > self.split_bytes => {
                let starts = self.csv_borders(file)?;
                Ok(self.ranges(file, format, &starts))
            }
            _ => Ok(whole()),
        }
    }

    /// Splits from each of `starts` to the next.
    fn ranges(&self, file: &Listed, format: Format, starts: &[u64]) -> Vec<Split> {
        let ends = starts.iter().skip(1).copied().chain([file.bytes]);
        let parts = starts.iter().zip(ends).filter(|(start, end)| *start < end);
        parts.map(|(start, end)| self.split(file, format, Some((*start, end)), end - start, None)).collect()
    }

    /// Record borders about every `split` bytes; finding them takes a look at all of the file where a
    /// line end may be quoted.
    fn csv_borders(&self, file: &Listed) -> Result<Vec<u64>> {
        let mut starts = vec![0];
        let wanted: Vec<u64> =
            (1..file.bytes.div_ceil(self.split_bytes)).map(|part| part * self.split_bytes).collect();
        if !self.dialect.quoted_newlines {
            starts.extend(wanted);
            return Ok(starts);
        }
        let sample = self.sample(file)?;
        let start = csv::data_start(&sample, &self.dialect, self.options.csv.header)
            .map_err(|error| failed(file, &error))?;
        let mut borders = Borders::new(&self.dialect, start as u64, wanted);
        let mut bytes = input::open(&file.path, Compression::None, start as u64)?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            let read = bytes.read(&mut buffer).map_err(|cause| input::unreadable(&file.path, cause))?;
            if read == 0 || !borders.feed(&buffer[..read]) {
                break;
            }
        }
        starts.extend(borders.finish());
        Ok(starts)
    }

    fn row_groups(&self, file: &Listed) -> Result<Vec<Split>> {
        let groups = outline(&file.path, Format::Parquet)?.row_groups;
        let mut splits = Vec::new();
        let (mut start, mut rows, mut bytes) = (0, 0, 0);
        for (number, (group_rows, group_bytes)) in groups.iter().enumerate() {
            rows += group_rows;
            bytes += group_bytes;
            let last = number + 1 == groups.len();
            if bytes >= self.split_bytes || last {
                let range = Some((start as u64, number as u64 + 1));
                splits.push(self.split(file, Format::Parquet, range, bytes, Some(rows)));
                (start, rows, bytes) = (number + 1, 0, 0);
            }
        }
        Ok(splits)
    }

    fn split(
        &self,
        file: &Listed,
        format: Format,
        range: Option<(u64, u64)>,
        bytes: u64,
        rows: Option<u64>,
    ) -> Split {
        let path = file.path.display();
        let compressed = self.compression(&file.path) != Compression::None;
        Split {
            id: range.map_or_else(|| path.to_string(), |(start, end)| format!("{path}#{start}-{end}")),
            version: Some(file.version.clone()),
            bytes: (!compressed).then_some(bytes),
            rows,
            detail: value!({ "path": file.path, "format": format, "range": range, "bytes": bytes }),
        }
    }

    fn decoder(&self, path: &Path, format: Format, scan: &Scan) -> Result<(Decoder, u64)> {
        let policy = self.options.on_mismatch(scan.reject);
        let file = Listed { path: path.to_owned(), bytes: 0, version: String::new() };
        let fail = |error: &_| failed(&file, error);
        if format == Format::Ndjson {
            let decoder = ndjson::Decoder::new(scan.schema.clone(), policy).map_err(|error| {
                Error::config(error.to_string()).help("give the column a type that JSON can hold")
            })?;
            return Ok((Decoder::Ndjson(Box::new(decoder)), 0));
        }
        let sample = self.sample(&file)?;
        let header = self.options.csv.header;
        let start = csv::data_start(&sample, &self.dialect, header).map_err(|error| fail(&error))?;
        let names = if header {
            csv::header(&sample, &self.dialect).map_err(|error| fail(&error))?
        } else {
            let schema = infer(&file, &sample, format, &self.dialect, false, 1)?;
            schema.fields().iter().map(|field| field.name().clone()).collect()
        };
        let decoder = csv::Decoder::new(scan.schema.clone(), &names, &self.dialect, policy)
            .map_err(|error| fail(&error))?;
        Ok((Decoder::Csv(Box::new(decoder), self.dialect.clone()), start as u64))
    }
}

/// What [`FileSource::split`] put into a split.
#[derive(serde::Deserialize)]
struct Detail {
    path: std::path::PathBuf,
    format: Format,
    range: Option<(u64, u64)>,
    bytes: u64,
}

#[async_trait]
impl Source for FileSource {
    fn declared_schema(&self) -> Option<SchemaRef> {
        self.declared.clone()
    }

    async fn schema(&self) -> Result<SchemaRef> {
        if let Some(known) = self.declared.as_ref().or_else(|| self.schema.get()) {
            return Ok(known.clone());
        }
        let schema = self.look()?;
        Ok(self.schema.get_or_init(|| schema).clone())
    }

    fn pushdown(&self) -> Pushdown {
        Pushdown { columns: true, filter: false }
    }

    async fn splits(&self) -> Result<Vec<Split>> {
        let mut splits = Vec::new();
        for file in self.files()? {
            splits.extend(self.parts(&file)?);
        }
        Ok(splits)
    }

    async fn open(&self, split: &Split, from: Option<&Position>, scan: &Scan) -> Result<Box<dyn Reader>> {
        let detail: Detail = serde_json::from_value(split.detail.clone())
            .map_err(|cause| Error::permanent("a split of another kind of source").caused_by(cause))?;
        let Detail { path, format, range, bytes } = detail;
        if format == Format::Json {
            let policy = self.options.on_mismatch(scan.reject);
            let compression = self.compression(&path);
            return Ok(Box::new(JsonReader::open(&path, compression, from, scan, policy, self.record_max)?));
        }
        if !format.is_text() {
            let groups = range.map(|(start, end)| {
                usize::try_from(start).unwrap_or(usize::MAX)..usize::try_from(end).unwrap_or(usize::MAX)
            });
            return Ok(Box::new(ColumnarReader::open(path, format, groups, bytes, from, scan)?));
        }
        let (decoder, data_start) = self.decoder(&path, format, scan)?;
        let (start, end) = range.unwrap_or((0, u64::MAX));
        let resumed = from.and_then(|position| position.0.as_u64());
        let borders_are_exact = format == Format::Csv && self.dialect.quoted_newlines;
        let ragged = resumed.is_none() && start > 0 && !borders_are_exact;
        let start = resumed.unwrap_or(if start == 0 { data_start } else { start });
        let range = Range { start, end, ragged };
        let compression = self.compression(&path);
        Ok(Box::new(TextReader::open(path, compression, &range, decoder, scan.limits, self.record_max)?))
    }
}
