//! Waiting until sources change: the only room that asks the kernel to tell (inotify).
//!
//! Folders are watched and not files, so every way to save shows: writing in place, truncating first, renaming over, deleting and making anew, linking. Folders
//! come and go themselves, by a rename, a link, or the switch to another branch: so those that lead to them are watched too, and what links lead to. A change is told when it is quiet again; a file that went, or that is being written, is waited for a little longer. Where the kernel has no watches left,
//! the folders are looked at again and again instead.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

use crate::manifest;
use crate::project::Seen;
use crate::project::files::followed;

/// Nothing more happens for so long: the save is over.
const QUIET: Duration = Duration::from_millis(5);
/// A file that is gone or half written is given so long.
const RETURN: Duration = Duration::from_millis(100);
/// What never gets quiet is looked at all the same.
const LONGEST: Duration = Duration::from_millis(500);
/// How often folders are looked at that cannot be watched.
const LOOK: Duration = Duration::from_millis(200);

/// What is wanted of a folder.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reach {
    /// That it leads to others: these may come and go.
    Way,
    /// Its sources.
    Files,
    /// Its sources and those of the folders below it.
    Tree,
}

/// A folder that sources are in, or may be one day.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// What is wanted of it.
    pub reach: Reach,
}

/// Folders that are watched.
pub struct Watch {
    folders: BTreeSet<Folder>,
    way: Way,
}

enum Way {
    Told { kernel: OwnedFd, watched: HashMap<i32, Watched>, links: HashSet<PathBuf> },
    Looked(BTreeMap<PathBuf, Seen>),
}

/// A folder that the kernel knows. It knows folders and no paths: what has another folder now, or another name, is watched anew.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Watched {
    path: PathBuf,
    /// Do all sources in it matter?
    all: bool,
    /// What links lead to.
    names: BTreeSet<OsString>,
}

/// What an event says.
#[derive(PartialEq, Eq)]
enum Said {
    /// Something that matters is different now.
    Changed,
    /// This file is gone, or is being written.
    Unfinished(i32, OsString),
    /// This file is whole.
    Finished(i32, OsString),
    /// Other folders may be meant than before.
    Folders,
    Nothing,
}

