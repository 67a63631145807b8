//! Dates, times and instants as RFC 3339 writes them, by the fixed places of their digits.

use arrow::datatypes::TimeUnit;

const DAY_SECONDS: i64 = 86_400;
const NANOS: u32 = 1_000_000_000;

/// A point in time, or on a clock without zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instant {
    /// Seconds since 1970: of UTC where a zone was given, of the clock where none was.
    pub(super) seconds: i64,
    pub(super) nanos: u32,
    /// Digits of the fraction as written.
    pub(super) fraction: usize,
    /// Whether an offset from UTC was given.
    pub(super) zoned: bool,
}

impl Instant {
    /// `2024-02-29T12:30:00.123Z`, with any offset or none; `t`, `z` and a space for the `T` are fine.
    #[inline]
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let (head, tail) = text.split_first_chunk::<19>()?;
        if !matches!(head[10], b'T' | b't' | b' ') {
            return None;
        }
        let days = days(head.first_chunk()?, [head[8], head[9]])?;
        let clock = clock(head.last_chunk()?)?;
        let (nanos, fraction, rest) = fraction(tail)?;
        let offset = offset(rest)?;
        let seconds = days * DAY_SECONDS + clock - offset.unwrap_or(0);
        Some(Self { seconds, nanos, fraction, zoned: offset.is_some() })
    }

    /// Units since 1970; `None` where the unit is too coarse or 64 bits are too few.
    #[inline]
    pub(super) fn to_unit(self, unit: TimeUnit) -> Option<i64> {
        let (per_second, nanos_each) = match unit {
            TimeUnit::Second => (1, NANOS),
            TimeUnit::Millisecond => (1_000, 1_000_000),
            TimeUnit::Microsecond => (1_000_000, 1_000),
            TimeUnit::Nanosecond => (i64::from(NANOS), 1),
        };
        if !self.nanos.is_multiple_of(nanos_each) {
            return None;
        }
        let part = i64::from(self.nanos / nanos_each);
        match self.seconds.checked_mul(per_second) {
            Some(whole) => whole.checked_add(part),
            // The whole second before the first instant may not fit where the instant does.
            None => (self.seconds + 1).checked_mul(per_second)?.checked_add(part - per_second),
        }
    }
}

/// Days since 1970 of `2024-02-29`.
pub(super) fn date(text: &[u8]) -> Option<i32> {
    let text: &[u8; 10] = text.try_into().ok()?;
    let days = days(text.first_chunk()?, [text[8], text[9]])?;
    i32::try_from(days).ok()
}

/// Units since midnight of `12:30:00.123`; the day has no leap second here.
pub(super) fn time_of_day(text: &[u8], unit: TimeUnit) -> Option<i64> {
    let seconds = clock(text.first_chunk()?)?;
    let (nanos, fraction, rest) = fraction(&text[8..])?;
    if !rest.is_empty() || seconds >= DAY_SECONDS {
        return None;
    }
    Instant { seconds, nanos, fraction, zoned: false }.to_unit(unit)
}

/// Eight bytes of digits and separators at fixed places.
struct Layout {
    template: u64,
    /// What sends a byte above the highest digit, or any but the separator, over 0x7f.
    limit: u64,
}

const DATE: Layout = Layout::new(b"0000-00-");
const CLOCK: Layout = Layout::new(b"00:00:00");

impl Layout {
    /// Zeros in `template` stand for digits, other bytes for themselves.
    const fn new(template: &[u8; 8]) -> Self {
        let mut limit = [0x7f; 8];
        let mut n = 0;
        while n < limit.len() {
            if template[n] == b'0' {
                limit[n] = 0x76;
            }
            n += 1;
        }
        Self { template: u64::from_le_bytes(*template), limit: u64::from_le_bytes(limit) }
    }

    /// The number that each two neighbouring digits are, at the place of the first.
    #[inline(always)]
    fn pairs(&self, text: &[u8; 8]) -> Option<[u8; 8]> {
        const HIGHS: u64 = 0x8080_8080_8080_8080;
        let digits = u64::from_le_bytes(*text) ^ self.template;
        if (digits | digits.wrapping_add(self.limit)) & HIGHS != 0 {
            return None;
        }
        Some(digits.wrapping_mul(10).wrapping_add(digits >> 8).to_le_bytes())
    }
}

/// Days since 1970 of `2024-02-` and the two digits of the day.
#[inline(always)]
fn days(year_month: &[u8; 8], day: [u8; 2]) -> Option<i64> {
    let pairs = DATE.pairs(year_month)?;
    let year = i64::from(pairs[0]) * 100 + i64::from(pairs[2]);
    let (month, day) = (pairs[5], two_digits(&day)?);
    if !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
        return None;
    }
    // Years begin in March here, so that the leap day is the last (Howard Hinnant, "chrono-compatible
    // low-level date algorithms").
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[inline(always)]
fn days_in_month(year: i64, month: u8) -> u8 {
    const DAYS: [u8; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    DAYS[usize::from(month) - 1] + u8::from(leap)
}

#[inline(always)]
fn two_digits(text: &[u8]) -> Option<u8> {
    match text {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + (ones - b'0')),
        _ => None,
    }
}

