//! The command as a user runs it: real files in, real files out.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use parquet::file::reader::{FileReader, SerializedFileReader};

fn dataflare(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dataflare")).args(arguments).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = dataflare(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All files below a folder, as paths relative to it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

fn parquet_rows(folder: &Path) -> i64 {
    let parquet =
        files(folder).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "parquet"));
    parquet
        .map(|path| {
            SerializedFileReader::new(File::open(path).unwrap())
                .unwrap()
                .metadata()
                .file_metadata()
                .num_rows()
        })
        .sum()
}

#[test]
fn the_quickstart_moves_real_data() {
    let folder = tempfile::tempdir().unwrap();
    let out = format!("out={}", folder.path().display());
    let store = folder.path().join("state");
    let workflow = fs::read_to_string(repository().join("workflows/quickstart.yaml")).unwrap();
    let workflow = workflow.replace(
        "variables:",
        &format!("settings: {{ checkpoint: {{ store: {} }} }}\nvariables:", store.display()),
    );
    let path = folder.path().join("quickstart.yaml");
    fs::write(&path, workflow).unwrap();
    succeeds(&repository(), &["run", path.to_str().unwrap(), "--set", &out]);
    let events = fs::read_to_string(repository().join("workflows/data/events.ndjson")).unwrap();
    let sold = |line: &&str| {
        (line.contains("\"purchase\"") || line.contains("\"refund\"")) && !line.contains("\"price\": null")
    };
    let expected = i64::try_from(events.lines().filter(sold).count()).unwrap();
    assert_eq!(parquet_rows(&folder.path().join("sales")), expected);
    assert_eq!(parquet_rows(&folder.path().join("report")), 21, "seven countries, three systems");
    let rejects = files(&folder.path().join("rejects"));
    let rejected = fs::read_to_string(&rejects[0]).unwrap();
    assert_eq!(rejected.lines().count(), 2);
    assert!(rejected.contains("\"component\":\"events\""), "{rejected}");
    let left: Vec<_> =
        files(folder.path()).into_iter().filter(|path| path.to_string_lossy().contains("tmp")).collect();
    assert!(
        left.iter().all(|path| path.starts_with("/tmp") && !path.to_string_lossy().contains("tmp_20")),
        "{left:?}"
    );
}

#[test]
fn every_workflow_of_the_repository_is_valid() {
    for entry in fs::read_dir(repository().join("workflows")).unwrap().map(Result::unwrap) {
        if entry.path().extension().is_some_and(|ending| ending == "yaml") {
            let name = format!("workflows/{}", entry.file_name().to_string_lossy());
            let said = succeeds(&repository(), &["validate", &name, "--connect"]);
            assert!(said.contains("is valid"), "{said}");
        }
    }
}

#[test]
fn a_new_project_runs_and_sends_its_broken_line_to_the_rejects() {
    let folder = tempfile::tempdir().unwrap();
    succeeds(folder.path(), &["init", "shop"]);
    let shop = folder.path().join("shop");
    succeeds(&shop, &["run", "workflow.yaml"]);
    assert_eq!(parquet_rows(&shop.join("out/orders")), 3);
    assert_eq!(fs::read_to_string(&files(&shop.join("out/rejects"))[0]).unwrap().lines().count(), 1);
    let state = succeeds(&shop, &["state", "show", "workflow.yaml"]);
    assert!(state.contains("finished"), "{state}");
    let preview = succeeds(&shop, &["preview", "workflow.yaml", "--rows", "2"]);
    assert!(preview.contains("| id") && preview.matches('\n').count() == 6, "{preview}");
    assert!(!dataflare(folder.path(), &["init", "shop"]).status.success(), "it is there already");
}

#[test]
fn mistakes_are_told_with_their_places_and_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let workflow = "version: 1\nsources:\n  a:\n    type: fil\n    config: { path: x.csv }\ndestinations:\n  d:\n    type: discard\n    inputs: [b]\n";
    fs::write(folder.path().join("w.yaml"), workflow).unwrap();
    let output = dataflare(folder.path(), &["validate", "w.yaml"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in [
        "there is no source of type `fil`",
        "did you mean `file`?",
        "there is no source or processor `b`",
        "nobody reads `a`",
        "w.yaml:4:11",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    let json = dataflare(folder.path(), &["validate", "w.yaml", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((json.status.code(), list.as_array().unwrap().len()), (Some(1), 3));
    assert_eq!(list[0]["line"], 3);
    assert_eq!(dataflare(folder.path(), &["validate"]).status.code(), Some(2));
    assert_eq!(dataflare(folder.path(), &["validate", "none.yaml"]).status.code(), Some(1));
}

#[test]
fn a_locked_schema_types_offline_and_names_the_column_that_drifted() {
    let folder = tempfile::tempdir().unwrap();
    let workflow = "version: 1\nsources:\n  a: { type: file, config: { path: a.csv } }\nprocessors:\n  f: { type: filter, inputs: [a], config: { where: \"n > 1\" } }\ndestinations:\n  d: { type: discard, inputs: [f] }\n";
    fs::write(folder.path().join("w.yaml"), workflow).unwrap();
    fs::write(folder.path().join("a.csv"), "n,m\n1,2\n").unwrap();
    succeeds(folder.path(), &["lock", "w.yaml"]);
    fs::remove_file(folder.path().join("a.csv")).unwrap();
    succeeds(folder.path(), &["validate", "w.yaml"]);
    fs::write(folder.path().join("w.yaml"), workflow.replace("n > 1", "nn > 1")).unwrap();
    let output = dataflare(folder.path(), &["validate", "w.yaml"]);
    assert!(text(&output.stderr).contains("there is no column `nn`"), "{}", text(&output.stderr));
    fs::write(folder.path().join("w.yaml"), workflow).unwrap();
    fs::write(folder.path().join("a.csv"), "n,m\nx,2\n").unwrap();
    let output = dataflare(folder.path(), &["run", "w.yaml"]);
    assert!(text(&output.stderr).contains("`n` was Int64, now it is Utf8"), "{}", text(&output.stderr));
}

#[test]
fn secrets_are_seen_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "s3cr3t-p@ss/word";
    let workflow = "version: 1\nsources:\n  a: { type: file, config: { path: \"${HIDDEN}/a.csv\" } }\ndestinations:\n  d: { type: parquet, inputs: [a], config: { path: out } }\n";
    fs::write(folder.path().join("w.yaml"), workflow).unwrap();
    for arguments in [["run", "w.yaml"], ["validate", "w.yaml"], ["explain", "w.yaml"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_dataflare"))
            .args(arguments)
            .current_dir(folder.path())
            .env("HIDDEN", secret)
            .env("DATAFLARE_LOG", "trace")
            .output()
            .unwrap();
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(!said.contains(secret), "{arguments:?}: {said}");
    }
    for path in files(folder.path()) {
        assert!(!text(&fs::read(&path).unwrap()).contains(secret), "{}", path.display());
    }
}
