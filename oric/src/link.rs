//! Making the executable from the link plan: nothing when it is there already, a patch when the one before is, the one from the store of artifacts when the
//! same plan was linked before, else a clean link.
//!
//! With `ORI_LINKER` another program links what `--emit=obj` writes ([`crate::foreign`]); nothing is patched then.
//!
//! What a clean link gave is put into that store, by its content. A patched executable is not: hashing and writing all of it would cost more than the edit.
//! The driver does this, and no query: whether a file is still there is nothing that an answer may depend on.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use image::plan::{Content, Request};
use ir::{ItemId, Symbol};
use query::store::Mapped;
use query::store::cas::{Address, Cas};
use query::{Engine, Fp, Interrupt, Query};
use rustix::fs::{FlockOperation, flock};

use crate::foreign::{Failed, Linker};
use crate::held::{self, Held};
use crate::outputs::{Form, Kept, Origin, Stamp};
use crate::project::Seen;
use crate::queries::{self, ModuleOf, NotLinked};
use crate::release::{self, NotMade, Release};
use crate::session::{Session, Step};

/// How an executable came to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// It was there.
    UpToDate,
    /// The one before was changed in place.
    Patched,
    /// Taken from the store of artifacts, where an earlier link put it.
    Restored,
    /// Linked from nothing.
    Clean,
    /// Linked from units of LLVM's, of which so many were made anew.
    Units {
        /// Made anew.
        made: usize,
        /// All.
        of: usize,
    },
}

/// Why there is no executable.
#[derive(Debug)]
pub enum Failure {
    /// The program cannot be linked.
    Link(NotLinked),
    /// The linker of somebody else refused.
    Foreign {
        /// Its name, and who named it.
        linker: String,
        /// What it said.
        said: String,
    },
    /// A release build went wrong.
    Release(NotMade),
    /// A release build has nobody to link it.
    NoLinker,
    /// The linker of somebody else cannot be given what it links.
    Handover(io::Error),
    /// The file cannot be written.
    Io(io::Error),
}

/// An executable that is up to date. Another process may put another one at its path as soon as it is made: what is held is this one.
#[derive(Debug)]
pub struct Executable {
    /// The file.
    pub held: Held,
    /// How it came to be.
    pub how: How,
}

/// Bytes of an executable that is put into the store of artifacts beside being written: less takes no longer than a thread takes to start.
const LARGE: usize = 1 << 18;

