//! One error type for the engine and its components, sorted by who must act.

use std::fmt;

/// The result of anything the engine or a component does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Who must act on an [`Error`], and whether trying again helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The user: the workflow or the data it names is wrong. Never retried.
    Config,
    /// Nobody yet: the same call may succeed later. Retried in place, then by a restart.
    Transient,
    /// The operator: trying again cannot help (a corrupt file, a full disk).
    Permanent,
    /// Us: a component panicked.
    Panic,
}

/// Where in a run an [`Error`] happened; every part is optional and filled in on the way up.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// The component's name in the workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The split that was being read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// The position within the split, in the connector's own words ("byte 1834", "row 12").
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
}

/// What failed, where, and why. `Display` prints the message alone; the place and the chain of
/// causes are for whoever reports it.
#[derive(Debug)]
pub struct Error {
    /// Who must act.
    pub kind: ErrorKind,
    /// What failed, naming the object: lowercase, no full stop.
    pub message: String,
    /// What the user can do next.
    pub help: Option<String>,
    /// Where it failed; boxed to keep `Result` small.
    pub place: Box<Place>,
    cause: Option<Cause>,
}

impl Error {
    /// An error of `kind` that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), help: None, place: Box::default(), cause: None }
    }

    /// The workflow, or the data it names, is wrong.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// The same call may succeed later.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Transient, message)
    }

    /// Trying again cannot help.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Permanent, message)
    }

    /// A component panicked.
    pub fn panic(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Panic, message)
    }

    /// Keeps `cause` as the source of this error.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Cause>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Says what the user can do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Names the component, unless one deeper down is named already.
    #[must_use]
    pub fn in_component(mut self, name: impl Into<String>) -> Self {
        self.place.component.get_or_insert_with(|| name.into());
        self
    }

    /// Names the split, unless it is named already.
    #[must_use]
    pub fn in_split(mut self, split: impl Into<String>) -> Self {
        self.place.split.get_or_insert_with(|| split.into());
        self
    }

    /// Names the position, unless it is named already.
    #[must_use]
    pub fn at(mut self, position: impl Into<String>) -> Self {
        self.place.position.get_or_insert_with(|| position.into());
        self
    }

    /// The message, the place and every cause, on one line: for logs and events.
    pub fn report(&self) -> String {
        let mut text = String::new();
        let Place { component, split, position } = &*self.place;
        for (label, part) in [("", component), ("split ", split), ("at ", position)] {
            if let Some(part) = part {
                text.push_str(label);
                text.push_str(part);
                text.push_str(": ");
            }
        }
        text.push_str(&self.message);
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_place_wins_and_the_report_holds_the_chain() {
        let disk = std::io::Error::other("no space left");
        let error = Error::permanent("cannot write part-1").caused_by(disk).at("row 7");
        let error = error.in_component("lake").in_component("outer").at("row 9");
        assert_eq!(error.to_string(), "cannot write part-1");
        assert_eq!(error.report(), "lake: at row 7: cannot write part-1: no space left");
    }
}
