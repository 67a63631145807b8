//! The `file` source and destination through their public face: every format, every position.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use dataflare_connectors::COMPONENTS;
use dataflare_core::batch::BatchLimits;
use dataflare_core::component::{
    Build, Destination, Lane, Options, Position, Read, Registry, Role, Run, Scan, Source, Split,
    StageContext, Staged,
};
use serde_json::{Value, json};

fn source(config: Value) -> Arc<dyn Source> {
    let registry = Registry::new(&[COMPONENTS]);
    let Build::Source(build) = registry.find(Role::Source, "file").unwrap().build else { panic!("a source") };
    build(&Options { component: "a".into(), value: config }).unwrap()
}

fn destination(kind: &str, config: Value) -> Arc<dyn Destination> {
    let registry = Registry::new(&[COMPONENTS]);
    let Build::Destination(build) = registry.find(Role::Destination, kind).unwrap().build else {
        panic!("a destination")
    };
    build(&Options { component: "d".into(), value: config }).unwrap()
}

/// The ids that a split gives after a position, and the position after each batch.
async fn read(
    source: &dyn Source,
    split: &Split,
    from: Option<&Position>,
    rows: usize,
) -> (Vec<i64>, Vec<(usize, Position)>) {
    let schema = source.schema().await.unwrap();
    let limits = BatchLimits { rows, bytes: 1 << 20 };
    let mut reader =
        source.open(split, from, &Scan { schema, filter: None, limits, reject: false }).await.unwrap();
    let (mut ids, mut positions) = (Vec::new(), Vec::new());
    loop {
        match reader.read().await.unwrap() {
            Read::Records(records) => {
                let column = records.batch.column_by_name("id").unwrap();
                ids.extend(column.as_primitive::<Int64Type>().values());
                positions.push((ids.len(), records.position));
            }
            Read::Idle => {}
            Read::End => return (ids, positions),
        }
    }
}

const ROWS: i64 = 300;

fn text(format: &str) -> String {
    let rows = (0..ROWS).map(|id| match format {
        "csv" => format!("{id},\"text, {id}\""),
        _ => format!("{{\"id\":{id},\"t\":\"text, {id}\"}}"),
    });
    let rows: Vec<String> = rows.collect();
    match format {
        "csv" => format!("id,t\n{}\n", rows.join("\n")),
        "json" => format!("[{}]", rows.join(",\n")),
        _ => rows.join("\n") + "\n",
    }
}

/// Reads every split whole, then again after every position.
async fn every_position_resumes(source: &dyn Source, context: &str) {
    let mut all = Vec::new();
    for split in source.splits().await.unwrap() {
        let (ids, positions) = read(source, &split, None, 7).await;
        for (count, position) in &positions {
            let position: Position = serde_json::from_str(&serde_json::to_string(position).unwrap()).unwrap();
            let (rest, _) = read(source, &split, Some(&position), 11).await;
            assert_eq!(rest, ids[*count..], "{context}: {} after {position:?}", split.id);
        }
        all.extend(ids);
    }
    all.sort_unstable();
    assert_eq!(all, (0..ROWS).collect::<Vec<_>>(), "{context}");
}

#[tokio::test]
async fn text_formats_resume_at_every_position_of_every_split() {
    let folder = tempfile::tempdir().unwrap();
    for format in ["csv", "ndjson", "json"] {
        for split in ["100B", "1KB", "1GB"] {
            let path = folder.path().join(format!("a.{format}"));
            fs::write(&path, text(format)).unwrap();
            let source = source(json!({ "path": path, "split": split }));
            every_position_resumes(&*source, &format!("{format} in parts of {split}")).await;
        }
    }
}

