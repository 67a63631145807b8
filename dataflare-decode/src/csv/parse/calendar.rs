//! Dates, times and timestamps, in the fixed places in which ISO 8601 and RFC 3339 have them.

use super::digits::{digits, word};

/// Reads dates, and remembers the last one: in most files many rows follow one another on one day.
#[derive(Debug, Clone)]
pub(in crate::csv) struct Dates {
    last: (u64, u16),
    days: i32,
}

impl Default for Dates {
    fn default() -> Self {
        Self { last: (u64::from_le_bytes(*b"1970-01-"), u16::from_le_bytes(*b"01")), days: 0 }
    }
}

impl Dates {
    /// The days from 1970-01-01 to the date in the first ten bytes, `YYYY-MM-DD`.
    #[inline(always)]
    pub(in crate::csv) fn parse(&mut self, tail: &[u8]) -> Option<i32> {
        let (head, rest) = tail.split_first_chunk::<8>()?;
        let text = (u64::from_le_bytes(*head), u16::from_le_bytes(*rest.first_chunk()?));
        if text != self.last {
            self.days = date(text.0, text.1)?;
            self.last = text;
        }
        Some(self.days)
    }
}

/// The days from 1970-01-01 to the date that `YYYY-MM-` and `DD` spell.
fn date(head: u64, tail: u16) -> Option<i32> {
    const SHAPE: u64 = u64::from_le_bytes(*b"0000-00-");
    let values = head ^ SHAPE;
    // A digit has no bits in its high nibble and is less than ten; a hyphen has become zero.
    if (values | values.wrapping_add(0x0f06_060f_0606_0606)) & 0xf0f0_f0f0_f0f0_f0f0 != 0 {
        return None;
    }
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let year = (pairs & 0xff) as i32 * 100 + (pairs >> 16 & 0xff) as i32;
    let month = (pairs >> 40 & 0xff) as i32;
    let day = digits(u64::from(tail), 2)? as i32;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=12).contains(&month) || !(1..=last).contains(&day) {
        return None;
    }
    // Years are counted from March, so that the leap day is the last one (Hinnant, "chrono-compatible
    // low-level date algorithms"); 719,468 days lie between 0000-03-01 and 1970-01-01.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let century = years.div_euclid(100);
    let leap_days = years.div_euclid(4) - century + century.div_euclid(4);
    Some(years * 365 + leap_days + (153 * months + 2) / 5 + day - 1 - 719_468)
}

/// A time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::csv) struct Clock {
    pub(in crate::csv) seconds: u32,
    pub(in crate::csv) nanos: u32,
    /// The digits behind the point.
    pub(in crate::csv) fraction: usize,
    /// The bytes that it takes.
    pub(in crate::csv) len: usize,
}

/// The time of day, `HH:MM[:SS[.fraction]]`, that the value starts with. A leap second is none.
#[inline(always)]
pub(in crate::csv) fn clock(tail: &[u8], len: usize) -> Option<Clock> {
    const SHAPE: u64 = u64::from_le_bytes(*b"00:00:00");
    let (text, has_seconds) = match len {
        8.. if tail.get(5) == Some(&b':') => (word(tail), true),
        5.. => ((word(tail) & 0xff_ffff_ffff) | u64::from_le_bytes(*b"\0\0\0\0\0:00"), false),
        _ => return None,
    };
    let values = text ^ SHAPE;
    if (values | values.wrapping_add(0x0606_0f06_060f_0606)) & 0xf0f0_f0f0_f0f0_f0f0 != 0 {
        return None;
    }
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let [hours, minutes, seconds] = [0, 24, 48].map(|shift| (pairs >> shift & 0xff) as u32);
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60 + seconds;
    if !has_seconds {
        return Some(Clock { seconds, nanos: 0, fraction: 0, len: 5 });
    }
    if len == 8 || !matches!(tail.get(8), Some(b'.' | b',')) {
        return Some(Clock { seconds, nanos: 0, fraction: 0, len: 8 });
    }
    let (nanos, fraction) = fraction(tail.get(9..)?, len - 9)?;
    Some(Clock { seconds, nanos, fraction, len: 9 + fraction })
}

/// The nanoseconds in the one to nine digits behind a point, and how many digits those are.
#[inline(always)]
fn fraction(tail: &[u8], len: usize) -> Option<(u32, usize)> {
    const POWERS: [u32; 10] =
        [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
    let text = word(tail);
    let values = text ^ 0x3030_3030_3030_3030;
    let others = (values | (values & 0x0f0f_0f0f_0f0f_0f0f).wrapping_add(0x0606_0606_0606_0606))
        & 0xf0f0_f0f0_f0f0_f0f0;
    let count = ((others.trailing_zeros() / 8) as usize).min(len);
    let value = digits(text, count)? as u32;
    match (count, tail.get(8)) {
        (8, Some(digit)) if len > 8 && digit.is_ascii_digit() => {
            let is_last = len == 9 || !tail.get(9)?.is_ascii_digit();
            is_last.then_some((value * 10 + u32::from(digit - b'0'), 9))
        }
        _ => Some((value * POWERS[count], count)),
    }
}

/// What a timestamp spells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::csv) struct Instant {
    /// Seconds since 1970-01-01, in UTC where `has_zone`, else by the clock on the wall.
    pub(in crate::csv) seconds: i64,
    pub(in crate::csv) nanos: u32,
    /// The digits behind the point.
    pub(in crate::csv) fraction: usize,
    pub(in crate::csv) has_zone: bool,
}

