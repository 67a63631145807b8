//! Record borders: where a file may be cut.

use memchr::{memchr, memrchr};

use super::dialect::Dialect;
use super::scan::Scanner;

/// The length of the part of `buf` that ends at its last record border. `buf` starts at one.
pub fn complete(buf: &[u8], dialect: &Dialect) -> usize {
    let may_hide_line_ends = |byte: Option<u8>| byte.is_some_and(|byte| memchr(byte, buf).is_some());
    if !may_hide_line_ends(dialect.quote) && !may_hide_line_ends(dialect.escape) {
        return memrchr(b'\n', buf).map_or(0, |at| at + 1);
    }
    let mut end = 0;
    Scanner::new(dialect).scan(buf, &mut |at, borders| {
        if borders.records != 0 {
            end = at + 64 - borders.records.leading_zeros() as usize;
        }
    });
    end
}

/// The offset of the first record border after the start of `buf`, which may be anywhere in a file, so
/// that the file can be read from there on. `None` where `buf` has none, or where it cannot be told.
///
/// A line end is a record border unless it stands in quotes, and whether it does depends on all of the
/// file before it: both readings of a part can be well-formed. So the answer is given only where
/// [`Dialect::quoted_newlines`] rules that out (or nothing quotes and nothing escapes); for other files
/// [`Borders`] looks at all of it. Should a line end stand in quotes against that promise, the part
/// before the border ends in an open quote and fails to decode: rows are never made up.
pub fn border_after(buf: &[u8], dialect: &Dialect) -> Option<usize> {
    let hidden = match dialect.quote {
        Some(_) => dialect.quoted_newlines,
        None => dialect.escape.is_some(),
    };
    if hidden { None } else { memchr(b'\n', buf).map(|at| at + 1) }
}

/// Finds the record borders at which a file can be cut into parts, by one look at the whole of it.
///
/// `new` once -> `feed` with the file from its start to its end, in pieces of any size -> `finish`.
/// A look costs a small part of what decoding does, and has no limit on the length of a record.
#[derive(Debug)]
pub struct Borders {
    scanner: Scanner,
    /// Bytes seen.
    offset: u64,
    /// The offsets that still have no border, the next one last.
    wanted: Vec<u64>,
    found: Vec<u64>,
}

impl Borders {
    /// Looks for the first border at or after each of the `wanted` offsets. `start` is where the first
    /// record starts; what is fed starts there.
    pub fn new(dialect: &Dialect, start: u64, mut wanted: Vec<u64>) -> Self {
        wanted.sort_unstable_by(|a, b| b.cmp(a));
        Self { scanner: Scanner::new(dialect), offset: start, wanted, found: Vec::new() }
    }

    /// Looks at the next bytes of the file. Says whether it wants to see more.
    pub fn feed(&mut self, bytes: &[u8]) -> bool {
        let Self { scanner, offset, wanted, found } = self;
        scanner.scan(bytes, &mut |at, borders| {
            let block = *offset + at as u64;
            while let Some(&next) = wanted.last() {
                // A border is the offset behind its line end. A block without one that is wanted yet
                // is passed over, with everything else that this loop could look at.
                let from = next.saturating_sub(block + 1);
                let records = if from < 64 { borders.records >> from << from } else { 0 };
                if records == 0 {
                    return;
                }
                let border = block + u64::from(records.trailing_zeros()) + 1;
                wanted.pop();
                if found.last() != Some(&border) {
                    found.push(border);
                }
            }
        });
        self.offset += bytes.len() as u64;
        !self.wanted.is_empty()
    }

    /// The borders found, each once, in order. Offsets with no border after them have none; the end of
    /// the file is one only where a line ends there.
    pub fn finish(self) -> Vec<u64> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_quoted_line_end_is_no_border() {
        let dialect = Dialect::default();
        assert_eq!(complete(b"a,b\nc,d", &dialect), 4);
        assert_eq!(complete(b"a,b\n\"c\nd", &dialect), 4);
        assert_eq!(complete(b"a,b\n\"c\nd\"\n5\" x\n", &dialect), 15);
        assert_eq!(complete(b"", &dialect), 0);
        let unquoted = Dialect { quote: None, ..Dialect::default() };
        assert_eq!(complete(b"a,b\n\"c\nd", &unquoted), 7);
    }

    #[test]
    fn one_border_is_told_only_where_no_line_end_can_be_quoted() {
        let quoted = Dialect::default();
        assert_eq!(border_after(b"x,y\nz", &quoted), None);
        let plain = Dialect { quoted_newlines: false, ..Dialect::default() };
        assert_eq!(border_after(b"x,y\nz", &plain), Some(4));
        assert_eq!(border_after(b"x,y", &plain), None);
        let escaped = Dialect { quote: None, escape: Some(b'\\'), ..plain };
        assert_eq!(border_after(b"x,y\nz", &escaped), None);
    }

    #[test]
    fn a_border_right_at_the_offset_counts_and_none_is_named_twice() {
        let mut borders = Borders::new(&Dialect::default(), 10, vec![14, 11, 15, 99]);
        assert!(borders.feed(b"a,b\n\"c\nd\"\ne"));
        assert_eq!(borders.finish(), [14, 20]);
    }

    proptest! {
        #[test]
        fn borders_do_not_depend_on_the_pieces(
            text in "([ab,\"\n]|\"\"){0,300}",
            wanted in proptest::collection::vec(0u64..300, 0..6),
            piece in 1usize..100,
        ) {
            let dialect = Dialect::default();
            let mut borders = Borders::new(&dialect, 0, wanted.clone());
            text.as_bytes().chunks(piece).for_each(|piece| { borders.feed(piece); });

            let all: Vec<u64> = (1..=text.len())
                .filter(|&end| complete(&text.as_bytes()[..end], &dialect) == end)
                .map(|end| end as u64)
                .collect();
            let mut expected: Vec<u64> = wanted.iter().filter_map(|at| all.iter().find(|border| *border >= at)).copied().collect();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(borders.finish(), expected);
        }
    }
}
