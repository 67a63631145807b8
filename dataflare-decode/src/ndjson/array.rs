//! Finds the elements of one big JSON array while its bytes come in.

use std::ops::Range;

use super::decoder::BOM;
use super::fault::quoted;
use super::scan::{BLOCK, marks, structure};
use crate::DecodeError;

/// Whole elements of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elements {
    /// Where they stand in the buffer, with the commas between them: a piece for
    /// [`Decoder::decode_elements`](super::Decoder::decode_elements). Empty where none is whole yet.
    ///
    /// The buffer of the next call begins at its end.
    pub range: Range<usize>,
    /// Whether the array has ended.
    pub done: bool,
}

/// Finds the elements of one JSON array, `[ {..}, {..} ]`, that comes in pieces.
///
/// Each call of [`split`](Self::split) gets a buffer that begins where the range of the call before
/// ended and holds more than was left of it then. So a caller keeps one element at most, and no byte is
/// looked at twice. The splitter minds brackets, strings and the commas between elements; what stands in
/// an element is for the decoder to judge. An input that ends while `done` is false was cut.
#[derive(Debug, Default)]
pub struct ArraySplitter {
    state: State,
    element: Element,
    /// Where the element stands that was not whole, in the buffer of the next call.
    start: usize,
    /// Bytes of that buffer that were looked at.
    scanned: usize,
}

/// What comes next.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Array,
    FirstElement,
    Element,
    Inside,
    Comma,
    Nothing,
}

impl ArraySplitter {
    /// A splitter that expects the start of an array.
    pub fn new() -> Self {
        Self::default()
    }

    /// The elements that are whole in `buf`.
    ///
    /// # Errors
    ///
    /// Where the input is no array, its elements are not separated by commas, or something follows its
    /// end. The offset is that in `buf`.
    pub fn split(&mut self, buf: &[u8]) -> Result<Elements, DecodeError> {
        let mut range: Option<Range<usize>> = None;
        if self.state == State::Array && BOM.starts_with(&buf[..buf.len().min(BOM.len())]) {
            self.scanned = BOM.len();
        }
        while self.scanned < buf.len() {
            if self.state == State::Inside {
                let Some(end) = self.element.end(buf, &mut self.scanned) else { break };
                range = Some(range.map_or(self.start, |range| range.start)..end);
                self.state = State::Comma;
                continue;
            }
            let byte = buf[self.scanned];
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                self.state = self.after(byte).ok_or_else(|| self.unexpected(buf))?;
                if self.state == State::Inside {
                    self.start = self.scanned;
                    self.element = Element::of(byte);
                }
            }
            self.scanned += 1;
        }
        Ok(self.hand_out(range, buf.len()))
    }

    /// What comes after `byte`; `None` where it should not have come.
    fn after(&self, byte: u8) -> Option<State> {
        Some(match (self.state, byte) {
            (State::Array, b'[') => State::FirstElement,
            (State::Comma, b',') => State::Element,
            (State::FirstElement | State::Comma, b']') => State::Nothing,
            (State::Array | State::Comma | State::Nothing, _) => return None,
            (State::FirstElement | State::Element, b',' | b']') => return None,
            (State::FirstElement | State::Element | State::Inside, _) => State::Inside,
        })
    }

    fn unexpected(&self, buf: &[u8]) -> DecodeError {
        let expected = match self.state {
            State::Array => "`[`, which begins an array",
            State::Comma => "`,` or `]` after an element",
            State::Nothing => "nothing after the array",
            State::FirstElement | State::Element | State::Inside => "an element",
        };
        let found = quoted(&buf[self.scanned..buf.len().min(self.scanned + 20)]);
        DecodeError { offset: self.scanned, message: format!("expected {expected}, found `{found}`") }
    }

    fn hand_out(&mut self, range: Option<Range<usize>>, len: usize) -> Elements {
        let seen = if self.state == State::Inside { self.start } else { self.scanned.min(len) };
        let range = range.unwrap_or(seen..seen);
        self.scanned -= range.end;
        self.start = self.start.saturating_sub(range.end);
        Elements { range, done: self.state == State::Nothing }
    }
}

/// How far into an element the scan is.
#[derive(Debug, Default)]
struct Element {
    /// Objects and arrays entered.
    depth: usize,
    in_string: bool,
    /// Whether it is a number or a literal, which the byte after it ends.
    bare: bool,
}

impl Element {
    /// The element that begins with `byte`, which has been passed.
    fn of(byte: u8) -> Self {
        let depth = usize::from(matches!(byte, b'{' | b'['));
        let in_string = byte == b'"';
        Self { depth, in_string, bare: depth == 0 && !in_string }
    }

    /// The position after the element, looking on from `at`, which is moved there; `None` where the
    /// buffer ends first.
    fn end(&mut self, buf: &[u8], at: &mut usize) -> Option<usize> {
        if self.bare {
            let rest = &buf[*at..];
            let len = rest.iter().position(|byte| matches!(byte, b',' | b']' | b' ' | b'\t' | b'\n' | b'\r'));
            *at += len.unwrap_or(rest.len());
            return len.map(|_| *at);
        }
        while *at < buf.len() {
            if self.in_string {
                self.pass_string(buf, at);
            } else {
                self.pass_structure(buf, at);
            }
            if self.depth == 0 && !self.in_string {
                return Some(*at);
            }
        }
        None
    }

