//! Every type, in every form in which it is understood.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, Float32Array,
    Float64Array, Int8Array, LargeStringArray, StringArray, StringViewArray, Time64MicrosecondArray,
    Time64NanosecondArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, TimeUnit, i256};
use dataflare_decode::OnMismatch;

use super::decode;

/// The column that the fields decode to; what cannot be decoded is null.
fn column(data_type: DataType, fields: &[&str]) -> ArrayRef {
    // The second field keeps a line with an empty first one from being an empty line.
    let text: String = fields.iter().map(|field| format!("{field},\n")).collect();
    let batch = decode(text.as_bytes(), &[data_type.clone(), DataType::Utf8], OnMismatch::Null).unwrap();
    assert_eq!(batch.column(0).data_type(), &data_type);
    Arc::clone(batch.column(0))
}

#[test]
fn integers_fit_their_width_or_are_refused() {
    let found = column(
        DataType::Int8,
        &["0", "-128", "+127", "128", "-129", " 7 ", "\"8\"", "1.0", "", "\"\"", "007"],
    );
    let expected = [Some(0), Some(-128), Some(127), None, None, Some(7), Some(8), None, None, None, Some(7)];
    assert_eq!(*found, Int8Array::from(expected.to_vec()));
    let found = column(DataType::UInt64, &["18446744073709551615", "18446744073709551616", "-1", "-0"]);
    assert_eq!(*found, UInt64Array::from(vec![Some(u64::MAX), None, None, Some(0)]));
}

#[test]
fn every_integer_type_takes_its_bounds() {
    for (data_type, least, most) in [
        (DataType::Int8, "-128", "127"),
        (DataType::Int16, "-32768", "32767"),
        (DataType::Int32, "-2147483648", "2147483647"),
        (DataType::Int64, "-9223372036854775808", "9223372036854775807"),
        (DataType::UInt8, "0", "255"),
        (DataType::UInt16, "0", "65535"),
        (DataType::UInt32, "0", "4294967295"),
        (DataType::UInt64, "0", "18446744073709551615"),
    ] {
        let found = column(data_type, &[least, most, &format!("{most}0")]);
        let text = arrow::compute::cast(&found, &DataType::Utf8).unwrap();
        assert_eq!(*text, StringArray::from(vec![Some(least), Some(most), None]));
    }
}

#[test]
fn floats_are_the_nearest() {
    let found = column(DataType::Float64, &["0.1", "-2.5e-3", "inf", "1.", "x", "123456789.123456789"]);
    let expected =
        [Some(0.1), Some(-0.0025), Some(f64::INFINITY), Some(1.0), None, Some(123_456_789.123_456_79)];
    assert_eq!(*found, Float64Array::from(expected.to_vec()));
    // By way of a double this would be rounded twice, to 16777216.
    let found = column(DataType::Float32, &["16777217.0000000001", "0.1"]);
    assert_eq!(*found, Float32Array::from(vec![16_777_218.0, 0.1]));
}

#[test]
fn booleans_in_their_spellings() {
    let found =
        column(DataType::Boolean, &["true", "FALSE", "T", "no", "1", "0", "\"True\"", "on", "truer", ""]);
    let expected = [
        Some(true),
        Some(false),
        Some(true),
        Some(false),
        Some(true),
        Some(false),
        Some(true),
        None,
        None,
        None,
    ];
    assert_eq!(*found, BooleanArray::from(expected.to_vec()));
}

#[test]
fn decimals_are_exact() {
    let found = column(
        DataType::Decimal128(5, 2),
        &["1.5", "-999.99", "1000", "0.001", "1e2", "12345678901234567890"],
    );
    let expected = Decimal128Array::from(vec![Some(150), Some(-99_999), None, None, Some(10_000), None]);
    assert_eq!(*found, expected.with_precision_and_scale(5, 2).unwrap());

    let digits = "9".repeat(60);
    let found = column(DataType::Decimal256(70, 10), &[&digits, &format!("1{digits}"), "-0.5"]);
    let wide = i256::from_string(&(digits + &"0".repeat(10)));
    let expected = Decimal256Array::from(vec![wide, None, Some(i256::from_i128(-5_000_000_000))]);
    assert_eq!(*found, expected.with_precision_and_scale(70, 10).unwrap());
}

#[test]
fn dates_and_times() {
    let found = column(
        DataType::Date32,
        &["1970-01-02", "1969-12-31", "2024-02-30", "2024-01-01T00:00", "0000-03-01"],
    );
    assert_eq!(*found, Date32Array::from(vec![Some(1), Some(-1), None, None, Some(-719_468)]));
    let found = column(
        DataType::Time64(TimeUnit::Microsecond),
        &["00:00:01", "23:59", "00:00:00.000001", "00:00:00.0000001", "24:00"],
    );
    assert_eq!(
        *found,
        Time64MicrosecondArray::from(vec![Some(1_000_000), Some(86_340_000_000), Some(1), None, None])
    );
    let found = column(DataType::Time64(TimeUnit::Nanosecond), &["00:00:00.000000001", "00:00:00Z"]);
    assert_eq!(*found, Time64NanosecondArray::from(vec![Some(1), None]));
}

