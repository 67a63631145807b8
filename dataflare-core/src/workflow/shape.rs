//! Checks a tree against a JSON Schema, and says what is wrong where it stands.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value as Json;

use super::diagnostic::Diagnostic;
use super::node::{Node, Span};

/// Everything in `node` that `schema` does not allow.
pub(super) fn check(schema: &Json, node: &Node, out: &mut Vec<Diagnostic>) {
    let validator: Validator = match jsonschema::validator_for(schema) {
        Ok(validator) => validator,
        Err(error) => {
            let message = format!("the options' schema is wrong: {error}");
            out.push(
                Diagnostic::error("workflow::internal", message, node.span.clone())
                    .help("please report this"),
            );
            return;
        }
    };
    let json = node.to_json();
    for error in validator.iter_errors(&json) {
        explain(&error, schema, node, out);
    }
}

fn explain(error: &ValidationError<'_>, schema: &Json, root: &Node, out: &mut Vec<Diagnostic>) {
    let path = error.instance_path().to_string();
    let steps: Vec<String> =
        path.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
    let node = root.at(steps.iter().map(String::as_str));
    let name = steps.last().map_or("the value", String::as_str);
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let allowed = allowed_keys(error, schema);
            for key in unexpected {
                out.push(unknown_key(key, key_span(node, key), &allowed));
            }
        }
        ValidationErrorKind::Required { property } => {
            let property = property.as_str().unwrap_or_default();
            let message = format!("`{property}` is missing");
            out.push(Diagnostic::error("workflow::missing-key", message, node.span.clone()).says("in here"));
        }
        ValidationErrorKind::Type { kind } => {
            let message =
                format!("`{name}` must be {}, but is {}", type_name(kind), json_type(error.instance()));
            out.push(Diagnostic::error("workflow::wrong-type", message, node.span.clone()));
        }
        ValidationErrorKind::Enum { options } => {
            let known: Vec<String> = options.as_array().into_iter().flatten().map(plain).collect();
            out.push(unknown_value(error.instance(), &known, node.span.clone()));
        }
        ValidationErrorKind::Constant { expected_value } => {
            out.push(unknown_value(error.instance(), &[plain(expected_value)], node.span.clone()));
        }
        ValidationErrorKind::AnyOf { context }
        | ValidationErrorKind::OneOfNotValid { context }
        | ValidationErrorKind::OneOfMultipleValid { context } => {
            alternatives(context, error, schema, root, node, out)
        }
        _ => {
            let message = lowercase_first(&error.to_string());
            out.push(Diagnostic::error("workflow::wrong-value", message, node.span.clone()));
        }
    }
}

/// A value that fits none of several shapes: told against the one that it is nearest to.
fn alternatives(
    context: &[Vec<ValidationError<'static>>],
    error: &ValidationError<'_>,
    schema: &Json,
    root: &Node,
    node: &Node,
    out: &mut Vec<Diagnostic>,
) {
    let choices: Vec<String> = context
        .iter()
        .flatten()
        .flat_map(|inner| match inner.kind() {
            ValidationErrorKind::Constant { expected_value } => vec![plain(expected_value)],
            ValidationErrorKind::Enum { options } => {
                options.as_array().into_iter().flatten().map(plain).collect()
            }
            _ => Vec::new(),
        })
        .filter(|choice| choice != "null")
        .collect();
    if error.instance().is_string() && !choices.is_empty() {
        out.push(unknown_value(error.instance(), &choices, node.span.clone()));
        return;
    }
    let wrong_type = |inner: &ValidationError<'_>| {
        matches!(inner.kind(), ValidationErrorKind::Type { .. })
            && inner.instance_path() == error.instance_path()
    };
    let nearest =
        context.iter().filter(|branch| !branch.iter().any(&wrong_type)).min_by_key(|branch| branch.len());
    if let Some(branch) = nearest.filter(|branch| !branch.is_empty()) {
        for inner in branch {
            explain(inner, schema, root, out);
        }
        return;
    }
    let kinds: Vec<String> = context
        .iter()
        .flatten()
        .filter_map(|inner| match inner.kind() {
            ValidationErrorKind::Type { kind } => Some(type_name(kind)),
            _ => None,
        })
        .filter(|kind| kind != "nothing")
        .collect();
    let mut kinds = kinds;
    kinds.dedup();
    let message = format!("this must be {}, but is {}", kinds.join(" or "), json_type(error.instance()));
    out.push(Diagnostic::error("workflow::wrong-type", message, node.span.clone()));
}

