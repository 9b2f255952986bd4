//! `match` on what has parts: decision trees.
//!
//! Arms become rows of tests, each of one *part* of the scrutinee. A node asks about a part that the first row needs, the one that most rows ask
//! about, and splits the rows by the answer; a row without tests is a leaf (Maranget, "Compiling pattern matching to good decision trees", 2008).
//! No part is asked about twice on a way, and each arm is a block of its own, entered from all its leaves.
//!
//! Trees can be exponential in the size of the patterns. So a tree has a budget in proportion to them; when it is spent, half of the arms are tried
//! alone, and a single arm that is still too much is tested part by part, which is linear. What falls through goes on with the arms behind.

use std::rc::Rc;

use hashbrown::HashMap;
use hir::ir::{Arm, ExprId, LocalId, Pattern, PatternId};
use hir::{Type, TypeKind};
use ir::Stop;

use super::cells::{cell_of, part_type};
use super::flow::Join;
use super::matching::{Match, SWITCH_CASES, Test, is_value, listed};
use super::{Builder, reached};

mod emit;

/// Nodes and rows that a tree may have, and how many more for each pattern.
const BUDGET: usize = 256;
const BUDGET_A_PATTERN: usize = 8;
/// Nodes on one way.
const DEEPEST: u32 = 200;

/// A part of the scrutinee, by its position in the list of parts; the first is the whole.
type Part = usize;

/// How a part is read from the one it belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Field(u32),
    Payload(u32, u32),
    /// Of a cell.
    Part(u32),
    /// Number of elements of a list.
    Length,
    /// Of a list.
    Element(u32),
    /// The elements of a list from there on.
    Rest(u32),
}

/// What a part is tested for: a test or a variant with its patterns, or nothing more.
#[derive(Clone)]
struct Alternative {
    ask: Ask,
    names: Vec<LocalId>,
}

#[derive(Clone, Copy)]
enum Ask {
    Nothing,
    Test(Test),
    Variant(u32, ir::List<PatternId>),
    /// Exactly these elements, or with a rest, which stands last, at least those before it.
    List(ir::List<PatternId>, bool),
}

#[derive(Clone)]
struct Row {
    arm: usize,
    /// Alternatives of each part that is asked about; one must fit.
    asks: Vec<(Part, Rc<[Alternative]>)>,
    names: Vec<(LocalId, Part)>,
}

enum Node {
    /// No arm of the run.
    Fail,
    Leaf {
        arm: usize,
        names: Vec<(LocalId, Part)>,
    },
    /// By variant; `rest` for all others, if there are any.
    Variants {
        part: Part,
        cases: Vec<(u32, Node)>,
        rest: Option<Box<Node>>,
    },
    /// By value.
    Values {
        part: Part,
        cases: Vec<(i64, Node)>,
        rest: Box<Node>,
    },
    Test {
        part: Part,
        test: Test,
        yes: Box<Node>,
        no: Box<Node>,
    },
}

/// The parts of one scrutinee.
struct Parts {
    /// The match.
    at: ExprId,
    /// Type, and where it is read from.
    rows: Vec<(Type, Option<(Part, Step)>)>,
    index: HashMap<(Part, Step), Part>,
}

/// A tree that grows.
struct Growth<'p> {
    parts: &'p mut Parts,
    left: usize,
    depth: u32,
    /// Nothing gets past the run: the last row that is left need not ask.
    is_total: bool,
}

/// The budget is spent.
struct Spent;

/// Growing gives a tree, or nothing when the budget is spent.
type Grown<T> = Result<Result<T, Spent>, Stop>;

macro_rules! grown {
    ($result:expr) => {
        match $result? {
            Ok(value) => value,
            Err(spent) => return Ok(Err(spent)),
        }
    };
}

