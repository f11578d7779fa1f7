//! One call of each client, and what it hears: as JSON in, as JSON out.

use serde_json::{Value, json};
use skills::manifest::{Kinded, Manifest};

use super::*;

fn bundles() -> Vec<(PackageName, Bundle)> {
    let texts = [include_str!("../../clients/samples/postgres.toml"), include_str!("../../clients/samples/many.toml")];
    let of = |text: &str| {
        let manifest = Manifest::parse(text.as_bytes()).expect("a manifest");
        let Kinded::Tools(bundle) = manifest.kinded else { panic!("a bundle") };
        (manifest.name, *bundle)
    };
    texts.into_iter().map(of).collect()
}

/// What a client hears about a call; paths are taken as places in the repository `/repo`.
fn hears(client: Client, event: &Value) -> Option<Value> {
    let said = match Call::read(client, event) {
        Ok(call) => {
            let below =
                |paths: &[String]| paths.iter().map(|path| path.trim_start_matches("/repo/").to_owned()).collect();
            let files = match &call {
                Call::Files { read, changed } => Files { read: below(read), changed: below(changed) },
                _ => Files::default(),
            };
            decide::decide(client, &bundles(), &call, &files, "/repo")
        }
        Err(why) => Some(Said::deny(why)),
    };
    answer::worded(client, Some(event), said.as_ref())
}

/// The one word of an answer, wherever the client has it.
fn word(answer: &Option<Value>) -> &str {
    let Some(answer) = answer else { return "" };
    let spots = ["/hookSpecificOutput/permissionDecision", "/permissionDecision", "/permission", "/decision"];
    spots.iter().find_map(|spot| answer.pointer(spot)?.as_str()).unwrap_or_default()
}

#[track_caller]
fn check(client: Client, event: &Value, expected: &str) {
    let answer = hears(client, event);
    assert_eq!(word(&answer), expected, "{client:?} {event}\n{answer:?}");
}

#[test]
fn claude_code_hears_denials_questions_and_nothing() {
    for (tool, input, expected) in [
        ("Bash", json!({"command": "sudo dropdb orders"}), "deny"),
        ("Bash", json!({"command": "echo $(psql -l)"}), "ask"),
        ("Bash", json!({"command": "cat /repo/secrets/key"}), "deny"),
        ("Bash", json!({"command": "createdb orders"}), ""),
        ("Bash", json!({"command": "true", "cmd": "dropdb orders"}), "deny"),
        ("Bash", json!({"command": "dropdb orders", "cmd": "true"}), "deny"),
        ("Bash", json!({"cmd": 1}), "deny"),
        ("Bash", json!(null), "deny"),
        ("Read", json!({"file_path": "/repo/db/.pgpass"}), "deny"),
        ("Read", json!({"file_path": "/repo/README.md"}), ""),
        ("Read", json!({"file_path": "/repo/LICENSE"}), ""),
        ("Grep", json!({"pattern": "x", "path": "/repo/secrets"}), "deny"),
        ("Grep", json!({"pattern": "x", "glob": "secrets/*"}), "deny"),
        ("Grep", json!({"pattern": "secrets/x"}), ""),
        ("Glob", json!({"pattern": "**/.pgpass"}), "deny"),
        ("Glob", json!({"pattern": "src/**/*.rs"}), ""),
        ("read_many_files", json!({"include": ["secrets/**"]}), "deny"),
        ("Edit", json!({"file_path": "/repo/LICENSE"}), "deny"),
        ("Write", json!({"file_path": "/repo/.github/workflows/ci.yml"}), "deny"),
        ("SomethingNew", json!({"path": "/repo/LICENSE"}), "deny"),
        ("TodoWrite", json!({"todos": []}), ""),
        ("mcp__pg__query", json!({}), ""),
        ("mcp__pg__cancel_backend", json!({}), "ask"),
        ("mcp__pg__drop_everything", json!({}), "deny"),
        ("mcp__far__look_up", json!({}), ""),
        ("mcp__far__change", json!({}), "deny"),
        ("mcp__other__anything", json!({}), ""),
    ] {
        check(Client::ClaudeCode, &json!({"tool_name": tool, "tool_input": input}), expected);
    }
}

#[test]
fn codex_cannot_be_asked_so_a_hidden_question_is_a_denial() {
    let bash = |command: Value| json!({"tool_name": "Bash", "tool_input": {"command": command}});
    check(Client::Codex, &bash(json!("dropdb orders")), "deny");
    check(Client::Codex, &bash(json!("psql -l")), "");
    check(Client::Codex, &bash(json!("sh -c 'psql -l'")), "deny");
    check(Client::Codex, &bash(json!(["bash", "-lc", "true; dropdb orders"])), "deny");
    check(Client::Codex, &bash(json!(["bash", 1])), "deny");
    let patch = |text: &str| json!({"tool_name": "apply_patch", "tool_input": {"command": text}});
    check(Client::Codex, &patch("*** Begin Patch\n*** Update File: LICENSE\n@@\n"), "deny");
    check(Client::Codex, &patch("*** Begin Patch\n*** Update File: a\n*** Move to: .github/a\n"), "deny");
    check(Client::Codex, &patch("*** Begin Patch\n*** Add File: src/lib.rs\n+x\n"), "");
    check(Client::Codex, &json!({"tool_name": "mcp__pg__cancel_backend", "tool_input": {}}), "");
}