/// The keys that the schema allows where `error` is.
fn allowed_keys(error: &ValidationError<'_>, schema: &Json) -> Vec<String> {
    let path = error.schema_path().to_string();
    let parent = path.strip_suffix("/additionalProperties").unwrap_or(&path);
    let mut value = schema;
    for step in parent.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        if let Some(target) =
            value.get("$ref").and_then(Json::as_str).and_then(|target| target.strip_prefix('#'))
        {
            value = schema.pointer(target).unwrap_or(value);
        }
        if step == "$ref" {
            continue;
        }
        match value.get(&step).or_else(|| step.parse::<usize>().ok().and_then(|index| value.get(index))) {
            Some(next) => value = next,
            None => return Vec::new(),
        }
    }
    if let Some(target) = value.get("$ref").and_then(Json::as_str).and_then(|target| target.strip_prefix('#'))
    {
        value = schema.pointer(target).unwrap_or(value);
    }
    value
        .get("properties")
        .and_then(Json::as_object)
        .map(|keys| keys.keys().cloned().collect())
        .unwrap_or_default()
}

fn key_span(node: &Node, name: &str) -> Span {
    node.entry(name).map_or_else(|| node.span.clone(), |(key, _)| key.span.clone())
}

/// A key that nobody knows.
pub(super) fn unknown_key(key: &str, span: Span, allowed: &[String]) -> Diagnostic {
    let diagnostic =
        Diagnostic::error("workflow::unknown-key", format!("there is no key `{key}` here"), span);
    match suggestion(key, allowed) {
        None if allowed.is_empty() => diagnostic.help("nothing can be written here"),
        Some(near) => diagnostic
            .says(format!("did you mean `{near}`?"))
            .help(format!("the keys are {}", allowed.join(", "))),
        None => diagnostic.help(format!("the keys are {}", allowed.join(", "))),
    }
}

fn unknown_value(value: &Json, known: &[String], span: Span) -> Diagnostic {
    let text = plain(value);
    let diagnostic =
        Diagnostic::error("workflow::wrong-value", format!("`{text}` is not allowed here"), span);
    let diagnostic = diagnostic.help(format!("write one of {}", known.join(", ")));
    match suggestion(&text, known) {
        Some(near) => diagnostic.says(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

/// The known name that is nearest to `name`, if one is near enough to be meant.
pub(super) fn suggestion<'k>(name: &str, known: impl IntoIterator<Item = &'k String>) -> Option<&'k str> {
    let scored = known.into_iter().map(|known| (strsim::jaro_winkler(name, known), known.as_str()));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn type_name(kind: &TypeKind) -> String {
    let of = |name: &str| match name {
        "null" => "nothing".to_owned(),
        "object" => "a map".to_owned(),
        "array" => "a list".to_owned(),
        "string" => "text".to_owned(),
        "integer" => "a whole number".to_owned(),
        "boolean" => "true or false".to_owned(),
        other => format!("a {other}"),
    };
    match kind {
        TypeKind::Single(kind) => of(&kind.to_string()),
        TypeKind::Multiple(kinds) => {
            let names: Vec<_> =
                kinds.iter().map(|kind| of(&kind.to_string())).filter(|name| name != "nothing").collect();
            names.join(" or ")
        }
    }
}

fn json_type(value: &Json) -> String {
    match value {
        Json::Null => "empty".to_owned(),
        Json::Bool(value) => format!("`{value}`"),
        Json::Number(number) => format!("the number {number}"),
        Json::String(text) => format!("the text `{}`", text.chars().take(40).collect::<String>()),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "a map".to_owned(),
    }
}

fn lowercase_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
