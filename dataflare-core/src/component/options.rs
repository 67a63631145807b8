//! A component's options as its constructor gets them, and what can be wrong with them.

use std::ops::Range;

use serde::de::DeserializeOwned;

/// One step of the way to a value within a component's options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// A key of a map.
    Key(String),
    /// An index of a list.
    Index(usize),
}

/// Something wrong with a component's options. `validate` turns it into file, line and column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The way from the component's `config` to the value to blame; empty for the whole.
    pub path: Vec<Segment>,
    /// What is wrong: lowercase, no full stop.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// The bytes to blame within the value, where it is text (an SQL expression).
    pub range: Option<Range<usize>>,
}

impl Problem {
    /// A problem with the value at `path` (keys alone, "a.b" style).
    pub fn new(path: &[&str], message: impl Into<String>) -> Self {
        let path = path.iter().map(|key| Segment::Key((*key).to_owned())).collect();
        Self { path, message: message.into(), help: None, range: None }
    }

    /// Says what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A component's options: the value under `config`, interpolated.
#[derive(Debug, Clone)]
pub struct Options {
    /// The component's name in the workflow.
    pub component: String,
    /// The value under `config`; an empty map where that is left out.
    pub value: serde_json::Value,
}

impl Options {
    /// The options as the component's own struct.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Vec<Problem>> {
        serde_path_to_error::deserialize(&self.value).map_err(|error| {
            let path = error.path().iter().filter_map(segment).collect();
            vec![Problem { path, message: error.into_inner().to_string(), help: None, range: None }]
        })
    }
}

fn segment(step: &serde_path_to_error::Segment) -> Option<Segment> {
    match step {
        serde_path_to_error::Segment::Map { key } => Some(Segment::Key(key.clone())),
        serde_path_to_error::Segment::Seq { index } => Some(Segment::Index(*index)),
        _ => None,
    }
}
