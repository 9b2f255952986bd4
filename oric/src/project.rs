//! Finding and reading source files: with [`crate::inputs`] the only room that reads sources from the disk.
//!
//! A package is the folder with an `ori.toml` in or above the folder of the file; its modules are below `src/`. A file outside of any package is a
//! package of its own (language/07 §7.1): its folder is the source root.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ir::Symbol;
use serde::{Deserialize, Serialize};

use crate::manifest::{self, Manifest};
use crate::queries::{OneFile, Sites, is_test_module};

pub mod files;
pub mod packages;

use files::Files;
use packages::Packages;

/// A source file as an input of the engine.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SourceFile {
    /// Path below the source root's package, with `/`.
    pub path: String,
    /// Its text after normalisation (LF line ends); what spans count in.
    pub text: String,
    /// The bytes as they are, when they are not UTF-8: the parser reports where.
    pub malformed: Option<Vec<u8>>,
    /// A second file that claims the same module (`x.ori` beside `x/mod.ori`).
    pub rival: Option<String>,
}

/// Where the modules of a program are.
#[derive(Clone, Debug)]
pub struct Project {
    /// Folder of the package, on disk: paths in reports are relative to it, and its cache is in it.
    pub package: PathBuf,
    /// Folder below the package that module paths are below: `src/`, or nothing for a lone file.
    source: String,
    /// What is put before a path on screen: the package as it was written on the command line.
    pub prefix: String,
    /// Folders of other packages, from this one, and what stands for them on screen, with `/` at their ends.
    beside: Vec<(String, String)>,
    /// The module of the file named.
    pub main: Symbol,
    /// File name of the main module below the source root, whose name need not be an identifier.
    main_file: String,
    /// What `ori.toml` says.
    pub manifest: Manifest,
    /// It and those that it needs.
    pub packages: Packages,
    scope: Scope,
}

/// What of a package was named.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Scope {
    /// All of it.
    Whole,
    /// A folder: its path below the source root, with a `/` at its end.
    Folder(String),
    /// A file.
    File,
}

/// Why a project cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// No such file, or not readable.
    Io(PathBuf, io::Error),
    /// The name does not end in `.ori`.
    NotSource(PathBuf),
    /// Neither a file nor a package.
    NoPackage(PathBuf),
    /// `ori.toml` is wrong (E0217).
    Manifest(PathBuf, String),
}

/// What the disk says of a file without reading it.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub enum Seen {
    /// There is no such file.
    Absent,
    /// Size, times in nanoseconds, inode and device.
    File {
        /// Bytes.
        size: u64,
        /// Last change of the contents.
        mtime: i64,
        /// Last change of contents or attributes.
        ctime: i64,
        /// Inode.
        ino: u64,
        /// Device.
        dev: u64,
    },
}

impl Seen {
    /// Looks at a path.
    pub fn at(path: &Path) -> Seen {
        std::fs::metadata(path).map_or(Seen::Absent, |meta| Seen::of(&meta))
    }

    /// What was said of a file; a folder is none.
    pub fn of(meta: &Metadata) -> Seen {
        if !meta.is_file() {
            return Seen::Absent;
        }
        Seen::File {
            size: meta.len(),
            mtime: meta.mtime() * 1_000_000_000 + meta.mtime_nsec(),
            ctime: meta.ctime() * 1_000_000_000 + meta.ctime_nsec(),
            ino: meta.ino(),
            dev: meta.dev(),
        }
    }

    /// Could the file have been changed after it was looked at, without this showing? Clocks of file systems tick in milliseconds.
    pub fn may_hide_a_change(&self, looked_at: i64) -> bool {
        const TICK: i64 = 10_000_000;
        match self {
            Seen::Absent => false,
            Seen::File { mtime, ctime, .. } => mtime.max(ctime) + TICK >= looked_at,
        }
    }
}

impl Project {
    /// The package of a file, or of a folder with `ori.toml`.
    pub fn of(path: &Path) -> Result<Project, OpenError> {
        if path.is_dir() {
            return Project::of_package(path);
        }
        Project::of_file(path)
    }

