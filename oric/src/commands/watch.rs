//! `--watch`: a verdict after every save, from one process that stays.
//!
//! A round is what a process of its own would do: the same session, the same store. Between rounds the next session is opened already, with the graph
//! mapped and every file looked at, so that a save costs what it changed.

use std::time::Instant;

use serde_json::json;
use syntax::Diagnostic;

use super::{Asked, Unopened};
use crate::cli::{CRASHED, Input, REFUSED};
use crate::coverage::Coverage;
use crate::project::Project;
use crate::session::Session;
use crate::watch::{Folder, Reach, Watch, folders_of};

/// How a program is looked at, again and again.
pub struct Look<'a> {
    /// The program.
    pub input: &'a Input,
    /// Is code wanted?
    pub builds: bool,
    /// With its tests, and the flag of their coverage?
    pub tests: Option<Option<Coverage>>,
}

impl Asked<'_> {
    /// Does this after every save, until somebody ends it.
    pub fn watch(&self, look: &Look<'_>, work: impl Fn(&mut Session, &[Diagnostic], Instant) -> i32) -> (i32, &'static str) {
        let (mut watch, warning) = Watch::new();
        let warn = |warning: Option<String>| warning.into_iter().for_each(|warning| self.output.warn(&warning));
        warn(warning);
        match Project::of(&look.input.file) {
            Ok(project) => warn(watch.also(folders(&project)).1),
            Err(error) => return (self.cannot_open(&error), "oric"),
        }
        let mut next: Option<Session> = None;
        let mut started = Instant::now();
        for round in 1_u64.. {
            let opened = match next.take() {
                Some(session) => Ok(session),
                None => self.open(look.input, true, look.builds, look.tests),
            };
            let mut fresh = false;
            let status = match opened {
                Ok(mut session) => {
                    let found = self.found(&mut session).0;
                    let status = work(&mut session, &found, started);
                    if !self.sample(&session, started) {
                        return (CRASHED, "oric");
                    }
                    self.publish(&mut session);
                    // Modules of a file outside of packages may stand anywhere below it.
                    if !session.project.is_package() {
                        let wanted = session.wanted();
                        let project = &session.project;
                        let files = wanted.into_iter().flat_map(|module| project.paths_of(module));
                        let (new, warning) = watch.also(files.flat_map(|file| folders_of(&project.package, &file)));
                        warn(warning);
                        fresh = new;
                    }
                    status
                }
                Err(Unopened::Refused) => return (REFUSED, "oric"),
                Err(Unopened::Wrong(error)) => self.cannot_open(&error),
            };
            self.output.event(&json!({ "reason": "round", "exit": status, "ms": started.elapsed().as_secs_f64() * 1000.0 }));
            if round == 1 {
                self.output.summary("watch: waiting for changes; Ctrl-C ends it");
            }
            next = self.open(look.input, true, look.builds, look.tests).ok();
            // What changed in a folder before that was watched is not told.
            if fresh && next.as_ref().is_some_and(|session| session.engine.has_news()) {
                started = Instant::now();
                continue;
            }
            if let Err(error) = watch.wait() {
                self.output.failure(&format!("cannot wait for changes: {error}"));
                return (REFUSED, "oric");
            }
            started = Instant::now();
            next = next
                .filter(|session| is_as_before(look.input, session))
                .and_then(|mut session| session.reload().is_ok().then_some(session));
        }
        (0, "oric")
    }
}

/// Is the package still what the session was opened with?
fn is_as_before(input: &Input, session: &Session) -> bool {
    Project::of(&input.file).is_ok_and(|now| {
        now.manifest == session.project.manifest && now.packages == session.project.packages && now.main == session.project.main
    })
}

/// Where the files of a program are, as far as that is known before they are read.
fn folders(project: &Project) -> Vec<Folder> {
    let package = Folder { path: project.package.clone(), reach: Reach::Files };
    match project.is_package() {
        true => vec![package, Folder { path: project.package.join("src"), reach: Reach::Tree }],
        false => vec![package],
    }
}
