//! Runs of decimal digits, eight at a time (Lemire, "Quickly parsing eight digits", 2018).

/// The first eight bytes, the first one lowest; zeros where there are fewer.
#[inline(always)]
pub(in crate::csv) fn word(tail: &[u8]) -> u64 {
    match tail.first_chunk() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => short_word(tail),
    }
}

#[cold]
fn short_word(tail: &[u8]) -> u64 {
    tail.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// The number that the first `len` bytes of `word` (1 to 8) spell.
#[inline(always)]
pub(super) fn digits(word: u64, len: usize) -> Option<u64> {
    // Digits become their value, in the high bytes; the bytes before them become zero.
    let values = (word ^ 0x3030_3030_3030_3030).checked_shl(64 - 8 * len as u32)?;
    if (values | values.wrapping_add(0x0606_0606_0606_0606)) & 0xf0f0_f0f0_f0f0_f0f0 != 0 {
        return None;
    }
    const MASK: u64 = 0x0000_00ff_0000_00ff;
    const MUL_1: u64 = 100 + (1_000_000 << 32);
    const MUL_2: u64 = 1 + (10_000 << 32);
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let high = (pairs & MASK).wrapping_mul(MUL_1);
    let low = ((pairs >> 16) & MASK).wrapping_mul(MUL_2);
    Some(high.wrapping_add(low) >> 32)
}

/// The number without a sign that the first `len` bytes spell.
#[inline(always)]
pub(super) fn magnitude(tail: &[u8], len: usize) -> Option<u64> {
    match len {
        1..=8 => digits(word(tail), len),
        9..=16 => {
            let high = digits(word(tail), len - 8)?;
            let low = digits(word(tail.get(len - 8..)?), 8)?;
            Some(high * 100_000_000 + low)
        }
        _ => long(tail.get(..len)?),
    }
}

#[cold]
fn long(text: &[u8]) -> Option<u64> {
    let (first, _) = text.split_first()?;
    let start = first.is_ascii_digit().then_some(0)?;
    text.iter().try_fold(start, |value: u64, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// The integer that the first `len` bytes spell, with a sign or without.
#[inline(always)]
pub(in crate::csv) fn integer(tail: &[u8], len: usize) -> Option<i128> {
    match tail.first()? {
        b'-' if len > 1 => magnitude(&tail[1..], len - 1).map(|value| -i128::from(value)),
        b'+' if len > 1 => magnitude(&tail[1..], len - 1).map(i128::from),
        _ => magnitude(tail, len).map(i128::from),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Option<i128> {
        // What follows the value in the buffer must not matter.
        let alone = integer(text.as_bytes(), text.len());
        let within = integer(format!("{text},123456789").as_bytes(), text.len());
        assert_eq!(alone, within, "{text}");
        alone
    }

    #[test]
    fn limits_zeros_and_signs() {
        for text in ["0", "-0", "+7", "007", "18446744073709551615", "-9223372036854775808"] {
            assert_eq!(parsed(text), text.parse().ok(), "{text}");
        }
        assert_eq!(parsed(&("0".repeat(30) + "12")), Some(12));
        for text in ["", "-", "+", "--1", "1-", "1.0", " 1", "18446744073709551616", "12345678:", "/2345678"]
        {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_number_is_read_back(value in any::<u64>(), shift in 0u32..64, negative: bool) {
            let value = i128::from(value >> shift) * if negative { -1 } else { 1 };
            prop_assert_eq!(parsed(&value.to_string()), Some(value));
        }

        #[test]
        fn anything_else_is_refused(text in "[0-9:/,.a-]{1,20}") {
            prop_assert_eq!(parsed(&text), text.parse().ok().filter(|v: &i128| *v <= i128::from(u64::MAX)));
        }
    }
}
