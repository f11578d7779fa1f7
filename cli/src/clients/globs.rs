//! Globs of a bundle in the dialects of clients.
//!
//! A bundle writes them as a `.gitignore` does: without a slash they fit in every folder, with one they
//! start at the top. Not every client reads them so. Where a dialect lacks something, what is rendered
//! fits more files and never fewer: these globs only deny or ask.

/// As Claude Code reads them: a `.gitignore` in which a leading slash is the repository's top.
pub(super) fn from_the_top(glob: &str) -> String {
    let glob = plain(glob);
    if anchored(&glob) { format!("/{glob}") } else { format!("/**/{glob}") }
}

/// As a program reads them for which `*` is any text, slashes too, and the whole path has to fit.
pub(super) fn any_text(glob: &str) -> Vec<String> {
    let glob = plain(glob);
    let any = any_star(&glob);
    let free = glob.strip_prefix("**/").map(any_star).or_else(|| (!anchored(&glob)).then(|| any.clone()));
    match free {
        Some(name) if name.starts_with('*') => vec![name],
        Some(name) => vec![name.clone(), format!("*/{name}")],
        None => vec![any],
    }
}

/// `a/**/b` fits `a/b`, and so does `a/*b`.
fn any_star(glob: &str) -> String {
    glob.replace("/**/", "/*").replace("**", "*")
}

/// As a program reads them that knows `*`, `?` and `**`, from the top.
pub(super) fn workspace(glob: &str) -> Vec<String> {
    let glob = plain(glob);
    if anchored(&glob) || glob.starts_with("**/") { vec![glob] } else { vec![glob.clone(), format!("**/{glob}")] }
}

/// Whether a glob starts at the top: it has a slash that is not its last character.
fn anchored(glob: &str) -> bool {
    glob.trim_end_matches('/').contains('/')
}

/// Without what only some clients read: a class of characters becomes any character, a folder all that
/// is in it.
fn plain(glob: &str) -> String {
    let mut plain = String::new();
    let mut chars = glob.chars();
    while let Some(c) = chars.next() {
        match c {
            // A `]` right behind the bracket, or its `!`, belongs to the class; more than one is not lost,
            // as everything up to the last one that closes is any character.
            '[' => {
                let rest = chars.as_str();
                let start = rest.trim_start_matches(['!', '^']);
                let skipped = rest.len() - start.len();
                let end = start.char_indices().skip(1).find(|(_, c)| *c == ']').map(|(at, _)| skipped + at + 1);
                chars = rest[end.unwrap_or(0)..].chars();
                plain.push('?');
            }
            '{' | '}' => {}
            c => plain.push(c),
        }
    }
    if plain.ends_with('/') { format!("{plain}**") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_without_a_slash_fits_in_every_folder() {
        assert_eq!(from_the_top(".pgpass"), "/**/.pgpass");
        assert_eq!(from_the_top("secrets/**"), "/secrets/**");
        assert_eq!(from_the_top("**/id_rsa"), "/**/id_rsa");
        assert_eq!(any_text(".pgpass"), [".pgpass", "*/.pgpass"]);
        assert_eq!(any_text("*.pem"), ["*.pem"]);
        assert_eq!(any_text("secrets/**"), ["secrets/*"]);
        assert_eq!(any_text("**/id_rsa"), ["id_rsa", "*/id_rsa"]);
        assert_eq!(any_text("a/**/b"), ["a/*b"]);
        assert_eq!(workspace(".pgpass"), [".pgpass", "**/.pgpass"]);
        assert_eq!(workspace("secrets/**"), ["secrets/**"]);
    }

    #[test]
    fn what_a_dialect_lacks_fits_more_and_not_less() {
        assert_eq!(any_text("id_[re]sa"), ["id_?sa", "*/id_?sa"]);
        assert_eq!(any_text("id_[!]x]sa"), ["id_?sa", "*/id_?sa"]);
        assert_eq!(any_text("{.env}"), [".env", "*/.env"]);
        assert_eq!(any_text("secrets/"), ["secrets/*"]);
        assert_eq!(from_the_top("secrets/"), "/secrets/**");
    }
}
