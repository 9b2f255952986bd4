//! x
use crate::ir::*;
use crate::finish::Code;
/// f
pub fn verify<P: Phase>(_f: &Function<P>) -> Vec<MachFault> { vec![] }
/// f
pub fn verify_code(_f: &Function<Final>, _c: &Code) -> Vec<MachFault> { vec![] }
/// f
#[derive(Debug)]
pub enum MachFault {}
impl ir::Fault for MachFault {
    fn code(&self) -> ir::Code { match *self {} }
    fn at(&self) -> ir::Where { match *self {} }
    fn message(&self) -> String { match *self {} }
}
