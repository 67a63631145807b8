//! Reads CSV and NDJSON, or a part of a big file.

use std::path::PathBuf;

use async_trait::async_trait;
use dataflare_core::batch::{BatchLimits, Reject};
use dataflare_core::component::{Position, Read, Reader, Records};
use dataflare_core::{Error, Result};
use dataflare_decode::csv::{self, Dialect};
use dataflare_decode::{DecodeError, Decoded, Limits, ndjson};

use super::format::Compression;
use super::input::Window;

/// A decoder of one of the text formats.
pub(super) enum Decoder {
    Csv(Box<csv::Decoder>, Dialect),
    Ndjson(Box<ndjson::Decoder>),
}

impl Decoder {
    fn decode(&mut self, bytes: &[u8], limits: Limits) -> Result<Decoded, DecodeError> {
        match self {
            Self::Csv(decoder, _) => decoder.decode(bytes, limits),
            Self::Ndjson(decoder) => decoder.decode(bytes, limits),
        }
    }

    fn complete(&self, bytes: &[u8]) -> usize {
        match self {
            Self::Csv(_, dialect) => csv::complete(bytes, dialect),
            Self::Ndjson(_) => ndjson::complete(bytes),
        }
    }
}

/// Reads the records that begin in a range of a file.
pub(super) struct TextReader {
    path: PathBuf,
    window: Window,
    decoder: Decoder,
    limits: BatchLimits,
    /// Records that begin here or later belong to another split; for CSV it is a record border.
    end: u64,
    compressed: bool,
    /// How much of the window was found to be whole records already.
    whole: usize,
}

/// Where a [`TextReader`] begins and ends.
pub(super) struct Range {
    /// The first byte; not a record border where `ragged`.
    pub start: u64,
    /// Records that begin here or later are another's.
    pub end: u64,
    /// Whether the start may be in the middle of a record, which belongs to the split before.
    pub ragged: bool,
}

impl TextReader {
    pub(super) fn open(
        path: PathBuf,
        compression: Compression,
        range: &Range,
        decoder: Decoder,
        limits: BatchLimits,
        record_max: usize,
    ) -> Result<Self> {
        // The byte before tells whether a record begins here.
        let from = if range.ragged { range.start - 1 } else { range.start };
        let window = Window::new(&path, compression, from, record_max)?;
        let compressed = compression != Compression::None;
        let mut reader = Self { path, window, decoder, limits, end: range.end, compressed, whole: 0 };
        if range.ragged {
            reader.skip_line()?;
        }
        Ok(reader)
    }

    fn skip_line(&mut self) -> Result<()> {
        loop {
            let found = memchr::memchr(b'\n', self.window.bytes());
            self.window.consume(found.map_or(self.window.bytes().len(), |at| at + 1));
            if found.is_some() || self.window.at_end {
                return Ok(());
            }
            self.window.fill()?;
        }
    }

    /// The part of the window that is whole records of this split.
    fn available(&mut self) -> Result<usize> {
        loop {
            if self.window.offset >= self.end {
                return Ok(0);
            }
            if self.whole == 0 {
                self.whole = if self.window.at_end {
                    self.window.bytes().len()
                } else {
                    self.decoder.complete(self.window.bytes())
                };
            }
            if self.whole > 0 {
                return Ok(self.own(self.whole));
            }
            if self.window.at_end {
                return Ok(0);
            }
            self.window.fill()?;
        }
    }

    /// As much of `whole` bytes as begins before the split's end.
    fn own(&self, whole: usize) -> usize {
        let room = self.end - self.window.offset;
        if whole as u64 <= room {
            return whole;
        }
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        match &self.decoder {
            Decoder::Csv(_, dialect) if dialect.quoted_newlines => room,
            _ => memchr::memchr(b'\n', &self.window.bytes()[room - 1..whole]).map_or(whole, |at| room + at),
        }
    }

    fn decoded(&mut self, available: usize) -> Result<Records> {
        let limits = Limits { rows: self.limits.rows, bytes: self.limits.bytes };
        let base = self.window.offset;
        let decoded = self.decoder.decode(&self.window.bytes()[..available], limits);
        let decoded = decoded.map_err(|error| self.failed(&error, base))?;
        let reject = |rejected: &dataflare_decode::Rejected| Reject {
            raw: self.window.bytes()[rejected.range.clone()].to_vec(),
            error: rejected.error.clone(),
            position: format!("byte {}", base + rejected.range.start as u64),
        };
        let rejects = decoded.rejected.iter().map(reject).collect();
        self.window.consume(decoded.consumed);
        self.whole -= decoded.consumed;
        let position = Position(serde_json::json!(self.window.offset));
        let bytes = if self.compressed { 0 } else { decoded.consumed as u64 };
        Ok(Records { batch: decoded.batch, rejects, position, bytes })
    }

    fn failed(&self, error: &DecodeError, base: u64) -> Error {
        let place = format!("byte {}", base + error.offset as u64);
        Error::config(format!("{}: {}", self.path.display(), error.message)).at(place).help(
            "mend the file, give the column another type under `schema`, or set `on_error: { dead_letter: <destination> }` or `on_error: skip` on this source",
        )
    }
}

#[async_trait]
impl Reader for TextReader {
    async fn read(&mut self) -> Result<Read> {
        match self.available()? {
            0 => Ok(Read::End),
            available => self.decoded(available).map(Read::Records),
        }
    }
}
