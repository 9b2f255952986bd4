//! The stored form of a graph: the columns as they are, with names, items and types by content in tables of their own (decision 2).
//!
//! Ids stay what they are, so a graph that was read back is equal to the one that was written, not only equivalent.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::graph::{Block, BlockRow, Def, EdgeRow, Graph, InstRow, Level, Target, Value, ValueRow};
use super::names::{LocalRow, NameRow, Names};
use crate::ops::{Imm, OpTable};
use crate::{Id, ItemId, List, Place, PlaceId, Symbol};

/// A list in a pool: start and length.
type Run = (u32, u32);
/// An instruction: number of the op in its table, results, flags, first result, operands, immediate.
type Inst = (u8, u8, u16, u32, Run, u64);

#[derive(Serialize, Deserialize)]
struct Stored {
    name: ItemId,
    /// Texts of the types that occur, in the order of their first use.
    types: Vec<String>,
    /// Likewise the texts of immediates.
    texts: Vec<Symbol>,
    /// Likewise the items of immediates and places, after the graph's own.
    items: Vec<ItemId>,
    results: Vec<u32>,
    /// Type, block of a parameter or instruction of a result, and twice the index, plus one for a result.
    values: Vec<(u32, u32, u32)>,
    insts: Vec<Inst>,
    /// Targets, unwind block plus one, place plus one (both 0 for none).
    edges: Vec<(Run, u32, u32)>,
    /// Parameters and instructions.
    blocks: Vec<(Vec<u32>, Vec<u32>)>,
    args: Vec<u32>,
    targets: Vec<(u32, Run)>,
    ints: Vec<i64>,
    /// Item, line, column, the place of the call that it was inlined at, plus one.
    places: Vec<(u32, u32, u32, u32)>,
    names: Option<StoredNames>,
}

/// Ids that may be missing are stored plus one.
#[derive(Serialize, Deserialize)]
struct StoredNames {
    /// Name, type, number of the parameter, place.
    locals: Vec<(Symbol, Symbol, u32, u32)>,
    /// What holds besides, local, part, value.
    rows: Vec<(u32, u32, u32, u32)>,
    of: Vec<u32>,
    ghosts: Vec<u32>,
}

impl StoredNames {
    fn of(names: &Names) -> StoredNames {
        // Destructured, so that a new field cannot be forgotten; which row comes next is nothing that lasts.
        let Names { locals, rows, of, ghosts, now: _ } = names;
        let plus = |id: Option<u32>| id.map_or(0, |id| id + 1);
        StoredNames {
            locals: locals.rows().iter().map(|row| (row.name, row.ty, row.param, row.place.0.wrapping_add(1))).collect(),
            rows: rows
                .rows()
                .iter()
                .map(|row| (plus(row.before.map(Id::raw)), row.local.raw(), row.part, plus(row.value.map(Id::raw))))
                .collect(),
            of: of.iter().map(|name| plus(name.map(Id::raw))).collect(),
            ghosts: ids(ghosts),
        }
    }

    fn restored(self) -> Names {
        fn less<T>(id: u32) -> Option<Id<T>> {
            id.checked_sub(1).map(|id| Id::new(id as usize))
        }
        let local =
            |(name, ty, param, place): (Symbol, Symbol, u32, u32)| LocalRow { name, ty, param, place: PlaceId(place.wrapping_sub(1)) };
        let row = |(before, local, part, value): (u32, u32, u32, u32)| NameRow {
            before: less(before),
            local: Id::new(local as usize),
            part,
            value: less(value),
        };
        Names {
            locals: self.locals.into_iter().map(local).collect(),
            rows: self.rows.into_iter().map(row).collect(),
            of: self.of.into_iter().map(less).collect(),
            ghosts: self.ghosts.into_iter().map(|id| Id::new(id as usize)).collect(),
            now: None,
        }
    }
}

/// What occurs, in the order of its first use; the tables of a body are short.
struct Table<T>(Vec<T>);

impl<T: PartialEq> Table<T> {
    fn number(&mut self, of: T) -> u32 {
        let at = self.0.iter().position(|known| *known == of).unwrap_or_else(|| {
            self.0.push(of);
            self.0.len() - 1
        });
        at as u32
    }
}

fn run<T>(list: List<T>) -> Run {
    (list.start() as u32, list.len() as u32)
}

fn ids<T>(ids: &[Id<T>]) -> Vec<u32> {
    ids.iter().map(|id| id.raw()).collect()
}

