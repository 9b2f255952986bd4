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
    pub(super) fn runtime(&mut self, call: RuntimeCall, wb: usize, hb: usize, operands: [Slot; 2]) -> Result<Given, Halt> {
        let [a, b] = operands;
        let int = |slot: Slot| self.word_at(wb, slot) as i64;
        let float = |slot: Slot| f64::from_bits(self.word_at(wb, slot));
        let char = |slot: Slot| char::from_u32(self.word_at(wb, slot) as u32).unwrap_or(char::REPLACEMENT_CHARACTER);
        let text = |slot: Slot| self.text(hb, slot);
        Ok(match call {
            RuntimeCall::Print => {
                let text = text(a);
                let Some((_, output)) = &mut self.world else { return Err(Halt::Effect) };
                let mut line = Vec::with_capacity(text.len() + 1);
                line.extend_from_slice(text.as_bytes());
                line.push(b'\n');
                match output.write(&line) {
                    Ok(()) => Given::Nothing,
                    Err(BROKEN_PIPE) => return Err(Halt::OutputClosed),
                    Err(errno) => Given::WriteFailed(errno),
                }
            }
            RuntimeCall::DebugPrint => {
                let text = text(a);
                let Some((_, output)) = &mut self.world else { return Err(Halt::Effect) };
                output.write_error(format!("{text}\n").as_bytes());
                Given::Nothing
            }
            RuntimeCall::Allocate | RuntimeCall::TextDrop | RuntimeCall::BufferDrop | RuntimeCall::Free => {
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
            RuntimeCall::FloatOfStr => checked(pure::parse::float(text(a).as_bytes()).map(f64::to_bits)),
            RuntimeCall::IsIntText => Given::Word(u64::from(pure::parse::int(text(a).as_bytes()).is_ok())),
            RuntimeCall::IsFloatText => Given::Word(u64::from(pure::parse::float(text(a).as_bytes()).is_ok())),
            RuntimeCall::IntPow => checked(pure::int::pow(int(a), int(b)).map(|value| value as u64)),
            RuntimeCall::FloatPow => Given::Word(pure::float::pow(float(a), float(b)).to_bits()),
            RuntimeCall::FloatFloor => Given::Word(pure::float::floor(float(a)).to_bits()),
            RuntimeCall::FloatCeil => Given::Word(pure::float::ceil(float(a)).to_bits()),
            RuntimeCall::FloatRound => Given::Word(pure::float::round(float(a)).to_bits()),
            RuntimeCall::FloatTrunc => Given::Word(pure::float::trunc(float(a)).to_bits()),
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
