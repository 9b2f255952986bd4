//! Finds the partner of every bracket.
//!
//! In a balanced file that is a stack. When something is missing, a second run starts anew at every line that begins an item in the
//! first column: layout means nothing in Ori, but it is the best witness of what the author meant, and it keeps one missing bracket from
//! making nonsense of the rest of the file.

use super::{Flags, Kind, Token};

/// Data of an opening bracket without partner.
pub const NONE: u32 = u32::MAX;

/// Writes partners into the opening brackets; false when some bracket has none.
pub(super) fn pair(tokens: &mut [Token], by_layout: bool) -> bool {
    let mut open: Vec<u32> = Vec::new();
    let mut balanced = true;
    for i in 0..tokens.len() {
        let kind = tokens[i].kind;
        if kind.opens() {
            tokens[i].data = NONE;
            open.push(i as u32);
        } else if kind.closes() {
            let fits = |&o: &u32| partner(tokens[o as usize].kind) == kind;
            match open.iter().rposition(fits) {
                Some(at) => {
                    balanced &= at + 1 == open.len();
                    tokens[open[at] as usize].data = i as u32;
                    open.truncate(at);
                }
                None => balanced = false,
            }
        } else if by_layout && begins_item(tokens, i) {
            open.clear();
        }
    }
    balanced && open.is_empty()
}

fn partner(open: Kind) -> Kind {
    match open {
        Kind::LParen => Kind::RParen,
        Kind::LBracket => Kind::RBracket,
        Kind::LBrace => Kind::RBrace,
        Kind::TemplateStart => Kind::TemplateEnd,
        _ => Kind::InterpolationEnd,
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
