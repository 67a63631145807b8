//! Events as lines of JSON.

use std::io::Write;

use super::Envelope;

/// A callback that writes each event to `writer` as one line of JSON, at once. When a write fails it
/// says so in the log, and writes no more.
pub fn ndjson_writer(writer: impl Write + Send + 'static) -> impl FnMut(&Envelope) + Send + 'static {
    let mut writer = Some(writer);
    move |envelope| {
        let Some(open) = &mut writer else { return };
        if let Err(error) = write_line(open, envelope) {
            tracing::warn!(%error, event = envelope.event.kind(), "cannot write events any more");
            writer = None;
        }
    }
}

fn write_line(writer: &mut impl Write, envelope: &Envelope) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(envelope)?;
    line.push(b'\n');
    writer.write_all(&line)?;
    writer.flush()
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read, Seek};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;
    use crate::event::catalogue::samples;

    #[test]
    fn every_event_is_one_line_that_reads_back() {
        let mut file = tempfile::tempfile().unwrap();
        let mut write = ndjson_writer(file.try_clone().unwrap());
        let events = samples::every_type().into_iter().zip(1..);
        let envelopes: Vec<_> = events.map(|(event, id)| Envelope::now(id, "w", "r", event)).collect();
        envelopes.iter().for_each(&mut write);

        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        let read: Vec<Envelope> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read, envelopes);
    }

    struct Counted(io::PipeWriter, Arc<AtomicUsize>);

    impl Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.fetch_add(1, Relaxed);
            self.0.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.0.flush()
        }
    }

    #[test]
    fn after_a_broken_pipe_nothing_more_is_written() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let writes = Arc::new(AtomicUsize::new(0));
        let mut write = ndjson_writer(Counted(writer, writes.clone()));
        for event in samples::every_type() {
            write(&Envelope::now(1, "w", "r", event));
        }
        assert_eq!(writes.load(Relaxed), 1);
    }
}
