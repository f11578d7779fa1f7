//! The house itself: who depends on whom, what stands where, what every file and command owes its
//! reader.
//!
//! These tests read the tracked files of the repository. They hold for every room; a finding here is
//! mended in the room that it names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::binaries::{binary, repository};
use tests::files::read;

/// Every tracked or new file, relative to the top. Without Git (a source archive) every file.
fn files() -> Vec<String> {
    let mut git = Command::new("git");
    git.arg("-C").arg(repository()).args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
    let output = git.output().expect("git runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("names are UTF-8");
    text.split('\0').filter(|path| !path.is_empty() && repository().join(path).exists()).map(str::to_owned).collect()
}

fn rust_files() -> Vec<String> {
    // A fixture of a check is what the check is shown, and no code of ours.
    files().into_iter().filter(|path| path.ends_with(".rs") && !path.contains("/fixtures/")).collect()
}

fn source(path: &str) -> String {
    read(repository().join(path))
}

/// The files that only tests see: those of modules declared under `#[cfg(test)]`.
fn is_test_only(path: &str) -> bool {
    let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
    let parts = folders.chain(std::iter::once(path.trim_end_matches(".rs")));
    parts.filter_map(|part| part.rsplit_once('/')).any(|(parent, name)| {
        let homes = [format!("{parent}/lib.rs"), format!("{parent}/mod.rs"), format!("{parent}.rs")];
        let declares = |home: &String| {
            let text = std::fs::read_to_string(repository().join(home)).unwrap_or_default();
            text.contains(&format!("#[cfg(test)]\nmod {name};"))
        };
        path.contains("/src/") && homes.iter().any(declares)
    })
}

/// The files of programs and libraries, without their tests.
fn production_files() -> Vec<String> {
    let of_tests = |path: &String| path.starts_with("tests/") || path.contains("/tests/") || is_test_only(path);
    rust_files().into_iter().filter(|path| !of_tests(path)).collect()
}

/// Fails with every offender at once.
#[track_caller]
fn none(what: &str, offenders: &[String]) {
    assert!(offenders.is_empty(), "{what}:\n  {}", offenders.join("\n  "));
}

/// The rooms that a crate depends on, from its manifest.
fn rooms_of(room: &str, section: &str) -> BTreeSet<String> {
    let manifest: toml::Table = source(&format!("{room}/Cargo.toml")).parse().expect("TOML");
    let rooms = ["skills", "index", "registry", "cli", "tests"];
    let names = manifest.get(section).and_then(|table| table.as_table()).into_iter().flat_map(|table| table.keys());
    names.filter(|name| rooms.contains(&name.as_str())).cloned().collect()
}

#[test]
fn the_rooms_depend_on_each_other_in_one_direction() {
    let allowed: [(&str, &[&str]); 5] = [
        ("skills", &[]),
        ("index", &["skills"]),
        ("registry", &["skills", "index"]),
        ("cli", &["skills", "index"]),
        ("tests", &["skills", "index", "registry", "cli"]),
    ];
    for (room, may) in allowed {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let uses = rooms_of(room, section);
            let wrong: Vec<_> = uses.iter().filter(|used| !may.contains(&used.as_str())).collect();
            assert!(wrong.is_empty(), "{room} [{section}] uses {wrong:?}");
        }
    }
}

#[test]
fn pure_rooms_depend_on_nothing_that_reaches_the_outer_world() {
    let outer = ["tokio", "reqwest", "hyper", "axum", "rusqlite", "tempfile", "getrandom", "jiff", "rand", "nix"];
    for room in ["skills", "index"] {
        let manifest: toml::Table = source(&format!("{room}/Cargo.toml")).parse().expect("TOML");
        let uses = manifest["dependencies"].as_table().expect("a table");
        let wrong: Vec<_> = uses.keys().filter(|name| outer.contains(&name.as_str())).collect();
        assert!(wrong.is_empty(), "{room} uses {wrong:?}");
    }
}

