//! The matrix of patterns, split column by column.
//!
//! Columns are kept from the last to the first, so that the one to split next stands at the end and the parts of a constructor take its place.

use hashbrown::HashMap;
use ir::Stop;

use super::intervals::{Coverage, Test, interval, is_scalar};
use super::types::{Made, Types};
use super::{LIMIT, Verdict};
use crate::ir::{Pattern, PatternId};
use crate::program::{Context, Given, TypeDefinition, TypeForm};
use crate::resolve::prelude;
use crate::{Body, Type};

/// Witnesses that are looked for.
const WITNESSES: usize = 3;
/// Columns that are split within each other.
const DEEPEST: u32 = 400;
/// The end of a trail.
const START: u32 = u32::MAX;

/// A pattern, or nothing for one that matches anything.
type Cell = Option<PatternId>;

#[derive(Clone)]
struct Row {
    cells: Vec<Cell>,
    arm: u32,
    is_guarded: bool,
    /// The alternatives that were taken on the way here.
    trail: u32,
}

/// Patterns that are not covered, one text a column.
type Witness = Vec<String>;

struct Matrix<'a> {
    body: &'a Body,
    types: Types<'a>,
    useful_arms: Vec<bool>,
    /// Alternatives, each with the one taken before it.
    trails: Vec<(PatternId, u32)>,
    /// By pattern: an alternative that was looked at, and whether it is useful.
    alternatives: HashMap<PatternId, bool>,
    steps: u32,
    depth: u32,
    is_too_complex: bool,
}

pub(super) fn solve(body: &Body, arms: &[(PatternId, bool)], ty: Type, given: &Given, cx: &dyn Context) -> Result<Verdict, Stop> {
    let mut matrix = Matrix {
        body,
        types: Types::new(given, cx),
        useful_arms: vec![false; arms.len()],
        trails: Vec::new(),
        alternatives: HashMap::new(),
        steps: 0,
        depth: 0,
        is_too_complex: false,
    };
    let rows = arms.iter().enumerate();
    let rows =
        rows.map(|(arm, &(pattern, is_guarded))| Row { cells: vec![Some(pattern)], arm: arm as u32, is_guarded, trail: START }).collect();
    let witnesses = matrix.witnesses(rows, vec![ty])?;
    if matrix.is_too_complex {
        return Ok(Verdict { is_too_complex: true, ..Verdict::default() });
    }
    let mut verdict = Verdict { witnesses: witnesses.into_iter().flatten().collect(), ..Verdict::default() };
    for (arm, &(pattern, _)) in arms.iter().enumerate() {
        if matrix.useful_arms[arm] {
            matrix.useless_in(pattern, &mut verdict.useless);
        } else {
            verdict.useless_arms.push(arm);
        }
    }
    Ok(verdict)
}

