//! Regions: the parts of a running plan that share a barrier.
//!
//! Two pumps are in one region when records can pass between them, so a region can be checkpointed
//! without waiting for another. A plain pipeline has one region a lane.

use petgraph::unionfind::UnionFind;

use crate::component::Staging;
use crate::plan::{Plan, Widths};

/// A pump: the number of its node in the plan, and its lane.
pub(crate) type Instance = (usize, usize);

/// Pumps that share barriers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Region {
    /// Its source pumps.
    pub sources: Vec<Instance>,
    /// Its destination pumps.
    pub destinations: Vec<Instance>,
    /// When its barriers come.
    pub pace: Pace,
}

/// When a region's barriers come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// On the checkpoint interval, and at the end.
    Interval,
    /// At the end of each split of its only source pump.
    Split,
    /// At the end only.
    End,
}

/// The regions of `plan` with these lanes.
pub(crate) fn regions(plan: &Plan, widths: &Widths) -> Vec<Region> {
    let numbering = Numbering::new(widths);
    let mut sets = UnionFind::<usize>::new(numbering.total);
    let stages = plan.stages.iter().map(|stage| &stage.inputs).zip(&widths.stages);
    let destinations = plan.destinations.iter().map(|node| &node.inputs).zip(&widths.destinations);
    for (node, (inputs, width)) in stages.chain(destinations).enumerate() {
        for edge in inputs {
            let (is_source, from) = Plan::writer_of(edge.from);
            let from = if is_source { from } else { plan.sources.len() + from };
            for (writer_lane, reader_lane) in lanes(widths.of(edge.from), *width) {
                sets.union(
                    numbering.at(from, writer_lane),
                    numbering.at(plan.sources.len() + node, reader_lane),
                );
            }
        }
    }
    collect(plan, widths, &numbering, &mut sets)
}

/// The pairs of lanes that an edge between nodes of these widths joins: lane to lane, or all to one.
pub(crate) fn lanes(writer: usize, reader: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..writer).map(move |lane| (lane, if reader == writer { lane } else { 0 }))
}

/// Numbers all pumps: sources, then stages, then destinations.
struct Numbering {
    first: Vec<usize>,
    total: usize,
}

impl Numbering {
    fn new(widths: &Widths) -> Self {
        let mut total = 0;
        let mut first = Vec::new();
        for width in widths.sources.iter().chain(&widths.stages).chain(&widths.destinations) {
            first.push(total);
            total += width;
        }
        Self { first, total }
    }

    fn at(&self, node: usize, lane: usize) -> usize {
        self.first[node] + lane
    }
}

fn collect(plan: &Plan, widths: &Widths, numbering: &Numbering, sets: &mut UnionFind<usize>) -> Vec<Region> {
    let mut regions: Vec<(usize, Region)> = Vec::new();
    let mut region_of = |number: usize| {
        let root = sets.find_mut(number);
        let known = regions.iter().position(|(known, _)| *known == root);
        known.unwrap_or_else(|| {
            let region = Region { sources: Vec::new(), destinations: Vec::new(), pace: Pace::Interval };
            regions.push((root, region));
            regions.len() - 1
        })
    };
    let mut places = Vec::new();
    for (node, width) in widths.sources.iter().enumerate() {
        places.extend((0..*width).map(|lane| (region_of(numbering.at(node, lane)), 0, (node, lane))));
    }
    for (node, width) in widths.stages.iter().enumerate() {
        let number = plan.sources.len() + node;
        places.extend((0..*width).map(|lane| (region_of(numbering.at(number, lane)), 1, (node, lane))));
    }
    for (node, width) in widths.destinations.iter().enumerate() {
        let number = plan.sources.len() + plan.stages.len() + node;
        places.extend((0..*width).map(|lane| (region_of(numbering.at(number, lane)), 2, (node, lane))));
    }
    let mut regions: Vec<Region> = regions.into_iter().map(|(_, region)| region).collect();
    for (region, layer, instance) in places {
        let region = &mut regions[region];
        match layer {
            0 => region.sources.push(instance),
            1 if plan.stages[instance.0].blocking => region.pace = Pace::End,
            1 => {}
            _ => {
                let whole = plan.destinations[instance.0].destination.staging() == Staging::Split;
                if whole && region.pace == Pace::Interval {
                    region.pace = Pace::Split;
                }
                region.destinations.push(instance);
            }
        }
    }
    for region in &mut regions {
        if region.pace == Pace::Split && region.sources.len() != 1 {
            region.pace = Pace::End;
        }
    }
    regions
}
