//! Runners: the programs that fetch a package and start it, and which package they would start.
//!
//! A pin names bytes; `npx evil pg-mcp@0.6.2` also names them, as an argument for something else. So the
//! command line is read the way its runner reads it, up to the package: flags that are known here and
//! harmless, and then the package and no other. What follows is the server's own business.

use super::pin::Pin;

/// How one family of runners reads its command line.
struct Runner {
    commands: &'static [&'static str],
    subcommands: &'static [&'static str],
    /// Flags without a value.
    flags: &'static [&'static str],
    /// Flags with a value that is not a package.
    values: &'static [&'static str],
    /// Flags with a package as their value; what stands free is then a program in it.
    packages: &'static [&'static str],
}

const NPM: Runner = Runner {
    commands: &["npx", "bunx", "pnpm", "yarn", "npm"],
    subcommands: &["dlx", "exec", "x"],
    flags: &["-y", "--yes", "-q", "--quiet", "--silent", "--offline", "--prefer-offline", "--ignore-scripts", "--"],
    values: &[],
    packages: &["-p", "--package"],
};

const PYPI: Runner = Runner {
    commands: &["uvx", "uv", "pipx"],
    subcommands: &["tool", "run"],
    flags: &["-q", "--quiet", "--offline", "--isolated", "--no-config", "--no-cache"],
    values: &["--python"],
    packages: &["--from", "--spec"],
};

/// Nothing that opens the machine: no `--privileged`, no capabilities, no mounts, no other entry point.
const OCI: Runner = Runner {
    commands: &["docker", "podman", "nerdctl"],
    subcommands: &["run"],
    flags: &["-i", "--interactive", "--rm", "-t", "--tty", "-it", "--init", "--read-only"],
    values: &[
        "-e",
        "--env",
        "--network",
        "--name",
        "--label",
        "-u",
        "--user",
        "-m",
        "--memory",
        "--cpus",
        "--pids-limit",
        "--tmpfs",
        "--cap-drop",
        "--security-opt",
        "--platform",
        "--pull",
        "-w",
        "--workdir",
    ],
    packages: &[],
};

/// Values that take away what the flag is for.
const OPENING_VALUES: [&str; 5] =
    ["host", "seccomp=unconfined", "apparmor=unconfined", "label=disable", "no-new-privileges=false"];

/// What is wrong with a command line that should start what is pinned, as a sentence.
pub(super) fn fault(pin: &Pin, command: &str, args: &[String]) -> Option<String> {
    let runners: &[&Runner] = match pin {
        Pin::Npm { .. } => &[&NPM],
        Pin::Pypi { .. } => &[&PYPI],
        Pin::Oci { .. } => &[&OCI],
        Pin::Git { .. } => &[&NPM, &PYPI],
        // No runner of these is settled yet; the bundle's file is the first thing that is named.
        Pin::Mcpb { .. } => return (!args.first().is_some_and(|arg| pin.is_named_by(arg))).then(|| expected(pin)),
    };
    let Some(runner) = runners.iter().find(|runner| runner.commands.contains(&command)) else {
        let known: Vec<&str> = runners.iter().flat_map(|runner| runner.commands).copied().collect();
        return Some(format!("`command` is not a program that starts what is pinned: expected {}", known.join(", ")));
    };
    match runner.started(args) {
        Err(flag) => Some(format!("`args` have `{flag}` before the package, which is not known to be harmless")),
        Ok(packages) if packages.is_empty() => Some(expected(pin)),
        Ok(packages) => (!packages.iter().all(|package| pin.is_named_by(package))).then(|| expected(pin)),
    }
}

fn expected(pin: &Pin) -> String {
    format!("`args` do not start exactly what is pinned: expected the package `{}`", pin.word())
}

