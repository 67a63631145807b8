//! One SQL expression, planned once and evaluated batch by batch.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::{filter_record_batch, prep_null_mask_filter};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};

use super::error::ExprError;
use super::session::planning;
use crate::{Error, Result};

/// One SQL expression over the columns of a schema.
pub struct Expression {
    sql: String,
    physical: Arc<dyn PhysicalExpr>,
    inputs: SchemaRef,
    columns: Vec<String>,
    data_type: DataType,
    nullable: bool,
}

impl Expression {
    /// Plans `sql` over the columns of `schema`.
    pub fn compile(sql: &str, schema: &SchemaRef) -> Result<Self, ExprError> {
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let fail = |error: DataFusionError| ExprError::of(&error, sql, &names);
        if sql.trim().is_empty() {
            return Err(ExprError::new("the expression is empty"));
        }
        let session = planning();
        let df_schema = DFSchema::try_from(schema.as_ref().clone()).map_err(fail)?;
        let logical = session.parse_sql_expr(sql, &df_schema).map_err(fail)?;
        let physical = session.create_physical_expr(logical, &df_schema).map_err(fail)?;
        let mut used: Vec<usize> = collect_columns(&physical).iter().map(|column| column.index()).collect();
        used.sort_unstable();
        let inputs = Arc::new(schema.project(&used).map_err(|error| ExprError::new(error.to_string()))?);
        let physical = reassign_expr_columns(physical, &inputs).map_err(fail)?;
        let data_type = physical.data_type(&inputs).map_err(fail)?;
        let nullable = physical.nullable(&inputs).map_err(fail)?;
        let columns = inputs.fields().iter().map(|field| field.name().clone()).collect();
        Ok(Self { sql: sql.to_owned(), physical, inputs, columns, data_type, nullable })
    }

    /// As [`Expression::compile`], for a condition: its value must be boolean.
    pub fn condition(sql: &str, schema: &SchemaRef) -> Result<Self, ExprError> {
        let expression = Self::compile(sql, schema)?;
        if expression.data_type != DataType::Boolean {
            let mut error = ExprError::new(format!(
                "a condition must be true or false, but this is {}",
                expression.data_type
            ));
            error.help = Some("compare it with something, as in `amount > 0`".to_owned());
            return Err(error);
        }
        Ok(expression)
    }

    /// The text it was made from.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The type of its value.
    pub fn data_type(&self) -> &DataType {
        &self.data_type
    }

    /// Whether its value can be null.
    pub fn nullable(&self) -> bool {
        self.nullable
    }

    /// The columns it reads, in schema order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Its value for each row of `records`. The batch may have other columns too, and its columns in
    /// another order than the schema that the expression was planned on: they are found by name.
    pub fn evaluate(&self, records: &RecordBatch) -> Result<ArrayRef> {
        let inputs = self.narrow(records)?;
        let value = self.physical.evaluate(&inputs).and_then(|value| value.into_array(inputs.num_rows()));
        value.map_err(|cause| {
            let reason = reason(&cause);
            Error::config(format!("`{}` failed: {reason}", self.sql))
        })
    }

    /// The rows of `records` for which the condition is true: neither false nor null.
    pub fn filter(&self, records: &RecordBatch) -> Result<RecordBatch> {
        let value = self.evaluate(records)?;
        keep(records, value.as_boolean())
    }

    fn narrow(&self, records: &RecordBatch) -> Result<RecordBatch> {
        let column = |field: &Arc<arrow::datatypes::Field>| {
            let column = records.column_by_name(field.name()).cloned();
            column.ok_or_else(|| Error::permanent(format!("column `{}` is not in the batch", field.name())))
        };
        let columns = self.inputs.fields().iter().map(column).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(records.num_rows()));
        RecordBatch::try_new_with_options(self.inputs.clone(), columns, &options)
            .map_err(|cause| Error::permanent("the batch does not have the planned schema").caused_by(cause))
    }
}

/// The rows for which `mask` is true; the batch itself where that is all of them.
pub(super) fn keep(records: &RecordBatch, mask: &BooleanArray) -> Result<RecordBatch> {
    let mask = if mask.null_count() > 0 { &prep_null_mask_filter(mask) } else { mask };
    if mask.true_count() == records.num_rows() {
        return Ok(records.clone());
    }
    filter_record_batch(records, mask)
        .map_err(|cause| Error::permanent("cannot filter a batch").caused_by(cause))
}

/// What went wrong with a value, without DataFusion's labels.
fn reason(error: &DataFusionError) -> String {
    let text = match error {
        DataFusionError::ArrowError(cause, _) => cause.to_string(),
        other => other.strip_backtrace(),
    };
    let text = ["Arrow error: ", "Cast error: ", "Execution error: "]
        .iter()
        .fold(text.as_str(), |text, label| text.strip_prefix(label).unwrap_or(text));
    text.lines().next().unwrap_or_default().to_owned()
}

