//! A workflow as a picture: Mermaid for READMEs, DOT for Graphviz.

use std::fmt::Write;

use crate::component::Role;
use crate::workflow::{OnError, Workflow};

/// The language of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `flowchart LR`, as GitHub draws it.
    Mermaid,
    /// Graphviz.
    Dot,
}

/// Draws the components and who feeds whom; dead letters are dotted.
pub fn graph(workflow: &Workflow, format: Format) -> String {
    match format {
        Format::Mermaid => mermaid(workflow),
        Format::Dot => dot(workflow),
    }
}

/// Edges as (from, label, to, dotted).
fn edges(workflow: &Workflow) -> Vec<(String, Option<String>, &str, bool)> {
    let names: Vec<&str> = workflow.components.iter().map(|spec| spec.name.as_str()).collect();
    let mut edges = Vec::new();
    for spec in &workflow.components {
        for input in &spec.inputs {
            let split = if names.contains(&input.as_str()) { None } else { input.rsplit_once('.') };
            let (from, port) =
                split.map_or((input.as_str(), None), |(from, port)| (from, Some(port.to_owned())));
            edges.push((from.to_owned(), port, spec.name.as_str(), false));
        }
        if let OnError::DeadLetter(to) = &spec.on_error {
            edges.push((spec.name.clone(), Some("rejects".to_owned()), to.as_str(), true));
        }
    }
    edges
}

fn mermaid(workflow: &Workflow) -> String {
    let mut text = String::from("flowchart LR\n");
    let id = |name: &str| {
        let index = workflow.components.iter().position(|spec| spec.name == name).unwrap_or_default();
        format!("n{index}")
    };
    for spec in &workflow.components {
        let (open, close) = match spec.role {
            Role::Source => ("([", "])"),
            Role::Processor => ("[", "]"),
            Role::Destination => ("[(", ")]"),
        };
        _ = writeln!(text, "    {}{open}\"{}<br/>{}\"{close}", id(&spec.name), spec.name, spec.kind);
    }
    for (from, label, to, dotted) in edges(workflow) {
        let arrow = if dotted { "-.->" } else { "-->" };
        let label = label.map(|label| format!("|{label}|")).unwrap_or_default();
        _ = writeln!(text, "    {} {arrow}{label} {}", id(&from), id(to));
    }
    text
}

fn dot(workflow: &Workflow) -> String {
    let mut text = String::from("digraph workflow {\n    rankdir=LR;\n");
    for spec in &workflow.components {
        let shape = match spec.role {
            Role::Source => "ellipse",
            Role::Processor => "box",
            Role::Destination => "cylinder",
        };
        _ = writeln!(text, "    {:?} [label=\"{}\\n{}\", shape={shape}];", spec.name, spec.name, spec.kind);
    }
    for (from, label, to, dotted) in edges(workflow) {
        let mut attributes = Vec::new();
        attributes.extend(label.map(|label| format!("label={label:?}")));
        attributes.extend(dotted.then(|| "style=dotted".to_owned()));
        let attributes =
            if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(", ")) };
        _ = writeln!(text, "    {from:?} -> {to:?}{attributes};");
    }
    text.push_str("}\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::ComponentSpec;

    fn spec(name: &str, role: Role, inputs: &[&str], on_error: OnError) -> ComponentSpec {
        ComponentSpec {
            name: name.into(),
            role,
            kind: "any".into(),
            inputs: inputs.iter().map(|input| (*input).into()).collect(),
            mode: None,
            config: serde_json::Value::Null,
            on_error,
            parallelism: None,
            retry: None,
            description: None,
        }
    }

    #[test]
    fn named_outputs_and_dead_letters_are_labelled() {
        let components = vec![
            spec("in", Role::Source, &[], OnError::DeadLetter("bad".into())),
            spec("route", Role::Processor, &["in"], OnError::Fail),
            spec("eu", Role::Destination, &["route.eu"], OnError::Fail),
            spec("bad", Role::Destination, &[], OnError::Fail),
        ];
        let workflow = Workflow { components, ..Workflow::default() };
        insta::assert_snapshot!(graph(&workflow, Format::Mermaid), @r#"
        flowchart LR
            n0(["in<br/>any"])
            n1["route<br/>any"]
            n2[("eu<br/>any")]
            n3[("bad<br/>any")]
            n0 -.->|rejects| n3
            n0 --> n1
            n1 -->|eu| n2
        "#);
        assert!(graph(&workflow, Format::Dot).contains("\"route\" -> \"eu\" [label=\"eu\"];"));
    }
}
