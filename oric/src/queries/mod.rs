//! The one table of queries. Reading it tells what the compiler does.
//!
//! Each row: name, key, value, whether the value will be persisted, what it is. The providers stand in the rooms named by their level; all of them reach
//! the rest of the program through [`levels::Levels`], which answers the `Context` traits of the levels by asking the engine.

mod back;
mod front;
mod levels;
mod middle;
mod world;

pub use back::{Assembled, Entry, NotLinked, shown_name};
pub use front::{FileName, ItemPosition};
pub use levels::{Levels, resolve};
pub use middle::Evaluated;
pub use world::{ReportPositions, World};

use std::sync::Arc;

use ir::{ItemId, Symbol};
use query::{Engine, Input, Kind, Query};

use crate::project::SourceFile;

/// A row of the table, for reports and documentation.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Name in logs.
    pub name: &'static str,
    /// Type of the key.
    pub key: &'static str,
    /// Type of the value.
    pub value: &'static str,
    /// Will the store keep the value (the next issue), or its fingerprint alone?
    pub persisted: bool,
    /// What it is.
    pub meaning: &'static str,
}

macro_rules! queries {
    (
        inputs { $( $input:ident = $input_kind:literal $input_name:literal ($input_key:ty) -> $input_value:ty, $input_meaning:literal; )+ }
        queries { $( $query:ident = $kind:literal $name:literal ($key:ty) -> $value:ty, persisted $persisted:literal, $meaning:literal; )+ }
    ) => {
        $(
            #[doc = $input_meaning]
            pub enum $input {}
            impl Input for $input {
                const KIND: Kind = Kind($input_kind);
                const NAME: &'static str = $input_name;
                type Key = $input_key;
                type Value = $input_value;
            }
        )+
        $(
            #[doc = $meaning]
            pub enum $query {}
            impl Query for $query {
                const KIND: Kind = Kind($kind);
                const NAME: &'static str = $name;
                type Key = $key;
                type Value = $value;
                fn run(cx: &query::Ctx<'_>, key: &$key) -> Result<$value, query::Interrupt> {
                    <$query as Provider>::provide(&Levels::new(cx), key)
                }
                fn on_cycle(key: &$key, cycle: &query::Cycle) -> Option<$value> {
                    <$query as Provider>::on_cycle(key, cycle)
                }
            }
        )+

        /// The table as data, inputs first.
        pub const TABLE: &[Row] = &[
            $( Row { name: $input_name, key: stringify!($input_key), value: stringify!($input_value), persisted: true, meaning: $input_meaning }, )+
            $( Row { name: $name, key: stringify!($key), value: stringify!($value), persisted: $persisted, meaning: $meaning }, )+
        ];

        /// An engine that knows every row.
        pub fn engine() -> Engine {
            let mut engine = Engine::new();
            $( engine.register_input::<$input>(); )+
            $( engine.register::<$query>(); )+
            engine
        }
    };
}

/// How a row is computed.
trait Provider: Query {
    /// The value, asked for through `levels` alone.
    fn provide(levels: &Levels<'_, '_>, key: &Self::Key) -> Result<Self::Value, query::Interrupt>;
    /// The value of a node that depends on itself.
    fn on_cycle(_key: &Self::Key, _cycle: &query::Cycle) -> Option<Self::Value> {
        None
    }
}

