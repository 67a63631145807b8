//! Columns of made-up values.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, StringBuilder,
    TimestampMillisecondArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, TimeUnit};
use schemars::JsonSchema;
use serde::Deserialize;

/// How the values of a column are made.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnOptions {
    /// What they are.
    #[serde(rename = "type")]
    kind: Kind,
    /// The lowest number, or the first timestamp in milliseconds since 1970.
    #[serde(default)]
    min: Option<f64>,
    /// The highest number.
    #[serde(default)]
    max: Option<f64>,
    /// How numbers and choices are spread.
    #[serde(default)]
    distribution: Distribution,
    /// The values to choose from.
    #[serde(default)]
    values: Vec<String>,
    /// Characters of a text.
    #[serde(default = "default_length")]
    length: usize,
    /// Milliseconds from one timestamp to the next.
    #[serde(default = "default_step")]
    step_ms: i64,
    /// The share of timestamps, 0 to 1, that are late.
    #[serde(default)]
    late_share: f64,
    /// By how many milliseconds they are.
    #[serde(default)]
    late_ms: i64,
    /// The share of values, 0 to 1, that are null.
    #[serde(default)]
    null_share: f64,
}

fn default_length() -> usize {
    16
}

fn default_step() -> i64 {
    1
}

/// What values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// The row's number.
    Sequence,
    /// Whole numbers from `min` to `max`.
    Int,
    /// Numbers from `min` to `max`.
    Float,
    /// Amounts from `min` to `max`, `decimal(18,2)`.
    Decimal,
    /// True or false.
    Bool,
    /// Text of `length` hexadecimal digits.
    String,
    /// One of `values`.
    Choice,
    /// UTC, in milliseconds, from `min` on, `step_ms` apart.
    Timestamp,
    /// Random UUIDs, as text.
    Uuid,
}

/// How values are spread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Distribution {
    /// All alike.
    #[default]
    Uniform,
    /// Low ones more often: each of the lower half of the range is about as frequent as the rest together.
    Skewed,
}

/// A column.
pub(super) struct Column {
    /// Its name and type.
    pub field: Field,
    options: ColumnOptions,
    seed: u64,
    min: f64,
    span: f64,
}

