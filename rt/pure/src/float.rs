//! Float operations that are no single instruction everywhere. Interpreter and runtime both call these, so results are equal to the bit.

use abi::PanicKind;

/// `a ** b`: IEEE pow.
pub fn pow(a: f64, b: f64) -> f64 {
    libm::pow(a, b)
}

/// Cube root.
pub fn cbrt(a: f64) -> f64 {
    libm::cbrt(a)
}

/// E to a power.
pub fn exp(a: f64) -> f64 {
    libm::exp(a)
}

/// Natural logarithm.
pub fn ln(a: f64) -> f64 {
    libm::log(a)
}

/// Logarithm to base 2.
pub fn log2(a: f64) -> f64 {
    libm::log2(a)
}

/// Logarithm to base 10.
pub fn log10(a: f64) -> f64 {
    libm::log10(a)
}

/// Sine.
pub fn sin(a: f64) -> f64 {
    libm::sin(a)
}

/// Cosine.
pub fn cos(a: f64) -> f64 {
    libm::cos(a)
}

/// Tangent.
pub fn tan(a: f64) -> f64 {
    libm::tan(a)
}

/// Inverse sine.
pub fn asin(a: f64) -> f64 {
    libm::asin(a)
}

/// Inverse cosine.
pub fn acos(a: f64) -> f64 {
    libm::acos(a)
}

/// Inverse tangent.
pub fn atan(a: f64) -> f64 {
    libm::atan(a)
}

/// Hyperbolic sine.
pub fn sinh(a: f64) -> f64 {
    libm::sinh(a)
}

/// Hyperbolic cosine.
pub fn cosh(a: f64) -> f64 {
    libm::cosh(a)
}

/// Hyperbolic tangent.
pub fn tanh(a: f64) -> f64 {
    libm::tanh(a)
}

/// The angle of the point `(x, y)`.
pub fn atan2(y: f64, x: f64) -> f64 {
    libm::atan2(y, x)
}

/// The length of the vector `(x, y)`, without overflow on the way.
pub fn hypot(x: f64, y: f64) -> f64 {
    libm::hypot(x, y)
}

/// Largest integral float not above `a`.
pub fn floor(a: f64) -> f64 {
    libm::floor(a)
}

/// Smallest integral float not below `a`.
pub fn ceil(a: f64) -> f64 {
    libm::ceil(a)
}

/// Nearest integral float, half away from zero.
pub fn round(a: f64) -> f64 {
    libm::round(a)
}

/// Integral part.
pub fn trunc(a: f64) -> f64 {
    libm::trunc(a)
}

/// Square root, exactly rounded.
pub fn sqrt(a: f64) -> f64 {
    libm::sqrt(a)
}

/// The total order of `.compare()`: -1, 0 or 1; zeros are equal, NaN equals itself and is above everything.
pub fn compare(a: f64, b: f64) -> i64 {
    match a.partial_cmp(&b) {
        Some(order) => order as i64,
        None => i64::from(a.is_nan()) - i64::from(b.is_nan()),
    }
}

/// The integral part of `a` as an int.
pub fn to_int(a: f64) -> Result<i64, PanicKind> {
    // Both bounds are powers of two and exact; every float strictly above -2^63 - 1 truncates to at least -2^63.
    if (-9223372036854775808.0..9223372036854775808.0).contains(&a) { Ok(a as i64) } else { Err(PanicKind::FloatOutOfRange) }
}

/// The hash of `a` (`language/08` §8.4): zeros alike, NaNs alike.
pub fn hash(a: f64) -> i64 {
    if a == 0.0 { 0 } else { bits(a) as i64 }
}

/// The bits of every NaN as they are shown: which NaN an operation gives differs between processors and optimisers.
pub const NAN: u64 = 0x7ff8_0000_0000_0000;

/// The bit pattern of `a`; of a NaN, [`NAN`].
pub fn bits(a: f64) -> u64 {
    if a.is_nan() { NAN } else { a.to_bits() }
}

#[cfg(test)]
mod tests;
