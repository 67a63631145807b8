//! Workflow + components + schemas -> plan, or every mistake at once. Pure: no I/O.

mod build;
mod columns;
mod explain;
mod fuse;
mod graph;
mod lock;
mod mistake;
mod promise;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use crate::component::{Destination, Planned, Scan, Source};
use crate::workflow::{OnError, Workflow};

pub use build::{Checked, Schemas, check};
pub use explain::{Explanation, explain};
pub use graph::{Format as GraphFormat, graph};
pub use lock::Lock;
pub use mistake::{Mistake, Part};

/// What a run does, as nodes with edges; lanes multiply it when it is launched.
pub struct Plan {
    /// The workflow it was made from.
    pub workflow: Arc<Workflow>,
    /// Where records come from.
    pub sources: Vec<SourceNode>,
    /// What happens to them, in topological order.
    pub stages: Vec<StageNode>,
    /// Where they go.
    pub destinations: Vec<DestinationNode>,
}

/// A planned source.
pub struct SourceNode {
    /// The component's name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// The source.
    pub source: Arc<dyn Source>,
    /// All columns it could give.
    pub schema: SchemaRef,
    /// What is asked of it.
    pub scan: Scan,
    /// What becomes of records it cannot decode.
    pub on_error: OnError,
    /// Lanes at most, where that differs from the workflow's.
    pub parallelism: Option<usize>,
}

/// One hop: fused processors that work batch by batch, or one that works on whole streams.
pub struct StageNode {
    /// The processors, first to last; exactly one where it is `blocking`.
    pub members: Vec<Member>,
    /// Where the first member's records come from.
    pub inputs: Vec<InputEdge>,
    /// Whether it gathers all lanes and gives nothing that could be committed before its input ends.
    pub blocking: bool,
    /// Lanes at most, where that differs from its inputs'.
    pub parallelism: Option<usize>,
}

/// A planned processor.
pub struct Member {
    /// The component's name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// The processor.
    pub planned: Arc<dyn Planned>,
    /// What becomes of records it cannot process.
    pub on_error: OnError,
}

/// A planned destination.
pub struct DestinationNode {
    /// The component's name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// The destination.
    pub destination: Arc<dyn Destination>,
    /// The schema of what is written.
    pub schema: SchemaRef,
    /// Where its records come from.
    pub inputs: Vec<InputEdge>,
    /// Lanes at most, where that differs from its inputs'.
    pub parallelism: Option<usize>,
}

/// One edge of the plan, seen from who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputEdge {
    /// Who writes it.
    pub from: Endpoint,
    /// The number of the reader's input.
    pub input: usize,
}

/// Who writes an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// Source number `0`.
    Source(usize),
    /// What source number `0` rejects.
    SourceRejects(usize),
    /// An output of the last member of stage number `0`.
    Stage {
        /// The stage.
        stage: usize,
        /// The output.
        port: usize,
    },
    /// What a member of a stage rejects.
    StageRejects {
        /// The stage.
        stage: usize,
        /// The member.
        member: usize,
    },
}

impl Plan {
    /// Whether the run ends by itself.
    pub fn bounded(&self) -> bool {
        self.sources.iter().all(|node| node.source.bounded())
    }

    /// Tells one plan from another as far as a checkpoint is concerned: the sources and destinations
    /// by name and type. A changed expression or option does not forbid to resume.
    pub fn fingerprint(&self) -> String {
        let sources = self.sources.iter().map(|node| format!("{}:{}", node.name, node.kind));
        let destinations = self.destinations.iter().map(|node| format!("{}:{}", node.name, node.kind));
        let mut sources: Vec<_> = sources.collect();
        let mut destinations: Vec<_> = destinations.collect();
        sources.sort();
        destinations.sort();
        format!("{} -> {}", sources.join(","), destinations.join(","))
    }

    /// The node that writes `endpoint`, as `(is a source, its index)`.
    pub fn writer_of(endpoint: Endpoint) -> (bool, usize) {
        match endpoint {
            Endpoint::Source(index) | Endpoint::SourceRejects(index) => (true, index),
            Endpoint::Stage { stage, .. } | Endpoint::StageRejects { stage, .. } => (false, stage),
        }
    }

    /// How many lanes each node has when the sources have `sources` lanes each.
    pub fn widths(&self, sources: &[usize]) -> Widths {
        let mut widths = Widths { sources: sources.to_vec(), stages: Vec::new(), destinations: Vec::new() };
        for stage in &self.stages {
            let width = if stage.blocking { 1 } else { widths.common(&stage.inputs, stage.parallelism) };
            widths.stages.push(width);
        }
        for node in &self.destinations {
            let width = widths.common(&node.inputs, node.parallelism);
            widths.destinations.push(width);
        }
        widths
    }
}

/// Lanes by node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widths {
    /// Of the sources.
    pub sources: Vec<usize>,
    /// Of the stages.
    pub stages: Vec<usize>,
    /// Of the destinations.
    pub destinations: Vec<usize>,
}

impl Widths {
    /// Lanes of the writer of `endpoint`.
    pub fn of(&self, endpoint: Endpoint) -> usize {
        let (is_source, index) = Plan::writer_of(endpoint);
        if is_source { self.sources[index] } else { self.stages[index] }
    }

    /// As many as all inputs have, if they agree and no other number is asked for; else one, which
    /// gathers them.
    fn common(&self, inputs: &[InputEdge], asked: Option<usize>) -> usize {
        let mut widths = inputs.iter().map(|edge| self.of(edge.from));
        let first = widths.next().unwrap_or(1);
        let agree = widths.all(|width| width == first) && asked.is_none_or(|asked| asked == first);
        if agree { first } else { 1 }
    }
}
