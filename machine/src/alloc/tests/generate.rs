//! Random bodies of LIR: structured, valid, with everything that makes allocation hard.

use ir::ssa::{Block, Graph, NewInst, Value};
use ir::{ItemId, Place, PlaceId};
use lir::{Body, Legal, Lir, Op, Type};

/// A small generator of numbers (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, n: usize) -> usize {
        (self.roll() % n.max(1) as u64) as usize
    }
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

pub struct Generator {
    pub dice: Dice,
    graph: Graph<Lir>,
    block: Block,
    values: Vec<Value>,
    pad: Option<Block>,
    place: PlaceId,
    budget: usize,
    name: ItemId,
    /// Fewer kinds of statements: no calls, no panics; such a body can run alone.
    pub is_pure: bool,
}

pub fn name(text: &str) -> ItemId {
    ItemId::parse(text).expect("a name")
}

pub fn random_body(seed: u64) -> Body<Legal> {
    let mut dice = Dice(seed);
    let budget = 5 + dice.below(60);
    generate(dice, budget, false)
}

pub fn generate(mut dice: Dice, budget: usize, is_pure: bool) -> Body<Legal> {
    let item = name("f");
    let mut results = Vec::new();
    for _ in 0..1 + dice.below(3) {
        results.push(if dice.chance(70) { Type::I64 } else { Type::F64 });
    }
    let mut graph = Graph::new(item, results);
    let block = graph.add_block();
    let place = graph.places.add(Place { item, line: 1, column: 1, inlined_at: PlaceId::NONE });
    let mut this = Generator { dice, graph, block, values: Vec::new(), pad: None, place, budget, name: item, is_pure };
    let (ints, floats) = (1 + this.dice.below(if is_pure { 4 } else { 9 }), this.dice.below(if is_pure { 4 } else { 11 }));
    for _ in 0..ints {
        let v = this.graph.add_param(block, Type::I64);
        this.values.push(v);
    }
    for _ in 0..floats {
        let v = this.graph.add_param(block, Type::F64);
        this.values.push(v);
    }
    if this.dice.chance(30) {
        this.inst(Op::Slot, &[], 24, Type::Ptr);
    }
    this.statements(3);
    this.leave();
    Body::new(this.graph)
}

impl Generator {
    fn ty(&self, v: Value) -> Type {
        self.graph.ty(v)
    }

    fn inst(&mut self, op: Op, args: &[Value], imm: u64, ty: Type) -> Value {
        let v = self.graph.append1(self.block, NewInst { args, imm, place: self.place, ..NewInst::new(op) }, ty);
        self.values.push(v);
        v
    }

    /// Some value of a type; recent ones more often.
    fn pick(&mut self, ty: Type) -> Value {
        for _ in 0..12 {
            let n = self.values.len();
            let back = if self.dice.chance(50) { self.dice.below(n.min(6)) } else { self.dice.below(n) };
            let v = self.values[n - 1 - back];
            if self.ty(v) == ty {
                return v;
            }
        }
        match ty {
            Type::F64 => {
                let bits = [0.0f64, 1.5, -2.25, 1e10][self.dice.below(4)].to_bits();
                self.inst(Op::Fconst, &[], bits, Type::F64)
            }
            Type::Ptr => {
                let size = 8 + (self.dice.roll() >> 40) % 32;
                self.inst(Op::Slot, &[], size, Type::Ptr)
            }
            Type::I8 => self.inst(Op::Iconst, &[], self.dice.0 & 1, Type::I8),
            Type::I32 | Type::I64 => {
                let imm = match self.dice.below(4) {
                    0 => self.dice.roll(),
                    1 => 0,
                    _ => self.dice.below(100) as u64,
                };
                self.inst(Op::Iconst, &[], imm, ty)
            }
        }
    }

    fn statements(&mut self, depth: usize) {
        let count = 1 + self.dice.below(12);
        for _ in 0..count {
            if self.budget == 0 {
                return;
            }
            self.budget -= 1;
            match self.dice.below(100) {
                0..40 => self.integer(),
                40..60 => self.float(),
                60..66 => self.memory(),
                66..72 if !self.is_pure => self.call(),
                72..76 if !self.is_pure => self.check(),
                76..84 if depth > 0 => self.branch(depth),
                84..94 if depth > 0 => self.looping(depth),
                94..97 if depth > 0 => self.switch(depth),
                97..99 if !self.is_pure => self.with_pad(depth),
                _ => self.division(),
            }
        }
    }

