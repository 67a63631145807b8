//! What is wrong with a workflow beyond its text.

use crate::component::Problem;

/// Something wrong with one component of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The component's name.
    pub component: String,
    /// The part of it to blame.
    pub part: Part,
    /// What is wrong.
    pub problem: Problem,
}

/// A part of a component in the workflow's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The component as a whole.
    Whole,
    /// Its `type`.
    Kind,
    /// Its `inputs`, or one of them.
    Inputs(Option<usize>),
    /// Its `config`; the problem's path leads on from there.
    Config,
    /// Its `on_error`.
    OnError,
}

impl Mistake {
    pub(super) fn new(component: &str, part: Part, message: impl Into<String>) -> Self {
        Self { component: component.to_owned(), part, problem: Problem::new(&[], message) }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.problem = self.problem.help(help);
        self
    }
}
