//! `--summary-md`: the report as a page of Markdown, for the summary of a CI job.

use std::fmt::Write;

use skills::evidence::gate::State;

use super::Standing;
use crate::report::finding_line;
use crate::shown;

/// The page; everything in it that a stranger wrote is escaped.
pub fn markdown(briefs: &[Standing], policy: &str) -> String {
    let mut page = "# Evidence\n".to_owned();
    for standing in briefs {
        let _ = writeln!(
            page,
            "\n## {}\n\n| check | verdict | signed by | what it said |",
            cell(standing.brief.id.as_str())
        );
        page.push_str("|---|---|---|---|\n");
        for check in &standing.judged.checks {
            let run = check.run.as_ref();
            let signer = run.map(|run| format!("{} ({})", run.signer, run.trust.as_str())).unwrap_or_default();
            let lines = run.map(|run| run.run.observation.key_lines.join(" · ")).unwrap_or_default();
            let verdict = check.verdict.to_string();
            let _ =
                writeln!(page, "| {} | {} | {} | {} |", cell(&check.id), cell(&verdict), cell(&signer), cell(&lines));
        }
        page.push_str("\n| task | state | why |\n|---|---|---|\n");
        for task in &standing.tasks {
            let mark = if task.state == State::Done { "done" } else { task.state.as_str() };
            let _ = writeln!(page, "| {} | {mark} | {} |", cell(&task.id), cell(&task.why));
        }
        let findings = standing.findings();
        if !findings.is_empty() {
            page.push('\n');
        }
        for finding in findings {
            let _ = writeln!(page, "- {}", cell(&finding_line(&finding)));
        }
    }
    let _ = writeln!(page, "\nPolicy `{policy}`.");
    page
}

/// One line, in which nothing is Markdown or HTML.
fn cell(text: &str) -> String {
    let mut cell = String::new();
    for c in shown::line(text, 300).chars() {
        match c {
            '&' => cell.push_str("&amp;"),
            '<' => cell.push_str("&lt;"),
            '>' => cell.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '!' | '#' | '@' | '~' | '$' => cell.extend(['\\', c]),
            c => cell.push(c),
        }
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_line_cannot_end_a_cell_or_become_markup() {
        assert_eq!(cell("a | b\n<img src=x> [x](y) `c`"), "a \\| b &lt;img src=x&gt; \\[x\\](y) \\`c\\`");
    }
}
