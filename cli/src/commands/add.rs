//! `skill add SPEC…`: want more skills, and install them.

use std::path::Path;

use index::entry::Entry;
use skills::package::Package;
use skills::{PackageName, Requirement, Scope, SkillName};

use super::install;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::folder;
use crate::install::{Journey, Options, fetch_catalogue, unversioned};
use crate::project::Project;
use crate::registries::Registries;
use crate::trust::Trust;
use crate::ui::Answer;
use crate::wants::{Origin, Want, Wants, WantsEdit};

/// What `add`, and `install` with SPEC, take.
#[derive(Debug, clap::Args)]
pub struct Addition {
    /// `scope/name`, `scope/name@REQUIREMENT`, or a folder `./path`
    #[arg(value_name = "SPEC")]
    pub specs: Vec<String>,
    /// Install under this name
    #[arg(long = "as", value_name = "NAME")]
    pub alias: Option<String>,
    /// Give a bundle's server another name here: `pg=pg2`, or `scope/name:pg=pg2` for one bundle only
    #[arg(long = "rename", value_name = "SERVER=NAME")]
    pub renames: Vec<String>,
    /// Trust scopes met for the first time without asking
    #[arg(long)]
    pub trust: bool,
    /// Overwrite what was edited, or is not ours
    #[arg(long)]
    pub force: bool,
    /// For the user instead of a repository
    #[arg(short, long)]
    pub global: bool,
    /// Decide everything, write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `skill add`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    addition: Addition,
}

impl From<Addition> for Args {
    fn from(addition: Addition) -> Self {
        Self { addition }
    }
}

/// A SPEC, parsed.
enum Spec {
    Package(PackageName, Option<Requirement>),
    Folder(String),
}

/// Adds to `skills.toml`, then goes the way of every install.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let args = args.addition;
    let specs = args.specs.iter().map(|spec| parse_spec(spec)).collect::<Result<Vec<_>, _>>()?;
    let alias = parse_alias(args.alias.as_deref(), specs.len())?;
    let project = Project::find_or_start(context, args.global)?;
    let held = project.hold(context, args.dry_run)?;
    let text = project.wants_text()?;
    let wants = crate::project::parse_wants(&text)?;
    let wants_text = renamed(edit(context, &project, &wants, &text, specs, alias)?, &args.renames)?;
    let options = Options {
        force: args.force,
        dry_run: args.dry_run,
        keep_edits: true,
        pin: Some(args.trust),
        ..Options::default()
    };
    let installed = Journey { context, project: &project, wants_text, options }.run(&held)?;
    Ok(install::answer(context, installed, args.dry_run))
}

/// The text of `skills.toml` with other names of servers, so that the next install gives the same.
pub fn renamed(text: String, pairs: &[String]) -> Result<String, Failure> {
    if pairs.is_empty() {
        return Ok(text);
    }
    let mut edit = WantsEdit::new(&text)?;
    for pair in pairs {
        let (server, new) = pair.split_once('=').ok_or_else(|| {
            Failure::usage("rename-malformed", format!("`{}` is not a renaming of servers", pair.escape_debug()))
                .hint("for example `--rename pg=pg2`")
        })?;
        edit.rename(server, new);
    }
    let text = edit.text();
    crate::project::parse_wants(&text)?;
    Ok(text)
}

fn parse_spec(text: &str) -> Result<Spec, Failure> {
    if text.starts_with(['.', '/', '~']) || Path::new(text).is_absolute() {
        return Ok(Spec::Folder(text.to_owned()));
    }
    let bare = text.strip_prefix('@').unwrap_or(text);
    match bare.split_once('@') {
        None => Ok(Spec::Package(PackageName::parse(bare)?, None)),
        Some((name, requirement)) => {
            Ok(Spec::Package(PackageName::parse(name)?, Some(Requirement::parse(requirement)?)))
        }
    }
}

fn parse_alias(alias: Option<&str>, specs: usize) -> Result<Option<SkillName>, Failure> {
    match alias {
        Some(_) if specs != 1 => Err(Failure::usage("usage", format!("`--as` names one skill, and {specs} are given"))),
        Some(text) => Ok(Some(SkillName::parse(text)?)),
        None if specs == 0 => Err(Failure::usage("usage", "no SPEC is given")
            .hint("`skill add scope/name`, or `skill search WORDS` to find one")),
        None => Ok(None),
    }
}

