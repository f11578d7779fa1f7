//! The journeys, from outside: what people type, and everything that they see and get.
//!
//! `screens` compares whole screens; the other modules look at files and exit codes.

mod asking;
mod author;
mod brief;
mod check;
mod envelopes;
mod evidence;
mod kinds;
mod measures;
mod mistakes;
mod repository;
mod resolution;
mod screens;
mod surroundings;
mod together;
mod tools;
mod trust;
mod undo;
mod verdicts;
