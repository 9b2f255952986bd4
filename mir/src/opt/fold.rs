//! Constants and algebra: an op whose result is known becomes a literal or one of its operands.
//!
//! One walk in reverse postorder, so operands are folded before their users; only what flows around loops needs a second run. An op that
//! may panic is folded only when the result shows that it does not. Floats are folded when the result is no NaN (the payload of a NaN made
//! at run time is the processor's), and no float identity is used that would change the bits of any operand.

use hir::Type;
use ir::Fuel;
use ir::ops::Effect;
use ir::ssa::{Graph, Inst, NewInst, Value};
use ir::{List, PlaceId, Symbol};

use abi::RuntimeCall;

use super::Desk;
use crate::Op;
use crate::ir::Mir;
use crate::ops::NOUNWIND;
use crate::ops::payload_parts;
use crate::verify::proof::{self, int_literal, literal};

/// What an instruction turns into.
enum Found {
    /// It stays.
    Nothing,
    /// A literal of the result's type.
    Literal(Op, u64),
    /// Another value.
    Value(Value),
    /// Another pure op on these operands.
    Pure(Op, [Value; 3], usize),
    /// A pure op on a value and a new literal.
    WithLiteral(Op, Value, (Op, u64)),
    /// The same, proved not to panic.
    Nounwind,
    /// A jump along target `n`.
    Jump(usize),
    /// A branch on another value, with the targets swapped.
    Swapped(Value),
}

/// How often one instruction is rewritten in one run. Each step gets simpler, and the bound is a seat belt.
const STEPS: usize = 8;

/// Runs the pass; false when a second run might find more.
pub(super) fn run(graph: &mut Graph<Mir>, desk: &mut Desk, fuel: &mut Fuel) -> bool {
    let Desk { flow, renames, .. } = desk;
    let order = flow.order(graph);
    renames.clear();
    let mut is_done = true;
    for &block in &order.blocks {
        // The list is rewritten in place: what has been looked at and stays moves up over what is gone.
        let mut insts = std::mem::take(&mut graph.blocks[block].insts);
        let (mut read, mut write) = (0, 0);
        while let Some(&inst) = insts.get(read) {
            read += 1;
            insts[write] = inst;
            write += 1;
            if is_leaf(graph.op(inst)) {
                continue;
            }
            renames.operands(graph, inst);
            let mut found = simplify(graph, inst);
            if matches!(found, Found::Nothing) {
                continue;
            }
            let edges = graph.edges[inst];
            let (mut gone, mut steps) = (false, 0);
            while !matches!(found, Found::Nothing) && fuel.spend() {
                // A rewrite may open the next one on the same instruction.
                let literal = match apply(graph, inst, found) {
                    Next::Stays => break,
                    Next::Is(value) => {
                        renames.set(graph.insts[inst].first_result, value);
                        gone = true;
                        break;
                    }
                    Next::Again(literal) => literal,
                };
                if let Some(literal) = literal {
                    if write == read {
                        insts.insert(write - 1, literal);
                        read += 1;
                    } else {
                        (insts[write - 1], insts[write]) = (literal, inst);
                    }
                    write += 1;
                }
                steps += 1;
                if steps == STEPS {
                    is_done = false;
                    break;
                }
                found = simplify(graph, inst);
            }
            let now = graph.edges[inst];
            if gone {
                write -= 1;
            }
            if now.targets != edges.targets {
                flow.changed();
            } else if let Some(pad) = edges.unwind
                && (gone || now.unwind.is_none())
            {
                flow.unwind_gone(pad);
            }
        }
        insts.truncate(write);
        graph.blocks[block].insts = insts;
    }
    // Definitions come before their uses in this order, so only what flows along edges is still to be renamed.
    renames.target_args(graph, &order.blocks);
    is_done
}

/// Ops that are never rewritten.
fn is_leaf(op: Op) -> bool {
    matches!(op, Op::Int | Op::Float | Op::Bool | Op::Char | Op::Byte | Op::Str | Op::Unit)
}

/// What a rewrite leaves to do.
enum Next {
    /// Nothing.
    Stays,
    /// The instruction goes, its result is this value.
    Is(Value),
    /// The instruction may be looked at again; the literal stands before it.
    Again(Option<Inst>),
}

