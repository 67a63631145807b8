//! Files of unusual proportions.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use dataflare_decode::csv::{Decoder, Dialect, complete, header};
use dataflare_decode::{Limits, OnMismatch};

use super::{NO_LIMITS, decode, schema_of, text_decoder};

#[test]
fn five_thousand_columns() {
    let row =
        |i: usize| (0..5000).map(|column| (column * i).to_string()).collect::<Vec<_>>().join(",") + "\n";
    let text: String = (0..50).map(row).collect();
    let batch = decode(text.as_bytes(), &vec![DataType::Int64; 5000], OnMismatch::Error).unwrap();
    assert_eq!(batch.num_rows(), 50);
    for column in [0, 1, 4999] {
        let expected: Vec<i64> = (0..50).map(|i| i * column).collect();
        assert_eq!(batch.column(column as usize).as_primitive::<Int64Type>().values(), &expected[..]);
    }
}

#[test]
fn a_field_of_64_mib_among_small_ones() {
    const MIB: usize = 1 << 20;
    let field = "line\nüber \"\"quotes\"\", ".repeat(64 * MIB / 20);
    let text = format!("1,a\n2,\"{field}\"\n3,c\n");
    assert!(field.len() >= 64 * MIB);
    assert_eq!(complete(text.as_bytes(), &Dialect::default()), text.len());

    let mut decoder = text_decoder(2, &Dialect::default(), OnMismatch::Error);
    let mut rest = text.as_bytes();
    let mut lengths = Vec::new();
    while !rest.is_empty() {
        let decoded = decoder.decode(rest, Limits { bytes: 4 * MIB, ..NO_LIMITS }).unwrap();
        let values = decoded.batch.column(1).as_string::<i32>();
        lengths.extend((0..values.len()).map(|i| values.value(i).len()));
        rest = &rest[decoded.consumed..];
    }
    assert_eq!(lengths, [1, field.replace("\"\"", "\"").len(), 1]);
}

#[test]
fn a_column_name_of_64_kib() {
    let name = "n".repeat(64 << 10);
    let text = format!("{name},b\n1,2\n");
    let names = header(text.as_bytes(), &Dialect::default()).unwrap();
    let schema = schema_of(&[(&name, DataType::Int64)]);
    let mut decoder = Decoder::new(schema, &names, &Dialect::default(), OnMismatch::Error).unwrap();
    assert_eq!(decoder.decode(b"1,2\n", NO_LIMITS).unwrap().batch.num_rows(), 1);
    let error = decoder.decode(b"x,2\n", NO_LIMITS).unwrap_err();
    assert_eq!(error.message, format!("column `{}…`: `x` is no Int64", "n".repeat(80)));
}

#[test]
fn records_run_on_across_many_stretches_of_text() {
    let text: String = (0..100_000).map(|i| format!("{i},\"value {i}\",\n")).collect();
    let types = [DataType::Int64, DataType::Utf8, DataType::Int64];
    let batch = decode(text.as_bytes(), &types, OnMismatch::Error).unwrap();
    assert!(batch.column(0).as_primitive::<Int64Type>().values().iter().copied().eq(0..100_000));
    let values = batch.column(1).as_string::<i32>();
    assert!((0..100_000).all(|i| values.value(i) == format!("value {i}")));
    assert_eq!(batch.column(2).null_count(), 100_000);
}

#[test]
fn nothing_at_all() {
    let mut decoder = text_decoder(2, &Dialect::default(), OnMismatch::Error);
    for text in ["", "\n", "\r\n\r\n"] {
        let decoded = decoder.decode(text.as_bytes(), NO_LIMITS).unwrap();
        assert_eq!((decoded.batch.num_rows(), decoded.consumed), (0, text.len()));
    }
}
