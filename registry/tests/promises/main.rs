//! What the registry promises, tested through its router, without a port; only `connections` listens.
//!
//! One binary, one module a promise. `world` makes a registry in a temporary folder, `signed` makes what a
//! publisher sends.

mod account;
mod admission;
mod bounds;
mod checked;
mod connections;
mod durable;
mod published;
mod routes;
mod signed;
mod world;
mod yanked;
