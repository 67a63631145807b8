//! JSON numbers, eight digits at a time.

use super::fault::{Step, Stop};
use super::input::Input;

const ZEROS: u64 = 0x3030_3030_3030_3030;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The powers of ten that fit 64 bits.
pub(super) const POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut n = 1;
    while n < powers.len() {
        powers[n] = powers[n - 1] * 10;
        n += 1;
    }
    powers
};

/// The most digits whose value always fits 64 bits.
const DIGITS_MAX: usize = 19;

/// A run of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digits {
    /// What they say; meaningless where there are more than 19.
    pub(super) value: u64,
    /// How many there are.
    pub(super) len: usize,
}

/// The digits at `at`.
#[inline(always)]
pub(super) fn digits(input: &Input<'_>, at: usize) -> Digits {
    let first = eight(input.word(at));
    if first.len < 8 { first } else { more_digits(input, at, first) }
}

#[inline(never)]
fn more_digits(input: &Input<'_>, at: usize, first: Digits) -> Digits {
    let mut all = first;
    loop {
        let next = eight(input.word(at + all.len));
        all.value = all.value.wrapping_mul(POWERS[next.len]).wrapping_add(next.value);
        all.len += next.len;
        if next.len < 8 {
            return all;
        }
    }
}

/// The digits that `word` begins with, without a branch.
#[inline(always)]
fn eight(word: u64) -> Digits {
    let digits = word ^ ZEROS;
    // Adding 0x76 sets the high bit of a byte above 9; a carry can only reach bytes after such a one.
    let others = (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & HIGHS;
    let len = others.trailing_zeros() / 8;
    // The digits are the low bytes: moving them up leaves leading zeros below.
    let digits = digits.unbounded_shl(64 - 8 * len);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let even = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let odd = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    Digits { value: even.wrapping_add(odd) >> 32, len: len as usize }
}

/// A number without exponent whose digits fit 64 bits: `±mantissa / 10^fraction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plain {
    pub(super) negative: bool,
    pub(super) mantissa: u64,
    /// Digits after the point.
    pub(super) fraction: usize,
    pub(super) end: usize,
}

/// The number at `at` where it is plain. `None` says nothing: [`end`] knows.
#[inline(always)]
pub(super) fn plain(input: &Input<'_>, at: usize) -> Option<Plain> {
    let negative = input.byte(at) == b'-';
    let from = at + usize::from(negative);
    let whole = digits(input, from);
    let mut end = from + whole.len;
    let leading_zero = input.byte(from) == b'0' && whole.len > 1;
    if whole.len == 0 || whole.len > DIGITS_MAX || leading_zero {
        return None;
    }
    let (mut mantissa, mut fraction) = (whole.value, 0);
    if input.byte(end) == b'.' {
        let part = digits(input, end + 1);
        fraction = part.len;
        if fraction == 0 || whole.len + fraction > DIGITS_MAX {
            return None;
        }
        mantissa = mantissa * POWERS[fraction] + part.value;
        end += 1 + fraction;
    }
    let exponent = matches!(input.byte(end), b'e' | b'E');
    (!exponent).then_some(Plain { negative, mantissa, fraction, end })
}

/// The position after the number at `at`, which begins with a digit or a minus sign.
pub(super) fn end(input: &Input<'_>, at: usize) -> Step {
    let from = at + usize::from(input.byte(at) == b'-');
    let mut end = digits_end(input, from);
    if end == from {
        return Err(input.unexpected(from, "a digit"));
    }
    if input.byte(from) == b'0' && end > from + 1 {
        return Err(Stop::at(at, "a number begins with a zero that has no meaning; JSON allows none"));
    }
    if input.byte(end) == b'.' {
        end = some_digits(input, end + 1)?;
    }
    if matches!(input.byte(end), b'e' | b'E') {
        end += 1;
        end += usize::from(matches!(input.byte(end), b'+' | b'-'));
        end = some_digits(input, end)?;
    }
    Ok(end)
}

fn digits_end(input: &Input<'_>, from: usize) -> usize {
    from + digits(input, from).len
}

fn some_digits(input: &Input<'_>, from: usize) -> Step {
    let end = digits_end(input, from);
    if end > from { Ok(end) } else { Err(input.unexpected(from, "a digit")) }
}

/// Whether `byte` may begin a number.
#[inline(always)]
pub(super) fn begins(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DecodeError;

    fn input(text: &str) -> Input<'_> {
        Input { bytes: text.as_bytes(), multiline: false }
    }

    #[test]
    fn digits_of_every_length_keep_their_value_whatever_follows() {
        let all = "1234567890123456789";
        for len in 0..=all.len() {
            for tail in ["", ",", "}", "\n", "/9", ":9", "x12345678", "\u{fe}\u{fe}"] {
                let text = format!("{}{tail}", &all[..len]);
                let value = all[..len].parse().unwrap_or(0);
                assert_eq!(digits(&input(&text), 0), Digits { value, len }, "{text}");
            }
        }
        assert_eq!(digits(&input("00000000000000000007,"), 0).len, 20);
    }

    #[test]
    fn plain_numbers_are_read_and_others_left_alone() {
        let some = |negative, mantissa, fraction, end| Some(Plain { negative, mantissa, fraction, end });
        assert_eq!(plain(&input("63.47,"), 0), some(false, 6347, 2, 5));
        assert_eq!(plain(&input("-0}"), 0), some(true, 0, 0, 2));
        assert_eq!(plain(&input("0.001"), 0), some(false, 1, 3, 5));
        assert_eq!(plain(&input("1234567890123456789"), 0), some(false, 1_234_567_890_123_456_789, 0, 19));
        for other in [
            "",
            "-",
            "01",
            "1.",
            ".5",
            "1e5",
            "1.5E5",
            "12345678901234567890",
            "1.2345678901234567890",
            "-.1",
        ] {
            assert_eq!(plain(&input(other), 0), None, "{other}");
        }
    }

    #[test]
    fn the_grammar_of_numbers_is_that_of_json() {
        for right in ["0", "-0", "10", "1.0", "1e5", "1E+05", "-1.25e-10", "123456789012345678901234567890.5"]
        {
            assert_eq!(end(&input(right), 0).unwrap(), right.len(), "{right}");
        }
        let cases =
            [("-", 1), ("01", 0), ("-01", 0), ("1.", 2), ("1.e5", 2), ("1e", 2), ("1e+", 3), ("-x", 1)];
        for (wrong, offset) in cases {
            let stop = end(&input(wrong), 0).unwrap_err();
            assert_eq!(DecodeError::from(stop).offset, offset, "{wrong}");
        }
    }
}
