//! LIR to linkable code: the machine level run with recycled memory, its result in the form that `codegen` takes.

use std::collections::HashSet;

use ir::ItemId;

use crate::queries::{Assembled, Limit};

thread_local! {
    static SCRATCH: std::cell::RefCell<machine::Scratch> = std::cell::RefCell::new(machine::Scratch::default());
}

/// LIR to linkable code.
/// `Err` says which limit the function exceeds.
pub fn assemble(item: ItemId, body: &lir::Body<lir::Legal>, checking: bool) -> Result<Assembled, Limit> {
    let code = SCRATCH.with_borrow_mut(|scratch| machine::compile(body, scratch, checking));
    let code = match code {
        Ok(code) => code,
        Err(machine::CompileError::Limit(limit)) => return Err(limit.into()),
        Err(machine::CompileError::Broken(report)) => panic!("{report}"),
    };
    Ok(linkable(item, code))
}

/// Code of the machine level in the form that `codegen` takes.
pub fn linkable(item: ItemId, code: machine::Code) -> Assembled {
    let mut callees = Vec::new();
    let mut seen = HashSet::new();
    let relocs = code
        .relocs
        .iter()
        .map(|reloc| {
            use machine::finish::RelocTarget;
            use machine::ir::Callee;
            let (kind, target) = match reloc.target {
                RelocTarget::Callee(Callee::Function(callee)) => {
                    if seen.insert(callee) {
                        callees.push(callee);
                    }
                    (image::RelocKind::Call32, image::Target::Function(callee))
                }
                RelocTarget::Callee(Callee::Runtime(call)) => {
                    (image::RelocKind::Call32, image::Target::Runtime(image::RuntimeSymbol::Call(call)))
                }
                // Called through memory: there is nothing to link.
                RelocTarget::Callee(Callee::Slot(slot)) => panic!("@{item}: a relocation names slot {slot}"),
                RelocTarget::Entry(entry) => (image::RelocKind::Call32, image::Target::Runtime(image::RuntimeSymbol::Entry(entry))),
                RelocTarget::Panic(kind) => (image::RelocKind::Call32, image::Target::Runtime(image::RuntimeSymbol::Panic(kind))),
                RelocTarget::Data(row) => (image::RelocKind::Data32, image::Target::Data(row)),
            };
            image::Reloc { offset: reloc.offset, kind, target, addend: reloc.addend }
        })
        .collect();
    let mut places = Vec::new();
    let sites = code
        .sites
        .iter()
        .map(|site| {
            let first_place = places.len() as u32;
            places.extend(code.places.chain(site.place).map(|p| image::SitePlace { item: p.item, line: p.line, column: p.column }));
            image::Site {
                return_offset: site.return_offset,
                pad_offset: site.pad_offset,
                first_place,
                places: places.len() as u32 - first_place,
            }
        })
        .collect();
    let name = item.to_string();
    let function = image::Function {
        item,
        key: item.content(),
        name,
        code: code.bytes,
        relocs,
        threads: code.threads,
        data: code.data.into_iter().map(constant).collect(),
        has_frame: code.has_frame,
        frame_size: code.frame_size,
        saved_mask: code.saved_mask,
        sites,
        places,
    };
    Assembled { function, callees }
}

/// A constant in that form.
fn constant(block: machine::finish::DataBlock) -> image::Data {
    let relocs = block
        .links
        .iter()
        .map(|link| image::DataReloc { offset: link.at, target: image::DataTarget::Data(link.row), addend: i64::from(link.to) })
        .collect();
    image::Data { bytes: block.bytes, align: block.align, relocs }
}
