//! W0302: operations whose literal operands say that they always panic (language/05 §5.5).

use crate::Intrinsic as I;
use crate::ir::Expr;

/// Does the operation panic whatever else happens? `a` and `b` are its operands as far as they are known.
pub(super) fn always(op: I, a: Expr, b: Expr) -> bool {
    let Expr::Int(b) = b else { return false };
    match a {
        Expr::Int(a) => of_ints(op, Some(a), b),
        Expr::Byte(a) => match op {
            I::ByteShl => !(0..8).contains(&b) || u32::from(a) << b > 0xff,
            _ => of_ints(op, None, b),
        },
        _ => of_ints(op, None, b),
    }
}

fn of_ints(op: I, a: Option<i64>, b: i64) -> bool {
    match op {
        I::IntAdd => a.is_some_and(|a| a.checked_add(b).is_none()),
        I::IntSub => a.is_some_and(|a| a.checked_sub(b).is_none()),
        I::IntMul => a.is_some_and(|a| a.checked_mul(b).is_none()),
        I::IntDiv | I::IntRem | I::IntFloorDiv => b == 0 || (a == Some(i64::MIN) && b == -1),
        I::IntPow => b < 0 || a.is_some_and(|a| power_overflows(a, b)),
        I::IntShl => !(0..64).contains(&b) || a.is_some_and(|a| a << b >> b != a),
        I::IntShr => !(0..64).contains(&b),
        I::ByteShl | I::ByteShr => !(0..8).contains(&b),
        _ => false,
    }
}

fn power_overflows(base: i64, exponent: i64) -> bool {
    // Powers of 0, 1 and -1 stay small; every other base overflows at 64 at the latest.
    match u32::try_from(exponent) {
        _ if (-1..=1).contains(&base) => false,
        Ok(exponent) => base.checked_pow(exponent).is_none(),
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(op: I, a: i64, b: i64, panics: bool) {
        assert_eq!(always(op, Expr::Int(a), Expr::Int(b)), panics, "{} {a} {b}", op.name());
    }

    #[test]
    fn what_overflows_or_divides_by_zero_panics_and_the_values_beside_it_do_not() {
        check(I::IntAdd, i64::MAX, 1, true);
        check(I::IntAdd, i64::MAX, 0, false);
        check(I::IntSub, i64::MIN, 1, true);
        check(I::IntSub, -1, i64::MAX, false);
        check(I::IntMul, 1 << 62, 2, true);
        check(I::IntMul, -(1 << 62), 2, false);
        check(I::IntDiv, 1, 0, true);
        check(I::IntDiv, i64::MIN, -1, true);
        check(I::IntRem, i64::MIN, -1, true);
        check(I::IntFloorDiv, i64::MIN, 1, false);
        check(I::IntPow, 2, 62, false);
        check(I::IntPow, 2, 63, true);
        check(I::IntPow, -2, 63, false);
        check(I::IntPow, 1, i64::MAX, false);
        check(I::IntPow, 3, i64::MAX, true);
        check(I::IntPow, 0, -1, true);
        check(I::IntShl, 1, 62, false);
        check(I::IntShl, 1, 63, true);
        check(I::IntShl, -1, 63, false);
        check(I::IntShl, 0, 64, true);
        check(I::IntShr, -1, 63, false);
        check(I::IntShr, -1, -1, true);
        check(I::BitAnd, 0, 0, false);
    }

    #[test]
    fn bytes_shift_within_eight_bits() {
        assert!(always(I::ByteShl, Expr::Byte(0x80), Expr::Int(1)));
        assert!(!always(I::ByteShl, Expr::Byte(0x7f), Expr::Int(1)));
        assert!(always(I::ByteShr, Expr::Byte(1), Expr::Int(8)));
        assert!(!always(I::ByteShr, Expr::Byte(1), Expr::Int(7)));
    }

    #[test]
    fn an_unknown_left_operand_leaves_what_the_right_one_decides() {
        let unknown = Expr::Unit;
        assert!(always(I::IntDiv, unknown, Expr::Int(0)));
        assert!(always(I::IntShl, unknown, Expr::Int(64)));
        assert!(!always(I::IntAdd, unknown, Expr::Int(i64::MAX)));
        assert!(!always(I::IntDiv, Expr::Int(1), unknown));
    }
}
