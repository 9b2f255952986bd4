//! Finding and reading source files: the only room that reads the disk.
//!
//! A file named on the command line is a package of its own (language/07 §7.1): its folder is the source root, modules are paths below it.

use std::io;
use std::path::{Path, PathBuf};

use ir::Symbol;

/// A source file as an input of the engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceFile {
    /// Path as given to the compiler, relative to the root, with `/`.
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
    /// Folder on disk that module paths are below.
    root: PathBuf,
    /// What is put before a path in reports: the folder as it was written on the command line.
    prefix: String,
    /// The module of the file named.
    pub main: Symbol,
    /// File name of the main module, whose name need not be an identifier.
    main_file: PathBuf,
}

/// Why a project cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// No such file, or not readable.
    Io(PathBuf, io::Error),
    /// The name does not end in `.ori`.
    NotSource(PathBuf),
}

impl Project {
    /// The package of one file.
    pub fn of_file(file: &Path) -> Result<Project, OpenError> {
        let Some(stem) = file.file_stem().filter(|_| file.extension().is_some_and(|e| e == "ori")) else {
            return Err(OpenError::NotSource(file.to_owned()));
        };
        match std::fs::metadata(file) {
            Ok(meta) if meta.is_file() => {}
            Ok(_) => return Err(OpenError::Io(file.to_owned(), io::Error::other("not a file"))),
            Err(error) => return Err(OpenError::Io(file.to_owned(), error)),
        }
        let folder = file.parent().unwrap_or(Path::new(""));
        let prefix = match folder.to_string_lossy().replace('\\', "/") {
            p if p.is_empty() || p == "." => String::new(),
            p => format!("{}/", p.trim_end_matches('/')),
        };
        Ok(Project {
            root: if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() },
            prefix,
            main: Symbol::new(&stem.to_string_lossy()),
            main_file: file.to_owned(),
        })
    }

    /// Reads a module; `None` when no file defines it.
    pub fn read(&self, module: Symbol) -> Option<Result<SourceFile, OpenError>> {
        let relative = module.as_str().replace('.', "/");
        let (file, shown, rival) = if module == self.main {
            let name = self.main_file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            (self.main_file.clone(), format!("{}{name}", self.prefix), None)
        } else {
            let candidates = [format!("{relative}.ori"), format!("{relative}/mod.ori")];
            let mut existing = candidates.iter().filter(|c| self.root.join(c).is_file());
            let first = existing.next()?;
            let rival = existing.next().map(|r| format!("{}{r}", self.prefix));
            (self.root.join(first), format!("{}{first}", self.prefix), rival)
        };
        Some(match std::fs::read(&file) {
            Ok(bytes) => Ok(source_file(module, shown, &bytes, rival)),
            Err(error) => Err(OpenError::Io(file, error)),
        })
    }
}

/// A source file from its bytes.
pub fn source_file(module: Symbol, path: String, bytes: &[u8], rival: Option<String>) -> SourceFile {
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.contains(&b'\r') => SourceFile { path, text: text.to_owned(), malformed: None, rival },
        valid => {
            let (text, _) = syntax::parser::parse_bytes(module, bytes);
            SourceFile { path, text, malformed: valid.is_err().then(|| bytes.to_vec()), rival }
        }
    }
}
