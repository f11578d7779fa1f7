//! What a bundle says about each of its tools and rules, in the words that all clients share.

use skills::boundary::Approval;
use skills::tools::{Access, Bundle, Effect, Granted, Rule, Server, Subject, Tool};

use super::Given;
use crate::failure::Failure;

/// What happens when an agent calls a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A human approved it for good.
    Allow,
    /// The client's own default, which is to ask; where its default is to allow, it is told to ask.
    Default,
    /// A human is asked each time.
    Ask,
    /// The agent prepares, a human carries out.
    Deny,
}

/// A bundle under the names that its servers get here, with the grants that count.
pub(crate) struct Named<'a> {
    pub(super) package: &'a skills::PackageName,
    pub(super) bundle: Bundle,
    pub(super) hook: bool,
    approved: Vec<Granted>,
}

impl<'a> Named<'a> {
    /// An approval that the bundle does not wish for counts for nothing.
    pub(crate) fn of(given: &Given<'a>) -> Result<Self, Failure> {
        let wished = |granted: &&Granted| given.bundle.grants.iter().any(|grant| grant.granted == **granted);
        let approved = given.approved.iter().filter(wished).map(|granted| given.renames.granted(granted)).collect();
        let bundle = given.renames.bundle(given.bundle)?;
        Ok(Self { package: given.package, bundle, hook: given.hook, approved })
    }

    /// What happens when the agent calls this tool. What the bundle restrains wins over a grant, though
    /// the manifest refuses such grants already.
    pub(crate) fn verdict(&self, server: &Server, tool: &Tool) -> Verdict {
        let changes = tool.access > Access::Read;
        let is_granted = self.approved.iter().any(|granted| {
            matches!(granted, Granted::Tool { server: id, tool: name } if *id == server.id && *name == tool.name)
        });
        match self.bundle.boundary.approval {
            Approval::HumanExecutes if changes => Verdict::Deny,
            Approval::AskOnMutate | Approval::PlanFirst if changes => Verdict::Ask,
            _ if tool.ask || tool.access == Access::Destructive => Verdict::Ask,
            _ if is_granted => Verdict::Allow,
            _ => Verdict::Default,
        }
    }

    /// Every server with each of its tools and what happens when it is called.
    pub(super) fn tools(&self) -> impl Iterator<Item = (&Server, &Tool, Verdict)> {
        let all = self.bundle.servers.iter().flat_map(|server| server.tools.iter().map(move |tool| (server, tool)));
        all.map(|(server, tool)| (server, tool, self.verdict(server, tool)))
    }

    /// The tools of a server that the agent may see at all.
    pub(super) fn exposed(&self, server: &Server) -> Vec<String> {
        let seen = server.tools.iter().filter(|tool| self.verdict(server, tool) != Verdict::Deny);
        seen.map(|tool| tool.name.clone()).collect()
    }

    /// The rules about commands: what is asked first and what is denied last, as one client lets the
    /// last rule win.
    pub(super) fn commands(&self) -> Vec<(Effect, &[String], &Rule)> {
        let words = |rule: &Rule| matches!(rule.subject, Subject::Command(_));
        self.by_effect(words, |rule| match &rule.subject {
            Subject::Command(words) => words,
            Subject::Read(_) | Subject::Edit(_) => &[],
        })
    }

    /// The globs that must not be read, in the same order.
    pub(super) fn reads(&self) -> Vec<(Effect, &[String], &Rule)> {
        let reads = |rule: &Rule| matches!(rule.subject, Subject::Read(_));
        self.by_effect(reads, |rule| match &rule.subject {
            Subject::Read(globs) => globs,
            Subject::Command(_) | Subject::Edit(_) => &[],
        })
    }

    /// The globs that must not be changed, in the same order.
    pub(super) fn edits(&self) -> Vec<(Effect, &[String], &Rule)> {
        let edits = |rule: &Rule| matches!(rule.subject, Subject::Edit(_));
        self.by_effect(edits, |rule| match &rule.subject {
            Subject::Edit(globs) => globs,
            Subject::Command(_) | Subject::Read(_) => &[],
        })
    }

    fn by_effect<'b>(
        &'b self,
        is_wanted: fn(&Rule) -> bool,
        subject: fn(&'b Rule) -> &'b [String],
    ) -> Vec<(Effect, &'b [String], &'b Rule)> {
        let wanted = self.bundle.rules.iter().filter(|rule| is_wanted(rule));
        let mut rules: Vec<_> = wanted.map(|rule| (rule.effect, subject(rule), rule)).collect();
        rules.sort_by_key(|(effect, ..)| *effect);
        rules
    }

    /// Commands that a human approved for good.
    pub(super) fn granted_commands(&self) -> impl Iterator<Item = &[String]> {
        self.approved.iter().filter_map(|granted| match granted {
            Granted::Command(words) => Some(words.as_slice()),
            Granted::Tool { .. } => None,
        })
    }

    /// Whether a human approved any of the bundle's wishes.
    pub(super) fn grants_any(&self) -> bool {
        !self.approved.is_empty()
    }

    /// Whether the bundle wishes to be allowed anything.
    pub(super) fn wishes_any(&self) -> bool {
        !self.bundle.grants.is_empty()
    }
}
