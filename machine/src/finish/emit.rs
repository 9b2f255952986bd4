//! Records to bytes: the straight ones by [`crate::encode`], control flow here.

use abi::PanicKind;
use abi::funcs::CATCHES;

use super::widen::{Branch, Target, Widening};
use super::{Code, DataBlock, Frame, Link, NEAR, Reloc, RelocTarget, Site};
use crate::catch::catching_blocks;
use crate::encode::{Buffer, Kind, ROWS};
use crate::ir::{Block, Callee, Final, Function, Location, Record, StaticData, StubRow};
use crate::ops::Op;
use crate::regs::{INT_ARGS, NONE, RDI, RSI, Reg};

/// Offsets in the bytes of a function, by which a listing and the verifier of bytes find their way.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Marks {
    /// Of each record.
    pub records: Vec<u32>,
    /// Of each block; of one without records, that of what follows.
    pub blocks: Vec<u32>,
    /// Of each cold stub; [`u32::MAX`] for one that stands where its `panic` does.
    pub stubs: Vec<u32>,
}

/// Columns that are used again.
#[derive(Default, Debug)]
pub(super) struct Memory {
    out: Buffer,
    offsets: Marks,
    /// Site and block of each landing pad.
    pads: Vec<(u32, u32)>,
    branches: Vec<Branch>,
    /// Branches before each block.
    before: Vec<u32>,
    widening: Widening,
    /// Row of `data` for each constant, then for each text; [`u32::MAX`] before its first use.
    data_rows: Vec<u32>,
    /// Stubs to be emitted at the end, in order of their branches.
    cold: Vec<u32>,
}

pub(super) struct Emitter<'a, 'm> {
    function: &'a Function<Final>,
    frame: Frame,
    pub(super) out: &'m mut Buffer,
    relocs: Vec<Reloc>,
    pub(super) sites: Vec<Site>,
    pub(super) threads: Vec<u32>,
    data: Vec<DataBlock>,
    pads: &'m mut Vec<(u32, u32)>,
    branches: &'m mut Vec<Branch>,
    data_rows: &'m mut Vec<u32>,
    cold: &'m mut Vec<u32>,
}

/// Set in the target of a [`Branch`] to a stub.
const STUB: u32 = 1 << 31;

pub(super) fn emit(function: &mut Function<Final>, frame: Frame, marks: Option<Marks>, memory: &mut Memory) -> (Code, Option<Marks>) {
    let shared = &*function;
    let Memory { out, offsets, pads, branches, before, widening, data_rows, cold } = memory;
    out.clear();
    offsets.records.clear();
    offsets.blocks.clear();
    offsets.stubs.clear();
    offsets.stubs.resize(shared.stubs.len(), u32::MAX);
    pads.clear();
    branches.clear();
    before.clear();
    data_rows.clear();
    data_rows.resize(shared.constants.len() + shared.data.len(), u32::MAX);
    cold.clear();
    let mut emitter = Emitter {
        function: shared,
        frame,
        out,
        relocs: Vec::with_capacity(shared.calls.len() + shared.stubs.len()),
        sites: Vec::with_capacity(shared.calls.len() + shared.stubs.len()),
        threads: Vec::new(),
        data: Vec::new(),
        pads,
        branches,
        data_rows,
        cold,
    };
    let catching = catching_blocks(shared);
    let keep_records = marks.is_some();
    emitter.frame.enter(emitter.out);
    for block in shared.blocks.rows() {
        offsets.blocks.push(emitter.out.at());
        before.push(emitter.branches.len() as u32);
        if catching.get(offsets.blocks.len() - 1) == Some(&true) {
            emitter.out.word(u64::from(CATCHES), 1);
        }
        for at in block.start..block.end {
            if keep_records {
                offsets.records.push(emitter.out.at());
            }
            emitter.record(at, &shared.records[at as usize]);
        }
    }
    for cold in 0..emitter.cold.len() {
        let stub = emitter.cold[cold];
        offsets.stubs[stub as usize] = emitter.out.at();
        emitter.stub(&shared.stubs[stub as usize]);
    }
    let Emitter { out, mut relocs, mut sites, mut threads, pads, branches, data, .. } = emitter;
    let count = branches.len() as u32;
    // Stubs stand behind all branches.
    let target = |branch: &Branch| match branch.target & STUB {
        0 => Target { at: offsets.blocks[branch.target as usize], before: before[branch.target as usize] },
        _ => Target { at: offsets.stubs[(branch.target & !STUB) as usize], before: count },
    };
    let (bytes, is_wider) = super::widen::resolve(out, branches, target, widening);
    if is_wider {
        move_all(widening, &mut relocs, &mut sites, &mut threads, offsets);
    }
    for &mut (site, pad) in pads {
        sites[site as usize].pad_offset = Some(offsets.blocks[pad as usize]);
    }
    let code = Code {
        item: function.name,
        bytes,
        relocs,
        threads,
        data,
        has_frame: frame.exists,
        frame_size: frame.size,
        saved_mask: frame.saved as u16,
        sites,
        places: ir::Places::new(),
    };
    for (branch, &is_near) in branches.iter().zip(&widening.is_near) {
        // A dump that was read may have other forms.
        let imm = &mut function.records[branch.record as usize].imm;
        *imm = *imm & !NEAR | if is_near { NEAR } else { 0 };
    }
    (code, keep_records.then(|| std::mem::take(offsets)))
}

