//! Who hears what.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;

use tokio::sync::watch;

use super::mailbox::{Inbox, Mailbox, Offer, mailbox};
use super::{Envelope, Event, EventStream, Interest, Subscription, callback};
use crate::Result;

/// Ticks that wait for a callback or a webhook at most.
const CAPACITY: usize = 64;

/// Hands events to all who watch; one a process serves all its workflows. Clones are the same bus.
///
/// Callbacks run on a thread of their own each, so neither a slow one nor one that panics holds up
/// the run or another watcher.
#[derive(Debug, Clone, Default)]
pub struct EventBus {
    watchers: Arc<Watchers>,
}

#[derive(Debug, Default)]
pub(super) struct Watchers {
    last_id: AtomicU64,
    list: RwLock<Vec<Watcher>>,
}

#[derive(Debug)]
struct Watcher {
    id: u64,
    mailbox: Mailbox,
    /// How many events it has dealt with, where a flush waits for it.
    handled: Option<watch::Receiver<u64>>,
}

impl EventBus {
    /// A bus that nobody watches yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The way in for one run of a workflow. Its events are numbered from one; so all parts of a run
    /// use clones of one publisher.
    pub fn publisher(&self, workflow: impl Into<String>, run: impl Into<String>) -> Publisher {
        let source = Source { workflow: workflow.into(), run: run.into(), last_id: Mutex::new(0) };
        Publisher { bus: self.clone(), source: Arc::new(source) }
    }

    /// Calls `callback` with every event, in order, on a thread of its own, until the subscription is
    /// dropped. A callback that panics is removed. Fails where the system gives no thread.
    pub fn subscribe(&self, callback: impl FnMut(&Envelope) + Send + 'static) -> Result<Subscription> {
        self.subscribe_to(Interest::all(), callback)
    }

    /// As [`EventBus::subscribe`], with the events of `interest` only.
    pub fn subscribe_to(
        &self,
        interest: Interest,
        callback: impl FnMut(&Envelope) + Send + 'static,
    ) -> Result<Subscription> {
        let (inbox, watch) = self.watch(interest, CAPACITY, true);
        callback::start(inbox, watch, callback)
    }

    /// All events from now on as a stream, which ends with the bus. A reader that falls more than
    /// `capacity` events behind loses progress ticks.
    pub fn stream(&self, capacity: usize) -> EventStream {
        self.stream_of(Interest::all(), capacity)
    }

    /// As [`EventBus::stream`], with the events of `interest` only.
    pub fn stream_of(&self, interest: Interest, capacity: usize) -> EventStream {
        let (inbox, watch) = self.watch(interest, capacity, false);
        EventStream::new(inbox, watch)
    }

    /// Waits until callbacks and webhooks have dealt with all that was published before; false if that
    /// took longer than `deadline`. Streams are not waited for: nobody knows whether they are read.
    pub async fn flush(&self, deadline: Duration) -> bool {
        let pending: Vec<_> = self
            .watchers
            .read()
            .iter()
            .filter_map(|watcher| Some((watcher.handled.clone()?, watcher.mailbox.accepted())))
            .collect();
        let all = async {
            for (mut handled, accepted) in pending {
                // An error means that the watcher has ended: it will not handle any more.
                _ = handled.wait_for(|handled| *handled >= accepted).await;
            }
        };
        tokio::time::timeout(deadline, all).await.is_ok()
    }

    /// Adds a watcher, which stays until its [`Watch`] is dropped.
    pub(super) fn watch(&self, interest: Interest, capacity: usize, awaited: bool) -> (Inbox, Watch) {
        let (mailbox, inbox, handled) = mailbox(interest, capacity);
        let id = self.watchers.last_id.fetch_add(1, Relaxed) + 1;
        let handled = awaited.then_some(handled);
        self.watchers.write().push(Watcher { id, mailbox, handled });
        (inbox, Watch { id, watchers: Arc::downgrade(&self.watchers) })
    }

    /// Adds a watcher with the usual room for ticks, which a flush waits for.
    pub(super) fn watch_awaited(&self, interest: Interest) -> (Inbox, Watch) {
        self.watch(interest, CAPACITY, true)
    }

    fn deliver(&self, envelope: &Arc<Envelope>) {
        let gone = |watcher: &&Watcher| watcher.mailbox.offer(envelope) == Offer::Gone;
        let gone: Vec<_> = self.watchers.read().iter().filter(gone).map(|watcher| watcher.id).collect();
        if !gone.is_empty() {
            self.watchers.write().retain(|watcher| !gone.contains(&watcher.id));
        }
    }
}

