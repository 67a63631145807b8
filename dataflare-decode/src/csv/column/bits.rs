//! Which values of a column are there.

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};

/// A validity bitmap under construction.
#[derive(Debug, Default)]
pub(super) struct Validity {
    /// The full words.
    words: Vec<u64>,
    /// The bits that do not fill a word yet, the first one lowest.
    last: u64,
    len: usize,
    nulls: usize,
}

impl Validity {
    /// Appends one bit.
    #[inline(always)]
    pub(super) fn push(&mut self, valid: bool) {
        self.last |= u64::from(valid) << (self.len % 64);
        self.nulls += usize::from(!valid);
        self.len += 1;
        if self.len.is_multiple_of(64) {
            self.words.push(std::mem::take(&mut self.last));
        }
    }

    /// The bitmap, or `None` where no value is null; empty afterwards.
    pub(super) fn finish(&mut self) -> Option<NullBuffer> {
        let Self { mut words, last, len, nulls } = std::mem::take(self);
        if nulls == 0 {
            words.clear();
            self.words = words;
            return None;
        }
        self.words = Vec::with_capacity(words.len() + 1);
        words.push(last);
        // Arrow's bitmaps are bytes, the first bit lowest: little-endian words.
        words.iter_mut().for_each(|word| *word = word.to_le());
        Some(NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(words), 0, len)))
    }

    /// Shortens the bitmap to `len` bits.
    pub(super) fn truncate(&mut self, len: usize) {
        let bits: Vec<bool> = (0..len).map(|i| self.get(i)).collect();
        self.words.clear();
        (self.last, self.len, self.nulls) = (0, 0, 0);
        bits.into_iter().for_each(|bit| self.push(bit));
    }

    fn get(&self, i: usize) -> bool {
        let word = self.words.get(i / 64).copied().unwrap_or(self.last);
        word >> (i % 64) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_back_across_words_and_after_truncation() {
        let mut validity = Validity::default();
        let bits: Vec<bool> = (0..200).map(|i| i % 3 != 0).collect();
        bits.iter().for_each(|&bit| validity.push(bit));
        validity.truncate(130);
        validity.push(false);
        let nulls = validity.finish().expect("there are nulls");
        let expected: Vec<bool> = bits[..130].iter().copied().chain([false]).collect();
        assert_eq!(nulls.iter().collect::<Vec<_>>(), expected);

        (0..70).for_each(|_| validity.push(true));
        assert_eq!(validity.finish(), None);
    }
}
