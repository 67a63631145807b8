//! Which columns a schema asks for, and what reads each of them.

use arrow::array::types::{BinaryType, LargeBinaryType, LargeUtf8Type, Utf8Type};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Field, Fields, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use arrow::array::types::validate_decimal_precision_and_scale;
use arrow::error::ArrowError;

use super::DEPTH_MAX;
use super::column::{Column, Values};
use super::nested::{List, Map, Struct};
use super::object::Object;
use super::primitive::{Boolean, Date, Decimal, Float, Integer, Primitive, TimeOfDay, Timestamp};
use super::strings::{Base64, JsonText, Variable, Views};
use crate::OnMismatch;

/// A schema that JSON cannot be decoded into.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column `{column}`: {reason}")]
pub struct SchemaError {
    /// The column to blame; names of nested ones are joined by dots.
    pub column: String,
    /// Why it cannot be read.
    pub reason: String,
}

impl SchemaError {
    fn new(column: &str, reason: impl Into<String>) -> Self {
        Self { column: column.to_owned(), reason: reason.into() }
    }

    fn within(mut self, column: &str) -> Self {
        self.column = format!("{column}.{}", self.column);
        self
    }
}

/// What reads objects with `fields`, which stand inside `depth` objects and arrays themselves.
pub(super) fn object(fields: &Fields, on_mismatch: OnMismatch, depth: usize) -> Result<Object, SchemaError> {
    let mut columns: Vec<Column> = Vec::with_capacity(fields.len());
    let mut names = std::collections::HashSet::new();
    for field in fields {
        if !names.insert(field.name()) {
            return Err(SchemaError::new(field.name(), "the schema has two columns of this name"));
        }
        columns.push(column(field, on_mismatch, depth + 1)?);
    }
    Ok(Object::new(columns, depth + 1))
}

fn column(field: &Field, on_mismatch: OnMismatch, depth: usize) -> Result<Column, SchemaError> {
    if depth > DEPTH_MAX {
        return Err(SchemaError::new(
            field.name(),
            format!("the schema nests deeper than {DEPTH_MAX} levels"),
        ));
    }
    Ok(Column::new(field, values(field, on_mismatch, depth)?, on_mismatch, depth))
}

fn values(field: &Field, on_mismatch: OnMismatch, depth: usize) -> Result<Box<dyn Values>, SchemaError> {
    let of = field.data_type();
    let within = |error: SchemaError| error.within(field.name());
    let invalid = |error: ArrowError| SchemaError::new(field.name(), error.to_string());
    let values: Box<dyn Values> = match of {
        DataType::Boolean => Box::new(Boolean::default()),
        DataType::Int8 => Primitive::<Int8Type, _>::new(of, Integer),
        DataType::Int16 => Primitive::<Int16Type, _>::new(of, Integer),
        DataType::Int32 => Primitive::<Int32Type, _>::new(of, Integer),
        DataType::Int64 => Primitive::<Int64Type, _>::new(of, Integer),
        DataType::UInt8 => Primitive::<UInt8Type, _>::new(of, Integer),
        DataType::UInt16 => Primitive::<UInt16Type, _>::new(of, Integer),
        DataType::UInt32 => Primitive::<UInt32Type, _>::new(of, Integer),
        DataType::UInt64 => Primitive::<UInt64Type, _>::new(of, Integer),
        DataType::Float32 => Primitive::<Float32Type, _>::new(of, Float),
        DataType::Float64 => Primitive::<Float64Type, _>::new(of, Float),
        DataType::Decimal128(precision, scale) => {
            validate_decimal_precision_and_scale::<Decimal128Type>(*precision, *scale).map_err(invalid)?;
            Primitive::<Decimal128Type, _>::new(of, Decimal::new(*precision, *scale))
        }
        DataType::Decimal256(precision, scale) => {
            validate_decimal_precision_and_scale::<Decimal256Type>(*precision, *scale).map_err(invalid)?;
            Primitive::<Decimal256Type, _>::new(of, Decimal::new(*precision, *scale))
        }
        DataType::Date32 => Primitive::<Date32Type, _>::new(of, Date),
        DataType::Time64(TimeUnit::Microsecond) => {
            Primitive::<Time64MicrosecondType, _>::new(of, TimeOfDay(TimeUnit::Microsecond))
        }
        DataType::Time64(TimeUnit::Nanosecond) => {
            Primitive::<Time64NanosecondType, _>::new(of, TimeOfDay(TimeUnit::Nanosecond))
        }
        DataType::Timestamp(unit, zone) => timestamp(of, *unit, zone.as_deref()),
        DataType::Utf8 => Variable::<Utf8Type, _>::new(JsonText { depth }),
        DataType::LargeUtf8 => Variable::<LargeUtf8Type, _>::new(JsonText { depth }),
        DataType::Utf8View => Views::new(JsonText { depth }),
        DataType::Binary => Variable::<BinaryType, _>::new(Base64),
        DataType::LargeBinary => Variable::<LargeBinaryType, _>::new(Base64),
        DataType::Struct(fields) => Struct::new(fields, object(fields, on_mismatch, depth).map_err(within)?),
        DataType::List(item) => List::<i32>::new(item, column(item, on_mismatch, depth + 1).map_err(within)?),
        DataType::LargeList(item) => {
            List::<i64>::new(item, column(item, on_mismatch, depth + 1).map_err(within)?)
        }
        DataType::Map(entries, sorted) => {
            let [key, value] = key_and_value(field, entries)?;
            let key = column(key, on_mismatch, depth + 1).map_err(within)?;
            let value = column(value, on_mismatch, depth + 1).map_err(within)?;
            Map::new(entries, *sorted, [key, value])
        }
        other => return Err(SchemaError::new(field.name(), format!("{other} cannot be read from JSON"))),
    };
    Ok(values)
}

