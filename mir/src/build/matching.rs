//! `match`: arms in order, each body written once.
//!
//! On a scalar, a run of arms that test single values becomes one `switch`; ranges and texts become chains of comparisons. Anything else is the
//! work of [`super::decide`]. A guarded arm ends its run, because what it refuses must be offered to the arms behind it.

use abi::RuntimeCall;
use hashbrown::HashSet;
use hir::Type;
use hir::ir::{Arm, ExprId, LocalId, Pattern, PatternId};
use ir::ssa::{Block, ENTRY, Inst, NewInst, Value};
use ir::{List, Stop, Symbol};

use super::flow::Join;
use super::{Builder, Leave, Lower, reached};
use crate::ops::Op;

/// Fewer cases than this are a chain.
pub(super) const SWITCH_CASES: usize = 3;
/// A wider range is compared, not listed.
const LISTED_WIDTH: i64 = 8;

/// What is matched, and where results go.
pub(super) struct Match {
    pub(super) at: ExprId,
    pub(super) scrutinee: Value,
    pub(super) ty: Type,
    /// Arms in tail position give no result.
    is_tail: bool,
}

/// What a value of a scalar type is compared with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Test {
    /// An inclusive range of ints, char codes, bytes, or bools (0, 1).
    Range(i64, i64),
    /// A text.
    Str(Symbol),
    /// A float, by its bits.
    Float(u64),
}

/// An arm of a match on a scalar.
struct Scalar {
    /// Alternatives; none when it takes everything.
    tests: Vec<Test>,
    /// Names of the value.
    names: Vec<LocalId>,
}

