//! An event as CloudEvents 1.0 wants it.

use serde::Serialize;

use crate::event::{Envelope, Event};

/// The media type of the structured mode.
pub(super) const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// The structured JSON form; see <https://github.com/cloudevents/spec>.
#[derive(Debug, Serialize)]
pub(super) struct CloudEvent<'a> {
    specversion: &'static str,
    /// Unique, and the same whenever the event is sent again.
    pub(super) id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: &'a str,
    time: String,
    datacontenttype: &'static str,
    data: &'a Event,
}

impl<'a> CloudEvent<'a> {
    pub(super) fn new(envelope: &'a Envelope) -> Self {
        Self {
            specversion: "1.0",
            id: id(envelope),
            source: format!("/dataflare/workflows/{}", envelope.workflow),
            kind: format!("dataflare.{}", envelope.event.kind()),
            subject: &envelope.run,
            time: envelope.timestamp(),
            datacontenttype: "application/json",
            data: &envelope.event,
        }
    }
}

/// The time is part of it because a run that is resumed by another process counts from one again. The
/// signature joins its parts by full stops, and a header is ASCII, so other characters become `-`.
fn id(envelope: &Envelope) -> String {
    let Envelope { id, time, workflow, run, .. } = envelope;
    let text = format!("{workflow}_{run}_{}_{id}", time.timestamp_millis());
    text.chars().map(|char| if char.is_ascii_alphanumeric() || char == '_' { char } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    #[test]
    fn the_structured_form_has_all_attributes() {
        let time = chrono::Utc.with_ymd_and_hms(2026, 1, 31, 23, 59, 59).unwrap();
        let envelope = Envelope {
            id: 3,
            time,
            workflow: "paid-orders".into(),
            run: "2026-01-31_23-59-50.123Z".into(),
            event: Event::LaneFinished { lane: 1, rows: 10 },
        };
        insta::assert_json_snapshot!(CloudEvent::new(&envelope), @r#"
        {
          "specversion": "1.0",
          "id": "paid-orders_2026-01-31_23-59-50-123Z_1769903999000_3",
          "source": "/dataflare/workflows/paid-orders",
          "type": "dataflare.lane.finished",
          "subject": "2026-01-31_23-59-50.123Z",
          "time": "2026-01-31T23:59:59.000Z",
          "datacontenttype": "application/json",
          "data": {
            "type": "lane.finished",
            "lane": 1,
            "rows": 10
          }
        }
        "#);
    }
}
