//! Where the store of a project is, and what is kept beside the graph.
//!
//! ```text
//! .ori/              beside ori.toml, or beside a lone file; ORI_CACHE_DIR=D: D/p/<hash of the root>
//!   .gitignore       `*`: the folder ignores itself
//!   q/               the graph and its values
//!   cas/             artifacts by content: each executable linked from nothing with its sidecar, each object; ORI_CACHE_DIR=D: D/shared
//!   link/            images and sidecars that the next link goes on from
//!   run/N/NAME       a link to the open file N: how a program is started that is held, under its name
//! ```

use std::path::{Path, PathBuf};

use query::Fp;

use crate::project::Project;

/// Folders of a project's cache.
#[derive(Clone, Debug)]
pub struct Cache {
    /// Of this project.
    pub root: PathBuf,
    /// The store of artifacts, which projects may share.
    pub shared: PathBuf,
}

impl Cache {
    /// The cache of a project.
    pub fn of(project: &Project, directory: Option<&Path>) -> Cache {
        match directory {
            Some(directory) => {
                let root = std::fs::canonicalize(&project.package).unwrap_or_else(|_| project.package.clone());
                let name = Fp::of_bytes(root.as_os_str().as_encoded_bytes());
                Cache { root: directory.join("p").join(name.to_string()), shared: directory.join("shared") }
            }
            None => {
                let root = project.package.join(".ori");
                Cache { shared: root.join("cas"), root }
            }
        }
    }

    /// The graph.
    pub fn graph(&self) -> PathBuf {
        self.root.join("q")
    }

    /// What a link leaves for the next one of the same executable.
    pub fn sidecar(&self, executable: &Path) -> PathBuf {
        self.links().join(format!("{}.side", Fp::of_bytes(executable.as_os_str().as_encoded_bytes())))
    }

    /// Makes the folder ignore itself. A project that cannot is no worse off.
    pub fn ignore_for_git(&self) {
        let path = self.root.join(".gitignore");
        if !path.exists() {
            let _ = std::fs::write(path, "*\n");
        }
    }

    /// Names for what is held.
    pub fn names(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Images and sidecars.
    pub fn links(&self) -> PathBuf {
        self.root.join("link")
    }
}
