//! `ori.toml`: what a package says of itself (language/07 §7.10).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::coverage::Coverage;
use crate::project::OpenError;

/// What `ori.toml` says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// Name of the package: an identifier.
    pub name: Option<String>,
    /// File with `@main`, below `src/`.
    pub main: String,
    /// Are bodies optimised? Overflow checks stay on either way.
    pub optimise: bool,
    /// How it is tested.
    pub testing: Testing,
    /// What it imports from: names, and the folders of the packages, relative to its own.
    pub dependencies: Vec<(String, String)>,
}

/// How a package is tested (language/11 §11.3, §11.5, §11.9).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Testing {
    /// What is said of functions without a test.
    pub coverage: Option<Coverage>,
    /// A test that takes longer fails.
    pub timeout: Duration,
    /// An attached test that takes longer is worth a warning.
    pub slow: Duration,
}

impl Default for Testing {
    fn default() -> Self {
        Testing { coverage: None, timeout: Duration::from_secs(60), slow: Duration::from_millis(100) }
    }
}

impl Default for Manifest {
    fn default() -> Self {
        Manifest { name: None, main: "main.ori".to_owned(), optimise: true, testing: Testing::default(), dependencies: Vec::new() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(alias = "package")]
    project: Table,
    #[serde(default)]
    build: Build,
    #[serde(default)]
    testing: TestingTable,
    #[serde(default)]
    dependencies: BTreeMap<String, Dependency>,
    features: Option<toml::Table>,
    const_eval: Option<toml::Table>,
}

/// What stands behind the name of a dependency.
#[derive(Deserialize)]
#[serde(untagged)]
enum Dependency {
    Version(String),
    Table {
        path: Option<String>,
        #[serde(flatten)]
        others: BTreeMap<String, toml::Value>,
    },
}

impl Dependency {
    /// The folder, or why there is none.
    fn folder(self) -> Result<String, String> {
        const PATHS: &str = "this compiler takes packages from folders: `{ path = \"../name\" }`";
        match self {
            Dependency::Version(version) => Err(format!("versions (`{version}`) are not supported yet; {PATHS}")),
            Dependency::Table { path: Some(path), others } => match others.keys().find(|key| key.as_str() != "version") {
                None => Ok(path),
                Some(key) => Err(format!("`{key}` is not supported; {PATHS}")),
            },
            Dependency::Table { path: None, .. } => Err(format!("it has no `path`; {PATHS}")),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    name: String,
    main: Option<String>,
    #[serde(default, rename = "version")]
    _version: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Build {
    optimise: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct TestingTable {
    coverage: Option<Coverage>,
    timeout: Option<Time>,
    slow_test_threshold: Option<Time>,
}

/// A duration as text.
struct Time(Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = String::deserialize(deserializer)?;
        duration(&text).map(Time).ok_or_else(|| serde::de::Error::custom(format!("'{text}' is no time: {DURATION}")))
    }
}

/// What a duration looks like.
pub const DURATION: &str = "a time is a whole number with `ms`, `s` or `m`, as `500ms`";

/// `500ms`, `60s`, `2m` (language/11 §11.9).
pub fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = (text[..digits].parse::<u64>().ok()?, &text[digits..]);
    let ms = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        _ => return None,
    };
    number.checked_mul(ms).map(Duration::from_millis)
}

/// Name of the file.
pub const NAME: &str = "ori.toml";

/// Reads the manifest of a folder; `None` when it has none.
pub fn read(folder: &Path) -> Result<Option<Manifest>, OpenError> {
    let path = folder.join(NAME);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(OpenError::Io(path, error)),
    };
    parse(&text).map(Some).map_err(|why| OpenError::Manifest(path, why))
}

fn parse(text: &str) -> Result<Manifest, String> {
    let file: File = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let message = error.message().trim().replace('\n', " ");
        line.map_or(message.clone(), |line| format!("line {line}: {message}"))
    })?;
    let name = file.project.name;
    let is_identifier = |name: &str| {
        name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !name.bytes().next().is_none_or(|b| b.is_ascii_digit())
    };
    if !is_identifier(&name) {
        return Err(format!("the name '{name}' is not an identifier"));
    }
    let main = file.project.main.unwrap_or_else(|| "src/main.ori".to_owned());
    let inside =
        main.strip_prefix("src/").filter(|rest| rest.ends_with(".ori") && !rest.split('/').any(|part| part == ".." || part.is_empty()));
    let Some(inside) = inside else {
        return Err(format!("main '{main}' is not an .ori file below src/"));
    };
    let standing = Testing::default();
    let testing = Testing {
        coverage: file.testing.coverage,
        timeout: file.testing.timeout.map_or(standing.timeout, |time| time.0),
        slow: file.testing.slow_test_threshold.map_or(standing.slow, |time| time.0),
    };
    for (table, is_there) in [("features", file.features.is_some()), ("const_eval", file.const_eval.is_some())] {
        if is_there {
            return Err(format!("the table [{table}] is not supported yet"));
        }
    }
    let mut dependencies = Vec::new();
    for (name, dependency) in file.dependencies {
        if !is_identifier(&name) || name == "std" {
            return Err(format!("dependency '{name}': no package can be imported by this name"));
        }
        let folder = dependency.folder().map_err(|why| format!("dependency '{name}': {why}"))?;
        dependencies.push((name, folder));
    }
    let optimise = file.build.optimise.unwrap_or(true);
    Ok(Manifest { name: Some(name), main: inside.to_owned(), optimise, testing, dependencies })
}

