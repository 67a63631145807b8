//! What travels between pumps: record batches, barriers, and the explicit end.

mod channel;
mod limits;
mod reject;

use arrow::record_batch::RecordBatch;

pub use channel::{Closed, EdgeLimits, FlowReceiver, FlowSender, InFlight, edge};
pub use limits::BatchLimits;
pub use reject::{Reject, reject_schema, rejects_to_batch};

/// The number of a checkpoint; increases by one with each, over all restarts of a run.
pub type Epoch = u64;

/// One item on an edge of the plan.
#[derive(Debug, Clone)]
pub enum Flow {
    /// Records; never empty.
    Batch(RecordBatch),
    /// All records before it belong to the barrier's epoch, all after it to a later one.
    Barrier(Barrier),
    /// The input is complete. A channel that closes without it was cut, and what it carried must
    /// never be published. Acts as the last barrier.
    End(Barrier),
}

/// The border between two epochs (Carbone et al., "Lightweight asynchronous snapshots", 2015).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Barrier {
    /// The epoch that ends here.
    pub epoch: Epoch,
    /// The split that ended here, where the epoch is exactly the end of one split of one source.
    pub split: Option<std::sync::Arc<str>>,
}
