//! What a field holds: null, a value without its quotes, or something malformed.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::dialect::Dialect;
use super::index::Span;
use super::lanes::equal;

/// The dialect as the columns need it.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    quote: Option<u8>,
    escape: Option<u8>,
    /// The values other than the empty one that mean null.
    nulls: Vec<Box<[u8]>>,
    empty_is_null: bool,
}

impl Rules {
    pub(super) fn new(dialect: &Dialect) -> Self {
        let nulls = dialect.null.iter().filter(|null| !null.is_empty());
        Self {
            quote: dialect.quote,
            escape: dialect.backslash(),
            nulls: nulls.map(|null| null.as_bytes().into()).collect(),
            empty_is_null: dialect.null.iter().any(String::is_empty),
        }
    }

    /// Whether the value means null.
    pub(super) fn is_null(&self, value: &[u8]) -> bool {
        if value.is_empty() { self.empty_is_null } else { self.nulls.iter().any(|null| **null == *value) }
    }
}

/// Bytes of a file, and how to read their fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) bytes: &'a [u8],
    /// Where the bytes stand in the buffer that the caller knows.
    pub(super) offset: usize,
    pub(super) rules: &'a Rules,
}

/// What a field holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    /// Nothing.
    Null,
    /// A value, without its quotes and escapes.
    Value { bytes: Cow<'a, [u8]>, quoted: bool },
    /// Something that is no field; says why.
    Malformed(&'static str),
}

impl<'a> Text<'a> {
    /// The bytes from the start of the field to the end of the text.
    #[inline(always)]
    pub(super) fn tail(&self, span: Span) -> &'a [u8] {
        self.bytes.get(span.start as usize..).unwrap_or_default()
    }

    /// The bytes of the field, quotes included.
    pub(super) fn raw(&self, span: Span) -> &'a [u8] {
        self.bytes.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// The value of the field that is the first `len` bytes of `tail`, as the text from its first byte on
    /// and its length. `None` for a field that is not simple: null, or with anything to take out but a
    /// pair of quotes around it.
    #[inline(always)]
    pub(super) fn simple(&self, tail: &'a [u8], len: usize) -> Option<(&'a [u8], usize)> {
        let first = *tail.get(..len)?.first()?;
        let (value, value_len) = if Some(first) == self.rules.quote {
            let inner_len = len.checked_sub(2).filter(|_| tail[len - 1] == first)?;
            if has(first, &tail[1..], inner_len) {
                return None;
            }
            (&tail[1..], inner_len)
        } else {
            (tail, len)
        };
        if let Some(escape) = self.rules.escape
            && has(escape, value, value_len)
        {
            return None;
        }
        if !self.rules.nulls.is_empty() && self.rules.is_null(&value[..value_len]) {
            return None;
        }
        Some((value, value_len))
    }

    /// Where the field stands in the buffer that the caller knows.
    pub(super) fn offset_of(&self, span: Span) -> usize {
        self.offset + (span.start as usize).min(self.bytes.len())
    }

    /// What the field holds.
    pub(super) fn cell(&self, span: Span) -> Cell<'a> {
        if span == Span::MISSING {
            return Cell::Null;
        }
        let raw = self.raw(span);
        let Rules { quote, escape, .. } = self.rules;
        match (raw, quote) {
            ([first, inner @ ..], Some(quote)) if first == quote => match unquote(inner, *quote, *escape) {
                Ok(bytes) => Cell::Value { bytes, quoted: true },
                Err(reason) => Cell::Malformed(reason),
            },
            _ if self.rules.is_null(raw) => Cell::Null,
            (_, None) => Cell::Value { bytes: unescape(raw, *escape), quoted: false },
            _ => Cell::Value { bytes: raw.into(), quoted: false },
        }
    }
}

/// Whether `byte` is among the first `len` bytes of `tail`.
#[inline(always)]
fn has(byte: u8, tail: &[u8], len: usize) -> bool {
    match tail.first_chunk::<64>() {
        Some(block) if len < 64 => equal(block, byte) & ((1 << len) - 1) != 0,
        _ => memchr(byte, &tail[..len]).is_some(),
    }
}

