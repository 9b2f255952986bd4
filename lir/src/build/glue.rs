//! Functions that nobody wrote: they count what values of a type hold. Each is an instance of a generic item without a module, so all that is keyed by items
//! is keyed by them, and a program has those that it calls.
//!
//! `drop<T>` frees a cell or buffer whose last holder is gone, with all that dies with it. Cells may form chains of any length, and a stack has an end:
//! so where a type holds itself, on whatever way, what dies is not dropped by a call. It is put on a list, threaded through the dead blocks themselves: the
//! word of the header (of a buffer, the word with its limit), which nobody needs any more, has the address of the next, and in its top byte, which no
//! address needs, which type of the circle that is. The function takes blocks from the list until there is none.

use std::sync::Arc;

use abi::layout;
use hashbrown::HashSet;
use hir::TypeKind;
use ir::ssa::compact::compact;
use ir::ssa::{Block, ENTRY, Graph, NewInst, Value};
use ir::{ItemId, Stop, Symbol};
use mir::Mir;

use super::counts::Act;
use super::shape::{ShapeId, Shapes};
use super::{Builder, NONE, looked};
use crate::ir::{Body, Built, Context, Signature, Type};
use crate::ops::{Cond, Op};

/// Bytes in front of the parts that a function captures, behind the header: the address of the function that drops them.
pub(super) const ENV_PARTS: i64 = 8;
/// Types in a circle at most: one byte tells them apart.
const MAX_CIRCLE: usize = 255;
/// Types that are looked at to find a circle.
const MAX_TYPES: usize = 10_000;
/// Where the limit of a buffer stands, and its end, and its elements.
const BUFFER: (u32, u32, i64) = (layout::BUFFER_LIMIT, layout::BUFFER_END, layout::BUFFER_ELEMENTS as i64);

/// What such a function does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Purpose {
    /// Frees a cell or the buffer of a list, whose last holder is gone.
    Drop,
    /// Frees what a function captured, whose last holder is gone; its type is that of a cell with it.
    Env,
    /// One holder more of what the value holds.
    Dup,
    /// One holder fewer of what the value holds.
    GiveUp,
    /// One holder more of what each element of a list holds; none of its buffer.
    Share,
    /// The buffer of a list ends where its elements begin: those are given up.
    Cut,
}

