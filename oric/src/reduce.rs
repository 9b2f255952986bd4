//! Making a program smaller while something holds of it.
//!
//! What is tried comes from the syntax tree ([`edits`]): items go, in halves first ("delta debugging", Zeller and Hildebrandt 2002), then statements, then
//! expressions become a part of themselves or a literal, and whatever stands in a list goes with all that names it. Most of what is tried is no program any more; whoever is asked
//! finds that out first, which costs far less than to run it. Nothing here depends on time but where it stops: the same program and the same answers
//! give the same small program.

mod edits;

use std::collections::HashSet;
use std::time::Instant;

use edits::{Cuts, Range};

/// Parts of a list that is long, of which large ones are tried first.
const LONG: usize = 16;
/// A large part of a list is an eighth of it.
const LARGE: usize = 8;

/// A program that becomes smaller.
pub struct Reduction<'a> {
    /// The smallest one so far.
    text: String,
    /// Does it hold of this text?
    holds: &'a mut dyn FnMut(&str) -> bool,
    /// Told after each round.
    progress: &'a mut dyn FnMut(&Progress),
    /// When to stop.
    end: Option<Instant>,
    /// Texts that it does not hold of.
    refused: HashSet<u64>,
    asked: usize,
}

/// How far a reduction is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Rounds that are done.
    pub round: usize,
    /// Lines that are not empty.
    pub lines: usize,
    /// Bytes.
    pub bytes: usize,
    /// Programs that were asked about.
    pub asked: usize,
    /// Nothing more can be taken away, as far as is known; otherwise the time was up.
    pub is_done: bool,
}

/// Lines of a text that are not empty.
pub fn lines(text: &str) -> usize {
    text.lines().filter(|line| !line.trim().is_empty()).count()
}

/// The smallest program found of which `holds` says that it does, and how far that is. It holds of `text`.
pub fn reduce(
    text: &str,
    end: Option<Instant>,
    holds: &mut dyn FnMut(&str) -> bool,
    progress: &mut dyn FnMut(&Progress),
) -> (String, Progress) {
    let mut reduction = Reduction { text: text.to_owned(), holds, progress, end, refused: HashSet::new(), asked: 0 };
    let mut round = 0;
    loop {
        let before = reduction.text.len();
        reduction.round();
        round += 1;
        let now = reduction.now(round, reduction.text.len() == before && !reduction.is_late());
        (reduction.progress)(&now);
        if reduction.text.len() == before || reduction.is_late() {
            return (reduction.text, now);
        }
    }
}

impl Reduction<'_> {
    fn now(&self, round: usize, is_done: bool) -> Progress {
        Progress { round, lines: lines(&self.text), bytes: self.text.len(), asked: self.asked, is_done }
    }

    fn is_late(&self) -> bool {
        self.end.is_some_and(|end| Instant::now() >= end)
    }

    /// Everything is tried once.
    fn round(&mut self) {
        self.tidy();
        self.large_parts();
        self.chunks(0, usize::MAX);
        // Of each list of statements in turn; a list that goes takes the next one's number.
        let mut list = 1;
        while list < edits::lists(&self.text).len() && !self.is_late() {
            self.chunks(list, usize::MAX);
            list += 1;
        }
        let mut at = 0;
        loop {
            let edits = edits::edits(&self.text);
            let Some(next) = (at..edits.len()).find(|&next| self.is_late() || self.tried(&edits[next])) else { break };
            if self.is_late() {
                break;
            }
            at = next;
        }
        self.tidy();
    }

    /// Takes large parts of long lists away, as long as that gains much. A `main` that calls a thousand functions has to lose calls before a single
    /// function can go, and functions before the next calls: to try one list down to its last part before the other would be a thousand vain questions.
    fn large_parts(&mut self) {
        loop {
            let before = self.text.len();
            let long: Vec<usize> = (0..).zip(edits::lists(&self.text)).filter(|(_, list)| list.len() >= LONG).map(|(at, _)| at).collect();
            // Items last: with them go the lists within, and the numbers of the others change.
            for list in long.into_iter().rev() {
                self.chunks(list, LARGE);
            }
            let gained = before - self.text.len();
            if gained < before / LARGE || gained == 0 || self.is_late() {
                return;
            }
        }
    }

    /// Takes parts of a list away: all of it, halves, quarters, down to this share or single ones, from the end.
    fn chunks(&mut self, list: usize, share: usize) {
        let parts = |text: &str| edits::lists(text).into_iter().nth(list).unwrap_or_default();
        let mut size = parts(&self.text).len();
        let least = size / share;
        while size > least {
            let mut end = parts(&self.text).len();
            while end > 0 && !self.is_late() {
                let start = end.saturating_sub(size);
                let present = parts(&self.text);
                let gone: Vec<(Range, String)> =
                    present[start.min(present.len())..end.min(present.len())].iter().map(|range| (range.clone(), String::new())).collect();
                self.tried(&Cuts { gone });
                end = start;
            }
            size /= 2;
        }
    }

    /// Lines without anything, and what stands at their ends.
    fn tidy(&mut self) {
        for keeps_comments in [false, true] {
            let is_kept = |line: &&str| !line.trim().is_empty() && (keeps_comments || !line.trim_start().starts_with("//"));
            let tidy: String = self.text.lines().filter(is_kept).map(|line| format!("{}\n", line.trim_end())).collect();
            if self.becomes(tidy) {
                return;
            }
        }
    }

    fn tried(&mut self, cuts: &Cuts) -> bool {
        cuts.applied(&self.text).is_some_and(|text| self.becomes(text))
    }

    /// Takes a smaller text, when it holds of it.
    fn becomes(&mut self, text: String) -> bool {
        use std::hash::{DefaultHasher, Hash, Hasher};
        if text.len() >= self.text.len() {
            return false;
        }
        // Without a random key: the same in every process.
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        if !self.refused.insert(hasher.finish()) {
            return false;
        }
        self.asked += 1;
        let holds = (self.holds)(&text);
        if holds {
            self.text = text;
        }
        holds
    }
}

#[cfg(test)]
mod tests;
