//! Hive folders: the values of some columns become folder names.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{SortColumn, lexsort_to_indices, partition, take_record_batch};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use dataflare_core::{Error, Result};

use crate::staging::Partition;

/// The folder of rows whose value is null, as Hive names it.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// Refuses partition columns that are not there, nested, or all there are.
pub(super) fn accept(schema: &SchemaRef, columns: &[String]) -> Result<()> {
    for name in columns {
        let Ok(field) = schema.field_with_name(name) else {
            let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            let error = Error::config(format!("there is no column `{name}` to partition by"));
            return Err(error.help(format!("the columns are {}", names.join(", "))));
        };
        if field.data_type().is_nested() {
            let message = format!("column `{name}` is {}, which cannot be a folder name", field.data_type());
            return Err(Error::config(message).help("partition by a text, a number or a date"));
        }
    }
    if !columns.is_empty() && columns.len() >= schema.fields().len() {
        return Err(Error::config("every column is one to partition by, so that the files would have none"));
    }
    Ok(())
}

/// The schema of the files.
pub(super) fn without(schema: &SchemaRef, columns: &[String]) -> SchemaRef {
    if columns.is_empty() {
        return schema.clone();
    }
    let kept = schema.fields().iter().filter(|field| !columns.contains(field.name())).cloned();
    Arc::new(Schema::new(kept.collect::<Vec<_>>()))
}

/// What splits batches, where there are columns to split by.
pub(super) fn splitter(columns: &[String]) -> Option<Partition> {
    if columns.is_empty() {
        return None;
    }
    let columns = columns.to_vec();
    Some(Box::new(move |records| split(records, &columns)))
}

fn split(records: &RecordBatch, columns: &[String]) -> Result<Vec<(String, RecordBatch)>> {
    let fail = |cause| Error::permanent("cannot split a batch into partitions").caused_by(cause);
    let keys: Vec<ArrayRef> =
        columns.iter().filter_map(|name| records.column_by_name(name).cloned()).collect();
    let sort: Vec<_> = keys.iter().map(|key| SortColumn { values: key.clone(), options: None }).collect();
    let order: UInt32Array = lexsort_to_indices(&sort, None).map_err(fail)?;
    let sorted = take_record_batch(records, &order).map_err(fail)?;
    let keys: Vec<ArrayRef> =
        columns.iter().filter_map(|name| sorted.column_by_name(name).cloned()).collect();
    let kept: Vec<usize> = (0..sorted.num_columns())
        .filter(|index| !columns.contains(sorted.schema().field(*index).name()))
        .collect();
    let bare = sorted.project(&kept).map_err(fail)?;
    let options = FormatOptions::default();
    let formatters = keys.iter().map(|key| ArrayFormatter::try_new(key.as_ref(), &options));
    let formatters = formatters.collect::<std::result::Result<Vec<_>, _>>().map_err(fail)?;
    let ranges = partition(&keys).map_err(fail)?.ranges();
    let part = |range: std::ops::Range<usize>| {
        let folders = columns.iter().zip(&keys).zip(&formatters).map(|((name, key), formatter)| {
            let value = if key.is_null(range.start) {
                NULL.to_owned()
            } else {
                encode(&formatter.value(range.start).to_string())
            };
            format!("{}={value}", encode(name))
        });
        (folders.collect::<Vec<_>>().join("/"), bare.slice(range.start, range.end - range.start))
    };
    Ok(ranges.into_iter().map(part).collect())
}

/// A value as a folder name: what file systems or Hive read otherwise is percent-encoded.
fn encode(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_. +,@".contains(&byte) || byte >= 0x80;
    if value.is_empty() {
        return NULL.to_owned();
    }
    if value.bytes().all(plain) && value != "." && value != ".." {
        return value.to_owned();
    }
    let mut encoded = Vec::new();
    for byte in value.bytes() {
        if plain(byte) && byte != b'.' {
            encoded.push(byte);
        } else {
            encoded.extend(format!("%{byte:02X}").bytes());
        }
    }
    String::from_utf8_lossy(&encoded).into_owned()
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};

    use super::*;

    #[test]
    fn rows_go_to_the_folder_of_their_value() {
        let countries: ArrayRef =
            Arc::new(StringArray::from(vec![Some("DE"), None, Some("a/b"), Some("DE")]));
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3, 4]));
        let records =
            RecordBatch::try_from_iter_with_nullable([("c", countries, true), ("id", ids, false)]).unwrap();
        let parts = split(&records, &["c".to_owned()]).unwrap();
        let shape: Vec<_> = parts.iter().map(|(name, part)| (name.as_str(), part.num_rows())).collect();
        assert_eq!(shape, [("c=__HIVE_DEFAULT_PARTITION__", 1), ("c=DE", 2), ("c=a%2Fb", 1)]);
        assert_eq!(parts[0].1.schema().fields().len(), 1);
        assert_eq!(encode(".."), "%2E%2E");
    }
}
