//! The report of `skill verify`, for people, programs and CI systems.

use std::fmt::Write;

use index::verify::{Class, Finding, RULES};
use serde_json::{Value, json};

use super::{Report, SkillReport};
use crate::context::Context;
use crate::report::{class_name, finding_json, finding_line};
use crate::sarif;
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
    writeln!(text, "{}\npolicy {}", summary(report), report.policy).expect("writing to a string");
    text
}

/// The one sentence of the report; what only an exception let in is not called signed.
fn summary(report: &Report) -> String {
    let bad = report.skills.iter().filter(|skill| refused(&skill.findings)).count();
    let excepted =
        report.skills.iter().filter(|skill| skill.findings.iter().any(|finding| finding.id == "SKV050")).count();
    let total = report.skills.len();
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
    json!({
        "policy": report.policy,
        "skills": report.skills.iter().map(skill).collect::<Vec<_>>(),
        "findings": report.project.iter().map(finding_json).collect::<Vec<_>>(),
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
    xml + "</testsuite></testsuites>\n"
}

fn write_case(xml: &mut String, name: &str, findings: &[Finding]) {
    let bad: Vec<&Finding> = findings.iter().filter(|finding| finding.class != Class::Note).collect();
    write!(xml, "<testcase classname=\"skill.verify\" name=\"{}\">", escape_xml(name)).expect("writing to a string");
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
