//! The reference page says what the tables say.

use crate::ops::Op;
use crate::verify::LirFault;

const MARK: &str = "<!-- generated: `ORI_BLESS=1 cargo test -p lir page` -->\n";

/// The generated part of `docs/ir/lir.md`.
fn tables() -> String {
    let mut out = String::from("\n## Ops\n\n| op | operands | results | effect | meaning |\n|---|---|---|---|---|\n");
    for op in Op::ALL {
        let info = op.info();
        let (effect, meaning) = (info.effect.name(), info.meaning);
        out += &format!("| `{}` | {:?} | {:?} | {effect} | {meaning} |\n", info.name, info.operands, info.results);
    }
    out += "\n## Rules\n\n| code | rule |\n|---|---|\n";
    for (code, rule) in LirFault::all_codes() {
        out += &format!("| {code} | {rule} |\n");
    }
    out
}

#[test]
fn the_reference_page_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/ir/lir.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (prose, generated) = page.split_once(MARK).unwrap();
    if std::env::var_os("ORI_BLESS").is_some() {
        std::fs::write(path, format!("{prose}{MARK}{}", tables())).unwrap();
    } else {
        assert_eq!(generated, tables(), "run ORI_BLESS=1 cargo test -p lir page");
    }
}
