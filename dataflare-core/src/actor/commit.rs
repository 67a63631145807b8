//! The second phase: a checkpoint is made durable, then what it staged is committed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ledger::Ledger;
use super::retry::Retry;
use crate::batch::Epoch;
use crate::checkpoint::{Checkpoint, Phase, Store};
use crate::component::Receipt;
use crate::plan::Plan;
use crate::{Result, fault};

/// What a run shares with its commits.
#[derive(Clone)]
pub(crate) struct Committer {
    pub plan: Arc<Plan>,
    pub store: Arc<Store>,
    pub retry: Retry,
}

/// What came of a commit.
pub(crate) struct Committed {
    /// Epochs up to this one.
    pub epoch: Epoch,
    /// By destination.
    pub receipts: BTreeMap<String, Receipt>,
}

impl Committer {
    /// Writes the ledger's checkpoint, commits all that it holds as staged, and tells the sources.
    pub(crate) async fn commit(&self, ledger: Ledger) -> Result<Committed> {
        self.store.save(&ledger.checkpoint).await?;
        fault::point("checkpoint.before_commit")?;
        let receipts = self.commit_staged(&ledger.checkpoint).await?;
        fault::point("checkpoint.after_commit")?;
        let positions = ledger.positions();
        for node in &self.plan.sources {
            if let Some(positions) = positions.get(&node.name) {
                let told = || node.source.committed(positions);
                self.retry.call(&node.name, told).await?;
            }
        }
        Ok(Committed { epoch: ledger.checkpoint.epoch, receipts })
    }

    /// Commits what `checkpoint` holds as staged; again, where a crashed run had begun to.
    pub(crate) async fn commit_staged(&self, checkpoint: &Checkpoint) -> Result<BTreeMap<String, Receipt>> {
        let mut receipts = BTreeMap::new();
        for node in &self.plan.destinations {
            let Some(state) =
                checkpoint.destinations.get(&node.name).filter(|state| !state.staged.is_empty())
            else {
                continue;
            };
            let commit = || node.destination.commit(&checkpoint.run, &state.staged);
            receipts.insert(node.name.clone(), self.retry.call(&node.name, commit).await?);
        }
        Ok(receipts)
    }

    /// Publishes every destination, and writes down that the run is over.
    pub(crate) async fn finish(&self, mut checkpoint: Checkpoint) -> Result<BTreeMap<String, String>> {
        checkpoint.phase = Phase::Publishing;
        self.store.save(&checkpoint).await?;
        let mut locations = BTreeMap::new();
        for node in &self.plan.destinations {
            let finish = || node.destination.finish(&checkpoint.run);
            if let Some(location) = self.retry.call(&node.name, finish).await? {
                locations.insert(node.name.clone(), location);
            }
        }
        fault::point("checkpoint.before_finished")?;
        checkpoint.phase = Phase::Finished;
        self.store.save(&checkpoint).await?;
        Ok(locations)
    }
}
