//! What is worth a line of its own while a run goes on.

use std::collections::HashSet;
use std::time::Duration;

use dataflare_core::component::Role;
use dataflare_core::event::{ComponentInfo, Envelope, Event};

use super::human;

/// Notes of one run. Rejected records are noted once a component; their number is in the progress.
#[derive(Debug, Default)]
pub(super) struct Notes {
    rejected: HashSet<String>,
}

impl Notes {
    /// What to tell of `envelope`, if anything.
    pub(super) fn note(&mut self, envelope: &Envelope) -> Option<String> {
        if let Event::RecordsRejected { component, .. } = &envelope.event
            && !self.rejected.insert(component.clone())
        {
            return None;
        }
        note(&envelope.workflow, &envelope.event)
    }
}

fn note(workflow: &str, event: &Event) -> Option<String> {
    Some(match event {
        Event::WorkflowStarted { resumed_from, lanes, components } => {
            let lanes = if *lanes == 1 { "1 lane".to_owned() } else { format!("{lanes} lanes") };
            let from = match resumed_from {
                Some(epoch) => format!("; going on from checkpoint {epoch}"),
                None => String::new(),
            };
            format!("{workflow}: {}; {lanes}{from}", plan(components))
        }
        Event::RecordsRejected { component, count, sample } => {
            let records = if *count == 1 { "a record".to_owned() } else { format!("{count} records") };
            format!("{component}: could not take {records}: {sample}")
        }
        Event::Retrying { component, attempt, max, wait_ms, error } => {
            format!("{component}: {error}; trying again in {} ({attempt} of {max})", wait(*wait_ms))
        }
        Event::Restarting { attempt, max, wait_ms, error } => {
            let wait = wait(*wait_ms);
            format!("{error}; going on from the last checkpoint in {wait} (restart {attempt} of {max})")
        }
        Event::Draining => "stopping: finishing what was read; a second signal stops at once".into(),
        _ => return None,
    })
}

/// The names in the order in which records pass: `orders -> paid, shaped -> lake`.
fn plan(components: &[ComponentInfo]) -> String {
    let names = |role| {
        let names = components.iter().filter(|it| it.role == role).map(|it| it.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let roles = [Role::Source, Role::Processor, Role::Destination].map(names);
    roles.iter().filter(|names| !names.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" -> ")
}

fn wait(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms}ms"),
        _ => human::duration(Duration::from_millis(ms), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(event: Event) -> String {
        note("paid-orders", &event).unwrap_or_default()
    }

    #[test]
    fn a_start_names_the_plan_and_where_it_goes_on() {
        let component = |name: &str, role| ComponentInfo { name: name.into(), role, kind: "file".into() };
        let components = vec![
            component("orders", Role::Source),
            component("paid", Role::Processor),
            component("shaped", Role::Processor),
            component("lake", Role::Destination),
        ];
        let started =
            |resumed_from, lanes, components| Event::WorkflowStarted { resumed_from, lanes, components };
        insta::assert_snapshot!(
            told(started(Some(12), 2, components.clone())),
            @"paid-orders: orders -> paid, shaped -> lake; 2 lanes; going on from checkpoint 12"
        );
        let [orders, .., lake] = <[_; 4]>::try_from(components).unwrap();
        insta::assert_snapshot!(
            told(started(None, 1, vec![orders, lake])),
            @"paid-orders: orders -> lake; 1 lane"
        );
    }

    #[test]
    fn what_goes_wrong_is_told_with_what_happens_next() {
        let error = || "cannot connect to example.com: timed out".to_owned();
        insta::assert_snapshot!(
            told(Event::Retrying { component: "lake".into(), attempt: 2, max: 5, wait_ms: 500, error: error() }),
            @"lake: cannot connect to example.com: timed out; trying again in 500ms (2 of 5)"
        );
        insta::assert_snapshot!(
            told(Event::Restarting { attempt: 1, max: 5, wait_ms: 61_000, error: format!("lake: {}", error()) }),
            @"lake: cannot connect to example.com: timed out; going on from the last checkpoint in 1m 1s (restart 1 of 5)"
        );
        insta::assert_snapshot!(
            told(Event::Draining),
            @"stopping: finishing what was read; a second signal stops at once"
        );
    }

    #[test]
    fn rejected_records_are_noted_once_a_component() {
        let mut notes = Notes::default();
        let rejected = |component: &str, count| Envelope {
            id: 1,
            time: chrono::DateTime::UNIX_EPOCH,
            workflow: "w".into(),
            run: "r".into(),
            event: Event::RecordsRejected {
                component: component.into(),
                count,
                sample: "amount: `x` is not a number".into(),
            },
        };
        insta::assert_snapshot!(
            notes.note(&rejected("orders", 3)).unwrap(),
            @"orders: could not take 3 records: amount: `x` is not a number"
        );
        assert_eq!(notes.note(&rejected("orders", 3)), None);
        insta::assert_snapshot!(
            notes.note(&rejected("paid", 1)).unwrap(),
            @"paid: could not take a record: amount: `x` is not a number"
        );
    }
}