/// Does the rewrite, but for its traces in other instructions.
fn apply(graph: &mut Graph<Mir>, inst: Inst, found: Found) -> Next {
    match found {
        Found::Nothing => Next::Stays,
        Found::Literal(op, imm) => {
            become_op(graph, inst, op, List::EMPTY, imm);
            Next::Stays
        }
        Found::Value(value) => Next::Is(value),
        Found::Pure(op, args, count) => {
            let args = graph.args.add(args[..count].iter().copied());
            become_op(graph, inst, op, args, 0);
            Next::Again(None)
        }
        Found::WithLiteral(op, value, (literal_op, imm)) => {
            let literal = graph.make(NewInst { imm, ..NewInst::new(literal_op) }, &[type_of_literal(literal_op)]);
            let args = graph.args.add([value, graph.result(literal)]);
            become_op(graph, inst, op, args, 0);
            Next::Again(Some(literal))
        }
        Found::Nounwind => {
            graph.insts[inst].flags |= NOUNWIND;
            graph.edges[inst].unwind = None;
            Next::Stays
        }
        Found::Jump(index) => {
            let target = graph.targets(inst)[index];
            let targets = graph.targets.add([target]);
            let row = &mut graph.insts[inst];
            (row.op, row.args, row.imm, row.flags) = (Op::Jump, List::EMPTY, 0, 0);
            graph.edges[inst].targets = targets;
            Next::Stays
        }
        Found::Swapped(condition) => {
            graph.insts[inst].args = graph.args.add([condition]);
            // Anew, so that the change shows.
            let targets = graph.targets(inst);
            let swapped = [targets[1], targets[0]];
            graph.edges[inst].targets = graph.targets.add(swapped);
            Next::Again(None)
        }
    }
}

/// Turns an instruction into one that cannot panic; the result stays.
pub(super) fn become_op(graph: &mut Graph<Mir>, inst: Inst, op: Op, args: List<Value>, imm: u64) {
    let row = &mut graph.insts[inst];
    (row.op, row.args, row.imm, row.flags) = (op, args, imm, 0);
    graph.edges[inst].unwind = None;
    // What looks at elements can get its check back, and what never had a place must not get it.
    match op {
        Op::ListAt | Op::ListSet => graph.edges[inst].place = PlaceId::NONE,
        _ => graph.lose_place(inst),
    }
}

/// The type of literals of this op.
fn type_of_literal(op: Op) -> Type {
    match op {
        Op::Float => Type::FLOAT,
        Op::Bool => Type::BOOL,
        Op::Char => Type::CHAR,
        Op::Byte => Type::BYTE,
        Op::Str => Type::STR,
        _ => Type::INT,
    }
}

/// The literal op of a discrete type.
pub(super) fn literal_op(ty: Type) -> Op {
    match ty {
        Type::BOOL => Op::Bool,
        Type::CHAR => Op::Char,
        Type::BYTE => Op::Byte,
        _ => Op::Int,
    }
}

/// The compare with its operands exchanged, and with its answer inverted.
pub(super) fn compare_forms(op: Op) -> Option<(Op, Op)> {
    Some(match op {
        Op::Eq => (Op::Eq, Op::Ne),
        Op::Ne => (Op::Ne, Op::Eq),
        Op::Lt => (Op::Gt, Op::Ge),
        Op::Le => (Op::Ge, Op::Gt),
        Op::Gt => (Op::Lt, Op::Le),
        Op::Ge => (Op::Le, Op::Lt),
        _ => return None,
    })
}

/// Does the order of the operands not matter?
pub(super) fn commutes(op: Op) -> bool {
    matches!(
        op,
        Op::Add
            | Op::Mul
            | Op::WrapAdd
            | Op::WrapMul
            | Op::And
            | Op::Or
            | Op::Xor
            | Op::Eq
            | Op::Ne
            | Op::FAdd
            | Op::FMul
            | Op::FEq
            | Op::FNe
    )
}

/// The length of a list that lies in the image.
fn static_length(graph: &Graph<Mir>, list: Value) -> Option<i64> {
    crate::statics::length(Symbol::from_raw(graph.insts[graph.def_inst(list)?].imm as u32))
}

/// The defining instruction's op and operands.
fn definition(graph: &Graph<Mir>, value: Value) -> Option<(Op, &[Value])> {
    let inst = graph.def_inst(value)?;
    Some((graph.op(inst), graph.args(inst)))
}

