//! Bytes of whole functions, read again by an independent decoder.

use abi::{PanicKind, RuntimeCall};
use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic};
use ir::{Column, Id, ItemId, List, PlaceId, Places, Pool, Symbol};

use super::{Code, Frame, NEAR, RelocTarget, finish, mark};
use crate::ir::{Alloc, BlockRow, CallRow, Callee, Edge, Final, Function, Location, Record, SlotKind, SlotRow, StaticData, StubRow};
use crate::ops::{Op, cc};
use crate::regs::{CALLER_SAVED, NONE, RDI, RSI};
use crate::verify::{Rule, verify, verify_code};

fn empty() -> Function<Alloc> {
    Function {
        name: ItemId::function(Symbol::new("main"), Symbol::new("f")),
        params: Vec::new(),
        param_classes: Vec::new(),
        result_classes: Vec::new(),
        blocks: Column::new(),
        records: Vec::new(),
        classes: Vec::new(),
        edges: Vec::new(),
        calls: Vec::new(),
        stubs: Vec::new(),
        slots: Vec::new(),
        constants: Vec::new(),
        data: Vec::new(),
        functions: Vec::new(),
        regs: Pool::new(),
        locations: Pool::new(),
        places: Places::new(),
        saved: 0,
        virtuals: Vec::new(),
        origins: Vec::new(),
        phase: std::marker::PhantomData,
    }
}

fn block(function: &mut Function<Alloc>, records: &[Record]) {
    let start = function.records.len() as u32;
    function.records.extend_from_slice(records);
    let end = function.records.len() as u32;
    function.blocks.push(BlockRow { start, end, params: List::EMPTY, depth: 0, is_pad: false });
}

fn rec(op: Op, regs: [u16; 3], imm: i32, aux: u32) -> Record {
    Record { op, a: regs[0], b: regs[1], c: regs[2], imm, aux }
}

fn edge(function: &mut Function<Alloc>, to: usize) -> u32 {
    function.edges.push(Edge { to: Id::new(to), args: List::EMPTY });
    function.edges.len() as u32 - 1
}

fn ret(function: &mut Function<Alloc>) -> Record {
    function.calls.push(CallRow { callee: None, args: List::EMPTY, results: List::EMPTY, clobbers: 0, place: PlaceId::NONE, pad: None });
    rec(Op::Return, [NONE; 3], 0, function.calls.len() as u32 - 1)
}

fn call(function: &mut Function<Alloc>) -> Record {
    let args = function.regs.add([RDI]);
    function.calls.push(CallRow {
        callee: Some(Callee::Runtime(RuntimeCall::Print)),
        args,
        results: List::EMPTY,
        clobbers: CALLER_SAVED,
        place: PlaceId::NONE,
        pad: None,
    });
    rec(Op::Call, [NONE; 3], 0, function.calls.len() as u32 - 1)
}

fn stub(function: &mut Function<Alloc>, kind: PanicKind, args: &[Location]) -> u32 {
    let args = function.locations.add(args.iter().copied());
    function.stubs.push(StubRow { kind, args, place: PlaceId::NONE, pad: None });
    function.stubs.len() as u32 - 1
}

fn decode(bytes: &[u8]) -> Vec<Instruction> {
    let mut decoder = Decoder::with_ip(64, bytes, 0, DecoderOptions::NONE);
    let insts: Vec<Instruction> = decoder.iter().collect();
    assert!(insts.iter().all(|inst| !inst.is_invalid()), "{bytes:02x?}");
    insts
}

/// Finishes a function that the verifiers find no fault with, before and after.
#[track_caller]
fn finished(function: Function<Alloc>) -> (Function<Final>, Code) {
    // Here registers are saved to see where, not because they are written.
    assert!(verify(&function).iter().all(|fault| fault.rule == Rule::SavedUnwritten));
    let (finished, code) = finish(function).unwrap();
    assert_eq!(verify(&finished), []);
    assert_eq!(verify_code(&finished, &code), []);
    (finished, code)
}

