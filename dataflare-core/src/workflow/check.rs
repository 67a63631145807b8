//! Checks what a schema cannot say: who feeds whom.

use std::collections::BTreeMap;

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use super::diagnostic::Diagnostic;
use super::node::{Key, Node, Value};
use super::schema::SECTIONS;
use super::shape::{self, suggestion};
use crate::component::{Registry, Role};

/// A component in the tree.
pub(super) struct Place<'n> {
    pub role: Role,
    pub key: &'n Key,
    pub node: &'n Node,
}

/// All components of the tree; names that are there twice are reported.
pub(super) fn places<'n>(root: &'n Node, out: &mut Vec<Diagnostic>) -> BTreeMap<&'n str, Place<'n>> {
    let mut places: BTreeMap<&str, Place<'_>> = BTreeMap::new();
    for (section, role) in SECTIONS {
        for (key, node) in root.get(section).map(Node::entries).unwrap_or_default() {
            if let Some(earlier) = places.get(key.name.as_str()) {
                let message = format!("two components are called `{}`", key.name);
                let diagnostic = Diagnostic::error("workflow::duplicate-name", message, key.span.clone());
                out.push(diagnostic.says("again here").and(earlier.key.span.clone(), "first here"));
            } else {
                places.insert(&key.name, Place { role, key, node });
            }
        }
    }
    places
}

/// Checks types and options of all components.
pub(super) fn components(places: &BTreeMap<&str, Place<'_>>, registry: &Registry, out: &mut Vec<Diagnostic>) {
    for place in places.values() {
        let Some(kind) = place.node.get("type") else { continue };
        let Some(name) = kind.text() else { continue };
        let Some(entry) = registry.find(place.role, name) else {
            out.push(unknown_type(name, kind, place.role, registry));
            continue;
        };
        let schema: serde_json::Value = (entry.options)().into();
        match place.node.entry("config") {
            Some((_, config)) if config.value != Value::Null => shape::check(&schema, config, out),
            _ => {
                let empty = Node { value: Value::Map(Vec::new()), span: place.key.span.clone() };
                shape::check(&schema, &empty, out);
            }
        }
    }
}

fn unknown_type(name: &str, kind: &Node, role: Role, registry: &Registry) -> Diagnostic {
    let section = SECTIONS.iter().find(|(_, of)| *of == role).map_or("", |(section, _)| section);
    let one = section.trim_end_matches('s');
    let known: Vec<String> = registry.in_role(role).map(|(name, _)| name.to_owned()).collect();
    let message = format!("there is no {one} of type `{name}`");
    let diagnostic = Diagnostic::error("workflow::unknown-type", message, kind.span.clone());
    let diagnostic = match suggestion(name, &known) {
        Some(near) => diagnostic.says(format!("did you mean `{near}`?")),
        None => diagnostic,
    };
    let elsewhere =
        SECTIONS.iter().find(|(_, other)| *other != role && registry.find(*other, name).is_some());
    match elsewhere {
        Some((other, _)) => {
            diagnostic.help(format!("`{name}` belongs under `{other}`; {section} are {}", known.join(", ")))
        }
        None => diagnostic.help(format!("{section} are {}", known.join(", "))),
    }
}

/// The texts of a component's `inputs`, each with its node.
fn inputs<'n>(place: &Place<'n>) -> Vec<(&'n str, &'n Node)> {
    match place.node.get("inputs").map(|inputs| &inputs.value) {
        Some(Value::List(items)) => items.iter().filter_map(|item| Some((item.text()?, item))).collect(),
        _ => Vec::new(),
    }
}

/// The component that an input names: all of it, or what stands before its last dot.
fn feeder<'i>(input: &'i str, places: &BTreeMap<&str, Place<'_>>) -> &'i str {
    if places.contains_key(input) {
        return input;
    }
    input.rsplit_once('.').map_or(input, |(component, _)| component)
}