impl Purpose {
    const ALL: [(Purpose, &'static str); 6] = [
        (Purpose::Drop, "drop"),
        (Purpose::Env, "env"),
        (Purpose::Dup, "dup"),
        (Purpose::GiveUp, "give_up"),
        (Purpose::Share, "share"),
        (Purpose::Cut, "cut"),
    ];

    /// The function that does this for a type.
    pub fn item(self, ty: hir::Type) -> ItemId {
        let name = Self::ALL.iter().find(|(purpose, _)| *purpose == self).map_or("", |(_, name)| name);
        hir::types::instance(ItemId::function(Symbol::new(""), Symbol::new(name)), &[ty])
    }

    /// What a function of this kind does, and for which type; nothing for other functions.
    pub fn of(item: ItemId) -> Option<(Purpose, hir::Type)> {
        if !item.is_instance() || !item.module().as_str().is_empty() {
            return None;
        }
        let (base, args) = hir::types::instance_of(item);
        let &[ty] = args else { return None };
        let name = base.name();
        Self::ALL.iter().find(|(_, known)| *known == name.as_str()).map(|&(purpose, _)| (purpose, ty))
    }
}

/// The tag of a cell of this type, by which the leak report finds the name of the function that drops it.
pub(super) fn tag(ty: hir::Type) -> u32 {
    layout::type_tag(ty.to_string().as_bytes())
}

/// Class of a cell of this type.
pub(super) fn cell_class(shapes: &mut Shapes<'_>, ty: hir::Type) -> Result<u64, Stop> {
    let TypeKind::Cell(parts) = ty.kind() else { return Ok(0) };
    let content = shapes.content(parts)?;
    Ok(u64::from(layout::cell_class(shapes.size(content) as usize).0))
}

/// What is open while a function drops values of types that hold themselves.
pub(super) struct Circle {
    /// The types.
    types: Vec<hir::Type>,
    /// First block of the list, and which type it is of.
    pending: Value,
    kind: Value,
}

/// The signature of a function that counts, which its name tells; nothing for other functions.
pub fn glue_signature(item: ItemId, cx: &dyn Context) -> Result<Option<Arc<Signature>>, Stop> {
    let Some((purpose, ty)) = Purpose::of(item) else { return Ok(None) };
    let mut shapes = Shapes::new(cx);
    let (shape, taken) = (shapes.of(ty)?, looked::taken(purpose, ty, &mut shapes, cx)?);
    let leaves = shapes.leaves(shape);
    let params = taken.iter().filter_map(|&leaf| leaves.get(leaf as usize)).map(|leaf| leaf.ty).collect();
    Ok(Some(Arc::new(Signature { params, results: Vec::new() })))
}

/// The body of a function that counts.
pub fn glue(item: ItemId, purpose: Purpose, ty: hir::Type, cx: &dyn Context) -> Result<Body<Built>, Stop> {
    let empty: Graph<Mir> = Graph::new(item, Vec::new());
    let mut builder = Builder::new(&empty, cx);
    builder.watched = cx.watches_memory()?.then_some(ir::PlaceId::NONE);
    builder.out.add_block();
    let shape = builder.shapes.of(ty)?;
    let types: Vec<Type> = builder.shapes.leaves(shape).iter().map(|leaf| leaf.ty).collect();
    let mut leaves = vec![Value::new(NONE as usize); types.len()];
    for &leaf in looked::taken(purpose, ty, &mut builder.shapes, cx)?.iter() {
        if let Some(&ty) = types.get(leaf as usize) {
            leaves[leaf as usize] = builder.out.add_param(ENTRY, ty);
        }
    }
    match purpose {
        Purpose::Dup => builder.count(ty, &leaves, Act::Dup, true)?,
        Purpose::GiveUp => builder.count(ty, &leaves, Act::Drop, true)?,
        Purpose::Env => builder.drop_env(ty, &leaves)?,
        Purpose::Drop => builder.drop_block(ty, &leaves)?,
        Purpose::Share => builder.share_elements(ty, &leaves)?,
        Purpose::Cut => builder.cut_buffer(ty, &leaves)?,
    }
    builder.effect(Op::Return, &[], 0);
    if builder.shapes.refused() {
        return Ok(Body::new(Graph::new(item, Vec::new())));
    }
    Ok(Body::new(compact(&builder.out)))
}

impl Builder<'_> {
    /// The dead block of a type is freed: by its function, or put on the list.
    pub(super) fn bury(&mut self, ty: hir::Type, block: Value, leaves: &[Value]) -> Result<(), Stop> {
        let kind = self.glue.as_ref().and_then(|circle| circle.types.iter().position(|&other| other == ty));
        match kind {
            None => self.call_glue(Purpose::Drop, ty, leaves),
            Some(kind) => {
                self.put_on_list(ty, kind, block);
                Ok(())
            }
        }
    }

    fn put_on_list(&mut self, ty: hir::Type, kind: usize, block: Value) {
        let Some((pending, pending_kind)) = self.glue.as_ref().map(|circle| (circle.pending, circle.kind)) else { return };
        let link = self.link(ty, block);
        self.store(link, 0, pending);
        let top = self.constant(Type::I64, 7);
        let top = self.pure(Op::Add, &[link, top], Type::Ptr);
        self.store(top, 0, pending_kind);
        let kind = self.constant(Type::I8, kind as i64);
        if let Some(circle) = &mut self.glue {
            (circle.pending, circle.kind) = (block, kind);
        }
    }

    /// Where a dead block has the link.
    fn link(&mut self, ty: hir::Type, block: Value) -> Value {
        let offset = match ty.kind() {
            TypeKind::List(_) => i64::from(BUFFER.0),
            _ => layout::CELL_COUNT,
        };
        let offset = self.constant(Type::I64, offset);
        self.pure(Op::Add, &[block, offset], Type::Ptr)
    }

