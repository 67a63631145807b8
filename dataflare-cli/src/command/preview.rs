//! `dataflare preview`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use dataflare_core::actor::{Engine, RunOptions};
use dataflare_core::component::Role;
use dataflare_core::event::EventBus;
use dataflare_core::workflow::{ComponentSpec, OnError, Workflow};

use crate::setup::{Setup, WorkflowArgs, told};

/// Shows the first records that leave a component. Nothing is written anywhere else.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  dataflare preview workflow.yaml
  dataflare preview workflow.yaml --after paid --rows 5")]
pub(crate) struct Args {
    #[command(flatten)]
    workflow: WorkflowArgs,

    /// The source or processor to look behind; the one that feeds the first destination by default.
    #[arg(long, value_name = "COMPONENT")]
    after: Option<String>,

    /// How many records.
    #[arg(long, default_value_t = 10)]
    rows: usize,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let mut problem = None;
    let store = std::env::temp_dir().join(format!("dataflare-preview-{}", std::process::id()));
    let setup = Setup::load(&args.workflow, |workflow| {
        let changed = cut(workflow, args);
        problem = changed.err();
        workflow.settings.checkpoint_store = store.display().to_string();
        workflow.settings.parallelism = Some(1);
    })?;
    if let Some(problem) = problem {
        bail!(problem);
    }
    let plan = setup.plan()?;
    let engine = Engine::start(EventBus::new()).map_err(|error| told(&setup.loaded, &error))?;
    let handle = engine.run(plan, RunOptions::default());
    let ended = engine.runtime().block_on(handle.finished());
    // It lies in the system's folder for such things, where it does no harm.
    _ = std::fs::remove_dir_all(&store);
    ended.map_err(|error| told(&setup.loaded, &error))?;
    Ok(ExitCode::SUCCESS)
}

/// Leaves only what leads to the component, and puts `LIMIT` and the terminal behind it.
fn cut(workflow: &mut Workflow, args: &Args) -> Result<(), String> {
    let first =
        workflow.components.iter().find(|spec| spec.role == Role::Destination && !spec.inputs.is_empty());
    let after = args.after.clone().or_else(|| first.and_then(|spec| spec.inputs.first().cloned()));
    let after = after.ok_or("no destination has an input")?;
    let component = |input: &str| {
        let known = workflow.components.iter().any(|spec| spec.name == input);
        if known {
            input.to_owned()
        } else {
            input.rsplit_once('.').map_or(input, |(name, _)| name).to_owned()
        }
    };
    let mut wanted = vec![component(&after)];
    let mut number = 0;
    while let Some(name) = wanted.get(number).cloned() {
        number += 1;
        let Some(spec) =
            workflow.components.iter().find(|spec| spec.name == name && spec.role != Role::Destination)
        else {
            return Err(format!("there is no source or processor `{name}`"));
        };
        wanted.extend(spec.inputs.iter().map(|input| component(input)));
    }
    workflow.components.retain(|spec| wanted.contains(&spec.name));
    for spec in &mut workflow.components {
        if matches!(spec.on_error, OnError::DeadLetter(_)) {
            spec.on_error = OnError::Skip;
        }
    }
    let blank = |name: &str, role, kind: &str, inputs: Vec<String>, config| ComponentSpec {
        name: name.to_owned(),
        role,
        kind: kind.to_owned(),
        inputs,
        mode: None,
        config,
        on_error: OnError::Fail,
        parallelism: None,
        retry: None,
        description: None,
    };
    let quoted = after.replace('"', "\"\"");
    let query = format!("SELECT * FROM \"{quoted}\" LIMIT {}", args.rows);
    let limit = serde_json::json!({ "query": query });
    workflow.components.push(blank("dataflare-first", Role::Processor, "sql", vec![after], limit));
    let input = vec!["dataflare-first".to_owned()];
    let table = serde_json::json!({ "format": "table" });
    workflow.components.push(blank("dataflare-terminal", Role::Destination, "stdout", input, table));
    workflow.events.clear();
    Ok(())
}
