use super::*;

fn stamp(plan: u64, linker: u64) -> Stamp {
    Stamp::new(Fp(plan, 1), Fp(linker, 2))
}

fn kept(form: Form, stamp: Stamp) -> Kept {
    Kept::new(form, stamp, Address::of(b"image"), Some(Address::of(b"sidecar")))
}

#[test]
fn the_longest_unused_artifact_is_forgotten_first() {
    let mut outputs = Outputs::default();
    for plan in 0..REMEMBERED as u64 {
        outputs.used(kept(Form::Executable, stamp(plan, 0)));
    }
    outputs.used(kept(Form::Executable, stamp(0, 0)));
    outputs.used(kept(Form::Executable, stamp(99, 0)));
    let known = |plan| outputs.kept(Form::Executable, stamp(plan, 0)).is_some();
    assert_eq!((known(0), known(1), known(2), known(99)), (true, false, true, true));
    assert_eq!(outputs.kept.len(), REMEMBERED);
}

#[test]
fn another_linker_and_another_form_believe_nothing() {
    let mut outputs = Outputs::default();
    outputs.used(kept(Form::Executable, stamp(1, 1)));
    assert!(outputs.kept(Form::Executable, stamp(1, 2)).is_none());
    assert!(outputs.kept(Form::Object, stamp(1, 1)).is_none());
    let plan = queries::Plan {
        entry: None,
        start: queries::PartPlan { functions: Vec::new(), items: Vec::new() },
        reached: 5,
        parts: Vec::new(),
        symbols: true,
    };
    // Any file that is there will do.
    let path = std::env::current_exe().expect("a test has an executable");
    let (seen, other) = (Seen::at(&path), Seen::at(Path::new("/bin/sh")));
    outputs.wrote(path.clone(), Origin::new(stamp(1, 1), &plan), seen, other);
    assert!(outputs.up_to_date(&path, stamp(1, 1)).is_some() && outputs.up_to_date(&path, stamp(1, 2)).is_none());
    assert!(outputs.of(&path, stamp(9, 1), seen, other).is_some() && outputs.of(&path, stamp(9, 2), seen, other).is_none());
    // A sidecar of another image that somebody put there in the meantime.
    assert!(outputs.of(&path, stamp(9, 1), seen, seen).is_none() && outputs.of(&path, stamp(9, 1), other, other).is_none());
    outputs.wrote(path.clone(), Origin::new(stamp(1, 1), &plan), other, seen);
    assert!(outputs.up_to_date(&path, stamp(1, 1)).is_none());
    outputs.forget(Form::Executable, stamp(1, 1));
    assert!(outputs.kept(Form::Executable, stamp(1, 1)).is_none());
}

#[test]
fn what_is_stored_is_read_back_and_nothing_else_is() {
    let mut outputs = Outputs::default();
    outputs.used(kept(Form::Object, stamp(3, 4)));
    let [one, two] = ["one", "two"].map(|name| ItemId::function(Symbol::new("m"), Symbol::new(name)));
    for (test, failed) in [(one, true), (two, true), (two, true), (one, false)] {
        outputs.ended(test, failed);
    }
    let bytes = outputs.to_bytes();
    let mut read = Outputs::from_bytes(Some(&bytes));
    assert!(read.has_failed(two) && !read.has_failed(one));
    read.keep_failed(|_| true);
    assert_eq!(read.kept, outputs.kept);
    assert!(!read.changed && !read.grew);
    for bad in [None, Some(&bytes[..bytes.len() - 1]), Some(&bytes[1..]), Some(&[][..])] {
        assert!(Outputs::from_bytes(bad).kept.is_empty());
    }
}
