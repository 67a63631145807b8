//! The types that are not text: how each reads a value.

use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::compute::kernels::cast_utils::string_to_datetime;
use arrow::datatypes::{
    ArrowTimestampType, DataType, Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type,
    TimeUnit, i256,
};

use super::super::parse::{self, Dates, Instant};
use super::typed::Kind;

/// `true`, `t`, `yes`, `y`, `1` and their opposites, in any case.
pub(super) struct Boolean;

impl Kind for Boolean {
    type Value = bool;

    #[inline(always)]
    fn parse(&mut self, tail: &[u8], len: usize) -> Option<bool> {
        const CASE: u64 = 0x2020_2020_2020_2020;
        let word = parse::word(tail) | CASE;
        let masked = |bytes: u32| word & (u64::MAX >> (64 - 8 * bytes));
        let is_true = len == 4 && masked(4) == u64::from(u32::from_le_bytes(*b"true"));
        let is_false = len == 5 && masked(5) == u64::from_le_bytes(*b"false\0\0\0");
        // Without a branch on which of the two it is, which no processor could foresee.
        if is_true | is_false { Some(is_true) } else { short_boolean(tail.get(..len)?) }
    }

    fn array(&self, values: Vec<bool>, nulls: Option<NullBuffer>) -> ArrayRef {
        Arc::new(BooleanArray::new(BooleanBuffer::collect_bool(values.len(), |i| values[i]), nulls))
    }
}

#[cold]
fn short_boolean(text: &[u8]) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word.as_bytes());
    match text {
        _ if ["t", "yes", "y", "1"].into_iter().any(is) => Some(true),
        _ if ["f", "no", "n", "0"].into_iter().any(is) => Some(false),
        _ => None,
    }
}

/// Integers that fit `T`.
pub(super) struct Integer<T>(PhantomData<fn() -> T>);

impl<T> Default for Integer<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T: ArrowPrimitiveType<Native: TryFrom<i128>>> Kind for Integer<T> {
    type Value = T::Native;

    #[inline(always)]
    fn parse(&mut self, tail: &[u8], len: usize) -> Option<T::Native> {
        T::Native::try_from(parse::integer(tail, len)?).ok()
    }

    fn array(&self, values: Vec<T::Native>, nulls: Option<NullBuffer>) -> ArrayRef {
        primitive::<T>(values, nulls, &T::DATA_TYPE)
    }
}

/// Floats in single precision.
pub(super) struct Float32;

impl Kind for Float32 {
    type Value = f32;

    #[inline(always)]
    fn parse(&mut self, tail: &[u8], len: usize) -> Option<f32> {
        parse::float32(tail, len)
    }

    fn array(&self, values: Vec<f32>, nulls: Option<NullBuffer>) -> ArrayRef {
        primitive::<Float32Type>(values, nulls, &DataType::Float32)
    }
}

/// Floats in double precision.
pub(super) struct Float64;

impl Kind for Float64 {
    type Value = f64;

    #[inline(always)]
    fn parse(&mut self, tail: &[u8], len: usize) -> Option<f64> {
        parse::float64(tail, len)
    }

    fn array(&self, values: Vec<f64>, nulls: Option<NullBuffer>) -> ArrayRef {
        primitive::<Float64Type>(values, nulls, &DataType::Float64)
    }
}

/// Decimals; a value that would lose a digit is none.
pub(super) struct Decimal<T: ArrowPrimitiveType> {
    data_type: DataType,
    scale: i8,
    /// The least power of ten that has too many digits.
    bound: T::Native,
}

impl Decimal<Decimal128Type> {
    pub(super) fn new(data_type: DataType) -> Self {
        let (precision, scale) = precision_and_scale(&data_type);
        let bound = 10_i128.checked_pow(precision).unwrap_or(i128::MAX);
        Self { data_type, scale, bound }
    }
}

impl Decimal<Decimal256Type> {
    pub(super) fn new(data_type: DataType) -> Self {
        let (precision, scale) = precision_and_scale(&data_type);
        let bound = i256::from_i128(10).checked_pow(precision).unwrap_or(i256::MAX);
        Self { data_type, scale, bound }
    }
}

fn precision_and_scale(data_type: &DataType) -> (u32, i8) {
    match *data_type {
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            (precision.into(), scale)
        }
        _ => unreachable!("only decimals are asked for their scale"),
    }
}

impl Kind for Decimal<Decimal128Type> {
    type Value = i128;

    #[inline(always)]
    fn parse(&mut self, tail: &[u8], len: usize) -> Option<i128> {
        parse::decimal128(tail, len, self.scale).filter(|value| -self.bound < *value && *value < self.bound)
    }

    fn array(&self, values: Vec<i128>, nulls: Option<NullBuffer>) -> ArrayRef {
        primitive::<Decimal128Type>(values, nulls, &self.data_type)
    }
}

impl Kind for Decimal<Decimal256Type> {
    type Value = i256;

    #[inline(always)]
    fn parse(&mut self, tail: &[u8], len: usize) -> Option<i256> {
        parse::decimal256(tail, len, self.scale).filter(|value| -self.bound < *value && *value < self.bound)
    }

