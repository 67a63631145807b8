//! Holds the invariants and limits that ARCHITECTURE.md names.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::fs;
use std::path::{Path, PathBuf};

const LINES_MAX: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All Rust files below a folder of the repository, with their texts.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![root().join(folder)];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                found.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

fn crates() -> Vec<(String, String)> {
    ["core", "decode", "connectors", "processors", "cli"]
        .iter()
        .flat_map(|name| sources(&format!("dataflare-{name}/src")))
        .collect()
}

/// A file without its unit tests.
fn without_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or(text)
}

fn offenders(files: &[(String, String)], allowed: &[&str], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in
        files.iter().filter(|(name, _)| !allowed.iter().any(|prefix| name.starts_with(prefix)))
    {
        for (number, line) in without_tests(text).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if words.iter().any(|word| code.contains(word)) {
                found.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn files_do_one_thing() {
    let long: Vec<_> = crates()
        .into_iter()
        .filter(|(_, text)| text.lines().count() > LINES_MAX)
        .map(|(name, _)| name)
        .collect();
    assert!(long.is_empty(), "over {LINES_MAX} lines: {long:?}");
}

#[test]
fn only_the_actors_know_actix() {
    let found = offenders(&crates(), &["dataflare-core/src/actor/"], &["actix"]);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn core_names_no_component_and_components_do_not_name_each_other() {
    let found = offenders(
        &sources("dataflare-core/src"),
        &[],
        &["dataflare_connectors", "dataflare_processors", "dataflare_cli"],
    );
    assert!(found.is_empty(), "{found:#?}");
    let found = offenders(&sources("dataflare-processors/src"), &[], &["dataflare_connectors"]);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn only_the_expressions_know_datafusion() {
    let found = offenders(&crates(), &["dataflare-core/src/expr/"], &["datafusion::"]);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn only_interpolation_reads_the_environment() {
    let allowed = ["dataflare-core/src/workflow/load.rs", "dataflare-cli/", "dataflare-core/src/testing/"];
    let found = offenders(&crates(), &allowed, &["env::var"]);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn nothing_is_left_for_later() {
    let found = offenders(&crates(), &[], &["todo!(", "unimplemented!(", "dbg!(", ".unwrap()"]);
    let found: Vec<_> = found.into_iter().filter(|line| !line.contains("/tests")).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_queue_is_unbounded() {
    let found =
        offenders(&crates(), &["dataflare-core/src/event/"], &["unbounded_channel", "mpsc::unbounded"]);
    assert!(found.is_empty(), "{found:#?}");
}
