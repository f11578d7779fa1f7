//! What verification reports: one shape for text, JSON, SARIF and exit codes.

/// What a finding means for the run. Ordered by how much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The bytes or the cryptography are wrong: exit 1.
    Failed,
    /// Something that is needed is not there: exit 3.
    Missing,
    /// The cryptography is fine, the policy says no: exit 4.
    Policy,
    /// Only too old: exit 5.
    Stale,
    /// Worth saying, refuses nothing: exit 0.
    Note,
}

impl Class {
    /// The exit code of a run whose worst finding this is.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Missing => 3,
            Self::Policy => 4,
            Self::Stale => 5,
            Self::Note => 0,
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule, one of [`RULES`].
    pub id: &'static str,
    /// What it means for the run.
    pub class: Class,
    /// `scope/name@version`.
    pub skill: String,
    /// The file it is about, inside the skill.
    pub path: Option<String>,
    /// What was seen and what was expected; no full stop at the end.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Finding {
    /// A finding about a whole skill, without a hint.
    pub fn new(id: &'static str, class: Class, skill: impl Into<String>, message: impl Into<String>) -> Self {
        Self { id, class, skill: skill.into(), path: None, message: message.into(), hint: None }
    }

    /// The same finding, with the way out named.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same finding, about one file.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }
}

/// The exit code of a report: that of its worst finding.
pub fn exit_code<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> u8 {
    findings.into_iter().map(|finding| finding.class).min().map_or(0, Class::exit_code)
}

/// Every report id of TRUST §8, and those of evidence and briefs: id, name, what it means. The SARIF rules are made of it.
pub const RULES: &[(&str, &str, &str)] = &[
    ("SKV001", "digest-mismatch", "Content, archive, lock or index differs from what the release statement binds."),
    ("SKV002", "extra-file", "A file lies in an installed skill that its publisher did not sign."),
    ("SKV003", "mode", "A file may be executed and should not be, or the other way round."),
    ("SKV004", "missing-file", "A file that the publisher signed is not there."),
    ("SKV010", "unsigned", "Nobody signed the release, and no exception of the policy lets it in."),
    ("SKV011", "bad-signature", "A signature does not verify over the release statement."),
    ("SKV012", "untrusted-key", "The signature or its keyring is not one that the policy trusts for this name."),
    ("SKV013", "revoked-key", "A key that signed the release was revoked by its scope."),
    ("SKV014", "threshold", "Fewer distinct owners signed the release than its keyring or the policy demands."),
    ("SKV020", "not-logged", "The policy demands a transparency log entry that cannot be shown."),
    ("SKV021", "bad-inclusion", "An inclusion proof does not lead to the checkpoint."),
    ("SKV022", "quorum", "The policy demands witnesses that cannot be shown."),
    ("SKV023", "fork", "The log shows different histories to different readers."),
    ("SKV030", "stale", "The freshness that the policy demands cannot be shown."),
    ("SKV031", "yanked", "The release was withdrawn."),
    ("SKV032", "rollback", "The keyring, or the link that the release names, is older than the policy's min-seq."),
    ("SKV033", "quarantined", "The deny list of the policy, or the registry, keeps the release out."),
    ("SKV034", "policy-refused", "`[policy]` of skills.toml, here or at the base, does not let a package in."),
    ("SKV040", "provenance", "The policy demands a build provenance that cannot be shown."),
    ("SKV041", "downgrade", "The policy demands that trust never gets weaker, which cannot be shown."),
    ("SKV042", "too-young", "The policy demands an age that cannot be shown."),
    ("SKV050", "exception-used", "An exception of the policy let something unsigned in."),
    ("SKV051", "exception-expired", "The exception that would let it in has ended."),
    ("SKV060", "entry-modified", "An entry of a tool bundle in a client's configuration is not what the bundle says."),
    ("SKV061", "entry-missing", "An entry of a tool bundle is not in a client's configuration, or not in the lock."),
    ("SKV062", "entry-unrecorded", "A client's configuration allows a tool of a bundle, and nothing accounts for it."),
    (
        "SKV063",
        "grant-not-approved",
        "A client's configuration has a grant of a bundle that nobody approved for this version.",
    ),
    ("SKV070", "evidence-missing", "Nobody ran a check of the brief."),
    ("SKV071", "evidence-stale", "A check passed, and something that it reads has changed since."),
    ("SKV072", "not-proved", "The newest run of a check failed, or did not come to its end."),
    ("SKV073", "evidence-malformed", "A line of an evidence file cannot be read."),
    ("SKV074", "evidence-signature", "The key that a line of evidence names did not sign its payload."),
    ("SKV075", "evidence-signer", "The policy does not let whoever signed a line of evidence do so."),
    ("SKV076", "evidence-trust", "Whoever signed a line of evidence is not as independent as the policy demands."),
    ("SKV077", "evidence-other-check", "Evidence is about a check, or values, that the brief does not pin."),
    ("SKV078", "evidence-other-brief", "Evidence is about another brief, or another rendering of it."),
    ("SKV079", "check-cannot-fail", "A check brings no tree along that it must fail on, so it proves nothing."),
    ("SKV080", "rerun-differs", "A check that was run again did not pass."),
    ("SKV081", "brief-edited", "A brief is not what its package renders from its values."),
    ("SKV082", "brief-not-locked", "A brief names a package that the lock does not have with that digest."),
    ("SKV083", "brief-parameter", "The package of a brief does not accept a value of it."),
    (
        "SKV084",
        "sub-brief-missing",
        "The brief of a task is not there, is not the one that was pinned, or is not done.",
    ),
    ("SKV085", "deliverable-missing", "A file that the brief asks for is not in the tree."),
    ("SKV086", "gate-open", "A human has not decided."),
    ("SKV087", "approval-rejected", "A decision counts for nothing: who signed it, what it saw, or what it says."),
    ("SKV088", "approval-stale", "A decision was about another tree, or other artifacts."),
    ("SKV089", "brief-gone", "A brief that is open on the base is here neither open nor closed with a record."),
];
