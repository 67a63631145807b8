//! Columns of structs, lists and maps.

use std::sync::Arc;

use arrow::array::{ArrayRef, GenericListArray, MapArray, OffsetSizeTrait, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, FieldRef, Fields};
use arrow::error::ArrowError;

use super::column::{Column, Values};
use super::fault::{Step, Stop};
use super::input::Input;
use super::object::Object;

/// A column of objects, of which the fields of the schema are read.
pub(super) struct Struct {
    fields: Fields,
    object: Object,
}

impl Struct {
    pub(super) fn new(fields: &Fields, object: Object) -> Box<Self> {
        Box::new(Self { fields: fields.clone(), object })
    }
}

impl Values for Struct {
    fn read(&mut self, input: &Input<'_>, at: usize) -> Step {
        match input.byte(at) {
            b'{' => self.object.read(input, at),
            _ => Err(Stop::MISMATCH),
        }
    }

    fn push_null(&mut self) {
        self.object.push_null();
    }

    fn truncate(&mut self, rows: usize) {
        self.object.truncate(rows);
    }

    fn reserve(&mut self) {
        self.object.reserve();
    }

    fn finish(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
        let rows = self.object.rows();
        let arrays = self.object.finish()?;
        Ok(Arc::new(StructArray::try_new_with_length(self.fields.clone(), arrays, nulls, rows)?))
    }
}

/// Where the items of each row end.
struct Ends<O> {
    ends: Vec<O>,
    last: usize,
}

impl<O: OffsetSizeTrait> Ends<O> {
    fn new() -> Self {
        Self { ends: vec![O::zero()], last: 0 }
    }

    fn push(&mut self, items: usize) {
        self.ends.push(O::usize_as(items));
    }

    /// The number of items in the first `rows`, which are all that is kept.
    fn truncate(&mut self, rows: usize) -> usize {
        self.ends.truncate(rows + 1);
        self.ends[rows].as_usize()
    }

    fn take(&mut self) -> OffsetBuffer<O> {
        self.last = self.ends.len();
        OffsetBuffer::new(std::mem::replace(&mut self.ends, vec![O::zero()]).into())
    }
}

/// A column of arrays.
pub(super) struct List<O> {
    field: FieldRef,
    ends: Ends<O>,
    items: Column,
}

impl<O: OffsetSizeTrait> List<O> {
    pub(super) fn new(field: &FieldRef, items: Column) -> Box<Self> {
        Box::new(Self { field: field.clone(), ends: Ends::new(), items })
    }
}

impl<O: OffsetSizeTrait> Values for List<O> {
    fn read(&mut self, input: &Input<'_>, at: usize) -> Step {
        if input.byte(at) != b'[' {
            return Err(Stop::MISMATCH);
        }
        let end = elements(input, at, b']', |at| self.items.read(input, at))?;
        self.push_null();
        Ok(end)
    }

    fn push_null(&mut self) {
        self.ends.push(self.items.rows());
    }

    fn truncate(&mut self, rows: usize) {
        let items = self.ends.truncate(rows);
        self.items.truncate(items);
    }

    fn reserve(&mut self) {
        self.ends.ends.reserve(self.ends.last);
        self.items.reserve();
    }

    fn finish(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
        let items = self.items.finish()?;
        Ok(Arc::new(GenericListArray::try_new(self.field.clone(), self.ends.take(), items, nulls)?))
    }
}

/// A column of objects whose keys are values too; a key that comes twice stands there twice.
pub(super) struct Map {
    entries: FieldRef,
    sorted: bool,
    ends: Ends<i32>,
    keys: Column,
    values: Column,
}

impl Map {
    pub(super) fn new(entries: &FieldRef, sorted: bool, [keys, values]: [Column; 2]) -> Box<Self> {
        Box::new(Self { entries: entries.clone(), sorted, ends: Ends::new(), keys, values })
    }

    /// Appends the entry whose key stands at `at`; the position after its value.
    fn entry(&mut self, input: &Input<'_>, at: usize) -> Step {
        if input.byte(at) != b'"' {
            return Err(input.unexpected(at, "a key in quotes"));
        }
        let colon = input.space(self.keys.read(input, at)?);
        if input.byte(colon) != b':' {
            return Err(input.unexpected(colon, "`:`"));
        }
        self.values.read(input, input.space(colon + 1))
    }
}

impl Values for Map {
    fn read(&mut self, input: &Input<'_>, at: usize) -> Step {
        if input.byte(at) != b'{' {
            return Err(Stop::MISMATCH);
        }
        let end = elements(input, at, b'}', |at| self.entry(input, at))?;
        self.push_null();
        Ok(end)
    }

    fn push_null(&mut self) {
        self.ends.push(self.values.rows());
    }

    fn truncate(&mut self, rows: usize) {
        let entries = self.ends.truncate(rows);
        self.keys.truncate(entries);
        self.values.truncate(entries);
    }

    fn reserve(&mut self) {
        self.ends.ends.reserve(self.ends.last);
        self.keys.reserve();
        self.values.reserve();
    }

    fn finish(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
        let arrays = vec![self.keys.finish()?, self.values.finish()?];
        let fields = match self.entries.data_type() {
            DataType::Struct(fields) => fields.clone(),
            other => unreachable!("the plan refuses maps whose entries are {other}"),
        };
        let entries = StructArray::try_new(fields, arrays, None)?;
        let ends = self.ends.take();
        Ok(Arc::new(MapArray::try_new(self.entries.clone(), ends, entries, nulls, self.sorted)?))
    }
}

/// Calls `read` for each of the comma-separated elements after the bracket at `at`, up to `close`; the
/// position after that.
fn elements(input: &Input<'_>, at: usize, close: u8, mut read: impl FnMut(usize) -> Step) -> Step {
    let mut at = input.space(at + 1);
    if input.byte(at) == close {
        return Ok(at + 1);
    }
    loop {
        at = input.space(read(at)?);
        match input.byte(at) {
            b',' => at = input.space(at + 1),
            byte if byte == close => return Ok(at + 1),
            _ => return Err(input.unexpected(at, &format!("`,` or `{}`", char::from(close)))),
        }
    }
}
