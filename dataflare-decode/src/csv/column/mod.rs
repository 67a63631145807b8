//! Columns: spans of text in, Arrow arrays out.

mod bits;
mod kind;
mod text;
mod typed;

use arrow::array::ArrayRef;
use arrow::datatypes::{
    DataType, Decimal128Type, Decimal256Type, Field, Int8Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};

use super::cell::Text;
use super::fault::{Faults, Target};
use super::index::Span;
use text::{Strings, TextColumn};
use typed::TypedColumn;

/// One column of a batch under construction.
pub(super) trait Column: Send {
    /// Appends one value for each span, in order, until `faults` says stop.
    fn append(&mut self, text: &Text, spans: &[Span], faults: &mut Faults);

    /// The values so far; the column is empty afterwards and expects as many again.
    fn finish(&mut self) -> ArrayRef;

    /// Forgets the values so far.
    fn clear(&mut self);
}

/// A column for the field; `None` where its type cannot be read from CSV.
pub(super) fn column(field: &Field) -> Option<Box<dyn Column>> {
    use kind::{Boolean, Date, Decimal, Float32, Float64, Integer, Time, Timestamp};

    let target = Target::new(field);
    let data_type = field.data_type().clone();
    Some(match field.data_type() {
        DataType::Boolean => TypedColumn::boxed(target, Boolean),
        DataType::Int8 => TypedColumn::boxed(target, Integer::<Int8Type>::default()),
        DataType::Int16 => TypedColumn::boxed(target, Integer::<Int16Type>::default()),
        DataType::Int32 => TypedColumn::boxed(target, Integer::<Int32Type>::default()),
        DataType::Int64 => TypedColumn::boxed(target, Integer::<Int64Type>::default()),
        DataType::UInt8 => TypedColumn::boxed(target, Integer::<UInt8Type>::default()),
        DataType::UInt16 => TypedColumn::boxed(target, Integer::<UInt16Type>::default()),
        DataType::UInt32 => TypedColumn::boxed(target, Integer::<UInt32Type>::default()),
        DataType::UInt64 => TypedColumn::boxed(target, Integer::<UInt64Type>::default()),
        DataType::Float32 => TypedColumn::boxed(target, Float32),
        DataType::Float64 => TypedColumn::boxed(target, Float64),
        DataType::Decimal128(_, _) => TypedColumn::boxed(target, Decimal::<Decimal128Type>::new(data_type)),
        DataType::Decimal256(_, _) => TypedColumn::boxed(target, Decimal::<Decimal256Type>::new(data_type)),
        DataType::Date32 => TypedColumn::boxed(target, Date::default()),
        DataType::Time64(TimeUnit::Microsecond) => {
            TypedColumn::boxed(target, Time::<Time64MicrosecondType>::new(6))
        }
        DataType::Time64(TimeUnit::Nanosecond) => {
            TypedColumn::boxed(target, Time::<Time64NanosecondType>::new(9))
        }
        DataType::Timestamp(unit, zone) => match unit {
            TimeUnit::Second => TypedColumn::boxed(target, Timestamp::<TimestampSecondType>::new(zone)),
            TimeUnit::Millisecond => {
                TypedColumn::boxed(target, Timestamp::<TimestampMillisecondType>::new(zone))
            }
            TimeUnit::Microsecond => {
                TypedColumn::boxed(target, Timestamp::<TimestampMicrosecondType>::new(zone))
            }
            TimeUnit::Nanosecond => {
                TypedColumn::boxed(target, Timestamp::<TimestampNanosecondType>::new(zone))
            }
        },
        DataType::Utf8 => TextColumn::boxed(target, Strings::Utf8),
        DataType::LargeUtf8 => TextColumn::boxed(target, Strings::LargeUtf8),
        DataType::Utf8View => TextColumn::boxed(target, Strings::Utf8View),
        DataType::Binary => TextColumn::boxed(target, Strings::Binary),
        _ => return None,
    })
}
