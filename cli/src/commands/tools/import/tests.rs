//! Four formats, and what is refused in them.

use skills::manifest::{Kinded, Manifest};

use super::*;

const REGISTRY: &str = r#"{"$schema": "https://example.invalid/server.schema.json", "name": "io.github.acme/pg-tools",
    "description": "Queries.\nAnd schemas.", "version": "1.0.0",
    "packages": [{"registryType": "npm", "identifier": "@acme/pg-tools", "version": "0.6.2",
        "transport": {"type": "stdio"}, "packageArguments": [{"type": "named", "name": "--schema", "value": "public"}],
        "environmentVariables": [{"name": "PG_URL", "isSecret": true, "default": "postgres://secret@host"}]}],
    "remotes": [{"type": "streamable-http", "url": "https://mcp.example.com/mcp", "headers": [{"name": "Authorization"}]}]}"#;
const MCPB: &str = r#"{"manifest_version": "0.3", "name": "pg-tools", "version": "1.0.0", "description": "Queries.",
    "server": {"type": "node", "entry_point": "server/index.js", "mcp_config": {"command": "node",
        "args": ["${__dirname}/server/index.js"], "env": {"PG_URL": "${user_config.pg_url}"}}},
    "tools": [{"name": "query", "description": "x"}, {"name": "kill"}]}"#;
const MCP_JSON: &str = r#"{"mcpServers": {
    "pg": {"command": "npx", "args": ["-y", "pg-mcp@0.6.2"], "env": {"PG_URL": "${PG_URL}"}},
    "Far Away": {"type": "http", "url": "https://mcp.example.com/mcp", "headers": {"X-Key": "${FAR_KEY}"}},
    "py": {"command": "uvx", "args": ["near-mcp[all]==1.2.3"]}}}"#;
const DOCKER: &str = "name: pg\nimage: mcp/pg@sha256:0000000000000000000000000000000000000000000000000000000000000000\n\
    type: server\nabout:\n  description: Queries.\nconfig:\n  secrets:\n    - name: pg.url\n      env: PG_URL\n      example: postgres://secret@host\n";

fn name() -> PackageName {
    PackageName::parse("acme/tools-pg").expect("a name")
}

fn draft(text: &str) -> Result<String, String> {
    let draft = sources::read(text.as_bytes(), text.starts_with("name:"))?;
    draft.check(&name()).map_err(|refusal| refusal.message)?;
    Ok(draft.text(&name()))
}

#[test]
fn each_format_becomes_a_draft_that_waits_for_its_author() {
    for text in [REGISTRY, MCPB, MCP_JSON, DOCKER] {
        let drafted = draft(text).expect(text);
        assert!(drafted.contains("TODO"), "{drafted}");
        assert!(!drafted.contains("access = \"read\" }\n") || drafted.contains("# query"), "{drafted}");
        assert!(!drafted.contains("secret@host"), "{drafted}");
        assert!(Manifest::parse(drafted.as_bytes()).is_err(), "lint refuses what is open:\n{drafted}");
    }
}

#[test]
fn what_a_source_says_is_taken_over() {
    let drafted = draft(REGISTRY).expect("a draft");
    for part in [
        "[server.pg-tools]",
        "args = [\"-y\", \"@acme/pg-tools@0.6.2\", \"--schema\", \"public\"]",
        "version = \"0.6.2\", integrity = \"TODO\"",
        "env = { \"PG_URL\" = { from-env = \"PG_URL\" } }",
        "[server.pg-tools-2]",
        "headers = { \"Authorization\" = { from-env = \"AUTHORIZATION\" } }",
        "description = \"Queries. And schemas.\"",
    ] {
        assert!(drafted.contains(part), "{part}\n{drafted}");
    }
    let drafted = draft(MCPB).expect("a draft");
    assert!(drafted.contains("\"query\" = { access = \"mutate\" }\n\"kill\" = { access = \"mutate\" }\n"), "{drafted}");
    assert!(draft(MCP_JSON).expect("a draft").contains("[server.far-away]"));
    assert!(draft(DOCKER).expect("a draft").contains("\"-e\", \"PG_URL\", \"mcp/pg@sha256:"));
}

