//! A day, as policies write it: `2027-01-31`.
//!
//! The room has no clock, so whoever asks says which day it is. Days are enough: an exception that
//! ends at 14:07 is nobody's intention, and a day has no time zone to argue about.

use std::fmt;

use skills::Refusal;

/// A day of the Gregorian calendar, ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// A day that exists.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, Refusal> {
        let exists = year <= 9999 && (1..=12).contains(&month) && day >= 1 && day <= days_of(year, month);
        if exists { Ok(Self { year, month, day }) } else { Err(malformed(&format!("{year:04}-{month:02}-{day:02}"))) }
    }

    /// Parses `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let digits = |range: std::ops::Range<usize>| {
            let part = text.get(range).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
            part.and_then(|part| part.parse::<u16>().ok()).ok_or_else(|| malformed(text))
        };
        if text.len() != 10 || text.get(4..5) != Some("-") || text.get(7..8) != Some("-") {
            return Err(malformed(text));
        }
        let small = |number: u16| u8::try_from(number).map_err(|_| malformed(text));
        Self::new(digits(0..4)?, small(digits(5..7)?)?, small(digits(8..10)?)?)
    }
}

fn days_of(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn malformed(text: &str) -> Refusal {
    let head: String = text.chars().take(20).collect();
    Refusal::new("date-malformed", format!("`{}` is not a day: expected YYYY-MM-DD", head.escape_debug()))
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_exist_are_days() {
        for text in ["2027-01-31", "2028-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(Date::parse(text).expect(text).to_string(), text);
        }
        for text in [
            "2027-02-29",
            "2100-02-29",
            "2027-04-31",
            "2027-13-01",
            "2027-00-01",
            "2027-01-00",
            "2027-1-1",
            "27-01-31",
            "2027/01/31",
            "2027-01-31T00:00:00Z",
            "+027-01-31",
            "2027-01-3é",
            "",
        ] {
            assert_eq!(Date::parse(text).expect_err(text).code, "date-malformed", "{text}");
        }
    }

    #[test]
    fn days_are_ordered_as_the_calendar_is() {
        let day = |text| Date::parse(text).expect("a day");
        assert!(day("2026-12-31") < day("2027-01-01") && day("2027-01-31") < day("2027-02-01"));
    }
}
