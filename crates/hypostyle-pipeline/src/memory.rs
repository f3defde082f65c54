//! The memory of the process, as the operating system reports it.

/// The peak resident memory of the process in bytes; `None` where the system doesn't say.
pub(crate) fn peak() -> Option<u64> {
    status("VmHWM:")
}

/// The resident memory of the process in bytes.
pub(crate) fn current() -> Option<u64> {
    status("VmRSS:")
}

fn status(key: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// Reads `"500MB"`, `"2 GiB"`, `"1000000"`.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let bytes = number * unit;
    (bytes.is_finite() && bytes >= 1.0).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [("500MB", Some(500_000_000)), ("1.5 GiB", Some(1_610_612_736)), ("7", Some(7))] {
            assert_eq!(parse(text), bytes, "{text}");
        }
        for text in ["", "MB", "5 apples", "-1", "0"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_peak_is_no_less_than_what_is_held() {
        if let (Some(now), Some(peak)) = (current(), peak()) {
            assert!(0 < now && now <= peak);
        }
    }
}
