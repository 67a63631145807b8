//! Progress where there is no terminal: a line every few seconds.

use std::io::Write;
use std::time::Duration;

use dataflare_core::event::{Envelope, Event};

use super::notes::Notes;
use super::view::View;
use super::{summary, text};

/// Writes what the events of a run say to `out`.
#[derive(Debug)]
pub(super) struct Lines<W> {
    out: W,
    every: Duration,
    due: Duration,
    view: View,
    notes: Notes,
}

impl<W: Write> Lines<W> {
    pub(super) fn new(out: W, every: Duration) -> Self {
        Self { out, every, due: every, view: View::default(), notes: Notes::default() }
    }

    pub(super) fn show(&mut self, envelope: &Envelope) {
        if let Event::WorkflowStarted { .. } = &envelope.event {
            (self.due, self.view, self.notes) = (self.every, View::default(), Notes::default());
        }
        if let Some(note) = self.notes.note(envelope) {
            self.write(&format!("{note}\n"));
        }
        match &envelope.event {
            Event::Progress(tick) => {
                self.view.update(tick);
                if self.view.elapsed() >= self.due {
                    self.due = self.view.elapsed() + self.every;
                    self.write(&format!("{}\n", text::run(&self.view)));
                }
            }
            Event::WorkflowFinished { summary } | Event::WorkflowFailed { summary: Some(summary), .. } => {
                self.write(&summary::render(summary));
            }
            _ => {}
        }
    }

    fn write(&mut self, text: &str) {
        // Nobody is left to be told that stderr is closed, and the run does not need it.
        _ = self.out.write_all(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use dataflare_core::Error;
    use dataflare_core::component::Role;
    use dataflare_core::event::{ComponentInfo, Failure};

    use super::super::summary::samples::orders_to_lake as summary;
    use super::super::view::samples::orders_to_lake;
    use super::*;

    fn shown(events: impl IntoIterator<Item = Event>) -> String {
        let mut lines = Lines::new(Vec::new(), Duration::from_secs(5));
        for (event, id) in events.into_iter().zip(1..) {
            let time = chrono::DateTime::UNIX_EPOCH;
            lines.show(&Envelope { id, time, workflow: "paid".into(), run: "r".into(), event });
        }
        String::from_utf8(lines.out).unwrap()
    }

    #[test]
    fn ticks_become_a_line_every_few_seconds() {
        insta::assert_snapshot!(shown((0..=12).map(|seconds| Event::Progress(orders_to_lake(seconds)))), @r"
        5s  orders 490k rows (98k/s, 45 MB/s, 15%, 27s left) -> lake 450k rows
        10s  orders 980k rows (98k/s, 45 MB/s, 31%, 22s left) -> lake 900k rows
        ");
    }

    #[test]
    fn the_next_run_of_a_workflow_begins_anew() {
        let orders = || ComponentInfo { name: "orders".into(), role: Role::Source, kind: "file".into() };
        let started = || Event::WorkflowStarted { resumed_from: None, lanes: 1, components: vec![orders()] };
        let ticks = [6, 1, 5].map(|seconds| Event::Progress(orders_to_lake(seconds)));
        let [first, second, third] = ticks;
        insta::assert_snapshot!(shown([started(), first, started(), second, third]), @r"
        paid: orders; 1 lane
        6s  orders 588k rows (18%) -> lake 540k rows
        paid: orders; 1 lane
        5s  orders 490k rows (98k/s, 45 MB/s, 15%, 27s left) -> lake 450k rows
        ");
    }

    #[test]
    fn a_run_ends_with_its_table_also_when_it_failed() {
        let table = summary::render(&summary());
        assert_eq!(shown([Event::WorkflowFinished { summary: Box::new(summary()) }]), table);
        let failed = |summary| Event::WorkflowFailed {
            error: Box::new(Failure::from(&Error::permanent("no space left"))),
            resumable: true,
            summary,
        };
        assert_eq!(shown([failed(Some(Box::new(summary())))]), table);
        assert_eq!(shown([failed(None)]), "");
    }

    #[test]
    fn notes_come_when_they_happen() {
        let events =
            [Event::Progress(orders_to_lake(6)), Event::Draining, Event::Progress(orders_to_lake(7))];
        insta::assert_snapshot!(shown(events), @r"
        6s  orders 588k rows (18%) -> lake 540k rows
        stopping: finishing what was read; a second signal stops at once
        ");
    }

    #[test]
    fn a_closed_stderr_is_no_reason_to_stop() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut lines = Lines::new(writer, Duration::ZERO);
        lines.show(&Envelope {
            id: 1,
            time: chrono::DateTime::UNIX_EPOCH,
            workflow: "paid".into(),
            run: "r".into(),
            event: Event::Progress(orders_to_lake(6)),
        });
        assert_eq!(lines.view.elapsed(), Duration::from_secs(6));
    }
}
