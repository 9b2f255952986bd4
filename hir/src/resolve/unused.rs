//! W0201: imports that nothing in the file mentions.
//!
//! Purely by name: an import counts as used when its name stands anywhere in the file, so a shadowed name may be missed but nothing that is
//! needed is ever reported.

use hashbrown::HashSet;
use ir::Symbol;
use syntax::tree::{Expr, File, ImportNames, ModulePath, Pattern, RangeEnd, Tree};
use syntax::{Anchor, Diagnostic, DiagnosticCode as Code, Span};

/// One warning for each imported name that is not mentioned. Silent in files with syntax errors.
pub fn unused_imports(file: &File) -> Vec<Diagnostic> {
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
    if names.is_empty() || file.items.iter().any(|row| row.item.has_errors) {
        return Vec::new();
    }
    let mut left: HashSet<Symbol> = names.iter().map(|(name, _)| *name).collect();
    for row in &file.items {
        mentions(&row.item.tree, &mut left);
        if left.is_empty() {
            break;
        }
        // Impls and tests name types and functions outside the arenas; such files get no warning from this rule.
        match &row.item.kind {
            syntax::tree::ItemKind::Function(_) | syntax::tree::ItemKind::Constant { .. } | syntax::tree::ItemKind::ConstFunction(_) => {}
            syntax::tree::ItemKind::Type { markers, .. } if markers.is_empty() => {}
            syntax::tree::ItemKind::Test { targets, .. } => {
                for (function, _) in targets.iter().flatten() {
                    left.remove(function);
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
    let calls_methods = file.items.iter().any(|row| row.item.tree.exprs.rows().iter().any(|e| matches!(e, Expr::MethodCall { .. })));
    let may_be_trait = |name: Symbol| calls_methods && name.as_str().starts_with(char::is_uppercase);
    let unused = names.into_iter().filter(|(name, _)| left.contains(name) && !may_be_trait(*name));
    unused.map(|(name, span)| Diagnostic::new(Code::W0201, Anchor::Module(file.module), span, [name.into()]).help("remove it")).collect()
}

fn mentions(tree: &Tree, left: &mut HashSet<Symbol>) {
    for expr in tree.exprs.rows() {
        if let Expr::Name(name) | Expr::Dollar(name) = expr {
            left.remove(name);
        }
        match expr {
            Expr::Struct { path, .. } => tree.paths[*path].iter().for_each(|name| {
                left.remove(name);
            }),
            Expr::Pipe(..) | Expr::With { .. } => left.clear(),
            _ => {}
        }
    }
    for ty in tree.types.rows() {
        if let syntax::tree::Type::Named { path, .. } = ty {
            tree.paths[*path].iter().for_each(|name| {
                left.remove(name);
            });
        }
    }
    for pattern in tree.patterns.rows() {
        match pattern {
            Pattern::Name { name, .. } => {
                left.remove(name);
            }
            Pattern::Range { low, high, .. } => {
                for end in [low, high] {
                    if let RangeEnd::Constant(name) = end {
                        left.remove(name);
                    }
                }
            }
            Pattern::Variant { path, .. } | Pattern::Struct { path, .. } => tree.paths[*path].iter().for_each(|name| {
                left.remove(name);
            }),
            _ => {}
        }
    }
}
