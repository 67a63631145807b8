//! Counters that pumps add to and a tick reads.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{ComponentProgress, Event, Memory, Outcome, Progress, Summary};
use crate::component::{Role, Split};

/// A sample of what was wrong is cut at so many bytes.
const SAMPLE_BYTES_MAX: usize = 500;

/// Stands for a total that is not known.
const UNKNOWN: u64 = u64::MAX;

/// The counters of one component, shared by its lanes: a few relaxed additions a batch.
#[derive(Debug)]
pub struct Meter {
    name: String,
    role: Role,
    rows_in: AtomicU64,
    rows_out: AtomicU64,
    bytes: AtomicU64,
    rejected: AtomicU64,
    skipped: AtomicU64,
    splits_done: AtomicU64,
    splits_total: AtomicU64,
    bytes_total: AtomicU64,
    rows_total: AtomicU64,
    untold: Mutex<Untold>,
}

/// Rejected records that no event has told of yet.
#[derive(Debug, Default)]
struct Untold {
    count: u64,
    sample: String,
}

impl Meter {
    fn new(name: String, role: Role) -> Self {
        Self {
            name,
            role,
            rows_in: AtomicU64::default(),
            rows_out: AtomicU64::default(),
            bytes: AtomicU64::default(),
            rejected: AtomicU64::default(),
            skipped: AtomicU64::default(),
            splits_done: AtomicU64::default(),
            splits_total: AtomicU64::default(),
            bytes_total: AtomicU64::new(UNKNOWN),
            rows_total: AtomicU64::new(UNKNOWN),
            untold: Mutex::default(),
        }
    }

    /// The component was given `rows`.
    pub fn rows_in(&self, rows: u64) {
        self.rows_in.fetch_add(rows, Relaxed);
    }

    /// The component passed `rows` on; a destination committed them.
    pub fn rows_out(&self, rows: u64) {
        self.rows_out.fetch_add(rows, Relaxed);
    }

    /// A source read, or a destination stored, `bytes`.
    pub fn bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Relaxed);
    }

    /// A destination has committed `rows` in all, `bytes` as stored.
    pub fn committed(&self, rows: u64, bytes: u64) {
        self.rows_out.store(rows, Relaxed);
        self.bytes.store(bytes, Relaxed);
    }

    /// `count` records went to a dead letter, the first because of `error`.
    pub fn rejected(&self, count: u64, error: &str) {
        self.rejected.fetch_add(count, Relaxed);
        self.tell_later(count, error);
    }

    /// `count` records were left out, the first because of `error`.
    pub fn skipped(&self, count: u64, error: &str) {
        self.skipped.fetch_add(count, Relaxed);
        self.tell_later(count, error);
    }

    /// A split was read to its end.
    pub fn split_done(&self) {
        self.splits_done.fetch_add(1, Relaxed);
    }

    /// The splits that make up the whole input, finished ones included; replaces what was expected.
    /// A total is known where every split knows its part.
    pub fn expect(&self, splits: &[Split]) {
        let total = |part: fn(&Split) -> Option<u64>| {
            splits.iter().try_fold(0_u64, |sum, split| sum.checked_add(part(split)?)).unwrap_or(UNKNOWN)
        };
        self.splits_total.store(splits.len() as u64, Relaxed);
        self.bytes_total.store(total(|split| split.bytes), Relaxed);
        self.rows_total.store(total(|split| split.rows), Relaxed);
    }

    fn tell_later(&self, count: u64, error: &str) {
        if count == 0 {
            return;
        }
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        if untold.count == 0 {
            untold.sample = error[..error.floor_char_boundary(SAMPLE_BYTES_MAX)].to_owned();
        }
        untold.count += count;
    }

    fn tell(&self) -> Option<Event> {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        let Untold { count, sample } = std::mem::take(&mut *untold);
        (count > 0).then(|| Event::RecordsRejected { component: self.name.clone(), count, sample })
    }

    fn read(&self) -> ComponentProgress {
        let known = |total: &AtomicU64| Some(total.load(Relaxed)).filter(|total| *total != UNKNOWN);
        ComponentProgress {
            name: self.name.clone(),
            role: self.role,
            rows_in: self.rows_in.load(Relaxed),
            rows_out: self.rows_out.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            skipped: self.skipped.load(Relaxed),
            splits_done: self.splits_done.load(Relaxed),
            splits_total: self.splits_total.load(Relaxed),
            bytes_total: known(&self.bytes_total),
            rows_total: known(&self.rows_total),
        }
    }

    fn write(&self, progress: &ComponentProgress) {
        self.rows_in.store(progress.rows_in, Relaxed);
        self.rows_out.store(progress.rows_out, Relaxed);
        self.bytes.store(progress.bytes, Relaxed);
        self.rejected.store(progress.rejected, Relaxed);
        self.skipped.store(progress.skipped, Relaxed);
        self.splits_done.store(progress.splits_done, Relaxed);
        self.splits_total.store(progress.splits_total, Relaxed);
        self.bytes_total.store(progress.bytes_total.unwrap_or(UNKNOWN), Relaxed);
        self.rows_total.store(progress.rows_total.unwrap_or(UNKNOWN), Relaxed);
    }
}

/// The meters of a run. Clones share them.
#[derive(Debug, Clone)]
pub struct Meters {
    started: Instant,
    meters: Arc<[Arc<Meter>]>,
}

impl Meters {
    /// A meter for each component, in the workflow's order; the clock starts now.
    pub fn new(components: impl IntoIterator<Item = (String, Role)>) -> Self {
        let meters = components.into_iter().map(|(name, role)| Arc::new(Meter::new(name, role)));
        Self { started: Instant::now(), meters: meters.collect() }
    }

