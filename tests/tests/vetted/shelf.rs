//! The shelf: everything that we ship goes together, is published in one go, and is installed whole.

use skills::manifest::kind_may_depend_on;
use tests::World;

use crate::{folder, manifest, named};

#[test]
fn whatever_a_package_needs_is_on_the_shelf_in_a_version_that_fits_and_of_a_kind_that_it_may_need() {
    for name in named("") {
        let package = manifest(&name);
        assert_eq!(package.name.to_string(), format!("vetted/{name}"));
        for needed in &package.dependencies {
            let needed_folder = needed.name.name().as_str().to_owned();
            assert_eq!(needed.name.to_string(), format!("vetted/{needed_folder}"), "{name} needs a stranger");
            let found = manifest(&needed_folder);
            assert!(needed.req.matches(&found.version), "{name}: {needed_folder}");
            assert!(kind_may_depend_on(package.kind, found.kind), "{name}: {needed_folder}");
        }
    }
}

#[test]
fn the_shelf_is_published_in_one_go_and_a_brief_arrives_with_all_that_it_needs() {
    let world = World::new();
    let registry = world.registry();
    let platform = world.publisher("platform", "vetted", &registry);
    let folders: Vec<String> = named("").iter().map(|name| folder(name).to_string_lossy().into_owned()).collect();
    let mut publish = vec!["publish", "--register-key"];
    publish.extend(folders.iter().map(String::as_str));
    platform.skill(&publish).ok();

    let user = world.person("user", &registry).within("repo");
    user.skill(&["init", "--agent", "claude-code"]).ok();
    user.skill(&["add", "vetted/brief-database-migration", "--trust"]).ok();
    user.skill(&["verify", "--offline"]).ok();
    for needed in manifest("brief-database-migration").dependencies {
        let installed = format!(".agents/skills/{}/skill.toml", needed.name.name());
        assert_eq!(user.read(&installed), tests::files::read(folder(needed.name.name().as_str()).join("skill.toml")));
    }
}
