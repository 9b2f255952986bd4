//! The edits themselves, one method for kinds that are alike.

use std::collections::BTreeSet;

use super::{Kind, Random};
use crate::ops::{Effect, Imm, OpTable};
use crate::ssa::{Block, Def, ENTRY, Graph, Inst, InstRow, Level, Target, Value, ValueRow};
use crate::{Id, ItemId, Place, PlaceId, Symbol, Where};

/// Where an instruction stands.
#[derive(Clone, Copy)]
struct Site {
    block: Block,
    index: usize,
    inst: Inst,
}

impl Site {
    fn at(self) -> Where {
        Where::Inst { block: self.block.raw(), index: self.index as u32 }
    }

    fn done(self) -> Option<(Where, Option<Inst>)> {
        Some((self.at(), Some(self.inst)))
    }
}

pub(super) struct Mutator<'a, L: Level> {
    pub(super) graph: Graph<L>,
    pub(super) random: Random,
    pub(super) types: &'a [L::Type],
}

impl<L: Level> Mutator<'_, L> {
    /// Changes the graph in the way of `kind` at a random spot, and says where; `None` when it finds none.
    pub(super) fn apply(&mut self, kind: Kind) -> Option<(Where, Option<Inst>)> {
        match kind {
            Kind::OperandSame | Kind::OperandOther | Kind::OperandDangling => self.operand(kind),
            Kind::OperandSwap | Kind::OperandDrop | Kind::OperandAdd => self.operand_list(kind),
            Kind::InstSwap => self.inst_swap(),
            Kind::InstDelete | Kind::InstReplace => self.inst_delete(kind == Kind::InstReplace),
            Kind::InstDuplicate => self.inst_duplicate(),
            Kind::InstMove => self.inst_move(),
            Kind::TargetBlock | Kind::TargetSwap => self.target(kind),
            Kind::TargetArgSame | Kind::TargetArgSwap | Kind::TargetArgDrop | Kind::TargetArgAdd => self.target_args(kind),
            Kind::ImmStep | Kind::ImmBit => self.number(kind),
            Kind::ImmName => self.name(),
            Kind::OpSame | Kind::OpOther => self.op(kind == Kind::OpSame),
            Kind::Retype => self.retype(),
            Kind::ResultAdd | Kind::ResultDrop => self.result_count(kind == Kind::ResultAdd),
            Kind::DefineAgain => self.define_again(),
            Kind::UnwindRemove | Kind::UnwindRedirect | Kind::UnwindAdd => self.unwind(kind),
            Kind::PlaceClear | Kind::PlaceRedirect => self.place(kind == Kind::PlaceClear),
            Kind::ParamDrop | Kind::ParamAdd => self.param(kind == Kind::ParamAdd),
            Kind::TerminatorDrop => self.terminator_drop(),
            Kind::FlagNamed | Kind::FlagUnknown => self.flag(kind == Kind::FlagNamed),
        }
    }

    /// A random instruction that fits.
    fn site(&mut self, fits: impl Fn(&Graph<L>, Inst) -> bool) -> Option<Site> {
        let mut sites = Vec::new();
        for (block, row) in self.graph.blocks.iter() {
            let all = row.insts.iter().enumerate().map(|(index, &inst)| Site { block, index, inst });
            sites.extend(all.filter(|site| fits(&self.graph, site.inst)));
        }
        self.random.pick(&sites)
    }

    /// Like [`Mutator::site`], terminators left out.
    fn plain_site(&mut self, fits: impl Fn(&Graph<L>, Inst) -> bool) -> Option<Site> {
        self.site(|graph, inst| graph.op(inst).info().effect != Effect::Ends && fits(graph, inst))
    }

    /// A random value whose type is (or is not) that of `value`, and that is another one.
    fn other_value(&mut self, value: Value, same_type: bool) -> Option<Value> {
        let ty = self.graph.values.get(value)?.ty;
        let all: Vec<Value> =
            self.graph.values.iter().filter(|(id, row)| *id != value && (row.ty == ty) == same_type).map(|(id, _)| id).collect();
        // Half of the time a neighbour by number, which is likelier to be in scope.
        if self.random.below(2) == 0 {
            let near: Vec<Value> = all.iter().copied().filter(|id| id.index() < value.index() && value.index() - id.index() <= 6).collect();
            if let Some(found) = self.random.pick(&near) {
                return Some(found);
            }
        }
        self.random.pick(&all)
    }

    fn set_args(&mut self, inst: Inst, args: Vec<Value>) {
        self.graph.insts[inst].args = self.graph.args.add(args);
    }

    fn operand(&mut self, kind: Kind) -> Option<(Where, Option<Inst>)> {
        let site = self.site(|graph, inst| !graph.args(inst).is_empty())?;
        let mut args = self.graph.args(site.inst).to_vec();
        let at = self.random.below(args.len());
        args[at] = if kind == Kind::OperandDangling {
            Id::new(self.graph.values.len() + self.random.below(3))
        } else {
            self.other_value(args[at], kind == Kind::OperandSame)?
        };
        self.set_args(site.inst, args);
        site.done()
    }

    fn operand_list(&mut self, kind: Kind) -> Option<(Where, Option<Inst>)> {
        let least = if kind == Kind::OperandSwap { 2 } else { 1 };
        let site = self.site(|graph, inst| graph.args(inst).len() >= least)?;
        let mut args = self.graph.args(site.inst).to_vec();
        let at = self.random.below(args.len());
        if kind == Kind::OperandSwap {
            let other = (at + 1 + self.random.below(args.len() - 1)) % args.len();
            args.swap(at, other);
        } else if kind == Kind::OperandDrop {
            args.remove(at);
        } else {
            args.insert(at, args[at]);
        }
        self.set_args(site.inst, args);
        site.done()
    }

    fn inst_swap(&mut self) -> Option<(Where, Option<Inst>)> {
        let site = self.site(|_, _| true)?;
        let insts = &mut self.graph.blocks[site.block].insts;
        if site.index + 1 >= insts.len() {
            return None;
        }
        insts.swap(site.index, site.index + 1);
        // The one that runs earlier now.
        let inst = insts[site.index];
        Some((site.at(), Some(inst)))
    }

    /// What stands at the site after its instruction has left.
    fn gone(&self, site: Site) -> Option<(Where, Option<Inst>)> {
        match self.graph.blocks[site.block].insts.get(site.index) {
            Some(&next) => Some((site.at(), Some(next))),
            None => Some((Where::Block(site.block.raw()), None)),
        }
    }

    fn inst_delete(&mut self, replace: bool) -> Option<(Where, Option<Inst>)> {
        let site = self.plain_site(|graph, inst| !replace || graph.insts[inst].results > 0)?;
        if replace {
            for result in self.graph.results(site.inst) {
                let mut stand_in = self.graph.args(site.inst).iter().copied().find(|&arg| self.same_type(arg, result));
                if stand_in.is_none() {
                    stand_in = self.other_value(result, true);
                }
                let stand_in = stand_in?;
                self.graph.rename(|value| if value == result { stand_in } else { value });
            }
        }
        self.graph.blocks[site.block].insts.remove(site.index);
        self.gone(site)
    }

    fn same_type(&self, a: Value, b: Value) -> bool {
        match (self.graph.values.get(a), self.graph.values.get(b)) {
            (Some(a), Some(b)) => a.ty == b.ty,
            (Some(_) | None, None) | (None, Some(_)) => false,
        }
    }

    fn inst_duplicate(&mut self) -> Option<(Where, Option<Inst>)> {
        let site = self.plain_site(|_, _| true)?;
        let graph = &mut self.graph;
        let copy = graph.insts.next_id();
        let first_result = graph.values.next_id();
        for (index, value) in graph.results(site.inst).enumerate() {
            let ty = graph.values.get(value)?.ty;
            graph.values.push(ValueRow { ty, def: Def::Result(copy, index as u32) });
        }
        let args = graph.args(site.inst).to_vec();
        let row = InstRow { first_result, args: graph.args.add(args), ..graph.insts[site.inst] };
        graph.insts.push(row);
        graph.edges.push(graph.edges[site.inst]);
        graph.blocks[site.block].insts.insert(site.index + 1, copy);
        Site { index: site.index + 1, inst: copy, ..site }.done()
    }

    fn inst_move(&mut self) -> Option<(Where, Option<Inst>)> {
        let site = self.plain_site(|_, _| true)?;
        let to = self.other_block(site.block)?;
        self.graph.blocks[site.block].insts.remove(site.index);
        let room = self.graph.blocks[to].insts.len().max(1);
        let index = self.random.below(room);
        self.graph.blocks[to].insts.insert(index, site.inst);
        Site { block: to, index, inst: site.inst }.done()
    }

    fn other_block(&mut self, block: Block) -> Option<Block> {
        let blocks: Vec<Block> = self.graph.blocks.ids().filter(|&b| b != block).collect();
        self.random.pick(&blocks)
    }

    fn target(&mut self, kind: Kind) -> Option<(Where, Option<Inst>)> {
        let least = if kind == Kind::TargetSwap { 2 } else { 1 };
        let site = self.site(|graph, inst| graph.targets(inst).len() >= least)?;
        let list = self.graph.edges[site.inst].targets;
        let at = self.random.below(list.len());
        if kind == Kind::TargetSwap {
            let other = (at + 1 + self.random.below(list.len() - 1)) % list.len();
            self.graph.targets.get_mut(list).swap(at, other);
        } else {
            let old = self.graph.targets[list][at];
            let params = |graph: &Graph<L>, block: Block| -> Option<Vec<L::Type>> {
                Some(graph.blocks.get(block)?.params.iter().filter_map(|&p| graph.values.get(p).map(|v| v.ty)).collect())
            };
            let wanted = params(&self.graph, old.block);
            let fit: Vec<Block> =
                self.graph.blocks.ids().filter(|&b| b != old.block && b != ENTRY && params(&self.graph, b) == wanted).collect();
            // A block that takes the same arguments is the harder case for a verifier.
            let to = match self.random.pick(&fit) {
                Some(to) if self.random.below(4) > 0 => to,
                Some(_) | None => self.other_block(old.block)?,
            };
            self.graph.targets.get_mut(list)[at].block = to;
        }
        site.done()
    }

    fn target_args(&mut self, kind: Kind) -> Option<(Where, Option<Inst>)> {
        let least = if kind == Kind::TargetArgAdd { 0 } else { 1 + usize::from(kind == Kind::TargetArgSwap) };
        let site = self.site(|graph, inst| graph.targets(inst).iter().any(|t| t.args.len() >= least))?;
        let list = self.graph.edges[site.inst].targets;
        let fit: Vec<usize> = (0..list.len()).filter(|&i| self.graph.targets[list][i].args.len() >= least).collect();
        let which = self.random.pick(&fit)?;
        let Target { block, args } = self.graph.targets[list][which];
        let mut args = self.graph.args[args].to_vec();
        let at = self.random.below(args.len());
        if kind == Kind::TargetArgSame {
            args[at] = self.other_value(args[at], true)?;
        } else if kind == Kind::TargetArgSwap {
            let other = (at + 1 + self.random.below(args.len() - 1)) % args.len();
            args.swap(at, other);
        } else if kind == Kind::TargetArgDrop {
            args.remove(at);
        } else {
            let values: Vec<Value> = self.graph.values.ids().collect();
            let more = match args.get(at) {
                Some(&value) => value,
                None => self.random.pick(&values)?,
            };
            args.push(more);
        }
        let args = self.graph.args.add(args);
        self.graph.targets.get_mut(list)[which] = Target { block, args };
        site.done()
    }

    fn number(&mut self, kind: Kind) -> Option<(Where, Option<Inst>)> {
        let site = self.site(|graph, inst| match graph.op(inst).info().imm {
            Imm::Int | Imm::Bits => true,
            Imm::Cases => !graph.cases(inst).is_empty(),
            Imm::None | Imm::Str | Imm::Item | Imm::Word => false,
        })?;
        // Low bits half of the time: a number of real programs is small.
        let bits = if self.random.below(2) == 0 { 6 } else { 64 };
        let bit = self.random.below(bits);
        let change =
            |n: u64| if kind == Kind::ImmBit { n ^ 1 << bit } else { n.wrapping_add(if bit.is_multiple_of(2) { 1 } else { u64::MAX }) };
        if self.graph.op(site.inst).info().imm == Imm::Cases {
            let mut cases = self.graph.cases(site.inst).to_vec();
            let at = self.random.below(cases.len());
            cases[at] = change(cases[at] as u64) as i64;
            self.graph.insts[site.inst].imm = self.graph.add_cases(cases);
        } else {
            let imm = &mut self.graph.insts[site.inst].imm;
            *imm = change(*imm);
        }
        site.done()
    }

    fn name(&mut self) -> Option<(Where, Option<Inst>)> {
        let site = self.site(|graph, inst| matches!(graph.op(inst).info().imm, Imm::Str | Imm::Item | Imm::Word))?;
        let InstRow { op, imm, .. } = self.graph.insts[site.inst];
        let others = self.graph.blocks.rows().iter().flat_map(|b| &b.insts).map(|&inst| &self.graph.insts[inst]);
        let new = match op.info().imm {
            Imm::Item => {
                let mut items: BTreeSet<ItemId> =
                    others.filter(|row| row.op.info().imm == Imm::Item).map(|row| ItemId::from_raw(row.imm as u32)).collect();
                items.insert(self.graph.name);
                items.remove(&ItemId::from_raw(imm as u32));
                let items: Vec<ItemId> = items.into_iter().collect();
                u64::from(self.random.pick(&items)?.raw())
            }
            Imm::Str => {
                let mut text = Symbol::from_raw(imm as u32).as_str().to_owned();
                if text.is_empty() || self.random.below(2) == 0 {
                    text.push('~')
                } else {
                    text.truncate(text.char_indices().next_back().map_or(0, |(last, _)| last))
                }
                u64::from(Symbol::new(&text).raw())
            }
            Imm::Word => {
                // Only texts go to the level, so no immediate is made up that it has no word for.
                let mut words: BTreeSet<String> =
                    others.filter(|row| row.op.info().imm == Imm::Word).map(|row| L::word_text(row.op, row.imm)).collect();
                words.extend(["eq", "ne", "lt", "le", "gt", "ge", "overflow", "bounds", "zero"].map(str::to_owned));
                let words: Vec<u64> = words.iter().filter_map(|word| L::parse_word(op, word)).filter(|&word| word != imm).collect();
                self.random.pick(&words)?
            }
            Imm::None | Imm::Int | Imm::Bits | Imm::Cases => return None,
        };
        self.graph.insts[site.inst].imm = new;
        site.done()
    }

    fn op(&mut self, same_shape: bool) -> Option<(Where, Option<Inst>)> {
        let site = self.site(|_, _| true)?;
        let InstRow { op, imm, .. } = self.graph.insts[site.inst];
        let info = op.info();
        let mut fit = Vec::new();
        for &other in <L::Op as OpTable>::ALL {
            let row = other.info();
            let same = row.operands == info.operands && row.results == info.results && row.targets == info.targets && row.imm == info.imm;
            // The immediate must mean something to the new op.
            let imm = match (info.imm, row.imm) {
                (Imm::Word, Imm::Word) => L::parse_word(other, &L::word_text(op, imm)),
                (_, Imm::None) => Some(0),
                (old, new) if old == new => Some(imm),
                (Imm::Int | Imm::Bits, Imm::Int | Imm::Bits) => Some(imm),
                (_, _) => None,
            };
            if let Some(imm) = imm
                && other != op
                && same == same_shape
            {
                fit.push((other, imm));
            }
        }
        let (op, imm) = self.random.pick(&fit)?;
        let row = &mut self.graph.insts[site.inst];
        (row.op, row.imm) = (op, imm);
        site.done()
    }

    fn retype(&mut self) -> Option<(Where, Option<Inst>)> {
        let values: Vec<Value> = self.graph.values.ids().collect();
        let value = self.random.pick(&values)?;
        let ty = self.graph.ty(value);
        let own = self.graph.values.rows().iter().map(|row| row.ty);
        let types: Vec<L::Type> = own.chain(self.types.iter().copied()).filter(|&other| other != ty).collect();
        let new = self.random.pick(&types)?;
        self.graph.values.rows_mut()[value.index()].ty = new;
        self.definition(value)
    }

    /// Where a value is defined.
    fn definition(&self, value: Value) -> Option<(Where, Option<Inst>)> {
        match self.graph.values.get(value)?.def {
            Def::Param(block, _) if block == ENTRY => Some((Where::Function, None)),
            Def::Param(block, _) => Some((Where::Block(block.raw()), None)),
            Def::Result(inst, _) => {
                let mut places = self
                    .graph
                    .blocks
                    .iter()
                    .flat_map(|(block, row)| row.insts.iter().enumerate().map(move |(index, &inst)| Site { block, index, inst }));
                places.find(|site| site.inst == inst)?.done()
            }
        }
    }

    fn result_count(&mut self, add: bool) -> Option<(Where, Option<Inst>)> {
        let site = self.plain_site(|graph, inst| {
            let count = graph.insts[inst].results;
            if add { count < u8::MAX } else { count > 0 }
        })?;
        let graph = &mut self.graph;
        if !add {
            graph.insts[site.inst].results -= 1;
            return site.done();
        }
        // Results are consecutive values, so all of them move to the end of the column.
        let mut types: Vec<L::Type> = graph.results(site.inst).filter_map(|v| graph.values.get(v).map(|row| row.ty)).collect();
        let own: Vec<L::Type> = graph.values.rows().iter().map(|row| row.ty).chain(self.types.iter().copied()).collect();
        types.push(self.random.pick(&own)?);
        let InstRow { first_result: old, results, .. } = graph.insts[site.inst];
        let new = graph.values.next_id();
        for (index, &ty) in types.iter().enumerate() {
            graph.values.push(ValueRow { ty, def: Def::Result(site.inst, index as u32) });
        }
        graph.insts[site.inst].first_result = new;
        graph.insts[site.inst].results = types.len() as u8;
        let moved = old.index()..old.index() + results as usize;
        graph.rename(|v| if moved.contains(&v.index()) { Id::new(new.index() + v.index() - moved.start) } else { v });
        site.done()
    }

    fn define_again(&mut self) -> Option<(Where, Option<Inst>)> {
        let site = self.plain_site(|graph, inst| graph.insts[inst].results > 0)?;
        let count = self.graph.insts[site.inst].results;
        let other = self.plain_site(|graph, inst| inst != site.inst && graph.insts[inst].results == count)?;
        self.graph.insts[site.inst].first_result = self.graph.insts[other.inst].first_result;
        site.done()
    }

    fn unwind(&mut self, kind: Kind) -> Option<(Where, Option<Inst>)> {
        let site = self.site(|graph, inst| graph.edges[inst].unwind.is_some() != (kind == Kind::UnwindAdd))?;
        let new = match self.graph.edges[site.inst].unwind {
            Some(_) if kind == Kind::UnwindRemove => None,
            Some(old) => Some(self.other_block(old)?),
            None => Some(self.other_block(site.block)?),
        };
        self.graph.edges[site.inst].unwind = new;
        site.done()
    }

    fn place(&mut self, clear: bool) -> Option<(Where, Option<Inst>)> {
        let site = self.site(|graph, inst| graph.edges[inst].place.is_some())?;
        let old = self.graph.edges[site.inst].place;
        let new = if clear {
            PlaceId::NONE
        } else {
            let place = *self.graph.places.get(old)?;
            match self.random.below(4) {
                0 => PlaceId(self.graph.places.rows().len() as u32),
                1 if place.inlined_at.is_some() => place.inlined_at,
                1 | 2 => self.graph.places.add(Place { line: place.line.saturating_add(1), ..place }),
                _ => self.graph.places.add(Place { column: place.column.saturating_add(1), ..place }),
            }
        };
        self.graph.edges[site.inst].place = new;
        site.done()
    }

    fn param(&mut self, add: bool) -> Option<(Where, Option<Inst>)> {
        let blocks: Vec<Block> = self.graph.blocks.iter().filter(|(_, row)| add || !row.params.is_empty()).map(|(id, _)| id).collect();
        let block = self.random.pick(&blocks)?;
        let at = if block == ENTRY { Where::Function } else { Where::Block(block.raw()) };
        if add {
            let own: Vec<L::Type> = self.graph.values.rows().iter().map(|row| row.ty).chain(self.types.iter().copied()).collect();
            let ty = self.random.pick(&own)?;
            self.graph.add_param(block, ty);
            return Some((at, None));
        }
        let params = self.graph.blocks[block].params.clone();
        let gone = self.random.below(params.len());
        self.graph.blocks[block].params.remove(gone);
        // The others move up, as if the parameter had never been.
        for (index, &param) in params.iter().enumerate().skip(gone + 1) {
            if let Some(row) = self.graph.values.rows_mut().get_mut(param.index()) {
                row.def = Def::Param(block, index as u32 - 1);
            }
        }
        Some((at, None))
    }

    fn terminator_drop(&mut self) -> Option<(Where, Option<Inst>)> {
        let site = self.site(|graph, inst| graph.op(inst).info().effect == Effect::Ends)?;
        self.graph.blocks[site.block].insts.remove(site.index);
        self.gone(site)
    }

    fn flag(&mut self, named: bool) -> Option<(Where, Option<Inst>)> {
        let site = self.site(|_, _| true)?;
        let names = L::FLAGS.len().min(16);
        let bits: Vec<usize> = if named { (0..names).collect() } else { (names..16).collect() };
        self.graph.insts[site.inst].flags ^= 1 << self.random.pick(&bits)?;
        site.done()
    }
}