    fn of_package(folder: &Path) -> Result<Project, OpenError> {
        let no_package = || OpenError::NoPackage(folder.to_owned());
        let (package, scope) = if folder.join(manifest::NAME).is_file() {
            (folder.to_owned(), Scope::Whole)
        } else {
            let (package, below) = manifest::package_above(folder).ok_or_else(no_package)?;
            // Nothing said means the package around us, wherever in it we are; another folder means what is in it.
            let scope = match below.strip_prefix("src") {
                _ if folder == Path::new(".") => Scope::Whole,
                Ok(below) if below.as_os_str().is_empty() => Scope::Whole,
                Ok(below) => Scope::Folder(format!("{}/", below.to_string_lossy())),
                Err(_) => return Err(no_package()),
            };
            (package, scope)
        };
        let manifest = manifest::read(&package)?.ok_or_else(no_package)?;
        let mut main_file = manifest.main.clone();
        let path = package.join("src").join(&main_file);
        // A library has no program.
        if !path.is_file() && package.join("src").join(LIBRARY).is_file() {
            main_file = LIBRARY.to_owned();
        } else if !path.is_file() {
            return Err(OpenError::Io(path, io::ErrorKind::NotFound.into()));
        }
        let packages = Packages::of(&package, &manifest)?;
        Ok(Project {
            source: "src/".to_owned(),
            prefix: prefix(&package),
            main: module_of(&main_file),
            main_file,
            beside: packages.shown(&package),
            packages,
            package,
            manifest,
            scope,
        })
    }

