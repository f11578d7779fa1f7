//! The trust policy `.skill/trust.toml`.
#![allow(clippy::todo, missing_docs)]

use std::fmt;

use skills::{PackageName, Refusal, Sha256};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    pub fn new(_year: u16, _month: u8, _day: u8) -> Result<Self, Refusal> {
        todo!()
    }
    pub fn parse(_text: &str) -> Result<Self, Refusal> {
        todo!()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Default {
    Deny,
    Warn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    Follow,
    Pin,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// `scope/name`, `scope/*` or `*`
    pub matches: String,
    pub registry: String,
    pub keyring: Sha256,
    pub min_seq: u64,
    pub rotation: Rotation,
    pub min_signatures: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    digest: Sha256,
}

impl Policy {
    pub fn parse(_text: &str) -> Result<Self, Refusal> {
        todo!()
    }
    pub fn empty() -> Self {
        todo!()
    }
    pub fn digest(&self) -> Sha256 {
        self.digest
    }
    pub fn default(&self) -> Default {
        todo!()
    }
    pub fn namespace(&self, _name: &PackageName) -> Option<&Namespace> {
        todo!()
    }
}
