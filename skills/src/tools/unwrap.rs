//! What a shell line would start, after taking away what is wrapped around it.
//!
//! Agents' own rules match the first words of a line; `sh -c 'dropdb x'`, `sudo -u postgres dropdb x`,
//! `/usr/bin/dropdb x`, `A=1 dropdb x` and `echo $(dropdb x)` pass them by. Here each of these is the command
//! `dropdb x`. Programs that start others are not read option by option: *every* tail of their words
//! counts as a command, and every word as a line, which also holds for options nobody here has heard of.
//! That finds too much now and then (`sudo cat dropdb`), and never too little for want of a table.
//!
//! It remains a reading of text. A script, an interpreter's `-c`, a variable set elsewhere are not seen
//! through; where a line says that it decides at run time, the answer is that nobody knows.

mod lexer;

use std::collections::BTreeSet;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use self::lexer::Token;
use super::rule::{Effect, Rule, Subject};
use crate::refusal::Refusal;

/// Longest line in bytes: an operating system takes no more than a few of these.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// Deepest nesting of lines in lines.
const DEPTH_MAX: usize = 12;

/// Most commands of a line, counted with every tail.
const COMMANDS_MAX: usize = 4096;

/// Most tails of one command that are looked at; beyond, nobody knows.
const TAILS_MAX: usize = 256;

/// Programs that run a text they are given, or what they read.
const SHELLS: [&str; 10] = ["sh", "bash", "dash", "zsh", "ksh", "mksh", "fish", "ash", "rbash", "su"];

/// Words of the shell that run what a file holds.
const READERS: [&str; 2] = ["source", "."];

/// Programs, and words of the shell, that start what the rest of their words say.
const STARTERS: [&str; 45] = [
    "env",
    "sudo",
    "doas",
    "runuser",
    "nice",
    "ionice",
    "chrt",
    "taskset",
    "timeout",
    "nohup",
    "setsid",
    "setpriv",
    "stdbuf",
    "unbuffer",
    "time",
    "command",
    "exec",
    "builtin",
    "eval",
    "trap",
    "alias",
    "xargs",
    "parallel",
    "find",
    "fd",
    "entr",
    "watch",
    "chroot",
    "unshare",
    "nsenter",
    "bwrap",
    "firejail",
    "flock",
    "prlimit",
    "strace",
    "ltrace",
    "busybox",
    "toybox",
    "script",
    "ssh",
    "systemd-run",
    "fakeroot",
    "caffeinate",
    "coproc",
    "function",
];

/// Words of the shell in front of a command.
const KEYWORDS: [&str; 10] = ["if", "then", "else", "elif", "while", "until", "do", "!", "{", "}"];

/// A word of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Word {
    /// What is known of it.
    pub text: String,
    /// Where in it something stands that is decided at run time, in bytes.
    pub unknown: Option<usize>,
}

impl Word {
    fn unknown_from(&mut self, c: char) {
        self.unknown = Some(self.text.len());
        self.text.push(c);
    }

    /// The name of a program: without its folder, which may be unknown.
    fn program(&self) -> Option<&str> {
        let start = self.text.rfind('/').map_or(0, |at| at + 1);
        let name = &self.text[start..];
        let name = name.strip_suffix(".exe").unwrap_or(name);
        self.unknown.is_none_or(|at| at < start).then_some(name)
    }

    fn is_assignment(&self) -> bool {
        let name = self.text.split_once('=').map(|(name, _)| name.trim_end_matches('+'));
        name.is_some_and(|name| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
    }
}

/// How surely a rule is about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// It is not.
    No,
    /// It may be: something is decided at run time.
    Maybe,
    /// It is.
    Yes,
}

/// What a line would start and open.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Commands, as words; tails of the words of programs that start others among them.
    pub commands: Vec<Vec<Word>>,
    /// Files that redirections read.
    pub read: Vec<Word>,
    /// Files that redirections write.
    pub written: Vec<Word>,
    /// Whether something in it cannot be known from its text.
    pub is_unclear: bool,
    /// Whether it is one plain command, as it stands: a rule of the agent's own sees it too.
    pub is_plain: bool,
}

