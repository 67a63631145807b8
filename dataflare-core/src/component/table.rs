//! The table of components: everything a user can name under `type`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Destination, Input, Options, Planned, Problem, Source};

/// A row of the table. A crate's `COMPONENTS: &[&Component]` is its whole registration.
#[derive(Debug)]
pub struct Component {
    /// What users write under `type`.
    pub name: &'static str,
    /// One role or two (a system that can be read and written).
    pub roles: &'static [RoleEntry],
}

/// A component in one of its roles.
#[derive(Debug)]
pub struct RoleEntry {
    /// One sentence for lists.
    pub summary: &'static str,
    /// A value for `config`, in YAML, that parses and runs as it stands.
    pub example: &'static str,
    /// The JSON Schema of the options struct.
    pub options: fn() -> schemars::Schema,
    /// Makes the component from its options.
    pub build: Build,
}

/// A component, or all that is wrong with its options.
pub type Built<T> = Result<Arc<T>, Vec<Problem>>;

/// Makes a component, or says all that is wrong with its options. Does no I/O.
#[derive(Debug, Clone, Copy)]
pub enum Build {
    /// Makes a source.
    Source(fn(&Options) -> Built<dyn Source>),
    /// Plans a processor for inputs of known schemas.
    Processor(fn(&Options, &[Input]) -> Built<dyn Planned>),
    /// Makes a destination.
    Destination(fn(&Options) -> Built<dyn Destination>),
}

/// The section of a workflow that a component stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Under `sources`.
    Source,
    /// Under `processors`.
    Processor,
    /// Under `destinations`.
    Destination,
}

impl RoleEntry {
    /// The role that `build` makes.
    pub fn role(&self) -> Role {
        match self.build {
            Build::Source(_) => Role::Source,
            Build::Processor(_) => Role::Processor,
            Build::Destination(_) => Role::Destination,
        }
    }
}

/// The components that a process knows.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    components: Vec<&'static Component>,
}

impl Registry {
    /// The components of several tables; a later one of the same name replaces an earlier one.
    pub fn new(tables: &[&[&'static Component]]) -> Self {
        let mut registry = Self::default();
        for component in tables.iter().flat_map(|table| table.iter()) {
            registry.add(component);
        }
        registry
    }

    /// Adds one component.
    pub fn add(&mut self, component: &'static Component) {
        self.components.retain(|known| known.name != component.name);
        self.components.push(component);
        self.components.sort_by_key(|known| known.name);
    }

    /// The component called `name` in `role`.
    pub fn find(&self, role: Role, name: &str) -> Option<&'static RoleEntry> {
        self.in_role(role).find(|(known, _)| *known == name).map(|(_, entry)| entry)
    }

    /// All components in `role` with their names, sorted.
    pub fn in_role(&self, role: Role) -> impl Iterator<Item = (&'static str, &'static RoleEntry)> {
        self.components.iter().flat_map(move |component| {
            component
                .roles
                .iter()
                .filter(move |entry| entry.role() == role)
                .map(|entry| (component.name, entry))
        })
    }
}
