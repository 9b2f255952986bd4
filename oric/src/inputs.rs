//! The inputs of the engine: which files were read, what the disk said of them then, and what it says now.
//!
//! A session looks at every file that earlier sessions read (`stat`), reads those that may have changed, and hands only them to the engine. A file that
//! a query asks for first is read when it asks. So the text of unchanged modules is never read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use ir::Symbol;
use parking_lot::Mutex;
use query::{Engine, Input, Interrupt};
use serde::{Deserialize, Serialize};

use crate::project::{OpenError, Project, Seen, SourceFile};
use crate::queries::{CodeKey, RunKey, Source, TestRun, TestShows, codec};
use crate::testing::Runs;

/// A module and what the disk said of its files.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
struct Look {
    files: [Seen; 2],
    /// When it was looked at, in nanoseconds since 1970.
    at: i64,
}

/// Everything that was looked at, by module name. Modules of another root, or of a file that has another name, are other rows.
#[derive(Default)]
pub struct Inputs {
    looks: Mutex<BTreeMap<Symbol, Look>>,
    /// Was it a compiler with our library that looked?
    has_library: bool,
    /// A file that cannot be read.
    failed: Mutex<Option<OpenError>>,
    /// Tests that ran in this session.
    pub runs: Runs,
}

/// The text of a module of the library, which is part of the compiler.
pub fn library(module: Symbol) -> Option<SourceFile> {
    let (_, path, text) = hir::resolve::prelude::SOURCES.iter().find(|(name, ..)| *name == module.as_str())?;
    Some(SourceFile { path: (*path).to_owned(), text: (*text).to_owned(), malformed: None, rival: None })
}

/// Fetches the library alone: for an engine whose other sources are all set.
pub fn serve_library(engine: &mut Engine) {
    engine.set_loader(|kind, key| {
        let module = key.downcast_ref::<Symbol>().filter(|_| kind == Source::KIND);
        Ok(module.and_then(|module| Some(Arc::new(library(*module)?) as Arc<_>)))
    });
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos() as i64)
}

impl Inputs {
    /// What an earlier session looked at.
    pub fn from_bytes(bytes: Option<&[u8]>) -> Inputs {
        let (library, rows): (u128, Vec<(Symbol, Look)>) = bytes.and_then(codec::read).unwrap_or_default();
        Inputs { looks: Mutex::new(rows.into_iter().collect()), has_library: library == codec::LIBRARY, ..Inputs::default() }
    }

    /// For the next session.
    pub fn to_bytes(&self) -> Vec<u8> {
        let rows: Vec<(Symbol, Look)> = self.looks.lock().iter().map(|(module, look)| (*module, *look)).collect();
        let mut bytes = Vec::with_capacity(rows.len() * 64);
        codec::write(&(codec::LIBRARY, rows), &mut bytes);
        bytes
    }

    /// Sets what changed on disk since it was looked at. Returns whether anything is to be remembered.
    pub fn refresh(&self, project: &Project, engine: &mut Engine) -> Result<bool, Interrupt> {
        // Another compiler may have another library.
        let mut news = !self.has_library;
        let sources = if self.has_library { &[] } else { hir::resolve::prelude::SOURCES };
        for &(module, ..) in sources {
            let module = Symbol::new(module);
            if let (Some(stored), Some(source)) = (engine.knows_input::<Source>(&module)?, library(module))
                && stored != <Source as Input>::fingerprint(&source)
            {
                engine.set::<Source>(&module, source)?;
            }
        }
        let known: Vec<(Symbol, Look)> = self.looks.lock().iter().map(|(module, look)| (*module, *look)).collect();
        let seen = project.look_at_all(known.iter().map(|(module, _)| *module));
        for ((module, before), files) in known.into_iter().zip(seen) {
            if files == before.files && !files.iter().any(|file| file.may_hide_a_change(before.at)) {
                continue;
            }
            news = true;
            match self.read(project, module) {
                Some(source) => engine.set::<Source>(&module, source)?,
                None => engine.remove::<Source>(&module)?,
            };
        }
        Ok(news)
    }

    /// Reads a module and remembers what the disk said of its files before that.
    fn read(&self, project: &Project, module: Symbol) -> Option<SourceFile> {
        let at = now();
        let files = project.look(module);
        self.looks.lock().insert(module, Look { files, at });
        match project.read(module, files)? {
            Ok(source) => Some(source),
            Err(error) => {
                self.failed.lock().get_or_insert(error);
                None
            }
        }
    }

    /// Fetches for the engine what nobody set.
    pub fn serve(self: &Arc<Self>, project: &Project, engine: &mut Engine) {
        let inputs = self.clone();
        let project = project.clone();
        engine.set_loader(move |kind, key| {
            if let Some(key) = key.downcast_ref::<RunKey>().filter(|_| kind == TestRun::KIND) {
                return inputs.runs.run(key).map(|run| Some(run as Arc<_>));
            }
            if let Some(key) = key.downcast_ref::<CodeKey>().filter(|_| kind == TestShows::KIND) {
                return inputs.runs.shows_places(key).map(|shows| Some(Arc::new(shows) as Arc<_>));
            }
            let Some(module) = key.downcast_ref::<Symbol>().filter(|_| kind == Source::KIND) else { return Ok(None) };
            let source = library(*module).or_else(|| inputs.read(&project, *module));
            Ok(source.map(|source| Arc::new(source) as Arc<_>))
        });
    }

    /// The first file that exists and cannot be read.
    pub fn failure(&self) -> Option<OpenError> {
        self.failed.lock().take()
    }
}