impl Line {
    /// Reads a line; one that is too long, too deep or too rich to be judged is refused.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let mut line = Self::default();
        let mut waiting = vec![(text.to_owned(), 0)];
        while let Some((text, depth)) = waiting.pop() {
            if text.len() > LINE_BYTES_MAX || depth > DEPTH_MAX {
                return Err(too_much());
            }
            let inner = line.add(&text);
            waiting.extend(inner.into_iter().map(|inner| (inner, depth + 1)));
            if line.commands.len() + waiting.len() > COMMANDS_MAX {
                return Err(too_much());
            }
        }
        line.is_unclear |= line.commands.iter().any(|command| is_renaming(command));
        line.is_plain = !line.is_unclear && super::words::split(text).is_ok_and(|words| line.is_only(&words));
        Ok(line)
    }

    fn is_only(&self, words: &[String]) -> bool {
        let mut seen = self.commands.iter().map(|command| command.iter().map(|word| &word.text).collect::<Vec<_>>());
        seen.next().is_some_and(|first| first.into_iter().eq(words)) && seen.next().is_none()
    }

    /// Adds the commands of one line; gives the lines in it.
    fn add(&mut self, text: &str) -> Vec<String> {
        let read = lexer::read(text);
        self.is_unclear |= read.is_torn;
        let mut inner = read.inner;
        let (mut words, mut inputs) = (Vec::new(), Vec::new());
        // What a here-document holds comes after the line that names it, and before the next break.
        for token in read.tokens.into_iter().chain([Token::Break]) {
            match token {
                Token::Word(word) => words.push(word),
                Token::Input(text) => inputs.push(text),
                Token::Redirected { word, written: true } => self.written.push(word),
                Token::Redirected { word, written: false } => self.read.push(word),
                Token::Break => {
                    let command = std::mem::take(&mut words);
                    inner.extend(self.add_command(command, &std::mem::take(&mut inputs)));
                }
            }
        }
        inner
    }

    /// Adds one command and all that it may start; gives its words that are lines.
    fn add_command(&mut self, mut words: Vec<Word>, inputs: &[String]) -> Vec<String> {
        let is_prefix = |word: &Word| {
            word.is_assignment()
                || (word.unknown.is_none_or(|_| word.text == "{") && KEYWORDS.contains(&word.text.as_str()))
        };
        let start = words.iter().position(|word| !is_prefix(word)).unwrap_or(words.len());
        self.is_unclear |= words[..start].iter().any(|word| word.text.starts_with("GIT_CONFIG"));
        words.drain(..start);
        let Some(first) = words.first() else { return Vec::new() };
        let name = first.program().map(str::to_ascii_lowercase);
        let is_one_of = |names: &[&str]| name.as_deref().is_some_and(|name| names.contains(&name));
        let is_starter = is_one_of(&SHELLS) || is_one_of(&READERS) || is_one_of(&STARTERS);
        let mut inner = Vec::new();
        if is_starter {
            inner.extend(words[1..].iter().flat_map(lines_of));
            self.add_tails(&words);
        }
        let is_question = name.as_deref() == Some("command") && words.get(1).is_some_and(|word| word.text == "-v");
        let shell = words.iter().position(is_shell).filter(|at| *at == 0 || is_starter && !is_question);
        if let Some(at) = shell {
            inner.extend(inputs.iter().cloned());
            self.is_unclear |= words[at + 1..].iter().all(is_no_script) && inputs.is_empty();
        }
        self.commands.push(words);
        inner
    }

    /// Every tail of the words is what the program may start. A tail whose first word is unknown is of
    /// interest only near the front: further on it is an argument.
    fn add_tails(&mut self, words: &[Word]) {
        self.is_unclear |= words.len() > TAILS_MAX;
        let mut plain = 0;
        for (at, word) in words.iter().enumerate().take(TAILS_MAX).skip(1) {
            match word.program() {
                Some(_) => self.commands.push(words[at..].to_vec()),
                None if plain < 2 => self.is_unclear = true,
                None => {}
            }
            plain += usize::from(!word.text.starts_with('-') && !word.is_assignment());
        }
    }

    /// How surely a rule is about it. Commands are compared word by word, options in between left out;
    /// globs with every word that names a file.
    pub fn fit(&self, rule: &Rule) -> Fit {
        let fit = match &rule.subject {
            Subject::Command(prefix) => {
                self.commands.iter().map(|command| begins(command, prefix)).max().unwrap_or(Fit::No)
            }
            Subject::Read(globs) => {
                let words = self.commands.iter().flat_map(|command| command.iter().skip(1));
                names(words.chain(&self.read), globs)
            }
            Subject::Edit(globs) => names(self.written.iter(), globs),
        };
        let unclear = if self.is_unclear && matches!(rule.subject, Subject::Command(_)) { Fit::Maybe } else { Fit::No };
        fit.max(unclear)
    }
}

/// What the rules say about a line: the strictest, and the rule that says it. What may be denied is asked
/// about.
pub fn judge<'a>(rules: impl IntoIterator<Item = &'a Rule>, line: &Line) -> Option<(Effect, &'a Rule)> {
    let effect = |rule: &'a Rule| match line.fit(rule) {
        Fit::No => None,
        Fit::Maybe => Some((Effect::Ask, rule)),
        Fit::Yes => Some((rule.effect, rule)),
    };
    rules.into_iter().filter_map(effect).max_by_key(|(effect, _)| *effect)
}

