//! What a run survives: kills at exact points and at random moments, SIGTERM, bad input, a full disk.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that fails panics, and prints its seed")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rand::{Rng, SeedableRng};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn rows() -> u64 {
    number("DATAFLARE_TEST_ROWS", 60_000)
}

fn dataflare(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dataflare"));
    command.args(["run", "w.yaml"]).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder with an NDJSON file of ids, and a workflow that moves it to Parquet.
fn project(roll: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut file = std::io::BufWriter::new(File::create(folder.path().join("in.ndjson")).unwrap());
    for id in 0..rows() {
        writeln!(file, "{{\"id\": {id}, \"text\": \"row {id} of the file\"}}").unwrap();
    }
    file.flush().unwrap();
    let roll = if roll { ", roll: { rows: 5000 }" } else { "" };
    let workflow = format!(
        "version: 1\nsettings: {{ parallelism: 2, checkpoint: {{ interval: 20ms }}, batch: {{ rows: 500 }} }}\nsources:\n  ids: {{ type: file, config: {{ path: in.ndjson, split: 256KiB, schema: {{ id: int64, text: utf8 }} }} }}\ndestinations:\n  out: {{ type: parquet, inputs: [ids], config: {{ path: out{roll} }} }}\n"
    );
    fs::write(folder.path().join("w.yaml"), workflow).unwrap();
    folder
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        if entry.path().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}

/// Asserts that every id is there once, and nothing temporary is left.
fn whole(folder: &Path, context: &str) {
    let mut seen = BTreeSet::new();
    for path in files(&folder.join("out")) {
        assert!(
            path.extension().is_some_and(|ending| ending == "parquet"),
            "{context}: left over: {}",
            path.display()
        );
        assert!(!path.to_string_lossy().contains("/tmp_"), "{context}: unpublished: {}", path.display());
        for batch in
            ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap().build().unwrap()
        {
            for id in batch.unwrap().column_by_name("id").unwrap().as_primitive::<Int64Type>().values() {
                assert!(seen.insert(*id), "{context}: {id} is there twice");
            }
        }
    }
    assert_eq!(seen.len() as u64, rows(), "{context}: rows are missing");
}

#[test]
fn a_kill_at_every_point_loses_nothing_and_repeats_nothing() {
    for roll in [false, true] {
        for point in dataflare_core::fault::POINTS {
            let folder = project(roll);
            let killed =
                dataflare(folder.path()).env("DATAFLARE_FAULT", format!("kill@{point}:1")).output().unwrap();
            let context = format!("{point}, roll {roll}: {}", said(&killed));
            let passes_here = *point != "processor.before_process";
            assert_eq!(killed.status.code().is_none(), passes_here, "{context}");
            let resumed = dataflare(folder.path()).output().unwrap();
            assert!(resumed.status.success(), "{context}: {}", said(&resumed));
            // Where nothing was killed the second run was a whole one of its own.
            if passes_here {
                whole(folder.path(), &context);
            }
        }
    }
}

#[test]
fn kills_at_random_moments_lose_nothing_and_repeat_nothing() {
    let seed = number("DATAFLARE_TEST_SEED", 11);
    println!("seed {seed}");
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    for roll in [false, true] {
        let folder = project(roll);
        let mut kills = 0;
        let mut finished = false;
        for _ in 0..number("DATAFLARE_TEST_KILLS", 6) {
            let mut child = dataflare(folder.path()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(random.random_range(5..400)));
            if child.try_wait().unwrap().is_some() {
                finished = true;
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
        }
        if !finished {
            let last = dataflare(folder.path()).output().unwrap();
            assert!(last.status.success(), "{}", said(&last));
        }
        println!("{kills} kills");
        whole(folder.path(), &format!("seed {seed}, roll {roll}"));
    }
}

#[test]
fn sigterm_ends_well_and_the_next_run_goes_on() {
    for roll in [false, true] {
        let folder = project(roll);
        let child = dataflare(folder.path()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(120));
        let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        let stopped = child.wait_with_output().unwrap();
        assert!(stopped.status.success() || stopped.status.code().is_none(), "{}", said(&stopped));
        if said(&stopped).contains("stopped; go on with") || !stopped.status.success() {
            let resumed = dataflare(folder.path()).output().unwrap();
            assert!(resumed.status.success(), "{}", said(&resumed));
        }
        whole(folder.path(), &format!("roll {roll}"));
    }
}

/// Runs a workflow that reads `name` into Parquet; the run fails, and nothing is visible.
fn fails(name: &str, content: &[u8], config: &str, expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), content).unwrap();
    let workflow = format!(
        "version: 1\nsources:\n  a: {{ type: file, config: {{ path: {name}{config} }} }}\ndestinations:\n  d: {{ type: parquet, inputs: [a], config: {{ path: out }} }}\n"
    );
    fs::write(folder.path().join("w.yaml"), workflow).unwrap();
    let output = dataflare(folder.path()).output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{name}: {said}");
    for part in expected.iter().chain(&[name]) {
        assert!(said.contains(part), "{name}: `{part}` is not in\n{said}");
    }
    let visible: Vec<_> = files(&folder.path().join("out"))
        .into_iter()
        .filter(|path| !path.to_string_lossy().contains("/tmp_"))
        .collect();
    assert!(visible.is_empty(), "{name}: {visible:?}");
}

