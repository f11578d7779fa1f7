//! What a package can do to a machine beyond being read, in words for the one who decides.
//!
//! The same words everywhere: `info` has them of the index, `update` compares them, and every command that
//! installs says them of a package that is new, from its verified files, before anything is written.

use skills::check::Network;
use skills::lint::SKILL_MD;
use skills::manifest::{Kinded, Manifest, SKILL_TOML};
use skills::package::Capabilities;
use skills::tools::{Access, Bundle, Effect, Granted, Server};
use skills::tree::Tree;
use skills::{Refusal, frontmatter};

use crate::shown;

/// Columns of one line about a package.
const COLUMNS: usize = 110;

/// Everything in one line, what matters most first.
pub fn words(caps: &Capabilities) -> String {
    let servers = caps.servers.iter().map(|server| format!("server {} ({})", server.id, server.pin));
    let mutates = caps.mutates.then(|| "tools that change things".to_owned());
    let grants = (caps.grants > 0).then(|| plural(caps.grants, "grant") + " to approve");
    let network = (caps.network != Network::None.as_str()).then(|| format!("network: {}", caps.network));
    let scripts = (caps.scripts > 0).then(|| plural(caps.scripts, "script") + " to run");
    let exec = caps.exec.then(|| "executable files".to_owned());
    let tools = caps.allowed_tools.then(|| "tools granted without asking (allowed-tools)".to_owned());
    let words: Vec<String> =
        servers.chain([mutates, grants, network, scripts, exec, tools].into_iter().flatten()).collect();
    if words.is_empty() { "no scripts, no granted tools".to_owned() } else { words.join(", ") }
}

/// What is said of a package that is new here: nothing where it can do nothing. The first line is about all of
/// it, the others are its own words about each part.
pub fn of_new(tree: &Tree) -> Result<Vec<String>, Refusal> {
    let manifest = tree.file(SKILL_TOML).map(|file| Manifest::parse(&file.bytes)).transpose()?;
    let kinded = manifest.map_or(Kinded::Skill, |manifest| manifest.kinded);
    let caps = Capabilities::of(tree, &kinded);
    let details = match &kinded {
        Kinded::Tools(bundle) => of_bundle(bundle),
        Kinded::Check(check) => vec![format!(
            "runs `{}`",
            check.argv.iter().map(|word| word.literal().unwrap_or("…")).collect::<Vec<_>>().join(" ")
        )],
        Kinded::Skill | Kinded::Brief(_) => Vec::new(),
    };
    let details = details.into_iter().chain(allowed(tree)).map(|line| shown::line(&line, COLUMNS));
    if caps == Capabilities::default() && matches!(kinded, Kinded::Skill | Kinded::Brief(_)) {
        return Ok(Vec::new());
    }
    Ok(std::iter::once(shown::line(&words(&caps), COLUMNS)).chain(details).collect())
}

fn of_bundle(bundle: &Bundle) -> Vec<String> {
    let count = |effect: Effect| bundle.rules.iter().filter(|rule| rule.effect == effect).count();
    let servers = bundle.servers.iter().map(of_server);
    let grants = bundle.grants.iter().map(|grant| format!("wishes {}: {}", granted(&grant.granted), grant.reason));
    let rules = format!("denies {}, asks about {}", count(Effect::Deny), count(Effect::Ask));
    servers.chain(grants).chain((!bundle.rules.is_empty()).then_some(rules)).collect()
}

fn of_server(server: &Server) -> String {
    let tool = |tool: &skills::tools::Tool| match tool.access {
        Access::Read => tool.name.clone(),
        access => format!("{} ({})", tool.name, access.as_str()),
    };
    let tools: Vec<String> = server.tools.iter().map(tool).collect();
    format!("{} exposes {}", server.id, tools.join(", "))
}

fn granted(granted: &Granted) -> String {
    match granted {
        Granted::Tool { server, tool } => format!("mcp:{server}:{tool}"),
        Granted::Command(words) => format!("command:{}", words.join(" ")),
    }
}

/// `allowed-tools` of a `SKILL.md` grants what it lists as soon as an agent loads it.
fn allowed(tree: &Tree) -> Option<String> {
    let front = frontmatter::read(&tree.file(SKILL_MD)?.bytes).ok()?.front;
    front.allowed_tools.map(|tools| format!("allowed-tools: {}", tools.join(", ")))
}

/// `1 file`, `2 files`.
pub fn plural(count: u32, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

#[cfg(test)]
mod tests {
    use skills::FilePath;
    use skills::tree::{File, Mode};

    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        let file = |(path, text): &(&str, &str)| File {
            path: FilePath::parse(path).expect("lawful"),
            mode: Mode::Regular,
            bytes: (*text).into(),
        };
        Tree::new(files.iter().map(file).collect()).expect("lawful")
    }

    fn says(files: &[(&str, &str)], expected: &[&str]) {
        assert_eq!(of_new(&tree(files)).expect("read"), expected);
    }

    const HEAD: &str = "[package]\nschema = 1\nname = \"a/b\"\nversion = \"1.0.0\"\ndescription = \"x\"\n";

    #[test]
    fn what_can_do_nothing_is_not_talked_about() {
        says(&[("SKILL.md", "---\nname: b\ndescription: x\n---\nx\n")], &[]);
    }

    #[test]
    fn scripts_and_granted_tools_are_said() {
        let skill = "---\nname: b\ndescription: x\nallowed-tools: Bash(git *), Read\n---\nx\n";
        says(
            &[("SKILL.md", skill), ("run.py", "x")],
            &["1 script to run, tools granted without asking (allowed-tools)", "allowed-tools: Bash(git *), Read"],
        );
    }

    #[test]
    fn a_check_says_what_it_runs_and_what_it_reaches() {
        let check = format!(
            "{HEAD}kind = \"check\"\n[check]\nargv = [\"psql\", \"-l\"]\ninputs = [\"**\"]\nnetwork = \"any\"\n"
        );
        says(&[("skill.toml", &check)], &["network: any", "runs `psql -l`"]);
    }

    #[test]
    fn a_bundle_says_its_servers_by_their_pins_and_what_it_wishes() {
        let bundle = format!(
            "{HEAD}kind = \"tools\"\n[boundary]\ntask-class = [\"any\"]\nenvironment = [\"dev\"]\ndata-class = \"public\"\n\
             approval = \"ask-on-mutate\"\n[server.pg]\ntransport = \"stdio\"\ncommand = \"npx\"\nargs = [\"-y\", \"pg-mcp@0.6.2\"]\n\
             pin = {{ registry = \"npm\", name = \"pg-mcp\", version = \"0.6.2\", integrity = \"sha512-{}==\" }}\n\
             [server.pg.tools]\nquery = {{ access = \"read\" }}\ncancel = {{ access = \"mutate\", approval = \"ask\" }}\n\
             [[rule]]\neffect = \"deny\"\ncommand = [\"dropdb\"]\n[[grant]]\nmcp = \"pg:query\"\nreason = \"It reads.\"\n",
            "A".repeat(86)
        );
        says(
            &[("skill.toml", &bundle)],
            &[
                "server pg (npm:pg-mcp@0.6.2), tools that change things, 1 grant to approve, network: any",
                "pg exposes query, cancel (mutate)",
                "wishes mcp:pg:query: It reads.",
                "denies 1, asks about 0",
            ],
        );
    }
}
