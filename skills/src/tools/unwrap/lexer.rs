//! A shell line as words and breaks, with what the shell would run inside of words.
//!
//! Reads as POSIX shells and Bash do, as far as it takes to know which words start a program. What is only
//! decided at run time (`$x`, globs, braces) makes a word unknown instead of guessed. Where a line uses what
//! is not read here to the letter (arithmetic with `<<`, quotes in `${…}`, `case` in `$(…)`), it counts as
//! torn, so that nothing is taken for text that a shell would run.

use super::{DEPTH_MAX, Word};

/// Longest arithmetic that is looked into; what is longer is not known.
const ARITHMETIC_CHARS_MAX: usize = 256;

/// A piece of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word of a command.
    Word(Word),
    /// The end of a command: `;`, `&`, `|`, a parenthesis, a new line.
    Break,
    /// A file that a redirection names.
    Redirected {
        /// Its name.
        word: Word,
        /// Whether it is written.
        written: bool,
    },
    /// Text that a command gets as its input.
    Input(String),
}

/// What was read of a line.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) tokens: Vec<Token>,
    /// Lines that the shell runs to make a word of their output.
    pub(super) inner: Vec<String>,
    /// A quote or parenthesis that nothing closes, or that may close elsewhere than it is read here.
    pub(super) is_torn: bool,
}

/// Reads a line.
pub(super) fn read(text: &str) -> Read {
    let mut lexer = Lexer::at(text.chars().collect(), 0, 0);
    while lexer.at < lexer.chars.len() {
        lexer.step();
    }
    lexer.read
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    /// How many substitutions are around this one.
    depth: usize,
    read: Read,
    waiting: Vec<Waiting>,
    /// Whether `[[` was there: in it, a parenthesis may hold `<<` as text.
    is_bracketed: bool,
}

/// A here-document that begins after this line.
struct Waiting {
    /// The line that ends it.
    end: String,
    /// Whether the shell expands its text.
    is_expanded: bool,
    /// Whether tabs in front of its lines are taken off: `<<-`.
    is_indented: bool,
}

impl Lexer {
    fn at(chars: Vec<char>, at: usize, depth: usize) -> Self {
        Self { chars, at, depth, read: Read::default(), waiting: Vec::new(), is_bracketed: false }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn is_next(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == Some(c))
    }

    /// One token, or the blanks before it.
    fn step(&mut self) {
        match self.peek(0) {
            None => {}
            Some(' ' | '\t') => self.at += 1,
            // A character like others to some shells, and none to their readers.
            Some('\r') => {
                self.read.is_torn = true;
                self.at += 1;
            }
            Some('\\') if self.is_next("\\\n") => self.at += 2,
            Some('\n') => self.new_line(),
            Some('#') => {
                while !matches!(self.peek(0), None | Some('\n')) {
                    self.at += 1;
                }
            }
            Some('&') if self.is_next("&>") => self.redirection(),
            Some('<' | '>') if self.peek(1) != Some('(') => self.redirection(),
            Some(';' | '&' | '|' | '(' | ')') => {
                self.read.is_torn |= self.is_odd_parenthesis();
                self.at += 1;
                self.read.tokens.push(Token::Break);
            }
            Some(_) => self.word_or_redirection(),
        }
    }

    /// `((1 << 2))`, where `<<` is no here-document and `#` no comment, and patterns like `@(a|b)`.
    fn is_odd_parenthesis(&self) -> bool {
        let is_pattern = self.at > 0 && "?*+@!".contains(self.chars[self.at - 1]);
        self.is_next("(") && is_pattern || self.is_next("((") && self.is_rich_arithmetic()
    }

    fn is_rich_arithmetic(&self) -> bool {
        let inside: Vec<char> = self.chars[self.at..].iter().take(ARITHMETIC_CHARS_MAX).copied().collect();
        let end = inside.windows(2).position(|pair| pair == [')', ')']);
        end.is_none_or(|end| {
            let is_shift = inside[..end].windows(2).any(|pair| pair == ['<', '<']);
            is_shift || inside[..end].iter().any(|c| "#'\"\\\n`".contains(*c))
        })
    }

    fn new_line(&mut self) {
        self.at += 1;
        for waiting in std::mem::take(&mut self.waiting) {
            let body = self.here_document(&waiting);
            if waiting.is_expanded {
                self.expand(&body);
            }
            self.read.tokens.push(Token::Input(body));
        }
        self.read.tokens.push(Token::Break);
    }

