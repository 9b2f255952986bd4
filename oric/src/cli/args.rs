//! Verbs and flags.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args as _, Command, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::coverage::Coverage;
use crate::foreign::Host;
use crate::manifest;

/// The compiler and toolchain of the language Ori.
#[derive(Parser, Debug)]
#[command(name = "oric", version, about = "The compiler and toolchain of the language Ori", long_about = None, subcommand_required = true, arg_required_else_help = true, disable_help_subcommand = true)]
#[command(after_help = "`oric FILE.ori [-- ARGS]` is `oric run FILE.ori [-- ARGS]`.")]
pub struct Args {
    /// Flags of every verb.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Flags of every verb.
#[derive(clap::Args, Clone, Debug)]
pub struct Global {
    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value = "auto")]
    pub color: ColorChoice,
    /// Form of diagnostics; `json` prints JSON lines to standard output.
    #[arg(long, global = true, value_name = "FORMAT", value_enum)]
    pub message_format: Option<Format>,
    /// Say less: no summary.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Most errors to show; 0 for all.
    #[arg(long, global = true, value_name = "N", default_value_t = 50)]
    pub error_limit: usize,
    /// Threads to work with.
    #[arg(short = 'j', long = "jobs", global = true, value_name = "N")]
    pub jobs: Option<usize>,
    /// Read nothing outside the package and its store. (This version never does.)
    #[arg(long, global = true)]
    pub offline: bool,
    /// Write down where the time went, as a page or for the trace viewer of a browser; prints the path.
    #[arg(long, global = true, value_name = "FORM", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "html")]
    pub timings: Option<Timings>,
    /// Afterwards run every query again and compare: a difference is a bug of oric.
    #[arg(long, global = true)]
    pub verify_queries: bool,
    /// Memo tables only, nothing stored: what the cost of the engine is measured against.
    #[arg(long, global = true, hide = true)]
    pub engine_off: bool,
    /// Crash, so that tests see what a bug of ours looks like.
    #[arg(long, global = true, hide = true)]
    pub crash: bool,
    /// Run as if started in this folder.
    #[arg(short = 'C', long = "directory", global = true, value_name = "DIR")]
    pub directory: Option<PathBuf>,
}

impl Input {
    /// A program, and nothing else said of it.
    pub fn of(file: PathBuf) -> Input {
        Input { file, dump: None, dump_format: DumpFormat::Text, no_pass: Vec::new(), mem_debug: false }
    }
}

/// When to use colour.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColorChoice {
    /// On a terminal, unless the environment says otherwise.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Form of diagnostics.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// With source excerpts.
    Human,
    /// One line each.
    Short,
    /// JSON lines.
    Json,
}

/// Form of dumps.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum DumpFormat {
    /// The text that parses back.
    Text,
    /// One row an instruction.
    Tsv,
    /// The same rows as JSON.
    Json,
}

/// Form of a graph.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum GraphFormat {
    /// One row a query: number, kind, key, fingerprint, numbers of what it asked.
    Tsv,
    /// For Graphviz.
    Dot,
    /// A page that shows it.
    Html,
}

/// Form of a report of where the time went.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timings {
    /// One page that needs nothing else.
    Html,
    /// Chrome's trace events, as JSON.
    Trace,
}

/// Which remarks are printed.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Remarks {
    /// On the program's own code.
    Own,
    /// On the code of the library, too.
    All,
}

/// What `oric report` reports on.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Report {
    /// What the store saved: per kind of query its nodes, how many ran last time, how many of them were cut off.
    Cache,
    /// What generic functions cost: their instances, how many of those have code in the program, LIR instructions and bytes of code.
    Mono,
    /// Where the bytes of the executable go: code by modules and functions, runtime, constants, tables.
    Size,
}

/// What `oric cache` does.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum CacheVerb {
    /// Sizes and counts.
    Stat,
    /// Remove what was not used for longest, until the store is within its budget.
    Gc,
    /// Check every byte.
    Verify,
    /// Print where it is.
    Dir,
}

/// What stays while a program becomes smaller.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// The executable does something else than the interpreter.
    Mismatch,
    /// The executable leaves something behind.
    Leak,
    /// The compiler or the interpreter stops with a bug of its own.
    Crash,
}

impl Keep {
    /// Its name, as the engines say it.
    pub const fn name(self) -> &'static str {
        match self {
            Keep::Mismatch => "mismatch",
            Keep::Leak => "leak",
            Keep::Crash => "crash",
        }
    }

    /// By its name.
    pub fn of(name: &str) -> Option<Keep> {
        [Keep::Mismatch, Keep::Leak, Keep::Crash].into_iter().find(|keep| keep.name() == name)
    }
}

