//! The checks of TRUST §8 on everything but the content, one method a check, in their order.

use skills::dsse::{Envelope, IN_TOTO};
use skills::key::KeyId;
use skills::statement::Statement;
use skills::{PackageName, Refusal, Sha256, TreeDigest, Version, bundle};

use super::finding::{Class, Finding};
use super::{Asked, Judged, Signer};
use crate::keyring::{Chain, Link, Member, Revocation, Role, State, distinct_owners};
use crate::policy::{Date, Namespace, Otherwise, Policy, Rotation};

/// Runs every check that can mean something.
pub(super) fn judge(asked: &Asked<'_>, bundle: &[u8], chain: Result<&Chain, &Refusal>, policy: &Policy) -> Judged {
    let mut run = Run::new(asked, policy);
    let envelope = run.read_bundle(bundle);
    let statement = envelope.as_ref().and_then(|envelope| run.read_statement(envelope));
    let tree = statement.as_ref().map(|statement| statement.tree);
    run.findings.splice(0..0, denied(&run.skill, asked.package, asked.version, tree, policy));
    if let Some(statement) = &statement {
        run.check_binding(statement);
    }
    run.check_namespace();
    let chain = run.check_chain(chain);
    let link = chain.zip(statement.as_ref()).and_then(|(chain, statement)| run.find_link(chain, statement));
    let signers = match (&envelope, chain, link) {
        (Some(envelope), Some(chain), Some(link)) => run.check_signatures(envelope, chain, link),
        _ => Vec::new(),
    };
    run.check_demands();
    Judged {
        skill: run.skill,
        name: asked.package.clone(),
        payload: statement.as_ref().and(envelope).map(|envelope| Sha256::of(&envelope.payload)),
        statement,
        findings: run.findings,
        signers,
        keyring_root: chain.map(Chain::root),
    }
}

/// One release being judged.
struct Run<'a> {
    asked: &'a Asked<'a>,
    policy: &'a Policy,
    namespace: Option<&'a Namespace>,
    skill: String,
    findings: Vec<Finding>,
}

impl<'a> Run<'a> {
    fn new(asked: &'a Asked<'a>, policy: &'a Policy) -> Self {
        let skill = format!("{}@{}", asked.package, asked.version);
        Self { asked, policy, namespace: policy.namespace(asked.package), skill, findings: Vec::new() }
    }

    fn find(&mut self, id: &'static str, class: Class, message: String) -> &mut Finding {
        self.findings.push(Finding::new(id, class, &self.skill, message));
        self.findings.last_mut().expect("it was just pushed")
    }

    fn failed(&mut self, id: &'static str, message: String) {
        self.find(id, Class::Failed, message);
    }

    /// A bundle that does not parse is one finding: nothing in it can be judged.
    fn read_bundle(&mut self, bytes: &[u8]) -> Option<Envelope> {
        if bytes.trim_ascii().is_empty() {
            let hint = "only an `[[exception]]` in .skill/trust.toml lets something unsigned in";
            self.find("SKV010", Class::Policy, "nobody signed it".into()).hint = Some(hint.into());
            return None;
        }
        match bundle::parse(bytes) {
            Ok(envelope) if envelope.payload_type == IN_TOTO => Some(envelope),
            Ok(envelope) => {
                let seen = envelope.payload_type.escape_debug().to_string();
                self.failed("SKV011", format!("the signed payload is of type `{seen}`, expected `{IN_TOTO}`"));
                None
            }
            Err(refusal) => {
                self.failed("SKV011", refusal.message);
                None
            }
        }
    }

    fn read_statement(&mut self, envelope: &Envelope) -> Option<Statement> {
        Statement::parse(&envelope.payload).map_err(|refusal| self.failed("SKV001", refusal.message)).ok()
    }

    /// A genuine signed release under another name, of another version, or made for another
    /// registry, is an attack on whoever asked.
    fn check_binding(&mut self, statement: &Statement) {
        let Asked { registry, package, version } = *self.asked;
        if statement.package != *package {
            self.failed("SKV001", format!("the statement is about `{}`, expected `{package}`", statement.package));
        }
        if statement.version != *version {
            self.failed("SKV001", format!("the statement is about version {}, expected {version}", statement.version));
        }
        if statement.registry != registry {
            let seen = statement.registry.escape_debug().to_string();
            self.failed("SKV001", format!("the statement was made for registry `{seen}`, expected `{registry}`"));
        }
    }

