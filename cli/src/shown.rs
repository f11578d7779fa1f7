//! A stranger's text on our terminal.
//!
//! Descriptions, reasons and names of owners come from other people. A terminal obeys escape
//! sequences wherever they come from, and direction marks make text look like other text, so
//! neither is ever printed as it is. JSON output escapes control characters by itself.

/// One line of a stranger's text, shortened to `chars_max` characters.
pub fn line(text: &str, chars_max: usize) -> String {
    let mut shown = String::new();
    for (count, word) in text.split_whitespace().enumerate() {
        if count > 0 {
            shown.push(' ');
        }
        shown.extend(word.chars().map(|c| if is_dangerous(c) { '\u{fffd}' } else { c }));
    }
    if shown.chars().count() > chars_max {
        shown = shown.chars().take(chars_max.saturating_sub(1)).collect();
        shown.push('…');
    }
    shown
}

/// Text of ours that may quote a stranger: line breaks and tabs stay, nothing else that a terminal
/// would obey.
pub fn text(text: &str) -> String {
    text.chars().map(|c| if is_dangerous(c) && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect()
}

/// Text that has to stay on one line whatever a file's name holds: a line of a report is a statement
/// of ours, and no name may begin another one.
pub fn single(text: &str) -> String {
    text.chars().map(|c| if is_dangerous(c) { '\u{fffd}' } else { c }).collect()
}

/// A stranger's text as lines of at most `width` characters, each after `indent`.
pub fn wrapped(text: &str, indent: &str, width: usize) -> String {
    let text = line(text, usize::MAX);
    let (mut out, mut used) = (String::new(), 0);
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let chars = word.chars().count();
        if used == 0 || used + 1 + chars > width {
            out.push_str(if used == 0 { "" } else { "\n" });
            out.push_str(indent);
            used = indent.chars().count();
        } else {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += chars;
    }
    out
}

/// Control characters, and those that change how the rest of the line looks.
fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_cannot_move_the_cursor_or_turn_the_line_around() {
        assert_eq!(line("safe\u{1b}[2Jskill \u{202e}exe", 80), "safe\u{fffd}[2Jskill \u{fffd}exe");
        assert_eq!(line("two\r\nlines\tand a tab", 80), "two lines and a tab");
    }

    #[test]
    fn a_quoted_key_cannot_clear_the_screen_and_lines_stay_lines() {
        assert_eq!(
            text("unknown field `\u{1b}[2J\u{9b}1m`\n  hint\u{202e}"),
            "unknown field `\u{fffd}[2J\u{fffd}1m`\n  hint\u{fffd}"
        );
    }

    #[test]
    fn a_file_name_with_a_line_break_stays_on_its_line() {
        assert_eq!(single("a\n::error::b\u{7}"), "a\u{fffd}::error::b\u{fffd}");
    }

    #[test]
    fn long_text_is_cut_or_wrapped_at_words() {
        assert_eq!(line("abcdef", 4), "abc…");
        assert_eq!(wrapped("one two three four", "  ", 10), "  one two\n  three\n  four");
        assert_eq!(wrapped("", "  ", 10), "");
    }
}
