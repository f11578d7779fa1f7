//! What servers say about themselves, in four formats, read as far as a draft needs it.
//!
//! The files are a stranger's. A value of theirs is repeated in a refusal only where it is a name.

use serde_json::{Map, Value};

use super::draft::{Draft, Launch, Pin, Server};

type Found<T> = Result<T, String>;

/// Reads one of the four, known by what is in it; the error is the rest of a sentence.
pub(super) fn read(bytes: &[u8], is_yaml: bool) -> Found<Draft> {
    let value: Value = if is_yaml {
        let text = std::str::from_utf8(bytes).map_err(|_| String::from("it is not UTF-8"))?;
        // The parser's own sentence may quote a line of the file.
        serde_saphyr::from_str(text).map_err(|_| String::from("it is not YAML that can be read"))?
    } else {
        skills::json::parse(bytes, bytes.len()).map_err(|refusal| refusal.message)?
    };
    let has = |key: &str| value.get(key).is_some();
    let draft = if let Some(servers) = value["mcpServers"].as_object().or_else(|| value["servers"].as_object()) {
        of_mcp_json(servers)
    } else if has("packages") || has("remotes") {
        of_registry(&value)
    } else if has("manifest_version") || has("dxt_version") {
        of_mcpb(&value)
    } else if has("image") {
        of_docker(&value)
    } else {
        Err(String::from("it is none of server.json, manifest.json of an MCP bundle, .mcp.json, server.yaml of Docker"))
    }?;
    if draft.servers.is_empty() { Err(String::from("it names no server")) } else { Ok(draft) }
}

fn text<'a>(value: &'a Value, key: &str) -> Found<&'a str> {
    value[key].as_str().ok_or_else(|| format!("`{key}` is missing, or no text"))
}

/// A sentence of somebody else's: one line, of bounded length.
fn sentence(value: &Value) -> Option<String> {
    let line: String = value.as_str()?.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    Some(line.trim().to_owned()).filter(|line| !line.is_empty())
}

/// The last part of a name, as an id of ours.
fn id_of(name: &str) -> String {
    let last = name.rsplit(['/', '@', ':']).find(|part| !part.is_empty()).unwrap_or(name);
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let id: String = last.chars().map(plain).take(32).collect();
    let id = id.trim_matches('-').to_owned();
    if id.starts_with(|c: char| c.is_ascii_lowercase()) {
        id
    } else {
        format!("server-{id}").trim_end_matches('-').to_owned()
    }
}

fn texts(value: &Value) -> Found<Vec<String>> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => {
            let text = |item: &Value| item.as_str().map(str::to_owned).ok_or("an argument is no text".to_owned());
            items.iter().map(text).collect()
        }
        _ => Err(String::from("the arguments are not a list")),
    }
}

/// The configuration of Claude Code, Cursor or VS Code.
fn of_mcp_json(servers: &Map<String, Value>) -> Found<Draft> {
    let of = |(name, value): (&String, &Value)| {
        let launch = match value["url"].as_str() {
            Some(url) => Launch::Http { url: url.to_owned(), headers: references(&value["headers"])? },
            None => {
                let (command, args) = (text(value, "command")?.to_owned(), texts(&value["args"])?);
                let pin = pin_of(&command, &args)?;
                Launch::Stdio { command, args, env: references(&value["env"])?, pin }
            }
        };
        Ok(Server { id: id_of(name), launch, tools: Vec::new() })
    };
    let each =
        |entry: (&String, &Value)| of(entry).map_err(|why: String| format!("server `{}`: {why}", id_of(entry.0)));
    Ok(Draft { description: None, servers: servers.iter().map(each).collect::<Found<_>>()? })
}

/// Values that are nothing but a variable; any other value may be a secret, and is not repeated.
fn references(values: &Value) -> Found<Vec<(String, String)>> {
    let Some(values) = values.as_object() else { return Ok(Vec::new()) };
    let of = |(name, value): (&String, &Value)| match value.as_str().and_then(variable) {
        Some(from) => Ok((name.clone(), from.to_owned())),
        None => {
            let shown: String =
                name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).take(64).collect();
            Err(format!("`{shown}` has a literal value: a bundle holds names of variables, `${{NAME}}`, never values"))
        }
    };
    values.iter().map(of).collect()
}

