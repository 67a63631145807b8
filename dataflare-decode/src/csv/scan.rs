//! Finds the field and record borders, 64 bytes at a time.
//!
//! Nearly all blocks are *regular*: every quote opens a field at its start, closes one, or is one of
//! a pair. In those, being inside quotes is the parity of the quotes so far, which takes a few
//! instructions for 64 bytes (Langdale and Lemire, "Parsing gigabytes of JSON per second", 2019).
//! A block with anything else (a quote in the middle of an unquoted field, an escape, a comment)
//! goes byte by byte through the state machine that defines the format.

use super::dialect::Dialect;
use super::lanes::{Block, equal};

/// Where the scanner stands between two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// At the first byte of a record.
    RecordStart,
    /// At the first byte of a field that is not the first of its record.
    FieldStart,
    /// In an unquoted field, or behind text that followed a closing quote.
    Plain,
    /// After an escape byte in an unquoted field.
    PlainEscape,
    /// Between quotes.
    Quoted,
    /// After an escape byte between quotes.
    QuotedEscape,
    /// After a quote that closed a field, or that is the first half of a doubled one.
    Closed,
    /// In a line that is left out.
    Comment,
}

/// The borders in a block of at most 64 bytes; bit `i` stands for byte `i`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Borders {
    /// Delimiters and line ends outside quotes.
    pub(super) fields: u64,
    /// Line ends outside quotes.
    pub(super) records: u64,
}

/// Walks over the bytes of a file; carries its state from one call to the next.
#[derive(Debug, Clone)]
pub(super) struct Scanner {
    delimiter: u8,
    quote: Option<u8>,
    escape: Option<u8>,
    comment: Option<u8>,
    state: State,
}

impl Scanner {
    /// A scanner that stands at a record border.
    pub(super) fn new(dialect: &Dialect) -> Self {
        Self {
            delimiter: dialect.delimiter,
            quote: dialect.quote,
            escape: dialect.backslash(),
            comment: dialect.comment,
            state: State::RecordStart,
        }
    }

    /// Goes back to a record border.
    pub(super) fn reset(&mut self) {
        self.state = State::RecordStart;
    }

    /// Whether a quoted field is open.
    pub(super) fn in_quotes(&self) -> bool {
        matches!(self.state, State::Quoted | State::QuotedEscape)
    }

    /// Gives `sink` the offset and the borders of each block of `bytes`, in order.
    pub(super) fn scan(&mut self, bytes: &[u8], sink: &mut impl FnMut(usize, Borders)) {
        let (blocks, rest) = bytes.as_chunks::<64>();
        for (i, block) in blocks.iter().enumerate() {
            let borders = match self.regular(block) {
                Some(borders) => borders,
                None => self.stepwise(block),
            };
            sink(i * 64, borders);
        }
        if !rest.is_empty() {
            let borders = self.stepwise(rest);
            sink(blocks.len() * 64, borders);
        }
    }

    /// The borders of a regular block; `None`, with the state unchanged, for any other.
    #[inline(always)]
    fn regular(&mut self, block: &Block) -> Option<Borders> {
        if matches!(self.state, State::Comment | State::QuotedEscape | State::PlainEscape) {
            return None;
        }
        let newlines = equal(block, b'\n');
        let separators = equal(block, self.delimiter) | newlines;
        let quotes = self.quote.map_or(0, |quote| equal(block, quote));
        // From each opening quote up to the byte before the closing one.
        let open_before = if self.state == State::Quoted { u64::MAX } else { 0 };
        let quoted = if quotes == 0 { open_before } else { prefix_xor(quotes) ^ open_before };
        let borders = Borders { fields: separators & !quoted, records: newlines & !quoted };

        if quotes != 0 {
            let at_start = matches!(self.state, State::RecordStart | State::FieldStart | State::Closed);
            let may_open = ((borders.fields | quotes) << 1) | u64::from(at_start);
            if quotes & quoted & !may_open != 0 {
                return None;
            }
        }
        if let Some(escape) = self.escape {
            let matter = if self.quote.is_some() { quoted } else { u64::MAX };
            if equal(block, escape) & matter != 0 {
                return None;
            }
        }
        if let Some(comment) = self.comment {
            let starts = (borders.records << 1) | u64::from(self.state == State::RecordStart);
            if equal(block, comment) & starts != 0 {
                return None;
            }
        }

        const LAST: u64 = 1 << 63;
        self.state = if quoted & LAST != 0 {
            State::Quoted
        } else if borders.records & LAST != 0 {
            State::RecordStart
        } else if borders.fields & LAST != 0 {
            State::FieldStart
        } else if quotes & LAST != 0 {
            State::Closed
        } else {
            State::Plain
        };
        Some(borders)
    }

