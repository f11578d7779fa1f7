//! The same program under a name that no older tool has: `skill` is also a process-signalling
//! command on some systems, and one that exits 0 on many arguments. CI uses this name.

fn main() -> std::process::ExitCode {
    cli::main()
}
