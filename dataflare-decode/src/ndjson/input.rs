//! The bytes being decoded, read without a bounds check that the reader has to think of.

use super::fault::{Stop, quoted};
use super::scan::BLOCK;

/// A buffer of records and what separates them.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) bytes: &'a [u8],
    /// Whether a line may end inside a record: in an array, not in NDJSON.
    pub(super) multiline: bool,
}

impl<'a> Input<'a> {
    /// The byte at `at`; zero, which JSON allows nowhere, after the end.
    #[inline(always)]
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// The `N` bytes at `at`, where there are so many.
    #[inline(always)]
    pub(super) fn chunk<const N: usize>(&self, at: usize) -> Option<&'a [u8; N]> {
        self.bytes.get(at..)?.first_chunk()
    }

    /// The block at `at`, where there is a whole one.
    #[inline(always)]
    pub(super) fn block(&self, at: usize) -> Option<&'a [u8; BLOCK]> {
        self.chunk(at)
    }

    /// Eight bytes at `at`, the first lowest; zeros after the end.
    #[inline(always)]
    pub(super) fn word(&self, at: usize) -> u64 {
        match self.chunk(at) {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => self.last_word(at),
        }
    }

    #[cold]
    fn last_word(&self, at: usize) -> u64 {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let mut bytes = [0; 8];
        bytes[..rest.len()].copy_from_slice(rest);
        u64::from_le_bytes(bytes)
    }

    /// The position of the first byte from `at` on that is no white space.
    #[inline(always)]
    pub(super) fn space(&self, at: usize) -> usize {
        if self.byte(at) > b' ' { at } else { self.more_space(at) }
    }

    #[inline(never)]
    fn more_space(&self, mut at: usize) -> usize {
        loop {
            match self.byte(at) {
                b' ' | b'\t' | b'\r' => at += 1,
                b'\n' if self.multiline => at += 1,
                _ => return at,
            }
        }
    }

    /// The fault that `expected` does not stand at `at`.
    #[cold]
    pub(super) fn unexpected(&self, at: usize, expected: &str) -> Stop {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let message = match rest.first() {
            None => format!("the record ends where {expected} should follow"),
            Some(b'\n') if !self.multiline => format!("the line ends where {expected} should follow"),
            Some(b'N' | b'I') if expected == VALUE => not_a_value(rest),
            Some(b'-') if rest.get(1) == Some(&b'I') => not_a_value(rest),
            Some(_) => format!("expected {expected}, found `{}`", quoted(word_of(rest))),
        };
        Stop::at(at, message)
    }
}

/// What [`Input::unexpected`] calls a value.
pub(super) const VALUE: &str = "a value";

fn not_a_value(rest: &[u8]) -> String {
    format!(
        "`{}` is no JSON value; JSON has no literal for infinite or undefined numbers",
        quoted(word_of(rest))
    )
}

/// The bytes up to the next that would end a bare word; at least one.
fn word_of(rest: &[u8]) -> &[u8] {
    let end = rest.iter().skip(1).position(|b| b",]}:\"".contains(b) || b.is_ascii_whitespace());
    &rest[..end.map_or(rest.len(), |n| n + 1)]
}
