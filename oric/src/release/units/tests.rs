use ir::Symbol;

use super::*;

fn named(module: &str, name: &str) -> ItemId {
    ItemId::function(Symbol::new(module), Symbol::new(name))
}

/// A function of this size that calls these.
fn row(module: &str, name: &str, size: u32, callees: &[ItemId]) -> Row {
    Row {
        item: named(module, name),
        fingerprint: u128::from(size),
        outline: Arc::new(Callable { callees: callees.to_vec(), size, ..Callable::default() }),
    }
}

/// Modules of so many instructions each, in functions of 500; the first function of each calls the first of the next.
fn program(sizes: &[u32]) -> Vec<Row> {
    let mut rows = vec![row("", "entry", 3, &[])];
    for (number, size) in sizes.iter().enumerate() {
        for at in 0..size / 500 {
            let next = named(&format!("m{}", number + 1), "f0");
            rows.push(row(&format!("m{number}"), &format!("f{at}"), 500, if at == 0 { std::slice::from_ref(&next) } else { &[] }));
        }
    }
    rows
}

/// Items of each unit.
fn names(division: &Division) -> Vec<Vec<ItemId>> {
    division.parts.iter().map(|part| part.own.iter().map(|&(number, _)| division.rows[number].item).collect()).collect()
}

fn whole(rows: Vec<Row>, wanted: Option<u32>) -> Division {
    divided(rows, named("m0", "f0"), wanted)
}

#[test]
fn a_small_program_is_one_unit_and_its_functions_are_its_own() {
    let division = whole(program(&[3_000, 3_000]), None);
    assert_eq!(division.parts.len(), 1);
    assert!(division.parts[0].own.iter().all(|&(_, linkage)| linkage == Linkage::Own) && division.parts[0].copies.is_empty());
}

#[test]
fn modules_are_units_small_ones_share_and_large_ones_are_cut() {
    let sizes = [4_000, 1_000, 1_000, 40_000, 5_000];
    let found = names(&whole(program(&sizes), None));
    let units_of = |module: &str| found.iter().filter(|unit| unit.iter().any(|item| item.module().as_str() == module)).count();
    assert_eq!(["m0", "m1", "m2", "m4"].map(units_of), [1; 4]);
    assert!(units_of("m3") > 1, "{found:?}");
    assert!(found.iter().all(|unit| unit.len() > 1 || unit[0].module().as_str() == "m3"), "{found:?}");
}

#[test]
fn no_edit_of_a_body_moves_another_function_or_changes_another_unit() {
    let sizes = [4_000, 6_000, 1_500, 5_000, 1_000];
    let before = whole(program(&sizes), None);
    let mut rows = program(&sizes);
    let edited = rows.iter().position(|row| row.item == named("m1", "f3")).expect("it is there");
    rows[edited] = row("m1", "f3", 620, &[]);
    let after = whole(rows, None);
    assert_eq!(names(&before), names(&after));
    let changed = before.parts.iter().zip(&after.parts).filter(|(before, after)| before.fingerprint != after.fingerprint).count();
    assert_eq!(changed, 1);
}

#[test]
fn small_callees_are_copied_and_defined_once() {
    let [tiny, small, large] = ["tiny", "small", "large"].map(|name| named("lib", name));
    let mut rows = vec![row("m0", "f0", 9_000, &[small, large]), row("lib", "small", 20, &[tiny]), row("lib", "tiny", 5, &[])];
    rows.extend([row("lib", "large", 9_000, &[]), row("lib", "alone", 50, &[])]);
    let division = whole(rows, None);
    let part = |item: ItemId| {
        let part = division.parts.iter().find(|part| part.own.iter().any(|&(number, _)| division.rows[number].item == item));
        part.expect("it has a unit")
    };
    let user = part(named("m0", "f0"));
    let items = |numbers: &[usize]| numbers.iter().map(|&number| division.rows[number].item).collect::<Vec<_>>();
    assert_eq!((items(&user.copies), items(&user.externals)), (vec![small, tiny], vec![large]));
    for part in &division.parts {
        for &(number, linkage) in &part.own {
            let is_alone = division.rows[number].item == named("lib", "alone");
            assert_eq!(linkage, if is_alone { Linkage::Own } else { Linkage::Shared }, "{}", division.rows[number].item);
        }
    }
    let defined: usize = division.parts.iter().map(|part| part.own.len()).sum();
    assert_eq!(defined, division.rows.len());
}

#[test]
fn as_many_units_as_are_asked_for_and_never_more_than_the_most() {
    let most = MOST_UNITS as usize;
    assert_eq!(whole(program(&[40_000, 40_000]), Some(1)).parts.len(), 1);
    assert_eq!(whole(program(&[40_000, 40_000]), Some(4)).parts.len(), 4);
    let many = whole(program(&vec![2_500; most + 40]), None).parts.len();
    assert!(many <= most && many > most / 2, "{many}");
}
