//! `oric-llvm`: units in LLVM's language on standard input, what LLVM makes of them on standard output, until the input ends.
//!
//! A process of its own, so that `oric` never loads LLVM, and a crash or a memory limit here is a message there. `oric-llvm --version` says which LLVM it holds.

use std::io::{self, BufReader, BufWriter, IsTerminal};
use std::process::ExitCode;

use inkwell::OptimizationLevel;
use inkwell::attributes::{Attribute, AttributeLoc};
use inkwell::context::Context;
use inkwell::memory_buffer::MemoryBuffer;
use inkwell::module::Module;
use inkwell::passes::PassBuilderOptions;
use inkwell::targets::{CodeModel, FileType, InitializationConfig, RelocMode, Target, TargetMachine, TargetTriple};
use wire::{Answer, Failure, Level, PROTOCOL, Product, Request, receive, send};

const TRIPLE: &str = "x86_64-unknown-linux-gnu";

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("--version") => {
            let (major, minor, patch) = inkwell::support::get_llvm_version();
            println!("oric-llvm {} (LLVM {major}.{minor}.{patch}, protocol {PROTOCOL})", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        None if !io::stdin().is_terminal() => {}
        _ => {
            eprintln!("oric-llvm is started by 'oric build --release'; it has no commands of its own but --version");
            return ExitCode::from(2);
        }
    }
    // When `oric` is killed, nobody waits for what LLVM makes.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("oric-llvm: {error}");
            ExitCode::from(2)
        }
    }
}

fn serve() -> io::Result<()> {
    Target::initialize_x86(&InitializationConfig::default());
    let (mut from, mut to) = (BufReader::new(io::stdin().lock()), BufWriter::new(io::stdout().lock()));
    while let Some(request) = receive::<Request>(&mut from)? {
        send(&answer(request), &mut to)?;
    }
    Ok(())
}

fn answer(mut request: Request) -> Answer {
    if request.protocol != PROTOCOL {
        return Err(Failure::Protocol(PROTOCOL));
    }
    let text = std::mem::take(&mut request.text);
    let machine = machine(&request)?;
    let context = Context::create();
    let module = parse(&context, text)?;
    module.set_data_layout(&machine.get_target_data().get_data_layout());
    broken(module.verify())?;
    let options = PassBuilderOptions::create();
    options.set_merge_functions(false);
    if request.sanitize {
        sanitized(&context, &module);
    }
    // Accesses are checked that are left, as clang does.
    let checks = if request.sanitize { ",asan" } else { "" };
    broken(module.run_passes(&format!("default<O{}>{checks}", request.level.name()), &machine, options))?;
    let object = |kind| broken(machine.write_to_memory_buffer(&module, kind)).map(|buffer| buffer.as_slice().to_vec());
    match request.product {
        Product::Optimised => Ok(module.print_to_string().to_bytes().to_vec()),
        Product::Bitcode => Ok(module.write_bitcode_to_memory().as_slice().to_vec()),
        Product::Object => object(FileType::Object),
        Product::Assembly => object(FileType::Assembly),
    }
}

fn parse(context: &Context, text: String) -> Result<Module<'_>, Failure> {
    let mut bytes = text.into_bytes();
    bytes.push(0);
    let buffer = MemoryBuffer::create_from_memory_range_copy(&bytes, "ori");
    broken(context.create_module_from_ir(buffer))
}

/// Lets AddressSanitizer's pass look at every function; passes before it leave alone what it could not check then.
fn sanitized(context: &Context, module: &Module<'_>) {
    let kind = Attribute::get_named_enum_kind_id("sanitize_address");
    for function in module.get_functions().filter(|function| function.count_basic_blocks() > 0) {
        function.add_attribute(AttributeLoc::Function, context.create_enum_attribute(kind, 0));
    }
}

/// LLVM says no to what we wrote: our mistake.
fn broken<T, E: ToString>(result: Result<T, E>) -> Result<T, Failure> {
    result.map_err(|error| Failure::Broken(error.to_string()))
}

fn machine(request: &Request) -> Result<TargetMachine, Failure> {
    let triple = TargetTriple::create(TRIPLE);
    let target = broken(Target::from_triple(&triple))?;
    let level = match request.level {
        Level::None => OptimizationLevel::None,
        Level::Less => OptimizationLevel::Less,
        Level::Default | Level::Size | Level::MinSize => OptimizationLevel::Default,
        Level::More => OptimizationLevel::Aggressive,
    };
    let (cpu, features) = match request.cpu.as_str() {
        "native" => (TargetMachine::get_host_cpu_name().to_string(), TargetMachine::get_host_cpu_features().to_string()),
        named => (named.to_owned(), String::new()),
    };
    target
        .create_target_machine(&triple, &cpu, &features, level, RelocMode::Static, CodeModel::Small)
        .ok_or_else(|| Failure::Broken(format!("there is no target machine for {}", request.cpu)))
}
