//! The decoder: records in, record batches out.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::FilterBuilder;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use super::cell::{Rules, Text};
use super::column::{Column, column};
use super::dialect::Dialect;
use super::fault::{Faults, excerpt};
use super::index::{Index, Record, Row, Span};
use super::scan::Scanner;
use crate::{DecodeError, Decoded, Limits, OnMismatch, Rejected};

/// How much text is looked at in one go: little enough to stay in the second-level cache while one
/// column after another is read from it.
const STRETCH_BYTES: usize = 128 << 10;

/// Offsets of text are 32 bits wide, with a sign in Arrow's arrays.
const RECORD_BYTES_MAX: usize = i32::MAX as usize;

/// Decodes the records of one file, batch by batch.
///
/// `new` once -> `decode` many: each call takes the records at the start of its buffer, and what it
/// has allocated serves the next call.
pub struct Decoder {
    schema: SchemaRef,
    /// For each column of the schema, the field that feeds it.
    columns: Vec<(usize, Box<dyn Column>)>,
    /// The fields of a record.
    width: usize,
    rules: Rules,
    comment: Option<u8>,
    on_mismatch: OnMismatch,
    scanner: Scanner,
    index: Index,
    rows: Vec<Row>,
    spans: Vec<Span>,
}

/// What a call has decoded so far.
#[derive(Default)]
struct Progress {
    consumed: usize,
    /// Rows in the columns, with those that are to be left out.
    rows: usize,
    /// The rows among them that are to be left out.
    left_out: Vec<usize>,
    rejected: Vec<Rejected>,
}

/// Text that starts at a record border and that the index knows.
struct Stretch {
    /// Where it ends.
    end: usize,
    /// The rows that may be taken from it.
    room: usize,
}

