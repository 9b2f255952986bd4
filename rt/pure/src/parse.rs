//! Text to numbers (`language/05` §5.9).

use abi::PanicKind;

fn trimmed(text: &[u8]) -> &str {
    // Text values are UTF-8; anything else is malformed for every number.
    core::str::from_utf8(text).map_or("", str::trim)
}

/// Trimmed, optional sign, decimal digits, in range.
pub fn int(text: &[u8]) -> Result<i64, PanicKind> {
    let (negative, digits) = match trimmed(text).as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    let mut value = 0i64;
    for digit in digits {
        // Below zero: the range reaches one further there.
        value = match digit {
            b'0'..=b'9' => value.checked_mul(10).and_then(|tens| tens.checked_sub(i64::from(digit - b'0'))),
            _ => None,
        }
        .ok_or(PanicKind::CannotParseInt)?;
    }
    let value = if negative { Some(value) } else { value.checked_neg() };
    value.filter(|_| !digits.is_empty()).ok_or(PanicKind::CannotParseInt)
}

/// Trimmed; decimal or scientific, nearest value; `inf`, `-inf`, `nan` in any case.
pub fn float(text: &[u8]) -> Result<f64, PanicKind> {
    let text = trimmed(text);
    for (name, value) in [("inf", f64::INFINITY), ("-inf", f64::NEG_INFINITY), ("nan", f64::NAN)] {
        if text.eq_ignore_ascii_case(name) {
            return Ok(value);
        }
    }
    // What `core` reads beyond numbers (`infinity`, `+nan`) has a letter other than the exponent's.
    let is_number = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    text.parse().ok().filter(|_| is_number).ok_or(PanicKind::CannotParseFloat)
}

#[cfg(test)]
mod tests;
