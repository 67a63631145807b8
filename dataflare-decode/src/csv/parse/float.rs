//! Floats: exact by one division where the digits fit, else by `fast_float2`.

use super::digits::{digits, word};

/// The powers of ten that a `f64` holds exactly and that a short decimal can need.
const POWERS: [f64; 17] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16];

/// The `f64` that is nearest to what the first `len` bytes spell.
#[inline(always)]
pub(in crate::csv) fn float64(tail: &[u8], len: usize) -> Option<f64> {
    let negative = *tail.first()? == b'-' && len > 1;
    let (digits, digits_len) = if negative { (&tail[1..], len - 1) } else { (tail, len) };
    match short_decimal(digits, digits_len) {
        // Both operands are exact, so that the quotient is rounded once: correctly.
        Some((mantissa, fraction)) if mantissa <= 1 << 53 => {
            let value = mantissa as f64 / POWERS[fraction];
            Some(if negative { -value } else { value })
        }
        _ => fast_float2::parse(tail.get(..len)?).ok(),
    }
}

/// The `f32` that is nearest to what the first `len` bytes spell.
#[inline(always)]
pub(in crate::csv) fn float32(tail: &[u8], len: usize) -> Option<f32> {
    fast_float2::parse(tail.get(..len)?).ok()
}

/// Digits with at most one point among them, 16 bytes at most: their value without the point, and the
/// number of them behind it.
#[inline(always)]
pub(super) fn short_decimal(tail: &[u8], len: usize) -> Option<(u64, usize)> {
    match len {
        1..=8 => {
            let text = word(tail);
            let point = first_point(text);
            if point >= len {
                return Some((digits(text, len)?, 0));
            }
            let below = (1 << (8 * point)) - 1;
            let joined = (text & below) | ((text >> 8) & !below);
            Some((digits(joined, len - 1)?, len - 1 - point))
        }
        9..=16 => {
            let (low, high) = (word(tail), word(tail.get(8..)?));
            let text = u128::from(low) | u128::from(high) << 64;
            let point = first_point(low);
            let point = if point < 8 { point } else { 8 + first_point(high) };
            let (joined, count, fraction) = if point >= len {
                (text, len, 0)
            } else {
                let below = (1 << (8 * point)) - 1;
                ((text & below) | ((text >> 8) & !below), len - 1, len - 1 - point)
            };
            let first = if count > 8 { digits(joined as u64, count - 8)? } else { 0 };
            let last = digits((joined >> (8 * (count - 8))) as u64, 8)?;
            Some((first * 100_000_000 + last, fraction))
        }
        _ => None,
    }
}

/// The index of the first point in the word; 8 where there is none.
#[inline(always)]
fn first_point(text: u64) -> usize {
    let difference = text ^ 0x2e2e_2e2e_2e2e_2e2e;
    let zero = difference.wrapping_sub(0x0101_0101_0101_0101) & !difference & 0x8080_8080_8080_8080;
    (zero.trailing_zeros() / 8) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Option<f64> {
        let alone = float64(text.as_bytes(), text.len());
        let within = float64(format!("{text},1.5,2.5,3.5,4.5").as_bytes(), text.len());
        assert_eq!(alone.map(f64::to_bits), within.map(f64::to_bits), "{text}");
        alone
    }

    #[test]
    fn forms_that_are_floats_and_forms_that_are_not() {
        for text in ["0", "-0.0", "5.", ".5", "1e5", "-1.5E-3", "NaN", "inf", "-Infinity", "0.1", "123456.78"]
        {
            let value: f64 = text.parse().expect("a float");
            assert_eq!(parsed(text).map(f64::to_bits), Some(value.to_bits()), "{text}");
        }
        for text in ["", ".", "-", "-.", "1.2.3", "1,5", "0x10", "1e", "abc", "1_000", "--1", " 1"] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_float_is_read_back_exactly(value in any::<f64>().prop_filter("finite", |v| v.is_finite())) {
            prop_assert_eq!(parsed(&value.to_string()).map(f64::to_bits), Some(value.to_bits()));
            prop_assert_eq!(parsed(&format!("{value:e}")).map(f64::to_bits), Some(value.to_bits()));
        }

        #[test]
        fn decimals_are_rounded_as_the_standard_library_rounds(text in "-?[0-9]{0,17}\\.?[0-9]{0,17}") {
            let expected: Option<f64> = text.parse().ok();
            prop_assert_eq!(parsed(&text).map(f64::to_bits), expected.map(f64::to_bits));
        }
    }
}
