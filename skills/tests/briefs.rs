//! The samples that this room's tests work with are the examples of FORMATS, byte for byte.
//!
//! Skips, saying so, where the examples are not laid beside the repository.

#![expect(clippy::disallowed_methods, reason = "tests may read the examples; the room itself may not")]

use std::fs;
use std::path::Path;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/brief/samples");
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/examples");

#[test]
fn the_samples_are_the_examples() {
    for (sample, example) in [
        ("migration.toml", "brief-database-migration/skill.toml"),
        ("migration.md", "brief-database-migration/brief.md"),
        ("tools.toml", "tools-postgres-readonly/skill.toml"),
    ] {
        let Ok(example) = fs::read(Path::new(EXAMPLES).join(example)) else {
            eprintln!("skipped: there is no {EXAMPLES}/{example}");
            continue;
        };
        assert_eq!(fs::read(Path::new(SAMPLES).join(sample)).expect("it is ours"), example, "{sample}");
    }
}
