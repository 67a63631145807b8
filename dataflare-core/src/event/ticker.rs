//! Reads the meters on a tick and publishes what they say.

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
    meters: Meters,
    publisher: Publisher,
}

impl Ticker {
    /// Starts to tick every `period`, [`TICK_MIN`] at least, on the current tokio runtime.
    pub fn start(meters: Meters, publisher: Publisher, period: Duration) -> Self {
        let period = period.max(TICK_MIN);
        let (ticked, told) = (meters.clone(), publisher.clone());
        let task = tokio::spawn(async move {
            let mut ticks = interval_at(Instant::now() + period, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            loop {
                ticks.tick().await;
                publish(&ticked, &told);
            }
        });
        Self { task, meters, publisher }
    }

    /// Stops, and publishes the final state, so that what is told last is what happened.
    pub fn finish(self) {
        self.task.abort();
        publish(&self.meters, &self.publisher);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn publish(meters: &Meters, publisher: &Publisher) {
    for event in meters.report() {
        publisher.publish(event);
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
    }
}
