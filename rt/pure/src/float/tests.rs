use super::*;

#[track_caller]
fn check(op: fn(f64) -> f64, rows: &[(f64, f64)]) {
    for &(a, expect) in rows {
        assert_eq!(op(a).to_bits(), expect.to_bits(), "operand {a}");
    }
}

#[test]
fn rounding_goes_where_its_name_says() {
    check(floor, &[(2.5, 2.0), (-2.5, -3.0), (-0.0, -0.0), (0.9, 0.0), (1e300, 1e300), (f64::INFINITY, f64::INFINITY)]);
    check(ceil, &[(2.5, 3.0), (-2.5, -2.0), (-0.9, -0.0), (4503599627370496.5, 4503599627370496.0)]);
    check(round, &[(2.5, 3.0), (-2.5, -3.0), (0.49999999999999994, 0.0), (0.5, 1.0), (-0.4, -0.0)]);
    check(trunc, &[(2.9, 2.0), (-2.9, -2.0), (-0.9, -0.0)]);
    check(sqrt, &[(2.0, core::f64::consts::SQRT_2), (-0.0, -0.0), (1e-300, 1e-150), (f64::INFINITY, f64::INFINITY)]);
    assert!(floor(f64::NAN).is_nan() && sqrt(-1.0).is_nan());
}

#[test]
fn powers_follow_ieee() {
    let rows = [
        (2.0, 0.5, core::f64::consts::SQRT_2),
        (0.0, 0.0, 1.0),
        (f64::NAN, 0.0, 1.0),
        (1.0, f64::NAN, 1.0),
        (-2.0, 3.0, -8.0),
        (0.0, -1.0, f64::INFINITY),
        (-0.0, -3.0, f64::NEG_INFINITY),
        (10.0, 308.0, 1e308),
        (10.0, 309.0, f64::INFINITY),
        (2.0, -1074.0, 5e-324),
    ];
    for (a, b, expect) in rows {
        assert_eq!(pow(a, b).to_bits(), expect.to_bits(), "{a} ** {b}");
    }
    assert!(pow(-1.0, 0.5).is_nan());
}

#[test]
fn the_order_is_total() {
    let ascending = [f64::NEG_INFINITY, -1.0, -0.0, 1e-320, f64::INFINITY, f64::NAN];
    for (i, &a) in ascending.iter().enumerate() {
        for (j, &b) in ascending.iter().enumerate() {
            assert_eq!(compare(a, b), i.cmp(&j) as i64, "{a} and {b}");
        }
    }
    assert_eq!(compare(0.0, -0.0), 0);
    assert_eq!(compare(f64::NAN, -f64::NAN), 0);
}

#[test]
fn only_what_fits_becomes_an_int() {
    let bad = Err(PanicKind::FloatOutOfRange);
    let rows = [
        (2.9, Ok(2)),
        (-2.9, Ok(-2)),
        (-9223372036854775808.0, Ok(i64::MIN)),
        (9223372036854774784.0, Ok(9223372036854774784)),
        (9223372036854775808.0, bad),
        (-9223372036854777856.0, bad),
        (f64::NAN, bad),
        (f64::INFINITY, bad),
        (-0.0, Ok(0)),
    ];
    for (a, expect) in rows {
        assert_eq!(to_int(a), expect, "{a}");
    }
}

#[test]
fn equal_floats_hash_alike() {
    assert_eq!(hash(-0.0), hash(0.0));
    assert_eq!(hash(f64::NAN), hash(-f64::NAN));
    assert_eq!(hash(1.0), 0x3ff0_0000_0000_0000);
}
