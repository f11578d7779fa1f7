//! Names and numbers that look like others.

use tests::files::{skill_md, skill_toml};
use tests::http::Request;
use tests::write;

use crate::stage::Stage;

#[test]
fn the_same_version_with_the_same_bytes_is_unchanged_and_with_others_refused() {
    let stage = Stage::set();
    let same = stage.publisher.release("pdf", "1.0.0");
    let answer = stage.publisher.publish(&stage.registry, &same);
    assert_eq!((answer.status, answer.json()["releases"][0]["status"].as_str()), (200, Some("unchanged")));
    let other = stage.publisher.release_of("pdf", "1.0.0", &[("references/more.md", "more")]);
    let answer = stage.publisher.publish(&stage.registry, &other);
    assert_eq!((answer.status, answer.code().as_str()), (409, "version-exists"));
    assert_eq!(stage.registry.get(&same.archive_path()).body, same.archive);
}

#[test]
fn a_twin_that_differs_only_in_build_metadata_is_refused() {
    let stage = Stage::set();
    let twin = stage.publisher.release("pdf", "1.0.0+evil");
    let answer = stage.publisher.publish(&stage.registry, &twin);
    assert_eq!((answer.status, answer.code().as_str()), (409, "version-exists"));
    let first = stage.publisher.release("pdf", "2.0.0+built.1");
    assert_eq!(stage.publisher.publish(&stage.registry, &first).status, 201);
    assert_eq!(stage.registry.get("/bundles/acme/pdf/2.0.0.sigstore.jsonl").status, 200);
}

#[test]
fn a_number_is_never_used_again_after_a_yank() {
    let stage = Stage::set();
    let yank = Request::new("POST", "/api/v1/yank/acme/pdf/1.0.0").token(&stage.publisher.token);
    assert_eq!(stage.registry.send(&yank.json(&serde_json::json!({"reason": "x"}))).status, 200);
    let other = stage.publisher.release_of("pdf", "1.0.0", &[("references/more.md", "more")]);
    assert_eq!(stage.publisher.publish(&stage.registry, &other).code(), "version-exists");
}

#[test]
fn a_path_in_another_case_is_another_path() {
    let stage = Stage::set();
    for path in [
        "/index/Acme/pdf",
        "/index/acme/PDF",
        "/index/acme/pdf/",
        "/index/acme%2Fpdf",
        "/keyrings/ACME.jsonl",
        "/index/acme/p%C3%A4f",
    ] {
        assert_eq!(stage.registry.get(path).status, 404, "{path}");
    }
    let release = stage.publisher.release("pdf", "1.0.0");
    assert_eq!(stage.registry.get(&release.archive_path().to_uppercase()).status, 404);
}

#[test]
fn a_path_that_climbs_reads_no_file() {
    let stage = Stage::set();
    for path in [
        "/archives/sha256/../../registry.sqlite",
        "/archives/sha256/..%2f..%2f..%2fregistry.sqlite",
        "/keyrings/..%2fregistry.sqlite",
        "/bundles/acme/pdf/..%2f..%2f..%2fname",
        "/index/../name",
        "//etc/passwd",
    ] {
        let answer = stage.registry.get(path);
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
    }
}

#[test]
fn look_alike_and_upper_case_names_make_no_scope_and_no_package() {
    let stage = Stage::set();
    for name in ["Acme", "ac\u{43c}e", "acme ", "a--b", "-a", "", "a/b", "acme\u{200d}", &"a".repeat(40)] {
        let request = Request::new("POST", "/api/v1/scopes").token(&stage.publisher.token);
        let answer = stage.registry.send(&request.json(&serde_json::json!({"name": name})));
        assert!(matches!(answer.status, 400 | 422), "{name}: {}", answer.status);
    }
    let alice = stage.world.person("author", &stage.registry);
    for name in ["acme/PDF", "acme/p\u{501}f", "Acme/pdf", "acme/pdf.", "acme/con\u{0}"] {
        write(alice.work.join("x/SKILL.md"), skill_md("x", "x"));
        write(alice.work.join("x/skill.toml"), skill_toml(name, "1.0.0", ""));
        alice.skill(&["lint", "x"]).exits(1);
    }
}

#[test]
fn a_user_or_scope_that_exists_is_not_made_again() {
    let stage = Stage::set();
    let again = stage.registry.admin(&["admin", "user", "create", "alice"]);
    assert_eq!((again.exit, again.stdout.as_str()), (3, ""), "{again}");
    stage.registry.user("mallory");
    stage.registry.admin(&["admin", "scope", "create", "acme", "--owner", "mallory"]).exits(3);
}
