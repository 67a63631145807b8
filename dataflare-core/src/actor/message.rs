//! What actors tell each other.

use std::collections::BTreeMap;

use actix::Message;

use super::commit::Committed;
use super::launch::Launched;
use super::regions::Instance;
use crate::batch::Barrier;
use crate::component::Split;
use crate::pump::{PumpError, SourceSnapshot, StageReport};
use crate::{Error, Result};

/// To the workflow: an attempt's pumps can be started, or why not.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct LaunchDone(pub Result<Box<Launched>>);

/// To the workflow: a source lane is between two splits, or has none left.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct BetweenSplits {
    pub attempt: u32,
    pub source: Instance,
    /// The split that has ended, and its rows.
    pub finished: Option<(Split, u64)>,
    pub exhausted: bool,
}

/// To the workflow: a source pump has sent a barrier.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Passed {
    pub attempt: u32,
    pub source: Instance,
    pub snapshot: SourceSnapshot,
}

/// To the workflow: a destination pump has staged an epoch.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct StagedEpoch {
    pub attempt: u32,
    pub destination: Instance,
    pub report: StageReport,
}

/// To the workflow: a pump has ended.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct PumpEnded {
    pub attempt: u32,
    pub result: Result<(), PumpError>,
}

/// To the workflow: a checkpoint is durable and committed, or why not.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct CommitDone {
    pub attempt: u32,
    pub result: Result<Committed>,
}

/// To the workflow: all destinations are published, with where they can be found.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct PublishDone(pub Result<BTreeMap<String, String>>);

/// To the workflow: stop reading, commit what can be committed, and end.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Drain;

/// To the workflow: end at once, for this reason.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Abort(pub Error);

/// To a source lane: go on with the next split, after this barrier if there is one.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Proceed {
    pub barrier: Option<Barrier>,
}

/// To a source lane: send this barrier now.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Checkpoint(pub Barrier);

/// To a source lane: send the end.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Finish(pub Barrier);

/// To any stage: end at once.
#[derive(Message, Clone, Copy)]
#[rtype(result = "()")]
pub(crate) struct Stop;
