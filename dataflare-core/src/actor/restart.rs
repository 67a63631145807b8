//! Whether a failed run starts again, and when.

use std::time::Duration;

use super::retry::waits;
use crate::workflow::Backoff;
use crate::{Error, ErrorKind};

/// Panics in a row, with no checkpoint in between, after which the same records would only panic again.
const PANICS_MAX: u32 = 3;

/// The restarts of one run.
pub(crate) struct Restarts {
    backoff: Backoff,
    waits: Box<dyn Iterator<Item = Duration> + Send>,
    count: u32,
    panics: u32,
}

impl Restarts {
    pub(crate) fn new(backoff: Backoff) -> Self {
        Self { backoff, waits: Box::new(waits(backoff)), count: 0, panics: 0 }
    }

    /// How long to wait before the run starts again after `error`; `None` if it does not.
    pub(crate) fn next(&mut self, error: &Error) -> Option<Duration> {
        match error.kind {
            ErrorKind::Config | ErrorKind::Permanent => return None,
            ErrorKind::Transient => {}
            ErrorKind::Panic => {
                self.panics += 1;
                if self.panics >= PANICS_MAX {
                    return None;
                }
            }
        }
        let wait = self.waits.next()?;
        self.count += 1;
        Some(wait)
    }

    /// A checkpoint has been committed: what failed before it does not count as being stuck.
    pub(crate) fn progressed(&mut self) {
        self.panics = 0;
    }

    /// Restarts so far.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Restarts at most.
    pub(crate) fn max(&self) -> u32 {
        self.backoff.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again_and_not_for_ever() {
        let mut restarts = Restarts::new(Backoff { max: 2, ..Backoff::default() });
        assert!(restarts.next(&Error::config("no such column")).is_none());
        assert!(restarts.next(&Error::permanent("disk full")).is_none());
        assert!(restarts.next(&Error::transient("busy")).is_some());
        assert!(restarts.next(&Error::transient("busy")).is_some());
        assert!(restarts.next(&Error::transient("busy")).is_none());
        assert_eq!(restarts.count(), 2);
    }

    #[test]
    fn a_run_that_panics_without_progress_gives_up_early() {
        let mut restarts = Restarts::new(Backoff { max: 50, ..Backoff::default() });
        assert!(restarts.next(&Error::panic("ours")).is_some());
        restarts.progressed();
        assert!(restarts.next(&Error::panic("ours")).is_some());
        assert!(restarts.next(&Error::panic("ours")).is_some());
        assert!(restarts.next(&Error::panic("ours")).is_none());
    }
}
