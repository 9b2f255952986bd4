//! Attributes: which there are, where each may stand, what it takes (language/04 §4.10).

use syntax::tree::{Attribute, AttributeValue, Item, ItemKind};
use syntax::{Anchor, Diagnostic, DiagnosticCode as Code};

/// Is there an attribute of this name?
pub(super) fn is_attribute(name: &str) -> bool {
    matches!(name, "derive" | "skip" | "fail" | "compile_fail" | "target" | "cfg" | "repr" | "const_limit" | "error" | "free")
}

/// Judges the attributes of an item (language/04 §4.10).
pub(crate) fn attributes(item: &Item, diagnostics: &mut Vec<Diagnostic>) {
    let (kind, what) = match &item.kind {
        ItemKind::Function(_) => (0, "functions"),
        ItemKind::Test { .. } => (1, "tests"),
        ItemKind::Constant { .. } | ItemKind::ConstFunction(_) => (2, "constants"),
        ItemKind::Type { .. } => (3, "types"),
        ItemKind::Trait { .. }
        | ItemKind::Impl { .. }
        | ItemKind::DefImpl { .. }
        | ItemKind::Extend { .. }
        | ItemKind::Extern { .. }
        | ItemKind::Capset(_)
        | ItemKind::Error => return,
    };
    let mut of_tests: Vec<&str> = Vec::new();
    for attribute in &item.attributes {
        let name = attribute.name.as_str();
        let error = |code, args: Vec<syntax::Arg>| Diagnostic::new(code, Anchor::Item(item.id), attribute.span, args);
        let error = match name {
            "derive" if kind == 3 => wrong_derive(attribute).map(|why| error(Code::E0108, vec![attribute.name.into(), why.into()])),
            // The driver runs tests; what these say is its matter.
            "skip" | "fail" | "compile_fail" if kind == 1 => {
                let excludes = |other: &&&str| **other == name || (name != "skip" && **other != "skip");
                if let Some(other) = of_tests.iter().find(excludes) {
                    diagnostics.push(error(Code::E0517, vec![(*other).into(), name.into()]));
                }
                of_tests.push(name);
                let fits = match &attribute.args[..] {
                    [] => name == "skip",
                    [(None, AttributeValue::Str(_), _)] => true,
                    _ => false,
                };
                (!fits).then(|| error(Code::E0108, vec![attribute.name.into(), "it takes one string".into()]))
            }
            "derive" | "skip" | "fail" | "compile_fail" => Some(error(Code::E0107, vec![attribute.name.into(), what.into()])),
            "repr" if kind != 3 => Some(error(Code::E0107, vec![attribute.name.into(), what.into()])),
            "const_limit" if kind != 2 => Some(error(Code::E0107, vec![attribute.name.into(), what.into()])),
            // Both belong to items of `extern` blocks.
            "error" | "free" => Some(error(Code::E0107, vec![attribute.name.into(), what.into()])),
            "target" | "cfg" | "repr" | "const_limit" => Some(error(Code::E2040, vec![format!("`#{name}`").into()])),
            _ => Some(error(Code::E0106, vec![attribute.name.into()])),
        };
        diagnostics.extend(error);
    }
}

/// What is wrong with the arguments of a `#derive`.
fn wrong_derive(attribute: &Attribute) -> Option<&'static str> {
    let is_name = |value: &AttributeValue| matches!(value, AttributeValue::Path(path) if path.len() == 1);
    match &attribute.args[..] {
        [] => Some("it takes names of traits"),
        args if args.iter().all(|(name, value, _)| name.is_none() && is_name(value)) => None,
        _ => Some("only names of traits can be derived"),
    }
}
