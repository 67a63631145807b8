//! Columns of values that are not text.

use arrow::array::ArrayRef;
use arrow::buffer::NullBuffer;

use super::super::cell::{Cell, Text};
use super::super::fault::{Faults, Target};
use super::super::index::Span;
use super::Column;
use super::bits::Validity;

/// How the values of a type are read and kept.
pub(super) trait Kind: Send + 'static {
    /// One value.
    type Value: Copy + Default + Send;

    /// The value that the first `len` bytes of `tail` spell.
    fn parse(&mut self, tail: &[u8], len: usize) -> Option<Self::Value>;

    /// The array of the values.
    fn array(&self, values: Vec<Self::Value>, nulls: Option<NullBuffer>) -> ArrayRef;
}

/// A column of values of one kind.
pub(super) struct TypedColumn<K: Kind> {
    target: Target,
    kind: K,
    values: Vec<K::Value>,
    validity: Validity,
}

impl<K: Kind> TypedColumn<K> {
    pub(super) fn boxed(target: Target, kind: K) -> Box<dyn Column> {
        Box::new(Self { target, kind, values: Vec::new(), validity: Validity::default() })
    }

    #[inline(always)]
    fn push(&mut self, value: Option<K::Value>) {
        self.values.push(value.unwrap_or_default());
        self.validity.push(value.is_some());
    }

    /// Appends the value of a field that is null, quoted, padded or wrong. Says whether to go on.
    #[cold]
    fn push_odd(&mut self, text: &Text, span: Span, row: usize, faults: &mut Faults) -> bool {
        let (bytes, quoted) = match text.cell(span) {
            Cell::Null => return self.push_null(text, span, row, faults),
            Cell::Malformed(reason) => {
                let error = self.target.malformed(text, span, reason);
                return self.refuse(row, faults, error);
            }
            Cell::Value { bytes, quoted } => (bytes, quoted),
        };
        if quoted && text.rules.is_null(&bytes) {
            return self.push_null(text, span, row, faults);
        }
        let value = bytes.trim_ascii();
        match self.kind.parse(value, value.len()) {
            Some(value) => {
                self.push(Some(value));
                true
            }
            None => {
                let error = self.target.mismatch(text, span);
                self.refuse(row, faults, error)
            }
        }
    }

    fn push_null(&mut self, text: &Text, span: Span, row: usize, faults: &mut Faults) -> bool {
        if !self.target.nullable {
            let error = self.target.null(text, span);
            return self.refuse(row, faults, error);
        }
        self.push(None);
        true
    }

    fn refuse(&mut self, row: usize, faults: &mut Faults, error: crate::DecodeError) -> bool {
        let go_on = faults.refuse(row, self.target.nullable, error);
        if go_on {
            self.push(None);
        }
        go_on
    }
}

impl<K: Kind> Column for TypedColumn<K> {
    fn append(&mut self, text: &Text, spans: &[Span], faults: &mut Faults) {
        self.values.reserve(spans.len());
        for (row, &span) in spans.iter().enumerate() {
            let (tail, len) = (text.tail(span), (span.end - span.start) as usize);
            let value = text.simple(tail, len).and_then(|(value, len)| self.kind.parse(value, len));
            if value.is_some() {
                self.push(value);
            } else if !self.push_odd(text, span, row, faults) {
                return;
            }
        }
    }

    fn finish(&mut self) -> ArrayRef {
        let expected = Vec::with_capacity(self.values.len());
        let values = std::mem::replace(&mut self.values, expected);
        self.kind.array(values, self.validity.finish())
    }

    fn clear(&mut self) {
        self.values.clear();
        self.validity.truncate(0);
    }
}
