extern crate std;
use std::format;
use std::string::String;
use std::vec::Vec;

use super::*;

fn text_of(write: impl FnOnce(Sink)) -> String {
    let mut bytes = Vec::new();
    write(&mut |piece| bytes.extend_from_slice(piece));
    String::from_utf8(bytes).unwrap()
}

#[test]
fn texts_are_mapped_as_the_standard_library_does() {
    for text in [
        "",
        "aß",
        "ŉ ǰ ΐ",
        "İstanbul",
        "ΑΣ ΟΔΥΣΣΕΥΣ Σ",
        "ΑΣ' ΑΣ'Β Α.Σ",
        "ﬁ ﬀ ǅ ᾳ",
        "plain ascii only, but longer than one block of sixty-four bytes, really",
    ] {
        assert_eq!(text_of(|out| upper(text.as_bytes(), out)), text.to_uppercase());
        assert_eq!(text_of(|out| lower(text.as_bytes(), out)), text.to_lowercase());
    }
}

/// What stands around a sigma decides by two properties; the standard library knows them too.
#[test]
fn every_character_beside_a_sigma_counts_as_the_standard_library_says() {
    for value in char::MIN..=char::MAX {
        for text in [format!("AΣ{value}"), format!("AΣ{value}B"), format!("A{value}Σ")] {
            assert_eq!(text_of(|out| lower(text.as_bytes(), out)), text.to_lowercase(), "{value:?}");
        }
    }
}

#[test]
fn digits_are_rows_of_ten() {
    for &zero in tables::ZEROS {
        for code in zero..zero + 10 {
            assert!(char::from_u32(code).is_some_and(|value| is_digit(value) && value.is_numeric()), "{code:x}");
        }
    }
    for value in ['0', '9', '٣', '५', '𝟘', '𝟿'] {
        assert!(is_digit(value), "{value}");
    }
    for value in ['a', '/', ':', '²', '½', 'Ⅷ', '①', '一'] {
        assert!(!is_digit(value), "{value}");
    }
}
