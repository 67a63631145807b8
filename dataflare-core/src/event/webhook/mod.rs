//! Events to an address on the web: CloudEvents 1.0 as JSON by POST, signed as Standard Webhooks does.
//!
//! One event after another, in the order in which they happened, each tried until the address takes
//! it, says that it never will, or the run is over and the deadline of [`Deliveries::finish`] has
//! passed. An address that is down holds up nothing but its own events.

mod cloudevent;
mod delivery;
mod signature;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use self::delivery::{Delivery, Fate, Timing};
use self::signature::Key;
use super::bus::Watch;
use super::mailbox::{Counts, Inbox};
use super::{EventBus, Interest};
use crate::workflow::EventSpec;
use crate::{Error, Result};

/// An address that wants to hear of events. Its `Debug` shows neither the path nor the secret.
pub struct Webhook {
    url: Url,
    key: Option<Key>,
    interest: Interest,
    timing: Timing,
}

impl Webhook {
    /// Checks what a workflow says about a webhook, without connecting. `secret` is the key of the
    /// signature, as text or as `whsec_` and base64; `on` names types of events (`workflow.finished`,
    /// `workflow.*`), all but progress where it is empty.
    pub fn new(url: &str, secret: Option<&str>, on: &[String]) -> Result<Self> {
        // The parser's error and the text may hold credentials: neither is repeated.
        let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(|| {
            Error::config("a webhook's `url` is not an address on the web")
                .help("write a whole address, such as `https://example.com/hook`")
        })?;
        let interest = match on {
            [] => Interest::all().without_progress(),
            patterns => Interest::all().types(patterns)?,
        };
        let key = secret.map(Key::parse).transpose()?;
        Ok(Self { url, key, interest, timing: Timing::default() })
    }

    /// As [`Webhook::new`], from a workflow's `events`.
    pub fn from_spec(spec: &EventSpec) -> Result<Self> {
        match spec {
            EventSpec::Webhook { url, secret, on } => Self::new(url, secret.as_deref(), on),
        }
    }

    /// Hears only of the workflow with this id.
    #[must_use]
    pub fn workflow(mut self, id: impl Into<String>) -> Self {
        self.interest = self.interest.workflow(id);
        self
    }

    /// Delivers what happens from now on, on the current tokio runtime.
    pub fn start(self, bus: &EventBus) -> Result<Deliveries> {
        let label = label(&self.url);
        let delivery = Delivery::new(self.url, label.clone(), self.key, self.timing)?;
        let (inbox, watch) = bus.watch_awaited(self.interest);
        let queued = inbox.counts();
        let tally = Arc::new(Tally::default());
        let (hurry, hurried) = watch::channel(false);
        let task = tokio::spawn(deliver(inbox, delivery, tally.clone(), hurried));
        Ok(Deliveries { task, watch: Some(watch), hurry, tally, queued, label })
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("address", &label(&self.url))
            .field("signed", &self.key.is_some())
            .field("interest", &self.interest)
            .finish_non_exhaustive()
    }
}

/// A webhook at work. Dropped, it stops at once; see [`Deliveries::finish`].
#[derive(Debug)]
#[must_use = "the deliveries stop when this is dropped"]
pub struct Deliveries {
    task: JoinHandle<()>,
    watch: Option<Watch>,
    hurry: watch::Sender<bool>,
    tally: Arc<Tally>,
    queued: Arc<Counts>,
    label: String,
}

/// What became of a webhook's events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivered {
    /// The address took them.
    pub delivered: u64,
    /// The address said that it never will take them.
    pub refused: u64,
    /// They could not be delivered in time.
    pub undelivered: u64,
}

#[derive(Debug, Default)]
struct Tally {
    delivered: AtomicU64,
    refused: AtomicU64,
}

impl Deliveries {
    /// Takes no more events, delivers those that wait, and gives up on what is left after `deadline`.
    /// For the end of a run, after its last event.
    pub async fn finish(mut self, deadline: Duration) -> Delivered {
        self.watch = None;
        self.hurry.send_replace(true);
        if tokio::time::timeout(deadline, &mut self.task).await.is_err() {
            self.task.abort();
        }
        let outcome = self.delivered();
        if outcome.undelivered > 0 {
            let Delivered { delivered, refused, undelivered } = outcome;
            tracing::warn!(
                webhook = self.label,
                delivered,
                refused,
                undelivered,
                "events were not delivered"
            );
        }
        outcome
    }

    /// What became of the events so far; those that wait count as undelivered.
    pub fn delivered(&self) -> Delivered {
        let delivered = self.tally.delivered.load(Relaxed);
        let refused = self.tally.refused.load(Relaxed);
        let lost = self.queued.lost();
        let wanted = self.queued.accepted() + lost.details;
        Delivered { delivered, refused, undelivered: wanted.saturating_sub(delivered + refused) }
    }
}

impl Drop for Deliveries {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn deliver(mut inbox: Inbox, delivery: Delivery, tally: Arc<Tally>, mut hurry: watch::Receiver<bool>) {
    while let Some(envelope) = inbox.next().await {
        match delivery.deliver(&envelope, &mut hurry).await {
            Fate::Delivered => tally.delivered.fetch_add(1, Relaxed),
            Fate::Refused => tally.refused.fetch_add(1, Relaxed),
            Fate::Unsubscribed => return,
        };
        inbox.handled();
    }
}

/// What of an address may be shown: neither user, path nor query, for all of them may hold secrets.
fn label(url: &Url) -> String {
    url.origin().ascii_serialization()
}
