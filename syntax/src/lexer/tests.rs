use super::{Flags, Kind, Token, lex};

/// Kinds of the tokens as a message names them, without the end.
fn kinds(source: &str) -> Vec<&'static str> {
    let tokens = lex(source).tokens;
    assert_eq!(tokens.last().map(|t| t.kind), Some(Kind::Eof));
    tokens[..tokens.len() - 1].iter().map(|t| t.kind.describe()).collect()
}

#[track_caller]
fn check(source: &str, expected: &[&str]) {
    assert_eq!(kinds(source), expected, "{source}");
}

#[test]
fn the_longest_mark_wins_but_closing_angles_stay_single() {
    check("..=...::.", &["'..='", "'...'", "'::'", "'.'"]);
    check("<<=**=&&=||=|>??", &["'<<='", "'**='", "'&&='", "'||='", "'|>'", "'??'"]);
    check(">>==", &["'>'", "'>'", "'=='"]);
    check(">=", &["'>'", "'='"]);
    check("->=>-=", &["'->'", "'=>'", "'-='"]);
    check("@=@", &["'@='", "'@'"]);
}

#[test]
fn words_are_keywords_reserved_or_names() {
    check(
        "match matches Self self view b bx _ _a",
        &["'match'", "identifier", "'Self'", "'self'", "reserved word", "identifier", "identifier", "'_'", "identifier"],
    );
    let tokens = lex("a Ab try return\n  x\ny").tokens;
    let has = |i: usize, flag| tokens[i].flags.has(flag);
    assert!(!has(0, Flags::UPPER) && has(1, Flags::UPPER) && has(2, Flags::SPECIAL) && has(3, Flags::FOREIGN));
    assert!(has(4, Flags::LINE_START) && !has(4, Flags::FIRST_COLUMN) && has(5, Flags::FIRST_COLUMN) && !has(3, Flags::LINE_START));
}

#[test]
fn adjacency_is_seen_across_everything_that_is_no_token() {
    let adjacent = |source: &str| lex(source).tokens[1].is_adjacent();
    assert!(adjacent("a:b"));
    for source in ["a :", "a\t:", "a\n:", "a// c\n:"] {
        assert!(!adjacent(source), "{source:?}");
    }
}

#[test]
fn numbers_leave_dots_to_ranges_and_members() {
    check("0..9", &["integer", "'..'", "integer"]);
    check("5.pow 1.5.2", &["integer", "'.'", "identifier", "float", "'.'", "integer"]);
    check("1.5e3 2s 1.5kb 0b 0xff", &["float", "duration", "size", "size", "integer"]);
}

#[test]
fn templates_come_out_in_parts() {
    check("`a{b}c`", &["template", "template text", "'{'", "identifier", "'}'", "template text", "end of template"]);
    check(
        "`{f({a: 1}):>5}`",
        &[
            "template",
            "'{'",
            "identifier",
            "'('",
            "'{'",
            "identifier",
            "':'",
            "integer",
            "'}'",
            "')'",
            "format specification",
            "'}'",
            "end of template",
        ],
    );
    check("`{`{a}`}`", &["template", "'{'", "template", "'{'", "identifier", "'}'", "end of template", "'}'", "end of template"]);
    check("`{{}}`", &["template", "template text", "end of template"]);
}

#[test]
fn brackets_know_their_partners() {
    let partners = |source: &str| -> Vec<Option<u32>> {
        let tokens: Vec<Token> = lex(source).tokens.into_iter().filter(|t| t.kind.opens()).collect();
        tokens.iter().map(|t| (t.data != super::NONE).then_some(t.data)).collect()
    };
    assert_eq!(partners("(a[1]{})"), [Some(7), Some(4), Some(6)]);
    assert_eq!(partners("{(a}"), [Some(3), None]);
    assert_eq!(partners("(a])"), [Some(3)]);
    assert!(lex("(a[1]{})").balanced && !lex("{(a}").balanced && !lex("a)").balanced);
    // The layout keeps a missing bracket from reaching into the next item.
    assert_eq!(partners("@f () = {\n@g () = {\n}"), [Some(3), None, Some(9), Some(12)]);
}

#[test]
fn strings_that_end_with_the_line_leave_the_next_line_alone() {
    let tokens = lex("\"abc\nd");
    assert_eq!(tokens.errors.len(), 1);
    assert_eq!(tokens.tokens.iter().map(|t| t.kind).collect::<Vec<_>>(), [Kind::Str, Kind::Ident, Kind::Eof]);
}