    /// Moves past the end of the string, or to the end of the buffer.
    fn pass_string(&mut self, buf: &[u8], at: &mut usize) {
        while *at < buf.len() {
            if let Some(block) = buf[*at..].first_chunk::<BLOCK>() {
                let marks = marks(block);
                *at += marks.first_stop();
                if marks.stops == 0 {
                    continue;
                }
            }
            match buf[*at] {
                b'"' => {
                    self.in_string = false;
                    *at += 1;
                    return;
                }
                // What is escaped may be yet to come.
                b'\\' => *at += 2,
                _ => *at += 1,
            }
        }
    }

    /// Moves past the next quote, bracket or brace, or to the end of the buffer.
    fn pass_structure(&mut self, buf: &[u8], at: &mut usize) {
        while let Some(block) = buf[*at..].first_chunk::<BLOCK>() {
            let first = structure(block).trailing_zeros() as usize;
            *at += first;
            if first < BLOCK {
                break;
            }
        }
        while let Some(byte) = buf.get(*at) {
            *at += 1;
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth -= 1,
                _ => continue,
            }
            return;
        }
    }
}

/// The length of the element that `buf` begins with and of the comma after it; `None` where no other
/// element follows.
pub(super) fn element_len(buf: &[u8]) -> Option<usize> {
    let mut at = 1;
    let end = Element::of(*buf.first()?).end(buf, &mut at)?;
    let comma = buf[end..].iter().position(|byte| *byte == b',')?;
    Some(end + comma + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The elements of an array that comes in pieces of `piece` bytes.
    fn elements(array: &[u8], piece: usize) -> Result<(Vec<String>, bool), DecodeError> {
        let (mut splitter, mut buf, mut found, mut done) =
            (ArraySplitter::new(), Vec::new(), Vec::new(), false);
        for bytes in array.chunks(piece) {
            buf.extend_from_slice(bytes);
            let elements = splitter.split(&buf)?;
            let text = String::from_utf8_lossy(&buf[elements.range.clone()]).into_owned();
            found.extend((!text.is_empty()).then_some(text));
            done = elements.done;
            buf.drain(..elements.range.end);
        }
        Ok((found, done))
    }

    const ARRAY: &str = "\u{feff} [ {\"a\":\"]},{\\\"\"} ,{\"long\":\"a string of more than a block of bytes \\\\\",\
                         \"b\":[[1,2],{\"c\":{}}]}\n,\t1.5e3, \"x\\\"y\" ,null , [ ] ,{}] \r\n";

    #[test]
    fn elements_are_found_whatever_pieces_they_come_in() {
        let expected = [
            "{\"a\":\"]},{\\\"\"}",
            "{\"long\":\"a string of more than a block of bytes \\\\\",\"b\":[[1,2],{\"c\":{}}]}",
            "1.5e3",
            "\"x\\\"y\"",
            "null",
            "[ ]",
            "{}",
        ];
        assert_eq!(elements(ARRAY.as_bytes(), 1).unwrap(), (expected.map(String::from).to_vec(), true));
        for piece in 1..=ARRAY.len() {
            let (found, done) = elements(ARRAY.as_bytes(), piece).unwrap();
            let (found, expected) = (found.join(","), expected.join(","));
            let bare = |text: &str| text.replace([' ', '\n', '\t'], "");
            assert_eq!((bare(&found), done), (bare(&expected), true), "pieces of {piece}");
        }
    }

    #[test]
    fn an_array_that_is_cut_is_never_done() {
        let array = ARRAY.trim_end();
        for len in 0..array.len() {
            let done = elements(&array.as_bytes()[..len], 7).map(|(_, done)| done);
            assert_eq!(done, Ok(false), "{len}");
        }
        assert_eq!(elements(b"[]", 1).unwrap(), (vec![], true));
    }

    #[test]
    fn what_stands_between_elements_must_be_right() {
        let cases = [
            ("{}", 0),
            ("[,1]", 1),
            ("[1,]", 3),
            ("[{} {}]", 4),
            ("[1 2]", 3),
            ("[1]]", 3),
            ("[[]}", 3),
            ("x", 0),
        ];
        for (array, offset) in cases {
            let error = ArraySplitter::new().split(array.as_bytes()).unwrap_err();
            assert_eq!(error.offset, offset, "{array}: {error}");
        }
    }

    #[test]
    fn the_length_of_an_element_ends_after_its_comma() {
        assert_eq!(element_len(b"{\"a\":[1,2]} , {}"), Some(13));
        assert_eq!(element_len(b"nul , {}"), Some(5));
        assert_eq!(element_len(b"{}"), None);
        assert_eq!(element_len(b"{\"a\": , {}"), None);
    }
}