impl<L: Level> Serialize for Graph<L> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Destructured, so that a new field cannot be forgotten.
        let Graph { name, results, values, insts, edges, blocks, args, targets, ints, places, names } = self;
        let (mut types, mut texts, mut items) = (Table(Vec::new()), Table(Vec::new()), Table(vec![*name]));
        let results = results.iter().map(|ty| types.number(*ty)).collect();
        let values = values.rows().iter().map(|row| match row.def {
            Def::Param(block, index) => (types.number(row.ty), block.raw(), index * 2),
            Def::Result(inst, index) => (types.number(row.ty), inst.raw(), index * 2 + 1),
        });
        let values = values.collect();
        let insts = insts.rows().iter().map(|row| {
            let op = L::Op::ALL.iter().position(|op| *op == row.op).unwrap_or_default();
            let imm = match row.op.info().imm {
                Imm::Str => u64::from(texts.number(Symbol::from_raw(row.imm as u32))),
                Imm::Item => u64::from(items.number(ItemId::from_raw(row.imm as u32))),
                Imm::None | Imm::Int | Imm::Bits | Imm::Word | Imm::Cases => row.imm,
            };
            (op as u8, row.results, row.flags, row.first_result.raw(), run(row.args), imm)
        });
        let insts = insts.collect();
        let places = places.rows().iter();
        let places = places.map(|p| (items.number(p.item), p.line, p.column, p.inlined_at.0.wrapping_add(1))).collect();
        let edge = |row: &EdgeRow| (run(row.targets), row.unwind.map_or(0, |block| block.raw() + 1), row.place.0.wrapping_add(1));
        Stored {
            name: *name,
            types: types.0.into_iter().map(L::type_text).collect(),
            texts: texts.0,
            items: items.0.split_off(1),
            results,
            values,
            insts,
            edges: edges.rows().iter().map(edge).collect(),
            blocks: blocks.rows().iter().map(|row| (ids(&row.params), ids(&row.insts))).collect(),
            args: ids(args.items()),
            targets: targets.items().iter().map(|t| (t.block.raw(), run(t.args))).collect(),
            ints: ints.items().to_vec(),
            places,
            names: names.as_deref().map(StoredNames::of),
        }
        .serialize(serializer)
    }
}

impl<'de, L: Level> Deserialize<'de> for Graph<L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        restored(Stored::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("no graph"))
    }
}

/// The graph; `None` when a number in it stands for nothing.
fn restored<L: Level>(stored: Stored) -> Option<Graph<L>> {
    fn list<T>((start, len): Run) -> List<T> {
        List::new(start, len)
    }
    fn all<T>(raw: Vec<u32>) -> Vec<Id<T>> {
        raw.into_iter().map(|id| Id::new(id as usize)).collect()
    }
    let id = |raw: u32| raw as usize;
    let types: Vec<L::Type> = stored.types.iter().map(|text| L::parse_type(text)).collect::<Option<_>>()?;
    let ty = |number: u32| types.get(number as usize).copied();
    let item = |number: u64| match number.checked_sub(1) {
        None => Some(stored.name),
        Some(other) => stored.items.get(usize::try_from(other).ok()?).copied(),
    };
    let mut graph = Graph::new(stored.name, stored.results.into_iter().map(ty).collect::<Option<_>>()?);
    for (of, def, index) in stored.values {
        let def = if index % 2 == 0 { Def::Param(Block::new(id(def)), index / 2) } else { Def::Result(Id::new(id(def)), index / 2) };
        graph.values.push(ValueRow { ty: ty(of)?, def });
    }
    for (op, results, flags, first_result, args, imm) in stored.insts {
        let op = *L::Op::ALL.get(usize::from(op))?;
        let imm = match op.info().imm {
            Imm::Str => u64::from(stored.texts.get(usize::try_from(imm).ok()?)?.raw()),
            Imm::Item => u64::from(item(imm)?.raw()),
            Imm::None | Imm::Int | Imm::Bits | Imm::Word | Imm::Cases => imm,
        };
        graph.insts.push(InstRow { op, results, flags, first_result: Value::new(id(first_result)), args: list(args), imm });
    }
    for (targets, unwind, place) in stored.edges {
        let unwind = unwind.checked_sub(1).map(|block| Block::new(id(block)));
        graph.edges.push(EdgeRow { targets: list(targets), unwind, place: PlaceId(place.wrapping_sub(1)) });
    }
    for (params, insts) in stored.blocks {
        graph.blocks.push(BlockRow { params: all(params), insts: all(insts) });
    }
    graph.args.add(all(stored.args));
    graph.targets.add(stored.targets.into_iter().map(|(block, args)| Target { block: Block::new(id(block)), args: list(args) }));
    graph.ints.add(stored.ints);
    for (of, line, column, inlined_at) in stored.places {
        graph.places.push(Place { item: item(u64::from(of))?, line, column, inlined_at: PlaceId(inlined_at.wrapping_sub(1)) });
    }
    graph.names = stored.names.map(|names| Box::new(names.restored()));
    Some(graph)
}

#[cfg(test)]
mod tests {
    use crate::ssa::Graph;
    use crate::ssa::toy::{self, Toy};

    #[test]
    fn what_is_read_back_is_equal() {
        let graph = toy::graph(toy::SAMPLE);
        let bytes = postcard::to_allocvec(&graph).unwrap();
        assert!(bytes.len() < 700, "{} bytes for {} instructions", bytes.len(), graph.insts.len());
        let back: Graph<Toy> = postcard::from_bytes(&bytes).unwrap();
        assert!(back == graph && toy::print(&back) == toy::print(&graph));
    }

    #[test]
    fn damaged_bytes_are_refused_or_give_some_graph() {
        let bytes = postcard::to_allocvec(&toy::graph(toy::SAMPLE)).unwrap();
        for end in 0..bytes.len() {
            assert!(postcard::from_bytes::<Graph<Toy>>(&bytes[..end]).is_err());
            let mut flipped = bytes.clone();
            flipped[end] ^= 0x11;
            let _ = postcard::from_bytes::<Graph<Toy>>(&flipped);
        }
    }
}
