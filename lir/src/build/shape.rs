//! Leaves and memory layout of language types.
//!
//! The leaves of an aggregate are the leaves of its fields in order. In memory they lie in that order, each aligned to its size, the whole rounded
//! up to the largest alignment. A field of several leaves begins where its widest leaf could, so that its leaves lie to each other as they do alone,
//! but it is not rounded up at its end: what follows it may lie in what would be its padding (ADR 0016).
//!
//! How sums are laid out is decided here alone ([`Sum`]). A sum has *slots* that the payloads of its variants share, and then its tag, which so lies
//! in the padding behind them. Leaves of different types share a slot as words of 64 bits, but an address shares with addresses only: no integer ever
//! becomes one. Where one variant has a payload and a leaf of that has values to spare (a bool, a char, the tag of another sum), these stand for the
//! other variants, and there is no tag; so an `Option` of a cell is its address, or null.

use std::rc::Rc;
use std::sync::Arc;

use hashbrown::HashMap;
use hir::TypeKind;
use ir::Stop;
use mir::Variants;

use crate::ir::{Context, Signature, Type};

/// A value with more leaves is refused: nested structs double their size with each level, and this is where it stops.
pub const MAX_LEAVES: usize = 1024;

/// Codes of characters end below this number.
const CHARS: u32 = 0x11_0000;

/// The machine type of a leaf, and what it has to spare.
type Spared = (Type, Option<u32>);

/// Leaves with what they have to spare, and first leaf and number of leaves of each part.
type Flat = (Vec<Spared>, Vec<(u32, u32)>);

/// A cell larger than this is not kept for another one.
const MOST_ROOM: u32 = 256;

/// Structs inside structs at most, which is more than type arguments nest; a struct that holds itself ends here.
const MAX_DEPTH: u32 = 512;

/// One machine value of a language value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Leaf {
    /// Its machine type.
    pub ty: Type,
    /// Where it lies when the value is in memory.
    pub offset: u32,
    /// The least unsigned number from which on no value of the leaf is, if there is one; 0 of an address that is never null, which spares null alone.
    pub spare: Option<u32>,
}

/// How the variants of a sum are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Tag {
    /// The leaf with this index has the number of the variant.
    Leaf(u32),
    /// The sum is this variant unless the leaf has one of the numbers from `first` on, which stand for the others in order.
    Niche {
        /// Index of the leaf.
        leaf: u32,
        /// The variant with a payload.
        variant: u32,
        /// What the first of the other variants is.
        first: u32,
    },
    /// The sum is this variant unless the leaf, an address, is null, which stands for the only other one.
    Null {
        /// Index of the leaf.
        leaf: u32,
        /// The variant with a payload.
        variant: u32,
    },
}

/// Where the payload of a variant lies in the sum.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct VariantShape {
    /// Slot and own type of each leaf of the payload.
    pub leaves: Vec<(u32, Type)>,
    /// First leaf and number of leaves of each part of the payload.
    pub parts: Vec<(u32, u32)>,
}

/// The layout of a sum.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Sum {
    /// How the variants are told apart.
    pub tag: Tag,
    /// The variants by number.
    pub variants: Vec<VariantShape>,
}

impl Sum {
    /// Which leaf of a variant tells it, and what stands there; nothing where the payload itself does.
    pub fn tag_of(&self, number: u64) -> Option<(u32, i64)> {
        match self.tag {
            Tag::Leaf(leaf) => Some((leaf, number as i64)),
            Tag::Niche { leaf, variant, first } => {
                let mut others = (0..self.variants.len() as u64).filter(|&other| other != u64::from(variant));
                others.position(|other| other == number).map(|at| (leaf, i64::from(first) + at as i64))
            }
            Tag::Null { leaf, variant } => (number != u64::from(variant)).then_some((leaf, 0)),
        }
    }
}

/// A known type, an index into its [`Shapes`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ShapeId(u32);

