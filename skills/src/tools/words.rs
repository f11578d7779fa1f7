//! Command lines as words, the way a shell without any magic would split them.
//!
//! Quotes and backslashes group; nothing is expanded. That is enough for the unit tests of a rule,
//! and deliberately no more: what a real shell makes of `$(…)` or `;` is not a prefix of words.

/// Splits a line into words; the error is the rest of a sentence.
pub fn split(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => quoted(&mut chars, word.get_or_insert_default())?,
            '"' => double_quoted(&mut chars, word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().push(chars.next().ok_or("ends in a backslash")?),
            c if c.is_control() => return Err("has a control character"),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    if words.is_empty() { Err("has no word") } else { Ok(words) }
}

fn quoted(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), &'static str> {
    for c in chars {
        match c {
            '\'' => return Ok(()),
            c => word.push(c),
        }
    }
    Err("has a quote that is not closed")
}

fn double_quoted(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), &'static str> {
    while let Some(c) = chars.next() {
        match c {
            '"' => return Ok(()),
            '\\' => match chars.next().ok_or("has a quote that is not closed")? {
                c @ ('"' | '\\' | '$' | '`') => word.push(c),
                c => word.extend(['\\', c]),
            },
            c => word.push(c),
        }
    }
    Err("has a quote that is not closed")
}

/// Whether a command begins with these words.
pub fn begins(argv: &[String], prefix: &[String]) -> bool {
    argv.len() >= prefix.len() && argv.iter().zip(prefix).all(|(word, expected)| word == expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_as_a_shell_splits_it() {
        for (line, words) in [
            ("dropdb orders", &["dropdb", "orders"][..]),
            ("  a \t b ", &["a", "b"]),
            ("psql -c 'select 1'", &["psql", "-c", "select 1"]),
            (r#"echo "a \"b\" \n" c\ d"#, &["echo", r#"a "b" \n"#, "c d"]),
            ("a '' b", &["a", "", "b"]),
            ("a'b'\"c\"", &["abc"]),
        ] {
            assert_eq!(split(line).expect(line), words, "{line}");
        }
        for (line, words) in
            [("", "no word"), (" ", "no word"), ("a 'b", "quote"), ("a \"b\\", "quote"), ("a\\", "backslash")]
        {
            assert!(split(line).expect_err(line).contains(words), "{line}");
        }
        assert!(split("a\nb").is_err());
    }

    #[test]
    fn a_prefix_is_whole_words() {
        let argv = |line| split(line).expect("words");
        assert!(begins(&argv("kubectl delete pod"), &argv("kubectl delete")));
        assert!(begins(&argv("kubectl"), &argv("kubectl")));
        assert!(!begins(&argv("kubectl"), &argv("kubectl delete")));
        assert!(!begins(&argv("kubectl deleted"), &argv("kubectl delete")));
        assert!(!begins(&argv("/usr/bin/dropdb x"), &argv("dropdb")));
    }
}
