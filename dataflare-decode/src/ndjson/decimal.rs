//! Numbers scaled to whole ones without loss, for decimal and integer columns.

use arrow::datatypes::i256;

/// The digits of the longest decimal there is.
const DIGITS_MAX: usize = 76;

/// A whole number of up to 76 digits.
#[derive(Debug, Clone)]
pub(super) struct Whole {
    negative: bool,
    digits: [u8; DIGITS_MAX],
    len: usize,
}

impl Whole {
    /// A number that follows JSON's grammar, times ten to the power of `scale`; `None` where that is not
    /// whole or has more digits than any decimal.
    pub(super) fn scaled(number: &[u8], scale: i8) -> Option<Self> {
        let (negative, number) = match number.strip_prefix(b"-") {
            Some(rest) => (true, rest),
            None => (false, number),
        };
        let split = number.iter().position(|b| matches!(b, b'e' | b'E')).unwrap_or(number.len());
        let exponent = number.get(split + 1..).map_or(0, exponent_of);
        let mut whole = Self { negative, digits: [0; DIGITS_MAX], len: 0 };
        // The power of ten of the last digit seen; zeros wait until a digit follows that needs them.
        let (mut after_point, mut fraction, mut zeros) = (false, 0_i64, 0_i64);
        for byte in &number[..split] {
            match byte {
                b'.' => after_point = true,
                b'0' => {
                    zeros += i64::from(whole.len > 0);
                    fraction += i64::from(after_point);
                }
                digit => {
                    whole.push_zeros(std::mem::take(&mut zeros))?;
                    whole.push(digit - b'0')?;
                    fraction += i64::from(after_point);
                }
            }
        }
        if whole.len > 0 {
            whole.push_zeros(zeros - fraction + exponent + i64::from(scale))?;
        }
        Some(whole)
    }

    fn push(&mut self, digit: u8) -> Option<()> {
        *self.digits.get_mut(self.len)? = digit;
        self.len += 1;
        Some(())
    }

    /// Appends zeros; `None` where there is no room or their number is negative: what stands there
    /// would be lost.
    fn push_zeros(&mut self, count: i64) -> Option<()> {
        let len = self.len.checked_add(usize::try_from(count).ok()?)?;
        (len <= DIGITS_MAX).then(|| self.len = len)
    }

    /// The number, where it has at most 38 digits.
    pub(super) fn to_i128(&self) -> Option<i128> {
        let value = (self.len <= 38).then(|| self.part(0, self.len))?;
        Some(if self.negative { -value } else { value })
    }

    /// The number, where it has at most `precision` digits.
    pub(super) fn to_i256(&self, precision: u8) -> Option<i256> {
        if self.len > usize::from(precision) {
            return None;
        }
        let split = self.len.saturating_sub(38);
        let high = i256::from_i128(self.part(0, split));
        let low = i256::from_i128(self.part(split, self.len));
        let value = high.wrapping_mul(i256::from_i128(10_i128.pow(38))).wrapping_add(low);
        Some(if self.negative { value.wrapping_neg() } else { value })
    }

    /// The number, where it has at most `precision` digits.
    pub(super) fn to_decimal128(&self, precision: u8) -> Option<i128> {
        (self.len <= usize::from(precision)).then(|| self.to_i128())?
    }

    fn part(&self, from: usize, to: usize) -> i128 {
        self.digits[from..to].iter().fold(0, |value, digit| value * 10 + i128::from(*digit))
    }
}

/// An exponent, cut at what no decimal can need.
fn exponent_of(text: &[u8]) -> i64 {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let limit = i64::from(i32::MAX);
    let value = digits.iter().fold(0, |value: i64, digit| (value * 10 + i64::from(digit - b'0')).min(limit));
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(number: &str, scale: i8) -> Option<i128> {
        Whole::scaled(number.as_bytes(), scale)?.to_i128()
    }

    #[test]
    fn numbers_are_scaled_exactly_or_not_at_all() {
        assert_eq!(scaled("12.34", 2), Some(1234));
        assert_eq!(scaled("-12.3", 4), Some(-123_000));
        assert_eq!(scaled("12.3400", 2), Some(1234));
        assert_eq!(scaled("0.001", 3), Some(1));
        assert_eq!(scaled("0.001", 2), None);
        assert_eq!(scaled("1.5", 0), None);
        assert_eq!(scaled("1e3", 0), Some(1000));
        assert_eq!(scaled("1.25e2", 0), Some(125));
        assert_eq!(scaled("1200e-2", 0), Some(12));
        assert_eq!(scaled("1200", -2), Some(12));
        assert_eq!(scaled("0e999999999999999999999", 0), Some(0));
        assert_eq!(scaled("1e999999999999999999999", 0), None);
        assert_eq!(scaled("1e-999999999999999999999", 0), None);
        assert_eq!(scaled("-0.00", 0), Some(0));
        assert_eq!(scaled("100.001", 3), Some(100_001));
    }

    #[test]
    fn digits_beyond_the_precision_do_not_fit() {
        let whole = |text: &str| Whole::scaled(text.as_bytes(), 0).unwrap();
        assert_eq!(whole(&"9".repeat(38)).to_decimal128(38), Some(10_i128.pow(38) - 1));
        assert_eq!(whole(&"9".repeat(39)).to_decimal128(38), None);
        assert_eq!(whole("1000").to_decimal128(3), None);
        let nines = "9".repeat(76);
        assert_eq!(whole(&nines).to_i256(76), i256::from_string(&nines));
        assert_eq!(whole(&format!("-{nines}")).to_i256(76), i256::from_string(&format!("-{nines}")));
        assert_eq!(whole(&nines).to_i256(75), None);
        assert!(Whole::scaled("9".repeat(77).as_bytes(), 0).is_none());
    }
}
