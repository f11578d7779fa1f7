//! A brief's package and those that it uses: installed ones by name, or folders that an author has.
//!
//! Whatever a brief uses comes from where the brief comes from: an installed brief from what the lock
//! pins, so that the digests in its document are those of signed archives; a folder from the folders
//! beside it, so that an author sees a brief before anything is published.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use index::lock::Lock;
use skills::brief::uses::{Bundle, Pinned, Proof};
use skills::brief::{Document, Rendered, Source, Tables, render_family};
use skills::manifest::{Kind, Kinded, Manifest};
use skills::statement::Dependency;
use skills::tree::Tree;
use skills::{PackageName, Sha256, archive};

use crate::cache::Cache;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::project::Project;
use crate::{folder, installed};

/// A package: what it says, its files, the digest of its archive.
type Files = (Manifest, Tree, Sha256);

/// Most packages that one brief leads to, briefs of tasks included.
const USED_MAX: usize = 512;

/// A brief's package, read.
pub(super) struct Package {
    pub(super) pinned: Pinned,
    pub(super) manifest: Manifest,
    pub(super) tables: Tables,
    pub(super) template: String,
    files: Files,
}

/// What a brief uses, as far as it was found.
#[derive(Default)]
pub(super) struct Uses {
    pub(super) bundles: Vec<Bundle>,
    pub(super) proofs: Vec<Proof>,
    /// The briefs of tasks, at whatever depth.
    pub(super) briefs: Vec<Package>,
    /// The files of everything found.
    files: Vec<Files>,
    /// Packages that were looked for in vain, each with the place.
    pub(super) missing: Vec<(PackageName, String)>,
}

/// Where packages come from.
pub(super) enum Origin {
    /// Folders that lie in this one, each called like the last part of its name.
    Beside(PathBuf),
    /// The packages that a project has installed.
    Lock(Box<Project>, Lock),
}

/// Opens what a person names: `./folder` or the name of a folder that is here, else an installed brief.
/// `from` says where the packages of a folder's brief lie, instead of beside it.
pub(super) fn open(name: &str, from: Option<&Path>, context: &Context) -> Result<(Package, Origin), Failure> {
    let is_path = name.starts_with(['.', '/']) || name.ends_with('/');
    if !is_path && let Some(found) = open_installed(name, context)? {
        return Ok(found);
    }
    let path = Path::new(name);
    if !is_path && !path.is_dir() {
        let seen = format!("`{}` is neither an installed brief nor a folder", name.escape_debug());
        return Err(Failure::could_not("package-not-installed", seen)
            .hint("`skill brief list` shows what is installed; `skill add SCOPE/NAME` installs more"));
    }
    open_folder(path, from)
}

/// What the packages of a lock render from the values of a document: the same bytes, if nobody touched
/// either.
pub(crate) fn render_again(project: &Project, lock: &Lock, document: &Document) -> Result<Rendered, Failure> {
    let origin = Origin::Lock(Box::new(project.clone()), lock.clone());
    let name = document.from.package.to_string();
    let gone = || Failure::could_not("package-not-installed", format!("skills.lock does not have `{name}`"));
    let package = Package::of(origin.fetch_named(&name)?.ok_or_else(gone)?)?;
    let values = package.tables.params.accept(&document.params)?;
    let uses = package.uses(&origin)?.complete()?;
    let family = render_family(&package.source(&uses), &uses.library(), &values, Some(&document.id))?;
    Ok(family.into_iter().next().expect("a family has its parent first"))
}

/// The installed brief of that name; nothing if the lock does not have it.
fn open_installed(name: &str, context: &Context) -> Result<Option<(Package, Origin)>, Failure> {
    let Ok(project) = Project::find(context, false) else { return Ok(None) };
    let lock = project.lock()?;
    if lock.find(name).is_none() {
        return Ok(None);
    }
    let origin = Origin::Lock(Box::new(project), lock);
    let Some(files) = origin.fetch_named(name)? else { return Ok(None) };
    Ok(Some((Package::of(files)?, origin)))
}

/// Reads the folder of a brief.
fn open_folder(path: &Path, from: Option<&Path>) -> Result<(Package, Origin), Failure> {
    if !path.is_dir() {
        let seen = format!("`{}` is not a folder", path.display());
        return Err(
            Failure::could_not("not-a-folder", seen).hint("name the folder of the brief's package: `./my-brief`")
        );
    }
    let files = read_folder(path)?;
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let beside = from.map_or_else(|| real.parent().unwrap_or(&real).to_owned(), Path::to_owned);
    Ok((Package::of(files)?, Origin::Beside(beside)))
}

impl Package {
    /// A brief's package, from its files.
    pub(super) fn of(files: Files) -> Result<Self, Failure> {
        let (manifest, tree, digest) = &files;
        let Kinded::Brief(tables) = &manifest.kinded else {
            let seen = format!("`{}` is of kind `{}`, expected `brief`", manifest.name, manifest.kind.as_str());
            return Err(Failure::usage("not-a-brief", seen));
        };
        let tables = Tables::clone(tables);
        let template = text_of(tree, tables.brief.template.as_str())?;
        Ok(Self { pinned: pinned(manifest, *digest), manifest: manifest.clone(), tables, template, files })
    }