    /// What blocks that meet must agree about.
    pub(super) fn pending_values(&self) -> Vec<Value> {
        self.glue.as_ref().map_or(Vec::new(), |circle| vec![circle.pending, circle.kind])
    }

    /// Takes it up again where blocks meet.
    pub(super) fn rejoin(&mut self, block: Block) {
        if self.glue.is_some() {
            let (pending, kind) = (self.out.add_param(block, Type::Ptr), self.out.add_param(block, Type::I8));
            if let Some(circle) = &mut self.glue {
                (circle.pending, circle.kind) = (pending, kind);
            }
        }
    }

    /// What a function captured dies. A function that captures functions drops them by calls.
    fn drop_env(&mut self, ty: hir::Type, leaves: &[Value]) -> Result<(), Stop> {
        let (&[cell], TypeKind::Cell(parts)) = (leaves, ty.kind()) else { return Ok(()) };
        let content = self.shapes.content(parts)?;
        self.drop_parts(parts, content, cell)?;
        let back = self.constant(Type::I64, -ENV_PARTS);
        let block = self.pure(Op::Add, &[cell, back], Type::Ptr);
        let (class, _) = layout::cell_class(self.shapes.size(content) as usize + ENV_PARTS as usize);
        self.effect(Op::CountUp, &[block], 0);
        self.effect(Op::Free, &[block], u64::from(class));
        Ok(())
    }

    fn drop_block(&mut self, ty: hir::Type, leaves: &[Value]) -> Result<(), Stop> {
        let Some(&block) = leaves.last() else { return Ok(()) };
        let types = self.circle(ty)?;
        if types.is_empty() {
            return self.drop_content(ty, block);
        }
        let null = self.constant(Type::Ptr, 0);
        let first = types.iter().position(|&other| other == ty).unwrap_or(0);
        let kind = self.constant(Type::I8, first as i64);
        // The loop: a block that is dead, and the list of those that are to come.
        let head = self.out.add_block();
        self.is_split = true;
        let zero = self.constant(Type::I8, 0);
        self.jump(head, &[block, kind, null, zero]);
        let (block, kind) = (self.out.add_param(head, Type::Ptr), self.out.add_param(head, Type::I8));
        let (pending, pending_kind) = (self.out.add_param(head, Type::Ptr), self.out.add_param(head, Type::I8));
        let next = self.out.add_block();
        self.glue = Some(Circle { types: types.clone(), pending, kind: pending_kind });
        self.block = head;
        self.constants.clear();
        for (number, &ty) in types.iter().enumerate() {
            if let Some(circle) = &mut self.glue {
                (circle.pending, circle.kind) = (pending, pending_kind);
            }
            let other = (number + 1 < types.len()).then(|| {
                let (mine, other) = (self.out.add_block(), self.out.add_block());
                let wanted = self.constant(Type::I8, number as i64);
                let is_it = self.icmp(Cond::Eq, kind, wanted);
                self.branch(is_it, (mine, &[]), (other, &[]));
                self.block = mine;
                other
            });
            self.constants.clear();
            self.drop_content(ty, block)?;
            let open = self.pending_values();
            self.jump(next, &open);
            self.constants.clear();
            if let Some(other) = other {
                self.block = other;
            }
        }
        self.block = next;
        self.rejoin(next);
        self.take_from_list(head, &types);
        Ok(())
    }