impl ShapeId {
    /// `void`, `Never`: no leaves.
    pub const NOTHING: ShapeId = ShapeId(0);
    const INT: ShapeId = ShapeId(1);
    const FLOAT: ShapeId = ShapeId(2);
    const SMALL: ShapeId = ShapeId(3);
    const CHAR: ShapeId = ShapeId(4);
    const WORDS: ShapeId = ShapeId(5);
    const BOOL: ShapeId = ShapeId(6);
    const ADDRESS: ShapeId = ShapeId(7);
    const FUNCTION: ShapeId = ShapeId(8);
    const LIST: ShapeId = ShapeId(9);
}

#[derive(Clone, Copy)]
struct Shape {
    start: u32,
    count: u32,
    size: u32,
    fields: u32,
    field_count: u32,
}

/// The shapes of the types of one body, each computed once.
pub struct Shapes<'a> {
    cx: &'a dyn Context,
    leaves: Vec<Leaf>,
    rows: Vec<Shape>,
    /// First leaf and number of leaves of each field.
    fields: Vec<(u32, u32)>,
    sums: HashMap<ShapeId, Arc<Sum>>,
    index: HashMap<hir::Type, ShapeId>,
    /// What cells with one part hold, by the type of the cell.
    contents: HashMap<hir::Type, ShapeId>,
    /// Which leaves of a type counting looks at.
    pub(super) looked: HashMap<hir::Type, Rc<[u32]>>,
    /// Of elements whether they may hold a list of their type.
    pub(super) holds_its_list: HashMap<hir::Type, bool>,
    last: (hir::Type, ShapeId),
    refused: bool,
}

/// The machine type of a type with one leaf.
pub fn scalar(ty: hir::Type) -> Option<Type> {
    match ty {
        hir::Type::INT => Some(Type::I64),
        hir::Type::FLOAT => Some(Type::F64),
        hir::Type::BOOL | hir::Type::BYTE => Some(Type::I8),
        hir::Type::CHAR => Some(Type::I32),
        _ => None,
    }
}

