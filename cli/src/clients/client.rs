//! The clients that we render for: their names, their files, and how one is found here.

use std::path::Path;

use serde::Serialize;

use crate::failure::Failure;

/// A program that runs agents and reads its own configuration from the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Client {
    /// Claude Code.
    ClaudeCode,
    /// Codex.
    Codex,
    /// Cursor, the editor and its CLI.
    Cursor,
    /// Copilot, in VS Code and as CLI.
    Copilot,
    /// Gemini CLI.
    Gemini,
    /// OpenCode.
    #[serde(rename = "opencode")]
    OpenCode,
}

impl Client {
    /// All of them, in the order in which they are shown.
    pub fn all() -> [Self; 6] {
        [Self::ClaudeCode, Self::Codex, Self::Cursor, Self::Copilot, Self::Gemini, Self::OpenCode]
    }

    /// What `--client`, `[tools] clients` and the ledger call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::Codex => "codex",
            Self::Cursor => "cursor",
            Self::Copilot => "copilot",
            Self::Gemini => "gemini",
            Self::OpenCode => "opencode",
        }
    }

    /// The client of this name.
    pub fn named(name: &str) -> Result<Self, Failure> {
        Self::all().into_iter().find(|client| client.as_str() == name).ok_or_else(|| {
            Failure::usage("client-unknown", format!("no client is called `{}`", name.escape_debug()))
                .hint(format!("there are {}", Self::all().map(Self::as_str).join(", ")))
        })
    }

    /// The clients that have left a trace in this repository: they are used here.
    pub fn found(root: &Path) -> Vec<Self> {
        let is_used = |client: &Self| client.traces().iter().any(|trace| root.join(trace).exists());
        Self::all().into_iter().filter(is_used).collect()
    }

    /// Folders and files that only this client reads. `.agents` and `AGENTS.md` belong to nobody.
    fn traces(self) -> &'static [&'static str] {
        match self {
            Self::ClaudeCode => &[".claude", ".mcp.json", "CLAUDE.md"],
            Self::Codex => &[".codex"],
            Self::Cursor => &[".cursor", ".cursorrules"],
            Self::Copilot => &[".github/copilot-instructions.md", ".github/hooks", ".vscode/mcp.json"],
            Self::Gemini => &[".gemini", "GEMINI.md"],
            Self::OpenCode => &[".opencode", "opencode.json", "opencode.jsonc"],
        }
    }

    /// The files of other people that we may add entries to.
    fn shared_files(self) -> &'static [&'static str] {
        match self {
            Self::ClaudeCode => &[".mcp.json", ".claude/settings.json"],
            Self::Codex => &[".codex/config.toml", ".codex/hooks.json"],
            Self::Cursor => &[".cursor/mcp.json", ".cursor/cli.json", ".cursor/hooks.json", ".cursor/permissions.json"],
            Self::Copilot => &[".vscode/mcp.json"],
            Self::Gemini => &[".gemini/settings.json"],
            Self::OpenCode => &[".opencode/opencode.json"],
        }
    }

    /// Folders in which a file `skill-NAME` with this ending is wholly ours.
    fn own_files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Codex => &[(".codex/rules/skill-", ".rules")],
            Self::Copilot => &[(".github/hooks/skill-", ".json")],
            Self::ClaudeCode | Self::Cursor | Self::Gemini | Self::OpenCode => &[],
        }
    }

    /// Whether this is a path that a rendering for this client may ever name. A ledger that came with a
    /// branch is a stranger's text: what it says about any other path is refused.
    pub fn may_write(self, path: &str) -> bool {
        let is_own = |(start, end): &(&str, &str)| {
            let name = path.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
            name.is_some_and(|name| skills::SkillName::parse(name).is_ok())
        };
        self.shared_files().contains(&path) || self.own_files().iter().any(is_own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_is_found_by_its_name_and_no_other() {
        for client in Client::all() {
            assert_eq!(Client::named(client.as_str()).expect("a client"), client);
            assert_eq!(serde_json::to_value(client).expect("JSON"), client.as_str());
        }
        assert_eq!(Client::named("claude").expect_err("no client").code, "client-unknown");
    }

    #[test]
    fn a_client_is_found_by_what_only_it_reads() {
        let here = tempfile::tempdir().expect("a folder");
        assert_eq!(Client::found(here.path()), []);
        std::fs::create_dir_all(here.path().join(".agents/skills")).expect("a folder");
        assert_eq!(Client::found(here.path()), []);
        std::fs::create_dir(here.path().join(".codex")).expect("a folder");
        std::fs::write(here.path().join(".mcp.json"), "{}").expect("a file");
        assert_eq!(Client::found(here.path()), [Client::ClaudeCode, Client::Codex]);
    }

    #[test]
    fn only_a_clients_own_files_may_be_written() {
        for (client, path, may) in [
            (Client::ClaudeCode, ".claude/settings.json", true),
            (Client::ClaudeCode, ".claude/settings.local.json", false),
            (Client::Cursor, ".claude/settings.json", false),
            (Client::Codex, ".codex/rules/skill-tools-pg.rules", true),
            (Client::Codex, ".codex/rules/mine.rules", false),
            (Client::Codex, ".codex/rules/skill-../../../etc/passwd.rules", false),
            (Client::Codex, ".codex/rules/skill-.rules", false),
            (Client::Copilot, ".github/workflows/ci.yml", false),
        ] {
            assert_eq!(client.may_write(path), may, "{path}");
        }
    }
}
