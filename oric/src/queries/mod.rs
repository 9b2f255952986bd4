//! The one table of queries. Reading it tells what the compiler does.
//!
//! Each row: name, key, value, whether the store keeps the value or its fingerprint alone (or derives that from what it was computed from), whether it is a
//! firewall (brought up to date as soon as an edit reaches it; it asks no firewall further down), the rooms whose code the value depends on, what it is. The
//! providers stand in the rooms named by their level; all of them reach the rest of the program through [`levels::Levels`], which answers the `Context`
//! traits of the levels by asking the engine. No provider can reach files, the clock or the environment: what they read comes through inputs.

mod address;
mod back;
pub(crate) mod codec;
mod coverage;
mod front;
mod impls;
mod levels;
mod limit;
mod middle;
mod release;
mod rewritten;
mod tests;
mod world;

pub use back::{
    Assembled, Entry, Executable, Mentioned, ModuleOf, NotLinked, PartPlan, Plan, Reached, is_hidden, item_record, shown_name, wide,
};
pub use front::{FileName, ItemPosition, ModuleReport, Report};
pub use levels::{Levels, resolve};
pub use limit::Limit;
pub use middle::Evaluated;
pub use release::{Callable, Plan as Release, outline};
pub use tests::{CodeKey, How, OneFile, Run, RunKey, Sites, TestRow, is_test_module, tests_item, tests_module};
pub use world::{ReportPositions, World};

use std::sync::Arc;

use ir::{Fuel, ItemId, Symbol};
use query::{Engine, Input, Kind, Query};

use crate::project::SourceFile;
use crate::project::packages::Packages;
use crate::rewrites::{Cut, Stage, Unit, Work};

/// A row of the table, for reports and documentation.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Name in logs.
    pub name: &'static str,
    /// Type of the key.
    pub key: &'static str,
    /// Type of the value.
    pub value: &'static str,
    /// Does the store keep the value, or its fingerprint alone?
    pub persisted: bool,
    /// Is it brought up to date as soon as an edit reaches it, so that only a change goes on?
    pub firewall: bool,
    /// Rooms whose code the value depends on: another compiler with the same code there believes what this one stored.
    pub rooms: &'static [&'static str],
    /// What it is.
    pub meaning: &'static str,
}

