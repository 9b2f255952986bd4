//! The runtime's functions in their convention (`abi::calls`), through the functions of `pure`.

use abi::{RuntimeCall, layout};

use super::{Memory, Runtime, Trap};

/// Collects what a program prints.
#[derive(Default, Debug)]
pub struct StandardRuntime {
    /// Standard output.
    pub output: Vec<u8>,
    /// Standard error.
    pub errors: Vec<u8>,
}

/// Bytes of a text at most; a mutant may ask for any number of decimals.
const MAX_TEXT: usize = 1 << 20;

impl Runtime for StandardRuntime {
    fn call(&mut self, call: RuntimeCall, args: &[u64], memory: &mut Memory) -> Result<u64, Trap> {
        let operand = |position: usize| args.get(position).copied().unwrap_or(0);
        let (a, b, c, d) = (operand(0), operand(1), operand(2), operand(3));
        let float = |word: u64| f64::from_bits(word);
        let char = |word: u64| char::from_u32(word as u32).unwrap_or(char::REPLACEMENT_CHARACTER);
        // A text result goes to the address in front of the operands.
        let mut text = Vec::new();
        let mut sink = |piece: &[u8]| text.extend_from_slice(piece);
        match call {
            RuntimeCall::Print | RuntimeCall::Write => {
                self.output.extend(memory.read_text(a)?);
                if call == RuntimeCall::Print {
                    self.output.push(b'\n');
                }
                return Ok(0);
            }
            RuntimeCall::DebugPrint => {
                self.errors.extend(memory.read_text(a)?);
                self.errors.push(b'\n');
                return Ok(0);
            }
            // What is watched is native.
            RuntimeCall::MemEvent | RuntimeCall::PanicDue => return Ok(0),
            RuntimeCall::Allocate => {
                let start = memory.allocate(a.saturating_add(layout::CELL_HEADER as u64))?;
                memory.write(start, 8, layout::cell_header(a as usize, b as u32))?;
                return Ok(start + layout::CELL_HEADER as u64);
            }
            RuntimeCall::ListReserve | RuntimeCall::ListUnshare => return list(call, args, memory),
            RuntimeCall::ListGrow => {
                let new = list(RuntimeCall::ListReserve, args, memory)?;
                match args.get(2) {
                    Some(&old) if old != 0 && old != new => release(old, memory)?,
                    _ => {}
                }
                return Ok(new);
            }
            RuntimeCall::TableDouble => return table_double(a, b, memory),
            RuntimeCall::TextDrop if a as i64 <= 0 => return Ok(0),
            RuntimeCall::BufferDrop if a == 0 => return Ok(0),
            RuntimeCall::TextDrop | RuntimeCall::BufferDrop => {
                release(a, memory)?;
                return Ok(0);
            }
            RuntimeCall::Free => {
                memory.free(a.wrapping_sub(layout::CELL_HEADER as u64));
                return Ok(0);
            }
            // The interpreter itself knows what unwinds.
            RuntimeCall::Caught => return Err(Trap::Malformed),
            RuntimeCall::StrEqual => return Ok(u64::from(memory.read_text(a)? == memory.read_text(b)?)),
            RuntimeCall::IsIntText => return Ok(u64::from(pure::parse::int(&memory.read_text(a)?).is_ok())),
            RuntimeCall::IsFloatText => return Ok(u64::from(pure::parse::float(&memory.read_text(a)?).is_ok())),
            RuntimeCall::StrCompare => return Ok(pure::text::compare(&memory.read_text(a)?, &memory.read_text(b)?) as u64),
            RuntimeCall::StrHash => return Ok(pure::text::hash(&memory.read_text(a)?) as u64),
            RuntimeCall::StrCharAt => return Ok(u64::from(u32::from(pure::text::char_at(&memory.read_text(a)?, b as i64)))),
            RuntimeCall::StrCharBefore => return Ok(u64::from(u32::from(pure::text::char_before(&memory.read_text(a)?, b as i64)))),
            RuntimeCall::StrByteAt => return Ok(u64::from(pure::text::byte_at(&memory.read_text(a)?, b as i64))),
            RuntimeCall::StrCount => return Ok(pure::text::count(&memory.read_text(a)?) as u64),
            RuntimeCall::StrOffset => return Ok(pure::text::offset(&memory.read_text(a)?, b as i64) as u64),
            RuntimeCall::StrIsBoundary => return Ok(u64::from(pure::text::is_boundary(&memory.read_text(a)?, b as i64))),
            RuntimeCall::StrFind => return Ok(pure::find::find(&memory.read_text(a)?, &memory.read_text(b)?, c as i64) as u64),
            RuntimeCall::StrHasAt => {
                return Ok(u64::from(pure::text::has_at(&memory.read_text(a)?, &memory.read_text(b)?, c as i64)));
            }
            RuntimeCall::StrKeyedHash => return Ok(pure::keyed::hash(&memory.read_text(a)?, b as i64) as u64),
            RuntimeCall::MapSeed => return Ok(0),
            RuntimeCall::CharIsAlphabetic => return Ok(u64::from(char(a).is_alphabetic())),
            RuntimeCall::CharIsDigit => return Ok(u64::from(pure::case::is_digit(char(a)))),
            RuntimeCall::CharIsUpper => return Ok(u64::from(char(a).is_uppercase())),
            RuntimeCall::CharIsLower => return Ok(u64::from(char(a).is_lowercase())),
            RuntimeCall::FloatPow => return Ok(pure::float::pow(float(a), float(b)).to_bits()),
            RuntimeCall::FloatFloor => return Ok(pure::float::floor(float(a)).to_bits()),
            RuntimeCall::FloatCeil => return Ok(pure::float::ceil(float(a)).to_bits()),
            RuntimeCall::FloatRound => return Ok(pure::float::round(float(a)).to_bits()),
            RuntimeCall::FloatTrunc => return Ok(pure::float::trunc(float(a)).to_bits()),
            RuntimeCall::FloatCbrt => return Ok(pure::float::cbrt(float(a)).to_bits()),
            RuntimeCall::FloatExp => return Ok(pure::float::exp(float(a)).to_bits()),
            RuntimeCall::FloatLn => return Ok(pure::float::ln(float(a)).to_bits()),
            RuntimeCall::FloatLog2 => return Ok(pure::float::log2(float(a)).to_bits()),
            RuntimeCall::FloatLog10 => return Ok(pure::float::log10(float(a)).to_bits()),
            RuntimeCall::FloatSin => return Ok(pure::float::sin(float(a)).to_bits()),
            RuntimeCall::FloatCos => return Ok(pure::float::cos(float(a)).to_bits()),
            RuntimeCall::FloatTan => return Ok(pure::float::tan(float(a)).to_bits()),
            RuntimeCall::FloatAsin => return Ok(pure::float::asin(float(a)).to_bits()),
            RuntimeCall::FloatAcos => return Ok(pure::float::acos(float(a)).to_bits()),
            RuntimeCall::FloatAtan => return Ok(pure::float::atan(float(a)).to_bits()),
            RuntimeCall::FloatSinh => return Ok(pure::float::sinh(float(a)).to_bits()),
            RuntimeCall::FloatCosh => return Ok(pure::float::cosh(float(a)).to_bits()),
            RuntimeCall::FloatTanh => return Ok(pure::float::tanh(float(a)).to_bits()),
            RuntimeCall::FloatAtan2 => return Ok(pure::float::atan2(float(a), float(b)).to_bits()),
            RuntimeCall::FloatHypot => return Ok(pure::float::hypot(float(a), float(b)).to_bits()),
            RuntimeCall::FloatCompare => return Ok(pure::float::compare(float(a), float(b)) as u64),
            RuntimeCall::IntOfStr => {
                let text = memory.read_text(b)?;
                return status(memory, a, call, pure::parse::int(&text).map(|n| n as u64));
            }
            RuntimeCall::TestNumber => {
                return Ok(pure::parse::int(&memory.read_text(a)?).unwrap_or(-1) as u64);
            }
            RuntimeCall::FloatOfStr => {
                let text = memory.read_text(b)?;
                return status(memory, a, call, pure::parse::float(&text).map(f64::to_bits));
            }
            RuntimeCall::IntPow => return status(memory, a, call, pure::int::pow(b as i64, c as i64).map(|n| n as u64)),
            RuntimeCall::StrConcat => {
                sink(&memory.read_text(b)?);
                sink(&memory.read_text(c)?);
            }
            RuntimeCall::StrView => {
                let whole = memory.read_text(b)?;
                sink(whole.get(pure::text::range(&whole, c as i64, d as i64)).unwrap_or(&[]));
            }
            RuntimeCall::StrReplace => {
                let (whole, old, new) = (memory.read_text(b)?, memory.read_text(c)?, memory.read_text(d)?);
                if whole.len().saturating_mul(new.len().max(1)) > MAX_TEXT {
                    return Err(Trap::Space);
                }
                pure::find::replace(&whole, &old, &new, &mut sink);
            }
            RuntimeCall::StrRepeat => {
                let whole = memory.read_text(b)?;
                let count = usize::try_from(c as i64).unwrap_or(0);
                if whole.len().saturating_mul(count) > MAX_TEXT {
                    return Err(Trap::Space);
                }
                sink(&whole.repeat(count));
            }
            RuntimeCall::StrUpper => pure::case::upper(&memory.read_text(b)?, &mut sink),
            RuntimeCall::StrLower => pure::case::lower(&memory.read_text(b)?, &mut sink),
            RuntimeCall::CharUpper => pure::case::char_upper(char(b), &mut sink),
            RuntimeCall::CharLower => pure::case::char_lower(char(b), &mut sink),
            RuntimeCall::StrDebug => pure::print::str_debug(&memory.read_text(b)?, &mut sink),
            RuntimeCall::StrOfInt => pure::print::int_to(b as i64, &mut sink),
            RuntimeCall::StrOfFloat => pure::print::float(float(b), &mut sink),
            RuntimeCall::StrOfFixed => pure::print::fixed(float(b), (c as i64).min(MAX_TEXT as i64), &mut sink),
            RuntimeCall::StrOfBool => sink(pure::print::bool(b != 0)),
            RuntimeCall::StrOfChar => sink(char(b).encode_utf8(&mut [0; 4]).as_bytes()),
            RuntimeCall::CharDebug => pure::print::char_debug(char(b), &mut sink),
        }
        if text.len() > MAX_TEXT {
            return Err(Trap::Space);
        }
        memory.write_text(a, &text)?;
        Ok(0)
    }
}