/// The variant that a sum is made as.
fn variant_of(graph: &Graph<Mir>, sum: Value) -> Option<u64> {
    let made = graph.def_inst(sum)?;
    (graph.op(made) == Op::Variant).then_some(graph.insts[made].imm)
}

/// The part of the payload that a sum was made with.
fn made_payload(graph: &Graph<Mir>, sum: Value, imm: u64) -> Option<Value> {
    let (variant, part) = payload_parts(imm);
    let made = graph.def_inst(sum)?;
    let is_same = graph.op(made) == Op::Variant && graph.insts[made].imm == u64::from(variant);
    if is_same { graph.args(made).get(part as usize).copied() } else { None }
}

/// The part of a cell that is made here.
fn made_part(graph: &Graph<Mir>, cell: Value, part: u64) -> Option<Value> {
    let made = graph.def_inst(cell)?;
    if graph.op(made) == Op::New { graph.args(made).get(part as usize).copied() } else { None }
}

fn int(value: i64) -> Found {
    Found::Literal(Op::Int, value as u64)
}

fn bool(value: bool) -> Found {
    Found::Literal(Op::Bool, value as u64)
}

fn float(value: f64) -> Found {
    if value.is_nan() { Found::Nothing } else { Found::Literal(Op::Float, value.to_bits()) }
}

fn simplify(graph: &Graph<Mir>, inst: Inst) -> Found {
    let row = &graph.insts[inst];
    let args = graph.args(inst);
    match row.op {
        Op::Add | Op::Sub | Op::Mul | Op::WrapAdd | Op::WrapSub | Op::WrapMul => sums(graph, row.op, args[0], args[1]),
        Op::Div | Op::Rem | Op::FloorDiv | Op::Shl | Op::Shr | Op::ByteShl | Op::ByteShr => {
            match quotients(graph, row.op, args[0], args[1]) {
                Found::Nothing if row.flags & NOUNWIND == 0 && proof::cannot_panic(graph, inst) => Found::Nounwind,
                found => found,
            }
        }
        Op::And | Op::Or | Op::Xor => bits(graph, row.op, args[0], args[1]),
        Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge => compares(graph, row.op, args[0], args[1]),
        Op::Neg | Op::Abs | Op::BitNot | Op::Not | Op::Widen | Op::IntToByte | Op::IntToChar | Op::ByteToChar => {
            match unary(graph, row.op, args[0], graph.ty(row.first_result)) {
                Found::Nothing
                    if row.flags & NOUNWIND == 0 && row.op.info().effect == Effect::Panics && proof::cannot_panic(graph, inst) =>
                {
                    Found::Nounwind
                }
                found => found,
            }
        }
        Op::Select => select(graph, args[0], args[1], args[2]),
        Op::FAdd | Op::FSub | Op::FMul | Op::FDiv => float_pair(graph, row.op, args[0], args[1]),
        Op::FEq | Op::FNe | Op::FLt | Op::FLe | Op::FGt | Op::FGe => float_compare(graph, row.op, args[0], args[1]),
        Op::FNeg | Op::FAbs | Op::FSqrt | Op::FloatBits | Op::FloatOfBits | Op::FloatToInt | Op::IntToFloat => {
            float_unary(graph, row.op, args[0])
        }
        Op::StrLen => match literal(graph, args[0]) {
            Some((Op::Str, imm)) => int(Symbol::from_raw(imm as u32).as_str().len() as i64),
            _ => Found::Nothing,
        },
        Op::Runtime => match runtime(graph, row.imm, args) {
            Found::Nothing if row.flags & NOUNWIND == 0 && proof::cannot_panic(graph, inst) => Found::Nounwind,
            found => found,
        },
        Op::Branch => match (int_literal(graph, args[0]), definition(graph, args[0])) {
            (Some(condition), _) => Found::Jump(usize::from(condition == 0)),
            (None, Some((Op::Not, inner))) => Found::Swapped(inner[0]),
            (None, _) => Found::Nothing,
        },
        Op::Switch => match int_literal(graph, args[0]) {
            Some(value) => {
                let cases = graph.cases(inst);
                Found::Jump(cases.iter().position(|&case| case == value).unwrap_or(cases.len()))
            }
            None => Found::Nothing,
        },
        Op::Int | Op::Float | Op::Bool | Op::Char | Op::Byte | Op::Str | Op::Unit => Found::Nothing,
        Op::Tag => match variant_of(graph, args[0]) {
            Some(variant) => int(variant as i64),
            None => Found::Nothing,
        },
        Op::Is => match variant_of(graph, args[0]) {
            Some(variant) => Found::Literal(Op::Bool, u64::from(variant == row.imm)),
            None => Found::Nothing,
        },
        Op::Payload => match made_payload(graph, args[0], row.imm) {
            Some(value) => Found::Value(value),
            None => Found::Nothing,
        },
        Op::Part => match made_part(graph, args[0], row.imm) {
            Some(value) => Found::Value(value),
            None => Found::Nothing,
        },
        Op::ListLen => match definition(graph, args[0]) {
            Some((Op::List, elements)) => int(elements.len() as i64),
            Some((Op::Static, _)) => static_length(graph, args[0]).map_or(Found::Nothing, int),
            Some(_) | None => Found::Nothing,
        },
        Op::New | Op::Aggregate | Op::Variant | Op::Field | Op::WithField => Found::Nothing,
        Op::List
        | Op::Static
        | Op::ListGet
        | Op::ListAt
        | Op::ListPush
        | Op::ListSet
        | Op::ListSlice
        | Op::ListReserve
        | Op::ListOwn
        | Op::TableDouble => Found::Nothing,
        Op::Methods | Op::Object | Op::CallMethod | Op::ChangeMethod => Found::Nothing,
        Op::Call | Op::Closure | Op::CallValue | Op::Dup | Op::Drop | Op::Open | Op::Reuse | Op::Free | Op::ListSwap => Found::Nothing,
        Op::Hole | Op::Plug | Op::Fill => Found::Nothing,
        Op::Jump | Op::Return | Op::Tail | Op::Panic | Op::Resume | Op::Unreachable => Found::Nothing,
    }
}

