//! Times of certificates, as RFC 5280 section 4.1.2.5 has them: to the second, in UTC.
//!
//! Go takes times of other zones too, and times to the minute; here they are errors.

use super::der::Reader;

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// A time as RFC 3339 writes it.
pub(super) fn time(reader: &mut Reader<'_>) -> Option<String> {
    let element = reader.any()?;
    let text = std::str::from_utf8(element.body).ok()?;
    let digits = text.strip_suffix('Z')?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match (element.tag, digits.len()) {
        (UTC_TIME, 12) => {
            let (year, rest) = digits.split_at_checked(2)?;
            let year: u16 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        (GENERALIZED_TIME, 14) => {
            let (year, rest) = digits.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let (pairs, []) = rest.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let mut numbers = pairs.iter().map(|[tens, ones]| {
        let digit = |byte: &u8| byte - b'0';
        digit(tens) * 10 + digit(ones)
    });
    let mut next = || numbers.next();
    let (month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?);
    let valid = (1..=days(year, month)).contains(&day) && hour < 24 && minute < 60 && second < 60;
    valid.then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

/// The days of a month; 0 for what is none.
fn days(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}