    /// The package of one file.
    pub fn of_file(file: &Path) -> Result<Project, OpenError> {
        let Some(stem) = file.file_stem().filter(|_| file.extension().is_some_and(|e| e == "ori")) else {
            return Err(OpenError::NotSource(file.to_owned()));
        };
        match std::fs::metadata(file) {
            Ok(meta) if meta.is_file() && file.to_str().is_none() => {
                let why = io::Error::other("its name is not UTF-8; give it another one");
                return Err(OpenError::Io(file.to_owned(), why));
            }
            Ok(meta) if meta.is_file() => {}
            Ok(_) => return Err(OpenError::Io(file.to_owned(), io::Error::other("not a file"))),
            Err(error) => return Err(OpenError::Io(file.to_owned(), error)),
        }
        let folder = match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            Some(_) | None => PathBuf::from("."),
        };
        if let Some((package, below)) = manifest::package_above(&folder)
            && let Ok(below) = below.strip_prefix("src")
            && let Some(manifest) = manifest::read(&package)?
        {
            let main_file = below.join(file.file_name().unwrap_or_default()).to_string_lossy().replace('\\', "/");
            let packages = Packages::of(&package, &manifest)?;
            return Ok(Project {
                prefix: prefix(&package),
                beside: packages.shown(&package),
                packages,
                package,
                source: "src/".to_owned(),
                main: module_of(&main_file),
                main_file,
                manifest,
                scope: Scope::File,
            });
        }
        Ok(Project {
            prefix: prefix(&folder),
            package: folder,
            source: String::new(),
            main: Symbol::new(&stem.to_string_lossy()),
            main_file: file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            manifest: Manifest::default(),
            packages: Packages::default(),
            beside: Vec::new(),
            scope: Scope::File,
        })
    }

    /// A path of a file of the program as it stands on screen: from the working folder.
    pub fn shown(&self, path: &str) -> String {
        let of_others = self.beside.iter().find_map(|(folder, shown)| Some((shown, path.strip_prefix(folder.as_str())?)));
        match of_others {
            Some((shown, rest)) => format!("{shown}{rest}"),
            None => format!("{}{path}", self.prefix),
        }
    }

    /// Is it a package, and not a file outside of any?
    pub fn is_package(&self) -> bool {
        !self.source.is_empty()
    }

    /// The file or folder of a package that was named; then other tests of the package are not looked at.
    pub fn part(&self) -> Option<&str> {
        match &self.scope {
            Scope::File if self.is_package() => Some(self.main.as_str()),
            Scope::Folder(below) => Some(below.trim_end_matches('/')),
            Scope::File | Scope::Whole => None,
        }
    }

    /// The module that a file with this path below the package defines.
    pub fn module_at(&self, path: &str) -> Symbol {
        module_of(path.strip_prefix(&self.source).unwrap_or(path))
    }

    /// Where its tests are: in `_test/` folders of a package, in the file itself when it is of none (language/11 §11.2). A file of a package has its tests
    /// in the `_test/` folder beside it.
    pub fn test_sites(&self) -> Sites {
        let mut sites = Sites { package: self.is_package(), modules: vec![self.main], ..Sites::default() };
        if !self.is_package() {
            return sites;
        }
        let source = self.package.join(self.source.trim_end_matches('/'));
        let files = match &self.scope {
            Scope::Whole => Files::of_package(&source),
            Scope::Folder(below) => Files::of_folder(&source.join(below), below),
            Scope::File if is_test_module(self.main) => Files::default(),
            Scope::File => {
                let (folder, file) =
                    self.main_file.rsplit_once('/').map_or((String::new(), &*self.main_file), |(a, b)| (format!("{a}/"), b));
                let tests = format!("{folder}_test/");
                let own = module_of(&format!("{tests}{}.test.ori", file.strip_suffix(".ori").unwrap_or(file)));
                sites.part = Some(OneFile { module: self.main, tests: own });
                Files::of_folder(&source.join(&tests), &tests)
            }
        };
        for file in files.tests {
            if file.strip_suffix(".test.ori").is_some_and(is_named_well) {
                sites.modules.push(module_of(&file));
            } else {
                sites.strays.push(format!("{}{file}", self.source));
            }
        }
        let (named, misnamed): (Vec<_>, Vec<_>) =
            files.sources.iter().partition(|file| file.strip_suffix(".ori").is_some_and(|path| is_named_well(path) && !path.contains('.')));
        sites.strays.extend(misnamed.iter().map(|file| format!("{}{file}", self.source)));
        sites.sources = named.into_iter().map(|file| module_of(file)).filter(|module| *module != self.main).collect();
        // `m.ori` beside `m/mod.ori` is reported where it is read.
        sites.sources.dedup();
        sites
    }

    /// Paths below the package that could define a module, the preferred one first.
    fn candidates(&self, module: Symbol) -> [Option<String>; 2] {
        if module == self.main {
            return [Some(format!("{}{}", self.source, self.main_file)), None];
        }
        if let Some((_, below)) = module.as_str().split_once('/') {
            let Some(folder) = self.packages.folder_of(module) else { return [None, None] };
            let below = below.replace('.', "/");
            return [Some(format!("{folder}src/{below}.ori")), Some(format!("{folder}src/{below}/mod.ori"))];
        }
        let relative = module.as_str().replace('.', "/");
        if is_test_module(module) {
            return [Some(format!("{}{relative}.test.ori", self.source)), None];
        }
        [Some(format!("{}{relative}.ori", self.source)), Some(format!("{}{relative}/mod.ori", self.source))]
    }

    /// Paths below the package of the files that may define a module, whether they are there or not.
    pub fn paths_of(&self, module: Symbol) -> impl Iterator<Item = String> + use<> {
        self.candidates(module).into_iter().flatten()
    }

    /// What the disk says of the files that could define a module.
    pub fn look(&self, module: Symbol) -> [Seen; 2] {
        self.candidates(module).map(|path| path.map_or(Seen::Absent, |path| Seen::at(&self.package.join(path))))
    }

    /// What the disk says of the files that could define each of these modules. `m.ori` is where most are, and a package of many modules has few folders:
    /// so where many lie in one folder, that is listed once, and nobody asks for `m/mod.ori` where there is no `m`.
    pub fn look_at_all(&self, modules: impl Iterator<Item = Symbol>) -> Vec<[Seen; 2]> {
        let mut folders: HashMap<String, (usize, Option<HashSet<OsString>>)> = HashMap::new();
        let folder_of = |path: &Option<String>| -> Option<(String, OsString)> {
            let module = path.as_ref()?.strip_suffix("/mod.ori")?;
            let (folder, name) = module.rsplit_once('/').unwrap_or(("", module));
            Some((folder.to_owned(), name.into()))
        };
        let candidates: Vec<_> = modules.map(|module| self.candidates(module)).collect();
        let places: Vec<_> = candidates.iter().map(|[_, second]| folder_of(second)).collect();
        for (folder, _) in places.iter().flatten() {
            folders.entry(folder.clone()).or_default().0 += 1;
        }
        for (folder, (count, inside)) in &mut folders {
            if *count >= MANY {
                *inside = folders_in(&self.package.join(folder), 4 * *count);
            }
        }
        let is_without = |place: &Option<(String, OsString)>| {
            place.as_ref().is_some_and(|(folder, name)| folders[folder].1.as_ref().is_some_and(|inside| !inside.contains(name)))
        };
        candidates
            .into_iter()
            .zip(&places)
            .map(|([first, second], place)| {
                let second = second.filter(|_| !is_without(place));
                [first, second].map(|path| path.map_or(Seen::Absent, |path| Seen::at(&self.package.join(path))))
            })
            .collect()
    }

    /// Reads a module of which this was [seen](Project::look); `None` when no file defines it.
    pub fn read(&self, module: Symbol, seen: [Seen; 2]) -> Option<Result<SourceFile, OpenError>> {
        let candidates = self.candidates(module).into_iter().zip(seen);
        let mut existing = candidates.filter(|(_, seen)| *seen != Seen::Absent).filter_map(|(path, _)| path);
        let first = existing.next()?;
        let rival = existing.next();
        let file = self.package.join(&first);
        Some(match std::fs::read(&file) {
            Ok(bytes) => Ok(source_file(module, first, bytes, rival)),
            Err(error) => Err(OpenError::Io(file, error)),
        })
    }
}

