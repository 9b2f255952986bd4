//! The file system as the store sees it: flat names in one folder, and a dozen verbs.
//!
//! Every call that touches the disk goes through [`Disk`], so that a test can fail, shorten or kill at the n-th of them and nothing escapes.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::map::Mapped;

/// Holding the writers' lock; dropping it lets the next writer in.
pub(crate) struct Lock(#[allow(dead_code, reason = "closing the file is what unlocks")] pub Option<File>);

/// What the store asks of a file system. Names are relative to the store's folder and contain no separator.
pub(crate) trait Disk: Send + Sync {
    /// So many bytes at most from the start of a file, in one call; `None` when it does not exist.
    fn read_start(&self, name: &str, len: usize) -> io::Result<Option<Vec<u8>>>;
    /// The whole of a small file; `None` when it does not exist.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;
    /// The bytes of a file in place; `None` when it does not exist.
    fn map(&self, name: &str) -> io::Result<Option<Mapped>>;
    /// Length of a file; 0 when it does not exist.
    fn len(&self, name: &str) -> io::Result<u64>;
    /// Makes a new file with these bytes, in place of one with that name.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Writes bytes at a place of a file that may not exist yet.
    fn write_at(&self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// Gives a file another name, in place of what had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Takes a file away.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// The names in the folder, sorted.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Makes the folder, which keeps itself out of version control.
    fn make_folder(&self) -> io::Result<()>;
    /// Waits, but not for long, to be the only writer.
    fn lock(&self) -> io::Result<Lock>;
    /// Changes with each start of the machine; zero where the system does not tell.
    fn boot_id(&self) -> [u8; 16];
}

/// A folder of the real file system.
pub(crate) struct Folder {
    path: PathBuf,
}

/// A holder is done in well under a millisecond, unless somebody stopped it in the middle: then it is better not to publish than to hang.
const LOCK_TRIES: u32 = 60;

impl Folder {
    pub fn new(path: &Path) -> Folder {
        Folder { path: path.to_owned() }
    }

    fn open(&self, name: &str) -> io::Result<Option<File>> {
        match File::open(self.path.join(name)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Disk for Folder {
    fn read_start(&self, name: &str, len: usize) -> io::Result<Option<Vec<u8>>> {
        let Some(mut file) = self.open(name)? else { return Ok(None) };
        let mut bytes = vec![0; len];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read(rest) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(Some(bytes))
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(mut file) = self.open(name)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn map(&self, name: &str) -> io::Result<Option<Mapped>> {
        match self.open(name)? {
            Some(mut file) => Mapped::of(&mut file).map(Some),
            None => Ok(None),
        }
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        match std::fs::metadata(self.path.join(name)) {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        std::fs::write(self.path.join(name), bytes)
    }

    fn write_at(&self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        // Never truncated: others have it mapped.
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(self.path.join(name))?;
        file.write_all_at(bytes, at)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path.join(name))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn make_folder(&self) -> io::Result<()> {
        if self.path.join(".gitignore").exists() {
            return Ok(());
        }
        std::fs::create_dir_all(&self.path)?;
        std::fs::write(self.path.join(".gitignore"), "*\n")
    }

    fn lock(&self) -> io::Result<Lock> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(self.path.join("LOCK"))?;
        for attempt in 0..LOCK_TRIES {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Lock(Some(file))),
                Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => {
                    // Short naps first (the usual wait is a tenth of a millisecond), longer ones for a burst of writers: 0.3 s in all.
                    std::thread::sleep(Duration::from_micros(if attempt < 20 { 50 } else { 8_000 }));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::Error::new(ErrorKind::WouldBlock, "another process holds the store's lock"))
    }

    fn boot_id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        let mut text = [0; 36];
        let read = File::open("/proc/sys/kernel/random/boot_id").and_then(|mut file| file.read(&mut text));
        let digits = text.iter().take(read.unwrap_or(0)).filter_map(|&byte| char::from(byte).to_digit(16));
        for (place, digit) in digits.take(32).enumerate() {
            id[place / 2] = id[place / 2] << 4 | digit as u8;
        }
        id
    }
}
