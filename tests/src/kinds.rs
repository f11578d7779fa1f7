//! Packages of the other three kinds, small and lawful: a check, a tool bundle, and a brief that uses both.

use std::path::{Path, PathBuf};

use crate::files::{set_mode, write};

/// Writes `acme/green`, which passes where there is a file `done`.
pub fn check(folder: &Path, version: &str) -> PathBuf {
    let path = folder.join("green");
    let manifest = head("green", version, "check", "The work is marked as done.")
        + "[check]\nargv = [\"./run.sh\"]\ninputs = [\"**\"]\nenv = { pass = [\"PATH\"] }\n";
    write(path.join("skill.toml"), manifest);
    write(path.join("run.sh"), "#!/bin/sh\ntest -e done\n");
    set_mode(&path.join("run.sh"), 0o755);
    write(path.join("fixtures/pass/marked/done"), "");
    write(path.join("fixtures/fail/unmarked/todo"), "");
    path
}

/// Writes `acme/guard`: one pinned server, one denied command, one wish.
pub fn tools(folder: &Path, version: &str) -> PathBuf {
    let path = folder.join("guard");
    let pin = format!("sha512-{}==", "A".repeat(86));
    let manifest = head("guard", version, "tools", "Reads a database and nothing else.")
        + "[boundary]\ntask-class = [\"diagnose\"]\nenvironment = [\"dev\", \"staging\"]\ndata-class = \"internal\"\n\
           approval = \"ask-on-mutate\"\n\
           [server.pg]\ntransport = \"stdio\"\ncommand = \"npx\"\nargs = [\"-y\", \"pg-mcp@0.6.2\"]\n"
        + &format!("pin = {{ registry = \"npm\", name = \"pg-mcp\", version = \"0.6.2\", integrity = \"{pin}\" }}\n")
        + "[server.pg.tools]\nquery = { access = \"read\" }\ncancel = { access = \"mutate\", approval = \"ask\" }\n\
           [[rule]]\neffect = \"deny\"\ncommand = [\"dropdb\"]\nreason = \"A human drops databases.\"\n\
           [[grant]]\nmcp = \"pg:query\"\nreason = \"It only reads.\"\n";
    write(path.join("skill.toml"), manifest);
    path
}

/// Writes `acme/mark`, a brief that uses `acme/guard` and is proved by `acme/green`; `more` goes into `[brief]`.
pub fn brief(folder: &Path, version: &str, more: &str) -> PathBuf {
    let path = folder.join("mark");
    let manifest = head("mark", version, "brief", "One mark that says what was done.")
        + "[boundary]\ntask-class = \"diagnose\"\nenvironment = \"{{ param.environment }}\"\ndata-class = \"internal\"\n\
           approval = \"plan-first\"\n\
           [param.environment]\ntype = \"string\"\nenum = [\"dev\", \"staging\"]\ndefault = \"dev\"\n\
           [param.ticket]\ntype = \"string\"\npattern = \"^[A-Z]+-[0-9]+$\"\n\
           [dependencies]\n\"acme/guard\" = \"^1\"\n\"acme/green\" = \"^1\"\n\
           [brief]\ntemplate = \"brief.md\"\ntools = [\"acme/guard\"]\n"
        + more
        + "[[brief.deliverable]]\nid = \"mark\"\npath = \"done\"\nkind = \"text\"\n\
           [[brief.check]]\nid = \"marked\"\nuse = \"acme/green\"\n\
           [[brief.escalate]]\nwhen = \"the database does not answer\"\nto = \"team:data\"\n\
           [[brief.task]]\nid = \"write\"\nmakes = [\"mark\"]\n\
           [[brief.task]]\nid = \"prove\"\nneeds = [\"write\"]\nchecks = [\"marked\"]\n";
    write(path.join("skill.toml"), manifest);
    write(
        path.join("brief.md"),
        "## Objective\nWrite `done` for {{ param.ticket }} in {{ param.environment }}.\n\n\
         ## Constraints\n- Touch no other file than `done`.\n\n\
         ## Allowed tools\n{{ sections.tools }}\n\n## Deliverables\n{{ sections.deliverables }}\n\n\
         ## Checks\n{{ sections.checks }}\n\n## Escalation\n{{ sections.escalation }}\n",
    );
    path
}

fn head(name: &str, version: &str, kind: &str, description: &str) -> String {
    format!(
        "[package]\nschema = 1\nname = \"acme/{name}\"\nversion = \"{version}\"\nkind = \"{kind}\"\n\
         description = \"{description}\"\nlicense = \"Apache-2.0\"\n"
    )
}
