//! Templates that can only write (FORMATS §3).
//!
//! The engine is minijinja with nothing in it: no loader, so that an include finds no file; no
//! function, clock or environment, so that the same values give the same bytes; six filters, a strict
//! `undefined`, a budget of steps, and a bounded output. Two things that the engine has are refused
//! before it starts: statements other than `if` and `for`, and the operators that join or repeat text.
//! `{% set s = s ~ s %}` forty times is a terabyte in forty steps, and no budget of steps sees it.
//!
//! A value is written as it is, once: `{{ 7*7 }}` in a value stays eleven characters.

use std::collections::BTreeSet;
use std::io;

use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};
use serde::Serialize;

use crate::refusal::Refusal;

/// Steps of the engine for one template: the worked brief takes under a hundred.
const FUEL: u64 = 50_000;

/// Largest template, in bytes: an agent reads what comes of it, whole.
pub const TEMPLATE_BYTES_MAX: usize = 64 * 1024;

/// Largest output of one template, in bytes.
pub const OUTPUT_BYTES_MAX: usize = 256 * 1024;

/// Largest tag, in bytes, and deepest nesting of statements, each `elif` counted: the engine goes as
/// deep as they do, and its stack is the registry's. Ten thousand brackets end the process.
const TAG_BYTES_MAX: usize = 512;
const NESTED_MAX: usize = 16;

/// All statements there are.
const STATEMENTS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];

/// A template that compiles and stays within the language above.
#[derive(Debug, Clone, Copy)]
pub struct Template<'a> {
    /// Where it stands, for sentences: `brief.md`.
    place: &'a str,
    source: &'a str,
}

impl<'a> Template<'a> {
    /// Checks a template without rendering it.
    pub fn parse(place: &'a str, source: &'a str) -> Result<Self, Refusal> {
        if source.len() > TEMPLATE_BYTES_MAX {
            let message = format!("{place} has {} bytes, at most {TEMPLATE_BYTES_MAX} are allowed", source.len());
            return Err(Refusal::new("brief-template", message));
        }
        let template = Self { place, source };
        check_language(source).map_err(|(at, message)| template.refuse(Some(template.line(at)), &message))?;
        engine().template_from_named_str(place, source).map_err(|error| template.failed(&error))?;
        Ok(template)
    }

    /// The variables that it names, as dotted paths: `param.table`.
    pub fn variables(&self) -> BTreeSet<String> {
        let engine = engine();
        let template = engine.template_from_named_str(self.place, self.source);
        template.map(|template| template.undeclared_variables(true).into_iter().collect()).unwrap_or_default()
    }

    /// Renders it with the values in `scope`, and nothing else.
    pub fn render(&self, scope: &impl Serialize) -> Result<String, Refusal> {
        let engine = engine();
        let template = engine.template_from_named_str(self.place, self.source).map_err(|error| self.failed(&error))?;
        let mut output = Bounded(Vec::new());
        template.render_captured_to(Value::from(Serde(scope)), &mut output).map_err(|error| self.failed(&error))?;
        Ok(String::from_utf8(output.0).expect("the engine writes whole strings"))
    }

    fn failed(&self, error: &Error) -> Refusal {
        let message = match error.kind() {
            ErrorKind::OutOfFuel => format!("the template takes more than {FUEL} steps"),
            ErrorKind::WriteFailure => format!("the output has more than {OUTPUT_BYTES_MAX} bytes"),
            kind => error.detail().map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}")),
        };
        self.refuse(error.line(), &message)
    }

    fn refuse(&self, line: Option<usize>, message: &str) -> Refusal {
        let line = line.map(|line| format!(" line {line}")).unwrap_or_default();
        Refusal::new("brief-template", format!("{}{line}: {message}", self.place))
    }

    fn line(&self, at: usize) -> usize {
        1 + self.source.as_bytes()[..at].iter().filter(|&&b| b == b'\n').count()
    }
}

