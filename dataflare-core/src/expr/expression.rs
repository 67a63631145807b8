//! One SQL expression, planned once and evaluated batch by batch.

use std::ops::Range;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};

use crate::Result;

/// One SQL expression over the columns of a schema.
#[derive(Debug)]
pub struct Expression {
    sql: String,
}

/// Why an expression cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExprError {
    /// What is wrong: lowercase, no full stop.
    pub message: String,
    /// The bytes of the SQL text to blame, where known.
    pub range: Option<Range<usize>>,
    /// What to write instead.
    pub help: Option<String>,
}

impl Expression {
    /// Plans `sql` over the columns of `schema`.
    pub fn compile(sql: &str, schema: &SchemaRef) -> Result<Self, ExprError> {
        _ = schema;
        Ok(Self { sql: sql.to_owned() })
    }

    /// The text it was made from.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The type of its value.
    pub fn data_type(&self) -> &DataType {
        unimplemented!()
    }

    /// Whether its value can be null.
    pub fn nullable(&self) -> bool {
        unimplemented!()
    }

    /// The columns it reads, in schema order.
    pub fn columns(&self) -> &[String] {
        unimplemented!()
    }

    /// Its value for each row of `records`. The batch may have other columns too, and its columns in
    /// another order than the schema that the expression was planned on: they are found by name.
    pub fn evaluate(&self, records: &RecordBatch) -> Result<ArrayRef> {
        _ = records;
        unimplemented!()
    }
}
