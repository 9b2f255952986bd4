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
    check(|h| ("body", 7u32, Some(1usize)).hash(h), "72fb4ececea19d07817f6b9473de8e83");
}

#[test]
fn lengths_of_every_size_differ() {
    let of = |n: usize| {
        let mut hasher = StableHasher::new();
        hasher.write_usize(n);
        hasher.finish128()
    };
    let sizes = [0, 1, 254, 255, 256, 1 << 20, usize::MAX];
    for (i, a) in sizes.iter().enumerate() {
        assert!(sizes[i + 1..].iter().all(|b| of(*a) != of(*b)), "{a}");
    }
}

#[test]
fn it_does_not_matter_in_which_pieces_bytes_come() {
    let bytes: Vec<u8> = (0..2000_u32).map(|i| (i * 7) as u8).collect();
    for piece in [1, 3, 16, 255, 256, 257, 2000] {
        let mut hasher = StableHasher::new();
        bytes.chunks(piece).for_each(|bytes| hasher.write(bytes));
        assert_eq!(hasher.finish128(), Fp::of_bytes(&bytes), "{piece}");
    }
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
