//! What becomes of values and records that do not fit.

use std::collections::BTreeMap;
use std::fmt::Display;

use arrow::datatypes::Field;

use super::cell::Text;
use super::index::Span;
use crate::{DecodeError, OnMismatch};

/// The faults in one stretch of records.
#[derive(Debug)]
pub(super) struct Faults {
    policy: OnMismatch,
    /// The row of the first fault that stops decoding. Columns are decoded one after another, so a
    /// later column may still meet one in an earlier row.
    stop: Option<(usize, DecodeError)>,
    /// The rows to leave out, and why; where several columns are to blame, the first.
    rejected: BTreeMap<usize, String>,
}

impl Faults {
    pub(super) fn new(policy: OnMismatch) -> Self {
        Self { policy, stop: None, rejected: BTreeMap::new() }
    }

    /// The number of rows, out of `rows`, that are still worth decoding.
    pub(super) fn rows(&self, rows: usize) -> usize {
        self.stop.as_ref().map_or(rows, |(row, _)| *row)
    }

    /// Stops decoding at `row`, which comes before the row of any earlier call.
    pub(super) fn stop(&mut self, row: usize, error: DecodeError) {
        self.stop = Some((row, error));
    }

    /// The rows to leave out, and why; or the first fault in the stretch that stops decoding.
    pub(super) fn into_rejected(self) -> Result<BTreeMap<usize, String>, DecodeError> {
        match self.stop {
            Some((_, error)) => Err(error),
            None => Ok(self.rejected),
        }
    }

    /// Deals with a value of `row` that its column cannot take. Says whether to go on, with a null in
    /// the place of the value.
    #[must_use]
    pub(super) fn refuse(&mut self, row: usize, nullable: bool, error: DecodeError) -> bool {
        match self.policy {
            OnMismatch::Null if nullable => true,
            OnMismatch::Reject => {
                self.rejected.entry(row).or_insert(error.message);
                true
            }
            OnMismatch::Error | OnMismatch::Null => {
                self.stop(row, error);
                false
            }
        }
    }
}

/// A column as its error messages speak of it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    name: String,
    kind: String,
    pub(super) nullable: bool,
}

impl Target {
    pub(super) fn new(field: &Field) -> Self {
        let kind = field.data_type().to_string();
        Self { name: field.name().clone(), kind, nullable: field.is_nullable() }
    }

    /// The value is no value of the column's type.
    pub(super) fn mismatch(&self, text: &Text, span: Span) -> DecodeError {
        let value = excerpt(text.raw(span));
        self.error(text.offset_of(span), format_args!("`{value}` is no {}", self.kind))
    }

    /// The value is null, and the column holds none.
    pub(super) fn null(&self, text: &Text, span: Span) -> DecodeError {
        let what = if span == Span::MISSING { "field is missing" } else { "value is null" };
        self.error(text.offset_of(span), format_args!("the {what} but the column is not nullable"))
    }

    /// The field's quotes do not match.
    pub(super) fn malformed(&self, text: &Text, span: Span, reason: &str) -> DecodeError {
        let value = excerpt(text.raw(span));
        self.error(text.offset_of(span), format_args!("`{value}` is no field: {reason}"))
    }

    /// The value is text, but not in UTF-8; `at` is the offset of the first wrong byte.
    pub(super) fn not_utf8(&self, text: &Text, span: Span, at: usize) -> DecodeError {
        let value = excerpt(text.raw(span));
        self.error(at, format_args!("`{value}` is not valid UTF-8"))
    }

    fn error(&self, offset: usize, reason: impl Display) -> DecodeError {
        DecodeError { offset, message: format!("column `{}`: {reason}", excerpt(self.name.as_bytes())) }
    }
}

/// At most the first 80 characters of a value, for a message.
pub(super) fn excerpt(value: &[u8]) -> String {
    const CHARACTERS: usize = 80;
    // No character has more than four bytes.
    let head = String::from_utf8_lossy(&value[..value.len().min(CHARACTERS * 4)]);
    let mut text: String = head.chars().take(CHARACTERS).flat_map(visible).collect();
    if head.chars().nth(CHARACTERS).is_some() || value.len() > CHARACTERS * 4 {
        text.push('…');
    }
    text
}

/// A character as it can stand in one line of a message.
fn visible(character: char) -> impl Iterator<Item = char> {
    let escape = character.is_control().then(|| character.escape_default());
    let plain = (!character.is_control()).then_some(character);
    escape.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_line_of_at_most_80_characters() {
        assert_eq!(excerpt(b"a\nb\tc"), "a\\nb\\tc");
        assert_eq!(excerpt("ü".repeat(80).as_bytes()), "ü".repeat(80));
        assert_eq!(excerpt("ü".repeat(81).as_bytes()), "ü".repeat(80) + "…");
        assert_eq!(excerpt(&[0xff, b'x']), "\u{fffd}x");
    }

    #[test]
    fn under_null_a_column_without_nulls_still_stops() {
        let error = DecodeError { offset: 3, message: "no".into() };
        let mut faults = Faults::new(OnMismatch::Null);
        assert!(faults.refuse(0, true, error.clone()));
        assert!(!faults.refuse(4, false, error.clone()));
        assert_eq!((faults.rows(9), faults.into_rejected()), (4, Err(error)));
    }
}