impl<'a> Shapes<'a> {
    /// Knows the built-in types only.
    pub fn new(cx: &'a dyn Context) -> Shapes<'a> {
        let mut shapes = Shapes {
            cx,
            leaves: Vec::with_capacity(16),
            rows: Vec::with_capacity(16),
            fields: Vec::new(),
            sums: HashMap::new(),
            index: HashMap::new(),
            contents: HashMap::new(),
            looked: HashMap::new(),
            holds_its_list: HashMap::new(),
            last: (hir::Type::VOID, ShapeId::NOTHING),
            refused: false,
        };
        // In the order of the constants of `ShapeId`.
        let fixed: [&[Type]; 6] = [&[], &[Type::I64], &[Type::F64], &[Type::I8], &[Type::I32], &[Type::Ptr, Type::I64, Type::I64]];
        for types in fixed {
            let spare = if types == [Type::I32] { Some(CHARS) } else { None };
            let leaves: Vec<Spared> = types.iter().map(|&ty| (ty, spare)).collect();
            shapes.add(&leaves, &[]);
        }
        shapes.add(&[(Type::I8, Some(2))], &[]);
        shapes.add(&[(Type::Ptr, Some(0))], &[]);
        // Code, and the cell with what is captured.
        shapes.add(&[(Type::Ptr, Some(0)), (Type::Ptr, None)], &[]);
        // Elements, length, buffer.
        shapes.add(&[(Type::Ptr, Some(0)), (Type::I64, None), (Type::Ptr, None)], &[]);
        shapes
    }

    /// The shape of a type. Types that are no value of this language slice have none; a verified body holds no such value.
    pub fn of(&mut self, ty: hir::Type) -> Result<ShapeId, Stop> {
        match ty {
            hir::Type::INT => return Ok(ShapeId::INT),
            hir::Type::FLOAT => return Ok(ShapeId::FLOAT),
            hir::Type::BOOL => return Ok(ShapeId::BOOL),
            hir::Type::BYTE => return Ok(ShapeId::SMALL),
            hir::Type::CHAR => return Ok(ShapeId::CHAR),
            hir::Type::STR => return Ok(ShapeId::WORDS),
            hir::Type::VOID | hir::Type::NEVER => return Ok(ShapeId::NOTHING),
            _ => {}
        }
        if self.last.0 == ty {
            return Ok(self.last.1);
        }
        let shape = self.nested(ty, 0)?;
        self.last = (ty, shape);
        Ok(shape)
    }

    fn nested(&mut self, ty: hir::Type, depth: u32) -> Result<ShapeId, Stop> {
        if let Some(&known) = self.index.get(&ty) {
            return Ok(known);
        }
        let fields = match ty.kind() {
            TypeKind::Int
            | TypeKind::Float
            | TypeKind::Bool
            | TypeKind::Byte
            | TypeKind::Char
            | TypeKind::Str
            | TypeKind::Void
            | TypeKind::Never => {
                return self.of(ty);
            }
            // What the elements are is of no interest here, and they may be of the very type that is laid out.
            TypeKind::List(_) => return Ok(ShapeId::LIST),
            TypeKind::Function(..) => return Ok(ShapeId::FUNCTION),
            // What it holds is of no interest here, and may be of the very type that is laid out.
            TypeKind::Cell(_) | TypeKind::Object(_) => return Ok(ShapeId::ADDRESS),
            // Where the hole is; what is around it lies in a slot.
            TypeKind::Hole(_) => return Ok(ShapeId::ADDRESS),
            TypeKind::Tuple(_) => self.cx.fields(ty)?,
            TypeKind::Struct(..) => match self.cx.variants(ty)? {
                Some(variants) => {
                    let shape = self.sum(&variants, depth)?;
                    self.index.insert(ty, shape);
                    return Ok(shape);
                }
                None => self.cx.fields(ty)?,
            },
            // The function that drops the cell, which stands first there, then one a method.
            TypeKind::Methods(object, _) => {
                let count = self.cx.methods(object)?.len() + 1;
                let shape = self.add(&vec![(Type::Ptr, Some(0)); count], &[]);
                self.index.insert(ty, shape);
                return Ok(shape);
            }
            TypeKind::Error | TypeKind::Associated(..) | TypeKind::Opaque(..) | TypeKind::Parameter(..) | TypeKind::Variable(_) => None,
        };
        let Some(fields) = fields else {
            self.refused = true;
            return Ok(ShapeId::NOTHING);
        };
        let (leaves, spans) = self.flattened(&fields, depth)?;
        let shape = self.add(&leaves, &spans);
        self.index.insert(ty, shape);
        Ok(shape)
    }

    /// The leaves of these types in a row, and first leaf and number of leaves of each; none after a refusal.
    fn flattened(&mut self, types: &[hir::Type], depth: u32) -> Result<Flat, Stop> {
        if depth == MAX_DEPTH {
            self.refused = true;
        }
        let mut flat: Vec<Spared> = Vec::new();
        let mut spans = Vec::with_capacity(types.len());
        for &ty in types {
            if self.refused {
                return Ok(Flat::default());
            }
            let shape = self.nested(ty, depth + 1)?;
            let leaves = self.leaves(shape);
            spans.push((flat.len() as u32, leaves.len() as u32));
            flat.extend(leaves.iter().map(|l| (l.ty, l.spare)));
            if flat.len() > MAX_LEAVES {
                self.refused = true;
            }
        }
        Ok((flat, spans))
    }

    fn sum(&mut self, variants: &Variants, depth: u32) -> Result<ShapeId, Stop> {
        let mut flat: Vec<Flat> = Vec::with_capacity(variants.len());
        for payload in variants {
            flat.push(self.flattened(payload, depth)?);
            if self.refused {
                return Ok(ShapeId::NOTHING);
            }
        }
        let (leaves, sum) = match niche(&flat) {
            Some(found) => found,
            None => tagged(&flat),
        };
        if leaves.len() > MAX_LEAVES {
            self.refused = true;
        }
        let shape = self.add(&leaves, &[]);
        self.sums.insert(shape, Arc::new(sum));
        Ok(shape)
    }

    /// The shape of what a cell with these parts holds; its fields are the parts.
    pub fn content(&mut self, parts: &'static [hir::Type]) -> Result<ShapeId, Stop> {
        if parts.len() > 1 {
            // It lies as the tuple of them does, and shares its shape.
            return self.of(hir::Type::tuple(parts));
        }
        let key = hir::Type::cell(parts);
        if let Some(&known) = self.contents.get(&key) {
            return Ok(known);
        }
        let (leaves, spans) = self.flattened(parts, 0)?;
        let shape = self.add(&leaves, &spans);
        self.contents.insert(key, shape);
        Ok(shape)
    }

    /// The layout of a sum; `None` for any other shape.
    pub fn of_sum(&self, shape: ShapeId) -> Option<Arc<Sum>> {
        self.sums.get(&shape).cloned()
    }

    /// A field begins where its widest leaf could: its leaves lie to each other as they do when it is alone, so that it can be written by its address (`plug`, `fill`).
    fn add(&mut self, types: &[Spared], fields: &[(u32, u32)]) -> ShapeId {
        let start = self.leaves.len() as u32;
        let (mut end, mut align) = (0u32, 1);
        let mut next = fields.iter().filter(|field| field.1 > 1).peekable();
        for (index, &(ty, spare)) in types.iter().enumerate() {
            if let Some(&&(first, count)) = next.peek()
                && first as usize == index
            {
                let widest = types[index..].iter().take(count as usize).map(|leaf| leaf.0.size()).max();
                end = end.next_multiple_of(widest.unwrap_or(1));
                next.next();
            }
            let size = ty.size();
            align = align.max(size);
            let offset = end.next_multiple_of(size);
            self.leaves.push(Leaf { ty, offset, spare });
            end = offset + size;
        }
        let first_field = self.fields.len() as u32;
        self.fields.extend_from_slice(fields);
        self.rows.push(Shape {
            start,
            count: self.leaves.len() as u32 - start,
            size: end.next_multiple_of(align),
            fields: first_field,
            field_count: fields.len() as u32,
        });
        ShapeId(self.rows.len() as u32 - 1)
    }

    /// The leaves of a shape, in order.
    pub fn leaves(&self, shape: ShapeId) -> &[Leaf] {
        let row = &self.rows[shape.0 as usize];
        &self.leaves[row.start as usize..(row.start + row.count) as usize]
    }

    /// Bytes from one element of a list to the next.
    pub fn size(&self, shape: ShapeId) -> u32 {
        self.rows[shape.0 as usize].size
    }

    /// First leaf and number of leaves of a field.
    pub fn field(&self, shape: ShapeId, index: u64) -> Option<(u32, u32)> {
        let row = &self.rows[shape.0 as usize];
        (index < u64::from(row.field_count)).then(|| self.fields[row.fields as usize + index as usize])
    }

    /// Was some type too wide, endless, or no type of a value?
    pub fn refused(&self) -> bool {
        self.refused
    }
}

/// A sum without tag: one variant has a payload, and a leaf of it has numbers to spare for all others.
fn niche(variants: &[Flat]) -> Option<(Vec<Spared>, Sum)> {
    let mut with_payload = variants.iter().enumerate().filter(|(_, (leaves, parts))| !leaves.is_empty() || !parts.is_empty());
    let (variant, (leaves, parts)) = with_payload.next()?;
    if with_payload.next().is_some() {
        return None;
    }
    let others = variants.len() as u32 - 1;
    let room = |&(ty, spare): &Spared| {
        if ty == Type::Ptr {
            // Null is one.
            return (spare.is_some() && others == 1).then_some(None);
        }
        let end = spare?.checked_add(others)?;
        (ty != Type::I8 || end <= 1 << 8).then_some(Some(end))
    };
    let (leaf, left) = leaves.iter().enumerate().find_map(|(at, leaf)| Some((at, room(leaf)?)))?;
    let mut leaves = leaves.clone();
    let first = std::mem::replace(&mut leaves[leaf].1, left)?;
    // The other variants have zeros there, so null is a value of addresses that are never null in the payload.
    for (_, spare) in leaves.iter_mut().enumerate().filter(|&(at, _)| at != leaf).map(|(_, leaf)| leaf) {
        *spare = spare.filter(|&first| first > 0);
    }
    let tag = match leaves[leaf].0 {
        Type::Ptr => Tag::Null { leaf: leaf as u32, variant: variant as u32 },
        Type::I8 | Type::I32 | Type::I64 | Type::F64 => Tag::Niche { leaf: leaf as u32, variant: variant as u32, first },
    };
    let mut shapes = vec![VariantShape::default(); variants.len()];
    shapes[variant] = VariantShape { leaves: leaves.iter().zip(0..).map(|(&(ty, _), slot)| (slot, ty)).collect(), parts: parts.clone() };
    Some((leaves, Sum { tag, variants: shapes }))
}

/// A sum with slots for the payloads, and a tag behind them.
fn tagged(variants: &[Flat]) -> (Vec<Spared>, Sum) {
    let mut slots: Vec<Type> = Vec::new();
    let mut shapes = Vec::with_capacity(variants.len());
    for (leaves, parts) in variants {
        let mut taken = vec![false; slots.len()];
        let mut placed = Vec::with_capacity(leaves.len());
        for &(ty, _) in leaves {
            let is_free = |slot: &usize| !taken[*slot];
            let same = (0..slots.len()).filter(is_free).find(|&slot| slots[slot] == ty);
            // Anything but an address shares a word.
            let shared = (0..slots.len()).filter(is_free).find(|&slot| ty != Type::Ptr && slots[slot] != Type::Ptr);
            let slot = match (same, shared) {
                (Some(slot), _) => slot,
                (None, Some(slot)) => {
                    slots[slot] = Type::I64;
                    slot
                }
                (None, None) => {
                    slots.push(ty);
                    taken.push(false);
                    slots.len() - 1
                }
            };
            taken[slot] = true;
            placed.push((slot as u32, ty));
        }
        shapes.push(VariantShape { leaves: placed, parts: parts.clone() });
    }
    let count = variants.len() as u32;
    let tag = (if count <= 1 << 8 { Type::I8 } else { Type::I32 }, Some(count));
    let sum = Sum { tag: Tag::Leaf(slots.len() as u32), variants: shapes };
    (slots.into_iter().map(|ty| (ty, None)).chain([tag]).collect(), sum)
}

/// The class of a cell of this type, where its room can be used again by another one.
pub fn cell_class(ty: hir::Type, cx: &dyn Context) -> Result<Option<u32>, Stop> {
    let TypeKind::Cell(parts @ [_, ..]) = ty.kind() else { return Ok(None) };
    let mut shapes = Shapes::new(cx);
    let content = shapes.content(parts)?;
    if shapes.refused() {
        return Ok(None);
    }
    let (class, _) = abi::layout::cell_class(shapes.size(content) as usize);
    Ok((class != abi::layout::CELL_LARGE && shapes.size(content) <= MOST_ROOM).then_some(u32::from(class)))
}

/// Parameters and results of a function as machine values.
pub fn flatten_signature(params: &[hir::Type], result: hir::Type, cx: &dyn Context) -> Result<Signature, Stop> {
    let mut shapes = Shapes::new(cx);
    let mut signature = Signature::default();
    for &param in params {
        let shape = shapes.of(param)?;
        signature.params.extend(shapes.leaves(shape).iter().map(|l| l.ty));
    }
    let shape = shapes.of(result)?;
    signature.results.extend(shapes.leaves(shape).iter().map(|l| l.ty));
    Ok(signature)
}
