//! The schema of a file, from its first records.

use std::ops::ControlFlow;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

use super::cell::{Cell, Rules, Text};
use super::dialect::Dialect;
use super::header::{data_start, header};
use super::index::{Index, Row};
use super::parse::{self, Dates};
use super::scan::Scanner;
use crate::DecodeError;

/// The schema of the first `rows_max` records of `buf`, which is the start of a file and ends at a record
/// border or the file's end. Without a header the columns are `column_1` and so on.
///
/// A column becomes the narrowest of Int64, Float64, Boolean, Date32 and Timestamp that holds all of its
/// values, else Utf8; a column with no value is Utf8. A number written with leading zeros or a plus is
/// text, as it is more likely a code; so is an integer that its column's float would round. Timestamps
/// with a zone become UTC, those without stay without, and a column with both is text; their unit is the
/// coarsest of milliseconds, microseconds and nanoseconds that loses nothing. All columns are nullable. Records with another number of fields than the
/// first are passed over here; decoding will deal with them.
pub fn infer(
    buf: &[u8],
    dialect: &Dialect,
    has_header: bool,
    rows_max: usize,
) -> Result<Schema, DecodeError> {
    dialect.check()?;
    let mut names = if has_header { header(buf, dialect)? } else { Vec::new() };
    let mut guesses = vec![Guess::Nothing; names.len()];
    let mut dates = Dates::default();
    let rules = Rules::new(dialect);

    each_record(buf, dialect, has_header, rows_max, &rules, |text, index, row| {
        if names.is_empty() {
            names = (1..=row.fields).map(|i| format!("column_{i}")).collect();
            guesses = vec![Guess::Nothing; names.len()];
        }
        if row.fields as usize != names.len() {
            return;
        }
        for (i, guess) in guesses.iter_mut().enumerate().filter(|(_, guess)| **guess != Guess::Text) {
            *guess = match text.cell(index.field(row, i)) {
                Cell::Null => *guess,
                Cell::Value { bytes, quoted: true } if bytes.is_empty() => *guess,
                Cell::Value { bytes, .. } => guess.and(Guess::of(&bytes, &mut dates)),
                Cell::Malformed(_) => Guess::Text,
            };
        }
    })?;
    let fields = names.into_iter().zip(guesses);
    Ok(Schema::new(fields.map(|(name, guess)| Field::new(name, guess.data_type(), true)).collect::<Vec<_>>()))
}

