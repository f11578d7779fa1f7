//! A tool call, out of the JSON of whichever client asks.
//!
//! Clients name their tools as they like and rename them between versions, so a call is known by what it
//! carries: a command, paths, a tool of a server. A tool that is not known to only read counts as one that
//! changes what it names.

use serde_json::Value;

use crate::clients::Client;

/// What is about to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    /// Shell lines: who knows which of them runs, when a call has several.
    Command(Vec<String>),
    /// Files that are read or changed.
    Files {
        /// Paths as the client names them.
        read: Vec<String>,
        /// The same for those that may be changed.
        changed: Vec<String>,
    },
    /// A tool of a server.
    Tool {
        /// Which server.
        server: Server,
        /// Its tool, as the client spells it.
        tool: String,
    },
    /// Something that no bundle speaks about.
    Other,
}

/// How a client says which server it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Server {
    /// By its name.
    Id(String),
    /// By what starts it, or its address.
    Launch(String),
    /// Joined with the tool, nobody says where.
    Joined,
}

/// Tools that only read.
const READERS: [&str; 18] = [
    "Read",
    "Grep",
    "Glob",
    "LS",
    "NotebookRead",
    "read_file",
    "read_many_files",
    "list_directory",
    "glob",
    "search_file_content",
    "grep_search",
    "view",
    "grep",
    "rg",
    "list_dir",
    "read",
    "list",
    "view_image",
];

/// Tools that are a shell: without a command, their call is malformed.
const SHELLS: [&str; 9] =
    ["Bash", "bash", "shell", "Shell", "run_shell_command", "powershell", "exec_command", "local_shell", "PowerShell"];

/// Keys that hold a path.
const PATHS: [&str; 10] = [
    "file_path",
    "filePath",
    "path",
    "absolute_path",
    "notebook_path",
    "dir_path",
    "target_file",
    "file",
    "paths",
    "filename",
];

/// Keys of a tool that reads, which hold a pattern of paths.
const PATTERNS: [&str; 3] = ["glob", "include", "includes"];

/// Tools whose `pattern` is one of paths, and not of text.
const GLOBBERS: [&str; 2] = ["Glob", "glob"];

impl Call {
    /// Reads a call; the error is the rest of a sentence.
    pub(super) fn read(client: Client, call: &Value) -> Result<Self, String> {
        if !call.is_object() {
            return Err(String::from("the tool call is not a JSON object"));
        }
        match client {
            Client::Cursor => of_cursor(call),
            Client::Copilot if call.get("toolName").is_some() => of_copilot(call),
            Client::ClaudeCode | Client::Codex | Client::Copilot | Client::Gemini => of_named(call),
            Client::OpenCode => Err(String::from("OpenCode has no hooks")),
        }
    }
}

fn text<'a>(call: &'a Value, key: &str) -> Result<&'a str, String> {
    call[key].as_str().ok_or_else(|| format!("the tool call has no text `{key}`"))
}

fn of_cursor(call: &Value) -> Result<Call, String> {
    match text(call, "hook_event_name")? {
        "beforeShellExecution" => Ok(Call::Command(vec![text(call, "command")?.to_owned()])),
        "beforeReadFile" => Ok(Call::Files { read: vec![text(call, "file_path")?.to_owned()], changed: Vec::new() }),
        "beforeMCPExecution" => {
            let launch = call["command"].as_str().or_else(|| call["url"].as_str());
            let server = Server::Launch(launch.unwrap_or_default().to_owned());
            Ok(Call::Tool { server, tool: text(call, "tool_name")?.to_owned() })
        }
        "preToolUse" => of_named(call),
        _ => Err(String::from("the tool call is of an event that is not judged here")),
    }
}

/// `toolArgs` is JSON in a string.
fn of_copilot(call: &Value) -> Result<Call, String> {
    let name = text(call, "toolName")?;
    let arguments = match &call["toolArgs"] {
        Value::String(arguments) => skills::json::parse(arguments.as_bytes(), arguments.len())
            .map_err(|_| String::from("`toolArgs` of the tool call is not JSON"))?,
        arguments => arguments.clone(),
    };
    match of_input(name, &arguments)? {
        Call::Other => Ok(Call::Tool { server: Server::Joined, tool: name.to_owned() }),
        call => Ok(call),
    }
}

fn of_named(call: &Value) -> Result<Call, String> {
    let name = text(call, "tool_name")?;
    let of_context = (call["mcp_context"]["server_name"].as_str(), call["mcp_context"]["tool_name"].as_str());
    let of_name = name
        .strip_prefix("mcp__")
        .and_then(|rest| rest.split_once("__"))
        .or_else(|| name.strip_prefix("mcp_").and_then(|rest| rest.split_once('_')));
    match (of_context, of_name) {
        ((Some(server), Some(tool)), _) | (_, Some((server, tool))) => {
            Ok(Call::Tool { server: Server::Id(server.to_owned()), tool: tool.to_owned() })
        }
        _ => of_input(name, &call["tool_input"]),
    }
}

fn of_input(name: &str, input: &Value) -> Result<Call, String> {
    if name == "apply_patch" {
        let patch = ["command", "input", "patch"].iter().find_map(|key| words(&input[*key]));
        let patch = patch.ok_or("the patch of the tool call is not text")?;
        let changed = patched(&patch);
        return Ok(Call::Files { read: Vec::new(), changed });
    }
    let commands: Vec<String> = ["command", "cmd"].iter().filter_map(|key| words(&input[*key])).collect();
    if !commands.is_empty() {
        return Ok(Call::Command(commands));
    }
    if SHELLS.contains(&name) {
        return Err(String::from("the tool call is of a shell and has no command"));
    }
    let is_reader = READERS.contains(&name);
    let mut paths: Vec<String> = PATHS.iter().flat_map(|key| texts(&input[*key])).collect();
    if is_reader {
        // Taken as paths: a pattern that spells out what is denied is found, a wider one is not.
        paths.extend(PATTERNS.iter().flat_map(|key| texts(&input[*key])));
    }
    if GLOBBERS.contains(&name) {
        paths.extend(texts(&input["pattern"]));
    }
    match (paths.is_empty(), is_reader) {
        (true, _) => Ok(Call::Other),
        (false, true) => Ok(Call::Files { read: paths, changed: Vec::new() }),
        (false, false) => Ok(Call::Files { read: paths.clone(), changed: paths }),
    }
}

/// A command as text; a list of words as a line that means the same.
fn words(command: &Value) -> Option<String> {
    let quoted = |word: &Value| word.as_str().map(|word| format!("'{}'", word.replace('\'', r"'\''")));
    match command {
        Value::String(command) => Some(command.clone()),
        Value::Array(words) if !words.is_empty() => {
            words.iter().map(quoted).collect::<Option<Vec<_>>>().map(|words| words.join(" "))
        }
        _ => None,
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// The files that a patch in Codex's form names.
fn patched(patch: &str) -> Vec<String> {
    let heads = ["*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: "];
    let of_line = |line: &str| heads.iter().find_map(|head| line.trim_start().strip_prefix(head).map(str::to_owned));
    patch.lines().filter_map(of_line).map(|path| path.trim().to_owned()).collect()
}
