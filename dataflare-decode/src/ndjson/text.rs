//! JSON strings: where they end, whether they are right, what they say.

use super::fault::Stop;
use super::input::Input;
use super::scan::{BLOCK, marks};

/// A string that was found to be valid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    /// The position of the closing quote.
    pub(super) end: usize,
    /// Whether there are escapes to be undone.
    pub(super) escaped: bool,
}

/// The closing quote of a short ASCII string without escapes whose text starts at `from`. `None` says
/// nothing: [`scan`] knows.
#[inline(always)]
pub(super) fn short(input: &Input<'_>, from: usize) -> Option<usize> {
    let block = input.block(from)?;
    let marks = marks(block);
    let stop = marks.first_stop();
    (stop < BLOCK && block[stop] == b'"' && marks.plain()).then_some(from + stop)
}

/// Validates the string whose text starts at `from`, after the opening quote.
pub(super) fn scan(input: &Input<'_>, from: usize) -> Result<Text, Stop> {
    let mut at = from;
    let mut ascii = true;
    let mut escaped = false;
    loop {
        if let Some(block) = input.block(at) {
            let marks = marks(block);
            ascii &= marks.plain();
            at += marks.first_stop();
            if marks.stops == 0 {
                continue;
            }
        } else if !matches!(input.byte(at), b'"' | b'\\' | 0..0x20) {
            ascii &= input.byte(at).is_ascii();
            at += 1;
            continue;
        }
        match input.byte(at) {
            b'"' => break,
            b'\\' => {
                at = escape(input, at)?;
                escaped = true;
            }
            byte => return Err(not_in_a_string(input, from, at, byte)),
        }
    }
    if !ascii {
        valid_utf8(input, from, at)?;
    }
    Ok(Text { end: at, escaped })
}

#[cold]
fn not_in_a_string(input: &Input<'_>, from: usize, at: usize, byte: u8) -> Stop {
    if at >= input.bytes.len() {
        return Stop::at(from - 1, "the string that starts here has no end");
    }
    match byte {
        b'\n' if !input.multiline => Stop::at(at, "the line ends inside a string"),
        _ => Stop::at(at, format!("control character 0x{byte:02x} in a string; JSON wants it escaped")),
    }
}

fn valid_utf8(input: &Input<'_>, from: usize, end: usize) -> Result<(), Stop> {
    simdutf8::compat::from_utf8(&input.bytes[from..end])
        .map(|_| ())
        .map_err(|error| Stop::at(from + error.valid_up_to(), "invalid UTF-8 in a string"))
}

/// The position after the escape whose backslash stands at `at`.
fn escape(input: &Input<'_>, at: usize) -> Result<usize, Stop> {
    match input.byte(at + 1) {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(at + 2),
        b'u' => unicode_escape(input, at),
        _ if at + 1 >= input.bytes.len() => Err(input.unexpected(at + 1, "the rest of an escape")),
        _ => Err(Stop::at(
            at,
            "unknown escape in a string; JSON has \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX",
        )),
    }
}

fn unicode_escape(input: &Input<'_>, at: usize) -> Result<usize, Stop> {
    let unit = |at: usize| {
        input
            .chunk(at + 2)
            .and_then(code_unit)
            .ok_or_else(|| Stop::at(at, "\\u wants four hexadecimal digits after it"))
    };
    match unit(at)? {
        0xd800..0xdc00 if input.bytes[at + 6..].starts_with(b"\\u") => match unit(at + 6)? {
            0xdc00..0xe000 => Ok(at + 12),
            _ => Err(Stop::at(at, "half of a surrogate pair in a string")),
        },
        0xd800..0xe000 => Err(Stop::at(at, "half of a surrogate pair in a string")),
        _ => Ok(at + 6),
    }
}

fn code_unit(hex: &[u8; 4]) -> Option<u32> {
    hex.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
}

