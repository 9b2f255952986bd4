//! What patterns of a column of scalars cover: a set of intervals.
//!
//! An alternative is useful when it covers something new; the column is exhausted when nothing of the domain is left. `str` has literals only
//! and, like `int`, always needs a catch-all.

use hashbrown::HashSet;
use ir::Symbol;

use crate::{Type, TypeKind};

/// One alternative.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Test {
    /// An inclusive range of int values, char codes, byte values, or bool (0, 1).
    Range(i64, i64),
    /// A `str` literal.
    Str(Symbol),
}

/// What the arms seen so far cover of the values of one type.
pub struct Coverage {
    ty: Type,
    /// Disjoint, sorted, with gaps between.
    covered: Vec<(i64, i64)>,
    texts: HashSet<Symbol>,
    all: bool,
}

/// What one more alternative adds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Usefulness {
    /// Something new.
    Useful,
    /// Something new, and something that an earlier *range* covers, neither containing the other.
    Overlaps,
    /// Nothing new: it can never match.
    Unreachable,
}

/// Can values of this type be matched by tests alone?
pub fn is_scalar(ty: Type) -> bool {
    matches!(ty, Type::INT | Type::BOOL | Type::CHAR | Type::BYTE | Type::STR)
}

impl Coverage {
    /// Nothing is covered.
    pub fn new(ty: Type) -> Coverage {
        Coverage { ty, covered: Vec::new(), texts: HashSet::new(), all: false }
    }

    fn domain(&self) -> &'static [(i64, i64)] {
        match self.ty.kind() {
            TypeKind::Bool => &[(0, 1)],
            TypeKind::Byte => &[(0, 255)],
            TypeKind::Char => &[(0, 0xd7ff), (0xe000, 0x10_ffff)],
            _ => &[(i64::MIN, i64::MAX)],
        }
    }

    /// Would the test match something that is not covered yet?
    pub fn judge(&self, test: Test) -> Usefulness {
        if self.is_complete() {
            return Usefulness::Unreachable;
        }
        match test {
            Test::Str(text) => {
                if self.texts.contains(&text) {
                    Usefulness::Unreachable
                } else {
                    Usefulness::Useful
                }
            }
            Test::Range(low, high) => {
                let at = self.covered.partition_point(|&(_, h)| h < low);
                match self.covered.get(at) {
                    Some(&(l, h)) if l <= low && high <= h => Usefulness::Unreachable,
                    Some(&(l, h)) if l <= high && !(low <= l && h <= high) => Usefulness::Overlaps,
                    _ => Usefulness::Useful,
                }
            }
        }
    }

    /// Counts an alternative of an arm without guard.
    pub fn cover(&mut self, test: Test) {
        match test {
            Test::Str(text) => {
                self.texts.insert(text);
            }
            Test::Range(low, high) if low <= high => {
                let first = self.covered.partition_point(|&(_, h)| h < low.saturating_sub(1));
                let (mut low, mut high) = (low, high);
                let mut last = first;
                while let Some(&(l, h)) = self.covered.get(last) {
                    if l > high.saturating_add(1) {
                        break;
                    }
                    low = low.min(l);
                    high = high.max(h);
                    last += 1;
                }
                self.covered.splice(first..last, [(low, high)]);
            }
            Test::Range(..) => {}
        }
    }

    /// Counts a catch-all without guard.
    pub fn cover_all(&mut self) {
        self.all = true;
    }

    /// Is every value covered? Ranges never exhaust `int`, literals never exhaust `str`.
    pub fn is_complete(&self) -> bool {
        if self.all {
            return true;
        }
        match self.ty.kind() {
            TypeKind::Bool | TypeKind::Byte | TypeKind::Char => self.gaps().is_empty(),
            _ => false,
        }
    }

    fn gaps(&self) -> Vec<(i64, i64)> {
        let mut gaps = Vec::new();
        for &(start, end) in self.domain() {
            let mut next = Some(start);
            for &(low, high) in &self.covered {
                let Some(from) = next else { break };
                if high < from {
                    continue;
                }
                if low > end {
                    break;
                }
                if low > from {
                    gaps.push((from, low - 1));
                }
                next = high.checked_add(1).filter(|&n| n <= end);
            }
            if let Some(from) = next {
                gaps.push((from, end));
            }
        }
        gaps
    }

    /// Up to three patterns that are not covered.
    pub fn witnesses(&self) -> Vec<String> {
        if self.is_complete() {
            return Vec::new();
        }
        if self.ty == Type::STR {
            return vec!["_".into()];
        }
        let mut gaps = self.gaps();
        if self.ty == Type::INT {
            // The value of each gap that is nearest to zero is the one a reader thinks of.
            let mut values: Vec<i64> = gaps.iter().map(|&(low, high)| 0.clamp(low, high)).collect();
            values.sort_by_key(|&v| (v.unsigned_abs(), v < 0));
            values.truncate(3);
            return if values.is_empty() { vec!["_".into()] } else { values.iter().map(i64::to_string).collect() };
        }
        gaps.truncate(3);
        gaps.iter().map(|&(low, high)| interval(self.ty, low, high)).collect()
    }
}

/// The pattern of an interval.
pub fn interval(ty: Type, low: i64, high: i64) -> String {
    let one = |value: i64| match ty.kind() {
        TypeKind::Bool => (value != 0).to_string(),
        TypeKind::Char => u32::try_from(value).ok().and_then(char::from_u32).map_or_else(|| value.to_string(), |c| format!("{c:?}")),
        _ => value.to_string(),
    };
    if low == high { one(low) } else { format!("{}..={}", one(low), one(high)) }
}

#[cfg(test)]
mod tests;
