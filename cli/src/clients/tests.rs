//! Golden tests: the whole of what two bundles become in each client, as it is shown.
//!
//! `SKILL_GOLDENS=write cargo test -p cli clients` writes them anew; read the diff like code.

use std::path::PathBuf;

use skills::manifest::{Kinded, Manifest};
use skills::tools::{Bundle, Granted};
use skills::{PackageName, Refusal};

use super::*;

const POSTGRES: &str = include_str!("samples/postgres.toml");
const MANY: &str = include_str!("samples/many.toml");

fn bundle(text: &str) -> Result<(PackageName, Bundle), Refusal> {
    let manifest = Manifest::parse(text.as_bytes())?;
    let Kinded::Tools(bundle) = manifest.kinded else { panic!("a bundle") };
    Ok((manifest.name, *bundle))
}

/// What a bundle becomes; with `approved`, all that it wishes for is approved.
fn rendered(client: Client, text: &str, approved: bool, renames: &[&str]) -> Rendering {
    let (package, bundle) = bundle(text).expect("a bundle");
    let wishes: Vec<Granted> = bundle.grants.iter().map(|grant| grant.granted.clone()).collect();
    let renames = Renames::parse(renames).expect("renames");
    let approved = if approved { wishes } else { Vec::new() };
    let hook = text == MANY;
    render(client, &Given { package: &package, bundle: &bundle, approved: &approved, renames: &renames, hook })
        .expect("a rendering")
}

#[track_caller]
fn golden(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/clients/samples").join(name);
    if std::env::var_os("SKILL_GOLDENS").is_some_and(|value| value == "write") {
        std::fs::write(&path, text).expect("the golden is written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{name}: SKILL_GOLDENS=write writes it anew");
}

#[test]
fn the_worked_example_becomes_what_the_format_says_in_every_client() {
    for client in Client::all() {
        golden(&format!("postgres.{}.txt", client.as_str()), &rendered(client, POSTGRES, true, &[]).text());
    }
}

#[test]
fn everything_that_a_bundle_can_say_has_its_place_in_every_client() {
    for client in Client::all() {
        golden(&format!("many.{}.txt", client.as_str()), &rendered(client, MANY, true, &[]).text());
    }
}

/// Whether anything in a rendering allows.
fn allows(rendering: &Rendering) -> bool {
    let allowed = |want: &Want| match want {
        Want::File { text, .. } => text.contains("allow"),
        Want::Entry { at, value, .. } => {
            value == "allow" || value.to_string().contains("approve\"") || at.iter().any(|key| key == "allow")
        }
        Want::Item { at, path, .. } => at.iter().any(|key| key == "allow") || path.ends_with("permissions.json"),
    };
    rendering.wants.iter().any(allowed) || rendering.by_hand.iter().any(|line| line.contains("--allow"))
}

#[test]
fn nothing_is_allowed_that_no_human_approved() {
    for client in Client::all() {
        for text in [POSTGRES, MANY] {
            assert!(!allows(&rendered(client, text, false, &[])), "{client:?}");
        }
        let said = rendered(client, POSTGRES, true, &[]);
        assert_eq!(allows(&said), client != Client::Gemini, "{client:?}");
    }
}

#[test]
fn an_approval_that_the_bundle_does_not_wish_for_allows_nothing() {
    let (package, bundle) = bundle(POSTGRES).expect("a bundle");
    let tool = |name: &str| Granted::Tool { server: "pg".to_owned(), tool: name.to_owned() };
    let forged = [tool("cancel_backend"), tool("describe_table"), Granted::Command(vec!["dropdb".to_owned()])];
    let renames = Renames::default();
    for client in Client::all() {
        let given = Given { package: &package, bundle: &bundle, approved: &forged, renames: &renames, hook: false };
        assert!(!allows(&render(client, &given).expect("a rendering")), "{client:?}");
    }
}

#[test]
fn a_rendering_names_only_files_that_its_client_may_write() {
    for client in Client::all() {
        for text in [POSTGRES, MANY] {
            for want in rendered(client, text, true, &[]).wants {
                assert!(client.may_write(want.path()), "{client:?}: {}", want.path());
            }
        }
    }
}

#[test]
fn a_renamed_server_has_its_new_name_everywhere() {
    for client in Client::all() {
        let before = rendered(client, POSTGRES, true, &[]).text();
        let after = rendered(client, POSTGRES, true, &["pg=pg2"]).text();
        assert_ne!(before, after);
        for old in ["/pg ", "/pg_", "pg:query", "mcp__pg__", "\"pg\"", "pg("] {
            assert!(!after.contains(old), "{client:?} still has {old}:\n{after}");
        }
    }
}

#[test]
fn two_servers_cannot_be_renamed_into_one() {
    let (package, bundle) = bundle(MANY).expect("a bundle");
    let renames = Renames::parse(&["far=near"]).expect("renames");
    let given = Given { package: &package, bundle: &bundle, approved: &[], renames: &renames, hook: false };
    assert_eq!(render(Client::Codex, &given).expect_err("one name").code, "rename-malformed");
}

#[test]
fn every_part_of_a_bundle_has_one_row_in_every_account() {
    for client in Client::all() {
        let rendering = rendered(client, MANY, true, &[]);
        let parts: Vec<&str> = rendering.coverage.iter().map(|row| row.what).collect();
        assert_eq!(
            parts,
            ["servers", "expose only", "tools", "commands", "reads", "edits", "grants", "hook"],
            "{client:?}"
        );
    }
}

#[test]
fn forms_that_claude_code_ignores_are_never_written() {
    for text in [POSTGRES, MANY] {
        let text = rendered(Client::ClaudeCode, text, true, &[]).text();
        assert!(!text.contains("Write(") && !text.contains("Glob("), "{text}");
    }
}

#[test]
fn no_key_of_a_rendering_has_two_values() {
    for client in Client::all() {
        let wants = rendered(client, MANY, true, &[]).wants;
        let keys: Vec<_> = wants
            .iter()
            .filter_map(|want| match want {
                Want::Entry { path, at, .. } => Some((path, at)),
                Want::File { .. } | Want::Item { .. } => None,
            })
            .collect();
        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len(), "{client:?}");
    }
}

/// The bundles that we ship, by their folders.
fn vetted() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../skills/vetted");
    let folders = std::fs::read_dir(folder).expect("the vetted packages").map(|entry| entry.expect("a folder").path());
    let manifests = folders.filter_map(|folder| {
        let text = std::fs::read_to_string(folder.join("skill.toml")).ok()?;
        let name = folder.file_name()?.to_str()?.to_owned();
        name.starts_with("tools-").then_some((name, text))
    });
    manifests.collect()
}

#[test]
fn every_vetted_bundle_is_rendered_for_every_client_and_accounted_for() {
    let bundles = vetted();
    assert!(bundles.len() >= 10, "{}", bundles.len());
    for (name, text) in &bundles {
        for client in Client::all() {
            let unapproved = rendered(client, text, false, &[]);
            assert!(!allows(&unapproved), "{name} {client:?}");
            let whole = rendered(client, text, true, &[]);
            assert!(!whole.coverage.is_empty(), "{name} {client:?}");
            assert!(whole.wants.iter().all(|want| client.may_write(want.path())), "{name} {client:?}");
            let held = whole.coverage.iter().any(|row| row.covered != Covered::Unsupported);
            assert_eq!(
                held,
                !whole.wants.is_empty(),
                "what has a file holds, what has none does not: {name} {client:?}"
            );
        }
    }
}