/// Offsets after widening: each list rises, so each is one walk.
fn move_all(widening: &Widening, relocs: &mut [Reloc], sites: &mut [Site], threads: &mut [u32], offsets: &mut Marks) {
    widening.shift(threads.iter_mut());
    widening.shift(relocs.iter_mut().map(|row| &mut row.offset));
    widening.shift(sites.iter_mut().map(|row| &mut row.return_offset));
    widening.shift(offsets.records.iter_mut());
    widening.shift(offsets.blocks.iter_mut());
    let total = widening.total();
    for stub in offsets.stubs.iter_mut().filter(|at| **at != u32::MAX) {
        *stub += total;
    }
}

impl Emitter<'_, '_> {
    #[inline]
    fn record(&mut self, at: u32, record: &Record) {
        let row = &ROWS[record.op as usize];
        if row.kind() == Kind::Plain {
            self.out.plain(row, record, &self.function.slots);
        } else {
            self.other(at, record);
        }
    }

    #[inline(never)]
    fn other(&mut self, at: u32, record: &Record) {
        let row = &ROWS[record.op as usize];
        if row.kind() == Kind::Rip {
            self.out.plain(row, record, &self.function.slots);
            let target = match record.op {
                Op::LeaFunction => RelocTarget::Callee(Callee::Function(self.function.functions[record.aux as usize])),
                Op::LeaData => RelocTarget::Data(self.static_data(record.aux)),
                op => RelocTarget::Data(self.constant(op, record.aux)),
            };
            self.reloc(target);
            return;
        }
        match record.op {
            Op::JumpIf => {
                let target = self.function.edges[record.aux as usize].to.raw();
                self.branch(at, target, 0x70 | (record.imm & 15) as u64);
            }
            Op::Stub => {
                self.cold.push(record.aux);
                self.branch(at, record.aux | STUB, 0x70 | (record.imm & 15) as u64);
            }
            Op::Jump => {
                let target = self.function.edges[record.aux as usize].to.raw();
                self.branch(at, target, 0xeb);
            }
            Op::Panic => {
                let function = self.function;
                self.stub(&function.stubs[record.aux as usize]);
            }
            Op::Call => {
                let call = self.function.calls[record.aux as usize];
                match call.callee {
                    Some(Callee::Slot(slot)) => {
                        let offset = self.function.slots.get(slot as usize).map_or(0, |slot| slot.offset);
                        // `call [rbp + offset]`
                        self.out.word_imm(0x95ff, 2, offset);
                        self.site(call.place, call.pad);
                    }
                    Some(callee) => self.call(RelocTarget::Callee(callee), call.place, call.pad),
                    None => {}
                }
            }
            Op::Alloc => self.alloc(record),
            Op::Free => self.free(record),
            Op::Return => {
                self.frame.leave(self.out);
                self.out.word(0xc3, 1);
            }
            Op::TailCall => {
                self.frame.leave(self.out);
                self.out.word_imm(0xe9, 1, 0);
                if let Some(callee) = self.function.calls[record.aux as usize].callee {
                    self.reloc(RelocTarget::Callee(callee));
                }
            }
            Op::Resume => {
                self.out.word_imm(0xe9, 1, 0);
                self.reloc(RelocTarget::Entry(abi::Entry::Resume));
            }
            _ => {
                self.out.record(record, &self.function.slots);
            }
        }
    }

    fn branch(&mut self, record: u32, target: u32, opcode: u64) {
        self.branches.push(Branch { at: self.out.at(), record, target });
        self.out.word(opcode, 2);
    }

    /// The last four bytes written are a relative address.
    pub(super) fn reloc(&mut self, target: RelocTarget) {
        self.relocs.push(Reloc { offset: self.out.at() - 4, target, addend: -4 });
    }

