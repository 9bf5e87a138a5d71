//! Numbers as Redis reads and writes them.

mod shortest;

/// Reads a 64-bit integer the strict way Redis does (`string2ll`): decimal digits, an optional
/// minus, no plus, no leading zeros, no spaces.
pub fn integer(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        [b'0'] => text.len() == 1,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if !canonical || digits.len() > 19 {
        return None;
    }
    // Below zero there is room for one more than above.
    let negative = digits.len() < text.len();
    digits.iter().try_fold(0i64, |number, digit| {
        let (number, digit) = (number.checked_mul(10)?, i64::from(digit - b'0'));
        if negative {
            number.checked_sub(digit)
        } else {
            number.checked_add(digit)
        }
    })
}

/// Reads an unsigned 64-bit integer as Redis reads cursors (`string2ull`): what C's `strtoull` takes,
/// spaces before it, a sign and leading zeros included, but no plain negative number.
pub fn unsigned(text: &[u8]) -> Option<u64> {
    if let Some(n) = integer(text) {
        return u64::try_from(n).ok();
    }
    let text = text.split(|byte| *byte == 0).next()?;
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(if negative {
        value.wrapping_neg()
    } else {
        value
    })
}

/// The part of a sequence of `length` elements that two indexes name, both included and negative
/// ones from the end; `None` when it is empty.
pub fn range(start: i64, end: i64, length: usize) -> Option<std::ops::Range<usize>> {
    let length = i64::try_from(length).ok()?;
    let from_end = |index: i64| if index < 0 { index + length } else { index };
    // Both before the beginning and crossed: Redis looks at this before it clamps.
    if start < 0 && end < 0 && start > end {
        return None;
    }
    let (start, end) = (from_end(start).max(0), from_end(end).max(0).min(length - 1));
    if length == 0 || start > end {
        return None;
    }
    Some(usize::try_from(start).ok()?..usize::try_from(end).ok()? + 1)
}

/// Reads a double as Redis reads scores and increments (`strtod` on the whole text): decimal or
/// hexadecimal, `inf`, `infinity` in any case with a sign; no spaces, no `nan`, nothing that is too
/// large or too small to be told from infinity or zero.
pub fn double(text: &[u8]) -> Option<f64> {
    let (value, exact) = read_double(std::str::from_utf8(text).ok()?)?;
    exact.then_some(value)
}

/// Reads a double as Redis reads the ends of score ranges: spaces before it are skipped, nothing at
/// all is zero, and what is too large or too small becomes infinity or zero. As in C, the text ends at a
/// zero byte.
pub fn lenient_double(text: &[u8]) -> Option<f64> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Some(0.0);
    }
    let text = std::str::from_utf8(text).ok()?;
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    read_double(text).map(|(value, _)| value)
}

/// A double, and whether it is neither an overflow nor an underflow.
fn read_double(text: &str) -> Option<(f64, bool)> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let named = rest.eq_ignore_ascii_case("inf") || rest.eq_ignore_ascii_case("infinity");
    let magnitude = if let Some(hex) = rest.strip_prefix("0x").or(rest.strip_prefix("0X")) {
        hexadecimal(hex)?
    } else if named {
        f64::INFINITY
    } else if rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        // Rust's grammar is C's but for signs, which are dealt with, and words, refused here.
        rest.parse().ok()?
    } else {
        return None;
    };
    let is_zero = || {
        let mantissa = rest.split(['e', 'E']).next().unwrap_or(rest);
        !mantissa.contains(|c: char| ('1'..='9').contains(&c))
    };
    let exact = if magnitude == 0.0 {
        is_zero()
    } else {
        named || magnitude.is_finite()
    };
    Some((if negative { -magnitude } else { magnitude }, exact))
}