impl Matrix<'_> {
    /// The outermost alternatives of a useful arm that nothing reaches.
    fn useless_in(&self, pattern: PatternId, found: &mut Vec<PatternId>) {
        let list = match self.body.patterns[pattern] {
            Pattern::Bind(_, inner) => return self.useless_in(inner, found),
            Pattern::Fields(list) | Pattern::Variant(_, list) | Pattern::List(list, _) => list,
            Pattern::Or(list) => {
                for &alternative in &self.body.parts[list] {
                    match self.alternatives.get(&alternative) {
                        Some(true) => self.useless_in(alternative, found),
                        Some(false) => found.push(alternative),
                        // Below a column that no useful row was split by.
                        None => {}
                    }
                }
                return;
            }
            Pattern::Any | Pattern::Range(..) | Pattern::Str(_) | Pattern::Float(_) => return,
        };
        for &part in &self.body.parts[list] {
            self.useless_in(part, found);
        }
    }

    /// Marks the useful rows and gives what no row covers, at most [`WITNESSES`].
    fn witnesses(&mut self, mut rows: Vec<Row>, mut types: Vec<Type>) -> Result<Vec<Witness>, Stop> {
        self.depth += 1;
        self.steps = self.steps.saturating_add(rows.len() as u32 + 1);
        self.is_too_complex |= self.steps > LIMIT || self.depth > DEEPEST;
        if self.is_too_complex {
            self.depth -= 1;
            return Ok(Vec::new());
        }
        // Columns in which nothing is asked need no splitting.
        let mut skipped = 0;
        let mut is_empty = false;
        while let Some(&ty) = types.last() {
            self.open_heads(&mut rows);
            if rows.iter().any(|row| row.cells.last().is_some_and(Option::is_some)) {
                break;
            }
            is_empty |= self.types.is_empty(ty)?;
            types.pop();
            rows.iter_mut().for_each(|row| _ = row.cells.pop());
            skipped += 1;
        }
        let mut found = match types.pop() {
            _ if is_empty => Vec::new(),
            None => self.leaf(&rows),
            Some(ty) => self.split(rows, types, ty)?,
        };
        found.truncate(WITNESSES);
        for witness in &mut found {
            witness.extend((0..skipped).map(|_| "_".to_owned()));
        }
        self.depth -= 1;
        Ok(found)
    }

    /// No column is left: the first row that does not depend on a guard has it.
    fn leaf(&mut self, rows: &[Row]) -> Vec<Witness> {
        for row in rows {
            self.useful_arms[row.arm as usize] = true;
            let mut at = row.trail;
            while let Some(&(alternative, before)) = self.trails.get(at as usize) {
                self.alternatives.insert(alternative, true);
                at = before;
            }
            if !row.is_guarded {
                return Vec::new();
            }
        }
        vec![Vec::new()]
    }

    /// Takes names off the first column, and makes one row of each alternative there.
    fn open_heads(&mut self, rows: &mut Vec<Row>) {
        let is_open = |cell: &Cell| {
            cell.is_some_and(|pattern| matches!(self.body.patterns[pattern], Pattern::Bind(..) | Pattern::Or(_) | Pattern::Any))
        };
        if !rows.iter().any(|row| row.cells.last().is_some_and(is_open)) {
            return;
        }
        let mut opened = Vec::with_capacity(rows.len());
        // Rows still to be looked at, last first.
        let mut open: Vec<Row> = Vec::new();
        for row in rows.drain(..) {
            open.push(row);
            while let Some(mut row) = open.pop() {
                let Some(Some(pattern)) = row.cells.last().copied() else {
                    opened.push(row);
                    continue;
                };
                match self.body.patterns[pattern] {
                    Pattern::Any => {
                        row.cells.pop();
                        row.cells.push(None);
                        opened.push(row);
                    }
                    Pattern::Bind(_, inner) => {
                        row.cells.pop();
                        row.cells.push(Some(inner));
                        open.push(row);
                    }
                    Pattern::Or(list) => {
                        row.cells.pop();
                        for &alternative in self.body.parts[list].iter().rev() {
                            self.alternatives.entry(alternative).or_insert(false);
                            self.trails.push((alternative, row.trail));
                            let mut next = row.clone();
                            next.trail = self.trails.len() as u32 - 1;
                            next.cells.push(Some(alternative));
                            open.push(next);
                        }
                        self.steps = self.steps.saturating_add(list.len() as u32);
                    }
                    Pattern::Range(..) | Pattern::Str(_) | Pattern::Float(_) => opened.push(row),
                    Pattern::Fields(_) | Pattern::Variant(..) | Pattern::List(..) => opened.push(row),
                }
            }
        }
        *rows = opened;
    }

    fn split(&mut self, rows: Vec<Row>, types: Vec<Type>, ty: Type) -> Result<Vec<Witness>, Stop> {
        match self.types.made(ty)? {
            Made::Product(parts, definition) => {
                let count = parts.len();
                let rows = rows.into_iter().map(|row| self.specialised(row, count)).collect();
                let mut inner = types;
                inner.extend(parts.iter().rev());
                let mut found = self.witnesses(rows, inner)?;
                for witness in &mut found {
                    whole(witness, count, |parts| product(definition.as_deref(), parts));
                }
                Ok(found)
            }
            Made::Sum(definition) => self.split_sum(&rows, &types, &definition),
            Made::List(element) => self.split_lengths(&rows, &types, element),
            Made::Plain if is_scalar(ty) && ty != Type::STR => self.split_intervals(&rows, &types, ty),
            Made::Plain => self.split_literals(&rows, &types),
        }
    }

    /// The row with the parts of its first column in its place.
    fn specialised(&self, mut row: Row, count: usize) -> Row {
        let head = row.cells.pop().flatten();
        match head.map(|pattern| self.body.patterns[pattern]) {
            Some(Pattern::Fields(list) | Pattern::Variant(_, list)) => {
                row.cells.extend(self.body.parts[list].iter().rev().map(|&part| Some(part)));
            }
            _ => row.cells.extend(std::iter::repeat_n(None, count)),
        }
        row
    }

    fn split_sum(&mut self, rows: &[Row], types: &[Type], definition: &TypeDefinition) -> Result<Vec<Witness>, Stop> {
        let variants = &definition.variants;
        let mut buckets: Vec<Option<Vec<Row>>> = vec![None; variants.len()];
        for row in rows {
            if let Some(Pattern::Variant(number, _)) = self.head(row)
                && let Some(bucket) = buckets.get_mut(number as usize)
            {
                bucket.get_or_insert_default();
            }
        }
        let mut others: Vec<Row> = Vec::new();
        for row in rows {
            match self.head(row) {
                Some(Pattern::Variant(number, _)) => {
                    if let Some(Some(bucket)) = buckets.get_mut(number as usize) {
                        bucket.push(self.specialised(row.clone(), 0));
                    }
                }
                _ => {
                    for (bucket, variant) in buckets.iter_mut().zip(variants) {
                        if let Some(bucket) = bucket {
                            bucket.push(self.specialised(row.clone(), variant.payload.len()));
                        }
                    }
                    others.push(self.specialised(row.clone(), 0));
                }
            }
        }
        let mut found: Vec<Witness> = Vec::new();
        let mut missing: Vec<usize> = Vec::new();
        for (number, bucket) in buckets.into_iter().enumerate() {
            let variant = &variants[number];
            if self.types.any_empty(variant.payload.iter().map(|&(_, ty)| ty))? {
                continue;
            }
            let Some(bucket) = bucket else {
                missing.push(number);
                continue;
            };
            let count = variant.payload.len();
            let mut inner = types.to_vec();
            inner.extend(variant.payload.iter().rev().map(|&(_, ty)| ty));
            for mut witness in self.witnesses(bucket, inner)? {
                whole(&mut witness, count, |parts| applied(variant.name.as_str(), parts));
                found.push(witness);
            }
        }
        if !missing.is_empty() {
            for rest in self.witnesses(others, types.to_vec())? {
                for &number in missing.iter().take(WITNESSES) {
                    let variant = &variants[number];
                    let blanks: Vec<String> = variant.payload.iter().map(|_| "_".to_owned()).collect();
                    let mut witness = rest.clone();
                    witness.push(applied(variant.name.as_str(), &blanks));
                    found.push(witness);
                }
            }
        }
        Ok(found)
    }

    /// A column of lists: each length up to that of the longest pattern, and everything longer.
    fn split_lengths(&mut self, rows: &[Row], types: &[Type], element: Type) -> Result<Vec<Witness>, Stop> {
        // Elements that a pattern names, and whether more may follow.
        let named = |list: ir::List<PatternId>, has_rest: bool| list.len() - usize::from(has_rest);
        let mut longest = 0;
        for row in rows {
            if let Some(Pattern::List(list, has_rest)) = self.head(row) {
                longest = longest.max(named(list, has_rest));
            }
        }
        let mut found: Vec<Witness> = Vec::new();
        for length in 0..=longest + 1 {
            let mut bucket: Vec<Row> = Vec::new();
            for row in rows {
                let parts = match self.head(row) {
                    Some(Pattern::List(list, has_rest)) => {
                        let count = named(list, has_rest);
                        if !(count == length || has_rest && count < length) {
                            continue;
                        }
                        self.body.parts[list][..count].to_vec()
                    }
                    _ => Vec::new(),
                };
                let mut row = row.clone();
                row.cells.pop();
                row.cells.extend(std::iter::repeat_n(None, length - parts.len()));
                row.cells.extend(parts.into_iter().rev().map(Some));
                bucket.push(row);
            }
            let mut inner = types.to_vec();
            inner.extend(std::iter::repeat_n(element, length));
            for mut witness in self.witnesses(bucket, inner)? {
                whole(&mut witness, length, |parts| {
                    let mut parts = parts.to_vec();
                    if length > longest {
                        parts.push("..".to_owned());
                    }
                    format!("[{}]", parts.join(", "))
                });
                found.push(witness);
            }
        }
        Ok(found)
    }

    fn head(&self, row: &Row) -> Option<Pattern> {
        row.cells.last().copied().flatten().map(|pattern| self.body.patterns[pattern])
    }

    /// A column of ints, chars, bytes or bools: split where a range begins or ends.
    fn split_intervals(&mut self, rows: &[Row], types: &[Type], ty: Type) -> Result<Vec<Witness>, Stop> {
        let mut coverage = Coverage::new(ty);
        let mut cuts: Vec<i128> = Vec::new();
        for row in rows {
            if let Some(Pattern::Range(low, high)) = self.head(row)
                && low <= high
            {
                coverage.cover(Test::Range(low, high));
                cuts.push(i128::from(low));
                cuts.push(i128::from(high) + 1);
            }
        }
        cuts.sort_unstable();
        cuts.dedup();
        let mut buckets: Vec<Vec<Row>> = vec![Vec::new(); cuts.len()];
        let mut is_covered = vec![false; cuts.len()];
        for row in rows {
            if let Some(Pattern::Range(low, high)) = self.head(row) {
                let first = cuts.partition_point(|&cut| cut < i128::from(low));
                let end = cuts.partition_point(|&cut| cut <= i128::from(high));
                is_covered.iter_mut().take(end).skip(first).for_each(|covered| *covered = true);
            }
        }
        let mut others: Vec<Row> = Vec::new();
        for row in rows {
            let rest = self.specialised(row.clone(), 0);
            match self.head(row) {
                Some(Pattern::Range(low, high)) => {
                    let first = cuts.partition_point(|&cut| cut < i128::from(low));
                    let end = cuts.partition_point(|&cut| cut <= i128::from(high));
                    buckets.iter_mut().take(end).skip(first).for_each(|bucket| bucket.push(rest.clone()));
                    self.steps = self.steps.saturating_add(end.saturating_sub(first) as u32);
                }
                _ => {
                    for (bucket, _) in buckets.iter_mut().zip(&is_covered).filter(|(_, covered)| **covered) {
                        bucket.push(rest.clone());
                    }
                    others.push(rest);
                }
            }
        }
        let mut found: Vec<Witness> = Vec::new();
        for (at, bucket) in buckets.into_iter().enumerate() {
            if !is_covered[at] {
                continue;
            }
            let low = cuts[at] as i64;
            let high = cuts.get(at + 1).map_or(i64::MAX, |&next| (next - 1) as i64);
            for mut witness in self.witnesses(bucket, types.to_vec())? {
                let one = 0.clamp(low, high);
                witness.push(if ty == Type::INT { one.to_string() } else { interval(ty, low, high) });
                found.push(witness);
            }
        }
        let gaps = coverage.witnesses();
        if !gaps.is_empty() {
            for rest in self.witnesses(others, types.to_vec())? {
                found.extend(gaps.iter().map(|gap| {
                    let mut witness = rest.clone();
                    witness.push(gap.clone());
                    witness
                }));
            }
        }
        Ok(found)
    }

    /// A column of texts or floats: each literal by itself, and everything else.
    fn split_literals(&mut self, rows: &[Row], types: &[Type]) -> Result<Vec<Witness>, Stop> {
        let mut numbers: HashMap<Pattern, usize> = HashMap::new();
        let mut buckets: Vec<Vec<Row>> = Vec::new();
        for row in rows {
            if let Some(literal) = self.head(row).map(comparable) {
                let next = buckets.len();
                if *numbers.entry(literal).or_insert(next) == next {
                    buckets.push(Vec::new());
                }
            }
        }
        let mut others: Vec<Row> = Vec::new();
        for row in rows {
            let rest = self.specialised(row.clone(), 0);
            match self.head(row).map(comparable).and_then(|literal| numbers.get(&literal)) {
                Some(&number) => buckets[number].push(rest),
                None => {
                    buckets.iter_mut().for_each(|bucket| bucket.push(rest.clone()));
                    others.push(rest);
                }
            }
        }
        let mut texts: Vec<String> = vec![String::new(); buckets.len()];
        for (literal, &number) in &numbers {
            texts[number] = match literal {
                Pattern::Str(text) => format!("{:?}", text.as_str()),
                Pattern::Float(bits) => format!("{:?}", f64::from_bits(*bits)),
                _ => "_".to_owned(),
            };
        }
        let mut found: Vec<Witness> = Vec::new();
        for (bucket, text) in buckets.into_iter().zip(texts) {
            for mut witness in self.witnesses(bucket, types.to_vec())? {
                witness.push(text.clone());
                found.push(witness);
            }
        }
        for mut witness in self.witnesses(others, types.to_vec())? {
            witness.push("_".to_owned());
            found.push(witness);
        }
        Ok(found)
    }
}

