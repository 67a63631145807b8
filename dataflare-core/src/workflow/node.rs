//! YAML as a tree in which every key and value knows where it stands.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::{Map, Number};
use serde_yaml::{Event, Parser, ScalarStyle};

/// Values of a document at most, those behind aliases counted each time: an alias bomb ends here.
const NODES_MAX: usize = 400_000;

/// How deep values may be nested.
const DEPTH_MAX: usize = 64;

/// Bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Span {
    /// The file's number.
    pub file: usize,
    /// Its bytes.
    pub range: Range<usize>,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub value: Value,
    pub span: Span,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    /// `plain` where it stands without quotes.
    Text {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub name: String,
    pub span: Span,
}

/// What is wrong with a document, and where.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SyntaxError {
    pub message: String,
    pub span: Span,
    /// An earlier place that it is about.
    pub earlier: Option<Span>,
}

/// Reads one document.
pub(super) fn parse(text: &str, file: usize) -> Result<Node, Vec<SyntaxError>> {
    let mut builder =
        Builder { file, open: Vec::new(), root: None, anchors: HashMap::new(), nodes: 0, errors: Vec::new() };
    for event in Parser::new_from_str(text) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
                let span = Span { file, range: at..next_boundary(text, at) };
                builder.errors.push(SyntaxError { message: error.info(), span, earlier: None });
                return Err(builder.errors);
            }
        };
        let start = span.start.byte_offset().unwrap_or(0).min(text.len());
        let end = span.end.byte_offset().unwrap_or(start).clamp(start, text.len());
        let end = start + text[start..end].trim_end().len();
        builder.event(event, Span { file, range: start..end });
        if builder.fatal() {
            return Err(builder.errors);
        }
    }
    if builder.errors.is_empty() {
        Ok(builder.root.unwrap_or(Node { value: Value::Null, span: Span { file, range: 0..0 } }))
    } else {
        Err(builder.errors)
    }
}

fn next_boundary(text: &str, at: usize) -> usize {
    (at + 1..=text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(at)
}

/// A list or map whose end has not come.
struct Open {
    node: Node,
    anchor: usize,
    key: Option<Key>,
    /// Keys that `<<` brought in; those that are written go before them.
    merged: Vec<String>,
    nodes_before: usize,
}

struct Builder {
    file: usize,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    errors: Vec<SyntaxError>,
}

impl Builder {
    fn fatal(&self) -> bool {
        self.nodes > NODES_MAX || self.open.len() > DEPTH_MAX
    }

    fn event(&mut self, event: Event<'_>, span: Span) {
        self.nodes += 1;
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let value = scalar(&text, style == ScalarStyle::Plain);
                self.add(Node { value, span }, anchor, 1);
            }
            Event::SequenceStart(_, anchor, _) => self.start(Value::List(Vec::new()), span, anchor),
            Event::MappingStart(_, anchor, _) => self.start(Value::Map(Vec::new()), span, anchor),
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(mut open) = self.open.pop() {
                    open.node.span.range.end = open.node.span.range.end.max(last_end(&open.node));
                    let size = self.nodes - open.nodes_before;
                    self.add(open.node, open.anchor, size);
                }
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some((node, size)) => {
                    self.nodes += size;
                    if self.nodes > NODES_MAX {
                        self.fail(format!("the aliases stand for more than {NODES_MAX} values"), span);
                        return;
                    }
                    self.add(Node { span, ..node }, 0, size);
                }
                None => self.fail("an alias stands within what it stands for".to_owned(), span),
            },
            Event::UnresolvedAlias(name) => self.fail(format!("there is no anchor `&{name}`"), span),
            _ => {}
        }
    }

    fn start(&mut self, value: Value, span: Span, anchor: usize) {
        let nodes_before = self.nodes;
        self.open.push(Open {
            node: Node { value, span: span.clone() },
            anchor,
            key: None,
            merged: Vec::new(),
            nodes_before,
        });
        if self.open.len() > DEPTH_MAX {
            self.fail(format!("values are nested more than {DEPTH_MAX} deep"), span);
        }
    }

    fn add(&mut self, node: Node, anchor: usize, size: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(parent) = self.open.last_mut() else {
            if self.root.is_some() {
                let message = "a workflow is one document; this is a second one".to_owned();
                self.errors.push(SyntaxError { message, span: node.span, earlier: None });
            } else {
                self.root = Some(node);
            }
            return;
        };
        match &mut parent.node.value {
            Value::List(items) => items.push(node),
            Value::Map(entries) => match parent.key.take() {
                None => match key(node) {
                    Ok(key) => parent.key = Some(key),
                    Err(error) => {
                        parent.key = Some(Key { name: String::new(), span: error.span.clone() });
                        self.errors.push(error);
                    }
                },
                Some(key) if key.name == "<<" => {
                    for (key, value) in merge(node) {
                        if !entries.iter().any(|(old, _)| old.name == key.name) {
                            parent.merged.push(key.name.clone());
                            entries.push((key, value));
                        }
                    }
                }
                Some(key) => {
                    let earlier = entries.iter().position(|(earlier, _)| earlier.name == key.name);
                    match earlier {
                        Some(at) if parent.merged.contains(&key.name) => entries[at] = (key, node),
                        Some(at) => {
                            let message = format!("the key `{}` is there twice", key.name);
                            let earlier = Some(entries[at].0.span.clone());
                            self.errors.push(SyntaxError { message, span: key.span, earlier });
                        }
                        None => entries.push((key, node)),
                    }
                }
            },
            _ => {}
        }
    }

    fn fail(&mut self, message: String, span: Span) {
        self.nodes = if message.starts_with("the aliases") { NODES_MAX + 1 } else { self.nodes };
        self.errors.push(SyntaxError { message, span: Span { file: self.file, ..span }, earlier: None });
    }
}

