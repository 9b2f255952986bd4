//! Rules of bytes. The bytes are walked by a decoder of lengths beside the records: which tells where each block starts, and so where each branch must go.

use abi::funcs::CATCHES;
use abi::layout::{CELL_CLASSES, THREAD_SIZE};
use ir::Where;

use super::length::{Decoded, Shape, decode};
use super::{MachFault, Rule};
use crate::catch::catching_blocks;
use crate::finish::{Code, Frame, Link, NEAR, RelocTarget};
use crate::ir::{Block, BlockRow, Callee, Final, Function};
use crate::ops::Op;

struct Reader<'a> {
    code: &'a Code,
    at: usize,
    faults: Vec<MachFault>,
    reloc: usize,
    /// Offset of the next relocation.
    next_reloc: u32,
    site: usize,
    calls: usize,
    /// Instructions that reach the state of the thread.
    threads: usize,
}

/// A branch that was read, to be judged when all blocks are known.
#[derive(Debug)]
struct Branch {
    at: usize,
    to: i64,
    /// Block, or stub with [`STUB`].
    target: u32,
    place: Where,
}

const STUB: u32 = 1 << 31;

/// Columns that are used again.
#[derive(Default, Debug)]
pub(super) struct Memory {
    branches: Vec<Branch>,
    blocks: Vec<i64>,
    stubs: Vec<u32>,
    cold: Vec<u32>,
}

pub(super) fn verify_code(function: &Function<Final>, code: &Code, memory: &mut Memory) -> Vec<MachFault> {
    let next_reloc = code.relocs.first().map_or(u32::MAX, |reloc| reloc.offset);
    let mut reader = Reader { code, at: 0, faults: Vec::new(), reloc: 0, next_reloc, site: 0, calls: 0, threads: 0 };
    reader.tables(function);
    let Memory { branches, blocks, stubs, cold } = memory;
    branches.clear();
    blocks.clear();
    stubs.clear();
    stubs.resize(function.stubs.len(), u32::MAX);
    cold.clear();
    let catching = catching_blocks(function);
    let frame = Frame::of(function);
    if frame.is_none_or(|frame| (frame.exists, frame.size, frame.saved) != (code.has_frame, code.frame_size, u32::from(code.saved_mask))) {
        reader.fault(Rule::FrameRecord, Where::Function, [0; 2]);
    }
    if code.has_frame {
        reader.prologue();
    }
    let leave = if code.has_frame { code.saved_mask.count_ones() as usize + 1 } else { 0 };
    for (id, block) in function.blocks.iter() {
        blocks.push(reader.at as i64);
        if catching.get(id.index()) == Some(&true) {
            if code.bytes.get(reader.at) != Some(&CATCHES) {
                reader.fault(Rule::CatchMark, Where::Block(id.raw()), [reader.at as i64, 0]);
            }
            reader.at += 1;
        }
        for (index, record) in function.records.get(block.start as usize..block.end as usize).unwrap_or(&[]).iter().enumerate() {
            let place = || Where::Inst { block: id.raw(), index: index as u32 };
            let start = reader.at;
            let form = &FORMS[record.op as usize];
            if form.is_single {
                // One instruction, straight on.
                match reader.step() {
                    Some(last) if last.shape == Shape::Plain => continue,
                    Some(_) => reader.fault(Rule::RecordBytes, place(), [start as i64, 0]),
                    None => {
                        reader.fault(Rule::Undecodable, place(), [start as i64, 0]);
                        return reader.faults;
                    }
                }
                continue;
            }
            let target = match record.op {
                Op::Jump | Op::JumpIf => function.edges.get(record.aux as usize).map(|edge| edge.to.raw()),
                Op::Stub => {
                    cold.push(record.aux);
                    Some(record.aux | STUB)
                }
                _ => None,
            };
            let mut last = None;
            if record.op == Op::Panic {
                last = reader.until_call();
            } else {
                let count = form.count + if form.leaves { leave } else { 0 };
                for _ in 0..count {
                    last = reader.next();
                }
            }
            let Some(last) = last else {
                reader.fault(Rule::Undecodable, place(), [start as i64, 0]);
                return reader.faults;
            };
            let is_indirect = record.op == Op::Call
                && matches!(function.calls.get(record.aux as usize).and_then(|call| call.callee), Some(Callee::Slot(_)));
            let shape = if is_indirect { Shape::CallMemory } else { form.shape };
            if shape != last.shape && !(target.is_some() && last.shape == Shape::JumpNear) {
                reader.fault(Rule::RecordBytes, place(), [start as i64, 0]);
            }
            if let Some(target) = target {
                branches.push(Branch { at: start, to: reader.at as i64 + last.distance, target, place: place() });
                if (last.len > 2) != (record.imm & NEAR != 0) {
                    reader.fault(Rule::BranchForm, place(), [start as i64, 0]);
                }
            }
        }
    }
    for &stub in cold.iter() {
        if let Some(row) = stubs.get_mut(stub as usize) {
            *row = reader.at as u32;
        }
        if reader.until_call().is_none() {
            reader.fault(Rule::Undecodable, Where::Function, [reader.at as i64, 0]);
            return reader.faults;
        }
    }
    if reader.at != code.bytes.len() {
        reader.fault(Rule::RecordBytes, Where::Function, [reader.at as i64, 0]);
    }
    for branch in branches.iter() {
        let want = if branch.target & STUB != 0 {
            stubs.get((branch.target & !STUB) as usize).map(|&at| i64::from(at))
        } else {
            blocks.get(branch.target as usize).copied()
        };
        if want != Some(branch.to) {
            reader.fault(Rule::BranchTarget, branch.place, [branch.at as i64, branch.to]);
        }
    }
    for pad in code.sites.iter().filter_map(|site| site.pad_offset).map(i64::from) {
        let starts_here = |(at, (id, row)): (&i64, (Block, &BlockRow))| {
            *at == pad && row.is_pad && (row.start < row.end || catching.get(id.index()) == Some(&true))
        };
        if !blocks.iter().zip(function.blocks.iter()).any(starts_here) {
            reader.fault(Rule::PadOffset, Where::Function, [pad, 0]);
        }
    }
    if reader.calls != code.sites.len() {
        reader.fault(Rule::SiteCount, Where::Function, [code.sites.len() as i64, reader.calls as i64]);
    }
    if reader.threads != code.threads.len() {
        reader.fault(Rule::ThreadOperand, Where::Function, [code.threads.len() as i64, 0]);
    }
    if reader.reloc != code.relocs.len() {
        let at = code.relocs.get(reader.reloc).map_or(0, |reloc| i64::from(reloc.offset));
        reader.fault(Rule::RelocOperand, Where::Function, [at, 0]);
    }
    reader.faults
}

