//! Reads files that hold one JSON array of objects.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use dataflare_core::batch::{BatchLimits, Reject};
use dataflare_core::component::{Position, Read, Reader, Records, Scan};
use dataflare_core::{Error, Result};
use dataflare_decode::ndjson::{ArraySplitter, Decoder, infer_elements};
use dataflare_decode::{DecodeError, Limits, OnMismatch};

use super::format::Compression;
use super::input::Window;
use super::list::Listed;
use super::sample::failed;

/// The elements of an array, found while the file is read.
struct Elements {
    path: PathBuf,
    window: Window,
    splitter: ArraySplitter,
    /// Bytes at the start of the window that are whole elements.
    ready: usize,
    done: bool,
}

impl Elements {
    fn open(path: &Path, compression: Compression, record_max: usize) -> Result<Self> {
        let window = Window::new(path, compression, 0, record_max)?;
        Ok(Self { path: path.to_owned(), window, splitter: ArraySplitter::new(), ready: 0, done: false })
    }

    /// Reads on until there is a whole element; false at the array's end.
    fn more(&mut self) -> Result<bool> {
        while self.ready == 0 {
            if self.done {
                return Ok(false);
            }
            if self.window.at_end {
                let error =
                    Error::permanent(format!("{} ends in the middle of its array", self.path.display()));
                return Err(error
                    .at(format!("byte {}", self.window.offset))
                    .help("get a whole copy of the file"));
            }
            self.window.fill()?;
            let found = self.splitter.split(self.window.bytes()).map_err(|error| self.wrong(&error))?;
            self.window.consume(found.range.start);
            self.ready = found.range.len();
            self.done = found.done;
        }
        Ok(true)
    }

    fn bytes(&self) -> &[u8] {
        &self.window.bytes()[..self.ready]
    }

    fn wrong(&self, error: &DecodeError) -> Error {
        let place = format!("byte {}", self.window.offset + error.offset as u64);
        let error = Error::config(format!("{}: {}", self.path.display(), error.message)).at(place);
        error.help("mend the file, or say `format: ndjson` if it holds one object a line")
    }
}

/// The columns of the first elements.
pub(super) fn look(
    file: &Listed,
    compression: Compression,
    rows: usize,
    record_max: usize,
) -> Result<SchemaRef> {
    let mut elements = Elements::open(&file.path, compression, record_max)?;
    elements.more()?;
    infer_elements(elements.bytes(), rows).map(Arc::new).map_err(|error| failed(file, &error))
}

/// Reads the elements as records. Positions are numbers of elements: a resumed run reads past those
/// that it has.
pub(super) struct JsonReader {
    elements: Elements,
    decoder: Decoder,
    limits: BatchLimits,
    row: u64,
    skip: u64,
}

impl JsonReader {
    pub(super) fn open(
        path: &Path,
        compression: Compression,
        from: Option<&Position>,
        scan: &Scan,
        policy: OnMismatch,
        record_max: usize,
    ) -> Result<Self> {
        let decoder = Decoder::new(scan.schema.clone(), policy).map_err(|error| {
            Error::config(error.to_string()).help("give the column a type that JSON can hold")
        })?;
        let skip = from.and_then(|position| position.0.as_u64()).unwrap_or(0);
        let elements = Elements::open(path, compression, record_max)?;
        Ok(Self { elements, decoder, limits: scan.limits, row: 0, skip })
    }

    /// The next records, those before the position included.
    fn decode(&mut self) -> Result<Records> {
        let limits = Limits { rows: self.limits.rows, bytes: self.limits.bytes };
        let decoded = self.decoder.decode_elements(self.elements.bytes(), limits);
        let decoded = decoded.map_err(|error| self.elements.wrong(&error))?;
        let base = self.elements.window.offset;
        let reject = |rejected: &dataflare_decode::Rejected| Reject {
            raw: self.elements.bytes()[rejected.range.clone()].to_vec(),
            error: rejected.error.clone(),
            position: format!("byte {}", base + rejected.range.start as u64),
        };
        let rejects: Vec<Reject> = decoded.rejected.iter().map(reject).collect();
        self.elements.window.consume(decoded.consumed);
        self.elements.ready -= decoded.consumed;
        self.row += (decoded.batch.num_rows() + rejects.len()) as u64;
        let position = Position(serde_json::json!(self.row));
        Ok(Records { batch: decoded.batch, rejects, position, bytes: decoded.consumed as u64 })
    }
}

#[async_trait]
impl Reader for JsonReader {
    async fn read(&mut self) -> Result<Read> {
        loop {
            if !self.elements.more()? {
                return Ok(Read::End);
            }
            // What is passed over ends exactly at the position.
            let limits = self.limits;
            if self.row < self.skip {
                let left = usize::try_from(self.skip - self.row).unwrap_or(usize::MAX);
                self.limits.rows = limits.rows.min(left);
            }
            let before = self.row < self.skip;
            let records = self.decode();
            self.limits = limits;
            let records = records?;
            if !before {
                return Ok(Read::Records(records));
            }
        }
    }
}
