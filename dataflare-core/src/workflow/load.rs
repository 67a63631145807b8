//! From files to a [`Workflow`], or to everything that is wrong with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::check;
use super::diagnostic::{Diagnostic, Severity, Sources};
use super::interpolate::{Variables, interpolate};
use super::node::{Key, Node, Span, Value, parse};
use super::origin::Origin;
use super::raw::{RawComponent, RawEvent, RawOnError, RawWorkflow};
use super::schema::{SECTIONS, engine};
use super::secrets::Secrets;
use super::settings::{backoff, settings};
use super::shape;
use super::spec::{ComponentSpec, EventSpec, OnError, TestSpec, Workflow};
use crate::component::{Registry, Role};

/// Looks a variable of the environment up.
pub type Environment = Box<dyn Fn(&str) -> Option<String>>;

/// Where values for variables come from, beside the workflow itself.
pub struct LoadOptions {
    /// `--set name=value`: goes before everything else.
    pub overrides: BTreeMap<String, String>,
    /// The environment.
    pub environment: Environment,
}

impl LoadOptions {
    /// With this process's environment.
    pub fn from_process(overrides: BTreeMap<String, String>) -> Self {
        Self { overrides, environment: Box::new(|name| std::env::var(name).ok()) }
    }

    /// Without an environment, for tests and for programs that have none.
    pub fn bare() -> Self {
        Self { overrides: BTreeMap::new(), environment: Box::new(|_| None) }
    }
}

/// What came of loading.
#[derive(Debug)]
pub struct Loaded {
    /// The workflow; `None` where there are errors.
    pub workflow: Option<Workflow>,
    /// What is wrong, errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts it was read from.
    pub sources: Sources,
    /// Where its parts stand in them.
    pub origin: Origin,
    /// Values that must not be seen.
    pub secrets: Secrets,
}

/// Loads the workflow in the file at `path`.
pub fn load(path: &Path, registry: &Registry, options: &LoadOptions) -> Loaded {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Loader::new(registry, options).load(name, text, path),
        Err(cause) => {
            let mut loader = Loader::new(registry, options);
            loader.sources.add(name.clone(), String::new());
            let diagnostic =
                Diagnostic::error("workflow::file", format!("cannot read {name}: {cause}"), Span::default());
            loader.diagnostics.push(Diagnostic { labels: Vec::new(), ..diagnostic });
            loader.done(None, Origin::default())
        }
    }
}

/// Loads the workflow in `text`, which is called `name`; includes are relative to the current directory.
pub fn load_str(name: &str, text: &str, registry: &Registry, options: &LoadOptions) -> Loaded {
    Loader::new(registry, options).load(name.to_owned(), text.to_owned(), Path::new(name))
}

struct Loader<'a> {
    registry: &'a Registry,
    options: &'a LoadOptions,
    sources: Sources,
    diagnostics: Vec<Diagnostic>,
    secrets: Secrets,
}

impl<'a> Loader<'a> {
    fn new(registry: &'a Registry, options: &'a LoadOptions) -> Self {
        let (sources, secrets) = (Sources::default(), Secrets::default());
        Self { registry, options, sources, diagnostics: Vec::new(), secrets }
    }

    fn done(self, workflow: Option<Workflow>, origin: Origin) -> Loaded {
        let Self { sources, mut diagnostics, secrets, .. } = self;
        diagnostics.sort_by_key(|diagnostic| {
            diagnostic.labels.first().map(|(location, _)| (location.span.file, location.span.range.start))
        });
        let failed = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        Loaded { workflow: workflow.filter(|_| !failed), diagnostics, sources, origin, secrets }
    }

    fn load(mut self, name: String, text: String, path: &Path) -> Loaded {
        let Some(mut root) = self.tree(name, text, path, &mut Vec::new()) else {
            return self.done(None, Origin::default());
        };
        if !matches!(root.value, Value::Map(_)) {
            let message = "a workflow is a map with `version`, `sources` and `destinations`";
            self.diagnostics.push(Diagnostic::error("workflow::empty", message, root.span.clone()));
            return self.done(None, Origin::default());
        }
        self.interpolate(&mut root);
        let origin = Origin::new(&root, &self.sources);
        shape::check(&engine(), &root, &mut self.diagnostics);
        let mut found = Vec::new();
        let places = check::places(&root, &mut found);
        check::components(&places, self.registry, &mut found);
        check::wiring(&places, &root, &mut found);
        self.diagnostics.extend(found);
        let workflow = self.workflow(&root, path);
        self.done(workflow, origin)
    }