impl Watch {
    /// Nothing yet. The warning says why folders must be looked at instead.
    pub fn new() -> (Watch, Option<String>) {
        let folders = BTreeSet::new();
        match inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK) {
            Ok(kernel) => (Watch { folders, way: Way::Told { kernel, watched: HashMap::new(), links: HashSet::new() } }, None),
            Err(error) => (Watch { folders, way: Way::Looked(BTreeMap::new()) }, Some(reason(error.into()))),
        }
    }

    /// Watches these too; whether any of them is new. The warning as above.
    pub fn also(&mut self, more: impl IntoIterator<Item = Folder>) -> (bool, Option<String>) {
        let before = self.folders.len();
        self.folders.extend(more);
        if self.folders.len() == before {
            return (false, None);
        }
        (true, self.renew().err().map(|error| self.look_instead(error)))
    }

    fn look_instead(&mut self, error: io::Error) -> String {
        self.way = Way::Looked(look(&self.folders));
        reason(error)
    }

    /// Asks for every folder that there is now, and for no other; whether they are others than before.
    fn renew(&mut self) -> io::Result<bool> {
        let Way::Told { kernel, watched, links } = &mut self.way else {
            self.way = Way::Looked(look(&self.folders));
            return Ok(true);
        };
        let flags = WatchFlags::CLOSE_WRITE
            | WatchFlags::MODIFY
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let (mut now, mut failed): (HashMap<i32, Watched>, _) = (HashMap::new(), None);
        links.clear();
        visit_all(&self.folders, &mut |found| {
            let path = match found {
                Found::Link(path) => {
                    links.insert(path.to_owned());
                    return;
                }
                Found::Folder(path) | Found::Way(path) | Found::Target(path, _) => path,
            };
            let number = match inotify::add_watch(&*kernel, path, flags) {
                Ok(number) => number,
                // It is not there, or went in the meantime.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS | Errno::LOOP) => return,
                Err(error) => return failed = Some(error),
            };
            let of = now.entry(number).or_insert_with(|| Watched { path: path.to_owned(), all: false, names: BTreeSet::new() });
            match found {
                Found::Folder(_) => of.all = true,
                Found::Target(_, name) => drop(of.names.insert(name.to_owned())),
                Found::Way(_) | Found::Link(_) => {}
            }
        });
        for number in watched.keys().filter(|number| !now.contains_key(number)) {
            // The kernel may have forgotten it by itself.
            let _ = inotify::remove_watch(&*kernel, *number);
        }
        let changed = now != *watched;
        *watched = now;
        failed.map_or(Ok(changed), |error| Err(error.into()))
    }

    /// Returns when something changed and it is quiet again.
    pub fn wait(&mut self) -> io::Result<()> {
        if let Way::Looked(seen) = &mut self.way {
            loop {
                std::thread::sleep(LOOK);
                let now = look(&self.folders);
                if now != *seen {
                    *seen = now;
                    return Ok(());
                }
            }
        }
        let mut first: Option<Instant> = None;
        let mut unfinished: BTreeSet<(i32, OsString)> = BTreeSet::new();
        loop {
            if first.is_some_and(|first| first.elapsed() >= LONGEST) {
                return Ok(());
            }
            let patience = first.map(|first| {
                let quiet = if unfinished.is_empty() { QUIET } else { RETURN };
                quiet.min(LONGEST.saturating_sub(first.elapsed()))
            });
            let said = self.events(patience)?;
            if said.is_empty() && first.is_some() {
                return Ok(());
            }
            let mut is_different = said.iter().any(|said| !matches!(said, Said::Nothing | Said::Folders));
            if said.contains(&Said::Folders) {
                match self.renew() {
                    Ok(changed) => is_different |= changed,
                    Err(error) => {
                        self.look_instead(error);
                        return Ok(());
                    }
                }
            }
            for said in said {
                match said {
                    Said::Unfinished(folder, name) => drop(unfinished.insert((folder, name))),
                    Said::Finished(folder, name) => drop(unfinished.remove(&(folder, name))),
                    Said::Nothing | Said::Changed | Said::Folders => {}
                }
            }
            if is_different {
                first.get_or_insert_with(Instant::now);
            }
        }
    }

    /// What happened, as soon as something did; nothing when that takes longer than this.
    fn events(&mut self, patience: Option<Duration>) -> io::Result<Vec<Said>> {
        let Way::Told { kernel, watched, links } = &mut self.way else { return Ok(Vec::new()) };
        let timeout = patience.and_then(|patience| Timespec::try_from(patience).ok());
        let mut polled = [PollFd::new(kernel, PollFlags::IN)];
        match rustix::event::poll(&mut polled, timeout.as_ref()) {
            Ok(0) => return Ok(Vec::new()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut said = Vec::new();
        let mut room = [MaybeUninit::uninit(); 16 << 10];
        let mut reader = inotify::Reader::new(&*kernel, &mut room);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN | Errno::INTR) => break,
                Err(error) => return Err(error.into()),
            };
            let (number, what) = (event.wd(), event.events());
            match event.file_name() {
                Some(name) => {
                    let name = OsStr::from_bytes(name.to_bytes());
                    said.extend(watched.get(&number).into_iter().flat_map(|folder| meaning(number, what, name, folder, links)));
                }
                None if what.contains(ReadFlags::QUEUE_OVERFLOW) => said.extend([Said::Changed, Said::Folders]),
                // It is no more; one that was given up is not known here.
                None if what.intersects(ReadFlags::DELETE_SELF | ReadFlags::IGNORED | ReadFlags::UNMOUNT) => {
                    if watched.remove(&number).is_some() {
                        said.extend([Said::Changed, Said::Folders]);
                    }
                }
                None => said.push(Said::Folders),
            }
        }
        // Something woke us, though it may mean nothing.
        if said.is_empty() {
            said.push(Said::Nothing);
        }
        Ok(said)
    }
}

/// What happened to an entry of a folder.
fn meaning(number: i32, what: ReadFlags, name: &OsStr, folder: &Watched, links: &HashSet<PathBuf>) -> [Said; 2] {
    if is_hidden(name) && !folder.names.contains(name) {
        return [Said::Nothing, Said::Nothing];
    }
    let comes = what.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO);
    let path = || folder.path.join(name);
    let is_link = comes && path().is_symlink()
        || (comes || what.intersects(ReadFlags::DELETE | ReadFlags::MOVED_FROM)) && !links.is_empty() && links.contains(&path());
    let leads = if what.contains(ReadFlags::ISDIR) || is_link { Said::Folders } else { Said::Nothing };
    let matters = !what.contains(ReadFlags::ISDIR) && (folder.all && is_source(name) || folder.names.contains(name));
    let is_whole = what.intersects(ReadFlags::CLOSE_WRITE | ReadFlags::MOVED_TO) || comes && is_link;
    let file = match (matters, is_whole) {
        (false, _) => Said::Nothing,
        (true, true) => Said::Finished(number, name.to_owned()),
        (true, false) => Said::Unfinished(number, name.to_owned()),
    };
    [leads, file]
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".")
}

/// Is it the name of a file that a program is made of?
fn is_source(name: &OsStr) -> bool {
    !is_hidden(name) && (name.as_bytes().ends_with(b".ori") || name == manifest::NAME)
}

