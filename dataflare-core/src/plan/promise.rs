//! What a plan promises of each record after a crash, and which part is the weakest.

use super::Plan;
use crate::component::Promise;

impl Promise {
    /// The promise in words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::AtLeastOnce => "at least once: a record may be seen twice after a crash, none is lost",
            Self::EffectivelyOnce => "effectively once: a record may be written twice, but is seen once",
            Self::ExactlyOnce => "exactly once",
        }
    }
}

impl Plan {
    /// The promise of the whole, and the destination that is the reason where it is not `exactly_once`.
    pub fn promise(&self) -> (Promise, Option<&str>) {
        let weakest = self.destinations.iter().min_by_key(|node| node.destination.promise());
        match weakest.map(|node| (node.destination.promise(), node.name.as_str())) {
            None | Some((Promise::ExactlyOnce, _)) => (Promise::ExactlyOnce, None),
            Some((promise, name)) => (promise, Some(name)),
        }
    }

    /// When checkpoints are made, in words.
    pub fn checkpoints(&self) -> String {
        let interval = self.workflow.settings.checkpoint_interval;
        if self.stages.iter().any(|stage| stage.blocking) {
            let blocking = self.stages.iter().filter(|stage| stage.blocking);
            let names: Vec<_> =
                blocking.flat_map(|stage| &stage.members).map(|member| member.name.as_str()).collect();
            return format!("once, at the end: {} must see all input first", names.join(", "));
        }
        let whole =
            |node: &&super::DestinationNode| node.destination.staging() == crate::component::Staging::Split;
        match self.destinations.iter().find(whole) {
            Some(node) => format!("at the end of each split: {} writes one output a split", node.name),
            None => format!("every {}", humantime::format_duration(interval)),
        }
    }
}
