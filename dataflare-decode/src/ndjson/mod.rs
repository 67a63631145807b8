//! NDJSON (interim: by arrow-json).

use std::io::Cursor;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::json::ReaderBuilder;

use crate::{DecodeError, Decoded, Limits, OnMismatch, Rejected};

/// Whole lines.
pub fn complete(buf: &[u8]) -> usize {
    memchr::memrchr(b'\n', buf).map_or(0, |at| at + 1)
}

/// A decoder.
pub struct Decoder {
    schema: SchemaRef,
    on_mismatch: OnMismatch,
}

impl Decoder {
    /// Of this schema.
    pub fn new(schema: SchemaRef, on_mismatch: OnMismatch) -> Result<Self, DecodeError> {
        Ok(Self { schema, on_mismatch })
    }

    /// Decodes.
    pub fn decode(&mut self, buf: &[u8], limits: Limits) -> Result<Decoded, DecodeError> {
        let mut end = 0;
        for (rows, at) in memchr::memchr_iter(b'\n', buf).enumerate() {
            if rows >= limits.rows || (rows > 0 && at >= limits.bytes) {
                break;
            }
            end = at + 1;
        }
        if end == 0 {
            end = buf.len();
        }
        let mut rejected = Vec::new();
        match self.part(&buf[..end]) {
            Ok(batch) => Ok(Decoded { batch, consumed: end, rejected }),
            Err(_) => {
                let mut good = Vec::new();
                let mut start = 0;
                for at in memchr::memchr_iter(b'\n', &buf[..end]).chain([end]) {
                    let line = start..at.max(start);
                    start = (at + 1).min(end);
                    if line.is_empty() {
                        continue;
                    }
                    match self.part(&buf[line.clone()]) {
                        Ok(batch) => good.push(batch),
                        Err(error) if self.on_mismatch == OnMismatch::Reject => {
                            rejected.push(Rejected { range: line, error });
                        }
                        Err(message) => return Err(DecodeError { offset: line.start, message }),
                    }
                }
                let batch = arrow::compute::concat_batches(&self.schema, &good)
                    .map_err(|error| DecodeError { offset: 0, message: error.to_string() })?;
                Ok(Decoded { batch, consumed: end, rejected })
            }
        }
    }

    fn part(&self, buf: &[u8]) -> Result<arrow::record_batch::RecordBatch, String> {
        let rows = usize::MAX >> 40;
        let mut decoder = ReaderBuilder::new(self.schema.clone())
            .with_batch_size(rows)
            .build_decoder()
            .map_err(|error| error.to_string())?;
        decoder.decode(buf).map_err(|error| error.to_string())?;
        let batch = decoder.flush().map_err(|error| error.to_string())?;
        Ok(batch.unwrap_or_else(|| arrow::record_batch::RecordBatch::new_empty(self.schema.clone())))
    }
}

/// Infers.
pub fn infer(buf: &[u8], rows_max: usize) -> Result<Schema, DecodeError> {
    arrow::json::reader::infer_json_schema(Cursor::new(buf), Some(rows_max))
        .map(|(schema, _)| schema)
        .map_err(|error| DecodeError { offset: 0, message: error.to_string() })
}