fn engine() -> Environment<'static> {
    let mut engine = Environment::empty();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(FUEL));
    engine.add_filter("lower", |text: &str| text.to_lowercase());
    engine.add_filter("upper", |text: &str| text.to_uppercase());
    engine.add_filter("capitalize", capitalize);
    engine.add_filter("replace", replace);
    engine.add_filter("join", join);
    engine.add_filter("default", default);
    engine
}

/// The first letter only: Jinja lowers the rest, which would rewrite identifiers.
fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Counted before it is done: `"aaaa" | replace("a", long)` in a row multiplies.
fn replace(text: &str, from: &str, to: &str) -> Result<String, Error> {
    let grown = text.matches(from).count().saturating_mul(to.len()).saturating_add(text.len());
    if grown > OUTPUT_BYTES_MAX {
        return Err(Error::from(ErrorKind::WriteFailure));
    }
    Ok(text.replace(from, to))
}

fn join(list: &Value, between: Option<&str>) -> Result<String, Error> {
    let mut text = String::new();
    for (at, item) in list.try_iter()?.enumerate() {
        if item.as_str().is_none() && item.try_iter().is_ok() {
            return Err(Error::new(ErrorKind::InvalidOperation, "`join` takes a list of texts or numbers"));
        }
        text.push_str(if at > 0 { between.unwrap_or_default() } else { "" });
        text.push_str(&item.to_string());
        if text.len() > OUTPUT_BYTES_MAX {
            return Err(Error::from(ErrorKind::WriteFailure));
        }
    }
    Ok(text)
}

fn default(value: &Value, fallback: Value) -> Value {
    if value.is_undefined() || value.is_none() { fallback } else { value.clone() }
}

/// Stops the engine where the output ends.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > OUTPUT_BYTES_MAX {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A tag of a template: where it is, and what stands between its delimiters.
pub(super) struct Tag<'a> {
    /// Byte range in the source, delimiters included.
    pub(super) range: std::ops::Range<usize>,
    kind: u8,
    inside: &'a str,
}

/// The tags of a template, in order; one that is not closed is left to the engine's own sentence.
pub(super) fn tags(source: &str) -> Vec<Tag<'_>> {
    let bytes = source.as_bytes();
    let mut tags = Vec::new();
    let mut at = 0;
    while at + 1 < bytes.len() {
        let kind = bytes[at + 1];
        if bytes[at] != b'{' || !b"{%#".contains(&kind) {
            at += 1;
            continue;
        }
        let Some(end) = tag_end(bytes, at + 2, kind) else { break };
        tags.push(Tag { range: at..end, kind, inside: &source[at + 2..end - 2] });
        at = end;
    }
    tags
}

/// Where the tag that starts before `at` ends, closing delimiter included. A delimiter in quotes is text.
fn tag_end(bytes: &[u8], mut at: usize, kind: u8) -> Option<usize> {
    let close = if kind == b'{' { b'}' } else { kind };
    let mut quote = None;
    while at + 1 < bytes.len() {
        match (quote, bytes[at]) {
            (None, b'\'' | b'"') if kind != b'#' => quote = Some(bytes[at]),
            (Some(_), b'\\') => at += 1,
            (Some(open), seen) if seen == open => quote = None,
            (None, seen) if seen == close && bytes[at + 1] == b'}' => return Some(at + 2),
            _ => {}
        }
        at += 1;
    }
    None
}

