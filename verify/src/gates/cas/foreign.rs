//! Ways out of the store: text that is no address is refused, links are not followed, strangers are neither read nor removed.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use query::store::cas::Address;

use super::stage::{Form, Stage, judge};
use super::{Found, Negative};

/// Texts that must not be addresses.
fn bad_addresses() -> Vec<String> {
    let good = Address::of(b"x").to_string();
    let tail = &good[..58];
    vec![
        String::new(),
        "..".to_owned(),
        format!("../{}", &good[3..]),
        format!("../../{tail}"),
        format!("/{}", &good[1..]),
        format!("./{}", &good[2..]),
        format!("{}\0", &good[1..]),
        format!("{}/", &good[1..]),
        good.to_uppercase(),
        good[1..].to_owned(),
        format!("{good}0"),
        format!("{good}/../../x"),
        format!(" {}", &good[1..]),
        format!("0x{}", &good[2..]),
        format!("é{}", &good[2..]),
    ]
}

/// Those that a reader takes for addresses.
fn accepted(read: impl Fn(&str) -> bool) -> Vec<String> {
    bad_addresses().iter().filter(|text| read(text)).map(|text| format!("`{text}` is taken for an address")).collect()
}

/// A folder that is not the store's, and what is in it.
struct Outside {
    folder: PathBuf,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Outside {
    fn new(folder: PathBuf) -> Result<Outside, String> {
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        Ok(Outside { folder, files: Vec::new() })
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> Result<PathBuf, String> {
        let path = self.folder.join(name);
        std::fs::write(&path, bytes).map_err(|error| error.to_string())?;
        self.files.push((path.clone(), bytes.to_vec()));
        Ok(path)
    }

    /// Files that are not as they were, and files that were not there.
    fn touched(&self) -> Vec<String> {
        let changed = self.files.iter().filter(|(path, bytes)| std::fs::read(path).ok().as_ref() != Some(bytes));
        let mut wrong: Vec<String> = changed.map(|(path, _)| format!("a foreign file was touched: {}", name(path))).collect();
        let there = crate::gates::query::faults::files(&self.folder);
        let new = there.iter().filter(|path| !self.files.iter().any(|(known, _)| known == *path));
        wrong.extend(new.map(|path| format!("a file was written outside of the store: {}", name(path))));
        wrong
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Puts links out of the store where its executable and its folders are.
fn lead_out(stage: &Stage, outside: &mut Outside, clean: &[u8], folders: bool) -> Result<(), String> {
    let problem = |error: std::io::Error| error.to_string();
    if folders {
        for address in stage.addresses() {
            let folder = stage.path(address).parent().map(Path::to_owned).unwrap_or_default();
            let bytes = std::fs::read(stage.path(address)).map_err(problem)?;
            outside.file(&address.to_string()[2..], &bytes)?;
            std::fs::remove_dir_all(&folder).map_err(problem)?;
            symlink(&outside.folder, &folder).map_err(problem)?;
        }
        return Ok(());
    }
    // The right bytes, but not the store's.
    let target = outside.file("right", clean)?;
    let path = stage.path(Address::of(clean));
    std::fs::remove_file(&path).map_err(problem)?;
    symlink(&target, &path).map_err(problem)?;
    // Strangers that look like artifacts at a glance.
    let name = Address::of(b"nobody").to_string();
    let folder = stage.folder().join(&name[..2]);
    std::fs::create_dir_all(&folder).map_err(problem)?;
    symlink(outside.file("secret", b"a secret")?, folder.join(&name[2..])).map_err(problem)
}

/// The check.
pub fn check() -> Result<Found, String> {
    let mut found = Found { wrong: accepted(|text| text.parse::<Address>().is_ok()), ..Found::default() };
    found.did("texts that are no addresses", bad_addresses().len());
    for folders in [false, true] {
        let mut stage = Stage::new("foreign")?;
        let clean = stage.clean(Form::Executable)?;
        stage.build()?;
        let strangers = [("README", 5), ("AB", 7), ("tmp-young", 9)];
        let mut outside = Outside::new(stage.scene.beside("outside"))?;
        lead_out(&stage, &mut outside, &clean, folders)?;
        for (name, length) in strangers {
            std::fs::write(stage.folder().join(name), vec![1; length]).map_err(|error| error.to_string())?;
        }
        stage.lose_program();
        let what = if folders { "links in the place of folders" } else { "links in the place of artifacts" };
        found.wrong.extend(judge(what, &stage.build()?, &["linked"], &clean, 0));
        for verb in [&["cache", "verify", "."][..], &["cache", "stat", "."], &["cache", "gc", ".", "--budget", "0"]] {
            let ending = stage.oric(verb)?;
            if ending.status != Some(0) {
                found.wrong.push(format!("{what}: oric {}: {}", verb.join(" "), ending.line()));
            }
        }
        stage.become_state(5)?;
        let edited = stage.clean(Form::Executable)?;
        found.wrong.extend(judge(&format!("{what}, an edit"), &stage.build()?, &["linked", "patched"], &edited, 0));
        let gone = strangers.iter().filter(|(name, length)| std::fs::read(stage.folder().join(name)).map_or(0, |b| b.len()) != *length);
        found.wrong.extend(gone.map(|(name, _)| format!("{what}: the stranger {name} in the folder of the store was touched")));
        found.wrong.extend(outside.touched().into_iter().map(|wrong| format!("{what}: {wrong}")));
        found.did(what, 1);
    }
    Ok(found)
}

/// Readers and writers that go where a name leads.
pub fn negatives() -> Vec<Negative> {
    let naive = |spoil: fn(&Path, &Path) -> std::io::Result<()>| -> Result<Vec<String>, String> {
        let stage = Stage::new("foreign-negative")?;
        let mut outside = Outside::new(stage.scene.beside("outside"))?;
        outside.file("secret", b"a secret")?;
        let store = stage.folder();
        std::fs::create_dir_all(&store).map_err(|error| error.to_string())?;
        spoil(&store, &outside.folder).map_err(|error| error.to_string())?;
        Ok(outside.touched())
    };
    vec![
        Negative {
            what: "a reader that takes any text of 64 bytes",
            words: "is taken for an address",
            said: Ok(accepted(|text| text.len() == 64)),
        },
        Negative {
            what: "a collection that follows a link",
            words: "a foreign file was touched: secret",
            said: naive(|store, outside| {
                symlink(outside, store.join("ab"))?;
                std::fs::remove_file(store.join("ab/secret"))
            }),
        },
        Negative {
            what: "a writer that joins what it is told",
            words: "written outside of the store: victim",
            said: naive(|store, outside| {
                symlink(outside, store.join("cd"))?;
                std::fs::write(store.join("cd/victim"), "x")
            }),
        },
    ]
}
