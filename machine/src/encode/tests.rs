//! Decode-back: every op with every register and the boundary values of its immediate, read again by an independent decoder.

use iced_x86::{Code as Iced, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::{Buffer, Kind, ROWS};
use crate::ir::{Record, SlotKind, SlotRow};
use crate::ops::{AuxKind, ImmKind, Op, Role};
use crate::regs::{Class, NONE, R11, RAX, RDX, Reg};

const GP64: [Register; 16] = [
    Register::RAX,
    Register::RCX,
    Register::RDX,
    Register::RBX,
    Register::RSP,
    Register::RBP,
    Register::RSI,
    Register::RDI,
    Register::R8,
    Register::R9,
    Register::R10,
    Register::R11,
    Register::R12,
    Register::R13,
    Register::R14,
    Register::R15,
];

/// The register in iced's words, `size` bytes wide.
fn name(reg: Reg, size: usize) -> Register {
    if reg >= 16 {
        return Register::XMM0 + u32::from(reg - 16);
    }
    let full = GP64[reg as usize];
    match size {
        8 => full,
        4 => full.full_register32(),
        1 => {
            const GP8: [Register; 16] = [
                Register::AL,
                Register::CL,
                Register::DL,
                Register::BL,
                Register::SPL,
                Register::BPL,
                Register::SIL,
                Register::DIL,
                Register::R8L,
                Register::R9L,
                Register::R10L,
                Register::R11L,
                Register::R12L,
                Register::R13L,
                Register::R14L,
                Register::R15L,
            ];
            GP8[reg as usize]
        }
        _ => panic!("{size}"),
    }
}

/// What an operand must be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Want {
    Reg(Register),
    Imm(i64),
    Mem { base: Register, index: Register, scale: u32, disp: i64 },
    Rip,
}

fn decode(bytes: &[u8]) -> Vec<Instruction> {
    let mut decoder = Decoder::with_ip(64, bytes, 0, DecoderOptions::NONE);
    let mut out = Vec::new();
    while decoder.can_decode() {
        let inst = decoder.decode();
        assert!(!inst.is_invalid(), "{bytes:02x?}");
        out.push(inst);
    }
    out
}

fn operand(inst: &Instruction, at: u32) -> Want {
    match inst.op_kind(at) {
        OpKind::Register => Want::Reg(inst.op_register(at)),
        OpKind::Immediate8
        | OpKind::Immediate8to64
        | OpKind::Immediate32to64
        | OpKind::Immediate32
        | OpKind::Immediate64
        | OpKind::Immediate8to32 => {
            let raw = inst.immediate(at) as i64;
            Want::Imm(raw)
        }
        OpKind::Memory if inst.is_ip_rel_memory_operand() => {
            // The address field is 0: the target is the end of the instruction.
            assert_eq!(inst.memory_displacement64(), inst.next_ip());
            Want::Rip
        }
        OpKind::Memory => Want::Mem {
            base: inst.memory_base(),
            index: inst.memory_index(),
            scale: if inst.memory_index() == Register::None { 1 } else { inst.memory_index_scale() },
            disp: inst.memory_displacement64() as i64,
        },
        kind => panic!("{kind:?}"),
    }
}

#[track_caller]
fn expect(record: &Record, inst: &Instruction, mnemonic: Mnemonic, wants: &[Want]) {
    assert_eq!(inst.mnemonic(), mnemonic, "{record:?} as {inst}");
    let got: Vec<Want> = (0..inst.op_count()).map(|at| operand(inst, at)).collect();
    assert_eq!(got, wants, "{record:?} as {inst}");
}

/// Encodes and decodes.
fn bytes_of(record: &Record, slots: &[SlotRow]) -> Vec<u8> {
    let mut out = Buffer::with_capacity(0);
    let row = &ROWS[record.op as usize];
    match row.kind() {
        Kind::Rip => out.plain(row, record, slots),
        Kind::Plain | Kind::Rare(_) => assert!(out.record(record, slots), "{record:?}"),
    }
    out.written().to_vec()
}

const SLOTS: [SlotRow; 6] = [slot(-8), slot(-128), slot(-136), slot(16), slot(-4096), slot(128)];
const fn slot(offset: i32) -> SlotRow {
    SlotRow { size: 8, kind: SlotKind::Spill, offset }
}

const DISPLACEMENTS: [i32; 10] = [0, 1, -1, 127, -128, 128, -129, 4096, i32::MAX, i32::MIN];
const IMMEDIATES: [i32; 11] = [0, 1, -1, 127, -128, 128, -129, 255, 65536, i32::MAX, i32::MIN];

