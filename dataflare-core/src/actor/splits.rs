//! The splits of one source that no lane has taken yet.

use std::collections::VecDeque;

use crate::checkpoint::SourceState;
use crate::component::{Position, Split};
use crate::{Error, Result};

/// Hands splits out to lanes, in the source's order.
#[derive(Debug, Default)]
pub(crate) struct SplitQueue {
    waiting: VecDeque<(Split, Option<Position>)>,
}

impl SplitQueue {
    /// What is left of `splits` after a checkpoint. Fails where a split that the checkpoint knows has
    /// another content now.
    pub(crate) fn new(source: &str, splits: &[Split], state: Option<&SourceState>) -> Result<Self> {
        let mut waiting = VecDeque::new();
        for split in splits {
            let Some(known) = state.and_then(|state| state.splits.get(&split.id)) else {
                waiting.push_back((split.clone(), None));
                continue;
            };
            if known.version != split.version {
                let message = format!("{} has changed since the run that is to be resumed", split.id);
                let help = "restore it, or start anew with `--fresh`";
                return Err(Error::config(message).help(help).in_component(source).in_split(&split.id));
            }
            if !known.done {
                waiting.push_back((split.clone(), known.position.clone()));
            }
        }
        Ok(Self { waiting })
    }

    /// The next split, and where to begin in it.
    pub(crate) fn take(&mut self) -> Option<(Split, Option<Position>)> {
        self.waiting.pop_front()
    }

    /// How many are not taken.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::SplitState;

    fn split(id: &str, version: &str) -> Split {
        let version = Some(version.to_owned());
        Split { id: id.into(), version, bytes: None, rows: None, detail: serde_json::Value::Null }
    }

    #[test]
    fn finished_splits_are_left_out_and_begun_ones_go_on() {
        let mut state = SourceState::default();
        let version = Some("1".to_owned());
        let position = Some(Position(serde_json::json!(7)));
        state.splits.insert("a".into(), SplitState { version: version.clone(), done: true, position: None });
        state.splits.insert("b".into(), SplitState { version, done: false, position: position.clone() });
        let splits = [split("a", "1"), split("b", "1"), split("c", "1")];
        let mut queue = SplitQueue::new("s", &splits, Some(&state)).unwrap();
        assert_eq!(queue.take(), Some((split("b", "1"), position)));
        assert_eq!(queue.take(), Some((split("c", "1"), None)));
        assert_eq!(queue.take(), None);
    }

    #[test]
    fn a_split_that_changed_since_the_checkpoint_is_refused() {
        let mut state = SourceState::default();
        let known = SplitState { version: Some("1".into()), done: true, position: None };
        state.splits.insert("a".into(), known);
        let error = SplitQueue::new("s", &[split("a", "2")], Some(&state)).unwrap_err();
        assert_eq!(error.report(), "s: split a: a has changed since the run that is to be resumed");
    }
}