/// `${NAME}`, `${env:NAME}`, `{env:NAME}`, `$NAME`.
fn variable(value: &str) -> Option<&str> {
    let inner =
        value.strip_prefix("${env:").or_else(|| value.strip_prefix("{env:")).or_else(|| value.strip_prefix("${"));
    let name = match inner {
        Some(inner) => inner.strip_suffix('}')?,
        None => value.strip_prefix('$')?,
    };
    let lawful = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(lawful)).then_some(name)
}

/// The package that a command line starts, by the first word that names a version of one.
fn pin_of(command: &str, args: &[String]) -> Found<Pin> {
    let none = || format!("nothing in its arguments names a package of `{}` with an exact version", id_of(command));
    let package = args.iter().filter(|arg| !arg.starts_with('-'));
    match command {
        "npx" | "bunx" | "pnpm" | "yarn" | "npm" => package
            .filter_map(|arg| arg.rsplit_once('@').filter(|(name, _)| !name.is_empty()))
            .map(|(name, version)| Pin::Npm { name: name.to_owned(), version: version.to_owned() })
            .next()
            .ok_or_else(none),
        "uvx" | "uv" | "pipx" => package
            .filter_map(|arg| arg.split_once("==").or_else(|| arg.split_once('@')))
            .map(|(name, version)| Pin::Pypi { name: bare(name), version: version.to_owned() })
            .next()
            .ok_or_else(none),
        "docker" | "podman" | "nerdctl" => package.filter_map(|arg| image(arg)).next().ok_or_else(|| {
            String::from("its image has no digest: name it as `IMAGE@sha256:…`, as `docker inspect` shows it")
        }),
        _ => Err(String::from("its command is no runner of packages (npx, uvx, docker, …), so nothing can be pinned")),
    }
}

/// Without extras in brackets.
fn bare(name: &str) -> String {
    name.split('[').next().unwrap_or(name).to_owned()
}

fn image(arg: &str) -> Option<Pin> {
    let (image, digest) = arg.split_once('@').filter(|(_, digest)| digest.starts_with("sha256:"))?;
    // A tag stands behind the last slash; a colon before it is a port.
    let name = match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    };
    Some(Pin::Oci { name: name.to_owned(), digest: digest.to_owned() })
}

/// `server.json` of the MCP registry: packages and remote addresses.
fn of_registry(value: &Value) -> Found<Draft> {
    let id = id_of(text(value, "name")?);
    let list = |key: &str| value[key].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut servers = Vec::new();
    for launch in list("packages").iter().map(package).chain(list("remotes").iter().map(remote)) {
        let id = if servers.is_empty() { id.clone() } else { format!("{id}-{}", servers.len() + 1) };
        servers.push(Server { id, launch: launch?, tools: Vec::new() });
    }
    Ok(Draft { description: sentence(&value["description"]), servers })
}

fn package(value: &Value) -> Found<Launch> {
    let identifier = text(value, "identifier")?;
    let version = || text(value, "version").map(str::to_owned).map_err(|_| String::from("a package has no version"));
    let (command, mut args, pin) = match text(value, "registryType")? {
        "npm" => {
            let pin = Pin::Npm { name: identifier.to_owned(), version: version()? };
            ("npx", vec!["-y".to_owned(), format!("{identifier}@{}", version()?)], pin)
        }
        "pypi" => {
            let pin = Pin::Pypi { name: identifier.to_owned(), version: version()? };
            ("uvx", vec![format!("{identifier}=={}", version()?)], pin)
        }
        "oci" => {
            let pin = image(identifier).ok_or("an image has no digest: a tag is another image every day")?;
            ("docker", vec!["run".to_owned(), "-i".to_owned(), "--rm".to_owned(), identifier.to_owned()], pin)
        }
        "mcpb" => {
            let sha256 = text(value, "fileSha256").map_err(|_| "an MCP bundle has no `fileSha256`")?.to_owned();
            let pin = Pin::Mcpb { url: Some(identifier.to_owned()), sha256: Some(sha256) };
            ("mcpb", vec![identifier.to_owned()], pin)
        }
        _ => return Err(String::from("a package is of a registry that cannot be pinned: npm, pypi, oci and mcpb can")),
    };
    args.extend(arguments(&value["packageArguments"])?);
    Ok(Launch::Stdio { command: command.to_owned(), args, env: names(&value["environmentVariables"]), pin })
}

