use super::{HIGH, chunk, decimal, ends_digits, ends_word};

/// How many of the first eight bytes come before the first whose bit is set.
fn length(ends: u64) -> usize {
    if ends == 0 { 8 } else { ends.trailing_zeros() as usize / 8 }
}

#[test]
fn words_and_digits_end_where_a_byte_by_byte_look_says() {
    // Every byte behind every byte behind nothing, a letter or a digit: sums that left their byte would show in the next.
    for first in 0..=255u8 {
        for second in 0..=255u8 {
            let bytes = [b'a', first, second, b'9', 0xff, b'_', b'Z', b'z'];
            let word = bytes.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
            assert_eq!(length(ends_word(u64::from_le_bytes(bytes))), word, "{bytes:?}");
            let bytes = [b'0', first, second, b'9', 0xff, b'_', b'Z', b'z'];
            let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
            assert_eq!(length(ends_digits(u64::from_le_bytes(bytes))), digits, "{bytes:?}");
        }
    }
    assert_eq!((ends_word(u64::from_le_bytes(*b"aZ_09zA5")), ends_word(0)), (0, HIGH));
}

#[test]
fn digits_have_the_value_they_are_read_as() {
    for value in [0u64, 1, 9, 10, 99, 100, 12_345, 70_001, 1_000_003, 9_999_999] {
        let text = format!("{value}+xxxxxxxx");
        assert_eq!(decimal(chunk(text.as_bytes(), 0), value.to_string().len() as u32), value);
    }
}

#[test]
fn behind_the_end_of_the_text_there_are_zeros() {
    assert_eq!(chunk(b"abcdefghi", 1), u64::from_le_bytes(*b"bcdefghi"));
    assert_eq!(chunk(b"abcdefghi", 7), u64::from_le_bytes(*b"hi\0\0\0\0\0\0"));
    assert_eq!((chunk(b"ab", 2), chunk(b"ab", 9)), (0, 0));
}
