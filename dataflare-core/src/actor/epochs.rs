//! Epochs in flight: who has still to report, and what those that have reported said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::regions::{Instance, Region};
use crate::batch::{Barrier, Epoch};
use crate::component::Staged;
use crate::pump::{SourceSnapshot, StageReport};

/// The epochs of one attempt.
#[derive(Debug)]
pub(crate) struct Epochs {
    last: Epoch,
    open: BTreeMap<Epoch, Pending>,
}

/// An epoch that somebody has still to report on.
#[derive(Debug)]
struct Pending {
    region: usize,
    ends: bool,
    sources: BTreeSet<Instance>,
    destinations: BTreeSet<Instance>,
    snapshots: Vec<(usize, SourceSnapshot)>,
    staged: Vec<(usize, Staged)>,
}

/// An epoch that all have reported on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Complete {
    /// Its number.
    pub epoch: Epoch,
    /// The region it belongs to.
    pub region: usize,
    /// Whether the region has ended with it.
    pub ends: bool,
    /// What was read, by source node.
    pub snapshots: Vec<(usize, SourceSnapshot)>,
    /// What was staged, by destination node.
    pub staged: Vec<(usize, Staged)>,
}

impl Epochs {
    /// Epochs after `last`, the last one of the checkpoint.
    pub(crate) fn after(last: Epoch) -> Self {
        Self { last, open: BTreeMap::new() }
    }

    /// Opens an epoch of a region; the barrier is to be sent to all its sources.
    pub(crate) fn open(
        &mut self,
        number: usize,
        region: &Region,
        split: Option<Arc<str>>,
        ends: bool,
    ) -> Barrier {
        self.last += 1;
        let pending = Pending {
            region: number,
            ends,
            sources: region.sources.iter().copied().collect(),
            destinations: region.destinations.iter().copied().collect(),
            snapshots: Vec::new(),
            staged: Vec::new(),
        };
        self.open.insert(self.last, pending);
        Barrier { epoch: self.last, split }
    }

    /// Whether an epoch of this region is in flight.
    pub(crate) fn busy(&self, region: usize) -> bool {
        self.open.values().any(|pending| pending.region == region)
    }

    /// A source pump has passed a barrier.
    pub(crate) fn passed(&mut self, source: Instance, snapshot: SourceSnapshot) -> Option<Complete> {
        let epoch = snapshot.epoch;
        let pending = self.open.get_mut(&epoch)?;
        if pending.sources.remove(&source) {
            pending.snapshots.push((source.0, snapshot));
        }
        self.complete(epoch)
    }

    /// A destination pump has staged.
    pub(crate) fn staged(&mut self, destination: Instance, report: StageReport) -> Option<Complete> {
        let pending = self.open.get_mut(&report.epoch)?;
        if pending.destinations.remove(&destination) {
            pending.staged.extend(report.staged.map(|staged| (destination.0, staged)));
        }
        self.complete(report.epoch)
    }

    fn complete(&mut self, epoch: Epoch) -> Option<Complete> {
        let pending = self.open.get(&epoch)?;
        if !pending.sources.is_empty() || !pending.destinations.is_empty() {
            return None;
        }
        let Pending { region, ends, snapshots, staged, .. } = self.open.remove(&epoch)?;
        Some(Complete { epoch, region, ends, snapshots, staged })
    }
}

#[cfg(test)]
mod tests {
    use super::super::regions::Pace;
    use super::*;

    fn region() -> Region {
        Region { sources: vec![(0, 0), (1, 0)], destinations: vec![(0, 0)], pace: Pace::Interval }
    }

    #[test]
    fn an_epoch_is_complete_when_all_of_its_region_have_reported() {
        let mut epochs = Epochs::after(6);
        let barrier = epochs.open(3, &region(), None, true);
        assert_eq!(barrier.epoch, 7);
        let snapshot = SourceSnapshot { epoch: 7, ..SourceSnapshot::default() };
        assert_eq!(epochs.passed((0, 0), snapshot.clone()), None);
        assert_eq!(epochs.passed((0, 0), snapshot.clone()), None, "the same one twice");
        assert_eq!(epochs.staged((0, 0), StageReport { epoch: 7, staged: None }), None);
        assert!(epochs.busy(3));
        let complete = epochs.passed((1, 0), snapshot).unwrap();
        assert_eq!((complete.epoch, complete.region, complete.ends), (7, 3, true));
        assert!(!epochs.busy(3));
    }

    #[test]
    fn a_report_of_an_epoch_nobody_opened_is_ignored() {
        let mut epochs = Epochs::after(0);
        assert_eq!(epochs.staged((0, 0), StageReport { epoch: 9, staged: None }), None);
    }
}
