//! Records to record batches.

use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use super::array;
use super::fault::{Step, Stop, quoted};
use super::input::Input;
use super::object::Object;
use super::plan::{self, SchemaError};
use super::skip;
use crate::{DecodeError, Decoded, Limits, OnMismatch, Rejected};

/// The byte order mark that some systems begin a file with.
pub(super) const BOM: &[u8] = "\u{feff}".as_bytes();

/// Decodes records into the columns of one schema.
///
/// It keeps what it has learned of its input (the order of keys, the memory that a batch takes) from
/// call to call, so one decoder should read the whole of an input.
pub struct Decoder {
    schema: SchemaRef,
    on_mismatch: OnMismatch,
    records: Object,
    /// The most bytes that one call looks at: while that is 2 GiB, offsets of 32 bits always suffice.
    bytes_max: usize,
}

impl Decoder {
    /// A decoder for the columns of `schema`.
    ///
    /// # Errors
    ///
    /// Where the schema has a type that JSON cannot be decoded into, or two columns of one name.
    pub fn new(schema: SchemaRef, on_mismatch: OnMismatch) -> Result<Self, SchemaError> {
        let records = plan::object(schema.fields(), on_mismatch, 0)?;
        Ok(Self { schema, on_mismatch, records, bytes_max: i32::MAX as usize })
    }

    /// Decodes the lines of `buf`, each an object; the last may lack its line end. Blank lines are
    /// passed over.
    ///
    /// # Errors
    ///
    /// At the first record that is malformed or does not fit, unless the policy is
    /// [`OnMismatch::Reject`], which hands both kinds back as rejected. Nothing of the call is kept.
    pub fn decode(&mut self, buf: &[u8], limits: Limits) -> Result<Decoded, DecodeError> {
        self.run(Input { bytes: buf, multiline: false }, limits)
    }

    /// Decodes the elements of an array, as [`ArraySplitter`](super::ArraySplitter) hands them out:
    /// objects with commas between them.
    ///
    /// # Errors
    ///
    /// As those of [`Decoder::decode`].
    pub fn decode_elements(&mut self, buf: &[u8], limits: Limits) -> Result<Decoded, DecodeError> {
        self.run(Input { bytes: buf, multiline: true }, limits)
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn run(&mut self, whole: Input<'_>, limits: Limits) -> Result<Decoded, DecodeError> {
        let input = Input { bytes: &whole.bytes[..whole.bytes.len().min(self.bytes_max)], ..whole };
        let cut = input.bytes.len() < whole.bytes.len();
        self.records.truncate(0);
        self.records.reserve();
        let mut rejected = Vec::new();
        let mut at = blank(&input, if input.bytes.starts_with(BOM) { BOM.len() } else { 0 });
        while at < input.bytes.len() {
            let rows = self.records.rows();
            let done = rows + rejected.len();
            if done >= limits.rows.max(1) {
                break;
            }
            let step = self.record(&input, at);
            let end = step.as_ref().map_or_else(|_| record_end(&input, at), |end| *end);
            if cut && end == input.bytes.len() && done == 0 {
                let message = format!("a record has more than {} bytes", self.bytes_max);
                return Err(DecodeError { offset: at, message });
            }
            if done > 0 && (end > limits.bytes || cut && end == input.bytes.len()) {
                self.records.truncate(rows);
                break;
            }
            if let Err(stop) = step {
                let error = DecodeError::from(stop);
                if self.on_mismatch != OnMismatch::Reject {
                    return Err(error);
                }
                self.records.truncate(rows);
                rejected.push(Rejected { range: at..trimmed(&input, at, end), error: error.message });
            }
            at = blank(&input, end);
        }
        self.finish(at, rejected)
    }

    /// Decodes the record at `at`; the position after it and what separates it from the next.
    #[inline(always)]
    fn record(&mut self, input: &Input<'_>, at: usize) -> Step {
        if input.byte(at) != b'{' {
            return Err(not_an_object(input, at));
        }
        let end = input.space(self.records.read(input, at)?);
        match input.byte(end) {
            b'\n' => Ok(end + 1),
            b',' if input.multiline => Ok(end + 1),
            _ if end >= input.bytes.len() => Ok(end),
            _ if input.multiline => Err(input.unexpected(end, "`,` after a record")),
            _ => Err(input.unexpected(end, "the end of the line after a record")),
        }
    }

    fn finish(&mut self, consumed: usize, rejected: Vec<Rejected>) -> Result<Decoded, DecodeError> {
        let options = RecordBatchOptions::new().with_row_count(Some(self.records.rows()));
        let batch = self
            .records
            .finish()
            .and_then(|columns| RecordBatch::try_new_with_options(self.schema.clone(), columns, &options))
            .map_err(|error| DecodeError {
                offset: 0,
                message: format!("the batch cannot be built: {error}"),
            })?;
        Ok(Decoded { batch, consumed, rejected })
    }
}

/// The position of the first byte from `at` on that is neither white space nor a line end.
fn blank(input: &Input<'_>, at: usize) -> usize {
    Input { multiline: true, ..*input }.space(at)
}

#[cold]
fn not_an_object(input: &Input<'_>, at: usize) -> Stop {
    match skip::value(input, at, 0) {
        Ok(end) => Stop::at(at, format!("expected an object, found `{}`", quoted(&input.bytes[at..end]))),
        Err(stop) => stop,
    }
}

/// The position after the faulty record at `at` and what separates it from the next.
fn record_end(input: &Input<'_>, at: usize) -> usize {
    let rest = &input.bytes[at..];
    let len = if input.multiline {
        array::element_len(rest)
    } else {
        memchr::memchr(b'\n', rest).map(|len| len + 1)
    };
    len.map_or(input.bytes.len(), |len| at + len)
}

/// The end of the record between `at` and `end` itself.
fn trimmed(input: &Input<'_>, at: usize, end: usize) -> usize {
    let record = input.bytes[at..end].trim_ascii_end();
    let record = if input.multiline { record.strip_suffix(b",").unwrap_or(record) } else { record };
    at + record.trim_ascii_end().len()
}