#[test]
fn cursor_names_a_server_by_what_starts_it_and_is_never_left_without_an_answer() {
    let event = |name: &str, more: Value| {
        let mut event = json!({"hook_event_name": name});
        event.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        event
    };
    check(Client::Cursor, &event("beforeShellExecution", json!({"command": "env dropdb x"})), "deny");
    check(Client::Cursor, &event("beforeShellExecution", json!({"command": "psql"})), "ask");
    check(Client::Cursor, &event("beforeReadFile", json!({"file_path": "/repo/.pgpass"})), "deny");
    check(Client::Cursor, &event("beforeReadFile", json!({"file_path": "/repo/x.pem"})), "deny");
    let launch = "npx -y pg-readonly-mcp@0.6.2";
    check(Client::Cursor, &event("beforeMCPExecution", json!({"tool_name": "drop", "command": launch})), "deny");
    check(Client::Cursor, &event("beforeMCPExecution", json!({"tool_name": "query", "command": launch})), "");
    let far = "https://mcp.example.com/mcp";
    check(Client::Cursor, &event("beforeMCPExecution", json!({"tool_name": "change", "url": far})), "deny");
    check(Client::Cursor, &event("afterEverything", json!({})), "deny");
    assert_eq!(hears(Client::Cursor, &event("beforeShellExecution", json!({"command": "ls"}))), Some(json!({})));
}

#[test]
fn gemini_and_copilot_hear_it_in_their_own_words() {
    let gemini = json!({"hook_event_name": "BeforeTool", "tool_name": "run_shell_command",
                        "tool_input": {"command": "dropdb x"}});
    check(Client::Gemini, &gemini, "deny");
    let mcp = |tool: &str| json!({"tool_name": format!("mcp_pg_{tool}"), "tool_input": {}});
    check(Client::Gemini, &mcp("cancel_backend"), "ask");
    check(Client::Gemini, &mcp("drop"), "deny");
    let context =
        json!({"tool_name": "x", "tool_input": {}, "mcp_context": {"server_name": "pg", "tool_name": "drop"}});
    check(Client::Gemini, &context, "deny");
    let copilot = |name: &str, arguments: &str| json!({"toolName": name, "toolArgs": arguments});
    check(Client::Copilot, &copilot("bash", "{\"command\":\"dropdb x\"}"), "deny");
    check(Client::Copilot, &copilot("view", "{\"path\":\"/repo/.pgpass\"}"), "deny");
    check(Client::Copilot, &copilot("pg-query", "{}"), "");
    check(Client::Copilot, &copilot("pg-drop", "{}"), "deny");
    check(Client::Copilot, &copilot("bash", "not JSON"), "deny");
    let in_code = json!({"tool_name": "run_in_terminal", "tool_input": {"command": "dropdb x"}});
    assert!(hears(Client::Copilot, &in_code).expect("an answer")["hookSpecificOutput"].is_object());
}

#[test]
fn a_call_that_cannot_be_read_is_denied_by_every_hook() {
    for client in [Client::ClaudeCode, Client::Codex, Client::Cursor, Client::Copilot, Client::Gemini] {
        for event in [json!(null), json!([]), json!({}), json!("x"), json!({"tool_name": 1}), json!({"toolName": null})]
        {
            assert_eq!(word(&hears(client, &event)), "deny", "{client:?} {event}");
        }
    }
}

#[test]
fn no_answer_ever_allows() {
    let events = [
        json!({"tool_name": "mcp__pg__query", "tool_input": {}}),
        json!({"tool_name": "Bash", "tool_input": {"command": "git status"}}),
        json!({"hook_event_name": "beforeShellExecution", "command": "git status"}),
    ];
    for client in [Client::ClaudeCode, Client::Codex, Client::Cursor, Client::Copilot, Client::Gemini] {
        for event in &events {
            let answer = hears(client, event).map(|answer| answer.to_string()).unwrap_or_default();
            assert!(!answer.contains("allow") && !answer.contains("approve"), "{client:?} {answer}");
        }
    }
}

#[test]
fn a_path_is_where_it_leads() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().canonicalize().expect("the folder");
    std::fs::create_dir(root.join("secrets")).expect("a folder");
    std::fs::write(root.join("secrets/key"), "x").expect("a file");
    assert_eq!(places(&root, &root.join("sub"), "../secrets/key")[0], "secrets/key");
    assert_eq!(places(&root, &root, "./a/../secrets/./key")[0], "secrets/key");
    assert!(places(&root, &root, "/etc/passwd").is_empty());
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(root.join("secrets"), root.join("docs")).expect("a link");
        assert!(places(&root, &root, "docs/key").contains(&"secrets/key".to_owned()));
        assert!(places(&root, &root, "docs/new/file").contains(&"secrets/new/file".to_owned()));
    }
}
