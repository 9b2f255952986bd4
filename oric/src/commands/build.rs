//! `oric build`: an executable, or an object for `cc`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;
use syntax::{Anchor, Diagnostic, DiagnosticCode};

use crate::cli::{Emit, FAILED, Input, Output, REFUSED, Remarks};
use crate::foreign::{Host, Linker};
use crate::held;
use crate::link::{self, Failure, How};
use crate::queries;
use crate::release::{self, NotMade, Release};
use crate::session::Session;

/// What is wanted of a build.
pub struct Request<'a> {
    /// Where it is written; else where the program's file is.
    pub path: Option<&'a Path>,
    /// What is written.
    pub emit: Emit,
    /// Linked from nothing.
    pub clean: bool,
    /// Without symbols.
    pub strip: bool,
    /// What the optimiser says is printed.
    pub remarks: Option<Remarks>,
}

impl Request<'_> {
    /// A flag that means nothing where no executable is made.
    const fn flag_of_executables(&self) -> Option<&'static str> {
        match (self.strip, self.clean) {
            (true, _) => Some("--strip"),
            (false, true) => Some("--clean-link"),
            (false, false) => None,
        }
    }
}

/// Builds and writes; returns the exit status.
pub fn build(session: &mut Session, input: &Input, request: &Request<'_>, started: Instant, output: &Output) -> i32 {
    let Request { path, emit, clean, remarks, .. } = *request;
    let extension = match emit {
        Emit::Exe => "",
        Emit::Obj => "o",
        Emit::LlvmIr => "ll",
        Emit::Bc => "bc",
        Emit::Asm => "s",
    };
    let release = session.setup.release.clone();
    let product = match emit {
        Emit::Exe => None,
        Emit::Obj => Some(llvm::Product::Object),
        Emit::LlvmIr => Some(llvm::Product::Optimised),
        Emit::Bc => Some(llvm::Product::Bitcode),
        Emit::Asm => Some(llvm::Product::Assembly),
    };
    if release.is_none() && matches!(emit, Emit::LlvmIr | Emit::Bc | Emit::Asm) {
        output.failure("LLVM makes that: add --release (--dump=asm shows what the development build runs)");
        return REFUSED;
    }
    if product.is_some() && release.as_ref().is_some_and(|release| release.units.is_some()) {
        output.failure("--codegen-units is for executables: what '--emit' writes is one unit; leave one of the two out");
        return REFUSED;
    }
    if let (Emit::Obj | Emit::LlvmIr | Emit::Bc | Emit::Asm, Some(flag)) = (emit, request.flag_of_executables()) {
        output.failure(&format!("{flag} is about executables: leave it or '--emit' out"));
        return REFUSED;
    }
    let path = path.map_or_else(|| default_path(session, input, extension), Path::to_owned);
    if path.extension().is_some_and(|extension| extension == "ori") || path.file_name().is_some_and(|name| name == crate::manifest::NAME) {
        output.failure(&format!("{} has the name of a source file, which would be lost; name another file with -o", path.display()));
        return REFUSED;
    }
    if let Err(status) = checked_main(session, output) {
        return status;
    }
    if let Some(which) = remarks {
        match super::report::functions(session, session.main_item()) {
            Ok(functions) => super::remarks::remarks(session, &functions, which, output),
            Err(failure) => return failed(&failure, &path, session, output),
        }
    }
    let built = match (product, release) {
        (None, _) => link::executable(session, session.main_item(), &path, clean).map(|built| (built.held.size(), built.how)),
        (Some(product), Some(release)) => emitted(session, &release, product, &path),
        (Some(_), None) => object(session, &path),
    };
    let (bytes, how) = match built {
        Ok(built) => built,
        Err(failure) => return failed(&failure, &path, session, output),
    };
    let mut event = json!({ "reason": "artifact", "path": path.to_string_lossy(), "bytes": bytes });
    if let How::Units { made, of } = how {
        event["units"] = json!({ "made": made, "of": of });
    }
    output.event(&event);
    let how = match how {
        How::UpToDate => ", up to date".to_owned(),
        How::Patched => ", patched".to_owned(),
        How::Restored => ", restored".to_owned(),
        How::Clean | How::Units { of: 1, .. } => String::new(),
        How::Units { made, of } => format!(", {made} of {of} units optimised"),
    };
    output.summary(&format!("build: {} ({bytes} bytes{how}) in {}", path.display(), super::elapsed(started)));
    0
}

/// Beside the file; a package's program has its name.
fn default_path(session: &Session, input: &Input, extension: &str) -> PathBuf {
    let path = match &session.project.manifest.name {
        Some(name) if input.file.is_dir() => session.project.package.join(name),
        Some(_) | None => input.file.clone(),
    };
    path.with_extension(extension)
}

/// What the program stands on.
fn host(session: &Session) -> Host {
    session.setup.linker.as_ref().map_or(Host::None, Linker::host)
}

/// `libori_rt.a` beside the object.
fn archive_path(object: &Path) -> PathBuf {
    object.with_file_name("libori_rt.a")
}