fn sums(graph: &Graph<Mir>, op: Op, a: Value, b: Value) -> Found {
    let (la, lb) = (int_literal(graph, a), int_literal(graph, b));
    if let (Some(x), Some(y)) = (la, lb) {
        let value = match op {
            Op::Add => x.checked_add(y),
            Op::Sub => x.checked_sub(y),
            Op::Mul => x.checked_mul(y),
            Op::WrapAdd => Some(x.wrapping_add(y)),
            Op::WrapSub => Some(x.wrapping_sub(y)),
            _ => Some(x.wrapping_mul(y)),
        };
        return value.map_or(Found::Nothing, int);
    }
    let is_product = matches!(op, Op::Mul | Op::WrapMul);
    match (la, lb) {
        (Some(0), None) | (None, Some(0)) if is_product => int(0),
        (Some(1), None) if is_product => Found::Value(b),
        (None, Some(1)) if is_product => Found::Value(a),
        (None, Some(0)) => Found::Value(a),
        (Some(0), None) if matches!(op, Op::Add | Op::WrapAdd) => Found::Value(b),
        // Literals stand second, where the machine wants them; only pure forms, a panic must stay what and where it is.
        (Some(_), None) if matches!(op, Op::WrapAdd | Op::WrapMul) => Found::Pure(op, [b, a, a], 2),
        (None, Some(y)) if matches!(op, Op::WrapAdd | Op::WrapSub) => match definition(graph, a) {
            // (x + c) + d. Modulo 2^64 sums associate.
            Some((inner @ (Op::WrapAdd | Op::WrapSub), inner_args)) => match int_literal(graph, inner_args[1]) {
                Some(c) => {
                    let signed = |op: Op, n: i64| if op == Op::WrapAdd { n } else { n.wrapping_neg() };
                    let sum = signed(inner, c).wrapping_add(signed(op, y));
                    Found::WithLiteral(Op::WrapAdd, inner_args[0], (Op::Int, sum as u64))
                }
                None => Found::Nothing,
            },
            _ => Found::Nothing,
        },
        _ if a == b && matches!(op, Op::Sub | Op::WrapSub) => int(0),
        _ => Found::Nothing,
    }
}

