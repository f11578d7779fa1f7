//! What a running process has cost so far, as the kernel accounts it under `/proc`.

use std::time::Duration;

/// The kernel's unit of `/proc/PID/stat`: a hundredth of a second on every Linux of today (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// User and system time of all threads of a process.
pub(crate) fn cpu(process_id: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process_id}/stat")).expect("the process runs, on a Linux");
    // The name of the program stands in parentheses and may hold anything; proc(5) counts fields from 1.
    let fields: Vec<&str> = stat.rsplit(')').next().expect("a part").split_whitespace().collect();
    let ticks = |field: usize| fields[field - 3].parse::<u32>().expect("proc(5) says: a number");
    TICK * (ticks(14) + ticks(15))
}

/// Resident memory in MiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Now.
    pub now: f64,
    /// The most it ever was.
    pub peak: f64,
}

/// What a process holds in memory.
pub(crate) fn memory(process_id: u32) -> Memory {
    let status = std::fs::read_to_string(format!("/proc/{process_id}/status")).expect("the process runs, on a Linux");
    let mib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("proc(5) lists it");
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("proc(5) says: a number of kB");
        kib / 1024.0
    };
    Memory { now: mib("VmRSS:"), peak: mib("VmHWM:") }
}
