//! A schema from a sample of records.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};

use super::decoder::BOM;
use super::fault::quoted;
use super::input::Input;
use super::time::{self, Instant};
use super::{number, skip, text};
use crate::DecodeError;

/// The schema of the first `rows_max` lines of `buf`, each an object; the last may lack its line end.
///
/// | values | type |
/// |---|---|
/// | `true`, `false` | `Boolean` |
/// | integers | `Int64`; `UInt64` where they need it; text beyond |
/// | integers and numbers with fraction or exponent | `Float64` |
/// | strings, all RFC 3339 with an offset | `Timestamp` in UTC, of milliseconds or as fine as they need |
/// | strings, all the same without offset | `Timestamp` without zone |
/// | strings, all `2024-02-29` | `Date32` |
/// | objects | `Struct` |
/// | arrays | `List` |
/// | other strings, mixed kinds, nothing but null or `{}` | `Utf8`, which takes any value as JSON text |
///
/// Fields come in the order in which they were first seen; all are nullable. What was sampled decodes
/// without a mismatch.
///
/// # Errors
///
/// Where the sample is malformed or a record is no object.
pub fn infer(buf: &[u8], rows_max: usize) -> Result<Schema, DecodeError> {
    sample(Input { bytes: buf, multiline: false }, rows_max)
}

/// The schema of the first `rows_max` elements of an array, as [`infer`] has it for lines; `buf` is a
/// range that an [`ArraySplitter`](super::ArraySplitter) has found.
///
/// # Errors
///
/// As those of [`infer`].
pub fn infer_elements(buf: &[u8], rows_max: usize) -> Result<Schema, DecodeError> {
    sample(Input { bytes: buf, multiline: true }, rows_max)
}

fn sample(input: Input<'_>, rows_max: usize) -> Result<Schema, DecodeError> {
    let between = Input { multiline: true, ..input };
    let mut at = between.space(if input.bytes.starts_with(BOM) { BOM.len() } else { 0 });
    let mut records = Shapes::default();
    for _ in 0..rows_max {
        if at >= input.bytes.len() {
            break;
        }
        let end = skip::value(&input, at, 0)?;
        if input.byte(at) != b'{' {
            let found = quoted(&input.bytes[at..end]);
            return Err(DecodeError { offset: at, message: format!("expected an object, found `{found}`") });
        }
        records.see(&input, at);
        at = input.space(end);
        match input.byte(at) {
            b'\n' => at += 1,
            b',' if input.multiline => at += 1,
            _ if at >= input.bytes.len() => break,
            _ => return Err(input.unexpected(at, "the end of the record").into()),
        }
        at = between.space(at);
    }
    Ok(Schema::new(records.fields()))
}

/// What the values of one field have in common.
#[derive(Debug, Default)]
enum Shape {
    /// Nothing but null so far.
    #[default]
    Null,
    Boolean,
    Integer {
        min: i128,
        max: i128,
    },
    Float,
    Date,
    Instant(Instants),
    List(Box<Shape>),
    Struct(Shapes),
    /// Strings of any kind, or values of several kinds.
    Text,
}

#[derive(Debug, Clone, Copy)]
struct Instants {
    zoned: bool,
    /// The most digits of a fraction.
    fraction: usize,
    /// Whether 64 bits of nanoseconds are too few.
    far: bool,
}

/// The fields of objects, in the order in which they were first seen.
#[derive(Debug, Default)]
struct Shapes {
    fields: Vec<(String, Shape)>,
    places: HashMap<String, usize>,
}

impl Shapes {
    /// Takes in the object at `at`, which is valid; the position after it.
    fn see(&mut self, input: &Input<'_>, at: usize) -> usize {
        entries(input, at, |at| {
            let (name, end) = string(input, at);
            let colon = input.space(end);
            let place = *self.places.entry(name).or_insert_with_key(|name| {
                self.fields.push((name.clone(), Shape::default()));
                self.fields.len() - 1
            });
            self.fields[place].1.see(input, input.space(colon + 1))
        })
    }

