//! The thin `SKILL.md` that a brief without one of its own is given where it is installed.
//!
//! Agents find work that they can do by `SKILL.md`; a brief is no instruction but a template, so all that
//! they need to read is when to render it and how. The text follows from the manifest and the folder alone:
//! what lies on the disk is held against it to the byte, and whoever edits it is found out. So these words
//! belong to schema 1 of the manifest: another word here would make every installed stub an edit.

use super::Tables;
use crate::limits::DESCRIPTION_CHARS_MAX;
use crate::manifest::{Kinded, Manifest};
use crate::name::SkillName;

/// The stub of a brief that is installed in this folder; `None` for other kinds, and for a brief that says
/// `skill-stub = false`.
pub fn skill_md(manifest: &Manifest, folder: &SkillName) -> Option<String> {
    let Kinded::Brief(tables) = &manifest.kinded else { return None };
    tables.brief.skill_stub.then(|| text(manifest, tables, folder))
}

fn text(manifest: &Manifest, tables: &Tables, folder: &SkillName) -> String {
    let package = &manifest.name;
    // A JSON string is a YAML scalar in double quotes, whatever the author wrote into it.
    let description = serde_json::to_string(&description(manifest, tables)).expect("text always serialises");
    format!(
        "---\nname: \"{folder}\"\ndescription: {description}\n---\n\
         # {folder}\n\n\
         This is a brief: a template for recurring work, with its tools, its checks and its limits. Do not work from this file.\n\n\
         1. `skill brief show {package}` lists the parameters. Ask for those that you do not know.\n\
         2. `skill brief render {package} --set NAME=VALUE` writes a `.brief.md`. Work by that file, and by nothing else.\n\
         3. Run each check that it names with `skill check run`. Done means that all of them have passed and that a human has taken the work over.\n"
    )
}

/// When to reach for it, then what it is; in one line, within the limit of a description.
fn description(manifest: &Manifest, tables: &Tables) -> String {
    let asked = asked_for(tables.boundary.task_class.as_deref());
    let what = manifest.description.as_deref().unwrap_or_default().trim();
    let text = format!("Use when asked for {asked}: run `skill brief render {}`. {what}", manifest.name);
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.trim_end().chars().take(DESCRIPTION_CHARS_MAX).collect()
}

/// `schema-change` as what somebody would ask for: `a schema change`.
fn asked_for(task_class: Option<&str>) -> String {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match task_class.filter(|class| class.chars().all(is_word)).map(|class| class.replace('-', " ")) {
        Some(class) if class.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {class}"),
        Some(class) if !class.is_empty() => format!("a {class}"),
        // The class may be a parameter's, and is then not known before it is rendered.
        _ => "work of this kind".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::lint;
    use crate::path::FilePath;
    use crate::tree::{File, Mode, Tree};

    fn stub(description: &str, boundary: &str, brief: &str) -> Option<String> {
        let text = format!(
            "[package]\nschema = 1\nname = \"acme/add-column\"\nversion = \"1.0.0\"\nkind = \"brief\"\n\
             description = {description}\n[boundary]\n{boundary}\n[brief]\ntemplate = \"brief.md\"\n{brief}"
        );
        let manifest = Manifest::parse(text.as_bytes()).expect("a manifest");
        skill_md(&manifest, manifest.name.name())
    }

    #[test]
    fn these_are_the_words_and_they_never_change() {
        let seen = stub("\"One column, reversibly.\"", "task-class = \"schema-change\"", "").expect("a stub");
        let expected = "---\nname: \"add-column\"\ndescription: \"Use when asked for a schema change: run `skill brief render acme/add-column`. One column, reversibly.\"\n---\n\
            # add-column\n\n\
            This is a brief: a template for recurring work, with its tools, its checks and its limits. Do not work from this file.\n\n\
            1. `skill brief show acme/add-column` lists the parameters. Ask for those that you do not know.\n\
            2. `skill brief render acme/add-column --set NAME=VALUE` writes a `.brief.md`. Work by that file, and by nothing else.\n\
            3. Run each check that it names with `skill check run`. Done means that all of them have passed and that a human has taken the work over.\n";
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_brief_may_do_without_and_other_kinds_have_none() {
        assert_eq!(stub("\"x\"", "", "skill-stub = false\n"), None);
        let skill = "[package]\nschema = 1\nname = \"acme/pdf\"\nversion = \"1.0.0\"\nkind = \"skill\"\n";
        let manifest = Manifest::parse(skill.as_bytes()).expect("a manifest");
        assert_eq!(skill_md(&manifest, manifest.name.name()), None);
    }

    #[test]
    fn a_stub_lints_clean_whatever_the_author_wrote() {
        let long = format!("\"{}\"", "long ".repeat(400));
        for description in
            ["\"[TODO] \\\"quoted\\\" # no comment: yes\"", "\"<x>\"", "\"---\\nname: evil\\n---\"", "\"\"", &long]
        {
            for class in ["", "task-class = \"{{ param.x }}\"", "task-class = \"incident\""] {
                let text = stub(description, class, "").expect("a stub");
                let path = FilePath::parse("SKILL.md").expect("lawful");
                let tree = Tree::new(vec![File { path, mode: Mode::Regular, bytes: text.clone().into() }]);
                assert_eq!(lint(&tree.expect("lawful"), Some("add-column")), [], "{text}");
            }
        }
    }
}
