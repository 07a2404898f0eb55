//! The memory of a process on this machine.

use std::fs;

/// Bytes that the process has in memory now; `None` if there is no such process, or the system does not tell.
pub(crate) fn resident_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_no_process_has_none() {
        if cfg!(target_os = "linux") {
            assert!(resident_bytes(std::process::id()).is_some_and(|bytes| bytes > 1 << 16));
        }
        assert_eq!(resident_bytes(u32::MAX), None);
    }
}
