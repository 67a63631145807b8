//! Passes over a value that nobody reads, and validates it on the way.

use super::DEPTH_MAX;
use super::fault::{Step, Stop};
use super::input::{Input, VALUE};
use super::{number, text};

/// The position after the value at `at`, which stands inside `depth` objects and arrays.
///
/// Goes down without recursion, so that no input can exhaust the stack.
pub(super) fn value(input: &Input<'_>, mut at: usize, depth: usize) -> Step {
    // The objects (ones) and arrays (zeros) entered, the innermost lowest.
    let mut entered: u128 = 0;
    let mut level = 0;
    loop {
        let byte = input.byte(at);
        let mut open = false;
        if matches!(byte, b'{' | b'[') {
            if depth + level >= DEPTH_MAX {
                return Err(Stop::at(at, format!("objects and arrays nest deeper than {DEPTH_MAX} levels")));
            }
            level += 1;
            entered = (entered << 1) | u128::from(byte == b'{');
            at = input.space(at + 1);
            open = input.byte(at) != closing(entered);
        } else {
            at = scalar(input, at)?;
        }
        if !open {
            // What ends here may end what it stands in.
            loop {
                if level == 0 {
                    return Ok(at);
                }
                at = input.space(at);
                if input.byte(at) != closing(entered) {
                    break;
                }
                at += 1;
                entered >>= 1;
                level -= 1;
            }
            at = input.space(comma(input, at, entered)?);
        }
        if is_object(entered) {
            at = key(input, at)?;
        }
    }
}

fn is_object(entered: u128) -> bool {
    entered & 1 == 1
}

fn closing(entered: u128) -> u8 {
    if is_object(entered) { b'}' } else { b']' }
}

fn comma(input: &Input<'_>, at: usize, entered: u128) -> Step {
    match input.byte(at) {
        b',' => Ok(at + 1),
        _ if is_object(entered) => Err(input.unexpected(at, "`,` or `}`")),
        _ => Err(input.unexpected(at, "`,` or `]`")),
    }
}

/// The position of the value after the key at `at`.
fn key(input: &Input<'_>, at: usize) -> Step {
    if input.byte(at) != b'"' {
        return Err(input.unexpected(at, "a key in quotes"));
    }
    let colon = input.space(text::scan(input, at + 1)?.end + 1);
    if input.byte(colon) != b':' {
        return Err(input.unexpected(colon, "`:`"));
    }
    Ok(input.space(colon + 1))
}

/// The position after a string, number, boolean or null.
#[inline]
fn scalar(input: &Input<'_>, at: usize) -> Step {
    match input.byte(at) {
        b'"' => match text::short(input, at + 1) {
            Some(end) => Ok(end + 1),
            None => Ok(text::scan(input, at + 1)?.end + 1),
        },
        byte if number::begins(byte) => match number::plain(input, at) {
            Some(plain) => Ok(plain.end),
            None => number::end(input, at),
        },
        _ => literal(input, at),
    }
}

/// The position after `true`, `false` or `null`.
fn literal(input: &Input<'_>, at: usize) -> Step {
    if input.chunk(at) == Some(b"true") || input.chunk(at) == Some(b"null") {
        Ok(at + 4)
    } else if input.chunk(at) == Some(b"false") {
        Ok(at + 5)
    } else {
        Err(input.unexpected(at, VALUE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DecodeError;

    fn skip(json: &str) -> Result<usize, usize> {
        let input = Input { bytes: json.as_bytes(), multiline: false };
        value(&input, 0, 0).map_err(|stop| DecodeError::from(stop).offset)
    }

    #[test]
    fn values_of_every_kind_are_passed_over() {
        for json in [
            "null",
            "true",
            "false",
            "0",
            "-1.5e3",
            r#""""#,
            r#""a\"b""#,
            "[]",
            "{}",
            "[1,[2,[]],{}]",
            r#"{"a":{"b":[{"c":null}]},"d":"}"}"#,
            r#"{ "a" : [ 1 , 2 ] , "b" : { } }"#,
        ] {
            assert_eq!(skip(json), Ok(json.len()), "{json}");
            assert_eq!(skip(&format!("{json},1")), Ok(json.len()), "{json}");
        }
    }

    #[test]
    fn malformed_values_are_faults_at_the_byte_to_blame() {
        for (json, offset) in [
            ("", 0),
            ("nul", 0),
            ("tru,", 0),
            ("NaN", 0),
            ("-Infinity", 1),
            ("[1 2]", 3),
            ("[1,]", 3),
            ("[,1]", 1),
            (r#"{"a" 1}"#, 5),
            (r#"{"a":}"#, 5),
            (r#"{"a":1,}"#, 7),
            ("{a:1}", 1),
            ("[1}", 2),
            (r#"{"a":1]"#, 6),
            ("[", 1),
            (r#"{"a":1"#, 6),
            ("[\"a\n\"]", 3),
            ("[1\n]", 2),
        ] {
            assert_eq!(skip(json), Err(offset), "{json}");
        }
    }

    #[test]
    fn nesting_ends_at_the_limit_and_not_on_the_stack() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(skip(&nested(DEPTH_MAX)), Ok(2 * DEPTH_MAX));
        assert_eq!(skip(&nested(DEPTH_MAX + 1)), Err(DEPTH_MAX));
        assert_eq!(skip(&nested(1_000_000)), Err(DEPTH_MAX));
        let objects = format!("{}1{}", r#"{"a":"#.repeat(DEPTH_MAX), "}".repeat(DEPTH_MAX));
        assert_eq!(skip(&objects), Ok(objects.len()));
    }
}
