use super::*;

#[track_caller]
fn check(write: impl FnOnce(&mut StableHasher), expect: &str) {
    let mut hasher = StableHasher::new();
    write(&mut hasher);
    assert_eq!(format!("{:?}", hasher.finish128()), expect);
}

#[test]
fn a_fingerprint_never_changes_between_versions() {
    // Stored fingerprints outlive a compiler: these digits may only change together with the format number of the store.
    check(|_| {}, "9ecd8740d12d89f04013a1363c0189d7");
    check(|h| h.write(b"ori"), "9ff14d6a7c6ade41d241f0d1993049ff");
    check(|h| ("body", 7u32, Some(1usize)).hash(h), "25d484c902e67558140ef974ef69e813");
}

#[test]
fn machine_words_are_sixty_four_bits() {
    let mut narrow = StableHasher::new();
    narrow.write_u64(5);
    let mut word = StableHasher::new();
    word.write_usize(5);
    assert_eq!(narrow.finish128(), word.finish128());
}

#[test]
fn bytes_round_trip() {
    let fp = Fp::of("x");
    assert_eq!(Fp::from_bytes(fp.to_bytes()), fp);
    assert_eq!(Fp(1, 2).to_bytes()[..9], [1, 0, 0, 0, 0, 0, 0, 0, 2]);
    assert_eq!(format!("{:?}", Fp(1, 0xab)), "000000000000000100000000000000ab");
}

#[test]
fn order_matters_when_fingerprints_are_joined() {
    let (a, b) = (Fp::of("a"), Fp::of("b"));
    assert_ne!(a.then(b), b.then(a));
}
