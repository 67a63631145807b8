//! NDJSON and CSV bytes straight into Arrow record batches: by schema, only the columns asked for, with
//! no value tree on the way.
//!
//! A decoder takes a buffer of whole records and knows nothing of files, compression or threads; who
//! calls it cuts the input at record borders with [`ndjson::complete`] or [`csv::complete`].

pub mod csv;
pub mod ndjson;

use arrow::record_batch::RecordBatch;

/// What becomes of a value that does not fit its column's type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnMismatch {
    /// Decoding stops with a [`DecodeError`].
    #[default]
    Error,
    /// The value becomes null where the column is nullable; an error where it is not.
    Null,
    /// The whole record is left out and handed back in [`Decoded::rejected`].
    Reject,
}

/// The most that one call decodes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Rows in the batch.
    pub rows: usize,
    /// Bytes of input; at least one record is decoded whatever its size.
    pub bytes: usize,
}

/// What one call decoded.
#[derive(Debug)]
pub struct Decoded {
    /// The records, in the decoder's schema.
    pub batch: RecordBatch,
    /// Bytes of the buffer that were decoded; ends at a record border.
    pub consumed: usize,
    /// Records left out under [`OnMismatch::Reject`].
    pub rejected: Vec<Rejected>,
}

/// A record that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Where the record stands in the buffer, without its line end.
    pub range: std::ops::Range<usize>,
    /// Why; names the column where one is to blame.
    pub error: String,
}

/// A record that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DecodeError {
    /// Byte offset in the buffer of the value or record to blame.
    pub offset: usize,
    /// What is wrong, naming the column where one is to blame; quotes at most the first 80 characters
    /// of a value.
    pub message: String,
}
