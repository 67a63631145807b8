//! What every command that has a workflow does first: load it, say what is wrong with it, plan it.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use dataflare_core::component::Registry;
use dataflare_core::plan::{self, Checked, Lock, Schemas};
use dataflare_core::workflow::{Diagnostic, LoadOptions, Loaded, Severity, Workflow, load, render};

/// All components of this program.
pub(crate) fn registry() -> Registry {
    Registry::new(&[dataflare_connectors::COMPONENTS, dataflare_processors::COMPONENTS])
}

/// The workflow that a command is about.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct WorkflowArgs {
    /// The workflow's file.
    pub(crate) workflow: PathBuf,

    /// Sets a variable of the workflow; goes before the environment.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) set: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// An error that the user has been told of already.
#[derive(Debug)]
pub(crate) struct Told;

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the workflow has errors")
    }
}

impl std::error::Error for Told {}

/// A workflow that is loaded.
pub(crate) struct Setup {
    /// What came of loading it.
    pub(crate) loaded: Loaded,
    /// The workflow; it has no errors in itself.
    pub(crate) workflow: Arc<Workflow>,
    /// All components.
    pub(crate) registry: Registry,
    /// The schemas that were locked.
    pub(crate) lock: Option<Lock>,
}

/// Loads without telling anybody what is wrong.
pub(crate) fn load_quietly(args: &WorkflowArgs, registry: &Registry) -> Loaded {
    let overrides: BTreeMap<String, String> = args.set.iter().cloned().collect();
    load(&args.workflow, registry, &LoadOptions::from_process(overrides))
}

impl Setup {
    /// Loads the workflow; where it has errors they are told, and [`Told`] is returned.
    pub(crate) fn load(args: &WorkflowArgs, change: impl FnOnce(&mut Workflow)) -> Result<Self> {
        let registry = registry();
        let mut loaded = load_quietly(args, &registry);
        tell_diagnostics(&loaded, &loaded.diagnostics);
        let mut workflow = loaded.workflow.take().ok_or(Told)?;
        change(&mut workflow);
        let lock = Lock::read(&lock_path(&args.workflow)).map_err(|error| told(&loaded, &error))?;
        Ok(Self { loaded, workflow: Arc::new(workflow), registry, lock })
    }

    /// Plans with what is known without looking at any system.
    pub(crate) fn check_offline(&self) -> Checked {
        let known = self.lock.as_ref().map(|lock| lock.schemas(&self.workflow.id)).unwrap_or_default();
        plan::check(&self.workflow, &self.registry, &known)
    }

    /// Looks at every source, and plans; what is wrong is told.
    pub(crate) fn plan(&self) -> Result<plan::Plan> {
        let schemas = self.look()?;
        let checked = plan::check(&self.workflow, &self.registry, &schemas);
        self.tell_mistakes(&checked);
        checked.plan.ok_or_else(|| Told.into())
    }

    /// The schemas of all sources, as they are now. Fails where one has drifted from the lock.
    pub(crate) fn look(&self) -> Result<Schemas> {
        let checked = plan::check(&self.workflow, &self.registry, &Schemas::new());
        if !checked.mistakes.is_empty() {
            self.tell_mistakes(&checked);
            return Err(Told.into());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut schemas = Schemas::new();
        for (name, source) in &checked.sources {
            let looked = runtime.block_on(source.schema()).map_err(|error| error.in_component(name));
            schemas.insert(name.clone(), looked.map_err(|error| told(&self.loaded, &error))?);
        }
        if let Some(lock) = &self.lock {
            lock.compare(&self.workflow.id, &schemas).map_err(|error| told(&self.loaded, &error))?;
        }
        Ok(schemas)
    }

    /// Tells the mistakes that planning found.
    pub(crate) fn tell_mistakes(&self, checked: &Checked) {
        tell_diagnostics(&self.loaded, &self.diagnostics(checked));
    }

    /// The mistakes that planning found, with their places.
    pub(crate) fn diagnostics(&self, checked: &Checked) -> Vec<Diagnostic> {
        checked.mistakes.iter().map(|mistake| self.loaded.origin.diagnostic(mistake)).collect()
    }
}

/// Beside the workflow.
pub(crate) fn lock_path(workflow: &Path) -> PathBuf {
    workflow.with_file_name("dataflare.lock")
}

/// Tells diagnostics on the standard error, without secrets.
pub(crate) fn tell_diagnostics(loaded: &Loaded, diagnostics: &[Diagnostic]) {
    if diagnostics.is_empty() {
        return;
    }
    let color = std::io::stderr().is_terminal();
    write_error(&loaded.secrets.redact(&render(diagnostics, &loaded.sources, color)));
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    if errors > 0 {
        tell(&format!("{errors} {} in the workflow", if errors == 1 { "mistake" } else { "mistakes" }));
    }
}

/// Tells an error of the engine on the standard error: what, where, why, and what to do.
pub(crate) fn told(loaded: &Loaded, error: &dataflare_core::Error) -> Told {
    let mut text = format!("error: {}", error.message);
    let place = &error.place;
    let parts = [("component", &place.component), ("split", &place.split), ("at", &place.position)];
    for (label, part) in parts {
        if let Some(part) = part {
            text.push_str(&format!("\n  {label}: {part}"));
        }
    }
    let mut cause = std::error::Error::source(error);
    while let Some(because) = cause {
        text.push_str(&format!("\n  because: {because}"));
        cause = because.source();
    }
    if let Some(help) = &error.help {
        text.push_str(&format!("\n  help: {help}"));
    }
    write_error(&loaded.secrets.redact(&text));
    write_error("\n");
    Told
}

/// Writes a line to the standard error.
pub(crate) fn tell(text: &str) {
    write_error(&format!("{text}\n"));
}

fn write_error(text: &str) {
    // Where the standard error is closed, nobody wants to be told.
    _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Writes to the standard output; a reader that went away is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(cause) if cause.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}
