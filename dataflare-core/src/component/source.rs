//! Sources: where records come from.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::batch::{BatchLimits, Reject};
use crate::expr::Expression;

/// A place that records are read from.
///
/// Order of calls: `schema` (when it is not declared) -> `splits` -> `open` for each split, many at
/// once -> `committed` after every durable checkpoint.
#[async_trait]
pub trait Source: Send + Sync {
    /// The schema as far as the options alone tell it; `None` where one must look. Does no I/O.
    fn declared_schema(&self) -> Option<SchemaRef>;

    /// The schema of what [`Source::open`] would read without a projection. May connect and sample.
    async fn schema(&self) -> Result<SchemaRef>;

    /// Whether the source ends by itself.
    fn bounded(&self) -> bool {
        true
    }

    /// What the source makes use of in a [`Scan`].
    fn pushdown(&self) -> Pushdown {
        Pushdown::default()
    }

    /// The pieces that can be read alone. Their ids are stable: a resumed run asks again and skips
    /// the ids that were finished.
    async fn splits(&self) -> Result<Vec<Split>>;

    /// Opens one split, after `from` where a run resumes.
    async fn open(&self, split: &Split, from: Option<&Position>, scan: &Scan) -> Result<Box<dyn Reader>>;

    /// Told when a checkpoint with these positions is durable and committed.
    async fn committed(&self, positions: &Positions) -> Result<()> {
        _ = positions;
        Ok(())
    }
}

/// Reads one split.
#[async_trait]
pub trait Reader: Send {
    /// The next records and the position after them, `Idle`, or `End`. Waits about a second at most,
    /// and is never cancelled except for good, so it needs no cancel-safety.
    async fn read(&mut self) -> Result<Read>;
}

/// What a [`Reader`] gives.
#[derive(Debug)]
pub enum Read {
    /// Records and the position after them.
    Records(Records),
    /// Nothing now; ask again.
    Idle,
    /// The split is read to its end.
    End,
}

/// Records as they leave a source.
#[derive(Debug)]
pub struct Records {
    /// The records, in the scan's schema; may be empty where all were rejected.
    pub batch: RecordBatch,
    /// The records that could not be decoded.
    pub rejects: Vec<Reject>,
    /// Reading from here gives what comes after these records.
    pub position: Position,
    /// Bytes of the input that these records took, as stored (compressed where it is), for progress.
    pub bytes: u64,
}

/// A piece of a source that can be read alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// Unique within the source and the same in every run over the same input.
    pub id: String,
    /// Changes when the content behind `id` does (an etag, size and modification time). A resumed
    /// run that meets another version refuses to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Bytes that will be read, where known; for progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Rows that will be read, where known; for progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// What the connector needs to open it.
    #[serde(default)]
    pub detail: serde_json::Value,
}

/// A place within a split, in the connector's own terms; small, and written into checkpoints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub serde_json::Value);

/// Positions by split id.
pub type Positions = BTreeMap<String, Position>;

/// What a plan asks of a source.
#[derive(Clone)]
pub struct Scan {
    /// The columns wanted, a subset of [`Source::schema`] in its order; records come in this schema.
    pub schema: SchemaRef,
    /// A condition on those columns that rows must meet further on. A source may leave out rows for
    /// which it is not true; it need not.
    pub filter: Option<Arc<Expression>>,
    /// The bounds of a batch.
    pub limits: BatchLimits,
    /// Whether records that cannot be decoded are to be handed over in [`Records::rejects`]; where
    /// not, the first of them is an error.
    pub reject: bool,
}

/// What a source makes use of in a [`Scan`]; printed by `explain`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pushdown {
    /// Columns that nobody reads are not read or built.
    pub columns: bool,
    /// Rows that the filter refuses are left out where that saves work.
    pub filter: bool,
}