/// Says why there is no program; the exit status.
pub fn failed(failure: &Failure, path: &Path, session: &Session, output: &Output) -> i32 {
    match failure {
        Failure::Io(error) => {
            output.failure(&format!("cannot write {}: {error}", path.display()));
            REFUSED
        }
        Failure::Foreign { linker, said } => {
            output.failure(&format!("{linker} cannot link {}:\n{said}", path.display()));
            REFUSED
        }
        Failure::Handover(error) => {
            output.failure(&format!("cannot hand {} to a linker: {error}", path.display()));
            REFUSED
        }
        Failure::NoLinker => {
            output.failure(
                "release builds need a linker, and there is neither ld.lld, mold, ld nor cc in PATH; install one (Debian: apt install lld)",
            );
            REFUSED
        }
        Failure::Release(NotMade::Link(why)) => failed(&Failure::Link(why.clone()), path, session, output),
        Failure::Release(why) => {
            output.failure(&why.message());
            REFUSED
        }
        Failure::Link(queries::NotLinked::Limit(item, limit)) => {
            match too_large(*item, limit, session) {
                Some(diagnostic) => _ = output.diagnostics(&[diagnostic], session),
                // Code without a place in a file: the reason is all there is to say.
                None => output.failure(&format!("function {} cannot be compiled: {limit}; split it", queries::shown_name(*item))),
            }
            FAILED
        }
        Failure::Link(queries::NotLinked::Broken(message)) => panic!("linking failed: {message}"),
    }
}

/// The report about a function whose code would be too large, at the name of the item that it is in.
fn too_large(item: ir::ItemId, limit: &queries::Limit, session: &Session) -> Option<Diagnostic> {
    let (base, _) = hir::types::instance_of(item);
    let base = base.of_object().map_or(base, |(method, _)| method);
    let declared = session.engine.get::<queries::Item>(&base).ok()?;
    let declared = (*declared).as_ref()?;
    let (anchor, span) = (Anchor::Item(declared.id), declared.name_span);
    let name = queries::shown_name(item);
    let too_many =
        |what: String, most: String| Diagnostic::new(DiagnosticCode::E0039, anchor, span, [what, most].map(|arg| arg.as_str().into()));
    Some(match limit {
        queries::Limit::Parts => too_many(format!("the number of parts of a value in {name}"), lir::build::shape::MAX_LEAVES.to_string())
            .help("structs and tuples in a value, and all that a lambda captures, lie in it with all their parts; put parts into lists")
            .note("a text counts for three parts, and so does a list"),
        queries::Limit::Values => too_many(format!("the number of values in the code of {name}"), "65,000".to_owned()).help(
            "split it into smaller functions; a large literal with anything in it that is computed, or a large constant with values on the heap, is built where it is read: read it in a function of its own",
        ),
        queries::Limit::Endless(name) => Diagnostic::new(DiagnosticCode::E0416, anchor, span, [name.as_str().into()])
            .note("each instance needs one with larger type arguments, so there would be no last one"),
        queries::Limit::Machine(_) => {
            let what = format!("the body of {name} ({limit})");
            Diagnostic::new(DiagnosticCode::E2040, anchor, span, [what.as_str().into()]).help("split it into smaller functions")
        }
    })
}

/// What LLVM made of the program. Beside an object stands what it is linked with.
fn emitted(session: &mut Session, release: &Release, product: llvm::Product, path: &Path) -> Result<(u64, How), Failure> {
    let main = session.main_item();
    if product == llvm::Product::Object {
        let whole = Release { units: Some(1), ..release.clone() };
        let (objects, how) = link::release_objects(session, main, &whole, false)?;
        let [tables, object] = objects.as_slice() else {
            return Err(Failure::Release(NotMade::Link(queries::NotLinked::Broken("one unit gives one object".to_owned()))));
        };
        held::write(&path.with_extension("tables.o"), tables, false).map_err(Failure::Io)?;
        held::write(&archive_path(path), host(session).archive(), false).map_err(Failure::Io)?;
        held::write(path, object, false).map_err(Failure::Io)?;
        return Ok((object.len() as u64, if how == (How::Units { made: 0, of: 1 }) { How::Restored } else { How::Clean }));
    }
    let unit = release::whole(session, main).map_err(Failure::Release)?;
    let (made, steps) = release::timed(release, &[unit], product).map_err(Failure::Release)?;
    session.steps.extend(steps);
    let made = made.concat();
    held::write(path, &made, false).map_err(Failure::Io)?;
    Ok((made.len() as u64, How::Clean))
}

/// The object, and the runtime that it is linked with beside it.
fn object(session: &mut Session, path: &Path) -> Result<(u64, How), Failure> {
    let object = link::object(session, path)?;
    held::write(&archive_path(path), host(session).archive(), false).map_err(Failure::Io)?;
    Ok(object)
}

/// `@main` of the main module, when it exists and has a form that can be started.
pub fn checked_main(session: &mut Session, output: &Output) -> Result<ir::ItemId, i32> {
    let main = session.main_item();
    let signature = session.ask(|session| session.engine.get::<queries::Signature>(&main));
    match hir::resolve::check_main((*signature).as_deref(), session.project.main) {
        None => Ok(main),
        Some(diagnostic) => {
            output.diagnostics(&[diagnostic], session);
            Err(FAILED)
        }
    }
}
