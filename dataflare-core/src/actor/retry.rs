//! Retries in place, of calls that may be repeated.

use std::future::Future;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::event::{Event, Publisher};
use crate::workflow::Backoff;
use crate::{Error, ErrorKind, Result};

/// Tries idempotent calls again while they fail for the moment.
#[derive(Debug, Clone)]
pub(crate) struct Retry {
    /// How often, and how long to wait in between.
    pub backoff: Backoff,
    /// Who hears of it.
    pub publisher: Publisher,
}

/// The waits before each retry or restart: doubling, with jitter.
pub(crate) fn waits(backoff: Backoff) -> impl Iterator<Item = std::time::Duration> {
    ExponentialBuilder::default()
        .with_min_delay(backoff.first)
        .with_max_delay(backoff.longest)
        .with_max_times(backoff.max as usize)
        .with_jitter()
        .build()
}

impl Retry {
    /// Calls until it succeeds, fails for good, or has been tried often enough.
    pub(crate) async fn call<T, F>(&self, component: &str, mut call: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let mut waits = waits(self.backoff).enumerate();
        loop {
            let error = match call().await {
                Ok(value) => return Ok(value),
                Err(error) => error.in_component(component),
            };
            let Some((tried, wait)) = waits.next().filter(|_| error.kind == ErrorKind::Transient) else {
                return Err(error);
            };
            self.tell(component, tried, wait, &error);
            tokio::time::sleep(wait).await;
        }
    }

    fn tell(&self, component: &str, tried: usize, wait: std::time::Duration, error: &Error) {
        self.publisher.publish(Event::Retrying {
            component: component.to_owned(),
            attempt: u32::try_from(tried + 1).unwrap_or(u32::MAX),
            max: self.backoff.max,
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            error: error.report(),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::EventBus;

    fn retry() -> Retry {
        let backoff = Backoff { max: 3, first: Duration::from_secs(1), longest: Duration::from_secs(2) };
        Retry { backoff, publisher: EventBus::new().publisher("w", "r") }
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_for_the_moment_is_tried_again() {
        let mut calls = 0;
        let retry = retry();
        let result = retry.call("c", || {
            calls += 1;
            let answer = if calls < 3 { Err(Error::transient("busy")) } else { Ok(calls) };
            async { answer }
        });
        assert_eq!(result.await.unwrap(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_for_good_is_not() {
        let mut calls = 0;
        let result: Result<()> = retry()
            .call("c", || {
                calls += 1;
                async { Err(Error::permanent("no")) }
            })
            .await;
        assert_eq!((result.unwrap_err().report(), calls), ("c: no".to_owned(), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn it_gives_up_after_so_many_tries() {
        let mut calls = 0;
        let result: Result<()> = retry()
            .call("c", || {
                calls += 1;
                async { Err(Error::transient("busy")) }
            })
            .await;
        assert!(result.is_err());
        assert_eq!(calls, 4);
    }
}
