//! Every event that a run can publish.

use serde::{Deserialize, Serialize};

use super::{Failure, Progress, Summary};
use crate::batch::Epoch;
use crate::component::Role;

/// One thing that happened in a run.
///
/// Order within a run: `workflow.started` -> any of the others -> `workflow.finished` or
/// `workflow.failed`, which is the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum Event {
    /// The run begins, or goes on after a crash or a stop.
    #[serde(rename = "workflow.started")]
    WorkflowStarted {
        /// The checkpoint it goes on from, where it does not begin anew.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resumed_from: Option<Epoch>,
        /// Lanes at once.
        lanes: usize,
        /// What the plan consists of, in the workflow's order.
        components: Vec<ComponentInfo>,
    },
    /// How far the run is.
    #[serde(rename = "progress")]
    Progress(Progress),
    /// A split was read to its end.
    #[serde(rename = "split.finished")]
    SplitFinished {
        /// The source.
        component: String,
        /// The split's id.
        split: String,
        /// The lane that read it.
        lane: usize,
        /// Rows read from it.
        rows: u64,
    },
    /// A lane has nothing left to do.
    #[serde(rename = "lane.finished")]
    LaneFinished {
        /// The lane's index, from zero.
        lane: usize,
        /// Rows that left its sources.
        rows: u64,
    },
    /// A checkpoint is durable and what it staged is committed.
    #[serde(rename = "checkpoint.committed")]
    CheckpointCommitted {
        /// The checkpoint's number.
        epoch: Epoch,
        /// Rows it committed, over all destinations.
        rows: u64,
    },
    /// A component could not take some records.
    #[serde(rename = "records.rejected")]
    RecordsRejected {
        /// The component.
        component: String,
        /// How many since the last such event of this component.
        count: u64,
        /// What was wrong with the first of them.
        sample: String,
    },
    /// A call failed for the moment and is tried again in place.
    #[serde(rename = "component.retrying")]
    Retrying {
        /// The component.
        component: String,
        /// The try that comes next, from one.
        attempt: u32,
        /// Tries at most.
        max: u32,
        /// How long it waits before.
        wait_ms: u64,
        /// Why the last one failed.
        error: String,
    },
    /// The workflow starts again from its last checkpoint.
    #[serde(rename = "workflow.restarting")]
    Restarting {
        /// The restart that comes next, from one.
        attempt: u32,
        /// Restarts at most.
        max: u32,
        /// How long it waits before.
        wait_ms: u64,
        /// Why it stopped.
        error: String,
    },
    /// The run was asked to stop: it reads no more, and commits what it has read.
    #[serde(rename = "workflow.draining")]
    Draining,
    /// The run came to a good end: all was moved, or it stopped as it was asked to.
    #[serde(rename = "workflow.finished")]
    WorkflowFinished {
        /// What it did.
        summary: Box<Summary>,
    },
    /// The run failed for good.
    #[serde(rename = "workflow.failed")]
    WorkflowFailed {
        /// Why.
        error: Box<Failure>,
        /// Whether another run goes on from a checkpoint of this one.
        resumable: bool,
        /// What it did until then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        summary: Option<Box<Summary>>,
    },
}

/// How much an event matters to a watcher that falls behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The next one tells the same, only newer: `progress`.
    Tick,
    /// Grows with the input: splits, lanes, checkpoints, rejects, retries.
    Detail,
    /// How the run itself fares, `workflow.*`: as many as it restarts, and a few.
    Lifecycle,
}

/// One component of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentInfo {
    /// Its name in the workflow.
    pub name: String,
    /// The section it stands in.
    pub role: Role,
    /// What the workflow wrote under `type`.
    pub kind: String,
}

impl Event {
    /// All types of events.
    pub const TYPES: [&'static str; 11] = [
        "workflow.started",
        "progress",
        "split.finished",
        "lane.finished",
        "checkpoint.committed",
        "records.rejected",
        "component.retrying",
        "workflow.restarting",
        "workflow.draining",
        "workflow.finished",
        "workflow.failed",
    ];

