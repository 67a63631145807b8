//! What a person sees of a run, on stderr: bars in a terminal, else a line every few seconds, and a
//! table at the end. It knows nothing but the run's events, and writes nothing to stdout.

mod bars;
mod human;
mod lines;
mod notes;
mod summary;
mod text;
mod view;

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use dataflare_core::event::{EventBus, Interest, Subscription};
use indicatif::{MultiProgress, ProgressDrawTarget};
use tracing_subscriber::fmt::MakeWriter;

use self::bars::Bars;
use self::lines::Lines;

/// Time between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// The person's end of stderr, shared by progress and log so that neither overwrites the other.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    bars: MultiProgress,
    terminal: bool,
}

impl Screen {
    /// Looks whether stderr is a terminal that can draw.
    pub(crate) fn stderr() -> Self {
        let target = ProgressDrawTarget::stderr();
        let terminal = io::stderr().is_terminal() && !target.is_hidden();
        Self { bars: MultiProgress::with_draw_target(target), terminal }
    }

    /// Shows the runs of `workflow` until the subscription is dropped. Flush the bus before that, and
    /// the summary is seen.
    pub(crate) fn follow(&self, bus: &EventBus, workflow: &str) -> dataflare_core::Result<Subscription> {
        let interest = Interest::all().workflow(workflow);
        if self.terminal {
            let mut bars = Bars::new(self.bars.clone(), self.clone());
            bus.subscribe_to(interest, move |envelope| bars.show(envelope))
        } else {
            let mut lines = Lines::new(self.clone(), LINE_EVERY);
            bus.subscribe_to(interest, move |envelope| lines.show(envelope))
        }
    }
}

/// Writes above the bars, a whole message at a time.
impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bars.suspend(|| io::stderr().lock().write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// So that `tracing_subscriber` writes the log with `with_writer(screen.clone())`.
impl<'a> MakeWriter<'a> for Screen {
    type Writer = Self;

    fn make_writer(&'a self) -> Self::Writer {
        self.clone()
    }
}