/// Registers that an operand may be given.
fn choices(role: Role) -> Vec<Reg> {
    match role {
        Role::No => vec![NONE],
        Role::Def(class) | Role::Use(class) | Role::Tied(class) => match class {
            Class::Gp => (0..16).collect(),
            Class::Xmm => (16..32).collect(),
        },
        Role::DefIn(reg) | Role::UseIn(reg) => vec![reg],
        Role::Base => (0..16).collect(),
        Role::Index => (0..16).filter(|&reg| reg != 4).chain([NONE]).collect(),
    }
}

/// Every record of an op that is worth a look.
fn records(op: Op, mut visit: impl FnMut(Record)) {
    let info = op.info();
    let [a, b, c] = info.roles;
    let is_memory = b == Role::Base || c == Role::Index;
    let auxes: Vec<u32> = match info.aux {
        AuxKind::Slot => (0..SLOTS.len() as u32).collect(),
        AuxKind::Scale => vec![1, 2, 4, 8],
        _ => vec![0],
    };
    let imms: Vec<i32> = match info.imm {
        ImmKind::No | ImmKind::Wide => vec![0],
        ImmKind::Value if matches!(op, Op::ShlImm | Op::ShrImm | Op::SarImm) => vec![0, 1, 31, 32, 63],
        ImmKind::Value => IMMEDIATES.to_vec(),
        ImmKind::Displacement if is_memory => DISPLACEMENTS.to_vec(),
        ImmKind::Displacement => vec![0, 8, 16, -8],
        ImmKind::Condition => (0..16).collect(),
    };
    for (x, a) in choices(a).into_iter().enumerate() {
        for b in if matches!(b, Role::Tied(_)) { vec![a] } else { choices(b) } {
            for c in choices(c) {
                // All triples would be a million; with an address, the data register takes every value but not with every other one.
                if is_memory && a != NONE && x % 5 != usize::from(b % 5) {
                    continue;
                }
                if op == Op::LeaIndex && c == NONE {
                    continue;
                }
                if matches!(op, Op::Div | Op::Rem) && matches!(c, RAX | RDX | R11) {
                    continue;
                }
                for &imm in &imms {
                    for &aux in &auxes {
                        if c == NONE && info.aux == AuxKind::Scale && aux != 1 {
                            continue;
                        }
                        visit(Record { op, a, b, c, imm, aux });
                    }
                }
            }
        }
    }
}