/// What `build` writes besides an executable.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Emit {
    /// A static executable.
    Exe,
    /// An ELF object that `cc` can link, with the runtime archive beside it; of a release build a second one beside it, with the tables of panic reports
    /// (`cc -no-pie -Wl,--eh-frame-hdr X.o X.tables.o libori_rt.a`).
    Obj,
    /// What LLVM made of the program, as text (with `--release`).
    LlvmIr,
    /// The same as bitcode (with `--release`).
    Bc,
    /// Assembly (with `--release`).
    Asm,
}

// How a program is optimised.
#[expect(missing_docs, reason = "clap would show it in the place of what each verb says of itself")]
#[derive(clap::Args, Clone, Default, Debug)]
pub struct Optimise {
    /// Optimised build by LLVM 22, which `oric-llvm` holds.
    #[arg(long)]
    pub release: bool,
    /// How much a release build is optimised: 0, 1, 2, 3, s or z.
    #[arg(long, value_name = "LEVEL", requires = "release", default_value = "2", value_parser = level)]
    pub opt: llvm::Level,
    /// The processor that a release build is for; `native` is this one.
    #[arg(long, value_name = "CPU", requires = "release", default_value = "x86-64", value_parser = ["x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4", "native"])]
    pub target_cpu: String,
    /// Into how many units a release build is divided, 1 to 256 [default: by modules, when the program is large]. One: LLVM sees the whole program.
    #[arg(long, value_name = "N", requires = "release", value_parser = clap::value_parser!(u32).range(1..=i64::from(crate::release::MOST_UNITS)))]
    pub codegen_units: Option<u32>,
    /// Tell debuggers everything: `--debug 2`.
    #[arg(short = 'g', requires = "release", conflicts_with = "debug")]
    pub for_debuggers: bool,
    /// What a release build tells debuggers (DWARF 5): 0 nothing, 1 functions and lines, 2 parameters too. The code is the same.
    #[arg(long, value_name = "N", requires = "release", default_value = "0", value_parser = clap::value_parser!(u8).range(0..=2))]
    pub debug: u8,
    /// Leave out a fact that LLVM is told; the program does the same without.
    #[arg(long = "no-fact", value_name = "FACT", requires = "release", value_parser = PossibleValuesParser::new(llvm::Fact::ALL.map(llvm::Fact::name)))]
    pub no_fact: Vec<String>,
}

impl Optimise {
    /// What LLVM is told.
    pub fn facts(&self) -> llvm::Facts {
        self.no_fact.iter().filter_map(|name| llvm::Fact::from_name(name)).fold(llvm::Facts::default(), llvm::Facts::without)
    }

    /// What a debugger is told.
    pub const fn depth(&self) -> Option<llvm::Depth> {
        match self.debug {
            _ if self.for_debuggers => Some(llvm::Depth::Full),
            0 => None,
            1 => Some(llvm::Depth::Lines),
            _ => Some(llvm::Depth::Full),
        }
    }
}

/// Who gives a program its memory.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Allocator {
    /// The runtime, which is made for it.
    #[default]
    Own,
    /// The C library that the program is linked with: each cell and each buffer is a `malloc` of its own, which valgrind follows.
    System,
}

/// What is checked while a program runs.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sanitizer {
    /// Every access to memory, by AddressSanitizer.
    Address,
}

/// For tools that watch a program.
#[derive(clap::Args, Clone, Default, Debug)]
pub struct Watched {
    /// Who gives the program its memory.
    #[arg(long, value_name = "WHO", value_enum, default_value = "own")]
    pub allocator: Allocator,
    /// What a release build checks while it runs; memory comes from `--allocator=system` then.
    #[arg(long, value_name = "WHAT", value_enum, requires = "release")]
    pub sanitize: Option<Sanitizer>,
}

impl Watched {
    /// What the program stands on.
    pub const fn host(&self) -> Host {
        match (self.sanitize, self.allocator) {
            (Some(Sanitizer::Address), _) => Host::Address,
            (None, Allocator::System) => Host::Library,
            (None, Allocator::Own) => Host::None,
        }
    }
}

fn level(text: &str) -> Result<llvm::Level, String> {
    llvm::Level::from_name(text).ok_or_else(|| "a level is 0, 1, 2, 3, s or z".to_owned())
}

