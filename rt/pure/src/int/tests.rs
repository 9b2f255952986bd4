use super::*;
use PanicKind::*;

const MIN: i64 = i64::MIN;
const MAX: i64 = i64::MAX;

#[track_caller]
fn check(op: fn(i64, i64) -> Checked, rows: &[(i64, i64, Checked)]) {
    for &(a, b, expect) in rows {
        assert_eq!(op(a, b), expect, "operands {a} and {b}");
    }
}

#[test]
fn sums_products_and_negation_are_exact_or_panic() {
    check(add, &[(MAX, 1, Err(AddOverflow)), (MIN, -1, Err(AddOverflow)), (MAX, MIN, Ok(-1)), (2, 3, Ok(5))]);
    check(sub, &[(MIN, 1, Err(SubOverflow)), (0, MIN, Err(SubOverflow)), (-1, MIN, Ok(MAX))]);
    check(mul, &[(MIN, -1, Err(MulOverflow)), (1 << 32, 1 << 31, Err(MulOverflow)), (1 << 31, -(1 << 32), Ok(MIN)), (MIN, 1, Ok(MIN))]);
    check(|a, _| neg(a), &[(MIN, 0, Err(NegOverflow)), (MAX, 0, Ok(-MAX)), (0, 0, Ok(0))]);
    check(|a, _| abs(a), &[(MIN, 0, Err(AbsOverflow)), (-5, 0, Ok(5))]);
}

#[test]
fn division_rounds_as_its_operator_says() {
    check(div, &[(-7, 2, Ok(-3)), (7, -2, Ok(-3)), (1, 0, Err(DivByZero)), (MIN, -1, Err(DivOverflow)), (MIN, 1, Ok(MIN))]);
    check(rem, &[(-7, 2, Ok(-1)), (7, -2, Ok(1)), (1, 0, Err(RemByZero)), (MIN, -1, Err(RemOverflow)), (MIN, 2, Ok(0))]);
    check(
        floor_div,
        &[
            (-7, 2, Ok(-4)),
            (7, -2, Ok(-4)),
            (-7, -2, Ok(3)),
            (-8, 2, Ok(-4)),
            (7, 2, Ok(3)),
            (1, 0, Err(DivByZero)),
            (MIN, -1, Err(FloorDivOverflow)),
            (MIN, 3, Ok(-3074457345618258603)),
        ],
    );
}

#[test]
fn a_power_is_exact_or_panics() {
    check(
        pow,
        &[
            (0, 0, Ok(1)),
            (2, 10, Ok(1024)),
            (2, 62, Ok(1 << 62)),
            (2, 63, Err(PowOverflow)),
            (-2, 63, Ok(MIN)),
            (-2, 64, Err(PowOverflow)),
            (3, 39, Ok(4052555153018976267)),
            (3, 40, Err(PowOverflow)),
            (-1, MAX, Ok(-1)),
            (1, MAX, Ok(1)),
            (0, MAX, Ok(0)),
            (3037000499, 2, Ok(3037000499 * 3037000499)),
            (3037000500, 2, Err(PowOverflow)),
            (MIN, 1, Ok(MIN)),
            (2, -1, Err(NegativeExponent)),
            (1, MIN, Err(NegativeExponent)),
        ],
    );
}

#[test]
fn shifts_check_their_count_and_what_they_lose() {
    check(
        shl,
        &[
            (1, 62, Ok(1 << 62)),
            (1, 63, Err(ShiftOverflow)),
            (-1, 63, Ok(MIN)),
            (0, 63, Ok(0)),
            (1, 64, Err(ShiftTooLarge)),
            (1, MAX, Err(ShiftTooLarge)),
            (1, -1, Err(NegativeShift)),
            (MAX, 1, Err(ShiftOverflow)),
            (MAX, 0, Ok(MAX)),
        ],
    );
    check(shr, &[(-5, 1, Ok(-3)), (MIN, 63, Ok(-1)), (1, 64, Err(ShiftTooLarge)), (1, -1, Err(NegativeShift))]);
    check(
        byte_shl,
        &[(1, 7, Ok(128)), (2, 7, Err(ShiftOverflow)), (255, 0, Ok(255)), (1, 8, Err(ShiftTooLarge)), (1, -1, Err(NegativeShift))],
    );
    check(byte_shr, &[(255, 7, Ok(1)), (128, 3, Ok(16)), (1, 8, Err(ShiftTooLarge)), (1, -1, Err(NegativeShift))]);
}

#[test]
fn conversions_check_their_range() {
    check(|a, _| to_byte(a), &[(0, 0, Ok(0)), (255, 0, Ok(255)), (256, 0, Err(ByteOutOfRange)), (-1, 0, Err(ByteOutOfRange))]);
    let bad = Err(InvalidCodepoint);
    check(
        |a, _| to_char(a),
        &[(0x10ffff, 0, Ok(0x10ffff)), (0x110000, 0, bad), (0xd800, 0, bad), (0xdfff, 0, bad), (-1, 0, bad), (1 << 32, 0, bad)],
    );
}
