//! Leaves and memory layout of language types.
//!
//! The leaves of an aggregate are the leaves of its fields in order. In memory they lie in that order, each aligned to its size, the whole rounded
//! up to the largest alignment; nested aggregates are not padded on their own.

use hashbrown::HashMap;
use hir::TypeKind;
use ir::Stop;

use crate::ir::{Context, Signature, Type};

/// A value with more leaves is refused: nested structs double their size with each level, and this is where it stops.
pub const MAX_LEAVES: usize = 1024;

/// Structs inside structs at most; a struct that holds itself ends here.
const MAX_DEPTH: u32 = 64;

/// One machine value of a language value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Leaf {
    /// Its machine type.
    pub ty: Type,
    /// Where it lies when the value is in memory.
    pub offset: u32,
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
    index: HashMap<hir::Type, ShapeId>,
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
            index: HashMap::new(),
            last: (hir::Type::VOID, ShapeId::NOTHING),
            refused: false,
        };
        // In the order of the constants of `ShapeId`.
        let fixed: [&[Type]; 6] = [&[], &[Type::I64], &[Type::F64], &[Type::I8], &[Type::I32], &[Type::Ptr, Type::I64, Type::I64]];
        for types in fixed {
            shapes.add(types.iter().copied(), &[]);
        }
        shapes
    }

    /// The shape of a type. Types that are no value of this language slice have none; a verified body holds no such value.
    pub fn of(&mut self, ty: hir::Type) -> Result<ShapeId, Stop> {
        match ty {
            hir::Type::INT => return Ok(ShapeId::INT),
            hir::Type::FLOAT => return Ok(ShapeId::FLOAT),
            hir::Type::BOOL | hir::Type::BYTE => return Ok(ShapeId::SMALL),
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
            TypeKind::List(_) => return Ok(ShapeId::WORDS),
            TypeKind::Tuple(_) | TypeKind::Struct(..) => self.cx.fields(ty)?,
            TypeKind::Error | TypeKind::Range | TypeKind::Function(..) | TypeKind::Parameter(..) | TypeKind::Variable(_) => None,
        };
        let Some(fields) = fields else {
            self.refused = true;
            return Ok(ShapeId::NOTHING);
        };
        if depth == MAX_DEPTH {
            self.refused = true;
        }
        let mut types: Vec<Type> = Vec::new();
        let mut spans = Vec::with_capacity(fields.len());
        for &field in fields.iter() {
            if self.refused {
                return Ok(ShapeId::NOTHING);
            }
            let shape = self.nested(field, depth + 1)?;
            let leaves = self.leaves(shape);
            spans.push((types.len() as u32, leaves.len() as u32));
            types.extend(leaves.iter().map(|l| l.ty));
            if types.len() > MAX_LEAVES {
                self.refused = true;
            }
        }
        let shape = self.add(types.into_iter(), &spans);
        self.index.insert(ty, shape);
        Ok(shape)
    }

    fn add(&mut self, types: impl Iterator<Item = Type>, fields: &[(u32, u32)]) -> ShapeId {
        let start = self.leaves.len() as u32;
        let (mut end, mut align) = (0u32, 1);
        for ty in types {
            let size = ty.size();
            align = align.max(size);
            let offset = end.next_multiple_of(size);
            self.leaves.push(Leaf { ty, offset });
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