#[test]
fn timestamps_in_every_unit_lose_no_digit() {
    let fields = [
        "1970-01-01T00:00:01Z",
        "1970-01-01 00:00:01.500",
        "1970-01-01T01:00:00+01:00",
        "1970-01-02",
        "42",
        "-7",
        "1970-01-01 00:00:00.000000001",
    ];
    let of = |unit| column(DataType::Timestamp(unit, None), &fields);
    let day = 86_400;
    let seconds = vec![Some(1), None, Some(0), Some(day), Some(42), Some(-7), None];
    assert_eq!(*of(TimeUnit::Second), TimestampSecondArray::from(seconds));
    let millis = vec![Some(1_000), Some(1_500), Some(0), Some(day * 1_000), Some(42), Some(-7), None];
    assert_eq!(*of(TimeUnit::Millisecond), TimestampMillisecondArray::from(millis));
    let micros =
        vec![Some(1_000_000), Some(1_500_000), Some(0), Some(day * 1_000_000), Some(42), Some(-7), None];
    assert_eq!(*of(TimeUnit::Microsecond), TimestampMicrosecondArray::from(micros));
    let nanos = vec![
        Some(1_000_000_000),
        Some(1_500_000_000),
        Some(0),
        Some(day * 1_000_000_000),
        Some(42),
        Some(-7),
        Some(1),
    ];
    assert_eq!(*of(TimeUnit::Nanosecond), TimestampNanosecondArray::from(nanos));
}

#[test]
fn nanoseconds_end_in_2262_and_other_units_do_not() {
    let fields = [
        "2262-04-11 23:47:16.854775807",
        "2262-04-11 23:47:16.854775808",
        "1677-09-21 00:12:43.145224192",
        "9999-12-31",
    ];
    let found = column(DataType::Timestamp(TimeUnit::Nanosecond, None), &fields);
    assert_eq!(*found, TimestampNanosecondArray::from(vec![Some(i64::MAX), None, Some(i64::MIN), None]));
    let found = column(DataType::Timestamp(TimeUnit::Microsecond, None), &fields[3..]);
    assert!(found.is_valid(0));
}

#[test]
fn a_timestamp_without_a_zone_is_read_by_the_clock_of_its_column() {
    let fields = ["1970-01-01T12:00:00", "1970-01-01T12:00:00.250Z", "1970-01-01"];
    let of = |zone: &str| column(DataType::Timestamp(TimeUnit::Millisecond, Some(zone.into())), &fields);
    let noon = 43_200_000;
    let utc = TimestampMillisecondArray::from(vec![noon, noon + 250, 0]);
    assert_eq!(*of("UTC"), utc.with_timezone("UTC"));
    let east = TimestampMillisecondArray::from(vec![noon - 7_200_000, noon + 250, -7_200_000]);
    assert_eq!(*of("+02:00"), east.with_timezone("+02:00"));
    let unknown = TimestampMillisecondArray::from(vec![None, Some(noon + 250), None]);
    assert_eq!(*of("Atlantis/City"), unknown.with_timezone("Atlantis/City"));
}

#[test]
fn text_of_all_sizes_in_every_layout() {
    let long = "ü".repeat(100);
    let fields = ["", "\"\"", "short", "twelve bytes", "more than twelve bytes, in quotes", &long];
    let text: String = fields
        .iter()
        .map(|field| if field.contains(',') { format!("\"{field}\",\n") } else { format!("{field},\n") })
        .collect();
    let of = |data_type| {
        let batch = decode(text.as_bytes(), &[data_type, DataType::Utf8], OnMismatch::Error).unwrap();
        Arc::clone(batch.column(0))
    };
    let expected = vec![None, Some(""), Some(fields[2]), Some(fields[3]), Some(fields[4]), Some(&*long)];
    assert_eq!(*of(DataType::Utf8), StringArray::from(expected.clone()));
    assert_eq!(*of(DataType::LargeUtf8), LargeStringArray::from(expected.clone()));
    assert_eq!(*of(DataType::Utf8View), StringViewArray::from(expected.clone()));
    let bytes: Vec<_> = expected.iter().map(|value| value.map(str::as_bytes)).collect();
    assert_eq!(*of(DataType::Binary), BinaryArray::from(bytes));
}

#[test]
fn binary_takes_bytes_that_are_no_text() {
    let batch = decode(b"\xff\xfe,1\n", &[DataType::Binary, DataType::Int64], OnMismatch::Error).unwrap();
    assert_eq!(**batch.column(0), BinaryArray::from(vec![&b"\xff\xfe"[..]]));
}
