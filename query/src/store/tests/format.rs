//! The documentation of the format is the format.

use super::memory::Memory;
use super::model::{Dice, Model, sound};
use crate::fingerprint::Fp;
use crate::store::bytes::checksum;
use crate::store::disk::Disk;
use crate::store::head::{Head, Retired, SegmentEntry};
use crate::store::row::PackedRow;

/// Rows of the first table in a module's prose: its first two columns.
fn table(source: &str) -> Vec<(String, String)> {
    let cells = |line: &str| {
        let mut cells = line.strip_prefix("//! |")?.split('|').map(|cell| cell.trim().to_owned());
        Some((cells.next()?, cells.next()?))
    };
    source.lines().filter_map(cells).skip(2).collect()
}

#[test]
fn a_row_is_laid_out_as_its_table_says() {
    let row = PackedRow {
        kind: 0x0102,
        flags: 3,
        cost: 4,
        changed_at: 5,
        verified_at: 6,
        key_at: 7,
        value_at: 8,
        key: Fp(9, 10),
        value: Fp(11, 12),
    };
    let bytes = row.encode(13, 14);
    let rows = table(include_str!("../row.rs"));
    let check = |place: &str, field: &str, expected: &[u8]| {
        assert!(rows.iter().any(|(bytes, name)| bytes == place && name.starts_with(field)), "{place} {field}: {rows:?}");
        let (from, to) = place.split_once("..").expect("a place is a range");
        let range = from.parse::<usize>().expect("a number")..to.parse().expect("a number");
        assert_eq!(&bytes[range], expected, "{field}");
    };
    check("0..2", "kind", &[2, 1]);
    assert_eq!(bytes[2..4], [3, 4]);
    check("4..8", "changed at", &[5, 0, 0, 0]);
    check("8..12", "verified at", &[6, 0, 0, 0]);
    check("12..16", "place of the key", &[7, 0, 0, 0]);
    check("16..20", "place of the value", &[8, 0, 0, 0]);
    check("20..24", "where its dependencies", &[13, 0, 0, 0]);
    check("24..28", "where its dependents", &[0; 4]);
    check("28..32", "1 + where its superseded", &[14, 0, 0, 0]);
    check("32..48", "fingerprint of the key", &Fp(9, 10).to_bytes());
    check("48..64", "fingerprint of the value", &Fp(11, 12).to_bytes());
}

#[test]
fn head_is_laid_out_as_its_table_says() {
    let head = Head {
        serial: 1,
        generation: 2,
        blob_serial: 3,
        blob_len: 4,
        blob_live: 5,
        boot_id: [6; 16],
        segments: vec![SegmentEntry { serial: 7, header_len: 8, file_len: 9, header_sum: 10 }],
        retired: vec![Retired::Graph(11), Retired::Blob(12)],
    };
    let mut expected = b"ORI-HEAD".to_vec();
    let mut number = |value: u64, len: usize| expected.extend_from_slice(&value.to_le_bytes()[..len]);
    number(u64::from(crate::store::FORMAT), 4);
    number(1, 4);
    number(2, 4);
    number(3, 4);
    number(4, 8);
    number(5, 8);
    number(0x0606_0606_0606_0606, 8);
    number(0x0606_0606_0606_0606, 8);
    for (value, len) in [(1, 4), (7, 4), (8, 4), (9, 8), (10, 8), (2, 4), (0, 4), (11, 4), (1, 4), (12, 4)] {
        number(value, len);
    }
    expected.resize(504, 0);
    expected.extend_from_slice(&checksum(&expected).to_le_bytes());
    assert_eq!(head.encode(), expected);
    assert_eq!(Head::decode(&expected), Ok(head));
    let fixed: usize = table(include_str!("../head.rs")).iter().take(8).map(|(bytes, _)| bytes.parse::<usize>().expect("a number")).sum();
    assert_eq!(fixed, 8 + 4 + 4 + 4 + 4 + 8 + 8 + 16);
}

#[test]
fn the_same_deltas_give_the_same_bytes() {
    let written = || {
        let disk = Memory::default();
        Model::written(disk.clone(), &mut Dice(3), 5, 50);
        let mut store = sound(disk.clone());
        assert_eq!(store.fold(), crate::store::Published::Done);
        disk.names().into_iter().map(|(name, _)| (disk.read(&name).ok(), name)).collect::<Vec<_>>()
    };
    assert_eq!(written(), written());
}

#[test]
fn a_line_of_source_costs_what_was_promised() {
    // One node and six edges a line: 120 bytes of graph.
    let disk = Memory::default();
    let mut store = sound(disk.clone());
    let nodes = 5000u32;
    let rows = (0..nodes).map(|id| super::NewRow {
        id,
        row: crate::store::Row { kind: 1, key: Fp(u64::from(id) << 40, 1), ..crate::store::Row::EMPTY },
        deps: (0..6).map(|edge| (id * 7 + edge * 31) % nodes).collect(),
        new_key: None,
        new_value: None,
        trace: None,
    });
    let delta = crate::store::Delta { generation: 1, rows: super::batches(rows), ..Default::default() };
    assert_eq!(store.publish(delta), crate::store::Published::Done);
    let len = disk.names().iter().find(|(name, _)| name == "graph.1").map_or(0, |(_, len)| *len);
    assert!(len > 0 && (len - 8192) / nodes as usize <= 120, "{len}");
}
