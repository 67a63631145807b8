//! Records to Parquet bytes.

use std::fs::File;
use std::io::BufWriter;
use std::sync::{Arc, Mutex, PoisonError};

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression as Codec, ZstdLevel};
use ::parquet::file::metadata::SortingColumn;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use ::parquet::schema::types::ColumnPath;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{SortColumn, lexsort_to_indices, take_record_batch};
use arrow::datatypes::{DataType, SchemaRef};
use dataflare_core::component::Problem;
use dataflare_core::{Error, Result};

use super::options::{Compression, ParquetOptions};
use crate::staging::{Encode, Encoder};

/// Bytes of a row group in memory where nothing is said.
const ROW_GROUP_BYTES: u64 = 32 << 20;

/// A text column is given a dictionary where at most one value in so many of the first batch is new.
const DICTIONARY_SHARE: usize = 4;

/// Rows of the first batch that are looked at to decide on dictionaries.
const SAMPLE_ROWS: usize = 4096;

/// How all files of one destination are written.
pub(super) struct ParquetEncode {
    settings: Arc<Settings>,
    schema: Mutex<Option<SchemaRef>>,
}

struct Settings {
    codec: Codec,
    row_group_rows: usize,
    row_group_bytes: usize,
    dictionary: bool,
    bloom_filters: Vec<String>,
    sort_by: Vec<String>,
}

impl ParquetEncode {
    pub(super) fn new(options: &ParquetOptions) -> Result<Self, Vec<Problem>> {
        let wrong = |key: &str, message: String| vec![Problem::new(&[key], message)];
        let codec = match (options.compression, options.level) {
            (Compression::Zstd, level) => Codec::ZSTD(
                ZstdLevel::try_new(level.unwrap_or(3)).map_err(|error| wrong("level", error.to_string()))?,
            ),
            (_, Some(_)) => return Err(wrong("level", "only `zstd` has levels".to_owned())),
            (Compression::Snappy, None) => Codec::SNAPPY,
            (Compression::Lz4, None) => Codec::LZ4_RAW,
            (Compression::None, None) => Codec::UNCOMPRESSED,
        };
        let bytes =
            options.row_group_bytes.as_ref().map(|text| text.parse::<bytesize::ByteSize>()).transpose();
        let bytes = bytes.map_err(|error| wrong("row_group_bytes", error))?;
        let bytes = bytes.map_or(ROW_GROUP_BYTES, |size| size.as_u64());
        let settings = Settings {
            codec,
            row_group_rows: options.row_group_rows.max(1),
            row_group_bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
            dictionary: options.dictionary,
            bloom_filters: options.bloom_filters.clone(),
            sort_by: options.sort_by.clone(),
        };
        Ok(Self { settings: Arc::new(settings), schema: Mutex::new(None) })
    }

    /// Keeps the schema, for a file without rows.
    pub(super) fn remember(&self, schema: &SchemaRef) {
        *self.schema.lock().unwrap_or_else(PoisonError::into_inner) = Some(schema.clone());
    }

    pub(super) fn schema(&self) -> Option<SchemaRef> {
        self.schema.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Refuses what Parquet cannot hold, and options that name columns that are not there.
    pub(super) fn accept(&self, schema: &SchemaRef) -> Result<()> {
        for name in self.settings.bloom_filters.iter().chain(&self.settings.sort_by) {
            if schema.field_with_name(name).is_err() {
                let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
                let message = format!("there is no column `{name}` to sort or filter by");
                return Err(Error::config(message).help(format!("the columns are {}", names.join(", "))));
            }
        }
        ::parquet::arrow::ArrowSchemaConverter::new().convert(schema).map(drop).map_err(|cause| {
            Error::config("Parquet cannot hold these columns")
                .caused_by(cause)
                .help("cast them with `map` before")
        })
    }
}

impl Settings {
    fn properties(&self, first: &RecordBatch) -> WriterProperties {
        let mut builder = WriterProperties::builder()
            .set_compression(self.codec)
            .set_max_row_group_row_count(Some(self.row_group_rows))
            .set_dictionary_enabled(self.dictionary)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_created_by(concat!("dataflare ", env!("CARGO_PKG_VERSION")).to_owned());
        for (field, column) in first.schema().fields().iter().zip(first.columns()) {
            builder = dictionaries(builder, &ColumnPath::from(field.name().as_str()), column);
        }
        for name in &self.bloom_filters {
            builder = builder.set_column_bloom_filter_enabled(ColumnPath::from(name.as_str()), true);
        }
        let sorting = self.sort_by.iter().filter_map(|name| first.schema().index_of(name).ok());
        let sorting: Vec<_> = sorting
            .filter_map(|index| i32::try_from(index).ok())
            .map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: true })
            .collect();
        builder.set_sorting_columns(Some(sorting).filter(|sorting| !sorting.is_empty())).build()
    }
}

