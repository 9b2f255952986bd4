//! Waiting until sources change: the only room that asks the kernel to tell (inotify).
//!
//! Folders are watched and not files, so every way to save shows: writing in place, truncating first, renaming over, deleting and making anew, linking. A
//! change is told when it is quiet again; a file that went, or that is being written, is waited for a little longer. Where the kernel has no watches left,
//! the folders are looked at again and again instead.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

use crate::manifest;
use crate::project::Seen;

/// Nothing more happens for so long: the save is over.
const QUIET: Duration = Duration::from_millis(5);
/// A file that is gone or half written is given so long.
const RETURN: Duration = Duration::from_millis(100);
/// What never gets quiet is looked at all the same.
const LONGEST: Duration = Duration::from_millis(500);
/// How often folders are looked at that cannot be watched.
const LOOK: Duration = Duration::from_millis(200);

/// A folder that sources are in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// Are the folders below it meant too?
    pub deep: bool,
}

/// Folders that are watched.
pub struct Watch {
    folders: BTreeSet<Folder>,
    way: Way,
}

enum Way {
    Told { kernel: OwnedFd, folders: HashMap<i32, Folder> },
    Looked(BTreeMap<PathBuf, Seen>),
}

/// What an event says.
enum Said {
    /// Something that matters is different now.
    Changed,
    /// This file is gone, or is being written.
    Unfinished(i32, OsString),
    /// This file is whole.
    Finished(i32, OsString),
    /// A folder came, or events were lost.
    Folders,
    Nothing,
}

impl Watch {
    /// Nothing yet. The warning says why folders must be looked at instead.
    pub fn new() -> (Watch, Option<String>) {
        match inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK) {
            Ok(kernel) => (Watch { folders: BTreeSet::new(), way: Way::Told { kernel, folders: HashMap::new() } }, None),
            Err(error) => (Watch { folders: BTreeSet::new(), way: Way::Looked(BTreeMap::new()) }, Some(reason(error.into()))),
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

    /// Asks for every folder that there is now.
    fn renew(&mut self) -> io::Result<()> {
        let Way::Told { kernel, folders } = &mut self.way else {
            self.way = Way::Looked(look(&self.folders));
            return Ok(());
        };
        let flags = WatchFlags::CLOSE_WRITE
            | WatchFlags::MODIFY
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE_SELF
            | WatchFlags::ONLYDIR;
        let mut failed = None;
        for folder in &self.folders {
            visit(folder, &mut |folder| match inotify::add_watch(&*kernel, &folder.path, flags) {
                Ok(number) => drop(folders.insert(number, folder.clone())),
                // It went in the meantime.
                Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR | rustix::io::Errno::ACCESS) => {}
                Err(error) => failed = Some(error),
            });
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
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
            for said in said {
                match said {
                    Said::Nothing => continue,
                    Said::Changed => {}
                    Said::Unfinished(folder, name) => drop(unfinished.insert((folder, name))),
                    Said::Finished(folder, name) => drop(unfinished.remove(&(folder, name))),
                    Said::Folders => {
                        if let Err(error) = self.renew() {
                            self.look_instead(error);
                            return Ok(());
                        }
                    }
                }
                first.get_or_insert_with(Instant::now);
            }
        }
    }

    /// What happened, as soon as something did; nothing when that takes longer than this.
    fn events(&mut self, patience: Option<Duration>) -> io::Result<Vec<Said>> {
        let Way::Told { kernel, folders } = &mut self.way else { return Ok(Vec::new()) };
        let timeout = patience.map(|patience| Timespec { tv_sec: 0, tv_nsec: i64::from(patience.subsec_nanos()) });
        let mut polled = [PollFd::new(kernel, PollFlags::IN)];
        match rustix::event::poll(&mut polled, timeout.as_ref()) {
            Ok(0) => return Ok(Vec::new()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut said = Vec::new();
        let mut room = [MaybeUninit::uninit(); 16 << 10];
        let mut reader = inotify::Reader::new(&*kernel, &mut room);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => break,
                Err(error) => return Err(error.into()),
            };
            let what = event.events();
            if what.contains(ReadFlags::IGNORED) {
                folders.remove(&event.wd());
            }
            let name = event.file_name().map(|name| OsString::from(std::ffi::OsStr::from_bytes(name.to_bytes())));
            said.push(meaning(event.wd(), what, name, folders.get(&event.wd())));
        }
        // Something woke us, though it may mean nothing.
        if said.is_empty() {
            said.push(Said::Nothing);
        }
        Ok(said)
    }
}