#[tokio::test]
async fn compressed_files_resume_too() {
    let folder = tempfile::tempdir().unwrap();
    let plain = text("ndjson");
    for ending in ["gz", "zst", "bz2", "lz4"] {
        let path = folder.path().join(format!("a.ndjson.{ending}"));
        let file = fs::File::create(&path).unwrap();
        match ending {
            "gz" => {
                let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
                std::io::Write::write_all(&mut encoder, plain.as_bytes()).unwrap();
                encoder.finish().unwrap();
            }
            "zst" => {
                zstd::stream::copy_encode(plain.as_bytes(), file, 1).unwrap();
            }
            "bz2" => {
                let mut encoder = bzip2::write::BzEncoder::new(file, bzip2::Compression::fast());
                std::io::Write::write_all(&mut encoder, plain.as_bytes()).unwrap();
                encoder.finish().unwrap();
            }
            _ => {
                let mut encoder = lz4_flex::frame::FrameEncoder::new(file);
                std::io::Write::write_all(&mut encoder, plain.as_bytes()).unwrap();
                encoder.finish().unwrap();
            }
        }
        every_position_resumes(&*source(json!({ "path": path })), ending).await;
    }
}

fn batch() -> RecordBatch {
    let ids: arrow::array::ArrayRef = Arc::new(arrow::array::Int64Array::from_iter_values(0..ROWS));
    let texts: arrow::array::ArrayRef = Arc::new(arrow::array::StringArray::from_iter_values(
        (0..ROWS).map(|id| format!("text, \"{id}\"\n")),
    ));
    RecordBatch::try_from_iter([("id", ids), ("t", texts)]).unwrap()
}

fn run() -> Run {
    Run { workflow: "w".into(), id: "2026-01-31_23-59-59.123Z".into() }
}

/// Writes half of the rows in each of two lanes, and stages them.
async fn stage(destination: &dyn Destination) -> Vec<Staged> {
    let batch = batch();
    destination.prepare(&run(), &batch.schema()).await.unwrap();
    let mut staged = Vec::new();
    for lane in 0..2 {
        let mut writer = destination.writer(&run(), &Lane { index: lane }).await.unwrap();
        let half = batch.num_rows() / 2;
        writer.write(batch.slice(lane * half, half)).await.unwrap();
        let value = writer.stage(&StageContext { epoch: 1, split: None }).await.unwrap().unwrap();
        staged.push(Staged { lane, epoch: 1, rows: half as u64, value });
    }
    staged
}

async fn visible(folder: &Path) -> Vec<i64> {
    let files: Vec<_> = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap).collect();
    let mut ids = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.file_type().is_file() && !file.path().to_string_lossy().ends_with(".tmp"))
    {
        let source = source(json!({ "path": file.path() }));
        for split in source.splits().await.unwrap() {
            ids.extend(read(&*source, &split, None, 1000).await.0);
        }
    }
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn what_is_staged_is_seen_once_whoever_commits_it_and_how_often() {
    let cases = [
        ("parquet", json!({})),
        ("parquet", json!({ "roll": { "rows": 40 } })),
        ("parquet", json!({ "compression": "none", "sort_by": ["t"], "bloom_filters": ["id"] })),
        ("file", json!({ "format": "ndjson" })),
        ("file", json!({ "format": "ndjson", "compression": "zstd" })),
        ("file", json!({ "format": "csv", "compression": "gzip" })),
        ("file", json!({ "format": "arrow" })),
        ("file", json!({ "format": "avro", "roll": { "rows": 40 } })),
    ];
    for (kind, config) in cases {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config.clone();
        config["path"] = json!(folder.path().join("out"));
        let context = format!("{kind} {config}");
        let first = destination(kind, config.clone());
        let staged = stage(&*first).await;
        assert!(visible(folder.path()).await.is_empty(), "{context}: visible before the commit");
        drop(first);
        let second = destination(kind, config.clone());
        second.prepare(&run(), &batch().schema()).await.unwrap();
        for _ in 0..2 {
            let receipt = second.commit(&run(), &staged).await.unwrap();
            assert_eq!(receipt.rows, Some(300), "{context}");
        }
        let later = stage(&*second).await;
        assert_eq!(later.len(), 2);
        second.abort(&run()).await.unwrap();
        for _ in 0..2 {
            second.finish(&run()).await.unwrap();
        }
        assert_eq!(visible(folder.path()).await, (0..ROWS).collect::<Vec<_>>(), "{context}");
        let left = walkdir::WalkDir::new(folder.path()).min_depth(1).into_iter().map(Result::unwrap);
        let left: Vec<_> = left.filter(|entry| entry.file_name().to_string_lossy().contains("tmp")).collect();
        assert!(left.is_empty(), "{context}: left over {left:?}");
    }
}