impl Builder<'_> {
    /// A match on a tuple, struct or sum; true when control may get past all arms.
    pub(super) fn compound(&mut self, m: &Match, arms: &[Arm], out: &mut Join) -> Result<bool, Stop> {
        let mut rest = arms;
        let mut open = true;
        while open && !rest.is_empty() {
            // A guarded arm ends its run.
            let mut run = rest.iter().position(|arm| arm.guard.is_some()).map_or(rest.len(), |at| at + 1);
            let mut parts = Parts { at: m.at, rows: vec![(m.ty, None)], index: HashMap::new() };
            let tree = loop {
                // What an earlier run has ruled out of a part is not seen where the part is read again, so a later run asks for all that it reads.
                let is_total = run == arms.len() && rest[run - 1].guard.is_none();
                match self.tree(&mut parts, &rest[..run], is_total)? {
                    Ok(tree) => break Some(tree),
                    Err(Spent) if run > 1 => run /= 2,
                    Err(Spent) => break None,
                }
            };
            let mut next = self.open(None);
            let mut names = Vec::new();
            for arm in &rest[..run] {
                self.names_of(arm.pattern, &mut names);
            }
            names.iter().for_each(|&name| self.flow.hide(name));
            let mut entries: Vec<Join> = rest[..run].iter().map(|_| self.open_arm()).collect();
            match tree {
                Some(tree) => {
                    let mut known = vec![(0, m.scrutinee)];
                    self.decide(&tree, &parts, &mut known, &mut entries, &mut next)?;
                }
                None => {
                    let passed = self.sequence(rest[0].pattern, m.scrutinee, m.at, &mut next);
                    if reached(passed)?.is_some() {
                        self.jump(&mut entries[0], None);
                    }
                }
            }
            names.iter().for_each(|&name| self.flow.show(name));
            for (arm, entry) in rest.iter().zip(entries) {
                if reached(self.seal(entry))?.is_some() {
                    self.arm(m, arm, &mut next, out)?;
                }
            }
            rest = &rest[run..];
            open = reached(self.seal(next))?.is_some();
        }
        Ok(open)
    }

    /// The locals that a pattern binds; those of alternatives may come more than once.
    fn names_of(&self, pattern: PatternId, names: &mut Vec<LocalId>) {
        let list = match self.body.patterns[pattern] {
            Pattern::Any | Pattern::Range(..) | Pattern::Str(_) | Pattern::Float(_) => return,
            Pattern::Bind(local, inner) => {
                names.push(local);
                return self.names_of(inner, names);
            }
            Pattern::Fields(list) | Pattern::Variant(_, list) | Pattern::List(list, _) | Pattern::Or(list) => list,
        };
        for &part in &self.body.parts[list] {
            self.names_of(part, names);
        }
    }

    fn size_of(&self, pattern: PatternId) -> usize {
        let list = match self.body.patterns[pattern] {
            Pattern::Any | Pattern::Range(..) | Pattern::Str(_) | Pattern::Float(_) => return 1,
            Pattern::Bind(_, inner) => return 1 + self.size_of(inner),
            Pattern::Fields(list) | Pattern::Variant(_, list) | Pattern::List(list, _) | Pattern::Or(list) => list,
        };
        1 + self.body.parts[list].iter().map(|&part| self.size_of(part)).sum::<usize>()
    }

    // ---- growing ----

    fn tree(&self, parts: &mut Parts, arms: &[Arm], is_total: bool) -> Grown<Node> {
        let size: usize = arms.iter().map(|arm| self.size_of(arm.pattern)).sum();
        let mut growth = Growth { parts, left: BUDGET + BUDGET_A_PATTERN * size, depth: 0, is_total };
        let mut rows = Vec::with_capacity(arms.len());
        for (arm, row) in arms.iter().enumerate() {
            let empty = Row { arm, asks: Vec::new(), names: Vec::new() };
            grown!(self.settle(&mut growth, empty, vec![(0, row.pattern)], &mut rows));
        }
        self.grow(&mut growth, rows)
    }

    fn part(&self, growth: &mut Growth<'_>, of: Part, step: Step) -> Result<Part, Stop> {
        if let Some(&known) = growth.parts.index.get(&(of, step)) {
            return Ok(known);
        }
        let ty = growth.parts.rows[of].0;
        let found = match step {
            Step::Field(field) => self.cx.fields(ty)?.and_then(|fields| fields.get(field as usize).copied()),
            Step::Payload(variant, part) => {
                self.cx.variants(ty)?.and_then(|variants| variants.get(variant as usize)?.get(part as usize).copied())
            }
            Step::Part(index) => Some(part_type(ty, index)),
            Step::Length => Some(Type::INT),
            Step::Element(_) => element_of(ty),
            Step::Rest(_) => Some(ty),
        };
        growth.parts.rows.push((found.unwrap_or(Type::ERROR), Some((of, step))));
        let part = growth.parts.rows.len() - 1;
        growth.parts.index.insert((of, step), part);
        Ok(part)
    }

    /// Adds patterns of parts to a row: names and fields at once, everything else as what is to be asked. Alternatives of a part with fields make
    /// a row each.
    fn settle(&self, growth: &mut Growth<'_>, mut row: Row, mut open: Vec<(Part, PatternId)>, rows: &mut Vec<Row>) -> Grown<()> {
        let body = self.body;
        // What stands last is looked at first.
        open.reverse();
        while let Some((part, pattern)) = open.pop() {
            match body.patterns[pattern] {
                Pattern::Any => {}
                Pattern::Bind(local, inner) => {
                    row.names.push((local, part));
                    open.push((part, inner));
                }
                Pattern::Fields(list) => {
                    for field in (0..list.len() as u32).rev() {
                        let inner = body.parts[list][field as usize];
                        if body.patterns[inner] != Pattern::Any {
                            open.push((self.part(growth, part, Step::Field(field))?, inner));
                        }
                    }
                }
                Pattern::Or(list) if self.has_fields(growth.parts.rows[part].0)? => {
                    let Some((&last, init)) = body.parts[list].split_last() else { return Ok(Ok(())) };
                    for &alternative in init {
                        let Some(left) = growth.left.checked_sub(1) else { return Ok(Err(Spent)) };
                        growth.left = left;
                        let mut rest: Vec<(Part, PatternId)> = open.iter().rev().copied().collect();
                        rest.insert(0, (part, alternative));
                        grown!(self.settle(growth, row.clone(), rest, rows));
                    }
                    open.push((part, last));
                }
                Pattern::Or(_) | Pattern::Range(..) | Pattern::Str(_) | Pattern::Float(_) | Pattern::Variant(..) | Pattern::List(..) => {
                    let alternatives = self.alternatives(pattern);
                    match alternatives.first() {
                        // Nothing fits.
                        None => return Ok(Ok(())),
                        Some(Alternative { ask: Ask::Nothing, names }) => row.names.extend(names.iter().map(|&name| (name, part))),
                        Some(_) => row.asks.push((part, alternatives.into())),
                    }
                }
            }
        }
        rows.push(row);
        Ok(Ok(()))
    }

    fn has_fields(&self, ty: Type) -> Result<bool, Stop> {
        Ok(self.cx.fields(ty)?.is_some())
    }

    /// The alternatives of a pattern of a scalar or sum, up to one that fits always.
    fn alternatives(&self, pattern: PatternId) -> Vec<Alternative> {
        let mut found: Vec<Alternative> = Vec::new();
        let mut open = vec![(pattern, Vec::new())];
        while let Some((pattern, mut names)) = open.pop() {
            let ask = match self.body.patterns[pattern] {
                Pattern::Bind(local, inner) => {
                    names.push(local);
                    open.push((inner, names));
                    continue;
                }
                Pattern::Or(list) => {
                    open.extend(self.body.parts[list].iter().rev().map(|&part| (part, names.clone())));
                    continue;
                }
                Pattern::Range(low, high) => Ask::Test(Test::Range(low, high)),
                Pattern::Str(text) => Ask::Test(Test::Str(text)),
                Pattern::Float(bits) => Ask::Test(Test::Float(bits)),
                Pattern::Variant(number, list) => Ask::Variant(number, list),
                Pattern::List(list, has_rest) => Ask::List(list, has_rest),
                Pattern::Any | Pattern::Fields(_) => Ask::Nothing,
            };
            found.push(Alternative { ask, names });
            if let Ask::Nothing = ask {
                break;
            }
        }
        found
    }

    fn grow(&self, growth: &mut Growth<'_>, rows: Vec<Row>) -> Grown<Node> {
        let Some(left) = growth.left.checked_sub(1 + rows.len()).filter(|_| growth.depth < DEEPEST) else { return Ok(Err(Spent)) };
        growth.left = left;
        let Some(first) = rows.first() else { return Ok(Ok(Node::Fail)) };
        if rows.len() == 1 && growth.is_total && first.asks.iter().all(|(_, alternatives)| alternatives.len() == 1) {
            return self.last(growth, first.clone());
        }
        if first.asks.is_empty() {
            return Ok(Ok(Node::Leaf { arm: first.arm, names: first.names.clone() }));
        }
        // The part that most rows ask about; the leftmost of these.
        let asked = |part: Part| rows.iter().filter(|row| row.asks.iter().any(|ask| ask.0 == part)).count();
        let mut part = first.asks[0].0;
        for &(other, _) in &first.asks[1..] {
            if asked(other) > asked(part) {
                part = other;
            }
        }
        growth.depth += 1;
        let node = match first.ask(part).and_then(|alternatives| alternatives.first()).map(|alternative| alternative.ask) {
            Some(Ask::Variant(..)) => self.by_variant(growth, rows, part),
            Some(Ask::Test(test)) => self.by_test(growth, rows, part, test),
            Some(Ask::List(..)) => self.by_length(growth, &rows, part),
            Some(Ask::Nothing) | None => Ok(Ok(Node::Fail)),
        };
        growth.depth -= 1;
        node
    }

    /// The only row that is left where some row must fit: it fits, and only its names are wanted.
    fn last(&self, growth: &mut Growth<'_>, mut row: Row) -> Grown<Node> {
        while let Some((part, alternatives)) = row.asks.pop() {
            let mut rows = Vec::new();
            for alternative in alternatives.iter() {
                grown!(self.taken(growth, &row, part, alternative, &mut rows));
            }
            match <[Row; 1]>::try_from(rows) {
                Ok([next]) if next.asks.iter().all(|(_, alternatives)| alternatives.len() == 1) => row = next,
                // Which alternative it is must be asked.
                Ok([next]) => return self.grow(growth, vec![next]),
                Err(rows) => return self.grow(growth, rows),
            }
        }
        Ok(Ok(Node::Leaf { arm: row.arm, names: row.names }))
    }

    /// The rows that are left of `row` (without what it asks of `part`) when this alternative fits.
    fn taken(&self, growth: &mut Growth<'_>, row: &Row, part: Part, alternative: &Alternative, rows: &mut Vec<Row>) -> Grown<()> {
        let mut row = row.clone();
        row.names.extend(alternative.names.iter().map(|&name| (name, part)));
        let mut open = Vec::new();
        if let Ask::Variant(variant, list) = alternative.ask {
            let is_in_cell = cell_of(self.cx, growth.parts.rows[part].0, variant)?.is_some();
            for (at, &inner) in self.body.parts[list].iter().enumerate() {
                if self.body.patterns[inner] == Pattern::Any {
                    continue;
                }
                let payload = if is_in_cell {
                    let cell = self.part(growth, part, Step::Payload(variant, 0))?;
                    self.part(growth, cell, Step::Part(at as u32))?
                } else {
                    self.part(growth, part, Step::Payload(variant, at as u32))?
                };
                open.push((payload, inner));
            }
        }
        if let Ask::List(list, has_rest) = alternative.ask {
            let count = named(list, has_rest);
            for (at, &inner) in self.body.parts[list].iter().enumerate() {
                if self.body.patterns[inner] != Pattern::Any {
                    let step = if at < count { Step::Element(at as u32) } else { Step::Rest(at as u32) };
                    open.push((self.part(growth, part, step)?, inner));
                }
            }
        }
        self.settle(growth, row, open, rows)
    }

    /// Each length that a pattern tells from the others, and all longer ones.
    fn by_length(&self, growth: &mut Growth<'_>, rows: &[Row], part: Part) -> Grown<Node> {
        let mut end = 0;
        for alternative in rows.iter().filter_map(|row| row.ask(part)).flatten() {
            if let Ask::List(list, has_rest) = alternative.ask {
                end = end.max(named(list, has_rest) + usize::from(!has_rest));
            }
        }
        let mut ways = Vec::with_capacity(end + 1);
        for length in 0..=end {
            let mut fitting = Vec::new();
            for row in rows {
                let rest = row.without(part);
                let Some(alternatives) = row.ask(part) else {
                    fitting.push(rest);
                    continue;
                };
                for alternative in alternatives {
                    let fits = match alternative.ask {
                        Ask::List(list, true) => named(list, true) <= length,
                        Ask::List(list, false) => list.len() == length,
                        Ask::Nothing => true,
                        Ask::Test(_) | Ask::Variant(..) => false,
                    };
                    if fits {
                        grown!(self.taken(growth, &rest, part, alternative, &mut fitting));
                    }
                }
            }
            ways.push(grown!(self.grow(growth, fitting)));
        }
        let part = self.part(growth, part, Step::Length)?;
        let Some(longer) = ways.pop() else { return Ok(Ok(Node::Fail)) };
        let rest = Box::new(longer);
        Ok(Ok(match <[Node; 1]>::try_from(ways) {
            Ok([empty]) => Node::Test { part, test: Test::Range(0, 0), yes: Box::new(empty), no: rest },
            Err(ways) if ways.is_empty() => *rest,
            Err(ways) => Node::Values { part, cases: (0..).zip(ways).collect(), rest },
        }))
    }

    fn by_variant(&self, growth: &mut Growth<'_>, rows: Vec<Row>, part: Part) -> Grown<Node> {
        let count = self.cx.variants(growth.parts.rows[part].0)?.map_or(0, |variants| variants.len());
        let mut buckets: Vec<Option<Vec<Row>>> = vec![None; count];
        for alternative in rows.iter().filter_map(|row| row.ask(part)).flatten() {
            if let Ask::Variant(number, _) = alternative.ask
                && let Some(bucket) = buckets.get_mut(number as usize)
            {
                bucket.get_or_insert_default();
            }
        }
        let mut others: Vec<Row> = Vec::new();
        for row in &rows {
            let rest = row.without(part);
            match row.ask(part) {
                None => {
                    buckets.iter_mut().flatten().for_each(|bucket| bucket.push(rest.clone()));
                    others.push(rest);
                }
                Some(alternatives) => {
                    for alternative in alternatives {
                        match alternative.ask {
                            Ask::Variant(number, _) => {
                                if let Some(Some(bucket)) = buckets.get_mut(number as usize) {
                                    grown!(self.taken(growth, &rest, part, alternative, bucket));
                                }
                            }
                            Ask::Nothing | Ask::Test(_) | Ask::List(..) => {
                                for bucket in buckets.iter_mut().flatten() {
                                    grown!(self.taken(growth, &rest, part, alternative, bucket));
                                }
                                grown!(self.taken(growth, &rest, part, alternative, &mut others));
                            }
                        }
                    }
                }
            }
        }
        let is_covered = buckets.iter().all(Option::is_some) || growth.is_total && others.is_empty();
        let mut cases = Vec::new();
        for (number, bucket) in buckets.into_iter().enumerate() {
            if let Some(bucket) = bucket {
                cases.push((number as u32, grown!(self.grow(growth, bucket))));
            }
        }
        let rest = if is_covered { None } else { Some(Box::new(grown!(self.grow(growth, others)))) };
        Ok(Ok(Node::Variants { part, cases, rest }))
    }

    fn by_test(&self, growth: &mut Growth<'_>, rows: Vec<Row>, part: Part, test: Test) -> Grown<Node> {
        let ty = growth.parts.rows[part].0;
        if let Some(values) = switch_values(&rows, part, ty) {
            let mut cases = Vec::with_capacity(values.len());
            for &value in &values {
                let mut fitting = Vec::new();
                for row in &rows {
                    let rest = row.without(part);
                    let Some(alternatives) = row.ask(part) else {
                        fitting.push(rest);
                        continue;
                    };
                    // Alternatives of a scalar that fit lead to the same: the first one counts.
                    if let Some(alternative) = alternatives.iter().find(|alternative| alternative.ask.takes(value)) {
                        grown!(self.taken(growth, &rest, part, alternative, &mut fitting));
                    }
                }
                cases.push((value, grown!(self.grow(growth, fitting))));
            }
            let mut others = Vec::new();
            for row in &rows {
                match row.ask(part) {
                    None => others.push(row.without(part)),
                    Some(alternatives) => {
                        if let Some(alternative) = alternatives.iter().find(|alternative| matches!(alternative.ask, Ask::Nothing)) {
                            grown!(self.taken(growth, &row.without(part), part, alternative, &mut others));
                        }
                    }
                }
            }
            let rest = Box::new(grown!(self.grow(growth, others)));
            return Ok(Ok(Node::Values { part, cases, rest }));
        }
        let (mut fitting, mut others) = (Vec::new(), Vec::new());
        for row in rows {
            let Some(alternatives) = row.ask(part) else {
                fitting.push(row.clone());
                others.push(row);
                continue;
            };
            let rest = row.without(part);
            // Where the test holds, an alternative fits, or does not, or still has to be asked.
            match alternatives.iter().find(|alternative| alternative.ask.follows(test)) {
                Some(alternative) => grown!(self.taken(growth, &rest, part, alternative, &mut fitting)),
                None => fitting.extend(row.with(part, |ask| ask.may_follow(test))),
            }
            others.extend(row.with(part, |ask| !ask.is_within(test)));
        }
        let yes = Box::new(grown!(self.grow(growth, fitting)));
        let no = Box::new(grown!(self.grow(growth, others)));
        Ok(Ok(Node::Test { part, test, yes, no }))
    }
}

