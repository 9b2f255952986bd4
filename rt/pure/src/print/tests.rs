extern crate std;
use std::string::String;
use std::vec::Vec;

use super::*;

#[track_caller]
fn check(write: impl FnOnce(Sink), expect: &str) {
    let mut text = Vec::new();
    write(&mut |piece| text.extend_from_slice(piece));
    assert_eq!(String::from_utf8(text).expect("text forms are UTF-8"), expect);
}

#[test]
fn ints_print_in_decimal() {
    for (value, expect) in [(0, "0"), (-1, "-1"), (10, "10"), (i64::MAX, "9223372036854775807"), (i64::MIN, "-9223372036854775808")] {
        check(|out| int_to(value, out), expect);
    }
}

#[test]
fn floats_print_the_shortest_digits_without_exponent() {
    let rows = [
        (2.5, "2.5"),
        (3.0, "3"),
        (-0.0, "-0"),
        (0.0, "0"),
        (1e23, "100000000000000000000000"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-7, "0.0000001"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "NaN"),
        (-f64::NAN, "NaN"),
        (9007199254740993.0, "9007199254740992"),
    ];
    for (value, expect) in rows {
        check(|out| float(value, out), expect);
    }
    let mut tiny = Vec::new();
    float(5e-324, &mut |piece| tiny.extend_from_slice(piece));
    assert!(tiny.len() == 326 && tiny.ends_with(b"05"), "5e-324 has 324 decimals");
}

#[test]
fn shortest_digits_read_back_equal() {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    for _ in 0..20_000 {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let value = f64::from_bits(state);
        if value.is_finite() {
            let mut text = Vec::new();
            float(value, &mut |piece| text.extend_from_slice(piece));
            let text = String::from_utf8(text).expect("UTF-8");
            assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()), "{text}");
        }
    }
}

#[test]
fn fixed_decimals_round_half_to_even_on_the_exact_value() {
    let rows = [
        (0.5, 0, "0"),
        (1.5, 0, "2"),
        (2.5, 0, "2"),
        (3.5, 0, "4"),
        (0.125, 2, "0.12"),
        (0.375, 2, "0.38"),
        (1.005, 2, "1.00"),
        (2.675, 2, "2.67"),
        (-0.001, 2, "-0.00"),
        (-0.0, 1, "-0.0"),
        (9.995, 2, "9.99"),
        (0.05, 1, "0.1"),
        (0.25, 1, "0.2"),
        (0.75, 1, "0.8"),
        (9.5, 0, "10"),
        (-0.16907495402506745, 9, "-0.169074954"),
        (1e22, 3, "10000000000000000000000.000"),
        (f64::INFINITY, 3, "inf"),
        (f64::NAN, 3, "NaN"),
        (1.25, -4, "1"),
    ];
    for (value, decimals, expect) in rows {
        check(|out| fixed(value, decimals, out), expect);
    }
}

#[test]
fn decimals_beyond_the_exact_value_are_zeros() {
    let mut text = Vec::new();
    fixed(0.5, 70_000, &mut |piece| text.extend_from_slice(piece));
    assert_eq!(text.len(), 70_002);
    assert!(text.starts_with(b"0.5") && text[3..].iter().all(|&digit| digit == b'0'));
    check(|out| fixed(f64::INFINITY, 2000, out), "inf");
}

#[test]
fn debug_forms_escape_what_does_not_print() {
    check(
        |out| str_debug("a\"b'c\\\n\t\r\0\u{1}\u{1f}\u{7f}\u{85}\u{a0}é€😀".as_bytes(), out),
        r#""a\"b'c\\\n\t\r\0\u{1}\u{1f}\u{7f}\u{85} é€😀""#.replace(' ', "\u{a0}").as_str(),
    );
    check(|out| str_debug(b"", out), r#""""#);
    for (value, expect) in
        [('a', "'a'"), ('\'', r"'\''"), ('"', "'\"'"), ('\n', r"'\n'"), ('\u{9f}', r"'\u{9f}'"), ('é', "'é'"), ('\u{2028}', "'\u{2028}'")]
    {
        check(|out| char_debug(value, out), expect);
    }
}

#[test]
fn debug_agrees_with_a_plain_loop_over_all_characters() {
    for code in (0..0x3000).chain(0x1f600..0x1f610) {
        let Some(value) = char::from_u32(code) else { continue };
        let expect = match value {
            '\n' => String::from("'\\n'"),
            '\t' => String::from("'\\t'"),
            '\r' => String::from("'\\r'"),
            '\0' => String::from("'\\0'"),
            '\\' => String::from("'\\\\'"),
            '\'' => String::from("'\\''"),
            control if control.is_control() => std::format!("'\\u{{{:x}}}'", code),
            other => std::format!("'{other}'"),
        };
        check(|out| char_debug(value, out), &expect);
    }
}