    fn call(&mut self, target: RelocTarget, place: ir::PlaceId, pad: Option<Block>) {
        self.out.word_imm(0xe8, 1, 0);
        self.reloc(target);
        self.site(place, pad);
    }

    /// A call ends here.
    fn site(&mut self, place: ir::PlaceId, pad: Option<Block>) {
        if let Some(pad) = pad {
            self.pads.push((self.sites.len() as u32, pad.raw()));
        }
        self.sites.push(Site { return_offset: self.out.at(), pad_offset: None, place });
    }

    /// Operands of a panic to their registers, and the call, which does not return.
    fn stub(&mut self, row: &StubRow) {
        let args = &self.function.locations[row.args];
        match args {
            [Location::Reg(RSI), Location::Reg(RDI)] => self.out.word(0xf7_87_48, 3),
            // The second one first: it is where the first one goes.
            [first, second @ Location::Reg(RDI)] => {
                self.operand(RSI, second);
                self.operand(RDI, first);
            }
            _ => {
                for (location, &reg) in args.iter().zip(&INT_ARGS[..2]) {
                    self.operand(reg, location);
                }
            }
        }
        self.call(RelocTarget::Panic(row.kind), row.place, row.pad);
    }

    fn operand(&mut self, to: Reg, from: &Location) {
        let mut push = |op: Op, aux: u32| {
            self.out.record(&Record { op, a: to, b: NONE, c: NONE, imm: 0, aux }, &self.function.slots);
        };
        match *from {
            Location::Reg(reg) if reg == to => {}
            Location::Reg(reg) => self.out.mov(to, reg),
            Location::Slot(slot) => push(Op::LoadSlot, slot),
            Location::SlotAddress(slot) => push(Op::LeaSlot, slot),
            Location::Const(value) => self.out.mov_imm(to, value),
            Location::Data(row) => {
                let record = Record { op: Op::LeaData, a: to, b: NONE, c: NONE, imm: 0, aux: row };
                self.out.plain(&ROWS[Op::LeaData as usize], &record, &[]);
                let data = self.static_data(row);
                self.reloc(RelocTarget::Data(data));
            }
        }
    }

    /// Row of a constant. Operands of 16 bytes must be aligned.
    fn constant(&mut self, op: Op, index: u32) -> u32 {
        let align = if matches!(op, Op::XorFConst | Op::AndFConst) { 16 } else { 8 };
        let known = self.data_rows[index as usize];
        if known != u32::MAX {
            let block = &mut self.data[known as usize];
            // One constant may serve both kinds of operand.
            if block.align < align {
                block.align = align;
                block.bytes.extend_from_slice(&self.function.constants[index as usize][1].to_le_bytes());
            }
            return known;
        }
        let words = self.function.constants[index as usize];
        let bytes = words[..(align / 8) as usize].iter().flat_map(|word| word.to_le_bytes()).collect();
        let row = self.add_data(DataBlock { bytes, align, links: Vec::new() });
        self.data_rows[index as usize] = row;
        row
    }

    /// Row of a static text, or of the first of some sections: those that they point into come before them.
    fn static_data(&mut self, index: u32) -> u32 {
        let slot = self.function.constants.len() + index as usize;
        let known = self.data_rows[slot];
        if known != u32::MAX {
            return known;
        }
        let mut behind = 0;
        match self.function.data[index as usize] {
            StaticData::Text(text) => {
                behind = self.add_data(DataBlock { bytes: text.as_str().as_bytes().to_vec(), align: 1, links: Vec::new() });
            }
            // Nothing, of a text that the verifier of LIR refuses.
            StaticData::Sections(text) => {
                for section in lir::statics::parse(text).unwrap_or_default().into_iter().rev() {
                    let links = section.links.into_iter().map(|(at, to)| Link { at, row: behind, to }).collect();
                    let align = if section.bytes.len() < 8 { 1 } else { 8 };
                    behind = self.add_data(DataBlock { bytes: section.bytes, align, links });
                }
            }
        }
        self.data_rows[slot] = behind;
        behind
    }

    fn add_data(&mut self, block: DataBlock) -> u32 {
        // The tables above hold each constant once, unless they come from a dump; few are large.
        let known = if self.data.len() < 64 { self.data.iter().position(|other| *other == block) } else { None };
        let row = known.unwrap_or_else(|| {
            self.data.push(block);
            self.data.len() - 1
        });
        row as u32
    }
}

const _: () = assert!(PanicKind::ALL.len() < 256);
