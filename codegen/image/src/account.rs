//! Where the bytes of an executable go: what `oric report size` shows.

use std::collections::HashSet;

use ir::ItemId;

use crate::error::LinkError;
use crate::input::Program;
use crate::layout::Layout;
use crate::records::{FUNCTION_RECORD, HEADER};
use crate::runtime::{self, PartKind};
use crate::write::link;

/// Bytes of the file, by what they are for. What is left of `file` is headers, and room between slots and segments.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Account {
    /// The whole file.
    pub file: u64,
    /// Code of each function, in the order of addresses.
    pub functions: Vec<(ItemId, u64)>,
    /// Code of the runtime.
    pub runtime_code: u64,
    /// Constants of functions, equal ones once.
    pub constants: u64,
    /// Constants of the runtime.
    pub runtime_constants: u64,
    /// Frames of functions.
    pub frames: u64,
    /// Calls, with their landing pads and places.
    pub sites: u64,
    /// Where items stand, what they and their files are called, and the header of the tables.
    pub items: u64,
    /// Variables that do not start as zeros.
    pub variables: u64,
    /// Symbols and section headers.
    pub symbols: u64,
}

/// The account of a program that is linked.
pub fn account(program: &Program) -> Result<Account, LinkError> {
    let layout = Layout::of(program)?;
    let file = link(program)?.len() as u64;
    let mut account = Account { file, frames: (layout.functions.owners.len() * FUNCTION_RECORD) as u64, ..Account::default() };
    for (_, owner) in layout.functions.iter() {
        if let Some(function) = program.functions.get(owner as usize) {
            account.functions.push((function.item, function.code.len() as u64));
        }
    }
    for part in layout.parts.iter().filter_map(|placed| runtime::parts().get(placed.part as usize)) {
        match part.kind {
            PartKind::Code => account.runtime_code += u64::from(part.size),
            PartKind::ReadOnly => account.runtime_constants += u64::from(part.size),
            PartKind::Data => account.variables += u64::from(part.size),
            PartKind::Zero => {}
        }
    }
    let texts: HashSet<&str> = program.items.iter().flat_map(|item| [item.name.as_str(), item.file.as_str()]).collect();
    let names: u64 = texts.iter().map(|text| text.len() as u64).sum();
    account.sites = (0..program.functions.len()).filter_map(|number| layout.pieces.sites_piece(number)).map(|(_, size)| size as u64).sum();
    let stored: u64 = layout.pieces.stored().map(|(_, bytes)| bytes.len() as u64).sum();
    account.constants = stored.saturating_sub(names + account.sites);
    account.items = names + layout.items.bytes + HEADER as u64;
    account.symbols = file.saturating_sub(layout.variables.offset + layout.variables.file);
    Ok(account)
}
