//! Poisoned artifacts: bits flipped, cut, emptied, lengthened, exchanged for another valid artifact, noise. Each is a miss, goes from the store, and the output
//! is that of a clean build. A sidecar that is gone costs a patch, later.

use query::store::cas::Address;

use super::stage::{Form, Stage, judge};
use super::{Found, Negative};
use crate::random::Random;

/// What is done to an artifact.
const DAMAGES: [&str; 8] = ["a flipped bit", "flipped bits", "cut", "emptied", "lengthened", "exchanged", "noise", "deleted"];

fn damage(kind: &str, bytes: &[u8], other: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    let bits = match kind {
        "a flipped bit" => 1,
        "flipped bits" => 9,
        "cut" => {
            bytes.truncate(random.below(bytes.len()));
            return Some(bytes);
        }
        "emptied" => return Some(Vec::new()),
        "lengthened" => {
            bytes.push(0);
            return Some(bytes);
        }
        "exchanged" => return Some(other.to_vec()),
        "noise" => return Some(bytes.iter().map(|_| random.next() as u8).collect()),
        _ => return None,
    };
    for _ in 0..bits {
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
    }
    Some(bytes)
}

/// The check.
pub fn check() -> Result<Found, String> {
    let mut found = Found::default();
    let mut random = Random::new(0xca5);
    let mut stage = Stage::new("poison")?;
    let clean = stage.clean(Form::Executable)?;
    let object = stage.clean(Form::Object)?;
    let other = stage.scene.beside("other");
    // A second program, whose artifacts are as valid as those of the first.
    stage.become_state(5)?;
    let edited = stage.clean(Form::Executable)?;
    stage.build()?;
    let strange = edited.clone();
    stage.become_state(3)?;
    stage.build_to(&stage.scene.program, Form::Executable, &["--clean-link"])?;
    stage.build_to(&other, Form::Object, &[])?;
    let sound: Vec<(Address, Vec<u8>)> = stage
        .addresses()
        .into_iter()
        .map(|address| Ok((address, std::fs::read(stage.path(address)).map_err(|e| e.to_string())?)))
        .collect::<Result<_, String>>()?;
    let mut count = 0;
    for (address, bytes) in &sound {
        let is_wanted = [&clean, &object].iter().any(|wanted| Address::of(wanted) == *address);
        for kind in DAMAGES {
            let exchanged =
                sound.iter().find(|(other, _)| other != address && *other != Address::of(&strange)).map_or(&strange, |(_, bytes)| bytes);
            let what = format!("{kind}, artifact of {} bytes", bytes.len());
            let path = stage.path(*address);
            match damage(kind, bytes, exchanged, &mut random) {
                Some(damaged) => std::fs::write(&path, damaged).map_err(|error| error.to_string())?,
                None => drop(std::fs::remove_file(&path)),
            }
            stage.lose_program();
            let _ = std::fs::remove_file(&other);
            let ways = |wanted: &[u8]| if Address::of(wanted) == *address { ["linked"] } else { ["restored"] };
            found.wrong.extend(judge(&what, &stage.build()?, &ways(&clean), &clean, 0));
            found.wrong.extend(judge(&what, &stage.build_to(&other, Form::Object, &[])?, &ways(&object), &object, 0));
            // What nobody wanted is found when somebody looks.
            if !is_wanted {
                stage.cas().verify().map_err(|error| error.to_string())?;
            }
            found.wrong.extend(still_bad(&stage, &what));
            if count % 5 == 0 {
                stage.become_state(5)?;
                found.wrong.extend(judge(
                    &format!("an edit after {what}"),
                    &stage.build()?,
                    &["patched", "linked", "restored"],
                    &edited,
                    0,
                ));
                stage.become_state(3)?;
                found.wrong.extend(judge(
                    &format!("its undo after {what}"),
                    &stage.build()?,
                    &["patched", "linked", "restored"],
                    &clean,
                    0,
                ));
            }
            count += 1;
            for (address, bytes) in &sound {
                if stage.cas().len(*address).is_none() {
                    stage.cas().put(bytes).map_err(|error| error.to_string())?;
                }
            }
        }
    }
    found.did("artifacts poisoned", count);
    Ok(found)
}

/// Artifacts that are not their names.
fn still_bad(stage: &Stage, what: &str) -> Vec<String> {
    let bad = |address: &Address| std::fs::read(stage.path(*address)).is_ok_and(|bytes| Address::of(&bytes) != *address);
    stage.addresses().iter().filter(|address| bad(address)).map(|_| format!("{what}: a poisoned artifact is still there")).collect()
}

/// A reader that believes the name of a file.
pub fn negatives() -> Vec<Negative> {
    let believing = |length: bool| -> Result<Vec<String>, String> {
        let stage = Stage::new("poison-negative")?;
        let clean = stage.clean(Form::Executable)?;
        stage.build()?;
        let path = stage.path(Address::of(&clean));
        let mut poisoned = std::fs::read(&path).map_err(|error| error.to_string())?;
        if length {
            poisoned.truncate(100);
        } else {
            poisoned[5000] ^= 4;
        }
        std::fs::write(&path, &poisoned).map_err(|error| error.to_string())?;
        // What a driver without verification would do.
        let mut built = stage.build()?;
        built.bytes = std::fs::read(&path).map_err(|error| error.to_string())?;
        let mut said = judge("a believed artifact", &built, &["up to date"], &clean, 0);
        said.extend(still_bad(&stage, "a believed artifact"));
        Ok(said)
    };
    vec![
        Negative { what: "a reader that does not hash", words: "the output differs from a clean build", said: believing(false) },
        Negative { what: "a reader that takes a cut file", words: "the output differs from a clean build", said: believing(true) },
        Negative { what: "a poisoned artifact that stays", words: "is still there", said: believing(false) },
    ]
}
