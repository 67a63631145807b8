//! What a checkpoint holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::batch::Epoch;
use crate::component::{Position, Run, Staged};
use crate::event::ComponentProgress;

/// How far a run is: what was read, what is staged, what is committed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The workflow's id.
    pub workflow: String,
    /// Of the plan; see [`Plan::fingerprint`](crate::plan::Plan::fingerprint).
    pub fingerprint: String,
    /// The run.
    pub run: Run,
    /// The last epoch it holds.
    pub epoch: Epoch,
    /// Which part of the run it is in.
    pub phase: Phase,
    /// What was read, by source.
    pub sources: BTreeMap<String, SourceState>,
    /// What was written, by destination.
    pub destinations: BTreeMap<String, DestinationState>,
    /// The counters at about that time, so that totals survive a restart.
    pub counters: Vec<ComponentProgress>,
}

/// Which part of a run a checkpoint is in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Records are moved.
    #[default]
    Running,
    /// All records are committed; the destinations are being published.
    Publishing,
    /// The run is over.
    Finished,
}

/// What was read of one source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceState {
    /// By split id; splits that nobody has begun to read are left out.
    pub splits: BTreeMap<String, SplitState>,
}

/// What was read of one split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitState {
    /// The split's version when it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether it was read to its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub done: bool,
    /// The position reached, where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// What was written to one destination.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DestinationState {
    /// Staged, and not known to be committed.
    pub staged: Vec<Staged>,
    /// Rows committed.
    pub rows: u64,
    /// Whether all of them were read back.
    pub proved: bool,
    /// Bytes committed, as stored.
    pub bytes: u64,
}

impl Default for DestinationState {
    fn default() -> Self {
        Self { staged: Vec::new(), rows: 0, proved: true, bytes: 0 }
    }
}

impl Checkpoint {
    /// Of a run that has not read anything yet.
    pub fn new(run: Run, fingerprint: String) -> Self {
        Self {
            workflow: run.workflow.clone(),
            fingerprint,
            run,
            epoch: 0,
            phase: Phase::Running,
            sources: BTreeMap::new(),
            destinations: BTreeMap::new(),
            counters: Vec::new(),
        }
    }
}