fn key(node: Node) -> Result<Key, SyntaxError> {
    let name = match node.value {
        Value::Text { text, .. } => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        _ => {
            return Err(SyntaxError {
                message: "a key must be a name".to_owned(),
                span: node.span,
                earlier: None,
            });
        }
    };
    Ok(Key { name, span: node.span })
}

/// What `<<: *anchor` brings in.
fn merge(node: Node) -> Vec<(Key, Node)> {
    match node.value {
        Value::Map(entries) => entries,
        Value::List(items) => items.into_iter().flat_map(merge).collect(),
        _ => Vec::new(),
    }
}

/// A scalar by the rules of YAML 1.2's core schema.
fn scalar(text: &str, plain: bool) -> Value {
    if plain {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
            "true" | "True" | "TRUE" => return Value::Bool(true),
            "false" | "False" | "FALSE" => return Value::Bool(false),
            _ => {}
        }
        let digits = text.trim_start_matches(['-', '+']);
        if digits.starts_with(|character: char| character.is_ascii_digit() || character == '.') {
            if let Ok(number) = text.parse::<i64>() {
                return Value::Number(number.into());
            }
            if let Some(number) = text.parse::<f64>().ok().and_then(Number::from_f64) {
                return Value::Number(number);
            }
        }
    }
    Value::Text { text: text.to_owned(), plain }
}

impl Value {
    /// A plain scalar read again, after a variable was put in.
    pub(super) fn retyped(text: &str) -> Self {
        scalar(text, true)
    }
}

impl Node {
    /// The value under `name`, where this is a map that has it.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.entry(name).map(|(_, node)| node)
    }

    /// The key and value under `name`.
    pub(super) fn entry(&self, name: &str) -> Option<&(Key, Node)> {
        self.entries().iter().find(|(key, _)| key.name == name)
    }

    /// The entries, where this is a map.
    pub(super) fn entries(&self) -> &[(Key, Node)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The text, where this is one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The value without places.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(number) => serde_json::Value::Number(number.clone()),
            Value::Text { text, .. } => text.clone().into(),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(entries) => {
                let entries = entries.iter().map(|(key, node)| (key.name.clone(), node.to_json()));
                serde_json::Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }

    /// The node that a path of keys and indexes leads to, or the last one on the way that is there.
    pub(super) fn at<'p>(&self, path: impl IntoIterator<Item = &'p str>) -> &Self {
        let mut node = self;
        for step in path {
            let next = match &node.value {
                Value::Map(_) => node.get(step),
                Value::List(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => return node,
            }
        }
        node
    }
}

fn last_end(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => items.last().map_or(0, |item| item.span.range.end),
        Value::Map(entries) => entries.last().map_or(0, |(_, value)| value.span.range.end),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    #[test]
    fn keys_and_values_know_where_they_stand() {
        let text = "a: 1\nlist:\n  - ü: \"x y\"\n";
        let node = parse(text, 3).unwrap();
        let (key, value) = node.entry("a").unwrap();
        assert_eq!((&text[key.span.range.clone()], &text[value.span.range.clone()]), ("a", "1"));
        let inner = node.at(["list", "0", "ü"]);
        assert_eq!((&text[inner.span.range.clone()], inner.span.file), ("\"x y\"", 3));
    }

    #[test]
    fn scalars_have_the_types_of_yaml_1_2() {
        let node = parse("[1, -2.5, true, ~, '1', no, 1_000, 2026-01-01]", 0).unwrap();
        let expected = serde_json::json!([1, -2.5, true, null, "1", "no", "1_000", "2026-01-01"]);
        assert_eq!(node.to_json(), expected);
    }

    #[test]
    fn a_key_that_is_there_twice_is_an_error_at_both_places() {
        let errors = parse("a: 1\nb: 2\na: 3\n", 0).unwrap_err();
        assert_eq!(errors[0].message, "the key `a` is there twice");
        assert_eq!((errors[0].span.range.clone(), errors[0].earlier.clone().unwrap().range), (10..11, 0..1));
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..20 {
            let alias = format!("*a{}", level - 1);
            writeln!(bomb, "a{level}: &a{level} [{}]", [alias.as_str(); 10].join(", ")).unwrap();
        }
        let errors = parse(&bomb, 0).unwrap_err();
        assert!(errors[0].message.contains("more than 400000 values"), "{errors:?}");
    }

    #[test]
    fn deep_nesting_and_cycles_are_refused() {
        let deep = "[".repeat(1_000_000);
        assert!(!parse(&deep, 0).unwrap_err().is_empty());
        assert!(!parse("a: &a [*a]", 0).unwrap_err().is_empty());
    }

    #[test]
    fn merge_keys_bring_in_what_is_not_there() {
        let node = parse("base: &b {x: 1, y: 2}\nmore: {<<: *b, y: 3}", 0).unwrap();
        assert_eq!(node.get("more").unwrap().to_json(), serde_json::json!({"x": 1, "y": 3}));
    }
}
