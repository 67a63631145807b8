//! Decimals: exact, or refused.

use arrow::datatypes::i256;

use super::float::short_decimal;

/// The powers of ten that 128 bits hold.
const POWERS: [i128; 39] = {
    let mut powers = [1; 39];
    let mut i = 1;
    while i < powers.len() {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// The unscaled value, for `scale` digits behind the point, of what the first `len` bytes spell.
/// `None` also where that would lose a digit or does not fit.
#[inline]
pub(in crate::csv) fn decimal128(tail: &[u8], len: usize, scale: i8) -> Option<i128> {
    short(tail, len, scale).or_else(|| long(tail.get(..len)?, scale)?.to_i128())
}

/// [`decimal128`] with twice the bits.
#[inline]
pub(in crate::csv) fn decimal256(tail: &[u8], len: usize, scale: i8) -> Option<i256> {
    match short(tail, len, scale) {
        Some(value) => Some(i256::from_i128(value)),
        None => long(tail.get(..len)?, scale),
    }
}

/// Decimals of few digits.
#[inline(always)]
fn short(tail: &[u8], len: usize, scale: i8) -> Option<i128> {
    let negative = *tail.first()? == b'-' && len > 1;
    let (digits, digits_len) = if negative { (&tail[1..], len - 1) } else { (tail, len) };
    let (mantissa, fraction) = short_decimal(digits, digits_len)?;
    let zeros = usize::try_from(isize::from(scale) - fraction as isize).ok()?;
    let value = i128::from(mantissa).checked_mul(*POWERS.get(zeros)?)?;
    Some(if negative { -value } else { value })
}

/// Decimals of any length, with an exponent or without.
fn long(text: &[u8], scale: i8) -> Option<i256> {
    let (negative, text) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    let (digits, exponent) = match text.iter().position(|byte| byte.eq_ignore_ascii_case(&b'e')) {
        Some(at) => (&text[..at], std::str::from_utf8(&text[at + 1..]).ok()?.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let point = digits.iter().position(|&byte| byte == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&digits[..at], &digits[at + 1..]),
        None => (digits, &[][..]),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // Digits are taken in while they fit; behind the last one that matters there may only be zeros.
    let ten = i256::from_i128(10);
    let wanted = i64::try_from(whole.len()).ok()? + i64::from(exponent) + i64::from(scale);
    let mut value = i256::ZERO;
    for (i, byte) in (0i64..).zip(whole.iter().chain(fraction)) {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        if i < wanted {
            value = value.checked_mul(ten)?.checked_add(i256::from_i128(digit.into()))?;
        } else if digit != 0 {
            return None;
        }
    }
    let zeros = wanted - i64::try_from(whole.len() + fraction.len()).ok()?;
    if zeros > 0 && value != i256::ZERO {
        value = value.checked_mul(ten.checked_pow(u32::try_from(zeros).ok()?)?)?;
    }
    Some(if negative { value.checked_neg()? } else { value })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str, scale: i8) -> Option<String> {
        let wide = decimal256(text.as_bytes(), text.len(), scale);
        let narrow = decimal128(text.as_bytes(), text.len(), scale);
        assert_eq!(narrow, wide.and_then(i256::to_i128), "{text}");
        wide.map(|value| value.to_string())
    }

    #[test]
    fn digits_are_scaled_and_none_is_lost() {
        for (text, scale, expected) in [
            ("12.34", 2, Some("1234")),
            ("-12.3", 2, Some("-1230")),
            ("12.340", 2, Some("1234")),
            ("12.345", 2, None),
            ("1.5e3", 2, Some("150000")),
            ("15e-1", 2, Some("150")),
            ("1200", -2, Some("12")),
            ("1250", -2, None),
            ("+.5", 1, Some("5")),
            ("", 1, None),
            (".", 1, None),
            ("1.2.3", 5, None),
            ("0e999999999", 0, Some("0")),
            ("1e999999999", 0, None),
            ("1e-999999999", 0, None),
        ] {
            assert_eq!(parsed(text, scale).as_deref(), expected, "{text}");
        }
        let widest = "9".repeat(76);
        assert_eq!(parsed(&widest, 0), Some(widest.clone()));
        assert_eq!(parsed(&(widest + "0"), 0), None);
    }

    proptest! {
        #[test]
        fn every_decimal_is_read_back(value in any::<i128>(), shift in 0u32..120, scale in 0usize..20) {
            let value = (value >> shift) % 10_i128.pow(37);
            let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            let sign = if value < 0 { "-" } else { "" };
            let text = format!("{sign}{whole}.{fraction}");
            prop_assert_eq!(parsed(&text, scale as i8), Some(value.to_string()));
        }
    }
}
