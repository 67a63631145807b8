//! Joins pumps with edges: every node of a plan in each of its lanes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::regions::lanes;
use crate::batch::{EdgeLimits, FlowReceiver, FlowSender, edge};
use crate::component::{Planned, ProcessorContext, Run, Stage, Writer};
use crate::event::{Meter, Meters};
use crate::plan::{Endpoint, Plan, StageNode, Widths};
use crate::pump::{ChainMember, ChainPump, Inlets, Outlets, RejectOutlet, RelationPump};
use crate::workflow::{OnError, Settings};
use crate::{Error, Result};

/// All edges of one attempt, taken apart pump by pump.
pub(crate) struct Wiring {
    senders: BTreeMap<(Endpoint, usize), Vec<FlowSender>>,
    stage_inlets: BTreeMap<(usize, usize), Vec<(usize, FlowReceiver)>>,
    destination_inlets: BTreeMap<(usize, usize), Vec<(usize, FlowReceiver)>>,
    context: ProcessorContext,
    meters: Meters,
}

/// What runs in one lane of one stage.
pub(crate) enum StagePump {
    Chain(ChainPump),
    Relation(RelationPump),
}

/// The items that an edge holds at most; its bytes are what binds.
const EDGE_ITEMS: usize = 4;

/// The bounds of each edge of a plan: together they hold no more than an eighth of the memory.
pub(crate) fn edge_limits(settings: &Settings, edges: usize) -> EdgeLimits {
    let share = settings.memory / 8 / edges.max(1) as u64;
    let bytes = share.min(settings.batch_bytes.saturating_mul(2)).max(64 << 10);
    EdgeLimits { items: EDGE_ITEMS, bytes: usize::try_from(bytes).unwrap_or(usize::MAX) }
}

/// The bounds of each edge of `plan` when its sources run in `lanes` lanes; for `explain`.
pub fn planned_edge_limits(plan: &Plan, lanes: usize) -> EdgeLimits {
    let asked: Vec<usize> = plan.sources.iter().map(|node| node.parallelism.unwrap_or(lanes)).collect();
    edge_limits(&plan.workflow.settings, edge_count(plan, &plan.widths(&asked)))
}

/// How many edges a plan has with these lanes.
pub(crate) fn edge_count(plan: &Plan, widths: &Widths) -> usize {
    let inputs = plan.stages.iter().map(|stage| &stage.inputs);
    let inputs = inputs.chain(plan.destinations.iter().map(|node| &node.inputs));
    inputs.flatten().map(|input| widths.of(input.from)).sum()
}

impl Wiring {
    /// Makes the edges.
    pub(crate) fn new(plan: &Plan, widths: &Widths, spill_dir: PathBuf, meters: Meters) -> Self {
        let settings = &plan.workflow.settings;
        let limits = edge_limits(settings, edge_count(plan, widths));
        let relations = plan.stages.iter().filter(|stage| stage.blocking).count().max(1) as u64;
        let context = ProcessorContext {
            memory_bytes: usize::try_from(settings.memory / 2 / relations).unwrap_or(usize::MAX),
            spill_dir,
            parallelism: widths.sources.iter().copied().max().unwrap_or(1),
            batch_rows: settings.batch_rows,
        };
        let mut wiring = Self {
            senders: BTreeMap::new(),
            stage_inlets: BTreeMap::new(),
            destination_inlets: BTreeMap::new(),
            context,
            meters,
        };
        let stages = plan.stages.iter().map(|stage| &stage.inputs).zip(&widths.stages).enumerate();
        for (node, (inputs, width)) in stages {
            for input in inputs {
                for (from, to) in lanes(widths.of(input.from), *width) {
                    let receiver = wiring.edge(limits, input.from, from);
                    wiring.stage_inlets.entry((node, to)).or_default().push((input.input, receiver));
                }
            }
        }
        let destinations = plan.destinations.iter().zip(&widths.destinations).enumerate();
        for (node, (destination, width)) in destinations {
            for input in &destination.inputs {
                for (from, to) in lanes(widths.of(input.from), *width) {
                    let receiver = wiring.edge(limits, input.from, from);
                    wiring.destination_inlets.entry((node, to)).or_default().push((0, receiver));
                }
            }
        }
        wiring
    }

