//! Reads the meters on a tick and publishes what they say.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{Meters, Publisher};

/// The shortest time between two ticks.
pub const TICK_MIN: Duration = Duration::from_millis(200);

/// Publishes `progress` (and what was rejected since) on a tick, until it is finished or dropped.
#[derive(Debug)]
pub struct Ticker {
    task: JoinHandle<()>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    meters: Meters,
    publisher: Publisher,
    /// Held while a tick is published, so that none comes after the end.
    ended: Mutex<bool>,
}

impl Ticker {
    /// Starts to tick every `period`, [`TICK_MIN`] at least, on the current tokio runtime.
    pub fn start(meters: Meters, publisher: Publisher, period: Duration) -> Self {
        let period = period.max(TICK_MIN);
        let shared = Arc::new(Shared { meters, publisher, ended: Mutex::new(false) });
        let ticked = shared.clone();
        let task = tokio::spawn(async move {
            let mut ticks = interval_at(Instant::now() + period, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            loop {
                ticks.tick().await;
                ticked.publish(false);
            }
        });
        Self { task, shared }
    }

    /// Stops, and publishes the final state: what is published after this comes after all ticks.
    pub fn finish(self) {
        self.shared.publish(true);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        *self.shared.ended() = true;
        self.task.abort();
    }
}

impl Shared {
    fn publish(&self, last: bool) {
        let mut ended = self.ended();
        if !*ended {
            *ended = last;
            for event in self.meters.report() {
                self.publisher.publish(event);
            }
        }
    }

    fn ended(&self) -> MutexGuard<'_, bool> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;
    use crate::component::Role;
    use crate::event::{Event, EventBus};

    #[tokio::test]
    async fn ticks_come_by_themselves_and_the_last_one_on_finish() {
        let bus = EventBus::new();
        let mut stream = bus.stream(16);
        let meters = Meters::new([("orders".to_owned(), Role::Source)]);
        let ticker = Ticker::start(meters.clone(), bus.publisher("w", "r"), Duration::ZERO);

        let first = stream.next().await.unwrap();
        let Event::Progress(progress) = &first.event else { panic!("a tick, not {first:?}") };
        assert!(progress.elapsed_ms >= 200, "a period of zero is too short: {progress:?}");

        meters.meter("orders").unwrap().rejected(1, "not a number");
        meters.meter("orders").unwrap().rows_out(5);
        ticker.finish();
        let rejected = stream.next().await.unwrap();
        assert_eq!(rejected.event.kind(), "records.rejected");
        let last = stream.next().await.unwrap();
        let Event::Progress(progress) = &last.event else { panic!("a tick, not {last:?}") };
        assert_eq!(progress.components[0].rows_out, 5);
        drop(bus);
        assert!(stream.next().await.is_none(), "nothing comes after the last tick");
    }
}