// A program to work on.
#[expect(missing_docs, reason = "clap would show it in the place of what each verb says of itself")]
#[derive(clap::Args, Clone, Debug)]
pub struct Input {
    /// Source file with `@main`, or the folder of a package; this folder when left out.
    #[arg(value_name = "FILE", default_value = ".")]
    pub file: PathBuf,
    /// Print a level instead: hir, mir, lir, machine, asm or llvm, then optionally `.PHASE` and `:FUNCTION`.
    #[arg(long, value_name = "LEVEL[.PHASE][:FUNCTION]")]
    pub dump: Option<String>,
    /// Form of the dump.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub dump_format: DumpFormat,
    /// Switch an optimisation pass off.
    #[arg(long = "no-pass", value_name = "PASS", value_parser = PossibleValuesParser::new(pass_names()))]
    pub no_pass: Vec<String>,
    /// Make a program that tells what happens to its memory: see ORI_RC_STATS, ORI_TRACE_RC and ORI_CHECK_LEAKS.
    #[arg(long)]
    pub mem_debug: bool,
}

fn size(text: &str) -> Result<u64, String> {
    super::env::size(text).ok_or_else(|| "a size is a number of bytes, or one with a unit, as `5GB` or `500MiB`".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    manifest::duration(text).ok_or_else(|| manifest::DURATION.to_owned())
}

// How tests are run.
#[expect(missing_docs, reason = "clap would show it in the place of what each verb says of itself")]
#[derive(clap::Args, Clone, Debug)]
pub struct TestFlags {
    /// Filters are whole names: `name`, or `file::name`.
    #[arg(long)]
    pub exact: bool,
    /// Stay, and test again after every save.
    #[arg(long, conflicts_with_all = ["list", "junit"])]
    pub watch: bool,
    /// Print the tests that are selected, and run none.
    #[arg(long)]
    pub list: bool,
    /// Let tests print; one runs at a time.
    #[arg(long)]
    pub no_capture: bool,
    /// A test that takes longer fails: `500ms`, `2m`; without it `testing.timeout` of `ori.toml`, else 60 s.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// What is said of functions without a test; without it `testing.coverage` of `ori.toml`, else `error` in a package.
    #[arg(long, value_name = "HOW", value_enum)]
    pub coverage: Option<Coverage>,
    /// Show every test, with times and stack traces.
    #[arg(long)]
    pub verbose: bool,
    /// Run in the reference interpreter instead of as machine code; no time limit.
    #[arg(long, conflicts_with = "release")]
    pub interp: bool,
    /// Run every test, also those whose verdict is known.
    #[arg(long)]
    pub all: bool,
    /// Run the tests that failed before, and no others.
    #[arg(long, conflicts_with_all = ["all", "interp"])]
    pub failed: bool,
    /// Leave floating tests out.
    #[arg(long)]
    pub only_attached: bool,
    /// Only tests that reach something in a file that differs from a commit of git, the last one when none is named.
    #[arg(long, value_name = "REF", num_args = 0..=1, require_equals = true, default_missing_value = "HEAD")]
    pub changed: Option<String>,
    /// Only tests that reach something in this file; may be repeated.
    #[arg(long, value_name = "FILE", conflicts_with = "changed")]
    pub related: Vec<PathBuf>,
    /// Run a test that fails up to N times more; one that passes then is said to be flaky.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub retries: u32,
    /// Memory that a test leaves behind is no failure.
    #[arg(long)]
    pub no_leak_check: bool,
    /// Of the tests that are selected, every Nth, beginning with the Ith: `I/N`.
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub shard: Option<Shard>,
    /// Write a report in the form of JUnit.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

impl TestFlags {
    /// How `check` runs tests.
    pub fn of_check(timeout: Option<Duration>) -> TestFlags {
        TestFlags {
            exact: false,
            watch: false,
            list: false,
            no_capture: false,
            timeout,
            coverage: None,
            verbose: false,
            interp: false,
            all: false,
            failed: false,
            only_attached: true,
            changed: None,
            related: Vec::new(),
            retries: 0,
            no_leak_check: false,
            shard: None,
            junit: None,
        }
    }
}

/// A part of the tests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shard {
    /// Which, from 1.
    pub number: usize,
    /// Of how many.
    pub of: usize,
}

fn shard(text: &str) -> Result<Shard, String> {
    let parsed = text.split_once('/').and_then(|(number, of)| Some(Shard { number: number.parse().ok()?, of: of.parse().ok()? }));
    parsed
        .filter(|shard| (1..=shard.of).contains(&shard.number))
        .ok_or_else(|| "a shard is two numbers with a slash between them, the first not above the second, as `1/4`".to_owned())
}

/// Names of the optimisation passes.
pub fn pass_names() -> Vec<&'static str> {
    let mir = mir::opt::PASSES.iter().chain(mir::ownership::PASSES).map(|(name, _)| *name);
    mir.chain(lir::opt::PASSES.iter().map(|(name, _)| *name)).collect()
}

