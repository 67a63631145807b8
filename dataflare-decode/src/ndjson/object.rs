//! The fields of a record or of a nested object.

use arrow::array::ArrayRef;
use arrow::error::ArrowError;

use super::column::Column;
use super::fault::Step;
use super::input::Input;
use super::keys::{Keys, START};
use super::skip;

/// The columns that objects of one kind are read into.
pub(super) struct Object {
    columns: Vec<Column>,
    keys: Keys,
    /// The objects and arrays around what the fields hold.
    depth: usize,
    rows: usize,
}

impl Object {
    pub(super) fn new(columns: Vec<Column>, depth: usize) -> Self {
        let keys = Keys::new(columns.iter().map(|column| column.name().to_owned()));
        Self { columns, keys, depth, rows: 0 }
    }

    /// The objects so far.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Appends the object whose opening brace stands at `at`; the position after it.
    ///
    /// A field that nobody reads is skipped; one that comes twice counts the last time.
    pub(super) fn read(&mut self, input: &Input<'_>, start: usize) -> Step {
        let mut at = input.space(start + 1);
        let mut last = START;
        let mut found = 0;
        if input.byte(at) != b'}' {
            loop {
                let key = self.keys.read(input, at, last)?;
                last = key.last;
                at = input.space(key.end);
                at = match key.column {
                    None => skip::value(input, at, self.depth)?,
                    Some(column) => {
                        let column = &mut self.columns[column];
                        if column.rows() == self.rows {
                            found += 1;
                        } else {
                            column.truncate(self.rows);
                        }
                        match column.read(input, at) {
                            Ok(end) => end,
                            Err(stop) => return Err(stop.within(column.name())),
                        }
                    }
                };
                at = input.space(at);
                match input.byte(at) {
                    b',' => at = input.space(at + 1),
                    b'}' => break,
                    _ => return Err(input.unexpected(at, "`,` or `}`")),
                }
            }
        }
        if found < self.columns.len() {
            let missing = self.columns.iter_mut().filter(|column| column.rows() == self.rows);
            for column in missing {
                column.push_missing(start)?;
            }
        }
        self.rows += 1;
        Ok(at + 1)
    }

    /// Appends a null in each column.
    pub(super) fn push_null(&mut self) {
        self.columns.iter_mut().for_each(Column::push_null);
        self.rows += 1;
    }

    /// Forgets all but the first `rows`, and any unfinished row.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
        self.rows = rows;
    }

    pub(super) fn reserve(&mut self) {
        self.columns.iter_mut().for_each(Column::reserve);
    }

    /// The arrays of all rows, in the order of the columns; starts anew.
    pub(super) fn finish(&mut self) -> Result<Vec<ArrayRef>, ArrowError> {
        self.rows = 0;
        self.columns.iter_mut().map(Column::finish).collect()
    }
}
