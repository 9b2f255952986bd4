use super::{Coverage, Test, Usefulness};
use crate::Type;

#[track_caller]
fn check(ty: Type, tests: &[(i64, i64)], witnesses: &[&str]) {
    let mut coverage = Coverage::new(ty);
    for &(low, high) in tests {
        coverage.cover(Test::Range(low, high));
    }
    assert_eq!(coverage.witnesses(), witnesses);
    assert_eq!(coverage.is_complete(), witnesses.is_empty());
}

#[test]
fn intervals_join_and_gaps_are_witnesses() {
    check(Type::BOOL, &[(1, 1), (0, 0)], &[]);
    check(Type::BOOL, &[(1, 1)], &["false"]);
    check(Type::BYTE, &[(0, 9), (20, 255), (10, 19)], &[]);
    check(Type::BYTE, &[(5, 9), (7, 100)], &["0..=4", "101..=255"]);
    check(Type::CHAR, &[(0, 0xd7ff), (0xe000, 0x10_ffff)], &[]);
    check(Type::CHAR, &[(0, 0x60), (0x62, 0x10_ffff)], &["'a'"]);
    check(Type::INT, &[(i64::MIN, i64::MAX)], &["_"]);
    check(Type::INT, &[(i64::MIN, -1), (1, i64::MAX)], &["0"]);
    check(Type::INT, &[(0, 3), (10, 10)], &["-1", "4", "11"]);
    check(Type::STR, &[], &["_"]);
}

#[test]
fn a_covered_test_is_unreachable_and_a_crossing_one_overlaps() {
    let mut coverage = Coverage::new(Type::INT);
    coverage.cover(Test::Range(1, 5));
    coverage.cover(Test::Range(6, 8));
    assert_eq!(coverage.judge(Test::Range(2, 7)), Usefulness::Unreachable);
    assert_eq!(coverage.judge(Test::Range(0, 3)), Usefulness::Overlaps);
    assert_eq!(coverage.judge(Test::Range(0, 9)), Usefulness::Useful);
    assert_eq!(coverage.judge(Test::Range(9, 12)), Usefulness::Useful);
    coverage.cover_all();
    assert_eq!(coverage.judge(Test::Range(9, 12)), Usefulness::Unreachable);
}
