use ir::List;

use super::{LongLists, LongSpans, NodeId, Short};
use crate::Span;

#[test]
fn spans_come_back_as_they_were_however_long() {
    let mut long = LongSpans::default();
    let edges = [0, 1, (1 << 12) - 1, 1 << 12, (1 << 19) - 1, 1 << 19, u32::MAX - 1, u32::MAX];
    for start in edges {
        for end in edges {
            let span = Span::new(start, end);
            let packed = long.pack(span);
            assert_eq!(long.unpack(packed), span);
        }
    }
}

#[test]
fn lists_come_back_as_they_were_however_long() {
    let mut long = LongLists::default();
    for start in [0, 1, 0xffff, 0x1_0000, u32::MAX] {
        for len in [0, 1, 0xfffe, 0xffff, 0x1_0000, u32::MAX] {
            let list: List<u8> = List::new(start, len);
            assert_eq!(Short::new(list, &mut long).list(&long), list);
        }
    }
}

#[test]
fn an_absent_id_takes_no_room() {
    assert_eq!(size_of::<Option<NodeId<()>>>(), 4);
    assert_eq!(NodeId::<()>::new(7).index(), 7);
}
