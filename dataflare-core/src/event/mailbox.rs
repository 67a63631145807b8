//! The bounded queue between the bus and one watcher.
//!
//! A watcher that falls behind loses ticks beyond the capacity it asked for, details beyond
//! [`DETAILS_MAX`], and is given up when it is so far behind that even lifecycle events pile up.
//! Records never come this way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};

use tokio::sync::{mpsc, watch};

use super::{Envelope, Interest, Weight};

/// Details are lost to a watcher that has so many events waiting.
pub(super) const DETAILS_MAX: usize = 16_384;

/// A watcher that has so many events waiting is given up.
pub(super) const LIFECYCLE_MAX: usize = DETAILS_MAX + 1_024;

/// What a watcher missed because it was too slow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    /// `progress` ticks.
    pub ticks: u64,
    /// Splits, lanes, checkpoints, rejects, retries.
    pub details: u64,
}

/// The bus's end.
#[derive(Debug)]
pub(super) struct Mailbox {
    interest: Interest,
    capacity: usize,
    sender: mpsc::UnboundedSender<Arc<Envelope>>,
    counts: Arc<Counts>,
}

/// The watcher's end.
#[derive(Debug)]
pub(super) struct Inbox {
    receiver: mpsc::UnboundedReceiver<Arc<Envelope>>,
    counts: Arc<Counts>,
    handled: watch::Sender<u64>,
}

/// What both ends and the watcher's handle share.
#[derive(Debug, Default)]
pub(super) struct Counts {
    waiting: AtomicUsize,
    accepted: AtomicU64,
    lost_ticks: AtomicU64,
    lost_details: AtomicU64,
    closed: AtomicBool,
}

/// What became of an event that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// The watcher will get it, or does not want it.
    Done,
    /// The watcher was too slow to get it.
    Lost,
    /// The watcher is no more.
    Gone,
}

/// A mailbox that queues ticks up to `capacity`, and a way to see how much of it was handled.
pub(super) fn mailbox(interest: Interest, capacity: usize) -> (Mailbox, Inbox, watch::Receiver<u64>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let (handled, seen) = watch::channel(0);
    let counts = Arc::new(Counts::default());
    let capacity = capacity.clamp(1, DETAILS_MAX);
    let inbox = Inbox { receiver, counts: counts.clone(), handled };
    (Mailbox { interest, capacity, sender, counts }, inbox, seen)
}

impl Mailbox {
    /// Queues `envelope` if it is wanted and there is room. Never waits.
    pub(super) fn offer(&self, envelope: &Arc<Envelope>) -> Offer {
        if !self.interest.wants(envelope) {
            return Offer::Done;
        }
        let waiting = self.counts.waiting.load(Relaxed);
        match envelope.event.weight() {
            Weight::Tick if waiting >= self.capacity => {
                self.counts.lost_ticks.fetch_add(1, Relaxed);
                return Offer::Lost;
            }
            Weight::Detail if waiting >= DETAILS_MAX => {
                if self.counts.lost_details.fetch_add(1, Relaxed) == 0 {
                    let workflow = &envelope.workflow;
                    tracing::warn!(workflow, waiting, "an event watcher is too slow and loses details");
                }
                return Offer::Lost;
            }
            Weight::Lifecycle if waiting >= LIFECYCLE_MAX => {
                tracing::warn!(waiting, "an event watcher is too slow and was removed");
                return Offer::Gone;
            }
            _ => {}
        }
        // Counted before it is sent: the reader subtracts as soon as it has it.
        self.counts.waiting.fetch_add(1, Relaxed);
        self.counts.accepted.fetch_add(1, Relaxed);
        if self.sender.send(envelope.clone()).is_err() { Offer::Gone } else { Offer::Done }
    }

    /// How many events were queued so far.
    pub(super) fn accepted(&self) -> u64 {
        self.counts.accepted()
    }
}

