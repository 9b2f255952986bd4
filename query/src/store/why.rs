//! What each session executed, and why: one file a session, the last eight of them.

use super::Store;
use super::bytes::{Put, Reader, checksum};
use super::commit::{Stop, published, temporary};
use super::publish::Published;
use crate::fingerprint::Fp;

/// Sessions that are remembered.
pub const SESSIONS: u32 = 8;

const RECORD: usize = 56;

/// One execution.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WhyRecord {
    /// The session.
    pub generation: u32,
    /// The node that was executed.
    pub node: u32,
    /// The first dependency that had changed, or [`WhyRecord::NONE`].
    pub first_red_dep: u32,
    /// Fingerprint of the value before.
    pub old: Fp,
    /// And after.
    pub new: Fp,
    /// How long it took. The only measured time that is stored, outside every comparison.
    pub nanos: u32,
    /// Who did it.
    pub worker: u8,
    /// The engine's reason.
    pub reason: u8,
}

impl WhyRecord {
    /// No dependency.
    pub const NONE: u32 = u32::MAX;

    fn encode(&self, out: &mut Vec<u8>) {
        let from = out.len();
        out.put32(self.generation);
        out.put32(self.node);
        out.put32(self.first_red_dep);
        out.put32(self.nanos);
        out.put_fp(self.old);
        out.put_fp(self.new);
        out.extend_from_slice(&[self.worker, self.reason, 0, 0]);
        let sum = checksum(&out[from..]) as u32;
        out.put32(sum);
    }

    fn decode(bytes: &[u8; RECORD]) -> Option<WhyRecord> {
        let (body, sum) = bytes.split_last_chunk::<4>()?;
        if checksum(body) as u32 != u32::from_le_bytes(*sum) {
            return None;
        }
        let from = &mut Reader(body);
        let (generation, node, first_red_dep, nanos) = (from.u32()?, from.u32()?, from.u32()?, from.u32()?);
        let (old, new) = (from.fp()?, from.fp()?);
        let [worker, reason, _, _] = from.array()?;
        Some(WhyRecord { generation, node, first_red_dep, old, new, nanos, worker, reason })
    }
}

fn generation_in(name: &str) -> Option<u32> {
    name.strip_prefix("why.")?.parse().ok()
}

impl Store {
    /// What the last sessions executed, the oldest first. A damaged record is left out.
    pub fn why(&self) -> impl Iterator<Item = WhyRecord> + '_ {
        let mut sessions: Vec<u32> = self.disk.list().unwrap_or_default().iter().filter_map(|name| generation_in(name)).collect();
        sessions.sort_unstable();
        let from = sessions.len().saturating_sub(SESSIONS as usize);
        sessions.split_off(from).into_iter().flat_map(|session| {
            let bytes = self.disk.read(&format!("why.{session}")).ok().flatten().unwrap_or_default();
            bytes.as_chunks::<RECORD>().0.iter().filter_map(WhyRecord::decode).collect::<Vec<_>>()
        })
    }

    /// Adds what a session executed, and forgets the ninth before it. Done after the result; losing it loses an explanation.
    pub fn append_why(&self, generation: u32, records: &[WhyRecord]) -> Published {
        published(self.try_append(generation, records))
    }

    fn try_append(&self, generation: u32, records: &[WhyRecord]) -> Result<(), Stop> {
        if let Some(reason) = &self.unusable {
            return Err(Stop::Failed(reason.clone()));
        }
        self.disk.make_folder()?;
        let mut bytes = Vec::with_capacity(records.len() * RECORD);
        records.iter().for_each(|record| record.encode(&mut bytes));
        let name = temporary("why");
        self.disk.write(&name, &bytes)?;
        self.disk.rename(&name, &format!("why.{generation}"))?;
        let mut sessions: Vec<u32> = self.disk.list()?.iter().filter_map(|name| generation_in(name)).collect();
        sessions.sort_unstable();
        for old in sessions.iter().rev().skip(SESSIONS as usize) {
            self.disk.remove(&format!("why.{old}"))?;
        }
        Ok(())
    }
}
