//! Two at once: in one repository, on one cache, at one registry.

use std::process::Child;

use tests::{Person, Shop};

fn start(person: &Person, args: &[&str]) -> Child {
    person.skill_command(args).spawn().expect("skill runs")
}

#[track_caller]
fn all_succeed(children: Vec<Child>) {
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn two_installs_in_one_repository_both_succeed() {
    let shop = Shop::with_pdf();
    for name in ["acme/a", "acme/b", "acme/c", "acme/d"] {
        shop.publish(name, "1.0.0", "\"acme/pdf\" = \"^1\"");
    }
    shop.bob.skill(&["init", "--agent", "claude-code"]).ok();
    let adds = ["acme/a", "acme/b", "acme/c", "acme/d"];
    all_succeed(adds.iter().map(|name| start(&shop.bob, &["add", name, "--trust"])).collect());
    let list = shop.bob.skill(&["list"]).ok();
    assert_eq!(list.stdout.lines().count(), 5, "{list}");
    shop.bob.skill(&["verify", "--offline"]).ok();
}

#[test]
fn two_repositories_share_one_cold_cache() {
    let shop = Shop::with_pdf();
    shop.publish("acme/more", "1.0.0", "\"acme/pdf\" = \"^1\"");
    let repositories: Vec<Person> = (0..4).map(|n| shop.bob.within(format!("repo-{n}"))).collect();
    all_succeed(repositories.iter().map(|repo| start(repo, &["add", "acme/more", "--trust"])).collect());
    for repository in &repositories {
        repository.skill(&["verify", "--offline"]).ok();
    }
    shop.bob.skill(&["cache", "verify"]).ok();
}

#[test]
fn installing_and_removing_at_once_leaves_one_of_the_two_states() {
    let shop = Shop::with_pdf_installed();
    shop.publish("acme/more", "1.0.0", "");
    all_succeed(
        vec![
            start(&shop.bob, &["add", "acme/more"]),
            start(&shop.bob, &["remove", "pdf"]),
            start(&shop.bob, &["install"]),
            start(&shop.bob, &["verify", "--offline"]),
        ]
        .into_iter()
        .take(3)
        .collect(),
    );
    shop.bob.skill(&["verify", "--offline"]).ok();
    let list = shop.bob.skill(&["list"]).ok();
    assert_eq!(list.stdout.split_whitespace().next(), Some("acme/more"), "{list}");
}

#[test]
fn the_same_version_published_by_two_at_once_is_kept_once() {
    let shop = Shop::with_pdf();
    tests::files::package(&shop.alice.work, "acme/race", "1.0.0", "");
    all_succeed((0..4).map(|_| start(&shop.alice, &["publish", "race"])).collect());
    assert_eq!(shop.registry.get("/index/acme/race").text().lines().count(), 1);
    shop.registry.check().ok();
}
