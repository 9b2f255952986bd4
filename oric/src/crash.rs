//! Our own bugs are loud: the broken invariant, what was being compiled, a reproducer, exit status 101. Never shown as the user's mistake.

use std::cell::RefCell;
use std::fmt::Write;
use std::path::PathBuf;

use ir::{Fault, ItemId};

thread_local! {
    /// What the panic hook saw last on this thread.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Stops when a verifier found faults: the producer of the body has a bug. The body's text becomes a part of the reproducer.
pub fn refuse<F: Fault, E>(level: &str, item: ItemId, faults: &[F], body: impl FnOnce() -> Result<String, E>) {
    if faults.is_empty() {
        return;
    }
    if let (Ok(text), Ok(mut first)) = (body(), BODY.lock()) {
        first.get_or_insert(text);
    }
    panic!("{level} of @{item} breaks its rules:\n{}", ir::fault::report(&item.to_string(), faults));
}

/// Replaces the default panic message of the standard library: it is kept for the report instead.
pub fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        let message = info
            .payload()
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| info.payload().downcast_ref::<&str>().map(|s| (*s).to_owned()))
            .unwrap_or_else(|| "unknown".to_owned());
        let at = info.location().map_or_else(String::new, |l| format!(" ({}:{})", l.file(), l.line()));
        let text = format!("{message}{at}");
        LAST.with_borrow_mut(|last| *last = Some(text.clone()));
        if let Ok(mut first) = FIRST.lock() {
            first.get_or_insert(text);
        }
    }));
}

/// The first panic of any thread: workers die with it, the main thread reports it.
static FIRST: std::sync::Mutex<Option<String>> = std::sync::Mutex::new(None);

/// The body that the first verifier refused.
static BODY: std::sync::Mutex<Option<String>> = std::sync::Mutex::new(None);

/// What is known of the crash.
pub fn description() -> String {
    let first = FIRST.lock().ok().and_then(|f| f.clone());
    first.or_else(|| LAST.with_borrow(Clone::clone)).unwrap_or_else(|| "unknown".to_owned())
}

/// Writes everything that is needed to see the bug again: command line, versions, sources. Returns its path.
pub fn write_reproducer(description: &str, sources: &[(String, String)]) -> Option<PathBuf> {
    let mut text = String::new();
    let _ =
        writeln!(text, "oric {}\nargs: {:?}\n\n{description}\n", env!("CARGO_PKG_VERSION"), std::env::args().skip(1).collect::<Vec<_>>());
    for (path, source) in sources {
        let _ = writeln!(text, "==== {path}\n{source}");
    }
    if let Some(body) = BODY.lock().ok().and_then(|body| body.clone()) {
        let _ = writeln!(text, "==== the refused body\n{body}");
    }
    // Named by content: the same bug writes the same file.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
    let path = std::env::temp_dir().join(format!("oric-crash-{hash:016x}.txt"));
    std::fs::write(&path, text).ok()?;
    Some(path)
}
