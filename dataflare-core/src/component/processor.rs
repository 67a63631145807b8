//! Processors: what happens to records on their way.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use futures::stream::BoxStream;

use crate::Result;
use crate::batch::Reject;
use crate::expr::Expression;

/// A processor whose inputs' schemas are known: what a plan asks before anything runs.
pub trait Planned: Send + Sync {
    /// The outputs; the first is the default one.
    fn outputs(&self) -> &[Port];

    /// The columns needed of each input when `wanted` are needed of the outputs (by name, one list
    /// an output). `None` for an input means all.
    fn needs(&self, wanted: &[Option<Vec<String>>]) -> Vec<Option<Vec<String>>>;

    /// A condition that every row passed on has met, in the input's columns, where there is one.
    fn condition(&self) -> Option<Arc<Expression>> {
        None
    }

    /// Whether all input must be seen before all output is out, so that nothing can be committed
    /// before the input's end. Refused where an input is unbounded.
    fn blocking(&self) -> bool {
        false
    }

    /// An instance: one a lane for [`Stage::Batches`], one for all lanes for [`Stage::Streams`].
    fn start(&self, context: &ProcessorContext) -> Result<Stage>;
}

/// A named output and its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// The name by which `inputs: [component.name]` refers to it; empty for the only output.
    pub name: String,
    /// The schema of its records.
    pub schema: SchemaRef,
}

/// One input of a processor, at plan time.
#[derive(Debug, Clone)]
pub struct Input {
    /// What the workflow wrote under `inputs`; an SQL statement's table name.
    pub name: String,
    /// The schema of its records.
    pub schema: SchemaRef,
    /// Whether it ends by itself.
    pub bounded: bool,
}

/// How an instance wants its input.
pub enum Stage {
    /// Batch by batch, in each lane; consecutive ones are fused.
    Batches(Box<dyn Processor>),
    /// As streams, all lanes of all inputs at once.
    Streams(Box<dyn Relation>),
}

/// Works batch by batch. Plain and synchronous: unit-tested without a runtime.
pub trait Processor: Send {
    /// Takes records of input number `input` and pushes what comes of them to `out`.
    fn process(&mut self, input: usize, records: RecordBatch, out: &mut Output) -> Result<()>;

    /// The input has ended; pushes what was held back.
    fn finish(&mut self, out: &mut Output) -> Result<()> {
        _ = out;
        Ok(())
    }
}

/// Works on whole streams: joins, aggregates, sorts.
pub trait Relation: Send {
    /// `inputs[i]` holds input `i`'s streams, one a lane. The stream returned ends when the work is done.
    fn run(self: Box<Self>, inputs: Vec<Vec<BatchStream>>) -> Result<BatchStream>;
}

/// A stream of batches; an error ends it.
pub type BatchStream = BoxStream<'static, Result<RecordBatch>>;

/// What an instance may use.
#[derive(Debug, Clone)]
pub struct ProcessorContext {
    /// Bytes that sorts, joins and aggregates may hold before they spill.
    pub memory_bytes: usize,
    /// Where they spill; exists, and is removed after the run.
    pub spill_dir: PathBuf,
    /// Lanes at once.
    pub parallelism: usize,
    /// The most rows in a batch that is made anew.
    pub batch_rows: usize,
}

/// Collects what a processor makes of its input.
#[derive(Debug, Default)]
pub struct Output {
    /// Batches with the number of the output they belong to.
    pub batches: Vec<(usize, RecordBatch)>,
    /// Records that could not be processed.
    pub rejects: Vec<Reject>,
}

impl Output {
    /// Passes `records` on to the default output; empty batches are dropped.
    pub fn push(&mut self, records: RecordBatch) {
        self.push_to(0, records);
    }

    /// Passes `records` on to output number `port`; empty batches are dropped.
    pub fn push_to(&mut self, port: usize, records: RecordBatch) {
        if records.num_rows() > 0 {
            self.batches.push((port, records));
        }
    }
}
