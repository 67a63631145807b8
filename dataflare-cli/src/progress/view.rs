//! What the ticks of a run say, and how fast it goes.

use std::collections::VecDeque;
use std::time::Duration;

use dataflare_core::component::Role;
use dataflare_core::event::{ComponentProgress, Progress};

/// Speeds are means over so long.
const WINDOW_MS: u64 = 10_000;

/// The latest tick and those of the last seconds.
#[derive(Debug, Default)]
pub(super) struct View {
    ticks: VecDeque<Progress>,
}

/// A source, as far as it is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SourceView<'a> {
    pub(super) name: &'a str,
    pub(super) rows: u64,
    pub(super) speed: Option<Speed>,
    /// How much of it is read, from 0 to 1, where its size is known.
    pub(super) done: Option<f64>,
    pub(super) left: Option<Duration>,
}

/// A second's worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Speed {
    pub(super) rows: f64,
    pub(super) bytes: f64,
}

impl View {
    /// Takes in a tick. A run that was set back to a checkpoint is measured anew.
    pub(super) fn update(&mut self, tick: &Progress) {
        if self.ticks.back().is_some_and(|last| was_set_back(last, tick)) {
            self.ticks.clear();
        }
        self.ticks.push_back(tick.clone());
        let horizon = tick.elapsed_ms.saturating_sub(WINDOW_MS);
        while self.ticks.front().is_some_and(|first| first.elapsed_ms < horizon) {
            self.ticks.pop_front();
        }
    }

    /// Time since the run began.
    pub(super) fn elapsed(&self) -> Duration {
        Duration::from_millis(self.ticks.back().map_or(0, |last| last.elapsed_ms))
    }

    /// The components as of the latest tick, in the workflow's order.
    pub(super) fn components(&self) -> &[ComponentProgress] {
        self.ticks.back().map_or(&[], |last| &last.components)
    }

    /// The sources as of the latest tick.
    pub(super) fn sources(&self) -> Vec<SourceView<'_>> {
        let sources = self.components().iter().enumerate().filter(|(_, it)| it.role == Role::Source);
        sources.map(|(index, source)| self.source(index, source)).collect()
    }

    fn source<'a>(&self, index: usize, source: &'a ComponentProgress) -> SourceView<'a> {
        let speed = self.speed(index, source);
        let left = |total: u64, done: u64, speed: f64| {
            let seconds = total.saturating_sub(done) as f64 / speed;
            Duration::try_from_secs_f64(seconds).ok()
        };
        let (done, left) = match (source.bytes_total, source.rows_total) {
            (Some(total @ 1..), _) => {
                (Some((source.bytes, total)), speed.and_then(|it| left(total, source.bytes, it.bytes)))
            }
            (_, Some(total @ 1..)) => {
                (Some((source.rows_in, total)), speed.and_then(|it| left(total, source.rows_in, it.rows)))
            }
            _ if source.splits_total > 1 => (Some((source.splits_done, source.splits_total)), None),
            _ => (None, None),
        };
        let done = done.map(|(done, total)| (done as f64 / total as f64).min(1.0));
        let left = left.filter(|_| done < Some(1.0));
        SourceView { name: &source.name, rows: source.rows_in, speed, done, left }
    }

    fn speed(&self, index: usize, now: &ComponentProgress) -> Option<Speed> {
        let (first, last) = (self.ticks.front()?, self.ticks.back()?);
        let then = first.components.get(index)?;
        let seconds = last.elapsed_ms.checked_sub(first.elapsed_ms).filter(|ms| *ms > 0)? as f64 / 1e3;
        let rows = now.rows_in.saturating_sub(then.rows_in) as f64 / seconds;
        let bytes = now.bytes.saturating_sub(then.bytes) as f64 / seconds;
        Some(Speed { rows, bytes })
    }
}

fn was_set_back(last: &Progress, now: &Progress) -> bool {
    now.components.len() != last.components.len()
        || now.components.iter().zip(&last.components).any(|(now, last)| now.rows_in < last.rows_in)
}

