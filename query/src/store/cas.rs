//! Artifacts by the hash of their content: executables, objects, machine code, the interface of std.
//!
//! ```text
//! cas/xx/<62 hex digits>    the bytes, named by their BLAKE3-256
//! ```
//!
//! An address is all that is believed about a file: what is read is hashed, and a file that does not hash to its name is removed and missed. So files may
//! come from anywhere and go at any time; writing is a temporary file and a rename, and needs no lock. A file's time of modification says when it was last
//! used; collecting garbage removes the least recently used until the budget is met.
//!
//! Only files that are really in the folder are artifacts. A symbolic link in the place of one is not followed, and gives way to the next artifact; behind
//! one in the place of a folder, nothing is read, written or removed.

use std::fmt;
use std::fs::{File, FileTimes};
use std::io;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use rustix::fs::OFlags;

use super::commit::temporary;

/// Bytes that the store keeps when nobody says otherwise: 5 GB.
pub const DEFAULT_BUDGET: u64 = 5_000_000_000;

/// A file that was used within this time is not marked as used again.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// Most bytes that are made room for before they are read: a length is no content.
const MOST_AT_ONCE: u64 = 64 << 20;

/// A temporary file older than this has no writer any more.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// Where content is: its BLAKE3-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address([u8; 32]);

impl Address {
    /// The address of these bytes.
    pub fn of(bytes: &[u8]) -> Address {
        Address(*blake3::hash(bytes).as_bytes())
    }

    /// As stored in values.
    pub const fn from_bytes(bytes: [u8; 32]) -> Address {
        Address(bytes)
    }

    /// To be stored in values.
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

/// Text that is not an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAnAddress;

impl FromStr for Address {
    type Err = NotAnAddress;

    /// Exactly 64 lower-case hexadecimal digits; anything else is refused, so no text leads outside the store.
    fn from_str(text: &str) -> Result<Address, NotAnAddress> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(NotAnAddress),
        };
        let mut address = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != address.len() || !rest.is_empty() {
            return Err(NotAnAddress);
        }
        for (byte, pair) in address.iter_mut().zip(pairs) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Address(address))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CasStat {
    /// Artifacts.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What a collection did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Collected {
    /// What was removed.
    pub removed: CasStat,
    /// What is left.
    pub kept: CasStat,
}

/// The store of artifacts in a folder.
#[derive(Clone, Debug)]
pub struct Cas {
    dir: PathBuf,
}

/// A file that is named like an artifact.
struct Entry {
    address: Address,
    len: u64,
    used: SystemTime,
}

impl Cas {
    /// The store in this folder, which need not exist yet.
    pub fn open(dir: &Path) -> Cas {
        Cas { dir: dir.to_owned() }
    }

    fn path(&self, address: Address) -> PathBuf {
        let name = address.to_string();
        let (folder, file) = name.split_at(2);
        self.dir.join(folder).join(file)
    }

    fn folder(&self, address: Address) -> PathBuf {
        self.dir.join(&address.to_string()[..2])
    }

