//! Which registry a package comes from, and its files, through the cache.
//!
//! A registry has a name, which statements and policies use, and a URL, which only says where to
//! ask. A package comes from the registry that the policy pins its namespace to; where nothing is
//! pinned yet, from the default: `--registry`, else the first of `[registries]` in `skills.toml`,
//! else `registry` in the user's `config.toml`. A URL never decides what is believed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::rc::Rc;

use bytes::Bytes;
use index::entry::{self, Entry, INDEX_BYTES_MAX};
use index::policy::Policy;
use index::urls;
use serde::Deserialize;
use skills::{PackageName, Scope};
use tokio::task::JoinSet;

use crate::cache::Cache;
use crate::client::{Client, Fetched};
use crate::context::Context;
use crate::failure::{Exit, Failure, OnPath};
use crate::project::{self, Project};
use crate::wants::Wants;

/// How many requests are under way at once.
pub const REQUESTS_AT_ONCE: usize = 50;

/// Largest user `config.toml` read, in bytes.
const CONFIG_BYTES_MAX: usize = 64 * 1024;

/// A registry by its name, and how to ask it.
#[derive(Debug, Clone)]
pub struct Registry {
    /// What statements and policies call it.
    pub name: String,
    /// Where it answers; `None` where no URL is known, or the network is forbidden.
    pub client: Option<Client>,
}

/// All registries that a project may ask.
pub struct Registries<'c> {
    context: &'c Context,
    known: Vec<(String, String)>,
    cache: Option<Cache>,
    default: RefCell<Option<Rc<Registry>>>,
    by_name: RefCell<BTreeMap<String, Rc<Registry>>>,
}

/// The user's `config.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserConfig {
    /// The URL of the registry to use where a project names none.
    registry: Option<String>,
}

impl<'c> Registries<'c> {
    /// The registries that a project's `skills.toml` names, and the user's own.
    pub fn new(context: &'c Context, wants: &Wants) -> Self {
        let cache = context.home().ok().map(|home| Cache::new(&home.cache));
        Self {
            context,
            known: wants.registries.clone(),
            cache,
            default: RefCell::default(),
            by_name: RefCell::default(),
        }
    }

    /// The registry of a package.
    pub async fn of(&self, package: &PackageName, policy: &Policy) -> Result<Rc<Registry>, Failure> {
        match policy.namespace(package) {
            Some(namespace) => self.named(&namespace.registry).await,
            None => self.default().await,
        }
    }

    /// The registry of this name.
    pub async fn named(&self, name: &str) -> Result<Rc<Registry>, Failure> {
        if let Some(registry) = self.by_name.borrow().get(name) {
            return Ok(registry.clone());
        }
        let registry = Rc::new(Registry { name: name.to_owned(), client: self.client_of(name).await? });
        self.by_name.borrow_mut().insert(name.to_owned(), registry.clone());
        Ok(registry)
    }

    /// The registry that is asked for packages of no pinned namespace.
    pub async fn default(&self) -> Result<Rc<Registry>, Failure> {
        if let Some(registry) = &*self.default.borrow() {
            return Ok(registry.clone());
        }
        let registry = match (&self.context.flags.registry, self.known.first()) {
            (None, Some((name, _))) => self.named(name).await?,
            _ => {
                let url = url(self.context, &self.known)?;
                self.context.require_online("asking a registry for its name")?;
                let client = Client::new(&url)?;
                let name = client.config().await?.name;
                Rc::new(Registry { name, client: Some(client) })
            }
        };
        self.by_name.borrow_mut().insert(registry.name.clone(), registry.clone());
        *self.default.borrow_mut() = Some(registry.clone());
        Ok(registry)
    }

    /// `--registry` serves the name that it says it has; else the project's URL for the name.
    async fn client_of(&self, name: &str) -> Result<Option<Client>, Failure> {
        if self.context.flags.offline {
            return Ok(None);
        }
        if let Some(url) = &self.context.flags.registry {
            let client = Client::new(url)?;
            if client.config().await.is_ok_and(|config| config.name == name) {
                return Ok(Some(client));
            }
        }
        match self.known.iter().find(|(known, _)| known == name) {
            Some((_, url)) => Client::new(url).map(Some),
            None => match url(self.context, &[]) {
                Ok(url) => {
                    let client = Client::new(&url)?;
                    Ok(client.config().await.is_ok_and(|config| config.name == name).then_some(client))
                }
                Err(_) => Ok(None),
            },
        }
    }

    /// Says what should not be overlooked.
    pub fn say(&self, text: &str) {
        self.context.ui.warn(text);
    }

    /// Where fetched files are kept; `None` on a machine without a home.
    pub fn cache(&self) -> Option<&Cache> {
        self.cache.as_ref()
    }

    /// The index files of packages, in parallel; a package that the registry does not have is empty.
    pub async fn index(
        &self,
        names: &[PackageName],
        policy: &Policy,
    ) -> Result<Vec<(PackageName, Vec<Entry>)>, Failure> {
        let mut tasks = JoinSet::new();
        let mut entries = Vec::new();
        for name in names {
            let registry = self.of(name, policy).await?;
            let (name, cache) = (name.clone(), self.cache.clone());
            tasks.spawn_local(async move {
                let bytes = read_file(&registry, cache.as_ref(), &urls::index(&name), INDEX_BYTES_MAX).await?;
                let parsed = entry::parse(&bytes.unwrap_or_default(), &name)
                    .map_err(|refusal| Failure::of(Exit::Could, refusal).at(format_args!("index file of {name}")))?;
                Ok::<_, Failure>((name, parsed))
            });
            if tasks.len() >= REQUESTS_AT_ONCE {
                entries.extend(next(&mut tasks).await?);
            }
        }
        while let Some(entry) = next(&mut tasks).await? {
            entries.push(entry);
        }
        Ok(entries)
    }