/// What a visit comes by.
#[derive(Clone, Copy)]
enum Found<'a> {
    /// A folder with sources.
    Folder(&'a Path),
    /// A folder that leads to others.
    Way(&'a Path),
    /// A link that is a source, or a folder of sources.
    Link(&'a Path),
    /// The folder in which the target of a link is, under this name.
    Target(&'a Path, &'a OsStr),
}

fn visit_all(folders: &BTreeSet<Folder>, found: &mut dyn FnMut(Found<'_>)) {
    for folder in folders {
        match folder.reach {
            Reach::Way => found(Found::Way(&folder.path)),
            Reach::Files => visit(&folder.path, false, &mut Vec::new(), found),
            Reach::Tree => visit(&folder.path, true, &mut Vec::new(), found),
        }
    }
}

/// A folder, and those below it. `through`: folders in which a link was followed to come here.
fn visit(folder: &Path, deep: bool, through: &mut Vec<PathBuf>, found: &mut dyn FnMut(Found<'_>)) {
    // Before its entries are read: what comes afterwards is told.
    found(Found::Folder(folder));
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| !is_hidden(&entry.file_name())) {
        let Ok(kind) = entry.file_type() else { continue };
        let path = entry.path();
        if kind.is_symlink() {
            // Where nothing is, a folder may come.
            let is_folder = deep && std::fs::metadata(&path).map_or(true, |meta| meta.is_dir());
            if !is_folder && !is_source(&entry.file_name()) {
                continue;
            }
            found(Found::Link(&path));
            targets(&path, found);
            if is_folder && let Some(here) = followed(&path, folder, through) {
                through.push(here);
                visit(&path, true, through, found);
                through.pop();
            }
        } else if deep && kind.is_dir() {
            visit(&path, true, through, found);
        }
    }
}

/// Where a link leads, over other links: what is there may be replaced at each of them.
fn targets(link: &Path, found: &mut dyn FnMut(Found<'_>)) {
    let mut at = link.to_owned();
    // As many as the kernel follows.
    for _ in 0..40 {
        let Ok(target) = std::fs::read_link(&at) else { return };
        at = at.parent().unwrap_or(Path::new(".")).join(target);
        if let (Some(folder), Some(name)) = (at.parent(), at.file_name()) {
            found(Found::Target(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }, name));
        }
    }
}

/// What the disk says of all sources.
fn look(folders: &BTreeSet<Folder>) -> BTreeMap<PathBuf, Seen> {
    let mut seen = BTreeMap::new();
    visit_all(folders, &mut |found| {
        let Found::Folder(folder) = found else { return };
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.flatten().filter(|entry| is_source(&entry.file_name())) {
            seen.insert(entry.path(), Seen::at(&entry.path()));
        }
    });
    seen
}

/// Why folders cannot be watched, and what helps.
fn reason(error: io::Error) -> String {
    let help = match error.raw_os_error() {
        Some(code) if code == Errno::NOSPC.raw_os_error() => "; `sysctl fs.inotify.max_user_watches=524288` allows more of them",
        Some(code) if code == Errno::MFILE.raw_os_error() => "; `sysctl fs.inotify.max_user_instances=512` allows more of them",
        _ => "",
    };
    format!("folders cannot be watched ({error}), so they are looked at five times a second{help}")
}

/// The folder of a file of a package, whether it is there or not, with those that lead to it.
pub fn folders_of(package: &Path, file: &str) -> Vec<Folder> {
    let path = package.join(file);
    let path = path.parent().unwrap_or(package);
    let way = path.ancestors().skip(1).take_while(|above| above.starts_with(package));
    let way = way.map(|above| Folder { path: above.to_owned(), reach: Reach::Way });
    way.chain([Folder { path: path.to_owned(), reach: Reach::Files }]).collect()
}

#[cfg(test)]
mod tests {
    use super::{BTreeMap, BTreeSet, Folder, Reach, Watch, Way, look};

    fn scratch(name: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("oric-watch-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.join("a/b")).expect("a folder can be made");
        path
    }

    #[test]
    fn folders_that_cannot_be_watched_are_looked_at() {
        let path = scratch("look");
        let folders = BTreeSet::from([Folder { path: path.clone(), reach: Reach::Tree }]);
        let mut watch = Watch { folders: folders.clone(), way: Way::Looked(look(&folders)) };
        std::fs::write(path.join("a/b/x.ori"), "").expect("a file can be written");
        watch.wait().expect("it is looked at");
        let Way::Looked(seen) = &watch.way else { panic!("it looks") };
        assert_eq!(seen.len(), 1);
        std::fs::write(path.join("a/b/.hidden.ori"), "").expect("a file can be written");
        std::fs::write(path.join("a/b/x.ori~"), "").expect("a file can be written");
        assert_eq!(look(&folders), *seen);
        let _ = std::fs::remove_dir_all(&path);
        assert_eq!(look(&folders), BTreeMap::new());
    }

    #[test]
    fn a_folder_that_comes_is_watched_from_then_on() {
        let path = scratch("come");
        let (mut watch, warning) = Watch::new();
        assert_eq!(warning, None);
        assert_eq!(watch.also([Folder { path: path.clone(), reach: Reach::Tree }]), (true, None));
        assert_eq!(watch.also([Folder { path: path.clone(), reach: Reach::Tree }]), (false, None));
        std::fs::create_dir(path.join("new")).expect("a folder can be made");
        watch.wait().expect("it is told");
        std::fs::write(path.join("new/x.ori"), "").expect("a file can be written");
        watch.wait().expect("it is told");
        let _ = std::fs::remove_dir_all(&path);
    }
}