fn quotients(graph: &Graph<Mir>, op: Op, a: Value, b: Value) -> Found {
    let (la, lb) = (int_literal(graph, a), int_literal(graph, b));
    let is_byte = matches!(op, Op::ByteShl | Op::ByteShr);
    if let (Some(x), Some(y)) = (la, lb) {
        let value = match op {
            Op::Div => x.checked_div(y),
            Op::Rem => x.checked_rem(y),
            Op::FloorDiv => floor_div(x, y),
            Op::Shl if (0..64).contains(&y) => Some(x << y).filter(|shifted| shifted >> y == x),
            Op::Shr if (0..64).contains(&y) => Some(x >> y),
            Op::ByteShl if (0..8).contains(&y) => Some(x << y).filter(|&shifted| shifted <= 255),
            Op::ByteShr if (0..8).contains(&y) => Some(x >> y),
            _ => None,
        };
        let literal = if is_byte { Op::Byte } else { Op::Int };
        return value.map_or(Found::Nothing, |value| Found::Literal(literal, value as u64));
    }
    match (op, la, lb) {
        (Op::Div | Op::FloorDiv, _, Some(1)) => Found::Value(a),
        (Op::Rem, _, Some(1)) => int(0),
        (Op::Shl | Op::Shr | Op::ByteShl | Op::ByteShr, _, Some(0)) => Found::Value(a),
        _ => Found::Nothing,
    }
}

/// The quotient toward minus infinity, unless it does not exist.
pub(super) fn floor_div(a: i64, b: i64) -> Option<i64> {
    let quotient = a.checked_div(b)?;
    Some(if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient })
}

fn bits(graph: &Graph<Mir>, op: Op, a: Value, b: Value) -> Found {
    let ty = graph.ty(a);
    let ones = if ty == Type::BYTE { 255 } else { -1 };
    let make = |value: i64| Found::Literal(literal_op(ty), value as u64);
    match (op, int_literal(graph, a), int_literal(graph, b)) {
        (Op::And, Some(x), Some(y)) => make(x & y),
        (Op::Or, Some(x), Some(y)) => make(x | y),
        (Op::Xor, Some(x), Some(y)) => make(x ^ y),
        (_, Some(_), None) => Found::Pure(op, [b, a, a], 2),
        (Op::And, None, Some(0)) => make(0),
        (Op::Or | Op::Xor, None, Some(0)) => Found::Value(a),
        (Op::And, None, Some(y)) if y == ones => Found::Value(a),
        (Op::Or, None, Some(y)) if y == ones => make(ones),
        (Op::Xor, None, None) if a == b => make(0),
        (Op::And | Op::Or, None, None) if a == b => Found::Value(a),
        (Op::And, None, Some(mask)) => match definition(graph, a) {
            // (x & c) & d where d keeps all of c.
            Some((Op::And, inner)) if int_literal(graph, inner[1]).is_some_and(|c| c & mask == c) => Found::Value(a),
            _ => Found::Nothing,
        },
        _ => Found::Nothing,
    }
}

/// The answer of a compare of two numbers.
pub(super) fn compare(op: Op, x: i64, y: i64) -> bool {
    match op {
        Op::Eq => x == y,
        Op::Ne => x != y,
        Op::Lt => x < y,
        Op::Le => x <= y,
        Op::Gt => x > y,
        _ => x >= y,
    }
}

/// The answer of a compare of two ranges, when all their values agree.
pub(super) fn compare_ranges(op: Op, a: proof::Range, b: proof::Range) -> Option<bool> {
    let (below, not_above, above, not_below) = (a.high < b.low, a.high <= b.low, a.low > b.high, a.low >= b.high);
    match op {
        Op::Eq | Op::Ne if below || above => Some(op == Op::Ne),
        Op::Eq | Op::Ne if a.single().is_some() && a == b => Some(op == Op::Eq),
        Op::Lt if below => Some(true),
        Op::Lt if not_below => Some(false),
        Op::Le if not_above => Some(true),
        Op::Le if above => Some(false),
        Op::Gt if above => Some(true),
        Op::Gt if not_above => Some(false),
        Op::Ge if not_below => Some(true),
        Op::Ge if below => Some(false),
        _ => None,
    }
}

fn compares(graph: &Graph<Mir>, op: Op, a: Value, b: Value) -> Found {
    let (la, lb) = (int_literal(graph, a), int_literal(graph, b));
    if let (Some(x), Some(y)) = (la, lb) {
        return bool(compare(op, x, y));
    }
    if a == b {
        return bool(compare(op, 0, 0));
    }
    if la.is_some() {
        return match compare_forms(op) {
            Some((exchanged, _)) => Found::Pure(exchanged, [b, a, a], 2),
            None => Found::Nothing,
        };
    }
    if graph.ty(a) == Type::BOOL {
        return match (op, lb) {
            (Op::Eq, Some(1)) | (Op::Ne, Some(0)) => Found::Value(a),
            (Op::Eq, Some(0)) | (Op::Ne, Some(1)) => Found::Pure(Op::Not, [a; 3], 1),
            _ => Found::Nothing,
        };
    }
    match compare_ranges(op, proof::range(graph, a), proof::range(graph, b)) {
        Some(answer) => bool(answer),
        None => Found::Nothing,
    }
}

