//! Events as an async stream.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;

use super::Envelope;
use super::bus::Watch;
use super::mailbox::{Inbox, Lost};

/// Events in order. Ends when the bus is gone, or when the reader was so slow that it was given up.
#[derive(Debug)]
#[must_use = "a stream that nobody reads gathers events"]
pub struct EventStream {
    inbox: Inbox,
    _watch: Watch,
}

impl EventStream {
    pub(super) fn new(inbox: Inbox, watch: Watch) -> Self {
        Self { inbox, _watch: watch }
    }

    /// What the reader missed because it was too slow.
    pub fn lost(&self) -> Lost {
        self.inbox.counts().lost()
    }
}

impl Stream for EventStream {
    type Item = Arc<Envelope>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.inbox.poll_next(context)
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, StreamExt};

    use crate::event::{Event, EventBus};

    #[test]
    fn a_stream_gives_what_was_published_since_it_began_and_waits_for_more() {
        let bus = EventBus::new();
        let publisher = bus.publisher("w", "r");
        publisher.publish(Event::Draining);
        let mut stream = bus.stream(4);
        assert!(stream.next().now_or_never().is_none(), "nothing yet");
        publisher.publish(Event::Draining);
        assert_eq!(stream.next().now_or_never().unwrap().unwrap().id, 2);
        drop((publisher, bus));
        assert!(stream.next().now_or_never().unwrap().is_none(), "the bus is gone");
    }
}
