//! A plan for people: lanes, hops, what is pushed down, memory, promise.

use serde::Serialize;

use super::{Endpoint, Plan};
use crate::batch::EdgeLimits;
use crate::component::Promise;

/// What `dataflare explain` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The workflow's id.
    pub workflow: String,
    /// Lanes at most.
    pub lanes: usize,
    /// Each hop, in order.
    pub hops: Vec<Hop>,
    /// Bytes that edges may hold, all lanes together.
    pub edge_bytes: u64,
    /// Bytes that joins, sorts and aggregates may hold before they spill; zero where there is none.
    pub relation_bytes: u64,
    /// When checkpoints are made.
    pub checkpoints: String,
    /// What is promised of a record after a crash.
    pub promise: Promise,
    /// The destination that is the reason for a promise below `exactly_once`.
    pub weakest: Option<String>,
}

/// One hop of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hop {
    /// `source`, `chain`, `relation` or `destination`.
    pub role: &'static str,
    /// Components in it, as `name (type)`.
    pub components: Vec<String>,
    /// Lanes it runs in.
    pub lanes: usize,
    /// Who feeds it.
    pub inputs: Vec<String>,
    /// Columns that leave it, as `name: type`, for a destination with the type it is written as.
    pub columns: Vec<String>,
    /// What else is to be said: what is pushed down, what gathers lanes.
    pub notes: Vec<String>,
}

/// Explains `plan` for a machine that runs `lanes` lanes.
pub fn explain(plan: &Plan, lanes: usize, edge: EdgeLimits) -> Explanation {
    let asked: Vec<usize> = plan.sources.iter().map(|node| node.parallelism.unwrap_or(lanes)).collect();
    let widths = plan.widths(&asked);
    let mut hops: Vec<Hop> =
        plan.sources.iter().zip(&widths.sources).map(|(node, lanes)| source(node, *lanes)).collect();
    for (stage, lanes) in plan.stages.iter().zip(&widths.stages) {
        hops.push(Hop {
            role: if stage.blocking { "relation" } else { "chain" },
            components: stage
                .members
                .iter()
                .map(|member| format!("{} ({})", member.name, member.kind))
                .collect(),
            lanes: *lanes,
            inputs: stage.inputs.iter().map(|edge| plan.endpoint_name(edge.from)).collect(),
            columns: stage.members.last().map(|member| outputs(&*member.planned)).unwrap_or_default(),
            notes: if stage.blocking {
                vec!["gathers all lanes; spills beyond its memory".into()]
            } else {
                Vec::new()
            },
        });
    }
    for (node, lanes) in plan.destinations.iter().zip(&widths.destinations) {
        let mapping = node.destination.mapping(&node.schema);
        let columns = node.schema.fields().iter().zip(mapping);
        hops.push(Hop {
            role: "destination",
            components: vec![format!("{} ({})", node.name, node.kind)],
            lanes: *lanes,
            inputs: node.inputs.iter().map(|edge| plan.endpoint_name(edge.from)).collect(),
            columns: columns.map(|(field, held)| format!("{}: {held}", field.name())).collect(),
            notes: vec![node.destination.promise().describe().to_owned()],
        });
    }
    let edges: usize = hops.iter().map(|hop| hop.inputs.len() * hop.lanes).sum();
    let (promise, weakest) = plan.promise();
    let blocking = plan.stages.iter().any(|stage| stage.blocking);
    Explanation {
        workflow: plan.workflow.id.clone(),
        lanes,
        hops,
        edge_bytes: (edges * edge.bytes) as u64,
        relation_bytes: if blocking { plan.workflow.settings.memory / 2 } else { 0 },
        checkpoints: plan.checkpoints(),
        promise,
        weakest: weakest.map(str::to_owned),
    }
}

fn source(node: &super::SourceNode, lanes: usize) -> Hop {
    let mut notes = Vec::new();
    let (kept, all) = (node.scan.schema.fields().len(), node.schema.fields().len());
    if kept < all {
        notes.push(format!("pushed down: {kept} of {all} columns are read"));
    }
    if let Some(filter) = &node.scan.filter {
        notes.push(format!("pushed down: where {}", filter.sql()));
    }
    Hop {
        role: "source",
        components: vec![format!("{} ({})", node.name, node.kind)],
        lanes,
        inputs: Vec::new(),
        columns: node
            .scan
            .schema
            .fields()
            .iter()
            .map(|field| format!("{}: {}", field.name(), field.data_type()))
            .collect(),
        notes,
    }
}

fn outputs(planned: &dyn crate::component::Planned) -> Vec<String> {
    let ports = planned.outputs().iter();
    ports
        .flat_map(|port| {
            port.schema.fields().iter().map(|field| format!("{}: {}", field.name(), field.data_type()))
        })
        .collect()
}

impl Plan {
    /// Who writes `endpoint`, as users name it.
    pub fn endpoint_name(&self, endpoint: Endpoint) -> String {
        match endpoint {
            Endpoint::Source(index) => self.sources[index].name.clone(),
            Endpoint::SourceRejects(index) => format!("{}'s rejects", self.sources[index].name),
            Endpoint::Stage { stage, port } => {
                let member = self.stages[stage].members.last().expect("a stage has at least one member");
                match member.planned.outputs().get(port).map(|port| port.name.as_str()) {
                    None | Some("") => member.name.clone(),
                    Some(port) => format!("{}.{port}", member.name),
                }
            }
            Endpoint::StageRejects { stage, member } => {
                format!("{}'s rejects", self.stages[stage].members[member].name)
            }
        }
    }
}
