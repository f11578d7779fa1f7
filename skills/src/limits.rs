//! Every bound on a stranger's bytes, each with its reason.
//!
//! Figures about real skills come from 65,000 published ones: median 11.6 KB, 99 % under 326 KB,
//! the largest 5.6 MB and 101 files, the largest `SKILL.md` 294 KB.

/// Largest archive, in bytes. Three times the largest real skill; an upload is held in memory once.
pub const ARCHIVE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Largest sum of file sizes in one archive, in bytes. Text compresses about four to one; what
/// inflates further than this is a bomb.
pub const UNPACKED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Most files in one package; twenty times the largest real skill.
pub const FILES_MAX: usize = 2_048;

/// Most path components: deeper trees break recursive walkers that never see our check.
pub const DEPTH_MAX: usize = 32;

/// Longest path in bytes: leaves room for a checkout folder under Windows' 260.
pub const PATH_BYTES_MAX: usize = 240;

/// Longest path component in bytes: fits a USTAR name field, and every file system.
pub const COMPONENT_BYTES_MAX: usize = 100;

/// Largest `SKILL.md` in bytes: agents load it whole.
pub const SKILL_MD_BYTES_MAX: usize = 512 * 1024;

/// Largest front matter in bytes, delimiters included: it is parsed as YAML, by budget.
pub const FRONT_MATTER_BYTES_MAX: usize = 64 * 1024;

/// Largest `skill.toml` in bytes.
pub const MANIFEST_BYTES_MAX: usize = 256 * 1024;

/// Largest release statement in bytes: 2,048 resources of 240-byte paths fit.
pub const STATEMENT_BYTES_MAX: usize = 1024 * 1024;

/// Most signatures on one statement, so that a bundle's cost is bounded before any curve is touched.
pub const SIGNATURES_MAX: usize = 16;

/// Deepest nesting of JSON that we read: our own formats need seven levels.
pub const JSON_DEPTH_MAX: usize = 32;

/// Longest description, in characters: the Agent Skills limit.
pub const DESCRIPTION_CHARS_MAX: usize = 1_024;