/// Checks inputs, dead letters, what nobody reads, and circles.
pub(super) fn wiring(places: &BTreeMap<&str, Place<'_>>, root: &Node, out: &mut Vec<Diagnostic>) {
    let feeding: Vec<String> = places
        .iter()
        .filter(|(_, place)| place.role != Role::Destination)
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let destinations: Vec<String> = places
        .iter()
        .filter(|(_, place)| place.role == Role::Destination)
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let mut read: Vec<&str> = Vec::new();
    let mut fed_by_rejects: Vec<&str> = Vec::new();
    for place in places.values() {
        for (input, node) in inputs(place) {
            let from = feeder(input, places);
            read.push(from);
            match places.get(from).map(|place| place.role) {
                Some(Role::Destination) => {
                    let message = format!("`{from}` is a destination, which feeds nobody");
                    out.push(Diagnostic::error("workflow::input", message, node.span.clone()));
                }
                Some(_) => {}
                None => out.push(missing("there is no source or processor", input, node, &feeding)),
            }
        }
        if let (Role::Source, Some((key, _))) = (place.role, place.node.entry("inputs")) {
            let message = "a source has no inputs";
            out.push(Diagnostic::error("workflow::input", message, key.span.clone()));
        }
        if let Some(target) = place.node.get("on_error").and_then(|node| node.get("dead_letter")) {
            let Some(name) = target.text() else { continue };
            match places.get(name).map(|place| place.role) {
                Some(Role::Destination) => fed_by_rejects.push(name),
                Some(_) => {
                    let message = format!("`{name}` is not a destination");
                    out.push(Diagnostic::error("workflow::dead-letter", message, target.span.clone()));
                }
                None => out.push(missing("there is no destination", name, target, &destinations)),
            }
        }
    }
    for (name, place) in places {
        unfed_or_unread(name, place, &read, &fed_by_rejects, out);
    }
    for (section, role) in [SECTIONS[0], SECTIONS[2]] {
        if !places.values().any(|place| place.role == role) {
            let message = format!("there are no {section}");
            out.push(Diagnostic::error("workflow::empty", message, root.span.clone()));
        }
    }
    circles(places, out);
}

fn missing(what: &str, name: &str, node: &Node, known: &[String]) -> Diagnostic {
    let diagnostic = Diagnostic::error("workflow::input", format!("{what} `{name}`"), node.span.clone());
    let diagnostic = match suggestion(name, known) {
        Some(near) => diagnostic.says(format!("did you mean `{near}`?")),
        None => diagnostic,
    };
    if known.is_empty() { diagnostic } else { diagnostic.help(format!("there are {}", known.join(", "))) }
}

fn unfed_or_unread(
    name: &str,
    place: &Place<'_>,
    read: &[&str],
    rejects: &[&str],
    out: &mut Vec<Diagnostic>,
) {
    let span = place.key.span.clone();
    let has_inputs = !inputs(place).is_empty();
    match place.role {
        Role::Destination if !has_inputs && !rejects.contains(&name) => {
            let span = span.clone();
            let diagnostic =
                Diagnostic::error("workflow::unfed", format!("destination `{name}` has no inputs"), span);
            out.push(diagnostic.help("add `inputs: [...]`, or name it under some component's `on_error`"));
        }
        Role::Processor if !has_inputs => {
            let diagnostic = Diagnostic::error(
                "workflow::unfed",
                format!("processor `{name}` has no inputs"),
                span.clone(),
            );
            out.push(diagnostic.help("add `inputs: [...]`"));
        }
        _ => {}
    }
    if place.role != Role::Destination && !read.contains(&name) {
        let diagnostic = Diagnostic::error("workflow::unused", format!("nobody reads `{name}`"), span);
        out.push(diagnostic.help("name it in the `inputs` of a processor or destination, or remove it"));
    }
}

fn circles(places: &BTreeMap<&str, Place<'_>>, out: &mut Vec<Diagnostic>) {
    let mut graph = DiGraph::<&str, ()>::new();
    let nodes: BTreeMap<&str, _> = places.keys().map(|name| (*name, graph.add_node(*name))).collect();
    for (name, place) in places {
        for (input, _) in inputs(place) {
            if let Some(from) = nodes.get(feeder(input, places)) {
                graph.add_edge(*from, nodes[name], ());
            }
        }
    }
    for circle in tarjan_scc(&graph) {
        let alone = circle.len() == 1 && !graph.contains_edge(circle[0], circle[0]);
        if alone {
            continue;
        }
        let mut names: Vec<&str> = circle.iter().rev().map(|node| graph[*node]).collect();
        names.push(names[0]);
        let message = format!("the inputs lead in a circle: {}", names.join(" -> "));
        out.push(Diagnostic::error("workflow::circle", message, places[names[0]].key.span.clone()));
    }
}