/// The listing by the independent decoder, one instruction after another.
fn listing(bytes: &[u8]) -> String {
    decode(bytes).iter().map(|inst| inst.to_string()).collect::<Vec<_>>().join("; ")
}

#[track_caller]
fn check(function: Function<Alloc>, expect: &str) {
    let (_, code) = finished(function);
    assert_eq!(listing(&code.bytes), expect);
}

#[test]
fn a_leaf_has_no_frame() {
    let mut f = empty();
    let ret = ret(&mut f);
    block(&mut f, &[rec(Op::Mov, [0, RDI, NONE], 0, 0), ret]);
    let (_, code) = finished(f.clone());
    assert!(!code.has_frame && code.sites.is_empty());
    check(f, "mov rax,rdi; ret");
}

#[test]
fn a_call_needs_a_frame_that_keeps_the_stack_aligned() {
    let mut f = empty();
    f.saved = 1 << 3 | 1 << 12 | 1 << 13;
    f.slots = vec![SlotRow { size: 24, kind: SlotKind::Local, offset: 0 }, SlotRow { size: 8, kind: SlotKind::Outgoing(1), offset: 0 }];
    let (call, ret) = (call(&mut f), ret(&mut f));
    block(&mut f, &[rec(Op::LeaSlot, [RDI, NONE, NONE], 0, 0), rec(Op::StoreSlot, [RDI, NONE, NONE], 0, 1), call, ret]);
    let (finished, code) = finished(f.clone());
    assert_eq!((finished.slots[0].offset, finished.slots[1].offset), (-48, -56));
    assert_eq!((code.has_frame, code.frame_size, code.saved_mask), (true, 64, 0x3008));
    assert_eq!(code.sites.len(), 1);
    assert_eq!(code.relocs[0].offset + 4, code.sites[0].return_offset);
    check(
        f,
        "push rbp; mov rbp,rsp; push rbx; push r12; push r13; sub rsp,28h; lea rdi,[rbp-30h]; mov [rbp-38h],rdi; \
         call 000000000000001Ah; mov rbx,[rbp-8]; mov r12,[rbp-10h]; mov r13,[rbp-18h]; leave; ret",
    );
}

/// Executed when the free list has a block: five instructions with one branch, and one for the header (`design/memory.md` G3).
#[test]
fn a_cell_is_taken_in_five_instructions_and_given_back_in_three() {
    for (reg, name) in [(0, "rax"), (12, "r12"), (5, "rbp"), (13, "r13")] {
        let mut f = empty();
        let ret = ret(&mut f);
        block(&mut f, &[rec(Op::Alloc, [reg, NONE, NONE], 7 | 5 << 8, 0), rec(Op::Free, [NONE, reg, NONE], 3, 0), ret]);
        let (function, code) = finish(f).unwrap();
        assert_eq!(verify_code(&function, &code), []);
        let text = listing(&code.bytes);
        let (list, fewer) = ("fs:[0FFFFFFFFFFFFF838h]", "fs:[0FFFFFFFFFFFFF818h]");
        let after = 9 + 3 + 2 + 14;
        assert_eq!(
            text,
            format!(
                "mov {name},{list}; test {name},{name}; jne short {after:016X}h; mov r11d,7; call 0000000000000019h; mov {name},r11; \
                 mov r11,[{name}]; mov {list},r11; mov dword ptr [{name}-4],507h; mov r11,{fewer}; mov [{name}],r11; mov {fewer},{name}; ret"
            )
        );
        assert_eq!((code.threads.len(), code.relocs[0].target), (4, RelocTarget::Entry(abi::Entry::Refill)));
    }
}

