//! One try at running a plan: its actors, its epochs, and how its pumps ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use actix::{Actor, Addr, Recipient};
use tokio::sync::mpsc;

use super::destination::DestinationActor;
use super::epochs::Epochs;
use super::launch::Launched;
use super::message::{Checkpoint, Finish, Proceed, StagedEpoch, Stop};
use super::processor::ProcessorActor;
use super::pump_task::Post;
use super::regions::{Instance, Pace, Region};
use super::source::{self, COMMANDS, SourceActor};
use super::splits::SplitQueue;
use super::wiring::Wiring;
use crate::component::{Split, Writer};
use crate::plan::{Plan, Widths};
use crate::pump::{DestinationPump, PumpError, SourcePump};
use crate::{Error, Result};

/// One try at running a plan.
pub(crate) struct Attempt {
    regions: Vec<Region>,
    ended: Vec<bool>,
    epochs: Epochs,
    sources: BTreeMap<Instance, Lane>,
    stages: Vec<Recipient<Stop>>,
    running: usize,
    cut: bool,
    failure: Option<Error>,
    draining: bool,
    interrupted: bool,
    _spill: tempfile::TempDir,
}

/// One lane of a source.
struct Lane {
    actor: Addr<SourceActor>,
    region: usize,
    exhausted: bool,
    last_split: Option<Arc<str>>,
}

impl Attempt {
    /// Starts all actors, those that read first last, so that nobody sends to one that is not there.
    pub(crate) fn start(plan: &Plan, launched: Launched, post: &Post) -> Result<Self> {
        let Launched { ledger, widths, regions, splits, writers, mut wiring, spill } = launched;
        let mut attempt = Self {
            ended: vec![false; regions.len()],
            epochs: Epochs::after(ledger.checkpoint.epoch),
            regions,
            sources: BTreeMap::new(),
            stages: Vec::new(),
            running: 0,
            cut: false,
            failure: None,
            draining: false,
            interrupted: false,
            _spill: spill,
        };
        attempt.start_destinations(plan, writers, &mut wiring, post);
        attempt.start_stages(plan, &widths, &mut wiring, post)?;
        attempt.start_sources(plan, &widths, &splits, &mut wiring, post);
        Ok(attempt)
    }

    fn start_destinations(
        &mut self,
        plan: &Plan,
        writers: Vec<Vec<Box<dyn Writer>>>,
        wiring: &mut Wiring,
        post: &Post,
    ) {
        for (number, (node, writers)) in plan.destinations.iter().zip(writers).enumerate() {
            for (lane, writer) in writers.into_iter().enumerate() {
                let post = Post { component: node.name.clone(), ..post.clone() };
                let inlets = wiring.destination_inlets(number, lane);
                let meter = wiring.meter(&node.name);
                let (workflow, attempt, destination) = (post.workflow.clone(), post.attempt, (number, lane));
                let pump = DestinationPump {
                    component: node.name.clone(),
                    lane,
                    inlets,
                    writer,
                    schema: node.schema.clone(),
                    report: Box::new(move |report| {
                        workflow.do_send(StagedEpoch { attempt, destination, report })
                    }),
                    meter,
                };
                self.add(DestinationActor::new(post, pump).start().recipient());
            }
        }
    }

    fn start_stages(&mut self, plan: &Plan, widths: &Widths, wiring: &mut Wiring, post: &Post) -> Result<()> {
        for (number, (stage, width)) in plan.stages.iter().zip(&widths.stages).enumerate() {
            let names: Vec<_> = stage.members.iter().map(|member| member.name.as_str()).collect();
            for lane in 0..*width {
                let pump = wiring.stage(stage, number, lane)?;
                let post = Post { component: names.join(" + "), ..post.clone() };
                self.add(ProcessorActor::new(post, pump).start().recipient());
            }
        }
        Ok(())
    }

    fn start_sources(
        &mut self,
        plan: &Plan,
        widths: &Widths,
        splits: &[Arc<Mutex<SplitQueue>>],
        wiring: &mut Wiring,
        post: &Post,
    ) {
        for (number, (node, width)) in plan.sources.iter().zip(&widths.sources).enumerate() {
            for lane in 0..*width {
                let post = Post { component: node.name.clone(), ..post.clone() };
                let (sender, commands) = mpsc::channel(COMMANDS);
                let (outlets, rejects) = wiring.source_outlets(plan, number, lane);
                let meter = wiring.meter(&node.name);
                let splits = Arc::clone(&splits[number]);
                let actor = SourceActor::create(|context| {
                    let lane_actor = actix::AsyncContext::address(context);
                    let pump = SourcePump {
                        component: node.name.clone(),
                        source: Arc::clone(&node.source),
                        scan: node.scan.clone(),
                        outlets,
                        rejects,
                        commands,
                        report: source::reporter(lane_actor, &post, (number, lane)),
                        meter,
                    };
                    SourceActor::new(post, (number, lane), splits, sender, pump)
                });
                self.add(actor.clone().recipient());
                let region = self.regions.iter().position(|region| region.sources.contains(&(number, lane)));
                let region = region.expect("every source pump is in a region");
                let lane_state = Lane { actor, region, exhausted: false, last_split: None };
                self.sources.insert((number, lane), lane_state);
            }
        }
    }

