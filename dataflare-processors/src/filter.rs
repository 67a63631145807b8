//! Keeps the rows that meet a condition.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use dataflare_core::component::{
    Build, Component, Input, Options, Output, Planned, Port, Problem, Processor, ProcessorContext, RoleEntry,
    Stage,
};
use dataflare_core::expr::{Expression, evaluate_rows};
use dataflare_core::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::reject::{key, problem, rejects};

/// The row of the table.
pub(crate) const COMPONENT: Component = Component {
    name: "filter",
    roles: &[RoleEntry {
        summary: "Keeps the rows that meet an SQL condition",
        example: "where: \"status = 'paid'\"",
        options: || schemars::schema_for!(FilterOptions),
        build: Build::Processor(build),
    }],
};

/// Options of `filter`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FilterOptions {
    /// An SQL condition over the input's columns. Rows for which it is false or null are left out, and
    /// are not counted as rejected. Several inputs must have the same columns.
    #[serde(rename = "where")]
    condition: String,
}

struct Filter {
    port: [Port; 1],
    condition: Arc<Expression>,
    inputs: usize,
}

fn build(options: &Options, inputs: &[Input]) -> Result<Arc<dyn Planned>, Vec<Problem>> {
    let FilterOptions { condition } = options.parse()?;
    let schema = same_schema(inputs)?;
    let condition = Expression::condition(&condition, &schema);
    let condition = condition.map_err(|error| vec![problem(vec![key("where")], error)])?;
    let port = [Port { name: String::new(), schema }];
    Ok(Arc::new(Filter { port, condition: Arc::new(condition), inputs: inputs.len() }))
}

/// The schema that all inputs have.
pub(crate) fn same_schema(inputs: &[Input]) -> Result<SchemaRef, Vec<Problem>> {
    let Some((first, others)) = inputs.split_first() else {
        return Err(vec![Problem::new(&[], "has no inputs")]);
    };
    for other in others {
        if other.schema != first.schema {
            let message = format!("`{}` and `{}` do not have the same columns", first.name, other.name);
            return Err(vec![
                Problem::new(&[], message).help("bring them into the same shape with `map` before"),
            ]);
        }
    }
    Ok(first.schema.clone())
}

impl Planned for Filter {
    fn outputs(&self) -> &[Port] {
        &self.port
    }

    fn needs(&self, wanted: &[Option<Vec<String>>]) -> Vec<Option<Vec<String>>> {
        let columns = wanted.first().cloned().flatten().map(|mut columns| {
            columns.extend_from_slice(self.condition.columns());
            columns
        });
        vec![columns; self.inputs]
    }

    fn condition(&self) -> Option<Arc<Expression>> {
        Some(Arc::clone(&self.condition))
    }

    fn start(&self, _: &ProcessorContext) -> Result<Stage> {
        Ok(Stage::Batches(Box::new(Keep(Arc::clone(&self.condition)))))
    }
}

struct Keep(Arc<Expression>);

impl Processor for Keep {
    fn process(&mut self, _: usize, records: RecordBatch, out: &mut Output) -> Result<()> {
        match self.0.filter(&records) {
            Ok(kept) => out.push(kept),
            Err(_) => {
                let (good, values, failures) = evaluate_rows(&[&self.0], &records)?;
                let kept = filter_record_batch(&good, values[0].as_boolean())
                    .map_err(|cause| Error::permanent("cannot filter a batch").caused_by(cause))?;
                out.push(kept);
                out.rejects.extend(rejects(&records, failures));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    fn filter(condition: &str, records: &RecordBatch) -> Output {
        let options = Options { component: "f".into(), value: serde_json::json!({ "where": condition }) };
        let input = Input { name: "in".into(), schema: records.schema(), bounded: true };
        let planned = build(&options, &[input]).unwrap();
        let context = ProcessorContext {
            memory_bytes: 1 << 20,
            spill_dir: std::env::temp_dir(),
            parallelism: 1,
            batch_rows: 8192,
        };
        let Stage::Batches(mut processor) = planned.start(&context).unwrap() else {
            panic!("batch by batch")
        };
        let mut out = Output::default();
        processor.process(0, records.clone(), &mut out).unwrap();
        out
    }

    #[test]
    fn rows_whose_condition_fails_are_rejected_and_the_others_judged() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["5", "x", "1"]));
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        let records = RecordBatch::try_from_iter([("id", ids), ("t", texts)]).unwrap();
        let out = filter("CAST(t AS BIGINT) > 2", &records);
        assert_eq!(out.batches[0].1.num_rows(), 1);
        assert_eq!(out.rejects.len(), 1);
        assert_eq!(out.rejects[0].raw, br#"{"id":2,"t":"x"}"#);
    }

    #[test]
    fn what_the_condition_reads_is_needed_too() {
        let schema = RecordBatch::try_from_iter([
            ("a", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
            ("b", Arc::new(Int64Array::from(vec![1])) as _),
            ("c", Arc::new(Int64Array::from(vec![1])) as _),
        ]);
        let options = Options { component: "f".into(), value: serde_json::json!({ "where": "b > 0" }) };
        let input = Input { name: "in".into(), schema: schema.unwrap().schema(), bounded: true };
        let planned = build(&options, &[input]).unwrap();
        assert_eq!(planned.needs(&[Some(vec!["a".into()])]), [Some(vec!["a".to_owned(), "b".to_owned()])]);
        assert_eq!(planned.needs(&[None]), [None]);
    }
}