    /// The meter of the component called `name`.
    pub fn meter(&self, name: &str) -> Option<Arc<Meter>> {
        self.meters.iter().find(|meter| meter.name == name).cloned()
    }

    /// All counters as they stand. Lanes go on meanwhile, so sums over components may be off by the
    /// batches that are on their way.
    pub fn snapshot(&self) -> Vec<ComponentProgress> {
        self.meters.iter().map(|meter| meter.read()).collect()
    }

    /// Sets all counters back to `snapshot`, where a run starts again from a checkpoint; components
    /// that it does not know stay as they are.
    pub fn restore(&self, snapshot: &[ComponentProgress]) {
        for progress in snapshot {
            if let Some(meter) = self.meter(&progress.name) {
                meter.write(progress);
            }
        }
    }

    /// Time since the meters were made.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// How far the run is.
    pub fn progress(&self) -> Progress {
        Progress {
            components: self.snapshot(),
            elapsed_ms: whole_ms(self.elapsed()),
            memory_rss_bytes: Memory::now().rss_bytes,
        }
    }

    /// What the run did, as far as the counters tell; the caller adds what destinations proved and
    /// where their results are.
    pub fn summary(&self, outcome: Outcome, restarts: u32, checkpoints: u64) -> Summary {
        Summary {
            outcome,
            components: self.snapshot().into_iter().map(Into::into).collect(),
            elapsed_ms: whole_ms(self.elapsed()),
            memory_peak_bytes: Memory::now().peak_bytes,
            restarts,
            checkpoints,
        }
    }

    /// The events that tell what changed: rejected records by component, then the progress.
    pub(super) fn report(&self) -> Vec<Event> {
        let mut events: Vec<_> = self.meters.iter().filter_map(|meter| meter.tell()).collect();
        events.push(Event::Progress(self.progress()));
        events
    }
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meters() -> Meters {
        Meters::new([("orders".to_owned(), Role::Source), ("lake".to_owned(), Role::Destination)])
    }

    fn split(bytes: Option<u64>, rows: Option<u64>) -> Split {
        Split { id: "a".into(), version: None, bytes, rows, detail: serde_json::Value::Null }
    }

    #[test]
    fn lanes_add_up_in_one_meter() {
        let meters = meters();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let orders = meters.meter("orders").unwrap();
                scope.spawn(move || {
                    for _ in 0..1_000 {
                        orders.rows_out(3);
                        orders.bytes(30);
                    }
                    orders.split_done();
                });
            }
        });
        let orders = &meters.snapshot()[0];
        assert_eq!((orders.rows_out, orders.bytes, orders.splits_done), (12_000, 120_000, 4));
        assert!(meters.meter("unknown").is_none());
    }

    #[test]
    fn a_total_is_known_only_where_every_split_knows_its_part() {
        let meters = meters();
        let orders = meters.meter("orders").unwrap();
        assert_eq!(meters.snapshot()[0].bytes_total, None);
        orders.expect(&[split(Some(10), Some(1)), split(Some(20), None)]);
        let progress = &meters.snapshot()[0];
        assert_eq!((progress.splits_total, progress.bytes_total, progress.rows_total), (2, Some(30), None));
    }

    #[test]
    fn rejects_are_told_once_with_the_first_reason() {
        let meters = meters();
        let orders = meters.meter("orders").unwrap();
        orders.rejected(2, "not a number");
        orders.skipped(1, "not a date");
        orders.rejected(0, "nothing happened");
        let [Event::RecordsRejected { component, count, sample }, Event::Progress(progress)] =
            &meters.report()[..]
        else {
            panic!("one event of rejects, then the progress");
        };
        assert_eq!((component.as_str(), *count, sample.as_str()), ("orders", 3, "not a number"));
        assert_eq!((progress.components[0].rejected, progress.components[0].skipped), (2, 1));
        assert_eq!(meters.report().len(), 1, "told already");
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let meters = meters();
        meters.meter("orders").unwrap().rejected(1, &"ü".repeat(10_000));
        let Event::RecordsRejected { sample, .. } = &meters.report()[0] else { panic!("an event") };
        assert_eq!(sample.len(), SAMPLE_BYTES_MAX);
        let meter = meters.meter("orders").unwrap();
        meter.rejected(1, &format!("x{}", "ü".repeat(10_000)));
        let Event::RecordsRejected { sample, .. } = &meters.report()[0] else { panic!("an event") };
        assert_eq!(sample.len(), SAMPLE_BYTES_MAX - 1);
    }

    #[test]
    fn a_restart_sets_the_counters_back() {
        let meters = meters();
        let orders = meters.meter("orders").unwrap();
        orders.expect(&[split(Some(10), None)]);
        orders.rows_out(5);
        let at_checkpoint = meters.snapshot();
        orders.rows_out(7);
        orders.expect(&[]);
        meters.restore(&at_checkpoint);
        assert_eq!(meters.snapshot(), at_checkpoint);
    }

    #[test]
    fn the_summary_holds_the_counters_and_the_peak() {
        let meters = meters();
        meters.meter("orders").unwrap().rows_out(5);
        meters.meter("lake").unwrap().rows_in(4);
        let mut summary = meters.summary(Outcome::Completed, 1, 2);
        assert_eq!((summary.rows_read(), summary.restarts, summary.checkpoints), (5, 1, 2));
        assert!(summary.memory_peak_bytes.unwrap() > 0);
        assert_eq!(summary.component_mut("lake").unwrap().rows_in, 4);
        assert!(summary.component_mut("unknown").is_none());
    }
}
