//! How far a run is.

use serde::{Deserialize, Serialize};

use crate::component::Role;

/// A look at all counters of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// One a component, in the workflow's order.
    pub components: Vec<ComponentProgress>,
    /// Time since this process started or resumed the run.
    pub elapsed_ms: u64,
    /// Memory that the process holds, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_rss_bytes: Option<u64>,
}

/// The counters of one component, over all its lanes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentProgress {
    /// Its name in the workflow.
    pub name: String,
    /// The section it stands in.
    pub role: Role,
    /// Rows it was given; for a source those it read, rejected ones included.
    pub rows_in: u64,
    /// Rows it passed on; for a destination those committed.
    pub rows_out: u64,
    /// Bytes as stored: read by a source, written by a destination.
    pub bytes: u64,
    /// Records that went to a dead letter.
    pub rejected: u64,
    /// Records that were left out because they could not be taken.
    pub skipped: u64,
    /// Splits read to their end.
    pub splits_done: u64,
    /// Splits known.
    pub splits_total: u64,
    /// Bytes of all splits, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_total: Option<u64>,
    /// Rows of all splits, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_total: Option<u64>,
}
