//! DataFlare as a library: a workflow with a source and a processor of one's own, followed by a callback.
//!
//! `cargo run --example library`

use std::error::Error as StdError;
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use dataflare_core::Result;
use dataflare_core::actor::{Engine, RunOptions};
use dataflare_core::component::{
    Build, Component, Input, Options, Output, Planned, Port, Position, Problem, Processor, ProcessorContext,
    Read, Reader, Records, Registry, RoleEntry, Scan, Source, Split, Stage,
};
use dataflare_core::event::{Event, EventBus};
use dataflare_core::plan::{Schemas, check};
use dataflare_core::workflow::{LoadOptions, load_str, render};
use schemars::JsonSchema;
use serde::Deserialize;

const WORKFLOW: &str = "
version: 1
id: fibonacci
settings: { checkpoint: { store: out/library-state } }
sources:
  numbers: { type: fibonacci, config: { count: 20 } }
processors:
  even: { type: even, inputs: [numbers] }
destinations:
  terminal: { type: stdout, inputs: [even] }
";

/// Options of `fibonacci`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FibonacciOptions {
    /// How many numbers.
    count: u64,
}

static FIBONACCI: Component = Component {
    name: "fibonacci",
    roles: &[RoleEntry {
        summary: "Gives Fibonacci numbers",
        example: "count: 20",
        options: || schemars::schema_for!(FibonacciOptions),
        build: Build::Source(|options: &Options| {
            let FibonacciOptions { count } = options.parse()?;
            Ok(Arc::new(Fibonacci { count }))
        }),
    }],
};

struct Fibonacci {
    count: u64,
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("number", DataType::Int64, false)]))
}

#[async_trait]
impl Source for Fibonacci {
    fn declared_schema(&self) -> Option<SchemaRef> {
        Some(schema())
    }

    async fn schema(&self) -> Result<SchemaRef> {
        Ok(schema())
    }

    async fn splits(&self) -> Result<Vec<Split>> {
        let detail = serde_json::Value::Null;
        Ok(vec![Split { id: "all".into(), version: None, bytes: None, rows: Some(self.count), detail }])
    }

    async fn open(&self, _: &Split, from: Option<&Position>, _: &Scan) -> Result<Box<dyn Reader>> {
        let next = from.and_then(|position| position.0.as_u64()).unwrap_or(0);
        Ok(Box::new(FibonacciReader { next, count: self.count }))
    }
}

struct FibonacciReader {
    next: u64,
    count: u64,
}

#[async_trait]
impl Reader for FibonacciReader {
    async fn read(&mut self) -> Result<Read> {
        if self.next >= self.count {
            return Ok(Read::End);
        }
        let number = (0..self.next).fold((0_i64, 1_i64), |(a, b), _| (b, a + b)).0;
        self.next += 1;
        let batch = RecordBatch::try_new(schema(), vec![Arc::new(Int64Array::from(vec![number]))]);
        let batch =
            batch.map_err(|cause| dataflare_core::Error::permanent("cannot make a row").caused_by(cause))?;
        let position = Position(serde_json::json!(self.next));
        Ok(Read::Records(Records { batch, rejects: Vec::new(), position, bytes: 8 }))
    }
}

/// Options of `even`: there are none.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EvenOptions {}

static EVEN: Component = Component {
    name: "even",
    roles: &[RoleEntry {
        summary: "Keeps even numbers",
        example: "{}",
        options: || schemars::schema_for!(EvenOptions),
        build: Build::Processor(plan_even),
    }],
};

fn plan_even(options: &Options, inputs: &[Input]) -> Result<Arc<dyn Planned>, Vec<Problem>> {
    options.parse::<EvenOptions>()?;
    Ok(Arc::new(Even { port: [Port { name: String::new(), schema: inputs[0].schema.clone() }] }))
}

struct Even {
    port: [Port; 1],
}

impl Planned for Even {
    fn outputs(&self) -> &[Port] {
        &self.port
    }

    fn needs(&self, _: &[Option<Vec<String>>]) -> Vec<Option<Vec<String>>> {
        vec![None]
    }

    fn start(&self, _: &ProcessorContext) -> Result<Stage> {
        Ok(Stage::Batches(Box::new(KeepEven)))
    }
}

struct KeepEven;

impl Processor for KeepEven {
    fn process(&mut self, _: usize, records: RecordBatch, out: &mut Output) -> Result<()> {
        let numbers = records.column(0).as_primitive::<Int64Type>();
        let even = numbers.iter().map(|number| number.map(|number| number % 2 == 0)).collect();
        let kept = arrow::compute::filter_record_batch(&records, &even);
        out.push(kept.map_err(|cause| dataflare_core::Error::permanent("cannot filter").caused_by(cause))?);
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn StdError>> {
    let registry = Registry::new(&[dataflare_connectors::COMPONENTS, &[&FIBONACCI, &EVEN]]);
    let loaded = load_str("fibonacci.yaml", WORKFLOW, &registry, &LoadOptions::bare());
    let Some(workflow) = loaded.workflow else {
        return Err(render(&loaded.diagnostics, &loaded.sources, false).into());
    };
    let plan = check(&Arc::new(workflow), &registry, &Schemas::new())
        .plan
        .ok_or("the workflow cannot be planned")?;
    let bus = EventBus::new();
    let _followed = bus.subscribe(|envelope| {
        if let Event::WorkflowFinished { summary } = &envelope.event {
            tracing::info!(rows = summary.rows_read(), "finished");
        }
    })?;
    let engine = Engine::start(bus)?;
    let handle = engine.run(plan, RunOptions::default());
    let summary = engine.runtime().block_on(handle.finished())?;
    assert_eq!(summary.rows_read(), 20);
    Ok(())
}
