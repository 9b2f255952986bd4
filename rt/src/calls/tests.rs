use super::*;

fn empty() -> Str {
    Str::of_static(b"")
}

#[track_caller]
fn check(write: impl FnOnce(&mut Str), expect: &str) {
    let mut out = empty();
    write(&mut out);
    assert_eq!(String::from_utf8_lossy(out.bytes()), expect);
}

#[test]
fn texts_come_out_through_their_address() {
    check(|out| ori_str_of_int(out, i64::MIN), "-9223372036854775808");
    check(|out| ori_str_of_float(out, 1e23), "100000000000000000000000");
    check(|out| ori_str_of_fixed(out, 0.125, 2), "0.12");
    check(|out| ori_str_of_bool(out, 1), "true");
    check(|out| ori_str_of_char(out, 0x1f600), "😀");
    check(|out| ori_str_of_char(out, 0xd800), "\u{fffd}");
    check(|out| ori_char_debug(out, 10), r"'\n'");
    check(|out| unsafe { ori_str_debug(out, &Str::of(b"a\"")) }, r#""a\"""#);
}

#[test]
fn a_text_may_be_appended_to_itself_in_place() {
    let mut text = Str::of(b"0123456789");
    let address = &raw mut text;
    for _ in 0..3 {
        // SAFETY: one value, read before it is written.
        unsafe { ori_str_concat(address, address, address) };
    }
    assert_eq!(text.bytes(), "0123456789".repeat(8).as_bytes());
}

#[test]
fn statuses_number_the_panics_of_the_table() {
    let mut int = 7;
    assert_eq!(ori_int_pow(&mut int, 2, -1), 1);
    assert_eq!(ori_int_pow(&mut int, 2, 63), 2);
    assert_eq!(int, 7);
    assert_eq!((ori_int_pow(&mut int, 2, 5), int), (0, 32));
    assert_eq!(ori_int_of_str(&mut int, &Str::of(b"x")), 1);
    assert_eq!((ori_int_of_str(&mut int, &Str::of(b" -12 ")), int), (0, -12));
    let mut float = 0.0;
    assert_eq!((ori_float_of_str(&mut float, &Str::of(b"1e3")), float), (0, 1000.0));
    assert_eq!(ori_float_of_str(&mut float, &Str::of(b"")), 1);
}

#[test]
fn comparisons_read_both_forms_of_text() {
    let long = Str::of(&[b'x'; 40]);
    assert_eq!(ori_str_equal(&long, &Str::of(&[b'x'; 40])), 1);
    assert_eq!(ori_str_equal(&long, &Str::of(b"x")), 0);
    assert_eq!(ori_str_compare(&Str::of(b"x"), &long), -1);
    assert_eq!(ori_str_hash(&Str::of(b"a")) as u64, 0xaf63dc4c8601ec8c);
    assert_eq!(ori_float_compare(f64::NAN, 1.0), 1);
}

#[test]
fn a_cell_has_its_header_in_front_and_room_for_its_class() {
    let cells: Vec<*mut u8> = (0..100).map(|bytes| ori_allocate(bytes, 0)).collect();
    for (bytes, &cell) in cells.iter().enumerate() {
        let (class, size) = abi::layout::cell_class(bytes);
        // SAFETY: the header stands in front of the parts.
        let header = unsafe { cell.cast::<u64>().sub(1).read() };
        assert_eq!((cell as usize % 8, header), (0, u64::from(class) << 32));
        let end = cell as usize + size;
        assert!(cells.iter().all(|&other| other == cell || other as usize - 8 >= end || (other as usize) < cell as usize), "{bytes}");
    }
}
