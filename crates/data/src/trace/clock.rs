//! Times as recordings write them: seconds, milliseconds, dates.

use std::fmt;

use crate::bad_lines::{Quantity, Reason};

/// The farthest time from 0 in seconds: some 3,000 years, so that Unix times fit.
const MAX_TIME_S: f64 = 1e11;

const SECONDS_PER_DAY: f64 = 86_400.0;

/// How a column writes times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum TimeUnit {
    /// Date and time as in ISO 8601, such as `2024-01-31T12:00:00.5Z`, or as `2024.01.31_12.00.00`. Without a zone it is UTC.
    Iso,
    /// Seconds since any moment, such as Unix seconds.
    Seconds,
    /// Milliseconds since any moment.
    Milliseconds,
}

impl TimeUnit {
    /// The unit by the name that it has in `--columns`.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        match name {
            "iso" => Some(Self::Iso),
            "s" => Some(Self::Seconds),
            "ms" => Some(Self::Milliseconds),
            _ => None,
        }
    }

    /// The unit in which a time makes sense: a number too large for seconds is one of milliseconds.
    pub(super) fn guessed(text: &str) -> Option<Self> {
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() && value.abs() > MAX_TIME_S => Some(Self::Milliseconds),
            Ok(_) => Some(Self::Seconds),
            Err(_) => date_and_time(text).map(|_| Self::Iso),
        }
    }

    /// A time in seconds, which may lie before 0.
    pub(super) fn seconds(self, text: &str) -> Result<f64, Reason> {
        let number = || text.parse::<f64>().map_err(|_| Reason::NotANumber(Quantity::Time));
        let t_s = match self {
            Self::Iso => date_and_time(text).ok_or(Reason::NotADate)?,
            Self::Seconds => number()?,
            Self::Milliseconds => number()? / 1000.0,
        };
        if !t_s.is_finite() {
            Err(Reason::NotFinite(Quantity::Time))
        } else if t_s.abs() > MAX_TIME_S {
            Err(Reason::TooLarge(Quantity::Time))
        } else {
            Ok(t_s)
        }
    }
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Iso => "iso",
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
        })
    }
}

/// The Unix time of a date with a time of day, in seconds: `2024-01-31T12:00:00.5+01:00`, `2024-01-31 12:00` or
/// `2024.01.31_12.00.00`.
fn date_and_time(text: &str) -> Option<f64> {
    let at = text.find(['T', 't', ' ', '_'])?;
    let (date, time) = (&text[..at], text[at + 1..].trim_start());
    let separator = if date.contains('.') { '.' } else { '-' };
    let mut parts = date.split(separator);
    let (year, month, day) = (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    if parts.next().is_some() || !(1..=12).contains(&month) || day < 1 || day > days_of_month(year, month) {
        return None;
    }
    let (time, ahead_s) = zone(time)?;
    let separator = if separator == '.' && !time.contains(':') { '.' } else { ':' };
    let mut parts = time.splitn(3, separator);
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let second = parts.next().map_or(Some(0.0), seconds)?;
    if hour > 23 || minute > 59 || second >= 61.0 {
        return None;
    }
    let days = days_since_1970(year, month, day) as f64;
    Some(days * SECONDS_PER_DAY + f64::from(hour * 3600 + minute * 60) + second - ahead_s)
}

/// A time of day without its zone, and the seconds that the zone is ahead of UTC.
fn zone(time: &str) -> Option<(&str, f64)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, 0.0));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, 0.0)) };
    let (hours, minutes) = match &time[at + 1..] {
        offset if offset.contains(':') => offset.split_once(':')?,
        offset if offset.len() == 4 && offset.is_ascii() => offset.split_at(2),
        offset => (offset, "00"),
    };
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    let sign = if time[at..].starts_with('-') { -1.0 } else { 1.0 };
    (hours < 24 && minutes < 60).then(|| (time[..at].trim_end(), sign * f64::from(hours * 3600 + minutes * 60)))
}

/// A number that is written with exactly `count` digits.
fn digits(text: &str, count: usize) -> Option<u32> {
    let fits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// Seconds of a minute, with or without a fraction.
fn seconds(text: &str) -> Option<f64> {
    let whole = text.split(['.', ',']).next()?;
    let whole_s = digits(whole, 2)?;
    let fraction = &text[whole.len()..];
    if fraction.is_empty() {
        return Some(f64::from(whole_s));
    }
    let decimals = &fraction[1..];
    let is_fraction = !decimals.is_empty() && decimals.bytes().all(|byte| byte.is_ascii_digit());
    if is_fraction { format!("{whole_s}.{decimals}").parse().ok() } else { None }
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of_month(year: u32, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days_since_1970(year: u32, month: u32, day: u32) -> i64 {
    // Years are counted from March, so that a leap day is the last day of its year.
    let (year, month) = (i64::from(year) - i64::from(month <= 2), i64::from((month + 9) % 12));
    let day_of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_unix_times_in_any_zone() {
        for (text, unix_s) in [
            ("1970-01-01T00:00:00Z", 0.0),
            ("2024-02-29T12:00:00.5Z", 1_709_208_000.5),
            ("2024-02-29 13:00:00,5+01:00", 1_709_208_000.5),
            ("2024-02-29t07:00-0500", 1_709_208_000.0),
            ("2024-02-29T12:00:00 +00", 1_709_208_000.0),
            ("2024.02.29_12.00.00", 1_709_208_000.0),
            ("2019.12.16_13.40.04", 1_576_503_604.0),
            ("1969-12-31T23:59:59Z", -1.0),
            ("2000-03-01T00:00:00Z", 951_868_800.0),
            ("2016-12-31T23:59:60Z", 1_483_228_800.0),
        ] {
            assert_eq!(date_and_time(text), Some(unix_s), "{text}");
            assert_eq!(TimeUnit::guessed(text), Some(TimeUnit::Iso), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "T",
            "2024",
            "2024-01-01",
            "12:00:00",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-00-01T00:00",
            "2024-01-32T00:00",
            "2024-01-01T24:00",
            "2024-01-01T00:60",
            "2024-01-01T00:00:61",
            "2024-01-01T00:00:1",
            "2024-01-01T00:00:00.",
            "2024-01-01T00:00:00.x",
            "2024-01-01T00:00+é",
            "2024-01-01T00:00+99:00",
            "24-01-01T00:00",
            "2024-1-01T00:00",
            "2024-01-01-01T00:00",
            "é_é",
            "2024.01.01_00.00.00é",
            "+2024-01-01T00:00",
        ] {
            assert_eq!(date_and_time(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_seconds_or_milliseconds() {
        assert_eq!(TimeUnit::guessed("1700000000.5"), Some(TimeUnit::Seconds));
        assert_eq!(TimeUnit::guessed("1700000000500"), Some(TimeUnit::Milliseconds));
        assert_eq!(TimeUnit::Milliseconds.seconds("1700000000500"), Ok(1_700_000_000.5));
        assert_eq!(TimeUnit::Seconds.seconds("1e12"), Err(Reason::TooLarge(Quantity::Time)));
        assert_eq!(TimeUnit::Iso.seconds("5"), Err(Reason::NotADate));
        assert_eq!(TimeUnit::guessed("soon"), None);
    }
}