fn timestamp(of: &DataType, unit: TimeUnit, zone: Option<&str>) -> Box<dyn Values> {
    let utc = |zone| matches!(zone, "UTC" | "Etc/UTC" | "GMT" | "Z" | "+00:00");
    let parse = Timestamp { unit, offset_needed: !zone.is_none_or(utc) };
    match unit {
        TimeUnit::Second => Primitive::<TimestampSecondType, _>::new(of, parse),
        TimeUnit::Millisecond => Primitive::<TimestampMillisecondType, _>::new(of, parse),
        TimeUnit::Microsecond => Primitive::<TimestampMicrosecondType, _>::new(of, parse),
        TimeUnit::Nanosecond => Primitive::<TimestampNanosecondType, _>::new(of, parse),
    }
}

/// The two fields of a map's entries, of which the keys are text as those of JSON.
fn key_and_value<'a>(field: &Field, entries: &'a Field) -> Result<[&'a Field; 2], SchemaError> {
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(SchemaError::new(field.name(), "the entries of the map are no struct"));
    };
    let [key, value] = &fields[..] else {
        return Err(SchemaError::new(field.name(), "the entries of the map are not a key and a value"));
    };
    match key.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok([key, value]),
        other => Err(SchemaError::new(
            field.name(),
            format!("the keys of the map are {other}; JSON has only text"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn refusal(fields: Vec<Field>) -> String {
        match object(&fields.into(), OnMismatch::Error, 0) {
            Ok(_) => panic!("the schema was taken"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn schemas_that_cannot_be_decoded_are_refused_by_column() {
        let field = |name: &str, of| Field::new(name, of, true);
        let union = field("u", DataType::Duration(TimeUnit::Second));
        let nested = field("outer", DataType::Struct(vec![union].into()));
        assert_eq!(refusal(vec![nested]), "column `outer.u`: Duration(s) cannot be read from JSON");
        let twice = vec![field("a", DataType::Utf8), field("a", DataType::Int8)];
        assert_eq!(refusal(twice), "column `a`: the schema has two columns of this name");
        let wide = vec![field("d", DataType::Decimal128(50, 2))];
        assert!(refusal(wide).starts_with("column `d`: "));
        let entries =
            Field::new_struct("entries", vec![field("k", DataType::Int8), field("v", DataType::Int8)], false);
        let map = vec![field("m", DataType::Map(Arc::new(entries), false))];
        assert_eq!(refusal(map), "column `m`: the keys of the map are Int8; JSON has only text");
    }

    #[test]
    fn schemas_nest_no_deeper_than_input_may() {
        let nested = |levels: usize| {
            (0..levels).fold(Field::new("leaf", DataType::Int8, true), |inner, _| {
                Field::new("level", DataType::Struct(vec![inner].into()), true)
            })
        };
        assert!(object(&vec![nested(DEPTH_MAX - 1)].into(), OnMismatch::Error, 0).is_ok());
        assert!(refusal(vec![nested(DEPTH_MAX)]).ends_with("the schema nests deeper than 128 levels"));
    }
}