#[test]
fn bad_input_gives_one_clear_error_and_nothing_visible() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for line in 0..10_000 {
        writeln!(gzip, "{{\"id\": {line}}}").unwrap();
    }
    let gzip = gzip.finish().unwrap();
    fails("cut.ndjson.gz", &gzip[..gzip.len() / 2], ", schema: { id: int64 }", &["ends in the middle"]);
    fails("twice.csv", b"a,b,a\n1,2,3\n", "", &["names `a` twice"]);
    fails("nan.ndjson", b"{\"x\": 1}\n{\"x\": NaN}\n", ", schema: { x: float64 }", &["at: byte"]);
    fails("utf8.csv", b"a\nx\xff\n", ", schema: { a: utf8 }", &["at: byte"]);
    fails("cut.parquet", b"PAR1 and then nothing of use PAR", "", &["damaged"]);
    fails("empty.csv", b"", "", &["is empty"]);
    fails("long.ndjson", &[b'x'; 3 << 20], ", record_max: 1MiB, schema: { x: utf8 }", &["longer than"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = project(false);
    fs::write(folder.path().join("out"), "a file stands here").unwrap();
    let output = dataflare(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("cannot make out/tmp_"), "{}", said(&output));
}

/// A disk of its own, small enough to be filled.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=512k", "tmpfs"]).arg(folder).status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(folder.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // It goes with the machine at the latest.
        _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_named_and_the_run_goes_on_when_there_is_room() {
    let folder = project(false);
    let out = folder.path().join("out");
    let Some(disk) = SmallDisk::mount(&out) else {
        println!("skipped: no right to mount a small disk");
        return;
    };
    let workflow = fs::read_to_string(folder.path().join("w.yaml")).unwrap();
    fs::write(
        folder.path().join("w.yaml"),
        workflow.replace("path: out", "path: out/here, compression: none"),
    )
    .unwrap();
    let full = dataflare(folder.path()).output().unwrap();
    assert_eq!(full.status.code(), Some(1), "{}", said(&full));
    assert!(said(&full).contains("No space left on device"), "{}", said(&full));
    assert!(
        files(&out).iter().all(|path| path.to_string_lossy().contains("/tmp_")),
        "nothing half-written is visible"
    );
    assert!(Command::new("mount").args(["-o", "remount,size=64m"]).arg(&disk.0).status().unwrap().success());
    let resumed = dataflare(folder.path()).output().unwrap();
    assert!(resumed.status.success(), "{}", said(&resumed));
    fs::create_dir_all(folder.path().join("copy")).unwrap();
    assert!(
        Command::new("cp")
            .arg("-r")
            .arg(out.join("here"))
            .arg(folder.path().join("copy/out"))
            .status()
            .unwrap()
            .success()
    );
    whole(&folder.path().join("copy"), "after the disk was full");
}
