//! google.protobuf.Timestamp and Duration as text.

/// Seconds and nanoseconds, as both messages have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seconds {
    pub(crate) seconds: i64,
    pub(crate) nanos: i32,
}

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds since 1970.
const MIN_TIMESTAMP: i64 = -62_135_596_800;
const MAX_TIMESTAMP: i64 = 253_402_300_799;
/// About 10,000 years.
const MAX_DURATION: i64 = 315_576_000_000;
const MAX_NANOS: i32 = 999_999_999;
const DAY: i64 = 86_400;

/// The text of a point in time, "2024-02-29T12:00:00.500Z"; none when it is outside the years 1 to 9999.
pub(crate) fn timestamp_text(Seconds { seconds, nanos }: Seconds) -> Option<String> {
    if !(MIN_TIMESTAMP..=MAX_TIMESTAMP).contains(&seconds) || !(0..=MAX_NANOS).contains(&nanos) {
        return None;
    }
    let (year, month, day) = date_of(seconds.div_euclid(DAY));
    let time = seconds.rem_euclid(DAY);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{}Z", fraction_text(nanos)))
}

/// The point in time that a text of RFC 3339 means; none when it means none in the years 1 to 9999.
pub(crate) fn from_timestamp_text(text: &str) -> Option<Seconds> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let bytes = date_time.as_bytes();
    if [4, 7, 10, 13, 16].map(|index| bytes[index]) != *b"--T::" {
        return None;
    }
    let part = |from: usize, to: usize| digits(&date_time[from..to]);
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at_checked(rest.bytes().take_while(u8::is_ascii_digit).count())?,
        None => ("0", rest),
    };
    let nanos = nanos_of(fraction)?;
    let offset = match zone.as_bytes() {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (digits(&zone[1..3])?, digits(&zone[4..6])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = day_of(year, month, day) * DAY + hour * 3600 + (minute - offset) * 60 + second;
    (MIN_TIMESTAMP..=MAX_TIMESTAMP).contains(&seconds).then_some(Seconds { seconds, nanos })
}

/// The text of a span of time, "1.500s"; none when it is too long, or its parts have different signs.
pub(crate) fn duration_text(Seconds { seconds, nanos }: Seconds) -> Option<String> {
    if !(-MAX_DURATION..=MAX_DURATION).contains(&seconds) || !(-MAX_NANOS..=MAX_NANOS).contains(&nanos) {
        return None;
    }
    if (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0) {
        return None;
    }
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    Some(format!("{sign}{}{}s", seconds.abs(), fraction_text(nanos.abs())))
}

/// The span of time that a text means; none when it means none, or one that is too long.
pub(crate) fn from_duration_text(text: &str) -> Option<Seconds> {
    let number = text.strip_suffix('s')?;
    let (sign, number) = match number.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, number),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (number, "0"),
    };
    let nanos = nanos_of(fraction)?;
    let significant = whole.trim_start_matches('0');
    if whole.is_empty() || significant.len() > 12 {
        return None;
    }
    let seconds = if significant.is_empty() { 0 } else { digits(significant)? };
    (seconds <= MAX_DURATION).then_some(Seconds { seconds: sign * seconds, nanos: nanos * i32::try_from(sign).ok()? })
}

/// None, three, six or nine digits.
fn fraction_text(nanos: i32) -> String {
    match nanos {
        0 => String::new(),
        _ if nanos % 1_000_000 == 0 => format!(".{:03}", nanos / 1_000_000),
        _ if nanos % 1000 == 0 => format!(".{:06}", nanos / 1000),
        _ => format!(".{nanos:09}"),
    }
}

/// One to nine digits after the point.
fn nanos_of(fraction: &str) -> Option<i32> {
    if fraction.len() > 9 {
        return None;
    }
    i32::try_from(digits(&format!("{fraction:0<9}")).filter(|_| !fraction.is_empty())?).ok()
}

/// Digits and nothing else; the caller cares for their number.
fn digits(text: &str) -> Option<i64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The number of a day of the Gregorian calendar, 1970-01-01 being 0. Years begin in March, so that a leap day is the last.
fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number as `day_of` gives it.
fn date_of(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_all_years_are_read_as_themselves() {
        // Every thirteenth: the remainders of months, years and leap years all come.
        for day in (MIN_TIMESTAMP / DAY..=MAX_TIMESTAMP / DAY).step_by(13) {
            let time = Seconds { seconds: day * DAY + 3661, nanos: 0 };
            let text = timestamp_text(time).unwrap_or_default();
            assert_eq!(from_timestamp_text(&text), Some(time), "{text}");
        }
    }
}
