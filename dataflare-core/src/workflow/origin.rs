//! From a planner's mistake back to the text.

use std::collections::BTreeMap;

use super::diagnostic::{Diagnostic, Location, Sources};
use super::node::{Node, Span};
use super::schema::SECTIONS;
use crate::component::{Problem, Segment};
use crate::plan::{Mistake, Part};

/// Where each component stands.
#[derive(Debug, Default)]
pub struct Origin {
    components: BTreeMap<String, (Span, Node)>,
    texts: Vec<String>,
}

impl Origin {
    pub(super) fn new(root: &Node, sources: &Sources) -> Self {
        let mut components = BTreeMap::new();
        let mut files = 0;
        for (section, _) in SECTIONS {
            for (key, node) in root.get(section).map(Node::entries).unwrap_or_default() {
                files = files.max(key.span.file);
                components.insert(key.name.clone(), (key.span.clone(), node.clone()));
            }
        }
        Self { components, texts: (0..=files).map(|file| sources.text(file).to_owned()).collect() }
    }

    /// The place that a mistake is about.
    pub fn locate(&self, component: &str, part: &Part, problem: &Problem) -> Option<Location> {
        let (name, node) = self.components.get(component)?;
        let whole = || Location { span: name.clone() };
        let under = |key: &str| node.get(key).map(|node| Location { span: node.span.clone() });
        Some(match part {
            Part::Whole => whole(),
            Part::Kind => under("type").unwrap_or_else(whole),
            Part::OnError => under("on_error").unwrap_or_else(whole),
            Part::Inputs(None) => under("inputs").unwrap_or_else(whole),
            Part::Inputs(Some(index)) => {
                let index = index.to_string();
                Location { span: node.at(["inputs", index.as_str()]).span.clone() }
            }
            Part::Config => match node.get("config") {
                None => whole(),
                Some(_) if problem.path.is_empty() => whole(),
                Some(config) => Location { span: self.within(config, problem) },
            },
        })
    }

    /// The bytes of the value that a problem is about, or those within its text that it names.
    fn within(&self, config: &Node, problem: &Problem) -> Span {
        let steps: Vec<String> = problem
            .path
            .iter()
            .map(|segment| match segment {
                Segment::Key(key) => key.clone(),
                Segment::Index(index) => index.to_string(),
            })
            .collect();
        let node = config.at(steps.iter().map(String::as_str));
        let (Some(text), Some(range)) = (node.text(), &problem.range) else { return node.span.clone() };
        let Span { file, range: whole } = node.span.clone();
        let source = self.texts.get(file).and_then(|source| source.get(whole.clone())).unwrap_or_default();
        // Only where the text stands in the file as it is: not where something was escaped or put in.
        match source.find(text) {
            Some(at) if !text.is_empty() && range.end <= text.len() => {
                let start = whole.start + at;
                Span { file, range: start + range.start..start + range.end }
            }
            _ => Span { file, range: whole },
        }
    }

    /// A planner's mistake as a diagnostic.
    pub fn diagnostic(&self, mistake: &Mistake) -> Diagnostic {
        let Mistake { component, part, problem } = mistake;
        let labels = self.locate(component, part, problem).map(|location| (location, String::new()));
        let message = match part {
            Part::Whole | Part::Inputs(None) => format!("`{component}`: {}", problem.message),
            _ => problem.message.clone(),
        };
        Diagnostic {
            severity: super::Severity::Error,
            code: "workflow::plan",
            message,
            help: problem.help.clone(),
            labels: labels.into_iter().collect(),
        }
    }
}
