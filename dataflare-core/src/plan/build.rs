//! Makes the plan: builds components in topological order and carries schemas from source to destination.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};

use super::columns::prune;
use super::fuse::fuse;
use super::{Mistake, Part, Plan};
use crate::batch::{BatchLimits, reject_schema};
use crate::component::{
    Build, Destination, Input, Options, Planned, Problem, Registry, Role, Scan, Source, Staging,
};
use crate::workflow::{ComponentSpec, OnError, Workflow};

/// Schemas of sources that had to be looked at, by the source's name.
pub type Schemas = BTreeMap<String, SchemaRef>;

/// What [`check`] found.
pub struct Checked {
    /// Every mistake.
    pub mistakes: Vec<Mistake>,
    /// The plan, where there is no mistake and every schema is known.
    pub plan: Option<Plan>,
    /// Sources whose schema is not known; what hangs on them is not typed.
    pub untyped: Vec<String>,
    /// Every source that could be built, by name: for who looks at their schemas or connects.
    pub sources: BTreeMap<String, Arc<dyn Source>>,
    /// Every destination that could be built, by name.
    pub destinations: BTreeMap<String, Arc<dyn Destination>>,
}

/// Plans `workflow`; `schemas` holds what is known of sources that do not declare theirs.
pub fn check(workflow: &Arc<Workflow>, registry: &Registry, schemas: &Schemas) -> Checked {
    let mut builder = Builder::new(workflow, registry);
    builder.build_ends();
    builder.learn_schemas(schemas);
    let order = builder.order();
    builder.build_processors(&order);
    builder.check_destinations();
    builder.finish(&order)
}

/// A processor as far as it is built.
pub(super) struct Built {
    pub planned: Arc<dyn Planned>,
}

pub(super) struct Builder<'a> {
    workflow: &'a Arc<Workflow>,
    registry: &'a Registry,
    pub(super) specs: BTreeMap<&'a str, &'a ComponentSpec>,
    pub(super) sources: BTreeMap<String, Arc<dyn Source>>,
    pub(super) source_schemas: BTreeMap<String, SchemaRef>,
    pub(super) processors: BTreeMap<String, Built>,
    pub(super) destinations: BTreeMap<String, Arc<dyn Destination>>,
    pub(super) destination_schemas: BTreeMap<String, SchemaRef>,
    mistakes: Vec<Mistake>,
}

impl<'a> Builder<'a> {
    fn new(workflow: &'a Arc<Workflow>, registry: &'a Registry) -> Self {
        Self {
            workflow,
            registry,
            specs: workflow.components.iter().map(|spec| (spec.name.as_str(), spec)).collect(),
            sources: BTreeMap::new(),
            source_schemas: BTreeMap::new(),
            processors: BTreeMap::new(),
            destinations: BTreeMap::new(),
            destination_schemas: BTreeMap::new(),
            mistakes: Vec::new(),
        }
    }

    fn build_ends(&mut self) {
        for spec in &self.workflow.components {
            let Some(entry) = self.registry.find(spec.role, &spec.kind) else {
                let message = format!("there is no {} `{}`", role_name(spec.role), spec.kind);
                self.mistakes.push(Mistake::new(&spec.name, Part::Kind, message));
                continue;
            };
            match entry.build {
                Build::Source(build) => match build(&options(spec)) {
                    Ok(source) => drop(self.sources.insert(spec.name.clone(), source)),
                    Err(problems) => self.blame(spec, problems),
                },
                Build::Destination(build) => match build(&options(spec)) {
                    Ok(destination) => drop(self.destinations.insert(spec.name.clone(), destination)),
                    Err(problems) => self.blame(spec, problems),
                },
                Build::Processor(_) => {}
            }
        }
    }

    fn learn_schemas(&mut self, known: &Schemas) {
        for (name, source) in &self.sources {
            if let Some(schema) = known.get(name).cloned().or_else(|| source.declared_schema()) {
                self.source_schemas.insert(name.clone(), schema);
            }
        }
    }

    /// Processors' names in topological order; what is in a cycle is left out and blamed.
    fn order(&mut self) -> Vec<String> {
        let mut graph = DiGraph::<&str, ()>::new();
        let nodes: BTreeMap<&str, NodeIndex> =
            self.specs.keys().map(|name| (*name, graph.add_node(name))).collect();
        for spec in &self.workflow.components {
            for (position, input) in spec.inputs.iter().enumerate() {
                match nodes.get(self.input_component(input)) {
                    Some(from) => drop(graph.add_edge(*from, nodes[spec.name.as_str()], ())),
                    None => self.mistakes.push(Mistake::new(
                        &spec.name,
                        Part::Inputs(Some(position)),
                        format!("there is no component `{input}`"),
                    )),
                }
            }
        }
        match toposort(&graph, None) {
            Ok(order) => {
                let names = order.into_iter().map(|node| graph[node]);
                names.filter(|name| self.specs[name].role == Role::Processor).map(str::to_owned).collect()
            }
            Err(cycle) => {
                let name = graph[cycle.node_id()];
                self.mistakes.push(Mistake::new(name, Part::Inputs(None), "the inputs lead in a circle"));
                Vec::new()
            }
        }
    }

