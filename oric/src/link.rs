//! Making the executable from the link plan: nothing when it is there already, a patch when the one before is, else a clean link.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::plan::{Content, Request};
use ir::{ItemId, Symbol};
use query::{Engine, Fp, Interrupt, Query};
use serde::{Deserialize, Serialize};

use crate::project::Seen;
use crate::queries::{self, ModuleOf, NotLinked, codec};
use crate::session::Session;

/// An executable that a session wrote.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
struct Output {
    /// Where, as an absolute path.
    path: PathBuf,
    /// What it was made from.
    from: Origin,
    /// What the disk said of it afterwards.
    seen: Seen,
}

/// What an executable was made from.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
struct Origin {
    /// Fingerprint of the plan.
    plan: u128,
    /// Of what the program reached.
    reached: u128,
    /// Of what each module gave.
    parts: Vec<(Symbol, u128)>,
}

impl Origin {
    fn new(plan: Fp, of: &queries::Plan) -> Origin {
        Origin { plan: queries::wide(plan), reached: of.reached, parts: of.parts.clone() }
    }
}

/// Executables that sessions wrote. An output is an input of the next build: one that was deleted or altered is made again.
#[derive(Clone, Default, Debug)]
pub struct Outputs {
    rows: Vec<Output>,
    /// Is there anything to be remembered?
    pub changed: bool,
}

/// How an executable came to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// It was there.
    UpToDate,
    /// The one before was changed in place.
    Patched,
    /// Linked from nothing.
    Clean,
}

/// Most executables that are remembered.
const REMEMBERED: usize = 16;

impl Outputs {
    /// What earlier sessions wrote.
    pub fn from_bytes(bytes: Option<&[u8]>) -> Outputs {
        Outputs { rows: bytes.and_then(codec::read).unwrap_or_default(), changed: false }
    }

    /// For the next session.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        codec::write(&self.rows, &mut bytes);
        bytes
    }

    /// Size of the executable when it is what this plan makes.
    fn up_to_date(&self, path: &Path, plan: Fp) -> Option<u64> {
        let row = self.rows.iter().find(|row| row.path == path && row.from.plan == queries::wide(plan))?;
        match Seen::at(path) {
            seen @ Seen::File { size, .. } if seen == row.seen => Some(size),
            Seen::File { .. } | Seen::Absent => None,
        }
    }

    /// What the file was made from, when it is the one that a session wrote.
    fn of(&self, path: &Path) -> Option<&Origin> {
        self.rows.iter().find(|row| row.path == path && row.seen == Seen::at(path)).map(|row| &row.from)
    }

    /// Where they are.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.rows.iter().map(|row| row.path.as_path())
    }

    fn wrote(&mut self, path: PathBuf, from: Origin) {
        self.rows.retain(|row| row.path != path);
        if self.rows.len() >= REMEMBERED {
            self.rows.remove(0);
        }
        let seen = Seen::at(&path);
        self.rows.push(Output { path, from, seen });
        self.changed = true;
    }
}

/// Why there is no executable.
#[derive(Debug)]
pub enum Failure {
    /// The program cannot be linked.
    Link(NotLinked),
    /// The file cannot be written.
    Io(io::Error),
}

/// Brings the executable at `path` up to date; its size in bytes, and how.
pub fn executable(session: &mut Session, path: &Path, clean_link: bool) -> Result<(u64, How), Failure> {
    let main = session.main_item();
    let absolute = std::path::absolute(path).map_err(Failure::Io)?;
    session.ask(|session| {
        session.generate(main);
        Ok(())
    });
    let plan = session.ask(|session| session.engine.fingerprint::<queries::LinkPlan>(&main));
    if let Some(size) = session.outputs.up_to_date(&absolute, plan).filter(|_| !clean_link) {
        return Ok((size, How::UpToDate));
    }
    let fingerprint = plan;
    let plan = session.ask(|session| session.engine.get::<queries::LinkPlan>(&main));
    let from = Origin::new(fingerprint, &plan);
    let sidecar = session.setup.cache.as_ref().map(|cache| cache.sidecar(&absolute));
    if let (Some(sidecar), false) = (&sidecar, clean_link)
        && let Some(before) = session.outputs.of(&absolute).cloned()
    {
        let patched = session.ask(|session| patch(&session.engine, main, &plan, &before, path, sidecar));
        if let Some(size) = patched {
            session.outputs.wrote(absolute, from);
            return Ok((size, How::Patched));
        }
    }
    let linked = session.ask(|session| session.engine.get::<queries::Linked>(&main));
    let linked = match &**linked {
        Ok(linked) => linked,
        Err(error) => return Err(Failure::Link(error.clone())),
    };
    crate::commands::write(path, &linked.image, true).map_err(Failure::Io)?;
    if let Some(path) = sidecar {
        // Without a sidecar the next link is a clean one: losing it loses time.
        match &linked.sidecar {
            Some(bytes) => drop(path.parent().map(std::fs::create_dir_all).and_then(|_| crate::commands::write(&path, bytes, false).ok())),
            None => drop(std::fs::remove_file(path)),
        }
    }
    session.outputs.wrote(absolute, from);
    Ok((linked.image.len() as u64, How::Clean))
}

