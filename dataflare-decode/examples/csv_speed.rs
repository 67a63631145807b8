//! Measures the CSV decoder on web-shop events, beside arrow-csv (to Arrow as well) and csv-core (which only
//! finds the fields), in one process and in turns.
//!
//! `cargo run --release -p dataflare-decode --example csv_speed [ROWS | FILE.csv] [COLUMN,...]`

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program to be run by hand")]

use std::fmt::Write;
use std::hint::black_box;
use std::io::Cursor;
use std::sync::Arc;
use std::time::Instant;

use arrow::compute::concat_batches;
use arrow::csv::ReaderBuilder;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use dataflare_decode::csv::{self, Dialect};
use dataflare_decode::{Limits, OnMismatch};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The allocator of the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 7;
const BATCH: Limits = Limits { rows: 65_536, bytes: 4 << 20 };

fn main() {
    let input = std::env::args().nth(1).unwrap_or_else(|| "1000000".into());
    let text = match input.parse() {
        Ok(rows) => events(rows),
        Err(_) => std::fs::read_to_string(&input).unwrap(),
    };
    let bytes = text.as_bytes();
    let dialect = Dialect::default();
    let header = csv::header(bytes, &dialect).unwrap();
    let data = &bytes[csv::data_start(bytes, &dialect, true).unwrap()..];
    let all = without_zones(&csv::infer(bytes, &dialect, true, 10_000).unwrap());
    let wanted: Vec<usize> = match std::env::args().nth(2) {
        Some(names) => names.split(',').map(|name| all.index_of(name).unwrap()).collect(),
        None => (0..header.len()).collect(),
    };
    let schema: SchemaRef = Arc::new(all.project(&wanted).unwrap());
    for field in schema.fields() {
        println!("  {}: {}", field.name(), field.data_type());
    }

    // A quoted empty field is text to us and null to arrow-csv; without quotes both must agree.
    if memchr::memchr(b'"', data).is_none() {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        decode(data, &header, &schema, &dialect, &mut |batch| ours.push(batch));
        arrow_csv(data, &all, &wanted, &mut |batch| theirs.push(batch));
        assert!(concat_batches(&schema, &ours).unwrap() == concat_batches(&schema, &theirs).unwrap());
    }

    let drop_batch = |batch| drop(black_box(batch));
    let contestants: [(&str, &dyn Fn()); 4] = [
        ("dataflare", &|| decode(data, &header, &schema, &dialect, &mut { drop_batch })),
        ("arrow-csv", &|| arrow_csv(data, &all, &wanted, &mut { drop_batch })),
        ("csv-core (fields only)", &|| _ = black_box(csv_core_fields(data))),
        ("record borders only", &|| _ = black_box(borders(data, &dialect))),
    ];
    let mut seconds = [const { Vec::<f64>::new() }; 4];
    for _ in 0..ROUNDS {
        for ((_, run), seconds) in contestants.iter().zip(&mut seconds) {
            let start = Instant::now();
            run();
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    let megabytes = data.len() as f64 / 1e6;
    let rate = |seconds: &mut Vec<f64>| {
        seconds.sort_by(f64::total_cmp);
        megabytes / seconds[ROUNDS / 2]
    };
    let ours = rate(&mut seconds[0]);
    println!("{megabytes:.0} MB, {} of {} columns, median of {ROUNDS}", wanted.len(), header.len());
    for ((name, _), seconds) in contestants.iter().zip(&mut seconds) {
        let rate = rate(seconds);
        println!("{name:24} {rate:8.0} MB/s   dataflare / this = {:.2}", ours / rate);
    }
}

/// The schema with timestamps as arrow-csv can read them without a library of time zones.
fn without_zones(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Timestamp(unit, _) => {
            field.as_ref().clone().with_data_type(DataType::Timestamp(*unit, None))
        }
        _ => field.as_ref().clone(),
    });
    Schema::new(fields.collect::<Vec<_>>())
}

type Each<'a> = &'a mut dyn FnMut(RecordBatch);