/// An Arrow type by its SQL name: `BIGINT`, `DECIMAL(18,2)`, `TIMESTAMP`.
pub fn parse_type(name: &str) -> Result<DataType, ExprError> {
    let schema: SchemaRef = Arc::new(Schema::empty());
    let cast = Expression::compile(&format!("CAST(NULL AS {name})"), &schema);
    cast.map(|expression| expression.data_type).map_err(|error| ExprError {
        message: format!("`{name}` is not a type"),
        range: None,
        help: Some(format!(
            "types are written as in SQL: BIGINT, DOUBLE, VARCHAR, DECIMAL(18,2), TIMESTAMP, DATE; {error}"
        )),
    })
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expression")
            .field("sql", &self.sql)
            .field("data_type", &self.data_type)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, Int64Array, StringArray, StructArray};
    use arrow::datatypes::{Field, Int64Type};

    use super::*;

    fn batch() -> RecordBatch {
        let device = StructArray::from(vec![(
            Arc::new(Field::new("os", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec![Some("ios"), None, Some("linux")])) as ArrayRef,
        )]);
        RecordBatch::try_from_iter_with_nullable([
            ("userId", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef, true),
            ("price", Arc::new(Float64Array::from(vec![Some(1.5), None, Some(-1.0)])) as _, true),
            ("device", Arc::new(device) as _, true),
        ])
        .unwrap()
    }

    fn ids(records: &RecordBatch) -> Vec<i64> {
        records.column(0).as_primitive::<Int64Type>().values().to_vec()
    }

    #[test]
    fn null_is_not_true_and_names_keep_their_case() {
        let batch = batch();
        let condition = Expression::condition("price > 0 OR userId = 3", &batch.schema()).unwrap();
        assert_eq!(condition.columns(), ["userId", "price"]);
        assert_eq!(ids(&condition.filter(&batch).unwrap()), [1, 3]);
    }

    #[test]
    fn nested_fields_functions_and_decimals_work() {
        let batch = batch();
        let os = Expression::compile("upper(device['os'])", &batch.schema()).unwrap();
        assert_eq!(os.columns(), ["device"]);
        let values = os.evaluate(&batch).unwrap();
        assert_eq!(values.as_string::<i32>().iter().collect::<Vec<_>>(), [Some("IOS"), None, Some("LINUX")]);
        let total = Expression::compile("CAST(price AS DECIMAL(18,2)) * 2", &batch.schema()).unwrap();
        assert!(matches!(total.data_type(), DataType::Decimal128(_, 2)), "{}", total.data_type());
    }

    #[test]
    fn columns_are_found_by_name_in_another_order() {
        let batch = batch();
        let sum = Expression::compile("userId + price", &batch.schema()).unwrap();
        let turned = batch.project(&[2, 1, 0]).unwrap();
        assert_eq!(&sum.evaluate(&turned).unwrap(), &sum.evaluate(&batch).unwrap());
    }

    #[test]
    fn mistakes_are_named_with_their_place_and_what_was_meant() {
        let schema = batch().schema();
        let error = Expression::compile("prise > 1", &schema).unwrap_err();
        assert_eq!(error.message, "there is no column `prise`");
        assert_eq!(error.range, Some(0..5));
        assert!(error.help.unwrap().starts_with("did you mean `price`?"));
        let error = Expression::condition("price + 1", &schema).unwrap_err();
        assert_eq!(error.message, "a condition must be true or false, but this is Float64");
        let error = Expression::compile("price > ", &schema).unwrap_err();
        assert!(!error.message.contains("ParserError"), "{}", error.message);
        let error = Expression::compile("uper('x')", &schema).unwrap_err();
        assert_eq!(error.message, "there is no function `uper`");
        assert!(Expression::compile("price + device", &schema).is_err());
    }

    #[test]
    fn a_value_that_cannot_be_cast_is_an_error_not_a_null() {
        let batch =
            RecordBatch::try_from_iter([("t", Arc::new(StringArray::from(vec!["1", "x"])) as ArrayRef)])
                .unwrap();
        let cast = Expression::compile("CAST(t AS BIGINT)", &batch.schema()).unwrap();
        let error = cast.evaluate(&batch).unwrap_err();
        assert!(error.message.contains("Cannot cast string 'x' to value of Int64"), "{}", error.message);
    }

    #[test]
    fn types_have_their_sql_names() {
        assert_eq!(parse_type("BIGINT").unwrap(), DataType::Int64);
        assert_eq!(parse_type("DECIMAL(18,2)").unwrap(), DataType::Decimal128(18, 2));
        assert!(parse_type("BIGGINT").is_err());
    }
}