/// Writes the result, or gives the number of the panic among the call's statuses.
fn status(memory: &mut Memory, out: u64, call: RuntimeCall, result: Result<u64, abi::PanicKind>) -> Result<u64, Trap> {
    match result {
        Ok(word) => memory.write(out, 8, word).map(|()| 0),
        Err(kind) => call.statuses().iter().position(|&k| k == kind).map(|n| n as u64 + 1).ok_or(Trap::Malformed),
    }
}

/// `rt::heap::release`, in checked memory.
fn release(block: u64, memory: &mut Memory) -> Result<(), Trap> {
    let header = block.wrapping_sub(layout::CELL_HEADER as u64);
    match memory.read(header, 4)? as i32 {
        0 => memory.free(header),
        holders => memory.write(header, 4, u64::from(holders.wrapping_sub(1) as u32))?,
    }
    Ok(())
}

/// `rt::list::table_double`, in checked memory.
fn table_double(slots: u64, length: u64, memory: &mut Memory) -> Result<u64, Trap> {
    let head = u64::from(layout::BUFFER_ELEMENTS);
    let bytes = (pure::table::doubled(length as usize) as u64).checked_mul(8).ok_or(Trap::Space)?;
    let start = memory.allocate(bytes.saturating_add(head + layout::CELL_HEADER as u64))?;
    let buffer = start + layout::CELL_HEADER as u64;
    for end in [layout::BUFFER_END, layout::BUFFER_LIMIT] {
        memory.write(buffer + u64::from(end), 8, buffer + head + bytes)?;
    }
    let old: Vec<u64> = (0..length).map(|at| memory.read(slots + 8 * at, 8)).collect::<Result<_, _>>()?;
    let mut table = vec![0; pure::table::doubled(length as usize)];
    pure::table::move_into(&mut table, old.into_iter());
    for (at, slot) in table.into_iter().enumerate() {
        memory.write(buffer + head + 8 * at as u64, 8, slot)?;
    }
    Ok(buffer)
}