queries! {
    inputs {
        Source = 0 "source" (Symbol) -> SourceFile, "text of a module's file";
        Settings = 1 "settings" (()) -> Options, "options that change code";
    }
    queries {
        // From text to items.
        Parse        = 10 "parse"         (Symbol) -> syntax::tree::File, persisted true, "item tree of a file, a syntax tree per item, syntax errors";
        ModuleFile   = 15 "file"          (Symbol) -> Option<FileName>, persisted true, "the file that defines a module: who imports it depends on its being there, not on its text";
        Imports      = 11 "imports"       (Symbol) -> Vec<(syntax::tree::ModulePath, syntax::Span)>, persisted true, "what a file imports";
        Item         = 12 "item"          (ItemId) -> Option<Arc<syntax::tree::Item>>, persisted true, "one item, wherever it stands: the firewall against moved code";
        Position     = 13 "position"      (ItemId) -> Option<ItemPosition>, persisted true, "file and line of an item: the only thing a line shift changes";
        ImportCycles = 14 "import_cycles" (Symbol) -> Vec<Vec<Symbol>>, persisted true, "cycles among the imports reachable from a module";
        // What items tell each other.
        Scope          = 20 "scope"           (Symbol) -> Arc<hir::Scope>, persisted true, "names visible in a module";
        Signature      = 21 "signature"       (ItemId) -> Option<Arc<hir::Signature>>, persisted true, "parameters and result of a function: the firewall against bodies";
        FunctionType   = 24 "function_type"   (ItemId) -> Option<Arc<(Vec<hir::Type>, hir::Type)>>, persisted false, "parameter and result types alone: what code depends on";
        TypeDefinition = 22 "type_definition" (ItemId) -> Option<Arc<hir::TypeDefinition>>, persisted true, "fields of a declared type";
        ConstantType   = 23 "constant_type"   (ItemId) -> Option<hir::Type>, persisted true, "type of a module constant";
        // Bodies.
        TypedBody     = 30 "hir"            (ItemId) -> Arc<hir::infer::Checked>, persisted true, "typed tree of a body, and its diagnostics";
        Calls         = 36 "calls"          (ItemId) -> Vec<ItemId>, persisted true, "functions of the same module that a body calls directly";
        Groups        = 37 "groups"         (Symbol) -> Arc<Vec<(ItemId, u32)>>, persisted true, "recursion groups of a module: its functions with the number of their component";
        BuiltBody     = 31 "mir_built"      (ItemId) -> Option<Arc<mir::Body<mir::Mono>>>, persisted false, "MIR of a body before optimisation, verified";
        OptimisedBody = 32 "mir"            (ItemId) -> Option<Arc<mir::Body<mir::Mono>>>, persisted true, "MIR of a body after optimisation, verified";
        Inlinable     = 33 "inlinable"      (ItemId) -> Option<Arc<mir::Body<mir::Mono>>>, persisted false, "a small body that callers may copy";
        ConstantValue = 34 "constant_value" (ItemId) -> middle::Evaluated, persisted true, "value of a module constant";
        Fields        = 35 "fields"         (hir::Type) -> Option<Arc<[hir::Type]>>, persisted false, "field types of a tuple or struct";
        // Code.
        LirSignature = 40 "lir_signature" (ItemId) -> Option<Arc<lir::Signature>>, persisted false, "machine parameters and results of a function";
        LirBody      = 41 "lir"           (ItemId) -> Option<Arc<lir::Body<lir::Legal>>>, persisted false, "LIR of a body, legal, verified";
        MachineCode  = 42 "machine"       (ItemId) -> Option<Arc<Result<Assembled, String>>>, persisted true, "bytes and relocations of a function, or the limit that it exceeds";
        // Programs.
        Diagnostics = 50 "diagnostics" (Symbol) -> Arc<Vec<syntax::Diagnostic>>, persisted true, "everything there is to say about a module";
        MainForm    = 51 "main_form"   (ItemId) -> Option<Entry>, persisted true, "the form of @main";
        Reachable   = 52 "reachable"   (ItemId) -> Arc<Vec<ItemId>>, persisted true, "functions a program needs, in the order of discovery";
        Object      = 54 "object"      (ItemId) -> Arc<Result<Vec<u8>, NotLinked>>, persisted true, "the program as an ELF object";
        Linked      = 53 "linked"      (ItemId) -> Arc<Result<Vec<u8>, NotLinked>>, persisted true, "the executable image of a program";
    }
}

/// Options that change code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Most rewrites per body (`ORI_FUEL`).
    pub fuel: u64,
    /// Passes switched off (`--no-pass`).
    pub passes_off: Vec<String>,
    /// Run the allocation checker.
    pub check_allocation: bool,
    /// Put a symbol table into the executable.
    pub symbols: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { fuel: u64::MAX, passes_off: Vec::new(), check_allocation: cfg!(debug_assertions), symbols: true }
    }
}