    /// One file and all that it includes, as one tree.
    fn tree(&mut self, name: String, text: String, path: &Path, within: &mut Vec<PathBuf>) -> Option<Node> {
        let file = self.sources.add(name, text);
        let mut root = match parse(self.sources.text(file), file) {
            Ok(root) => root,
            Err(errors) => {
                for error in errors {
                    let diagnostic = Diagnostic::error("workflow::syntax", error.message, error.span);
                    let diagnostic = match error.earlier {
                        Some(earlier) => diagnostic.says("again here").and(earlier, "first here"),
                        None => diagnostic,
                    };
                    self.diagnostics.push(diagnostic);
                }
                return None;
            }
        };
        self.rename_transformations(&mut root);
        within.push(path.canonicalize().unwrap_or_else(|_| path.to_owned()));
        let includes: Vec<Node> = match root.get("include").map(|node| &node.value) {
            Some(Value::List(items)) => items.clone(),
            _ => Vec::new(),
        };
        for include in includes {
            if let Some(included) = self.include(&include, path, within) {
                self.merge(&mut root, included);
            }
        }
        within.pop();
        Some(root)
    }

    fn include(&mut self, node: &Node, from: &Path, within: &mut Vec<PathBuf>) -> Option<Node> {
        let relative = node.text()?;
        let path = from.parent().unwrap_or(Path::new("")).join(relative);
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        if within.contains(&real) {
            let message = format!("`{relative}` includes itself");
            self.diagnostics.push(Diagnostic::error("workflow::include", message, node.span.clone()));
            return None;
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => self.tree(path.display().to_string(), text, &path, within),
            Err(cause) => {
                let message = format!("cannot include {}: {cause}", path.display());
                self.diagnostics.push(Diagnostic::error("workflow::include", message, node.span.clone()));
                None
            }
        }
    }

    /// Adds the components and variables of an included file.
    fn merge(&mut self, root: &mut Node, included: Node) {
        let Value::Map(entries) = included.value else { return };
        for (key, node) in entries {
            let is_section =
                SECTIONS.iter().any(|(section, _)| *section == key.name) || key.name == "variables";
            match key.name.as_str() {
                "version" | "include" => {}
                _ if is_section => self.merge_section(root, key, node),
                _ => {
                    let message = format!("an included file cannot have `{}`", key.name);
                    let diagnostic = Diagnostic::error("workflow::include", message, key.span);
                    self.diagnostics
                        .push(diagnostic.help("it can have variables, sources, processors and destinations"));
                }
            }
        }
    }

    fn merge_section(&mut self, root: &mut Node, section: Key, node: Node) {
        let Value::Map(entries) = &mut root.value else { return };
        let Some((_, own)) = entries.iter_mut().find(|(key, _)| key.name == section.name) else {
            entries.push((section, node));
            return;
        };
        let (Value::Map(own), Value::Map(more)) = (&mut own.value, node.value) else { return };
        for (key, node) in more {
            match own.iter().find(|(known, _)| known.name == key.name) {
                Some((known, _)) => {
                    let message = format!("`{}` is there twice", key.name);
                    let diagnostic =
                        Diagnostic::error("workflow::duplicate-name", message, known.span.clone());
                    self.diagnostics.push(diagnostic.says("here").and(key.span, "and here"));
                }
                None => own.push((key, node)),
            }
        }
    }

    fn rename_transformations(&mut self, root: &mut Node) {
        let Value::Map(entries) = &mut root.value else { return };
        if let Some((key, _)) = entries.iter_mut().find(|(key, _)| key.name == "transformations") {
            "processors".clone_into(&mut key.name);
            let message = "`transformations` is the old name of `processors`";
            let diagnostic = Diagnostic::error("workflow::deprecated", message, key.span.clone()).warning();
            self.diagnostics.push(diagnostic.says("write `processors`"));
        }
    }