fn decode(data: &[u8], header: &[String], schema: &SchemaRef, dialect: &Dialect, each: Each) {
    let mut decoder = csv::Decoder::new(Arc::clone(schema), header, dialect, OnMismatch::Error).unwrap();
    let mut rest = data;
    while !rest.is_empty() {
        let decoded = decoder.decode(rest, BATCH).unwrap();
        each(decoded.batch);
        rest = &rest[decoded.consumed..];
    }
}

fn arrow_csv(data: &[u8], schema: &Schema, wanted: &[usize], each: Each) {
    let builder = ReaderBuilder::new(Arc::new(schema.clone()));
    let reader = builder.with_batch_size(24_000).with_projection(wanted.to_vec());
    reader.build_buffered(Cursor::new(data)).unwrap().for_each(|batch| each(batch.unwrap()));
}

fn csv_core_fields(mut data: &[u8]) -> usize {
    let mut reader = csv_core::Reader::new();
    let (mut text, mut ends, mut fields) = ([0; 1 << 16], [0; 64], 0);
    loop {
        let (result, read, _, found) = reader.read_record(data, &mut text, &mut ends);
        data = &data[read..];
        fields += found;
        if result == csv_core::ReadRecordResult::End {
            return fields;
        }
    }
}

/// A look at the whole for record borders, as before it is cut into parts.
fn borders(data: &[u8], dialect: &Dialect) -> usize {
    let mut borders = csv::Borders::new(dialect, 0, vec![data.len() as u64]);
    borders.feed(data);
    borders.finish().len()
}

/// Events of a web shop: five numbers, a timestamp, a flag, and seven texts, two of the columns with nulls.
fn events(rows: usize) -> String {
    const TYPES: [&str; 8] =
        ["view", "click", "scroll", "search", "purchase", "refund", "login", "heartbeat"];
    const COUNTRIES: [&str; 8] = ["DE", "US", "FR", "GB", "JP", "BR", "IN", "CN"];
    const MAILS: [&str; 3] = ["mail", "corp", "web"];
    const SYSTEMS: [&str; 5] = ["ios", "android", "windows", "linux", "macos"];
    const WORDS: [&str; 8] =
        ["quick", "brown", "fox", "requests", "carefully", "deposits", "furiously", "ideas"];
    let mut random = ChaCha8Rng::seed_from_u64(42);
    let mut text = String::with_capacity(rows * 180);
    text += "event_id,user_id,session,ts,type,country,email,price,quantity,url,note,device_os,device_ver,device_mobile\n";
    for event in 0..rows {
        // Most users are few: the smaller the number, the more often it comes.
        let user = (1.0 / random.random_range(1e-6..1.0_f64)).powf(1.4) as u64;
        let millis = event * 5 + random.random_range(0..5000);
        let (day, hour, minute) = (millis / 86_400_000, millis / 3_600_000 % 24, millis / 60_000 % 60);
        let (month, day) = (1 + day / 28 % 12, 1 + day % 28);
        let mut pick = |from: &[&'static str]| from[random.random_range(0..from.len())];
        let (kind, country, mail, os) = (pick(&TYPES), pick(&COUNTRIES), pick(&MAILS), pick(&SYSTEMS));
        let note = [(); 5].map(|()| pick(&WORDS)).join(" ");
        let note = if random.random_bool(0.5) { &*note } else { "" };
        let price = match random.random_bool(0.9) {
            true => format!("{}.{}", random.random_range(0..200), random.random_range(0..100)),
            false => String::new(),
        };
        let (session, reference): (u64, u32) = (random.random(), random.random());
        let (quantity, product) = (random.random_range(1..20), random.random_range(0..200_000));
        let (version, mobile) = (random.random_range(1..20), random.random_bool(0.5));
        writeln!(
            text,
            "{event},{user},{session:016x},2024-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}.{:03}Z,{kind},{country},\
             user{user}@{mail}.example.com,{price},{quantity},https://shop.example.com/p/{product}?ref={reference:08x},\
             {note},{os},{version},{mobile}",
            millis / 1000 % 60,
            millis % 1000
        )
        .unwrap();
    }
    text
}
