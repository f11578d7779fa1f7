//! A shell line as words and breaks, with what the shell would run inside of words.
//!
//! Reads as POSIX shells and Bash do, as far as it takes to know which words start a program. What is only
//! decided at run time (`$x`, globs, braces) makes a word unknown instead of guessed.

use super::Word;

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
    /// A quote or parenthesis that nothing closes.
    pub(super) is_torn: bool,
}

/// Reads a line.
pub(super) fn read(text: &str) -> Read {
    let mut lexer = Lexer { chars: text.chars().collect(), at: 0, read: Read::default(), waiting: Vec::new() };
    while lexer.at < lexer.chars.len() {
        lexer.step();
    }
    lexer.read
}

/// Only what the shell runs inside of a text that it expands, as in a here-document.
pub(super) fn read_expanded(text: &str) -> Vec<String> {
    let mut lexer = Lexer { chars: text.chars().collect(), at: 0, read: Read::default(), waiting: Vec::new() };
    lexer.expanded(&mut Word::default(), None);
    lexer.read.inner
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    read: Read,
    /// Here-documents that begin after this line: what ends them, and whether their text is expanded.
    waiting: Vec<(String, bool)>,
}

impl Lexer {
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
            Some(' ' | '\t' | '\r') => self.at += 1,
            Some('\n') => self.new_line(),
            Some('#') => {
                while !matches!(self.peek(0), None | Some('\n')) {
                    self.at += 1;
                }
            }
            Some('&') if self.is_next("&>") => self.redirection(),
            Some('<' | '>') if self.peek(1) != Some('(') => self.redirection(),
            Some(';' | '&' | '|' | '(' | ')') => {
                self.at += 1;
                self.read.tokens.push(Token::Break);
            }
            Some(_) => self.word_or_redirection(),
        }
    }

    fn new_line(&mut self) {
        self.at += 1;
        let waiting = std::mem::take(&mut self.waiting);
        for (end, is_expanded) in waiting {
            let body = self.here_document(&end);
            if is_expanded {
                self.read.inner.extend(read_expanded(&body));
            }
            self.read.tokens.push(Token::Input(body));
        }
        self.read.tokens.push(Token::Break);
    }

    /// The lines up to the one that ends the document.
    fn here_document(&mut self, end: &str) -> String {
        let mut body = String::new();
        while self.at < self.chars.len() {
            let line: String = self.chars[self.at..].iter().take_while(|c| **c != '\n').collect();
            self.at += line.chars().count() + 1;
            if line.trim_start_matches('\t') == end {
                break;
            }
            body.push_str(&line);
            body.push('\n');
        }
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
            self.read.tokens.push(Token::Word(word));
        }
    }

    fn redirection(&mut self) {
        let start = self.at;
        while matches!(self.peek(0), Some('<' | '>' | '&' | '|')) && !self.starts_substitution() {
            self.at += 1;
        }
        let operator: String = self.chars[start..self.at].iter().collect();
        if operator == "<<" && self.peek(0) == Some('-') {
            self.at += 1;
        }
        while matches!(self.peek(0), Some(' ' | '\t')) {
            self.at += 1;
        }
        let begin = self.at;
        let word = self.word();
        let is_quoted = self.chars[begin..self.at].iter().any(|c| matches!(c, '\'' | '"' | '\\'));
        match operator.as_str() {
            "<<" => self.waiting.push((word.text, !is_quoted)),
            "<<<" => self.read.tokens.push(Token::Input(word.text)),
            _ => self.read.tokens.push(Token::Redirected { word, written: operator.contains('>') }),
        }
    }

    fn starts_substitution(&self) -> bool {
        self.is_next("<(") || self.is_next(">(")
    }

    fn word(&mut self) -> Word {
        let mut word = Word::default();
        while let Some(c) = self.peek(0) {
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

    /// Text in which only `$`, backquotes and backslashes mean something, up to `end`.
    fn expanded(&mut self, word: &mut Word, end: Option<char>) {
        while let Some(c) = self.peek(0) {
            match c {
                c if Some(c) == end => {
                    self.at += 1;
                    return;
                }
                '\\' if matches!(self.peek(1), Some('"' | '\\' | '$' | '`' | '\n')) => self.escaped(word),
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
            (_, Some('{')) => self.substitution(word, 1),
            (_, Some('\'')) => {
                self.unknown(word, '$');
                self.single(&mut Word::default());
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

    /// From a bracket, `ahead` characters on, to the one that closes it: quotes hide brackets.
    fn substitution(&mut self, word: &mut Word, ahead: usize) {
        word.unknown_from('$');
        self.at += ahead;
        let (open, close) = if self.peek(0) == Some('{') { ('{', '}') } else { ('(', ')') };
        self.at += 1;
        let (start, mut depth, mut quote) = (self.at, 1, None);
        while let Some(c) = self.peek(0) {
            match (quote, c) {
                (Some('\''), '\'') | (Some('"'), '"') => quote = None,
                (None | Some('"'), '\\') => self.at += 1,
                (None, '\'' | '"') => quote = Some(c),
                (None, c) if c == open => depth += 1,
                (None, c) if c == close => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            self.at += 1;
        }
        let end = self.at.min(self.chars.len());
        self.read.is_torn |= depth > 0;
        self.read.inner.push(self.chars[start..end].iter().collect());
        self.at = (end + 1).min(self.chars.len());
    }
}