fn unary(graph: &Graph<Mir>, op: Op, a: Value, result: Type) -> Found {
    if let Some(x) = int_literal(graph, a) {
        let value = match op {
            Op::Neg => x.checked_neg(),
            Op::Abs => x.checked_abs(),
            Op::BitNot if result == Type::BYTE => Some(!x & 255),
            Op::BitNot => Some(!x),
            Op::Not => Some(x ^ 1),
            Op::IntToByte => Some(x).filter(|x| (0..=255).contains(x)),
            Op::IntToChar => u32::try_from(x).ok().and_then(char::from_u32).map(|_| x),
            _ => Some(x),
        };
        return value.map_or(Found::Nothing, |value| Found::Literal(literal_op(result), value as u64));
    }
    if op == Op::Widen && graph.ty(a) == Type::INT {
        return Found::Value(a);
    }
    let Some((inner, inner_args)) = definition(graph, a) else { return Found::Nothing };
    match (op, inner) {
        // The inner op did not panic, or we would not be here.
        (Op::Neg, Op::Neg) | (Op::BitNot, Op::BitNot) | (Op::Not, Op::Not) => Found::Value(inner_args[0]),
        (Op::Abs, Op::Abs) => Found::Value(a),
        (Op::Widen, Op::IntToByte | Op::IntToChar) => Found::Value(inner_args[0]),
        (Op::Widen, Op::ByteToChar) => Found::Pure(Op::Widen, [inner_args[0]; 3], 1),
        (Op::IntToByte, Op::Widen) | (Op::IntToChar, Op::Widen) if graph.ty(inner_args[0]) == result => Found::Value(inner_args[0]),
        (Op::Not, compare) => match compare_forms(compare) {
            Some((_, inverse)) => Found::Pure(inverse, [inner_args[0], inner_args[1], a], 2),
            None if compare == Op::FEq => Found::Pure(Op::FNe, [inner_args[0], inner_args[1], a], 2),
            None if compare == Op::FNe => Found::Pure(Op::FEq, [inner_args[0], inner_args[1], a], 2),
            None => Found::Nothing,
        },
        _ => Found::Nothing,
    }
}

fn select(graph: &Graph<Mir>, condition: Value, yes: Value, no: Value) -> Found {
    if yes == no {
        return Found::Value(yes);
    }
    if let Some(known) = int_literal(graph, condition) {
        return Found::Value(if known != 0 { yes } else { no });
    }
    if let Some((Op::Not, inner)) = definition(graph, condition) {
        return Found::Pure(Op::Select, [inner[0], no, yes], 3);
    }
    if graph.ty(yes) == Type::BOOL {
        return match (int_literal(graph, yes), int_literal(graph, no)) {
            (Some(1), Some(0)) => Found::Value(condition),
            (Some(0), Some(1)) => Found::Pure(Op::Not, [condition; 3], 1),
            _ => Found::Nothing,
        };
    }
    match (literal(graph, yes), literal(graph, no)) {
        (Some(a), Some(b)) if a == b => Found::Value(yes),
        _ => Found::Nothing,
    }
}

fn float_literal(graph: &Graph<Mir>, value: Value) -> Option<f64> {
    match literal(graph, value)? {
        (Op::Float, bits) => Some(f64::from_bits(bits)),
        _ => None,
    }
}

fn float_pair(graph: &Graph<Mir>, op: Op, a: Value, b: Value) -> Found {
    let (la, lb) = (float_literal(graph, a), float_literal(graph, b));
    match (la, lb) {
        (Some(x), Some(y)) => float(match op {
            Op::FAdd => x + y,
            Op::FSub => x - y,
            Op::FMul => x * y,
            _ => x / y,
        }),
        // Dividing by a power of two is multiplying by its reciprocal, to the last bit, as long as both are normal.
        (None, Some(y)) if op == Op::FDiv && y.to_bits() << 12 == 0 && y.is_normal() && y.recip().is_normal() => {
            Found::WithLiteral(Op::FMul, a, (Op::Float, y.recip().to_bits()))
        }
        (_, _) => Found::Nothing,
    }
}

