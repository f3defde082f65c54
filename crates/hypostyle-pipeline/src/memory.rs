//! The most memory that the process has held, as the kernel counted it: the figure that a claim of bounded memory is
//! judged by.

/// The peak resident memory of the process in bytes; `None` where the system doesn't say.
pub(crate) fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}
