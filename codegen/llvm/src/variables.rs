//! Parameters and their types, for debuggers.
//!
//! A parameter is several machine values: each is told as a piece of it. They are told where the function begins, and hold as long as LLVM keeps them. A machine
//! value that goes round a loop is not told: the parameter may be another one there (self tail calls).
//!
//! Types are structs of C to a debugger. Text has two forms (`rt_abi`), and both are shown: what is short lies in `bytes`, of the rest `start` and `length` hold.
//! Of a sum all variants with a payload are shown over each other, with `is` to say which one it is.

use std::fmt::Write;

use ir::ssa::{ENTRY, Value};

use crate::debug::Records;
use crate::text::{escaped, narrow};
use crate::told::{Choice, Depth, Encoding, Form, Member, Told};
use crate::unit::Function;

/// Bytes of a text that is short.
const SHORT: u32 = 23;
/// What a parameter is called that has no name: a blank, or one that a pattern takes apart.
const NAMELESS: &str = "_";

impl<'u> Records<'u> {
    /// What stands at the start of a function about its parameters.
    pub(crate) fn parameters(&mut self, function: &'u Function) -> String {
        let mut out = String::new();
        let (debug, graph) = (self.debug, function.graph());
        let Some(source) = self.sources.get(&graph.name).copied() else { return out };
        if debug.depth != Depth::Full || source.params.is_empty() {
            return out;
        }
        let values = graph.blocks.get(ENTRY).map_or(&[][..], |entry| &entry.params);
        let told: Vec<&Told> = source.params.iter().filter_map(|param| debug.types.get(&param.ty)).collect();
        let count: usize = told.iter().map(|told| told.leaves.len()).sum();
        // Wide results have an area, whose address comes first.
        let Some(first) = values.len().checked_sub(count).filter(|&area| area <= 1 && told.len() == source.params.len()) else {
            return out;
        };
        let mut values = values[first..].iter();
        let scope = self.function(graph.name);
        let file = self.file(&source.file);
        let location = self.location(scope, source.line, 0, 0);
        for (at, (param, told)) in source.params.iter().zip(told).enumerate() {
            if told.leaves.is_empty() {
                continue;
            }
            if param.name == NAMELESS {
                // It has no name to ask for, and its values are before those of the next one.
                values.by_ref().take(told.leaves.len()).for_each(drop);
                continue;
            }
            let ty = self.of_type(&param.ty);
            let variable = self.row(format_args!(
                "!DILocalVariable(name: \"{}\", arg: {}, scope: !{scope}, file: !{file}, line: {}, type: !{ty})",
                escaped(param.name.as_bytes()),
                at + 1,
                source.line
            ));
            for (&(offset, size), &value) in told.leaves.iter().zip(&mut values) {
                let ty = graph.ty(value);
                if ty.size() != size || goes_round(function, value) {
                    continue;
                }
                let piece = match told.leaves.len() {
                    // A piece that is all of it is none to LLVM.
                    1 if size == told.size => "!DIExpression()".to_owned(),
                    _ => format!("!DIExpression(DW_OP_LLVM_fragment, {}, {})", offset * 8, size * 8),
                };
                let _ = writeln!(out, "    #dbg_value({} %v{}, !{variable}, {piece}, !{location})", narrow(ty), value.raw());
            }
        }
        out
    }

