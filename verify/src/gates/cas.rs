//! `compiler-cas-check`: what a link gave is put by its content, and comes back right or not at all.
//!
//! | room           | claims                                                                                          |
//! |----------------|-------------------------------------------------------------------------------------------------|
//! | [`kinds`]      | every kind of artifact is put once, is what its name says, and is restored instead of linked      |
//! | [`poison`]     | a damaged, cut or exchanged artifact is a miss, goes, and the output is that of a clean build     |
//! | [`collection`] | collecting keeps the budget and what was used last, by itself too, and breaks no later build      |
//! | [`schema`]     | after a change of schema only what it touches runs again; artifacts stay                          |
//! | [`foreign`]    | no address and no link leads out of the store                                                    |
//! | [`rollback`]   | parts of an older store put back are a miss or the state of then                                  |
//! | [`hermetic`]   | a build opens nothing outside its package and its store                                          |
//! | [`races`]      | processes that put at once leave whole artifacts and right outputs                               |
//! | [`stage`]      | a project on disk, and the real driver as processes                                              |
//!
//! Each room returns what it did and what does not hold, and has negatives: something broken, shown to the same judge, which must name it.

pub mod collection;
pub mod foreign;
pub mod hermetic;
pub mod kinds;
pub mod poison;
pub mod races;
pub mod rollback;
pub mod schema;
pub mod stage;

use crate::evidence::{Evidence, Table};

const NAME: &str = "compiler-cas-check";

/// What a room found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What was looked at, and how often.
    pub rows: Vec<(String, usize)>,
    /// What does not hold.
    pub wrong: Vec<String>,
}

impl Found {
    /// This was done so often.
    pub fn did(&mut self, what: impl Into<String>, count: usize) {
        self.rows.push((what.into(), count));
    }
}

/// Something broken, the words that must name it, and what the judge said.
#[derive(Debug)]
pub struct Negative {
    /// What is broken.
    pub what: &'static str,
    /// Words that must be among what is said.
    pub words: &'static str,
    /// What was said.
    pub said: Result<Vec<String>, String>,
}

/// A room: its name, its check, its negatives.
type Room = (&'static str, fn() -> Result<Found, String>, fn() -> Vec<Negative>);

const ROOMS: [Room; 8] = [
    ("kinds", kinds::check, kinds::negatives),
    ("poison", poison::check, poison::negatives),
    ("collection", collection::check, collection::negatives),
    ("schema", schema::check, schema::negatives),
    ("foreign", foreign::check, foreign::negatives),
    ("rollback", rollback::check, rollback::negatives),
    ("hermetic", hermetic::check, hermetic::negatives),
    ("races", races::check, races::negatives),
];

/// Runs the gate.
pub fn run() -> bool {
    let mut evidence = Evidence::new(NAME);
    let mut done = Table::new("checks", &["room", "what", "count"]);
    let mut refused = Table::new("negatives", &["room", "what is broken", "named as"]);
    for (name, check, negatives) in ROOMS {
        match check() {
            Ok(found) => {
                if found.rows.is_empty() {
                    evidence.fail(format!("{name}: nothing was looked at"));
                }
                for (what, count) in found.rows {
                    done.row([name.to_owned(), what, count.to_string()]);
                }
                for wrong in found.wrong {
                    evidence.fail(format!("{name}: {wrong}"));
                }
            }
            Err(why) => evidence.fail(format!("{name}: {why}")),
        }
        let negatives = negatives();
        if negatives.is_empty() {
            evidence.fail(format!("{name} has no negative: nobody knows whether it can fail"));
        }
        for negative in negatives {
            let said = negative.said.unwrap_or_else(|why| vec![why]);
            let named = said.iter().find(|said| said.contains(negative.words));
            if named.is_none() {
                evidence.fail(format!("{name}: negative '{}': `{}` is not said: {}", negative.what, negative.words, said.join("; ")));
            }
            refused.row([name, negative.what, named.map_or("", String::as_str)]);
        }
    }
    evidence.table(done);
    evidence.table(refused);
    evidence.close()
}