/// What the bytes of an op must be.
#[derive(Clone, Copy)]
struct Form {
    /// How many instructions.
    count: usize,
    /// And those that leave the frame, before the last one.
    leaves: bool,
    /// What the last one is.
    shape: Shape,
    /// One instruction, straight on.
    is_single: bool,
}

const fn form(op: Op) -> Form {
    let count = match op {
        Op::Set | Op::FloatOfInt => 2,
        Op::SetFEq | Op::SetFNe => 4,
        Op::Div | Op::Rem => 9,
        Op::Alloc => 9,
        Op::Free => 3,
        _ => 1,
    };
    let leaves = matches!(op, Op::Return | Op::TailCall);
    let shape = match op {
        Op::Jump | Op::JumpIf | Op::Stub => Shape::Branch,
        Op::Call | Op::Panic => Shape::Call,
        Op::TailCall | Op::Resume => Shape::JumpNear,
        _ => Shape::Plain,
    };
    Form { count, leaves, shape, is_single: count == 1 && !leaves && matches!(shape, Shape::Plain) }
}

/// The forms in table order.
static FORMS: [Form; Op::ALL.len()] = {
    let mut forms = [form(Op::Mov); Op::ALL.len()];
    let mut at = 0;
    while at < forms.len() {
        forms[at] = form(Op::ALL[at]);
        at += 1;
    }
    forms
};