/// Mnemonic and operands that an op with a row must decode to; `None` for those that have tests of their own.
fn meaning(record: &Record) -> Option<(Mnemonic, Vec<Want>)> {
    use Mnemonic as M;
    let &Record { op, a, b, c, imm, aux } = record;
    let gp = |reg| Want::Reg(name(reg, 8));
    let low = |reg| Want::Reg(name(reg, 4));
    let byte = |reg| Want::Reg(name(reg, 1));
    let cl = Want::Reg(Register::CL);
    let value = Want::Imm(i64::from(imm));
    let memory = |disp: i32| Want::Mem {
        base: name(b, 8),
        index: if c == NONE { Register::None } else { name(c, 8) },
        scale: if c == NONE { 1 } else { aux },
        disp: i64::from(disp),
    };
    let at_slot =
        |disp: i32| Want::Mem { base: Register::RBP, index: Register::None, scale: 1, disp: i64::from(SLOTS[aux as usize].offset + disp) };
    let slot = || at_slot(imm);
    let whole = || at_slot(0);
    let cmov = [
        M::Cmovo,
        M::Cmovno,
        M::Cmovb,
        M::Cmovae,
        M::Cmove,
        M::Cmovne,
        M::Cmovbe,
        M::Cmova,
        M::Cmovs,
        M::Cmovns,
        M::Cmovp,
        M::Cmovnp,
        M::Cmovl,
        M::Cmovge,
        M::Cmovle,
        M::Cmovg,
    ];
    Some(match op {
        Op::Mov => (M::Mov, vec![gp(a), gp(b)]),
        Op::MovF => (M::Movaps, vec![gp(a), gp(b)]),
        Op::LoadConst => (M::Movsd, vec![gp(a), Want::Rip]),
        Op::ZeroF => (M::Xorps, vec![gp(a), gp(a)]),
        Op::LeaData | Op::LeaFunction => (M::Lea, vec![gp(a), Want::Rip]),
        Op::LeaSlot => (M::Lea, vec![gp(a), slot()]),
        Op::LoadSlot => (M::Mov, vec![gp(a), slot()]),
        Op::LoadSlotF => (M::Movsd, vec![gp(a), slot()]),
        Op::StoreSlot => (M::Mov, vec![slot(), gp(a)]),
        Op::StoreSlotF => (M::Movsd, vec![slot(), gp(a)]),
        Op::StoreSlotImm => (M::Mov, vec![whole(), value]),
        Op::Load => (M::Mov, vec![gp(a), memory(imm)]),
        Op::Load32 => (M::Mov, vec![low(a), memory(imm)]),
        Op::Load8 => (M::Movzx, vec![low(a), memory(imm)]),
        Op::LoadF => (M::Movsd, vec![gp(a), memory(imm)]),
        Op::Store => (M::Mov, vec![memory(imm), gp(a)]),
        Op::Store32 => (M::Mov, vec![memory(imm), low(a)]),
        Op::Store8 => (M::Mov, vec![memory(imm), byte(a)]),
        Op::StoreF => (M::Movsd, vec![memory(imm), gp(a)]),
        Op::Lea => (M::Lea, vec![gp(a), memory(imm)]),
        Op::Increment => (M::Inc, vec![memory(imm)]),
        Op::Decrement => (M::Dec, vec![memory(imm)]),
        Op::Add => (M::Add, vec![gp(a), gp(c)]),
        Op::AddImm => (M::Add, vec![gp(a), value]),
        Op::AddSlot => (M::Add, vec![gp(a), slot()]),
        Op::Sub => (M::Sub, vec![gp(a), gp(c)]),
        Op::SubImm => (M::Sub, vec![gp(a), value]),
        Op::SubSlot => (M::Sub, vec![gp(a), slot()]),
        Op::And => (M::And, vec![gp(a), gp(c)]),
        Op::AndImm => (M::And, vec![gp(a), value]),
        Op::AndSlot => (M::And, vec![gp(a), slot()]),
        Op::Or => (M::Or, vec![gp(a), gp(c)]),
        Op::OrImm => (M::Or, vec![gp(a), value]),
        Op::OrSlot => (M::Or, vec![gp(a), slot()]),
        Op::Xor => (M::Xor, vec![gp(a), gp(c)]),
        Op::XorImm => (M::Xor, vec![gp(a), value]),
        Op::XorSlot => (M::Xor, vec![gp(a), slot()]),
        Op::Imul => (M::Imul, vec![gp(a), gp(c)]),
        Op::ImulImm => (M::Imul, vec![gp(a), gp(b), value]),
        Op::ImulSlot => (M::Imul, vec![gp(a), slot()]),
        Op::ImulImmSlot => (M::Imul, vec![gp(a), whole(), value]),
        Op::Neg => (M::Neg, vec![gp(a)]),
        Op::Not => (M::Not, vec![gp(a)]),
        Op::ShlImm => (M::Shl, vec![gp(a), value]),
        Op::ShrImm => (M::Shr, vec![gp(a), value]),
        Op::SarImm => (M::Sar, vec![gp(a), value]),
        Op::Shl => (M::Shl, vec![gp(a), cl]),
        Op::Shr => (M::Shr, vec![gp(a), cl]),
        Op::Sar => (M::Sar, vec![gp(a), cl]),
        Op::MulHigh => (M::Imul, vec![gp(c)]),
        Op::Trunc32 => (M::Mov, vec![low(a), low(b)]),
        Op::Trunc8 => (M::Movzx, vec![low(a), byte(b)]),
        Op::Cmp => (M::Cmp, vec![gp(b), gp(c)]),
        Op::CmpImm => (M::Cmp, vec![gp(b), value]),
        Op::CmpSlot => (M::Cmp, vec![gp(b), slot()]),
        Op::CmpImmSlot => (M::Cmp, vec![whole(), value]),
        Op::Test => (M::Test, vec![gp(b), gp(c)]),
        Op::TestImm => (M::Test, vec![gp(b), value]),
        Op::Ucomi => (M::Ucomisd, vec![gp(b), gp(c)]),
        Op::UcomiSlot => (M::Ucomisd, vec![gp(b), slot()]),
        Op::UcomiConst => (M::Ucomisd, vec![gp(b), Want::Rip]),
        Op::Cmov => (cmov[imm as usize], vec![gp(a), gp(c)]),
        Op::CmovSlot => (cmov[imm as usize], vec![gp(a), whole()]),
        Op::AddF => (M::Addsd, vec![gp(a), gp(c)]),
        Op::AddFSlot => (M::Addsd, vec![gp(a), slot()]),
        Op::AddFConst => (M::Addsd, vec![gp(a), Want::Rip]),
        Op::SubF => (M::Subsd, vec![gp(a), gp(c)]),
        Op::SubFSlot => (M::Subsd, vec![gp(a), slot()]),
        Op::SubFConst => (M::Subsd, vec![gp(a), Want::Rip]),
        Op::MulF => (M::Mulsd, vec![gp(a), gp(c)]),
        Op::MulFSlot => (M::Mulsd, vec![gp(a), slot()]),
        Op::MulFConst => (M::Mulsd, vec![gp(a), Want::Rip]),
        Op::DivF => (M::Divsd, vec![gp(a), gp(c)]),
        Op::DivFSlot => (M::Divsd, vec![gp(a), slot()]),
        Op::DivFConst => (M::Divsd, vec![gp(a), Want::Rip]),
        Op::SqrtF => (M::Sqrtsd, vec![gp(a), gp(b)]),
        Op::XorFConst => (M::Xorps, vec![gp(a), Want::Rip]),
        Op::AndFConst => (M::Andps, vec![gp(a), Want::Rip]),
        Op::IntOfFloat => (M::Cvttsd2si, vec![gp(a), gp(b)]),
        Op::BitsOfFloat => (M::Movq, vec![gp(a), gp(b)]),
        Op::FloatOfBits => (M::Movq, vec![gp(a), gp(b)]),
        Op::LeaIndex => (M::Lea, vec![gp(a), Want::Mem { base: Register::None, index: name(c, 8), scale: aux, disp: i64::from(imm) }]),
        Op::MovImm | Op::Div | Op::Rem | Op::Set | Op::SetFEq | Op::SetFNe | Op::FloatOfInt | Op::Trap => return None,
        Op::Alloc | Op::Free | Op::Stub | Op::Panic | Op::Call | Op::JumpIf | Op::Jump | Op::Return | Op::TailCall | Op::Resume => {
            return None;
        }
    })
}

