//! The environment variables that oric reads, all of them. The table in `docs/environment.md` says the same.

use std::env;

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
    /// `ORI_FUEL`: most rewrites per body; an unreadable value is kept as text for the error.
    pub fuel: Option<Result<u64, String>>,
    /// Panic reports of interpreted programs show a trace: `ORI_BACKTRACE` is not `0`.
    pub backtrace: bool,
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
            backtrace: env::var_os("ORI_BACKTRACE").is_none_or(|v| v != "0"),
            utf8: locale.is_some_and(|l| l.to_ascii_uppercase().replace('-', "").contains("UTF8")),
        }
    }
}