/// Mixes a counter into a random number (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014: SplitMix64).
pub(super) fn hash(seed: u64, counter: u64) -> u64 {
    let mut mixed = seed.wrapping_add(counter.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// A random number as one from 0 to 1, without 1.
fn unit(random: u64) -> f64 {
    (random >> 11) as f64 / (1_u64 << 53) as f64
}

impl Column {
    pub(super) fn new(name: &str, options: &ColumnOptions, seed: u64) -> Result<Self, String> {
        let data_type = match options.kind {
            Kind::Sequence | Kind::Int => DataType::Int64,
            Kind::Float => DataType::Float64,
            Kind::Decimal => DataType::Decimal128(18, 2),
            Kind::Bool => DataType::Boolean,
            Kind::String | Kind::Choice | Kind::Uuid => DataType::Utf8,
            Kind::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
        };
        if options.kind == Kind::Choice && options.values.is_empty() {
            return Err("a choice needs `values`".to_owned());
        }
        for (share, label) in [(options.null_share, "null_share"), (options.late_share, "late_share")] {
            if !(0.0..=1.0).contains(&share) {
                return Err(format!("`{label}` is between 0 and 1"));
            }
        }
        let default_min = if options.kind == Kind::Timestamp { 1_704_067_200_000.0 } else { 0.0 };
        let min = options.min.unwrap_or(default_min);
        let span = options.max.unwrap_or(1_000_000.0) - min;
        if span < 0.0 && options.kind != Kind::Timestamp {
            return Err("`max` is below `min`".to_owned());
        }
        let field = Field::new(name, data_type, options.null_share > 0.0);
        Ok(Self { field, options: options.clone(), seed, min, span })
    }

    /// Bytes of a value in memory, about.
    pub(super) fn width(&self) -> usize {
        match self.options.kind {
            Kind::String => self.options.length + 4,
            Kind::Uuid => 40,
            Kind::Choice => 4 + self.options.values.iter().map(String::len).max().unwrap_or(0),
            Kind::Decimal => 16,
            Kind::Bool => 1,
            _ => 8,
        }
    }

    /// The values of these rows.
    pub(super) fn fill(&self, rows: Range<u64>) -> ArrayRef {
        let nulls = self.nulls(rows.clone());
        let seed = self.seed;
        match self.options.kind {
            Kind::Sequence => Arc::new(Int64Array::new(rows.map(|row| row as i64).collect(), nulls)),
            Kind::Int => {
                let (min, count) = (self.min as i64, self.span as u64 + 1);
                Arc::new(Int64Array::new(
                    rows.map(|row| min + self.below(count, hash(seed, row)) as i64).collect(),
                    nulls,
                ))
            }
            Kind::Float => {
                let (min, span) = (self.min, self.span);
                Arc::new(Float64Array::new(
                    rows.map(|row| min + span * self.spread(hash(seed, row))).collect(),
                    nulls,
                ))
            }
            Kind::Decimal => {
                let cents = |row| ((self.min + self.span * self.spread(hash(seed, row))) * 100.0) as i128;
                Arc::new(
                    Decimal128Array::new(rows.map(cents).collect(), nulls)
                        .with_data_type(self.field.data_type().clone()),
                )
            }
            Kind::Bool => {
                let values: BooleanArray = rows.map(|row| Some(hash(seed, row) & 1 == 1)).collect();
                Arc::new(BooleanArray::new(values.values().clone(), nulls))
            }
            Kind::Timestamp => {
                let values = rows.map(|row| self.timestamp(row)).collect();
                Arc::new(TimestampMillisecondArray::new(values, nulls).with_timezone("UTC"))
            }
            Kind::String | Kind::Choice | Kind::Uuid => self.text(rows, nulls.as_ref()),
        }
    }

    fn timestamp(&self, row: u64) -> i64 {
        let late = unit(hash(self.seed, row)) < self.options.late_share;
        let on_time = self.min as i64 + (row as i64).wrapping_mul(self.options.step_ms);
        if late { on_time - self.options.late_ms } else { on_time }
    }

    fn text(&self, rows: Range<u64>, nulls: Option<&NullBuffer>) -> ArrayRef {
        let count = usize::try_from(rows.end - rows.start).unwrap_or(0);
        let mut builder = StringBuilder::with_capacity(count, count * self.width());
        let mut text = String::new();
        for (number, row) in rows.enumerate() {
            if nulls.is_some_and(|nulls| nulls.is_null(number)) {
                builder.append_null();
                continue;
            }
            let random = hash(self.seed, row);
            match self.options.kind {
                Kind::Choice => {
                    let index = self.below(self.options.values.len() as u64, random);
                    builder.append_value(&self.options.values[usize::try_from(index).unwrap_or(0)]);
                }
                Kind::Uuid => {
                    let (high, low) = (random, hash(random, row));
                    text.clear();
                    // The version and variant bits of RFC 9562, section 5.4.
                    let low = (low & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000;
                    let (a, b, c) = (high >> 32, (high >> 16) & 0xFFFF, high & 0x0FFF);
                    text.push_str(&format!(
                        "{a:08x}-{b:04x}-4{c:03x}-{:04x}-{:012x}",
                        low >> 48,
                        low & 0xFFFF_FFFF_FFFF
                    ));
                    builder.append_value(&text);
                }
                _ => {
                    hexadecimal(&mut text, random, self.options.length);
                    builder.append_value(&text);
                }
            }
        }
        Arc::new(builder.finish())
    }

    fn nulls(&self, rows: Range<u64>) -> Option<NullBuffer> {
        let share = self.options.null_share;
        let seed = hash(self.seed, u64::MAX);
        (share > 0.0).then(|| rows.map(|row| unit(hash(seed, row)) >= share).collect::<Vec<bool>>().into())
    }

    /// A number from 0 to 1, spread as the column wants it.
    fn spread(&self, random: u64) -> f64 {
        let even = unit(random);
        match self.options.distribution {
            Distribution::Uniform => even,
            Distribution::Skewed => even * even,
        }
    }

    /// A whole number below `count`.
    fn below(&self, count: u64, random: u64) -> u64 {
        match self.options.distribution {
            Distribution::Uniform => ((u128::from(random) * u128::from(count)) >> 64) as u64,
            Distribution::Skewed => (self.spread(random) * count as f64) as u64,
        }
    }
}

/// `length` hexadecimal digits, made from one random number.
fn hexadecimal(text: &mut String, random: u64, length: usize) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    text.clear();
    let mut bits = random;
    for position in 0..length {
        if position % 16 == 15 {
            bits = hash(random, position as u64);
        }
        text.push(char::from(DIGITS[(bits & 15) as usize]));
        bits >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(json: &str) -> Column {
        Column::new("c", &serde_json::from_str(json).unwrap(), 7).unwrap()
    }

    #[test]
    fn a_value_depends_on_its_row_alone() {
        for kind in ["sequence", "int", "float", "decimal", "bool", "string", "timestamp", "uuid"] {
            let column = column(&format!(r#"{{"type": "{kind}", "null_share": 0.2}}"#));
            let all = column.fill(0..100);
            assert_eq!(&all.slice(40, 60), &column.fill(40..100), "{kind}");
            assert_eq!(all.data_type(), column.field.data_type());
            assert!((5..40).contains(&all.null_count()), "{kind}: {}", all.null_count());
        }
    }

    #[test]
    fn numbers_stay_within_their_bounds() {
        let array = column(r#"{"type": "int", "min": -3, "max": 3}"#).fill(0..10_000);
        let values: std::collections::BTreeSet<i64> =
            arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(&array)
                .values()
                .iter()
                .copied()
                .collect();
        assert_eq!(values.into_iter().collect::<Vec<_>>(), [-3, -2, -1, 0, 1, 2, 3]);
    }

    #[test]
    fn options_that_make_no_sense_are_refused() {
        for json in [
            r#"{"type": "choice"}"#,
            r#"{"type": "int", "min": 3, "max": 1}"#,
            r#"{"type": "int", "null_share": 2}"#,
        ] {
            assert!(Column::new("c", &serde_json::from_str(json).unwrap(), 7).is_err(), "{json}");
        }
    }
}
