//! Runtime calls: what the functions of `rt` do, through the same functions of `pure`.

use std::rc::Rc;

use abi::{PanicKind, RuntimeCall};

use super::code::Slot;
use super::machine::{Halt, Machine};

/// What a runtime call gave.
pub(super) enum Given {
    Nothing,
    Word(u64),
    Text(Rc<str>),
    /// A status.
    Failed(PanicKind),
    /// Standard output refused, with this error number.
    WriteFailed(i32),
}

/// `EPIPE`: the reader of standard output went away.
const BROKEN_PIPE: i32 = 32;

impl Machine<'_> {
    pub(super) fn runtime(&mut self, call: RuntimeCall, wb: usize, hb: usize, operands: [Slot; 3]) -> Result<Given, Halt> {
        let [a, b, c] = operands;
        let int = |slot: Slot| self.word_at(wb, slot) as i64;
        let float = |slot: Slot| f64::from_bits(self.word_at(wb, slot));
        let char = |slot: Slot| char::from_u32(self.word_at(wb, slot) as u32).unwrap_or(char::REPLACEMENT_CHARACTER);
        let text = |slot: Slot| self.text(hb, slot);
        Ok(match call {
            RuntimeCall::Print | RuntimeCall::Write => {
                let text = text(a);
                let Some((_, output)) = &mut self.world else { return Err(Halt::Effect) };
                let mut line = Vec::with_capacity(text.len() + 1);
                line.extend_from_slice(text.as_bytes());
                if call == RuntimeCall::Print {
                    line.push(b'\n');
                }
                match output.write(&line) {
                    Ok(()) => Given::Nothing,
                    Err(BROKEN_PIPE) => return Err(Halt::OutputClosed),
                    Err(errno) => Given::WriteFailed(errno),
                }
            }
            RuntimeCall::DebugPrint => {
                let text = text(a);
                self.write_debug(&text)?;
                Given::Nothing
            }
            RuntimeCall::Allocate
            | RuntimeCall::MemEvent
            | RuntimeCall::PanicDue
            | RuntimeCall::ListReserve
            | RuntimeCall::ListGrow
            | RuntimeCall::ListUnshare
            | RuntimeCall::TableDouble
            | RuntimeCall::TextDrop
            | RuntimeCall::BufferDrop
            | RuntimeCall::Free => {
                return Err(Halt::Broken(format!("{} is not for MIR", call.name())));
            }
            RuntimeCall::Caught => match self.panic.take() {
                Some((message, _)) => Given::Text(Rc::from(message)),
                None => return Err(Halt::Broken("nothing unwinds that could be caught".to_owned())),
            },
            RuntimeCall::StrConcat => {
                let (a, b) = (text(a), text(b));
                // A text that doubles forever must not take real memory first.
                self.afford(a.len().saturating_add(b.len()))?;
                if a.is_empty() {
                    Given::Text(b)
                } else if b.is_empty() {
                    Given::Text(a)
                } else {
                    let mut whole = String::with_capacity(a.len() + b.len());
                    whole.push_str(&a);
                    whole.push_str(&b);
                    Given::Text(Rc::from(whole))
                }
            }
            RuntimeCall::StrEqual => Given::Word(u64::from(text(a) == text(b))),
            RuntimeCall::StrCompare => Given::Word(pure::text::compare(text(a).as_bytes(), text(b).as_bytes()) as u64),
            RuntimeCall::StrHash => Given::Word(pure::text::hash(text(a).as_bytes()) as u64),
            RuntimeCall::StrCharAt => Given::Word(u64::from(u32::from(pure::text::char_at(text(a).as_bytes(), int(b))))),
            RuntimeCall::StrCharBefore => Given::Word(u64::from(u32::from(pure::text::char_before(text(a).as_bytes(), int(b))))),
            RuntimeCall::StrByteAt => Given::Word(u64::from(pure::text::byte_at(text(a).as_bytes(), int(b)))),
            RuntimeCall::StrCount => Given::Word(pure::text::count(text(a).as_bytes()) as u64),
            RuntimeCall::StrOffset => Given::Word(pure::text::offset(text(a).as_bytes(), int(b)) as u64),
            RuntimeCall::StrIsBoundary => Given::Word(u64::from(pure::text::is_boundary(text(a).as_bytes(), int(b)))),
            RuntimeCall::StrFind => Given::Word(pure::find::find(text(a).as_bytes(), text(b).as_bytes(), int(c)) as u64),
            RuntimeCall::StrHasAt => Given::Word(u64::from(pure::text::has_at(text(a).as_bytes(), text(b).as_bytes(), int(c)))),
            RuntimeCall::StrView => {
                let whole = text(a);
                let part = pure::text::range(whole.as_bytes(), int(b), int(c));
                Given::Text(whole.get(part).map_or_else(Rc::default, Rc::from))
            }
            RuntimeCall::StrReplace => {
                let (whole, old, new) = (text(a), text(b), text(c));
                let mut length = 0usize;
                pure::find::replace(whole.as_bytes(), old.as_bytes(), new.as_bytes(), &mut |piece| length += piece.len());
                self.afford(length)?;
                collect(|out| pure::find::replace(whole.as_bytes(), old.as_bytes(), new.as_bytes(), out))
            }
            RuntimeCall::StrRepeat => {
                let count = usize::try_from(int(b)).unwrap_or(0);
                self.afford(text(a).len().saturating_mul(count))?;
                Given::Text(Rc::from(text(a).repeat(count)))
            }
            RuntimeCall::StrKeyedHash => Given::Word(pure::keyed::hash(text(a).as_bytes(), int(b)) as u64),
            // Any seed will do: nothing that a program does depends on it.
            RuntimeCall::MapSeed => Given::Word(0),
            RuntimeCall::StrUpper => collect(|out| pure::case::upper(text(a).as_bytes(), out)),
            RuntimeCall::StrLower => collect(|out| pure::case::lower(text(a).as_bytes(), out)),
            RuntimeCall::CharIsAlphabetic => Given::Word(u64::from(char(a).is_alphabetic())),
            RuntimeCall::CharIsDigit => Given::Word(u64::from(pure::case::is_digit(char(a)))),
            RuntimeCall::CharIsUpper => Given::Word(u64::from(char(a).is_uppercase())),
            RuntimeCall::CharIsLower => Given::Word(u64::from(char(a).is_lowercase())),
            RuntimeCall::CharUpper => collect(|out| pure::case::char_upper(char(a), out)),
            RuntimeCall::CharLower => collect(|out| pure::case::char_lower(char(a), out)),
            RuntimeCall::StrDebug => collect(|out| pure::print::str_debug(text(a).as_bytes(), out)),
            RuntimeCall::StrOfInt => collect(|out| pure::print::int_to(int(a), out)),
            RuntimeCall::StrOfFloat => collect(|out| pure::print::float(float(a), out)),
            RuntimeCall::StrOfFixed => {
                // Decimals beyond the exact ones are zeros, one byte each.
                self.afford(usize::try_from(int(b)).unwrap_or(0))?;
                collect(|out| pure::print::fixed(float(a), int(b), out))
            }
            RuntimeCall::StrOfBool => collect(|out| out(pure::print::bool(int(a) != 0))),
            RuntimeCall::StrOfChar => collect(|out| out(char(a).encode_utf8(&mut [0; 4]).as_bytes())),
            RuntimeCall::CharDebug => collect(|out| pure::print::char_debug(char(a), out)),
            RuntimeCall::IntOfStr => checked(pure::parse::int(text(a).as_bytes()).map(|value| value as u64)),
            // The interpreter runs a test that it was given, in this process.
            RuntimeCall::TestNumber => Given::Word(pure::parse::int(text(a).as_bytes()).unwrap_or(-1) as u64),
            RuntimeCall::FloatOfStr => checked(pure::parse::float(text(a).as_bytes()).map(f64::to_bits)),
            RuntimeCall::IsIntText => Given::Word(u64::from(pure::parse::int(text(a).as_bytes()).is_ok())),
            RuntimeCall::IsFloatText => Given::Word(u64::from(pure::parse::float(text(a).as_bytes()).is_ok())),
            RuntimeCall::IntPow => checked(pure::int::pow(int(a), int(b)).map(|value| value as u64)),
            RuntimeCall::FloatPow => Given::Word(pure::float::pow(float(a), float(b)).to_bits()),
            RuntimeCall::FloatFloor => Given::Word(pure::float::floor(float(a)).to_bits()),
            RuntimeCall::FloatCeil => Given::Word(pure::float::ceil(float(a)).to_bits()),
            RuntimeCall::FloatRound => Given::Word(pure::float::round(float(a)).to_bits()),
            RuntimeCall::FloatTrunc => Given::Word(pure::float::trunc(float(a)).to_bits()),
            RuntimeCall::FloatCbrt => Given::Word(pure::float::cbrt(float(a)).to_bits()),
            RuntimeCall::FloatExp => Given::Word(pure::float::exp(float(a)).to_bits()),
            RuntimeCall::FloatLn => Given::Word(pure::float::ln(float(a)).to_bits()),
            RuntimeCall::FloatLog2 => Given::Word(pure::float::log2(float(a)).to_bits()),
            RuntimeCall::FloatLog10 => Given::Word(pure::float::log10(float(a)).to_bits()),
            RuntimeCall::FloatSin => Given::Word(pure::float::sin(float(a)).to_bits()),
            RuntimeCall::FloatCos => Given::Word(pure::float::cos(float(a)).to_bits()),
            RuntimeCall::FloatTan => Given::Word(pure::float::tan(float(a)).to_bits()),
            RuntimeCall::FloatAsin => Given::Word(pure::float::asin(float(a)).to_bits()),
            RuntimeCall::FloatAcos => Given::Word(pure::float::acos(float(a)).to_bits()),
            RuntimeCall::FloatAtan => Given::Word(pure::float::atan(float(a)).to_bits()),
            RuntimeCall::FloatSinh => Given::Word(pure::float::sinh(float(a)).to_bits()),
            RuntimeCall::FloatCosh => Given::Word(pure::float::cosh(float(a)).to_bits()),
            RuntimeCall::FloatTanh => Given::Word(pure::float::tanh(float(a)).to_bits()),
            RuntimeCall::FloatAtan2 => Given::Word(pure::float::atan2(float(a), float(b)).to_bits()),
            RuntimeCall::FloatHypot => Given::Word(pure::float::hypot(float(a), float(b)).to_bits()),
            RuntimeCall::FloatCompare => Given::Word(pure::float::compare(float(a), float(b)) as u64),
        })
    }
}

fn checked(result: Result<u64, PanicKind>) -> Given {
    match result {
        Ok(word) => Given::Word(word),
        Err(kind) => Given::Failed(kind),
    }
}

/// The text that a function of `pure` writes.
fn collect(write: impl FnOnce(pure::Sink)) -> Given {
    let mut bytes = Vec::new();
    write(&mut |piece| bytes.extend_from_slice(piece));
    // `pure` writes UTF-8 when its operands are.
    Given::Text(Rc::from(String::from_utf8_lossy(&bytes)))
}