/// The text of `skills.toml` with the additions, and with the registry they come from.
fn edit(
    context: &Context,
    project: &Project,
    wants: &Wants,
    text: &str,
    specs: Vec<Spec>,
    alias: Option<SkillName>,
) -> Result<String, Failure> {
    let mut edit = WantsEdit::new(text)?;
    let registries = Registries::new(context, wants);
    let trust = Trust::read(project)?;
    let names: Vec<PackageName> = specs
        .iter()
        .filter_map(|spec| if let Spec::Package(name, None) = spec { Some(name.clone()) } else { None })
        .collect();
    let has_packages = specs.iter().any(|spec| matches!(spec, Spec::Package(..)));
    let catalogue = context.block_on(async {
        if has_packages {
            name_registry(&registries, wants, &mut edit).await?;
        }
        fetch_catalogue(names, &registries, &trust.policy).await
    })?;
    for spec in specs {
        let (name, origin) = match spec {
            Spec::Folder(path) => folder_want(project, &path)?,
            Spec::Package(name, Some(requirement)) => (name, Origin::Registry(requirement)),
            Spec::Package(name, None) => {
                let requirement = newest(&name, catalogue.get(&name).map_or(&[][..], Vec::as_slice))?;
                (name, Origin::Registry(requirement))
            }
        };
        let before = wants.skills.get(&name).and_then(|want| want.alias.clone());
        edit.want(&name, &Want { origin, alias: alias.clone().or(before) });
    }
    Ok(edit.text())
}

/// The project remembers the registry that its skills come from.
async fn name_registry(registries: &Registries<'_>, wants: &Wants, edit: &mut WantsEdit) -> Result<(), Failure> {
    let registry = registries.default().await?;
    let Some(client) = &registry.client else { return Ok(()) };
    match wants.registry_url(&registry.name) {
        None => edit.registry(&registry.name, client.url()),
        Some(known) if known.trim_end_matches('/') == client.url() => {}
        // The same name is the same registry, as far as any signature can tell: perhaps a mirror,
        // perhaps two registries that nobody named.
        Some(known) => registries.say(&format!(
            "{} calls itself `{}`, which skills.toml knows at {known}: if it is not a mirror of that one, give it a name of its own",
            client.url(),
            registry.name
        )),
    }
    Ok(())
}

/// The requirement that `add` writes: compatible with the newest release. A package that only has
/// pre-releases is asked for by naming one.
fn newest(name: &PackageName, entries: &[Entry]) -> Result<Requirement, Failure> {
    if entries.is_empty() {
        return Err(Failure::could_not("package-missing", format!("the registry has no package `{name}`"))
            .hint(format!("`skill search {}` finds similar names", name.name())));
    }
    let usable = entries.iter().filter(|entry| !entry.yanked && !entry.vers.is_prerelease());
    match usable.max_by(|a, b| a.vers.cmp(&b.vers)) {
        Some(entry) => Ok(Requirement::parse(&format!("^{}", entry.vers.number()))?),
        None => Err(Failure::could_not(
            "no-resolution",
            format!("`{name}` has no release that can be chosen: all are yanked or pre-releases"),
        )
        .hint(format!("`skill info {name}` lists them; `skill add {name}@VERSION` asks for a pre-release"))),
    }
}

/// A folder is wanted under the name of its manifest, else as `local/NAME`.
fn folder_want(project: &Project, path: &str) -> Result<(PackageName, Origin), Failure> {
    let read = folder::read(Path::new(path))?;
    let version = unversioned(&read.tree);
    let local = local_name(&read)?;
    let package = Package::from_tree(read.tree, local.as_ref(), version.as_ref())
        .map_err(|refusal| Failure::of(Exit::Failed, refusal).at(path))?;
    Ok((package.name, Origin::Path(relative(project, Path::new(path))?)))
}

fn local_name(read: &folder::Folder) -> Result<Option<PackageName>, Failure> {
    if read.tree.file("skill.toml").is_some() {
        return Ok(None);
    }
    let skill_md = read.tree.file("SKILL.md").ok_or_else(|| {
        Failure::usage("skill-md-missing", format!("`{}` has no SKILL.md, so it is no skill", read.path.display()))
    })?;
    let front = skills::frontmatter::read(&skill_md.bytes)?.front;
    let name = front.name.or_else(|| read.name.clone()).unwrap_or_default();
    Ok(Some(PackageName::new(Scope::parse("local")?, SkillName::parse(&name)?)))
}

/// The path from `skills.toml` to the folder, with `/` between the parts.
fn relative(project: &Project, path: &Path) -> Result<String, Failure> {
    use crate::failure::OnPath;
    let root = project.root.canonicalize().on("find", &project.root)?;
    let path = path.canonicalize().on("find", path)?;
    let (mut from, mut to) = (root.components().peekable(), path.components().peekable());
    while from.peek().is_some() && from.peek() == to.peek() {
        from.next();
        to.next();
    }
    let ups = from.map(|_| "..".to_owned());
    let downs = to.map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<String> = ups.chain(downs).collect();
    Ok(if parts.first().is_some_and(|part| part == "..") { parts.join("/") } else { format!("./{}", parts.join("/")) })
}
