//! `allocator-fast-path-check`: taking a cell, counting it and giving it back cost the instructions that they may, read from the machine code by a decoder that
//! is not ours.
//!
//! Each op is compiled alone. The code is followed as it runs when nothing is out of the ordinary: a branch that leads around a call is taken, one that leads to
//! what happens to the last holder is not. What a function that does nothing has, too, is not counted.

use iced_x86::{Code as Iced, Decoder, DecoderOptions, FlowControl, Instruction};
use lir::Legal;

use crate::evidence::{Evidence, Table};

/// What is measured: name, body, instructions and branches at most (`design/memory.md` G3; an allocation stores class and tag besides its five).
const BUDGETS: [(&str, &str, u32, u32); 5] = [
    ("take a cell of known size", "  %1: ptr = alloc 1283\n  ret %1\n", 6, 1),
    ("give a cell of known size back", "  free %0, 3\n  ret %0\n", 3, 0),
    ("one holder more", "  count_up %0\n  ret %0\n", 1, 0),
    (
        "one holder fewer, not the last",
        "  %1: i8 = count_down %0\n  branch %1, b1, b2\nb1:\n  rt free, %0\n  jump b2\nb2:\n  %2: ptr = iconst 0\n  ret %2\n",
        2,
        1,
    ),
    (
        "one holder more of a text, which may be nobody's",
        "  %1: i64 = load %0, 16\n  %2: i64 = iconst 0\n  %3: i8 = icmp %1, %2, sgt\n  branch %3, b1, b2\nb1:\n  count_up %1\n  jump b2\nb2:\n  ret %0\n",
        // With the load of the word and a jump back to the straight way.
        5,
        2,
    ),
];

/// What calls the runtime every time is refused.
const NEGATIVE: &str = "  %1: i64 = iconst 24\n  %2: i64 = iconst 0\n  %3: ptr = rt allocate, %1, %2\n  ret %3\n";

/// Instructions and branches on the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Cost {
    instructions: u32,
    branches: u32,
}

/// Runs the gate.
pub fn run() -> bool {
    let mut evidence = Evidence::new("allocator-fast-path-check");
    let mut table = Table::new("budgets", &["op", "instructions", "at most", "branches", "at most"]);
    let nothing = measured("  ret %0\n").unwrap_or_default();
    for (what, body, instructions, branches) in BUDGETS {
        match measured(body) {
            Ok(cost) => {
                let own = Cost {
                    instructions: cost.instructions.saturating_sub(nothing.instructions),
                    branches: cost.branches.saturating_sub(nothing.branches),
                };
                table.row([
                    what.to_owned(),
                    own.instructions.to_string(),
                    instructions.to_string(),
                    own.branches.to_string(),
                    branches.to_string(),
                ]);
                if own.instructions > instructions || own.branches > branches {
                    evidence.fail(format!("{what}: {} instructions, {} branches", own.instructions, own.branches));
                }
            }
            Err(why) => evidence.fail(format!("{what}: {why}")),
        }
    }
    match measured(NEGATIVE) {
        Err(why) if why.contains("calls") => table.row(["refused: a call of the runtime each time", "-", "-", "-", "-"]),
        other => evidence.fail(format!("an allocation that calls the runtime each time is measured as {other:?}")),
    }
    evidence.table(table);
    evidence.close()
}

/// The cost of a body of one pointer, as it runs when nothing is out of the ordinary.
fn measured(body: &str) -> Result<Cost, String> {
    let text = format!("ori-ir lir.legal 1 {}\nfn @m.f(%0: ptr) -> ptr {{\nb0:\n{body}}}\n", lir::text::header_facts().join(" "));
    let (bodies, _) = lir::text::parse::<Legal>(&text).map_err(|error| format!("{error:?}"))?;
    let body = bodies.first().ok_or("no function")?;
    let code = machine::compile(body, &mut machine::Scratch::default(), true).map_err(|error| format!("{error:?}"))?;
    follow(&code.bytes)
}

fn follow(bytes: &[u8]) -> Result<Cost, String> {
    let insts: Vec<Instruction> = Decoder::with_ip(64, bytes, 0, DecoderOptions::NONE).iter().collect();
    let at = |ip: u64| insts.iter().position(|inst| inst.ip() == ip);
    let mut cost = Cost::default();
    let mut next = 0;
    for _ in 0..insts.len() {
        let Some(inst) = insts.get(next) else { return Err("the code ends without a return".to_owned()) };
        // The frame is the function's, not the op's.
        let is_frame = matches!(inst.code(), Iced::Push_r64 | Iced::Pop_r64 | Iced::Leaveq)
            || inst.code() == Iced::Mov_rm64_r64 && inst.op0_register() == iced_x86::Register::RBP;
        cost.instructions += u32::from(!is_frame);
        match inst.flow_control() {
            FlowControl::Return => return Ok(cost),
            FlowControl::ConditionalBranch => {
                cost.branches += 1;
                let target = at(inst.near_branch64()).ok_or("a branch goes nowhere")?;
                let around = insts.get(next + 1..target).unwrap_or(&[]);
                let leads_around_a_call = around.iter().any(|inst| inst.flow_control() == FlowControl::Call);
                next = if leads_around_a_call { target } else { next + 1 };
            }
            FlowControl::UnconditionalBranch => {
                cost.branches += 1;
                next = at(inst.near_branch64()).ok_or("a jump goes nowhere")?;
            }
            FlowControl::Call | FlowControl::IndirectCall => return Err("the code calls on its way".to_owned()),
            _ => next += 1,
        }
    }
    Err("the code goes round".to_owned())
}