impl Watchers {
    fn read(&self) -> RwLockReadGuard<'_, Vec<Watcher>> {
        self.list.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Watcher>> {
        self.list.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A watcher's place on the bus; gives it up when dropped. What is queued is still delivered.
#[derive(Debug)]
pub(super) struct Watch {
    id: u64,
    watchers: Weak<Watchers>,
}

impl Watch {
    /// Keeps the place for as long as there is a bus.
    pub(super) fn keep(mut self) {
        self.watchers = Weak::new();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(watchers) = self.watchers.upgrade() {
            watchers.write().retain(|watcher| watcher.id != self.id);
        }
    }
}

/// Publishes the events of one run. Clones number their events together.
#[derive(Debug, Clone)]
pub struct Publisher {
    bus: EventBus,
    source: Arc<Source>,
}

#[derive(Debug)]
struct Source {
    workflow: String,
    run: String,
    last_id: Mutex<u64>,
}

impl Publisher {
    /// Tells all who watch. Never waits for them, and never fails.
    pub fn publish(&self, event: Event) {
        // Held until all mailboxes have it: so ids increase for every watcher.
        let mut last_id = self.source.last_id.lock().unwrap_or_else(PoisonError::into_inner);
        *last_id += 1;
        let envelope = Envelope::now(*last_id, &self.source.workflow, &self.source.run, event);
        self.bus.deliver(&Arc::new(envelope));
    }

    /// The workflow's id.
    pub fn workflow(&self) -> &str {
        &self.source.workflow
    }

    /// The run's id.
    pub fn run(&self) -> &str {
        &self.source.run
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;
    use crate::event::catalogue::samples;

    const DEADLINE: Duration = Duration::from_secs(30);

    fn lane(lane: usize) -> Event {
        Event::LaneFinished { lane, rows: 0 }
    }

    #[tokio::test]
    async fn every_watcher_sees_the_ids_of_a_run_increase_whoever_publishes() {
        let bus = EventBus::new();
        let publisher = bus.publisher("w", "r");
        let stream = bus.stream(1);
        std::thread::scope(|scope| {
            for index in 0..4 {
                let publisher = publisher.clone();
                scope.spawn(move || (0..500).for_each(|_| publisher.publish(lane(index))));
            }
        });
        drop((publisher, bus));
        let ids: Vec<_> = stream.map(|envelope| envelope.id).collect().await;
        assert_eq!(ids, (1..=2_000).collect::<Vec<u64>>());
    }

    #[tokio::test]
    async fn runs_of_several_workflows_are_told_apart() {
        let bus = EventBus::new();
        let only = bus.stream_of(Interest::all().workflow("b"), 8);
        let both = bus.stream(8);
        bus.publisher("a", "r1").publish(Event::Draining);
        bus.publisher("b", "r2").publish(Event::Draining);
        drop(bus);
        let only: Vec<_> = only.map(|it| (it.workflow.clone(), it.run.clone(), it.id)).collect().await;
        assert_eq!(only, [("b".to_owned(), "r2".to_owned(), 1)]);
        assert_eq!(both.count().await, 2);
    }

    #[tokio::test]
    async fn a_flush_waits_for_callbacks_but_no_longer_than_it_may() {
        let bus = EventBus::new();
        let publisher = bus.publisher("w", "r");
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let _subscription = bus
            .subscribe(move |envelope| {
                blocked.recv().unwrap();
                tell.send(envelope.id).unwrap();
            })
            .unwrap();
        publisher.publish(Event::Draining);
        publisher.publish(samples::tick(1));
        assert!(!bus.flush(Duration::from_millis(1)).await, "the callback is blocked");
        release.send(()).unwrap();
        release.send(()).unwrap();
        assert!(bus.flush(DEADLINE).await);
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [1, 2]);
    }

    #[tokio::test]
    async fn an_unread_stream_holds_up_neither_publishing_nor_a_flush() {
        let bus = EventBus::new();
        let publisher = bus.publisher("w", "r");
        let stream = bus.stream(4);
        for elapsed_ms in 0..10_000 {
            publisher.publish(samples::tick(elapsed_ms));
        }
        publisher.publish(Event::Draining);
        assert!(bus.flush(DEADLINE).await);
        assert_eq!(stream.lost().ticks, 9_996);
        drop((publisher, bus));
        let kinds: Vec<_> = stream.map(|envelope| envelope.event.kind()).collect().await;
        assert_eq!(kinds, ["progress", "progress", "progress", "progress", "workflow.draining"]);
    }

    #[tokio::test]
    async fn a_watcher_that_is_given_up_gets_what_was_queued_and_then_the_end() {
        let bus = EventBus::new();
        let publisher = bus.publisher("w", "r");
        let stream = bus.stream(4);
        for _ in 0..=super::super::mailbox::LIFECYCLE_MAX {
            publisher.publish(Event::Draining);
        }
        assert!(bus.watchers.read().is_empty());
        assert_eq!(stream.count().await, super::super::mailbox::LIFECYCLE_MAX);
    }
}
