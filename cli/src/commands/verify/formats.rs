//! The report of `skill verify`, for people, programs and CI systems.

use std::fmt::Write;

use index::verify::{Class, Finding, RULES};
use serde_json::{Value, json};
use skills::evidence::judge::JudgedCheck;

use super::{BriefReport, Report, SkillReport};
use crate::commands::brief::status::rows;
use crate::context::Context;
use crate::report::{class_name, finding_json, finding_line};
use crate::sarif;
use crate::shown;
use crate::ui::Answer;

/// How to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// The stable envelope of `--json`
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML, for test reports
    Junit,
    /// Workflow commands that annotate a pull request
    Github,
}

/// The answer in one of the formats.
pub(super) fn answer(report: &Report, format: Format, context: &Context) -> Answer {
    let text = match format {
        Format::Text => text(report, context),
        Format::Json => {
            format!("{}\n", json!({"v": 1, "command": "verify", "exit": exit(report), "data": data(report)}))
        }
        Format::Sarif => format!("{:#}\n", sarif(report)),
        Format::Junit => junit(report),
        Format::Github => github(report),
    };
    Answer::new(text, data(report))
}

fn exit(report: &Report) -> u8 {
    let findings: Vec<Finding> = report.findings().cloned().collect();
    crate::failure::exit_of(&findings) as u8
}

fn refused(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.class != Class::Note)
}

fn text(report: &Report, context: &Context) -> String {
    let mut text = String::new();
    for finding in &report.project {
        writeln!(text, "{}", line(finding, context)).expect("writing to a string");
    }
    for skill in &report.skills {
        for finding in &skill.findings {
            writeln!(text, "{}", line(finding, context)).expect("writing to a string");
        }
        if context.flags.verbose {
            let word = if refused(&skill.findings) { "refused" } else { "ok" };
            writeln!(text, "{word} {} signed by {}", skill.skill, skill.signers.join(", "))
                .expect("writing to a string");
        }
    }
    for brief in report.briefs.iter().flatten() {
        text.push_str(&of_brief(brief, context));
    }
    writeln!(text, "{}\npolicy {}", summary(report), report.policy).expect("writing to a string");
    text
}

/// The verdict on each check and where each task stands; then what was found.
fn of_brief(brief: &BriefReport, context: &Context) -> String {
    let id = &brief.standing.brief.id;
    let mut text = format!("brief {id}\n");
    for check in &brief.standing.judged.checks {
        let style = if check.verdict.is_proved() { "32" } else { "1;31" };
        let by = check.run.as_ref().map(|run| format!(" (signed by {}, {})", run.signer, run.trust.as_str()));
        let verdict = context.ui.paint(style, &shown::line(&check.verdict.to_string(), 200));
        writeln!(text, "  {}: {verdict}{}", check.id, shown::single(&by.unwrap_or_default()))
            .expect("writing to a string");
    }
    for task in &brief.standing.tasks {
        let why = shown::line(&task.why, 200);
        writeln!(text, "  task {}: {}, {why}", task.id, task.state.as_str()).expect("writing to a string");
    }
    for finding in &brief.findings {
        writeln!(text, "{}", line(finding, context)).expect("writing to a string");
    }
    text
}

/// The one sentence of the report; what only an exception let in is not called signed.
fn summary(report: &Report) -> String {
    let bad = report.skills.iter().filter(|skill| refused(&skill.findings)).count();
    let excepted =
        report.skills.iter().filter(|skill| skill.findings.iter().any(|finding| finding.id == "SKV050")).count();
    let total = report.skills.len();
    let unproved = report.briefs.iter().flatten().filter(|brief| refused(&brief.findings)).count();
    if unproved > 0 {
        let briefs = report.briefs.as_ref().map_or(0, Vec::len);
        return format!("verified {} of {total}, {bad} refused; {unproved} of {briefs} briefs not proved", total - bad);
    }
    if bad > 0 || !report.project.is_empty() {
        let beside = if report.project.is_empty() { "" } else { "; the project has findings of its own" };
        return format!("verified {} of {total}, {bad} refused{beside}", total - bad);
    }
    match excepted {
        0 => format!("verified {total} of {total}: every file is what a trusted publisher signed"),
        _ => format!(
            "verified {total} of {total}: signed by a trusted publisher, {excepted} let in by an exception of the policy"
        ),
    }
}

fn line(finding: &Finding, context: &Context) -> String {
    let (style, word) = match finding.class {
        Class::Note => ("33", "note"),
        Class::Policy => ("1;31", "policy"),
        Class::Missing => ("1;31", "missing"),
        Class::Stale => ("33", "stale"),
        Class::Failed => ("1;31", "failed"),
    };
    format!("{} {}", context.ui.paint(style, word), finding_line(finding))
}

fn data(report: &Report) -> Value {
    let skill = |skill: &SkillReport| {
        json!({
            "skill": skill.skill,
            "folder": skill.folder,
            "verified": !refused(&skill.findings),
            "signers": skill.signers,
            "findings": skill.findings.iter().map(finding_json).collect::<Vec<_>>(),
        })
    };
    let mut data = json!({
        "policy": report.policy,
        "skills": report.skills.iter().map(skill).collect::<Vec<_>>(),
        "findings": report.project.iter().map(finding_json).collect::<Vec<_>>(),
    });
    if let Some(briefs) = &report.briefs {
        data["briefs"] = briefs.iter().map(brief_data).collect();
    }
    data
}

