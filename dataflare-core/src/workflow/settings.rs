//! Durations, sizes and the rest of what becomes a number.

use std::time::Duration;

use super::diagnostic::Diagnostic;
use super::node::Node;
use super::raw::{RawBackoff, RawSettings};
use super::spec::{Backoff, Settings};

/// The engine's settings.
pub(super) fn settings(raw: &RawSettings, node: &Node, out: &mut Vec<Diagnostic>) -> Settings {
    let defaults = Settings::default();
    Settings {
        parallelism: raw.parallelism,
        batch_rows: raw.batch.rows.unwrap_or(defaults.batch_rows),
        batch_bytes: size(raw.batch.bytes.as_deref(), node.at(["batch", "bytes"]), out)
            .unwrap_or(defaults.batch_bytes),
        checkpoint_interval: duration(
            raw.checkpoint.interval.as_deref(),
            node.at(["checkpoint", "interval"]),
            out,
        )
        .unwrap_or(defaults.checkpoint_interval),
        checkpoint_store: raw.checkpoint.store.clone().unwrap_or(defaults.checkpoint_store),
        restart: backoff(&raw.restart, node.at(["restart"]), out),
        memory: size(raw.memory.as_deref(), node.at(["memory"]), out).unwrap_or(defaults.memory),
    }
}

/// `{ max: 5, backoff: 1s..60s }`.
pub(super) fn backoff(raw: &RawBackoff, node: &Node, out: &mut Vec<Diagnostic>) -> Backoff {
    let defaults = Backoff::default();
    let max = raw.max.unwrap_or(defaults.max);
    let Some(text) = &raw.backoff else { return Backoff { max, ..defaults } };
    let parsed = text.split_once("..").and_then(|(first, longest)| {
        Some((humantime::parse_duration(first.trim()).ok()?, humantime::parse_duration(longest.trim()).ok()?))
    });
    match parsed {
        Some((first, longest)) if first <= longest && !first.is_zero() => Backoff { max, first, longest },
        _ => {
            let message = format!("`{text}` is not a range of waits");
            let diagnostic =
                Diagnostic::error("workflow::wrong-value", message, node.at(["backoff"]).span.clone());
            out.push(diagnostic.help("write the first wait and the longest: `1s..60s`"));
            Backoff { max, ..defaults }
        }
    }
}

/// `30s`; a bare number is no duration.
fn duration(text: Option<&str>, node: &Node, out: &mut Vec<Diagnostic>) -> Option<Duration> {
    let text = text?;
    match humantime::parse_duration(text) {
        Ok(duration) if !duration.is_zero() => Some(duration),
        _ => {
            let diagnostic = Diagnostic::error(
                "workflow::wrong-value",
                format!("`{text}` is not a duration"),
                node.span.clone(),
            );
            out.push(diagnostic.help("write a number and its unit: `500ms`, `30s`, `5m`, `1h`"));
            None
        }
    }
}

/// `4MiB`; a bare number is no size.
pub(super) fn size(text: Option<&str>, node: &Node, out: &mut Vec<Diagnostic>) -> Option<u64> {
    let text = text?;
    let has_unit = text.chars().any(char::is_alphabetic);
    match text.parse::<bytesize::ByteSize>() {
        Ok(size) if has_unit && size.as_u64() > 0 => Some(size.as_u64()),
        _ => {
            let diagnostic = Diagnostic::error(
                "workflow::wrong-value",
                format!("`{text}` is not a size"),
                node.span.clone(),
            );
            out.push(diagnostic.help("write a number and its unit: `64KiB`, `4MiB`, `1GB`"));
            None
        }
    }
}
