//! What a debugger is told: DWARF 5, in LLVM's metadata.
//!
//! An instruction of LIR has a place or none. What has none gets the next place in its block, which is mostly what it is computed for, and at the end of a block
//! the last one; in a block without places nothing has a line, and calls get line 0, because LLVM wants to know of each call where it is. Places name the calls
//! that they were inlined through, and so do the locations.
//!
//! The language is C11: debuggers show variables of languages that they do not know badly (lldb not at all). Linked symbols are left out: gdb would show them
//! instead of the names. Nothing here is absolute: files are named as in
//! reports, and the folder of the compilation is `.`.
//!
//! Numbers of metadata begin high, so that whoever else numbers some need not know of these.

use std::fmt::Write;

use hashbrown::HashMap;
use ir::ssa::Inst;
use ir::{ItemId, Place, PlaceId, Places, Symbol};

use crate::text::escaped;
use crate::told::{Debug, Depth, Source};
use crate::unit::Function;
use crate::variables::{Variables, View};

/// The first number.
const FIRST: u32 = 1 << 20;
/// Of the unit.
const UNIT: u32 = FIRST;
/// Of the type of functions of which nothing is said.
const UNKNOWN: u32 = FIRST + 1;
/// Of the modules' flags.
const FLAGS: u32 = FIRST + 2;

/// Metadata in the making.
pub(crate) struct Records<'u> {
    pub(crate) debug: &'u Debug,
    pub(crate) sources: HashMap<ItemId, &'u Source>,
    pub(crate) text: String,
    next: u32,
    files: HashMap<&'u str, u32>,
    functions: HashMap<ItemId, u32>,
    /// By function, line, column and the location around.
    locations: HashMap<(u32, u32, u32, u32), u32>,
    /// By scope, line, column and the name of the local that begins it.
    pub(crate) blocks: HashMap<(u32, u32, u32, Symbol), u32>,
    /// By scope, line, name, number of the parameter and type.
    pub(crate) variables: HashMap<(u32, u32, Symbol, u32, &'u str), u32>,
    /// By name.
    pub(crate) types: HashMap<&'u str, u32>,
    /// Of bytes, and of addresses of nothing in particular.
    pub(crate) byte: Option<u32>,
    pub(crate) address: Option<u32>,
}