fn meaning(number: i32, what: ReadFlags, name: Option<OsString>, folder: Option<&Folder>) -> Said {
    if what.contains(ReadFlags::QUEUE_OVERFLOW) {
        return Said::Folders;
    }
    let Some(name) = name else {
        return if what.intersects(ReadFlags::DELETE_SELF | ReadFlags::IGNORED) { Said::Changed } else { Said::Nothing };
    };
    if what.contains(ReadFlags::ISDIR) {
        let is_meant = folder.is_some_and(|folder| folder.deep) && !is_hidden(&name);
        return match is_meant {
            true if what.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO) => Said::Folders,
            true => Said::Changed,
            false => Said::Nothing,
        };
    }
    match is_source(&name) {
        false => Said::Nothing,
        true if what.intersects(ReadFlags::CLOSE_WRITE | ReadFlags::MOVED_TO) => Said::Finished(number, name),
        true => Said::Unfinished(number, name),
    }
}

fn is_hidden(name: &OsString) -> bool {
    name.as_bytes().starts_with(b".")
}

/// Is it the name of a file that a program is made of?
fn is_source(name: &OsString) -> bool {
    !is_hidden(name) && (name.as_bytes().ends_with(b".ori") || name == manifest::NAME)
}

/// A folder, and those below it.
fn visit(folder: &Folder, found: &mut dyn FnMut(&Folder)) {
    found(folder);
    if !folder.deep {
        return;
    }
    let Ok(entries) = std::fs::read_dir(&folder.path) else { return };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && !is_hidden(&entry.file_name()) {
            visit(&Folder { path: entry.path(), deep: true }, found);
        }
    }
}

/// What the disk says of all sources.
fn look(folders: &BTreeSet<Folder>) -> BTreeMap<PathBuf, Seen> {
    let mut seen = BTreeMap::new();
    for folder in folders {
        visit(folder, &mut |folder| {
            let Ok(entries) = std::fs::read_dir(&folder.path) else { return };
            for entry in entries.flatten().filter(|entry| is_source(&entry.file_name())) {
                seen.insert(entry.path(), Seen::at(&entry.path()));
            }
        });
    }
    seen
}

/// Why folders cannot be watched, and what helps.
fn reason(error: io::Error) -> String {
    let help = match error.raw_os_error() {
        Some(code) if code == rustix::io::Errno::NOSPC.raw_os_error() => {
            "; `sysctl fs.inotify.max_user_watches=524288` allows more of them"
        }
        Some(code) if code == rustix::io::Errno::MFILE.raw_os_error() => "; `sysctl fs.inotify.max_user_instances=512` allows more of them",
        _ => "",
    };
    format!("folders cannot be watched ({error}), so they are looked at five times a second{help}")
}

/// The folders of a path, as far as they are below another one.
pub fn folder_of(package: &Path, file: &str) -> Folder {
    let path = package.join(file).parent().map_or_else(|| package.to_owned(), Path::to_owned);
    Folder { path, deep: false }
}

#[cfg(test)]
mod tests {
    use super::{BTreeMap, BTreeSet, Folder, Watch, Way, look};

    fn scratch(name: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("oric-watch-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.join("a/b")).expect("a folder can be made");
        path
    }

    #[test]
    fn folders_that_cannot_be_watched_are_looked_at() {
        let path = scratch("look");
        let folders = BTreeSet::from([Folder { path: path.clone(), deep: true }]);
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
        assert_eq!(watch.also([Folder { path: path.clone(), deep: true }]), (true, None));
        assert_eq!(watch.also([Folder { path: path.clone(), deep: true }]), (false, None));
        std::fs::create_dir(path.join("new")).expect("a folder can be made");
        watch.wait().expect("it is told");
        std::fs::write(path.join("new/x.ori"), "").expect("a file can be written");
        watch.wait().expect("it is told");
        let _ = std::fs::remove_dir_all(&path);
    }
}
