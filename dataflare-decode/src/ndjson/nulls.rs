//! Bits that grow one row at a time: validity, and the values of boolean columns.

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};

/// A bitmap.
#[derive(Debug, Default)]
pub(super) struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    #[inline]
    pub(super) fn push(&mut self, bit: bool) {
        let place = self.len % 64;
        if place == 0 {
            self.words.push(0);
        }
        if let Some(word) = self.words.last_mut() {
            *word |= u64::from(bit) << place;
        }
        self.len += 1;
    }

    /// Bits of one, `len` of them.
    fn ones(len: usize) -> Self {
        let mut bits = Self { words: vec![u64::MAX; len.div_ceil(64)], len };
        bits.truncate(len);
        bits
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.len = len;
        self.words.truncate(len.div_ceil(64));
        let place = len % 64;
        if let Some(word) = self.words.last_mut().filter(|_| place > 0) {
            *word &= (1 << place) - 1;
        }
    }

    /// The bits so far; starts anew.
    pub(super) fn take(&mut self) -> BooleanBuffer {
        let bits = std::mem::take(self);
        BooleanBuffer::new(Buffer::from_vec(bits.words), 0, bits.len)
    }
}

/// Which rows of a column have a value; costs next to nothing while all have one.
#[derive(Debug, Default)]
pub(super) struct Nulls(Option<Bits>);

impl Nulls {
    /// The next row has a value.
    #[inline(always)]
    pub(super) fn push_valid(&mut self) {
        if let Some(bits) = &mut self.0 {
            bits.push(true);
        }
    }

    /// Row `row`, the next, has none.
    #[inline]
    pub(super) fn push_null(&mut self, row: usize) {
        self.0.get_or_insert_with(|| Bits::ones(row)).push(false);
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        if let Some(bits) = &mut self.0 {
            bits.truncate(rows);
        }
    }

    /// The rows so far; starts anew.
    pub(super) fn take(&mut self) -> Option<NullBuffer> {
        self.0.take().map(|mut bits| NullBuffer::new(bits.take()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_remember_rows_across_words_and_truncation() {
        for first_null in [0, 1, 63, 64, 65, 130] {
            let mut nulls = Nulls::default();
            for _ in 0..first_null {
                nulls.push_valid();
            }
            nulls.push_null(first_null);
            for _ in 0..70 {
                nulls.push_valid();
            }
            nulls.truncate(first_null + 2);
            nulls.push_null(first_null + 2);
            let rows: Vec<bool> = nulls.take().unwrap().iter().collect();
            let expected: Vec<bool> =
                (0..first_null + 3).map(|n| n != first_null && n != first_null + 2).collect();
            assert_eq!(rows, expected);
        }
        assert!(Nulls::default().take().is_none());
    }
}
