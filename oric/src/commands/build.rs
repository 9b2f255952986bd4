//! `oric build`: an executable, or an object for `cc`.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;

use crate::cli::{Emit, FAILED, Input, Output, REFUSED};
use crate::queries;
use crate::session::Session;

/// Builds and writes; returns the exit status.
pub fn build(session: &Session, input: &Input, path: Option<&Path>, emit: Emit, started: Instant, output: &Output) -> i32 {
    let extension = match emit {
        Emit::Exe => "",
        Emit::Obj => "o",
    };
    let path = path.map_or_else(|| input.file.with_extension(extension), Path::to_owned);
    let bytes = match emit {
        Emit::Exe => executable(session, output),
        Emit::Obj => object(session, output),
    };
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(status) => return status,
    };
    let written = match emit {
        Emit::Exe => write(&path, &bytes, true),
        Emit::Obj => write(&path, &bytes, false).and_then(|()| write(&archive_path(&path), image::runtime_archive(), false)),
    };
    if let Err(error) = written {
        output.failure(&format!("cannot write {}: {error}", path.display()));
        return REFUSED;
    }
    output.event(&json!({ "reason": "artifact", "path": path.to_string_lossy(), "bytes": bytes.len() }));
    output.summary(&format!("build: {} ({} bytes) in {}", path.display(), bytes.len(), super::elapsed(started)));
    0
}

/// `libori_rt.a` beside the object.
fn archive_path(object: &Path) -> PathBuf {
    object.with_file_name("libori_rt.a")
}

/// The linked image of the program, or the exit status of the failure that was reported.
pub fn executable(session: &Session, output: &Output) -> Result<Vec<u8>, i32> {
    let main = checked_main(session, output)?;
    session.generate(main);
    let linked = session.engine.get::<queries::Linked>(&main).unwrap_or_else(|i| panic!("linking was interrupted: {i:?}"));
    finished(&linked, output)
}

fn object(session: &Session, output: &Output) -> Result<Vec<u8>, i32> {
    let main = checked_main(session, output)?;
    session.generate(main);
    let object = session.engine.get::<queries::Object>(&main).unwrap_or_else(|i| panic!("writing the object was interrupted: {i:?}"));
    finished(&object, output)
}

fn finished(result: &Result<Vec<u8>, queries::NotLinked>, output: &Output) -> Result<Vec<u8>, i32> {
    match result {
        Ok(bytes) => Ok(bytes.clone()),
        Err(queries::NotLinked::Limit(item, limit)) => {
            output.failure(&format!("function {} cannot be compiled: {limit}; split it", queries::shown_name(*item)));
            Err(FAILED)
        }
        Err(queries::NotLinked::Broken(message)) => panic!("linking failed: {message}"),
    }
}

/// `@main` of the main module, when it exists and has a form that can be started.
pub fn checked_main(session: &Session, output: &Output) -> Result<ir::ItemId, i32> {
    let main = session.main_item();
    let signature = session.engine.get::<queries::Signature>(&main).unwrap_or_else(|i| panic!("the session was interrupted: {i:?}"));
    match hir::resolve::check_main((*signature).as_deref(), session.project.main) {
        None => Ok(main),
        Some(diagnostic) => {
            output.diagnostics(&[diagnostic], session);
            Err(FAILED)
        }
    }
}

/// Writes beside the target and renames, so that nobody sees half a file and a running program keeps its own.
pub fn write(path: &Path, bytes: &[u8], executable: bool) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let name = path.file_name().ok_or_else(|| io::Error::other("no file name"))?.to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let mode = if executable { 0o755 } else { 0o644 };
    let result = (|| {
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&temporary)?;
        file.write_all(bytes)?;
        drop(file);
        std::fs::rename(&temporary, path)
    })();
    if result.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    result
}