macro_rules! queries {
    (
        inputs { $( $input:ident = $input_kind:literal $input_name:literal ($input_key:ty) -> $input_value:ty, $input_meaning:literal; )+ }
        queries { $( $query:ident = $kind:literal $name:literal ($key:ty) -> $value:ty, $storage:ident $(+ $firewall:ident)?, [$($room:literal)+], $meaning:literal; )+ }
    ) => {
        $(
            #[doc = $input_meaning]
            pub enum $input {}
            impl Input for $input {
                const KIND: Kind = Kind($input_kind);
                const NAME: &'static str = $input_name;
                type Key = $input_key;
                type Value = $input_value;
                fn address(key: &$input_key) -> u64 {
                    address::Address::address(key)
                }
                fn key_to_bytes(key: &$input_key, out: &mut Vec<u8>) {
                    codec::write(key, out);
                }
                fn key_from_bytes(bytes: &[u8]) -> Option<$input_key> {
                    codec::read(bytes)
                }
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
                fn address(key: &$key) -> u64 {
                    address::Address::address(key)
                }
                fn run(cx: &query::Ctx<'_>, key: &$key) -> Result<$value, query::Interrupt> {
                    <$query as Provider>::provide(&Levels::new(cx), key)
                }
                fn on_cycle(key: &$key, cycle: &query::Cycle) -> Option<$value> {
                    <$query as Provider>::on_cycle(key, cycle)
                }
                fn schema() -> query::Fp {
                    codec::schema(&[$($room),+])
                }
                fn key_to_bytes(key: &$key, out: &mut Vec<u8>) {
                    codec::write(key, out);
                }
                fn key_from_bytes(bytes: &[u8]) -> Option<$key> {
                    codec::read(bytes)
                }
                queries!(@storage $storage $value);
                $( queries!(@$firewall); )?
            }
        )+

        /// The table as data, inputs first.
        pub const TABLE: &[Row] = &[
            $( Row {
                name: $input_name, key: stringify!($input_key), value: stringify!($input_value), persisted: false, firewall: false, rooms: &[], meaning: $input_meaning,
            }, )+
            $( Row {
                name: $name, key: stringify!($key), value: stringify!($value), persisted: <$query as Query>::PERSISTED,
                firewall: <$query as Query>::FIREWALL, rooms: &[$($room),+], meaning: $meaning,
            }, )+
        ];

        /// Is it the kind of an input?
        pub fn is_input(kind: u16) -> bool {
            [$( $input_kind ),+].contains(&kind)
        }

        /// An engine that knows every row, and the library.
        pub fn engine() -> Engine {
            let mut engine = Engine::new();
            $( engine.register_input::<$input>(); )+
            $( engine.register::<$query>(); )+
            crate::inputs::serve_library(&mut engine);
            engine
        }
    };
    (@storage value $value:ty) => {
        const PERSISTED: bool = true;
        fn to_bytes(value: &$value, out: &mut Vec<u8>) {
            codec::write(value, out);
        }
        fn from_bytes(bytes: &[u8]) -> Option<$value> {
            codec::read(bytes)
        }
    };
    (@storage fingerprint $value:ty) => {};
    (@storage derived $value:ty) => {
        const FROM_DEPENDENCIES: bool = true;
    };
    (@firewall) => {
        const FIREWALL: bool = true;
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
        Main = 3 "main" (()) -> Symbol, "module of `@main`: impls count wherever they stand in the program that it reaches";
        TestSites = 4 "test_sites" (()) -> Sites, "modules that hold tests, and whether they must stand in folders of their own";
        PackageTable = 9 "packages" (()) -> Packages, "packages of the program, and the names by which each imports others";
        TestShows = 7 "test_shows" (CodeKey) -> bool, "whether a run of a test with this code shows places";
        TestRun = 8 "test_run" (RunKey) -> Run, "how a test with this code ends: made by running it, when somebody asks";
        LinkSettings = 2 "link_settings" (()) -> LinkOptions, "options that change the executable, not the code of functions";
    }
    queries {
        // From text to items.
        Parse        = 10 "parse"         (Symbol) -> syntax::tree::File, derived + firewall, ["syntax"], "item tree of a file, a syntax tree per item, syntax errors";
        ModuleFile   = 15 "file"          (Symbol) -> Option<FileName>, value + firewall, ["oric"], "the file that defines a module: who imports it depends on its being there, not on its text";
        Imports      = 11 "imports"       (Symbol) -> Vec<syntax::tree::ModulePath>, value + firewall, ["hir"], "what a file imports, in order";
        Modules      = 16 "modules"       (Symbol) -> Arc<Vec<Symbol>>, value + firewall, ["oric"], "modules that a module reaches by imports, in the order of discovery";
        Item         = 12 "item"          (ItemId) -> Option<Arc<syntax::tree::Item>>, fingerprint + firewall, ["oric" "syntax"], "one item, wherever it stands: the firewall against moved code";
        Position     = 13 "position"      (ItemId) -> Option<ItemPosition>, value, ["oric"], "file and line of an item: the only thing a line shift changes";
        Start        = 17 "start"         (ItemId) -> Option<u32>, value, ["oric"], "first byte of an item in its file: where its diagnostics are shown";
        ImportCycles = 14 "import_cycles" (Symbol) -> Vec<Vec<Symbol>>, value + firewall, ["oric"], "cycles among the imports reachable from a module";
        Testable     = 65 "testable"      (Symbol) -> Arc<Vec<(ItemId, syntax::Span)>>, value + firewall, ["oric"], "functions of a module that need a test, with their names' spans";
        // What items tell each other.
        Scope          = 20 "scope"           (Symbol) -> Arc<hir::Scope>, value + firewall, ["hir"], "names visible in a module";
        Defaults       = 68 "defaults"        (ItemId) -> Arc<Vec<Option<hir::Type>>>, value + firewall, ["hir"], "defaults of the type parameters of a type or trait";
        Outline        = 69 "trait_outline"  (ItemId) -> Option<Arc<hir::program::TraitOutline>>, value + firewall, ["hir"], "supertraits of a trait and names of its associated types: what definitions of traits ask of each other";
        TraitDef       = 46 "trait_definition" (ItemId) -> Option<Arc<hir::program::TraitDefinition>>, value + firewall, ["hir"], "supertraits and members of a trait";
        TypeDefinition = 22 "type_definition" (ItemId) -> Option<Arc<hir::TypeDefinition>>, value + firewall, ["hir"], "fields of a declared type";
        ModuleImpls    = 26 "module_impls"   (Symbol) -> Arc<Vec<hir::program::ImplRow>>, value + firewall, ["hir"], "impls of a module, by the head of their type";
        Impls          = 27 "impls"          (()) -> Arc<impls::ImplTable>, value + firewall, ["oric"], "impls of the program";
        InherentImpls  = 28 "inherent_impls" (ItemId) -> Arc<Vec<hir::program::ImplRow>>, value + firewall, ["oric"], "inherent impls of a declared type: the firewall against the impls of others";
        TraitImpls     = 47 "trait_impls"    (impls::ImplsOf) -> Arc<Vec<hir::program::ImplRow>>, value + firewall, ["hir" "oric"], "impls of a trait for types of one head: the firewall against the impls of others";
        Implementation = 25 "implementation" (ItemId) -> Option<Arc<hir::program::Implementation>>, value + firewall, ["hir"], "header of an impl";
        Targets        = 66 "targets"        (Symbol) -> Option<Arc<Vec<ItemId>>>, value + firewall, ["hir" "oric"], "functions that the tests of a module are attached to; nothing when its file does not parse";
        Signature      = 21 "signature"       (ItemId) -> Option<Arc<hir::Signature>>, value + firewall, ["hir"], "parameters and result of a function: the firewall against bodies";
        SelfUses       = 29 "self_uses"      (ItemId) -> Arc<hir::resolve::SelfUses>, value + firewall, ["hir"], "what a method does with its self, by its syntax";
        Changers      = 74 "changers"       (()) -> Arc<hir::resolve::Changers>, value + firewall, ["hir"], "methods of the program that change their self: asked for behind long chains of calls";
        Mutates        = 44 "mutates"        (ItemId) -> bool, value + firewall, ["hir"], "does a method change its self?";
        HiddenResult   = 81 "hidden_result"   (ItemId) -> Option<hir::Type>, value, ["hir"], "type that the body of a function gives whose signature hides it: what code depends on, and no check";
        FunctionType   = 24 "function_type"   (ItemId) -> Option<Arc<(Vec<hir::Type>, hir::Type)>>, value + firewall, ["oric"], "parameter and result types alone: what code depends on";
        ConstantType   = 23 "constant_type"   (ItemId) -> Option<hir::Type>, value, ["hir"], "type of a module constant";
        // Bodies.
        TypedBody     = 30 "hir"            (ItemId) -> Arc<hir::infer::Checked>, derived, ["hir"], "typed tree of a body, and its diagnostics, verified";
        BodyReport    = 38 "body_report"    (ItemId) -> Arc<front::Report>, value, ["oric" "mir"], "what there is to say about a body, and which functions beside it it calls: the firewall between its tree and its module";
        Groups        = 37 "groups"         (Symbol) -> Arc<Vec<(ItemId, u32)>>, value, ["oric"], "recursion groups of a module: its functions with the number of their component";
        GenericCalls  = 45 "generic_calls"  (ItemId) -> Vec<hir::resolve::GenericCall>, value, ["hir"], "what a generic body makes of its type parameters: whether its instances end";
        GenericBody   = 39 "mir_generic"    (ItemId) -> Option<Arc<mir::Body<mir::Built>>>, fingerprint, ["mir"], "MIR of a generic body, verified: what its instances are copies of";
        BuiltBody     = 31 "mir_built"      (ItemId) -> Option<Arc<mir::Body<mir::Mono>>>, fingerprint, ["mir"], "MIR of a body or instance before optimisation, verified";
        OptimisedBody = 32 "mir"            (ItemId) -> Option<Arc<mir::Body<mir::Mono>>>, derived, ["mir"], "MIR of a body after optimisation, verified";
        OwnedBody     = 49 "mir_owned"      (ItemId) -> Option<Arc<mir::Body<mir::Owned>>>, derived, ["mir"], "MIR of a body with its ownership spelled out, certified";
        Contracts     = 64 "contract"       (ItemId) -> mir::Contract, value, ["mir"], "which parameters a function borrows: the firewall between bodies and the ownership of their callers";
        Inlinable     = 33 "inlinable"      (ItemId) -> Option<Arc<mir::Body<mir::Mono>>>, value, ["mir"], "a small body that callers may copy";
        ConstantValue = 34 "constant_value" (ItemId) -> middle::Evaluated, value, ["mir"], "value of a module constant";
        LambdaType    = 63 "lambda_type"   (ItemId) -> Option<Arc<(Vec<hir::Type>, hir::Type)>>, value, ["oric"], "parameter types of a lambda, then those of what it captures, and its result";
        Fields        = 35 "fields"         (hir::Type) -> Option<Arc<[hir::Type]>>, value + firewall, ["oric"], "field types of a tuple or struct";
        ObjectMethods = 80 "object_methods" (hir::Type) -> Arc<[hir::program::ObjectMethod]>, value + firewall, ["hir" "oric"], "methods of a trait object, in the order of their addresses";
        Variants      = 48 "variants"       (hir::Type) -> Option<Arc<mir::Variants>>, value + firewall, ["oric"], "payload types of the variants of a sum of several";
        // Code.
        LirSignature = 40 "lir_signature" (ItemId) -> Option<Arc<lir::Signature>>, value, ["lir"], "machine parameters and results of a function";
        LirBody      = 41 "lir"           (ItemId) -> Option<Arc<lir::Body<lir::Legal>>>, derived, ["lir"], "LIR of a body, legal, verified";
        MachineCode  = 42 "machine"       (ItemId) -> Option<Arc<Result<Assembled, Limit>>>, value, ["machine"], "bytes and relocations of a function, or the limit that it exceeds";
        Mentions     = 43 "mentions"      (ItemId) -> Arc<back::Mentioned>, value, ["oric"], "functions and items that the code of a function names: the firewall between code and reachability";
        Rewritten    = 73 "rewritten" (Unit) -> Option<Arc<Work>>, fingerprint, ["lir"], "what the passes of a stage do to a body, for the search for a wrong rewrite";
        Remarked     = 79 "remarks" (ItemId) -> Arc<Vec<ir::Remark>>, fingerprint, ["mir"], "what the passes of MIR say of a body: asked by `--remarks` alone";
        // Tests.
        Tests       = 61 "tests"       (()) -> Arc<Vec<tests::TestRow>>, value, ["oric"], "tests of the program, in the order of files and places, and how each is run";
        TestReport  = 62 "test_report" (ItemId) -> Arc<Vec<syntax::Diagnostic>>, value, ["oric" "hir"], "what there is to say about a test that must not compile";
        TestCode    = 70 "test_code"   (ItemId) -> u128, value, ["oric"], "fingerprint of all code that a test reaches";
        TestPlaces  = 71 "test_places" (ItemId) -> u128, value, ["oric"], "fingerprint of the positions of all that a test reaches";
        TestVerdict = 72 "test"        (ItemId) -> Arc<Run>, value, ["codegen"], "how a test ends, and what it writes";
        Untested    = 67 "untested"    (()) -> Arc<Vec<(ItemId, syntax::Span)>>, value, ["oric"], "functions of the program that no test is attached to";
        // Programs.
        Diagnostics = 50 "diagnostics" (Symbol) -> Arc<front::ModuleReport>, value, ["hir" "oric"], "everything there is to say about a module";
        Check       = 55 "check"       (Symbol) -> Arc<Vec<syntax::Diagnostic>>, value, ["oric"], "everything there is to say about a program: the root of `check`";
        MainForm    = 51 "main_form"   (ItemId) -> Option<Entry>, value + firewall, ["oric"], "the form of @main";
        Reachable   = 52 "reachable"   (ItemId) -> Arc<Vec<back::Reached>>, value, ["oric"], "functions a program needs, and items that they name, by module, in the order of discovery";
        ReachedModules = 58 "reached_modules" (ItemId) -> Arc<Vec<Symbol>>, value, ["oric"], "modules that have something a program needs";
        ReachedIn   = 59 "reached_in"  (ModuleOf) -> Arc<back::Reached>, value, ["oric"], "what a program needs of one module";
        Object      = 54 "object"      (ItemId) -> Arc<Result<Vec<u8>, NotLinked>>, derived, ["codegen"], "the program as an ELF object";
        EntryCode   = 57 "entry_code"  (ItemId) -> Option<Arc<Result<Assembled, Limit>>>, value, ["machine"], "code of the function that the runtime calls, which calls @main";
        Linked      = 56 "linked"      (ItemId) -> Arc<Result<Executable, NotLinked>>, derived, ["codegen"], "the executable image of a program, linked from nothing";
        Part        = 60 "part"        (ModuleOf) -> Arc<back::PartPlan>, value, ["codegen"], "fingerprints of the code and the positions that one module gives to an executable";
        LirOutline   = 75 "lir_outline" (ItemId) -> Arc<release::Callable>, value, ["oric"], "whom the LIR of a function names, how it is called, how large it is: reachability and units of release builds";
        EntryLir    = 76 "entry_lir"   (ItemId) -> Option<Arc<lir::Body<lir::Legal>>>, derived, ["lir"], "LIR of the function that the runtime calls";
        ReleasePlan = 77 "release_plan" (ItemId) -> Arc<release::Plan>, value, ["oric"], "fingerprints of the LIR and the positions that a release build is made of: what the driver asks LLVM about";
        Accounted   = 78 "account"     (ItemId) -> Arc<Result<image::Account, NotLinked>>, fingerprint, ["codegen"], "where the bytes of an executable go, for `oric report size`";
        LinkPlan    = 53 "link_plan"   (ItemId) -> Arc<back::Plan>, value, ["codegen"], "fingerprints of the parts of an executable: the root of `build`; the linker works from it";
    }
}

