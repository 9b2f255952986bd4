//! The linkers of others: `ORI_LINKER` (language/17 §17.4).
//!
//! They get what `--emit=obj` writes and the runtime's archive, and make a static executable without a C library, as the built-in linker does. What they
//! made is never patched: nobody knows what their next link would move.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use query::Fp;

use crate::queries;

/// What a program stands on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Host {
    /// Linux alone: the runtime has memory of its own.
    #[default]
    None,
    /// A C library, whose allocator every cell comes from (`--allocator=system`).
    Library,
    /// The same, below the runtime of AddressSanitizer (`--sanitize=address`).
    Address,
}

impl Host {
    /// The runtime for it.
    pub fn archive(self) -> &'static [u8] {
        match self {
            Host::None => image::runtime_archive(),
            Host::Library | Host::Address => image::hosted_runtime_archive(),
        }
    }

    /// The compiler's driver that knows where the library is.
    const fn driver(self) -> &'static str {
        match self {
            Host::None | Host::Library => "cc",
            // Of the version that wrote the calls of it: the worker's.
            Host::Address => "clang-22",
        }
    }

    /// What asks for it.
    const fn flag(self) -> &'static str {
        match self {
            Host::None | Host::Library => "--allocator=system",
            Host::Address => "--sanitize=address",
        }
    }
}

/// What has AddressSanitizer's runtime in it.
const ADDRESS_RUNTIME: &str = "libclang_rt.asan-x86_64.a";

/// A linker that is installed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Linker {
    program: PathBuf,
    /// A compiler's driver hands flags of the linker on only when told so.
    is_driver: bool,
    /// Nobody named it: it was looked for.
    is_default: bool,
    host: Host,
    identity: Fp,
}

/// Why there is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoLinker {
    /// The value names none: neither a name that is known, nor a path.
    Unknown,
    /// The name is known, and no such program is in `PATH`.
    NotInstalled,
    /// No program that can be started is at the path.
    NoProgram,
}

impl NoLinker {
    /// What is wrong with this value of `ORI_LINKER`, and what to do.
    pub fn message(&self, value: &str) -> String {
        match self {
            NoLinker::Unknown => {
                format!(
                    "ORI_LINKER must be 'lld', 'mold' or a path with a '/' to a linker, found '{value}'; unset it for the built-in linker"
                )
            }
            NoLinker::NotInstalled => {
                let (program, package) = if value == "mold" { ("mold", "mold") } else { ("ld.lld", "lld") };
                format!(
                    "ORI_LINKER is '{value}', and there is no {program} in PATH; install it (Debian: apt install {package}), or unset ORI_LINKER for the built-in linker"
                )
            }
            NoLinker::NoProgram => {
                format!("ORI_LINKER is '{value}', and no program is there; name one that is, or unset ORI_LINKER for the built-in linker")
            }
        }
    }
}

/// Why nothing was linked.
#[derive(Debug)]
pub enum Failed {
    /// What the linker reads cannot be written, or it cannot be started, or what it wrote cannot be read.
    Io(io::Error),
    /// The linker refused: what it said.
    Refused(String),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        Failed::Io(error)
    }
}

/// What a link made.
#[derive(Debug)]
pub struct Linked {
    /// The executable.
    pub image: Vec<u8>,
    /// What the linker said, although it succeeded.
    pub said: String,
}

impl Linker {
    /// The linker that this value of `ORI_LINKER` names, looked for in these folders (the value of `PATH`).
    pub fn find(value: &str, path: Option<&OsString>) -> Result<Linker, NoLinker> {
        let folders = || path.into_iter().flat_map(std::env::split_paths);
        let program = match value {
            "lld" => folders().find_map(|folder| lld_in(&folder)).ok_or(NoLinker::NotInstalled)?,
            "mold" => folders().map(|folder| folder.join("mold")).find(|file| is_program(file)).ok_or(NoLinker::NotInstalled)?,
            path if path.contains('/') => Some(PathBuf::from(path)).filter(|file| is_program(file)).ok_or(NoLinker::NoProgram)?,
            _ => return Err(NoLinker::Unknown),
        };
        let identity = identity(&program).map_err(|_| NoLinker::NoProgram)?;
        let is_driver = program.file_name().is_some_and(|name| is_driver(&name.to_string_lossy()));
        Ok(Linker { program, is_driver, is_default: false, host: Host::None, identity })
    }

