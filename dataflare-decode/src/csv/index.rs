//! Where the records and fields of a stretch of bytes stand.

use std::ops::{ControlFlow, Range};

use super::scan::{Borders, Scanner};

/// The borders in one stretch of bytes; reused from stretch to stretch.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Where each field ends: the offset of its delimiter or line end. Only the first `used` count.
    ends: Vec<u32>,
    used: usize,
    /// For each record, the index in `ends` of its last field.
    records: Vec<u32>,
}

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// Where it starts.
    start: u32,
    /// The index in `ends` of its first field.
    first: u32,
    /// How many fields it has.
    pub(super) fields: u32,
}

/// A record, and where it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) row: Row,
    /// The record without its line end.
    pub(super) range: Range<usize>,
    /// Where the next one starts, or the text ends.
    pub(super) next: usize,
}

/// Where a field stands, quotes included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    /// The place of a field that its record is too short to have.
    pub(super) const MISSING: Self = Self { start: u32::MAX, end: u32::MAX };
}

/// How far the records of a stretch go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scanned {
    /// The bytes up to the last record border.
    pub(super) complete: usize,
    /// Where the quote stands that is open at the end of the input.
    pub(super) open_quote: Option<usize>,
}

impl Index {
    /// Gives back the memory that an unusually long record took.
    pub(super) fn shrink(&mut self) {
        const ENDS: usize = 1 << 20;
        if self.ends.len() > ENDS {
            self.ends = Vec::new();
        }
    }

    /// Finds the borders in `text`, which starts at a record border. Where `is_last`, the end of the
    /// text ends a record too.
    pub(super) fn scan(&mut self, scanner: &mut Scanner, text: &[u8], is_last: bool) -> Scanned {
        self.used = 0;
        self.records.clear();
        scanner.reset();
        scanner.scan(text, &mut |at, borders| self.push(at, borders));

        let complete = self.records.last().map_or(0, |&i| self.ends[i as usize] as usize + 1);
        if !is_last || complete == text.len() {
            return Scanned { complete, open_quote: None };
        }
        if scanner.in_quotes() {
            // Only the first byte of a field opens quotes.
            let field = self.ends[..self.used].last().map_or(0, |&end| end as usize + 1);
            return Scanned { complete, open_quote: Some(field) };
        }
        let offset = text.len() - text.len() % 64;
        self.push(offset, Borders { fields: 1 << (text.len() % 64), records: 1 << (text.len() % 64) });
        Scanned { complete: text.len(), open_quote: None }
    }

    /// Notes the borders of the block at `offset`.
    #[inline(always)]
    fn push(&mut self, offset: usize, borders: Borders) {
        const BLOCK: usize = 64;
        if self.ends.len() < self.used + BLOCK {
            self.ends.resize((self.used + BLOCK).max(self.ends.len() * 2), 0);
        }
        let Some(ends) = self.ends[self.used..].first_chunk_mut::<BLOCK>() else {
            unreachable!("the vector was grown to hold another block");
        };
        let offset = offset as u32;
        let count = borders.fields.count_ones() as usize;
        let mut fields = borders.fields;
        // Writing a few too many costs less than a branch for each.
        for eight in ends.as_chunks_mut::<8>().0 {
            for end in eight {
                *end = offset.wrapping_add(fields.trailing_zeros());
                fields &= fields.wrapping_sub(1);
            }
            if fields == 0 {
                break;
            }
        }
        let mut records = borders.records;
        while records != 0 {
            let up_to = records ^ (records - 1);
            self.records.push(self.used as u32 + (borders.fields & up_to).count_ones() - 1);
            records &= records - 1;
        }
        self.used += count;
    }