impl Inbox {
    /// The next event; `None` when there will be no more. For async code.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Arc<Envelope>>> {
        let next = std::task::ready!(self.receiver.poll_recv(context));
        Poll::Ready(self.took(next))
    }

    /// The next event; `None` when there will be no more. For async code.
    pub(super) async fn next(&mut self) -> Option<Arc<Envelope>> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    /// The next event; `None` when there will be no more. For a thread of its own.
    pub(super) fn wait(&mut self) -> Option<Arc<Envelope>> {
        let next = self.receiver.blocking_recv();
        self.took(next)
    }

    fn took(&self, next: Option<Arc<Envelope>>) -> Option<Arc<Envelope>> {
        let next = next?;
        self.counts.waiting.fetch_sub(1, Relaxed);
        (!self.counts.closed.load(Relaxed)).then_some(next)
    }

    /// The event that was taken last is dealt with.
    pub(super) fn handled(&self) {
        self.handled.send_modify(|handled| *handled += 1);
    }

    /// What both ends share.
    pub(super) fn counts(&self) -> Arc<Counts> {
        self.counts.clone()
    }
}

impl Counts {
    /// How many events were queued so far.
    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Relaxed)
    }

    /// What was lost so far.
    pub(super) fn lost(&self) -> Lost {
        Lost { ticks: self.lost_ticks.load(Relaxed), details: self.lost_details.load(Relaxed) }
    }

    /// Nothing more is taken out, not even what is queued.
    pub(super) fn close(&self) {
        self.closed.store(true, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::event::catalogue::samples;

    fn envelope(id: u64, event: Event) -> Arc<Envelope> {
        Arc::new(Envelope::now(id, "w", "r", event))
    }

    fn detail() -> Arc<Envelope> {
        envelope(1, Event::LaneFinished { lane: 0, rows: 0 })
    }

    #[test]
    fn ticks_beyond_the_capacity_are_lost_and_counted() {
        let (mailbox, mut inbox, _seen) = mailbox(Interest::all(), 2);
        let offers: Vec<_> = (0..4).map(|id| mailbox.offer(&envelope(id, samples::tick(id)))).collect();
        assert_eq!(offers, [Offer::Done, Offer::Done, Offer::Lost, Offer::Lost]);
        assert_eq!(mailbox.offer(&envelope(4, Event::Draining)), Offer::Done, "lifecycle always has room");
        drop(mailbox);
        let ids: Vec<_> = std::iter::from_fn(|| inbox.wait()).map(|it| it.id).collect();
        assert_eq!(ids, [0, 1, 4]);
        assert_eq!(inbox.counts().lost(), Lost { ticks: 2, details: 0 });
    }

    #[test]
    fn a_stalled_watcher_loses_details_but_still_hears_the_end() {
        let (mailbox, mut inbox, _seen) = mailbox(Interest::all(), 1);
        for _ in 0..DETAILS_MAX {
            assert_eq!(mailbox.offer(&detail()), Offer::Done);
        }
        assert_eq!(mailbox.offer(&detail()), Offer::Lost);
        assert_eq!(mailbox.offer(&envelope(9, Event::Draining)), Offer::Done);
        assert_eq!(inbox.counts().lost(), Lost { ticks: 0, details: 1 });
        drop(mailbox);
        let last = std::iter::from_fn(|| inbox.wait()).last().unwrap();
        assert_eq!(last.event, Event::Draining);
    }

    #[test]
    fn a_watcher_that_never_reads_is_given_up() {
        let (mailbox, _inbox, _seen) = mailbox(Interest::all(), 1);
        for _ in 0..LIFECYCLE_MAX {
            assert_eq!(mailbox.offer(&envelope(1, Event::Draining)), Offer::Done);
        }
        assert_eq!(mailbox.offer(&envelope(1, Event::Draining)), Offer::Gone);
    }

    #[test]
    fn what_was_read_makes_room() {
        let (mailbox, mut inbox, _seen) = mailbox(Interest::all(), 1);
        for elapsed in 0..100 {
            assert_eq!(mailbox.offer(&envelope(1, samples::tick(elapsed))), Offer::Done);
            inbox.wait().unwrap();
        }
        assert_eq!(mailbox.accepted(), 100);
    }

    #[test]
    fn a_closed_inbox_gives_nothing_that_was_queued() {
        let (mailbox, mut inbox, _seen) = mailbox(Interest::all(), 1);
        mailbox.offer(&detail());
        inbox.counts().close();
        assert!(inbox.wait().is_none());
    }
}
