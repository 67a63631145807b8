//! The JSON Schema of workflows: for `validate`, and for editors.

use serde_json::{Value, json};

use super::raw::RawWorkflow;
use crate::component::{Registry, Role};

/// The sections that hold components, with their roles.
pub(super) const SECTIONS: [(&str, Role); 3] =
    [("sources", Role::Source), ("processors", Role::Processor), ("destinations", Role::Destination)];

/// The schema of the parts of a workflow that belong to the engine.
pub(super) fn engine() -> Value {
    schemars::schema_for!(RawWorkflow).into()
}

/// The JSON Schema of a whole workflow, for editors: the engine's keys, and for each `type` the options
/// of that component.
pub fn schema(registry: &Registry) -> Value {
    let mut schema = engine();
    let mut definitions = schema["$defs"].as_object().cloned().unwrap_or_default();
    for (section, role) in SECTIONS {
        let mut cases = Vec::new();
        let mut kinds = Vec::new();
        for (name, entry) in registry.in_role(role) {
            let mut options: Value = (entry.options)().into();
            hoist(&mut options, &format!("{section}.{name}"), &mut definitions);
            options["examples"] = json!([entry.example]);
            kinds.push(json!({ "const": name, "description": entry.summary }));
            cases.push(json!({
                "if": { "properties": { "type": { "const": name } }, "required": ["type"] },
                "then": { "properties": { "config": options } },
            }));
        }
        schema["properties"][section]["additionalProperties"] = json!({
            "$ref": "#/$defs/RawComponent",
            "properties": { "type": { "oneOf": kinds } },
            "allOf": cases,
        });
    }
    schema["properties"]["transformations"] =
        json!({ "deprecated": true, "description": "The old name of `processors`." });
    schema["$defs"] = Value::Object(definitions);
    schema["title"] = "DataFlare workflow".into();
    schema
}

/// Moves a component's own definitions to the whole schema's, under names of their own.
fn hoist(options: &mut Value, prefix: &str, definitions: &mut serde_json::Map<String, Value>) {
    let own = options.as_object_mut().and_then(|options| options.remove("$defs"));
    if let Some(options) = options.as_object_mut() {
        options.remove("$schema");
    }
    rename_references(options, prefix);
    if let Some(Value::Object(own)) = own {
        for (name, mut definition) in own {
            rename_references(&mut definition, prefix);
            definitions.insert(format!("{prefix}.{name}"), definition);
        }
    }
}

fn rename_references(value: &mut Value, prefix: &str) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                match value {
                    Value::String(target) if key == "$ref" => {
                        if let Some(name) = target.strip_prefix("#/$defs/") {
                            *target = format!("#/$defs/{prefix}.{name}");
                        }
                    }
                    other => rename_references(other, prefix),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename_references(item, prefix)),
        _ => {}
    }
}
