//! What must be done before an attempt's pumps can start: recover, prepare, list splits, open writers.

use std::sync::{Arc, Mutex};

use super::commit::Committer;
use super::ledger::Ledger;
use super::regions::{Region, regions};
use super::splits::SplitQueue;
use super::wiring::{Wiring, writers};
use crate::component::Writer;
use crate::event::Meters;
use crate::plan::Widths;
use crate::{Error, Result};

/// An attempt that can start.
pub(crate) struct Launched {
    pub ledger: Ledger,
    pub widths: Widths,
    pub regions: Vec<Region>,
    pub splits: Vec<Arc<Mutex<SplitQueue>>>,
    pub writers: Vec<Vec<Box<dyn Writer>>>,
    pub wiring: Wiring,
    pub spill: tempfile::TempDir,
}

/// Makes an attempt ready, from the last durable checkpoint; `lanes` run at once.
pub(crate) async fn launch(committer: &Committer, lanes: usize, meters: Meters) -> Result<Box<Launched>> {
    let plan = &committer.plan;
    // What this process remembers may be ahead of what is durable: a write may have failed.
    let checkpoint = committer.store.load().await?;
    let checkpoint = checkpoint.ok_or_else(|| Error::permanent("the run's checkpoint is gone"))?;
    meters.restore(&checkpoint.counters);
    let run = checkpoint.run.clone();
    let ledger = recover(committer, Ledger { checkpoint }).await?;
    let mut splits = Vec::new();
    let mut counts = Vec::new();
    for node in &plan.sources {
        let list = committer.retry.call(&node.name, || node.source.splits()).await?;
        if let Some(meter) = meters.meter(&node.name) {
            meter.expect(&list);
        }
        let queue = SplitQueue::new(&node.name, &list, ledger.checkpoint.sources.get(&node.name))?;
        let lanes = node.parallelism.unwrap_or(lanes);
        // Splits without an end must all be read at the same time.
        counts.push(if node.source.bounded() { queue.len().min(lanes) } else { queue.len() }.max(1));
        splits.push(Arc::new(Mutex::new(queue)));
    }
    let widths = plan.widths(&even(&counts, &plan.sources));
    let spill = tempfile::Builder::new().prefix("dataflare-").tempdir();
    let spill =
        spill.map_err(|cause| Error::permanent("cannot make a folder for spilling").caused_by(cause))?;
    let wiring = Wiring::new(plan, &widths, spill.path().to_owned(), meters);
    let writers = writers(plan, &widths, &run).await?;
    let regions = regions(plan, &widths);
    Ok(Box::new(Launched { ledger, widths, regions, splits, writers, wiring, spill }))
}

/// As many lanes for every source as the widest has, so that what they share need not be gathered;
/// sources with a number of their own keep it.
fn even(counts: &[usize], sources: &[crate::plan::SourceNode]) -> Vec<usize> {
    let widest = counts.iter().copied().max().unwrap_or(1);
    let each = counts.iter().zip(sources);
    each.map(|(count, node)| if node.parallelism.is_some() { *count } else { widest }).collect()
}

/// Brings the destinations to where the checkpoint says they are: what it staged is committed, what was
/// staged later is removed.
async fn recover(committer: &Committer, mut ledger: Ledger) -> Result<Ledger> {
    let run = ledger.checkpoint.run.clone();
    for node in &committer.plan.destinations {
        let prepare = || node.destination.prepare(&run, &node.schema);
        committer.retry.call(&node.name, prepare).await?;
    }
    let receipts = committer.commit_staged(&ledger.checkpoint).await?;
    ledger.committed(ledger.checkpoint.epoch, &receipts)?;
    for node in &committer.plan.destinations {
        committer.retry.call(&node.name, || node.destination.abort(&run)).await?;
    }
    Ok(ledger)
}
