//! The `dataflare` command: parses, calls the engine, prints.

mod command;
mod logging;
mod progress;
mod setup;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Moves data between systems: from any source through any processors to any destination, exactly once.
#[derive(Debug, Parser)]
#[command(name = "dataflare", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// How log lines are written.
    #[arg(long, global = true, value_enum, default_value_t = logging::Format::Text)]
    log_format: logging::Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(command::init::Args),
    Run(command::run::Args),
    Validate(command::validate::Args),
    Explain(command::explain::Args),
    Graph(command::graph::Args),
    Preview(command::preview::Args),
    Lock(command::lock::Args),
    /// Lists and describes sources and destinations.
    #[command(subcommand)]
    Connectors(command::components::Command),
    /// Lists and describes processors.
    #[command(subcommand)]
    Processors(command::components::Command),
    /// Shows and resets the checkpoints of a workflow.
    #[command(subcommand)]
    State(command::state::Command),
    Schema(command::schema::Args),
    Completions(command::completions::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let screen = progress::Screen::stderr();
    logging::start(cli.log_format, screen.clone());
    let done = match cli.command {
        Command::Init(args) => command::init::run(&args),
        Command::Run(args) => command::run::run(&args, &screen),
        Command::Validate(args) => command::validate::run(&args),
        Command::Explain(args) => command::explain::run(&args),
        Command::Graph(args) => command::graph::run(&args),
        Command::Preview(args) => command::preview::run(&args),
        Command::Lock(args) => command::lock::run(&args),
        Command::Connectors(command) => {
            command::components::run(&command, command::components::Kind::Connectors)
        }
        Command::Processors(command) => {
            command::components::run(&command, command::components::Kind::Processors)
        }
        Command::State(command) => command::state::run(&command),
        Command::Schema(_) => command::schema::run(),
        Command::Completions(args) => command::completions::run(&args),
    };
    done.unwrap_or_else(|error| {
        if !error.is::<setup::Told>() {
            setup::tell(&format!("{error:#}"));
        }
        ExitCode::from(1)
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_every_command_has_examples() {
        let mut command = Cli::command();
        command.build();
        command.clone().debug_assert();
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            let has = |command: &clap::Command| {
                command.get_after_help().is_some_and(|help| help.to_string().contains("dataflare "))
            };
            let mut nested = sub.get_subcommands().filter(|sub| sub.get_name() != "help");
            assert!(
                has(sub) || (sub.has_subcommands() && nested.all(has)),
                "{} has no examples",
                sub.get_name()
            );
        }
    }
}
