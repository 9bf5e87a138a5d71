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
    std::str::from_utf8(text).ok()?.parse().ok()
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
/// hexadecimal, `inf`, `infinity` in any case with a sign; no spaces, no `nan`.
pub fn double(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    if text.is_empty() || text.starts_with(|c: char| c.is_ascii_whitespace()) {
        return None;
    }
    let (negative, rest) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let magnitude = if let Some(hex) = rest.strip_prefix("0x").or(rest.strip_prefix("0X")) {
        hexadecimal(hex)?
    } else if rest.eq_ignore_ascii_case("inf") || rest.eq_ignore_ascii_case("infinity") {
        f64::INFINITY
    } else {
        // Rust's grammar is C's but for signs, which are dealt with, and words, refused here.
        if !rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return None;
        }
        let parsed: f64 = rest.parse().ok()?;
        // strtod reports overflow as an error; Redis passes that on.
        if parsed.is_infinite() {
            return None;
        }
        parsed
    };
    Some(if negative { -magnitude } else { magnitude })
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
    let sign = if value < 0.0 { "-" } else { "" };
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

/// Reads a blocking command's timeout: seconds with a fraction, answered in milliseconds; `None`
/// waits for ever.
///
/// # Errors
/// With Redis's texts, when it is no number, negative or too large.
pub fn timeout_ms(text: &[u8], now_ms: u64) -> Result<Option<u64>, crate::error::ReplyError> {
    let seconds = double(text).ok_or(crate::error::TIMEOUT_NOT_A_FLOAT)?;
    let ms = (seconds * 1000.0).ceil();
    if ms > i64::MAX as f64 {
        return Err(crate::error::TIMEOUT_OUT_OF_RANGE);
    }
    if seconds < 0.0 {
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
