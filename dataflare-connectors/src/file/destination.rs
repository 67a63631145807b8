//! The destination `file`.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use dataflare_core::component::{
    Destination, Lane, Options, Problem, Promise, Receipt, Run, Staged, Staging, Writer,
};
use dataflare_core::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use super::encode::{FileEncode, OutCompression, OutFormat};
use crate::staging::{CountRows, Encode, Folder, Roll, RollLimits, StagedWriter, run_folder};

/// Options of the destination `file`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FileDestinationOptions {
    /// The folder to write to; it is made if it is not there. A run's files are in a folder of their
    /// own below it, which appears under the run's name when the run is complete. With `roll` they
    /// appear in this folder itself, at each checkpoint.
    path: String,
    /// How the files are written.
    format: OutFormat,
    /// How NDJSON and CSV files are compressed.
    #[serde(default)]
    compression: OutCompression,
    /// When files are closed while the run goes on.
    #[serde(default)]
    roll: Option<Roll>,
}

struct FileDestination {
    folder: Folder,
    encode: Arc<FileEncode>,
    roll: Option<RollLimits>,
    schema: Mutex<Option<SchemaRef>>,
}

pub(super) fn build(options: &Options) -> Result<Arc<dyn Destination>, Vec<Problem>> {
    let options: FileDestinationOptions = options.parse()?;
    let limits = options.roll.as_ref().map(Roll::limits).transpose();
    let roll = limits.map_err(|(key, message)| vec![Problem::new(&["roll", key], message)])?;
    let encode = FileEncode { format: options.format, compression: options.compression };
    if encode.compression != OutCompression::None && !encode.format.is_text() {
        let problem = Problem::new(&["compression"], "only ndjson and csv files are compressed as a whole");
        return Err(vec![problem.help("leave it out: arrow and avro files are compressed block by block")]);
    }
    let count: CountRows = match options.format {
        OutFormat::Ndjson => count_lines,
        OutFormat::Csv => count_csv,
        OutFormat::Arrow => count_arrow,
        OutFormat::Avro => count_avro,
    };
    let folder = Folder { path: PathBuf::from(&options.path), rolling: roll.is_some(), count };
    Ok(Arc::new(FileDestination { folder, encode: Arc::new(encode), roll, schema: Mutex::new(None) }))
}

#[async_trait]
impl Destination for FileDestination {
    fn accept(&self, schema: &SchemaRef) -> Result<()> {
        let nested = schema.fields().iter().find(|field| field.data_type().is_nested());
        match nested {
            Some(field) if self.encode.format == OutFormat::Csv => {
                let message =
                    format!("CSV cannot hold column `{}`, which is {}", field.name(), field.data_type());
                Err(Error::config(message).help("select its parts with `map` before, or write ndjson"))
            }
            _ => Ok(()),
        }
    }

    fn mapping(&self, schema: &SchemaRef) -> Vec<String> {
        let held = |data_type: &DataType| match (self.encode.format, data_type) {
            (OutFormat::Arrow, _) | (OutFormat::Avro, _) => data_type.to_string(),
            (_, DataType::Binary | DataType::LargeBinary) => "hexadecimal text".to_owned(),
            (OutFormat::Ndjson, other) if other.is_numeric() => "number".to_owned(),
            _ => "text".to_owned(),
        };
        schema.fields().iter().map(|field| held(field.data_type())).collect()
    }

    fn promise(&self) -> Promise {
        Promise::ExactlyOnce
    }

    fn staging(&self) -> Staging {
        if self.roll.is_some() { Staging::Interval } else { Staging::Split }
    }

    async fn check(&self) -> Result<()> {
        self.folder.check()
    }

    async fn prepare(&self, run: &Run, schema: &SchemaRef) -> Result<()> {
        *self.schema.lock().unwrap_or_else(PoisonError::into_inner) = Some(schema.clone());
        self.folder.prepare(run)
    }

    async fn writer(&self, run: &Run, lane: &Lane) -> Result<Box<dyn Writer>> {
        let folder = run_folder(&self.folder.path, run);
        let encode = Arc::clone(&self.encode) as Arc<dyn Encode>;
        Ok(Box::new(StagedWriter::new(encode, folder, lane.index, self.roll, None)))
    }

    async fn commit(&self, run: &Run, staged: &[Staged]) -> Result<Receipt> {
        self.folder.commit(run, staged)
    }

    async fn abort(&self, run: &Run) -> Result<()> {
        self.folder.abort(run)
    }

    async fn finish(&self, run: &Run) -> Result<Option<String>> {
        let schema = self.schema.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.folder.leave_schema(run, &*self.encode, schema)?;
        Ok(Some(self.folder.finish(run)?.display().to_string()))
    }
}

/// NDJSON: the line ends. Text within a record has none: they are escaped.
fn count_lines(path: &Path) -> Result<u64> {
    let mut lines = 0;
    each_buffer(path, |bytes| lines += memchr::memchr_iter(b'\n', bytes).count() as u64)?;
    Ok(lines)
}

/// CSV: the line ends outside of quotes, less the header's.
fn count_csv(path: &Path) -> Result<u64> {
    let (mut lines, mut quoted) = (0_u64, false);
    each_buffer(path, |bytes| {
        for byte in memchr::memchr2_iter(b'\n', b'"', bytes).map(|at| bytes[at]) {
            match byte {
                b'"' => quoted = !quoted,
                _ if !quoted => lines += 1,
                _ => {}
            }
        }
    })?;
    Ok(lines.saturating_sub(1))
}

fn count_arrow(path: &Path) -> Result<u64> {
    let file = std::fs::File::open(path).map_err(|cause| unreadable(path, cause))?;
    let reader =
        arrow::ipc::reader::FileReader::try_new(file, None).map_err(|cause| unreadable(path, cause))?;
    count_batches(path, reader)
}

fn count_avro(path: &Path) -> Result<u64> {
    let file = std::fs::File::open(path).map_err(|cause| unreadable(path, cause))?;
    let reader = arrow_avro::reader::ReaderBuilder::new().build(std::io::BufReader::new(file));
    count_batches(path, reader.map_err(|cause| unreadable(path, cause))?)
}

fn count_batches(
    path: &Path,
    batches: impl Iterator<Item = std::result::Result<arrow::array::RecordBatch, arrow::error::ArrowError>>,
) -> Result<u64> {
    let mut rows = 0;
    for batch in batches {
        rows += batch.map_err(|cause| unreadable(path, cause))?.num_rows() as u64;
    }
    Ok(rows)
}

fn each_buffer(path: &Path, mut look: impl FnMut(&[u8])) -> Result<()> {
    let mut bytes = super::input::open(path, super::format::Compression::of(path), 0)?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        match bytes.read(&mut buffer).map_err(|cause| unreadable(path, cause))? {
            0 => return Ok(()),
            read => look(&buffer[..read]),
        }
    }
}

fn unreadable(path: &Path, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::permanent(format!("cannot read {} back", path.display())).caused_by(cause)
}
