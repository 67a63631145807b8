//! `${NAME}`, `${NAME:-default}` and `${file:/path}` in values.

use std::collections::BTreeMap;

use super::diagnostic::Diagnostic;
use super::node::{Node, Span, Value};
use super::secrets::Secrets;

/// Where variables come from, in this order: `--set`, the environment, the workflow's `variables`.
pub(super) struct Variables<'a> {
    pub overrides: &'a BTreeMap<String, String>,
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    pub declared: BTreeMap<String, String>,
}

/// Puts variables into all texts below `node`.
pub(super) fn interpolate(
    node: &mut Node,
    variables: &Variables<'_>,
    secrets: &mut Secrets,
    diagnostics: &mut Vec<Diagnostic>,
) {
    match &mut node.value {
        Value::Text { text, plain } if text.contains("${") => {
            let mut replacer = Replacer { variables, secrets, diagnostics, span: &node.span };
            let replaced = replacer.replace(text);
            let alone = *plain && text.starts_with("${") && text.find('}') == Some(text.len() - 1);
            node.value =
                if alone { Value::retyped(&replaced) } else { Value::Text { text: replaced, plain: *plain } };
        }
        Value::List(items) => {
            items.iter_mut().for_each(|item| interpolate(item, variables, secrets, diagnostics))
        }
        Value::Map(entries) => {
            entries.iter_mut().for_each(|(_, value)| interpolate(value, variables, secrets, diagnostics));
        }
        _ => {}
    }
}

struct Replacer<'a, 'v> {
    variables: &'a Variables<'v>,
    secrets: &'a mut Secrets,
    diagnostics: &'a mut Vec<Diagnostic>,
    span: &'a Span,
}

impl Replacer<'_, '_> {
    fn replace(&mut self, text: &str) -> String {
        let mut made = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            if rest[..at].ends_with('$') {
                made.push_str(&rest[..at - 1]);
                made.push_str("${");
                rest = &rest[at + 2..];
                continue;
            }
            made.push_str(&rest[..at]);
            let Some(length) = rest[at + 2..].find('}') else {
                let message = "`${` without a `}`";
                let diagnostic = Diagnostic::error("workflow::variable", message, self.span.clone());
                self.diagnostics.push(diagnostic.help("write `$${` for the characters themselves"));
                return made + &rest[at..];
            };
            made.push_str(&self.value(&rest[at + 2..at + 2 + length]));
            rest = &rest[at + 2 + length + 1..];
        }
        made + rest
    }

    fn value(&mut self, expression: &str) -> String {
        if let Some(path) = expression.strip_prefix("file:") {
            return self.file(path.trim());
        }
        let (name, default) = match expression.split_once(":-") {
            Some((name, default)) => (name.trim(), Some(default)),
            None => (expression.trim(), None),
        };
        if let Some(value) = self.variables.overrides.get(name) {
            return value.clone();
        }
        if let Some(value) = (self.variables.environment)(name) {
            self.secrets.add(&value);
            return value;
        }
        if let Some(value) = self.variables.declared.get(name) {
            return value.clone();
        }
        default.map_or_else(|| self.unset(name), str::to_owned)
    }

    fn file(&mut self, path: &str) -> String {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let value = text.strip_suffix('\n').unwrap_or(&text);
                let value = value.strip_suffix('\r').unwrap_or(value).to_owned();
                self.secrets.add(&value);
                value
            }
            Err(cause) => {
                let message = format!("cannot read `{path}`: {cause}");
                self.diagnostics.push(Diagnostic::error("workflow::variable", message, self.span.clone()));
                String::new()
            }
        }
    }

    fn unset(&mut self, name: &str) -> String {
        let message = format!("the variable `{name}` is not set");
        let known = self.variables.declared.keys().chain(self.variables.overrides.keys());
        let near = known
            .filter(|known| strsim::jaro_winkler(known, name) > 0.8)
            .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
        let help = match near {
            Some(near) => format!("did you mean `${{{near}}}`?"),
            None => format!(
                "set it in the environment or with `--set {name}=...`, or give it a default: `${{{name}:-...}}`"
            ),
        };
        self.diagnostics.push(Diagnostic::error("workflow::variable", message, self.span.clone()).help(help));
        String::new()
    }
}