/// Changes the executable in place; its size. `None` when it has to be linked from nothing: it runs, it is shared, or too much of it moves.
fn patch(
    engine: &Engine,
    main: ItemId,
    plan: &queries::Plan,
    before: &Origin,
    path: &Path,
    sidecar: &Path,
) -> Result<Option<u64>, Interrupt> {
    // A program that runs cannot be opened for writing (ETXTBSY); one with a second name is not ours alone.
    let Ok(file) = File::options().read(true).write(true).open(path) else { return Ok(None) };
    let Ok(meta) = file.metadata() else { return Ok(None) };
    if meta.nlink() != 1 {
        return Ok(None);
    }
    let Ok(old) = std::fs::read(sidecar) else { return Ok(None) };
    if image::plan::facts(&old).is_ok_and(|facts| facts.image_length != meta.len()) {
        return Ok(None);
    }
    // Who reaches the same functions as before has the same, and only those of modules that gave something else can be different.
    let others_stay = before.reached == plan.reached;
    let mut pieces = Pieces {
        engine,
        main,
        functions: plan.start.functions.clone(),
        items: plan.start.items.clone(),
        file: &file,
        interrupt: RefCell::new(None),
    };
    let known: HashMap<Symbol, u128> = if others_stay { before.parts.iter().copied().collect() } else { HashMap::new() };
    for &(module, fingerprint) in &plan.parts {
        if known.get(&module) != Some(&fingerprint) {
            let part = engine.get::<queries::Part>(&ModuleOf { main, module })?;
            pieces.functions.extend_from_slice(&part.functions);
            pieces.items.extend_from_slice(&part.items);
        }
    }
    let contents = |rows: &[(ItemId, u128)]| -> Vec<Content> {
        rows.iter().map(|&(item, fingerprint)| Content { key: item.content(), fingerprint }).collect()
    };
    let (functions, items) = (contents(&pieces.functions), contents(&pieces.items));
    let request = Request {
        functions: &functions,
        others_stay,
        items: &items,
        entry: lir::build::entry_item().content(),
        returns_status: plan.entry.is_some_and(|entry| entry.returns_status),
        symbols: plan.symbols,
    };
    let planned = image::plan::plan(&request, &old, &pieces);
    if let Some(interrupt) = pieces.interrupt.take() {
        return Err(interrupt);
    }
    let patch = match planned {
        image::plan::Plan::Unchanged => return Ok(Some(meta.len())),
        image::plan::Plan::Patch(patch) => patch,
        image::plan::Plan::Fallback(_) => return Ok(None),
    };
    // The sidecar goes first out of the way: should this stop half way, the next link finds none, and links from nothing.
    let aside = sidecar.with_extension("old");
    let written = std::fs::rename(sidecar, &aside).and_then(|()| {
        write_at(&file, &patch.image)?;
        file.set_len(patch.image_length)?;
        write_at(&File::options().write(true).open(&aside)?, &patch.sidecar)?;
        std::fs::rename(&aside, sidecar)
    });
    Ok(written.is_ok().then_some(patch.image_length))
}

fn write_at(file: &File, patches: &image::plan::Patches) -> io::Result<()> {
    patches.iter().try_for_each(|(offset, bytes)| file.write_all_at(bytes, *offset))
}

/// What a patch is made of, asked from the engine as it is needed.
struct Pieces<'a> {
    engine: &'a Engine,
    main: ItemId,
    /// Functions and items that may have changed, with their fingerprints.
    functions: Vec<(ItemId, u128)>,
    items: Vec<(ItemId, u128)>,
    file: &'a File,
    interrupt: RefCell<Option<Interrupt>>,
}

impl Pieces<'_> {
    fn ask<Q: Query>(&self, key: &Q::Key) -> Option<Arc<Q::Value>> {
        self.engine.get::<Q>(key).map_err(|interrupt| *self.interrupt.borrow_mut() = Some(interrupt)).ok()
    }

    /// Few things change in an edit: looking through all is cheaper than an index of all.
    fn find(rows: &[(ItemId, u128)], key: u128) -> Option<(ItemId, u128)> {
        rows.iter().find(|(item, _)| item.content() == key).copied()
    }
}

impl image::plan::Source for Pieces<'_> {
    fn key(&self, item: ItemId) -> Option<u128> {
        Some(item.content())
    }

    fn function(&self, key: u128) -> Option<Cow<'_, image::Function>> {
        let (item, _) = Self::find(&self.functions, key)?;
        let code = match item == lir::build::entry_item() {
            true => Some((*self.ask::<queries::EntryCode>(&self.main)?).clone()),
            false => (*self.ask::<queries::MachineCode>(&item)?).clone(),
        };
        code?.as_ref().as_ref().ok().map(|code| Cow::Owned(code.function.clone()))
    }

    fn item(&self, key: u128) -> Option<(Cow<'_, image::Item>, u128)> {
        let (item, fingerprint) = Self::find(&self.items, key)?;
        let position = self.ask::<queries::Position>(&item)?;
        Some((Cow::Owned(queries::item_record(item, position.as_ref().as_ref())), fingerprint))
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> bool {
        self.file.read_exact_at(into, offset).is_ok()
    }
}