impl Builder<'_> {
    pub(super) fn matching(&mut self, e: ExprId, scrutinee: ExprId, arms: List<Arm>, is_tail: bool) -> Lower<Option<Value>> {
        let body = self.body;
        let ty = self.ty(scrutinee);
        let m = Match { at: e, scrutinee: self.value(scrutinee)?, ty, is_tail };
        let result = if is_tail { None } else { self.value_type(e) };
        let mut out = self.open(result);
        let arms = &body.arms[arms];
        let open = match ty {
            Type::INT | Type::BOOL | Type::CHAR | Type::BYTE | Type::STR | Type::FLOAT => self.scalars(&m, arms, &mut out)?,
            _ => self.compound(&m, arms, &mut out)?,
        };
        if open {
            self.unreachable();
        }
        if is_tail { Err(Leave::Diverged) } else { self.seal(out) }
    }

    /// A match on a scalar, arm by arm or a switch for several; true when control may get past all arms.
    fn scalars(&mut self, m: &Match, arms: &[Arm], out: &mut Join) -> Result<bool, Stop> {
        let flat: Vec<Scalar> = arms.iter().map(|arm| self.scalar(arm.pattern)).collect();
        let mut rest: Vec<(&Arm, &Scalar)> = arms.iter().zip(&flat).collect();
        let mut rest = &mut rest[..];
        let mut open = true;
        while open && let Some(&mut (arm, scalar)) = rest.first_mut() {
            let run = if m.ty == Type::BOOL { 0 } else { switch_run(rest) };
            let mut next = self.open(None);
            if run > 0 {
                self.switch(m, &rest[..run], &mut next, out)?;
                rest = &mut rest[run..];
            } else {
                let is_last = rest.len() == 1;
                let mut entry = self.open(None);
                // HIR proves that some arm matches (H04): the last one need not ask.
                if scalar.tests.is_empty() || is_last && arm.guard.is_none() {
                    self.jump(&mut entry, None);
                } else {
                    self.tests(m, &scalar.tests, &mut entry, &mut next)?;
                }
                self.scalar_arm(m, (arm, scalar), entry, &mut next, out)?;
                rest = &mut rest[1..];
            }
            open = reached(self.seal(next))?.is_some();
        }
        Ok(open)
    }

    /// The alternatives and names of a pattern of a scalar.
    fn scalar(&self, pattern: PatternId) -> Scalar {
        let body = self.body;
        let mut scalar = Scalar { tests: Vec::new(), names: Vec::new() };
        let mut takes_all = false;
        let mut open = vec![pattern];
        while let Some(pattern) = open.pop() {
            match body.patterns[pattern] {
                Pattern::Bind(local, inner) => {
                    scalar.names.push(local);
                    open.push(inner);
                }
                Pattern::Or(list) => open.extend(body.parts[list].iter().rev()),
                Pattern::Range(low, high) => scalar.tests.push(Test::Range(low, high)),
                Pattern::Str(text) => scalar.tests.push(Test::Str(text)),
                Pattern::Float(bits) => scalar.tests.push(Test::Float(bits)),
                // HIR has patterns of the right type only (H0402).
                Pattern::Any | Pattern::Fields(_) | Pattern::Variant(..) | Pattern::List(..) => takes_all = true,
            }
        }
        if takes_all {
            scalar.tests.clear();
        }
        scalar
    }

    /// Names, then guard and body of an arm on a scalar.
    fn scalar_arm(&mut self, m: &Match, (arm, scalar): (&Arm, &Scalar), entry: Join, next: &mut Join, out: &mut Join) -> Result<(), Stop> {
        if reached(self.seal(entry))?.is_none() {
            return Ok(());
        }
        for &name in &scalar.names {
            self.set(name, m.scrutinee);
        }
        self.arm(m, arm, next, out)
    }

    /// Guard and body of an arm whose names are set.
    pub(super) fn arm(&mut self, m: &Match, arm: &Arm, next: &mut Join, out: &mut Join) -> Result<(), Stop> {
        if let Some(guard) = arm.guard {
            let mut yes = self.open(None);
            self.condition(guard, &mut yes, next)?;
            if reached(self.seal(yes))?.is_none() {
                return Ok(());
            }
        }
        if m.is_tail {
            reached(self.tail(arm.body))?;
            return Ok(());
        }
        let result = self.expr(arm.body);
        if let Some(value) = reached(result)? {
            self.jump(out, value);
        }
        Ok(())
    }

    /// Goes to `yes` when one of the tests holds, else to `no`.
    fn tests(&mut self, m: &Match, tests: &[Test], yes: &mut Join, no: &mut Join) -> Result<(), Stop> {
        let Some((last, init)) = tests.split_last() else { return Ok(()) };
        for test in init {
            let mut next = self.open(None);
            self.test(m.scrutinee, *test, yes, &mut next)?;
            if reached(self.seal(next))?.is_none() {
                return Ok(());
            }
        }
        self.test(m.scrutinee, *last, yes, no)
    }

    /// Goes to `yes` when the test of the value holds, else to `no`.
    pub(super) fn test(&mut self, value: Value, test: Test, yes: &mut Join, no: &mut Join) -> Result<(), Stop> {
        let ty = self.graph.ty(value);
        let (low, high) = match test {
            Test::Str(text) => {
                let text = self.str(text);
                let equal = self.op_with(Op::Runtime, &[value, text], RuntimeCall::StrEqual as u64, Type::BOOL);
                if let Some(inst) = self.graph.def_inst(equal) {
                    self.graph.insts[inst].flags = crate::ops::NOUNWIND;
                }
                self.branch(equal, yes, no);
                return Ok(());
            }
            Test::Float(bits) => {
                let literal = self.op_with(Op::Float, &[], bits, Type::FLOAT);
                let equal = self.op(Op::FEq, &[value, literal], Type::BOOL);
                self.branch(equal, yes, no);
                return Ok(());
            }
            Test::Range(low, high) => (low, high),
        };
        if ty == Type::BOOL {
            match (low <= 0 && 0 <= high, low <= 1 && 1 <= high) {
                (true, true) => self.jump(yes, None),
                (false, true) => self.branch(value, yes, no),
                (true, false) => self.branch(value, no, yes),
                (false, false) => self.jump(no, None),
            }
            return Ok(());
        }
        let (least, greatest) = match ty {
            Type::CHAR => (0, 0x10_FFFF),
            Type::BYTE => (0, 0xFF),
            _ => (i64::MIN, i64::MAX),
        };
        if low > high || high < least || low > greatest {
            self.jump(no, None);
        } else if low <= least && high >= greatest {
            self.jump(yes, None);
        } else if low == high {
            let equal = self.compare(value, Op::Eq, low);
            self.branch(equal, yes, no);
        } else {
            if low > least {
                let above = self.compare(value, Op::Ge, low);
                if high >= greatest {
                    self.branch(above, yes, no);
                    return Ok(());
                }
                let mut upper = self.open(None);
                self.branch(above, &mut upper, no);
                if reached(self.seal(upper))?.is_none() {
                    return Ok(());
                }
            }
            let below = self.compare(value, Op::Le, high);
            self.branch(below, yes, no);
        }
        Ok(())
    }

    /// Compares a value with a case value of its type.
    fn compare(&mut self, scrutinee: Value, op: Op, value: i64) -> Value {
        let ty = self.graph.ty(scrutinee);
        let literal = match ty {
            Type::CHAR => Op::Char,
            Type::BYTE => Op::Byte,
            _ => Op::Int,
        };
        // The end of a half-open range of chars may be a surrogate, which is no char; its neighbour outside the gap bounds the same chars.
        let value = match (ty, op) {
            (Type::CHAR, Op::Ge) if (0xD800..0xE000).contains(&value) => 0xE000,
            (Type::CHAR, _) if (0xD800..0xE000).contains(&value) => 0xD7FF,
            _ => value,
        };
        let value = self.op_with(literal, &[], value as u64, ty);
        self.op(op, &[scrutinee, value], Type::BOOL)
    }

    fn switch(&mut self, m: &Match, arms: &[(&Arm, &Scalar)], next: &mut Join, out: &mut Join) -> Result<(), Stop> {
        let mut met = HashSet::new();
        let mut cases: Vec<i64> = Vec::new();
        let mut owners: Vec<usize> = Vec::new();
        for (owner, (_, scalar)) in arms.iter().enumerate() {
            for test in &scalar.tests {
                let Test::Range(low, high) = *test else { continue };
                for value in low..=high {
                    // The first arm with a value has it.
                    if is_value(m.ty, value) && met.insert(value) {
                        cases.push(value);
                        owners.push(owner);
                    }
                }
            }
        }
        let mut entries: Vec<Join> = arms.iter().map(|_| self.open(None)).collect();
        let inst = self.open_switch(m.scrutinee, &cases);
        for (target, &owner) in owners.iter().enumerate() {
            self.edge(&mut entries[owner], inst, target as u32, None);
        }
        self.edge(next, inst, owners.len() as u32, None);
        for (&arm, entry) in arms.iter().zip(entries) {
            self.scalar_arm(m, arm, entry, next, out)?;
        }
        Ok(())
    }

    /// Ends the block with a switch whose targets are not known yet: one a case, and one for all other values.
    pub(super) fn open_switch(&mut self, value: Value, cases: &[i64]) -> Inst {
        let targets: Vec<(Block, &[Value])> = vec![(ENTRY, &[]); cases.len() + 1];
        let imm = self.graph.add_cases(cases.iter().copied());
        self.terminate(NewInst { args: &[value], imm, targets: &targets, ..NewInst::new(Op::Switch) })
    }
}

