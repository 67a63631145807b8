//! The loops that carry batches: plain async functions over bounded channels. They know nothing of
//! actors, of checkpoints' storage, or of who watches them.
//!
//! A pump ends with `Ok` only after it has seen and passed on [`Flow::End`](crate::batch::Flow::End).

mod chain;
mod destination;
mod inlets;
mod outlets;
mod relation;
mod source;

use crate::Error;

pub use chain::{ChainMember, ChainPump, Respawn};
pub use destination::{DestinationPump, StageReport};
pub use inlets::Inlets;
pub use outlets::{Outlets, RejectOutlet};
pub use relation::RelationPump;
pub use source::{SourceCommand, SourcePump, SourceReport, SourceSnapshot};

/// Why a pump ended without having passed on the end of its input.
#[derive(Debug)]
pub enum PumpError {
    /// A neighbour went away: the cause is elsewhere.
    Cut,
    /// The cause is here.
    Failed(Error),
}

impl From<Error> for PumpError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<crate::batch::Closed> for PumpError {
    fn from(_: crate::batch::Closed) -> Self {
        Self::Cut
    }
}

/// What a pump tells whoever owns it; must not wait.
pub type Reporter<T> = Box<dyn Fn(T) + Send + Sync>;

/// The text of a panic.
pub(crate) fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