impl Runner {
    /// The packages that would be fetched; the error is a flag that could mean anything.
    fn started<'a>(&self, args: &'a [String]) -> Result<Vec<&'a str>, &'a str> {
        let mut packages = Vec::new();
        let mut args = args.iter().map(String::as_str).peekable();
        while args.next_if(|arg| self.subcommands.contains(arg)).is_some() {}
        while let Some(arg) = args.next() {
            if !arg.starts_with('-') {
                if packages.is_empty() {
                    packages.push(arg);
                }
                return Ok(packages);
            }
            let (flag, own) = arg.split_once('=').map_or((arg, None), |(flag, value)| (flag, Some(value)));
            let takes = self.values.contains(&flag) || self.packages.contains(&flag);
            if !takes {
                if own.is_some() || !self.flags.contains(&flag) {
                    return Err(arg);
                }
                continue;
            }
            let value = own.or_else(|| args.next()).ok_or(arg)?;
            if self.packages.contains(&flag) {
                packages.push(value);
            } else if OPENING_VALUES.contains(&value) {
                return Err(arg);
            }
        }
        Ok(packages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npm() -> Pin {
        Pin::Npm { name: "pg-mcp".into(), version: "0.6.2".into(), integrity: String::new() }
    }

    fn pypi() -> Pin {
        Pin::Pypi { name: "pg-mcp".into(), version: "1.2.0".into(), sha256: String::new() }
    }

    fn oci() -> Pin {
        Pin::Oci { name: "ghcr.io/acme/pg".into(), digest: "sha256:ab".into() }
    }

    fn of(pin: &Pin, line: &str) -> Option<String> {
        let mut words = line.split(' ').map(str::to_owned);
        let command = words.next().expect("a command");
        fault(pin, &command, &words.collect::<Vec<_>>())
    }

    fn starts(pin: &Pin, line: &str) {
        assert_eq!(of(pin, line), None, "{line}");
    }

    fn refuses(pin: &Pin, line: &str, words: &str) {
        let fault = of(pin, line).expect(line);
        assert!(fault.contains(words), "{line}: {fault}");
    }

    #[test]
    fn runners_start_what_is_pinned() {
        starts(&npm(), "npx -y pg-mcp@0.6.2");
        starts(&npm(), "npx -y --package=pg-mcp@0.6.2 pg --verbose");
        starts(&npm(), "pnpm dlx pg-mcp@0.6.2 --port 1");
        starts(&pypi(), "uvx pg-mcp@1.2.0");
        starts(&pypi(), "uv tool run --from pg-mcp==1.2.0 pg-mcp");
        starts(&oci(), "docker run -i --rm -e PG_URL --network=none ghcr.io/acme/pg@sha256:ab --readonly");
    }

    #[test]
    fn the_pin_as_an_argument_of_another_package_is_no_pin() {
        refuses(&npm(), "npx -y evil pg-mcp@0.6.2", "do not start");
        refuses(&npm(), "npx -p evil@1.0.0 -p pg-mcp@0.6.2 pg", "do not start");
        refuses(&npm(), "npx -y", "do not start");
        refuses(&pypi(), "uvx --from evil pg-mcp==1.2.0", "do not start");
        refuses(&oci(), "docker run -i evil/image ghcr.io/acme/pg@sha256:ab", "do not start");
        refuses(&npm(), "node pg-mcp@0.6.2", "expected npx");
        refuses(&npm(), "docker run pg-mcp@0.6.2", "expected npx");
    }

    #[test]
    fn flags_that_start_or_open_something_else_are_refused() {
        refuses(&npm(), "npx -p pg-mcp@0.6.2 -c evil", "`-c`");
        refuses(&npm(), "npx --registry=https://evil.example pg-mcp@0.6.2", "`--registry=");
        refuses(&pypi(), "uvx --with evil pg-mcp@1.2.0", "`--with`");
        refuses(&pypi(), "uvx --index-url https://evil.example pg-mcp@1.2.0", "`--index-url`");
        for flag in ["--privileged", "--cap-add=ALL", "-v /:/host", "--entrypoint sh", "--pid=host", "--network host"] {
            refuses(&oci(), &format!("docker run {flag} ghcr.io/acme/pg@sha256:ab"), "not known to be harmless");
        }
    }
}