#[test]
fn pure_rooms_open_no_file_socket_variable_or_clock() {
    let mut offenders = Vec::new();
    for path in
        production_files().iter().filter(|path| path.starts_with("skills/src/") || path.starts_with("index/src/"))
    {
        for (number, line) in production_lines(&source(path)) {
            let code = line.split("//").next().unwrap_or_default();
            let forbidden = [
                "std::fs",
                "std::net",
                "std::env",
                "std::process",
                "std::time",
                "SystemTime",
                "Instant::now",
                "getrandom",
            ];
            if forbidden.iter().any(|word| code.contains(word)) {
                offenders.push(format!("{path}:{number}: {}", line.trim()));
            }
        }
    }
    none("a pure room reaches out", &offenders);
    for room in ["skills", "index"] {
        let lint = source(&format!("{room}/clippy.toml"));
        for word in
            ["std::fs::read", "std::env::var", "std::net::TcpStream", "std::process::Command", "SystemTime::now"]
        {
            assert!(lint.contains(word), "{room}/clippy.toml does not forbid {word}");
        }
    }
}

#[test]
fn nothing_else_stands_at_the_top() {
    let allowed = ["README.md", "Cargo.toml", "Cargo.lock", "LICENSE", "skills", "index", "registry", "cli", "tests"];
    let mut top: BTreeSet<String> =
        files().iter().filter_map(|path| path.split('/').next().map(str::to_owned)).collect();
    top.retain(|name| !name.starts_with('.') && !allowed.contains(&name.as_str()));
    assert!(top.is_empty(), "{top:?}");
    for name in allowed {
        assert!(repository().join(name).exists(), "{name} is missing");
    }
}

#[test]
fn every_room_has_a_readme_and_the_first_one_is_short() {
    for room in ["skills", "index", "registry", "cli", "tests"] {
        assert!(source(&format!("{room}/README.md")).lines().count() > 10, "{room}/README.md says too little");
    }
    let readme = source("README.md");
    assert!(readme.lines().count() < 120, "README.md has {} lines", readme.lines().count());
    for words in
        ["cargo quickstart", "cargo test --workspace", "Invariants", "skills/", "index/", "registry/", "cli/", "tests/"]
    {
        assert!(readme.contains(words), "README.md does not mention `{words}`");
    }
}

#[test]
fn every_source_file_says_why_it_exists() {
    let headless =
        rust_files().into_iter().filter(|path| !source(path).lines().take(5).any(|line| line.starts_with("//!")));
    none("no `//!` header", &headless.collect::<Vec<_>>());
}

#[test]
fn no_file_is_longer_than_600_lines() {
    let long = |path: &String| source(path).lines().count() > 600;
    none("more than 600 lines", &rust_files().into_iter().filter(long).collect::<Vec<_>>());
}

#[test]
fn no_function_is_longer_than_60_lines() {
    let mut long = Vec::new();
    for path in rust_files() {
        let text = source(&path);
        let lines: Vec<&str> = text.lines().collect();
        for (start, line) in lines.iter().enumerate().filter(|(_, line)| is_function(line)) {
            let indent = line.len() - line.trim_start().len();
            let close = format!("{}}}", " ".repeat(indent));
            let length = lines[start..].iter().position(|line| **line == close).unwrap_or(0) + 1;
            if length > 60 {
                long.push(format!("{path}:{}: {length} lines", start + 1));
            }
        }
    }
    none("functions of more than 60 lines", &long);
}

fn is_function(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let head = words.iter().take_while(|word| matches!(**word, "pub" | "async" | "const") || word.starts_with("pub("));
    words.get(head.count()) == Some(&"fn")
}

#[test]
fn nothing_unwraps_outside_of_tests() {
    let mut offenders = Vec::new();
    for path in &production_files() {
        for (number, line) in production_lines(&source(path)) {
            if line.contains(".unwrap()") {
                offenders.push(format!("{path}:{number}"));
            }
        }
    }
    none("unwrap() outside of tests", &offenders);
}

/// The numbered lines of a file before its tests.
fn production_lines(text: &str) -> Vec<(usize, &str)> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    let end = text.lines().position(|line| line.trim() == "mod tests {").unwrap_or(usize::MAX);
    lines.take(end).filter(|(_, line)| !line.trim_start().starts_with("//")).collect()
}

