//! The kind of a package, which nobody signs apart: the index and the lock say it, and the manifest among
//! the signed files decides.

use skills::manifest::{Kind, Manifest};

use super::finding::{Class, Finding};

/// Whether verified files are of the kind that somebody said: a mirror that calls a check a skill would have
/// agents read it, and one that calls a skill a bundle would hide it from them. `manifest` is the
/// `skill.toml` among the files. One that we cannot read is at most a plain skill to us.
pub fn check_kind(skill: &str, said: Kind, manifest: Option<&[u8]>) -> Option<Finding> {
    let seen = match manifest.map(Manifest::parse) {
        None => Ok(Kind::Skill),
        Some(parsed) => parsed.map(|manifest| manifest.kind),
    };
    let message = match seen {
        Ok(seen) if seen == said => return None,
        Err(_) if said == Kind::Skill => return None,
        Ok(seen) => format!("it is said to be of kind `{}`, its manifest says `{}`", said.as_str(), seen.as_str()),
        Err(refusal) => format!("it is said to be of kind `{}`: {}", said.as_str(), refusal.message),
    };
    let hint = "the index or skills.lock was changed: `skill info` shows the one, version control the other";
    Some(Finding::new("SKV001", Class::Failed, skill, message).path("skill.toml").hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_has_to_be_what_the_manifest_says() {
        let head = "[package]\nschema = 1\nname = \"a/b\"\nversion = \"1.0.0\"\n";
        let skill = format!("{head}kind = \"skill\"\n");
        let check = format!("{head}kind = \"check\"\n[check]\nargv = [\"true\"]\ninputs = [\"**\"]\n");
        let newer = skill.replace("schema = 1", "schema = 2");
        for (said, manifest, lies) in [
            (Kind::Skill, None, false),
            (Kind::Skill, Some(&skill), false),
            (Kind::Check, Some(&check), false),
            (Kind::Skill, Some(&newer), false),
            (Kind::Check, None, true),
            (Kind::Skill, Some(&check), true),
            (Kind::Tools, Some(&check), true),
            (Kind::Tools, Some(&newer), true),
        ] {
            let found = check_kind("a/b@1.0.0", said, manifest.map(String::as_bytes));
            assert_eq!(found.is_some(), lies, "{said:?}: {manifest:?}");
        }
    }
}