/// Seconds since midnight of `12:30:00`. A leap second is the first second of the next minute, as in
/// the time of POSIX.
#[inline(always)]
fn clock(text: &[u8; 8]) -> Option<i64> {
    let pairs = CLOCK.pairs(text)?;
    let (hour, minute, second) = (pairs[0], pairs[3], pairs[6]);
    let leap_second = second == 60 && minute == 59;
    if hour > 23 || minute > 59 || (second > 59 && !leap_second) {
        return None;
    }
    Some(i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second))
}

/// The nanoseconds of `.123`, its number of digits, and what follows. Digits after the ninth must be
/// zeros.
#[inline(always)]
fn fraction(text: &[u8]) -> Option<(u32, usize, &[u8])> {
    if text.first() != Some(&b'.') {
        return Some((0, 0, text));
    }
    let (mut nanos, mut unit, mut len) = (0, NANOS, 0);
    while let Some(digit @ b'0'..=b'9') = text.get(1 + len) {
        unit /= 10;
        if unit == 0 && *digit != b'0' {
            return None;
        }
        nanos += u32::from(digit - b'0') * unit;
        len += 1;
    }
    (len > 0).then_some((nanos, len, &text[1 + len..]))
}

/// The seconds that `Z` or `+02:00` is ahead of UTC; `Some(None)` for no text at all.
#[inline(always)]
fn offset(text: &[u8]) -> Option<Option<i64>> {
    let (sign, rest) = match text {
        [] => return Some(None),
        [b'Z' | b'z'] => return Some(Some(0)),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let [hours @ .., b':', minute_tens, minute_ones] = rest else { return None };
    let (hours, minutes) = (two_digits(hours)?, two_digits(&[*minute_tens, *minute_ones])?);
    (hours < 24 && minutes < 60).then(|| Some(sign * (i64::from(hours) * 3_600 + i64::from(minutes) * 60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> Option<i64> {
        Instant::parse(text.as_bytes())?.to_unit(TimeUnit::Millisecond)
    }

    #[test]
    fn every_day_of_eleven_centuries_counts_one_more_than_the_day_before() {
        let mut expected = date(b"1500-01-01").unwrap();
        assert_eq!(date(b"1970-01-01"), Some(0));
        for year in 1500..2600 {
            for month in 1..=12 {
                for day in 1..=31 {
                    if let Some(days) = date(format!("{year:04}-{month:02}-{day:02}").as_bytes()) {
                        assert_eq!(days, expected);
                        expected += 1;
                    }
                }
            }
        }
        assert_eq!(expected, date(b"2600-01-01").unwrap());
        assert_eq!(date(b"2000-03-01"), Some(11_017));
        assert_eq!(date(b"0000-01-01"), Some(-719_528));
    }

    #[test]
    fn instants_are_read_with_fractions_and_offsets() {
        assert_eq!(ms("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(ms("2024-01-01T00:00:04.731Z"), Some(1_704_067_204_731));
        assert_eq!(ms("2024-01-01t02:00:04.731+02:00"), Some(1_704_067_204_731));
        assert_eq!(ms("2023-12-31 18:30:04.7310000000-05:30"), Some(1_704_067_204_731));
        assert_eq!(ms("1969-12-31T23:59:59.999z"), Some(-1));
        assert_eq!(ms("2016-12-31T23:59:60Z"), ms("2017-01-01T00:00:00Z"));
        assert_eq!(ms("2024-01-01T00:00:00.0001Z"), None);
        let local = Instant::parse(b"2024-01-01T00:00:00.120").unwrap();
        assert_eq!((local.zoned, local.fraction), (false, 3));
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for wrong in [
            "",
            "2024",
            "2024-01-01",
            "2024-01-01T",
            "2024-01-01T00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-00-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-01-00T00:00:00Z",
            "2024-01-32T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:60:00Z",
            "2024-01-01T00:00:61Z",
            "2024-01-01T00:30:60Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00X",
            "2024-01-01T00:00:00+0100",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00Zx",
            "2024-01-01T00:00:00.1234567891Z",
            "2024/01/01T00:00:00Z",
            "2024-01-01T00-00-00Z",
            "2o24-01-01T00:00:00Z",
            "2024-01-01T0\\u0000:00Z",
            "\u{fe}024-01-01T00:00:00Z",
        ] {
            assert_eq!(Instant::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn nanoseconds_reach_exactly_as_far_as_64_bits() {
        let ns = |text: &str| Instant::parse(text.as_bytes()).unwrap().to_unit(TimeUnit::Nanosecond);
        assert_eq!(ns("2262-04-11T23:47:16.854775807Z"), Some(i64::MAX));
        assert_eq!(ns("2262-04-11T23:47:16.854775808Z"), None);
        assert_eq!(ns("1677-09-21T00:12:43.145224192Z"), Some(i64::MIN));
        assert_eq!(ns("1677-09-21T00:12:43.145224191Z"), None);
    }

    #[test]
    fn times_of_day_end_before_midnight() {
        let us = |text: &str| time_of_day(text.as_bytes(), TimeUnit::Microsecond);
        assert_eq!(us("00:00:00"), Some(0));
        assert_eq!(us("23:59:59.999999"), Some(86_399_999_999));
        assert_eq!(us("23:59:60"), None);
        assert_eq!(us("23:59:59.9999999"), None);
        assert_eq!(us("12:00:00Z"), None);
        assert_eq!(us("12:00"), None);
    }
}
