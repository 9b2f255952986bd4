use super::*;

#[track_caller]
fn check(places: &[(u32, u32)]) {
    let mut stored = Places::with_capacity(places.len());
    for &(line, column) in places {
        stored.push(line, column);
    }
    for (i, &place) in places.iter().enumerate() {
        assert_eq!(stored.get(Id::new(i)), Some(place));
    }
    assert_eq!(stored.len(), places.len());
    assert_eq!(stored.get(Id::new(places.len())), None);
}

#[test]
fn every_line_and_column_comes_back() {
    check(&[]);
    check(&[(1, 1), (2, 80), (0, 0)]);
    check(&[(1, 8191), (1, 8192), (262_143, 1), (262_144, 1), (u32::MAX, u32::MAX), (3, 3)]);
}
