//! How much memory this process holds.

use nix::sys::resource::{UsageWho, getrusage};

/// The memory of this process as the system sees it; a part is `None` where the system does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Resident now.
    pub rss_bytes: Option<u64>,
    /// The most that was ever resident.
    pub peak_bytes: Option<u64>,
}

impl Memory {
    /// Asks the system.
    pub fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self {
            rss_bytes: kibibytes(&status, "VmRSS:"),
            peak_bytes: kibibytes(&status, "VmHWM:").or_else(peak_by_getrusage),
        }
    }
}

/// The value of a line such as `VmHWM:     1234 kB`, in bytes.
fn kibibytes(status: &str, label: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(label))?;
    let number: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(number * 1024)
}

/// For systems without `/proc`. Second choice: on Linux the number outlives `exec`.
fn peak_by_getrusage() -> Option<u64> {
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    let peak = getrusage(UsageWho::RUSAGE_SELF).ok()?.max_rss();
    u64::try_from(peak).ok().map(|peak| peak * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_covers_memory_that_was_touched() {
        let touched = std::hint::black_box(vec![1_u8; 32 << 20]);
        let memory = Memory::now();
        assert!(memory.peak_bytes.unwrap() >= touched.len() as u64, "{memory:?}");
        assert!(memory.peak_bytes >= memory.rss_bytes, "{memory:?}");
    }

    #[test]
    fn both_ways_to_ask_agree_on_the_order_of_magnitude() {
        let by_proc = Memory::now().peak_bytes.unwrap();
        let by_call = peak_by_getrusage().unwrap();
        assert!(by_call >= by_proc / 2 && by_call / 64 <= by_proc, "{by_call} against {by_proc}");
    }

    #[test]
    fn a_status_without_the_line_is_no_number() {
        assert_eq!(kibibytes("VmRSS:\t  12 kB\n", "VmRSS:"), Some(12 * 1024));
        assert_eq!(kibibytes("VmRSS:\t  12 kB\n", "VmHWM:"), None);
        assert_eq!(kibibytes("VmHWM:\t  many kB\n", "VmHWM:"), None);
    }
}