    /// Whether the policy knows the name at all, and takes it from this registry.
    fn check_namespace(&mut self) {
        let Asked { registry, package, .. } = *self.asked;
        match self.namespace {
            Some(row) if row.registry != registry => {
                let (matches, expected) = (&row.matches, &row.registry);
                let message =
                    format!("the policy takes `{matches}` only from registry `{expected}`, this is from `{registry}`");
                self.find("SKV012", Class::Policy, message);
            }
            Some(_) => {}
            None => {
                let class = match self.policy.default() {
                    Otherwise::Deny => Class::Policy,
                    Otherwise::Warn => Class::Note,
                };
                let scope = package.scope();
                let finding = self.find("SKV012", class, format!("the policy pins no keyring for scope `{scope}`"));
                finding.hint = Some(format!("`skill add {package}` shows whose key it is and proposes the pin"));
            }
        }
    }

    /// The chain is lawful, starts at the pin, and is not an old copy. A chain that starts elsewhere
    /// is still used for the checks that follow: they say more about what is going on.
    fn check_chain<'c>(&mut self, chain: Result<&'c Chain, &Refusal>) -> Option<&'c Chain> {
        let chain = match chain {
            Ok(chain) => chain,
            Err(refusal) => {
                self.failed("SKV012", refusal.message.clone());
                return None;
            }
        };
        if let Some(row) = self.namespace {
            if chain.root() != row.keyring {
                let (expected, found) = (row.keyring, chain.root());
                self.find(
                    "SKV012",
                    Class::Failed,
                    format!("the keyring starts at {found}, the policy pins {expected}"),
                )
                .hint = Some("somebody else's keys: ask the scope's owner before you change the pin".into());
            }
            if chain.head().seq < row.min_seq {
                let (head, least) = (chain.head().seq, row.min_seq);
                let message =
                    format!("the keyring ends at link {head}, the policy demands at least {least}: an old copy");
                self.failed("SKV032", message);
            }
        }
        Some(chain)
    }

    /// The link that the statement names, by number *and* digest, and whether it may still release.
    fn find_link<'c>(&mut self, chain: &'c Chain, statement: &Statement) -> Option<&'c Link> {
        let (seq, payload) = (statement.keyring.seq, statement.keyring.payload());
        let Some((link, _)) = chain.link(seq).filter(|(_, digest)| *digest == payload) else {
            let head = chain.head().seq;
            let message =
                format!("the statement names keyring link {seq} ({payload}), which is not in the chain of {head}");
            self.failed("SKV001", message);
            return None;
        };
        if let Some(row) = self.namespace {
            let (least, pinned) = (row.min_seq, row.rotation == Rotation::Pin);
            if seq < least && chain.head().seq >= least {
                let message = format!("it was signed under keyring link {seq}, the policy demands at least {least}");
                self.find("SKV032", Class::Policy, message);
            }
            if pinned && seq > 1 {
                let message =
                    format!("it was signed under keyring link {seq}, the policy pins the first (rotation = \"pin\")");
                self.find("SKV012", Class::Policy, message);
            }
        }
        if link.state == State::Frozen {
            self.failed("SKV012", format!("it was signed under keyring link {seq}, which froze releases"));
        }
        Some(link)
    }

    /// Distinct owners of distinct release keys of that link, minus the revoked and the denied.
    fn check_signatures(&mut self, envelope: &Envelope, chain: &Chain, link: &Link) -> Vec<Signer> {
        let needed = link.threshold.release.max(self.namespace.map_or(1, |row| row.min_signatures)) as usize;
        let signed = link.signers(envelope, Role::Release);
        let revoked = |member: &Member| revocation(chain, &member.id);
        let is_denied = |member: &Member| self.policy.deny().keys.contains(&member.id);
        let (denied, allowed): (Vec<&Member>, Vec<&Member>) = signed.iter().partition(|member| is_denied(member));
        let (ended, counted): (Vec<&Member>, Vec<&Member>) =
            allowed.iter().partition(|member| revoked(member).is_some());
        let owners = distinct_owners(counted.iter().copied());
        for member in denied {
            let message = format!("the policy denies key {} of {}, which signed it", member.id.short(), member.owner);
            self.find("SKV012", Class::Policy, message);
        }
        for member in ended {
            let class = if owners >= needed { Class::Note } else { Class::Failed };
            let why = revoked(member).map_or_else(String::new, |end| format!(" ({})", end.reason));
            let message = format!("key {} of {}, which signed it, is revoked{why}", member.id.short(), member.owner);
            self.find("SKV013", class, message);
        }
        if signed.is_empty() {
            self.explain_no_signature(envelope, link);
        } else if distinct_owners(signed.iter().copied()) < needed {
            let seen = distinct_owners(signed.iter().copied());
            self.failed("SKV014", format!("{seen} distinct owners signed it, {needed} are needed"));
        }
        counted.into_iter().map(|member| Signer { id: member.id.clone(), owner: member.owner.clone() }).collect()
    }

    /// Key ids are hints and decide nothing; here they only choose the words.
    fn explain_no_signature(&mut self, envelope: &Envelope, link: &Link) {
        let other: Vec<&Member> = [Role::Root, Role::Yank].iter().flat_map(|r| link.signers(envelope, *r)).collect();
        let seq = link.seq;
        if let Some(member) = other.first() {
            let (id, owner) = (member.id.short(), &member.owner);
            self.failed(
                "SKV012",
                format!("key {id} of {owner} signed it and may not release under keyring link {seq}"),
            );
            return;
        }
        let claimed = |id: &KeyId| link.member(id);
        match envelope.signatures.iter().find_map(|(id, _)| claimed(id)) {
            Some(member) => {
                let (id, owner) = (member.id.short(), &member.owner);
                let message = format!("the signature in the name of key {id} of {owner} does not verify");
                self.find("SKV011", Class::Failed, message).hint =
                    Some("the statement or the signature was changed after signing".into());
            }
            None => {
                let ids: Vec<String> =
                    envelope.signatures.iter().map(|(id, _)| id.short().escape_debug().to_string()).collect();
                let (ids, scope) = (ids.join(", "), &link.namespace);
                self.failed(
                    "SKV012",
                    format!("signed by key {ids}, which is not in link {seq} of the keyring of `{scope}`"),
                );
            }
        }
    }

    /// What the policy demands and this version cannot show refuses: a demand that is skipped is a
    /// promise that nobody keeps.
    fn check_demands(&mut self) {
        let Asked { registry, package, .. } = *self.asked;
        for (id, words) in self.policy.unprovable(package, registry) {
            let message = format!("the policy demands `{words}`, which this version of skill cannot show");
            self.find(id, Class::Policy, message).hint =
                Some("take the demand out of .skill/trust.toml until the registry keeps a log".into());
        }
        let names_a_log = |trust: &&crate::policy::RegistryTrust| trust.log.is_some() || trust.root.is_some();
        if self.policy.registry(registry).filter(names_a_log).is_some() {
            let message =
                format!("the policy names the log of `{registry}`, which this version of skill does not read");
            self.find("SKV020", Class::Note, message);
        }
    }
}