    /// The type with this name.
    fn of_type(&mut self, name: &str) -> u32 {
        let debug = self.debug;
        let Some((name, told)) = debug.types.get_key_value(name) else { return self.address() };
        if let Some(&number) = self.types.get(name.as_str()) {
            return number;
        }
        let number = self.number();
        // Before its parts, which may be of it.
        self.types.insert(name, number);
        let (shown, size) = (escaped(name.as_bytes()), told.size * 8);
        let parts = match &told.form {
            Form::Basic(encoding) => {
                let encoding = match encoding {
                    Encoding::Signed => "DW_ATE_signed",
                    Encoding::Unsigned => "DW_ATE_unsigned",
                    Encoding::Float => "DW_ATE_float",
                    Encoding::Bool => "DW_ATE_boolean",
                    Encoding::Char => "DW_ATE_UTF",
                };
                let _ = writeln!(self.text, "!{number} = !DIBasicType(name: \"{shown}\", size: {size}, encoding: {encoding})");
                return number;
            }
            Form::Address => {
                let _ = writeln!(
                    self.text,
                    "!{number} = !DIDerivedType(tag: DW_TAG_pointer_type, name: \"{shown}\", baseType: null, size: {size})"
                );
                return number;
            }
            Form::Text => self.text_parts(),
            Form::List(element) => {
                let element = self.of_type(element);
                let start = self.row(format_args!("!DIDerivedType(tag: DW_TAG_pointer_type, baseType: !{element}, size: 64)"));
                let (length, buffer) = (self.of_type("int"), self.address());
                vec![self.member("start", 0, 8, start), self.member("length", 8, 8, length), self.member("buffer", 16, 8, buffer)]
            }
            Form::Function => {
                let address = self.address();
                vec![self.member("code", 0, 8, address), self.member("captured", 8, 8, address)]
            }
            Form::Struct(members) => self.members(members),
            Form::Sum(choice, members) => {
                let mut parts = vec![self.choice(choice)];
                parts.extend(self.members(members));
                parts
            }
        };
        let parts: Vec<String> = parts.iter().map(|part| format!("!{part}")).collect();
        let _ = writeln!(
            self.text,
            "!{number} = !DICompositeType(tag: DW_TAG_structure_type, name: \"{shown}\", size: {size}, elements: !{{{}}})",
            parts.join(", ")
        );
        number
    }

    fn members(&mut self, members: &'u [Member]) -> Vec<u32> {
        let debug = self.debug;
        let size = |member: &Member| debug.types.get(&member.ty).map_or(8, |told| told.size);
        members
            .iter()
            .map(|member| {
                let ty = self.of_type(&member.ty);
                self.member(&member.name, member.offset, size(member), ty)
            })
            .collect()
    }

    fn member(&mut self, name: &str, offset: u32, size: u32, ty: u32) -> u32 {
        self.row(format_args!(
            "!DIDerivedType(tag: DW_TAG_member, name: \"{}\", baseType: !{ty}, size: {}, offset: {})",
            escaped(name.as_bytes()),
            size * 8,
            offset * 8
        ))
    }

    fn text_parts(&mut self) -> Vec<u32> {
        let byte = match self.byte {
            Some(byte) => byte,
            None => self.row(format_args!("!DIBasicType(name: \"char\", size: 8, encoding: DW_ATE_signed_char)")),
        };
        self.byte = Some(byte);
        let all = self.row(format_args!("!{{!DISubrange(count: {SHORT})}}"));
        let short =
            self.row(format_args!("!DICompositeType(tag: DW_TAG_array_type, baseType: !{byte}, size: {}, elements: !{all})", SHORT * 8));
        let start = self.row(format_args!("!DIDerivedType(tag: DW_TAG_pointer_type, baseType: !{byte}, size: 64)"));
        let (length, address) = (self.of_type("int"), self.address());
        vec![
            self.member("bytes", 0, SHORT, short),
            self.member("start", 0, 8, start),
            self.member("length", 8, 8, length),
            self.member("owner", 16, 8, address),
        ]
    }

    fn choice(&mut self, choice: &'u Choice) -> u32 {
        let names: Vec<u32> = choice
            .names
            .iter()
            .map(|(number, name)| self.row(format_args!("!DIEnumerator(name: \"{}\", value: {number})", escaped(name.as_bytes()))))
            .collect();
        let names: Vec<String> = names.iter().map(|name| format!("!{name}")).collect();
        let base = self.row(format_args!("!DIBasicType(name: \"variant\", size: {}, encoding: DW_ATE_unsigned)", choice.size * 8));
        let ty = self.row(format_args!(
            "!DICompositeType(tag: DW_TAG_enumeration_type, baseType: !{base}, size: {}, elements: !{{{}}})",
            choice.size * 8,
            names.join(", ")
        ));
        self.member("is", choice.offset, choice.size, ty)
    }

    /// An address of nothing in particular.
    fn address(&mut self) -> u32 {
        let number = match self.address {
            Some(number) => number,
            None => self.row(format_args!("!DIDerivedType(tag: DW_TAG_pointer_type, baseType: null, size: 64)")),
        };
        self.address = Some(number);
        number
    }
}

/// Does the value become another one's first one, at an edge?
fn goes_round(function: &Function, value: Value) -> bool {
    let graph = function.graph();
    let last = |insts: &[ir::ssa::Inst]| insts.last().copied();
    graph
        .blocks
        .rows()
        .iter()
        .filter_map(|block| last(&block.insts))
        .any(|inst| graph.targets(inst).iter().any(|&target| graph.target_args(target).contains(&value)))
}