    fn fields(self) -> Fields {
        self.fields.into_iter().map(|(name, shape)| Field::new(name, shape.data_type(), true)).collect()
    }
}

impl Shape {
    /// Takes in the value at `at`, which is valid; the position after it.
    fn see(&mut self, input: &Input<'_>, at: usize) -> usize {
        match (input.byte(at), &mut *self) {
            (b'{', Self::Struct(shapes)) => return shapes.see(input, at),
            (b'[', Self::List(items)) => return entries(input, at, |at| items.see(input, at)),
            (b'{', Self::Null) => {
                *self = Self::Struct(Shapes::default());
                return self.see(input, at);
            }
            (b'[', Self::Null) => {
                *self = Self::List(Box::default());
                return self.see(input, at);
            }
            _ => {}
        }
        let end = skip::value(input, at, 0).expect("the record was found valid");
        let seen = match input.byte(at) {
            b'n' => return end,
            b't' | b'f' => Self::Boolean,
            b'"' => Self::of_string(&string(input, at).0),
            byte if number::begins(byte) => Self::of_number(&input.bytes[at..end]),
            _ => Self::Text,
        };
        *self = std::mem::take(self).or(seen);
        end
    }

    fn of_number(text: &[u8]) -> Self {
        if text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
            let finite = fast_float2::parse::<f64, _>(text).is_ok_and(f64::is_finite);
            return if finite { Self::Float } else { Self::Text };
        }
        let value = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        value.map_or(Self::Text, |value| Self::Integer { min: value, max: value })
    }

    fn of_string(text: &str) -> Self {
        const NANOSECONDS_REACH: u64 = i64::MAX.unsigned_abs() / 1_000_000_000;
        if time::date(text.as_bytes()).is_some() {
            return Self::Date;
        }
        match Instant::parse(text.as_bytes()) {
            Some(Instant { seconds, fraction, zoned, .. }) => {
                Self::Instant(Instants { zoned, fraction, far: seconds.unsigned_abs() >= NANOSECONDS_REACH })
            }
            None => Self::Text,
        }
    }

    /// The shape of values some of which have this one and some the other.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Null, shape) => shape,
            (Self::Boolean, Self::Boolean) => Self::Boolean,
            (Self::Date, Self::Date) => Self::Date,
            (Self::Integer { min: a, max: b }, Self::Integer { min: c, max: d }) => {
                Self::Integer { min: a.min(c), max: b.max(d) }
            }
            (Self::Integer { .. } | Self::Float, Self::Integer { .. } | Self::Float) => Self::Float,
            (Self::Instant(a), Self::Instant(b)) if a.zoned == b.zoned => {
                Self::Instant(Instants { fraction: a.fraction.max(b.fraction), far: a.far || b.far, ..a })
            }
            _ => Self::Text,
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Integer { min, max } if i64::try_from(min).is_ok() && i64::try_from(max).is_ok() => {
                DataType::Int64
            }
            Self::Integer { min, max } if min >= 0 && u64::try_from(max).is_ok() => DataType::UInt64,
            Self::Float => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Instant(instants) => instants.data_type(),
            Self::List(items) => DataType::List(Arc::new(Field::new_list_field(items.data_type(), true))),
            Self::Struct(shapes) if !shapes.fields.is_empty() => DataType::Struct(shapes.fields()),
            Self::Null | Self::Integer { .. } | Self::Struct(_) | Self::Text => DataType::Utf8,
        }
    }
}

impl Instants {
    fn data_type(self) -> DataType {
        let unit = match self.fraction {
            0..=3 => TimeUnit::Millisecond,
            4..=6 => TimeUnit::Microsecond,
            _ if self.far => return DataType::Utf8,
            _ => TimeUnit::Nanosecond,
        };
        DataType::Timestamp(unit, self.zoned.then(|| "UTC".into()))
    }
}

/// What the string at `at`, which is valid, says, and the position after it.
fn string(input: &Input<'_>, at: usize) -> (String, usize) {
    let found = text::scan(input, at + 1).expect("the record was found valid");
    let mut said = Vec::new();
    text::unescape(&input.bytes[at + 1..found.end], &mut said);
    (String::from_utf8(said).expect("the record was found valid"), found.end + 1)
}

