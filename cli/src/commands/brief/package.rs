//! A brief's package and those that it uses, from folders.

use std::path::{Path, PathBuf};

use skills::brief::Tables;
use skills::brief::uses::{Bundle, Pinned, Proof};
use skills::manifest::{Kinded, Manifest};
use skills::tree::Tree;
use skills::{PackageName, Sha256, archive};

use crate::failure::{Exit, Failure};
use crate::folder;

/// A brief's package, read.
pub(super) struct Package {
    pub(super) pinned: Pinned,
    pub(super) manifest: Manifest,
    pub(super) tables: Tables,
    pub(super) template: String,
    /// Where the packages lie that it uses.
    beside: PathBuf,
}

/// What a brief uses, as far as it was found.
#[derive(Default)]
pub(super) struct Uses {
    pub(super) bundles: Vec<Bundle>,
    pub(super) proofs: Vec<Proof>,
    /// Packages that were looked for in vain, each with the folder.
    pub(super) missing: Vec<(PackageName, PathBuf)>,
}

/// Reads the folder of a brief; `from` is where the packages lie that it uses, else beside it.
pub(super) fn open(path: &Path, from: Option<&Path>) -> Result<Package, Failure> {
    if !path.is_dir() {
        let seen = format!("`{}` is not a folder", path.display());
        return Err(
            Failure::could_not("not-a-folder", seen).hint("name the folder of the brief's package: `./my-brief`")
        );
    }
    let folder = folder::read(path)?;
    let manifest = manifest(&folder.tree, path)?;
    let Kinded::Brief(tables) = &manifest.kinded else {
        let seen = format!("`{}` is of kind `{}`, expected `brief`", manifest.name, manifest.kind.as_str());
        return Err(Failure::usage("not-a-brief", seen));
    };
    let tables = Tables::clone(tables);
    let template = text_of(&folder.tree, tables.brief.template.as_str())?;
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let beside = from.map_or_else(|| real.parent().unwrap_or(&real).to_owned(), Path::to_owned);
    Ok(Package { pinned: pinned(&manifest, &folder.tree)?, manifest, tables, template, beside })
}

impl Package {
    /// The bundles and checks that it uses, each of a version that `[dependencies]` allows.
    pub(super) fn uses(&self) -> Result<Uses, Failure> {
        let mut uses = Uses::default();
        for (name, _) in self.tables.uses() {
            let path = self.beside.join(name.name().as_str());
            let known = uses.bundles.iter().map(|bundle| &bundle.package.name);
            if known.chain(uses.proofs.iter().map(|proof| &proof.package.name)).any(|known| known == name) {
                continue;
            }
            if !path.is_dir() {
                uses.missing.push((name.clone(), path));
                continue;
            }
            self.read_used(name, &path, &mut uses).map_err(|failure| failure.at(path.display()))?;
        }
        Ok(uses)
    }

    fn read_used(&self, name: &PackageName, path: &Path, uses: &mut Uses) -> Result<(), Failure> {
        let folder = folder::read(path)?;
        let manifest = manifest(&folder.tree, path)?;
        if manifest.name != *name {
            let seen = format!("it is `{}`, expected `{name}`", manifest.name);
            return Err(Failure::could_not("package-disagrees", seen));
        }
        let wanted = self.manifest.dependencies.iter().find(|dependency| dependency.name == *name);
        if let Some(wanted) = wanted.filter(|wanted| !wanted.req.matches(&manifest.version)) {
            let seen = format!("it is version {}, and [dependencies] wants `{}`", manifest.version, wanted.req);
            return Err(Failure::could_not("package-disagrees", seen));
        }
        let package = pinned(&manifest, &folder.tree)?;
        match manifest.kinded {
            Kinded::Tools(tools) => uses.bundles.push(Bundle { package, tools: *tools }),
            Kinded::Check(check) => {
                let description = manifest.description.unwrap_or_default();
                uses.proofs.push(Proof { package, description, params: check.params });
            }
            // A brief for one task is rendered when that task is reached.
            Kinded::Brief(_) | Kinded::Skill => {}
        }
        Ok(())
    }
}

impl Uses {
    /// Everything has to be there, so that it can be shown and pinned.
    pub(super) fn complete(self) -> Result<Self, Failure> {
        let Some((name, path)) = self.missing.first() else { return Ok(self) };
        let seen = format!("`{name}` is used, and is not in `{}`", path.display());
        Err(Failure::could_not("brief-unresolved", seen).hint("`--from DIR` says where the packages lie that it uses"))
    }
}

fn manifest(tree: &Tree, path: &Path) -> Result<Manifest, Failure> {
    let text = text_of(tree, "skill.toml").map_err(|failure| failure.at(path.display()))?;
    Ok(Manifest::parse(text.as_bytes())?)
}

fn text_of(tree: &Tree, name: &str) -> Result<String, Failure> {
    let missing = || Failure::could_not("file-missing", format!("there is no `{name}` in the package"));
    let bytes = tree.file(name).ok_or_else(missing)?.bytes.clone();
    String::from_utf8(bytes).map_err(|_| Failure::usage("file-not-utf8", format!("`{name}` is not UTF-8")))
}

fn pinned(manifest: &Manifest, tree: &Tree) -> Result<Pinned, Failure> {
    let packed = archive::pack(tree).map_err(|refusal| Failure::of(Exit::Failed, refusal))?;
    Ok(Pinned { name: manifest.name.clone(), version: manifest.version.clone(), digest: Sha256::of(packed) })
}
