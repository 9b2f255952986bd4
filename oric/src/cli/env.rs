//! The environment variables that oric reads, all of them. The table in `docs/environment.md` says the same.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::rewrites::Limit;

/// What the environment says.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `FORCE_COLOR` or `CLICOLOR_FORCE` is set and not `0`.
    pub force_color: bool,
    /// `TERM=dumb`.
    pub dumb_terminal: bool,
    /// `AI_AGENT` or `AGENT` is set: short messages unless a flag says otherwise.
    pub agent: bool,
    /// `COLUMNS`.
    pub columns: Option<usize>,
    /// `ORI_FUEL`: which rewrites happen; an unreadable value is kept as text for the error.
    pub fuel: Option<Result<Limit, String>>,
    /// Panic reports of interpreted programs show a trace: `ORI_BACKTRACE` is not `0`.
    pub backtrace: bool,
    /// Interpreted programs end with what was counted: `ORI_RC_STATS` is neither empty nor `0`.
    pub counts: bool,
    /// `ORI_CACHE_DIR`: where caches are kept instead of in the project.
    pub cache_dir: Option<PathBuf>,
    /// `ORI_CACHE_SIZE`: most bytes of the store of artifacts; an unreadable value is kept as text for the error.
    pub cache_size: Option<Result<u64, String>>,
    /// `ORI_LINKER`: who links, and the `PATH` to look for it in.
    pub linker: Option<(OsString, Option<OsString>)>,
    /// `ORI_LLVM`: the worker of release builds.
    pub llvm: Option<OsString>,
    /// `ORI_LLVM_MEMORY`: most memory of that worker; an unreadable value is kept as text for the error.
    pub llvm_memory: Option<Result<u64, String>>,
    /// `ORI_DUMP_AFTER_LLVM` is neither empty nor `0`: release builds print what LLVM makes.
    pub dump_after_llvm: bool,
    /// `PATH`, where programs of others are looked for.
    pub path: Option<OsString>,
    /// The locale speaks UTF-8.
    pub utf8: bool,
}

impl Environment {
    /// Reads the environment once.
    pub fn read() -> Environment {
        let set = |name: &str| env::var_os(name).is_some_and(|v| !v.is_empty());
        let forced = |name: &str| env::var_os(name).is_some_and(|v| !v.is_empty() && v != "0");
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|n| env::var(n).ok().filter(|v| !v.is_empty()));
        Environment {
            no_color: set("NO_COLOR"),
            force_color: forced("FORCE_COLOR") || forced("CLICOLOR_FORCE"),
            dumb_terminal: env::var_os("TERM").is_some_and(|t| t == "dumb"),
            agent: set("AI_AGENT") || set("AGENT"),
            columns: env::var("COLUMNS").ok().and_then(|c| c.parse().ok()),
            fuel: env::var("ORI_FUEL").ok().filter(|v| !v.is_empty()).map(|v| v.parse().map_err(|_| v)),
            counts: forced("ORI_RC_STATS"),
            backtrace: env::var_os("ORI_BACKTRACE").is_none_or(|v| v != "0"),
            cache_dir: env::var_os("ORI_CACHE_DIR").filter(|v| !v.is_empty()).map(PathBuf::from),
            cache_size: env::var("ORI_CACHE_SIZE").ok().filter(|v| !v.is_empty()).map(|v| size(&v).ok_or(v)),
            linker: env::var_os("ORI_LINKER").filter(|v| !v.is_empty()).map(|v| (v, env::var_os("PATH"))),
            llvm: env::var_os("ORI_LLVM").filter(|v| !v.is_empty()),
            llvm_memory: env::var("ORI_LLVM_MEMORY").ok().filter(|v| !v.is_empty()).map(|v| size(&v).ok_or(v)),
            dump_after_llvm: forced("ORI_DUMP_AFTER_LLVM"),
            path: env::var_os("PATH"),
            utf8: locale.is_some_and(|l| l.to_ascii_uppercase().replace('-', "").contains("UTF8")),
        }
    }
}

/// `5GB`, `500 MB`, `1000000`
pub fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(unit)
}
