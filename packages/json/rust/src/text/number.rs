//! Numbers of JSON, exactly.

use super::parse::number_length;

/// No integer type has more digits.
const MAX_DIGITS: i64 = 20;

/// Whether a text is a number as JSON writes them.
pub(crate) fn is_number(text: &str) -> bool {
    !text.is_empty() && number_length(text.as_bytes()) == text.len()
}

/// The integer that a number of JSON is, also when it is written "1.0" or "1e2"; none when it is none, or of more than 20 digits.
pub(crate) fn to_integer(text: &str) -> Option<i128> {
    if !is_number(text) {
        return None;
    }
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let written = all.trim_start_matches('0');
    let digits = written.trim_end_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    // A power that is no i64 is far from any integer type in either direction.
    let power: i64 = power.parse().ok()?;
    let zeros = power.checked_sub(length(fraction))?.checked_add(length(written) - length(digits))?;
    if zeros < 0 || zeros.checked_add(length(digits))? > MAX_DIGITS {
        return None;
    }
    let value: i128 = format!("{digits}{}", "0".repeat(usize::try_from(zeros).ok()?)).parse().ok()?;
    Some(if is_negative { -value } else { value })
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

/// The shortest text that reads as this double: as JavaScript writes numbers, and -0 with its sign.
pub(crate) fn double_text(value: f64) -> String {
    let scientific = shortest(value);
    let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits = mantissa.replace('.', "");
    let count = length(&digits);
    // How many digits stand before the point.
    let point = power.parse::<i64>().unwrap_or_default() + 1;
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or_default());
    if (count..=21).contains(&point) {
        return format!("{sign}{digits}{}", zeros(point - count));
    }
    if (1..=21).contains(&point) {
        let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or_default());
        return format!("{sign}{whole}.{fraction}");
    }
    if (-5..=0).contains(&point) {
        return format!("{sign}0.{}{digits}", zeros(-point));
    }
    let plus = if point > 0 { "+" } else { "" };
    format!("{sign}{mantissa}e{plus}{}", point - 1)
}

/// In scientific notation. Where two numbers of that length are as near, the even one: what JavaScript takes, and Rust here does not.
fn shortest(value: f64) -> String {
    let shortest = format!("{value:e}");
    let digits = shortest.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
    let nearest = format!("{value:.*e}", digits.saturating_sub(1));
    if nearest.parse() == Ok(value) { nearest } else { shortest }
}

/// The shortest text that reads as this float, which is shorter than that of the double of the same value.
pub(crate) fn float_text(value: f32) -> String {
    let rounded = |digits: usize| format!("{:.*e}", digits - 1, f64::from(value)).parse::<f64>().unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, reason = "it is rounded to a float, as a reader does")]
    let found = (1..9).map(rounded).find(|rounded| *rounded as f32 == value);
    double_text(found.unwrap_or_else(|| rounded(9)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_written_as_javascript_writes_them() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (1e20, "100000000000000000000"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1_000_000_000_000_000.2, "1000000000000000.2"),
            (1e21, "1e+21"),
            (1.25e21, "1.25e+21"),
            (0.000_001, "0.000001"),
            (1.5e-7, "1.5e-7"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
        ];
        for (value, text) in cases {
            assert_eq!(double_text(value), text);
        }
    }

    #[test]
    fn floats_are_as_short_as_floats_can_be() {
        for (value, text) in [(1.1, "1.1"), (0.1, "0.1"), (f32::MAX, "3.4028235e+38"), (1e-45, "1e-45"), (-0.0, "-0")] {
            assert_eq!(float_text(value), text);
        }
    }
}
