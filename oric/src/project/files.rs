//! Which source files a package has: every one below its source root, and those of its tests.

use std::path::{Path, PathBuf};

/// Paths below the source root.
#[derive(Default)]
pub struct Files {
    /// Of modules, or what would be one under a better name.
    pub sources: Vec<String>,
    /// In `_test/` folders.
    pub tests: Vec<String>,
}

/// What a folder is to the package.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Sources,
    Tests,
    /// Below tests, what they read for example.
    Data,
}

impl Files {
    /// All of a package.
    pub fn of_package(source: &Path) -> Files {
        Files::of_folder(source, "")
    }

    /// Those of one folder, which is this one below the source root.
    pub fn of_folder(folder: &Path, below: &str) -> Files {
        let place = match below.trim_end_matches('/').rsplit('/').position(|name| name == "_test") {
            None => Place::Sources,
            Some(0) => Place::Tests,
            Some(_) => Place::Data,
        };
        let mut files = Files::default();
        files.collect(folder, below, place, &mut Vec::new());
        files.sources.sort_unstable();
        files.tests.sort_unstable();
        files
    }

    /// `through`: folders in which a link was followed to come here. What cannot be read has no files.
    fn collect(&mut self, folder: &Path, below: &str, place: Place, through: &mut Vec<PathBuf>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let Ok(mut kind) = entry.file_type() else { continue };
            // A name that is no text names no module, and is shown as well as it can be.
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let is_link = kind.is_symlink();
            if is_link {
                let Ok(meta) = std::fs::metadata(entry.path()) else { continue };
                kind = meta.file_type();
            }
            if kind.is_dir() {
                let place = match place {
                    _ if name == "_test" => Place::Tests,
                    Place::Sources => Place::Sources,
                    Place::Tests | Place::Data => Place::Data,
                };
                let before = through.len();
                if is_link {
                    let Some(folder) = followed(&entry.path(), folder, through) else { continue };
                    through.push(folder);
                }
                self.collect(&entry.path(), &format!("{below}{name}/"), place, through);
                through.truncate(before);
            } else if name.ends_with(".ori") {
                match place {
                    Place::Tests => self.tests.push(format!("{below}{name}")),
                    Place::Sources => self.sources.push(format!("{below}{name}")),
                    Place::Data => {}
                }
            }
        }
    }
}

/// The folder that a link stands in; nothing when it leads back to where we came from.
pub fn followed(link: &Path, folder: &Path, through: &[PathBuf]) -> Option<PathBuf> {
    let target = std::fs::canonicalize(link).ok()?;
    let folder = std::fs::canonicalize(folder).ok()?;
    let leads_back = through.iter().chain([&folder]).any(|passed| passed.starts_with(&target));
    (!leads_back).then_some(folder)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::Files;

    #[test]
    fn links_are_followed_but_not_in_circles() {
        let root = std::env::temp_dir().join(format!("oric-files-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        for folder in ["src/a", "src/b", "src/c/_test/data", "elsewhere"] {
            std::fs::create_dir_all(root.join(folder)).expect("a folder can be made");
        }
        for file in [
            "src/main.ori",
            "src/.#main.ori",
            "src/a/mod.ori",
            "src/b/x.ori",
            "src/c/_test/data/y.ori",
            "src/c/v1.2.ori",
            "elsewhere/z.test.ori",
        ] {
            std::fs::write(root.join(file), "").expect("a file can be written");
        }
        let link = |target: &str, at: &str| symlink(target, root.join(at)).expect("a link can be made");
        link("..", "src/a/up");
        link("../b", "src/a/b");
        link("../a", "src/b/a");
        link("../elsewhere", "src/_test");
        link("nowhere", "src/gone.ori");
        link("b/x.ori", "src/x.ori");
        let files = Files::of_package(&root.join("src"));
        assert_eq!(files.sources, ["a/b/x.ori", "a/mod.ori", "b/a/mod.ori", "b/x.ori", "c/v1.2.ori", "main.ori", "x.ori"]);
        assert_eq!(files.tests, ["_test/z.test.ori"]);
        assert_eq!(Files::of_folder(&root.join("src/_test"), "_test/").tests, files.tests);
        assert_eq!(Files::of_folder(&root.join("src/b"), "b/").sources, ["b/a/mod.ori", "b/x.ori"]);
        let _ = std::fs::remove_dir_all(&root);
    }
}
