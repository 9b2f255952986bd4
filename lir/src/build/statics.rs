//! Lists that lie in the image: their elements as bytes, by the layout that every value of their type has.

use abi::layout;
use hir::{Type as HirType, TypeKind};
use ir::ssa::Inst;
use ir::{Stop, Symbol};
use mir::statics::{Datum, parse};

use super::Builder;
use super::shape::ShapeId;
use crate::ir::Type;
use crate::ops::Op;
use crate::statics::{Writer, text_of};

/// A leaf of a value that lies in the image.
#[derive(Clone, Copy)]
enum Leaf {
    /// Its bits.
    Number(u64),
    /// The address of a byte of the section behind.
    Link(u32),
}

/// The sections so far. What a list has inside lies in the section behind its own.
type Sections = Vec<Writer>;

impl Builder<'_> {
    /// A list that lies in the image; without buffer, so that nobody holds it.
    pub(super) fn static_list(&mut self, inst: Inst, imm: u64) -> Result<(), Stop> {
        let row = self.mir.insts[inst];
        let ty = (row.results > 0).then(|| self.mir.values.get(row.first_result)).flatten().map(|row| row.ty.kind());
        // The verifier refuses texts that are none.
        let (Some(TypeKind::List(element)), Some(Datum::List(elements))) = (ty, parse(Symbol::from_raw(imm as u32))) else { return Ok(()) };
        let mut sections = Sections::new();
        let at = self.lay(&elements, element, 0, &mut sections)?;
        let first = match at {
            Leaf::Number(address) => self.constant(Type::Ptr, address as i64),
            Leaf::Link(_) => self.plain(Op::Static, &[], u64::from(text_of(sections).raw()), Type::Ptr),
        };
        let length = self.constant(Type::I64, elements.len() as i64);
        let buffer = self.constant(Type::Ptr, 0);
        self.define_leaves(inst, &[first, length, buffer]);
        Ok(())
    }

    /// Lays elements into a section, and gives the address of the first.
    fn lay(&mut self, elements: &[Datum], element: HirType, section: usize, sections: &mut Sections) -> Result<Leaf, Stop> {
        let shape = self.shapes.of(element)?;
        let stride = self.shapes.size(shape);
        if elements.is_empty() || stride == 0 {
            return Ok(Leaf::Number(layout::LIST_EMPTY as u64));
        }
        let start = section_at(sections, section).bytes().next_multiple_of(8);
        for (index, value) in elements.iter().enumerate() {
            let leaves = self.laid(value, element, section, sections)?;
            let base = start + index as u32 * stride;
            let out = section_at(sections, section);
            for (place, leaf) in self.shapes.leaves(shape).iter().zip(leaves) {
                out.pad_to(base + place.offset);
                match leaf {
                    Leaf::Number(bits) => out.number(bits, place.ty),
                    Leaf::Link(to) => out.link(to),
                }
            }
        }
        let end = start + elements.len() as u32 * stride;
        section_at(sections, section).pad_to(end);
        Ok(Leaf::Link(start))
    }

    /// The leaves of a value whose list lies in this section.
    fn laid(&mut self, value: &Datum, ty: HirType, section: usize, sections: &mut Sections) -> Result<Vec<Leaf>, Stop> {
        Ok(match value {
            Datum::Int(value) => vec![Leaf::Number(*value as u64)],
            Datum::Float(bits) => vec![Leaf::Number(*bits)],
            Datum::Bool(value) => vec![Leaf::Number(u64::from(*value))],
            Datum::Char(value) => vec![Leaf::Number(u64::from(u32::from(*value)))],
            Datum::Byte(value) => vec![Leaf::Number(u64::from(*value))],
            Datum::Unit => Vec::new(),
            Datum::Str(text) => match layout::inline_str(text.as_str().as_bytes()) {
                Some(words) => words.map(Leaf::Number).to_vec(),
                None => {
                    let out = section_at(sections, section + 1);
                    let at = out.bytes();
                    out.text(text.as_str());
                    vec![Leaf::Link(at), Leaf::Number(text.as_str().len() as u64), Leaf::Number(0)]
                }
            },
            Datum::List(elements) => {
                let element = if let TypeKind::List(element) = ty.kind() { element } else { HirType::ERROR };
                let first = self.lay(elements, element, section + 1, sections)?;
                vec![first, Leaf::Number(elements.len() as u64), Leaf::Number(0)]
            }
            Datum::Aggregate(parts) => match self.cx.fields(ty)? {
                Some(fields) => self.all_laid(parts, &fields, section, sections)?,
                None => Vec::new(),
            },
            Datum::Variant(number, parts) => {
                let shape = self.shapes.of(ty)?;
                let Some(variants) = self.cx.variants(ty)? else { return Ok(Vec::new()) };
                let types = variants.get(*number as usize).map_or(&[][..], |types| types);
                let payload = self.all_laid(parts, types, section, sections)?;
                self.variant_laid(*number, shape, payload)
            }
        })
    }

    fn all_laid(&mut self, parts: &[Datum], types: &[HirType], section: usize, sections: &mut Sections) -> Result<Vec<Leaf>, Stop> {
        let mut all = Vec::new();
        for (part, &ty) in parts.iter().zip(types) {
            all.extend(self.laid(part, ty, section, sections)?);
        }
        Ok(all)
    }

    /// As `variant` makes it: the payload in its slots, zeros in all others, and the tag.
    fn variant_laid(&self, number: u32, shape: ShapeId, payload: Vec<Leaf>) -> Vec<Leaf> {
        let Some(sum) = self.shapes.of_sum(shape) else { return Vec::new() };
        let mut leaves = vec![Leaf::Number(0); self.shapes.leaves(shape).len()];
        let placed = sum.variants.get(number as usize).map_or(&[][..], |variant| &variant.leaves);
        for (&(slot, _), leaf) in placed.iter().zip(payload) {
            leaves[slot as usize] = leaf;
        }
        if let Some((leaf, value)) = sum.tag_of(u64::from(number)) {
            leaves[leaf as usize] = Leaf::Number(value as u64);
        }
        leaves
    }
}

fn section_at(sections: &mut Sections, section: usize) -> &mut Writer {
    while sections.len() <= section {
        sections.push(Writer::default());
    }
    &mut sections[section]
}
