//! Columns of text and of raw bytes.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, LargeStringArray, StringArray, StringViewArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use super::super::cell::{Cell, Text};
use super::super::fault::{Faults, Target};
use super::super::index::Span;
use super::Column;
use super::bits::Validity;
use crate::DecodeError;

/// The Arrow types that hold text or bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strings {
    Utf8,
    LargeUtf8,
    Utf8View,
    Binary,
}

/// A column whose values are taken over as they stand.
pub(super) struct TextColumn {
    target: Target,
    strings: Strings,
    bytes: Vec<u8>,
    /// Where each value ends in `bytes`, after a leading zero.
    ends: Vec<i32>,
    validity: Validity,
}

impl TextColumn {
    pub(super) fn boxed(target: Target, strings: Strings) -> Box<dyn Column> {
        Box::new(Self { target, strings, bytes: Vec::new(), ends: vec![0], validity: Validity::default() })
    }

    /// Ends a value with what `bytes` holds now.
    #[inline(always)]
    fn end(&mut self, valid: bool) {
        // A batch is read from less than 2 GiB, and no value is longer than its text.
        self.ends.push(self.bytes.len() as i32);
        self.validity.push(valid);
    }

    /// Appends a value of `len` bytes, the start of `tail`. Short ones, which most are, are copied
    /// with a length known to the compiler and cut to size.
    #[inline(always)]
    fn push(&mut self, tail: &[u8], len: usize) {
        let end = self.bytes.len() + len;
        match tail.first_chunk::<32>() {
            Some(head) if len <= 32 => {
                self.bytes.extend_from_slice(head);
                self.bytes.truncate(end);
            }
            _ => self.bytes.extend_from_slice(&tail[..len]),
        }
        self.end(true);
    }

    /// Appends the value of a field that is null, quoted or malformed. Says whether to go on.
    fn push_odd(&mut self, text: &Text, span: Span, row: usize, faults: &mut Faults) -> bool {
        match text.cell(span) {
            Cell::Null if self.target.nullable => {
                self.end(false);
                true
            }
            Cell::Null => {
                let error = self.target.null(text, span);
                self.refuse(row, faults, error)
            }
            Cell::Malformed(reason) => {
                let error = self.target.malformed(text, span, reason);
                self.refuse(row, faults, error)
            }
            Cell::Value { bytes, .. } => {
                self.push(&bytes, bytes.len());
                true
            }
        }
    }

    fn refuse(&mut self, row: usize, faults: &mut Faults, error: DecodeError) -> bool {
        let go_on = faults.refuse(row, self.target.nullable, error);
        if go_on {
            self.end(false);
        }
        go_on
    }

    /// Whether the values from number `first` on are UTF-8, each by itself.
    fn is_utf8(&self, first: usize) -> bool {
        let start = self.ends[first] as usize;
        let bytes = &self.bytes[start..];
        if bytes.is_ascii() {
            return true;
        }
        let continues = |end: &i32| bytes.get(*end as usize - start).is_some_and(|byte| byte & 0xc0 == 0x80);
        simdutf8::basic::from_utf8(bytes).is_ok() && !self.ends[first..].iter().any(continues)
    }

    /// Appends the same values as before once more, one by one, and refuses those that are not UTF-8.
    #[cold]
    fn append_checked(&mut self, text: &Text, spans: &[Span], faults: &mut Faults) {
        for (row, &span) in spans.iter().enumerate() {
            let wrong = match text.cell(span) {
                Cell::Value { bytes, quoted } => {
                    // With nothing but quotes taken off, the offset is that of the byte itself.
                    let raw = text.raw(span).len() == bytes.len() + 2 * usize::from(quoted);
                    let shift = |at| if raw { at + usize::from(quoted) } else { 0 };
                    simdutf8::compat::from_utf8(&bytes).err().map(|error| shift(error.valid_up_to()))
                }
                Cell::Null | Cell::Malformed(_) => None,
            };
            let go_on = match wrong {
                Some(shift) => {
                    let error = self.target.not_utf8(text, span, text.offset_of(span) + shift);
                    self.refuse(row, faults, error)
                }
                None => self.push_odd(text, span, row, faults),
            };
            if !go_on {
                return;
            }
        }
    }

    fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows + 1);
        self.bytes.truncate(self.ends[rows] as usize);
        self.validity.truncate(rows);
    }
}

impl Column for TextColumn {
    fn append(&mut self, text: &Text, spans: &[Span], faults: &mut Faults) {
        let before = self.ends.len() - 1;
        self.ends.reserve(spans.len());
        for (row, &span) in spans.iter().enumerate() {
            let (tail, len) = (text.tail(span), (span.end - span.start) as usize);
            if let Some((value, len)) = text.simple(tail, len) {
                self.push(value, len);
            } else if !self.push_odd(text, span, row, faults) {
                break;
            }
        }
        if self.strings != Strings::Binary && !self.is_utf8(before) {
            self.truncate(before);
            self.append_checked(text, spans, faults);
        }
    }

    fn finish(&mut self) -> ArrayRef {
        // Somewhat more than this time, so that a batch that is a little longer need not be moved.
        let expected = Vec::with_capacity(self.bytes.len() + self.bytes.len() / 8);
        let bytes = Buffer::from_vec(std::mem::replace(&mut self.bytes, expected));
        let mut expected = Vec::with_capacity(self.ends.len());
        expected.push(0);
        let ends = std::mem::replace(&mut self.ends, expected);
        let nulls = self.validity.finish();
        match self.strings {
            Strings::Utf8 => Arc::new(strings(ends, bytes, nulls)),
            Strings::Utf8View => Arc::new(StringViewArray::from(&strings(ends, bytes, nulls))),
            Strings::Binary => Arc::new(BinaryArray::new(OffsetBuffer::new(ends.into()), bytes, nulls)),
            Strings::LargeUtf8 => {
                let ends: ScalarBuffer<i64> = ends.into_iter().map(i64::from).collect();
                Arc::new(LargeStringArray::new(OffsetBuffer::new(ends), bytes, nulls))
            }
        }
    }

    fn clear(&mut self) {
        self.truncate(0);
    }
}

fn strings(ends: Vec<i32>, bytes: Buffer, nulls: Option<NullBuffer>) -> StringArray {
    StringArray::new(OffsetBuffer::new(ends.into()), bytes, nulls)
}
