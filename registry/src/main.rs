//! The binary: reads the arguments and leaves the rest to the library.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    registry::command::Arguments::parse().run()
}