#[cfg(test)]
pub(super) mod samples {
    //! Ticks for the tests of this module.

    use super::*;

    pub(in crate::progress) fn component(name: &str, role: Role, rows: u64) -> ComponentProgress {
        ComponentProgress {
            name: name.into(),
            role,
            rows_in: rows,
            rows_out: rows,
            bytes: 0,
            rejected: 0,
            skipped: 0,
            splits_done: 0,
            splits_total: 0,
            bytes_total: None,
            rows_total: None,
        }
    }

    pub(in crate::progress) fn tick(elapsed_ms: u64, components: Vec<ComponentProgress>) -> Progress {
        Progress { components, elapsed_ms, memory_rss_bytes: None }
    }

    /// `orders` of 1 GB at 98 thousand rows and 45 MB a second, to `lake`.
    pub(in crate::progress) fn orders_to_lake(seconds: u64) -> Progress {
        let mut orders = component("orders", Role::Source, seconds * 98_000);
        orders.bytes = seconds * 45_000_000;
        orders.bytes_total = Some(1_440_000_000);
        let lake = component("lake", Role::Destination, seconds * 90_000);
        tick(seconds * 1000, vec![orders, lake])
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{component, orders_to_lake, tick};
    use super::*;

    fn view(ticks: impl IntoIterator<Item = Progress>) -> View {
        let mut view = View::default();
        ticks.into_iter().for_each(|tick| view.update(&tick));
        view
    }

    #[test]
    fn speed_and_time_left_are_those_of_the_last_seconds() {
        let mut ticks: Vec<_> = (0..=12).map(orders_to_lake).collect();
        ticks[0].components[0].rows_in = 0;
        let view = view(ticks);
        let [orders] = &view.sources()[..] else { panic!("one source") };
        assert_eq!(orders.speed, Some(Speed { rows: 98_000.0, bytes: 45_000_000.0 }));
        assert_eq!(orders.done, Some(0.375));
        assert_eq!(orders.left, Some(Duration::from_secs(20)));
        assert_eq!(view.ticks.len(), 11, "older ones are forgotten");
    }

    #[test]
    fn one_tick_tells_no_speed() {
        let view = view([orders_to_lake(5)]);
        assert_eq!((view.sources()[0].speed, view.sources()[0].left), (None, None));
    }

    #[test]
    fn a_source_that_stands_still_has_no_time_left_to_tell() {
        let mut still = orders_to_lake(5);
        still.elapsed_ms = 6_000;
        let view = view([orders_to_lake(5), still]);
        assert_eq!(view.sources()[0].speed, Some(Speed { rows: 0.0, bytes: 0.0 }));
        assert_eq!(view.sources()[0].left, None);
    }

    #[test]
    fn a_restart_does_not_make_the_speed_wrong() {
        let mut back = orders_to_lake(2);
        back.elapsed_ms = 9_000;
        let mut on = orders_to_lake(3);
        on.elapsed_ms = 10_000;
        let view = view([orders_to_lake(8), back, on]);
        assert_eq!(view.sources()[0].speed.unwrap().rows, 98_000.0);
    }

    #[test]
    fn rows_or_splits_tell_how_far_it_is_where_bytes_do_not() {
        let mut source = component("s", Role::Source, 30);
        source.rows_total = Some(40);
        source.splits_total = 1;
        assert_eq!(view([tick(0, vec![source.clone()])]).sources()[0].done, Some(0.75));
        source.rows_total = None;
        assert_eq!(view([tick(0, vec![source.clone()])]).sources()[0].done, None);
        (source.splits_total, source.splits_done) = (4, 1);
        assert_eq!(view([tick(0, vec![source])]).sources()[0].done, Some(0.25));
    }

    #[test]
    fn a_file_that_grew_is_not_read_more_than_whole() {
        let mut source = component("s", Role::Source, 30);
        let before = tick(0, vec![source.clone()]);
        (source.bytes, source.bytes_total) = (120, Some(100));
        let view = view([before, tick(200, vec![source])]);
        assert_eq!((view.sources()[0].done, view.sources()[0].left), (Some(1.0), None));
    }
}
