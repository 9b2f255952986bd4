//! A build opens nothing outside its package and its store. The system itself tells: folders where other tools look for settings and caches are watched, each
//! with files that would be worth reading, and whatever is opened there is named.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::inotify;

use super::stage::{Form, Stage, judge, observe, run};
use super::{Found, Negative};

/// Folders of a user, in which a compiler could find something.
const PLACES: [&str; 8] = ["", ".config", ".config/oric", ".cache", ".cache/oric", ".ori", "tmp", "bin"];

/// Watched folders.
struct Watch {
    fd: OwnedFd,
    /// What may be opened in them.
    allowed: Vec<String>,
}

impl Watch {
    fn of(folders: &[PathBuf], allowed: &[&str]) -> Result<Watch, String> {
        let fd = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC).map_err(|error| error.to_string())?;
        for folder in folders {
            let events =
                inotify::WatchFlags::OPEN | inotify::WatchFlags::ACCESS | inotify::WatchFlags::CREATE | inotify::WatchFlags::MODIFY;
            inotify::add_watch(&fd, folder, events).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        Ok(Watch { fd, allowed: allowed.iter().map(|name| (*name).to_owned()).collect() })
    }

    /// Names of what was opened since.
    fn opened(&self) -> Vec<String> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.fd, &mut buffer);
        let mut names = Vec::new();
        while let Ok(event) = reader.next() {
            let name = event.file_name().map_or_else(|| "the folder itself".to_owned(), |name| name.to_string_lossy().into_owned());
            if !self.allowed.iter().any(|allowed| name == *allowed || name.starts_with(&format!(".{allowed}."))) {
                names.push(name);
            }
        }
        names.sort();
        names.dedup();
        names
    }
}

/// A home with settings and caches that are none of a build's business.
fn home(stage: &Stage) -> Result<(PathBuf, Vec<PathBuf>), String> {
    let home = stage.scene.beside("home");
    let folders: Vec<PathBuf> = PLACES.iter().map(|place| home.join(place)).collect();
    for folder in &folders {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        for name in ["ori.toml", "oric.toml", "config.toml", "main.ori", "settings"] {
            std::fs::write(folder.join(name), "[project]\nname = \"elsewhere\"\n").map_err(|error| error.to_string())?;
        }
    }
    Ok((home, folders))
}

/// Builds with a home that is watched; what was opened there or beside the package.
fn build(stage: &Stage, number: &str, cache_in_home: bool, args: &[&str]) -> Result<(Vec<String>, super::stage::Observed), String> {
    let (home, mut folders) = home(stage)?;
    let parent = stage.scene.package.parent().map(Path::to_owned).ok_or("the package has no parent")?;
    std::fs::write(parent.join("ori.toml"), "[project]\nname = \"above\"\n").map_err(|error| error.to_string())?;
    folders.push(parent);
    let out = stage.scene.beside(number);
    let watch = Watch::of(&folders, &["package", "oric", number])?;
    let out_text = out.to_string_lossy().into_owned();
    let args = [&["build", ".", "-o", out_text.as_str()], args].concat();
    let mut command = stage.command(&args);
    command.env("HOME", &home).env("XDG_CONFIG_HOME", home.join(".config")).env("XDG_CACHE_HOME", home.join(".cache"));
    command.env("TMPDIR", home.join("tmp")).env("PATH", home.join("bin"));
    if cache_in_home {
        command.env("ORI_CACHE_DIR", home.join(".cache/oric"));
    }
    let ending = run(&mut command)?;
    let opened = watch.opened();
    Ok((opened.into_iter().map(|name| format!("{name} was opened outside of package and store")).collect(), observe(&ending, &out)?))
}

/// The check.
pub fn check() -> Result<Found, String> {
    let mut found = Found::default();
    let mut builds = 0;
    let mut stage = Stage::new("hermetic")?;
    for (state, args) in
        [(3, &["--offline"][..]), (3, &["--offline", "--clean-link"]), (5, &["--offline"]), (7, &[]), (7, &["--offline", "--emit=obj"])]
    {
        stage.become_state(state)?;
        let form = if args.contains(&"--emit=obj") { Form::Object } else { Form::Executable };
        let clean = stage.clean(form)?;
        let name = format!("out{builds}");
        let (opened, built) = build(&stage, &name, false, args)?;
        // The runtime archive stands beside an object: that is written, as asked for.
        let opened = opened.into_iter().filter(|what| form == Form::Executable || !what.contains("libori_rt.a"));
        found.wrong.extend(opened.map(|what| format!("{}: {what}", args.join(" "))));
        found.wrong.extend(judge(&args.join(" "), &built, &["linked", "restored", "patched"], &clean, 0));
        builds += 1;
    }
    // Another place, another home: the same bytes.
    let elsewhere = Stage::new("hermetic-elsewhere")?;
    let here = Stage::new("hermetic-here")?;
    let [one, two] = [&elsewhere, &here].map(|stage| stage.build().map(|built| built.bytes));
    if one? != two? {
        found.wrong.push("the output depends on where the package is".to_owned());
    }
    found.did("builds under watch", builds);
    found.did("folders watched", PLACES.len() + 1);
    Ok(found)
}

/// A build whose store is where the watch is, and a reader of settings.
pub fn negatives() -> Vec<Negative> {
    let cache = || -> Result<Vec<String>, String> { Ok(build(&Stage::new("hermetic-negative")?, "out", true, &["--offline"])?.0) };
    let settings = || -> Result<Vec<String>, String> {
        let stage = Stage::new("hermetic-negative")?;
        let (home, folders) = home(&stage)?;
        let watch = Watch::of(&folders, &[])?;
        std::fs::read(home.join(".config/oric/settings")).map_err(|error| error.to_string())?;
        Ok(watch.opened().into_iter().map(|name| format!("{name} was opened outside of package and store")).collect())
    };
    vec![
        Negative { what: "a build that keeps its store in the home", words: "opened outside of package and store", said: cache() },
        Negative { what: "a build that reads settings of the user", words: "settings was opened", said: settings() },
    ]
}
