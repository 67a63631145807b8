//! Who decides: the actors that launch a plan's pumps, watch them, and checkpoint what they do.
//!
//! The only part of the engine that knows actix. Records never pass through a mailbox.

mod attempt;
mod commit;
mod destination;
mod engine;
mod epochs;
mod launch;
mod ledger;
mod message;
mod processor;
mod pump_task;
mod regions;
mod restart;
mod retry;
mod source;
mod splits;
mod wiring;
mod workflow;

pub use engine::{Engine, RunHandle, RunOptions};
pub use wiring::planned_edge_limits;
