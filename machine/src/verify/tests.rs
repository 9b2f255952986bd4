//! Every rule is tripped by a function or by bytes that break it.

use std::collections::BTreeSet;

use abi::PanicKind;
use ir::{Fault, Id, PlaceId};

use super::{Rule, verify, verify_code};
use crate::finish::{Code, RelocTarget, finish};
use crate::ir::{Alloc, Final, Function, Phase, Select, SlotKind};
use crate::text::{Parsed, parse};

fn codes<P: Phase>(function: &Function<P>) -> BTreeSet<&'static str> {
    verify(function).iter().map(|fault| fault.code().0).collect()
}

/// The codes of a one-function dump: what stands in the brackets, the parameters with the result, the lines.
fn codes_of(phase: &str, whole: &str, header: &str, lines: &str) -> BTreeSet<&'static str> {
    let text = format!("ori-ir machine.{phase} 1 isa=x86_64\nfn @f[{whole}]{header} {{\n{lines}\n}}\n");
    match parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}")) {
        Parsed::Select(functions) => codes(&functions[0]),
        Parsed::Alloc(functions) => codes(&functions[0]),
        Parsed::Final(functions) => codes(&functions[0]),
    }
}

/// phase, brackets, header, lines, the one code they trip.
const BAD: &[(&str, &str, &str, &str, &str)] = &[
    ("alloc", "", "() -> ()", "b0:\n mov $rax, $rbx", "X0102"),
    ("alloc", "", "() -> ()", "b0:\n trap\n ret", "X0103"),
    ("alloc", "", "() -> ()", "b0:\n mov $rax, none\n trap", "X0104"),
    ("select", "", "() -> ()", "b0:\n %0: gp = leaindex [5]\n trap", "X0104"),
    ("alloc", "", "() -> ()", "b0:\n mov $xmm1, $rax\n trap", "X0106"),
    ("select", "", "(%0: xmm) -> ()", "b0:\n %1: gp = not %0\n trap", "X0106"),
    ("alloc", "", "() -> ()", "b0:\n shl $rax, $rax, $rdx\n trap", "X0107"),
    ("alloc", "", "() -> ()", "b0:\n add $rax, $rdx, $rcx\n trap", "X0108"),
    ("alloc", "", "() -> ()", "b0:\n mov $rax, %3\n trap", "X0109"),
    ("select", "", "() -> ()", "b0:\n storeslot $rax, [slot 0]\n trap", "X0113 X0109"),
    ("alloc", "", "() -> ()", "b0:\n mov $rax, $rsp\n trap", "X0110"),
    ("alloc", "", "() -> ()", "b0:\n not $r11, $r11\n trap", "X0110"),
    ("alloc", "", "() -> ()", "b0:\n shli $rax, $rax, 64\n trap", "X0111"),
    ("alloc", "", "() -> ()", "b0:\n cmp $rax, $rax\n set 16, $rax\n trap", "X0111"),
    ("alloc", "", "() -> ()", "b0:\n load $rax, [$rcx + $rdx*3]\n trap", "X0112"),
    ("alloc", "", "() -> ()", "b0:\n loadslot $rax, [slot 4]\n trap", "X0113"),
    ("alloc", "", "() -> ()", "b0:\n jmp b7", "X0115"),
    ("select", "", "() -> ()", "b0:\n jmp b1\nb1(%0: gp):\n trap", "X0116"),
    ("select", "", "(%0: xmm) -> ()", "b0:\n jmp b1(%0)\nb1(%1: gp):\n trap", "X0117"),
    ("alloc", "", "() -> ()", "b0:\n shli $rax, $rax, 3\n set e, $rax\n trap", "X0118"),
    ("alloc", "", "() -> ()", "b0:\n panic add_overflow, b1\nb1:\n trap", "X0119"),
    ("alloc", "pad 1", "() -> ()", "b0:\n jmp b1\nb1:\n trap", "X0120"),
    ("select", "pad 0", "() -> ()", "b0:\n trap", "X0120"),
    ("select", "pad 1", "() -> ()", "b0:\n trap\nb1(%0: gp):\n resume", "X0121"),
    ("alloc", "pad 1", "() -> ()", "b0:\n trap\nb1:\n mov $rax, $rcx\n resume", "X0122"),
    ("alloc", "", "() -> ()", "b0:\n resume", "X0123"),
    ("alloc", "", "() -> ()", "b0:\n call @g, $rsi\n trap", "X0124"),
    ("alloc", "", "() -> ()", "b0:\n call print\n trap", "X0125"),
    ("alloc", "", "() -> ()", "b0:\n call @g, {results rcx}\n trap", "X0126"),
    ("alloc", "", "() -> gp", "b0:\n ret $rcx", "X0127"),
    ("alloc", "", "() -> ()", "b0:\n call @g, {clobbers 1}\n trap", "X0128"),
    ("alloc", "", "(%0: gp $rsi) -> ()", "b0:\n trap", "X0129"),
    ("alloc", "", "() -> ()", "b0:\n div $rax, $rax, $rdx\n trap", "X0130"),
    ("alloc", "", "() -> ()", "b0:\n panic index_out_of_bounds, $rax, [slot 3]", "X0131"),
    ("alloc", "", "() -> ()", "b0:\n panic add_overflow, 5", "X0131"),
    ("select", "", "() -> ()", "b0:\n %0: gp = movi 1\n %0: gp = movi 2\n trap", "X0133"),
    ("select", "", "(%0: gp) -> ()", "b0:\n %2: gp = not %1\n trap", "X0134"),
    ("select", "", "() -> ()", "b0:\n %1: gp = not %0\n %0: gp = movi 1\n trap", "X0139"),
    ("select", "", "() -> ()", "b0:\n %0: gp = add %0, %0\n trap", "X0139"),
    ("select", "", "() -> gp", "b0:\n jmp b1\nb1:\n jmp b2(%0)\nb2(%0: gp):\n ret %0", "X0139"),
    (
        "select",
        "",
        "(%0: gp) -> gp",
        "b0:\n test %0, %0\n jcc e, b1\n jmp b2\nb1:\n %1: gp = movi 1\n jmp b3\nb2:\n jmp b3\nb3:\n ret %1",
        "X0139",
    ),
    // What a call gives is not there when it unwinds, and what came before is.
    ("select", "pad 1", "() -> ()", "b0:\n %0: gp = call @g, b1\n ret\nb1:\n %1: gp = not %0\n resume", "X0139"),
    ("select", "pad 1", "() -> gp", "b0:\n %0: gp = movi 1\n call @g, b1\n ret %0\nb1:\n %1: gp = not %0\n resume", ""),
    ("select", "", "() -> ()", "b0:\n trap\nb1:\n trap", "X0140"),
    ("select", "pad 1", "() -> ()", "b0:\n trap\nb1:\n %0: gp = movi 1\n resume", "X0140"),
    ("select", "", "() -> ()", "b0:\n jmp b0", "X0141"),
    ("select", "", "() -> ()", "b0:\n jmp b2\nb1:\n trap\nb2:\n jmp b1", "X0140 X0141"),
    (
        "select",
        "",
        "(%0: gp) -> ()",
        "b0:\n test %0, %0\n jcc e, b1\n jmp b2\nb1:\n jmp b2\nb2:\n test %0, %0\n jcc e, b1\n jmp b3\nb3:\n trap",
        "X0141",
    ),
    // The edge back of the outer loop comes from before the end of the inner one.
    (
        "select",
        "",
        "(%0: gp) -> ()",
        "b0:\n jmp b1\nb1:\n jmp b2\nb2:\n test %0, %0\n jcc e, b1\n jmp b3\nb3:\n test %0, %0\n jcc e, b2\n jmp b4\nb4:\n trap",
        "",
    ),
    ("final", "", "() -> ()", "b0:\n mov $rax, $rcx", "X0135"),
    ("alloc", "", "() -> ()", "b0:\n ret @g", "X0136"),
    ("alloc", "", "() -> ()", "b0:\n jmp b1\nb1(%0: gp):\n trap", "X0138"),
    ("alloc", "slot local 12", "() -> ()", "b0:\n trap", "X0301"),
    ("final", "slot local 8 at -64", "() -> ()", "b0:\n trap", "X0302"),
    ("final", "slot local 16 at -16, slot spill 8 at -16", "() -> ()", "b0:\n trap", "X0303"),
    ("final", "slot local 8 at -12", "() -> ()", "b0:\n trap", "X0304"),
    ("alloc", "", "() -> ()", "b0:\n mov $rbx, $rax\n trap", "X0305"),
    ("alloc", "saved rax", "() -> ()", "b0:\n trap", "X0306"),
    ("alloc", "saved rbx", "() -> ()", "b0:\n trap", "X0309"),
    ("alloc", "slot incoming 1 at 16", "() -> ()", "b0:\n trap", "X0307"),
    ("final", "slot outgoing 1 at -16", "() -> ()", "b0:\n trap", "X0307"),
    ("alloc", "slot spill 8", "() -> ()", "b0:\n loadslot $rax, [slot 0 + 8]\n trap", "X0308"),
];

