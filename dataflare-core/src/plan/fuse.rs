//! Turns built components into nodes: consecutive processors that work batch by batch become one hop.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::build::{Builder, Scans};
use super::{DestinationNode, Endpoint, InputEdge, Member, Plan, SourceNode, StageNode};
use crate::component::Role;

/// The plan; everything has been checked.
pub(super) fn fuse(
    builder: &Builder<'_>,
    order: &[String],
    schemas: &BTreeMap<String, SchemaRef>,
    mut scans: Scans,
) -> Plan {
    let workflow = builder.workflow();
    let sources: Vec<_> = workflow
        .components
        .iter()
        .filter(|spec| spec.role == Role::Source)
        .map(|spec| SourceNode {
            name: spec.name.clone(),
            kind: spec.kind.clone(),
            source: Arc::clone(&builder.sources[&spec.name]),
            schema: schemas[&spec.name].clone(),
            scan: scans.remove(&spec.name).expect("every source has been given a scan"),
            on_error: spec.on_error.clone(),
            parallelism: spec.parallelism,
        })
        .collect();
    let mut places = Places::default();
    for (index, node) in sources.iter().enumerate() {
        places.0.insert(node.name.clone(), Place::Source(index));
    }
    let mut plan =
        Plan { workflow: Arc::clone(&workflow), sources, stages: Vec::new(), destinations: Vec::new() };
    for name in order {
        add_processor(builder, name, &mut plan, &mut places);
    }
    for spec in workflow.components.iter().filter(|spec| spec.role == Role::Destination) {
        let rejects = builder.dead_letters_of(&spec.name).map(|from| places.rejects(&from.name));
        let records = spec.inputs.iter().map(|input| places.output(builder, input));
        let inputs = records.chain(rejects).map(|from| InputEdge { from, input: 0 }).collect();
        plan.destinations.push(DestinationNode {
            name: spec.name.clone(),
            kind: spec.kind.clone(),
            destination: Arc::clone(&builder.destinations[&spec.name]),
            schema: builder.destination_schemas[&spec.name].clone(),
            inputs,
            parallelism: spec.parallelism,
        });
    }
    plan
}

fn add_processor(builder: &Builder<'_>, name: &str, plan: &mut Plan, places: &mut Places) {
    let spec = builder.specs[name];
    let planned = Arc::clone(&builder.processors[name].planned);
    let member = Member {
        name: name.to_owned(),
        kind: spec.kind.clone(),
        on_error: spec.on_error.clone(),
        planned: Arc::clone(&planned),
    };
    if let Some(stage) = fusable(builder, name, plan, places) {
        plan.stages[stage].members.push(member);
        let member = plan.stages[stage].members.len() - 1;
        places.0.insert(name.to_owned(), Place::Member { stage, member });
        return;
    }
    let edges = spec.inputs.iter().enumerate();
    let inputs = edges.map(|(input, from)| InputEdge { from: places.output(builder, from), input }).collect();
    let blocking = planned.blocking();
    plan.stages.push(StageNode { members: vec![member], inputs, blocking, parallelism: spec.parallelism });
    places.0.insert(name.to_owned(), Place::Member { stage: plan.stages.len() - 1, member: 0 });
}

/// The stage that processor `name` can be appended to: the one that feeds it, where nobody else reads that.
fn fusable(builder: &Builder<'_>, name: &str, plan: &Plan, places: &Places) -> Option<usize> {
    let spec = builder.specs[name];
    let [input] = spec.inputs.as_slice() else { return None };
    let before = builder.input_component(input);
    let Some(Place::Member { stage, member }) = places.0.get(before) else { return None };
    let node = &plan.stages[*stage];
    let last = *member + 1 == node.members.len();
    let only_output = builder.processors[before].planned.outputs().len() == 1;
    let readers = builder.specs.values().flat_map(|spec| &spec.inputs);
    let only_reader = readers.filter(|input| builder.input_component(input) == before).count() == 1;
    let per_batch = !node.blocking && !builder.processors[name].planned.blocking();
    let same_lanes = spec.parallelism.is_none() || spec.parallelism == node.parallelism;
    (last && only_output && only_reader && per_batch && same_lanes).then_some(*stage)
}

/// Where each component stands in the plan.
#[derive(Default)]
struct Places(BTreeMap<String, Place>);

#[derive(Clone, Copy)]
enum Place {
    Source(usize),
    Member { stage: usize, member: usize },
}

impl Places {
    fn output(&self, builder: &Builder<'_>, input: &str) -> Endpoint {
        let component = builder.input_component(input);
        match self.0[component] {
            Place::Source(index) => Endpoint::Source(index),
            Place::Member { stage, .. } => {
                let port = builder.port(input).ok().flatten().map_or(0, |(port, _)| port);
                Endpoint::Stage { stage, port }
            }
        }
    }

    fn rejects(&self, component: &str) -> Endpoint {
        match self.0[component] {
            Place::Source(index) => Endpoint::SourceRejects(index),
            Place::Member { stage, member } => Endpoint::StageRejects { stage, member },
        }
    }
}
