//! The schema of text files, from the beginning of the first that has records.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use dataflare_core::{Error, Result};
use dataflare_decode::csv::Dialect;
use dataflare_decode::{DecodeError, csv, ndjson};

use super::format::{Compression, Format};
use super::input::Window;
use super::list::Listed;

/// Bytes that are looked at, at most, beyond one record.
const SAMPLE_BYTES: usize = 8 << 20;

/// The beginning of a file: whole records, or all of it.
pub(super) fn beginning(
    file: &Listed,
    compression: Compression,
    format: Format,
    dialect: &Dialect,
    record_max: usize,
) -> Result<Vec<u8>> {
    let mut window = Window::new(&file.path, compression, 0, record_max)?;
    loop {
        window.fill()?;
        let bytes = window.bytes();
        if window.at_end {
            return Ok(bytes.to_vec());
        }
        let whole =
            if format == Format::Csv { csv::complete(bytes, dialect) } else { ndjson::complete(bytes) };
        if whole > 0 && bytes.len() >= SAMPLE_BYTES {
            return Ok(bytes[..whole].to_vec());
        }
    }
}

/// The columns of a sample.
pub(super) fn infer(
    file: &Listed,
    sample: &[u8],
    format: Format,
    dialect: &Dialect,
    header: bool,
    rows: usize,
) -> Result<SchemaRef> {
    let inferred = match format {
        Format::Csv => csv::infer(sample, dialect, header, rows),
        _ => ndjson::infer(sample, rows),
    };
    inferred.map(Arc::new).map_err(|error| failed(file, &error))
}

/// What is wrong at the beginning of a file.
pub(super) fn failed(file: &Listed, error: &DecodeError) -> Error {
    Error::config(format!("{}: {}", file.path.display(), error.message))
        .at(format!("byte {}", error.offset))
        .help("mend the file, or say its columns under `schema`")
}
