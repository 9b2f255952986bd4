//! W0201: imports that nothing in the file mentions.
//!
//! Purely by name: an import counts as used when its name stands anywhere in the file, so a shadowed name may be missed but nothing that is
//! needed is ever reported.

use hashbrown::HashSet;
use ir::Symbol;
use syntax::tree::{Expr, File, ImportEntry, ImportNames, ModulePath, Pattern, RangeEnd, Tree};
use syntax::{Anchor, Diagnostic, DiagnosticCode as Code, Severity, Span};

/// One warning for each imported name that is not mentioned. Silent in files with syntax errors, and of names whose import failed: `known` is what
/// is wrong with the imports, and says enough.
pub fn unused_imports(file: &File, known: &[Diagnostic]) -> Vec<Diagnostic> {
    let mut names: Vec<(Symbol, Span)> = Vec::new();
    for import in file.imports.iter().filter(|import| !import.is_pub && !import.is_extension) {
        match &import.names {
            ImportNames::Module => match &import.path {
                ModulePath::Text(text) => {
                    names.push((Symbol::new(text.as_str().rsplit('/').next().unwrap_or_default()), import.path_span));
                }
                ModulePath::Dotted(segments) => names.extend(segments.last().map(|&name| (name, import.path_span))),
            },
            ImportNames::Alias(name, span) => names.push((*name, *span)),
            ImportNames::List(entries) => names.extend(entries.iter().map(|entry| (entry.alias, entry.span))),
            ImportNames::Extensions(_) => {}
        }
    }
    let failed: Vec<Span> = known.iter().filter(|d| d.severity() == Severity::Error).map(|d| d.span).collect();
    if !failed.is_empty() {
        let path_of = |span: Span| file.imports.iter().find(|import| import.span.start <= span.start && span.end <= import.span.end);
        names.retain(|&(_, span)| !failed.contains(&span) && path_of(span).is_none_or(|import| !failed.contains(&import.path_span)));
    }
    if names.is_empty() || file.items.iter().any(|row| row.item.has_errors) {
        return Vec::new();
    }
    let mut left = Left::of(&names);
    for row in &file.items {
        mentions(&row.item.tree, &mut left);
        if left.names.is_empty() {
            return Vec::new();
        }
        // Impls and tests name types and functions outside the arenas; such files get no warning from this rule.
        match &row.item.kind {
            syntax::tree::ItemKind::Function(_) | syntax::tree::ItemKind::Constant { .. } | syntax::tree::ItemKind::ConstFunction(_) => {}
            syntax::tree::ItemKind::Type { markers, .. } if markers.is_empty() => {}
            syntax::tree::ItemKind::Test { targets, .. } => {
                for (function, _) in targets.iter().flatten() {
                    left.remove(*function);
                }
            }
            syntax::tree::ItemKind::Type { .. }
            | syntax::tree::ItemKind::Trait { .. }
            | syntax::tree::ItemKind::Impl { .. }
            | syntax::tree::ItemKind::DefImpl { .. }
            | syntax::tree::ItemKind::Extend { .. }
            | syntax::tree::ItemKind::Extern { .. }
            | syntax::tree::ItemKind::Capset(_)
            | syntax::tree::ItemKind::Error => return Vec::new(),
        }
    }
    // A trait is used without being named, by a call of one of its methods; its name has a capital letter.
    let calls_methods = file.items.iter().any(|row| row.item.tree.exprs.nodes().any(|e| matches!(e, Expr::MethodCall { .. })));
    let may_be_trait = |name: Symbol| calls_methods && name.as_str().starts_with(char::is_uppercase);
    let is_unused = |name: Symbol| left.names.contains(&name.raw()) && !may_be_trait(name);
    let anchor = Anchor::Module(file.module);
    let unused = names.into_iter().filter(|(name, _)| is_unused(*name));
    let warning = |(name, span): (Symbol, Span)| {
        let mut warning = Diagnostic::new(Code::W0201, anchor, span, [name.into()]).help("remove it");
        if let Some(span) = removal(file, span, is_unused) {
            warning.edits.push(syntax::Edit { anchor, span, text: String::new(), machine_applicable: true });
        }
        warning
    };
    unused.map(warning).collect()
}

/// What to remove for the unused name that is imported at `span`: its entry with one comma, or the whole import when nothing of it is used.
/// The removals for the names of one list do not overlap, so that all can be made together.
fn removal(file: &File, span: Span, is_unused: impl Fn(Symbol) -> bool) -> Option<Span> {
    let import = file.imports.iter().find(|import| import.span.start <= span.start && span.end <= import.span.end)?;
    let ImportNames::List(entries) = &import.names else { return Some(import.extent) };
    let at = entries.iter().position(|entry| entry.span == span)?;
    let has_used = |part: &[ImportEntry]| part.iter().any(|entry| !is_unused(entry.alias));
    Some(if has_used(&entries[at + 1..]) {
        Span::new(span.start, entries[at + 1].span.start)
    } else if has_used(&entries[..at]) {
        Span::new(entries[at - 1].span.end, span.end)
    } else {
        import.extent
    })
}

/// The imported names that have not been met.
struct Left {
    /// By their numbers, which say as much as the names and are at hand.
    names: HashSet<u32>,
    /// One bit for some of the names each: most names of a file are none of these, and are told apart without hashing.
    bits: u64,
}

impl Left {
    fn of(names: &[(Symbol, Span)]) -> Left {
        let bits = names.iter().fold(0, |bits, (name, _)| bits | bit(*name));
        Left { names: names.iter().map(|(name, _)| name.raw()).collect(), bits }
    }

    #[inline]
    fn remove(&mut self, name: Symbol) {
        if self.bits & bit(name) != 0 {
            self.names.remove(&name.raw());
        }
    }
}

fn bit(name: Symbol) -> u64 {
    1 << ((name.raw() ^ name.raw() >> 6) & 63)
}

fn mentions(tree: &Tree, left: &mut Left) {
    for expr in tree.exprs.nodes() {
        if let Expr::Name(name) | Expr::Dollar(name) = expr {
            left.remove(*name);
        }
        match expr {
            Expr::Struct { path, .. } => tree.paths[tree.list(*path)].iter().for_each(|name| left.remove(*name)),
            Expr::Pipe(..) | Expr::With { .. } => left.names.clear(),
            _ => {}
        }
    }
    for ty in tree.types.nodes() {
        if let syntax::tree::Type::Named { path, .. } = ty {
            tree.paths[*path].iter().for_each(|name| left.remove(*name));
        }
    }
    for pattern in tree.patterns.nodes() {
        match pattern {
            Pattern::Name { name, .. } => left.remove(*name),
            Pattern::Range { ends, .. } => {
                for end in tree.range_ends.get(*ends) {
                    if let RangeEnd::Constant(name) = end {
                        left.remove(*name);
                    }
                }
            }
            Pattern::Variant { path, .. } | Pattern::Struct { path, .. } => {
                tree.paths[tree.list(*path)].iter().for_each(|name| left.remove(*name))
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
