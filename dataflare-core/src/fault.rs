//! Fail points: places where a test can have this process killed, fail or panic, exactly.
//!
//! `kill@checkpoint.after_rename:7` kills the process at the seventh time that this point is passed.
//! Without an installed plan a point costs one relaxed load.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use crate::{Error, Result};

/// All points, in the order of a run; connectors' own are named after the connector's kind of step.
pub const POINTS: &[&str] = &[
    "source.before_open",
    "source.after_read",
    "processor.before_process",
    "destination.before_write",
    "destination.before_stage",
    "staging.before_close",
    "staging.after_close",
    "checkpoint.before_write",
    "checkpoint.before_rename",
    "checkpoint.after_rename",
    "checkpoint.before_commit",
    "staging.before_rename",
    "staging.after_rename",
    "checkpoint.after_commit",
    "staging.before_publish",
    "staging.after_publish",
    "checkpoint.before_finished",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Kill,
    Error,
    Panic,
}

#[derive(Debug)]
struct Planned {
    action: Action,
    point: String,
    hits_left: u64,
}

static ACTIVE: AtomicBool = AtomicBool::new(false);
static PLAN: Mutex<Vec<Planned>> = Mutex::new(Vec::new());

/// Installs a plan for the whole process: `action@point:n`, separated by commas; actions are `kill`,
/// `error` and `panic`.
pub fn install(plan: &str) -> Result<()> {
    let parsed = plan.split(',').map(parse).collect::<Result<Vec<_>>>()?;
    ACTIVE.store(!parsed.is_empty(), Relaxed);
    *PLAN.lock().unwrap_or_else(PoisonError::into_inner) = parsed;
    Ok(())
}

fn parse(text: &str) -> Result<Planned> {
    let wrong = |why: &str| {
        Error::config(format!("`{text}` is not a fault: {why}"))
            .help("write `kill@checkpoint.after_rename:7`")
    };
    let (action, rest) = text.trim().split_once('@').ok_or_else(|| wrong("it has no `@`"))?;
    let (point, number) = rest.split_once(':').unwrap_or((rest, "1"));
    let action = match action {
        "kill" => Action::Kill,
        "error" => Action::Error,
        "panic" => Action::Panic,
        _ => return Err(wrong("the action is none of kill, error, panic")),
    };
    if !POINTS.contains(&point) {
        return Err(wrong(&format!("the points are {}", POINTS.join(", "))));
    }
    let hits_left =
        number.parse().ok().filter(|number| *number > 0).ok_or_else(|| wrong("the number is not one"))?;
    Ok(Planned { action, point: point.to_owned(), hits_left })
}

/// Passes a point: does nothing, unless a plan says otherwise.
#[inline]
pub fn point(name: &'static str) -> Result<()> {
    if ACTIVE.load(Relaxed) { hit(name) } else { Ok(()) }
}

#[cold]
fn hit(name: &str) -> Result<()> {
    let due = {
        let mut plan = PLAN.lock().unwrap_or_else(PoisonError::into_inner);
        plan.iter_mut().filter(|planned| planned.point == name && planned.hits_left > 0).find_map(|planned| {
            planned.hits_left -= 1;
            (planned.hits_left == 0).then_some(planned.action)
        })
    };
    match due {
        None => Ok(()),
        Some(Action::Error) => Err(Error::permanent(format!("injected fault at {name}"))),
        Some(Action::Panic) => panic!("injected fault at {name}"),
        Some(Action::Kill) => kill(),
    }
}

/// Ends this process as `kill -9` would: no destructor runs, nothing is flushed.
fn kill() -> Result<()> {
    use nix::sys::signal::{Signal, kill};
    kill(nix::unistd::Pid::this(), Signal::SIGKILL)
        .map_err(|cause| Error::permanent("cannot kill this process").caused_by(cause))?;
    // The signal is on its way.
    loop {
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_names_nothing_real_is_refused() {
        for plan in ["kill", "stab@source.after_read", "kill@nowhere", "kill@source.after_read:0"] {
            assert!(parse(plan).is_err(), "{plan}");
        }
        assert_eq!(parse("error@source.after_read:3").unwrap().hits_left, 3);
    }
}
