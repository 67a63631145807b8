//! Records that a component could not take, in the shape in which a dead-letter destination gets them.

use std::sync::{Arc, LazyLock};

use arrow::array::{BinaryBuilder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

/// One rejected record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The record as it came in: the line of a text format, else the row as one JSON object.
    pub raw: Vec<u8>,
    /// Why it was rejected; names the column where one is to blame.
    pub error: String,
    /// Where in its split the record stood ("byte 1834", "row 12"); empty where that is not known.
    pub position: String,
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let text = |name| Field::new(name, DataType::Utf8, false);
    Arc::new(Schema::new(vec![
        Field::new("raw", DataType::Binary, false),
        text("error"),
        text("component"),
        text("lane"),
        text("position"),
    ]))
});

/// The schema of dead letters: `raw binary, error utf8, component utf8, lane utf8, position utf8`.
pub fn reject_schema() -> SchemaRef {
    SCHEMA.clone()
}

/// Rejects of `component` as a batch of [`reject_schema`].
pub fn rejects_to_batch(component: &str, lane: &str, rejects: &[Reject]) -> RecordBatch {
    let mut raw = BinaryBuilder::new();
    let mut text: [StringBuilder; 4] = Default::default();
    for reject in rejects {
        raw.append_value(&reject.raw);
        for (column, value) in text.iter_mut().zip([&*reject.error, component, lane, &*reject.position]) {
            column.append_value(value);
        }
    }
    let mut columns: Vec<arrow::array::ArrayRef> = vec![Arc::new(raw.finish())];
    columns.extend(text.iter_mut().map(|column| Arc::new(column.finish()) as _));
    RecordBatch::try_new(reject_schema(), columns).expect("the columns are built for this schema")
}
