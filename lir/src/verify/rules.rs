//! The operand and result classes of the op table as sets of types, so that an instruction that fits is known to by a few bit operations.

use ir::ssa::{InstRow, Value, ValueRow};

use crate::ir::Type;
use crate::ops::{Class, Op};

/// A set of types: a bit each.
type Set = u8;

/// Every type, and what a value that does not exist counts as: it has a fault of its own.
const ANY: Set = 0x7f;
/// The set of the type of the first operand.
const SAME: Set = 0x80;

const fn of(ty: Type) -> Set {
    1 << ty as u8
}

/// The types that a class admits, whatever the first operand is.
const fn allowed(class: Class) -> Set {
    if matches!(class, Class::Same) {
        return SAME;
    }
    let mut set = if matches!(class, Class::Any | Class::Many) { ANY } else { 0 };
    let mut ty = 0;
    while ty < Type::ALL.len() {
        if class.admits(Type::ALL[ty], None) {
            set |= of(Type::ALL[ty]);
        }
        ty += 1;
    }
    set
}

/// Operands that have a class at most.
const FIXED: usize = 3;

/// What an op allows: for each operand, then for the result.
type Rule = [Set; FIXED + 1];

const RULES: [Rule; Op::ALL.len()] = {
    let mut rules = [[ANY; FIXED + 1]; Op::ALL.len()];
    let mut op = 0;
    while op < rules.len() {
        let info = Op::ALL[op].info();
        let mut operand = 0;
        while operand < info.operands.len() {
            rules[op][operand] = allowed(info.operands[operand]);
            operand += 1;
        }
        assert!(info.results.len() <= 1, "an op has one result, or any number of any type");
        if info.results.len() == 1 {
            rules[op][FIXED] = allowed(info.results[0]);
        }
        op += 1;
    }
    rules
};

/// Are the operands and the result of the classes of the op? What is too much or too few is another rule's.
#[inline]
pub(super) fn fits(values: &[ValueRow<Type>], row: &InstRow<Op>, args: &[Value]) -> bool {
    let rule = RULES[row.op as usize];
    let set = |value: Value| values.get(value.index()).map_or(ANY, |row| of(row.ty));
    let (first, operands) = match *args {
        [] => (ANY, true),
        [a] => {
            let first = set(a);
            (first, rule[0] & first != 0)
        }
        [a, b] => {
            let first = set(a);
            (first, (rule[0] & first != 0) & (resolved(rule[1], first) & set(b) != 0))
        }
        [a, b, c, ..] => {
            let first = set(a);
            let others = (resolved(rule[1], first) & set(b) != 0) & (resolved(rule[2], first) & set(c) != 0);
            (first, (rule[0] & first != 0) & others)
        }
    };
    operands & (row.results == 0 || resolved(rule[FIXED], first) & set(row.first_result) != 0)
}

#[inline]
const fn resolved(allowed: Set, first: Set) -> Set {
    if allowed == SAME { first } else { allowed }
}

/// What the class wants, when the type is not of it.
pub(super) fn misfit(class: Class, first: Option<Type>, found: Type) -> Option<&'static str> {
    let wanted = match class {
        Class::I64 => "i64",
        Class::F64 => "f64",
        Class::I8 => "i8",
        Class::Ptr => "ptr",
        Class::Word => "i64 or ptr",
        Class::Int => "an integer",
        Class::Number => "i8, i32 or i64",
        Class::Small => "i8 or i32",
        Class::Same => "the type of the first operand",
        Class::Any | Class::Many => "",
    };
    (!class.admits(found, first)).then_some(wanted)
}