    /// The event's type, as it is written under `type` and in `on:`.
    pub fn kind(&self) -> &'static str {
        let index = match self {
            Event::WorkflowStarted { .. } => 0,
            Event::Progress(_) => 1,
            Event::SplitFinished { .. } => 2,
            Event::LaneFinished { .. } => 3,
            Event::CheckpointCommitted { .. } => 4,
            Event::RecordsRejected { .. } => 5,
            Event::Retrying { .. } => 6,
            Event::Restarting { .. } => 7,
            Event::Draining => 8,
            Event::WorkflowFinished { .. } => 9,
            Event::WorkflowFailed { .. } => 10,
        };
        Self::TYPES[index]
    }

    /// How much it matters to a watcher that falls behind.
    pub fn weight(&self) -> Weight {
        match self {
            Event::Progress(_) => Weight::Tick,
            Event::SplitFinished { .. }
            | Event::LaneFinished { .. }
            | Event::CheckpointCommitted { .. }
            | Event::RecordsRejected { .. }
            | Event::Retrying { .. } => Weight::Detail,
            Event::WorkflowStarted { .. }
            | Event::Restarting { .. }
            | Event::Draining
            | Event::WorkflowFinished { .. }
            | Event::WorkflowFailed { .. } => Weight::Lifecycle,
        }
    }
}

#[cfg(test)]
pub(super) mod samples {
    //! One event of every type, for the tests of this module.

    use super::*;
    use crate::event::Outcome;
    use crate::{Error, ErrorKind};

    pub(in crate::event) fn summary() -> Summary {
        Summary {
            outcome: Outcome::Completed,
            components: Vec::new(),
            elapsed_ms: 1_234,
            memory_peak_bytes: Some(1 << 20),
            restarts: 0,
            checkpoints: 2,
        }
    }

    pub(in crate::event) fn tick(elapsed_ms: u64) -> Event {
        Event::Progress(Progress { components: Vec::new(), elapsed_ms, memory_rss_bytes: Some(1 << 20) })
    }

    pub(in crate::event) fn every_type() -> Vec<Event> {
        let component = || "orders".to_owned();
        let error = Error::new(ErrorKind::Permanent, "cannot write part-1")
            .caused_by(std::io::Error::other("no space left"))
            .help("free some space, then run again")
            .in_component("lake");
        vec![
            Event::WorkflowStarted {
                resumed_from: Some(7),
                lanes: 2,
                components: vec![ComponentInfo {
                    name: component(),
                    role: Role::Source,
                    kind: "file".into(),
                }],
            },
            tick(200),
            Event::SplitFinished { component: component(), split: "a.csv".into(), lane: 1, rows: 10 },
            Event::LaneFinished { lane: 1, rows: 10 },
            Event::CheckpointCommitted { epoch: 8, rows: 10 },
            Event::RecordsRejected { component: component(), count: 3, sample: "not a number".into() },
            Event::Retrying {
                component: component(),
                attempt: 1,
                max: 5,
                wait_ms: 100,
                error: "timed out".into(),
            },
            Event::Restarting { attempt: 1, max: 5, wait_ms: 1000, error: "timed out".into() },
            Event::Draining,
            Event::WorkflowFinished { summary: Box::new(summary()) },
            Event::WorkflowFailed {
                error: Box::new(Failure::from(&error)),
                resumable: true,
                summary: Some(Box::new(summary())),
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_is_what_is_written_under_type_for_every_event() {
        let events = samples::every_type();
        let kinds: Vec<_> = events.iter().map(Event::kind).collect();
        assert_eq!(kinds, Event::TYPES);
        for event in events {
            let text = serde_json::to_value(&event).unwrap();
            assert_eq!(text["type"], event.kind());
            assert_eq!(serde_json::from_value::<Event>(text).unwrap(), event);
        }
    }

    #[test]
    fn exactly_the_workflow_types_are_lifecycle() {
        for event in samples::every_type() {
            let lifecycle = event.kind().starts_with("workflow.");
            assert_eq!(event.weight() == Weight::Lifecycle, lifecycle, "{}", event.kind());
        }
    }
}