    /// The component that `input` names: all of it, or what stands before the last dot.
    pub(super) fn input_component<'i>(&self, input: &'i str) -> &'i str {
        if self.specs.contains_key(input) {
            return input;
        }
        input.rsplit_once('.').map_or(input, |(component, _)| component)
    }

    /// The output that `input` names: its number and schema. `Ok(None)` while its schema is unknown.
    pub(super) fn port(&self, input: &str) -> Result<Option<(usize, SchemaRef)>, String> {
        let name = self.input_component(input);
        if let Some(schema) = self.source_schemas.get(name) {
            return Ok(Some((0, schema.clone())));
        }
        let Some(built) = self.processors.get(name) else { return Ok(None) };
        let outputs = built.planned.outputs();
        if name == input {
            return Ok(outputs.first().map(|port| (0, port.schema.clone())));
        }
        let wanted = &input[name.len() + 1..];
        match outputs.iter().position(|port| port.name == wanted) {
            Some(number) => Ok(Some((number, outputs[number].schema.clone()))),
            None => {
                let names: Vec<_> = outputs.iter().map(|port| format!("`{name}.{}`", port.name)).collect();
                Err(format!("`{name}` has no output `{wanted}`; it has {}", names.join(", ")))
            }
        }
    }

    fn build_processors(&mut self, order: &[String]) {
        for name in order {
            let spec = self.specs[name.as_str()];
            let Some(Build::Processor(build)) =
                self.registry.find(spec.role, &spec.kind).map(|entry| entry.build)
            else {
                continue;
            };
            let Some(inputs) = self.inputs_of(spec) else { continue };
            let unbounded = inputs.iter().find(|input| !input.bounded).map(|input| input.name.clone());
            match build(&options(spec), &inputs) {
                Err(problems) => self.blame(spec, problems),
                Ok(planned) => {
                    if let (true, Some(input)) = (planned.blocking(), unbounded) {
                        let message = format!("must see the end of its input, but `{input}` never ends");
                        let mistake = Mistake::new(name, Part::Inputs(None), message);
                        self.mistakes.push(
                            mistake.help("read a bounded source, or keep to filters and computed columns"),
                        );
                    }
                    self.processors.insert(name.clone(), Built { planned });
                }
            }
        }
    }

    /// A component's inputs with their schemas; `None` while one is unknown or wrong.
    fn inputs_of(&mut self, spec: &ComponentSpec) -> Option<Vec<Input>> {
        let mut inputs = Vec::new();
        let mut complete = !spec.inputs.is_empty();
        if spec.inputs.is_empty() {
            self.mistakes.push(Mistake::new(&spec.name, Part::Whole, "has no inputs"));
        }
        for (position, name) in spec.inputs.iter().enumerate() {
            match self.port(name) {
                Ok(Some((_, schema))) => {
                    inputs.push(Input { name: name.clone(), schema, bounded: self.bounded(name) });
                }
                Ok(None) => complete = false,
                Err(message) => {
                    complete = false;
                    self.mistakes.push(Mistake::new(&spec.name, Part::Inputs(Some(position)), message));
                }
            }
        }
        complete.then_some(inputs)
    }

    /// Whether everything that `input` hangs on ends by itself.
    fn bounded(&self, input: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![self.input_component(input)];
        while let Some(name) = waiting.pop() {
            if !seen.insert(name) {
                continue;
            }
            if self.sources.get(name).is_some_and(|source| !source.bounded()) {
                return false;
            }
            if let Some(spec) = self.specs.get(name) {
                waiting.extend(spec.inputs.iter().map(|input| self.input_component(input)));
            }
        }
        true
    }

    fn check_destinations(&mut self) {
        let workflow = Arc::clone(self.workflow);
        for spec in workflow.components.iter().filter(|spec| spec.role == Role::Destination) {
            let fed_by_rejects = self.dead_letters_of(&spec.name).next().is_some();
            if spec.inputs.is_empty() && fed_by_rejects {
                self.accept(spec, reject_schema());
            } else if let Some(inputs) = self.inputs_of(spec) {
                if fed_by_rejects {
                    let message = "takes records from its inputs and dead letters, whose columns differ";
                    let mistake = Mistake::new(&spec.name, Part::Inputs(None), message);
                    self.mistakes.push(mistake.help("send dead letters to a destination of their own"));
                }
                match common_schema(&inputs) {
                    Ok(schema) => self.accept(spec, schema),
                    Err((position, message)) => {
                        self.mistakes.push(Mistake::new(&spec.name, Part::Inputs(Some(position)), message));
                    }
                }
                self.check_staging(spec);
            }
        }
    }

    fn check_staging(&mut self, spec: &ComponentSpec) {
        let Some(destination) = self.destinations.get(&spec.name) else { return };
        let endless = spec.inputs.iter().find(|input| !self.bounded(input));
        if let (Staging::Split, Some(input)) = (destination.staging(), endless) {
            let message = format!("writes one output for the whole input, but `{input}` never ends");
            let mistake = Mistake::new(&spec.name, Part::Config, message);
            self.mistakes.push(mistake.help("set `roll`, so that outputs are finished from time to time"));
        }
    }

    fn accept(&mut self, spec: &ComponentSpec, schema: SchemaRef) {
        let Some(destination) = self.destinations.get(&spec.name) else { return };
        if let Err(error) = destination.accept(&schema) {
            let mut mistake = Mistake::new(&spec.name, Part::Whole, error.message);
            mistake.problem.help = error.help;
            self.mistakes.push(mistake);
        }
        self.destination_schemas.insert(spec.name.clone(), schema);
    }

    /// The components whose rejects go to `destination`.
    pub(super) fn dead_letters_of(&self, destination: &str) -> impl Iterator<Item = &'a ComponentSpec> {
        let wanted = OnError::DeadLetter(destination.to_owned());
        self.workflow.components.iter().filter(move |spec| spec.on_error == wanted)
    }

    fn blame(&mut self, spec: &ComponentSpec, problems: Vec<Problem>) {
        let component = spec.name.clone();
        self.mistakes.extend(problems.into_iter().map(|problem| Mistake {
            component: component.clone(),
            part: Part::Config,
            problem,
        }));
    }

    fn finish(mut self, order: &[String]) -> Checked {
        let untyped: Vec<String> =
            self.sources.keys().filter(|name| !self.source_schemas.contains_key(*name)).cloned().collect();
        let sources = self.sources.clone();
        let destinations = self.destinations.clone();
        let mut plan = None;
        if self.mistakes.is_empty() && untyped.is_empty() {
            let scans = prune(&self, order, self.limits());
            let narrowed = scans.iter().any(|(name, scan)| scan.schema != self.source_schemas[name]);
            let full = self.source_schemas.clone();
            if narrowed {
                for (name, scan) in &scans {
                    self.source_schemas.insert(name.clone(), scan.schema.clone());
                }
                self.build_processors(order);
                self.check_destinations();
            }
            if self.mistakes.is_empty() {
                plan = Some(fuse(&self, order, &full, scans));
            }
        }
        Checked { mistakes: self.mistakes, plan, untyped, sources, destinations }
    }

    fn limits(&self) -> BatchLimits {
        let settings = &self.workflow.settings;
        BatchLimits {
            rows: settings.batch_rows,
            bytes: usize::try_from(settings.batch_bytes).unwrap_or(usize::MAX),
        }
    }

    pub(super) fn workflow(&self) -> Arc<Workflow> {
        Arc::clone(self.workflow)
    }
}

