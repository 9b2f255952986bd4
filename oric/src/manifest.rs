//! `ori.toml`: what a package says of itself (language/07 §7.10).

use std::path::{Path, PathBuf};

use serde::Deserialize;

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
}

impl Default for Manifest {
    fn default() -> Self {
        Manifest { name: None, main: "main.ori".to_owned(), optimise: true }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(alias = "package")]
    project: Table,
    #[serde(default)]
    build: Build,
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

/// Name of the file.
const NAME: &str = "ori.toml";

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
    let identifier =
        name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !name.bytes().next().is_none_or(|b| b.is_ascii_digit());
    if !identifier {
        return Err(format!("the name '{name}' is not an identifier"));
    }
    let main = file.project.main.unwrap_or_else(|| "src/main.ori".to_owned());
    let inside =
        main.strip_prefix("src/").filter(|rest| rest.ends_with(".ori") && !rest.split('/').any(|part| part == ".." || part.is_empty()));
    let Some(inside) = inside else {
        return Err(format!("main '{main}' is not an .ori file below src/"));
    };
    Ok(Manifest { name: Some(name), main: inside.to_owned(), optimise: file.build.optimise.unwrap_or(true) })
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
        Ok(down) => down.components().fold(PathBuf::from("."), |path, _| path.join("..")),
        Err(_) => package.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Manifest, parse};

    #[test]
    fn a_manifest_names_package_and_main() {
        let manifest = parse("[project]\nname = \"tank\"\nmain = \"src/bin/run.ori\"\n[build]\noptimise = false\n");
        assert_eq!(manifest, Ok(Manifest { name: Some("tank".to_owned()), main: "bin/run.ori".to_owned(), optimise: false }));
        assert_eq!(parse("[package]\nname = \"tank\"\n").map(|m| m.main), Ok("main.ori".to_owned()));
    }

    #[test]
    fn a_wrong_manifest_says_where() {
        for (text, why) in [
            ("", "missing field"),
            ("[project]\nname = 3\n", "line 2"),
            ("[project]\nname = \"a b\"\n", "not an identifier"),
            ("[project]\nname = \"a\"\ncolour = 1\n", "unknown field"),
            ("[project]\nname = \"a\"\nmain = \"src/../x.ori\"\n", "below src/"),
            ("[project]\nname = \"a\"\nmain = \"/etc/x.ori\"\n", "below src/"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(why), "{text:?}: {error}");
        }
    }
}