/// What a template may not have, with the place of the first one.
fn check_language(source: &str) -> Result<(), (usize, String)> {
    let mut nesting = Vec::new();
    for tag in tags(source).into_iter().filter(|tag| tag.kind != b'#') {
        let at = |message: String| (tag.range.start, message);
        if tag.range.len() > TAG_BYTES_MAX {
            return Err(at(format!("a tag has {} bytes, at most {TAG_BYTES_MAX} are allowed", tag.range.len())));
        }
        let inside = tag.inside.strip_prefix(['-', '+']).unwrap_or(tag.inside);
        let inside = inside.strip_suffix(['-', '+']).unwrap_or(inside);
        if tag.kind == b'%' {
            let word: String = inside.trim_start().chars().take_while(char::is_ascii_alphanumeric).collect();
            check_statement(&word, &mut nesting).map_err(at)?;
            // `{% for b in [[a, a]] %}` in itself doubles what the next `==` has to compare.
            if word == "for" && outside_quotes(inside).any(|c| "[(".contains(c)) {
                return Err(at("a loop goes over a name, `for x in param.list`, not over what it makes".to_owned()));
            }
        }
        // A brace would make the engine see the end of the tag elsewhere than we do.
        if let Some(operator) = outside_quotes(inside).find(|c| "~*+{}".contains(*c)) {
            return Err(at(format!("operator `{operator}` is not allowed: write texts beside each other instead")));
        }
    }
    // What is not closed was not looked at, and the engine would go into it.
    let end = tags(source).last().map_or(0, |tag| tag.range.end);
    let open = ["{{", "{%", "{#"].into_iter().filter_map(|open| source[end..].find(open)).min();
    open.map_or(Ok(()), |open| Err((end + open, "syntax error: a tag is not closed".to_owned())))
}

/// `nesting` holds, for each open statement, how deep the engine is in it.
fn check_statement(word: &str, nesting: &mut Vec<usize>) -> Result<(), String> {
    match word {
        "if" | "for" => nesting.push(1),
        "elif" | "else" => nesting.iter_mut().last().into_iter().for_each(|depth| *depth += 1),
        "endif" | "endfor" => drop(nesting.pop()),
        _ => return Err(format!("statement `{word}` is not one of: {}", STATEMENTS.join(", "))),
    }
    if nesting.iter().sum::<usize>() > NESTED_MAX {
        return Err(format!("statements nest deeper than {NESTED_MAX} levels, each `elif` and `else` counted"));
    }
    Ok(())
}