/// Is the number a value of the type? Surrogates are no chars.
pub(super) fn is_value(ty: Type, value: i64) -> bool {
    match ty {
        Type::CHAR => u32::try_from(value).is_ok_and(|c| char::from_u32(c).is_some()),
        Type::BYTE => u8::try_from(value).is_ok(),
        Type::BOOL => matches!(value, 0 | 1),
        _ => true,
    }
}

/// How many values a test lists, if few enough for a switch.
pub(super) fn listed(test: Test) -> Option<usize> {
    match test {
        Test::Range(low, high) if low <= high && high.wrapping_sub(low) as u64 <= LISTED_WIDTH as u64 => Some((high - low) as usize + 1),
        Test::Range(..) | Test::Str(_) | Test::Float(_) => None,
    }
}

/// How many of the next arms one switch can take; 0 when they are better tested one by one.
fn switch_run(arms: &[(&Arm, &Scalar)]) -> usize {
    let (mut run, mut cases) = (0, 0);
    for (arm, scalar) in arms {
        let Some(count) = scalar.tests.iter().map(|test| listed(*test)).sum::<Option<usize>>() else { break };
        if count == 0 {
            break;
        }
        run += 1;
        cases += count;
        if arm.guard.is_some() {
            break;
        }
    }
    if cases >= SWITCH_CASES { run } else { 0 }
}
