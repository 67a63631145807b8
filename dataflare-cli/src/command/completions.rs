//! `dataflare completions`.

use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::setup::print;

/// Prints completions for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  dataflare completions bash > /etc/bash_completion.d/dataflare
  dataflare completions zsh > \"${fpath[1]}/_dataflare\"")]
pub(crate) struct Args {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::Cli::command(), "dataflare", &mut script);
    print(&String::from_utf8(script)?)?;
    Ok(ExitCode::SUCCESS)
}