    fn array(&self, values: Vec<i256>, nulls: Option<NullBuffer>) -> ArrayRef {
        primitive::<Decimal256Type>(values, nulls, &self.data_type)
    }
}

/// Dates, `YYYY-MM-DD`.
#[derive(Default)]
pub(super) struct Date {
    dates: Dates,
}

impl Kind for Date {
    type Value = i32;

    #[inline(always)]
    fn parse(&mut self, tail: &[u8], len: usize) -> Option<i32> {
        if len == 10 { self.dates.parse(tail) } else { None }
    }

    fn array(&self, values: Vec<i32>, nulls: Option<NullBuffer>) -> ArrayRef {
        primitive::<Date32Type>(values, nulls, &DataType::Date32)
    }
}

/// Times of day, `HH:MM[:SS[.fraction]]`, with as many digits behind the point as the unit has.
pub(super) struct Time<T> {
    digits: u32,
    unit: PhantomData<fn() -> T>,
}

impl<T> Time<T> {
    pub(super) fn new(digits: u32) -> Self {
        Self { digits, unit: PhantomData }
    }
}

impl<T: ArrowPrimitiveType<Native = i64>> Kind for Time<T> {
    type Value = i64;

    #[inline(always)]
    fn parse(&mut self, tail: &[u8], len: usize) -> Option<i64> {
        let time = parse::clock(tail, len).filter(|time| time.len == len)?;
        in_units(time.seconds.into(), time.nanos, self.digits)
    }

    fn array(&self, values: Vec<i64>, nulls: Option<NullBuffer>) -> ArrayRef {
        primitive::<T>(values, nulls, &T::DATA_TYPE)
    }
}

/// How a timestamp without a zone is understood.
enum Local {
    /// As it stands: the column has no zone, or UTC.
    Utc,
    /// As the clocks of the column's zone showed it.
    Zone(Tz),
    /// Not at all: the rules of the column's zone are not at hand.
    Unknown,
}

/// Timestamps, and epoch numbers in the column's unit. A value that would lose a digit is none.
pub(super) struct Timestamp<T> {
    data_type: DataType,
    local: Local,
    dates: Dates,
    unit: PhantomData<fn() -> T>,
}

impl<T: ArrowTimestampType> Timestamp<T> {
    pub(super) fn new(zone: &Option<Arc<str>>) -> Self {
        let local = match zone.as_deref() {
            None | Some("UTC" | "Z" | "+00:00" | "Etc/UTC") => Local::Utc,
            Some(zone) => Tz::from_str(zone).map_or(Local::Unknown, Local::Zone),
        };
        let data_type = DataType::Timestamp(T::UNIT, zone.clone());
        Self { data_type, local, dates: Dates::default(), unit: PhantomData }
    }

    #[cold]
    fn in_zone(&self, text: &[u8], nanos: u32) -> Option<Instant> {
        let Local::Zone(zone) = &self.local else { return None };
        let seconds = string_to_datetime(zone, std::str::from_utf8(text).ok()?).ok()?.timestamp();
        Some(Instant { seconds, nanos, fraction: 0, has_zone: true })
    }
}

impl<T: ArrowTimestampType> Kind for Timestamp<T> {
    type Value = i64;

    #[inline(always)]
    fn parse(&mut self, tail: &[u8], len: usize) -> Option<i64> {
        let digits = match T::UNIT {
            TimeUnit::Second => 0,
            TimeUnit::Millisecond => 3,
            TimeUnit::Microsecond => 6,
            TimeUnit::Nanosecond => 9,
        };
        if len < 10 || tail[4] != b'-' {
            return i64::try_from(parse::integer(tail, len)?).ok();
        }
        let mut instant = parse::timestamp(&mut self.dates, tail, len)?;
        if !instant.has_zone && !matches!(self.local, Local::Utc) {
            instant = self.in_zone(&tail[..len], instant.nanos)?;
        }
        in_units(instant.seconds, instant.nanos, digits)
    }

    fn array(&self, values: Vec<i64>, nulls: Option<NullBuffer>) -> ArrayRef {
        primitive::<T>(values, nulls, &self.data_type)
    }
}

/// Seconds and nanoseconds in a unit of `digits` behind the point of a second, where that is exact.
#[inline(always)]
fn in_units(seconds: i64, nanos: u32, digits: u32) -> Option<i64> {
    let (per_second, nanos_per_unit) = (10_i64.pow(digits), 10_u32.pow(9 - digits));
    if !nanos.is_multiple_of(nanos_per_unit) {
        return None;
    }
    let value = i128::from(seconds) * i128::from(per_second) + i128::from(nanos / nanos_per_unit);
    value.try_into().ok()
}

fn primitive<T: ArrowPrimitiveType>(
    values: Vec<T::Native>,
    nulls: Option<NullBuffer>,
    data_type: &DataType,
) -> ArrayRef {
    let values = ScalarBuffer::from(values);
    Arc::new(PrimitiveArray::<T>::new(values, nulls).with_data_type(data_type.clone()))
}
