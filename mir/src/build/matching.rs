//! `match`: arms in order, each body written once.
//!
//! A run of arms that test single values becomes one `switch`; ranges and texts become chains of comparisons. A guarded arm ends its run, because
//! what it refuses must be offered to the arms behind it.

use abi::RuntimeCall;
use hashbrown::HashSet;
use hir::Type;
use hir::ir::{Arm, ExprId, Test};
use ir::ssa::{Block, ENTRY, NewInst, Value};
use ir::{List, Stop};

use super::flow::Join;
use super::{Builder, Leave, Lower, reached};
use crate::ops::Op;

/// Fewer cases than this are a chain.
const SWITCH_CASES: usize = 3;
/// A wider range is compared, not listed.
const LISTED_WIDTH: i64 = 8;

/// What is matched, and where results go.
struct Match {
    scrutinee: Value,
    ty: Type,
    /// Arms in tail position give no result.
    is_tail: bool,
}

impl Builder<'_> {
    pub(super) fn matching(&mut self, e: ExprId, scrutinee: ExprId, arms: List<Arm>, is_tail: bool) -> Lower<Option<Value>> {
        let body = self.body;
        let ty = self.ty(scrutinee);
        let m = Match { scrutinee: self.value(scrutinee)?, ty, is_tail };
        let result = if is_tail { None } else { self.value_type(e) };
        let mut out = self.open(result);
        let mut rest = &body.arms[arms];
        let mut open = true;
        while open && let Some((arm, after)) = rest.split_first() {
            let run = if m.ty == Type::BOOL { 0 } else { self.switch_run(rest) };
            let mut next = self.open(None);
            if run > 0 {
                self.switch(&m, &rest[..run], &mut next, &mut out)?;
                rest = &rest[run..];
            } else {
                let mut entry = self.open(None);
                // HIR proves that some arm matches (H04): the last one need not ask.
                if arm.tests.is_empty() || after.is_empty() && arm.guard.is_none() {
                    self.jump(&mut entry, None);
                } else {
                    self.tests(&m, &body.tests[arm.tests], &mut entry, &mut next)?;
                }
                self.arm(&m, arm, entry, &mut next, &mut out)?;
                rest = after;
            }
            open = reached(self.seal(next))?.is_some();
        }
        if open {
            self.unreachable();
        }
        if is_tail { Err(Leave::Diverged) } else { self.seal(out) }
    }

    /// Binding, guard and body of an arm.
    fn arm(&mut self, m: &Match, arm: &Arm, entry: Join, next: &mut Join, out: &mut Join) -> Result<(), Stop> {
        if reached(self.seal(entry))?.is_none() {
            return Ok(());
        }
        if let Some(binding) = arm.binding {
            self.set(binding, m.scrutinee);
        }
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
            self.test(m, *test, yes, &mut next)?;
            if reached(self.seal(next))?.is_none() {
                return Ok(());
            }
        }
        self.test(m, *last, yes, no)
    }

    fn test(&mut self, m: &Match, test: Test, yes: &mut Join, no: &mut Join) -> Result<(), Stop> {
        let (low, high) = match test {
            Test::Str(text) => {
                let text = self.str(text);
                let equal = self.op_with(Op::Runtime, &[m.scrutinee, text], RuntimeCall::StrEqual as u64, Type::BOOL);
                if let Some(inst) = self.graph.def_inst(equal) {
                    self.graph.insts[inst].flags = crate::ops::NOUNWIND;
                }
                self.branch(equal, yes, no);
                return Ok(());
            }
            Test::Range(low, high) => (low, high),
        };
        if m.ty == Type::BOOL {
            match (low <= 0 && 0 <= high, low <= 1 && 1 <= high) {
                (true, true) => self.jump(yes, None),
                (false, true) => self.branch(m.scrutinee, yes, no),
                (true, false) => self.branch(m.scrutinee, no, yes),
                (false, false) => self.jump(no, None),
            }
            return Ok(());
        }
        let (least, greatest) = match m.ty {
            Type::CHAR => (0, 0x10_FFFF),
            Type::BYTE => (0, 0xFF),
            _ => (i64::MIN, i64::MAX),
        };
        if low > high || high < least || low > greatest {
            self.jump(no, None);
        } else if low <= least && high >= greatest {
            self.jump(yes, None);
        } else if low == high {
            let equal = self.compare(m, Op::Eq, low);
            self.branch(equal, yes, no);
        } else {
            if low > least {
                let above = self.compare(m, Op::Ge, low);
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
            let below = self.compare(m, Op::Le, high);
            self.branch(below, yes, no);
        }
        Ok(())
    }

    /// Compares the scrutinee with a case value of its type.
    fn compare(&mut self, m: &Match, op: Op, value: i64) -> Value {
        let literal = match m.ty {
            Type::CHAR => Op::Char,
            Type::BYTE => Op::Byte,
            _ => Op::Int,
        };
        // The end of a half-open range of chars may be a surrogate, which is no char; its neighbour outside the gap bounds the same chars.
        let value = match (m.ty, op) {
            (Type::CHAR, Op::Ge) if (0xD800..0xE000).contains(&value) => 0xE000,
            (Type::CHAR, _) if (0xD800..0xE000).contains(&value) => 0xD7FF,
            _ => value,
        };
        let value = self.op_with(literal, &[], value as u64, m.ty);
        self.op(op, &[m.scrutinee, value], Type::BOOL)
    }

    /// How many of the next arms one switch can take; 0 when they are better tested one by one.
    fn switch_run(&self, arms: &[Arm]) -> usize {
        let (mut run, mut cases) = (0, 0);
        for arm in arms {
            let mut listed = 0;
            for test in &self.body.tests[arm.tests] {
                match *test {
                    Test::Range(low, high) if low <= high && high.wrapping_sub(low) as u64 <= LISTED_WIDTH as u64 => {
                        listed += (high - low) as usize + 1;
                    }
                    Test::Range(..) | Test::Str(_) => {
                        listed = 0;
                        break;
                    }
                }
            }
            if listed == 0 {
                break;
            }
            run += 1;
            cases += listed;
            if arm.guard.is_some() {
                break;
            }
        }
        if cases >= SWITCH_CASES { run } else { 0 }
    }

    fn switch(&mut self, m: &Match, arms: &[Arm], next: &mut Join, out: &mut Join) -> Result<(), Stop> {
        let mut met = HashSet::new();
        let mut cases: Vec<i64> = Vec::new();
        let mut owners: Vec<usize> = Vec::new();
        for (owner, arm) in arms.iter().enumerate() {
            for test in &self.body.tests[arm.tests] {
                let Test::Range(low, high) = *test else { continue };
                for value in low..=high {
                    let fits = match m.ty {
                        Type::CHAR => u32::try_from(value).is_ok_and(|c| char::from_u32(c).is_some()),
                        Type::BYTE => u8::try_from(value).is_ok(),
                        _ => true,
                    };
                    // The first arm with a value has it.
                    if fits && met.insert(value) {
                        cases.push(value);
                        owners.push(owner);
                    }
                }
            }
        }
        let targets: Vec<(Block, &[Value])> = vec![(ENTRY, &[]); cases.len() + 1];
        let imm = self.graph.add_cases(cases);
        let inst = self.terminate(NewInst { args: &[m.scrutinee], imm, targets: &targets, ..NewInst::new(Op::Switch) });
        let mut entries: Vec<Join> = arms.iter().map(|_| self.open(None)).collect();
        for (target, &owner) in owners.iter().enumerate() {
            self.edge(&mut entries[owner], inst, target as u32, None);
        }
        self.edge(next, inst, owners.len() as u32, None);
        for (arm, entry) in arms.iter().zip(entries) {
            self.arm(m, arm, entry, next, out)?;
        }
        Ok(())
    }
}
