//! What the person sees: data on stdout, talk on stderr.
//!
//! A command returns an [`Answer`] and never prints it; `lib.rs` prints it once, as text or, with
//! `--json`, inside the stable envelope. While it works, a command talks through [`Ui`]: notes and
//! warnings on stderr, progress bars on a terminal only. Colour repeats meaning and never carries it.

use std::io::{BufRead, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::failure::{Exit, Failure};
use crate::shown;

/// What a command has to say at its end.
#[derive(Debug)]
pub struct Answer {
    /// For people; printed to stdout as it is. Empty: nothing is printed.
    pub text: String,
    /// For programs: the `data` of the envelope.
    pub data: Value,
    /// Usually [`Exit::Done`]; `verify` and `lint` have answers that are failures.
    pub exit: Exit,
}

impl Answer {
    /// An answer that means success.
    pub fn new(text: impl Into<String>, data: Value) -> Self {
        Self { text: text.into(), data, exit: Exit::Done }
    }

    /// The same answer, with another exit code.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The person at the other end, or the lack of one.
#[derive(Debug, Clone)]
pub struct Ui {
    quiet: bool,
    verbose: bool,
    json: bool,
    color: bool,
    progress: bool,
    interactive: bool,
}

impl Ui {
    /// Looks at the flags and at the terminal, once.
    pub fn new(quiet: bool, verbose: bool, json: bool, color: Color, no_progress: bool) -> Self {
        let err_terminal = std::io::stderr().is_terminal();
        let ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0");
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => err_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        Self {
            quiet,
            verbose,
            json,
            color,
            progress: err_terminal && !quiet && !json && !no_progress && !ci,
            interactive: err_terminal && std::io::stdin().is_terminal() && !ci && !json,
        }
    }

    /// Whether a question can be asked: a terminal on both sides, and not CI.
    pub fn interactive(&self) -> bool {
        self.interactive
    }

    /// Whether `--json` was given.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Says what happens, for a person who watches.
    pub fn note(&self, text: impl AsRef<str>) {
        if !self.quiet {
            eprintln!("{}", shown::text(text.as_ref()));
        }
    }

    /// Says a detail, only with `-v`.
    pub fn detail(&self, text: impl AsRef<str>) {
        if self.verbose && !self.quiet {
            eprintln!("{}", shown::text(text.as_ref()));
        }
    }

    /// Says what should not be overlooked; also under `-q`.
    pub fn warn(&self, text: impl AsRef<str>) {
        eprintln!("{} {}", self.paint("33", "warning:"), shown::text(text.as_ref()));
    }

    /// Asks a yes-or-no question; no terminal, or anything but `y`/`yes`, is a no.
    pub fn confirm(&self, question: &str) -> bool {
        if !self.interactive {
            return false;
        }
        eprint!("{} [y/N] ", shown::text(question));
        let mut line = String::new();
        let read = std::io::stderr().flush().and_then(|()| std::io::stdin().lock().read_line(&mut line));
        read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes" | "Yes")
    }

    /// A bar over `total` steps, hidden where nobody watches.
    pub fn bar(&self, verb: &'static str, total: usize) -> ProgressBar {
        if !self.progress || total < 2 {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{prefix:>10} [{bar:30}] {pos}/{len} {wide_msg}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(verb);
        bar
    }

    /// Prints the end of a command and gives its exit code.
    pub fn finish(&self, command: &str, result: Result<Answer, Failure>) -> Exit {
        match result {
            Ok(answer) => {
                let exit = answer.exit;
                if self.json {
                    print_out(&format!(
                        "{}\n",
                        json!({"v": 1, "command": command, "exit": exit as u8, "data": answer.data})
                    ));
                } else {
                    print_out(&answer.text);
                }
                exit
            }
            Err(failure) => {
                self.print_failure(command, &failure);
                failure.exit
            }
        }
    }

    fn print_failure(&self, command: &str, failure: &Failure) {
        if self.json {
            let findings: Vec<Value> = failure.findings.iter().map(crate::report::finding_json).collect();
            let error =
                json!({"code": failure.code, "message": failure.message, "hint": failure.hint, "findings": findings});
            print_out(&format!(
                "{}\n",
                json!({"v": 1, "command": command, "exit": failure.exit as u8, "error": error})
            ));
            return;
        }
        eprintln!("{} {}", self.paint("1;31", "error:"), shown::text(&failure.message));
        for finding in &failure.findings {
            eprintln!("  {}", crate::report::finding_line(finding));
        }
        if let Some(hint) = &failure.hint {
            eprintln!("{} {}", self.paint("36", "hint:"), shown::text(hint));
        }
    }

    /// Wraps text in an ANSI style where colour is wanted.
    pub fn paint(&self, style: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{style}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Prints to stdout; a reader that went away (`skill list | head`) is no failure.
fn print_out(text: &str) {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if let Err(error) = written
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        eprintln!("error: could not write the answer: {error}");
    }
}
