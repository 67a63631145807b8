//! How a CSV file is written.

use crate::DecodeError;

/// The bytes that give a CSV file its structure, and the values that stand for null.
///
/// A line feed ends a record; a carriage return right before it belongs to the line end. A line
/// without a byte between its ends is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// Stands between two fields.
    pub delimiter: u8,
    /// Encloses fields that hold delimiters or line ends; doubled within such a field it stands for
    /// itself. It opens a field only as its first byte; anywhere else in an unquoted field it is text.
    pub quote: Option<u8>,
    /// Takes the meaning from the byte after it: in quoted fields where there is a `quote`, in all
    /// fields where there is none. The same byte as `quote` means doubling, which is understood anyway.
    pub escape: Option<u8>,
    /// A record that starts with it is left out up to the end of its line.
    pub comment: Option<u8>,
    /// Unquoted values that mean null. Quoted they are text; in a column that is not text, where the
    /// quotes carry no meaning, they are null as well.
    pub null: Vec<String>,
    /// Whether quoted fields may hold line ends. Where they do not, a file can be cut at any line end
    /// without a look at the whole of it (see [`border_after`](super::border_after)).
    pub quoted_newlines: bool,
}

impl Default for Dialect {
    /// RFC 4180: commas, double quotes, and the empty unquoted field for null.
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: Some(b'"'),
            escape: None,
            comment: None,
            null: vec![String::new()],
            quoted_newlines: true,
        }
    }
}

impl Dialect {
    /// Refuses a byte that has two meanings, and quotes and escapes that numbers are written with.
    pub(super) fn check(&self) -> Result<(), DecodeError> {
        let delimiter = Some(self.delimiter);
        let taken = [
            ("delimiter", delimiter, "line end", [Some(b'\n'), Some(b'\r')]),
            ("quote", self.quote, "line end", [Some(b'\n'), Some(b'\r')]),
            ("escape", self.escape, "line end", [Some(b'\n'), Some(b'\r')]),
            ("comment", self.comment, "line end", [Some(b'\n'), Some(b'\r')]),
            ("quote", self.quote, "delimiter", [delimiter; 2]),
            ("escape", self.escape, "delimiter", [delimiter; 2]),
            ("comment", self.comment, "delimiter or quote", [delimiter, self.quote]),
        ];
        for (name, byte, other, bytes) in taken {
            if let Some(byte) = byte.filter(|_| bytes.contains(&byte)) {
                let byte = byte.escape_ascii();
                let message = format!("`{byte}` cannot be the {name}: it is the {other} already");
                return Err(DecodeError { offset: 0, message });
            }
        }
        for (name, byte) in [("quote", self.quote), ("escape", self.escape)] {
            if let Some(byte) = byte.filter(|byte| byte.is_ascii_alphanumeric() || b"+-.:".contains(byte)) {
                let message =
                    format!("`{}` cannot be the {name}: values are written with it", byte.escape_ascii());
                return Err(DecodeError { offset: 0, message });
            }
        }
        Ok(())
    }

    /// The escape byte, where it is more than another word for doubling the quote.
    pub(super) fn backslash(&self) -> Option<u8> {
        self.escape.filter(|_| self.escape != self.quote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_with_two_meanings_is_refused_by_name() {
        assert_eq!(Dialect::default().check(), Ok(()));
        let quote = Dialect { quote: Some(b','), ..Dialect::default() };
        assert_eq!(
            quote.check().expect_err("refused").message,
            "`,` cannot be the quote: it is the delimiter already"
        );
        let digit = Dialect { quote: Some(b'1'), ..Dialect::default() };
        assert_eq!(
            digit.check().expect_err("refused").message,
            "`1` cannot be the quote: values are written with it"
        );
        let delimiter = Dialect { delimiter: b'\n', ..Dialect::default() };
        assert!(delimiter.check().is_err());
    }

    #[test]
    fn an_escape_that_is_the_quote_only_means_doubling() {
        let doubled = Dialect { escape: Some(b'"'), ..Dialect::default() };
        assert_eq!((doubled.check(), doubled.backslash()), (Ok(()), None));
    }
}