/// What to do.
#[derive(Subcommand, Debug)]
#[command(defer = true)]
pub enum Verb {
    /// Compile a program and run it; exits with the program's status.
    Run {
        /// The program.
        #[command(flatten)]
        input: Input,
        /// Run in the reference interpreter instead of as machine code.
        #[arg(long, conflicts_with_all = ["release", "allocator"])]
        interp: bool,
        /// How it is optimised.
        #[command(flatten)]
        optimise: Optimise,
        /// What watches it.
        #[command(flatten)]
        watched: Watched,
        /// Arguments of the program; those that start with `-` come after `--`.
        #[arg(value_name = "ARGS")]
        args: Vec<OsString>,
    },
    /// Compile a program to an executable.
    Build {
        /// The program.
        #[command(flatten)]
        input: Input,
        /// Where to write; the file's name without `.ori` when left out.
        #[arg(short, long, value_name = "OUT")]
        output: Option<PathBuf>,
        /// What to write.
        #[arg(long, value_enum, default_value = "exe")]
        emit: Emit,
        /// Leave the symbol table out.
        #[arg(long)]
        strip: bool,
        /// Link from nothing, whatever is left of the last link.
        #[arg(long)]
        clean_link: bool,
        /// Print what the optimiser did and what it left, and why: by place and pass.
        #[arg(long, value_name = "WHICH", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "own")]
        remarks: Option<Remarks>,
        /// How it is optimised.
        #[command(flatten)]
        optimise: Optimise,
        /// What watches it.
        #[command(flatten)]
        watched: Watched,
    },
    /// Check a program, and run the tests that are attached to what changed.
    Check {
        /// The program.
        #[command(flatten)]
        input: Input,
        /// Run no tests, and make no code.
        #[arg(long)]
        no_test: bool,
        /// Stay, and check again after every save.
        #[arg(long, conflicts_with = "dump")]
        watch: bool,
        /// A test that takes longer fails: `500ms`, `2m`; without it `testing.timeout` of `ori.toml`, else 60 s.
        #[arg(long, value_name = "TIME", value_parser = duration)]
        timeout: Option<Duration>,
        /// What is said of functions without a test; without it `testing.coverage` of `ori.toml`, else `error` in a package.
        #[arg(long, value_name = "HOW", value_enum, conflicts_with = "no_test")]
        coverage: Option<Coverage>,
    },
    /// Run tests, each in a process of its own: those that a change can have reached, and those that failed before.
    Test {
        /// Parts of names of tests; a source file or folder instead is the program that is tested.
        #[arg(value_name = "FILTER")]
        what: Vec<String>,
        /// How tests are run.
        #[command(flatten)]
        flags: TestFlags,
        /// How they are optimised.
        #[command(flatten)]
        optimise: Optimise,
    },
    /// Make the changes that diagnostics are sure of; what would make the program worse is taken back.
    Fix {
        /// The program.
        #[command(flatten)]
        input: Input,
        /// Show the changes, and write nothing.
        #[arg(long)]
        dry_run: bool,
        /// Which functions without a test get the start of one; without it those of a package, unless its `testing.coverage` is `off`.
        #[arg(long, value_name = "HOW", value_enum)]
        coverage: Option<Coverage>,
    },
    /// Find the one rewrite of the compiler that makes an answer change: the answer of a command, or what the executable does beside the interpreter.
    Bisect {
        /// Source file or package whose rewrites are looked through; without it the first one that the command names, else this folder.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// Switch an optimisation pass off, as the command does.
        #[arg(long = "no-pass", value_name = "PASS", value_parser = PossibleValuesParser::new(pass_names()))]
        no_pass: Vec<String>,
        /// What the command writes to standard error belongs to its answer.
        #[arg(long)]
        stderr: bool,
        /// A run that takes longer is stopped, which is an answer too: `500ms`, `2m`; without it 60 s.
        #[arg(long, value_name = "TIME", value_parser = duration)]
        timeout: Option<Duration>,
        /// Run again and again with ORI_FUEL set; its exit status and what it prints are the answer.
        #[arg(value_name = "CMD", last = true)]
        command: Vec<OsString>,
    },
    /// Make a program smaller as long as what is wrong with it stays: interpreter and executable differ, something leaks, the compiler crashes; or what a command finds.
    Reduce {
        /// Source file of one module.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What must stay; without it what is found.
        #[arg(long, value_name = "WHAT", value_enum)]
        keep: Option<Keep>,
        /// A text that must go on to be in what is found, as the code of a rule.
        #[arg(long, value_name = "TEXT")]
        saying: Option<String>,
        /// Where the small program goes; without it `NAME.reduced.ori` beside the file.
        #[arg(short, long, value_name = "OUT")]
        output: Option<PathBuf>,
        /// Stop after so long with what there is: `30s`, `5m`; without it 2 m.
        #[arg(long, value_name = "TIME", value_parser = duration)]
        limit: Option<Duration>,
        /// A run that takes longer is stopped: `500ms`, `2m`; without it 10 s.
        #[arg(long, value_name = "TIME", value_parser = duration)]
        timeout: Option<Duration>,
        /// Ask this instead: status 0 keeps a program. `{}` in it is the file; without that, FILE is.
        #[arg(value_name = "CMD", last = true)]
        command: Vec<OsString>,
    },
    /// Tell why something was computed again by the last build or check that changed anything; or with `--mem` what a function does to memory, and why.
    Why {
        /// A function (`@f`, `module.f`), a query (`machine(@main.f)`) or a file.
        #[arg(value_name = "WHAT")]
        what: String,
        /// Each allocation, count, uniqueness test and failed reuse of the function, with its reason.
        #[arg(long)]
        mem: bool,
        /// The program.
        #[command(flatten)]
        input: Input,
    },
    /// Print the graph of queries that is stored.
    Graph {
        /// The program.
        #[command(flatten)]
        input: Input,
        /// Form of the graph.
        #[arg(long, value_enum, default_value = "tsv")]
        format: GraphFormat,
        /// Only what this item or module needs, and who needs it.
        #[arg(long, value_name = "WHAT")]
        focus: Option<String>,
    },
    /// Look after the store.
    Cache {
        /// What to do.
        #[arg(value_enum)]
        verb: CacheVerb,
        /// The program.
        #[command(flatten)]
        input: Input,
        /// Most bytes that `gc` keeps, as `5GB` or a number; without it ORI_CACHE_SIZE, else 5 GB.
        #[arg(long, value_name = "SIZE", value_parser = size)]
        budget: Option<u64>,
    },
    /// Report on the last build or check, or on the executable.
    Report {
        /// On what.
        #[arg(value_enum)]
        report: Report,
        /// The program.
        #[command(flatten)]
        input: Input,
        /// How it is optimised.
        #[command(flatten)]
        optimise: Optimise,
    },
    /// Remove everything that builds left in the project's cache.
    Clean {
        /// The program.
        #[command(flatten)]
        input: Input,
    },
    /// Explain a diagnostic code.
    Explain {
        /// A code such as E2001; none lists all.
        #[arg(value_name = "CODE")]
        code: Option<String>,
        /// List all codes, as without one.
        #[arg(long, conflicts_with = "code")]
        list: bool,
    },
}