/// The timestamp that the first `len` bytes spell: a date, a `T` or a space, a time, and perhaps `Z`,
/// ` UTC` or an offset such as `+02:00`, `+0200` or `+02`. A date alone is its midnight.
#[inline(always)]
pub(in crate::csv) fn timestamp(dates: &mut Dates, tail: &[u8], len: usize) -> Option<Instant> {
    if len < 10 {
        return None;
    }
    let midnight = i64::from(dates.parse(tail)?) * 86_400;
    if len == 10 {
        return Some(Instant { seconds: midnight, nanos: 0, fraction: 0, has_zone: false });
    }
    if !matches!(tail[10], b'T' | b' ' | b't') {
        return None;
    }
    let time = clock(&tail[11..], len - 11)?;
    let seconds = midnight + i64::from(time.seconds);
    let (nanos, fraction) = (time.nanos, time.fraction);
    let (has_zone, offset) = match tail.get(11 + time.len..len)? {
        [] => (false, 0),
        b"Z" | b"z" => (true, 0),
        zone => (true, offset(zone)?),
    };
    Some(Instant { seconds: seconds - offset, nanos, fraction, has_zone })
}

/// The seconds east of UTC of a zone that is given as such.
fn offset(zone: &[u8]) -> Option<i64> {
    let zone = zone.strip_prefix(b" ").unwrap_or(zone);
    let (sign, hours, minutes) = match *zone {
        [b'U', b'T', b'C'] | [b'Z'] => return Some(0),
        [sign, a, b] => (sign, [a, b], *b"00"),
        [sign, a, b, b':', c, d] | [sign, a, b, c, d] => (sign, [a, b], [c, d]),
        _ => return None,
    };
    let [hours, minutes] = [hours, minutes].map(|pair| digits(u64::from(u16::from_le_bytes(pair)), 2));
    let (hours, minutes) = (hours?.cast_signed(), minutes?.cast_signed());
    let seconds = (hours < 24 && minutes < 60).then_some(hours * 3600 + minutes * 60)?;
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(i64, u32, bool)> {
        let alone = timestamp(&mut Dates::default(), text.as_bytes(), text.len());
        let longer = format!("{text}00:00:00Z,2024");
        let within = timestamp(&mut Dates::default(), longer.as_bytes(), text.len());
        assert_eq!(alone, within, "{text}");
        alone.map(|instant| (instant.seconds, instant.nanos, instant.has_zone))
    }

    #[test]
    fn every_day_of_the_calendar_in_order() {
        let mut expected =
            date(u64::from_le_bytes(*b"0000-01-"), u16::from_le_bytes(*b"01")).expect("a date");
        assert_eq!(expected, -719_528);
        for year in 0..=9999 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            for (month, days) in (1..).zip([31, 28 + u32::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
            {
                for day in 0..=days + 1 {
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    let found = Dates::default().parse(text.as_bytes());
                    let valid = (1..=days).contains(&day);
                    assert_eq!(found, valid.then_some(expected), "{text}");
                    expected += i32::from(valid);
                }
            }
        }
        assert_eq!(Dates::default().parse(b"1970-01-01"), Some(0));
    }

    #[test]
    fn timestamps_in_all_their_forms() {
        for (text, seconds, nanos, has_zone) in [
            ("2024-01-01T00:00:00.123Z", 1_704_067_200, 123_000_000, true),
            ("2024-01-01 00:00:01", 1_704_067_201, 0, false),
            ("2024-01-01", 1_704_067_200, 0, false),
            ("2024-01-01T23:59", 1_704_153_540, 0, false),
            ("2024-01-01T02:00:00+02:00", 1_704_067_200, 0, true),
            ("2023-12-31 18:30:00.5-0530", 1_704_067_200, 500_000_000, true),
            ("2024-01-01 00:00:00.123456+00", 1_704_067_200, 123_456_000, true),
            ("2024-01-01 00:00:00.12345678", 1_704_067_200, 123_456_780, false),
            ("2024-01-01 00:00:00.123456789 UTC", 1_704_067_200, 123_456_789, true),
            ("1969-12-31T23:59:59.999z", -1, 999_000_000, true),
        ] {
            assert_eq!(parsed(text), Some((seconds, nanos, has_zone)), "{text}");
        }
    }

    #[test]
    fn what_is_no_timestamp_is_refused() {
        for text in [
            "",
            "2024-1-1",
            "2024-02-30",
            "2023-02-29 00:00:00",
            "2024-13-01",
            "2024/01/01",
            "2024-01-01T",
            "2024-01-01T1",
            "2024-01-01T24:00:00",
            "2024-01-01T00:60:00",
            "2024-01-01T00:00:60",
            "2024-01-01T00:00:00.",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00.1234567890",
            "2024-01-01T00:00:00+",
            "2024-01-01T00:00:00+25:00",
            "2024-01-01T00:00:00 Berlin",
            "2024-01-01x00:00:00",
            "2024-01-01T00.00.00",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
