//! One column on its way to an Arrow array: nulls, mismatches, and the values of its type.

use arrow::array::ArrayRef;
use arrow::buffer::NullBuffer;
use arrow::datatypes::Field;
use arrow::error::ArrowError;

use super::fault::{Step, Stop, quoted};
use super::input::{Input, VALUE};
use super::nulls::Nulls;
use super::skip;
use crate::OnMismatch;

/// The values of one type.
pub(super) trait Values: Send {
    /// Appends the value at `at`, which is not `null`; the position after it. Appends nothing where it
    /// stops with [`Stop::MISMATCH`].
    fn read(&mut self, input: &Input<'_>, at: usize) -> Step;
    /// Appends what stands in the place of a value.
    fn push_null(&mut self);
    /// Forgets all but the first `rows` and whatever an unfinished row has left behind.
    fn truncate(&mut self, rows: usize);
    /// Takes memory for as much as the last array held.
    fn reserve(&mut self);
    /// The array of all rows; starts anew.
    fn finish(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError>;
}

/// A column of a schema or a part of one.
pub(super) struct Column {
    field: Field,
    on_mismatch: OnMismatch,
    /// The objects and arrays around its values.
    depth: usize,
    rows: usize,
    nulls: Nulls,
    values: Box<dyn Values>,
}

impl Column {
    pub(super) fn new(field: &Field, values: Box<dyn Values>, on_mismatch: OnMismatch, depth: usize) -> Self {
        Self { field: field.clone(), on_mismatch, depth, rows: 0, nulls: Nulls::default(), values }
    }

    pub(super) fn name(&self) -> &str {
        self.field.name()
    }

    /// The rows so far.
    #[inline(always)]
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Appends the value at `at`, or what the policy makes of it; the position after it.
    #[inline(always)]
    pub(super) fn read(&mut self, input: &Input<'_>, at: usize) -> Step {
        if input.byte(at) == b'n' {
            return self.read_null(input, at);
        }
        match self.values.read(input, at) {
            Ok(end) => {
                self.nulls.push_valid();
                self.rows += 1;
                Ok(end)
            }
            Err(stop) if stop.is_mismatch() => self.mismatch(input, at),
            Err(stop) => Err(stop),
        }
    }

    fn read_null(&mut self, input: &Input<'_>, at: usize) -> Step {
        if input.chunk(at) != Some(b"null") {
            return Err(input.unexpected(at, VALUE));
        }
        if !self.field.is_nullable() {
            return Err(Stop::at(at, "null, and the column is not nullable"));
        }
        self.push_null();
        Ok(at + 4)
    }

    #[cold]
    fn mismatch(&mut self, input: &Input<'_>, at: usize) -> Step {
        // What is malformed is no value at all, whatever the policy for values.
        let end = skip::value(input, at, self.depth)?;
        if self.on_mismatch == OnMismatch::Null && self.field.is_nullable() {
            self.push_null();
            return Ok(end);
        }
        let data_type = self.field.data_type();
        let message = format!("`{}` does not fit {data_type}", quoted(&input.bytes[at..end]));
        Err(Stop::at(at, message))
    }

    /// Appends a null because the object that begins at `at` has no such field.
    pub(super) fn push_missing(&mut self, at: usize) -> Result<(), Stop> {
        if !self.field.is_nullable() {
            return Err(Stop::at(at, "missing, and the column is not nullable").within(self.name()));
        }
        self.push_null();
        Ok(())
    }

    /// Appends a null because what the column is part of is null.
    pub(super) fn push_null(&mut self) {
        self.values.push_null();
        self.nulls.push_null(self.rows);
        self.rows += 1;
    }

    /// Forgets all but the first `rows`.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.nulls.truncate(rows);
        self.rows = rows;
    }

    pub(super) fn reserve(&mut self) {
        self.values.reserve();
    }

    /// The array of all rows; starts anew.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        self.rows = 0;
        self.values.finish(self.nulls.take())
    }
}