    fn edge(&mut self, limits: EdgeLimits, from: Endpoint, lane: usize) -> FlowReceiver {
        let (sender, receiver) = edge(limits);
        self.senders.entry((from, lane)).or_default().push(sender);
        receiver
    }

    /// The outlets of a source in one lane.
    pub(crate) fn source_outlets(
        &mut self,
        plan: &Plan,
        node: usize,
        lane: usize,
    ) -> (Outlets, RejectOutlet) {
        let source = &plan.sources[node];
        let mut outlets = Outlets::new(vec![self.take(Endpoint::Source(node), lane)]);
        let rejects = self.rejects(&source.name, lane, &source.on_error, Endpoint::SourceRejects(node));
        outlets.follow(&rejects);
        (outlets, rejects)
    }

    /// The inlets of a destination in one lane.
    pub(crate) fn destination_inlets(&mut self, node: usize, lane: usize) -> Inlets {
        Inlets::new(self.destination_inlets.remove(&(node, lane)).unwrap_or_default())
    }

    /// What runs in one lane of a stage.
    pub(crate) fn stage(&mut self, stage: &StageNode, number: usize, lane: usize) -> Result<StagePump> {
        let inlets = Inlets::new(self.stage_inlets.remove(&(number, lane)).unwrap_or_default());
        let ports = stage.members.last().map_or(0, |member| member.planned.outputs().len());
        let edges = (0..ports).map(|port| self.take(Endpoint::Stage { stage: number, port }, lane)).collect();
        let mut outlets = Outlets::new(edges);
        let first = &stage.members[0];
        if stage.blocking {
            let started =
                first.planned.start(&self.context).map_err(|error| error.in_component(&first.name))?;
            let Stage::Streams(relation) = started else {
                return Err(
                    Error::permanent("a blocking processor must work on streams").in_component(&first.name)
                );
            };
            let rejects = Endpoint::StageRejects { stage: number, member: 0 };
            outlets.follow(&self.rejects(&first.name, lane, &first.on_error, rejects));
            return Ok(StagePump::Relation(RelationPump {
                component: first.name.clone(),
                inlets,
                inputs: stage.inputs.len(),
                relation,
                outlets,
                meter: self.meter(&first.name),
            }));
        }
        let mut members = Vec::new();
        for (position, member) in stage.members.iter().enumerate() {
            let rejects = Endpoint::StageRejects { stage: number, member: position };
            let rejects = self.rejects(&member.name, lane, &member.on_error, rejects);
            outlets.follow(&rejects);
            let respawn = respawn(Arc::clone(&member.planned), self.context.clone());
            members.push(ChainMember {
                component: member.name.clone(),
                processor: respawn().map_err(|error| error.in_component(&member.name))?,
                respawn,
                rejects,
                meter: self.meter(&member.name),
            });
        }
        Ok(StagePump::Chain(ChainPump { inlets, members, outlets }))
    }

    fn take(&mut self, endpoint: Endpoint, lane: usize) -> Vec<FlowSender> {
        self.senders.remove(&(endpoint, lane)).unwrap_or_default()
    }

    fn rejects(&mut self, component: &str, lane: usize, on_error: &OnError, from: Endpoint) -> RejectOutlet {
        let edge = self.take(from, lane).pop();
        RejectOutlet::new(component, lane, on_error.clone(), edge, self.meter(component))
    }

    /// The meter of a component of the plan.
    pub(crate) fn meter(&self, component: &str) -> Arc<Meter> {
        self.meters.meter(component).expect("there is a meter for every component of the workflow")
    }
}

fn respawn(planned: Arc<dyn Planned>, context: ProcessorContext) -> crate::pump::Respawn {
    Box::new(move || match planned.start(&context)? {
        Stage::Batches(processor) => Ok(processor),
        Stage::Streams(_) => Err(Error::permanent("only a blocking processor may work on streams")),
    })
}

/// A writer for every lane of every destination.
pub(crate) async fn writers(plan: &Plan, widths: &Widths, run: &Run) -> Result<Vec<Vec<Box<dyn Writer>>>> {
    let mut all = Vec::new();
    for (node, width) in plan.destinations.iter().zip(&widths.destinations) {
        let mut lanes = Vec::new();
        for index in 0..*width {
            let writer = node.destination.writer(run, &crate::component::Lane { index }).await;
            lanes.push(writer.map_err(|error| error.in_component(&node.name))?);
        }
        all.push(lanes);
    }
    Ok(all)
}