/// Turns dictionaries off where the first rows show that nearly every value is new: building one that
/// is thrown away later costs as much as all the rest.
fn dictionaries(
    builder: WriterPropertiesBuilder,
    path: &ColumnPath,
    column: &dyn Array,
) -> WriterPropertiesBuilder {
    let rows = column.len().min(SAMPLE_ROWS);
    let sample = column.slice(0, rows);
    let different = match column.data_type() {
        DataType::Utf8 => sample.as_string::<i32>().iter().collect::<std::collections::HashSet<_>>().len(),
        DataType::Int64 | DataType::Float64 | DataType::Timestamp(_, _) => {
            let data = sample.to_data();
            let values: &[u64] = &data.buffer::<u64>(0)[..rows];
            values.iter().collect::<std::collections::HashSet<_>>().len()
        }
        _ => return builder,
    };
    if rows >= 64 && different * DICTIONARY_SHARE > rows {
        return builder.set_column_dictionary_enabled(path.clone(), false);
    }
    builder
}

impl Encode for ParquetEncode {
    fn begin(&self, file: File, schema: &SchemaRef) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(ParquetFile {
            state: State::Empty(file),
            schema: schema.clone(),
            settings: Arc::clone(&self.settings),
            held: Vec::new(),
        }))
    }

    fn extension(&self) -> &str {
        ".parquet"
    }
}

/// One file; the writer is made when the first batch is known.
struct ParquetFile {
    state: State,
    schema: SchemaRef,
    settings: Arc<Settings>,
    /// The row group's records, where they are to be sorted before they are written.
    held: Vec<RecordBatch>,
}

enum State {
    Empty(File),
    Open(Box<ArrowWriter<BufWriter<File>>>),
    Broken,
}

impl ParquetFile {
    fn writer(&mut self, first: &RecordBatch) -> Result<&mut ArrowWriter<BufWriter<File>>> {
        if let State::Empty(_) = self.state {
            let State::Empty(file) = std::mem::replace(&mut self.state, State::Broken) else {
                return Err(broken());
            };
            let properties = self.settings.properties(first);
            let writer = ArrowWriter::try_new(BufWriter::new(file), self.schema.clone(), Some(properties));
            self.state = State::Open(Box::new(writer.map_err(failed)?));
        }
        match &mut self.state {
            State::Open(writer) => Ok(writer),
            _ => Err(broken()),
        }
    }

    fn encode(&mut self, records: &RecordBatch) -> Result<()> {
        let row_group_bytes = self.settings.row_group_bytes;
        let writer = self.writer(records)?;
        writer.write(records).map_err(failed)?;
        // What a row group takes in memory counts, not what it will take on the disk.
        if writer.memory_size() >= row_group_bytes {
            writer.flush().map_err(failed)?;
        }
        Ok(())
    }

    fn encode_held(&mut self) -> Result<()> {
        let Some(first) = self.held.first() else { return Ok(()) };
        let all = arrow::compute::concat_batches(&first.schema(), &self.held).map_err(failed)?;
        self.held.clear();
        let column = |name: &String| {
            let values = all.column_by_name(name).cloned().ok_or_else(broken)?;
            Ok(SortColumn { values, options: None })
        };
        let columns = self.settings.sort_by.iter().map(column).collect::<Result<Vec<_>>>()?;
        let order = lexsort_to_indices(&columns, None).map_err(failed)?;
        let sorted = take_record_batch(&all, &order).map_err(failed)?;
        let writer = self.writer(&sorted)?;
        writer.write(&sorted).map_err(failed)?;
        writer.flush().map_err(failed)
    }
}

impl Encoder for ParquetFile {
    fn write(&mut self, records: &RecordBatch) -> Result<()> {
        if self.settings.sort_by.is_empty() {
            return self.encode(records);
        }
        self.held.push(records.clone());
        let held: usize = self.held.iter().map(RecordBatch::get_array_memory_size).sum();
        if held >= self.settings.row_group_bytes { self.encode_held() } else { Ok(()) }
    }

    fn bytes(&self) -> u64 {
        match &self.state {
            State::Open(writer) => (writer.bytes_written() + writer.in_progress_size()) as u64,
            _ => 0,
        }
    }

    fn finish(mut self: Box<Self>) -> Result<File> {
        self.encode_held()?;
        if let State::Empty(_) = self.state {
            self.writer(&RecordBatch::new_empty(self.schema.clone()))?;
        }
        let State::Open(writer) = self.state else { return Err(broken()) };
        let buffered = writer.into_inner().map_err(failed)?;
        buffered.into_inner().map_err(|error| failed(error.into_error()))
    }
}

fn broken() -> Error {
    Error::permanent("the Parquet writer failed before")
}

fn failed(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::permanent("cannot write Parquet").caused_by(cause)
}