    fn add(&mut self, stage: Recipient<Stop>) {
        self.stages.push(stage);
        self.running += 1;
    }

    /// The epochs, for what pumps report on them.
    pub(crate) fn epochs(&mut self) -> &mut Epochs {
        &mut self.epochs
    }

    /// A source lane is between two splits, or has none left: it goes on, perhaps after a barrier, or
    /// its region ends.
    pub(crate) fn between_splits(&mut self, source: Instance, finished: Option<&Split>, exhausted: bool) {
        let Some(lane) = self.sources.get_mut(&source) else { return };
        let region = lane.region;
        self.interrupted |= self.draining && !exhausted;
        lane.exhausted = exhausted || self.draining;
        lane.last_split = finished.map(|split| Arc::from(split.id.as_str()));
        if lane.exhausted {
            self.end_if_exhausted(region);
            return;
        }
        let barrier = (self.regions[region].pace == Pace::Split && finished.is_some())
            .then(|| self.epochs.open(region, &self.regions[region], lane.last_split.clone(), false));
        lane.actor.do_send(Proceed { barrier });
    }

    fn end_if_exhausted(&mut self, region: usize) {
        let mut lanes = self.sources.values().filter(|lane| lane.region == region);
        if lanes.all(|lane| lane.exhausted) {
            self.end(region);
        }
    }

    fn end(&mut self, region: usize) {
        if std::mem::replace(&mut self.ended[region], true) {
            return;
        }
        let lanes: Vec<_> = self.sources.values().filter(|lane| lane.region == region).collect();
        let split = match (self.regions[region].pace, lanes.as_slice()) {
            (Pace::Split, [lane]) => lane.last_split.clone(),
            _ => None,
        };
        let barrier = self.epochs.open(region, &self.regions[region], split, true);
        lanes.iter().for_each(|lane| lane.actor.do_send(Finish(barrier.clone())));
    }

    /// The checkpoint interval has passed.
    pub(crate) fn tick(&mut self) {
        for number in 0..self.regions.len() {
            let due = self.regions[number].pace == Pace::Interval;
            if due && !self.ended[number] && !self.epochs.busy(number) {
                let barrier = self.epochs.open(number, &self.regions[number], None, false);
                let lanes = self.sources.values().filter(|lane| lane.region == number);
                lanes.for_each(|lane| lane.actor.do_send(Checkpoint(barrier.clone())));
            }
        }
    }

    /// Ends what can be committed as it stands; the rest reads no more and is dropped.
    pub(crate) fn drain(&mut self) {
        self.draining = true;
        for number in 0..self.regions.len() {
            if self.ended[number] {
                continue;
            }
            self.interrupted = true;
            if self.regions[number].pace == Pace::Interval {
                self.end(number);
            } else {
                let lanes = self.sources.values().filter(|lane| lane.region == number);
                lanes.for_each(|lane| lane.actor.do_send(Stop));
            }
        }
    }

    /// Stops every pump, for this reason.
    pub(crate) fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
        self.stop();
    }

    fn stop(&self) {
        self.stages.iter().for_each(|stage| stage.do_send(Stop));
    }

    /// A pump has ended. The first that failed for a reason of its own is the root cause.
    pub(crate) fn pump_ended(&mut self, result: Result<(), PumpError>) {
        self.running -= 1;
        match result {
            Ok(()) => {}
            Err(PumpError::Failed(error)) => self.fail(error),
            Err(PumpError::Cut) => {
                self.cut = true;
                if !self.draining {
                    self.stop();
                }
            }
        }
    }

    /// How it ended, once every pump has: whether everything was read, or what went wrong.
    pub(crate) fn outcome(&mut self) -> Option<Result<bool>> {
        if self.running > 0 {
            return None;
        }
        if let Some(error) = self.failure.take() {
            return Some(Err(error));
        }
        if self.cut && !self.draining {
            return Some(Err(Error::permanent("a pump stopped without a reason").help("please report this")));
        }
        Some(Ok(!self.interrupted))
    }

    /// Whether anything has failed.
    pub(crate) fn failed(&self) -> bool {
        self.failure.is_some()
    }
}