    /// The borders of any block of at most 64 bytes.
    #[cold]
    fn stepwise(&mut self, bytes: &[u8]) -> Borders {
        let mut borders = Borders::default();
        for (i, &byte) in bytes.iter().enumerate() {
            self.state = self.step(byte);
            match self.state {
                State::RecordStart => {
                    borders.records |= 1 << i;
                    borders.fields |= 1 << i;
                }
                State::FieldStart => borders.fields |= 1 << i,
                _ => {}
            }
        }
        borders
    }

    /// The state after `byte`. This is the definition of the format.
    fn step(&self, byte: u8) -> State {
        let is = |special: Option<u8>| special == Some(byte);
        match self.state {
            State::Quoted if is(self.quote) => State::Closed,
            State::Quoted if is(self.escape) => State::QuotedEscape,
            State::Quoted | State::QuotedEscape => State::Quoted,
            State::PlainEscape => State::Plain,
            _ if byte == b'\n' => State::RecordStart,
            State::Comment => State::Comment,
            _ if byte == self.delimiter => State::FieldStart,
            State::RecordStart if is(self.comment) => State::Comment,
            State::RecordStart | State::FieldStart | State::Closed if is(self.quote) => State::Quoted,
            _ if is(self.escape) && self.quote.is_none() => State::PlainEscape,
            _ => State::Plain,
        }
    }
}

/// Bit `i` of the result is the parity of the bits up to and including `i`.
#[inline(always)]
fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stepwise(scanner: &mut Scanner, bytes: &[u8]) -> Vec<(usize, Borders)> {
        bytes.chunks(64).enumerate().map(|(i, block)| (i * 64, scanner.stepwise(block))).collect()
    }

    fn dialects() -> impl Strategy<Value = Dialect> {
        let quote = prop_oneof![Just(None), Just(Some(b'"'))];
        let escape = prop_oneof![Just(None), Just(Some(b'\\'))];
        let comment = prop_oneof![Just(None), Just(Some(b'#'))];
        (quote, escape, comment).prop_map(|(quote, escape, comment)| Dialect {
            quote,
            escape,
            comment,
            ..Dialect::default()
        })
    }

    proptest! {
        #[test]
        fn blocks_find_what_the_state_machine_finds(
            dialect in dialects(),
            text in proptest::collection::vec(prop_oneof![6 => Just(b'x'), 2 => Just(b','), 2 => Just(b'"'),
                1 => Just(b'\n'), 1 => Just(b'\\'), 1 => Just(b'#')], 0..400),
            cut in 0usize..400,
        ) {
            let (head, tail) = text.split_at(cut.min(text.len()));
            let (mut fast, mut slow) = (Scanner::new(&dialect), Scanner::new(&dialect));
            for part in [head, tail] {
                let mut found = Vec::new();
                fast.scan(part, &mut |at, borders| found.push((at, borders)));
                prop_assert_eq!(found, stepwise(&mut slow, part));
                prop_assert_eq!(fast.state, slow.state);
            }
        }
    }

    #[test]
    fn well_formed_quotes_never_leave_the_fast_path() {
        let text = "1,\"a\"\"b\",\"\",\"\"\"\",\"x\ny\"\n".repeat(64);
        let mut scanner = Scanner::new(&Dialect::default());
        for block in text.as_bytes().as_chunks::<64>().0 {
            let mut reference = scanner.clone();
            let borders = scanner.regular(block);
            assert_eq!(borders, Some(reference.stepwise(block)));
        }
    }
}