#[test]
fn no_file_is_called_after_nothing_in_particular() {
    let vague = ["util", "utils", "common", "helper", "helpers", "misc", "manager", "info_", "data_"];
    let stem = |path: &String| Path::new(path).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let named = files().into_iter().filter(|path| stem(path).is_some_and(|stem| vague.contains(&stem.as_str())));
    none("vague names", &named.collect::<Vec<_>>());
}

#[test]
fn no_test_is_ignored() {
    let mark = concat!("#[", "ignore");
    let ignored = rust_files().into_iter().filter(|path| source(path).contains(mark));
    none("ignored tests", &ignored.collect::<Vec<_>>());
}

#[test]
fn no_machine_path_or_package_host_is_tracked() {
    // Put together here, so that this file does not hold them.
    let paths = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/runner"),
        concat!("/tmp/", "team"),
        concat!("/tmp/", "recon"),
    ];
    let hosts = [
        concat!("crates", ".io"),
        concat!("npm", "js.org"),
        concat!("npm", "js.com"),
        concat!("pypi", ".org"),
        concat!("deb.", "debian.org"),
    ];
    let mut offenders = Vec::new();
    for path in files().iter().filter(|path| !path.ends_with("Cargo.lock")) {
        let Ok(text) = std::fs::read_to_string(repository().join(path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            let found = paths.iter().chain(&hosts).any(|word| line.contains(word));
            if found {
                offenders.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("machine paths or package hosts", &offenders);
}

#[test]
fn every_command_has_help_and_a_place_in_the_reference() {
    let reference = source("cli/README.md");
    let mut missing = Vec::new();
    for path in commands(&[]) {
        let shown = path.join(" ");
        let help = help(&path);
        if help.lines().next().is_none_or(|first| first.trim().len() < 10) {
            missing.push(format!("`skill {shown} --help` says nothing"));
        }
        // `cache dir\|clean\|verify` names three; a command stands in a code span of one line.
        let words = |line: &str| line.contains('`') && path.iter().all(|word| has_word(line, word));
        if !reference.lines().any(words) {
            missing.push(format!("`skill {shown}` is not in cli/README.md"));
        }
        if path.len() == 1 && !repository().join(format!("cli/src/commands/{}.rs", path[0])).exists() {
            missing.push(format!("`skill {shown}` has no file of its own"));
        }
    }
    none("commands", &missing);
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).any(|seen| seen == word)
}

/// Every command and subcommand, found by asking for help.
fn commands(of: &[String]) -> Vec<Vec<String>> {
    let text = help(of);
    let lines = text.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = lines
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next());
    let mut all = Vec::new();
    for name in names.filter(|name| *name != "help") {
        let mut path = of.to_vec();
        path.push(name.to_owned());
        all.extend(commands(&path));
        all.push(path);
    }
    all
}

fn help(path: &[String]) -> String {
    let output = Command::new(binary("skill")).args(path).arg("--help").output().expect("skill runs");
    assert!(output.status.success(), "{path:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn every_command_of_the_design_for_this_version_is_there() {
    let all = commands(&[]);
    for line in [
        "init",
        "new",
        "lint",
        "pack",
        "unpack",
        "key generate",
        "key list",
        "key show",
        "key export",
        "login",
        "logout",
        "whoami",
        "token",
        "scope create",
        "scope show",
        "publish",
        "add",
        "install",
        "remove",
        "update",
        "outdated",
        "list",
        "tree",
        "why",
        "info",
        "search",
        "diff",
        "verify",
        "yank",
        "cache dir",
        "cache clean",
        "cache verify",
        "completions",
        "doctor",
    ] {
        let path: Vec<String> = line.split(' ').map(str::to_owned).collect();
        assert!(all.contains(&path), "`skill {line}` is missing");
    }
}

#[test]
fn every_variable_that_is_read_is_in_the_reference() {
    let reference = source("cli/README.md");
    let mut missing = BTreeSet::new();
    for path in production_files().iter().filter(|path| path.starts_with("cli/src/")) {
        for word in source(path).split(|c: char| !(c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())) {
            if (word.starts_with("SKILL_") || word.starts_with("XDG_"))
                && word.len() > 7
                && !reference.contains(word)
                && !word.ends_with("_MAX")
            {
                missing.insert(format!("{word} ({path})"));
            }
        }
    }
    // `SKILL_MD` and `SKILL_TOML` are files, not variables.
    missing.retain(|word| !["SKILL_MD", "SKILL_TOML"].iter().any(|file| word.starts_with(file)));
    none("variables that cli/README.md does not name", &missing.into_iter().collect::<Vec<_>>());
}

#[test]
fn every_route_is_in_the_reference_and_in_openapi() {
    let world = tests::World::new();
    let registry = world.registry();
    let openapi = registry.get("/api/v1/openapi.json").json();
    let reference = source("registry/README.md");
    let mut missing = Vec::new();
    for route in routes() {
        let (method, path) = route.split_once(' ').expect("METHOD PATH");
        if openapi["paths"][path][method.to_lowercase()].is_null() {
            missing.push(format!("{route} is not in openapi.json"));
        }
        let literals: Vec<&str> = path.split('/').filter(|part| !part.starts_with('{')).collect();
        if !reference.lines().any(|line| literals.iter().all(|part| line.contains(part))) {
            missing.push(format!("{route} is not in registry/README.md"));
        }
    }
    none("routes", &missing);
}

/// `METHOD PATH` of the table of routes.
fn routes() -> Vec<String> {
    let table = source("registry/src/http.rs");
    let lines = table.lines().filter_map(|line| line.trim().strip_prefix("route(\""));
    let routes: Vec<String> = lines
        .map(|line| {
            let mut parts = line.split('"');
            let (method, path) = (parts.next().expect("a method"), parts.nth(1).expect("a path"));
            format!("{method} {path}")
        })
        .collect();
    assert!(routes.len() > 15, "{routes:?}");
    routes
}

/// The codes of `Refusal::new("code", …` and of the program's own `Failure`s, with the room that says it. What the registry's operator reads at
/// start is a sentence on stderr, its code in nobody's sight.
fn codes() -> BTreeSet<(String, String)> {
    let at_start = |code: &str| code.starts_with("config-") || code.starts_with("data-");
    let at_start = |code: &str| at_start(code) || matches!(code, "could-not" | "name-differs");
    let mut codes = BTreeSet::new();
    for path in production_files() {
        let room = path.split('/').next().expect("a room").to_owned();
        let text = source(&path);
        let text: Vec<&str> = production_lines(&text).into_iter().map(|(_, line)| line).collect();
        let text = text.join("\n");
        for call in ["Refusal::new(", "Failure::new(", "Failure::usage(", "Failure::could_not("] {
            for rest in text.split(call).skip(1) {
                let rest = rest.trim_start();
                let after_exit =
                    rest.strip_prefix("Exit::").and_then(|rest| rest.split_once(',')).map(|(_, rest)| rest);
                let rest = after_exit.unwrap_or(rest).trim_start();
                let code = rest.strip_prefix('"').and_then(|rest| rest.split('"').next());
                let at_start = |code: &str| room == "registry" && at_start(code);
                let code = code.filter(|code| !at_start(code) && !code.starts_with("SKV"));
                codes.extend(code.map(|code| (room.clone(), code.to_owned())));
            }
        }
    }
    assert!(codes.len() > 50, "{codes:?}");
    codes
}

#[test]
fn every_refusal_code_is_lower_case_with_dashes_and_in_a_reference() {
    let readmes = ["skills", "index", "registry", "cli"].map(|room| source(&format!("{room}/README.md")));
    let mut offenders = Vec::new();
    for (room, code) in codes() {
        if !code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            offenders.push(format!("{room}: `{code}` is not lower-case-with-dashes"));
        }
        if !readmes.iter().any(|text| text.contains(&format!("`{code}`"))) {
            offenders.push(format!("{room}: `{code}` is in no README"));
        }
    }
    none("refusal codes", &offenders);
}

#[test]
fn what_we_ship_passes_our_own_lint() {
    let vetted = repository().join("skills/vetted");
    let folders: Vec<PathBuf> =
        std::fs::read_dir(vetted).expect("it is there").map(|entry| entry.expect("an entry").path()).collect();
    assert!(folders.len() >= 3, "{folders:?}");
    let world = tests::World::new();
    let mut args = vec!["lint", "--strict"];
    args.extend(folders.iter().map(|path| path.to_str().expect("a path")));
    world.stranger("author").skill(&args).ok();
}
