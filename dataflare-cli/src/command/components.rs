//! `dataflare connectors` and `dataflare processors`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use comfy_table::{ContentArrangement, Table, presets};
use dataflare_core::component::{Role, RoleEntry};
use serde_json::Value;

use crate::setup::{print, registry};

/// Which components a command is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Sources and destinations.
    Connectors,
    /// Processors.
    Processors,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Lists them.
    #[command(after_help = "Examples:\n  dataflare connectors list\n  dataflare processors list")]
    List,
    /// Describes one: what it does, its options, an example.
    #[command(
        after_help = "Examples:\n  dataflare connectors describe file\n  dataflare processors describe map"
    )]
    Describe {
        /// Its name, as it is written under `type`.
        name: String,
    },
}

pub(crate) fn run(command: &Command, kind: Kind) -> Result<ExitCode> {
    let roles: &[(Role, &str)] = match kind {
        Kind::Connectors => &[(Role::Source, "source"), (Role::Destination, "destination")],
        Kind::Processors => &[(Role::Processor, "processor")],
    };
    match command {
        Command::List => list(roles),
        Command::Describe { name } => describe(name, roles),
    }
}

fn list(roles: &[(Role, &str)]) -> Result<ExitCode> {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["NAME", "ROLE", "SUMMARY"]);
    for (role, label) in roles {
        for (name, entry) in registry().in_role(*role) {
            table.add_row([name, label, entry.summary]);
        }
    }
    print(&format!("{table}\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn describe(name: &str, roles: &[(Role, &str)]) -> Result<ExitCode> {
    let registry = registry();
    let found: Vec<_> =
        roles.iter().filter_map(|(role, label)| Some((label, registry.find(*role, name)?))).collect();
    if found.is_empty() {
        let known: Vec<_> =
            roles.iter().flat_map(|(role, _)| registry.in_role(*role)).map(|(name, _)| name).collect();
        bail!("there is none called `{name}`; there are {}", known.join(", "));
    }
    for (label, entry) in found {
        print(&page(name, label, entry))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn page(name: &str, role: &str, entry: &RoleEntry) -> String {
    let schema: Value = (entry.options)().into();
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["OPTION", "TYPE", "DEFAULT", "MEANING"]);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(110);
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (option, about) in schema["properties"].as_object().into_iter().flatten() {
        let default =
            if required.contains(&option.as_str()) { "required".to_owned() } else { default(about) };
        let meaning = about["description"].as_str().unwrap_or_default().replace('\n', " ");
        table.add_row([option.clone(), type_of(about, &schema), default, meaning]);
    }
    let example = entry.example.lines().map(|line| format!("  {line}\n")).collect::<String>();
    format!("{name} ({role})\n{}\n\n{table}\n\nExample of `config`:\n{example}\n", entry.summary)
}

fn default(about: &Value) -> String {
    match &about["default"] {
        Value::Null => String::new(),
        value => value.to_string(),
    }
}

fn type_of(about: &Value, schema: &Value) -> String {
    if let Some(target) = about["$ref"].as_str().and_then(|target| target.strip_prefix('#')) {
        return schema.pointer(target).map_or_else(String::new, |target| type_of(target, schema));
    }
    let alternatives = about["anyOf"].as_array().or(about["oneOf"].as_array());
    if let Some(alternatives) = alternatives {
        let kinds = alternatives.iter().map(|each| type_of(each, schema)).filter(|kind| kind != "null");
        return kinds.collect::<Vec<_>>().join(" | ");
    }
    if let Some(value) = about["const"].as_str() {
        return value.to_owned();
    }
    if let Some(values) = about["enum"].as_array() {
        return values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | ");
    }
    match &about["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => kinds
            .iter()
            .filter_map(Value::as_str)
            .filter(|kind| *kind != "null")
            .collect::<Vec<_>>()
            .join(" | "),
        _ => String::new(),
    }
}