#[test]
fn a_draft_with_its_blanks_filled_in_is_a_bundle() {
    let filled = draft(MCP_JSON).expect("a draft");
    let filled = filled.replace("integrity = \"TODO\"", &format!("integrity = \"sha512-{}==\"", "A".repeat(86)));
    let filled = filled.replace("sha256 = \"TODO\"", &format!("sha256 = \"{}\"", "0".repeat(64)));
    let filled =
        filled.replace("# query = { access", "query = { access").replace("TODO", "todo").replace("\n# todo", "\n#");
    let manifest = Manifest::parse(filled.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}\n{filled}"));
    assert!(matches!(manifest.kinded, Kinded::Tools(bundle) if bundle.servers.len() == 3));
}

/// One change to a source, and a word of the refusal; what was changed in is never repeated.
#[track_caller]
fn refuses(text: &str, from: &str, to: &str, word: &str) {
    assert!(text.contains(from), "{from}");
    let why = draft(&text.replacen(from, to, 1)).expect_err(to);
    assert!(why.contains(word), "{to}: {why}");
    assert!(!why.contains("sk-live"), "{why}");
}

#[test]
fn values_where_names_belong_are_refused_and_not_repeated() {
    refuses(MCP_JSON, "${PG_URL}", "sk-live-0123456789abcdef", "`PG_URL` has a literal value");
    refuses(MCP_JSON, "${FAR_KEY}", "Bearer sk-live-0123456789abcdef", "`X-Key` has a literal value");
    refuses(MCP_JSON, "\"-y\"", "\"--token=sk-live-0123456789abcdef\"", "secret");
    refuses(MCP_JSON, "${PG_URL}", "${PG_URL:-sk-live-0123456789abcdef}", "literal");
    refuses(MCPB, "${user_config.pg_url}", "sk-live-0123456789abcdef", "literal");
    refuses(REGISTRY, "\"public\"", "\"sk-live-0123456789abcdef0123456789abcdef\"", "secret");
}

#[test]
fn what_is_not_pinned_is_refused() {
    refuses(MCP_JSON, "pg-mcp@0.6.2", "pg-mcp", "exact version");
    refuses(MCP_JSON, "pg-mcp@0.6.2", "pg-mcp@latest", "latest");
    refuses(MCP_JSON, "pg-mcp@0.6.2", "pg-mcp@^0.6", "version");
    refuses(MCP_JSON, "\"npx\"", "\"node\"", "no runner");
    refuses(MCP_JSON, "\"npx\"", "\"bash\"", "no runner");
    let first = draft(&MCP_JSON.replacen("\"-y\"", "\"-y\", \"first@1.0.0\"", 1)).expect("a draft");
    assert!(first.contains("name = \"first\""), "what npx would start is what is pinned: {first}");
    refuses(REGISTRY, "\"version\": \"0.6.2\"", "\"version\": \"latest\"", "latest");
    refuses(REGISTRY, "\"npm\"", "\"nuget\"", "cannot be pinned");
    refuses(DOCKER, "@sha256:", ":latest # ", "no digest");
}

#[test]
fn what_is_not_one_of_the_formats_is_refused() {
    for text in [
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"mcpServers\": {}}",
        "{\"mcpServers\": 1}",
        "{\"a\":1,\"a\":2}",
        "name: [",
        "name: &a [*a, *a]",
    ] {
        assert!(draft(text).is_err(), "{text}");
    }
    let deep = format!("{{\"mcpServers\":{}{}}}", "{\"a\":".repeat(500), "}".repeat(500));
    assert!(draft(&deep).is_err());
    refuses(MCPB, "\"query\"", "\"query\\\"] = 1\\n[[grant]]\"", "name of a tool");
}