    /// The file at an address, when there is one in the store. A link in its place is taken away.
    fn file(&self, address: Address) -> Option<File> {
        if !is_folder(&self.folder(address)) {
            return None;
        }
        let path = self.path(address);
        if let Ok(file) = open(&path)
            && file.metadata().is_ok_and(|metadata| metadata.is_file())
        {
            return Some(file);
        }
        if std::fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
            let _ = std::fs::remove_file(&path);
        }
        None
    }

    /// Stores bytes. What is there already is only marked as used; a file of another length is replaced.
    pub fn put(&self, bytes: &[u8]) -> io::Result<Address> {
        let address = Address::of(bytes);
        let path = self.path(address);
        if let Some(file) = self.file(address)
            && let Ok(metadata) = file.metadata()
            && metadata.len() == bytes.len() as u64
        {
            mark_used(&file, metadata.modified().ok());
            return Ok(address);
        }
        let folder = self.folder(address);
        std::fs::create_dir_all(&folder)?;
        if !is_folder(&folder) {
            return Err(io::Error::other(format!("{} is a link to somewhere else", folder.display())));
        }
        let ignore = self.dir.join(".gitignore");
        if !ignore.exists() {
            std::fs::write(&ignore, "*\n")?;
        }
        let name = self.dir.join(temporary("cas"));
        let written = File::create_new(&name).and_then(|mut file| file.write_all(bytes)).and_then(|()| std::fs::rename(&name, &path));
        if written.is_err() {
            let _ = std::fs::remove_file(&name);
        }
        written.map(|()| address)
    }

    /// The bytes at an address, or a miss. A file that does not hold what its name says is removed.
    pub fn get(&self, address: Address) -> Option<Vec<u8>> {
        let path = self.path(address);
        let file = self.file(address)?;
        let metadata = file.metadata().ok()?;
        let mut bytes = Vec::with_capacity(metadata.len().min(MOST_AT_ONCE) as usize);
        // A read that fails half way is a miss, but says nothing about the file.
        io::Read::read_to_end(&mut &file, &mut bytes).ok()?;
        if Address::of(&bytes) != address {
            let _ = std::fs::remove_file(&path);
            return None;
        }
        mark_used(&file, metadata.modified().ok());
        Some(bytes)
    }

    /// Length of what is at an address, without believing its content.
    pub fn len(&self, address: Address) -> Option<u64> {
        let metadata = std::fs::symlink_metadata(self.path(address)).ok().filter(std::fs::Metadata::is_file)?;
        is_folder(&self.folder(address)).then_some(metadata.len())
    }

    /// How much there is.
    pub fn stat(&self) -> io::Result<CasStat> {
        Ok(sum(&self.entries()?))
    }

    /// Hashes every file; bad ones are removed. Their addresses, in order.
    pub fn verify(&self) -> io::Result<Vec<Address>> {
        let mut bad = Vec::new();
        for entry in self.entries()? {
            let path = self.path(entry.address);
            let mut hasher = blake3::Hasher::new();
            let read = open(&path).and_then(|file| hasher.update_reader(file).map(drop));
            match read {
                Ok(()) if *hasher.finalize().as_bytes() == entry.address.0 => {}
                // Removed by somebody else meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Ok(()) | Err(_) => {
                    let _ = std::fs::remove_file(&path);
                    bad.push(entry.address);
                }
            }
        }
        Ok(bad)
    }

    /// Removes the least recently used artifacts until the rest fits the budget (of equal age the lower address first), and what dead writers left.
    pub fn gc(&self, budget: u64) -> io::Result<Collected> {
        self.remove_abandoned(SystemTime::now());
        let mut entries = self.entries()?;
        entries.sort_by_key(|entry| (entry.used, entry.address));
        let mut kept = sum(&entries);
        let mut removed = CasStat::default();
        for entry in entries {
            if kept.bytes <= budget {
                break;
            }
            match std::fs::remove_file(self.path(entry.address)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            kept = CasStat { files: kept.files - 1, bytes: kept.bytes - entry.len };
            removed = CasStat { files: removed.files + 1, bytes: removed.bytes + entry.len };
        }
        Ok(Collected { removed, kept })
    }

    fn remove_abandoned(&self, now: SystemTime) {
        for entry in std::fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let is_temporary = entry.file_name().as_bytes().starts_with(b"tmp-");
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            if is_temporary && modified.is_ok_and(|modified| now.duration_since(modified).is_ok_and(|age| age > ABANDONED)) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// Every file that is named like an artifact, by address. Other files are not ours and are left alone.
    fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for folder in folder_names(&self.dir)? {
            if folder.len() != 2 {
                continue;
            }
            let path = self.dir.join(&folder);
            if !is_folder(&path) {
                continue;
            }
            for file in folder_names(&path).unwrap_or_default() {
                let Ok(address) = format!("{folder}{file}").parse::<Address>() else { continue };
                if let Ok(metadata) = std::fs::symlink_metadata(path.join(&file))
                    && metadata.is_file()
                {
                    entries.push(Entry { address, len: metadata.len(), used: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH) });
                }
            }
        }
        entries.sort_by_key(|entry| entry.address);
        Ok(entries)
    }
}

/// Opens what has this name itself, without waiting for anybody to write to it.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Is it a folder, and not a link to one?
fn is_folder(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Says that a file was used, so that it stays. Failing costs a later miss.
fn mark_used(file: &File, last: Option<SystemTime>) {
    let now = SystemTime::now();
    let is_fresh = last.is_some_and(|last| now.duration_since(last).is_ok_and(|age| age < FRESH));
    if !is_fresh {
        let _ = file.set_times(FileTimes::new().set_modified(now));
    }
}

fn sum(entries: &[Entry]) -> CasStat {
    CasStat { files: entries.len() as u64, bytes: entries.iter().map(|entry| entry.len).sum() }
}

/// Names in a folder; none when it does not exist.
fn folder_names(path: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
}

#[cfg(test)]
mod tests;
