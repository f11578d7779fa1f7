//! The store: the rows that make a promise binding, behind one small trait.
//!
//! A registry's state is rows and blobs. Blobs (see [`crate::blobs`]) are archives named by their
//! digest; everything else is a row, and **the row is the commit point**: what a row names is already
//! durable when the row is written, and what no row names does not exist.
//!
//! All changes go through [`Store::commit`], so there is one sequencing point whatever the database is.
//! SQLite ([`crate::sqlite`]) is the first implementation; the laws stand here, at the trait, because the
//! second one (PostgreSQL, several replicas) has to keep the same ones.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use skills::{PackageName, Refusal, Scope, Sha256, Version};

use crate::token::TokenRow;

/// What a store answers, some time later.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// Why a store did not do what was asked.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The rules forbid it; nothing was changed. The refusal is for the one who asked.
    Refused(Refusal),
    /// The disk is full; nothing was changed, and the next change may succeed.
    Full,
    /// Too many changes are waiting; nothing was changed.
    Busy,
    /// The storage failed. Whether the change is durable is unknown until the next start, so every later
    /// change is refused as well: a failed fsync is never retried, because the pages are gone.
    Broken(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Full => f.write_str("the disk is full"),
            Self::Busy => f.write_str("too many changes are waiting"),
            Self::Broken(why) => write!(f, "the storage failed: {why}"),
        }
    }
}

impl std::error::Error for Fault {}

/// One change. Several things in one change happen together or not at all.
#[derive(Debug, Clone)]
pub enum Change {
    /// A new user, with a first token.
    User {
        /// The user's name.
        name: String,
        /// The token, hashed.
        token: TokenRow,
    },
    /// Another token for a user who exists.
    Token(TokenRow),
    /// Ends a token before its time.
    Revoke {
        /// Whose token.
        user: String,
        /// Which one.
        id: String,
    },
    /// A new scope.
    Scope {
        /// The namespace.
        scope: Scope,
        /// The user who may publish into it.
        owner: String,
        /// RFC 3339.
        created: String,
    },
    /// The next link of a scope's keyring, already verified.
    Link(LinkRow),
    /// Releases, already verified, their archives already durable.
    Releases(Vec<NewRelease>),
    /// A yank, or the end of one.
    Yank(YankEvent),
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// There is a new row.
    New,
    /// Exactly this was there already; nothing changed.
    Same,
}

/// A keyring link as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// The namespace.
    pub scope: Scope,
    /// Its place in the chain, from 1.
    pub seq: u64,
    /// Digest of the signed payload.
    pub payload: Sha256,
    /// The DSSE envelope as one line of JSON, without the line feed.
    pub envelope: String,
    /// Who sent it.
    pub by: String,
    /// RFC 3339.
    pub created: String,
}

/// A release on its way in.
#[derive(Debug, Clone)]
pub struct NewRelease {
    /// The package.
    pub package: PackageName,
    /// The version; its number (without build metadata) is the identity.
    pub version: Version,
    /// Digest of the archive: the name of its blob.
    pub archive: Sha256,
    /// Digest of the signed statement.
    pub statement: Sha256,
    /// The keyring link it was signed under, which must be the head of the chain when it is kept.
    pub keyring: u64,
    /// RFC 3339.
    pub published: String,
    /// The user who sent it.
    pub by: String,
    /// The index line, not yanked, without the line feed.
    pub entry: String,
    /// The signature bundle, byte for byte as it came.
    pub bundle: Vec<u8>,
}

/// A release as it is kept, without its bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its place in the order of publication, over the whole registry.
    pub seq: u64,
    /// The package.
    pub package: PackageName,
    /// The version, build metadata included.
    pub version: Version,
    /// Digest of the archive.
    pub archive: Sha256,
    /// Digest of the signed statement.
    pub statement: Sha256,
    /// The keyring link it was signed under.
    pub keyring: u64,
    /// RFC 3339.
    pub published: String,
    /// The user who sent it.
    pub by: String,
    /// The index line as published.
    pub entry: String,
    /// The reason of the yank in force, if there is one.
    pub yanked: Option<String>,
}

/// A row of the append-only list of yanks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YankEvent {
    /// The package.
    pub package: PackageName,
    /// The version.
    pub version: Version,
    /// `true` for a yank, `false` for the end of one.
    pub yanked: bool,
    /// Why, in the words of the one who did it.
    pub reason: String,
    /// Who did it.
    pub by: String,
    /// RFC 3339.
    pub at: String,
}

/// A scope and its keyring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeRow {
    /// The user who may publish into it.
    pub owner: String,
    /// The chain, in order; empty until the first key is registered.
    pub links: Vec<LinkRow>,
}

/// What a committed change touched, as it is after the change.
#[derive(Debug)]
pub enum Touched {
    /// All releases of a package, in the order of publication.
    Package(PackageName, Vec<Release>),
    /// The whole chain of a scope.
    Keyring(Scope, Vec<LinkRow>),
}

/// Who is told of every commit; see [`Store::commit`].
pub type Watcher = Box<dyn Fn(Vec<Touched>) + Send + Sync>;

/// Rows, durable and in one order. The laws:
///
/// 1. *Durable.* When [`commit`](Store::commit) answers, the change survives the loss of power.
/// 2. *Whole.* A change is visible completely or not at all, to every reader, also after a kill.
/// 3. *Own writes.* The [`Watcher`] has been called with what the change touched after it became durable and
///    before `commit` answers, and in the order of the commits: a client's next read sees its write.
/// 4. *Once.* A package's version number is taken once, for ever. Committing the same archive and
///    statement again is [`Done::Same`]; other bytes are `version-exists`. In one change of several
///    releases, one refusal refuses all.
/// 5. *Head.* A release is kept only if the link it names is the head of its scope's chain at that
///    moment (`keyring-not-head`), a link only if it is the next one (`keyring-exists`).
/// 6. *Append-only.* Releases, links and yank events are never updated and never deleted.
pub trait Store: Send + Sync {
    /// Makes a change, or refuses it. One [`Done`] for each thing in the change, in its order.
    fn commit(&self, change: Change) -> Reply<'_, Vec<Done>>;

    /// The token with this hash, expired and revoked ones included.
    fn token(&self, hash: Sha256) -> Reply<'_, Option<TokenRow>>;

    /// A user's tokens, oldest first.
    fn tokens(&self, user: &str) -> Reply<'_, Vec<TokenRow>>;

    /// A scope, its owner and its chain.
    fn scope(&self, scope: &Scope) -> Reply<'_, Option<ScopeRow>>;

    /// One release.
    fn release(&self, package: &PackageName, version: &Version) -> Reply<'_, Option<Release>>;

    /// The bundle of a release, byte for byte as it was sent.
    fn bundle(&self, package: &PackageName, number: &str) -> Reply<'_, Option<Vec<u8>>>;

    /// Calls `watch` with every package and every keyring that there is, and from then on after every commit.
    /// Called once, before the first commit: how a server starts.
    fn follow(&self, watch: Watcher) -> Reply<'_, ()>;

    /// Whether changes can still be kept.
    fn ready(&self) -> Result<(), Fault>;
}
