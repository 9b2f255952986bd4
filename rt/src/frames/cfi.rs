//! Call frame information (DWARF 5 §6.4, without expressions): where a function has put the registers of its caller.
#![allow(unsafe_code)] // saved registers on the stack

use super::bytes::Bytes;
use super::image::Function;
use crate::unwind::Frame;

/// DWARF numbers of the registers that calls keep, in the order of `Frame::kept`.
const KEPT: [u64; 6] = [3, 6, 12, 13, 14, 15];
const RSP: u64 = 7;
const RETURN: u64 = 16;

/// Where a register of the caller is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rule {
    /// Still in the register.
    Same,
    /// In memory, at a distance from the frame address.
    Saved(i64),
    /// Nowhere, or where only an expression says.
    Lost,
}

/// The state at an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// The frame address (what `rsp` was before the call of the function): register and distance; none when only an expression says.
    frame: Option<(u64, i64)>,
    kept: [Rule; 6],
    result: Rule,
    /// Bytes of arguments on the stack, which are gone at a landing pad.
    pub pushed: usize,
}

/// States are remembered around epilogues, one in another at most.
const REMEMBERED: usize = 4;

const START: Row = Row { frame: None, kept: [Rule::Same; 6], result: Rule::Lost, pushed: 0 };

/// The state at this address in the function.
pub fn row(function: &Function, address: usize) -> Option<Row> {
    let mut run = Run { row: START, first: START, remembered: [START; REMEMBERED], depth: 0, at: function.start };
    run.all(function.first, function, usize::MAX)?;
    run.first = run.row;
    run.at = function.start;
    run.all(function.program, function, address)?;
    Some(run.row)
}

struct Run {
    row: Row,
    first: Row,
    remembered: [Row; REMEMBERED],
    depth: usize,
    at: usize,
}

impl Run {
    fn all(&mut self, mut bytes: Bytes, function: &Function, until: usize) -> Option<()> {
        while !bytes.0.is_empty() && self.at <= until {
            self.one(&mut bytes, function)?;
        }
        Some(())
    }

    fn rule(&mut self, register: u64, rule: Rule) {
        if register == RETURN {
            self.row.result = rule;
        } else if let Some(at) = KEPT.iter().position(|&kept| kept == register) {
            self.row.kept[at] = rule;
        }
    }

    fn restore(&mut self, register: u64) {
        let rule = match KEPT.iter().position(|&kept| kept == register) {
            Some(at) => self.first.kept[at],
            None => self.first.result,
        };
        self.rule(register, rule);
    }

    /// Later rows do not hold at the address that is looked for.
    fn advance(&mut self, distance: u64, function: &Function) {
        self.at = self.at.saturating_add(distance.saturating_mul(function.code_unit) as usize);
    }

    fn one(&mut self, bytes: &mut Bytes, function: &Function) -> Option<()> {
        let unit = function.data_unit;
        let op = bytes.byte()?;
        let low = u64::from(op & 0x3f);
        match op {
            0x40..=0x7f => self.advance(low, function),
            0x80..=0xbf => {
                let distance = (bytes.uleb()? as i64).wrapping_mul(unit);
                self.rule(low, Rule::Saved(distance));
            }
            0xc0..=0xff => self.restore(low),
            // nop
            0x00 => {}
            // advance_loc1, 2, 4
            0x02 => {
                let distance = bytes.byte()?;
                self.advance(distance.into(), function);
            }
            0x03 => {
                let distance = bytes.half()?;
                self.advance(distance.into(), function);
            }
            0x04 => {
                let distance = bytes.word()?;
                self.advance(distance.into(), function);
            }
            // offset_extended, offset_extended_sf, GNU_negative_offset_extended
            0x05 => {
                let register = bytes.uleb()?;
                let distance = (bytes.uleb()? as i64).wrapping_mul(unit);
                self.rule(register, Rule::Saved(distance));
            }
            0x11 => {
                let register = bytes.uleb()?;
                let distance = bytes.sleb()?.wrapping_mul(unit);
                self.rule(register, Rule::Saved(distance));
            }
            0x2f => {
                let register = bytes.uleb()?;
                let distance = (bytes.uleb()? as i64).wrapping_mul(unit).wrapping_neg();
                self.rule(register, Rule::Saved(distance));
            }
            // restore_extended
            0x06 => {
                let register = bytes.uleb()?;
                self.restore(register);
            }
            // undefined, same_value
            0x07 => {
                let register = bytes.uleb()?;
                self.rule(register, Rule::Lost);
            }
            0x08 => {
                let register = bytes.uleb()?;
                self.rule(register, Rule::Same);
            }
            // register, val_offset, val_offset_sf
            0x09 | 0x14 | 0x15 => {
                let register = bytes.uleb()?;
                // Of either sign, it ends with the same byte.
                bytes.uleb()?;
                self.rule(register, Rule::Lost);
            }
            // remember_state, restore_state
            0x0a => {
                *self.remembered.get_mut(self.depth)? = self.row;
                self.depth += 1;
            }
            0x0b => {
                self.depth = self.depth.checked_sub(1)?;
                self.row = *self.remembered.get(self.depth)?;
            }
            // def_cfa, def_cfa_sf, def_cfa_register, def_cfa_offset, def_cfa_offset_sf
            0x0c => self.row.frame = Some((bytes.uleb()?, bytes.uleb()? as i64)),
            0x12 => self.row.frame = Some((bytes.uleb()?, bytes.sleb()?.wrapping_mul(unit))),
            0x0d => {
                let register = bytes.uleb()?;
                self.row.frame = self.row.frame.map(|(_, distance)| (register, distance));
            }
            0x0e => {
                let distance = bytes.uleb()? as i64;
                self.row.frame = self.row.frame.map(|(register, _)| (register, distance));
            }
            0x13 => {
                let distance = bytes.sleb()?.wrapping_mul(unit);
                self.row.frame = self.row.frame.map(|(register, _)| (register, distance));
            }
            // def_cfa_expression
            0x0f => {
                let size = bytes.uleb()? as usize;
                bytes.take(size)?;
                self.row.frame = None;
            }
            // expression, val_expression
            0x10 | 0x16 => {
                let register = bytes.uleb()?;
                let size = bytes.uleb()? as usize;
                bytes.take(size)?;
                self.rule(register, Rule::Lost);
            }
            // GNU_args_size
            0x2e => self.row.pushed = bytes.uleb()? as usize,
            _ => return None,
        }
        Some(())
    }
}

impl Row {
    /// The frame of the caller; none at the end of the stack.
    ///
    /// # Safety
    /// The frame must be one of the function, at the address.
    pub unsafe fn caller(&self, frame: &Frame) -> Option<Frame> {
        let (register, distance) = self.frame?;
        let base = match KEPT.iter().position(|&kept| kept == register) {
            Some(at) => frame.kept[at],
            None if register == RSP => frame.sp,
            None => return None,
        };
        let sp = base.wrapping_add_signed(distance as isize);
        // Every frame has a return address: the walk ends.
        if sp <= frame.sp || sp % 8 != 0 {
            return None;
        }
        // SAFETY: as the caller says.
        let word = |distance: i64| unsafe { *(sp.wrapping_add_signed(distance as isize) as *const usize) };
        let Rule::Saved(result) = self.result else { return None };
        let mut caller = Frame { pc: word(result), sp, kept: frame.kept };
        for (kept, rule) in caller.kept.iter_mut().zip(self.kept) {
            match rule {
                Rule::Same => {}
                Rule::Saved(distance) => *kept = word(distance),
                Rule::Lost => return None,
            }
        }
        Some(caller)
    }
}