    fn interpolate(&mut self, root: &mut Node) {
        let declared = root.get("variables").map(Node::entries).unwrap_or_default();
        let text = |node: &Node| match &node.value {
            Value::Text { text, .. } => text.clone(),
            _ => node.to_json().to_string(),
        };
        let declared: BTreeMap<String, String> =
            declared.iter().map(|(key, node)| (key.name.clone(), text(node))).collect();
        let variables = Variables {
            overrides: &self.options.overrides,
            environment: &*self.options.environment,
            declared,
        };
        let Value::Map(entries) = &mut root.value else { return };
        for (_, node) in entries.iter_mut().filter(|(key, _)| key.name != "variables") {
            interpolate(node, &variables, &mut self.secrets, &mut self.diagnostics);
        }
    }

    fn workflow(&mut self, root: &Node, path: &Path) -> Option<Workflow> {
        let raw: RawWorkflow = serde_json::from_value(root.to_json()).ok()?;
        self.check_version(root);
        let id = self.id(raw.id.as_deref(), root, path);
        if let (Some(schedule), Some(node)) = (&raw.schedule, root.get("schedule"))
            && let Err(error) = schedule.parse::<cron::Schedule>()
        {
            let message = format!("`{schedule}` is not a schedule: {error}");
            let diagnostic = Diagnostic::error("workflow::wrong-value", message, node.span.clone());
            self.diagnostics
                .push(diagnostic.help("write seconds, minutes, hours, day, month, weekday: `0 */5 * * * *`"));
        }
        let settings = settings(&raw.settings, root.at(["settings"]), &mut self.diagnostics);
        let mut components = Vec::new();
        let mut sections = [raw.sources, raw.processors, raw.destinations];
        for ((section, role), raw) in SECTIONS.into_iter().zip(&mut sections) {
            for (key, node) in root.get(section).map(Node::entries).unwrap_or_default() {
                if let Some(raw) = raw.remove(&key.name) {
                    components.push(component(&key.name, role, raw, node, &mut self.diagnostics));
                }
            }
        }
        let events = raw.events.into_iter().map(|RawEvent::Webhook(hook)| EventSpec::Webhook {
            url: hook.url,
            secret: hook.secret,
            on: hook.on,
        });
        let tests = raw.tests.into_iter().map(|test| TestSpec {
            name: test.name,
            given: test.given,
            expect: test.expect,
        });
        Some(Workflow {
            id,
            name: raw.name,
            description: raw.description,
            settings,
            components,
            events: events.collect(),
            schedule: raw.schedule,
            tests: tests.collect(),
        })
    }

    fn check_version(&mut self, root: &Node) {
        let Some(node) = root.get("version") else { return };
        let text = node.text().map_or_else(|| node.to_json().to_string(), str::to_owned);
        if text.split('.').next() != Some("1") {
            let message = format!("version {text} of the format is not known");
            self.diagnostics.push(
                Diagnostic::error("workflow::version", message, node.span.clone()).help("write `version: 1`"),
            );
        }
    }

    fn id(&mut self, written: Option<&str>, root: &Node, path: &Path) -> String {
        if let Some(id) = written {
            let fine = !id.is_empty()
                && id.chars().all(|character| {
                    character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
                });
            if !fine {
                let message = format!("`{id}` is not an id");
                let diagnostic = Diagnostic::error("workflow::id", message, root.at(["id"]).span.clone());
                self.diagnostics
                    .push(diagnostic.help("an id has small letters, digits and dashes: it names folders"));
            }
            return id.to_owned();
        }
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
        let id: String = stem
            .chars()
            .map(|character| if character.is_ascii_alphanumeric() { character } else { '-' })
            .collect();
        let id = id.trim_matches('-').to_owned();
        if id.is_empty() { "workflow".to_owned() } else { id }
    }
}

fn component(
    name: &str,
    role: Role,
    raw: RawComponent,
    node: &Node,
    out: &mut Vec<Diagnostic>,
) -> ComponentSpec {
    ComponentSpec {
        name: name.to_owned(),
        role,
        kind: raw.kind,
        inputs: raw.inputs,
        mode: raw.mode,
        config: raw.config.unwrap_or_else(|| serde_json::Value::Object(serde_json::Map::new())),
        on_error: match raw.on_error {
            None | Some(RawOnError::Fail) => OnError::Fail,
            Some(RawOnError::Skip) => OnError::Skip,
            Some(RawOnError::DeadLetter(destination)) => OnError::DeadLetter(destination),
        },
        parallelism: raw.parallelism,
        retry: raw.retry.map(|raw| backoff(&raw, node.at(["retry"]), out)),
        description: raw.description,
    }
}
