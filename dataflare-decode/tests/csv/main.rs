//! The CSV decoder from outside: against the `csv` crate, type by type, and with input that is wrong.

#![allow(clippy::unwrap_used, reason = "tests")]

mod extremes;
mod faults;
mod oracle;
mod types;

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use dataflare_decode::csv::{Decoder, Dialect};
use dataflare_decode::{DecodeError, Limits, OnMismatch};

const NO_LIMITS: Limits = Limits { rows: usize::MAX, bytes: usize::MAX };

fn schema_of(fields: &[(&str, DataType)]) -> SchemaRef {
    let fields = fields.iter().map(|(name, data_type)| Field::new(*name, data_type.clone(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// `column_1` and so on.
fn names(count: usize) -> Vec<String> {
    (1..=count).map(|i| format!("column_{i}")).collect()
}

/// A decoder of `count` columns of text, in which nothing means null.
fn text_decoder(count: usize, dialect: &Dialect, on_mismatch: OnMismatch) -> Decoder {
    let header = names(count);
    let fields: Vec<_> = header.iter().map(|name| (name.as_str(), DataType::Utf8)).collect();
    let dialect = Dialect { null: vec![], ..dialect.clone() };
    Decoder::new(schema_of(&fields), &header, &dialect, on_mismatch).unwrap()
}

/// All of `text` in one batch, with columns of the given types.
fn decode(text: &[u8], types: &[DataType], on_mismatch: OnMismatch) -> Result<RecordBatch, DecodeError> {
    let header = names(types.len());
    let fields: Vec<_> = header.iter().map(String::as_str).zip(types.iter().cloned()).collect();
    let mut decoder = Decoder::new(schema_of(&fields), &header, &Dialect::default(), on_mismatch)?;
    let decoded = decoder.decode(text, NO_LIMITS)?;
    assert_eq!(decoded.consumed, text.len());
    Ok(decoded.batch)
}

/// The rows of a batch of text.
fn rows(batch: &RecordBatch) -> Vec<Vec<String>> {
    (0..batch.num_rows())
        .map(|row| {
            let value = |column: &Arc<dyn Array>| column.as_string::<i32>().value(row).to_owned();
            batch.columns().iter().map(value).collect()
        })
        .collect()
}
