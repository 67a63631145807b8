//! Columns of numbers, booleans, dates and times.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, TimeUnit, i256};
use arrow::error::ArrowError;
use fast_float2::FastFloat;

use super::column::Values;
use super::decimal::Whole;
use super::fault::{Step, Stop};
use super::input::Input;
use super::nulls::Bits;
use super::strings::with_text;
use super::time::Instant;
use super::{number, time};

/// A value and the position after it.
type Read<T> = Result<(T, usize), Stop>;

/// Reads values of one type.
pub(super) trait Parse<T>: Send {
    fn parse(&self, input: &Input<'_>, at: usize) -> Read<T>;
}

/// A column of values of one size.
pub(super) struct Primitive<T: ArrowPrimitiveType, P> {
    values: Vec<T::Native>,
    data_type: DataType,
    parse: P,
    /// Values in the last array.
    last: usize,
}

impl<T: ArrowPrimitiveType, P> Primitive<T, P> {
    pub(super) fn new(data_type: &DataType, parse: P) -> Box<Self> {
        Box::new(Self { values: Vec::new(), data_type: data_type.clone(), parse, last: 0 })
    }
}

impl<T: ArrowPrimitiveType, P: Parse<T::Native>> Values for Primitive<T, P> {
    fn read(&mut self, input: &Input<'_>, at: usize) -> Step {
        let (value, end) = self.parse.parse(input, at)?;
        self.values.push(value);
        Ok(end)
    }

    fn push_null(&mut self) {
        self.values.push(T::Native::default());
    }

    fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
    }

    fn reserve(&mut self) {
        self.values.reserve(self.last);
    }

    fn finish(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
        let values = std::mem::take(&mut self.values);
        self.last = values.len();
        let array = PrimitiveArray::<T>::try_new(values.into(), nulls)?;
        Ok(Arc::new(array.with_data_type(self.data_type.clone())))
    }
}

/// Whole numbers, also written `1.0` or `1e3`.
pub(super) struct Integer;

impl<N: TryFrom<i128>> Parse<N> for Integer {
    #[inline(always)]
    fn parse(&self, input: &Input<'_>, at: usize) -> Read<N> {
        match number::plain(input, at) {
            Some(plain) if plain.fraction == 0 => {
                let value = i128::from(plain.mantissa);
                let value = if plain.negative { -value } else { value };
                N::try_from(value).map(|value| (value, plain.end)).map_err(|_| Stop::MISMATCH)
            }
            _ => scaled(input, at, 0, |whole| N::try_from(whole.to_i128()?).ok()),
        }
    }
}

/// The number at `at` by way of its digits.
fn scaled<N>(input: &Input<'_>, at: usize, scale: i8, of: impl Fn(Whole) -> Option<N>) -> Read<N> {
    if !number::begins(input.byte(at)) {
        return Err(Stop::MISMATCH);
    }
    let end = number::end(input, at)?;
    let value = Whole::scaled(&input.bytes[at..end], scale).and_then(of);
    Ok((value.ok_or(Stop::MISMATCH)?, end))
}

/// Numbers of the column's scale or less, also as strings, the way that systems write them that mind
/// their digits.
pub(super) struct Decimal {
    precision: u8,
    scale: i8,
    /// The first number with too many digits, where 128 bits hold it.
    limit: i128,
}

impl Decimal {
    pub(super) fn new(precision: u8, scale: i8) -> Self {
        let limit = 10_i128.checked_pow(u32::from(precision)).unwrap_or(i128::MAX);
        Self { precision, scale, limit }
    }

    fn parse<N>(&self, input: &Input<'_>, at: usize, of: impl Fn(Whole) -> Option<N>) -> Read<N> {
        if input.byte(at) != b'"' {
            return scaled(input, at, self.scale, of);
        }
        with_text(input, at, |text| {
            let text = Input { bytes: text, multiline: false };
            let (value, end) = scaled(&text, 0, self.scale, &of).ok()?;
            (end == text.bytes.len()).then_some(value)
        })
    }
}

