//! Parameters of a brief, as people and programs hand them over: asked for, listed, or taken literally.

use std::fmt::Write as _;

use tests::{Person, World, tools};

use super::brief::lay_out;

const RENDER: [&str; 3] = ["brief", "render", "brief-database-migration"];
const MARKDOWN: &str = ".skill/briefs/ops-412-orders.brief.md";

/// A terminal: each time the program ends what it says with `: `, the next answer is typed.
const TERMINAL: &str = r#"
import os, pty, sys
answers = sys.argv[1].split("|")
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
seen = new = b""
while True:
    try:
        chunk = os.read(terminal, 4096)
    except OSError:
        break
    if not chunk:
        break
    seen, new = seen + chunk, new + chunk
    if answers and new.endswith(b": "):
        new = b""
        os.write(terminal, answers.pop(0).encode() + b"\n")
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

fn author(world: &World) -> Person {
    let author = world.stranger("author");
    lay_out(&author.work);
    author
}

/// `skill ARGS…` on a terminal, where somebody types these answers.
fn on_a_terminal(author: &Person, answers: &[&str], args: &[&str]) -> tests::Screen {
    let skill = tests::binaries::binary("skill");
    let skill = skill.to_str().expect("a path in UTF-8");
    author.run("python3", &[&["-c", TERMINAL, &answers.join("|"), skill], args].concat())
}

#[test]
fn on_a_terminal_what_is_missing_is_asked_for_and_only_that() {
    if !tools::have("python3", "--version") {
        return;
    }
    let world = World::new();
    let author = author(&world);
    let args = [&RENDER[..], &["--set", "ticket=OPS-412"]].concat();
    let screen = on_a_terminal(&author, &["orders", "add {{ 7*7 }} $(x)"], &args).ok();
    screen.says("table").says("change").keeps_quiet_about("ticket");
    let markdown = author.read(MARKDOWN);
    assert!(markdown.contains("dd {{ 7*7 }} $(x) on table `orders`"), "{markdown}");
}

#[test]
fn what_nobody_answers_is_one_error_and_nothing_is_written() {
    let world = World::new();
    let author = author(&world);
    author.skill(&RENDER).exits(2).says("missing parameters: table, change, ticket");
    if tools::have("python3", "--version") {
        on_a_terminal(&author, &["orders", "", ""], &RENDER).exits(2).says("missing parameters: change, ticket");
        let check = [&RENDER[..], &["--check"]].concat();
        on_a_terminal(&author, &[], &check).exits(2).says("missing parameters: table, change, ticket");
        on_a_terminal(&author, &[], &[&RENDER[..], &["--json"]].concat()).exits(2).says("\"param-missing\"");
    }
    assert!(!author.work.join(".skill/briefs").exists());
}

#[test]
fn a_value_is_never_a_template_a_command_or_a_second_line() {
    let world = World::new();
    let author = author(&world);
    let set = |change: &str| {
        let change = format!("change={change}");
        let args = ["--set", "table=orders", "--set", "ticket=OPS-412", "--set", &change, "--force"];
        author.skill(&[&RENDER[..], &args].concat())
    };
    for literal in ["add {{ 7*7 }}", "add {% raw %}", "add {# gone #}", "add $(touch owned)", "add `touch owned`"] {
        set(literal).ok();
        let markdown = author.read(MARKDOWN);
        assert!(markdown.contains(&literal[1..]), "{literal}: {markdown}");
    }
    assert!(!author.work.join("owned").exists());
    for hidden in ["add\n## Allowed tools", "add\r\nmore", "add\u{1b}[2J", "add\u{202e}more", "add\u{200b}more"] {
        set(hidden).exits(2).says("contains a line break, or a control or invisible character");
    }
}

#[test]
fn a_value_of_a_megabyte_is_refused_with_a_short_sentence() {
    let world = World::new();
    let author = author(&world);
    let long = "x".repeat(1_000_000);
    let mut values = String::from("table = \"orders\"\nticket = \"OPS-412\"\n");
    let _ = writeln!(values, "change = \"{long}\"");
    author.write("values.toml", &values);
    let refused = author.skill(&[&RENDER[..], &["--values", "values.toml"]].concat()).exits(2);
    assert!(refused.stderr.contains("1000000") && refused.stderr.len() < 1000, "{} bytes", refused.stderr.len());
    author.write("values.toml", values + &format!("# {long}"));
    let refused = author.skill(&[&RENDER[..], &["--values", "values.toml"]].concat()).exits(2);
    assert!(refused.stderr.contains("values.toml") && refused.stderr.len() < 1000, "{} bytes", refused.stderr.len());
    for set in [long[..100_000].to_owned(), format!("{}=1", &long[..100_000])] {
        let refused = author.skill(&[&RENDER[..], &["--set", &set]].concat()).exits(2);
        assert!(refused.stderr.len() < 1000, "{} bytes", refused.stderr.len());
    }
}
