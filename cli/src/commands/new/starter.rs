//! The starters: for each kind the smallest package that lints clean and does something, so that an author
//! changes what works instead of completing what does not.

use skills::manifest::Kind;
use skills::tree::{File, Mode, Tree};
use skills::{FilePath, PackageName};

/// A file of a starter. `SCOPE/NAME`, `NAME` and `TITLE` in it stand for the package's.
type Starter = (&'static str, Mode, &'static str);

const SKILL: &[Starter] = &[
    ("skill.toml", Mode::Regular, include_str!("skill/skill.toml")),
    ("SKILL.md", Mode::Regular, include_str!("skill/SKILL.md")),
];

const BRIEF: &[Starter] = &[
    ("skill.toml", Mode::Regular, include_str!("brief/skill.toml")),
    ("brief.md", Mode::Regular, include_str!("brief/brief.md")),
];

const TOOLS: &[Starter] = &[("skill.toml", Mode::Regular, include_str!("tools/skill.toml"))];

const CHECK: &[Starter] = &[
    ("skill.toml", Mode::Regular, include_str!("check/skill.toml")),
    ("run.sh", Mode::Executable, include_str!("check/run.sh")),
    ("fixtures/pass/written/RESULT.md", Mode::Regular, "It works.\n"),
    ("fixtures/fail/empty/RESULT.md", Mode::Regular, ""),
];

/// The files of a new package.
pub(super) fn starter(name: &PackageName, kind: Kind) -> Tree {
    let files = match kind {
        Kind::Skill => SKILL,
        Kind::Brief => BRIEF,
        Kind::Tools => TOOLS,
        Kind::Check => CHECK,
    };
    let file = |(path, mode, text): &Starter| File {
        path: FilePath::parse(path).expect("our own file names are lawful"),
        mode: *mode,
        bytes: filled(text, name).into_bytes(),
    };
    Tree::new(files.iter().map(file).collect()).expect("a few small files are a lawful tree")
}

fn filled(text: &str, name: &PackageName) -> String {
    let short = name.name().as_str();
    text.replace("SCOPE/NAME", &name.to_string()).replace("NAME", short).replace("TITLE", &title(short))
}

/// `pdf-fill` as a heading: `Pdf fill`.
fn title(name: &str) -> String {
    let words = name.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use skills::check::Fixtures;
    use skills::lint::lint;
    use skills::package::Package;

    use super::*;

    #[test]
    fn what_new_writes_may_be_published_as_it_is() {
        let name = PackageName::parse("acme/pdf-fill").expect("a name");
        for kind in [Kind::Skill, Kind::Brief, Kind::Tools, Kind::Check] {
            let tree = starter(&name, kind);
            assert_eq!(lint(&tree, Some("pdf-fill")), [], "{kind:?}");
            let package = Package::from_tree(tree, None, None).expect("a package");
            assert_eq!((&package.name, package.kind), (&name, kind));
        }
    }

    #[test]
    fn a_new_check_has_one_fixture_of_each_colour() {
        let tree = starter(&PackageName::parse("acme/written").expect("a name"), Kind::Check);
        let fixtures = Fixtures::of(&tree);
        assert_eq!((fixtures.pass.len(), fixtures.fail.len()), (1, 1));
    }
}
