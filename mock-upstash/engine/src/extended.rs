//! Floating point in the 80-bit extended precision of x86, which Redis adds in.
//!
//! INCRBYFLOAT and HINCRBYFLOAT read `long double`s, add them and print the sum with `%.17Lf`. The
//! digits that come out depend on the 64-bit mantissa, so it is rebuilt here from integers.

use crate::natural::Natural;

/// Exponent of the last bit of the smallest numbers.
const LOWEST: i32 = -16_445;
/// Exponent of the last bit of the largest numbers.
const HIGHEST: i32 = 16_383 - 63;
/// Longest text read, as Redis's buffer has it.
const LONGEST_TEXT: usize = 5 * 1024;

/// A number `±mantissa × 2^exponent`, or infinity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extended {
    negative: bool,
    /// The top bit is set unless the exponent is the lowest.
    mantissa: u64,
    exponent: i32,
    infinite: bool,
}

impl Extended {
    /// Reads a number as Redis does with `strtold`: decimal, hexadecimal or `inf`, all of the text;
    /// no `nan`, nothing that overflows or vanishes.
    pub fn parse(text: &[u8]) -> Option<Extended> {
        if text.is_empty() || text.len() >= LONGEST_TEXT {
            return None;
        }
        let (negative, rest) = match text[0] {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        if rest.eq_ignore_ascii_case(b"inf") || rest.eq_ignore_ascii_case(b"infinity") {
            return Some(Extended::infinity(negative));
        }
        let value = match rest {
            [b'0', b'x' | b'X', digits @ ..] => Extended::parse_digits(digits, 16),
            _ => Extended::parse_digits(rest, 10),
        }?;
        Some(Extended { negative, ..value })
    }

    /// Whether it is an infinity.
    pub fn is_infinite(self) -> bool {
        self.infinite
    }

    fn infinity(negative: bool) -> Extended {
        Extended {
            negative,
            mantissa: 0,
            exponent: 0,
            infinite: true,
        }
    }

    fn zero(negative: bool) -> Extended {
        Extended {
            negative,
            mantissa: 0,
            exponent: LOWEST,
            infinite: false,
        }
    }

    /// Digits with an optional point and an optional exponent.
    fn parse_digits(text: &[u8], radix: u32) -> Option<Extended> {
        let mark: [u8; 2] = if radix == 16 { *b"pP" } else { *b"eE" };
        let (digits, exponent) = match text.iter().position(|byte| mark.contains(byte)) {
            Some(at) => (&text[..at], parse_exponent(&text[at + 1..])?),
            None => (text, 0),
        };
        let mut magnitude = Natural::zero();
        let (mut count, mut fraction_digits, mut significant, mut after_point) =
            (0, 0i64, 0i64, false);
        for byte in digits {
            if *byte == b'.' && !after_point {
                after_point = true;
                continue;
            }
            let digit = char::from(*byte).to_digit(radix)?;
            magnitude.multiply_add(radix, digit);
            count += 1;
            fraction_digits += i64::from(after_point);
            significant += i64::from(significant > 0 || digit > 0);
        }
        if count == 0 {
            return None;
        }
        if magnitude.is_zero() {
            return Some(Extended::zero(false));
        }
        if radix == 16 {
            let exponent = exponent.saturating_sub(4 * fraction_digits);
            return Extended::from_ratio(magnitude, Natural::from(1), exponent);
        }
        let power = exponent.saturating_sub(fraction_digits);
        // Far out of range, the powers of ten need not be computed.
        if significant.saturating_add(power) > 4_940 || significant.saturating_add(power) < -4_990 {
            return None;
        }
        let scale = Natural::power_of_ten(power.unsigned_abs() as u32);
        if power >= 0 {
            Extended::from_ratio(magnitude.multiply(&scale), Natural::from(1), 0)
        } else {
            Extended::from_ratio(magnitude, scale, 0)
        }
    }

    /// Rounds `numerator / denominator × 2^exponent` to the nearest; `None` on overflow and when
    /// nothing is left.
    fn from_ratio(numerator: Natural, denominator: Natural, exponent: i64) -> Option<Extended> {
        // The quotient gets 66 or 67 bits: two more than are kept, and what remains is the sticky bit.
        let shift = 66 - (numerator.bits() as i64 - denominator.bits() as i64);
        let exponent = exponent.saturating_sub(shift);
        if !(-40_000..=40_000).contains(&exponent) {
            return None;
        }
        let (numerator, denominator) = if shift >= 0 {
            (numerator.shift_left(shift as usize), denominator)
        } else {
            (
                numerator,
                denominator.shift_left(shift.unsigned_abs() as usize),
            )
        };
        let (quotient, exact) = numerator.divide(&denominator);
        let rounded = Extended::round(false, quotient, !exact, exponent as i32);
        (!rounded.infinite && rounded.mantissa != 0).then_some(rounded)
    }

    /// Rounds `wide × 2^exponent`, with `sticky` for anything below it, to the nearest even.
    fn round(negative: bool, wide: u128, sticky: bool, exponent: i32) -> Extended {
        if wide == 0 {
            return Extended::zero(negative);
        }
        let bits = 128 - wide.leading_zeros() as i32;
        let drop = (bits - 64).max(LOWEST - exponent);
        if drop <= 0 {
            // Exact: move the top bit up as far as the exponent allows.
            let lift = (-drop).min(exponent - LOWEST).max(0);
            return Extended::finish(negative, wide << lift, exponent - lift);
        }
        if drop > 127 {
            return Extended::zero(negative);
        }
        let (kept, rest, half) = (
            wide >> drop,
            wide & ((1u128 << drop) - 1),
            1u128 << (drop - 1),
        );
        let up = rest > half || (rest == half && (sticky || kept & 1 == 1));
        Extended::finish(negative, kept + u128::from(up), exponent + drop)
    }

    fn finish(negative: bool, mut mantissa: u128, mut exponent: i32) -> Extended {
        if mantissa > u128::from(u64::MAX) {
            mantissa >>= 1;
            exponent += 1;
        }
        if exponent > HIGHEST {
            return Extended::infinity(negative);
        }
        Extended {
            negative,
            mantissa: mantissa as u64,
            exponent,
            infinite: false,
        }
    }

    /// The sum, rounded to the nearest; infinities of both signs give an infinity, which
    /// [`Extended::format`] refuses as it would refuse the NaN.
    #[must_use]
    pub fn plus(self, other: Extended) -> Extended {
        if self.infinite || other.infinite {
            return if self.infinite { self } else { other };
        }
        let (large, small) = if (self.exponent, self.mantissa) >= (other.exponent, other.mantissa) {
            (self, other)
        } else {
            (other, self)
        };
        if small.mantissa == 0 {
            let negative = large.negative && (large.mantissa != 0 || small.negative);
            return Extended { negative, ..large };
        }
        let gap = (large.exponent - small.exponent) as u32;
        // 62 bits of room below the larger one; what falls out of them only decides ties.
        let high = u128::from(large.mantissa) << 62;
        let low = u128::from(small.mantissa) << 62;
        let (low, sticky) = if gap < 128 {
            (low >> gap, low & ((1u128 << gap) - 1) != 0)
        } else {
            (0, true)
        };
        let exponent = large.exponent - 62;
        if large.negative == small.negative {
            return Extended::round(large.negative, high + low, sticky, exponent);
        }
        if high == low && !sticky {
            return Extended::zero(false);
        }
        // With bits fallen out, the difference is a little less than high - low.
        let difference = high - low - u128::from(sticky);
        Extended::round(large.negative, difference, sticky, exponent)
    }

    /// Prints as `%.17Lf` without trailing zeros; `None` for infinity.
    pub fn format(self) -> Option<String> {
        if self.infinite {
            return None;
        }
        // value × 10^17 = mantissa × 10^17 × 2^exponent, rounded half to even.
        let scaled = Natural::from(self.mantissa).multiply(&Natural::power_of_ten(17));
        let digits = if self.exponent >= 0 {
            scaled.shift_left(self.exponent as usize)
        } else {
            scaled.shift_right_rounding(self.exponent.unsigned_abs() as usize)
        }
        .to_decimal();
        let digits = format!("{digits:0>18}");
        let (whole, fraction) = digits.split_at(digits.len() - 17);
        let fraction = fraction.trim_end_matches('0');
        let mut text = whole.to_owned();
        if !fraction.is_empty() {
            text.push('.');
            text.push_str(fraction);
        }
        if self.negative && text != "0" {
            text.insert(0, '-');
        }
        Some(text)
    }
}

/// The exponent behind `e` or `p`: an optional sign and at least one digit.
fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0i64;
    for byte in digits {
        let digit = char::from(*byte).to_digit(10)?;
        value = (value * 10 + i64::from(digit)).min(1_000_000);
    }
    Some(if negative { -value } else { value })
}