fn brief_data(brief: &BriefReport) -> Value {
    let check = |check: &JudgedCheck| {
        let run = check.run.as_ref();
        json!({
            "id": check.id, "verdict": check.verdict.word(), "why": check.verdict.to_string(),
            "signer": run.map(|run| &run.signer), "trust": run.map(|run| run.trust),
            "line": run.map(|run| run.line), "evidence": run.map(|run| run.digest),
            "outcome": run.map(|run| run.run.outcome.as_str()),
        })
    };
    let standing = &brief.standing;
    json!({
        "id": standing.brief.id,
        "digest": standing.reference.digest,
        "done": standing.is_done(),
        "checks": standing.judged.checks.iter().map(check).collect::<Vec<_>>(),
        "tasks": rows(standing),
        "findings": brief.findings.iter().map(finding_json).collect::<Vec<_>>(),
    })
}

/// For code scanning.
fn sarif(report: &Report) -> Value {
    let result = |finding: &Finding| {
        let place = finding.path.clone().unwrap_or_else(|| "skills.lock".to_owned());
        json!({
            "ruleId": finding.id,
            "level": if finding.class == Class::Note { "note" } else { "error" },
            "message": { "text": format!("{}: {}", finding.skill, finding.message) },
            "locations": [sarif::location(&place, None)],
            "properties": { "class": class_name(finding.class), "skill": finding.skill },
        })
    };
    let rules = RULES.iter().map(|(id, name, description)| sarif::rule(id, name, description)).collect();
    sarif::log(rules, report.findings().map(result).collect(), json!({"policy": report.policy}))
}

/// One test case a skill; a refused one is a failure.
fn junit(report: &Report) -> String {
    let failures =
        report.skills.iter().filter(|skill| refused(&skill.findings)).count() + usize::from(refused(&report.project));
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    writeln!(
        xml,
        "<testsuites><testsuite name=\"skill verify\" tests=\"{}\" failures=\"{failures}\">",
        report.skills.len() + 1
    )
    .expect("writing to a string");
    write_case(&mut xml, "project", &report.project);
    for skill in &report.skills {
        write_case(&mut xml, &skill.skill, &skill.findings);
    }
    xml.push_str("</testsuite>");
    for brief in report.briefs.iter().flatten() {
        write_brief(&mut xml, brief);
    }
    xml + "</testsuites>\n"
}

/// One suite a brief: a case for each check and each gate, and one for the brief itself.
fn write_brief(xml: &mut String, brief: &BriefReport) {
    let standing = &brief.standing;
    let id = escape_xml(standing.brief.id.as_str());
    let checks = standing.judged.checks.iter().map(|check| check.id.as_str());
    let names: Vec<&str> = checks.chain(standing.gates.iter().map(|(task, ..)| task.as_str())).collect();
    let of = |name: &str| format!("{}:{name}", standing.brief.id);
    let is_named = |finding: &&Finding| names.iter().any(|name| finding.skill == of(name));
    let mut cases: Vec<(&str, Vec<Finding>)> =
        vec![("brief", brief.findings.iter().filter(|finding| !is_named(finding)).cloned().collect())];
    for name in &names {
        cases.push((name, brief.findings.iter().filter(|finding| finding.skill == of(name)).cloned().collect()));
    }
    let failures = cases.iter().filter(|(_, findings)| refused(findings)).count();
    write!(xml, "<testsuite name=\"skill evidence {id}\" tests=\"{}\" failures=\"{failures}\">", cases.len())
        .expect("writing to a string");
    for (name, findings) in &cases {
        write_case_of(xml, &format!("skill.evidence.{id}"), name, findings);
    }
    xml.push_str("</testsuite>");
}

fn write_case(xml: &mut String, name: &str, findings: &[Finding]) {
    write_case_of(xml, "skill.verify", name, findings);
}

fn write_case_of(xml: &mut String, class: &str, name: &str, findings: &[Finding]) {
    let bad: Vec<&Finding> = findings.iter().filter(|finding| finding.class != Class::Note).collect();
    write!(xml, "<testcase classname=\"{class}\" name=\"{}\">", escape_xml(name)).expect("writing to a string");
    if let Some(first) = bad.first() {
        let lines: Vec<String> = bad.iter().map(|finding| finding_line(finding)).collect();
        write!(
            xml,
            "<failure type=\"{}\" message=\"{}\">{}</failure>",
            first.id,
            escape_xml(&first.message),
            escape_xml(&lines.join("\n"))
        )
        .expect("writing to a string");
    }
    xml.push_str("</testcase>\n");
}

/// XML 1.0 has no way to write most control characters: they become a replacement character.
fn escape_xml(text: &str) -> String {
    let escape = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        c if c.is_control() && !matches!(c, '\n' | '\t') => '\u{fffd}'.to_string(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}

fn github(report: &Report) -> String {
    let mut text = String::new();
    for finding in report.findings() {
        let level = if finding.class == Class::Note { "notice" } else { "error" };
        let file = escape_property(finding.path.as_deref().unwrap_or("skills.lock"));
        let message = escape_data(&format!("{}: {}", finding.skill, finding.message));
        writeln!(text, "::{level} file={file},title={}::{message}", finding.id).expect("writing to a string");
    }
    let bad = report.skills.iter().filter(|skill| refused(&skill.findings)).count();
    writeln!(text, "verified {} of {}, policy {}", report.skills.len() - bad, report.skills.len(), report.policy)
        .expect("writing to a string");
    text
}

/// A stranger's file name must not start a workflow command of its own.
fn escape_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_speak_to_the_ci_system() {
        assert_eq!(escape_property("a\n::error::x,y"), "a%0A%3A%3Aerror%3A%3Ax%2Cy");
        assert_eq!(crate::sarif::escape_uri("a b/ö"), "a%20b/%C3%B6");
        assert_eq!(escape_xml("<a b=\"&\u{1}\">"), "&lt;a b=&quot;&amp;\u{fffd}&quot;&gt;");
    }
}
