//! The log: to the standard error, beside the progress.

use tracing_subscriber::EnvFilter;

use crate::progress::Screen;

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts to log warnings and errors, or what `DATAFLARE_LOG` says.
pub(crate) fn start(format: Format, screen: Screen) {
    let filter = EnvFilter::builder().with_env_var("DATAFLARE_LOG").try_from_env();
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(screen).with_target(false);
    match format {
        Format::Text => log.init(),
        Format::Json => log.json().init(),
    }
}