    fn integer(&mut self) {
        let (a, b) = (self.pick(Type::I64), self.pick(Type::I64));
        let ops = [Op::Add, Op::Sub, Op::Mul, Op::And, Op::Or, Op::Xor, Op::Shl, Op::Shr, Op::Sar, Op::MulHigh, Op::Add, Op::Sub];
        match self.dice.below(20) {
            0 => {
                self.inst(Op::Neg, &[a], 0, Type::I64);
            }
            1 => {
                let cond = self.dice.below(10) as u64;
                let c = self.inst(Op::Icmp, &[a, b], cond, Type::I8);
                if self.dice.chance(50) {
                    self.inst(Op::Select, &[c, a, b], 0, Type::I64);
                } else if self.dice.chance(50) {
                    self.inst(Op::Zext, &[c], 0, Type::I64);
                }
            }
            2 => {
                let t = [Type::I8, Type::I32][self.dice.below(2)];
                let v = self.inst(Op::Trunc, &[a], 0, t);
                self.inst(Op::Zext, &[v], 0, Type::I64);
            }
            3 | 4 if !self.is_pure => {
                let op = [Op::AddCheck, Op::SubCheck, Op::MulCheck][self.dice.below(3)];
                let v = self.graph.append1(
                    self.block,
                    NewInst { args: &[a, b], imm: 0, place: self.place, unwind: self.pad, ..NewInst::new(op) },
                    Type::I64,
                );
                self.values.push(v);
            }
            5 => {
                let k = self.inst(Op::Iconst, &[], 3, Type::I64);
                let s = self.inst(Op::Shl, &[a, k], 0, Type::I64);
                self.inst(Op::Add, &[b, s], 0, Type::I64);
            }
            n => {
                self.inst(ops[n % ops.len()], &[a, b], 0, Type::I64);
            }
        }
    }

    fn float(&mut self) {
        let (a, b) = (self.pick(Type::F64), self.pick(Type::F64));
        match self.dice.below(12) {
            0 => {
                let i = self.pick(Type::I64);
                self.inst(Op::FloatOfInt, &[i], 0, Type::F64);
            }
            1 => {
                let cond = self.dice.below(6) as u64;
                let c = self.inst(Op::Fcmp, &[a, b], cond, Type::I8);
                if self.dice.chance(60) {
                    self.inst(Op::Select, &[c, a, b], 0, Type::F64);
                }
            }
            2 => {
                self.inst(Op::BitsOfFloat, &[a], 0, Type::I64);
            }
            3 => {
                self.inst(Op::Fneg, &[a], 0, Type::F64);
            }
            4 => {
                self.inst(Op::Fabs, &[a], 0, Type::F64);
            }
            n => {
                let op = [Op::Fadd, Op::Fsub, Op::Fmul, Op::Fdiv][n % 4];
                self.inst(op, &[a, b], 0, Type::F64);
            }
        }
    }

    fn memory(&mut self) {
        let p = self.inst(Op::Slot, &[], 32, Type::Ptr);
        let ty = [Type::I64, Type::F64, Type::I8][self.dice.below(3)];
        let v = self.pick(ty);
        let offset = self.dice.below(3) as u64 * 8;
        self.graph.append(self.block, NewInst { args: &[p, v], imm: offset, ..NewInst::new(Op::Store) }, &[]);
        let q = if self.dice.chance(40) {
            let i = self.pick(Type::I64);
            let three = self.inst(Op::Iconst, &[], 3, Type::I64);
            let i = self.inst(Op::And, &[i, three], 0, Type::I64);
            let s = self.inst(Op::Shl, &[i, three], 0, Type::I64);
            self.graph.append(self.block, NewInst { args: &[p, v], imm: 0, ..NewInst::new(Op::Store) }, &[]);
            for at in 0..4 {
                let w = self.pick(Type::I64);
                self.graph.append(self.block, NewInst { args: &[p, w], imm: at * 8, ..NewInst::new(Op::Store) }, &[]);
            }
            let q = self.inst(Op::Add, &[p, s], 0, Type::Ptr);
            let l = self.inst(Op::Load, &[q], 0, Type::I64);
            let _ = l;
            return;
        } else {
            p
        };
        self.inst(Op::Load, &[q], offset, ty);
    }

    fn call(&mut self) {
        let mut args = Vec::new();
        for _ in 0..self.dice.below(9) {
            let ty = if self.dice.chance(70) { Type::I64 } else { Type::F64 };
            args.push(self.pick(ty));
        }
        let mut results = Vec::new();
        for _ in 0..self.dice.below(4) {
            results.push(if self.dice.chance(70) { Type::I64 } else { Type::F64 });
        }
        let inst = self.graph.append(
            self.block,
            NewInst { args: &args, imm: u64::from(self.name.raw()), place: self.place, unwind: self.pad, ..NewInst::new(Op::Call) },
            &results,
        );
        self.values.extend(self.graph.results(inst));
    }