    /// Only what the shell runs inside of a text that it expands. A backslash at the end of a line joins it
    /// with the next, which may be the one that ends the document, or not be it any more.
    fn expand(&mut self, text: &str) {
        let mut inside = Self::at(text.chars().collect(), 0, self.depth);
        inside.expanded(&mut Word::default(), None);
        self.read.is_torn |= inside.read.is_torn || text.contains("\\\n");
        self.read.inner.extend(inside.read.inner);
    }

    /// The lines up to the one that ends the document.
    fn here_document(&mut self, waiting: &Waiting) -> String {
        let mut body = String::new();
        let mut is_ended = false;
        while self.at < self.chars.len() && !is_ended {
            let line: String = self.chars[self.at..].iter().take_while(|c| **c != '\n').collect();
            self.at += line.chars().count() + 1;
            let bare = if waiting.is_indented { line.trim_start_matches('\t') } else { line.as_str() };
            is_ended = bare == waiting.end;
            if !is_ended {
                body.push_str(&line);
                body.push('\n');
            }
        }
        self.read.is_torn |= !is_ended;
        self.at = self.at.min(self.chars.len());
        body
    }

    /// Digits right before `<` or `>` are a file descriptor.
    fn word_or_redirection(&mut self) {
        let word = self.word();
        let is_descriptor = !word.text.is_empty() && word.text.bytes().all(|b| b.is_ascii_digit());
        if is_descriptor && matches!(self.peek(0), Some('<' | '>')) && self.peek(1) != Some('(') {
            self.redirection();
        } else {
            self.is_bracketed |= word.text == "[[";
            self.read.tokens.push(Token::Word(word));
        }
    }

    fn redirection(&mut self) {
        let start = self.at;
        while matches!(self.peek(0), Some('<' | '>' | '&' | '|')) && !self.starts_substitution() {
            self.at += 1;
        }
        let operator: String = self.chars[start..self.at].iter().collect();
        let is_indented = operator == "<<" && self.peek(0) == Some('-');
        self.at += usize::from(is_indented);
        while matches!(self.peek(0), Some(' ' | '\t')) {
            self.at += 1;
        }
        let begin = self.at;
        self.read.is_torn |= self.is_next("\\\n");
        let word = self.word();
        let is_quoted = self.chars[begin..self.at].iter().any(|c| matches!(c, '\'' | '"' | '\\'));
        match operator.as_str() {
            "<<" => {
                self.read.is_torn |= word.unknown.is_some() || self.is_bracketed;
                self.waiting.push(Waiting { end: word.text, is_expanded: !is_quoted, is_indented });
            }
            "<<<" => self.read.tokens.push(Token::Input(word.text)),
            _ => self.read.tokens.push(Token::Redirected { word, written: operator.contains('>') }),
        }
    }

    fn starts_substitution(&self) -> bool {
        self.is_next("<(") || self.is_next(">(")
    }