/// The nearest folder at or above `folder` with a manifest, and the way down from it.
pub fn package_above(folder: &Path) -> Option<(PathBuf, PathBuf)> {
    let absolute = std::fs::canonicalize(folder).ok()?;
    let package = absolute.ancestors().find(|folder| folder.join(NAME).is_file())?;
    let below = absolute.strip_prefix(package).ok()?.to_owned();
    // As it was written on the command line, as far as that goes up; else relative to the working folder, else absolute.
    let up = below.components().count();
    let mut written = folder.to_owned();
    for _ in 0..up {
        if !written.pop() {
            return Some((relative_to_working_folder(package), below));
        }
    }
    let written = if written.as_os_str().is_empty() { PathBuf::from(".") } else { written };
    match std::fs::canonicalize(&written) {
        Ok(same) if same == package => Some((written, below)),
        Ok(_) | Err(_) => Some((relative_to_working_folder(package), below)),
    }
}

fn relative_to_working_folder(package: &Path) -> PathBuf {
    let Ok(here) = std::env::current_dir().and_then(std::fs::canonicalize) else { return package.to_owned() };
    match here.strip_prefix(package) {
        Ok(down) if down.as_os_str().is_empty() => PathBuf::from("."),
        Ok(down) => down.components().map(|_| "..").collect(),
        Err(_) => package.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Manifest, Testing, duration, parse};
    use crate::coverage::Coverage;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Some(Duration::from_secs(120)));
        assert_eq!((duration("5"), duration("s"), duration("1h"), duration("")), (None, None, None, None));
    }

    #[test]
    fn a_manifest_says_how_tests_are_run() {
        let testing = |text: &str| parse(&format!("[project]\nname = \"a\"\n[testing]\n{text}")).map(|manifest| manifest.testing);
        assert_eq!(testing(""), Ok(Testing::default()));
        let all = testing("coverage = \"warn\"\ntimeout = \"2s\"\nslow_test_threshold = \"7ms\"\n");
        let wanted = Testing { coverage: Some(Coverage::Warn), timeout: Duration::from_secs(2), slow: Duration::from_millis(7) };
        assert_eq!(all, Ok(wanted));
    }

    #[test]
    fn a_manifest_names_package_and_main() {
        let manifest = parse("[project]\nname = \"tank\"\nmain = \"src/bin/run.ori\"\n[build]\noptimise = false\n");
        assert_eq!(
            manifest,
            Ok(Manifest {
                name: Some("tank".to_owned()),
                main: "bin/run.ori".to_owned(),
                optimise: false,
                testing: Testing::default(),
                dependencies: Vec::new()
            })
        );
        assert_eq!(parse("[package]\nname = \"tank\"\n").map(|m| m.main), Ok("main.ori".to_owned()));
    }

    #[test]
    fn a_wrong_manifest_says_where() {
        for (text, why) in [
            ("", "missing field"),
            ("[project]\nname = 3\n", "line 2"),
            ("[project]\nname = \"a b\"\n", "not an identifier"),
            ("[project]\nname = \"a\"\ncolour = 1\n", "unknown field"),
            ("[project]\nname = \"a\"\n[testing]\nspeed = 1\n", "unknown field"),
            ("[project]\nname = \"a\"\n[testing]\ncoverage = \"all\"\n", "line 4: unknown variant `all`"),
            ("[project]\nname = \"a\"\n[testing]\ncoverage = \"count\"\n", "unknown variant"),
            ("[project]\nname = \"a\"\n[testing]\ntimeout = \"soon\"\n", "line 4: 'soon' is no time"),
            ("[project]\nname = \"a\"\n[testing]\nslow_test_threshold = 5\n", "line 4: invalid type"),
            ("[project]\nname = \"a\"\nmain = \"src/../x.ori\"\n", "below src/"),
            ("[project]\nname = \"a\"\nmain = \"/etc/x.ori\"\n", "below src/"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(why), "{text:?}: {error}");
        }
    }
}