#[test]
fn large_frames_touch_every_page() {
    for (size, touches) in [(4000u32, 0), (4096, 1), (8200, 2), (40_000, 0)] {
        let mut f = empty();
        f.slots = vec![SlotRow { size, kind: SlotKind::Local, offset: 0 }];
        let ret = ret(&mut f);
        block(&mut f, &[ret]);
        let (_, code) = finished(f);
        let insts = decode(&code.bytes);
        let tests = insts.iter().filter(|inst| inst.mnemonic() == Mnemonic::Test).count();
        let is_loop = insts.iter().any(|inst| inst.mnemonic() == Mnemonic::Jne);
        assert_eq!((tests, is_loop), if size > 32768 { (1, true) } else { (touches, false) }, "{size}");
        if is_loop {
            assert_eq!(
                listing(&code.bytes),
                "push rbp; mov rbp,rsp; lea r11,[rsp-9000h]; sub rsp,1000h; test [rsp],rsp; cmp rsp,r11; jne short 000000000000000Ch; \
                 sub rsp,0C40h; leave; ret"
            );
        }
    }
}

#[test]
fn one_edge_falls_through() {
    // b0: if e then b1 else b2; b1: jump b3; b2: neg; jump b3; b3: ret
    let mut f = empty();
    let edges: Vec<u32> = [1, 2, 3, 3].map(|to| edge(&mut f, to)).to_vec();
    let ret = ret(&mut f);
    block(
        &mut f,
        &[rec(Op::Test, [NONE, RDI, RDI], 0, 0), rec(Op::JumpIf, [NONE; 3], cc::E, edges[0]), rec(Op::Jump, [NONE; 3], 0, edges[1])],
    );
    block(&mut f, &[rec(Op::Jump, [NONE; 3], 0, edges[2])]);
    block(&mut f, &[rec(Op::Neg, [0, 0, NONE], 0, 0), rec(Op::Jump, [NONE; 3], 0, edges[3])]);
    block(&mut f, &[ret]);
    check(f, "test rdi,rdi; je short 8; neg rax; ret");
}

#[test]
fn stubs_move_their_operands_in_parallel() {
    for (args, expect) in [
        ([Location::Reg(RSI), Location::Reg(RDI)], "xchg rdi,rsi"),
        ([Location::Const(-1), Location::Reg(RDI)], "mov rsi,rdi; mov rdi,0FFFFFFFFFFFFFFFFh"),
        ([Location::Reg(RSI), Location::Const(5)], "mov rdi,rsi; mov esi,5"),
        ([Location::Reg(RDI), Location::Reg(RSI)], ""),
        ([Location::Reg(0), Location::Reg(9)], "mov rdi,rax; mov rsi,r9"),
    ] {
        let mut f = empty();
        let at = stub(&mut f, PanicKind::IndexOutOfBounds, &args);
        let ret = ret(&mut f);
        block(&mut f, &[rec(Op::Cmp, [NONE, RDI, RSI], 0, 0), rec(Op::Stub, [NONE; 3], cc::AE, at), ret]);
        let (_, code) = finished(f);
        assert!(!code.has_frame);
        assert_eq!(code.relocs[0].target, RelocTarget::Panic(PanicKind::IndexOutOfBounds));
        let text = listing(&code.bytes);
        let end = format!("0000000000000{:03X}h", code.bytes.len());
        let middle = if expect.is_empty() { String::new() } else { format!("{expect}; ") };
        assert_eq!(text, format!("cmp rdi,rsi; jae short 6; ret; {middle}call {end}"));
    }
}

