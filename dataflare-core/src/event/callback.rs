//! Function callbacks: a thread each, which dies with its function alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::Envelope;
use super::bus::Watch;
use super::mailbox::{Counts, Inbox, Lost};
use crate::{Error, Result};

/// Ends a callback when dropped: no call begins after that, and what is queued is not delivered.
#[derive(Debug)]
#[must_use = "the callback ends when its subscription is dropped"]
pub struct Subscription {
    watch: Option<Watch>,
    counts: Arc<Counts>,
}

impl Subscription {
    /// Lets the callback live as long as the bus.
    pub fn detach(mut self) {
        if let Some(watch) = self.watch.take() {
            watch.keep();
        }
    }

    /// What the callback missed because it was too slow.
    pub fn lost(&self) -> Lost {
        self.counts.lost()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if self.watch.is_some() {
            self.counts.close();
        }
    }
}

/// Calls `callback` with what comes into `inbox`, on a new thread.
pub(super) fn start(
    inbox: Inbox,
    watch: Watch,
    callback: impl FnMut(&Envelope) + Send + 'static,
) -> Result<Subscription> {
    let counts = inbox.counts();
    std::thread::Builder::new()
        .name("dataflare-events".into())
        .spawn(move || call(inbox, callback))
        .map_err(|error| Error::transient("cannot start a thread for an event callback").caused_by(error))?;
    Ok(Subscription { watch: Some(watch), counts })
}

fn call(mut inbox: Inbox, mut callback: impl FnMut(&Envelope)) {
    while let Some(envelope) = inbox.wait() {
        // The callback is not called again after a panic, so what it left behind is not seen.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| callback(&envelope))) {
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            let event = envelope.event.kind();
            tracing::error!(event, panic = text, "an event callback panicked and was removed");
            return;
        }
        inbox.handled();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use crate::event::{Event, EventBus};

    const DEADLINE: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_panicking_callback_is_removed_and_harms_nobody() {
        let bus = EventBus::new();
        let publisher = bus.publisher("w", "r");
        let (tell, told) = mpsc::channel();
        let broken = bus.subscribe(|envelope| panic!("cannot take event {}", envelope.id)).unwrap();
        let _sound = bus.subscribe(move |envelope| tell.send(envelope.id).unwrap()).unwrap();
        for _ in 0..3 {
            publisher.publish(Event::Draining);
        }
        assert!(bus.flush(DEADLINE).await, "nobody waits for the broken one");
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [1, 2, 3]);
        drop(broken);
    }

    #[tokio::test]
    async fn no_call_begins_after_the_subscription_is_dropped() {
        let bus = EventBus::new();
        let publisher = bus.publisher("w", "r");
        let (entered_tell, entered) = mpsc::channel();
        let (release, blocked) = mpsc::channel::<()>();
        let subscription = bus
            .subscribe(move |envelope| {
                entered_tell.send(envelope.id).unwrap();
                blocked.recv().unwrap();
            })
            .unwrap();
        publisher.publish(Event::Draining);
        assert_eq!(entered.recv().unwrap(), 1);
        publisher.publish(Event::Draining);
        drop(subscription);
        publisher.publish(Event::Draining);
        release.send(()).unwrap();
        assert_eq!(entered.recv(), Err(mpsc::RecvError), "its thread ended without another call");
    }

    #[tokio::test]
    async fn a_detached_callback_lives_with_the_bus() {
        let bus = EventBus::new();
        let publisher = bus.publisher("w", "r");
        let (tell, told) = mpsc::channel();
        bus.subscribe(move |envelope| tell.send(envelope.id).unwrap()).unwrap().detach();
        publisher.publish(Event::Draining);
        drop((publisher, bus));
        assert_eq!(told.iter().collect::<Vec<_>>(), [1], "and what is queued is still delivered");
    }
}