/// The value of a field from behind its opening quote.
fn unquote(inner: &[u8], quote: u8, escape: Option<u8>) -> Result<Cow<'_, [u8]>, &'static str> {
    let find = |bytes| match escape {
        Some(escape) => memchr2(quote, escape, bytes),
        None => memchr(quote, bytes),
    };
    const OPEN: &str = "the closing quote is missing";
    let at = find(inner).ok_or(OPEN)?;
    if at + 1 == inner.len() && inner[at] == quote {
        return Ok(inner[..at].into());
    }
    let (mut value, mut rest) = (Vec::with_capacity(inner.len()), inner);
    loop {
        let at = find(rest).ok_or(OPEN)?;
        value.extend_from_slice(&rest[..at]);
        rest = match (rest[at], &rest[at + 1..]) {
            (byte, []) if byte == quote => return Ok(value.into()),
            (byte, [next, after @ ..]) if byte != quote || *next == quote => {
                value.push(*next);
                after
            }
            (byte, _) if byte == quote => return Err("text follows its closing quote"),
            _ => return Err(OPEN),
        };
    }
}

/// The value of an unquoted field whose escapes count.
fn unescape(raw: &[u8], escape: Option<u8>) -> Cow<'_, [u8]> {
    let Some(escape) = escape.filter(|&escape| memchr(escape, raw).is_some()) else {
        return raw.into();
    };
    let mut value = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter();
    while let Some(&byte) = bytes.next() {
        if byte != escape {
            value.push(byte);
        } else if let Some(&escaped) = bytes.next() {
            value.push(escaped);
        }
    }
    value.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(dialect: &Dialect, field: &str) -> Result<Option<String>, &'static str> {
        let rules = Rules::new(dialect);
        let text = Text { bytes: field.as_bytes(), offset: 0, rules: &rules };
        match text.cell(Span { start: 0, end: field.len() as u32 }) {
            Cell::Null => Ok(None),
            Cell::Value { bytes, .. } => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Cell::Malformed(reason) => Err(reason),
        }
    }

    #[test]
    fn quotes_and_escapes_are_taken_off() {
        let dialect = Dialect { escape: Some(b'\\'), ..Dialect::default() };
        for (field, value) in [
            ("", None),
            (r#""""#, Some("")),
            (r#""a""b""#, Some(r#"a"b"#)),
            (r#""""""""#, Some(r#""""#)),
            (r#""a\"b\\""#, Some(r#"a"b\"#)),
            (r"C:\dir", Some(r"C:\dir")),
            (r#"5" pipe"#, Some(r#"5" pipe"#)),
        ] {
            assert_eq!(cell(&dialect, field), Ok(value.map(str::to_owned)), "{field}");
        }
        assert_eq!(cell(&dialect, r#""a"b"#), Err("text follows its closing quote"));
        assert_eq!(cell(&dialect, r#""a\""#), Err("the closing quote is missing"));
    }

    #[test]
    fn without_quotes_escapes_count_everywhere_and_null_is_compared_as_written() {
        let null = vec![r"\N".to_owned()];
        let dialect = Dialect { quote: None, escape: Some(b'\\'), null, ..Dialect::default() };
        assert_eq!(cell(&dialect, r"a\,b\\"), Ok(Some(r"a,b\".to_owned())));
        assert_eq!(cell(&dialect, r"\N"), Ok(None));
        assert_eq!(cell(&dialect, ""), Ok(Some(String::new())));
    }

    #[test]
    fn a_quoted_null_word_is_a_value() {
        let null = vec!["NULL".to_owned(), String::new()];
        let dialect = Dialect { null, ..Dialect::default() };
        assert_eq!(cell(&dialect, "NULL"), Ok(None));
        assert_eq!(cell(&dialect, "\"NULL\""), Ok(Some("NULL".to_owned())));
    }
}