/// The functions of `rt::list`, in checked memory.
fn list(call: RuntimeCall, args: &[u64], memory: &mut Memory) -> Result<u64, Trap> {
    let (elements, length, room, stride) = match (call, args) {
        (RuntimeCall::ListReserve, &[elements, length, buffer, more, stride, _]) => {
            if buffer != 0 {
                let end = memory.read(buffer + u64::from(layout::BUFFER_END), 8)?;
                let limit = memory.read(buffer + u64::from(layout::BUFFER_LIMIT), 8)?;
                let is_last = elements.wrapping_add(length.wrapping_mul(stride)) == end;
                if is_last && more.checked_mul(stride).is_some_and(|bytes| bytes <= limit.wrapping_sub(end)) {
                    return Ok(buffer);
                }
            }
            (elements, length, length.saturating_add(more).max(length.saturating_mul(2)).max(layout::BUFFER_LEAST), stride)
        }
        (_, &[elements, length, stride, _]) => (elements, length, length, stride),
        _ => return Err(Trap::Malformed),
    };
    let head = u64::from(layout::BUFFER_ELEMENTS);
    let room = room.checked_mul(stride).and_then(|bytes| bytes.checked_add(head)).ok_or(Trap::Space)?;
    let used = length.checked_mul(stride).ok_or(Trap::Space)?;
    let start = memory.allocate(room.saturating_add(layout::CELL_HEADER as u64))?;
    let buffer = start + layout::CELL_HEADER as u64;
    memory.write(buffer + u64::from(layout::BUFFER_END), 8, buffer + head + used)?;
    memory.write(buffer + u64::from(layout::BUFFER_LIMIT), 8, buffer + room)?;
    for offset in 0..used {
        let byte = memory.read(elements + offset, 1)?;
        memory.write(buffer + head + offset, 1, byte)?;
    }
    Ok(buffer)
}
