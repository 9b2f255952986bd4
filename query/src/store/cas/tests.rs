use super::*;
use crate::store::tests::Temporary;

/// A store in a folder of its own.
fn store() -> (Temporary, Cas) {
    let folder = Temporary::new();
    let cas = Cas::open(&folder.0);
    (folder, cas)
}

fn put(cas: &Cas, bytes: &[u8]) -> Address {
    cas.put(bytes).expect("the temporary folder is writable")
}

/// Makes an artifact look as if it had been used so many hours ago.
fn age(cas: &Cas, address: Address, hours: u64) {
    let file = File::open(cas.path(address)).expect("it was put");
    let time = SystemTime::now() - Duration::from_secs(hours * 3600);
    file.set_times(FileTimes::new().set_modified(time)).expect("the file is ours");
}

#[test]
fn an_address_is_the_official_hash() {
    // First of the official vectors of BLAKE3: the empty input.
    let empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
    assert_eq!(Address::of(b"").to_string(), empty);
    assert_eq!(empty.parse(), Ok(Address::of(b"")));
    assert_eq!(Address::from_bytes(Address::of(b"x").to_bytes()), Address::of(b"x"));
}

#[test]
fn what_is_put_is_got_from_any_process() {
    let (folder, cas) = store();
    assert_eq!(cas.stat().ok(), Some(CasStat::default()));
    for bytes in [&b""[..], b"one", &[7; 100_000]] {
        let address = put(&cas, bytes);
        assert_eq!(put(&cas, bytes), address);
        assert_eq!(Cas::open(&folder.0).get(address).as_deref(), Some(bytes));
        assert_eq!(cas.len(address), Some(bytes.len() as u64));
    }
    assert_eq!(cas.stat().ok(), Some(CasStat { files: 3, bytes: 100_003 }));
    assert_eq!(cas.get(Address::of(b"never put")), None);
    assert_eq!(std::fs::read_to_string(folder.0.join(".gitignore")).ok().as_deref(), Some("*\n"));
}

#[test]
fn text_that_is_no_address_is_refused() {
    let good = Address::of(b"x").to_string();
    let cut = &good[1..];
    for bad in
        ["", "..", "../../../etc/passwd", cut, &format!("{good}0"), &format!("/{cut}"), &good.to_uppercase(), &format!("ä{}", &good[2..])]
    {
        assert_eq!(bad.parse::<Address>(), Err(NotAnAddress), "{bad}");
    }
}

#[test]
fn a_flipped_bit_or_a_cut_file_is_a_miss_and_goes() {
    let (_folder, cas) = store();
    let bytes = b"machine code".to_vec();
    for bit in 0..bytes.len() * 8 {
        let address = put(&cas, &bytes);
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(cas.path(address), &flipped).expect("the folder is ours");
        assert_eq!(cas.get(address), None);
        assert_eq!(cas.len(address), None, "the bad file is gone");
    }
    let address = put(&cas, &bytes);
    std::fs::write(cas.path(address), b"machine").expect("the folder is ours");
    assert_eq!(put(&cas, &bytes), address, "a file of another length is replaced");
    assert_eq!(cas.get(address), Some(bytes));
}

#[test]
fn verifying_removes_what_is_bad_and_nothing_else() {
    let (folder, cas) = store();
    let addresses: Vec<Address> = (0..20u8).map(|n| put(&cas, &[n; 50])).collect();
    let mut broken = vec![addresses[3], addresses[11]];
    for &address in &broken {
        std::fs::write(cas.path(address), [99; 50]).expect("the folder is ours");
    }
    std::fs::write(folder.0.join("README"), "a stranger").expect("the folder is ours");
    broken.sort();
    assert_eq!(cas.verify().ok(), Some(broken));
    assert_eq!(cas.verify().ok(), Some(vec![]));
    assert_eq!(cas.stat().ok(), Some(CasStat { files: 18, bytes: 900 }));
    assert!(folder.0.join("README").exists());
}