/// The literal under which equal ones are found: `-0.0 == 0.0`.
fn comparable(literal: Pattern) -> Pattern {
    match literal {
        Pattern::Float(bits) if f64::from_bits(bits) == 0.0 => Pattern::Float(0),
        other => other,
    }
}

/// Puts the text of a whole in the place of its parts, which stand last to first at the end.
fn whole(witness: &mut Witness, count: usize, text: impl FnOnce(&[String]) -> String) {
    let mut parts = witness.split_off(witness.len().saturating_sub(count));
    parts.reverse();
    witness.push(text(&parts));
}

/// `V`, `V(a, b)`
fn applied(name: &str, parts: &[String]) -> String {
    if parts.is_empty() { name.to_owned() } else { format!("{name}({})", parts.join(", ")) }
}

/// The pattern of the only constructor of a type.
fn product(definition: Option<&TypeDefinition>, parts: &[String]) -> String {
    let Some(definition) = definition else { return format!("({})", parts.join(", ")) };
    let name = match definition.variants.first() {
        Some(variant) => variant.name,
        None => definition.item.name(),
    };
    match definition.form {
        _ if prelude::is_opaque(definition.item) => match (definition.item.name().as_str(), parts) {
            // A number is shown as the literal that means it.
            ("Duration", [count]) if count != "_" => format!("{count}ns"),
            ("Size", [count]) if count != "_" => format!("{count}b"),
            _ => "_".to_owned(),
        },
        TypeForm::Sum | TypeForm::Newtype => applied(name.as_str(), parts),
        TypeForm::Struct => {
            let mut shown: Vec<String> = Vec::new();
            for ((field, _), part) in definition.fields.iter().zip(parts).filter(|(_, part)| *part != "_") {
                shown.push(format!("{field}: {part}"));
            }
            if shown.len() < parts.len() {
                shown.push("..".to_owned());
            }
            if shown.is_empty() { format!("{name} {{}}") } else { format!("{name} {{ {} }}", shown.join(", ")) }
        }
    }
}
