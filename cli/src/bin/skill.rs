//! The program `skill`.

fn main() -> std::process::ExitCode {
    cli::main()
}