/// Arguments that are the same on every machine; one that the user has to fill in is none of them.
fn arguments(value: &Value) -> Found<Vec<String>> {
    let mut arguments = Vec::new();
    for argument in value.as_array().into_iter().flatten() {
        match (argument["name"].as_str(), argument["value"].as_str()) {
            (name, Some(value)) => arguments.extend(name.into_iter().chain([value]).map(str::to_owned)),
            (_, None) if argument["isRequired"] == true => {
                return Err(String::from("a required argument has no value: it would be another one on each machine"));
            }
            (_, None) => {}
        }
    }
    Ok(arguments)
}

/// Variables by their names; whatever value stands beside them is left out.
fn names(value: &Value) -> Vec<(String, String)> {
    let names = value.as_array().into_iter().flatten().filter_map(|variable| variable["name"].as_str());
    names.map(|name| (name.to_owned(), name.to_owned())).collect()
}

fn remote(value: &Value) -> Found<Launch> {
    let variable = |name: &str| -> String {
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
    };
    let headers = names(&value["headers"]).into_iter().map(|(name, _)| (name.clone(), variable(&name))).collect();
    Ok(Launch::Http { url: text(value, "url")?.to_owned(), headers })
}

/// `manifest.json` inside of an MCP bundle: it lists its tools, and cannot know its own address and digest.
fn of_mcpb(value: &Value) -> Found<Draft> {
    let tools = value["tools"].as_array().into_iter().flatten();
    let tools = tools.map(|tool| text(tool, "name").map(str::to_owned)).collect::<Found<Vec<_>>>()?;
    let variables = value["server"]["mcp_config"]["env"].as_object().into_iter().flatten();
    let mut env = Vec::new();
    for (name, value) in variables {
        if !value.as_str().is_some_and(|value| value.starts_with("${") && value.ends_with('}')) {
            return Err(String::from("a variable of its server has a literal value, expected `${user_config.…}`"));
        }
        env.push((name.clone(), name.clone()));
    }
    let pin = Pin::Mcpb { url: None, sha256: None };
    let launch = Launch::Stdio { command: "mcpb".to_owned(), args: vec!["TODO".to_owned()], env, pin };
    let server = Server { id: id_of(text(value, "name")?), launch, tools };
    Ok(Draft { description: sentence(&value["description"]), servers: vec![server] })
}

/// `server.yaml` of Docker's catalogue.
fn of_docker(value: &Value) -> Found<Draft> {
    let image_text = text(value, "image")?;
    let pin = image(image_text).ok_or("its image has no digest: a tag is another image every day")?;
    let secrets = value["config"]["secrets"].as_array().into_iter().flatten();
    let names: Vec<&str> = secrets.filter_map(|secret| secret["env"].as_str()).collect();
    let mut args = vec!["run".to_owned(), "-i".to_owned(), "--rm".to_owned()];
    args.extend(names.iter().flat_map(|name| ["-e".to_owned(), (*name).to_owned()]));
    args.push(image_text.to_owned());
    let env = names.into_iter().map(|name| (name.to_owned(), name.to_owned())).collect();
    let launch = Launch::Stdio { command: "docker".to_owned(), args, env, pin };
    let server = Server { id: id_of(text(value, "name")?), launch, tools: Vec::new() };
    Ok(Draft { description: sentence(&value["about"]["description"]), servers: vec![server] })
}