/// The file below `src/` that stands for a package as a whole (language/07 §7.1).
const LIBRARY: &str = "lib.ori";

/// Modules in one folder from which on it is listed.
const MANY: usize = 8;

/// What in a folder may be a folder; nothing when that cannot be told, or not among so many entries.
fn folders_in(folder: &Path, most: usize) -> Option<HashSet<OsString>> {
    let mut found = HashSet::new();
    for (at, entry) in std::fs::read_dir(folder).ok()?.enumerate() {
        let entry = entry.ok().filter(|_| at < most)?;
        if !entry.file_type().ok()?.is_file() {
            found.insert(entry.file_name());
        }
    }
    Some(found)
}

/// What a folder is called in front of paths on screen.
fn prefix(folder: &Path) -> String {
    match folder.to_string_lossy().replace('\\', "/") {
        p if p.is_empty() || p == "." => String::new(),
        p => format!("{}/", p.trim_end_matches('/')),
    }
}

/// The module that a file below the source root defines.
fn module_of(file: &str) -> Symbol {
    let stem = file.strip_suffix(".ori").unwrap_or(file);
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    let stem = stem.strip_suffix(".test").filter(|_| format!("/{stem}").contains("/_test/")).unwrap_or(stem);
    Symbol::new(&stem.replace('/', "."))
}

/// A source file from its bytes.
pub fn source_file(module: Symbol, path: String, bytes: Vec<u8>, rival: Option<String>) -> SourceFile {
    match String::from_utf8(bytes) {
        Ok(text) if matches!(syntax::normalise(&text), Cow::Borrowed(_)) => SourceFile { path, text, malformed: None, rival },
        other => {
            let (bytes, malformed) = match other {
                Ok(text) => (text.into_bytes(), false),
                Err(error) => (error.into_bytes(), true),
            };
            let (text, _) = syntax::parser::parse_bytes(module, &bytes);
            SourceFile { path, text, malformed: malformed.then_some(bytes), rival }
        }
    }
}

/// May a source file have the name in which this path ends, without its ending?
fn is_named_well(path: &str) -> bool {
    hir::resolve::is_source_stem(path.rsplit('/').next().unwrap_or(path))
}
