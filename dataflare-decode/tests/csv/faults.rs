//! Input that does not fit: what is said, where it points, and what becomes of the rest.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use dataflare_decode::csv::{Decoder, Dialect};
use dataflare_decode::{DecodeError, Decoded, Limits, OnMismatch, Rejected};
use proptest::prelude::*;

use super::{NO_LIMITS, decode, names, schema_of, text_decoder};

fn decode_id_name(text: &[u8], on_mismatch: OnMismatch) -> Result<Decoded, DecodeError> {
    let schema =
        Schema::new(vec![Field::new("id", DataType::Int64, false), Field::new("name", DataType::Utf8, true)]);
    let header = ["id".to_owned(), "name".to_owned()];
    Decoder::new(Arc::new(schema), &header, &Dialect::default(), on_mismatch)?.decode(text, NO_LIMITS)
}

fn error(text: &[u8]) -> (usize, String) {
    let error = decode_id_name(text, OnMismatch::Error).unwrap_err();
    (error.offset, error.message)
}

#[test]
fn errors_name_the_column_the_value_and_the_place() {
    for (text, offset, message) in [
        (&b"1,a\nx,b\n"[..], 4, "column `id`: `x` is no Int64"),
        (b"1,a\n,b\n", 4, "column `id`: the value is null but the column is not nullable"),
        (b"1,a\n2\n", 4, "the record has 1 field, expected 2"),
        (b"1,a\r\n2,b,c\r\n", 5, "the record has 3 fields, expected 2"),
        (b"1,a\n2,\"b\n3,c", 6, "the quote that opens here is not closed before the end of the input"),
        (b"1,\"a\"b\n", 2, "column `name`: `\"a\"b` is no field: text follows its closing quote"),
        (b"1,a\n2,b\xffc\n", 7, "column `name`: `b\u{fffd}c` is not valid UTF-8"),
        (b"1,a\n2,\"b\xff\"\n", 8, "column `name`: `\"b\u{fffd}\"` is not valid UTF-8"),
    ] {
        // The open quote is told once the record before it is out.
        let found = match decode_id_name(text, OnMismatch::Error) {
            Ok(decoded) => error(&text[decoded.consumed..]),
            Err(error) => (error.offset, error.message),
        };
        let before = if text.contains(&b'3') { 4 } else { 0 };
        assert_eq!(found, (offset - before, message.to_owned()), "{}", text.escape_ascii());
    }
}

#[test]
fn an_open_quote_leaves_the_records_before_it() {
    let decoded = decode_id_name(b"1,a\n2,\"b\n3,c", OnMismatch::Error).unwrap();
    assert_eq!((decoded.batch.num_rows(), decoded.consumed), (1, 4));
}

#[test]
fn characters_cut_at_field_borders_are_not_valid_although_they_are_joined() {
    // The last byte of one value and the first of the next would make one character.
    assert_eq!(error(b"1,a\xc3\n2,\xa9b\n"), (3, "column `name`: `a\u{fffd}` is not valid UTF-8".to_owned()));
}

#[test]
fn the_first_error_in_the_file_is_told_whatever_its_column() {
    assert_eq!(error(b"1,a\n2,\xff\nx,c\n4\n").0, 6);
    assert_eq!(error(b"1,a\n2\nx,c\n").0, 4);
    assert_eq!(error(b"x,\xff\n2\n").0, 0);
}

#[test]
fn a_long_value_is_quoted_by_its_first_80_characters() {
    let value = "y".repeat(1000);
    let (_, message) = error(format!("{value},a\n").as_bytes());
    assert_eq!(message, format!("column `id`: `{}…` is no Int64", "y".repeat(80)));
}

#[test]
fn under_null_values_and_missing_fields_become_null() {
    let types = [DataType::Int64, DataType::Utf8];
    let batch = decode(b"1,a\nx,\xff\n3\n", &types, OnMismatch::Null).unwrap();
    assert_eq!(**batch.column(0), Int64Array::from(vec![Some(1), None, Some(3)]));
    assert_eq!(**batch.column(1), StringArray::from(vec![Some("a"), None, None]));
    let error = decode(b"1,a\n2,b,c\n", &types, OnMismatch::Null).unwrap_err();
    assert_eq!(error.message, "the record has 3 fields, expected 2");
    let error = decode_id_name(b"1,a\nx,b\n", OnMismatch::Null).unwrap_err();
    assert_eq!(error.message, "column `id`: `x` is no Int64");
}

#[test]
fn under_reject_records_are_left_out_whole_and_handed_back() {
    let text = b"1,a\r\nx,\xff\r\n\n3\r\n4,d\r\n,e\r\n6,\"f\"g\r\n7,\"h\nh\"";
    let decoded = decode_id_name(text, OnMismatch::Reject).unwrap();
    assert_eq!(decoded.consumed, text.len());
    assert_eq!(decoded.batch.column(0).as_primitive::<Int64Type>().values(), &[1, 4, 7]);
    assert_eq!(**decoded.batch.column(1), StringArray::from(vec!["a", "d", "h\nh"]));
    assert_eq!(decoded.batch.column(0).null_count(), 0);
    let rejected: Vec<(&[u8], &str)> = decoded
        .rejected
        .iter()
        .map(|Rejected { range, error }| (&text[range.clone()], error.as_str()))
        .collect();
    let expected: [(&[u8], &str); 4] = [
        (b"x,\xff", "column `id`: `x` is no Int64"),
        (b"3", "the record has 1 field, expected 2"),
        (b",e", "column `id`: the value is null but the column is not nullable"),
        (b"6,\"f\"g", "column `name`: `\"f\"g` is no field: text follows its closing quote"),
    ];
    assert_eq!(rejected, expected);
}