fn sample() -> Function<Alloc> {
    match parse(crate::text::tests::ALLOC).unwrap() {
        Parsed::Alloc(mut functions) => functions.remove(0),
        Parsed::Select(_) | Parsed::Final(_) => panic!("an alloc dump"),
    }
}

/// Damage to a function that no text can say.
fn tables() -> Vec<(&'static str, Function<Alloc>)> {
    let mut out = Vec::new();
    let mut add = |code, change: &dyn Fn(&mut Function<Alloc>)| {
        let mut function = sample();
        change(&mut function);
        out.push((code, function));
    };
    add("X0101", &|f| f.blocks.rows_mut()[1].start += 1);
    add("X0105", &|f| f.records[1].b = 0);
    add("X0114", &|f| f.records[0].aux = 1);
    add("X0132", &|f| f.virtuals.truncate(3));
    add("X0137", &|f| f.calls[0].place = PlaceId(99));
    add("X0138", &|f| f.blocks[Id::new(4)].params = f.calls[0].args);
    out
}

/// Records of a selected function that name a row of a table again.
fn shared_rows() -> Vec<(&'static str, Function<Select>)> {
    let select = |lines: &str| match parse(&format!("ori-ir machine.select 1 isa=x86_64\nfn @f() -> () {{\nb0:\n{lines}\n}}\n")).unwrap() {
        Parsed::Select(mut functions) => functions.remove(0),
        Parsed::Alloc(_) | Parsed::Final(_) => panic!("a select dump"),
    };
    let mut calls = select(" call @g\n call @g\n trap");
    calls.records[1].aux = 0;
    let mut stubs = select(" %0: gp = movi 1\n test %0, %0\n stub e, add_overflow\n stub o, add_overflow\n trap");
    stubs.records.swap(2, 3);
    vec![("X0142", calls), ("X0142", stubs)]
}