/// Calls `see` for each entry of the object or array at `at`, which is valid; the position after it.
fn entries(input: &Input<'_>, at: usize, mut see: impl FnMut(usize) -> usize) -> usize {
    let mut at = input.space(at + 1);
    while !matches!(input.byte(at), b'}' | b']') {
        at = input.space(see(at));
        if input.byte(at) == b',' {
            at = input.space(at + 1);
        }
    }
    at + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(lines: &str) -> String {
        let schema = infer(lines.as_bytes(), usize::MAX).unwrap();
        let fields = schema.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type()));
        fields.collect::<Vec<_>>().join("; ")
    }

    fn of_values(values: &[&str]) -> String {
        let lines: String = values.iter().map(|value| format!("{{\"v\":{value}}}\n")).collect();
        schema(&lines).split_off(2)
    }

    #[test]
    fn each_kind_of_value_has_its_type() {
        assert_eq!(of_values(&["null", "true", "false"]), "Boolean");
        assert_eq!(of_values(&["1", "-9223372036854775808"]), "Int64");
        assert_eq!(of_values(&["0", "18446744073709551615"]), "UInt64");
        assert_eq!(of_values(&["1", "2.5"]), "Float64");
        assert_eq!(of_values(&["1e3", "7"]), "Float64");
        assert_eq!(of_values(&[r#""2024-01-01""#]), "Date32");
        assert_eq!(of_values(&[r#""2024-01-01T00:00:00Z""#]), r#"Timestamp(ms, "UTC")"#);
        assert_eq!(of_values(&[r#""2024-01-01T00:00:00.123456+02:00""#, "null"]), r#"Timestamp(µs, "UTC")"#);
        assert_eq!(of_values(&[r#""2024-01-01T00:00:00.1234567Z""#]), r#"Timestamp(ns, "UTC")"#);
        assert_eq!(of_values(&[r#""2024-01-01T00:00:00.5""#]), "Timestamp(ms)");
        assert_eq!(of_values(&[r#""text""#]), "Utf8");
    }

    #[test]
    fn what_has_no_type_in_common_is_text() {
        for values in [
            &["null"][..],
            &["{}"],
            &["1", "true"],
            &["1", r#""1""#],
            &["-1", "18446744073709551615"],
            &["1", "123456789012345678901234567890"],
            &["1e999"],
            &[r#""2024-01-01""#, r#""2024-01-01T00:00:00Z""#],
            &[r#""2024-01-01T00:00:00""#, r#""2024-01-01T00:00:00Z""#],
            &[r#""9999-01-01T00:00:00.1234567Z""#],
            &["[1]", "1"],
            &["1", "{\"a\":1}"],
        ] {
            assert_eq!(of_values(values), "Utf8", "{values:?}");
        }
    }

    #[test]
    fn fields_come_in_order_of_appearance_and_nested_ones_are_merged() {
        let lines = "\u{feff}{\"z\":1,\"a\":{\"x\":[1,null],\"x\":[2.5]}}\r\n\n{\"b\":[],\"a\":{\"y\":true,\"x\":[]},\"z\":null}";
        let expected = r#"z Int64; a Struct("x": List(Float64), "y": Boolean); b List(Utf8)"#;
        assert_eq!(schema(lines), expected);
    }

    #[test]
    fn the_sample_ends_at_the_rows_asked_for_and_errors_have_an_offset() {
        assert_eq!(infer(b"{\"a\":1}\n{nonsense", 1).unwrap().fields().len(), 1);
        let offset = |lines: &str| infer(lines.as_bytes(), 10).unwrap_err().offset;
        assert_eq!(offset("{\"a\":1}\n{\"a\":NaN}"), 13);
        assert_eq!(offset("{\"a\":1}\n[1]"), 8);
        assert_eq!(offset("{\"a\":1} {}"), 8);
        assert_eq!(infer_elements(b"{\"a\":1},\n{\"b\":\n1}", 9).unwrap().fields().len(), 2);
    }
}