    /// The keyring of a scope, revalidated.
    pub async fn keyring(&self, registry: &Registry, scope: &Scope) -> Result<Option<Bytes>, Failure> {
        read_file(registry, self.cache.as_ref(), &urls::keyring(scope), index::keyring::CHAIN_BYTES_MAX).await
    }
}

/// The next finished task, its failure passed on.
pub async fn next<T: 'static>(tasks: &mut JoinSet<Result<T, Failure>>) -> Result<Option<T>, Failure> {
    match tasks.join_next().await {
        None => Ok(None),
        Some(done) => done.expect("tasks do not panic and are not aborted").map(Some),
    }
}

/// A changing file: revalidated where there is a network, as last seen where there is none.
async fn read_file(
    registry: &Registry,
    cache: Option<&Cache>,
    path: &str,
    bytes_max: usize,
) -> Result<Option<Bytes>, Failure> {
    // By registry name, not by URL: a mirror of a registry serves the same files.
    let key = format!("{}{path}", registry.name);
    let cached = cache.and_then(|cache| cache.file(&key));
    let Some(client) = &registry.client else {
        return match cached {
            Some((_, bytes)) => Ok(Some(bytes)),
            None => Err(out_of_reach(registry, path)),
        };
    };
    match client.fetch_if_changed(path, cached.as_ref().map(|(etag, _)| etag.as_str()), bytes_max).await? {
        Fetched::Absent => Ok(None),
        Fetched::Unchanged => Ok(cached.map(|(_, bytes)| bytes)),
        Fetched::Fresh(bytes, etag) => {
            if let (Some(cache), Some(etag)) = (cache, etag) {
                cache.keep_file(&key, &etag, &bytes)?;
            }
            Ok(Some(bytes))
        }
    }
}

/// Something is neither here nor to be asked for.
pub fn out_of_reach(registry: &Registry, what: &str) -> Failure {
    Failure::could_not("out-of-reach", format!("`{what}` of registry `{}` is not in the cache, and the registry cannot be asked", registry.name))
        .hint("run it without `--offline`, and name the registry's URL under [registries] in skills.toml or with `--registry`")
}

/// The URL of the default registry.
fn url(context: &Context, known: &[(String, String)]) -> Result<String, Failure> {
    if let Some(url) = &context.flags.registry {
        return Ok(url.clone());
    }
    if let Some((_, url)) = known.first() {
        return Ok(url.clone());
    }
    user_config(context)?.registry.ok_or_else(|| {
        Failure::usage(
            "registry-missing",
            "no registry is named: neither --registry, nor SKILL_REGISTRY, nor [registries] in skills.toml, nor the user's config.toml",
        )
        .hint("pass `--registry URL`; the first `skill login --registry URL` makes it the default")
    })
}

/// The user's own configuration; what a missing file means as well.
fn user_config(context: &Context) -> Result<UserConfig, Failure> {
    let path = context.home()?.config.join("config.toml");
    // The user's own file, which may well be a link into a collection of dot-files.
    let text = project::read_text(&path.canonicalize().unwrap_or_else(|_| path.clone()), CONFIG_BYTES_MAX)?;
    toml::from_str(&text).map_err(|error| {
        Failure::usage("config-malformed", project::toml_sentence(&text, error.message(), error.span()))
            .at(path.display())
    })
}

fn bare(url: &str) -> &str {
    url.trim_end_matches('/')
}

impl Context {
    /// The URL of the default registry: the flag or variable, the project around us, the user's.
    pub fn registry_url(&self) -> Result<String, Failure> {
        let known = match Project::find(self, false) {
            Ok(project) => project.wants()?.registries,
            Err(_) => Vec::new(),
        };
        url(self, &known)
    }

    /// Whether the default registry is named by `skills.toml` alone: neither by the flag or variable,
    /// nor by the user's own configuration.
    pub fn registry_is_the_projects(&self) -> Result<bool, Failure> {
        if self.flags.registry.is_some() {
            return Ok(false);
        }
        let Ok(project) = Project::find(self, false) else { return Ok(false) };
        let registries = project.wants()?.registries;
        let own = user_config(self)?.registry;
        Ok(registries.first().is_some_and(|(_, url)| own.as_deref().map(bare) != Some(bare(url))))
    }

    /// Makes a registry the user's default where there is none yet; says whether it did.
    pub fn remember_registry(&self, url: &str) -> Result<bool, Failure> {
        if user_config(self)?.registry.is_some() {
            return Ok(false);
        }
        let path = self.home()?.config.join("config.toml");
        let folder = path.parent().expect("it was joined to a folder");
        fs::create_dir_all(folder).on("create", folder)?;
        let mut document: toml_edit::DocumentMut = project::read_text(&path, CONFIG_BYTES_MAX)?
            .parse()
            .map_err(|_| Failure::usage("config-malformed", "is not TOML").at(path.display()))?;
        document.insert("registry", toml_edit::value(url));
        fs::write(&path, document.to_string()).on("write", &path)?;
        Ok(true)
    }

    /// A client for the default registry.
    pub fn client(&self) -> Result<Client, Failure> {
        self.require_online("this command")?;
        Client::new(&self.registry_url()?)
    }
}