    fn word(&mut self) -> Word {
        let mut word = Word::default();
        let mut open = 0_i32;
        while let Some(c) = self.peek(0) {
            open += i32::from(c == '[') - i32::from(c == ']');
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | ')' => break,
                '<' | '>' if self.starts_substitution() => self.substitution(&mut word, 1),
                '<' | '>' | '(' => break,
                '\\' => self.escaped(&mut word),
                '\'' => self.single(&mut word),
                '"' => {
                    self.at += 1;
                    self.expanded(&mut word, Some('"'));
                }
                '$' | '`' => self.dollar(&mut word),
                '*' | '?' | '[' | '{' => self.unknown(&mut word, c),
                c => self.push(&mut word, c),
            }
        }
        // `a[1 << 2]=x`: an index, and no here-document.
        self.read.is_torn |= open > 0 && !matches!(word.text.as_str(), "[" | "[[");
        word
    }

    fn push(&mut self, word: &mut Word, c: char) {
        word.text.push(c);
        self.at += 1;
    }

    fn unknown(&mut self, word: &mut Word, c: char) {
        word.unknown_from(c);
        self.at += 1;
    }

    /// A backslash before a new line is nothing at all.
    fn escaped(&mut self, word: &mut Word) {
        match self.peek(1) {
            Some('\n') => {}
            Some(c) => word.text.push(c),
            None => self.read.is_torn = true,
        }
        self.at += 2;
    }

    fn single(&mut self, word: &mut Word) {
        self.at += 1;
        loop {
            match self.peek(0) {
                Some('\'') => break,
                Some(c) => self.push(word, c),
                None => {
                    self.read.is_torn = true;
                    break;
                }
            }
        }
        self.at += 1;
    }

    /// `'…'` after a `$`: a backslash hides the character behind it, a quote too.
    fn ansi(&mut self) {
        self.at += 1;
        while !matches!(self.peek(0), None | Some('\'')) {
            self.at += if self.peek(0) == Some('\\') { 2 } else { 1 };
        }
        self.read.is_torn |= self.peek(0).is_none();
        self.at += 1;
    }

    /// Text in which only `$`, backquotes and backslashes mean something, up to `end`.
    fn expanded(&mut self, word: &mut Word, end: Option<char>) {
        while let Some(c) = self.peek(0) {
            match c {
                c if Some(c) == end => {
                    self.at += 1;
                    return;
                }
                '\\' if matches!(self.peek(1), Some('"' | '\\' | '$' | '`' | '\n')) => self.escaped(word),
                // No quotes of their own in here.
                '$' if matches!(self.peek(1), Some('\'' | '"')) => self.push(word, '$'),
                '$' | '`' => self.dollar(word),
                c => self.push(word, c),
            }
        }
        self.read.is_torn |= end.is_some();
    }

    /// `$x`, `${x}`, `$(…)`, `$'…'`, a backquote: unknown, and what runs in it is read on its own.
    fn dollar(&mut self, word: &mut Word) {
        match (self.peek(0), self.peek(1)) {
            (Some('`'), _) => self.backquoted(word),
            (_, Some('(')) => self.substitution(word, 1),
            (_, Some('{')) => self.parameter(word),
            (_, Some('\'')) => {
                self.unknown(word, '$');
                self.ansi();
            }
            (_, Some('"')) => self.unknown(word, '$'),
            (_, Some('[' | '\\')) => {
                self.read.is_torn = true;
                self.unknown(word, '$');
            }
            (_, Some(c)) if c.is_alphanumeric() || "_@*#?-!$".contains(c) => {
                self.unknown(word, '$');
                while self.peek(0).is_some_and(|c| c.is_alphanumeric() || c == '_') {
                    self.at += 1;
                }
            }
            _ => self.push(word, '$'),
        }
    }

    fn backquoted(&mut self, word: &mut Word) {
        self.unknown(word, '`');
        let mut inner = String::new();
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('`'), _) => break,
                (Some('\\'), Some(c)) => {
                    // Only these are escaped here; in double quotes, `"` is too.
                    self.read.is_torn |= c == '"';
                    inner.extend((!matches!(c, '$' | '`' | '\\')).then_some('\\'));
                    inner.push(c);
                    self.at += 2;
                }
                (Some(c), _) => {
                    inner.push(c);
                    self.at += 1;
                }
                (None, _) => {
                    self.read.is_torn = true;
                    break;
                }
            }
        }
        self.at += 1;
        self.read.inner.push(inner);
    }

    /// From a parenthesis, `ahead` characters on, to the one that closes it, read as the line that it holds.
    fn substitution(&mut self, word: &mut Word, ahead: usize) {
        word.unknown_from('$');
        let start = self.at + ahead + 1;
        let chars = std::mem::take(&mut self.chars);
        let mut inside = Self::at(chars, start, self.depth + 1);
        let end = inside.closing();
        self.read.is_torn |= inside.read.is_torn || !inside.waiting.is_empty() || inside.is_case();
        self.chars = inside.chars;
        self.read.inner.push(self.chars[start.min(end)..end].iter().collect());
        self.at = (end + 1).min(self.chars.len());
    }

    /// Where the parenthesis stands that closes what is read.
    fn closing(&mut self) -> usize {
        let mut open = 0_usize;
        while self.depth <= DEPTH_MAX
            && let Some(c) = self.peek(0)
        {
            match c {
                '(' => open += 1,
                ')' if open == 0 => return self.at,
                ')' => open -= 1,
                _ => {}
            }
            self.step();
        }
        self.read.is_torn = true;
        self.chars.len()
    }

    /// Whether it may hold a `case`, whose patterns close parentheses that nothing opened.
    fn is_case(&self) -> bool {
        self.read.tokens.iter().any(|token| matches!(token, Token::Word(word) if word.text == "case"))
    }

    /// `${…}`. Which quotes count in it depends on what is around it.
    fn parameter(&mut self, word: &mut Word) {
        word.unknown_from('$');
        self.at += 2;
        let (start, mut open) = (self.at, 1);
        while let Some(c) = self.peek(0) {
            open += i32::from(c == '{') - i32::from(c == '}');
            if open == 0 {
                break;
            }
            self.read.is_torn |= "'\"\\`(".contains(c);
            self.at += 1;
        }
        self.read.is_torn |= open > 0;
        self.read.inner.push(self.chars[start..self.at].iter().collect());
        self.at = (self.at + 1).min(self.chars.len());
    }
}