#[test]
fn a_decoder_goes_on_after_an_error() {
    let mut decoder = text_decoder(2, &Dialect::default(), OnMismatch::Error);
    decoder.decode(b"a,b\nc\n", NO_LIMITS).unwrap_err();
    decoder.decode(b"a,\xff\n", NO_LIMITS).unwrap_err();
    let decoded = decoder.decode(b"c,d\n", NO_LIMITS).unwrap();
    assert_eq!(super::rows(&decoded.batch), [["c", "d"]]);
}

#[test]
fn columns_that_are_not_wanted_are_not_looked_into() {
    let header = names(3);
    let schema = schema_of(&[("column_3", DataType::Int64), ("column_1", DataType::Utf8)]);
    let mut decoder = Decoder::new(schema, &header, &Dialect::default(), OnMismatch::Error).unwrap();
    let decoded = decoder.decode(b"a,\xff\"\",1\nb,\"x\"y,2\n", NO_LIMITS).unwrap();
    assert_eq!(decoded.batch.column(0).as_primitive::<Int64Type>().values(), &[1, 2]);
    assert_eq!(**decoded.batch.column(1), StringArray::from(vec!["a", "b"]));
}

#[test]
fn without_any_column_rows_are_still_counted() {
    let mut decoder =
        Decoder::new(schema_of(&[]), &names(2), &Dialect::default(), OnMismatch::Reject).unwrap();
    let decoded = decoder.decode(b"a,b\nc\nd,e\n", NO_LIMITS).unwrap();
    assert_eq!((decoded.batch.num_rows(), decoded.rejected.len()), (2, 1));
}

#[test]
fn limits_end_a_batch_at_a_record_border() {
    let mut decoder = text_decoder(1, &Dialect::default(), OnMismatch::Error);
    let text = b"aaaa\nbb\n\ncc\n";
    let mut decode = |rows, bytes| {
        let decoded = decoder.decode(text, Limits { rows, bytes }).unwrap();
        (decoded.batch.num_rows(), decoded.consumed)
    };
    assert_eq!(decode(1, 99), (1, 5));
    assert_eq!(decode(99, 8), (2, 8));
    assert_eq!(decode(99, 11), (2, 9));
    assert_eq!(decode(99, 2), (1, 5), "one record whatever its size");
    assert_eq!(decode(0, 0), (1, 5));
    assert_eq!(decode(99, 99), (3, 12));
}

#[test]
fn a_column_that_the_file_lacks_or_cannot_hold_is_refused() {
    let new = |schema| {
        Decoder::new(schema, &names(2), &Dialect::default(), OnMismatch::Error).err().unwrap().message
    };
    assert_eq!(
        new(schema_of(&[("id", DataType::Int64)])),
        "column `id` is not in the file, which has column_1, column_2"
    );
    assert_eq!(
        new(schema_of(&[("column_1", DataType::Duration(arrow::datatypes::TimeUnit::Second))])),
        "column `column_1`: Duration(s) cannot be read from CSV"
    );
}

/// A few hundred records of every kind of field.
fn mixed(rows: usize) -> Vec<u8> {
    let row = |i: usize| {
        format!(
            "{i},{}.5,\"a,\"\"{i}\"\"\",2024-01-{:02}T00:00:{:02}.123Z,true,ü{i}\r\n",
            i * 7,
            i % 28 + 1,
            i % 60
        )
    };
    (0..rows).map(row).collect::<String>().into_bytes()
}

proptest! {
    #[test]
    fn flipped_bytes_never_panic_and_errors_point_into_the_buffer(
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<proptest::sample::Index>(),
        policy in prop_oneof![Just(OnMismatch::Error), Just(OnMismatch::Null), Just(OnMismatch::Reject)],
        special: bool,
    ) {
        let mut text = mixed(60);
        for (at, byte) in flips {
            let at = at.index(text.len());
            text[at] = if special { b"\",\n\r\\#\xff"[byte as usize % 7] } else { byte };
        }
        text.truncate(cut.index(text.len()));
        let unit = arrow::datatypes::TimeUnit::Millisecond;
        let types = [DataType::Int64, DataType::Float64, DataType::Utf8, DataType::Timestamp(unit, None), DataType::Boolean, DataType::Utf8View];
        let header = names(types.len());
        let fields: Vec<_> = header.iter().map(String::as_str).zip(types).collect();
        let dialect = Dialect { escape: Some(b'\\'), comment: Some(b'#'), ..Dialect::default() };
        let mut decoder = Decoder::new(schema_of(&fields), &header, &dialect, policy).unwrap();
        let mut rest = &text[..];
        while !rest.is_empty() {
            match decoder.decode(rest, Limits { rows: 25, bytes: 2000 }) {
                Ok(decoded) => {
                    prop_assert!(decoded.consumed > 0 && decoded.consumed <= rest.len());
                    for rejected in decoded.rejected {
                        prop_assert!(rejected.range.start < rejected.range.end && rejected.range.end <= decoded.consumed);
                    }
                    rest = &rest[decoded.consumed..];
                }
                Err(error) => {
                    prop_assert!(error.offset <= rest.len(), "{}", error.offset);
                    break;
                }
            }
        }
    }
}
