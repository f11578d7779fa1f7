//! The commands, one file each: arguments, help and work of a command stand together.

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;
use crate::ui::Answer;

/// Declares the commands once: the enum that clap reads, the dispatch, and the name of each.
macro_rules! commands {
    ($($(#[$meta:meta])* $variant:ident => $module:ident, $name:literal;)*) => {
        $(pub mod $module;)*

        /// Every command of `skill`.
        #[derive(Debug, Subcommand)]
        pub enum Command {
            $($(#[$meta])* #[command(name = $name)] $variant($module::Args),)*
        }

        impl Command {
            /// The name as typed.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// Runs the command.
            pub fn run(self, context: &Context) -> Result<Answer, Failure> {
                match self {
                    $(Self::$variant(args) => $module::run(args, context),)*
                }
            }
        }
    };
}

commands! {
    /// Print a completion script for your shell
    Completions => completions, "completions";
}