/// Every record of the op decodes to these instructions.
#[track_caller]
fn check(op: Op, count: &mut usize, expected: impl Fn(&Record) -> Vec<(Mnemonic, Vec<Want>)>) {
    records(op, |record| {
        let bytes = bytes_of(&record, &SLOTS);
        let insts = decode(&bytes);
        let wants = expected(&record);
        assert_eq!(insts.len(), wants.len(), "{record:?} as {bytes:02x?}");
        for (inst, (mnemonic, operands)) in insts.iter().zip(&wants) {
            expect(&record, inst, *mnemonic, operands);
        }
        *count += 1;
    });
}

#[test]
fn one_instruction_ops_decode_to_what_they_mean() {
    let mut count = 0;
    for &op in Op::ALL {
        let mut is_known = true;
        records(op, |record| is_known &= meaning(&record).is_some());
        if is_known {
            check(op, &mut count, |record| meaning(record).into_iter().collect());
        }
    }
    assert!(count > 50_000, "{count}");
}

#[test]
fn sequences_decode_to_what_they_mean() {
    use Mnemonic as M;
    let set = [
        M::Seto,
        M::Setno,
        M::Setb,
        M::Setae,
        M::Sete,
        M::Setne,
        M::Setbe,
        M::Seta,
        M::Sets,
        M::Setns,
        M::Setp,
        M::Setnp,
        M::Setl,
        M::Setge,
        M::Setle,
        M::Setg,
    ];
    let mut count = 0;
    let reg = |reg, size| Want::Reg(name(reg, size));
    check(Op::Set, &mut count, |r| vec![(set[r.imm as usize], vec![reg(r.a, 1)]), (M::Movzx, vec![reg(r.a, 4), reg(r.a, 1)])]);
    for (op, parity, otherwise) in [(Op::SetFEq, M::Setnp, 0), (Op::SetFNe, M::Setp, 1)] {
        check(op, &mut count, |r| {
            vec![
                (parity, vec![reg(R11, 1)]),
                (M::Movzx, vec![reg(R11, 4), reg(R11, 1)]),
                (M::Mov, vec![reg(r.a, 4), Want::Imm(otherwise)]),
                (M::Cmove, vec![reg(r.a, 4), reg(R11, 4)]),
            ]
        });
    }
    check(Op::FloatOfInt, &mut count, |r| vec![(M::Xorps, vec![reg(r.a, 8), reg(r.a, 8)]), (M::Cvtsi2sd, vec![reg(r.a, 8), reg(r.b, 8)])]);
    assert_eq!(count, 16 * 16 + 32 + 256);
}

