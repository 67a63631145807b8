//! Tables written by the `csv` crate come back as they were; texts it can read are read the same.

use csv::{QuoteStyle, Terminator, WriterBuilder};
use dataflare_decode::csv::{Borders, Decoder, Dialect, complete, infer};
use dataflare_decode::{Limits, OnMismatch};
use proptest::prelude::*;

use super::{NO_LIMITS, rows, text_decoder};

type Table = Vec<Vec<String>>;

fn tables() -> impl Strategy<Value = Table> {
    let cell = prop_oneof![
        4 => "[a-z0-9 ]{0,8}",
        4 => "[ab,;\t\"'\r\nü€#]{0,12}",
        1 => "(?s).{0,20}",
        1 => "[a\"\n]{50,150}",
    ];
    (1usize..6).prop_flat_map(move |width| {
        let row = proptest::collection::vec(cell.clone(), width);
        proptest::collection::vec(row, 0..12)
    })
}

/// How the writer may write, and the dialect that reads it.
fn styles() -> impl Strategy<Value = (WriterBuilder, Dialect)> {
    let quotes =
        prop_oneof![Just(QuoteStyle::Necessary), Just(QuoteStyle::Always), Just(QuoteStyle::NonNumeric)];
    let delimiter = prop_oneof![Just(b','), Just(b';'), Just(b'\t')];
    let quote = prop_oneof![Just(b'"'), Just(b'\'')];
    let line_end = prop_oneof![Just(Terminator::CRLF), Just(Terminator::Any(b'\n'))];
    (quotes, delimiter, quote, line_end).prop_map(|(quotes, delimiter, quote, line_end)| {
        let mut writer = WriterBuilder::new();
        writer.quote_style(quotes).delimiter(delimiter).quote(quote).terminator(line_end).flexible(true);
        (writer, Dialect { delimiter, quote: Some(quote), ..Dialect::default() })
    })
}

fn written(table: &Table, writer: &WriterBuilder) -> Vec<u8> {
    let mut writer = writer.from_writer(Vec::new());
    table.iter().for_each(|row| writer.write_record(row).unwrap());
    writer.into_inner().unwrap()
}

/// Decodes `text` as it comes in, piece by piece, with a bound on the rows of a batch.
fn in_pieces(
    decoder: &mut Decoder,
    dialect: &Dialect,
    text: &[u8],
    pieces: &[usize],
    rows_max: usize,
) -> Table {
    let limits = Limits { rows: rows_max, ..NO_LIMITS };
    let (mut table, mut start, mut end) = (Table::new(), 0, 0);
    for &piece in pieces.iter().chain([&text.len()]) {
        end = (end + piece).min(text.len());
        let is_last = end == text.len();
        let mut buf = &text[start..end];
        if !is_last {
            buf = &buf[..complete(buf, dialect)];
        }
        start += buf.len();
        while !buf.is_empty() {
            let decoded = decoder.decode(buf, limits).unwrap();
            assert!(decoded.consumed > 0 && decoded.batch.num_rows() <= rows_max);
            table.extend(rows(&decoded.batch));
            buf = &buf[decoded.consumed..];
        }
    }
    table
}

proptest! {
    #[test]
    fn a_table_comes_back_however_it_is_written_and_cut(
        table in tables(),
        (writer, dialect) in styles(),
        pieces in proptest::collection::vec(0usize..200, 0..8),
        rows_max in 1usize..9,
        last_line_end: bool,
    ) {
        let mut text = written(&table, &writer);
        let ends_in_line_end = text.ends_with(b"\n") && !text.ends_with(b"\r\n");
        if !last_line_end && ends_in_line_end && table.last().is_some_and(|row| row.len() > 1) {
            text.pop();
        }
        let width = table.first().map_or(1, Vec::len);
        let mut decoder = text_decoder(width, &dialect, OnMismatch::Error);
        prop_assert_eq!(in_pieces(&mut decoder, &dialect, &text, &pieces, rows_max), table);
    }

    #[test]
    fn escaped_quotes_come_back(table in proptest::collection::vec(proptest::collection::vec("[a,\"\n]{0,80}", 3), 0..9)) {
        let mut writer = WriterBuilder::new();
        writer.double_quote(false).escape(b'\\');
        let dialect = Dialect { escape: Some(b'\\'), ..Dialect::default() };
        let text = written(&table, &writer);
        let mut decoder = text_decoder(3, &dialect, OnMismatch::Error);
        prop_assert_eq!(in_pieces(&mut decoder, &dialect, &text, &[7, 70], 100), table);
    }

    #[test]
    fn parts_cut_at_borders_are_the_whole(
        table in tables(),
        wanted in proptest::collection::vec(0u64..400, 0..5),
    ) {
        let text = written(&table, &WriterBuilder::new());
        let dialect = Dialect::default();
        let mut borders = Borders::new(&dialect, 0, wanted);
        borders.feed(&text);
        let mut decoder = text_decoder(table.first().map_or(1, Vec::len), &dialect, OnMismatch::Error);
        let (mut found, mut start) = (Table::new(), 0);
        for end in borders.finish().into_iter().map(|end| end as usize).chain([text.len()]) {
            found.extend(in_pieces(&mut decoder, &dialect, &text[start..end], &[], 100));
            start = end;
        }
        prop_assert_eq!(found, table);
    }

    #[test]
    fn any_text_without_a_fault_means_what_the_csv_crate_says(
        text in "(([ab]{0,3}|[ab]\"[ab]?|\"([ab,\n]|\"\"){0,40}\")(,|\n|\r\n)){0,30}(a|\"b\")?",
        width in 1usize..4,
    ) {
        let mut decoder = text_decoder(width, &Dialect::default(), OnMismatch::Reject);
        let decoded = decoder.decode(text.as_bytes(), NO_LIMITS).unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let expected: Table = reader
            .records()
            .map(|record| record.unwrap().iter().map(str::to_owned).collect())
            .filter(|row: &Vec<String>| row.len() == width)
            .collect();
        prop_assert_eq!(rows(&decoded.batch), expected);
    }

    #[test]
    fn what_is_inferred_from_a_file_decodes_it(
        values in proptest::collection::vec(prop_oneof![
            Just(String::new()),
            any::<i64>().prop_map(|value| value.to_string()),
            (-1000i64..1000).prop_map(|value| value.to_string()),
            any::<f64>().prop_map(|value| value.to_string()),
            any::<bool>().prop_map(|value| value.to_string()),
            "[0-9]{4}-(0[1-9]|1[0-2])-[0-3][0-9]",
            "(1[0-9]|20|99)[0-9]{2}-0[1-9]-[0-2][0-9][ T][01][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|\\+0[0-9]:30)?",
            "[0-9e.:+-]{1,12}",
        ], 1..4),
    ) {
        let text: String = values.iter().map(|value| format!("{value},\n")).collect();
        let schema = infer(text.as_bytes(), &Dialect::default(), false, usize::MAX).unwrap();
        let header: Vec<_> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let mut decoder = Decoder::new(schema.into(), &header, &Dialect::default(), OnMismatch::Error).unwrap();
        let batch = decoder.decode(text.as_bytes(), NO_LIMITS).unwrap().batch;
        prop_assert_eq!(batch.num_rows(), values.len());
        prop_assert_eq!(batch.column(0).null_count(), values.iter().filter(|value| value.is_empty()).count());
    }
}
