//! Numbers as people read them.

use std::time::Duration;

/// A count in two or three digits: `950`, `1.2k`, `98k`, `1.2M`.
pub(super) fn count(count: f64) -> String {
    let (number, prefix) = short(count);
    format!("{number}{prefix}")
}

/// Bytes in two or three digits, by thousands: `950 B`, `1.2 kB`, `45 MB`.
pub(super) fn bytes(bytes: f64) -> String {
    let (number, prefix) = short(bytes);
    format!("{number} {prefix}B")
}

/// A duration by its two largest units: `20s`, `1m 20s`, `2h 3m`; below ten seconds with hundredths
/// where `exact`.
pub(super) fn duration(duration: Duration, exact: bool) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 if exact => format!("{:.2}s", duration.as_secs_f64()),
        0..60 if exact => format!("{:.1}s", duration.as_secs_f64()),
        _ => humantime::format_duration(Duration::from_secs(match seconds {
            0..3_600 => seconds,
            3_600..86_400 => seconds - seconds % 60,
            _ => seconds - seconds % 3_600,
        }))
        .to_string(),
    }
}

/// The number rounded to what is shown before its prefix is chosen, so that it is never `1000k`.
fn short(mut number: f64) -> (String, &'static str) {
    const PREFIXES: [&str; 6] = ["k", "M", "G", "T", "P", "E"];
    let mut prefix = "";
    for larger in PREFIXES {
        if number < 999.5 {
            break;
        }
        number /= 1000.0;
        prefix = larger;
    }
    let decimals = usize::from(!prefix.is_empty() && number < 9.95);
    (format!("{number:.decimals$}"), prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_take_two_or_three_digits() {
        let cases = [
            (0.0, "0"),
            (7.4, "7"),
            (999.4, "999"),
            (999.6, "1.0k"),
            (1_234.0, "1.2k"),
            (9_949.0, "9.9k"),
            (9_951.0, "10k"),
            (98_400.0, "98k"),
            (999_499.0, "999k"),
            (999_501.0, "1.0M"),
            (1_234_567.0, "1.2M"),
            (u64::MAX as f64, "18E"),
        ];
        for (number, text) in cases {
            assert_eq!(count(number), text, "{number}");
        }
        assert_eq!((bytes(950.0).as_str(), bytes(45e6).as_str()), ("950 B", "45 MB"));
    }

    #[test]
    fn durations_show_their_two_largest_units() {
        let cases = [(0, "0s"), (20, "20s"), (80, "1m 20s"), (7_385, "2h 3m"), (180_001, "2days 2h")];
        for (seconds, text) in cases {
            assert_eq!(duration(Duration::from_secs(seconds), false), text);
        }
        assert_eq!(duration(Duration::from_millis(2_346), true), "2.35s");
        assert_eq!(duration(Duration::from_millis(12_345), true), "12.3s");
        assert_eq!(duration(Duration::from_millis(80_999), true), "1m 20s");
    }
}