    /// A brief's package that is nowhere yet.
    pub(super) fn of_tree(tree: Tree) -> Result<Self, Failure> {
        let manifest = Manifest::parse(text_of(&tree, "skill.toml")?.as_bytes())?;
        let packed = archive::pack(&tree).map_err(|refusal| Failure::of(Exit::Failed, refusal))?;
        Self::of((manifest, tree, Sha256::of(packed)))
    }

    /// As rendering wants it.
    pub(super) fn source<'a>(&'a self, uses: &'a Uses) -> Source<'a> {
        Source {
            package: &self.pinned,
            tables: &self.tables,
            template: &self.template,
            bundles: &uses.bundles,
            proofs: &uses.proofs,
        }
    }

    /// The bundles, checks and briefs that it uses, and those that its briefs use, each of a version that
    /// `[dependencies]` allows.
    pub(super) fn uses(&self, origin: &Origin) -> Result<Uses, Failure> {
        let mut uses = Uses::default();
        let mut waiting: VecDeque<(PackageName, Vec<Dependency>)> = self.wanted().collect();
        let mut known: Vec<PackageName> = vec![self.pinned.name.clone()];
        while let Some((name, dependencies)) = waiting.pop_front() {
            if known.contains(&name) || known.len() > USED_MAX {
                continue;
            }
            known.push(name.clone());
            match origin.fetch(&name)? {
                None => uses.missing.push((name, origin.place())),
                Some(found) => {
                    let before = uses.briefs.len();
                    uses.take(&name, found, &dependencies).map_err(|failure| failure.at(&name))?;
                    waiting.extend(uses.briefs[before..].iter().flat_map(Self::wanted));
                }
            }
        }
        Ok(uses)
    }

    /// The packages that it names, each with what it depends on.
    fn wanted(&self) -> impl Iterator<Item = (PackageName, Vec<Dependency>)> {
        let dependencies = self.manifest.dependencies.clone();
        let names: Vec<PackageName> = self.tables.uses().into_iter().map(|(name, _)| name.clone()).collect();
        names.into_iter().map(move |name| (name, dependencies.clone()))
    }
}

impl Origin {
    /// The package of that name; nothing where it is not.
    fn fetch(&self, name: &PackageName) -> Result<Option<Files>, Failure> {
        match self {
            Self::Lock(..) => self.fetch_named(&name.to_string()),
            Self::Beside(beside) => {
                let path = beside.join(name.name().as_str());
                if !path.is_dir() {
                    return Ok(None);
                }
                let found = read_folder(&path)?;
                if found.0.name != *name {
                    let seen = format!("`{}` is `{}`, expected `{name}`", path.display(), found.0.name);
                    return Err(Failure::could_not("package-disagrees", seen));
                }
                Ok(Some(found))
            }
        }
    }

    fn fetch_named(&self, name: &str) -> Result<Option<Files>, Failure> {
        let Self::Lock(project, lock) = self else { return Ok(None) };
        if lock.find(name).is_none() {
            return Ok(None);
        }
        let found = installed::find(project, lock, name)?;
        let plain = || Failure::usage("not-a-brief", format!("`{}` has no skill.toml", found.locked.name));
        let manifest = found.manifest.clone().ok_or_else(plain)?;
        Ok(Some((manifest, found.tree, found.digest)))
    }

    /// The place in a sentence.
    fn place(&self) -> String {
        match self {
            Self::Beside(path) => format!("`{}`", path.display()),
            Self::Lock(..) => "skills.lock".to_owned(),
        }
    }
}

impl Uses {
    fn take(&mut self, name: &PackageName, files: Files, dependencies: &[Dependency]) -> Result<(), Failure> {
        let (manifest, _, digest) = files.clone();
        let wanted = dependencies.iter().find(|dependency| dependency.name == *name);
        if let Some(wanted) = wanted.filter(|wanted| !wanted.req.matches(&manifest.version)) {
            let seen = format!("it is version {}, and [dependencies] wants `{}`", manifest.version, wanted.req);
            return Err(Failure::could_not("package-disagrees", seen));
        }
        let package = pinned(&manifest, digest);
        match manifest.kind {
            Kind::Brief => self.briefs.push(Package::of(files.clone())?),
            _ => match manifest.kinded {
                Kinded::Tools(tools) => self.bundles.push(Bundle { package, tools: *tools }),
                Kinded::Check(check) => {
                    let description = manifest.description.unwrap_or_default();
                    self.proofs.push(Proof { package, description, params: check.params });
                }
                Kinded::Brief(_) | Kinded::Skill => {}
            },
        }
        self.files.push(files);
        Ok(())
    }