impl Reader<'_> {
    #[cold]
    fn fault(&mut self, rule: Rule, at: Where, numbers: [i64; 2]) {
        self.faults.push(MachFault { rule, at, numbers });
    }

    /// Relocations, sites and constants by themselves.
    fn tables(&mut self, function: &Function<Final>) {
        let code = self.code;
        let mut end = 0;
        for reloc in &code.relocs {
            let at = i64::from(reloc.offset);
            let operand = code.bytes.get(reloc.offset as usize..).and_then(|rest| rest.get(..4));
            if reloc.offset < end || operand.is_none() {
                self.fault(Rule::RelocRange, Where::Function, [at, 0]);
            }
            end = reloc.offset.saturating_add(4);
            let dangles = matches!(reloc.target, RelocTarget::Data(row) if row as usize >= code.data.len());
            if dangles || reloc.addend != -4 || operand.is_some_and(|bytes| bytes != [0; 4]) {
                self.fault(Rule::RelocTarget, Where::Function, [at, 0]);
            }
        }
        let mut end = 0;
        for &thread in &code.threads {
            // In front of it: the prefix, and an address that is a displacement alone.
            let operand = code.bytes.get((thread as usize).wrapping_sub(5)..).and_then(|rest| rest.first_chunk::<9>());
            let is_list = operand.is_some_and(|bytes| {
                let [prefix, _, _, modrm, sib, ..] = *bytes;
                let at = i32::from_le_bytes([bytes[5], bytes[6], bytes[7], bytes[8]]) + THREAD_SIZE as i32;
                prefix == 0x64 && modrm & 0xc7 == 4 && sib == 0x25 && (0..CELL_CLASSES as i32 * 8).contains(&at) && at % 8 == 0
            });
            if thread < end || !is_list {
                self.fault(Rule::ThreadOperand, Where::Function, [i64::from(thread), 0]);
            }
            end = thread.saturating_add(4);
        }
        let mut last = 0;
        for site in &code.sites {
            let at = i64::from(site.return_offset);
            if site.return_offset <= last {
                self.fault(Rule::SiteOrder, Where::Function, [at, 0]);
            }
            last = site.return_offset;
            if site.place.is_some() && function.places.get(site.place).is_none() {
                self.fault(Rule::SitePlace, Where::Function, [at, 0]);
            }
        }
        for (index, block) in code.data.iter().enumerate() {
            let is_one = |link: &Link| {
                let target =
                    (link.row as usize) < index && code.data.get(link.row as usize).is_some_and(|row| (link.to as usize) < row.bytes.len());
                target && link.at as usize + 8 <= block.bytes.len()
            };
            let fits =
                if block.align == 16 { block.bytes.len() == 16 } else { block.align == 1 || block.bytes.len() as u32 >= block.align };
            if !block.align.is_power_of_two() || block.align > 16 || !fits || !block.links.iter().all(is_one) {
                self.fault(Rule::DataBlock, Where::Function, [index as i64, 0]);
            }
        }
    }

    fn next(&mut self) -> Option<Decoded> {
        self.step()
    }

    /// One instruction; its relocation and site are judged.
    #[inline(always)]
    fn step(&mut self) -> Option<Decoded> {
        let bytes = self.code.bytes.get(self.at..)?;
        let decoded = decode(bytes)?;
        self.threads += usize::from(bytes.first() == Some(&0x64));
        self.at += decoded.len;
        let operand = (self.at as u32).wrapping_sub(4);
        let has_reloc = self.next_reloc == operand && self.reloc < self.code.relocs.len();
        if has_reloc {
            self.reloc += 1;
            self.next_reloc = self.code.relocs.get(self.reloc).map_or(u32::MAX, |reloc| reloc.offset);
        }
        let needs_reloc = decoded.is_rip | (decoded.shape == Shape::Call);
        if (has_reloc != needs_reloc) & (decoded.shape != Shape::JumpNear) {
            self.fault(Rule::RelocOperand, Where::Function, [i64::from(operand), 0]);
        }
        if matches!(decoded.shape, Shape::Call | Shape::CallMemory) {
            self.calls += 1;
            if self.code.sites.get(self.site).is_some_and(|site| site.return_offset as usize == self.at) {
                self.site += 1;
            } else {
                self.fault(Rule::SiteCall, Where::Function, [self.at as i64, 0]);
            }
        }
        Some(decoded)
    }

    /// At most two operands, each at most one instruction, then a call.
    fn until_call(&mut self) -> Option<Decoded> {
        (0..3).find_map(|_| self.next().filter(|decoded| decoded.shape == Shape::Call))
    }

    /// Everything that makes the frame.
    fn prologue(&mut self) {
        const START: [u8; 4] = [0x55, 0x48, 0x89, 0xe5];
        if !self.code.bytes.starts_with(&START) {
            self.fault(Rule::FrameRecord, Where::Function, [0; 2]);
            return;
        }
        // Saved registers are pushed, the rest is lowered at once or page by page; in a loop, where it is more than eight of them.
        const PAGE: u32 = 4096;
        const UNROLLED: u32 = 8 * PAGE;
        let size = self.code.frame_size.saturating_sub(8 * self.code.saved_mask.count_ones());
        let lowers = match size {
            0 => 0,
            1..=UNROLLED => size / PAGE + 1,
            _ => 5 + u32::from(!size.is_multiple_of(PAGE)),
        };
        for _ in 0..2 + lowers + self.code.saved_mask.count_ones() {
            if self.next().is_none() {
                self.fault(Rule::Undecodable, Where::Function, [self.at as i64, 0]);
                return;
            }
        }
    }
}
