//! MIR text in, LIR text out; what comes out always verifies.

use std::sync::Arc;

use hashbrown::HashMap;
use ir::ssa::text::{Plain, parse_function};
use ir::{Fault, ItemId, Stop};

use super::*;
use crate::ir::{Legal, Signature};
use crate::text::print_body;
use crate::verify::verify;

/// What a MIR dump declares: `;! type main.P = {int, byte}`, `;! fn @main.f(int) -> str`, and its own functions.
#[derive(Default)]
struct Program {
    fields: HashMap<hir::Type, Arc<[hir::Type]>>,
    signatures: HashMap<ItemId, (Vec<hir::Type>, hir::Type)>,
}

impl Context for Program {
    fn signature(&self, function: ItemId) -> Result<Option<Arc<Signature>>, Stop> {
        self.signatures.get(&function).map(|(params, result)| flatten_signature(params, *result, self).map(Arc::new)).transpose()
    }

    fn fields(&self, ty: hir::Type) -> Result<Option<Arc<[hir::Type]>>, Stop> {
        Ok(match ty.kind() {
            hir::TypeKind::Tuple(elements) => Some(elements.into()),
            _ => self.fields.get(&ty).cloned(),
        })
    }
}

fn types(text: &str) -> Vec<hir::Type> {
    ir::ssa::text::read::split_list(text).into_iter().map(|t| hir::types::parse(t).unwrap()).collect()
}

fn read(text: &str) -> (Vec<mir::Body<Mono>>, Program) {
    let dump = ir::text::parse(&format!("ori-ir mir.mono 1\n{text}")).unwrap();
    let mut program = Program::default();
    for (_, line) in &dump.directives {
        let line = line.trim();
        if let Some((name, fields)) = line.strip_prefix("type ").and_then(|t| t.split_once('=')) {
            let fields = fields.trim().strip_prefix('{').unwrap().strip_suffix('}').unwrap();
            program.fields.insert(hir::types::parse(name.trim()).unwrap(), types(fields).into());
        } else if let Some((head, result)) = line.strip_prefix("fn @").and_then(|t| t.rsplit_once("->")) {
            let (name, params) = head.trim().strip_suffix(')').unwrap().split_once('(').unwrap();
            program.signatures.insert(ItemId::parse(name).unwrap(), (types(params), hir::types::parse(result).unwrap()));
        }
    }
    let mut bodies = Vec::new();
    for function in &dump.functions {
        let graph = parse_function::<mir::Mir>(function, &mut Plain).unwrap();
        let params = graph.blocks.rows()[0].params.iter().map(|&p| graph.ty(p)).collect();
        program.signatures.insert(graph.name, (params, graph.results[0]));
        bodies.push(mir::Body::new(graph));
    }
    (bodies, program)
}

fn verified<P: crate::Phase>(body: &Body<P>, program: &Program) -> String {
    let text = print_body(body);
    let faults = verify(body, program).unwrap();
    assert!(faults.is_empty(), "{}{text}", ir::fault::report("f", &faults));
    text
}

fn legal(text: &str) -> (Vec<Body<Legal>>, Program) {
    let (bodies, program) = read(text);
    let bodies = bodies
        .iter()
        .map(|body| {
            let built = build(body, &program).unwrap();
            verified(&built, &program);
            let body = legalise(built, &program).unwrap();
            verified(&body, &program);
            body
        })
        .collect();
    (bodies, program)
}

/// The one door: the body of the first function, as built.
#[track_caller]
fn check(mir: &str, expect: &str) {
    let (bodies, program) = read(mir);
    let text = verified(&build(&bodies[0], &program).unwrap(), &program);
    assert_eq!(text.trim(), unindent(expect), "got:\n{text}");
    legal(mir);
}

/// Of the first function, in `legal`.
#[track_caller]
fn check_legal(mir: &str, expect: &str) {
    let (bodies, _) = legal(mir);
    let text = print_body(&bodies[0]);
    assert_eq!(text.trim(), unindent(expect), "got:\n{text}");
}

fn unindent(text: &str) -> String {
    let lines: Vec<&str> = text.trim_matches('\n').lines().collect();
    let depth = lines.first().map_or(0, |l| l.len() - l.trim_start().len());
    lines.iter().map(|l| l.get(depth..).unwrap_or("")).collect::<Vec<_>>().join("\n").trim().to_owned()
}

#[test]
fn scratch() {
    for text in [
        "fn @main.f(%0: int, %1: int) -> int {\nb0:\n  %2: int = add %0, %1, b1 !1:1\n  %3: int = div %2, %1, b1 !1:2\n  %4: int = floordiv %3, %1, b1 !1:3\n  %5: int = int 10\n  %6: int = rem %4, %5, {nounwind} !1:4\n  %7: int = shl %6, %0, b1 !1:5\n  %8: int = abs %7, b1 !1:6\n  ret %8\nb1:\n  resume\n}\n",
        "fn @main.f(%0: str, %1: [str], %2: int) -> str {\nb0:\n  %3: str = list_get %1, %2, b1 !1:1\n  %4: str = str \"hello\"\n  %5: str = rt str_concat, %4, %3, {nounwind} !1:2\n  %6: str = rt str_concat, %5, %0, {nounwind} !1:2\n  rt print, %6, b1 !1:3\n  %7: int = rt int_of_str, %0, b1 !1:4\n  %8: int = rt int_pow, %7, %7, b1 !1:5\n  %9: int = str_len %6\n  %10: str = str \"a long text that is not inline at all\"\n  %11: int = str_len %10\n  rt print, %10, b1 !1:3\n  panic custom, %6, b1 !1:9\nb1:\n  resume\n}\n",
    ] {
        let (bodies, program) = legal(text);
        println!("{}", print_body(&bodies[0]));
        let _ = program;
    }
}