/// A C99 hexadecimal float without its `0x`.
fn hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = match text.find(['p', 'P']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0f64;
    for digit in whole.chars() {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let mut scale = 1.0 / 16.0;
    for digit in fraction.chars() {
        value += f64::from(digit.to_digit(16)?) * scale;
        scale /= 16.0;
    }
    Some(value * 2f64.powi(exponent))
}

/// Writes a double as Redis writes scores: `3`, `1.5`, `inf`, `1e+20`, `1e-7`.
pub fn format_double(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    // Whole numbers that a 64-bit integer holds with room to spare are written as one.
    if value.fract() == 0.0 && value.abs() <= (i64::MAX / 2) as f64 {
        return (value as i64).to_string();
    }
    format_shortest(value)
}

/// Writes a double with the fewest digits that read back as the same number, in the layout of the
/// `fpconv_dtoa` that Redis carries: `0.1`, `9223372036854776000`, `1e+20`, `-nan`.
pub fn format_shortest(value: f64) -> String {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_nan() {
        return format!("{sign}nan");
    }
    if value.is_infinite() {
        return format!("{sign}inf");
    }
    if value == 0.0 {
        return format!("{sign}0");
    }
    let (digits, power) = shortest::digits(value.abs());
    let digits: String = digits.into_iter().map(char::from).collect();
    let count = digits.len() as i32;
    let exponent = power + count - 1;
    if power >= 0 && exponent < count + 7 {
        let zeros = "0".repeat(power as usize);
        return format!("{sign}{digits}{zeros}");
    }
    if power < 0 && (power > -7 || exponent.abs() < 4) {
        let whole = count + power;
        if whole <= 0 {
            let zeros = "0".repeat(whole.unsigned_abs() as usize);
            return format!("{sign}0.{zeros}{digits}");
        }
        let (whole, fraction) = digits.split_at(whole as usize);
        return format!("{sign}{whole}.{fraction}");
    }
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{rest}e{exponent:+}")
}

/// Writes a double with 17 significant digits (`%.17g`), as ZSCAN writes the scores of a large set:
/// `0.10000000000000001`, `4.6116860184273879e+18`.
pub fn format_all_digits(value: f64) -> String {
    if !value.is_finite() {
        return format_double(value);
    }
    let scientific = format!("{value:.16e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let shorten = |digits: &str| {
        let digits = digits.trim_end_matches('0');
        digits.trim_end_matches('.').to_owned()
    };
    if (-4..17).contains(&exponent) {
        let decimals = usize::try_from(16 - exponent).unwrap_or(0);
        let text = format!("{value:.decimals$}");
        return if decimals == 0 { text } else { shorten(&text) };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", shorten(mantissa), exponent.abs())
}

/// Reads a blocking command's timeout: seconds with a fraction, answered in milliseconds; `None`
/// waits for ever.
///
/// # Errors
/// With Redis's texts, when it is no number, negative or too large.
pub fn timeout_ms(text: &[u8], now_ms: u64) -> Result<Option<u64>, crate::error::ReplyError> {
    let not_a_float = crate::error::TIMEOUT_NOT_A_FLOAT;
    let (seconds, exact) = std::str::from_utf8(text)
        .ok()
        .and_then(read_double)
        .ok_or(not_a_float)?;
    // Redis reads it in extended precision, which tells more from infinity and from zero.
    let ms = match (seconds * 1000.0).ceil() {
        ms if ms == 0.0 && !exact && seconds.is_sign_positive() => 1.0,
        ms => ms,
    };
    if ms > i64::MAX as f64 {
        return Err(crate::error::TIMEOUT_OUT_OF_RANGE);
    }
    // What is less than a millisecond below zero rounds to zero, which waits for ever.
    if ms < 0.0 {
        return Err(crate::error::NEGATIVE_TIMEOUT);
    }
    let ms = ms as u64;
    if ms == 0 {
        return Ok(None);
    }
    if ms
        .checked_add(now_ms)
        .is_none_or(|end| end > i64::MAX as u64)
    {
        return Err(crate::error::TIMEOUT_OUT_OF_RANGE);
    }
    Ok(Some(ms))
}

/// Writes a double as C's `%.Ng` does: at most `precision` digits, no zeros at the end.
pub fn general(value: f64, precision: usize) -> String {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let magnitude = value.abs();
    if magnitude.is_nan() {
        return format!("{sign}nan");
    }
    if magnitude.is_infinite() {
        return format!("{sign}inf");
    }
    let precision = precision.max(1);
    let scientific = format!("{magnitude:.*e}", precision - 1);
    let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let without_zeros = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    let most = i32::try_from(precision).unwrap_or(i32::MAX);
    if power < -4 || power >= most {
        let mantissa = without_zeros(mantissa);
        let power_sign = if power < 0 { '-' } else { '+' };
        return format!("{sign}{mantissa}e{power_sign}{:02}", power.abs());
    }
    let decimals = usize::try_from(most - 1 - power).unwrap_or(0);
    format!(
        "{sign}{}",
        without_zeros(&format!("{magnitude:.decimals$}"))
    )
}

/// Reads the double that a text begins with, as C's `strtod` does; answers it with the number of
/// bytes it takes.
pub fn leading_double(text: &[u8]) -> Option<(f64, usize)> {
    let at = |index: usize| text.get(index).copied().unwrap_or(0);
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let negative = at(0) == b'-';
    let start = usize::from(matches!(at(0), b'-' | b'+'));
    let signed = |value: f64| if negative { -value } else { value };
    let starts_with = |word: &[u8]| {
        let found = text.get(start..start + word.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(word))
    };
    for (word, value) in [
        (&b"infinity"[..], f64::INFINITY),
        (b"inf", f64::INFINITY),
        (b"nan", f64::NAN),
    ] {
        if starts_with(word) {
            return Some((signed(value), start + word.len()));
        }
    }
    if at(start) == b'0' && at(start + 1) | 0x20 == b'x' {
        let body = start + 2;
        let is_hex = |from: usize| {
            let rest = text.get(from..).unwrap_or_default();
            rest.iter().take_while(|b| b.is_ascii_hexdigit()).count()
        };
        let mut end = body + is_hex(body);
        if at(end) == b'.' {
            end += 1 + is_hex(end + 1);
        }
        if end > body && &text[body..end] != b"." {
            if at(end) | 0x20 == b'p' {
                let sign = usize::from(matches!(at(end + 1), b'-' | b'+'));
                let power = digits(end + 1 + sign);
                if power > 0 {
                    end += 1 + sign + power;
                }
            }
            let hex = std::str::from_utf8(&text[body..end]).ok()?;
            return Some((signed(hexadecimal(hex)?), end));
        }
        return Some((signed(0.0), start + 1));
    }
    let mut end = start + digits(start);
    let mut count = end - start;
    if at(end) == b'.' {
        let fraction = digits(end + 1);
        if count + fraction > 0 {
            end += 1 + fraction;
        }
        count += fraction;
    }
    if count == 0 {
        return None;
    }
    if at(end) | 0x20 == b'e' {
        let sign = usize::from(matches!(at(end + 1), b'-' | b'+'));
        let power = digits(end + 1 + sign);
        if power > 0 {
            end += 1 + sign + power;
        }
    }
    let magnitude: f64 = std::str::from_utf8(&text[start..end]).ok()?.parse().ok()?;
    Some((signed(magnitude), end))
}
