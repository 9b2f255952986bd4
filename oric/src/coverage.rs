//! The coverage rule (language/11 §11.3): every function needs a test. Which lack one is an answer of the engine; here stands what is made of it.

use clap::ValueEnum;
use ir::{ItemId, Symbol};
use query::Interrupt;
use serde::Deserialize;
use syntax::{Anchor, Diagnostic, DiagnosticCode};

use crate::project::Project;
use crate::queries;
use crate::session::Session;

/// What is said of functions without a test.
#[derive(ValueEnum, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Coverage {
    /// Each is an error, E0510.
    Error,
    /// Each is a warning, W0510.
    Warn,
    /// Nothing.
    Off,
    /// How many there are, in the summary.
    #[value(skip)]
    #[serde(skip)]
    Count,
}

impl Coverage {
    /// What holds for a program when its package and the command line say nothing.
    pub fn default_of(project: &Project) -> Coverage {
        if project.is_package() { Coverage::Error } else { Coverage::Count }
    }

    /// The code of a function without a test.
    const fn code(self) -> Option<DiagnosticCode> {
        match self {
            Coverage::Error => Some(DiagnosticCode::E0510),
            Coverage::Warn => Some(DiagnosticCode::W0510),
            Coverage::Off | Coverage::Count => None,
        }
    }
}

/// Is it about a function without a test?
pub fn is_about(diagnostic: &Diagnostic) -> bool {
    matches!(diagnostic.code, DiagnosticCode::E0510 | DiagnosticCode::W0510)
}

/// What there is to say about functions without a test.
pub fn diagnostics(session: &Session) -> Result<Vec<Diagnostic>, Interrupt> {
    let Some(code) = session.setup.coverage.code().filter(|_| session.setup.tests) else { return Ok(Vec::new()) };
    let untested = session.engine.get::<queries::Untested>(&())?;
    let mut found = Vec::with_capacity(untested.len());
    for &(item, span) in untested.iter() {
        let name = item.name();
        let place = match TestFile::of(session, item)? {
            Some(file) if file.module != item.module() => format!(" in {}", file.path),
            Some(_) | None => String::new(),
        };
        let help = format!("write one{place}: `@test_{name} tests @{name} () -> void = {{ ... }}`");
        found.push(Diagnostic::new(code, Anchor::Item(item), span, [name.into()]).help(help));
    }
    Ok(found)
}

/// Where the tests of a function are to stand.
pub struct TestFile {
    /// The module: that of the function itself, outside of packages.
    pub module: Symbol,
    /// Path below the package.
    pub path: String,
    /// How it names the module of the function.
    pub import: String,
}

impl TestFile {
    /// `src/a/_test/b.test.ori` for a function of `src/a/b.ori`.
    pub fn of(session: &Session, item: ItemId) -> Result<Option<TestFile>, Interrupt> {
        let name = session.engine.get::<queries::ModuleFile>(&item.module())?;
        let Some(name) = (*name).as_ref() else { return Ok(None) };
        if !session.project.is_package() {
            return Ok(Some(TestFile { module: item.module(), path: name.path.clone(), import: String::new() }));
        }
        let (folder, file) = name.path.rsplit_once('/').unwrap_or(("", &name.path));
        let stem = file.strip_suffix(".ori").unwrap_or(file);
        let import = match folder.rsplit_once('/') {
            // `a/mod.ori` is the module `a`.
            Some((_, last)) if stem == "mod" => format!("../../{last}"),
            Some(_) | None => format!("../{stem}"),
        };
        let path = format!("{folder}/_test/{stem}.test.ori");
        Ok(Some(TestFile { module: session.project.module_at(&path), path, import }))
    }
}

/// `coverage: 3 functions have no tests`, where that is all that is said.
pub fn summary(session: &mut Session) -> Option<String> {
    if session.setup.coverage != Coverage::Count || !session.setup.tests {
        return None;
    }
    let untested = session.ask(|session| session.engine.get::<queries::Untested>(&())).len();
    let functions = if untested == 1 { "function has" } else { "functions have" };
    (untested > 0).then(|| format!("coverage: {untested} {functions} no tests; --coverage=warn names them"))
}
