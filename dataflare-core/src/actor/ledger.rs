//! What the checkpoint says, kept up to date as epochs complete.

use std::collections::BTreeMap;

use super::epochs::Complete;
use crate::batch::Epoch;
use crate::checkpoint::{Checkpoint, SplitState};
use crate::component::{Positions, Receipt, Split};
use crate::event::ComponentProgress;
use crate::plan::Plan;
use crate::{Error, Result};

/// The checkpoint in memory, and how it changes.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    /// What is written next.
    pub checkpoint: Checkpoint,
}

impl Ledger {
    /// Books what was read and staged in `complete`.
    pub(crate) fn book(&mut self, plan: &Plan, complete: &Complete, counters: Vec<ComponentProgress>) {
        self.checkpoint.epoch = self.checkpoint.epoch.max(complete.epoch);
        self.checkpoint.counters = counters;
        for (node, snapshot) in &complete.snapshots {
            let source = self.checkpoint.sources.entry(plan.sources[*node].name.clone()).or_default();
            for split in &snapshot.finished {
                source.splits.insert(split.id.clone(), state(split, true, None));
            }
            if let Some((split, position)) = &snapshot.open {
                source.splits.insert(split.id.clone(), state(split, false, position.clone()));
            }
        }
        for (node, staged) in &complete.staged {
            let name = plan.destinations[*node].name.clone();
            self.checkpoint.destinations.entry(name).or_default().staged.push(staged.clone());
        }
    }

    /// Books that what was staged up to `epoch` is committed. Fails where a destination read back
    /// another number of rows than it was given.
    pub(crate) fn committed(&mut self, epoch: Epoch, receipts: &BTreeMap<String, Receipt>) -> Result<u64> {
        let mut total = 0;
        for (name, state) in &mut self.checkpoint.destinations {
            let (done, waiting): (Vec<_>, Vec<_>) =
                std::mem::take(&mut state.staged).into_iter().partition(|staged| staged.epoch <= epoch);
            state.staged = waiting;
            let rows: u64 = done.iter().map(|staged| staged.rows).sum();
            let receipt = receipts.get(name).copied().unwrap_or_default();
            prove(name, rows, receipt)?;
            state.rows += rows;
            state.proved = state.proved && (receipt.rows.is_some() || done.is_empty());
            state.bytes += receipt.bytes.unwrap_or(0);
            total += rows;
        }
        Ok(total)
    }

    /// Where each source stands, by its name.
    pub(crate) fn positions(&self) -> BTreeMap<String, Positions> {
        let open = |(id, state): (&String, &SplitState)| Some((id.clone(), state.position.clone()?));
        let sources = self.checkpoint.sources.iter();
        sources.map(|(name, state)| (name.clone(), state.splits.iter().filter_map(open).collect())).collect()
    }
}

/// Fails where a destination read back another number of rows than it was given.
pub(crate) fn prove(destination: &str, given: u64, receipt: Receipt) -> Result<()> {
    match receipt.rows {
        Some(found) if found != given => {
            let message = format!("{given} rows were written, but {found} were read back");
            let help = "nothing more is committed; keep what was written and report this with the log";
            Err(Error::permanent(message).help(help).in_component(destination))
        }
        _ => Ok(()),
    }
}

fn state(split: &Split, done: bool, position: Option<crate::component::Position>) -> SplitState {
    SplitState { version: split.version.clone(), done, position }
}
