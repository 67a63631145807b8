//! What a watcher wants to hear.

use super::{Envelope, Event, Weight};
use crate::{Error, Result};

/// Which events a watcher gets; all of all workflows by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interest {
    workflow: Option<String>,
    types: Types,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Types {
    #[default]
    All,
    AllButProgress,
    Matching(Vec<String>),
}

impl Interest {
    /// Everything.
    pub fn all() -> Self {
        Self::default()
    }

    /// Only the workflow with this id.
    #[must_use]
    pub fn workflow(mut self, id: impl Into<String>) -> Self {
        self.workflow = Some(id.into());
        self
    }

    /// All types but `progress`.
    #[must_use]
    pub fn without_progress(mut self) -> Self {
        self.types = Types::AllButProgress;
        self
    }

    /// Only the types that one of `patterns` names: `workflow.finished`, `workflow.*`, or `*`. A
    /// pattern that no event could ever match is refused.
    pub fn types<P: AsRef<str>>(mut self, patterns: &[P]) -> Result<Self> {
        let patterns = patterns.iter().map(AsRef::as_ref);
        for pattern in patterns.clone() {
            if !Event::TYPES.iter().any(|kind| matches(pattern, kind)) {
                return Err(Error::config(format!("no event is called `{pattern}`")).help(format!(
                    "there are {}; `workflow.*` stands for several",
                    Event::TYPES.join(", ")
                )));
            }
        }
        self.types = Types::Matching(patterns.map(str::to_owned).collect());
        Ok(self)
    }

    /// Whether `envelope` is wanted.
    pub fn wants(&self, envelope: &Envelope) -> bool {
        let workflow = self.workflow.as_ref().is_none_or(|id| *id == envelope.workflow);
        workflow
            && match &self.types {
                Types::All => true,
                Types::AllButProgress => envelope.event.weight() != Weight::Tick,
                Types::Matching(patterns) => {
                    patterns.iter().any(|pattern| matches(pattern, envelope.event.kind()))
                }
            }
    }
}

fn matches(pattern: &str, kind: &str) -> bool {
    let family = || kind.split_once('.').map(|(family, _)| family);
    pattern == "*" || pattern == kind || pattern.strip_suffix(".*").is_some_and(|it| Some(it) == family())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::catalogue::samples;

    fn wanted(interest: &Interest) -> Vec<&'static str> {
        let envelope = |event| Envelope::now(1, "paid", "r1", event);
        let envelopes = samples::every_type().into_iter().map(envelope);
        envelopes.filter(|it| interest.wants(it)).map(|it| it.event.kind()).collect()
    }

    #[test]
    fn patterns_name_one_type_or_a_family_or_all() {
        let interest = |patterns: &[&str]| Interest::all().types(patterns).unwrap();
        assert_eq!(wanted(&interest(&["workflow.failed"])), ["workflow.failed"]);
        assert_eq!(wanted(&interest(&["split.*", "lane.finished"])), ["split.finished", "lane.finished"]);
        assert_eq!(wanted(&interest(&["workflow.*"])).len(), 5);
        assert_eq!(wanted(&interest(&["*"])), Event::TYPES);
    }

    #[test]
    fn a_pattern_that_nothing_matches_is_refused_with_what_there_is() {
        for pattern in ["workflow.finnished", "work*", "", ".*", "*.finished"] {
            let error = Interest::all().types(&[pattern]).unwrap_err();
            assert_eq!(error.to_string(), format!("no event is called `{pattern}`"));
            assert!(error.help.unwrap().contains("workflow.finished"));
        }
    }

    #[test]
    fn another_workflow_is_not_wanted() {
        assert_eq!(wanted(&Interest::all().workflow("paid")), Event::TYPES);
        assert!(wanted(&Interest::all().workflow("unpaid")).is_empty());
    }

    #[test]
    fn without_progress_all_else_is_wanted() {
        let kinds = wanted(&Interest::all().without_progress());
        assert_eq!(kinds.len(), Event::TYPES.len() - 1);
        assert!(!kinds.contains(&"progress"));
    }
}
