//! How long a check may take: `90s`, `5m`, `2h`.

use toml::Spanned;

use crate::manifest::source::Source;
use crate::refusal::Refusal;

/// What holds when nothing is said: longer is said by those who need it.
pub(super) const DEFAULT_SECONDS: u64 = 5 * 60;

/// Longest time-out. A check that runs longer than a night's shift is a job with a dashboard.
const MAX_SECONDS: u64 = 6 * 60 * 60;

/// A whole number and one unit, so that there is one way to write it.
pub(super) fn parse(source: Source<'_>, text: &Spanned<String>) -> Result<u64, Refusal> {
    let lawful = seconds(text.get_ref()).filter(|seconds| (1..=MAX_SECONDS).contains(seconds));
    lawful.ok_or_else(|| {
        let message = "`timeout` is not a whole number with `s`, `m` or `h`, from 1s to 6h";
        source.refuse("check-timeout", text, message).hint("for example `90s` or `5m`")
    })
}

fn seconds(text: &str) -> Option<u64> {
    let units = [('s', 1), ('m', 60), ('h', 60 * 60)];
    let (digits, unit) = units.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))?;
    let number: u64 = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())??;
    number.checked_mul(unit)
}