    /// Goes on with the first block of the list, or to the end.
    fn take_from_list(&mut self, head: Block, types: &[hir::Type]) {
        let Some(Circle { pending, kind, .. }) = self.glue.take() else { return };
        let (some, none) = (self.out.add_block(), self.out.add_block());
        let null = self.constant(Type::Ptr, 0);
        let is_some = self.icmp(Cond::Ne, pending, null);
        self.branch(is_some, (some, &[]), (none, &[]));
        self.block = some;
        self.constants.clear();
        // Lists and cells have the link at different places.
        let is_list = |ty: &hir::Type| matches!(ty.kind(), TypeKind::List(_));
        let links: Vec<i64> = types.iter().map(|ty| if is_list(ty) { i64::from(BUFFER.0) } else { layout::CELL_COUNT }).collect();
        let mut offset = self.constant(Type::I64, links.first().copied().unwrap_or(0));
        for (number, &other) in links.iter().enumerate().skip(1) {
            if links.iter().any(|&link| link != links[0]) {
                let wanted = self.constant(Type::I8, number as i64);
                let is_it = self.icmp(Cond::Eq, kind, wanted);
                let other = self.constant(Type::I64, other);
                offset = self.pure(Op::Select, &[is_it, other, offset], Type::I64);
            }
        }
        let link = self.pure(Op::Add, &[pending, offset], Type::Ptr);
        let seven = self.constant(Type::I64, 7);
        let top = self.pure(Op::Add, &[link, seven], Type::Ptr);
        let next_kind = self.load(top, 0, Type::I8);
        let zero = self.constant(Type::I8, 0);
        self.store(top, 0, zero);
        let next = self.load(link, 0, Type::Ptr);
        let targets: &[(Block, &[Value])] = &[(head, &[pending, kind, next, next_kind])];
        self.out.append(self.block, NewInst { targets, ..NewInst::new(Op::Jump) }, &[]);
        self.block = none;
        self.constants.clear();
    }