    fn check(&mut self) {
        let (a, b) = (self.pick(Type::I64), self.pick(Type::I64));
        let imm = lir::ops::check_imm(lir::Cond::Ult, abi::PanicKind::IndexOutOfBounds);
        self.graph.append(
            self.block,
            NewInst { args: &[a, b, a, b], imm, place: self.place, unwind: self.pad, ..NewInst::new(Op::Check) },
            &[],
        );
    }

    fn division(&mut self) {
        let (a, b) = (self.pick(Type::I64), self.pick(Type::I64));
        let one = self.inst(Op::Iconst, &[], 1, Type::I64);
        let mask = self.inst(Op::Iconst, &[], 0xffff, Type::I64);
        let b = self.inst(Op::And, &[b, mask], 0, Type::I64);
        let b = self.inst(Op::Or, &[b, one], 0, Type::I64);
        if self.dice.chance(50) {
            self.inst(Op::Sdiv, &[a, b], 0, Type::I64);
        }
        if self.dice.chance(60) {
            self.inst(Op::Srem, &[a, b], 0, Type::I64);
        }
    }

    fn jump(&mut self, to: Block, args: &[Value]) {
        self.graph.append(self.block, NewInst { targets: &[(to, args)], ..NewInst::new(Op::Jump) }, &[]);
    }

    fn condition(&mut self) -> Value {
        if self.dice.chance(25) {
            let (a, b) = (self.pick(Type::F64), self.pick(Type::F64));
            let cond = self.dice.below(6) as u64;
            return self.inst(Op::Fcmp, &[a, b], cond, Type::I8);
        }
        if self.dice.chance(15) {
            return self.pick(Type::I8);
        }
        let (a, b) = (self.pick(Type::I64), self.pick(Type::I64));
        let cond = self.dice.below(10) as u64;
        self.inst(Op::Icmp, &[a, b], cond, Type::I8)
    }

    fn types(&mut self, most: usize) -> Vec<Type> {
        (0..self.dice.below(most)).map(|_| if self.dice.chance(60) { Type::I64 } else { Type::F64 }).collect()
    }

    fn branch(&mut self, depth: usize) {
        let (yes, no, join) = (self.graph.add_block(), self.graph.add_block(), self.graph.add_block());
        let types = self.types(5);
        let params: Vec<Value> = types.iter().map(|&ty| self.graph.add_param(join, ty)).collect();
        let kept = self.values.len();
        let condition = self.condition();
        // Sometimes an edge goes straight to the join: a critical edge.
        if self.dice.chance(40) {
            let args: Vec<Value> = types.iter().map(|&ty| self.pick(ty)).collect();
            let mut targets: [(Block, &[Value]); 2] = [(yes, &[]), (join, &args)];
            if self.dice.chance(50) {
                targets.swap(0, 1);
            }
            self.graph.append(self.block, NewInst { args: &[condition], targets: &targets, ..NewInst::new(Op::Branch) }, &[]);
        } else {
            self.graph.append(
                self.block,
                NewInst { args: &[condition], targets: &[(yes, &[]), (no, &[])], ..NewInst::new(Op::Branch) },
                &[],
            );
            self.block = no;
            self.statements(depth - 1);
            let is_panic = !self.is_pure && self.dice.chance(25);
            if is_panic {
                self.graph.append(
                    self.block,
                    NewInst { imm: abi::PanicKind::DivByZero as u64, place: self.place, unwind: self.pad, ..NewInst::new(Op::Panic) },
                    &[],
                );
            } else {
                let args: Vec<Value> = types.iter().map(|&ty| self.pick(ty)).collect();
                self.jump(join, &args);
            }
        }
        self.values.truncate(kept);
        self.block = yes;
        self.statements(depth - 1);
        let args: Vec<Value> = types.iter().map(|&ty| self.pick(ty)).collect();
        self.jump(join, &args);
        self.values.truncate(kept);
        self.block = join;
        self.values.extend(params);
    }