    /// Hands over the records in order until `each` breaks. Leaves
    /// out empty lines and comments, and takes the carriage return off the last fields.
    pub(super) fn rows(
        &mut self,
        text: &[u8],
        comment: Option<u8>,
        mut each: impl FnMut(Record) -> ControlFlow<()>,
    ) {
        let (mut start, mut first) = (0, 0);
        for &last in &self.records {
            let end = self.ends[last as usize];
            let row = Row { start, first, fields: last - first + 1 };
            let next = (end as usize + 1).min(text.len());
            let field = if last > first { self.ends[last as usize - 1] + 1 } else { start };
            if end > field && text[end as usize - 1] == b'\r' {
                self.ends[last as usize] = end - 1;
            }
            let range = start as usize..self.ends[last as usize] as usize;
            let is_empty = row.fields == 1 && range.is_empty();
            let is_comment = comment.is_some() && text.get(start as usize).copied() == comment;
            if !is_empty && !is_comment && each(Record { row, range, next }).is_break() {
                return;
            }
            (start, first) = (end + 1, last + 1);
        }
    }

    /// Where the record stands, without its line end.
    pub(super) fn range(&self, row: Row) -> Range<usize> {
        row.start as usize..self.ends[(row.first + row.fields) as usize - 1] as usize
    }

    /// Where field `i` of the record stands.
    pub(super) fn field(&self, row: Row, i: usize) -> Span {
        if i >= row.fields as usize {
            return Span::MISSING;
        }
        let at = row.first as usize + i;
        let start = if i == 0 { row.start } else { self.ends[at - 1] + 1 };
        Span { start, end: self.ends[at] }
    }

    /// Where field `i` of each of the records stands. Where a record may have too few fields, `ragged`
    /// is true.
    pub(super) fn column(&self, rows: &[Row], i: usize, ragged: bool, spans: &mut Vec<Span>) {
        spans.clear();
        let ends = &self.ends[..self.used];
        match i {
            _ if ragged => spans.extend(rows.iter().map(|&row| self.field(row, i))),
            0 => {
                spans.extend(rows.iter().map(|row| Span { start: row.start, end: ends[row.first as usize] }))
            }
            _ => spans.extend(rows.iter().map(|row| {
                let at = row.first as usize + i;
                match ends.get(at - 1..=at) {
                    Some([before, end]) => Span { start: before + 1, end: *end },
                    _ => Span::MISSING,
                }
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dialect::Dialect;
    use super::*;

    fn fields(dialect: &Dialect, text: &str) -> Vec<Vec<String>> {
        let mut index = Index::default();
        let scanned = index.scan(&mut Scanner::new(dialect), text.as_bytes(), true);
        assert_eq!(scanned, Scanned { complete: text.len(), open_quote: None });
        let mut rows = Vec::new();
        index.rows(text.as_bytes(), dialect.comment, |record| {
            rows.push(record.row);
            ControlFlow::Continue(())
        });
        let text_of = |span: Span| text[span.start as usize..span.end as usize].to_owned();
        rows.iter()
            .map(|&row| (0..row.fields as usize).map(|i| text_of(index.field(row, i))).collect())
            .collect()
    }

    #[test]
    fn line_ends_of_both_kinds_empty_lines_and_a_missing_last_one() {
        let rows = fields(&Dialect::default(), "a,b\r\n\r\n\n,\nc,\r\n\"x\ny\",z");
        assert_eq!(rows, [vec!["a", "b"], vec!["", ""], vec!["c", ""], vec!["\"x\ny\"", "z"]]);
    }

    #[test]
    fn comments_are_no_records_and_their_quotes_open_nothing() {
        let dialect = Dialect { comment: Some(b'#'), ..Dialect::default() };
        let rows = fields(&dialect, "# it's \"open\na,#b\n#,\nc,d\n#\"end");
        assert_eq!(rows, [vec!["a", "#b"], vec!["c", "d"]]);
    }

    #[test]
    fn a_line_of_a_thousand_empty_fields_has_them_all() {
        let rows = fields(&Dialect::default(), &",".repeat(999));
        assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [1000]);
    }

    #[test]
    fn an_open_quote_is_found_where_it_opens() {
        let text = b"a,b\nc,\"d,e\nf";
        let mut index = Index::default();
        let scanned = index.scan(&mut Scanner::new(&Dialect::default()), text, true);
        assert_eq!(scanned, Scanned { complete: 4, open_quote: Some(6) });
    }
}
