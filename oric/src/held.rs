//! Files that are held: what a path leads to may be replaced, patched or removed by other processes at any time, what this process holds stays what it is.
//!
//! Whoever goes on with a file that was just looked at or written (starts it, patches it, remembers what is in it) does so by the open file, never by its
//! path. A shared lock says that somebody counts on the bytes; a file is changed in place only by who holds it alone.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::project::Seen;

/// A file that is open for reading and locked.
#[derive(Debug)]
pub struct Held {
    file: File,
    seen: Seen,
}

impl Held {
    /// Holds what is at the path; nothing when there is nothing, or when somebody changes it at this moment.
    pub fn open(path: &Path) -> Option<Held> {
        Held::locked(path, FlockOperation::NonBlockingLockShared)
    }

    /// As above, when nobody else holds it. For as long as this lives nobody else will.
    pub fn alone(path: &Path) -> Option<Held> {
        Held::locked(path, FlockOperation::NonBlockingLockExclusive)
    }

    fn locked(path: &Path, how: FlockOperation) -> Option<Held> {
        let file = File::open(path).ok()?;
        match flock(&file, how) {
            Ok(()) => {}
            // Where there are no locks nobody holds it alone, so nobody changes it in place.
            Err(Errno::NOLCK | Errno::NOTSUP | Errno::NOSYS) if how == FlockOperation::NonBlockingLockShared => {}
            Err(_) => return None,
        }
        let seen = Seen::of(&file.metadata().ok()?);
        Some(Held { file, seen })
    }

    /// What the disk says of it.
    pub const fn seen(&self) -> Seen {
        self.seen
    }

    /// Its length in bytes.
    pub const fn size(&self) -> u64 {
        match self.seen {
            Seen::File { size, .. } => size,
            Seen::Absent => 0,
        }
    }

    /// The file opened for writing by its path, when it is still there, nobody runs it, and it has no other name.
    pub fn writable(&self, path: &Path) -> Option<File> {
        let file = File::options().read(true).write(true).open(path).ok()?;
        let meta = file.metadata().ok()?;
        (meta.nlink() == 1 && Seen::of(&meta) == self.seen).then_some(file)
    }

    /// It was changed through `file`, by us: it looks otherwise than before even when the clock of the file system has not gone on, and others may hold it again.
    pub fn changed(mut self, file: File) -> io::Result<Held> {
        let meta = file.metadata()?;
        if Seen::of(&meta) == self.seen {
            file.set_modified(meta.modified()? + Duration::from_nanos(1))?;
        }
        // As long as it is open for writing nobody can start it.
        drop(file);
        self.share()?;
        Ok(self)
    }

    fn share(&mut self) -> io::Result<()> {
        // Where there are no locks, nobody changes anything in place.
        let _ = flock(&self.file, FlockOperation::LockShared);
        self.seen = Seen::of(&self.file.metadata()?);
        Ok(())
    }

    /// A command that starts this very file. The kernel takes the last part of the path for the name of the process, and here that is a number.
    pub fn command(&self, name: &OsStr) -> Command {
        let mut command = Command::new(format!("/proc/self/fd/{}", self.file.as_raw_fd()));
        command.arg0(name);
        command
    }

    /// The same by a path that ends in a name: a link in this folder to the number of the open file, which is right for whoever has a file open by it.
    pub fn named_command(&self, folder: &Path, name: &OsStr) -> io::Result<Command> {
        let number = self.file.as_raw_fd().to_string();
        let folder = folder.join(&number);
        let (path, target) = (folder.join(name), Path::new("/proc/self/fd").join(&number));
        if std::fs::read_link(&path).ok().as_ref() != Some(&target) {
            std::fs::create_dir_all(&folder)?;
            match std::os::unix::fs::symlink(&target, &path) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                Err(_) | Ok(()) => {}
            }
        }
        let mut command = Command::new(path);
        command.arg0(name);
        Ok(command)
    }
}

