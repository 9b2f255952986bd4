//! Constants, identities, literal offsets into loads and stores.
//!
//! One walk over the blocks in their order, which is nearly always one in which definitions come first. An instruction with a known result becomes the
//! constant in place; one that equals a value it already has is replaced everywhere at the end, and is then dead.

use ir::ops::Effect;
use ir::ssa::{Block, Graph, Inst, Value};
use ir::{Fuel, List};

use super::literal;
use crate::ir::{Lir, Type};
use crate::ops::{Cond, FloatCond, Op, check_parts};

pub(super) fn run(graph: &mut Graph<Lir>, fuel: &mut Fuel) {
    let mut folder = Folder { same: (0..graph.values.len() as u32).map(|n| Value::new(n as usize)).collect(), renamed: false, graph };
    for block in folder.graph.blocks.ids() {
        if !folder.block(block, fuel) {
            break;
        }
    }
    if folder.renamed {
        let Folder { graph, same, .. } = folder;
        // Chains were resolved as they were made: a replacement is never itself replaced later, or was before.
        graph.rename(|value| same.get(value.index()).copied().unwrap_or(value));
    }
}

struct Folder<'a> {
    graph: &'a mut Graph<Lir>,
    /// For each value the one that stands for it.
    same: Vec<Value>,
    renamed: bool,
}

/// What an instruction turned out to be.
enum Found {
    /// Its only result is this integer.
    Constant(i64),
    /// Its only result is this value.
    Same(Value),
    /// It is this op on these operands.
    Becomes(Op, u64, [Value; 2]),
    /// It does nothing.
    Nothing,
}