/// Brings the executable of `main` at `path` up to date.
pub fn executable(session: &mut Session, main: ItemId, path: &Path, clean_link: bool) -> Result<Executable, Failure> {
    let absolute = std::path::absolute(path).map_err(Failure::Io)?;
    if let Some(release) = session.setup.release.clone() {
        return released(session, main, (path, absolute), &release, clean_link);
    }
    session.ask(|session| {
        session.generate(main);
        Ok(())
    });
    let plan = session.ask(|session| session.engine.fingerprint::<queries::LinkPlan>(&main));
    let linker = session.setup.linker.clone();
    let stamp = match &linker {
        None => Stamp::new(plan, queries::Linked::schema()),
        Some(linker) => Stamp::new(plan, Fp::of(&(queries::Object::schema(), linker.identity()))),
    };
    if !clean_link && let Some(held) = session.outputs.up_to_date(&absolute, stamp) {
        return Ok(Executable { held, how: How::UpToDate });
    }
    let plan = session.ask(|session| session.engine.get::<queries::LinkPlan>(&main));
    let from = Origin::new(stamp, &plan);
    let sidecar = session.setup.cache.as_ref().map(|cache| cache.sidecar(&absolute));
    if let (Some(sidecar), false, None) = (&sidecar, clean_link, &linker)
        && session.outputs.may_be_patched(&absolute, stamp)
    {
        let patched = session.ask(|session| patch(session, main, &plan, (path, &absolute, stamp), sidecar));
        if let Some((held, side)) = patched {
            session.outputs.wrote(absolute, from, held.seen(), side);
            return Ok(Executable { held, how: How::Patched });
        }
    }
    if !clean_link && let Some(restored) = restore(session, Form::Executable, stamp) {
        let (held, side) = write_both(path, &restored.bytes, sidecar.as_deref(), restored.sidecar.as_deref())?;
        session.outputs.wrote(absolute, from, held.seen(), side);
        return Ok(Executable { held, how: How::Restored });
    }
    if let Some(linker) = linker {
        let image = linked_by(session, main, &linker)?;
        let (held, side) = write_both(path, &image, sidecar.as_deref(), None)?;
        session.outputs.wrote(absolute, from, held.seen(), side);
        keep(session, Form::Executable, stamp, &image, None);
        return Ok(Executable { held, how: How::Clean });
    }
    let made = session.ask(|session| {
        session.gathering(|| {
            let linked = session.engine.get::<queries::Linked>(&main)?;
            let linked = match &**linked {
                Ok(linked) => linked,
                Err(error) => return Ok(Err(Failure::Link(error.clone()))),
            };
            Ok(std::thread::scope(|scope| {
                let artifacts = || put(session, &linked.image, linked.sidecar.as_deref());
                // A large one is worth a thread; without it, one after the other.
                let beside =
                    (linked.image.len() > LARGE).then(|| std::thread::Builder::new().spawn_scoped(scope, artifacts).ok()).flatten();
                let written = write_both(path, &linked.image, sidecar.as_deref(), linked.sidecar.as_deref());
                let artifacts =
                    beside.map_or_else(artifacts, |thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
                Ok((written?, artifacts))
            }))
        })
    });
    let ((held, side), artifacts) = made?;
    session.outputs.wrote(absolute, from, held.seen(), side);
    kept(session, Form::Executable, stamp, artifacts);
    Ok(Executable { held, how: How::Clean })
}

/// The executable as another linker makes it.
fn linked_by(session: &mut Session, main: ItemId, linker: &Linker) -> Result<Vec<u8>, Failure> {
    let object = session.ask(|session| session.engine.get::<queries::Object>(&main));
    let object = (**object).as_ref().map_err(|error| Failure::Link(error.clone()))?;
    foreign_link(session, linker, &[object])
}

fn foreign_link(session: &mut Session, linker: &Linker, objects: &[&[u8]]) -> Result<Vec<u8>, Failure> {
    let started = Instant::now();
    let linked = linker.link(objects, session.setup.link.symbols).map_err(|failed| match failed {
        Failed::Io(error) => Failure::Handover(error),
        Failed::Refused(said) => Failure::Foreign { linker: linker.introduced(), said },
    })?;
    session.steps.push(Step { kind: "link", what: linker.name(), worker: 0, started, took: started.elapsed() });
    if !linked.said.is_empty() {
        session.warnings.push(format!("{} says: {}", linker.name(), linked.said));
    }
    Ok(linked.image)
}

/// An executable that another linker made, and what of: for reports.
pub struct Parts {
    /// The executable.
    pub image: Vec<u8>,
    /// Objects; of a release build the first has the tables.
    pub objects: Vec<Vec<u8>>,
}

/// What an executable of another linker is made of; `None` where ours links. What is kept of the last build is not made again.
pub fn parts(session: &mut Session, main: ItemId) -> Result<Option<Parts>, Failure> {
    let linker = session.setup.linker.clone();
    let objects = match (session.setup.release.clone(), &linker) {
        (Some(release), _) => release_objects(session, main, &release, false)?.0,
        (None, None) => return Ok(None),
        (None, Some(_)) => {
            let object = session.ask(|session| session.engine.get::<queries::Object>(&main));
            vec![(**object).clone().map_err(Failure::Link)?]
        }
    };
    let linker = linker.ok_or(Failure::NoLinker)?;
    let rows: Vec<&[u8]> = objects.iter().map(Vec::as_slice).collect();
    let image = foreign_link(session, &linker, &rows)?;
    Ok(Some(Parts { image, objects }))
}

/// The executable of a release build: nothing when it is there already, the one that was kept, else made.
fn released(
    session: &mut Session,
    main: ItemId,
    (path, absolute): (&Path, std::path::PathBuf),
    release: &Release,
    clean_link: bool,
) -> Result<Executable, Failure> {
    let Some(linker) = session.setup.linker.clone() else { return Err(Failure::NoLinker) };
    let symbols = session.setup.link.symbols;
    let plan = session.ask(|session| session.engine.fingerprint::<queries::ReleasePlan>(&main));
    let told = release::told(session, main, release).map_err(Failure::Release)?;
    let stamp = Stamp::new(plan, Fp::of(&(queries::Object::schema(), linker.identity(), release.identity(), release.units, symbols, told)));
    if !clean_link && let Some(held) = session.outputs.up_to_date(&absolute, stamp) {
        return Ok(Executable { held, how: How::UpToDate });
    }
    let restored = if clean_link { None } else { restore(session, Form::Executable, stamp) };
    let (image, how) = match restored {
        Some(restored) => (restored.bytes, How::Restored),
        None => {
            let (objects, how) = release_objects(session, main, release, clean_link)?;
            let objects: Vec<&[u8]> = objects.iter().map(Vec::as_slice).collect();
            (foreign_link(session, &linker, &objects)?, how)
        }
    };
    let (held, side) = write_both(path, &image, None, None)?;
    session.outputs.wrote(absolute, Origin::alone(stamp), held.seen(), side);
    if how != How::Restored {
        keep(session, Form::Executable, stamp, &image, None);
    }
    Ok(Executable { held, how })
}

/// The objects of a release build: the tables, and one of each unit. Units that are as they were are not made again.
pub fn release_objects(session: &mut Session, main: ItemId, release: &Release, clean: bool) -> Result<(Vec<Vec<u8>>, How), Failure> {
    let plan = release::plan(session, main).map_err(Failure::Release)?;
    let division = release::division(session, main, release.units).map_err(Failure::Release)?;
    // What LLVM sees: places name items, and where those stand is in the tables.
    let code = Fp::of(&(queries::Object::schema(), release.identity()));
    let stamps: Vec<Stamp> = division.parts.iter().map(|part| Stamp::new(part.fingerprint, code)).collect();
    let mut objects: Vec<Option<Vec<u8>>> = Vec::with_capacity(stamps.len());
    let mut units = Vec::new();
    for (part, &stamp) in division.parts.iter().zip(&stamps) {
        let restored = if clean { None } else { restore(session, Form::Unit, stamp) };
        if restored.is_none() {
            units.push(release::unit(session, main, &division, part).map_err(Failure::Release)?);
        }
        objects.push(restored.map(|restored| restored.bytes));
    }
    let how = How::Units { made: units.len(), of: objects.len() };
    let (made, steps) = release::timed(release, &units, llvm::Product::Object).map_err(Failure::Release)?;
    session.steps.extend(steps);
    let lacking = objects.iter_mut().zip(&stamps).filter(|(object, _)| object.is_none());
    for ((object, &stamp), bytes) in lacking.zip(made) {
        keep(session, Form::Unit, stamp, &bytes, None);
        *object = Some(bytes);
    }
    let tables = release::tables(session, &plan).map_err(Failure::Release)?;
    Ok((std::iter::once(tables).chain(objects.into_iter().flatten()).collect(), how))
}

/// Writes the object at `path`, from the store of artifacts when the same plan was written before; its size in bytes, and how.
pub fn object(session: &mut Session, path: &Path) -> Result<(u64, How), Failure> {
    let main = session.main_item();
    session.ask(|session| {
        session.generate(main);
        Ok(())
    });
    let plan = session.ask(|session| session.engine.fingerprint::<queries::LinkPlan>(&main));
    let stamp = Stamp::new(plan, queries::Object::schema());
    if let Some(restored) = restore(session, Form::Object, stamp) {
        held::write(path, &restored.bytes, false).map_err(Failure::Io)?;
        return Ok((restored.bytes.len() as u64, How::Restored));
    }
    let object = session.ask(|session| session.engine.get::<queries::Object>(&main));
    let bytes = match &**object {
        Ok(bytes) => bytes,
        Err(error) => return Err(Failure::Link(error.clone())),
    };
    held::write(path, bytes, false).map_err(Failure::Io)?;
    keep(session, Form::Object, stamp, bytes, None);
    Ok((bytes.len() as u64, How::Clean))
}

/// The executable, and what the next link patches it by: what the disk says of that.
fn write_both(path: &Path, image: &[u8], sidecar: Option<&Path>, bytes: Option<&[u8]>) -> Result<(Held, Seen), Failure> {
    let image = held::write(path, image, true).map_err(Failure::Io)?;
    // Without a sidecar the next link is no patch: losing it loses time.
    let side = match (sidecar, bytes) {
        (Some(path), Some(bytes)) => {
            path.parent().map(std::fs::create_dir_all).and_then(|_| held::write(path, bytes, false).ok()).map(|side| side.seen())
        }
        (Some(path), None) => {
            let _ = std::fs::remove_file(path);
            None
        }
        (None, _) => None,
    };
    Ok((image, side.unwrap_or(Seen::Absent)))
}

/// What the store of artifacts has.
struct Restored {
    bytes: Vec<u8>,
    sidecar: Option<Vec<u8>>,
}

/// What an earlier link made of this plan, byte by byte as it was put. What is damaged or gone is forgotten, and made anew.
fn restore(session: &mut Session, form: Form, stamp: Stamp) -> Option<Restored> {
    let cas = Cas::open(&session.setup.cache.as_ref()?.shared);
    let kept = session.outputs.kept(form, stamp)?;
    let Some(bytes) = cas.get(kept.address()) else {
        session.outputs.forget(form, stamp);
        return None;
    };
    let sidecar = kept.sidecar().and_then(|address| cas.get(address));
    session.outputs.used(kept);
    Some(Restored { bytes, sidecar })
}

/// Puts what a link gave into the store of artifacts. Failing costs a later link.
fn keep(session: &mut Session, form: Form, stamp: Stamp, bytes: &[u8], sidecar: Option<&[u8]>) {
    let artifacts = put(session, bytes, sidecar);
    kept(session, form, stamp, artifacts);
}

/// An artifact in the store, and its sidecar.
type Artifacts = (Address, Option<Address>);

fn put(session: &Session, bytes: &[u8], sidecar: Option<&[u8]>) -> Option<Artifacts> {
    let cas = Cas::open(&session.setup.cache.as_ref()?.shared);
    let address = cas.put(bytes).ok()?;
    Some((address, sidecar.and_then(|bytes| cas.put(bytes).ok())))
}

/// Notes what was put there.
fn kept(session: &mut Session, form: Form, stamp: Stamp, artifacts: Option<Artifacts>) {
    if let Some((address, sidecar)) = artifacts {
        session.outputs.used(Kept::new(form, stamp, address, sidecar));
    }
}

/// Changes the executable in place; what it is and what is said of its sidecar. `None` when it has to be linked from nothing: it runs or is about to, it is
/// shared, or too much of it moves.
fn patch(
    session: &Session,
    main: ItemId,
    plan: &queries::Plan,
    (path, absolute, stamp): (&Path, &Path, Stamp),
    sidecar: &Path,
) -> Result<Option<(Held, Seen)>, Interrupt> {
    let engine = &session.engine;
    // Whoever patches holds both files alone. Who comes second links from nothing, and does not change what the first one reads.
    let Some(held) = Held::alone(path) else { return Ok(None) };
    let Some(mut tables) = lock(sidecar) else { return Ok(None) };
    let Ok(side) = tables.metadata() else { return Ok(None) };
    let Some(before) = session.outputs.of(absolute, stamp, held.seen(), Seen::of(&side)) else { return Ok(None) };
    // A program that runs cannot be opened for writing (ETXTBSY).
    let Some(file) = held.writable(path) else { return Ok(None) };
    let Ok(old) = Mapped::of(&mut tables) else { return Ok(None) };
    if image::plan::facts(&old).is_ok_and(|facts| facts.image_length != held.size()) {
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
        image::plan::Plan::Unchanged => return Ok(held.changed(file).ok().map(|held| (held, Seen::of(&side)))),
        image::plan::Plan::Patch(patch) => patch,
        image::plan::Plan::Fallback(_) => return Ok(None),
    };
    // The sidecar goes first out of the way: should this stop half way, the next link finds none, and links from nothing.
    let aside = sidecar.with_extension("old");
    let written = std::fs::rename(sidecar, &aside).and_then(|()| {
        write_at(&file, &patch.image)?;
        file.set_len(patch.image_length)?;
        write_at(&tables, &patch.sidecar)?;
        std::fs::rename(&aside, sidecar)?;
        Ok((held.changed(file)?, Seen::of(&tables.metadata()?)))
    });
    Ok(written.ok())
}

/// The file at a path, held by this process alone until it is closed.
fn lock(path: &Path) -> Option<File> {
    let file = File::options().read(true).write(true).open(path).ok()?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
    // Between opening and locking another process may have put another file there.
    let (held, named) = (file.metadata().ok()?, std::fs::metadata(path).ok()?);
    ((held.dev(), held.ino()) == (named.dev(), named.ino())).then_some(file)
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
            true => (*self.ask::<queries::EntryCode>(&self.main)?).clone(),
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
