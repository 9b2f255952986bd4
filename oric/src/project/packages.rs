//! The packages of a program: the one that is built, and those that manifests name by their folder (language/07 §7.10).
//!
//! A module of the package that is built is called by its path below `src/`, `net.probe`; one of another package has the name of that in front, `units/net.probe`,
//! and what stands for the package as a whole, `src/lib.ori`, is `units/lib`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ir::Symbol;

use super::OpenError;
use crate::manifest::{self, Manifest};

/// A package of a program.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Package {
    /// As its manifest says; nothing for a lone file.
    pub name: String,
    /// Its folder, relative to that of the package that is built, with `/`; empty for that one.
    pub folder: String,
    /// Names by which it imports others, sorted, and their places among the packages.
    pub uses: Vec<(String, usize)>,
}

/// All packages of a program, the one that is built first.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Packages(Vec<Package>);

impl Default for Packages {
    fn default() -> Self {
        Packages(vec![Package::default()])
    }
}

impl Packages {
    /// Reads the manifests of everything that this one needs.
    pub fn of(root: &Path, manifest: &Manifest) -> Result<Packages, OpenError> {
        let mut packages = vec![Package { name: manifest.name.clone().unwrap_or_default(), ..Package::default() }];
        if manifest.dependencies.is_empty() {
            return Ok(Packages(packages));
        }
        let mut wanted = vec![manifest.dependencies.clone()];
        let mut places: HashMap<PathBuf, usize> = HashMap::new();
        places.extend(std::fs::canonicalize(root).ok().map(|root| (root, 0)));
        let mut next = 0;
        while let Some(dependencies) = wanted.get(next).cloned() {
            let from = packages[next].folder.clone();
            let own = beside(root, &from).join(manifest::NAME);
            for (name, path) in dependencies {
                let wrong = |why: String| OpenError::Manifest(own.clone(), format!("dependency '{name}': {why}"));
                let folder = joined(&from, &path).ok_or_else(|| wrong(format!("'{path}' is no path relative to this file")))?;
                let on_disk = beside(root, &folder);
                let canonical = std::fs::canonicalize(&on_disk).map_err(|error| wrong(format!("{path}: {error}")))?;
                let place = match places.get(&canonical) {
                    Some(&place) => place,
                    None => {
                        let read = manifest::read(&on_disk)?.ok_or_else(|| wrong(format!("{path} has no {}", manifest::NAME)))?;
                        let called = read.name.unwrap_or_default();
                        if let Some(other) = packages.iter().find(|package| package.name == called) {
                            let other = if other.folder.is_empty() { "this one" } else { &other.folder };
                            return Err(wrong(format!(
                                "the package in {path} is called '{called}', as {other} is; a program has one of each name"
                            )));
                        }
                        packages.push(Package { name: called, folder, uses: Vec::new() });
                        wanted.push(read.dependencies);
                        places.insert(canonical, packages.len() - 1);
                        packages.len() - 1
                    }
                };
                packages[next].uses.push((name, place));
            }
            next += 1;
        }
        Ok(Packages(packages))
    }

    /// The packages beside the one that is built.
    pub fn others(&self) -> &[Package] {
        &self.0[1..]
    }

    /// Folders of the others, and what stands for them on screen, with `/` at their ends; those inside of another one stand before it.
    pub fn shown(&self, root: &Path) -> Vec<(String, String)> {
        let slashed = |path: &Path| format!("{}/", path.to_string_lossy().trim_end_matches('/'));
        let mut all: Vec<_> =
            self.others().iter().map(|other| (format!("{}/", other.folder), slashed(&beside(root, &other.folder)))).collect();
        all.sort_by_key(|(folder, _)| std::cmp::Reverse(folder.len()));
        all
    }

    /// The package of a module.
    fn of_module(&self, module: Symbol) -> Option<&Package> {
        match hir::resolve::package_of(module) {
            "" => self.0.first(),
            name => self.others().iter().find(|package| package.name == name),
        }
    }

    /// Folder, relative to the package that is built, of the package of a module; with a `/` at its end unless it is that one.
    pub fn folder_of(&self, module: Symbol) -> Option<String> {
        let package = self.of_module(module)?;
        Some(if package.folder.is_empty() { String::new() } else { format!("{}/", package.folder) })
    }

    /// The module that a path with the name of a package in front leads to (language/07 §7.2); `None` when the importing package knows no such name.
    pub fn import(&self, from: Symbol, path: &[&str]) -> Option<Symbol> {
        let (&name, below) = path.split_first()?;
        let own = self.of_module(from)?;
        let package = match own.uses.iter().find(|(known, _)| known == name) {
            Some(&(_, place)) => self.0.get(place)?,
            None if own.name == name => own,
            None => return None,
        };
        let module = if below.is_empty() { "lib".to_owned() } else { below.join(".") };
        // The modules of the package that is built have no name in front.
        Some(Symbol::new(&if package.folder.is_empty() { module } else { format!("{}/{module}", package.name) }))
    }
}

/// The folder of a package by its path from another one, as short as it can be written: `app` and `../libs` are `libs`, unless `app` is a link to elsewhere.
pub fn beside(root: &Path, folder: &str) -> PathBuf {
    let long = root.join(folder);
    let (absolute, text) = (root.is_absolute(), root.to_string_lossy());
    let short = joined(&text, folder).map(|short| PathBuf::from(if absolute { format!("/{short}") } else { short }));
    let is_same = |short: &PathBuf| matches!((std::fs::canonicalize(short), std::fs::canonicalize(&long)), (Ok(a), Ok(b)) if a == b);
    short.filter(|short| !short.as_os_str().is_empty()).filter(is_same).unwrap_or(long)
}

/// A path below or beside a folder, without `.` and as few `..` as can be; `None` for one from the root.
fn joined(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.is_empty() {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn paths_are_beside_the_package() {
        let cases = [
            ("", "../shared", Some("../shared")),
            ("../shared", "../base", Some("../base")),
            ("../shared", "./inner/", Some("../shared/inner")),
            ("a", "..", Some("")),
            ("../a", "../../b", Some("../../b")),
            (".", "../b", Some("../b")),
            ("./a", "../b", Some("b")),
            ("", "/abs", None),
            ("", "", None),
        ];
        for (folder, path, expected) in cases {
            assert_eq!(joined(folder, path).as_deref(), expected, "{folder} {path}");
        }
    }
}
