//! An event with its number, its time and its run.

use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};

use super::Event;

/// An event as watchers get it. As JSON it is one flat object: the four fields here, then the event's
/// `type` and fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// Counts the events that a process published for a run, from one. A gap means that this watcher
    /// lost some, or did not ask for them.
    pub id: u64,
    /// When it happened.
    #[serde(with = "millis")]
    pub time: DateTime<Utc>,
    /// The workflow's id.
    pub workflow: String,
    /// The run's id.
    pub run: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

impl Envelope {
    pub(super) fn now(id: u64, workflow: &str, run: &str, event: Event) -> Self {
        let time = Utc::now().trunc_subsecs(3);
        Self { id, time, workflow: workflow.to_owned(), run: run.to_owned(), event }
    }

    /// The time as RFC 3339, in UTC, with milliseconds.
    pub fn timestamp(&self) -> String {
        millis::format(&self.time)
    }
}

/// RFC 3339 with exactly three digits of fraction, so that times sort as text.
mod millis {
    use chrono::{DateTime, SecondsFormat, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn format(time: &DateTime<Utc>) -> String {
        time.to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    pub(super) fn serialize<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format(time))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        DateTime::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;
    use crate::event::catalogue::samples;

    #[test]
    fn an_envelope_is_one_flat_object_with_milliseconds() {
        let time = Utc.with_ymd_and_hms(2026, 1, 31, 23, 59, 59).unwrap();
        let envelope =
            Envelope { id: 3, time, workflow: "paid".into(), run: "r1".into(), event: Event::Draining };
        assert_eq!(
            serde_json::to_string(&envelope).unwrap(),
            r#"{"id":3,"time":"2026-01-31T23:59:59.000Z","workflow":"paid","run":"r1","type":"workflow.draining"}"#
        );
    }

    #[test]
    fn every_event_comes_back_from_its_json() {
        for event in samples::every_type() {
            let envelope = Envelope::now(1, "paid", "r1", event);
            let text = serde_json::to_string(&envelope).unwrap();
            assert_eq!(serde_json::from_str::<Envelope>(&text).unwrap(), envelope, "{text}");
        }
    }
}
