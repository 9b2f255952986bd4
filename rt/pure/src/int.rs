//! Integer arithmetic with the panics of `language/05` §5.5: an operation is its exact result, or the panic it ends in.

use abi::PanicKind;

/// An exact result or the panic.
pub type Checked = Result<i64, PanicKind>;

/// `a + b`.
pub fn add(a: i64, b: i64) -> Checked {
    a.checked_add(b).ok_or(PanicKind::AddOverflow)
}

/// `a - b`.
pub fn sub(a: i64, b: i64) -> Checked {
    a.checked_sub(b).ok_or(PanicKind::SubOverflow)
}

/// `a * b`.
pub fn mul(a: i64, b: i64) -> Checked {
    a.checked_mul(b).ok_or(PanicKind::MulOverflow)
}

/// `-a`.
pub fn neg(a: i64) -> Checked {
    a.checked_neg().ok_or(PanicKind::NegOverflow)
}

/// The absolute value.
pub fn abs(a: i64) -> Checked {
    a.checked_abs().ok_or(PanicKind::AbsOverflow)
}

/// `a / b`, rounded toward zero.
pub fn div(a: i64, b: i64) -> Checked {
    if b == 0 {
        return Err(PanicKind::DivByZero);
    }
    a.checked_div(b).ok_or(PanicKind::DivOverflow)
}

/// `a % b`, with the sign of `a`.
pub fn rem(a: i64, b: i64) -> Checked {
    if b == 0 {
        return Err(PanicKind::RemByZero);
    }
    a.checked_rem(b).ok_or(PanicKind::RemOverflow)
}

/// `a div b`, rounded toward minus infinity.
pub fn floor_div(a: i64, b: i64) -> Checked {
    if b == 0 {
        return Err(PanicKind::DivByZero);
    }
    let quotient = a.checked_div(b).ok_or(PanicKind::FloorDivOverflow)?;
    // The truncated quotient is one too high exactly when it is inexact and the signs differ.
    Ok(if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient })
}

/// `a ** b` on int.
pub fn pow(a: i64, b: i64) -> Checked {
    if b < 0 {
        return Err(PanicKind::NegativeExponent);
    }
    // Square and multiply; the base is squared only while a further factor will be needed, so that it does not overflow for nothing.
    let (mut base, mut exponent, mut result) = (a, b as u64, 1i64);
    loop {
        if exponent & 1 == 1 {
            result = result.checked_mul(base).ok_or(PanicKind::PowOverflow)?;
        }
        exponent >>= 1;
        if exponent == 0 {
            return Ok(result);
        }
        // |base| <= 1 squares forever without overflow; anything else overflows after six squarings, which no later factor repairs.
        base = base.checked_mul(base).ok_or(PanicKind::PowOverflow)?;
    }
}

fn shift_count(count: i64, width: i64) -> Result<u32, PanicKind> {
    if count < 0 {
        Err(PanicKind::NegativeShift)
    } else if count >= width {
        Err(PanicKind::ShiftTooLarge)
    } else {
        Ok(count as u32)
    }
}

/// `a << b` on int: `a * 2^b`, exact.
pub fn shl(a: i64, b: i64) -> Checked {
    let count = shift_count(b, 64)?;
    let shifted = a.wrapping_shl(count);
    if shifted.wrapping_shr(count) == a { Ok(shifted) } else { Err(PanicKind::ShiftOverflow) }
}

/// `a >> b` on int: arithmetic.
pub fn shr(a: i64, b: i64) -> Checked {
    Ok(a.wrapping_shr(shift_count(b, 64)?))
}

/// `a << b` on byte (`a` in 0..=255): panics when a set bit is lost.
pub fn byte_shl(a: i64, b: i64) -> Checked {
    let shifted = (a & 0xff) << shift_count(b, 8)?;
    if shifted <= 0xff { Ok(shifted) } else { Err(PanicKind::ShiftOverflow) }
}

/// `a >> b` on byte (`a` in 0..=255): logical.
pub fn byte_shr(a: i64, b: i64) -> Checked {
    Ok((a & 0xff) >> shift_count(b, 8)?)
}

/// `a as byte`.
pub fn to_byte(a: i64) -> Checked {
    if (0..=255).contains(&a) { Ok(a) } else { Err(PanicKind::ByteOutOfRange) }
}

/// `a as char`: the code of a Unicode scalar value.
pub fn to_char(a: i64) -> Checked {
    match u32::try_from(a).ok().and_then(char::from_u32) {
        Some(_) => Ok(a),
        None => Err(PanicKind::InvalidCodepoint),
    }
}

#[cfg(test)]
mod tests;
