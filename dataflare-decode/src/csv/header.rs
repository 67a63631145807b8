//! The names of the fields.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::cell::{Cell, Rules, Text};
use super::dialect::Dialect;
use super::fault::excerpt;
use super::index::{Index, Record};
use super::scan::Scanner;
use crate::DecodeError;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The names of the fields, from the first record of `buf`, which is the start of a file and holds that
/// record whole. A field without a name gets one by its place: `column_1`. A name that comes twice is
/// an error.
pub fn header(buf: &[u8], dialect: &Dialect) -> Result<Vec<String>, DecodeError> {
    dialect.check()?;
    let mark = mark_bytes(buf);
    let bytes = &buf[mark..];
    let mut index = Index::default();
    let Some(record) = first_record(&mut index, bytes, dialect)? else {
        return Err(DecodeError { offset: mark, message: "there is no header: the input is empty".into() });
    };
    let rules = Rules::new(dialect);
    let text = Text { bytes, offset: mark, rules: &rules };
    let mut places = HashMap::new();
    let mut names = Vec::with_capacity(record.row.fields as usize);
    for i in 0..record.row.fields as usize {
        let span = index.field(record.row, i);
        let fail = |message| Err(DecodeError { offset: text.offset_of(span), message });
        let name = match text.cell(span) {
            Cell::Null => Vec::new(),
            Cell::Value { bytes, .. } => bytes.into_owned(),
            Cell::Malformed(reason) => {
                let name = excerpt(text.raw(span));
                return fail(format!("column {} of the header, `{name}`, is no field: {reason}", i + 1));
            }
        };
        let name = match String::from_utf8(name) {
            Ok(name) if name.is_empty() => format!("column_{}", i + 1),
            Ok(name) => name,
            Err(error) => {
                let name = excerpt(error.as_bytes());
                return fail(format!("column {} of the header, `{name}`, is not valid UTF-8", i + 1));
            }
        };
        if let Some(first) = places.insert(name.clone(), i + 1) {
            let name = excerpt(name.as_bytes());
            return fail(format!("the header names `{name}` twice: columns {first} and {}", i + 1));
        }
        names.push(name);
    }
    Ok(names)
}

/// Where the records of data start in `buf`, which is the start of a file: behind the byte order mark
/// and the header, where it has them.
pub fn data_start(buf: &[u8], dialect: &Dialect, has_header: bool) -> Result<usize, DecodeError> {
    let mark = mark_bytes(buf);
    if !has_header {
        return Ok(mark);
    }
    let record = first_record(&mut Index::default(), &buf[mark..], dialect)?;
    Ok(record.map_or(buf.len(), |record| mark + record.next))
}

fn mark_bytes(buf: &[u8]) -> usize {
    if buf.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
}

/// The first record of `bytes`, which the index then knows; `None` where there are only empty lines
/// and comments.
fn first_record(index: &mut Index, bytes: &[u8], dialect: &Dialect) -> Result<Option<Record>, DecodeError> {
    let mut scanner = Scanner::new(dialect);
    let mut len = 4 << 10;
    loop {
        let is_last = len >= bytes.len();
        let text = &bytes[..len.min(bytes.len())];
        let scanned = index.scan(&mut scanner, text, is_last);
        let mut first = None;
        index.rows(text, dialect.comment, |record| {
            first = Some(record);
            ControlFlow::Break(())
        });
        match scanned.open_quote {
            _ if first.is_some() => return Ok(first),
            Some(quote) => {
                let message = "the quote that opens here is not closed before the end of the input".into();
                return Err(DecodeError { offset: bytes.len().min(quote), message });
            }
            None if is_last => return Ok(None),
            None => len *= 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<Vec<String>, DecodeError> {
        header(text.as_bytes(), &Dialect::default())
    }

    #[test]
    fn a_byte_order_mark_and_quotes_are_no_part_of_a_name() {
        let text = "\u{feff}\r\n\"a,\"\"b\",,c d\r\n1,2,3";
        assert_eq!(names(text), Ok(vec!["a,\"b".into(), "column_2".into(), "c d".into()]));
        let start = data_start(text.as_bytes(), &Dialect::default(), true).expect("a header");
        assert_eq!(&text[start..], "1,2,3");
        assert_eq!(data_start(text.as_bytes(), &Dialect::default(), false), Ok(3));
    }

    #[test]
    fn a_name_that_comes_twice_is_named_with_both_places() {
        let error = names("id,name,id\n").expect_err("refused");
        assert_eq!(error.message, "the header names `id` twice: columns 1 and 3");
        assert_eq!(error.offset, 8);
        let error = names("column_2,\n").expect_err("refused");
        assert_eq!(error.message, "the header names `column_2` twice: columns 1 and 2");
    }

    #[test]
    fn no_header_an_open_quote_and_wrong_bytes_are_errors() {
        assert_eq!(names("\n\n").expect_err("empty").offset, 0);
        assert_eq!(names("a,\"b\n").expect_err("open").offset, 2);
        let error = header(b"a,b\xff\n", &Dialect::default()).expect_err("no UTF-8");
        assert_eq!(
            (error.offset, &*error.message),
            (2, "column 2 of the header, `b\u{fffd}`, is not valid UTF-8")
        );
    }

    #[test]
    fn a_name_of_64_kib_is_a_name() {
        let long = "n".repeat(64 << 10);
        assert_eq!(names(&format!("a,{long}\n1,2\n")), Ok(vec!["a".into(), long]));
    }
}