fn too_much() -> Refusal {
    Refusal::new("command-too-complex", "the command is too long or too deeply nested to be judged")
        .hint("write it as several plain commands")
}

fn is_shell(word: &Word) -> bool {
    let name = word.program().map(str::to_ascii_lowercase);
    name.is_some_and(|name| SHELLS.contains(&name.as_str()) || READERS.contains(&name.as_str()))
}

/// An option, or a name of what comes in: then the text that runs is nowhere in the words.
fn is_no_script(word: &Word) -> bool {
    let is_device = ["/dev/", "/proc/"].iter().any(|folder| word.text.starts_with(folder));
    word.text.starts_with(['-', '+']) || word.unknown.is_some() || is_device
}

/// Whether Git is told other names for its commands here.
fn is_renaming(command: &[Word]) -> bool {
    let is_git = command.first().and_then(Word::program).is_some_and(|name| name.eq_ignore_ascii_case("git"));
    let renames = |word: &Word| {
        let text = word.text.to_ascii_lowercase();
        text.contains("alias.") || text.contains("include.path") || text.contains("includeif.")
    };
    is_git && command.iter().any(renames)
}

/// Lines that a word may hold: itself, and what stands behind `-S` or an equals sign.
fn lines_of(word: &Word) -> Vec<String> {
    let text = word.text.as_str();
    let value = text.strip_prefix("-S").or_else(|| text.split_once('=').map(|(_, value)| value));
    let is_rich = |line: &&str| line.contains(|c: char| !c.is_ascii_alphanumeric() && !"-_./".contains(c));
    Some(text).filter(is_rich).into_iter().chain(value).map(str::to_owned).collect()
}

/// Whether a command begins with these words. An option in between is passed over, with or without a value:
/// `git -C x push` begins with `git push`.
fn begins(command: &[Word], prefix: &[String]) -> Fit {
    let Some((wanted, rest)) = prefix.split_first() else { return Fit::Yes };
    let Some((first, tail)) = command.split_first() else { return Fit::No };
    match first.program() {
        None => Fit::Maybe,
        Some(name) if name.eq_ignore_ascii_case(wanted) => follows(tail, rest),
        Some(_) => Fit::No,
    }
}

/// All ways to read the options at once, word by word, so that the work is bounded: how many of the wanted
/// words were seen, and whether the word before was an option that may take a value.
fn follows(words: &[Word], wanted: &[String]) -> Fit {
    let mut ways = BTreeSet::from([(0, false)]);
    for word in words {
        if ways.iter().any(|(seen, _)| *seen == wanted.len()) {
            return Fit::Yes;
        }
        if word.unknown.is_some() {
            return Fit::Maybe;
        }
        let is_option = word.text.starts_with('-');
        let mut next = BTreeSet::new();
        for (seen, takes_value) in ways {
            if wanted[seen] == word.text {
                next.insert((seen + 1, false));
            }
            if is_option || takes_value {
                next.insert((seen, is_option));
            }
        }
        ways = next;
    }
    if ways.iter().any(|(seen, _)| *seen == wanted.len()) { Fit::Yes } else { Fit::No }
}

/// Whether one of the words names a file that one of the globs fits.
fn names<'a>(mut words: impl Iterator<Item = &'a Word>, globs: &[String]) -> Fit {
    let globs = Paths::of(globs);
    let is_named = words.any(|word| word.unknown.is_none() && globs.fit(&word.text));
    if is_named { Fit::Yes } else { Fit::No }
}

/// Globs of a rule, read as a `.gitignore` reads them: without a slash they fit in every folder, and a
/// folder with all that is in it. Upper and lower case are one, as on some disks.
#[derive(Debug)]
pub struct Paths(GlobSet);

impl Paths {
    /// Compiles the globs of a rule.
    pub fn of(globs: &[String]) -> Self {
        let mut set = GlobSetBuilder::new();
        for glob in globs {
            let bare = glob.trim_end_matches('/');
            let anywhere = if bare.contains('/') { "" } else { "**/" };
            let folder = bare.strip_suffix("/**").unwrap_or(bare);
            for glob in [format!("{anywhere}{bare}"), format!("{anywhere}{folder}"), format!("{anywhere}{folder}/**")] {
                let glob = GlobBuilder::new(&glob).literal_separator(true).case_insensitive(true).build();
                set.add(glob.expect("the manifest's globs compile, and so do they with a folder in front"));
            }
        }
        Self(set.build().expect("globs that compile one by one compile together"))
    }

    /// Whether a path of the project fits one of them.
    pub fn fit(&self, path: &str) -> bool {
        self.0.is_match(path.trim_start_matches("./"))
    }
}

#[cfg(test)]
mod tests;
