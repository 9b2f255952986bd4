//! The ownership columns of the op table: what an op does with the counted values it is given, and whose its results are.
//!
//! One row an op, and no op without: the pass, the certifier, the interpreter and the lowering to LIR all read it.

use abi::RuntimeCall;

use crate::Op;
use crate::ir::Contract;

/// What an op does with its operands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Takes {
    /// It looks at them.
    Borrows,
    /// It takes them all.
    Consumes,
    /// It takes the first, and the others, which are parts of that, lose their owner with it.
    First,
    /// It looks at the first and takes the rest.
    Rest,
    /// As the contract of the function it names.
    Contract,
    /// As the row of the runtime call it names.
    Runtime,
}

/// Whose the result of an op is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Gives {
    /// Nobody's: no result, or none with counted content.
    Nothing,
    /// A new value, owned.
    Owned,
    /// A part of its counted operands, borrowed from them.
    Part,
    /// Immortal.
    Immortal,
    /// What it is made of, in one piece: immortal when nothing in it can die, otherwise owned.
    Whole,
    /// A function value: immortal without operands, otherwise a cell that holds them, owned.
    Captured,
}

/// The row of an op.
pub const fn of(op: Op) -> (Takes, Gives) {
    use {Gives::*, Takes::*};
    match op {
        Op::Str | Op::Static => (Borrows, Immortal),
        Op::Select | Op::Field | Op::Payload | Op::Part | Op::ListGet | Op::ListAt => (Borrows, Part),
        Op::Aggregate | Op::Variant => (Consumes, Whole),
        Op::WithField | Op::New => (Consumes, Owned),
        Op::List | Op::ListPush | Op::ListSet | Op::ListSlice | Op::ListReserve | Op::ListOwn | Op::TableDouble => (Consumes, Owned),
        Op::Closure => (Consumes, Captured),
        Op::Dup => (Borrows, Owned),
        Op::Drop | Op::Free => (Consumes, Nothing),
        Op::Open => (First, Owned),
        Op::Reuse | Op::ListSwap => (Consumes, Owned),
        Op::Hole | Op::Plug | Op::Fill => (Consumes, Owned),
        Op::Runtime => (Runtime, Owned),
        Op::Call => (Contract, Owned),
        Op::CallValue | Op::CallMethod => (Rest, Owned),
        Op::ChangeMethod | Op::Object => (Consumes, Owned),
        Op::Methods => (Borrows, Nothing),
        Op::Tail => (Contract, Nothing),
        // Arguments of targets are consumed: the parameters of blocks are owned.
        Op::Jump | Op::Branch | Op::Switch => (Borrows, Nothing),
        Op::Return => (Consumes, Nothing),
        Op::Panic | Op::Resume | Op::Unreachable => (Borrows, Nothing),
        Op::Tag | Op::Is | Op::StrLen | Op::ListLen => (Borrows, Nothing),
        Op::Int | Op::Float | Op::Bool | Op::Char | Op::Byte | Op::Unit => (Borrows, Nothing),
        Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Rem | Op::FloorDiv | Op::Neg | Op::Abs => (Borrows, Nothing),
        Op::Shl | Op::Shr | Op::ByteShl | Op::ByteShr | Op::WrapAdd | Op::WrapSub | Op::WrapMul => (Borrows, Nothing),
        Op::And | Op::Or | Op::Xor | Op::BitNot | Op::Not => (Borrows, Nothing),
        Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge => (Borrows, Nothing),
        Op::FAdd | Op::FSub | Op::FMul | Op::FDiv | Op::FNeg | Op::FAbs | Op::FSqrt => (Borrows, Nothing),
        Op::FEq | Op::FNe | Op::FLt | Op::FLe | Op::FGt | Op::FGe => (Borrows, Nothing),
        Op::IntToFloat | Op::FloatToInt | Op::FloatBits | Op::FloatOfBits | Op::Widen => (Borrows, Nothing),
        Op::IntToByte | Op::IntToChar | Op::ByteToChar => (Borrows, Nothing),
    }
}

/// Does an op that takes its operands like this take number `index`? `imm` is its immediate, `contract` that of the function it calls.
pub fn consumes(takes: Takes, index: usize, imm: u64, contract: Contract) -> bool {
    match takes {
        Takes::Borrows => false,
        Takes::Consumes => true,
        Takes::First => index == 0,
        Takes::Rest => index > 0,
        Takes::Contract => !contract.borrows(index),
        Takes::Runtime => RuntimeCall::from_number(imm).is_some_and(|call| call.consumes(index)),
    }
}