#[test]
fn constants_are_stored_once_and_aligned() {
    let mut f = empty();
    f.constants = vec![[1 << 63, 7], [3, 0]];
    f.data = vec![StaticData::Text(Symbol::new("text"))];
    let ret = ret(&mut f);
    block(
        &mut f,
        &[
            rec(Op::LoadConst, [16, NONE, NONE], 0, 0),
            rec(Op::XorFConst, [16, 16, NONE], 0, 0),
            rec(Op::AddFConst, [16, 16, NONE], 0, 1),
            rec(Op::LeaData, [0, NONE, NONE], 0, 0),
            rec(Op::LeaData, [1, NONE, NONE], 0, 0),
            ret,
        ],
    );
    let (_, code) = finished(f);
    assert_eq!(code.data.iter().map(|block| (block.bytes.len(), block.align)).collect::<Vec<_>>(), [(16, 16), (8, 8), (4, 1)]);
    assert_eq!(code.relocs.len(), 5);
    assert!(code.relocs.iter().all(|reloc| reloc.addend == -4));
}

/// Functions of random blocks: whatever the distances, each branch reaches the first byte of its block, and near is never used where short would do for all.
#[test]
fn branches_reach_their_blocks_whatever_the_distance() {
    let mut state = 1u64;
    let mut random = |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % bound
    };
    let (mut near, mut short) = (0, 0);
    for round in 0..300 {
        let mut f = empty();
        let count = 2 + random(40) as usize;
        let at = stub(&mut f, PanicKind::AddOverflow, &[]);
        let ret = ret(&mut f);
        for _ in 0..count {
            let mut records = Vec::new();
            for _ in 0..random(1 + round / 8) {
                records.push(rec(Op::MovImm, [random(3) as u16, NONE, NONE], random(1 << 40) as i32, random(3) as u32));
            }
            if random(4) == 0 {
                records.push(rec(Op::AddImm, [0, 0, NONE], 1, 0));
                records.push(rec(Op::Stub, [NONE; 3], cc::O, at));
            }
            match random(3) {
                0 => records.push(ret),
                1 => {
                    let to = edge(&mut f, random(count as u64) as usize);
                    records.push(rec(Op::Jump, [NONE; 3], 0, to));
                }
                _ => {
                    let (yes, no) = (random(count as u64) as usize, random(count as u64) as usize);
                    let (yes, no) = (edge(&mut f, yes), edge(&mut f, no));
                    records.push(rec(Op::Test, [NONE, 0, 0], 0, 0));
                    records.push(rec(Op::JumpIf, [NONE; 3], random(16) as i32, yes));
                    records.push(rec(Op::Jump, [NONE; 3], 0, no));
                }
            }
            block(&mut f, &records);
        }
        let (finished, code) = finished(f);
        let (again, marks) = mark(&finished).unwrap();
        assert_eq!(again, code);
        let insts = decode(&code.bytes);
        for (index, record) in finished.records.iter().enumerate() {
            let offset = u64::from(marks.records[index]);
            let inst = insts.iter().find(|inst| inst.ip() == offset).expect("a record starts an instruction");
            let target = match record.op {
                Op::Jump | Op::JumpIf => marks.blocks[finished.edges[record.aux as usize].to.index()],
                Op::Stub => marks.stubs[record.aux as usize],
                _ => continue,
            };
            assert!(matches!(inst.flow_control(), FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch));
            assert_eq!(inst.near_branch64(), u64::from(target), "{inst}");
            assert_eq!(inst.len() > 2, record.imm & NEAR != 0);
            let distance = i64::from(target) - inst.next_ip() as i64;
            if inst.len() > 2 {
                near += 1;
                assert!(!(-100..=90).contains(&distance), "{inst} at {offset} is near for no reason");
            } else {
                short += 1;
            }
        }
        let calls = insts.iter().filter(|inst| inst.flow_control() == FlowControl::Call).count();
        assert_eq!(calls, code.sites.len());
        assert!(
            code.sites
                .iter()
                .all(|site| insts.iter().any(|i| i.next_ip() == u64::from(site.return_offset) && i.mnemonic() == Mnemonic::Call))
        );
        assert_eq!(Frame::of(&finished).map(|frame| frame.exists), Some(code.has_frame));
    }
    assert!(near > 300 && short > 300, "{near} {short}");
}