    /// Everything has to be there, so that it can be shown and pinned.
    pub(super) fn complete(self) -> Result<Self, Failure> {
        let Some((name, place)) = self.missing.first() else { return Ok(self) };
        let seen = format!("`{name}` is used, and is not in {place}");
        Err(Failure::could_not("brief-unresolved", seen).hint("`--from DIR` says where the packages lie that it uses"))
    }

    /// The briefs of tasks, as rendering wants them.
    pub(super) fn library(&self) -> Vec<Source<'_>> {
        self.briefs.iter().map(|brief| brief.source(self)).collect()
    }
}

/// What documents pin, the first one's package first: from what is at hand, else from the cache.
pub(super) fn as_pinned(
    documents: &[Document],
    (package, uses): (&Package, &Uses),
    cache: &Cache,
) -> Result<(Package, Uses), Failure> {
    let at_hand: Vec<&Files> = std::iter::once(&package.files).chain(&uses.files).collect();
    let fetch = |what: &str, digest: &Sha256| match at_hand.iter().find(|files| files.2 == *digest) {
        Some(files) => Ok((*files).clone()),
        None => from_cache(what, digest, cache),
    };
    let from = &documents[0].from;
    let package = Package::of(fetch(&from.package.to_string(), &from.digest)?)?;
    Ok((package, pinned_uses(documents, &fetch)?))
}

/// What a rendered brief and the briefs of its tasks use: installed as pinned, else from the cache.
pub(super) fn used_by(project: &Project, documents: &[Document], cache: &Cache) -> Result<Uses, Failure> {
    let origin = Origin::Lock(Box::new(project.clone()), project.lock()?);
    pinned_uses(documents, &|spec, digest| {
        let name = spec.split_once('@').map_or(spec, |(name, _)| name);
        match origin.fetch_named(name) {
            Ok(Some(files)) if files.2 == *digest => Ok(files),
            _ => from_cache(spec, digest, cache),
        }
    })
}

fn pinned_uses(
    documents: &[Document],
    fetch: &dyn Fn(&str, &Sha256) -> Result<Files, Failure>,
) -> Result<Uses, Failure> {
    let mut uses = Uses::default();
    for document in documents {
        let tools = document.tools.iter().map(|one| (&one.uses, &one.digest));
        for (spec, digest) in tools.chain(document.checks.iter().map(|one| (&one.uses, &one.digest))) {
            if !uses.files.iter().any(|files| files.2 == *digest) {
                let files = fetch(spec, digest)?;
                uses.take(&files.0.name.clone(), files, &[])?;
            }
        }
    }
    for child in &documents[1..] {
        let files = fetch(&child.from.package.to_string(), &child.from.digest)?;
        uses.take(&child.from.package, files, &[])?;
    }
    Ok(uses)
}

fn from_cache(what: &str, digest: &Sha256, cache: &Cache) -> Result<Files, Failure> {
    let bytes = cache.archive(digest).ok_or_else(|| {
        Failure::could_not(
            "archive-missing",
            format!("`{what}` of {digest} is not in the cache, so nobody knows what it gave"),
        )
        .hint("install that version once more, or render the brief anew with `--force`")
    })?;
    let tree = archive::unpack(&bytes).map_err(|refusal| Failure::of(Exit::Failed, refusal))?;
    let manifest = Manifest::parse(text_of(&tree, "skill.toml")?.as_bytes())?;
    Ok((manifest, tree, *digest))
}

/// Keeps the archives of what was rendered, for a later update: a folder's are nowhere else. Whether
/// that works is nobody's business today.
pub(super) fn remember(package: &Package, uses: &Uses, cache: &Cache) {
    for (_, tree, digest) in std::iter::once(&package.files).chain(&uses.files) {
        if cache.archive(digest).is_none()
            && let Ok(packed) = archive::pack(tree)
            && Sha256::of(&packed) == *digest
        {
            let _ = cache.keep_archive(digest, &packed);
        }
    }
}

fn read_folder(path: &Path) -> Result<Files, Failure> {
    let folder = folder::read(path)?;
    let text = text_of(&folder.tree, "skill.toml").map_err(|failure| failure.at(path.display()))?;
    let manifest = Manifest::parse(text.as_bytes())?;
    let packed = archive::pack(&folder.tree).map_err(|refusal| Failure::of(Exit::Failed, refusal))?;
    Ok((manifest, folder.tree, Sha256::of(packed)))
}

fn text_of(tree: &Tree, name: &str) -> Result<String, Failure> {
    let missing = || Failure::could_not("file-missing", format!("there is no `{name}` in the package"));
    let bytes = tree.file(name).ok_or_else(missing)?.bytes.clone();
    String::from_utf8(bytes).map_err(|_| Failure::usage("file-not-utf8", format!("`{name}` is not UTF-8")))
}

fn pinned(manifest: &Manifest, digest: Sha256) -> Pinned {
    Pinned { name: manifest.name.clone(), version: manifest.version.clone(), digest }
}
