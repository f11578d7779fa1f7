//! `cargo measure`: how far are we from the physical floor, and where do others stand?
//!
//! Publishes skills made from the corpus into a fresh registry, then times every journey of the
//! release binaries: wall, CPU, peak memory, and the ratio to a floor measured in the same run,
//! which does the same unavoidable work in one plain loop (hash the same bytes, check as many
//! signatures, write the same files, one GET each). Machines are noisy: these are figures to read,
//! not a test, and nothing here fails on a time.
//!
//! `cargo measure [--quick] [install|publish|get|memory]…`: all parts, or those named. Without
//! `../shared` the skills are made up.
//!
//! ```text
//! install    journeys: install cold, warm, no-op; verify; resolve; and beside them uv and pnpm
//! publish    durable publishes a second: `skill publish`, and the registry alone from 1 and 8 clients
//! get        an index file and an archive, beside a bare handler
//! memory     the registry, empty and with 10,000 skills
//! ```
//!
//! ```text
//! stage, project     registry, home and repository that the journeys play in
//! input, sealed      skills as files; the same packed, signed and put into requests
//! aside              how something is forgotten between two rounds
//! once, process      what a command cost; what a server has cost so far
//! floor, durable     the unavoidable work, done plainly
//! wire, load, bare   a client that costs little; the handler that nothing can be cheaper than
//! table              how a line is printed
//! ```

mod aside;
mod bare;
mod durable;
mod floor;
mod input;
mod journeys;
mod load;
mod memory;
mod once;
mod peers;
mod process;
mod project;
mod publishing;
mod sealed;
mod serving;
mod stage;
mod table;
mod wire;

use std::process::ExitCode;

use stage::Stage;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).peekable();
    match arguments.peek().and_then(|argument| argument.to_str()) {
        Some(once::FLAG) => return once::run(arguments.skip(1)),
        Some(bare::FLAG) => return bare::run(arguments.skip(1)),
        _ => {}
    }
    let words: Vec<String> = arguments.map(|word| word.to_string_lossy().into_owned()).collect();
    match Asked::parse(&words) {
        Ok(asked) => measure(&asked),
        Err(word) => {
            eprintln!("error: unknown part `{word}`\nhint: `cargo measure [--quick] [{}]…`", PARTS.join("|"));
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// What can be measured alone.
const PARTS: [&str; 4] = ["install", "publish", "get", "memory"];

/// What the arguments asked for.
struct Asked {
    quick: bool,
    parts: Vec<String>,
}

impl Asked {
    /// The word that is no part, where there is one.
    fn parse(words: &[String]) -> Result<Self, String> {
        let (flags, parts): (Vec<&String>, Vec<&String>) = words.iter().partition(|word| *word == "--quick");
        match parts.iter().find(|part| !PARTS.contains(&part.as_str())) {
            Some(unknown) => Err((*unknown).clone()),
            None => Ok(Self { quick: !flags.is_empty(), parts: parts.into_iter().cloned().collect() }),
        }
    }

    fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|asked| asked == part)
    }

    /// A full count, or a quick one.
    fn count(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }
}

fn measure(asked: &Asked) {
    let stage = Stage::open();
    if asked.wants("install") {
        journeys::measure(&stage, asked.count(100, 20), asked.count(400, 40));
    }
    if asked.wants("publish") {
        publishing::measure(&stage, asked.count(1_000, 100));
    }
    if asked.wants("get") {
        serving::measure(&stage, asked.count(40_000, 4_000));
    }
    if asked.wants("memory") {
        memory::measure(asked.count(10_000, 500));
    }
    eprintln!("all is measured; deleting the files, which takes minutes on a disk that is told of each (`discard`)");
}