/// Scans by source.
pub(super) type Scans = BTreeMap<String, Scan>;

fn options(spec: &ComponentSpec) -> Options {
    Options { component: spec.name.clone(), value: spec.config.clone() }
}

/// A role as users read it.
pub(super) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Source => "source",
        Role::Processor => "processor",
        Role::Destination => "destination",
    }
}

/// The schema that holds the records of all inputs, or the input that does not fit and why.
fn common_schema(inputs: &[Input]) -> Result<SchemaRef, (usize, String)> {
    let first = &inputs[0];
    let mut fields: Vec<_> = first.schema.fields().iter().map(|field| field.as_ref().clone()).collect();
    for (position, input) in inputs.iter().enumerate().skip(1) {
        if input.schema.fields().len() != fields.len() {
            let (count, expected) = (input.schema.fields().len(), fields.len());
            return Err((
                position,
                format!("`{}` has {count} columns, `{}` has {expected}", input.name, first.name),
            ));
        }
        for (field, other) in fields.iter_mut().zip(input.schema.fields()) {
            if field.name() != other.name() || field.data_type() != other.data_type() {
                let message = format!(
                    "column `{}` of `{}` is {}, where `{}` has `{}`, {}",
                    other.name(),
                    input.name,
                    other.data_type(),
                    first.name,
                    field.name(),
                    field.data_type()
                );
                return Err((position, message));
            }
            *field = field.clone().with_nullable(field.is_nullable() || other.is_nullable());
        }
    }
    if inputs.len() == 1 { Ok(first.schema.clone()) } else { Ok(Arc::new(Schema::new(fields))) }
}
