//! Making the executable from the link plan: nothing when it is there already, a patch when the one before is, else a clean link.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::plan::{Content, Request};
use ir::ItemId;
use query::{Engine, Fp, Interrupt, Query};
use serde::{Deserialize, Serialize};

use crate::project::Seen;
use crate::queries::{self, NotLinked, codec};
use crate::session::Session;

/// An executable that a session wrote.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
struct Output {
    /// Where, as an absolute path.
    path: PathBuf,
    /// Fingerprint of the plan that it was made from.
    plan: (u64, u64),
    /// What the disk said of it afterwards.
    seen: Seen,
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
        let row = self.rows.iter().find(|row| row.path == path && row.plan == (plan.0, plan.1))?;
        match Seen::at(path) {
            seen @ Seen::File { size, .. } if seen == row.seen => Some(size),
            Seen::File { .. } | Seen::Absent => None,
        }
    }

    /// Is the file the one that a session wrote?
    fn is_ours(&self, path: &Path) -> bool {
        self.rows.iter().any(|row| row.path == path && row.seen == Seen::at(path))
    }

    /// Where they are.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.rows.iter().map(|row| row.path.as_path())
    }

    fn wrote(&mut self, path: PathBuf, plan: Fp) {
        self.rows.retain(|row| row.path != path);
        if self.rows.len() >= REMEMBERED {
            self.rows.remove(0);
        }
        let seen = Seen::at(&path);
        self.rows.push(Output { path, plan: (plan.0, plan.1), seen });
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
    let sidecar = session.setup.cache.as_ref().map(|cache| cache.sidecar(&absolute));
    if let Some(sidecar) = sidecar.as_ref().filter(|_| !clean_link && session.outputs.is_ours(&absolute)) {
        let patched = session.ask(|session| {
            let plan = session.engine.get::<queries::LinkPlan>(&main)?;
            patch(&session.engine, main, &plan, path, sidecar)
        });
        if let Some(size) = patched {
            session.outputs.wrote(absolute, plan);
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
    session.outputs.wrote(absolute, plan);
    Ok((linked.image.len() as u64, How::Clean))
}

/// Changes the executable in place; its size. `None` when it has to be linked from nothing: it runs, it is shared, or too much of it moves.
fn patch(engine: &Engine, main: ItemId, plan: &queries::Plan, path: &Path, sidecar: &Path) -> Result<Option<u64>, Interrupt> {
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
    let contents = |rows: &[(ItemId, Fp)]| -> Vec<Content> {
        rows.iter().map(|(item, fp)| Content { key: item.content(), fingerprint: queries::wide(*fp) }).collect()
    };
    let (functions, items) = (contents(&plan.functions), contents(&plan.items));
    let request = Request {
        functions: &functions,
        items: &items,
        entry: lir::build::entry_item().content(),
        returns_status: plan.entry.is_some_and(|entry| entry.returns_status),
        symbols: plan.symbols,
    };
    let pieces = Pieces { engine, main, plan, file: &file, interrupt: RefCell::new(None) };
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
    plan: &'a queries::Plan,
    file: &'a File,
    interrupt: RefCell<Option<Interrupt>>,
}

impl Pieces<'_> {
    fn ask<Q: Query>(&self, key: &Q::Key) -> Option<Arc<Q::Value>> {
        self.engine.get::<Q>(key).map_err(|interrupt| *self.interrupt.borrow_mut() = Some(interrupt)).ok()
    }

    /// Few things change in an edit: looking through all is cheaper than an index of all.
    fn find(rows: &[(ItemId, Fp)], key: u128) -> Option<(ItemId, Fp)> {
        rows.iter().find(|(item, _)| item.content() == key).copied()
    }
}

impl image::plan::Source for Pieces<'_> {
    fn key(&self, item: ItemId) -> Option<u128> {
        Some(item.content())
    }

    fn function(&self, key: u128) -> Option<Cow<'_, image::Function>> {
        let (item, _) = Self::find(&self.plan.functions, key)?;
        let code = match item == lir::build::entry_item() {
            true => Some((*self.ask::<queries::EntryCode>(&self.main)?).clone()),
            false => (*self.ask::<queries::MachineCode>(&item)?).clone(),
        };
        code?.as_ref().as_ref().ok().map(|code| Cow::Owned(code.function.clone()))
    }

    fn item(&self, key: u128) -> Option<(Cow<'_, image::Item>, u128)> {
        let (item, fp) = Self::find(&self.plan.items, key)?;
        let position = self.ask::<queries::Position>(&item)?;
        Some((Cow::Owned(queries::item_record(item, position.as_ref().as_ref())), queries::wide(fp)))
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> bool {
        self.file.read_exact_at(into, offset).is_ok()
    }
}