/// Parses a command line.
///
/// clap makes the flags of all verbs, and the global ones anew for each, before it looks at the first argument: a fifth of what a build without changes
/// costs. So the verb that is named is looked for first, and is the only one made. What does not parse then is parsed again in full, for its words.
pub fn parse(args: &[OsString]) -> Result<Args, clap::Error> {
    let one = args.get(verb_at(args)).and_then(|name| Verb::augment_subcommands(Command::new("")).find_subcommand(name).cloned());
    if let Some(verb) = one
        && let Ok(matches) = Global::augment_args(Command::new("oric")).subcommand(verb).try_get_matches_from(args)
    {
        return Args::from_arg_matches(&matches);
    }
    Args::try_parse_from(args)
}

/// `oric FILE.ori` means `oric run FILE.ori`: a first positional argument that ends in `.ori` gets its verb. `help` asks for the help of what follows.
pub fn with_implied_run(mut args: Vec<OsString>) -> Vec<OsString> {
    let at = verb_at(&args);
    let Some(first) = args.get(at).map(|arg| arg.to_string_lossy()) else { return args };
    if first.ends_with(".ori") {
        args.insert(at, "run".into());
    } else if first == "help" {
        // `oric help VERB` is `oric VERB --help`.
        args.remove(at);
        args.push("--help".into());
    }
    args
}

/// Where the first positional argument is; behind the end when there is none before `--`.
fn verb_at(args: &[OsString]) -> usize {
    let mut at = 1;
    while let Some(arg) = args.get(at) {
        let text = arg.to_string_lossy();
        if text == "--" {
            return args.len();
        }
        if !text.starts_with('-') {
            break;
        }
        // These flags take their value as the next argument.
        let takes_value = matches!(&*text, "-C" | "--directory" | "-j" | "--jobs" | "--color" | "--message-format" | "--error-limit");
        at += if takes_value { 2 } else { 1 };
    }
    at
}