#[test]
fn constants_take_their_shortest_form_that_keeps_flags() {
    for a in 0..16 {
        for (value, len) in [
            (0i64, 5),
            (1, 5),
            (i64::from(u32::MAX), 5),
            (i64::from(i32::MAX), 5),
            (-1, 7),
            (i64::from(i32::MIN), 7),
            (i64::from(i32::MIN) - 1, 10),
            (1 << 32, 10),
            (i64::MAX, 10),
            (i64::MIN, 10),
        ] {
            let record = Record { op: Op::MovImm, a, b: NONE, c: NONE, imm: value as i32, aux: (value >> 32) as u32 };
            let bytes = bytes_of(&record, &[]);
            assert_eq!(bytes.len(), len + usize::from(len == 5 && a >= 8), "{value}");
            let insts = decode(&bytes);
            assert_eq!(insts.len(), 1);
            let size = if len == 5 { 4 } else { 8 };
            let got = match insts[0].code() {
                Iced::Mov_r32_imm32 => Want::Imm(i64::from(insts[0].immediate32())),
                Iced::Mov_rm64_imm32 | Iced::Mov_r64_imm64 => Want::Imm(insts[0].immediate(1) as i64),
                code => panic!("{code:?}"),
            };
            assert_eq!((operand(&insts[0], 0), got), (Want::Reg(name(a, size)), Want::Imm(value)), "{}", insts[0]);
        }
    }
}

#[test]
fn division_branches_around_the_wide_divider() {
    use Mnemonic as M;
    for (op, result) in [(Op::Div, RAX), (Op::Rem, RDX)] {
        for c in (0..16).filter(|&c| !matches!(c, RAX | RDX | R11)) {
            let record = Record { op, a: result, b: RAX, c, imm: 0, aux: 0 };
            let insts = decode(&bytes_of(&record, &[]));
            let reg = |reg, size| Want::Reg(name(reg, size));
            let parts: Vec<(Mnemonic, Vec<Want>)> = vec![
                (M::Mov, vec![reg(R11, 8), reg(RAX, 8)]),
                (M::Or, vec![reg(R11, 8), reg(c, 8)]),
                (M::Shr, vec![reg(R11, 8), Want::Imm(32)]),
                (M::Jne, vec![]),
                (M::Xor, vec![reg(RDX, 4), reg(RDX, 4)]),
                (M::Div, vec![reg(c, 4)]),
                (M::Jmp, vec![]),
                (M::Cqo, vec![]),
                (M::Idiv, vec![reg(c, 8)]),
            ];
            assert_eq!(insts.len(), parts.len());
            for (inst, (mnemonic, operands)) in insts.iter().zip(&parts) {
                if operands.is_empty() {
                    assert_eq!(inst.mnemonic(), *mnemonic);
                } else {
                    expect(&record, inst, *mnemonic, operands);
                }
            }
            assert_eq!(insts[3].near_branch64(), insts[7].ip());
            assert_eq!(insts[6].near_branch64(), insts[8].next_ip());
        }
    }
}

#[test]
fn small_forms_are_taken() {
    let size = |op, a, b, c, imm, aux| bytes_of(&Record { op, a, b, c, imm, aux }, &SLOTS).len();
    assert_eq!(size(Op::AddImm, 0, 0, NONE, 127, 0), 4);
    assert_eq!(size(Op::AddImm, 0, 0, NONE, 128, 0), 7);
    assert_eq!(size(Op::AddF, 16, 16, 17, 0, 0), 4);
    assert_eq!(size(Op::AddF, 24, 24, 17, 0, 0), 5);
    assert_eq!(size(Op::Load32, 0, 1, NONE, 0, 1), 2);
    assert_eq!(size(Op::Load, 0, 1, NONE, 8, 1), 4);
    assert_eq!(size(Op::LoadSlot, 0, NONE, NONE, 0, 0), 4);
    assert_eq!(size(Op::LoadSlot, 0, NONE, NONE, 0, 2), 7);
    assert_eq!(size(Op::Trunc8, 0, 1, NONE, 0, 0), 3);
    assert_eq!(size(Op::Trunc8, 0, 6, NONE, 0, 0), 4);
}
