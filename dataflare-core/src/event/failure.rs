//! An error as an event carries it.

use serde::{Deserialize, Serialize};

use crate::error::Place;
use crate::{Error, ErrorKind};

/// What is left of an [`Error`] when it leaves the process: text and numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Who must act.
    pub kind: ErrorKind,
    /// What failed.
    pub message: String,
    /// Where it failed.
    pub place: Place,
    /// Why, from the nearest cause to the deepest.
    pub causes: Vec<String>,
    /// What the user can do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let first = std::error::Error::source(error);
        Self {
            kind: error.kind,
            message: error.message.clone(),
            place: (*error.place).clone(),
            causes: std::iter::successors(first, |cause| cause.source()).map(ToString::to_string).collect(),
            help: error.help.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_the_whole_chain_of_causes() {
        let disk = Error::permanent("no space left").caused_by(std::io::Error::other("os error 28"));
        let error = Error::transient("cannot write part-1").caused_by(disk).at("row 7").help("free some");
        let failure = Failure::from(&error);
        assert_eq!(failure.causes, ["no space left", "os error 28"]);
        assert_eq!(failure.place.position.as_deref(), Some("row 7"));
        assert_eq!(failure.kind, ErrorKind::Transient);
        assert_eq!(failure.help.as_deref(), Some("free some"));
    }
}
