//! What a run did.

use serde::{Deserialize, Serialize};

use super::ComponentProgress;
use crate::component::Role;

/// What a run did, from the start of this process to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// How it ended.
    pub outcome: Outcome,
    /// One a component, in the workflow's order.
    pub components: Vec<ComponentSummary>,
    /// How long it took.
    pub elapsed_ms: u64,
    /// The most memory that the process held, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
    /// How often it started again after a failure.
    pub restarts: u32,
    /// Checkpoints committed.
    pub checkpoints: u64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All input was moved.
    Completed,
    /// It stopped as it was asked to; another run goes on from there.
    Drained,
    /// It failed.
    Failed,
}

/// What one component did, over all its lanes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentSummary {
    /// Its name in the workflow.
    pub name: String,
    /// The section it stands in.
    pub role: Role,
    /// Rows it was given; for a source those it read, rejected ones included.
    pub rows_in: u64,
    /// Rows it passed on; for a destination those committed.
    pub rows_out: u64,
    /// Records that went to a dead letter.
    pub rejected: u64,
    /// Records that were left out because they could not be taken.
    pub skipped: u64,
    /// Bytes as stored: read by a source, written by a destination.
    pub bytes: u64,
    /// Rows that a destination read back from what it had committed, where it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_proved: Option<u64>,
    /// Where the result can be found, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

impl Summary {
    /// The component called `name`.
    pub fn component_mut(&mut self, name: &str) -> Option<&mut ComponentSummary> {
        self.components.iter_mut().find(|component| component.name == name)
    }

    /// Rows that left the sources.
    pub fn rows_read(&self) -> u64 {
        self.components.iter().filter(|it| it.role == Role::Source).map(|it| it.rows_out).sum()
    }
}

impl From<ComponentProgress> for ComponentSummary {
    fn from(counted: ComponentProgress) -> Self {
        Self {
            name: counted.name,
            role: counted.role,
            rows_in: counted.rows_in,
            rows_out: counted.rows_out,
            rejected: counted.rejected,
            skipped: counted.skipped,
            bytes: counted.bytes,
            rows_proved: None,
            location: None,
        }
    }
}