/// Writes beside the target and renames, so that nobody sees half a file and a running program keeps its own. A device, as `/dev/null`, is written to: it is
/// not ours to replace, which root could.
pub fn write(path: &Path, bytes: &[u8], executable: bool) -> io::Result<Held> {
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        File::options().write(true).open(path)?.write_all(bytes)?;
        return Ok(Held { file: File::open(path)?, seen: Seen::Absent });
    }
    let (temporary, mut file) = beside(path, if executable { 0o755 } else { 0o644 })?;
    let result = (|| {
        file.write_all(bytes)?;
        drop(file);
        let file = File::open(&temporary)?;
        let mut held = Held { file, seen: Seen::Absent };
        // Before anybody can find it.
        held.share()?;
        std::fs::rename(&temporary, path)?;
        // The new name is a change.
        held.seen = Seen::of(&held.file.metadata()?);
        Ok(held)
    })();
    if result.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    result
}

/// A new file in the folder of this one, by a name that nobody else writes to: not the process with our number in another container either.
fn beside(path: &Path, mode: u32) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().ok_or_else(|| io::Error::other("no file name"))?.to_string_lossy();
    let mut tried = 0;
    loop {
        let temporary = path.with_file_name(format!(".{name}.{}-{tried}.tmp", std::process::id()));
        match File::options().write(true).create_new(true).mode(mode).open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && tried < 100 => tried += 1,
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, write};
    use crate::project::Seen;

    fn scratch(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("oric-held-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        folder
    }

    #[test]
    fn a_device_is_written_to_and_stays() {
        use std::os::unix::fs::FileTypeExt;
        let folder = scratch("device");
        // As root, a rename would put a program in its place for everybody.
        let link = folder.join("nothing");
        std::os::unix::fs::symlink("/dev/null", &link).expect("a link can be made");
        for path in [std::path::Path::new("/dev/null"), &link] {
            let held = write(path, b"a program", true).expect("it takes everything");
            assert_eq!(held.seen(), Seen::Absent);
            assert!(std::fs::metadata(path).is_ok_and(|there| there.file_type().is_char_device()));
        }
        assert!(link.is_symlink());
        let _ = std::fs::remove_dir_all(&folder);
    }

    fn says(held: &Held, name: &str) -> String {
        let output = held.command(name.as_ref()).output().expect("it starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What is held is started, whatever became of its path.
    #[test]
    fn what_was_written_is_what_runs() {
        let folder = scratch("runs");
        let path = folder.join("program");
        // Scripts are opened by their interpreter once more, by the number: an executable says its name itself.
        let echo = std::fs::read("/bin/echo").expect("there is an echo");
        let tells = std::fs::read("/bin/true").expect("there is a true");
        let held = write(&path, &echo, true).expect("it can be written");
        write(&path, &tells, true).expect("it can be written");
        assert_eq!(says(&held, "echo"), "\n");
        std::fs::remove_dir_all(&folder).expect("it can be removed");
        assert_eq!(says(&held, "echo"), "\n");
        let named = held.named_command(&folder.join("by"), "echo".as_ref()).expect("a link can be made").output().expect("it starts");
        assert_eq!(named.stdout, b"\n");
        let _ = std::fs::remove_dir_all(&folder);
    }

    /// Who counts on the bytes is not surprised, and a change shows though no time went by.
    #[test]
    fn only_who_is_alone_changes_a_file() {
        use std::os::unix::fs::FileExt;
        let folder = scratch("alone");
        let path = folder.join("program");
        let held = write(&path, b"one", true).expect("it can be written");
        assert_eq!(held.seen(), Seen::at(&path));
        assert!(Held::alone(&path).is_none() && Held::open(&path).is_some());
        drop(held);
        let alone = Held::alone(&path).expect("nobody holds it");
        assert!(Held::open(&path).is_none());
        let before = alone.seen();
        let file = alone.writable(&path).expect("it is there");
        file.write_all_at(b"two", 0).expect("it can be written");
        let held = alone.changed(file).expect("it can be looked at");
        assert_ne!(held.seen(), before);
        assert_eq!(held.seen(), Seen::at(&path));
        assert!(Held::open(&path).is_some() && Held::alone(&path).is_none());
        // Another file of that name is not this one, nor is one that has two names.
        std::fs::hard_link(&path, folder.join("other")).expect("a link can be made");
        assert!(held.writable(&path).is_none());
        std::fs::remove_file(&path).expect("it can be removed");
        assert!(held.writable(&path).is_none());
        let _ = std::fs::remove_dir_all(&folder);
    }
}
