//! A moment, as statements write it: `2026-11-22T08:28:54Z`, UTC, to the second.
//!
//! The room has no clock: whoever runs a check says when. A moment orders the runs of one signer; it
//! proves nothing, because whoever signs also chooses it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::statement::malformed;
use crate::name::text_type;
use crate::refusal::Refusal;

const SECONDS_A_DAY: u64 = 86_400;

/// Seconds since 1970-01-01T00:00:00Z, up to the year 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The last moment that has four digits of a year.
    const LAST: u64 = 253_402_300_799;

    /// So many seconds after 1970.
    pub fn from_unix_seconds(seconds: u64) -> Self {
        Self(seconds.min(Self::LAST))
    }

    /// Seconds since 1970.
    pub fn unix_seconds(self) -> u64 {
        self.0
    }

    /// Parses `YYYY-MM-DDTHH:MM:SSZ`: one spelling only, so that texts and moments are the same thing.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let moment = Self::read(text).filter(|moment| moment.to_string() == text);
        moment.ok_or_else(|| {
            let head: String = text.chars().take(40).collect();
            malformed(&format!("`{}` is not a moment: expected YYYY-MM-DDTHH:MM:SSZ", head.escape_debug()))
        })
    }

    fn read(text: &str) -> Option<Self> {
        let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u64>().ok();
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        if year < 1970 || !(1..=12).contains(&month) || day == 0 || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let days = days_before(year, month) + day - 1;
        Some(Self(days * SECONDS_A_DAY + hour * 3_600 + minute * 60 + second)).filter(|moment| moment.0 <= Self::LAST)
    }

    fn date(self) -> (u64, u64, u64) {
        let days = self.0 / SECONDS_A_DAY;
        // A year has at most 366 days, so this begins too early, and by few years.
        let mut year = 1970 + days / 366;
        while days_before(year + 1, 1) <= days {
            year += 1;
        }
        let month = (1..=12).rev().find(|month| days_before(year, *month) <= days).unwrap_or(1);
        (year, month, days - days_before(year, month) + 1)
    }
}

/// Days from 1970-01-01 to the first of a month.
fn days_before(year: u64, month: u64) -> u64 {
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let whole = (year - 1970) * 365 + leaps(year - 1) - leaps(1969);
    let at = usize::try_from(month - 1).unwrap_or(0).min(11);
    whole + BEFORE[at] + u64::from(is_leap && month > 2)
}

text_type!(Moment, |self, f| {
    let (year, month, day) = self.date();
    let rest = self.0 % SECONDS_A_DAY;
    write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_everybody_else() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_336_134, "2026-11-22T08:28:54Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (Moment::LAST, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Moment::from_unix_seconds(seconds).to_string(), text);
            assert_eq!(Moment::parse(text).expect(text).unix_seconds(), seconds);
        }
    }

    #[test]
    fn what_is_formatted_parses_back() {
        for seconds in (0..Moment::LAST).step_by(86_399 * 97) {
            let moment = Moment::from_unix_seconds(seconds);
            assert_eq!(Moment::parse(&moment.to_string()), Ok(moment));
        }
    }

    #[test]
    fn a_moment_has_one_spelling() {
        for text in [
            "",
            "2026-11-22",
            "2026-11-22T08:28:54",
            "2026-11-22T08:28:54z",
            "2026-11-22 08:28:54Z",
            "2026-11-22T08:28:54+00:00",
            "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-22T24:00:00Z",
            "+026-11-22T08:28:54Z",
            "1969-12-31T23:59:59Z",
            "2026-11-22T08:28:54Zé",
        ] {
            assert_eq!(Moment::parse(text).expect_err(text).code, "evidence-malformed", "{text}");
        }
    }
}
