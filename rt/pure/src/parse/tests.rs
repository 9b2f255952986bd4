use super::*;

#[test]
fn ints_are_trimmed_signed_and_in_range() {
    let bad = Err(PanicKind::CannotParseInt);
    let rows: &[(&str, Result<i64, PanicKind>)] = &[
        ("42", Ok(42)),
        (" \u{a0}-7\n", Ok(-7)),
        ("+5", Ok(5)),
        ("007", Ok(7)),
        ("9223372036854775807", Ok(i64::MAX)),
        ("-9223372036854775808", Ok(i64::MIN)),
        ("9223372036854775808", bad),
        ("-9223372036854775809", bad),
        ("99999999999999999999999", bad),
        ("", bad),
        ("-", bad),
        ("+", bad),
        ("--1", bad),
        ("1_000", bad),
        ("1 2", bad),
        ("0x10", bad),
        ("1.0", bad),
        ("٣", bad),
    ];
    for (text, expect) in rows {
        assert_eq!(int(text.as_bytes()), *expect, "{text:?}");
    }
    assert_eq!(int(b"1\xff"), bad);
}

#[test]
fn floats_are_decimal_or_scientific() {
    let rows: &[(&str, Option<f64>)] = &[
        ("2.5", Some(2.5)),
        (" -3 ", Some(-3.0)),
        ("+1e3", Some(1000.0)),
        ("1E-2", Some(0.01)),
        ("iNf", Some(f64::INFINITY)),
        ("-INF", Some(f64::NEG_INFINITY)),
        ("1e999", Some(f64::INFINITY)),
        ("5e-324", Some(5e-324)),
        ("infinity", None),
        ("-nan", None),
        ("+inf", None),
        ("", None),
        (".", None),
        ("e5", None),
        ("1e", None),
        ("1_0", None),
        ("0x1p3", None),
        ("1,5", None),
    ];
    for (text, expect) in rows {
        assert_eq!(float(text.as_bytes()).ok().map(f64::to_bits), expect.map(f64::to_bits), "{text:?}");
    }
    assert!(float(b"NaN").is_ok_and(f64::is_nan));
}
