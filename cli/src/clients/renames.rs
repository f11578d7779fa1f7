//! `--rename pg=pg2`: a server's name here, where the bundle's own is taken by the user.
//!
//! The name is changed in everything that is rendered and in nothing that is signed: grants are
//! approved under the bundle's own names.

use std::collections::BTreeMap;

use skills::tools::server::is_id;
use skills::tools::{Bundle, Granted};

use crate::failure::Failure;

/// The names that servers get here, by the bundle's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renames(BTreeMap<String, String>);

impl Renames {
    /// Reads `OLD=NEW` pairs.
    pub fn parse(pairs: &[impl AsRef<str>]) -> Result<Self, Failure> {
        let mut renames = BTreeMap::new();
        for pair in pairs.iter().map(AsRef::as_ref) {
            let lawful = pair.split_once('=').filter(|(old, new)| is_id(old) && is_id(new));
            let Some((old, new)) = lawful else {
                let seen = format!("`{}` is not a renaming of servers", pair.escape_debug());
                return Err(Failure::usage("rename-malformed", seen).hint("for example `--rename pg=pg2`"));
            };
            if renames.insert(old.to_owned(), new.to_owned()).is_some() {
                return Err(Failure::usage("rename-malformed", format!("server `{old}` is renamed twice")));
            }
        }
        Ok(Self(renames))
    }

    /// What a server is called here.
    pub fn of<'a>(&'a self, server: &'a str) -> &'a str {
        self.0.get(server).map_or(server, String::as_str)
    }

    /// The pairs, sorted by the bundle's own name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(old, new)| (old.as_str(), new.as_str()))
    }

    /// The bundle under the names that its servers get here; two of the same name are refused.
    pub fn bundle(&self, bundle: &Bundle) -> Result<Bundle, Failure> {
        let mut bundle = bundle.clone();
        let mut taken = std::collections::BTreeSet::new();
        for server in &mut bundle.servers {
            server.id = self.of(&server.id).to_owned();
            if !taken.insert(server.id.clone()) {
                let seen = format!("two servers of the bundle would be called `{}`", server.id);
                return Err(Failure::usage("rename-malformed", seen));
            }
        }
        Ok(bundle)
    }

    /// A grant under the names of here.
    pub fn granted(&self, granted: &Granted) -> Granted {
        match granted {
            Granted::Tool { server, tool } => Granted::Tool { server: self.of(server).to_owned(), tool: tool.clone() },
            Granted::Command(words) => Granted::Command(words.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renaming_is_two_lawful_names() {
        assert_eq!(Renames::parse(&["pg=pg2"]).expect("renames").of("pg"), "pg2");
        assert_eq!(Renames::default().of("pg"), "pg");
        for bad in ["pg", "pg=", "=pg", "pg=PG", "pg=a_b", "pg=*", "pg=a=b", "pg=__proto__"] {
            assert_eq!(Renames::parse(&[bad]).expect_err(bad).code, "rename-malformed");
        }
        assert!(Renames::parse(&["pg=a", "pg=b"]).is_err());
    }
}
