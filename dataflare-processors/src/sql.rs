//! One SQL statement over one or more inputs.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use dataflare_core::Result;
use dataflare_core::component::{
    BatchStream, Build, Component, Input, Options, Output, Planned, Port, Problem, Processor,
    ProcessorContext, Relation, RoleEntry, Stage,
};
use dataflare_core::expr::Statement;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::reject::{key, problem};

/// The row of the table.
pub(crate) const COMPONENT: Component = Component {
    name: "sql",
    roles: &[RoleEntry {
        summary: "Runs one SQL statement: joins, aggregates, sorts, filters",
        example: "query: \"SELECT country, sum(amount) AS total FROM orders GROUP BY country\"",
        options: || schemars::schema_for!(SqlOptions),
        build: Build::Processor(build),
    }],
};

/// Options of `sql`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SqlOptions {
    /// One `SELECT`; its tables are the inputs, by the names under `inputs`. A statement that only
    /// filters and computes works record by record; one that aggregates, joins or sorts needs inputs
    /// that end, and spills to disk beyond `settings.memory`.
    query: String,
}

struct Sql {
    port: [Port; 1],
    statement: Statement,
}

fn build(options: &Options, inputs: &[Input]) -> Result<Arc<dyn Planned>, Vec<Problem>> {
    let SqlOptions { query } = options.parse()?;
    let statement =
        Statement::plan(&query, inputs).map_err(|error| vec![problem(vec![key("query")], error)])?;
    let endless = inputs.iter().find(|input| !input.bounded);
    if let (Some(clause), Some(input)) = (statement.blocking(), endless) {
        let message = format!("{clause} would have to keep all of `{}`, which never ends", input.name);
        return Err(vec![
            Problem::new(&["query"], message).help("filter and compute only, or read an input that ends"),
        ]);
    }
    let port = [Port { name: String::new(), schema: statement.schema().clone() }];
    Ok(Arc::new(Sql { port, statement }))
}

impl Planned for Sql {
    fn outputs(&self) -> &[Port] {
        &self.port
    }

    fn needs(&self, _: &[Option<Vec<String>>]) -> Vec<Option<Vec<String>>> {
        self.statement.needs().into_iter().map(Some).collect()
    }

    fn blocking(&self) -> bool {
        self.statement.blocking().is_some()
    }

    fn start(&self, context: &ProcessorContext) -> Result<Stage> {
        let statement = self.statement.clone();
        if self.blocking() {
            Ok(Stage::Streams(Box::new(Whole { statement, context: context.clone() })))
        } else {
            Ok(Stage::Batches(Box::new(EachBatch(statement))))
        }
    }
}

struct EachBatch(Statement);

impl Processor for EachBatch {
    fn process(&mut self, input: usize, records: RecordBatch, out: &mut Output) -> Result<()> {
        self.0.apply(input, records)?.into_iter().for_each(|batch| out.push(batch));
        Ok(())
    }
}

struct Whole {
    statement: Statement,
    context: ProcessorContext,
}

impl Relation for Whole {
    fn run(self: Box<Self>, inputs: Vec<Vec<BatchStream>>) -> Result<BatchStream> {
        self.statement.run(inputs, &self.context)
    }
}
