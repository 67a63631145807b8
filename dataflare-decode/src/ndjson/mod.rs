//! Newline-delimited JSON, and JSON arrays of objects, into Arrow record batches.
//!
//! [`Decoder`] reads the columns of a schema and no others: a field that nobody reads is validated and
//! passed over, and so are the fields of a nested object that the struct of the schema has not. Values
//! go straight into the memory of the arrays. Records of one input nearly always have the same keys in
//! the same order, so the decoder compares each key with the one it expects before it looks it up.
//!
//! What the JSON values become:
//!
//! | column | JSON |
//! |---|---|
//! | `Boolean` | `true`, `false` |
//! | `Int*`, `UInt*` | numbers without fraction, also written `1.0` or `1e3`, in the type's range |
//! | `Float*` | numbers, rounded to the nearest; not those beyond the type's range |
//! | `Decimal128`, `Decimal256` | numbers and strings with a number, of the column's precision and scale or less; never rounded |
//! | `Utf8`, `LargeUtf8`, `Utf8View` | strings; any other value but `null` as the JSON text that stands there |
//! | `Binary`, `LargeBinary` | strings in base64 (RFC 4648, standard alphabet, padded or not) |
//! | `Date32` | strings `2024-02-29` |
//! | `Time64` | strings `12:30:00` with a fraction or without |
//! | `Timestamp` | RFC 3339 strings no finer than the column's unit; integers in that unit since 1970 |
//! | `Struct` | objects |
//! | `List`, `LargeList` | arrays |
//! | `Map` | objects; the keys become text |
//!
//! A timestamp with an offset becomes the time in UTC, also in a column without zone; one without offset
//! is taken as it is, but does not fit a column with a zone other than UTC. A missing field is null. Of a
//! field that comes twice the last value counts; a map keeps both.
//!
//! Malformed JSON is an error whether anybody reads the value or not, with the byte offset: invalid
//! UTF-8, control characters, bad escapes, lone surrogates, literals like `NaN`, nesting deeper than
//! 128 levels. A line must hold a whole record; CR LF, blank lines and a byte order mark are fine.

mod array;
mod column;
mod decimal;
mod decoder;
mod fault;
mod infer;
mod input;
mod keys;
mod nested;
mod nulls;
mod number;
mod object;
mod plan;
mod primitive;
mod scan;
mod skip;
mod strings;
mod text;
mod time;

pub use array::{ArraySplitter, Elements};
pub use decoder::Decoder;
pub use infer::{infer, infer_elements};
pub use plan::SchemaError;

/// Objects and arrays that may stand inside each other.
const DEPTH_MAX: usize = 128;

/// The length of the part of `buf` that ends at the last record border: after its last line end, or
/// zero where it has none.
pub fn complete(buf: &[u8]) -> usize {
    memchr::memrchr(b'\n', buf).map_or(0, |last| last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_ends_after_the_last_line_end() {
        assert_eq!(complete(b""), 0);
        assert_eq!(complete(b"{\"a\":1"), 0);
        assert_eq!(complete(b"{}\n{\"a\""), 3);
        assert_eq!(complete(b"{}\r\n\n"), 5);
    }
}
