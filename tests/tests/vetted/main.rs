//! The packages that we ship, as their users run them.

mod checks;