    /// Changes when the program does.
    pub const fn identity(&self) -> Fp {
        self.identity
    }

    /// Its name, and who named it.
    pub fn introduced(&self) -> String {
        let whose = if self.is_default { "found in PATH; ORI_LINKER names another" } else { "ORI_LINKER" };
        format!("{} ({whose})", self.name())
    }

    /// Its name, for messages.
    pub fn name(&self) -> String {
        self.program.file_name().unwrap_or(self.program.as_os_str()).to_string_lossy().into_owned()
    }

    /// The linker of release builds when nobody names one: lld, mold, the system's.
    pub fn any(path: Option<&OsString>) -> Option<Linker> {
        let system = || {
            let folders = path.into_iter().flat_map(std::env::split_paths);
            let found = folders.flat_map(|folder| ["ld", "cc"].map(|name| folder.join(name))).find(|file| is_program(file))?;
            Linker::find(&found.to_string_lossy(), path).ok()
        };
        let found = ["lld", "mold"].iter().find_map(|name| Linker::find(name, path).ok()).or_else(system)?;
        Some(Linker { is_default: true, ..found })
    }

    /// The driver that links programs on this host: the one that the environment names, else the one in one of these folders. `Err` is for the user.
    pub fn for_host(host: Host, named: Option<Linker>, path: Option<&OsString>) -> Result<Linker, String> {
        let (flag, driver) = (host.flag(), host.driver());
        let linker = match named {
            Some(named) if named.is_driver => named,
            Some(named) => {
                return Err(format!(
                    "{flag} links with a C library: ORI_LINKER must be a compiler's driver for that, such as the path of {driver}, and is {}",
                    named.name()
                ));
            }
            None => {
                let package = if host == Host::Address { "clang-22 libclang-rt-22-dev" } else { "build-essential" };
                let missing = || format!("{flag} needs {driver}, and it is not in PATH; install it (Debian: apt install {package})");
                let found =
                    path.into_iter().flat_map(std::env::split_paths).map(|folder| folder.join(driver)).find(|file| is_program(file));
                let found = found.ok_or_else(missing)?;
                let linker = Linker::find(&found.to_string_lossy(), path).map_err(|_| missing())?;
                Linker { is_default: true, ..linker }
            }
        };
        if host == Host::Address && !has_address_runtime(&linker.program) {
            return Err(format!(
                "{flag} needs {ADDRESS_RUNTIME}, and {} has none; install it (Debian: apt install libclang-rt-22-dev)",
                linker.name()
            ));
        }
        let identity = Fp::of(&(queries::wide(linker.identity), host, host.archive()));
        Ok(Linker { host, identity, ..linker })
    }

    /// What programs that it links stand on.
    pub const fn host(&self) -> Host {
        self.host
    }

    /// Links objects with the runtime; with a table of symbols or without.
    pub fn link(&self, objects: &[&[u8]], symbols: bool) -> Result<Linked, Failed> {
        self.link_with(objects, self.host.archive(), symbols)
    }

    /// [`Linker::link`], with another runtime than the host's.
    pub fn link_with(&self, objects: &[&[u8]], runtime: &[u8], symbols: bool) -> Result<Linked, Failed> {
        let folder = Folder::new()?;
        let names: Vec<String> = (0..objects.len()).map(|number| format!("program{number}.o")).collect();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.0.join(name);
            std::fs::write(&path, bytes)
                .map_err(|error| io::Error::new(error.kind(), format!("{} (below TMPDIR): {error}", path.display())))
        };
        for (name, object) in names.iter().zip(objects) {
            write(name, object)?;
        }
        write("libori_rt.a", runtime)?;
        let own: &[&str] = match self.is_driver {
            true => &["-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,--eh-frame-hdr"],
            false => &["--gc-sections", "--build-id=none", "--eh-frame-hdr"],
        };
        // What is bound to shared objects is bound at the start: then nothing of it need stay writable.
        let host: &[&str] = match self.host {
            Host::None => &["-static", "-nostdlib", "-no-pie", "-z", "noexecstack"],
            Host::Library => &["-no-pie", "-z", "noexecstack", "-z", "relro", "-z", "now"],
            Host::Address => &["-fsanitize=address", "-no-pie", "-z", "noexecstack", "-z", "relro", "-z", "now"],
        };
        let ended = Command::new(std::path::absolute(&self.program)?)
            .current_dir(&folder.0)
            .args(host)
            .args(own)
            .args((!symbols).then_some("-s"))
            .args(["-o", "program"])
            .args(&names)
            .arg("libori_rt.a")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.program.display())))?;
        let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr)).trim_end().to_owned();
        if !ended.status.success() {
            return Err(Failed::Refused(if said.is_empty() { ended.status.to_string() } else { said }));
        }
        match std::fs::read(folder.0.join("program")) {
            Ok(image) => Ok(Linked { image, said }),
            // A program that is no linker may end well.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Failed::Refused(format!("it ended well and wrote nothing\n{said}")))
            }
            Err(error) => Err(Failed::Io(error)),
        }
    }
}

