//! Rows that an expression fails on: found by halving, so that the others go on.

use std::collections::VecDeque;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{concat, concat_batches};
use arrow::json::writer::{LineDelimited, WriterBuilder};

use super::Expression;
use crate::{Error, Result};

/// A row that an expression failed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFailure {
    /// Its number in the batch.
    pub row: usize,
    /// Why.
    pub error: String,
}

/// Evaluates all of `expressions` on the rows where none of them fails: those rows, a value array an
/// expression, and the rows that are left out. Costs nothing extra while no row fails.
pub fn evaluate_rows(
    expressions: &[&Expression],
    records: &RecordBatch,
) -> Result<(RecordBatch, Vec<ArrayRef>, Vec<RowFailure>)> {
    let all = |part: &RecordBatch| expressions.iter().map(|expression| expression.evaluate(part)).collect();
    let whole: Result<Vec<ArrayRef>> = all(records);
    if let Ok(values) = whole {
        return Ok((records.clone(), values, Vec::new()));
    }
    let mut good: Vec<(RecordBatch, Vec<ArrayRef>)> = Vec::new();
    let mut failures = Vec::new();
    let mut parts = VecDeque::from([(0, records.num_rows())]);
    while let Some((start, rows)) = parts.pop_front() {
        let part = records.slice(start, rows);
        match all(&part) {
            Ok(values) => good.push((part, values)),
            Err(error) if rows <= 1 => failures.push(RowFailure { row: start, error: error.message }),
            Err(_) => {
                let half = rows / 2;
                parts.push_front((start + half, rows - half));
                parts.push_front((start, half));
            }
        }
    }
    let fail = |cause| Error::permanent("cannot put a batch together again").caused_by(cause);
    let kept = concat_batches(&records.schema(), good.iter().map(|(part, _)| part)).map_err(fail)?;
    let column = |number: usize| {
        let parts: Vec<_> = good.iter().map(|(_, values)| values[number].as_ref()).collect();
        if parts.is_empty() {
            Ok(arrow::array::new_empty_array(expressions[number].data_type()))
        } else {
            concat(&parts).map_err(fail)
        }
    };
    let values = (0..expressions.len()).map(column).collect::<Result<_>>()?;
    Ok((kept, values, failures))
}

/// One row as one JSON object, nulls included; empty where JSON cannot hold one of its types.
pub fn row_json(records: &RecordBatch, row: usize) -> Vec<u8> {
    let mut text = Vec::new();
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(&mut text);
    let written = writer.write(&records.slice(row, 1)).and_then(|()| writer.finish());
    drop(writer);
    if written.is_err() {
        text.clear();
    }
    text.truncate(text.trim_ascii_end().len());
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, StringArray};
    use arrow::datatypes::Int64Type;

    use super::*;

    #[test]
    fn only_the_rows_that_fail_are_left_out() {
        let texts: Vec<String> =
            (0..1000).map(|n| if n % 300 == 7 { "bad".into() } else { n.to_string() }).collect();
        let batch =
            RecordBatch::try_from_iter([("t", Arc::new(StringArray::from(texts)) as ArrayRef)]).unwrap();
        let cast = Expression::compile("CAST(t AS BIGINT)", &batch.schema()).unwrap();
        let (kept, values, failures) = evaluate_rows(&[&cast], &batch).unwrap();
        let rows: Vec<_> = failures.iter().map(|failure| failure.row).collect();
        assert_eq!(rows, [7, 307, 607, 907]);
        assert_eq!(kept.num_rows(), 996);
        let expected: Vec<i64> = (0..1000).filter(|n| n % 300 != 7).collect();
        assert_eq!(values[0].as_primitive::<Int64Type>().values(), expected.as_slice());
        assert_eq!(row_json(&batch, 7), br#"{"t":"bad"}"#);
    }
}