/// Options that change code.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Options {
    /// Most rewrites per body (`ORI_FUEL`).
    pub fuel: u64,
    /// Up to which rewrite there are any (`ORI_FUEL` with a place).
    pub cut: Option<Cut>,
    /// Passes switched off (`--no-pass`).
    pub passes_off: Vec<String>,
    /// Run the allocation checker.
    pub check_allocation: bool,
    /// Every cell is asked of the runtime, for one that has no lists of free ones (`--allocator=system`).
    pub separate_cells: bool,
    /// Programs tell what happens to their memory (`--mem-debug`).
    pub mem_debug: bool,
    /// Bodies say which locals have which values (`-g`).
    pub names_locals: bool,
}

impl Default for Options {
    fn default() -> Self {
        let check_allocation = cfg!(debug_assertions);
        Options {
            fuel: u64::MAX,
            cut: None,
            passes_off: Vec::new(),
            check_allocation,
            separate_cells: false,
            mem_debug: false,
            names_locals: false,
        }
    }
}

impl Options {
    /// The fuel of a body at a stage.
    pub fn fuel(&self, body: ItemId, stage: Stage) -> Fuel {
        let allowed = self.cut.as_ref().map_or(u64::MAX, |cut| cut.allowed(&body.to_string(), stage));
        Fuel::limited(self.fuel.min(allowed)).without(self.passes_off.iter().cloned())
    }
}

/// Options that change the executable, not the code of functions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LinkOptions {
    /// Put a symbol table into the executable.
    pub symbols: bool,
    /// Who compiles tests: 0 for the development build, else what changes with the way LLVM compiles them. Verdicts of one are none of the other.
    pub lane: u128,
}
