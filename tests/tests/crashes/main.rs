//! Killed at any point: the registry in the middle of publishes, the CLI in the middle of installs; and
//! full disks under both.

mod cli;
mod disks;
mod registry;
mod tools;
