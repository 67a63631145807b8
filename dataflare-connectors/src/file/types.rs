//! Types as users write them in a schema.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use schemars::JsonSchema;
use serde::Deserialize;

/// A column's type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum TypeSpec {
    /// `int8` to `int64`, `uint8` to `uint64`, `float32`, `float64`, `bool`, `utf8`, `binary`, `date`,
    /// `time`, `decimal(18,2)`, `timestamp(ms)`, `timestamp(ms, UTC)` (units: s, ms, us, ns).
    Name(String),
    /// A list of one type: `[int64]`.
    List(Vec<TypeSpec>),
    /// Named fields of their own types.
    Struct(BTreeMap<String, TypeSpec>),
}

/// A schema of these columns, all nullable, or the column whose type is not one.
pub(super) fn schema(columns: &BTreeMap<String, TypeSpec>) -> Result<SchemaRef, (String, String)> {
    let field = |(name, spec): (&String, &TypeSpec)| {
        let data_type = spec.data_type().map_err(|message| (name.clone(), message))?;
        Ok::<_, (String, String)>(Field::new(name, data_type, true))
    };
    Ok(Arc::new(Schema::new(columns.iter().map(field).collect::<Result<Vec<_>, _>>()?)))
}

impl TypeSpec {
    fn data_type(&self) -> Result<DataType, String> {
        match self {
            Self::Name(name) => named(name),
            Self::List(items) => match items.as_slice() {
                [item] => Ok(DataType::List(Arc::new(Field::new("item", item.data_type()?, true)))),
                _ => Err("a list has one type, as in `[int64]`".to_owned()),
            },
            Self::Struct(fields) => {
                let field =
                    |(name, spec): (&String, &TypeSpec)| Ok(Field::new(name, spec.data_type()?, true));
                Ok(DataType::Struct(fields.iter().map(field).collect::<Result<Fields, String>>()?))
            }
        }
    }
}

fn named(name: &str) -> Result<DataType, String> {
    let lower = name.trim().to_lowercase();
    let (base, arguments) = match lower.split_once('(') {
        Some((base, rest)) => (base.trim(), rest.trim_end_matches(')').split(',').map(str::trim).collect()),
        None => (lower.as_str(), Vec::new()),
    };
    let simple = match base {
        "int8" => DataType::Int8,
        "int16" => DataType::Int16,
        "int32" | "int" => DataType::Int32,
        "int64" | "bigint" => DataType::Int64,
        "uint8" => DataType::UInt8,
        "uint16" => DataType::UInt16,
        "uint32" => DataType::UInt32,
        "uint64" => DataType::UInt64,
        "float32" | "float" => DataType::Float32,
        "float64" | "double" => DataType::Float64,
        "bool" | "boolean" => DataType::Boolean,
        "utf8" | "string" | "text" => DataType::Utf8,
        "binary" => DataType::Binary,
        "date" => DataType::Date32,
        "time" => DataType::Time64(TimeUnit::Microsecond),
        "decimal" => return decimal(&arguments),
        "timestamp" => return timestamp(&arguments, name),
        _ => {
            return Err(format!(
                "`{name}` is not a type; write int64, float64, bool, utf8, date, timestamp(ms, UTC), decimal(18,2) or binary"
            ));
        }
    };
    if arguments.is_empty() { Ok(simple) } else { Err(format!("`{base}` takes nothing in parentheses")) }
}

fn decimal(arguments: &[&str]) -> Result<DataType, String> {
    let wrong = || "a decimal is written `decimal(18,2)`: digits in all, digits after the point".to_owned();
    let [precision, scale] = arguments else { return Err(wrong()) };
    let precision: u8 = precision.parse().map_err(|_| wrong())?;
    let scale: i8 = scale.parse().map_err(|_| wrong())?;
    match precision {
        1..=38 => Ok(DataType::Decimal128(precision, scale)),
        39..=76 => Ok(DataType::Decimal256(precision, scale)),
        _ => Err("a decimal has 1 to 76 digits".to_owned()),
    }
}

fn timestamp(arguments: &[&str], written: &str) -> Result<DataType, String> {
    let unit = match arguments.first().copied().unwrap_or("us") {
        "s" => TimeUnit::Second,
        "ms" => TimeUnit::Millisecond,
        "us" => TimeUnit::Microsecond,
        "ns" => TimeUnit::Nanosecond,
        other => return Err(format!("`{other}` is no unit; write s, ms, us or ns")),
    };
    // The zone as it was written: its name has capitals.
    let zone = written.split_once(',').map(|(_, zone)| Arc::from(zone.trim().trim_end_matches(')').trim()));
    Ok(DataType::Timestamp(unit, zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_as_they_are_documented() {
        let cases = [
            ("int64", DataType::Int64),
            ("decimal(18,2)", DataType::Decimal128(18, 2)),
            ("timestamp(ms, UTC)", DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))),
            ("timestamp(ns)", DataType::Timestamp(TimeUnit::Nanosecond, None)),
        ];
        for (text, expected) in cases {
            assert_eq!(named(text), Ok(expected), "{text}");
        }
        for text in ["int65", "decimal(18)", "timestamp(h)", "int64(3)", "decimal(99,1)"] {
            assert!(named(text).is_err(), "{text}");
        }
    }
}
