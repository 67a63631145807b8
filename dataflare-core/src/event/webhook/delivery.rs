//! One event to one address, until it is taken or refused.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, StatusCode, redirect};
use tokio::sync::watch;
use tokio::time::sleep;
use url::Url;

use super::cloudevent::{self, CloudEvent};
use super::signature::Key;
use crate::event::Envelope;
use crate::{Error, Result};

/// An address that asks for more patience than this does not get it.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// How long an address may take, and how long to wait before it is tried again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    /// For one answer.
    pub(super) timeout: Duration,
    /// After the first failure; doubles, with jitter.
    pub(super) first: Duration,
    /// At most.
    pub(super) longest: Duration,
    /// At most when the run is over.
    pub(super) hurried: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(15),
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
            hurried: Duration::from_secs(1),
        }
    }
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The address took it.
    Delivered,
    /// The address will never take it.
    Refused,
    /// The address wants no more events.
    Unsubscribed,
}

/// What an address answered.
#[derive(Debug, PartialEq)]
enum Answer {
    Final(Fate, StatusCode),
    Again { after: Option<Duration>, why: String },
}

/// Delivers to one address.
#[derive(Debug)]
pub(super) struct Delivery {
    client: Client,
    url: Url,
    label: String,
    key: Option<Key>,
    timing: Timing,
}

impl Delivery {
    /// `label` stands for the address in logs.
    pub(super) fn new(url: Url, label: String, key: Option<Key>, timing: Timing) -> Result<Self> {
        let client = Client::builder()
            .user_agent(concat!("dataflare/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .timeout(timing.timeout)
            .build()
            .map_err(|error| Error::permanent("cannot set up an HTTP client").caused_by(error))?;
        Ok(Self { client, url, label, key, timing })
    }

    /// Tries until the address takes `envelope` or will never take it; in a hurry it waits less.
    pub(super) async fn deliver(&self, envelope: &Envelope, hurry: &mut watch::Receiver<bool>) -> Fate {
        let event = CloudEvent::new(envelope);
        let body = serde_json::to_vec(&event).expect("an event has nothing that JSON cannot hold");
        let mut waits = ExponentialBuilder::default()
            .with_min_delay(self.timing.first)
            .with_max_delay(self.timing.longest)
            .with_jitter()
            .without_max_times()
            .build();
        for attempt in 1_u64.. {
            let (after, why) = match self.attempt(&event.id, body.clone()).await {
                Answer::Final(fate, status) => {
                    self.tell(envelope, fate, status);
                    return fate;
                }
                Answer::Again { after, why } => (after, why),
            };
            let wait = after.or_else(|| waits.next()).unwrap_or(self.timing.longest);
            if attempt == 1 {
                let (webhook, event, wait_ms) = (&self.label, envelope.event.kind(), wait.as_millis());
                tracing::warn!(webhook, event, wait_ms, why, "a webhook failed and is tried again");
            }
            match after {
                Some(asked) => sleep(asked).await,
                None => self.pause(wait, hurry).await,
            }
        }
        unreachable!("attempts are not counted to their end")
    }

    async fn attempt(&self, id: &str, body: Vec<u8>) -> Answer {
        let timestamp = Utc::now().timestamp();
        let mut request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, cloudevent::CONTENT_TYPE)
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp);
        if let Some(key) = &self.key {
            request = request.header("webhook-signature", key.sign(id, timestamp, &body));
        }
        match request.body(body).send().await {
            Ok(response) => judge(response.status(), response.headers(), Utc::now()),
            Err(error) => Answer::Again { after: None, why: chain(&error.without_url()) },
        }
    }

    /// Waits, but not longer than a run that is over may.
    async fn pause(&self, wait: Duration, hurry: &mut watch::Receiver<bool>) {
        let hurried = wait.min(self.timing.hurried);
        if *hurry.borrow_and_update() {
            return sleep(hurried).await;
        }
        tokio::select! {
            () = sleep(wait) => {}
            // An error means that nobody can hurry any more; the deliveries end with it.
            _ = hurry.changed() => {}
        }
    }

    fn tell(&self, envelope: &Envelope, fate: Fate, status: StatusCode) {
        let (webhook, event, status) = (&self.label, envelope.event.kind(), status.as_u16());
        match fate {
            Fate::Delivered => {}
            Fate::Refused => tracing::error!(webhook, event, status, "a webhook refused an event"),
            Fate::Unsubscribed => tracing::error!(webhook, event, status, "a webhook wants no more events"),
        }
    }
}

/// What an answer means: only what may be taken later is sent again.
fn judge(status: StatusCode, headers: &HeaderMap, now: DateTime<Utc>) -> Answer {
    match status {
        _ if status.is_success() => Answer::Final(Fate::Delivered, status),
        StatusCode::GONE => Answer::Final(Fate::Unsubscribed, status),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Answer::Again { after: retry_after(headers, now), why: status.to_string() }
        }
        _ if status.is_server_error() => {
            Answer::Again { after: retry_after(headers, now), why: status.to_string() }
        }
        _ => Answer::Final(Fate::Refused, status),
    }
}

/// How long the address asks to wait: seconds, or a date.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => (DateTime::parse_from_rfc2822(text).ok()?.to_utc() - now).to_std().unwrap_or_default(),
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

/// An error and its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use reqwest::header::HeaderValue;

    use super::*;

    fn judged(status: u16, retry_after: Option<&'static str>) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
        }
        let now = Utc.with_ymd_and_hms(2026, 1, 31, 23, 59, 0).unwrap();
        judge(StatusCode::from_u16(status).unwrap(), &headers, now)
    }

    #[test]
    fn only_what_may_be_taken_later_is_sent_again() {
        for status in [200, 202, 204] {
            assert!(matches!(judged(status, None), Answer::Final(Fate::Delivered, _)), "{status}");
        }
        for status in [301, 307, 400, 401, 403, 404, 413, 422] {
            assert!(matches!(judged(status, Some("1")), Answer::Final(Fate::Refused, _)), "{status}");
        }
        for status in [408, 425, 429, 500, 502, 503, 504] {
            assert!(matches!(judged(status, None), Answer::Again { after: None, .. }), "{status}");
        }
        assert!(matches!(judged(410, None), Answer::Final(Fate::Unsubscribed, _)));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_never_too_long() {
        let cases = [
            ("7", Some(7)),
            ("0", Some(0)),
            ("Sat, 31 Jan 2026 23:59:30 GMT", Some(30)),
            ("Sat, 31 Jan 2026 23:58:00 GMT", Some(0)),
            ("999999999999", Some(3600)),
            ("soon", None),
            ("-1", None),
        ];
        for (text, seconds) in cases {
            let Answer::Again { after, .. } = judged(429, Some(text)) else { panic!("429 is tried again") };
            assert_eq!(after, seconds.map(Duration::from_secs), "{text}");
        }
    }
}