impl Decoder {
    /// A decoder of the columns in `schema`, which are found by name among the fields of the file.
    /// `header` names all of these, in their order.
    pub fn new(
        schema: SchemaRef,
        header: &[String],
        dialect: &Dialect,
        on_mismatch: OnMismatch,
    ) -> Result<Self, DecodeError> {
        dialect.check()?;
        let places: HashMap<&str, usize> = header.iter().map(String::as_str).zip(0..).collect();
        let refused = |message| DecodeError { offset: 0, message };
        let columns = schema.fields().iter().map(|field| {
            let name = excerpt(field.name().as_bytes());
            let place = *places.get(field.name().as_str()).ok_or_else(|| {
                let fields: Vec<_> = header.iter().take(20).map(|name| excerpt(name.as_bytes())).collect();
                let more = if header.len() > fields.len() { ", ..." } else { "" };
                refused(format!("column `{name}` is not in the file, which has {}{more}", fields.join(", ")))
            })?;
            let column = column(field).ok_or_else(|| {
                refused(format!("column `{name}`: {} cannot be read from CSV", field.data_type()))
            })?;
            Ok((place, column))
        });
        Ok(Self {
            columns: columns.collect::<Result<_, DecodeError>>()?,
            schema,
            width: header.len(),
            rules: Rules::new(dialect),
            comment: dialect.comment,
            on_mismatch,
            scanner: Scanner::new(dialect),
            index: Index::default(),
            rows: Vec::new(),
            spans: Vec::new(),
        })
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Decodes records from the start of `buf`, which is a record border, up to the limits. The end of
    /// `buf` ends the last record.
    ///
    /// Under [`OnMismatch::Null`] the fields that a record is short of are null; a record with too many
    /// is an error all the same, as nothing says which of them to drop. A quote that is open at the end
    /// of `buf` is always an error, once the records before it have been handed out.
    pub fn decode(&mut self, buf: &[u8], limits: Limits) -> Result<Decoded, DecodeError> {
        let mut progress = Progress::default();
        let outcome = self.fill(buf, limits, &mut progress);
        self.index.shrink();
        if outcome.is_err() {
            self.columns.iter_mut().for_each(|(_, column)| column.clear());
        }
        outcome.map(|()| self.finish(progress))
    }

    fn fill(&mut self, buf: &[u8], limits: Limits, progress: &mut Progress) -> Result<(), DecodeError> {
        let stop = limits.bytes.clamp(1, RECORD_BYTES_MAX).min(buf.len());
        while progress.consumed < stop && progress.rows < limits.rows.max(1) {
            let room = limits.rows.max(1) - progress.rows;
            let Some(stretch) = self.next_stretch(buf, stop, room, progress)? else { break };
            self.append(&buf[progress.consumed..stretch.end], stretch.room, progress)?;
        }
        Ok(())
    }

    /// Scans as much text as gives at least one record; `None` where the next one does not end by `stop`.
    fn next_stretch(
        &mut self,
        buf: &[u8],
        stop: usize,
        room: usize,
        progress: &Progress,
    ) -> Result<Option<Stretch>, DecodeError> {
        let start = progress.consumed;
        let mut end = stop.min(start + STRETCH_BYTES);
        loop {
            let is_last = end == buf.len();
            let scanned = self.index.scan(&mut self.scanner, &buf[start..end], is_last);
            if scanned.complete > 0 {
                let room = if end > stop { 1 } else { room };
                return Ok(Some(Stretch { end: start + scanned.complete, room }));
            }
            if start > 0 && (is_last || end >= stop) {
                return Ok(None);
            }
            if let Some(quote) = scanned.open_quote {
                let message = "the quote that opens here is not closed before the end of the input".into();
                return Err(DecodeError { offset: start + quote, message });
            }
            if end - start >= RECORD_BYTES_MAX {
                let message = "the record that starts here is longer than 2 GiB".into();
                return Err(DecodeError { offset: start, message });
            }
            let longer = start + ((end - start) * 2).min(RECORD_BYTES_MAX);
            end = if end < stop { longer.min(stop) } else { longer.min(buf.len()) };
        }
    }

    /// Appends up to `room` records of `bytes`, which the index knows, to the columns.
    fn append(&mut self, bytes: &[u8], room: usize, progress: &mut Progress) -> Result<(), DecodeError> {
        let offset = progress.consumed;
        let mut faults = Faults::new(self.on_mismatch);
        let ragged = self.take_rows(bytes, room, progress, &mut faults);

        let text = Text { bytes, offset, rules: &self.rules };
        for (place, column) in &mut self.columns {
            let rows = &self.rows[..faults.rows(self.rows.len())];
            self.index.column(rows, *place, ragged, &mut self.spans);
            column.append(&text, &self.spans, &mut faults);
        }
        for (row, error) in faults.into_rejected()? {
            let range = self.index.range(self.rows[row]);
            progress.rejected.push(Rejected { range: offset + range.start..offset + range.end, error });
            progress.left_out.push(progress.rows + row);
        }
        progress.rows += self.rows.len();
        Ok(())
    }

    /// Takes up to `room` records, and deals with those that have another number of fields than the
    /// file. Says whether some that were taken have too few.
    fn take_rows(&mut self, bytes: &[u8], room: usize, progress: &mut Progress, faults: &mut Faults) -> bool {
        let (offset, width) = (progress.consumed, self.width);
        let mut ragged = false;
        progress.consumed = offset + bytes.len();
        self.rows.clear();
        self.index.rows(bytes, self.comment, |Record { row, range, next }| {
            let fields = row.fields as usize;
            if fields != width {
                let range = offset + range.start..offset + range.end;
                let error = wrong_width(range.start, width, fields);
                match self.on_mismatch {
                    OnMismatch::Null if fields < width => ragged = true,
                    OnMismatch::Reject => {
                        progress.rejected.push(Rejected { range, error: error.message });
                        return ControlFlow::Continue(());
                    }
                    OnMismatch::Error | OnMismatch::Null => {
                        faults.stop(self.rows.len(), error);
                        return ControlFlow::Break(());
                    }
                }
            }
            self.rows.push(row);
            if self.rows.len() < room {
                return ControlFlow::Continue(());
            }
            progress.consumed = offset + next;
            ControlFlow::Break(())
        });
        ragged
    }

    fn finish(&mut self, mut progress: Progress) -> Decoded {
        let mut arrays: Vec<ArrayRef> = self.columns.iter_mut().map(|(_, column)| column.finish()).collect();
        let mut rows = progress.rows;
        if !progress.left_out.is_empty() {
            let mut keep = vec![true; rows];
            progress.left_out.iter().for_each(|&row| keep[row] = false);
            rows -= progress.left_out.len();
            let filter = FilterBuilder::new(&BooleanArray::from(keep)).optimize().build();
            let filtered =
                arrays.iter().map(|array| filter.filter(array).expect("all columns have these rows"));
            arrays = filtered.collect();
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .expect("each column is built for its field, and refuses nulls where that does");
        progress.rejected.sort_by_key(|rejected| rejected.range.start);
        Decoded { batch, consumed: progress.consumed, rejected: progress.rejected }
    }
}

#[cold]
fn wrong_width(offset: usize, expected: usize, found: usize) -> DecodeError {
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let message = format!("the record has {found} field{}, expected {expected}", plural(found));
    DecodeError { offset, message }
}
