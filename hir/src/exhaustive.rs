//! Usefulness of match arms, and what they leave uncovered.
//!
//! After Maranget, "Warnings for pattern matching" (2007), with all rows judged in one descent: the matrix of patterns is split by the
//! constructors of a column, each part is solved by itself, and whatever row is first at the end of a path is useful there. A path that ends
//! without a row is a witness. Splitting visits a row once for each constructor that it fits, so the work follows the size of the match
//! unless catch-alls and alternatives are nested against each other; a match that would take too long is refused. A match on a scalar, by far
//! the most frequent, is one column: a set of intervals does it in order.
//!
//! Guarded arms cover nothing. A variant whose payload has no values need not be covered.
//!
//! | room          | holds                                            |
//! |---------------|--------------------------------------------------|
//! | [`intervals`] | one column of scalars                            |
//! | `matrix`      | any number of columns                            |
//! | `types`       | the constructors of a type, and whether it has any values |

pub mod intervals;
mod matrix;
mod types;

use ir::Stop;

use crate::ir::{Pattern, PatternId};
use crate::program::{Context, Given};
use crate::{Body, Type};

pub(crate) use types::Types;

use intervals::{Coverage, Test, Usefulness, is_scalar};

/// Rows that may be looked at in one match.
pub const LIMIT: u32 = 1 << 20;

/// What there is to say about the arms of a match.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Verdict {
    /// Arms that match nothing that an earlier arm leaves, by their position.
    pub useless_arms: Vec<usize>,
    /// Alternatives that match nothing new, in arms that do.
    pub useless: Vec<PatternId>,
    /// Ranges that share values with an earlier one, neither covering the other.
    pub overlaps: Vec<PatternId>,
    /// Up to three patterns that no arm covers; none when the match is exhaustive.
    pub witnesses: Vec<String>,
    /// The match was given up: nothing else is known.
    pub is_too_complex: bool,
}

/// Judges arms (pattern, guarded) of a match on a value of type `ty`, where this is known of type parameters. The patterns must fit the type.
pub fn judge(body: &Body, arms: &[(PatternId, bool)], ty: Type, given: &Given, cx: &dyn Context) -> Result<Verdict, Stop> {
    if is_scalar(ty) {
        return Ok(one_column(body, arms, ty));
    }
    matrix::solve(body, arms, ty, given, cx)
}

/// The alternatives of a pattern of scalars, in order.
fn alternatives(body: &Body, pattern: PatternId) -> Vec<PatternId> {
    let mut found = Vec::new();
    let mut open = vec![pattern];
    while let Some(pattern) = open.pop() {
        match body.patterns[pattern] {
            Pattern::Bind(_, inner) => open.push(inner),
            Pattern::Or(list) => open.extend(body.parts[list].iter().rev()),
            Pattern::Any | Pattern::Range(..) | Pattern::Str(_) | Pattern::Float(_) => found.push(pattern),
            Pattern::Fields(_) | Pattern::Variant(..) | Pattern::List(..) => found.push(pattern),
        }
    }
    found
}

fn one_column(body: &Body, arms: &[(PatternId, bool)], ty: Type) -> Verdict {
    let mut verdict = Verdict::default();
    let mut coverage = Coverage::new(ty);
    for (index, &(pattern, is_guarded)) in arms.iter().enumerate() {
        let mut useful = 0;
        let mut useless: Vec<PatternId> = Vec::new();
        let mut covers_all = false;
        for alternative in alternatives(body, pattern) {
            let test = match body.patterns[alternative] {
                Pattern::Range(low, high) => Test::Range(low, high),
                Pattern::Str(text) => Test::Str(text),
                Pattern::Any => {
                    if coverage.is_complete() || covers_all {
                        useless.push(alternative);
                    } else {
                        useful += 1;
                        covers_all = true;
                    }
                    continue;
                }
                // Of another type; its own report says so.
                Pattern::Bind(..) | Pattern::Float(_) | Pattern::Fields(_) | Pattern::Variant(..) => continue,
                Pattern::List(..) | Pattern::Or(_) => continue,
            };
            match coverage.judge(test) {
                _ if covers_all => {
                    useless.push(alternative);
                    continue;
                }
                Usefulness::Unreachable => {
                    useless.push(alternative);
                    continue;
                }
                Usefulness::Overlaps => verdict.overlaps.push(alternative),
                Usefulness::Useful => {}
            }
            useful += 1;
            if !is_guarded {
                coverage.cover(test);
            }
        }
        if covers_all && !is_guarded {
            coverage.cover_all();
        }
        if useful == 0 {
            verdict.useless_arms.push(index);
        } else {
            verdict.useless.extend(useless);
        }
    }
    verdict.witnesses = coverage.witnesses();
    verdict
}

#[cfg(test)]
mod tests;