/// Damage to bytes and their tables.
fn bytes() -> Vec<(&'static str, Function<Final>, Code)> {
    let (function, code) = finish(sample()).unwrap();
    assert_eq!(verify(&function), []);
    assert_eq!(verify_code(&function, &code), []);
    let mut out = Vec::new();
    let mut add = |name, change: &dyn Fn(&mut Code)| {
        let mut damaged = code.clone();
        change(&mut damaged);
        out.push((name, function.clone(), damaged));
    };
    let (_, marks) = crate::finish::mark(&function).unwrap();
    let jcc = function.records.iter().position(|record| record.op == crate::Op::JumpIf).map(|at| marks.records[at] as usize).unwrap();
    add("X0401", &|c| c.bytes[jcc] = 0x06);
    add("X0402", &|c| c.bytes[jcc + 1] ^= 1);
    add("X0404", &|c| c.sites[0].return_offset += 1);
    add("X0405", &|c| c.sites.swap(0, 1));
    add("X0406", &|c| c.sites.truncate(1));
    add("X0407", &|c| c.relocs.swap(0, 1));
    add("X0407", &|c| c.relocs[0].offset = 1 << 20);
    add("X0408", &|c| c.relocs[0].addend = 0);
    add("X0408", &|c| c.relocs[0].target = RelocTarget::Data(7));
    add("X0409", &|c| c.frame_size += 16);
    add("X0409", &|c| c.saved_mask = 0);
    add("X0410", &|c| c.data.push(crate::finish::DataBlock { bytes: vec![0; 3], align: 8, links: Vec::new() }));
    add("X0411", &|c| c.bytes.push(0x90));
    add("X0411", &|c| c.bytes[jcc] = 0xb0 + 8);
    add("X0412", &|c| c.sites[0].place = PlaceId(99));
    add("X0413", &|c| c.relocs.truncate(1));
    add("X0414", &|c| c.sites[0].pad_offset = Some(1));
    add("X0415", &|c| c.threads.push(7));
    let mut catching = sample();
    catching.records.iter_mut().filter(|record| record.op == crate::Op::Resume).for_each(|record| record.op = crate::Op::Trap);
    let (catching, mut silent) = finish(catching).unwrap();
    let pad = silent.sites.iter().find_map(|site| site.pad_offset).unwrap() as usize;
    assert_eq!(verify_code(&catching, &silent), []);
    silent.bytes[pad] = 0x99;
    out.push(("X0416", catching, silent));
    let mut near = function.clone();
    let at = near.records.iter().position(|record| record.op == crate::Op::JumpIf).unwrap();
    near.records[at].imm |= crate::finish::NEAR;
    out.push(("X0403", near, code.clone()));
    out
}

