//! Finds the partner of every bracket when some have none.
//!
//! In a balanced file that is a stack, which the lexer keeps while it goes. When something is missing, this run starts anew at every line that begins an item in the
//! first column: layout means nothing in Ori, but it is the best witness of what the author meant, and it keeps one missing bracket from
//! making nonsense of the rest of the file.

use super::{Flags, Kind, Token};

/// Data of an opening bracket without partner.
pub const NONE: u32 = u32::MAX;

/// Pairs the brackets of an unbalanced file by its layout.
pub(super) fn pair_by_layout(tokens: &mut [Token]) {
    let mut open: Vec<u32> = Vec::new();
    for i in 0..tokens.len() {
        let kind = tokens[i].kind;
        if kind.opens() {
            tokens[i].data = NONE;
            open.push(i as u32);
        } else if kind.closes() {
            let fits = |&o: &u32| tokens[o as usize].kind.partner() == kind;
            if let Some(at) = open.iter().rposition(fits) {
                tokens[open[at] as usize].data = i as u32;
                open.truncate(at);
            }
        } else if begins_item(tokens, i) {
            open.clear();
        }
    }
}

/// Does a line begin here, in the first column, with something that starts an item?
pub(crate) fn begins_item(tokens: &[Token], i: usize) -> bool {
    let token = tokens[i];
    if !token.flags.has(Flags::FIRST_COLUMN) {
        return false;
    }
    let next = tokens.get(i + 1).map_or(Kind::Eof, |t| t.kind);
    match token.kind {
        Kind::At | Kind::Hash => next.is_word(),
        Kind::Dollar => next == Kind::Ident,
        Kind::Pub | Kind::Type | Kind::Trait | Kind::Impl | Kind::Def | Kind::Extend | Kind::Extern | Kind::Use | Kind::Extension => true,
        Kind::Let => next == Kind::Dollar,
        _ => false,
    }
}
