//! What the passes of a stage do to a body: asked by `oric bisect` alone. And what they say of it: asked by `--remarks`.
//!
//! The same steps as those that make code, with the rewrites counted and the text kept. The bodies are not verified: one that breaks a rule is what is looked for.

use std::sync::Arc;

use ir::ItemId;
use mir::Owned;
use query::Interrupt;

use super::middle::{optimised, options};
use super::{BuiltBody, Levels, OptimisedBody, Provider, Remarked, Rewritten};
use crate::rewrites::{Stage, Unit, Work};

impl Provider for Rewritten {
    fn provide(levels: &Levels<'_, '_>, unit: &Unit) -> Result<Option<Arc<Work>>, Interrupt> {
        let Unit { body: id, stage } = *unit;
        let mut fuel = options(levels)?.fuel(id, stage);
        let text = match stage {
            Stage::Mir => {
                let built = levels.get::<BuiltBody>(&id)?;
                let Some(built) = (*built).as_ref().filter(|_| id != super::tests_item()) else { return Ok(None) };
                let body = optimised(levels, built, &mut fuel)?;
                levels.done(mir::text::print_file(std::slice::from_ref(&body), levels))?
            }
            Stage::Owned => {
                let body = levels.get::<OptimisedBody>(&id)?;
                let Some(body) = &*body else { return Ok(None) };
                let body: mir::Body<Owned> = levels.done(mir::ownership::own(body, &mut fuel, levels))?;
                levels.done(mir::text::print_file(std::slice::from_ref(&body), levels))?
            }
            Stage::Lir => {
                let Some(built) = super::back::built(levels, id)? else { return Ok(None) };
                let mut body = levels.done(lir::build::legalise(built, levels))?;
                super::back::optimise(&mut body, &mut fuel);
                levels.done(lir::text::print_file(std::slice::from_ref(&body), levels))?
            }
        };
        Ok(Some(Arc::new(Work { count: fuel.spent(), pass: fuel.last().map(str::to_owned), text })))
    }
}

impl Provider for Remarked {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Arc<Vec<ir::Remark>>, Interrupt> {
        let built = levels.get::<BuiltBody>(id)?;
        let Some(built) = (*built).as_ref().filter(|_| *id != super::tests_item()) else { return Ok(Arc::default()) };
        let mut fuel = options(levels)?.fuel(*id, Stage::Mir).listening();
        optimised(levels, built, &mut fuel)?;
        Ok(Arc::new(fuel.remarks().map(std::mem::take).unwrap_or_default()))
    }
}
