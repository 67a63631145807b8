//! Which column a key belongs to, guessed from what followed the last key before.
//!
//! The objects of one input nearly always have the same keys in the same order, written alike. So a key
//! is compared with the one that followed its forerunner last time, in one go with its quotes and colon,
//! and looked up only where it is another.

use std::collections::HashMap;

use super::fault::Stop;
use super::input::Input;
use super::text;

/// The most spellings remembered for one kind of object; any further are looked up each time.
const KEYS_MAX: usize = 4096;
/// The longest spelling remembered, in bytes.
const KEY_BYTES_MAX: usize = 256;
/// The bytes of a key that are compared at once.
const HEAD: usize = 16;

/// The key before the first of an object.
pub(super) const START: usize = 0;

/// A spelling of a key that was seen, from its opening quote to its colon.
#[derive(Debug)]
struct Key {
    /// The first bytes of the spelling, and which of them count.
    head: u128,
    mask: u128,
    spelling: Box<[u8]>,
    column: Option<usize>,
    /// The keys that followed this one last.
    next: [usize; 2],
}

/// A key of an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// The column it belongs to, where anybody reads it.
    pub(super) column: Option<usize>,
    /// What to guess the next key from.
    pub(super) last: usize,
    /// The position after the colon.
    pub(super) end: usize,
}

/// The keys of one kind of object.
#[derive(Debug)]
pub(super) struct Keys {
    keys: Vec<Key>,
    spellings: HashMap<Box<[u8]>, usize>,
    columns: HashMap<String, usize>,
    /// Where a key with escapes is spelt out.
    unescaped: Vec<u8>,
}

impl Keys {
    pub(super) fn new(columns: impl Iterator<Item = String>) -> Self {
        let columns = columns.enumerate().map(|(n, name)| (name, n)).collect();
        // No input has the bytes of the key that stands for the start.
        let start = Key::new(&[0xff; HEAD], None);
        Self { keys: vec![start], spellings: HashMap::new(), columns, unescaped: Vec::new() }
    }

    /// The key at `at`, which comes after the key `last`.
    #[inline(always)]
    pub(super) fn read(&mut self, input: &Input<'_>, at: usize, last: usize) -> Result<Found, Stop> {
        for last in self.keys[last].next {
            let key = &self.keys[last];
            if key.stands_at(input, at) {
                return Ok(Found { column: key.column, last, end: at + key.spelling.len() });
            }
        }
        self.look_up(input, at, last)
    }

    #[inline(never)]
    fn look_up(&mut self, input: &Input<'_>, at: usize, last: usize) -> Result<Found, Stop> {
        if input.byte(at) != b'"' {
            return Err(input.unexpected(at, "a key in quotes"));
        }
        let text = text::scan(input, at + 1)?;
        let colon = input.space(text.end + 1);
        if input.byte(colon) != b':' {
            return Err(input.unexpected(colon, "`:`"));
        }
        let end = colon + 1;
        let spelling = &input.bytes[at..end];
        let known = self.spellings.get(spelling).copied();
        let known = known.or_else(|| self.remember(spelling, self.keys.len()));
        Ok(match known {
            Some(key) => {
                let before = &mut self.keys[last];
                before.next = [key, before.next[0]];
                Found { column: self.keys[key].column, last: key, end }
            }
            None => Found { column: self.column(&input.bytes[at + 1..text.end]), last, end },
        })
    }

    /// Keeps a new spelling, where there is room.
    fn remember(&mut self, spelling: &[u8], place: usize) -> Option<usize> {
        if place >= KEYS_MAX || spelling.len() > KEY_BYTES_MAX {
            return None;
        }
        let quote = memchr::memrchr(b'"', spelling).expect("a key has a closing quote");
        let column = self.column(&spelling[1..quote]);
        self.keys.push(Key::new(spelling, column));
        self.spellings.insert(spelling.into(), place);
        Some(place)
    }

    /// The column of the key whose text between the quotes is `text`.
    fn column(&mut self, text: &[u8]) -> Option<usize> {
        self.unescaped.clear();
        text::unescape(text, &mut self.unescaped);
        let name = std::str::from_utf8(&self.unescaped).ok()?;
        self.columns.get(name).copied()
    }
}

impl Key {
    fn new(spelling: &[u8], column: Option<usize>) -> Self {
        let counted = spelling.len().min(HEAD);
        let (mut head, mut mask) = ([0; HEAD], [0; HEAD]);
        head[..counted].copy_from_slice(&spelling[..counted]);
        mask[..counted].fill(0xff);
        let (head, mask) = (u128::from_le_bytes(head), u128::from_le_bytes(mask));
        Self { head, mask, spelling: spelling.into(), column, next: [START; 2] }
    }

    #[inline(always)]
    fn stands_at(&self, input: &Input<'_>, at: usize) -> bool {
        match input.chunk::<HEAD>(at) {
            Some(head) if u128::from_le_bytes(*head) & self.mask != self.head => false,
            Some(_) if self.spelling.len() <= HEAD => true,
            _ => input.bytes.get(at..).is_some_and(|rest| rest.starts_with(&self.spelling)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(keys: &mut Keys, object: &str) -> Vec<Option<usize>> {
        let input = Input { bytes: object.as_bytes(), multiline: false };
        let (mut at, mut last, mut columns) = (0, START, Vec::new());
        while at < object.len() {
            let found = keys.read(&input, at, last).unwrap();
            columns.push(found.column);
            (at, last) = (found.end, found.last);
        }
        columns
    }

    #[test]
    fn keys_are_found_in_any_order_and_spelling_and_again_when_guessed() {
        let long = "a column whose name is longer than the bytes that are compared at once";
        let mut keys = Keys::new(["id", "é", long].into_iter().map(String::from));
        let objects = [
            (format!(r#""id":"é":"{long}":"#), vec![Some(0), Some(1), Some(2)]),
            (format!(r#""other":"{long}":"id":"#), vec![None, Some(2), Some(0)]),
            (r#""\u0069d" :"\u00e9":"id":"#.to_owned(), vec![Some(0), Some(1), Some(0)]),
            (format!(r#""{long}!":"é!":"i":"#), vec![None, None, None]),
        ];
        for _ in 0..3 {
            for (object, expected) in &objects {
                assert_eq!(&columns(&mut keys, object), expected);
            }
        }
    }

    #[test]
    fn memory_for_keys_is_bounded_and_those_beyond_it_are_still_found() {
        let mut keys = Keys::new(["id".to_owned()].into_iter());
        for n in 0..2 * KEYS_MAX {
            assert_eq!(columns(&mut keys, &format!("\"k{n}\":")), [None]);
        }
        assert_eq!(keys.keys.len(), KEYS_MAX);
        assert_eq!(columns(&mut keys, "\"id\":\"k1\":\"id\":"), [Some(0), None, Some(0)]);
    }
}