/// Appends what the text of a string that [`scan`] found valid says.
pub(super) fn unescape(mut text: &[u8], out: &mut Vec<u8>) {
    while let Some(plain) = memchr::memchr(b'\\', text) {
        out.extend_from_slice(&text[..plain]);
        let (byte, len) = match text[plain + 1] {
            b'b' => (0x08, 2),
            b'f' => (0x0c, 2),
            b'n' => (b'\n', 2),
            b'r' => (b'\r', 2),
            b't' => (b'\t', 2),
            b'u' => (0, unescape_unicode(&text[plain..], out)),
            same => (same, 2),
        };
        if len == 2 {
            out.push(byte);
        }
        text = &text[plain + len..];
    }
    out.extend_from_slice(text);
}

/// Appends the character of the `\u` escape or pair of escapes that `text` begins with; its length.
fn unescape_unicode(text: &[u8], out: &mut Vec<u8>) -> usize {
    let unit = |at: usize| {
        let hex = text[at + 2..].first_chunk().and_then(code_unit);
        hex.expect("the scan found four hexadecimal digits")
    };
    let (code, len) = match unit(0) {
        high @ 0xd800..0xdc00 => (0x10000 + ((high - 0xd800) << 10) + (unit(6) - 0xdc00), 12),
        code => (code, 6),
    };
    let character = char::from_u32(code).expect("the scan found no lone surrogate");
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    len
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DecodeError;

    fn read(json: &[u8]) -> Result<String, usize> {
        let input = Input { bytes: json, multiline: false };
        let text = scan(&input, 1).map_err(|stop| DecodeError::from(stop).offset)?;
        assert_eq!(json[text.end], b'"');
        let mut out = Vec::new();
        unescape(&json[1..text.end], &mut out);
        assert_eq!(text.escaped, json[1..text.end].contains(&b'\\'));
        Ok(String::from_utf8(out).expect("a scanned string is UTF-8"))
    }

    #[test]
    fn escapes_say_what_json_says_they_do() {
        assert_eq!(read(br#""a\"\\\/\b\f\n\r\tz""#).unwrap(), "a\"\\/\u{8}\u{c}\n\r\tz");
        assert_eq!(read(br#""\u0041\u00e9\u20AC\ud83d\ude00\u0000""#).unwrap(), "A\u{e9}\u{20ac}\u{1f600}\0");
    }

    #[test]
    fn a_stop_is_found_at_every_place_of_long_strings() {
        for len in 0..130 {
            let plain = "x".repeat(len);
            assert_eq!(read(format!("\"{plain}\"").as_bytes()).unwrap(), plain);
            assert_eq!(
                read(format!("\"{plain}\\n{plain}\" tail").as_bytes()).unwrap(),
                format!("{plain}\n{plain}")
            );
            assert_eq!(read(format!("\"{plain}é{plain}\"").as_bytes()).unwrap(), format!("{plain}é{plain}"));
            assert_eq!(read(format!("\"{plain}\u{1}{plain}\"").as_bytes()), Err(1 + len));
            assert_eq!(read(format!("\"{plain}").as_bytes()), Err(0));
        }
    }

    #[test]
    fn faults_carry_the_offset_of_the_byte_to_blame() {
        let cases: &[(&[u8], usize)] = &[
            (b"\"ab\x80\"", 3),
            (b"\"ab\xc3\xa9\xff and more than one block of text after it\"", 5),
            (b"\"a\\x\"", 2),
            (b"\"a\\u12g4\"", 2),
            (b"\"a\\u12\"", 2),
            (b"\"\\ud800\"", 1),
            (b"\"\\ud800\\n\"", 1),
            (b"\"\\ud800\\u0041\"", 1),
            (b"\"\\udc00\\ud800\"", 1),
            (b"\"line\nend\"", 5),
            (b"\"tab\t\"", 4),
            (b"\"\\", 2),
        ];
        for (json, offset) in cases {
            assert_eq!(read(json), Err(*offset), "{}", String::from_utf8_lossy(json));
        }
    }
}