#[test]
fn every_code_is_tripped() {
    let mut tripped = BTreeSet::new();
    for &(phase, whole, header, lines, expect) in BAD {
        let codes = codes_of(phase, whole, header, lines);
        assert_eq!(codes, expect.split_whitespace().collect(), "{lines}");
        tripped.extend(codes);
    }
    for (expect, function) in tables() {
        let codes = codes(&function);
        assert!(codes.contains(expect), "{expect}: {codes:?}");
        tripped.insert(expect);
    }
    for (expect, function, code) in bytes() {
        let codes: BTreeSet<_> = verify_code(&function, &code).iter().map(|fault| fault.code().0).collect();
        assert!(codes.contains(expect), "{expect}: {codes:?}");
        tripped.insert(expect);
    }
    for (expect, function) in shared_rows() {
        assert_eq!(codes(&function), [expect].into());
        tripped.insert(expect);
    }
    let missing: Vec<_> = Rule::ALL.iter().map(|rule| rule.code().0).filter(|code| !tripped.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn codes_rise_and_messages_are_sentences() {
    assert!(Rule::ALL.windows(2).all(|pair| pair[0].code() < pair[1].code()));
    assert!(Rule::ALL.len() >= 20);
    assert!(Rule::ALL.iter().all(|rule| !rule.message().ends_with('.')));
}

#[test]
fn samples_have_no_fault() {
    assert_eq!(verify(&sample()), []);
    let Parsed::Select(functions) = parse(crate::text::tests::SELECT).unwrap() else { panic!("a select dump") };
    assert_eq!(verify(&functions[0]), []);
    let mut function = sample();
    function.stubs[0].kind = PanicKind::AddOverflow;
    function.slots[0].kind = SlotKind::Spill;
    assert_eq!(codes(&function), ["X0131"].into());
}

/// Records of every op with random operands and words, each judged by the masks and in full.
#[track_caller]
fn masks_agree<P: Phase>(function: &Function<P>, seed: u64) -> [u32; 2] {
    use super::accept::{ROWS, limits};
    use super::{Judge, Memory, Stage, stage};
    use crate::ir::Record;
    let mut state = seed;
    let mut pick = |from: &[i64]| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        from[(state >> 33) as usize % from.len()]
    };
    let sizes = limits([
        function.slots.len(),
        function.constants.len(),
        function.data.len(),
        function.edges.len(),
        function.stubs.len(),
        function.calls.len(),
        function.functions.len(),
    ]);
    let near = if stage::<P>() == Stage::Final { crate::finish::NEAR } else { 0 };
    // A landing pad is always judged in full.
    let block = function.blocks.rows()[0];
    let at = ir::Where::Inst { block: 0, index: block.end - block.start - 1 };
    let mut counts = [0; 2];
    for &op in crate::Op::ALL {
        for _ in 0..3000 {
            let mut reg = || pick(&[65535, 0, 1, 2, 3, 4, 5, 11, 16, 17, 31, 40, 63, 64, 65, 66, 67, 68, 0, 16, 65535]) as u16;
            let (a, b, c) = (reg(), reg(), reg());
            let c = if pick(&[0, 1, 2]) == 0 { b } else { c };
            let b = if pick(&[0, 1]) == 0 { a } else { b };
            let imm = pick(&[0, 0, 0, 1, 8, 15, 16, 63, 64, 256, 257, -1, -8]) as i32;
            let aux = pick(&[0, 0, 0, 1, 2, 3, 4, 8, 16, 0xffff_ffff]) as u32;
            let record = Record { op, a, b, c, imm, aux };
            let judged = |in_full: bool| {
                let mut memory = Memory::default();
                let mut judge = Judge::new(function, stage::<P>(), &mut memory);
                judge.flow();
                judge.tables();
                judge.reach();
                let row = &ROWS[op as usize];
                let is_accepted = !in_full
                    && row.words(&record, &sizes, near)
                    && match judge.stage {
                        Stage::Select => row.virtuals(&record, &judge.memory.virtuals, judge.here).0 == 0,
                        Stage::Alloc | Stage::Final => row.physical(&record).is_some(),
                    };
                if in_full {
                    judge.in_full(&record, &block, at, true, &mut 0);
                } else if is_accepted {
                    if judge.stage == Stage::Select && row.virtuals(&record, &judge.memory.virtuals, judge.here).1 != 0 {
                        judge.away(row, &record, at);
                    }
                    judge.more(row, &record, at);
                }
                let Judge { faults, .. } = judge;
                (is_accepted, faults, memory.early)
            };
            let (is_accepted, found, early) = judged(false);
            let (_, faults, early_in_full) = judged(true);
            counts[usize::from(is_accepted)] += 1;
            if is_accepted {
                assert_eq!((found, early), (faults, early_in_full), "{record:?}");
            } else {
                assert!(!faults.is_empty(), "{record:?}");
            }
        }
    }
    counts
}

#[test]
fn what_masks_accept_breaks_no_rule_and_what_they_refuse_breaks_one() {
    let Parsed::Select(functions) = parse(crate::text::tests::SELECT).unwrap() else { panic!("a select dump") };
    let (finished, _) = finish(sample()).unwrap();
    for [refused, accepted] in [masks_agree(&functions[0], 1), masks_agree(&sample(), 2), masks_agree(&finished, 3)] {
        assert!(refused > 1000 && accepted > 200, "{refused} {accepted}");
    }
}
