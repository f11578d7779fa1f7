//! Arguments that are parsed by the pure rooms: a refusal's hint is part of what the person reads.

use std::str::FromStr;

use skills::Refusal;

/// A clap value parser for whatever the pure rooms can parse.
pub fn parse<T: FromStr<Err = Refusal>>(text: &str) -> Result<T, String> {
    text.parse().map_err(sentence)
}

/// A refusal in one sentence, for messages that have no line for the hint.
pub fn sentence(refusal: Refusal) -> String {
    match refusal.hint {
        Some(hint) => format!("{}; {hint}", refusal.message),
        None => refusal.message,
    }
}

#[cfg(test)]
mod tests {
    use skills::Scope;

    use super::*;

    #[test]
    fn a_refused_argument_says_what_would_be_accepted() {
        let said = parse::<Scope>("Acme").expect_err("upper case");
        assert!(said.ends_with("`acme` would be accepted"), "{said}");
    }
}