impl Folder<'_> {
    /// False when the fuel is used up.
    fn block(&mut self, block: Block, fuel: &mut Fuel) -> bool {
        let mut gone = false;
        let mut paid = true;
        'insts: for index in 0..self.graph.blocks[block].insts.len() {
            let inst = self.graph.blocks[block].insts[index];
            if self.renamed {
                self.update_operands(inst);
            }
            // Constants make constants: an instruction may fold more than once. The bound is for definitions that go in a circle, as they may in
            // blocks that cannot be reached.
            for _ in 0..8 {
                let Some(found) = self.find(inst) else { break };
                if !fuel.spend() {
                    paid = false;
                    break 'insts;
                }
                gone |= matches!(found, Found::Nothing);
                if !self.apply(inst, found) {
                    break;
                }
            }
        }
        if gone {
            let graph = &mut *self.graph;
            let insts = std::mem::take(&mut graph.blocks[block].insts);
            graph.blocks[block].insts = insts.into_iter().filter(|&inst| graph.insts[inst].flags != REMOVED).collect();
        }
        paid
    }

    fn update_operands(&mut self, inst: Inst) {
        let list = self.graph.insts[inst].args;
        for arg in self.graph.args.get_mut(list) {
            *arg = self.same.get(arg.index()).copied().unwrap_or(*arg);
        }
    }

    /// Carries out a rewrite; true when the instruction is worth another look.
    fn apply(&mut self, inst: Inst, found: Found) -> bool {
        match found {
            Found::Constant(number) => {
                self.pure(inst, Op::Iconst, number as u64, List::EMPTY);
                false
            }
            Found::Same(value) => {
                let old = self.graph.insts[inst].first_result;
                self.same[old.index()] = value;
                self.renamed = true;
                if self.graph.op(inst).info().effect != Effect::Pure {
                    // It can no longer panic, so it is dead once it is replaced.
                    let list = self.graph.args.add([value, value]);
                    self.pure(inst, Op::Or, 0, list);
                }
                false
            }
            Found::Becomes(op, imm, args) => {
                if matches!(op, Op::Load | Op::Store) {
                    let list = self.graph.insts[inst].args;
                    self.graph.args.get_mut(list)[0] = args[0];
                    self.graph.insts[inst].imm = imm;
                } else if op == Op::AddCheck || op == Op::MulCheck {
                    let list = self.graph.insts[inst].args;
                    self.graph.args.get_mut(list).copy_from_slice(&args);
                } else {
                    let list = self.graph.args.add(args);
                    self.pure(inst, op, imm, list);
                }
                true
            }
            Found::Nothing => {
                self.graph.insts[inst].flags = REMOVED;
                false
            }
        }
    }

    /// The instruction becomes a pure one.
    fn pure(&mut self, inst: Inst, op: Op, imm: u64, args: List<Value>) {
        let row = &mut self.graph.insts[inst];
        (row.op, row.imm, row.args, row.flags) = (op, imm, args, 0);
        self.graph.edges[inst].unwind = None;
        self.graph.lose_place(inst);
    }

    fn find(&self, inst: Inst) -> Option<Found> {
        let row = &self.graph.insts[inst];
        let (a, b) = match *self.graph.args(inst) {
            [a] => (a, a),
            [a, b] => (a, b),
            [a, b, _] => (a, b),
            [a, b, ..] => (a, b),
            [] => return None,
        };
        let number = |value: Value| literal(self.graph, value);
        match row.op {
            Op::Add | Op::Sub | Op::Mul | Op::And | Op::Or | Op::Xor | Op::Shl | Op::Shr | Op::Sar | Op::MulHigh => {
                self.arithmetic(row.op, a, b)
            }
            Op::AddCheck | Op::SubCheck | Op::MulCheck => self.checked(row.op, row.imm, a, b),
            Op::Neg => number(a).map(|n| Found::Constant(n.wrapping_neg())),
            Op::NegCheck => number(a).and_then(i64::checked_neg).map(Found::Constant),
            Op::Zext => number(a).map(Found::Constant),
            Op::Trunc => {
                let ty = self.graph.values.get(row.first_result)?.ty;
                if let Some(n) = number(a) {
                    return Some(Found::Constant(truncated(ty, n)?));
                }
                // A widened value of the same type again.
                let wide = self.graph.def_inst(a)?;
                let &[narrow] = self.graph.args(wide) else { return None };
                (self.graph.op(wide) == Op::Zext && self.graph.ty(narrow) == ty).then_some(Found::Same(narrow))
            }
            Op::Icmp => {
                let cond = *Cond::ALL.get(row.imm as usize)?;
                self.comparison(cond, a, b)
            }
            Op::Select => {
                let &[condition, yes, no] = self.graph.args(inst) else { return None };
                if yes == no {
                    return Some(Found::Same(yes));
                }
                number(condition).map(|n| Found::Same(if n != 0 { yes } else { no }))
            }
            Op::Check => {
                let (cond, _) = check_parts(row.imm)?;
                (row.flags != REMOVED && cond.holds(number(a)?, number(b)?)).then_some(Found::Nothing)
            }
            Op::Load | Op::Store => self.address(row.op, row.imm, a, b),
            Op::Iconst
            | Op::Fconst
            | Op::Data
            | Op::Static
            | Op::Slot
            | Op::Sdiv
            | Op::Srem
            | Op::Fcmp
            | Op::Fadd
            | Op::Fsub
            | Op::Fmul
            | Op::Fdiv
            | Op::Fneg
            | Op::Fabs
            | Op::Fsqrt
            | Op::FloatOfInt
            | Op::IntOfFloat
            | Op::BitsOfFloat
            | Op::FloatOfBits
            | Op::Alloc
            | Op::Free
            | Op::CountUp
            | Op::CountDown
            | Op::Runtime
            | Op::Call
            | Op::Code
            | Op::CallPtr
            | Op::Jump
            | Op::Branch
            | Op::Switch
            | Op::Return
            | Op::Tail
            | Op::Panic
            | Op::Resume
            | Op::Unreachable => None,
        }
    }

    fn arithmetic(&self, op: Op, a: Value, b: Value) -> Option<Found> {
        let (x, y) = (literal(self.graph, a), literal(self.graph, b));
        if let (Some(x), Some(y)) = (x, y) {
            return evaluate(op, x, y).map(Found::Constant);
        }
        let commutes = matches!(op, Op::Mul | Op::And | Op::Or | Op::Xor)
            || (op == Op::Add && self.graph.ty(b) == Type::I64 && self.graph.ty(a) == Type::I64);
        if x.is_some() && commutes {
            return Some(Found::Becomes(op, 0, [b, a]));
        }
        let found = match (op, y) {
            (Op::Add | Op::Sub | Op::Or | Op::Xor | Op::Shl | Op::Shr | Op::Sar, Some(0)) | (Op::Mul, Some(1)) | (Op::And, Some(-1)) => {
                Found::Same(a)
            }
            (Op::Mul | Op::And, Some(0)) => Found::Constant(0),
            (Op::Sub | Op::Xor, None) if a == b => Found::Constant(0),
            (Op::And | Op::Or, None) if a == b => Found::Same(a),
            // The negation of a comparison is a comparison.
            (Op::Xor, Some(1)) => return self.negated(a),
            _ => return None,
        };
        Some(found)
    }

    fn negated(&self, value: Value) -> Option<Found> {
        let inst = self.graph.def_inst(value)?;
        let row = self.graph.insts.get(inst)?;
        let &[a, b] = self.graph.args(inst) else { return None };
        if row.op == Op::Icmp {
            return Some(Found::Becomes(Op::Icmp, Cond::ALL.get(row.imm as usize)?.inverse() as u64, [a, b]));
        }
        if row.op == Op::Fcmp {
            // Only these two are each other's opposite when an operand is NaN.
            let inverse = match FloatCond::ALL.get(row.imm as usize)? {
                FloatCond::Eq => FloatCond::Ne,
                FloatCond::Ne => FloatCond::Eq,
                FloatCond::Lt | FloatCond::Le | FloatCond::Gt | FloatCond::Ge => return None,
            };
            return Some(Found::Becomes(Op::Fcmp, inverse as u64, [a, b]));
        }
        None
    }

    fn checked(&self, op: Op, imm: u64, a: Value, b: Value) -> Option<Found> {
        let (x, y) = (literal(self.graph, a), literal(self.graph, b));
        if let (Some(x), Some(y)) = (x, y) {
            let result = match op {
                Op::AddCheck => x.checked_add(y),
                Op::SubCheck => x.checked_sub(y),
                _ => x.checked_mul(y),
            };
            return result.map(Found::Constant);
        }
        if x.is_some() && matches!(op, Op::AddCheck | Op::MulCheck) {
            return Some(Found::Becomes(op, imm, [b, a]));
        }
        match (op, y?) {
            (Op::AddCheck | Op::SubCheck, 0) | (Op::MulCheck, 1) => Some(Found::Same(a)),
            (Op::MulCheck, 0) => Some(Found::Constant(0)),
            _ => None,
        }
    }

    fn comparison(&self, cond: Cond, a: Value, b: Value) -> Option<Found> {
        let (x, y) = (literal(self.graph, a), literal(self.graph, b));
        match (x, y) {
            (Some(x), Some(y)) => Some(Found::Constant(i64::from(cond.holds(x, y)))),
            (Some(_), None) => Some(Found::Becomes(Op::Icmp, cond.swapped() as u64, [b, a])),
            (None, Some(0)) => {
                // A comparison compared with false.
                let op = self.graph.op(self.graph.def_inst(a)?);
                match cond {
                    Cond::Ne if matches!(op, Op::Icmp | Op::Fcmp) => Some(Found::Same(a)),
                    Cond::Eq if matches!(op, Op::Icmp | Op::Fcmp) => self.negated(a),
                    _ => None,
                }
            }
            (None, _) if a == b => Some(Found::Constant(i64::from(cond.holds(0, 0)))),
            (None, _) => None,
        }
    }

    /// `load (p + 8), 16` is `load p, 24`.
    fn address(&self, op: Op, imm: u64, base: Value, other: Value) -> Option<Found> {
        let inst = self.graph.def_inst(base)?;
        if self.graph.op(inst) != Op::Add {
            return None;
        }
        let &[inner, by] = self.graph.args(inst) else { return None };
        let offset = (imm as i64).checked_add(literal(self.graph, by)?)?;
        (0..=i64::from(i32::MAX)).contains(&offset).then_some(Found::Becomes(op, offset as u64, [inner, other]))
    }
}

/// Marks an instruction that goes at the end of its block; no flag has this bit.
const REMOVED: u16 = 1 << 15;

const fn truncated(ty: Type, number: i64) -> Option<i64> {
    match ty {
        Type::I8 => Some(number & 0xff),
        Type::I32 => Some(number & 0xffff_ffff),
        Type::I64 | Type::Ptr => Some(number),
        Type::F64 => None,
    }
}

/// The result of an op on constants.
fn evaluate(op: Op, x: i64, y: i64) -> Option<i64> {
    Some(match op {
        Op::Add => x.wrapping_add(y),
        Op::Sub => x.wrapping_sub(y),
        Op::Mul => x.wrapping_mul(y),
        Op::MulHigh => ((i128::from(x) * i128::from(y)) >> 64) as i64,
        Op::And => x & y,
        Op::Or => x | y,
        Op::Xor => x ^ y,
        Op::Shl => x.wrapping_shl(y as u32),
        Op::Shr => (x as u64).wrapping_shr(y as u32) as i64,
        Op::Sar => x.wrapping_shr(y as u32),
        _ => return None,
    })
}