impl Row {
    fn ask(&self, part: Part) -> Option<&[Alternative]> {
        self.asks.iter().find(|ask| ask.0 == part).map(|ask| &*ask.1)
    }

    fn without(&self, part: Part) -> Row {
        Row { arm: self.arm, asks: self.asks.iter().filter(|ask| ask.0 != part).cloned().collect(), names: self.names.clone() }
    }

    /// The row with those alternatives of a part that may still fit; nothing when none may.
    fn with(&self, part: Part, may_fit: impl Fn(&Ask) -> bool) -> Option<Row> {
        let mut row = self.clone();
        let slot = row.asks.iter_mut().find(|ask| ask.0 == part)?;
        let left: Vec<Alternative> = slot.1.iter().filter(|alternative| may_fit(&alternative.ask)).cloned().collect();
        if let [Alternative { ask: Ask::Nothing, names }, ..] = &left[..] {
            row.names.extend(names.iter().map(|&name| (name, part)));
            row.asks.retain(|ask| ask.0 != part);
            return Some(row);
        }
        if left.is_empty() {
            return None;
        }
        slot.1 = left.into();
        Some(row)
    }
}

impl Ask {
    /// Does it take this value?
    fn takes(&self, value: i64) -> bool {
        match *self {
            Ask::Nothing => true,
            Ask::Test(Test::Range(low, high)) => low <= value && value <= high,
            Ask::Test(Test::Str(_) | Test::Float(_)) | Ask::Variant(..) | Ask::List(..) => false,
        }
    }

