//! Columns of text and of bytes.

use std::sync::Arc;

use arrow::array::types::ByteArrayType;
use arrow::array::{ArrayRef, GenericByteArray, StringViewArray, make_view};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::ArrowNativeType;
use arrow::error::ArrowError;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::column::Values;
use super::fault::{Step, Stop};
use super::input::Input;
use super::scan::BLOCK;
use super::{scan, skip, text};

/// What `of` makes of the string at `at`, and the position after it; a mismatch where there is no string
/// or `of` has no use for it.
#[inline(always)]
pub(super) fn with_text<T>(
    input: &Input<'_>,
    at: usize,
    of: impl Fn(&[u8]) -> Option<T>,
) -> Result<(T, usize), Stop> {
    if input.byte(at) != b'"' {
        return Err(Stop::MISMATCH);
    }
    if let Some(end) = text::short(input, at + 1) {
        let value = of(&input.bytes[at + 1..end]);
        return Ok((value.ok_or(Stop::MISMATCH)?, end + 1));
    }
    let found = text::scan(input, at + 1)?;
    let text = &input.bytes[at + 1..found.end];
    let value = if found.escaped {
        let mut unescaped = Vec::with_capacity(text.len());
        text::unescape(text, &mut unescaped);
        of(&unescaped)
    } else {
        of(text)
    };
    Ok((value.ok_or(Stop::MISMATCH)?, found.end + 1))
}

/// Reads values of bytes.
pub(super) trait ReadBytes: Send {
    /// Appends the value at `at` to `out`, or nothing where it stops with [`Stop::MISMATCH`].
    fn read(&self, input: &Input<'_>, at: usize, out: &mut Vec<u8>) -> Step;
}

/// Text: what a string says, and the JSON text of any other value.
pub(super) struct JsonText {
    /// The objects and arrays around the values.
    pub(super) depth: usize,
}

impl ReadBytes for JsonText {
    #[inline(always)]
    fn read(&self, input: &Input<'_>, at: usize, out: &mut Vec<u8>) -> Step {
        if input.byte(at) == b'"'
            && let Some(block) = input.block(at + 1)
        {
            let marks = scan::marks(block);
            let stop = marks.first_stop();
            if stop < BLOCK && block[stop] == b'"' && marks.plain() {
                // A whole block is copied faster than just the right number of bytes.
                let len = out.len() + stop;
                out.extend_from_slice(block);
                out.truncate(len);
                return Ok(at + 1 + stop + 1);
            }
        }
        self.read_any(input, at, out)
    }
}

impl JsonText {
    #[inline(never)]
    fn read_any(&self, input: &Input<'_>, at: usize, out: &mut Vec<u8>) -> Step {
        if input.byte(at) != b'"' {
            let end = skip::value(input, at, self.depth)?;
            out.extend_from_slice(&input.bytes[at..end]);
            return Ok(end);
        }
        let found = text::scan(input, at + 1)?;
        let text = &input.bytes[at + 1..found.end];
        if found.escaped {
            text::unescape(text, out);
        } else {
            out.extend_from_slice(text);
        }
        Ok(found.end + 1)
    }
}

/// Bytes as strings in base64 (RFC 4648, the standard alphabet, padded or not).
pub(super) struct Base64;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl ReadBytes for Base64 {
    fn read(&self, input: &Input<'_>, at: usize, out: &mut Vec<u8>) -> Step {
        let (bytes, end) = with_text(input, at, |text| BASE64.decode(text).ok())?;
        out.extend_from_slice(&bytes);
        Ok(end)
    }
}

/// A column of values of any size, told apart by offsets.
pub(super) struct Variable<T: ByteArrayType, R> {
    offsets: Vec<T::Offset>,
    bytes: Vec<u8>,
    read: R,
    /// Values and bytes in the last array.
    last: (usize, usize),
}

impl<T: ByteArrayType, R> Variable<T, R> {
    pub(super) fn new(read: R) -> Box<Self> {
        Box::new(Self { offsets: vec![T::Offset::default()], bytes: Vec::new(), read, last: (0, 0) })
    }
}

impl<T: ByteArrayType, R: ReadBytes> Values for Variable<T, R> {
    fn read(&mut self, input: &Input<'_>, at: usize) -> Step {
        let end = self.read.read(input, at, &mut self.bytes)?;
        self.push_null();
        Ok(end)
    }

    fn push_null(&mut self) {
        self.offsets.push(T::Offset::usize_as(self.bytes.len()));
    }

    fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows + 1);
        self.bytes.truncate(self.offsets[rows].as_usize());
    }

    fn reserve(&mut self) {
        self.offsets.reserve(self.last.0);
        self.bytes.reserve(self.last.1 + BLOCK);
    }

    fn finish(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
        self.last = (self.offsets.len(), self.bytes.len());
        let offsets = std::mem::replace(&mut self.offsets, vec![T::Offset::default()]);
        let bytes = Buffer::from_vec(std::mem::take(&mut self.bytes));
        let array = GenericByteArray::<T>::try_new(OffsetBuffer::new(offsets.into()), bytes, nulls)?;
        Ok(Arc::new(array))
    }
}

/// A column of text whose short values stand in the views themselves.
pub(super) struct Views {
    views: Vec<u128>,
    /// The values that are too long for a view; those of rows taken back stay where they are.
    bytes: Vec<u8>,
    read: JsonText,
    /// Values and bytes in the last array.
    last: (usize, usize),
}

impl Views {
    /// The longest value that a view holds itself.
    const INLINE_MAX: usize = 12;

    pub(super) fn new(read: JsonText) -> Box<Self> {
        Box::new(Self { views: Vec::new(), bytes: Vec::new(), read, last: (0, 0) })
    }
}

impl Values for Views {
    fn read(&mut self, input: &Input<'_>, at: usize) -> Step {
        let start = self.bytes.len();
        let end = self.read.read(input, at, &mut self.bytes)?;
        let value = &self.bytes[start..];
        let offset = u32::try_from(start).expect("a batch has less than 2 GiB");
        self.views.push(make_view(value, 0, offset));
        if value.len() <= Self::INLINE_MAX {
            self.bytes.truncate(start);
        }
        Ok(end)
    }

    fn push_null(&mut self) {
        self.views.push(0);
    }

    fn truncate(&mut self, rows: usize) {
        self.views.truncate(rows);
    }

    fn reserve(&mut self) {
        self.views.reserve(self.last.0);
        self.bytes.reserve(self.last.1 + BLOCK);
    }

    fn finish(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
        self.last = (self.views.len(), self.bytes.len());
        let views = std::mem::take(&mut self.views);
        let bytes = Buffer::from_vec(std::mem::take(&mut self.bytes));
        Ok(Arc::new(StringViewArray::try_new(views.into(), vec![bytes], nulls)?))
    }
}