/// The end of a key, in whichever link it is told: without a log, nobody can say that a signature
/// is older than the revocation.
fn revocation<'c>(chain: &'c Chain, id: &KeyId) -> Option<&'c Revocation> {
    chain.links().find_map(|(link, _)| link.revoked.iter().find(|end| end.id == *id))
}

/// The deny list by name and content: it wins over every signature.
pub(super) fn denied(
    skill: &str,
    name: &PackageName,
    version: &Version,
    tree: Option<TreeDigest>,
    policy: &Policy,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if policy.deny().denies_skill(name, version) {
        findings.push(Finding::new("SKV033", Class::Policy, skill, "the policy denies this version"));
    }
    if let Some(tree) = tree.filter(|tree| policy.deny().trees.contains(tree)) {
        findings.push(Finding::new("SKV033", Class::Policy, skill, format!("the policy denies its content {tree}")));
    }
    findings
}

/// What the exceptions say about this version and content.
pub(super) fn exception(
    skill: &str,
    name: &PackageName,
    version: &Version,
    tree: TreeDigest,
    policy: &Policy,
    today: Date,
) -> Finding {
    let mut about = policy.exceptions().iter().filter(|row| row.name == *name && row.version == *version).peekable();
    let other_tree = about.peek().map(|row| row.tree);
    match (about.find(|row| row.tree == tree), other_tree) {
        (Some(row), _) if row.expires.is_some_and(|last| today > last) => {
            let last = row.expires.map_or_else(String::new, |last| last.to_string());
            let reason = row.reason.escape_debug();
            let message = format!("the exception that would let it in ended on {last} ({reason})");
            Finding::new("SKV051", Class::Policy, skill, message).hint("review it again, then give it a later day")
        }
        (Some(row), _) => {
            let until = row.expires.map_or_else(String::new, |last| format!(", until {last}"));
            let message = format!("unsigned, let in by an exception: {}{until}", row.reason.escape_debug());
            Finding::new("SKV050", Class::Note, skill, message)
        }
        (None, Some(other)) => {
            let message = format!("nobody signed it, and the exception for it is for content {other}, this is {tree}");
            Finding::new("SKV010", Class::Policy, skill, message)
        }
        (None, None) => {
            Finding::new("SKV010", Class::Policy, skill, format!("nobody signed it; its content is {tree}"))
                .hint("an `[[exception]]` for it in .skill/trust.toml is the only way in")
        }
    }
}