    /// Does it fit whatever the test takes?
    fn follows(&self, test: Test) -> bool {
        match (*self, test) {
            (Ask::Nothing, _) => true,
            (Ask::Test(Test::Range(low, high)), Test::Range(a, b)) => low <= a && b <= high,
            (Ask::Test(own), test) => own == test,
            (Ask::Variant(..) | Ask::List(..), _) => false,
        }
    }

    /// Does it fit something that the test takes? Asked where it does not take all of that.
    fn may_follow(&self, test: Test) -> bool {
        match (*self, test) {
            (Ask::Test(Test::Range(low, high)), Test::Range(a, b)) => low <= b && a <= high,
            // Two literals are equal or not; floats may be equal in spite of their bits.
            (Ask::Test(Test::Float(own)), Test::Float(other)) => f64::from_bits(own) == f64::from_bits(other),
            _ => false,
        }
    }

    /// Is everything that it takes taken by the test?
    fn is_within(&self, test: Test) -> bool {
        match (*self, test) {
            (Ask::Nothing | Ask::Variant(..) | Ask::List(..), _) => false,
            (Ask::Test(Test::Range(low, high)), Test::Range(a, b)) => a <= low && high <= b,
            (Ask::Test(own), test) => own == test,
        }
    }
}

/// The values by which one switch tells the rows apart, if they are few enough a row and enough together.
fn switch_values(rows: &[Row], part: Part, ty: Type) -> Option<Vec<i64>> {
    if !matches!(ty, Type::INT | Type::CHAR | Type::BYTE) {
        return None;
    }
    let mut values: Vec<i64> = Vec::new();
    for alternative in rows.iter().filter_map(|row| row.ask(part)).flatten() {
        match alternative.ask {
            Ask::Nothing => {}
            Ask::Test(test @ Test::Range(low, high)) => {
                listed(test)?;
                values.extend((low..=high).filter(|&value| is_value(ty, value)));
            }
            Ask::Test(Test::Str(_) | Test::Float(_)) | Ask::Variant(..) | Ask::List(..) => return None,
        }
    }
    values.sort_unstable();
    values.dedup();
    (values.len() >= SWITCH_CASES).then_some(values)
}

/// How many elements a list pattern names: its parts without the rest.
fn named(list: ir::List<PatternId>, has_rest: bool) -> usize {
    list.len().saturating_sub(usize::from(has_rest))
}

fn element_of(list: Type) -> Option<Type> {
    match list.kind() {
        TypeKind::List(element) => Some(element),
        _ => None,
    }
}
