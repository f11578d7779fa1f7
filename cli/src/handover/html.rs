//! The page as HTML: one file, no script, nothing loaded, every stranger's text escaped.

use std::fmt::Write as _;

use skills::evidence::gate::State;
use skills::evidence::judge::Verdict;

use super::page::{Page, columns, ran};
use crate::shown;

/// How it looks, in light and in dark.
const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--good:#1a7f37;--bad:#cf222e;--wait:#9a6700}
@media(prefers-color-scheme:dark){:root{--good:#3fb950;--bad:#f85149;--wait:#d29922}}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0}
tr+tr td{border-top:1px solid var(--line)}code,pre,.n{font-family:ui-monospace,monospace;font-size:.85rem}
code{overflow-wrap:anywhere}pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.5rem 0;padding:.5rem .75rem;\
background:#8881;border-radius:.25rem}
.n{text-align:right;white-space:nowrap}.good{color:var(--good)}.bad{color:var(--bad)}.wait{color:var(--wait)}
.good,.bad,.wait{font-weight:600}small{opacity:.75}";

/// The whole document.
pub fn document(page: &Page) -> String {
    let id = escape(page.standing.brief.id.as_str());
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Review of {id}</title>\n<style>{STYLE}</style></head><body>\n<h1>Review of {id}</h1>\n"
    );
    head(&mut html, page);
    next(&mut html, page);
    checks(&mut html, page);
    changed(&mut html, page);
    deliverables(&mut html, page);
    tasks(&mut html, page);
    escalations(&mut html, page);
    html.push_str("</body></html>\n");
    html
}

fn head(html: &mut String, page: &Page) {
    let from = &page.standing.brief.document.from;
    let rows = [
        ("brief", format!("{}@{}", from.package, from.version)),
        ("digest", page.standing.reference.digest.to_string()),
        ("tree", page.tree.clone().unwrap_or_else(|| "none: there is no Git here".to_owned())),
        ("opened", page.opened.to_string()),
    ];
    html.push_str("<table>\n");
    for (name, value) in rows {
        let _ = writeln!(html, "<tr><th>{name}</th><td><code>{}</code></td></tr>", escape(&value));
    }
    html.push_str("</table>\n");
}

fn next(html: &mut String, page: &Page) {
    let next = page.next();
    html.push_str("<h2>Next</h2>\n");
    if next.is_empty() {
        html.push_str("<p>Nothing is open.</p>\n");
        return;
    }
    let _ = writeln!(html, "<pre>{}</pre>", escape(&next.join("\n")));
}

fn checks(html: &mut String, page: &Page) {
    html.push_str("<h2>Checks</h2>\n");
    for check in &page.standing.judged.checks {
        let class = match check.verdict {
            Verdict::Proved | Verdict::ProvedInputs => "good",
            Verdict::Stale | Verdict::Missing => "wait",
            Verdict::NotProved(_) | Verdict::Rejected(_) => "bad",
        };
        let (id, verdict) = (escape(&check.id), escape(&check.verdict.to_string()));
        let _ = writeln!(html, "<p><strong>{id}</strong> <span class=\"{class}\">{verdict}</span></p>");
        let Some(counted) = &check.run else { continue };
        let _ = writeln!(html, "<pre>{}</pre>", escape(&ran(counted).join("\n")));
        let lines = &counted.run.observation.key_lines;
        if !lines.is_empty() {
            let lines: Vec<String> = lines.iter().map(|line| shown::single(line)).collect();
            let _ = writeln!(html, "<pre>{}</pre>", escape(&lines.join("\n")));
        }
    }
    for line in &page.standing.judged.rejected {
        let why = escape(&line.why.to_string());
        let _ = writeln!(html, "<p class=\"bad\">Line {} of the evidence counts for nothing: {why}</p>", line.line);
    }
}

fn changed(html: &mut String, page: &Page) {
    html.push_str("<h2>Changed</h2>\n");
    let Some(change) = &page.change else {
        html.push_str("<p>There is nothing to compare with.</p>\n");
        return;
    };
    let (base, sum) = (escape(&change.base), escape(&change.sum()));
    let _ = writeln!(
        html,
        "<p>Since <code>{base}</code> (<code>{}</code>): {sum}.<br><small>diff <code>{}</code></small></p>\n<table>",
        escape(&change.commit),
        change.digest
    );
    for file in &change.files {
        let (added, removed) = columns(file);
        let path = escape(&shown::single(&file.path));
        let _ = writeln!(
            html,
            "<tr><td class=\"n good\">{added}</td><td class=\"n bad\">{removed}</td><td><code>{path}</code></td></tr>"
        );
    }
    html.push_str("</table>\n");
}

fn deliverables(html: &mut String, page: &Page) {
    html.push_str("<h2>Deliverables</h2>\n<table>\n");
    for one in &page.standing.brief.document.deliverables {
        let digest = page.standing.files.get(&one.path);
        let said = digest.map_or_else(
            || "<span class=\"wait\">not in the tree</span>".to_owned(),
            |digest| format!("<code>{digest}</code>"),
        );
        let _ = writeln!(html, "<tr><td><code>{}</code></td><td>{said}</td></tr>", escape(&one.path));
    }
    html.push_str("</table>\n");
}

fn tasks(html: &mut String, page: &Page) {
    html.push_str("<h2>Tasks</h2>\n<table>\n");
    for task in &page.standing.tasks {
        let class = match task.state {
            State::Done => "good",
            State::Ready | State::WaitingForHuman => "wait",
            State::Blocked => "",
        };
        let (id, why) = (escape(&task.id), escape(&shown::single(&task.why)));
        let state = task.state.as_str();
        let _ = writeln!(html, "<tr><td>{id}</td><td class=\"{class}\">{state}</td><td>{why}</td></tr>");
    }
    html.push_str("</table>\n");
    for finding in &page.standing.findings {
        let _ = writeln!(html, "<p class=\"bad\">{} {}</p>", finding.id, escape(&shown::single(&finding.message)));
    }
}

fn escalations(html: &mut String, page: &Page) {
    html.push_str("<h2>Escalations</h2>\n");
    if page.escalations.is_empty() {
        html.push_str("<p>None on record.</p>\n");
    }
    for one in &page.escalations {
        let note = escape(&shown::line(&one.note, usize::MAX));
        let _ = writeln!(html, "<p><small>{}</small> {note}</p>", one.at);
    }
}

/// Text that is nothing but text, between tags and in quotes.
fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in shown::text(text).chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_text_is_never_markup() {
        assert_eq!(escape("<script>\"&'\u{1b}"), "&lt;script&gt;&quot;&amp;&#39;\u{fffd}");
    }
}