impl Parse<i128> for Decimal {
    #[inline(always)]
    fn parse(&self, input: &Input<'_>, at: usize) -> Read<i128> {
        if let Some(plain) = number::plain(input, at)
            && let Ok(zeros) = usize::try_from(i64::from(self.scale) - plain.fraction as i64)
            && let Some(power) = number::POWERS.get(zeros)
        {
            let value = i128::from(plain.mantissa) * i128::from(*power);
            let value = if plain.negative { -value } else { value };
            return if value.abs() < self.limit { Ok((value, plain.end)) } else { Err(Stop::MISMATCH) };
        }
        Decimal::parse(self, input, at, |whole| whole.to_decimal128(self.precision))
    }
}

impl Parse<i256> for Decimal {
    fn parse(&self, input: &Input<'_>, at: usize) -> Read<i256> {
        Decimal::parse(self, input, at, |whole| whole.to_i256(self.precision))
    }
}

/// Numbers with a fraction, rounded to the nearest; those beyond the type do not fit.
pub(super) struct Float;

impl Parse<f64> for Float {
    #[inline(always)]
    fn parse(&self, input: &Input<'_>, at: usize) -> Read<f64> {
        // Both operands are exact, so the quotient is rounded once and right.
        match number::plain(input, at) {
            Some(plain) if plain.mantissa <= 1 << f64::MANTISSA_DIGITS => {
                let value = plain.mantissa as f64 / number::POWERS[plain.fraction] as f64;
                Ok((if plain.negative { -value } else { value }, plain.end))
            }
            _ => any_float(input, at, f64::is_finite),
        }
    }
}

impl Parse<f32> for Float {
    fn parse(&self, input: &Input<'_>, at: usize) -> Read<f32> {
        any_float(input, at, f32::is_finite)
    }
}

fn any_float<N: FastFloat + Copy>(input: &Input<'_>, at: usize, is_finite: impl Fn(N) -> bool) -> Read<N> {
    if !number::begins(input.byte(at)) {
        return Err(Stop::MISMATCH);
    }
    let end = number::end(input, at)?;
    let value = fast_float2::parse(&input.bytes[at..end]).ok().filter(|value| is_finite(*value));
    Ok((value.ok_or(Stop::MISMATCH)?, end))
}

/// Strings like `2024-02-29`.
pub(super) struct Date;

impl Parse<i32> for Date {
    fn parse(&self, input: &Input<'_>, at: usize) -> Read<i32> {
        with_text(input, at, time::date)
    }
}

/// Strings like `12:30:00.123`.
pub(super) struct TimeOfDay(pub(super) TimeUnit);

impl Parse<i64> for TimeOfDay {
    fn parse(&self, input: &Input<'_>, at: usize) -> Read<i64> {
        with_text(input, at, |text| time::time_of_day(text, self.0))
    }
}

/// Strings like `2024-02-29T12:30:00.123Z`, and whole numbers of units since 1970.
///
/// A column without zone takes strings without offset as they are, and others as the time in UTC. A
/// column with a zone takes strings without offset only where that zone is UTC.
pub(super) struct Timestamp {
    pub(super) unit: TimeUnit,
    /// Whether strings must say their offset.
    pub(super) offset_needed: bool,
}

impl Parse<i64> for Timestamp {
    #[inline(always)]
    fn parse(&self, input: &Input<'_>, at: usize) -> Read<i64> {
        if input.byte(at) != b'"' {
            return Integer.parse(input, at);
        }
        with_text(input, at, |text| {
            let instant = Instant::parse(text).filter(|instant| instant.zoned || !self.offset_needed)?;
            instant.to_unit(self.unit)
        })
    }
}

/// A column of `true` and `false`.
#[derive(Default)]
pub(super) struct Boolean(Bits);

impl Values for Boolean {
    fn read(&mut self, input: &Input<'_>, at: usize) -> Step {
        if input.chunk(at) == Some(b"true") {
            self.0.push(true);
            Ok(at + 4)
        } else if input.chunk(at) == Some(b"false") {
            self.0.push(false);
            Ok(at + 5)
        } else {
            Err(Stop::MISMATCH)
        }
    }

    fn push_null(&mut self) {
        self.0.push(false);
    }

    fn truncate(&mut self, rows: usize) {
        self.0.truncate(rows);
    }

    fn reserve(&mut self) {}

    fn finish(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(BooleanArray::new(self.0.take(), nulls)))
    }
}