#[test]
fn collection_keeps_the_budget_and_what_was_used_last() {
    let (folder, cas) = store();
    let addresses: Vec<Address> = (0..10u8).map(|n| put(&cas, &[n; 100])).collect();
    for (hours, &address) in addresses.iter().enumerate() {
        age(&cas, address, 20 + hours as u64);
    }
    // The oldest is used again.
    assert!(cas.get(addresses[9]).is_some());
    let collected = cas.gc(350).expect("the folder is readable");
    assert_eq!(collected.removed, CasStat { files: 7, bytes: 700 });
    assert_eq!(collected.kept, CasStat { files: 3, bytes: 300 });
    for kept in [0, 1, 9] {
        assert!(cas.get(addresses[kept]).is_some(), "{kept}");
    }
    assert_eq!(cas.gc(DEFAULT_BUDGET).map(|collected| collected.removed).ok(), Some(CasStat::default()));
    // A temporary file whose writer is long dead goes, a young one stays.
    for (name, hours) in [("tmp-old", 48), ("tmp-young", 1)] {
        std::fs::write(folder.0.join(name), "half").expect("the folder is ours");
        let time = SystemTime::now() - Duration::from_secs(hours * 3600);
        let file = File::open(folder.0.join(name)).expect("it was written");
        file.set_times(FileTimes::new().set_modified(time)).expect("the file is ours");
    }
    assert!(cas.gc(0).is_ok());
    assert_eq!(cas.stat().ok(), Some(CasStat::default()));
    assert_eq!((folder.0.join("tmp-old").exists(), folder.0.join("tmp-young").exists()), (false, true));
}

#[test]
fn of_equal_age_the_lower_address_goes_first() {
    let (_folder, cas) = store();
    let time = SystemTime::now() - Duration::from_secs(100_000);
    let mut addresses: Vec<Address> = (0..10u8).map(|n| put(&cas, &[n; 10])).collect();
    for &address in &addresses {
        let file = File::open(cas.path(address)).expect("it was put");
        file.set_times(FileTimes::new().set_modified(time)).expect("the file is ours");
    }
    addresses.sort();
    assert_eq!(cas.gc(45).map(|collected| collected.kept.files).ok(), Some(4));
    let left: Vec<bool> = addresses.iter().map(|&address| cas.len(address).is_some()).collect();
    assert_eq!(left, [[false; 6].as_slice(), &[true; 4]].concat());
}

#[test]
fn writers_of_the_same_content_do_not_disturb_each_other() {
    let (_folder, cas) = store();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..50u8 {
                    let address = put(&cas, &[n; 3000]);
                    assert_eq!(cas.get(address), Some(vec![n; 3000]));
                }
            });
        }
    });
    assert_eq!(cas.stat().map(|stat| stat.files).ok(), Some(50));
}

#[test]
fn links_are_not_followed() {
    use std::os::unix::fs::symlink;
    let (_folder, cas) = store();
    let elsewhere = Temporary::new();
    std::fs::create_dir_all(&elsewhere.0).expect("a folder of ours");
    let foreign = |bytes: &[u8], name: &str| {
        let path = elsewhere.0.join(name);
        std::fs::write(&path, bytes).expect("a file of ours");
        path
    };
    // In the place of a file: even the right bytes are not read through it, and it gives way.
    let address = put(&cas, b"content");
    let target = foreign(b"content", "right");
    std::fs::remove_file(cas.path(address)).expect("removed");
    symlink(&target, cas.path(address)).expect("linked");
    assert_eq!((cas.len(address), cas.get(address)), (None, None));
    assert!(std::fs::symlink_metadata(cas.path(address)).is_err(), "the link is gone");
    symlink(&target, cas.path(address)).expect("linked");
    assert_eq!(put(&cas, b"content"), address);
    assert_eq!(cas.get(address).as_deref(), Some(&b"content"[..]));
    assert_eq!(std::fs::read(&target).ok().as_deref(), Some(&b"content"[..]));
    // In the place of a folder: nothing behind it is touched.
    let name = address.to_string();
    std::fs::remove_dir_all(cas.folder(address)).expect("removed");
    let behind = foreign(b"not the content", &name[2..]);
    symlink(&elsewhere.0, cas.folder(address)).expect("linked");
    assert_eq!((cas.len(address), cas.get(address)), (None, None));
    assert!(cas.put(b"content").is_err());
    assert_eq!(cas.verify().ok(), Some(vec![]));
    assert_eq!(cas.gc(0).map(|collected| collected.removed.files).ok(), Some(0));
    assert_eq!(std::fs::read(behind).ok().as_deref(), Some(&b"not the content"[..]));
}