fn float_compare(graph: &Graph<Mir>, op: Op, a: Value, b: Value) -> Found {
    let (Some(x), Some(y)) = (float_literal(graph, a), float_literal(graph, b)) else { return Found::Nothing };
    bool(match op {
        Op::FEq => x == y,
        Op::FNe => x != y,
        Op::FLt => x < y,
        Op::FLe => x <= y,
        Op::FGt => x > y,
        _ => x >= y,
    })
}

fn float_unary(graph: &Graph<Mir>, op: Op, a: Value) -> Found {
    const SIGN: u64 = 1 << 63;
    match literal(graph, a) {
        Some((Op::Float, bits)) => {
            let x = f64::from_bits(bits);
            return match op {
                Op::FNeg => Found::Literal(Op::Float, bits ^ SIGN),
                Op::FAbs => Found::Literal(Op::Float, bits & !SIGN),
                Op::FSqrt => float(x.sqrt()),
                Op::FloatBits => Found::Literal(Op::Int, pure::float::bits(x)),
                // The bounds are exact floats: -2^63 and 2^63.
                Op::FloatToInt if x.trunc() >= -9_223_372_036_854_775_808.0 && x.trunc() < 9_223_372_036_854_775_808.0 => {
                    int(x.trunc() as i64)
                }
                _ => Found::Nothing,
            };
        }
        Some((Op::Int, imm)) => {
            return match op {
                Op::IntToFloat => float(imm as i64 as f64),
                Op::FloatOfBits => Found::Literal(Op::Float, imm),
                _ => Found::Nothing,
            };
        }
        Some(_) | None => {}
    }
    match (op, definition(graph, a)) {
        (Op::FNeg, Some((Op::FNeg, inner))) => Found::Value(inner[0]),
        (Op::FAbs, Some((Op::FAbs, _))) => Found::Value(a),
        (Op::FAbs, Some((Op::FNeg, inner))) => Found::Pure(Op::FAbs, [inner[0]; 3], 1),
        // Not the other way round: a NaN has many patterns, and shows one.
        (Op::FloatOfBits, Some((Op::FloatBits, inner))) => Found::Value(inner[0]),
        _ => Found::Nothing,
    }
}

/// Runtime calls on literals whose result needs no runtime. Numbers to text of floats stay: they are the runtime's own algorithm.
fn runtime(graph: &Graph<Mir>, number: u64, args: &[Value]) -> Found {
    let text = |value: Value| match literal(graph, value) {
        Some((Op::Str, imm)) => Some(Symbol::from_raw(imm as u32).as_str()),
        _ => None,
    };
    let text_literal = |text: &str| Found::Literal(Op::Str, u64::from(Symbol::new(text).raw()));
    match (RuntimeCall::from_number(number), args) {
        (Some(RuntimeCall::StrConcat), &[a, b]) => match (text(a), text(b)) {
            (Some(""), _) => Found::Value(b),
            (_, Some("")) => Found::Value(a),
            (Some(x), Some(y)) => text_literal(&format!("{x}{y}")),
            _ => Found::Nothing,
        },
        (Some(RuntimeCall::StrEqual), &[a, b]) => match (text(a), text(b)) {
            (Some(x), Some(y)) => bool(x == y),
            _ if a == b => bool(true),
            _ => Found::Nothing,
        },
        (Some(RuntimeCall::StrOfInt), &[a]) => int_literal(graph, a).map_or(Found::Nothing, |n| text_literal(&n.to_string())),
        (Some(RuntimeCall::StrOfBool), &[a]) => {
            int_literal(graph, a).map_or(Found::Nothing, |n| text_literal(if n != 0 { "true" } else { "false" }))
        }
        (Some(RuntimeCall::IntPow), &[a, b]) => match (int_literal(graph, a), int_literal(graph, b)) {
            (_, Some(0)) => int(1),
            (_, Some(1)) => Found::Value(a),
            (Some(x), Some(n)) => u32::try_from(n).ok().and_then(|n| x.checked_pow(n)).map_or(Found::Nothing, int),
            _ => Found::Nothing,
        },
        _ => Found::Nothing,
    }
}