impl<'u> Records<'u> {
    pub(crate) fn new(debug: &'u Debug) -> Records<'u> {
        Records {
            debug,
            sources: debug.sources.iter().map(|source| (source.item, source)).collect(),
            text: String::new(),
            next: FLAGS + 2,
            files: HashMap::new(),
            functions: HashMap::new(),
            locations: HashMap::new(),
            blocks: HashMap::new(),
            variables: HashMap::new(),
            types: HashMap::new(),
            byte: None,
            address: None,
        }
    }

    /// A number for what is written later.
    pub(crate) fn number(&mut self) -> u32 {
        self.next += 1;
        self.next - 1
    }

    pub(crate) fn row(&mut self, text: std::fmt::Arguments<'_>) -> u32 {
        let number = self.number();
        let _ = writeln!(self.text, "!{number} = {text}");
        number
    }

    pub(crate) fn file(&mut self, name: &'u str) -> u32 {
        if let Some(&number) = self.files.get(name) {
            return number;
        }
        let number = self.row(format_args!("!DIFile(filename: \"{}\", directory: \".\")", escaped(name.as_bytes())));
        self.files.insert(name, number);
        number
    }

    /// The file of what nobody wrote is that of the unit.
    fn main_file(&mut self) -> u32 {
        let debug = self.debug;
        self.file(debug.sources.iter().map(|source| source.file.as_str()).find(|file| !file.is_empty()).unwrap_or("ori"))
    }

    /// The subprogram of a function, or of another item that code stands in.
    pub(crate) fn function(&mut self, item: ItemId) -> u32 {
        if let Some(&number) = self.functions.get(&item) {
            return number;
        }
        let source = self.sources.get(&item).copied();
        let file = match source {
            Some(source) if !source.file.is_empty() => self.file(&source.file),
            Some(_) | None => self.main_file(),
        };
        let name = source.map_or_else(|| item.to_string(), |source| source.name.clone());
        let line = source.map_or(0, |source| source.line);
        let mut flags = "DISPFlagDefinition".to_owned();
        if self.debug.is_optimised {
            flags.push_str(" | DISPFlagOptimized");
        }
        if source.is_some_and(|source| source.is_main) {
            flags.push_str(" | DISPFlagMainSubprogram");
        }
        let made = if source.is_none_or(|source| source.is_made) { ", flags: DIFlagArtificial" } else { "" };
        let number = self.row(format_args!(
            "distinct !DISubprogram(name: \"{}\", scope: !{file}, file: !{file}, line: {line}, type: !{UNKNOWN}, \
             scopeLine: {line}{made}, spFlags: {flags}, unit: !{UNIT})",
            escaped(name.as_bytes())
        ));
        self.functions.insert(item, number);
        number
    }

    pub(crate) fn location(&mut self, function: u32, line: u32, column: u32, around: u32) -> u32 {
        if let Some(&number) = self.locations.get(&(function, line, column, around)) {
            return number;
        }
        // One of a call is not distinct either: what was inlined twice at one place is one call of the program.
        let around_text = if around == 0 { String::new() } else { format!(", inlinedAt: !{around}") };
        let number = self.row(format_args!("!DILocation(line: {line}, column: {column}, scope: !{function}{around_text})"));
        self.locations.insert((function, line, column, around), number);
        number
    }

    /// A line of the file, of one of an item.
    fn line(&self, place: &Place) -> u32 {
        self.sources.get(&place.item).map_or(0, |source| if source.line == 0 { 0 } else { source.line + place.line.saturating_sub(1) })
    }

    /// A place in the code of `of`, with what it was inlined through.
    fn place(&mut self, of: ItemId, places: &Places, id: PlaceId, view: &View) -> u32 {
        match self.spot(of, places, id, view) {
            Some(((scope, around), line, column)) => self.location(scope, line, column, around),
            None => 0,
        }
    }

    /// The scope of a place and the location around it, its line and its column.
    pub(crate) fn spot(&mut self, of: ItemId, places: &Places, id: PlaceId, view: &View) -> Option<((u32, u32), u32, u32)> {
        let chain: Vec<Place> = places.chain(id).copied().collect();
        let own = self.function(of);
        let mut around = 0;
        let mut spot = None;
        let calls: Vec<(ItemId, u32, u32)> = chain.iter().map(|place| (place.item, place.line, place.column)).collect();
        for (depth, place) in chain.iter().rev().enumerate() {
            if let Some(((scope, outer), line, column)) = spot {
                around = self.location(scope, line, column, outer);
            }
            let is_own = place.item == of || of.unpacked().is_some_and(|(unpacked, _)| unpacked == place.item);
            let scope = match depth == 0 {
                true if is_own => own,
                // Code of another item that nobody called: LLVM wants the function itself around.
                true => {
                    around = self.location(own, 0, 0, 0);
                    self.function(place.item)
                }
                false => self.function(place.item),
            };
            // A local may have begun a block.
            let frame = (place.item, calls[calls.len() - depth..].to_vec());
            let scope = view.scopes.get(&frame).copied().unwrap_or(scope);
            // LLVM keeps columns in 16 bits.
            let column = u16::try_from(place.column).map_or(0, u32::from);
            spot = Some(((scope, around), self.line(place), column));
        }
        spot
    }

    /// All of it, to stand behind the functions.
    pub(crate) fn finish(mut self) -> String {
        let file = self.main_file();
        let Debug { is_optimised, depth, .. } = self.debug;
        let kind = match depth {
            Depth::Lines => "LineTablesOnly",
            Depth::Full => "FullDebug",
        };
        format!(
            "!llvm.dbg.cu = !{{!{UNIT}}}
!llvm.module.flags = !{{!{FLAGS}, !{}}}
!{UNIT} = distinct !DICompileUnit(language: DW_LANG_C11, file: !{file}, producer: \"oric {}\", isOptimized: {is_optimised}, runtimeVersion: 0, \
             emissionKind: {kind}, nameTableKind: None)
!{UNKNOWN} = !DISubroutineType(types: !{{null}})
!{FLAGS} = !{{i32 7, !\"Dwarf Version\", i32 5}}
!{} = !{{i32 2, !\"Debug Info Version\", i32 3}}
{}",
            FLAGS + 1,
            env!("CARGO_PKG_VERSION"),
            FLAGS + 1,
            self.text
        )
    }
}

/// Where the instructions of a function are.
pub(crate) struct Lines {
    function: u32,
    /// By instruction, for the block at hand: the number of its location.
    of: HashMap<Inst, u32>,
    nowhere: u32,
    pub(crate) variables: Variables,
}

impl Lines {
    pub(crate) fn new(records: &mut Records<'_>, function: &Function) -> Lines {
        let function = records.function(function.graph().name);
        Lines { function, of: HashMap::new(), nowhere: records.location(function, 0, 0, 0), variables: Variables::default() }
    }

    /// What stands behind the head of the function.
    pub(crate) fn head(&self) -> String {
        format!(" !dbg !{}", self.function)
    }

    /// Looks at a block: instructions without a place get that of the next one that has one, at the end of the block the last.
    pub(crate) fn block(&mut self, records: &mut Records<'_>, of: &Function, insts: &[Inst]) {
        self.of.clear();
        let graph = of.graph();
        let own = |inst: &&Inst| graph.edges[**inst].place.is_some();
        let Some(&last) = insts.iter().rev().find(own) else { return };
        let mut now = self.place(records, of, last);
        for &inst in insts.iter().rev() {
            if graph.edges[inst].place.is_some() {
                now = self.place(records, of, inst);
            }
            self.of.insert(inst, now);
        }
    }

    fn place(&mut self, records: &mut Records<'_>, of: &Function, inst: Inst) -> u32 {
        let graph = of.graph();
        let view = self.variables.at(records, of, inst);
        records.place(graph.name, &graph.places, graph.edges[inst].place, &view)
    }

    /// Says of what was written for an instruction, from here on, where it is.
    pub(crate) fn mark(&self, inst: Inst, text: &mut String, from: usize) {
        let location = self.of.get(&inst).copied();
        let written = text.split_off(from);
        for line in written.lines() {
            text.push_str(line);
            match location {
                Some(location) if line.starts_with("  ") => _ = write!(text, ", !dbg !{location}"),
                None if line.starts_with("  ") && (line.contains("call ") || line.contains("invoke ")) => {
                    let _ = write!(text, ", !dbg !{}", self.nowhere);
                }
                Some(_) | None => {}
            }
            text.push('\n');
        }
    }
}
