//! Checkpoints: what a run has read and staged, written so that a crash at any moment leaves the last
//! one whole.
//!
//! This module stores; when to write and what to commit is the workflow actor's business. No secret
//! goes in: positions and staged values are the connectors' own, and must not hold any.

mod envelope;
mod local;
mod manifest;
mod remote;
mod store;

pub use manifest::{Checkpoint, DestinationState, Phase, SourceState, SplitState};
pub use store::Store;