    /// A loop that turns a bounded number of times.
    fn looping(&mut self, depth: usize) {
        let (header, body, exit) = (self.graph.add_block(), self.graph.add_block(), self.graph.add_block());
        let wide = if self.dice.chance(15) { 24 } else { 5 };
        let types = self.types(wide);
        let zero = self.inst(Op::Iconst, &[], 0, Type::I64);
        let mut args = vec![zero];
        for &ty in &types {
            let v = self.pick(ty);
            args.push(v);
        }
        self.jump(header, &args);
        let counter = self.graph.add_param(header, Type::I64);
        let params: Vec<Value> = types.iter().map(|&ty| self.graph.add_param(header, ty)).collect();
        self.block = header;
        let kept_outer = self.values.len();
        self.values.push(counter);
        self.values.extend(&params);
        let is_bottom = self.dice.chance(40);
        let turns = self.inst(Op::Iconst, &[], 1 + self.dice.0 % 7, Type::I64);
        if is_bottom {
            self.jump(body, &[]);
        } else {
            if self.dice.chance(30) {
                self.integer();
            }
            let more = self.inst(Op::Icmp, &[counter, turns], lir::Cond::Slt as u64, Type::I8);
            self.graph.append(self.block, NewInst { args: &[more], targets: &[(body, &[]), (exit, &[])], ..NewInst::new(Op::Branch) }, &[]);
        }
        let kept = self.values.len();
        self.block = body;
        self.statements(depth - 1);
        let one = self.inst(Op::Iconst, &[], 1, Type::I64);
        let next = self.inst(Op::Add, &[counter, one], 0, Type::I64);
        let mut args = vec![next];
        // Swaps and rotations of the parameters among themselves.
        let rotate = self.dice.chance(40);
        for (at, &ty) in types.iter().enumerate() {
            let other = params[(at + 1) % params.len()];
            let v = if rotate && self.ty(other) == ty { other } else { self.pick(ty) };
            args.push(v);
        }
        if is_bottom {
            let more = self.inst(Op::Icmp, &[next, turns], lir::Cond::Slt as u64, Type::I8);
            self.graph.append(
                self.block,
                NewInst { args: &[more], targets: &[(header, &args), (exit, &[])], ..NewInst::new(Op::Branch) },
                &[],
            );
        } else {
            self.jump(header, &args);
        }
        self.values.truncate(kept);
        self.block = exit;
        let _ = kept_outer;
    }

    fn switch(&mut self, depth: usize) {
        let value = self.pick(Type::I64);
        let count = 1 + self.dice.below(9);
        let join = self.graph.add_block();
        let param = self.graph.add_param(join, Type::I64);
        let kept = self.values.len();
        let blocks: Vec<Block> = (0..=count).map(|_| self.graph.add_block()).collect();
        let cases: Vec<i64> = (0..count as i64).map(|n| n * n * n - 3).collect();
        let imm = self.graph.add_cases(cases);
        let targets: Vec<(Block, &[Value])> = blocks.iter().map(|&b| (b, &[][..])).collect();
        self.graph.append(self.block, NewInst { args: &[value], imm, targets: &targets, ..NewInst::new(Op::Switch) }, &[]);
        for block in blocks {
            self.block = block;
            if self.dice.chance(40) {
                self.statements(depth - 1);
            }
            let v = self.pick(Type::I64);
            self.jump(join, &[v]);
            self.values.truncate(kept);
        }
        self.block = join;
        self.values.push(param);
    }

    /// Statements under a landing pad that reads values of the frame.
    fn with_pad(&mut self, depth: usize) {
        if self.pad.is_some() || depth == 0 {
            return;
        }
        let pad = self.graph.add_block();
        let (a, b) = (self.pick(Type::I64), self.pick(Type::F64));
        self.pad = Some(pad);
        self.call();
        self.statements(depth - 1);
        self.pad = None;
        // Another landing block, which drops something first and then does what this one does.
        if self.dice.chance(40) {
            let inner = self.graph.add_block();
            self.pad = Some(inner);
            self.call();
            self.pad = None;
            let (outer, kept) = (std::mem::replace(&mut self.block, inner), self.values.len());
            let both = self.inst(Op::Xor, &[a, a], 0, Type::I64);
            self.block = outer;
            self.values.truncate(kept);
            let flags = lir::ops::NOUNWIND;
            let call = NewInst { args: &[both], imm: u64::from(self.name.raw()), place: self.place, flags, ..NewInst::new(Op::Call) };
            self.graph.append(inner, call, &[]);
            self.graph.append(inner, NewInst { targets: &[(pad, &[])], ..NewInst::new(Op::Jump) }, &[]);
        }
        self.graph.append(
            pad,
            NewInst {
                args: &[a, b],
                imm: u64::from(self.name.raw()),
                place: self.place,
                flags: lir::ops::NOUNWIND,
                ..NewInst::new(Op::Call)
            },
            &[],
        );
        self.graph.append(pad, NewInst::new(Op::Resume), &[]);
    }

    fn leave(&mut self) {
        if !self.is_pure && self.dice.chance(10) {
            let mut args = Vec::new();
            for _ in 0..self.dice.below(6) {
                args.push(self.pick(Type::I64));
            }
            let imm = u64::from(self.name.raw());
            self.graph.append(self.block, NewInst { args: &args, imm, place: self.place, ..NewInst::new(Op::Tail) }, &[]);
            return;
        }
        let results = self.graph.results.clone();
        let args: Vec<Value> = results.iter().map(|&ty| self.pick(ty)).collect();
        self.graph.append(self.block, NewInst { args: &args, ..NewInst::new(Op::Return) }, &[]);
    }
}
