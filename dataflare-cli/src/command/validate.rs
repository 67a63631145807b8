//! `dataflare validate`.

use std::process::ExitCode;

use anyhow::Result;
use dataflare_core::plan::Checked;
use dataflare_core::workflow::{Diagnostic, Severity, to_json};

use crate::setup::{Setup, Told, WorkflowArgs, load_quietly, print, registry, tell, told};

/// Checks a workflow, and says everything that is wrong with it.
///
/// Looks at no system, unless `--connect` is given: then it opens every one. Ends with 0 where the
/// workflow is valid, 1 where it is not, 2 where the command line is wrong.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  dataflare validate workflow.yaml
  dataflare validate workflow.yaml --connect
  dataflare validate workflow.yaml --format json")]
pub(crate) struct Args {
    #[command(flatten)]
    workflow: WorkflowArgs,

    /// Opens every source and destination too.
    #[arg(long)]
    connect: bool,

    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How the result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For editors: a list of diagnostics.
    Json,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if args.format == Format::Json {
        return json(args);
    }
    let setup = Setup::load(&args.workflow, |_| {})?;
    let checked = if args.connect { connect(&setup)? } else { setup.check_offline() };
    setup.tell_mistakes(&checked);
    if !checked.mistakes.is_empty() {
        return Ok(ExitCode::from(1));
    }
    let name = args.workflow.workflow.display();
    if checked.untyped.is_empty() {
        print(&format!("{name} is valid\n"))?;
    } else {
        print(&format!(
            "{name} is valid as far as can be told without looking at {}\n",
            checked.untyped.join(", ")
        ))?;
        tell("types are checked too with `--connect`, or offline once `dataflare lock` has been run");
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens every system.
fn connect(setup: &Setup) -> Result<Checked> {
    let schemas = setup.look()?;
    let checked = dataflare_core::plan::check(&setup.workflow, &setup.registry, &schemas);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut failed = false;
    for (name, destination) in &checked.destinations {
        if let Err(error) = runtime.block_on(destination.check()) {
            told(&setup.loaded, &error.in_component(name));
            failed = true;
        }
    }
    for (name, source) in &checked.sources {
        if let Err(error) = runtime.block_on(source.splits()) {
            told(&setup.loaded, &error.in_component(name));
            failed = true;
        }
    }
    if failed { Err(Told.into()) } else { Ok(checked) }
}

fn json(args: &Args) -> Result<ExitCode> {
    let loaded = load_quietly(&args.workflow, &registry());
    let mut diagnostics: Vec<Diagnostic> = loaded.diagnostics.clone();
    if loaded.workflow.is_some() {
        let quiet = Setup::load(&args.workflow, |_| {})?;
        diagnostics.extend(quiet.diagnostics(&quiet.check_offline()));
    }
    let text = serde_json::to_string_pretty(&to_json(&diagnostics, &loaded.sources))?;
    print(&format!("{}\n", loaded.secrets.redact(&text)))?;
    let failed = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    Ok(ExitCode::from(u8::from(failed)))
}