/// Calls `each` for up to `rows_max` records of data.
fn each_record(
    buf: &[u8],
    dialect: &Dialect,
    has_header: bool,
    rows_max: usize,
    rules: &Rules,
    mut each: impl FnMut(&Text, &Index, Row),
) -> Result<(), DecodeError> {
    let (mut scanner, mut index) = (Scanner::new(dialect), Index::default());
    let mut start = data_start(buf, dialect, has_header)?;
    let (mut rows, mut taken) = (Vec::new(), 0);
    let mut stretch = 64 << 10;
    while start < buf.len() && taken < rows_max {
        let end = buf.len().min(start + stretch);
        let bytes = &buf[start..end];
        let scanned = index.scan(&mut scanner, bytes, end == buf.len());
        rows.clear();
        index.rows(bytes, dialect.comment, |record| {
            rows.push(record.row);
            if taken + rows.len() < rows_max { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        taken += rows.len();
        let text = Text { bytes, offset: start, rules };
        rows.iter().for_each(|&row| each(&text, &index, row));
        if let Some(quote) = scanned.open_quote.filter(|_| taken < rows_max) {
            let message = "the quote that opens here is not closed before the end of the input".into();
            return Err(DecodeError { offset: start + quote, message });
        }
        if scanned.complete == 0 {
            stretch *= 2;
        }
        start += scanned.complete;
    }
    Ok(())
}

/// What the values of a column so far can all be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guess {
    Nothing,
    Boolean,
    Int {
        /// All of them are floats too, to the last digit.
        exact: bool,
    },
    Float,
    Calendar(Calendar),
    Text,
}

/// What dates and timestamps need of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Calendar {
    /// The digits behind the point of a second, in threes; `None` where all values are dates.
    digits: Option<usize>,
    utc: bool,
    /// Some lie too far from 1970 for nanoseconds.
    far: bool,
}

impl Guess {
    /// What one value can be.
    fn of(value: &[u8], dates: &mut Dates) -> Self {
        let len = value.len();
        match value {
            [] => Self::Text,
            b"NaN" | b"inf" | b"-inf" | b"Infinity" | b"-Infinity" => Self::Float,
            _ if value.eq_ignore_ascii_case(b"true") || value.eq_ignore_ascii_case(b"false") => Self::Boolean,
            [b'+', ..] => Self::Text,
            [b'0', b'0'..=b'9', ..] | [b'-', b'0', b'0'..=b'9', ..] => Self::calendar(value, dates),
            [b'0'..=b'9' | b'-' | b'.', ..] => match parse::integer(value, len) {
                Some(value) if i64::try_from(value).is_ok() => {
                    Self::Int { exact: value as f64 as i128 == value }
                }
                // A number of digits alone that fits no integer must not lose any as a float.
                Some(_) => Self::Text,
                None if value.iter().skip(1).all(u8::is_ascii_digit) => Self::Text,
                None if parse::float64(value, len).is_some_and(f64::is_finite) => Self::Float,
                None => Self::calendar(value, dates),
            },
            _ => Self::Text,
        }
    }

    fn calendar(value: &[u8], dates: &mut Dates) -> Self {
        let Some(instant) = parse::timestamp(dates, value, value.len()) else { return Self::Text };
        // A second more or less, so that any fraction fits.
        let seconds = i64::MIN / 1_000_000_000 + 1..i64::MAX / 1_000_000_000;
        Self::Calendar(Calendar {
            digits: (value.len() > 10).then(|| instant.fraction.next_multiple_of(3).max(3)),
            utc: instant.has_zone,
            far: !seconds.contains(&instant.seconds),
        })
        .possible()
    }

    /// What both this and the other can be.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, guess) | (guess, Self::Nothing) => guess,
            (Self::Int { exact: a }, Self::Int { exact: b }) => Self::Int { exact: a && b },
            (Self::Int { exact: true }, Self::Float) | (Self::Float, Self::Int { exact: true }) => {
                Self::Float
            }
            (Self::Calendar(a), Self::Calendar(b)) if a.utc == b.utc => {
                let digits = a.digits.max(b.digits);
                Self::Calendar(Calendar { digits, utc: a.utc, far: a.far || b.far }).possible()
            }
            _ if self == other => self,
            _ => Self::Text,
        }
    }

    /// Text, where no unit has both the digits and the years.
    fn possible(self) -> Self {
        match self {
            Self::Calendar(Calendar { digits: Some(9), far: true, .. }) => Self::Text,
            guess => guess,
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Nothing | Self::Text => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
            Self::Int { .. } => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Calendar(Calendar { digits: None, .. }) => DataType::Date32,
            Self::Calendar(Calendar { digits: Some(digits), utc, .. }) => {
                let unit = match digits {
                    3 => TimeUnit::Millisecond,
                    6 => TimeUnit::Microsecond,
                    _ => TimeUnit::Nanosecond,
                };
                DataType::Timestamp(unit, utc.then(|| "UTC".into()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(values: &[&str]) -> DataType {
        let text = format!(
            "x,y\n{}\n",
            values.iter().map(|value| format!("{value},")).collect::<Vec<_>>().join("\n")
        );
        let schema = infer(text.as_bytes(), &Dialect::default(), true, usize::MAX).expect("a schema");
        assert_eq!(schema.field(1).data_type(), &DataType::Utf8, "null alone is text");
        assert!(schema.fields().iter().all(|field| field.is_nullable()));
        schema.field(0).data_type().clone()
    }

    #[test]
    fn the_narrowest_type_that_holds_all_values() {
        let utc = |unit| DataType::Timestamp(unit, Some("UTC".into()));
        let naive = |unit| DataType::Timestamp(unit, None);
        for (values, expected) in [
            (&["1", "-2", "", "0"][..], DataType::Int64),
            (&["1", "2.5", "1e3"], DataType::Float64),
            (&["0.5", "NaN", "-0"], DataType::Float64),
            (&["true", "FALSE", ""], DataType::Boolean),
            (&["true", "1"], DataType::Utf8),
            (&["2024-02-29", "0001-01-01"], DataType::Date32),
            (&["2024-02-29", "2024-02-30"], DataType::Utf8),
            (&["2024-02-29", "2024-02-29 10:00:00"], naive(TimeUnit::Millisecond)),
            (&["2024-02-29T10:00:00Z", "2024-02-29T10:00:00.1234+02:00"], utc(TimeUnit::Microsecond)),
            (&["2024-02-29T10:00:00.1234567"], naive(TimeUnit::Nanosecond)),
            (&["2024-02-29T10:00:00Z", "2024-02-29T10:00:00"], DataType::Utf8),
            (&["1", "x"], DataType::Utf8),
            (&["\"1\"", "\"\"", "2"], DataType::Int64),
            (&["1 "], DataType::Utf8),
            (&["0.5", "9007199254740993"], DataType::Utf8),
            (&["0.5", "9007199254740992"], DataType::Float64),
            (&["9999-12-31", "2024-02-29 10:00:00.123456789"], DataType::Utf8),
            (&["9999-12-31", "2024-02-29 10:00:00.123456"], naive(TimeUnit::Microsecond)),
        ] {
            assert_eq!(types(values), expected, "{values:?}");
        }
    }

    #[test]
    fn codes_and_numbers_too_long_stay_text() {
        for value in [
            "007",
            "-01",
            "00.5",
            "+4917",
            "9223372036854775808",
            "123456789012345678901234",
            "1e400",
            "-",
            ".",
        ] {
            assert_eq!(types(&["1", value]), DataType::Utf8, "{value}");
        }
    }

    #[test]
    fn without_a_header_columns_are_numbered_and_odd_records_passed_over() {
        let schema = infer(b"1,a\n2\n3,4,5\n6,b", &Dialect::default(), false, 100).expect("a schema");
        let fields: Vec<_> = schema.fields().iter().map(|f| (f.name().as_str(), f.data_type())).collect();
        assert_eq!(fields, [("column_1", &DataType::Int64), ("column_2", &DataType::Utf8)]);
    }

    #[test]
    fn only_the_first_rows_are_looked_at() {
        let schema = infer(b"a\n1\n2\nx\n\"open", &Dialect::default(), true, 2).expect("a schema");
        assert_eq!(schema.field(0).data_type(), &DataType::Int64);
        let error = infer(b"a\n1\n\"open", &Dialect::default(), true, 9).expect_err("open");
        assert_eq!(error.offset, 4);
    }
}