fn outside_quotes(text: &str) -> impl Iterator<Item = char> {
    let (mut quote, mut escaped) = (None, false);
    text.chars().filter(move |&c| {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None => return true,
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn render(source: &str) -> Result<String, Refusal> {
        let scope = json!({"param": {"a": "x", "list": ["p", "q"], "ten": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "n": 5, "evil": "{{ 7*7 }}{% for %}", "E": "OrderID"}});
        Template::parse("brief.md", source)?.render(&scope)
    }

    #[track_caller]
    fn gives(source: &str, expected: &str) {
        assert_eq!(render(source).unwrap_or_else(|refusal| panic!("{source}: {refusal}")), expected);
    }

    #[track_caller]
    fn refuses(source: &str, message: &str) {
        let refusal = render(source).expect_err(source);
        assert_eq!(refusal.code, "brief-template");
        assert!(refusal.message.contains(message), "{source}: {refusal}");
    }

    #[test]
    fn values_filters_conditions_and_loops_are_what_there_is() {
        gives("{{ param.a }} {{ param.n }}", "x 5");
        gives("{{ param.a | upper }}{{ 'ÄB' | lower }}{{ param.E | capitalize }}", "XäbOrderID");
        gives("{{ param.list | join(', ') }}{{ param.a | replace('x', 'y') }}", "p, qy");
        gives("{{ param.none | default('d') }}{{ param.a | default('d') }}", "dx");
        gives("{% for i in param.list -%} {{ i }}{% endfor %}{% if param.n > 4 %}!{% endif %}", "pq!");
    }

    #[test]
    fn a_value_with_template_syntax_stays_literal() {
        gives("{{ param.evil }}", "{{ 7*7 }}{% for %}");
        gives("{{ param.list | join(param.evil) }}", "p{{ 7*7 }}{% for %}q");
    }

    #[test]
    fn a_missing_value_is_an_error_with_its_line() {
        refuses("one\n{{ param.b }}", "brief.md line 2: undefined value");
        refuses("{{ other }}", "undefined value");
    }

    #[test]
    fn includes_find_nothing_and_there_is_no_other_statement() {
        refuses("{% include '/etc/passwd' %}", "statement `include` is not one of");
        for word in
            ["set x = 1", "with x = 1", "macro f()", "extends 'a'", "import 'a' as b", "raw", "do f()", "block b"]
        {
            refuses(&format!("{{% {word} %}}"), "is not one of: if, elif");
        }
        refuses("{%- set s = 1 %}", "statement `set`");
    }

    #[test]
    fn there_is_no_function_and_no_other_filter() {
        refuses("{{ range(10) }}", "unknown function");
        refuses("{{ param.a | safe }}", "unknown filter");
        refuses("{{ param.a.upper() }}", "unknown method");
    }

    #[test]
    fn a_template_that_loops_is_stopped() {
        let open: String = (0..6).map(|at| format!("{{% for i{at} in param.ten %}}")).collect();
        refuses(&format!("{open}{}", "{% endfor %}".repeat(6)), "more than 50000 steps");
    }

    #[test]
    fn an_output_that_grows_is_stopped() {
        let open: String = (0..3).map(|at| format!("{{% for i{at} in param.ten %}}")).collect();
        refuses(&format!("{open}{}{}", "x".repeat(1000), "{% endfor %}".repeat(3)), "more than 262144 bytes");
    }

    #[test]
    fn a_text_that_doubles_is_stopped_before_it_starts() {
        refuses("{{ param.a ~ param.a }}", "operator `~`");
        refuses("{{ 'x' * 1000000000 }}", "operator `*`");
        refuses("{% if param.a + param.a %}{% endif %}", "operator `+`");
        refuses("{% for a in [param.list, param.list] %}{% endfor %}", "a loop goes over a name");
        refuses("{{ {'a': {'b': 1}} ~ param.a }}", "operator `{`");
        gives("{{ '~*+{}}\\'*' }}", "~*+{}}'*");
        let grow = " | replace('x', 'xxxxxxxxxxxxxxxx')".repeat(12);
        refuses(&format!("{{{{ 'xxxxxxxxxxxxxxxx'{grow} }}}}"), "more than 262144 bytes");
    }

    #[test]
    fn a_template_that_does_not_compile_is_refused_with_its_line() {
        refuses("a\nb\n{{ param.", "brief.md line 3: syntax error");
        refuses("{% if param.a %}", "syntax error");
        refuses(&"x".repeat(TEMPLATE_BYTES_MAX + 1), "at most 65536");
    }

    #[test]
    fn a_template_that_nests_or_chains_without_end_ends_all_the_same() {
        for (open, middle, close) in [
            ("(", "1", ")"),
            ("[", "1", "]"),
            ("not ", "1", ""),
            ("-", "1", ""),
            ("", "1", "-1"),
            ("", "1", " and 1"),
            ("", "'a'", "|lower"),
            ("", "param", ".a"),
            ("", "param", "[0]"),
            ("", "1", " if 1"),
            ("1 if 1 else ", "1", ""),
            ("", "1", " is x"),
        ] {
            let times = (TEMPLATE_BYTES_MAX - 100) / (open.len() + close.len());
            let source = format!("{{{{ {}{middle}{} }}}}", open.repeat(times), close.repeat(times));
            let _ = render(&source);
            let _ = Template::parse("t", &source).map(|template| template.variables());
            let _ = render(source.trim_end_matches(" }}"));
        }
        for (open, close) in [
            ("{% if 1 %}", "{% endif %}"),
            ("{% for i in param.ten %}", "{% endfor %}"),
            ("{% if 1 %}{% elif 1 %}", "{% endif %}"),
        ] {
            let times = (TEMPLATE_BYTES_MAX - 100) / (open.len() + close.len());
            let _ = render(&format!("{}x{}", open.repeat(times), close.repeat(times)));
        }
        let times = (TEMPLATE_BYTES_MAX - 100) / 12;
        let _ = render(&format!("{{% if 1 %}}{}{{% endif %}}", "{% elif 1 %}".repeat(times)));
    }

    #[test]
    fn variables_are_known_without_rendering() {
        let template =
            Template::parse("t", "{{ param.a | upper }}{% for i in param.list %}{{ i }}{{ boundary.x }}{% endfor %}");
        let names: Vec<String> = template.expect("it compiles").variables().into_iter().collect();
        assert_eq!(names, ["boundary.x", "param.a", "param.list"]);
    }
}
