//! Progress in a terminal: a bar for each source, a line for each destination.

use std::io::Write;

use dataflare_core::component::Role;
use dataflare_core::event::{Envelope, Event, Progress};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::notes::Notes;
use super::view::View;
use super::{summary, text};

/// Steps of a bar; finer than any terminal shows.
const STEPS: u64 = 10_000;

/// Draws what the events of a run say; notes and the summary go to `out`, which writes above the bars.
#[derive(Debug)]
pub(super) struct Bars<W> {
    bars: MultiProgress,
    out: W,
    /// One a source and destination, with the component's name.
    rows: Vec<(String, ProgressBar)>,
    view: View,
    notes: Notes,
}

impl<W: Write> Bars<W> {
    pub(super) fn new(bars: MultiProgress, out: W) -> Self {
        Self { bars, out, rows: Vec::new(), view: View::default(), notes: Notes::default() }
    }

    pub(super) fn show(&mut self, envelope: &Envelope) {
        if let Event::WorkflowStarted { .. } = &envelope.event {
            self.clear();
            (self.view, self.notes) = (View::default(), Notes::default());
        }
        if let Some(note) = self.notes.note(envelope) {
            self.write(&format!("{note}\n"));
        }
        match &envelope.event {
            Event::Progress(tick) => self.update(tick),
            Event::WorkflowFinished { summary } => {
                self.clear();
                self.write(&summary::render(summary));
            }
            Event::WorkflowFailed { summary, .. } => {
                self.clear();
                if let Some(summary) = summary {
                    self.write(&summary::render(summary));
                }
            }
            _ => {}
        }
    }

    fn update(&mut self, tick: &Progress) {
        self.view.update(tick);
        if self.rows.is_empty() {
            self.rows = rows(&self.bars, tick);
        }
        for source in self.view.sources() {
            let Some(bar) = self.bar(source.name) else { continue };
            if let Some(done) = source.done {
                if bar.length().is_none() {
                    bar.set_style(style("{prefix}  {bar:24} {wide_msg}"));
                    bar.set_length(STEPS);
                }
                bar.set_position((done * STEPS as f64) as u64);
            }
            bar.set_message(text::source(&source));
            bar.tick();
        }
        for destination in tick.components.iter().filter(|it| it.role == Role::Destination) {
            let Some(bar) = self.bar(&destination.name) else { continue };
            bar.set_message(text::destination(destination));
        }
    }

    fn bar(&self, name: &str) -> Option<&ProgressBar> {
        self.rows.iter().find(|(known, _)| known == name).map(|(_, bar)| bar)
    }

    fn clear(&mut self) {
        for (_, bar) in self.rows.drain(..) {
            bar.finish_and_clear();
        }
    }

    fn write(&mut self, text: &str) {
        // Nobody is left to be told that stderr is closed, and the run does not need it.
        _ = self.out.write_all(text.as_bytes());
    }
}

/// A row for each source and destination; a source has a spinner until its size is known.
fn rows(bars: &MultiProgress, tick: &Progress) -> Vec<(String, ProgressBar)> {
    let shown = || tick.components.iter().filter(|it| it.role != Role::Processor);
    let width = shown().map(|it| it.name.chars().count()).max().unwrap_or_default();
    let row = |name: &str, role| {
        let template =
            if role == Role::Source { "{prefix}  {spinner} {wide_msg}" } else { "{prefix}  {wide_msg}" };
        let bar = bars.add(ProgressBar::no_length().with_style(style(template)));
        bar.set_prefix(format!("{name:<width$}"));
        (name.to_owned(), bar)
    };
    shown().map(|it| row(&it.name, it.role)).collect()
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates of this file are well-formed")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use indicatif::{ProgressDrawTarget, TermLike};

    use super::super::summary::samples::orders_to_lake as summary;
    use super::super::view::samples::{component, orders_to_lake, tick};
    use super::*;

    /// A terminal of 80 columns that keeps the lines that were drawn last.
    #[derive(Debug, Clone, Default)]
    struct Screen(Arc<Mutex<Vec<String>>>);

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            80
        }

        fn move_cursor_up(&self, lines: usize) -> std::io::Result<()> {
            let mut drawn = self.0.lock().unwrap();
            let kept = drawn.len().saturating_sub(lines + 1);
            drawn.truncate(kept);
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> std::io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> std::io::Result<()> {
            if !text.trim().is_empty() {
                self.0.lock().unwrap().push(text.trim_end().to_owned());
            }
            Ok(())
        }

        fn clear_line(&self) -> std::io::Result<()> {
            Ok(())
        }

        fn flush(&self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn bars(screen: &Screen) -> Bars<Vec<u8>> {
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        Bars::new(MultiProgress::with_draw_target(target), Vec::new())
    }

    fn show(bars: &mut Bars<Vec<u8>>, event: Event) {
        let time = chrono::DateTime::UNIX_EPOCH;
        bars.show(&Envelope { id: 1, time, workflow: "paid".into(), run: "r".into(), event });
    }

    #[test]
    fn a_source_of_known_size_has_a_bar_and_a_destination_a_line() {
        let screen = Screen::default();
        let mut bars = bars(&screen);
        (0..=12).for_each(|seconds| show(&mut bars, Event::Progress(orders_to_lake(seconds))));
        let [(_, orders), (_, lake)] = &bars.rows[..] else { panic!("two rows") };
        assert_eq!((orders.position(), orders.length()), (3_750, Some(STEPS)));
        assert_eq!(orders.message(), "1.2M rows (98k/s, 45 MB/s, 37%, 20s left)");
        assert_eq!(
            (lake.prefix().as_str(), lake.message().as_str()),
            ("lake  ", "1.1M rows, 1.1M committed")
        );
        insta::assert_snapshot!(screen.0.lock().unwrap().join("\n"), @r"
        orders  █████████░░░░░░░░░░░░░░░ 1.2M rows (98k/s, 45 MB/s, 37%, 20s left)
        lake    1.1M rows, 1.1M committed
        ");
    }

    #[test]
    fn a_source_of_unknown_size_has_no_length_until_it_is_known() {
        let mut bars = bars(&Screen::default());
        let source = component("s", Role::Source, 5);
        show(&mut bars, Event::Progress(tick(0, vec![source.clone()])));
        assert_eq!(bars.rows[0].1.length(), None);
        let known = dataflare_core::event::ComponentProgress { rows_total: Some(10), ..source };
        show(&mut bars, Event::Progress(tick(200, vec![known])));
        assert_eq!((bars.rows[0].1.length(), bars.rows[0].1.position()), (Some(STEPS), STEPS / 2));
    }

    #[test]
    fn at_the_end_the_bars_make_room_for_the_table() {
        let mut bars = bars(&Screen::default());
        show(&mut bars, Event::Progress(orders_to_lake(1)));
        show(&mut bars, Event::Draining);
        show(&mut bars, Event::WorkflowFinished { summary: Box::new(summary()) });
        assert!(bars.rows.is_empty());
        let written = String::from_utf8(bars.out).unwrap();
        assert!(written.starts_with("stopping: "), "{written}");
        assert!(written.ends_with(&summary::render(&summary())), "{written}");
    }
}
