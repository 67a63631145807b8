//! Destinations: where records go, in two phases.

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::batch::Epoch;

/// A place that records are written to.
///
/// Order of calls: `accept` (at plan time) -> `prepare` once -> on a resumed run `commit` of the last
/// checkpoint's staged values, then `abort` -> a `writer` per lane, `stage` and `commit` per epoch ->
/// `finish` once. After a crash at any point the same order begins again with the same [`Run`].
#[async_trait]
pub trait Destination: Send + Sync {
    /// Checks that records of `schema` can be held, or says which column cannot and what to do.
    /// Does no I/O.
    fn accept(&self, schema: &SchemaRef) -> Result<()>;

    /// How the destination would hold each column, in schema order; printed by `explain`.
    fn mapping(&self, schema: &SchemaRef) -> Vec<String> {
        schema.fields().iter().map(|field| field.data_type().to_string()).collect()
    }

    /// What is promised of a record after a crash.
    fn promise(&self) -> Promise;

    /// When the destination would rather stage.
    fn staging(&self) -> Staging {
        Staging::Interval
    }

    /// Looks whether the destination can be reached and written, for `validate --connect`.
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Makes what writers need (folders, tables). Idempotent.
    async fn prepare(&self, run: &Run, schema: &SchemaRef) -> Result<()>;

    /// A writer for one lane; lanes share nothing.
    async fn writer(&self, run: &Run, lane: &Lane) -> Result<Box<dyn Writer>>;

    /// Makes staged values visible and reads back what is there. Idempotent: values that a crashed
    /// run committed already count as committed.
    async fn commit(&self, run: &Run, staged: &[Staged]) -> Result<Receipt>;

    /// Removes all that this run has written and not committed.
    async fn abort(&self, run: &Run) -> Result<()>;

    /// Publishes the whole run, where visibility is a matter of the whole. Idempotent. Returns where
    /// the result can be found, for people.
    async fn finish(&self, run: &Run) -> Result<Option<String>>;
}

/// Writes one lane.
#[async_trait]
pub trait Writer: Send {
    /// Takes records; they need not be durable yet.
    async fn write(&mut self, records: RecordBatch) -> Result<()>;

    /// Makes all records since the last stage durable but not visible, and says how another process
    /// could commit them; `None` where there were none.
    async fn stage(&mut self, context: &StageContext) -> Result<Option<serde_json::Value>>;
}

/// One run of a workflow; the same over all its restarts and resumes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The workflow's id.
    pub workflow: String,
    /// Names the run: its start in UTC as `2026-01-31_23-59-59.123Z`.
    pub id: String,
}

/// Which of a destination's writers this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// From zero.
    pub index: usize,
}

/// What a writer is told when it stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageContext {
    /// The epoch that ends.
    pub epoch: Epoch,
    /// The split whose end this is, where the epoch holds exactly that split of one source.
    pub split: Option<std::sync::Arc<str>>,
}

/// What one writer staged in one epoch; part of the checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Staged {
    /// The lane's index.
    pub lane: usize,
    /// The epoch it belongs to.
    pub epoch: Epoch,
    /// Rows that the engine gave the writer in this epoch.
    pub rows: u64,
    /// What [`Destination::commit`] needs; never a secret.
    pub value: serde_json::Value,
}

/// What [`Destination::commit`] found when it read back what is visible now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Rows read back (from a Parquet footer, a count by the server); `None` where that is not possible.
    /// A number other than the rows given fails the run.
    pub rows: Option<u64>,
    /// Bytes as stored.
    pub bytes: Option<u64>,
}

/// What is promised of a record after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// May be seen twice, is never lost.
    AtLeastOnce,
    /// Written twice, but under the same key or token, so that it is seen once.
    EffectivelyOnce,
    /// Seen once.
    ExactlyOnce,
}

/// When a destination would rather stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staging {
    /// At any barrier: the checkpoint interval decides.
    Interval,
    /// At the end of a split (of a lane, where several sources meet in it): one output a split.
    Split,
}