/// Has this driver the runtime that `-fsanitize=address` links? Drivers answer with a path when they know the file, else with its name.
fn has_address_runtime(driver: &Path) -> bool {
    let asked = Command::new(driver).arg(format!("-print-file-name={ADDRESS_RUNTIME}")).stdin(Stdio::null()).output();
    asked.is_ok_and(|said| Path::new(String::from_utf8_lossy(&said.stdout).trim_end()).is_absolute())
}

/// `ld.lld`, or the newest of Debian's `ld.lld-22` and the like.
fn lld_in(folder: &Path) -> Option<PathBuf> {
    let plain = folder.join("ld.lld");
    if is_program(&plain) {
        return Some(plain);
    }
    let version = |name: &str| name.strip_prefix("ld.lld-")?.parse::<u32>().ok();
    let names = std::fs::read_dir(folder).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let newest = names.filter_map(|name| Some((version(&name)?, folder.join(name)))).filter(|(_, file)| is_program(file)).max();
    newest.map(|(_, file)| file)
}

/// Changes when another program stands at this path: it would make other bytes.
pub(crate) fn identity(program: &Path) -> io::Result<Fp> {
    let about = std::fs::metadata(program)?;
    Ok(Fp::of(&(program.to_string_lossy().into_owned(), about.size(), about.mtime(), about.mtime_nsec())))
}

/// Is it a file that can be started?
pub(crate) fn is_program(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

/// `cc`, `gcc-12`, `x86_64-linux-gnu-gcc`, `clang++`
fn is_driver(name: &str) -> bool {
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    ["cc", "gcc", "c++", "g++", "clang", "clang++"].iter().any(|driver| plain.rsplit('-').next() == Some(driver))
}

/// A folder of this process, which goes when this goes.
struct Folder(PathBuf);

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Folder {
    fn new() -> io::Result<Folder> {
        let folder = std::env::temp_dir().join(format!("oric-link-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)));
        // Of a process that had this number and was killed.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder)
            .map_err(|error| io::Error::new(error.kind(), format!("TMPDIR is no place to write: {}: {error}", folder.display())))?;
        Ok(Folder(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::{Linker, NoLinker, is_driver};

    #[test]
    fn a_driver_is_known_by_its_name() {
        for driver in ["cc", "gcc", "gcc-12", "x86_64-linux-gnu-gcc", "x86_64-linux-gnu-gcc-12", "clang", "clang-22", "clang++", "g++-12.2"]
        {
            assert!(is_driver(driver), "{driver}");
        }
        for linker in ["ld", "ld.bfd", "ld.lld-22", "mold", "ld.mold", "x86_64-linux-gnu-ld", "ccache", "tcc"] {
            assert!(!is_driver(linker), "{linker}");
        }
    }

    #[test]
    fn what_is_no_linker_is_named() {
        let nowhere = std::ffi::OsString::from("/nonexistent");
        for (value, why) in [
            ("gold", NoLinker::Unknown),
            ("", NoLinker::Unknown),
            ("lld", NoLinker::NotInstalled),
            ("mold", NoLinker::NotInstalled),
            ("/nonexistent/ld", NoLinker::NoProgram),
            ("/", NoLinker::NoProgram),
            // It is there, and cannot be started.
            (concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), NoLinker::NoProgram),
        ] {
            assert_eq!(Linker::find(value, Some(&nowhere)), Err(why), "{value}");
        }
    }
}