    /// Drops what a dead block holds, and gives the block back.
    fn drop_content(&mut self, ty: hir::Type, block: Value) -> Result<(), Stop> {
        match ty.kind() {
            TypeKind::Cell(parts) => {
                let content = self.shapes.content(parts)?;
                self.drop_parts(parts, content, block)?;
                let class = cell_class(&mut self.shapes, ty)?;
                let header = self.link(ty, block);
                // A link may stand there.
                let fresh = self.constant(Type::I64, layout::cell_header(layout::class_bytes(class as u8), 0) as i64);
                self.store(header, 0, fresh);
                self.effect(Op::Free, &[block], class);
                Ok(())
            }
            TypeKind::List(element) => {
                self.drop_elements(element, block)?;
                self.effect(Op::Runtime, &[block], abi::RuntimeCall::Free as u64);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Drops the parts that lie at an address.
    fn drop_parts(&mut self, parts: &[hir::Type], content: ShapeId, address: Value) -> Result<(), Stop> {
        for (index, &part) in parts.iter().enumerate() {
            if self.counted_leaves(part)? == 0 {
                continue;
            }
            let leaves = self.part_at(address, content, index);
            self.count(part, &leaves, Act::Drop, false)?;
        }
        Ok(())
    }

    /// Drops the elements of a buffer, up to where its word says that they end.
    fn drop_elements(&mut self, element: hir::Type, buffer: Value) -> Result<(), Stop> {
        let elements = self.constant(Type::I64, BUFFER.2);
        let first = self.pure(Op::Add, &[buffer, elements], Type::Ptr);
        let end = self.load(buffer, BUFFER.1, Type::Ptr);
        self.count_elements(element, first, end, Act::Drop)
    }

    /// One holder more of what the elements of a list hold.
    fn share_elements(&mut self, ty: hir::Type, leaves: &[Value]) -> Result<(), Stop> {
        let (&[first, length, _], TypeKind::List(element)) = (leaves, ty.kind()) else { return Ok(()) };
        let shape = self.shapes.of(element)?;
        let stride = self.constant(Type::I64, i64::from(self.shapes.size(shape)));
        let bytes = self.pure(Op::Mul, &[length, stride], Type::I64);
        let end = self.pure(Op::Add, &[first, bytes], Type::Ptr);
        self.count_elements(element, first, end, Act::Dup)
    }

    fn cut_buffer(&mut self, ty: hir::Type, leaves: &[Value]) -> Result<(), Stop> {
        let (&[first, _, buffer], TypeKind::List(element)) = (leaves, ty.kind()) else { return Ok(()) };
        let last = self.load(buffer, BUFFER.1, Type::Ptr);
        self.store(buffer, BUFFER.1, first);
        self.count_elements(element, first, last, Act::Drop)
    }

    /// A loop over the elements from one address to another.
    fn count_elements(&mut self, element: hir::Type, first: Value, end: Value, act: Act) -> Result<(), Stop> {
        let shape = self.shapes.of(element)?;
        let stride = i64::from(self.shapes.size(shape));
        let (head, body, done) = (self.out.add_block(), self.out.add_block(), self.out.add_block());
        self.is_split = true;
        let enter: Vec<Value> = std::iter::once(first).chain(self.pending_values()).collect();
        self.jump(head, &enter);
        let at = self.out.add_param(head, Type::Ptr);
        self.block = head;
        self.rejoin(head);
        self.constants.clear();
        let is_more = self.icmp(Cond::Ult, at, end);
        let open = self.pending_values();
        self.branch(is_more, (body, &[]), (done, &open));
        self.block = body;
        let count = self.shapes.leaves(shape).len();
        let mut leaves = Vec::with_capacity(count);
        for index in 0..count {
            let leaf = self.shapes.leaves(shape)[index];
            leaves.push(self.load(at, leaf.offset, leaf.ty));
        }
        self.count(element, &leaves, act, false)?;
        let stride = self.constant(Type::I64, stride);
        let next = self.pure(Op::Add, &[at, stride], Type::Ptr);
        let again: Vec<Value> = std::iter::once(next).chain(self.pending_values()).collect();
        self.jump(head, &again);
        self.block = done;
        self.rejoin(done);
        self.constants.clear();
        Ok(())
    }

    /// The cells and buffers that hold values of this type and are held by values of this type, the type among them; none when it does not hold itself.
    fn circle(&mut self, ty: hir::Type) -> Result<Vec<hir::Type>, Stop> {
        let mut types = vec![ty];
        let mut holds: Vec<Vec<usize>> = Vec::new();
        while let Some(&next) = types.get(holds.len()) {
            let (mut found, mut seen) = (Vec::new(), HashSet::new());
            match next.kind() {
                TypeKind::Cell(parts) => self.blocks_in(parts, &mut found, &mut seen)?,
                TypeKind::List(element) => self.blocks_in(&[element], &mut found, &mut seen)?,
                _ => {}
            }
            let mut row = Vec::with_capacity(found.len());
            for block in found {
                let at = types.iter().position(|&known| known == block).unwrap_or(types.len());
                if at == types.len() {
                    types.push(block);
                }
                row.push(at);
            }
            holds.push(row);
            if types.len() > MAX_TYPES {
                break;
            }
        }
        holds.resize(types.len(), Vec::new());
        let groups = ir::components(&holds);
        let is_circle = groups.iter().filter(|&&group| group == groups[0]).count() > 1 || holds[0].contains(&0);
        if !is_circle {
            return Ok(Vec::new());
        }
        let circle: Vec<hir::Type> = types.iter().zip(&groups).filter(|(_, group)| **group == groups[0]).map(|(ty, _)| *ty).collect();
        Ok(if circle.len() > MAX_CIRCLE { Vec::new() } else { circle })
    }

    /// Cells and lists with counted elements in values of these types, without what they hold. Each type is looked into once, on however many ways it is there.
    fn blocks_in(&mut self, types: &[hir::Type], found: &mut Vec<hir::Type>, seen: &mut HashSet<hir::Type>) -> Result<(), Stop> {
        for &ty in types {
            if self.counted_leaves(ty)? == 0 || !seen.insert(ty) {
                continue;
            }
            let cx = self.cx;
            match ty.kind() {
                TypeKind::Cell(parts) if self.any_counted(parts)? => found.push(ty),
                TypeKind::List(element) if self.counted_leaves(element)? > 0 => found.push(ty),
                TypeKind::Tuple(_) | TypeKind::Struct(..) => match (cx.fields(ty)?, cx.variants(ty)?) {
                    (Some(fields), _) => self.blocks_in(&fields, found, seen)?,
                    (None, Some(variants)) => {
                        for payload in variants.iter() {
                            self.blocks_in(payload, found, seen)?;
                        }
                    }
                    (None, None) => {}
                },
                _ => {}
            }
        }
        Ok(())
    }
}
