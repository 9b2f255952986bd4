//! Panic, report, unwinding (`language/10` §10.2): the report of an uncaught panic is made before unwinding, so the trace is complete.

use std::rc::Rc;

use abi::PanicKind;
use ir::{ItemId, Place, Stop};

use super::Position;
use super::code::{Code, Insn};
use super::machine::{End, Halt, Machine};
use super::value::Cell;
use crate::ir::Contract;

/// A line of the trace.
struct Line {
    position: Rc<Position>,
    line: u32,
    column: u32,
}

impl Line {
    fn frame(&self) -> pure::Frame<'_> {
        pure::Frame {
            function: self.position.name.as_bytes(),
            file: self.position.file.as_bytes(),
            line: self.line,
            column: self.column,
            hidden: self.position.hidden,
        }
    }
}

impl Machine<'_> {
    /// A panic at instruction `pc` of the top frame: gives where unwinding goes on, if anywhere.
    pub(super) fn raise(&mut self, kind: PanicKind, args: &[pure::Arg], pc: usize) -> Result<Option<usize>, Halt> {
        if let Some(frame) = self.frames.last_mut() {
            frame.pc = pc;
        }
        let message = text(|out| pure::message::message(kind, args, out));
        if self.panic.is_some() {
            // Landing pads of this slice run no user code, so they cannot panic.
            return Err(Halt::Broken("panic while unwinding".to_owned()));
        }
        let mut report = String::new();
        if let Some((positions, _)) = &self.world {
            let backtrace = positions.backtrace();
            let lines = self.trace()?;
            report = text(|out| {
                pure::report::report(&mut |out| out(message.as_bytes()), lines.iter().map(Line::frame), backtrace, out);
            });
        }
        self.panic = Some((message, report));
        self.landing()
    }

    /// Is it the turn of this instruction to panic? Then what it would have taken is given up, as by whoever takes it and panics.
    pub(super) fn injects(&mut self, code: &Rc<Code>, pc: usize, wb: usize, hb: usize) -> Result<bool, Halt> {
        let may_panic = code.sites.get(pc).is_some_and(|site| site.unwind.is_some());
        if !may_panic || matches!(code.insns[pc], Insn::Panic { .. }) {
            return Ok(false);
        }
        self.ghosts.counts.risks += 1;
        if self.ghosts.counts.risks != self.limits.panic_at {
            return Ok(false);
        }
        let (args, contract) = match &code.insns[pc] {
            Insn::Call { callee, args, .. } => (*args, self.code(*callee)?.contract),
            Insn::CallValue { args, .. } => (*args, Contract::OWNED),
            Insn::CallMethod { method, args, .. } => {
                let object = (args.len as usize).saturating_sub(1);
                let is_taken = code.methods[*method as usize].changes;
                (*args, if is_taken { Contract::OWNED } else { Contract::OWNED.borrowing(object) })
            }
            _ => return Ok(true),
        };
        for (index, &slot) in code.operands[args.range()].iter().enumerate() {
            if let Cell::Heap(value) = self.cell(wb, hb, slot)
                && !contract.borrows(index)
            {
                self.ghosts.drop(&value).map_err(Halt::Broken)?;
            }
        }
        Ok(true)
    }

    /// Where the top frame catches what unwinds through its current instruction; `None` when there is no frame left.
    pub(super) fn landing(&mut self) -> Result<Option<usize>, Halt> {
        let Some(frame) = self.frames.last() else { return Ok(None) };
        match frame.code.sites.get(frame.pc).and_then(|site| site.unwind) {
            Some(landing) => Ok(Some(landing as usize)),
            None => Err(Halt::Broken(format!("@{}: a panic leaves an instruction without unwind edge", frame.code.item))),
        }
    }

    /// The end after the last frame.
    pub(super) fn panicked(&mut self) -> End {
        let (message, report) = self.panic.take().unwrap_or_default();
        // Nothing that unwinding runs can be seen, so the report comes when it is known that nobody caught the panic.
        if let Some((_, output)) = &mut self.world {
            output.write_error(report.as_bytes());
        }
        End::Panicked { message, report }
    }

    /// All frames, innermost first; inlined ones appear through the chain of their place.
    fn trace(&mut self) -> Result<Vec<Line>, Stop> {
        let mut places: Vec<Place> = Vec::new();
        for frame in self.frames.iter().rev() {
            if let Some(site) = frame.code.sites.get(frame.pc) {
                places.extend(frame.code.places.chain(site.place).copied());
            }
        }
        places.into_iter().map(|place| self.line(place)).collect()
    }

    /// Writes a line with the place of the instruction that runs.
    pub(super) fn write_debug(&mut self, text_behind: &str) -> Result<(), Halt> {
        let lines = self.trace()?;
        let Some((_, output)) = &mut self.world else { return Err(Halt::Effect) };
        let report = text(|out| pure::report::debug(lines.iter().map(Line::frame), text_behind.as_bytes(), out));
        output.write_error(report.as_bytes());
        Ok(())
    }

    fn line(&mut self, place: Place) -> Result<Line, Stop> {
        let position = self.position(place.item)?;
        let line = position.base_line + place.line.saturating_sub(1);
        Ok(Line { position, line, column: place.column })
    }

    fn position(&mut self, item: ItemId) -> Result<Rc<Position>, Stop> {
        if let Some(known) = self.positions.get(&item) {
            return Ok(known.clone());
        }
        let position = match &self.world {
            Some((positions, _)) => Rc::new(positions.position(item)?),
            None => Rc::new(Position { name: format!("@{item}"), file: String::new(), base_line: 1, hidden: false }),
        };
        self.positions.insert(item, position.clone());
        Ok(position)
    }

    /// Writes and gives the report of an exhausted stack: the call that found no room.
    pub(super) fn report_overflow(&mut self) -> Result<String, Stop> {
        let site = self.frames.last().and_then(|frame| {
            let site = frame.code.sites.get(frame.pc)?;
            frame.code.places.get(site.place).copied()
        });
        let line = match site {
            Some(place) => Some(self.line(place)?),
            None => None,
        };
        let report = text(|out| pure::report::stack_overflow(line.as_ref().map(Line::frame), out));
        if let Some((_, output)) = &mut self.world {
            output.write_error(report.as_bytes());
        }
        Ok(report)
    }
}

fn text(write: impl FnOnce(pure::Sink)) -> String {
    let mut bytes = Vec::new();
    write(&mut |piece| bytes.extend_from_slice(piece));
    String::from_utf8_lossy(&bytes).into_owned()
}
