//! The one table of codes and templates (decision 7): everything that a diagnostic's first line can say.
//!
//! A row is code, stage, section of the language reference, and the wordings of the template. A code is never renumbered and never gets
//! another meaning; the test beside this file compares every row with the reference. Placeholders stand in braces, `{a|b}` is a choice
//! that the argument makes.

use std::fmt;

use super::{Arg, Diagnostic, Severity};

/// Which compiler can report a code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// The first useful compiler.
    Core,
    /// Later ones; until then the construct is refused with E2040.
    Full,
}

struct Row {
    code: &'static str,
    stage: Stage,
    section: &'static str,
    templates: &'static [&'static str],
}

macro_rules! codes {
    ($($code:ident $stage:ident $section:literal [$($template:literal),+];)+) => {
        /// The stable code of a diagnostic.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[repr(u16)]
        pub enum DiagnosticCode {
            $(#[doc = concat!("`", $($template, "` `",)+ "` (", $section, ")")] $code,)+
        }

        impl DiagnosticCode {
            /// Every code, in the order of the table.
            pub const ALL: &'static [DiagnosticCode] = &[$(DiagnosticCode::$code),+];
        }

        static ROWS: &[Row] = &[$(Row {
            code: stringify!($code),
            stage: Stage::$stage,
            section: $section,
            templates: &[$($template),+],
        }),+];
    };
}

impl DiagnosticCode {
    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// The code as text: `E2001`.
    pub fn as_str(self) -> &'static str {
        self.row().code
    }

    /// Error or warning, by the letter.
    pub fn severity(self) -> Severity {
        if self.as_str().starts_with('W') { Severity::Warning } else { Severity::Error }
    }

    /// The wordings, at least one.
    pub fn templates(self) -> &'static [&'static str] {
        self.row().templates
    }

    /// Where the reference explains it.
    pub fn section(self) -> &'static str {
        self.row().section
    }

    /// Which compiler can report it.
    pub fn stage(self) -> Stage {
        self.row().stage
    }

    /// The code with this text.
    #[allow(clippy::should_implement_trait)] // A missing code is no error worth a type.
    pub fn from_str(text: &str) -> Option<DiagnosticCode> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for DiagnosticCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl fmt::Debug for DiagnosticCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text of the first line, without severity and code: the wording with its placeholders filled in order.
///
/// A placeholder name that occurs twice takes one argument, unless the diagnostic brings an argument for each occurrence.
pub fn message(diagnostic: &Diagnostic) -> String {
    let templates = diagnostic.code.templates();
    let template = templates.get(diagnostic.wording as usize).unwrap_or(&templates[0]);
    let occurrences = placeholders(template).count();
    let each = diagnostic.args.len() >= occurrences;
    let mut text = String::with_capacity(template.len() + 16);
    let mut names: Vec<&str> = Vec::new();
    let mut rest = *template;
    let mut seen = 0;
    while let Some((before, name, after)) = next_placeholder(rest) {
        text.push_str(before);
        let known = names.iter().position(|&n| n == name).filter(|_| !each);
        let index = known.unwrap_or(seen);
        if known.is_none() {
            names.push(name);
            seen += 1;
        }
        match diagnostic.args.get(index) {
            Some(Arg::Text(value)) => text.push_str(value),
            Some(Arg::Item(item)) => text.push_str(item.name().as_str()),
            None => text.push_str(name),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// Text before the first placeholder, its name, and the rest.
fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let open = text.find('{')?;
    let close = open + text[open..].find('}')?;
    Some((&text[..open], &text[open + 1..close], &text[close + 1..]))
}

fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    let mut rest = template;
    std::iter::from_fn(move || {
        let (_, name, after) = next_placeholder(rest)?;
        rest = after;
        Some(name)
    })
}

#[cfg(test)]
mod tests;

codes! {
    E0001 Core "01 §1.6" ["unterminated string literal"];
    E0002 Core "01 §1.1" ["unexpected character '{c}'"];
    E0003 Core "01 §1.5" ["invalid number literal '{text}'"];
    E0004 Core "01 §1.6" ["unterminated character literal"];
    E0005 Core "01 §1.6" ["invalid escape sequence '\\{c}' in {kind} literal"];
    E0006 Core "01 §1.6" ["unterminated template literal"];
    E0008 Core "01 §1.4" ["use '==' (or '!=')"];
    E0009 Core "01 §1.6" ["character literal holds more than one character; use double quotes for strings"];
    E0010 Core "01 §1.4" ["'{op}' is not an operator; use '+= 1' or '-= 1'"];
    E0011 Core "01 §1.1" ["'{c}' looks like '{ascii}' but is a different character"];
    E0013 Core "01 §1.4" ["stray backslash"];
    E0014 Core "01 §1.5" ["'{text}' is not a whole number of {nanoseconds|bytes}"];
    E0015 Core "01 §1.3" ["'{w}' is reserved for future use"];
    E0030 Core "01 §1.1" ["byte order mark is not allowed"];
    E0031 Core "01 §1.1" ["invalid UTF-8 at byte {offset}"];
    E0032 Core "01 §1.1" ["control character U+{hex} is not allowed"];
    E0033 Core "01 §1.5" ["{integer|float} literal '{text}' is out of range"];
    E0034 Core "01 §1.6" ["empty character literal"];
    E0035 Core "01 §1.6" ["byte literal must be a single ASCII character or \\xHH"];
    E0036 Core "01 §1.1" ["invalid source file name '{name}'"];
    E0037 Core "01 §1.1, 17 §17.7" ["nesting is too deep (limit {n})"];
    E0038 Core "01 §1.2" ["block comments are not supported; use //"];
    E0039 Core "17 §17.7" ["{aspect} exceeds the limit of {n}"];
    E0101 Core "05 §5.5" ["operator '{op}' cannot be chained; add parentheses"];
    E0102 Core "06 §6.4, 02 G2" ["struct literal needs parentheses here"];
    E0103 Core "05 §5.7" ["write '(t.0).1'"];
    E0104 Core "05 §5.4, 02 G10" ["{assignment|let} cannot be used as a value"];
    E0105 Core "05 §5.7" ["'#' is only valid inside an index"];
    E0106 Core "04 §4.10" ["unknown attribute '#{name}'"];
    E0107 Core "04 §4.10" ["'#{name}' cannot be applied to {item kind}"];
    E0108 Core "04 §4.10" ["invalid arguments for '#{name}': {why}"];
    E0109 Core "04 §4.1, 05 §5.2" ["imports must precede declarations"];
    E0110 Core "04 §4.1" ["'pub' is not allowed here"];
    E0111 Core "04 §4.7" ["'self' must be the first parameter"];
    E0112 Core "05 §5.3" ["spread is not allowed here"];
    E0113 Core "01 §1.3" ["keyword '{w}' cannot be used as a name"];
    E0114 Full "05 §5.5" ["invalid pipe step"];
    E0115 Full "05 §5.5" ["pipe step '{f}' needs exactly one unfilled parameter, found {n}"];
    E0116 Core "06 §6.5" ["label must follow ':' without spaces"];
    E0117 Full "04 §4.4" ["only the first clause may carry {what}"];
    E1001 Core "01 §1.7" ["unexpected '{token}'; expected {list}", "unexpected '=>'; use '->'"];
    E1002 Core "01 §1.7" ["expected expression"];
    E1003 Core "01 §1.7" ["unclosed '{open}'"];
    E1004 Core "01 §1.7" ["expected identifier"];
    E1005 Core "01 §1.7, 03 §3.16" ["expected type"];
    E1006 Core "04 §4.2" ["function '{name}' needs a result type"];
    E1007 Core "04 §4.2" ["function '{name}' has no body"];
    E1008 Core "01 §1.7" ["invalid pattern"];
    E1009 Core "06 §6.9" ["'{form}' is missing argument '{a}'"];
    E1010 Core "06 §6.9" ["'{form}' has no argument '{a}'"];
    E1011 Core "05 §5.6" ["call of '{f}' with several parameters needs named arguments"];
    E1013 Core "05 §5.6, 06 §6.9" ["'{form}' needs named arguments"];
    E1014 Core "01 §1.3" ["'{name}' is a reserved built-in function name"];
    E1015 Core "01 §1.3" ["'{w}' is not an Ori keyword; {hint}"];
    E1016 Core "01 §1.7, 04 §4.1" ["expected ';'"];
    E1017 Core "05 §5.8" ["expected '=' after the lambda's result type"];
    E1018 Core "05 §5.8, 02 G3" ["parameter '{p}' needs a type"];
    E1019 Core "04 §4.7" ["write 'impl {Type}: {Trait}'"];
    E1020 Core "05 §5.4" ["this expression cannot be assigned to"];
    E1033 Full "03 §3.10" ["arithmetic overflow in const expression"];
    E0201 Core "07 §7.2" ["module '{path}' not found"];
    E0202 Core "07 §7.6" ["import cycle: {a} -> {b} -> {a}"];
    E0203 Core "07 §7.2" ["module '{module}' has no item '{name}'"];
    E0204 Core "07 §7.2" ["'{name}' is private to {module|package} '{m}'"];
    E0205 Core "07 §7.2" ["'{name}' is imported from both {A} and {B}"];
    E0206 Core "05 §5.4" ["'{x}' is not an immutable binding"];
    E0207 Core "04 §4.9" ["module-level bindings must be immutable; write 'let ${name}'"];
    E0208 Full "04 §4.8" ["'{name}' has no def impl"];
    E0209 Full "07 §7.4" ["no extension '{T}.{m}' in '{module}'"];
    E0210 Core "03 §3.7" ["variant '{v}' is ambiguous between {A} and {B}"];
    E0211 Core "04 §4.1" ["'{name}' is used before its declaration"];
    E0212 Core "04 §4.2, 17 §17.1" ["invalid signature for @main"];
    E0213 Core "04 §4.2" ["no @main function"];
    E0214 Core "07 §7.2" ["unknown package '{name}'"];
    E0215 Core "07 §7.1" ["module '{name}' is defined by both {a} and {b}"];
    E0216 Core "07 §7.2" ["import path leaves the package"];
    E0217 Core "07 §7.10, 11 §11.9" ["invalid ori.toml: {why}"];
    E0218 Full "10 §10.5" ["several @panic handlers"];
    E0219 Full "10 §10.5" ["invalid signature for @panic"];
    E0220 Full "10 §10.5" ["@panic cannot be called"];
    E0221 Core "05 §5.4" ["'{T}' is a type, not a value"];
    E0301 Core "05 §5.3, 06 §6.1" ["missing field(s) {list} in '{T}'", "pattern lacks field(s) {list}; add '..'"];
    E0302 Core "05 §5.3" ["'{T}' has no field '{f}'"];
    E0303 Core "03 §3.6, 05 §5.3" ["field '{f}' {is declared|given} twice"];
    E0304 Core "05 §5.7" ["tuple index {i} out of range for {T}"];
    E0305 Core "05 §5.6" ["{T} is not callable"];
    E0306 Core "05 §5.6" ["'{f}' has no parameter '{p}'"];
    E0307 Core "05 §5.6" ["argument '{p}' is given twice"];
    E0308 Core "04 §4.7" ["no method '{m}' on type {R}"];
    E0309 Core "04 §4.3" ["method '{m}' must be called"];
    E0310 Core "05 §5.9" ["no conversion from {S} to {T} with '{as|as?}'"];
    E0311 Core "05 §5.10" ["'if' without 'else' cannot produce a value of type {T}"];
    E0312 Core "05 §5.4" ["cannot assign to captured variable '{x}'"];
    E0313 Full "03 §3.11" ["list literal has {n} elements, capacity is {N}"];
    E0314 Core "04 §4.7" ["'Self' is only available in traits and impls"];
    E0315 Core "04 §4.2" ["default of '{p}' refers to parameter '{q}'"];
    E0316 Core "04 §4.2" ["variadic parameter must be single, last and without default"];
    E0317 Core "03 §3.5" ["range bounds must be int, found {T}"];
    E0318 Core "04 §4.2" ["variadic arguments are positional; remove the name"];
    E0322 Full "03 §3.14, 14 §14.3" ["'{x}' was already {dropped|moved}"];
    E2001 Core "03 §3.12" ["expected {expected}, found {found}"];
    E2002 Core "03 §3.16" ["unknown type '{name}'"];
    E2003 Core "03 §3.16, 06 §6.1" ["unknown name '{name}'", "unknown variant '{V}' of {T}"];
    E2004 Core "05 §5.6" ["'{f}' takes {n} arguments, found {m}", "missing argument '{p}' in call of '{f}'"];
    E2005 Core "03 §3.16" ["cannot infer the type of '{expr}'"];
    E2006 Core "03 §3.1, 04 §4.1" ["'{name}' is defined twice in this scope"];
    E2007 Core "03 §3.16" ["closure '{name}' refers to itself"];
    E2008 Core "03 §3.6" ["type '{T}' contains itself"];
    E2009 Core "03 §3.9" ["type '{T}' does not implement '{Trait}'"];
    E2011 Core "05 §5.6, 03 §3.7" ["named and positional arguments cannot be mixed"];
    E2015 Core "03 §3.9" ["type parameter '{P}' without default after one with default"];
    E2016 Core "03 §3.9" ["type '{T}' expects {n} type arguments, found {m}"];
    E2017 Core "03 §3.9" ["too many type arguments for '{T}'"];
    E2018 Core "04 §4.7" ["impl of '{Tr}' for '{T}' lacks associated type '{A}'"];
    E2019 Core "03 §3.2" ["field '{f}' of '{T}' has type Never"];
    E2020 Core "05 §5.5" ["operator '{op}' is not defined for {L} and {R}", "operator '{op}' is not defined for {T}"];
    E2023 Core "04 §4.7" ["method '{m}' is ambiguous: {list}"];
    E2024 Full "03 §3.13" ["trait '{Tr}' cannot be used as an object type: {reason}"];
    E2025 Core "05 §5.7" ["type '{T}' cannot be indexed"];
    E2026 Core "05 §5.7" ["index of '{T}' must be {K}, found {F}"];
    E2027 Core "04 §4.7, 05 §5.7" ["ambiguous index key type"];
    E2031 Core "03 §3.3" ["type '{K}' cannot be used as a {map key|set element}"];
    E2034 Full "01 §1.6, 16 §16.1" ["invalid format specification '{spec}'"];
    E2035 Full "16 §16.2, 05 §5.3" ["format type '{part}' does not apply to {T}"];
    E2036 Core "08 §8.6" ["'{S}' does not implement Into<{T}>"];
    E2037 Core "08 §8.6" ["several Into implementations apply to '{S}'"];
    E2038 Core "05 §5.3" ["type '{T}' does not implement Printable"];
    E2039 Core "05 §5.4, 04 §4.7" ["binding '{x}' is immutable"];
    E2040 Core "01 §1.0" ["this compiler does not support {construct} yet"];
    E2041 Full "04 §4.10, 15 §15.2" ["invalid #repr: {why}"];
    E2044 Full "04 §4.5" ["contract condition must be bool"];
    E2045 Full "04 §4.5" ["post needs a lambda"];
    E2046 Full "04 §4.5" ["post on a function returning void"];
    E2047 Full "04 §4.5" ["unknown name '{name}' in precondition"];
    E2050 Core "05 §5.4" ["type '{T}' does not support index assignment"];
    E2051 Core "04 §4.2, 04 §4.7" ["cannot assign to parameter '{name}'"];
    E0401 Core "04 §4.7" ["impl of '{Tr}' for '{T}' lacks '{m}'"];
    E0402 Core "04 §4.7" ["'{m}' is not a member of trait '{Tr}'"];
    E0403 Core "04 §4.7" ["signature of '{m}' does not match trait '{Tr}'"];
    E0404 Full "03 §3.15" ["trait '{Tr}' cannot be implemented manually"];
    E0405 Full "04 §4.8" ["def impl methods take no self"];
    E0406 Full "04 §4.8" ["several default implementations of '{Tr}'"];
    E0407 Full "04 §4.8" ["extension of '{T}' cannot {add a static function|override method '{m}'}"];
    E0408 Full "04 §4.8" ["conflicting extension '{T}.{m}'"];
    E0409 Full "03 §3.10" ["const bound '{expr}' is not satisfied for {N} = {value}"];
    E0410 Full "03 §3.10" ["const argument for '{N}' must be a constant {type}"];
    E0411 Core "04 §4.7, 03 §3.15" ["'{Tr}' is already implemented for '{T}'"];
    E0413 Core "04 §4.7" ["'{T}' must implement supertrait '{S}'"];
    E0415 Full "03 §3.15" ["Value type '{T}' is {n} bytes, limit 512"];
    E0416 Core "03 §3.9" ["generic instantiation of '{name}' does not terminate"];
    E0440 Core "08 §8.1" ["trait resolution for '{T}: {Tr}' does not terminate"];
    E0442 Core "08 §8.1" ["'{name}' is not a trait"];
    E0443 Core "08 §8.1" ["trait '{Tr}' inherits from itself"];
    E0444 Core "08 §8.1" ["'{T}' has no associated type '{A}'"];
    E0445 Core "08 §8.1" ["associated type '{A}' is ambiguous; write '{T}::{Tr}::{A}'"];
    E0446 Core "04 §4.7" ["'{m}' must not assign to self"];
    E0447 Full "08 §8.8" ["drop cannot be called; use drop_early(value: {x})"];
    E0448 Full "08 §8.8" ["Drop must be implemented for every '{T}'"];
    E0449 Full "13 §13.5" ["self cannot escape from drop"];
    E2010 Core "04 §4.7, 04 §4.8" ["orphan implementation of '{Tr}' for '{T}'", "inherent impl for foreign type '{T}'", "orphan extension of '{T}'"];
    E2021 Core "04 §4.7" ["overlapping implementations of '{Tr}' for '{T}'"];
    E2022 Core "04 §4.7" ["conflicting defaults for '{m}' from {A} and {B}"];
    E2028 Core "03 §3.15" ["sum type '{T}' has no derivable Default"];
    E2029 Core "03 §3.15" ["deriving Hashable for '{T}' needs Eq as well"];
    E2032 Core "03 §3.15" ["field '{f}' of type '{T}' does not implement '{Tr}'"];
    E2033 Core "03 §3.15" ["'{Tr}' is not a derivable trait"];
    E2049 Full "03 §3.15" ["Value type '{T}' cannot implement Drop"];
    E0500 Core "04 §4.9" ["const evaluation exceeded {n} steps"];
    E0501 Core "04 §4.9" ["const evaluation exceeded depth {n}"];
    E0502 Core "04 §4.9" ["const evaluation exceeded {n} bytes"];
    E0503 Core "04 §4.9" ["const evaluation exceeded {n} seconds"];
    E0504 Full "04 §4.9" ["'{what}' is not allowed in a const function"];
    E0701 Core "04 §4.9" ["'{expr}' is not a constant expression"];
    E0702 Core "04 §4.9" ["constant '${name}' depends on itself"];
    E0703 Core "04 §4.9" ["constant evaluation failed: {panic message}"];
    E0704 Full "05 §5.11" ["cannot embed '{path}': {why}"];
    E0705 Full "04 §4.11, 18 §18.3" ["{text}"];
    E0706 Core "04 §4.9, 13 §13.5" ["'{what}' is not allowed in a constant"];
    E0510 Core "11 §11.3" ["function @{f} has no tests"];
    E0511 Core "11 §11.2" ["test '{t}' is outside a _test/ directory"];
    E0512 Core "11 §11.1" ["test '{t}' must have signature () -> void"];
    E0513 Core "11 §11.1" ["test target '@{f}' not found"];
    E0514 Core "11 §11.1" ["'_' cannot be combined with other targets"];
    E0515 Core "11 §11.1" ["tests cannot be called"];
    E0516 Core "11 §11.2" ["file '{f}' in _test/ must be named *.test.ori"];
    E0517 Core "11 §11.4" ["'#{a}' and '#{b}' exclude each other"];
    E0601 Core "06 §6.2, 04 §4.4" ["non-exhaustive patterns: {witness} not covered"];
    E0603 Core "06 §6.1, 04 §4.2" ["'{x}' is bound more than once"];
    E0604 Core "06 §6.1" ["invalid range pattern: {why}"];
    E0605 Core "06 §6.1" ["pattern {V} expects {n} payload value(s), found {m}"];
    E0606 Core "06 §6.3" ["refutable pattern in {let|for|parameter}: {witness} not covered"];
    E0607 Full "04 §4.4" ["clause of '{name}' does not match its first clause"];
    E0608 Full "06 §6.3" ["let? would discard an error; {equivalent form}"];
    E2052 Core "06 §6.1" ["alternatives bind different names: {list}"];
    E2053 Core "06 §6.1" ["'{x}' has type {A} and {B} in the alternatives"];
    E0801 Core "06 §6.5" ["'{break|continue}' outside of a loop"];
    E0802 Core "06 §6.5" ["unknown label '{l}'"];
    E0803 Full "06 §6.5" ["cannot continue a block"];
    E0804 Core "06 §6.7" ["'?' needs a function returning Option or Result, found {T}"];
    E0805 Core "06 §6.7" ["'?' on {T} in a function returning {R}"];
    E0806 Core "06 §6.9" ["self(...) is only allowed in the step of recurse"];
    E0807 Full "06 §6.9" ["release has type {T}, expected void"];
    E0808 Core "06 §6.9" ["recurse must be the body of a function or the last expression of its body block"];
    E0810 Full "03 §3.13" ["'impl {Tr}' may only stand as a result type"];
    E0811 Full "03 §3.13" ["result paths yield different concrete types: {A} and {B}"];
    E0812 Full "03 §3.13" ["type '{T}' does not satisfy '{bounds}'"];
    E0860 Core "06 §6.5" ["'break' with a value is not allowed in {for-do|while}"];
    E0861 Core "06 §6.5" ["'continue' with a value is not allowed in {loop|while|for-do}"];
    E0871 Core "06 §6.5" ["label '{l}' is already in use"];
    E0872 Core "06 §6.5" ["break values of this loop have types {A} and {B}"];
    E0873 Core "06 §6.5" ["'continue:{l}' with a value needs a 'for ... yield' target"];
    E0980 Full "08 §8.8, 03 §3.14" ["drop cannot suspend"];
    E0990 Full "06 §6.9" ["cache key type {K} is not Hashable and Eq"];
    E0991 Full "06 §6.9" ["cache(...) used without capability Cache"];
    E0992 Full "06 §6.9" ["cache ttl is negative"];
    E0930 Full "04 §4.11" ["unknown target {os|family} '{x}'"];
    E0931 Full "04 §4.11" ["unknown target architecture '{x}'"];
    E0932 Full "04 §4.11" ["invalid feature name '{x}'"];
    E0933 Full "04 §4.11" ["a file condition may only stand at the top of the file"];
    E0934 Full "04 §4.11, 18 §18.3" ["unknown configuration flag '{x}'"];
    E1200 Full "12 §12.1" ["'{f}' uses capability '{C}' without declaring it"];
    E1201 Full "12 §12.3" ["no implementation of capability '{C}' is available"];
    E1202 Full "12 §12.2" ["type '{T}' does not implement capability '{C}'"];
    E1203 Full "12 §12.2" ["marker capability '{C}' cannot be bound"];
    E1204 Full "12 §12.5" ["handler for '{C}' lacks operation '{op}'"];
    E1205 Full "12 §12.5" ["handler operation '{op}' must be ({S}, {params}) -> ({S}, {R})"];
    E1206 Full "12 §12.5" ["handler state is {S1} in '{op}' but {S2} in '{op2}'"];
    E1207 Full "12 §12.5" ["'{C}' has no operation '{op}'"];
    E1208 Full "12 §12.1" ["trait '{Tr}' cannot be a capability: {reason}"];
    E1209 Full "12 §12.3" ["closure keeps handler-bound '{C}' beyond its scope"];
    E1220 Full "12 §12.6" ["capset '{N}' contains itself"];
    E1221 Full "12 §12.6" ["capset '{N}' is empty"];
    E1222 Full "12 §12.6" ["capset '{N}' collides with trait '{N}'"];
    E1223 Full "12 §12.6" ["'{x}' is not a capability or capset"];
    E1224 Full "12 §12.2" ["capset '{N}' cannot be bound; bind its members"];
    E1225 Full "12 §12.6" ["public capset '{N}' exposes private '{x}'"];
    E2012 Full "12 §12.1" ["unknown capability '{C}'"];
    E2014 Full "12 §12.1, 05 §5.6" ["call of '{f}' needs capability '{C}'"];
    E1301 Full "15 §15.1" ["unknown ABI \"{abi}\""];
    E1302 Full "15 §15.1" ["ABI \"{abi}\" is not available on {target}"];
    E1303 Full "15 §15.1" ["type '{T}' cannot cross the \"{abi}\" boundary"];
    E1304 Full "15 §15.1" ["extern item '{f}' cannot have {what}"];
    E1305 Full "15 §15.1" ["'{sym}' is declared with two different signatures"];
    E1306 Full "15 §15.1" ["library '{lib}' not found"];
    E1307 Full "15 §15.1" ["symbol '{sym}' not found in '{lib}'"];
    E1308 Full "15 §15.3" ["{operation} needs an unsafe block"];
    E1309 Full "15 §15.4" ["#free must name a function of this block taking CPtr"];
    E1310 Full "15 §15.4" ["owned pointer of '{f}' needs #free"];
    E1311 Full "15 §15.4" ["#error({p}) does not fit result type '{T}'"];
    E1312 Full "15 §15.5" ["callback for '{f}' must not capture"];
    E1401 Full "14 §14.3" ["capability '{C}' cannot cross into a task: {reason}"];
    E1402 Full "14 §14.5" ["task error type '{E}' cannot represent cancellation"];
    E1403 Full "14 §14.5" ["the nursery handle cannot leave its body"];
    E1501 Full "18 §18.1" ["'{f}' needs a known type, found {T}"];
    E1502 Full "18 §18.1" ["{meta} exists only at compile time"];
    E1503 Full "18 §18.2" ["$if condition is not known at compile time"];
    E1504 Full "18 §18.2" ["$for needs a compile-time list"];
    E1505 Full "18 §18.2" ["$for is expanded, not a loop"];
    E1506 Full "18 §18.2" ["'{T}' has no field '{name}' for this splice"];
    E1507 Full "18 §18.2" ["$for expands to more than {n} copies"];
    E9001 Core "17 §17.5" ["internal compiler error: {text}"];
    E9002 Core "17 §17.5" ["too many errors"];
    W0201 Core "07 §7.2" ["unused import '{name}'"];
    W0202 Core "07 §7.7" ["public '{f}' exposes private type '{T}'"];
    W0301 Core "05 §5.2" ["unused Result"];
    W0302 Core "05 §5.5" ["this operation always panics"];
    W0303 Core "05 §5.7" ["'.len()' of a str counts bytes, an index counts code points; use '#'"];
    W0401 Full "03 §3.15" ["Value type '{T}' is {n} bytes, copying it is slow"];
    W0442 Core "08 §8.3" ["{Eq and Comparable|Eq and Hashable} of '{T}' may disagree"];
    W0510 Core "11 §11.3" ["function @{f} has no tests"];
    W0511 Core "11 §11.9" ["attached test @{t} took {d}"];
    W0601 Core "06 §6.2" ["unreachable pattern"];
    W0602 Core "06 §6.2" ["range pattern overlaps an earlier one"];
    W0603 Core "06 §6.1" ["'${x}' shadows a constant; use a guard to compare"];
    W0604 Core "06 §6.3" ["this list pattern may fail; use match"];
    W0605 Full "06 §6.3" ["pattern always matches; use let"];
    W0606 Full "06 §6.3" ["use '?'"];
    W0607 Core "06 §6.1" ["range pattern is empty"];
    W0801 Core "03 §3.2" ["unreachable code"];
    W1001 Core "01 §1.2" ["detached doc comment"];
    W1301 Full "15 §15.3" ["unnecessary unsafe block"];
    W1302 Full "15 §15.4" ["pointer result of '{f}' needs owned or borrowed"];
    W1501 Full "18 §18.1" ["'{T}' has no fields; guard with is_struct"];
    W2001 Core "08 §8.7" ["infinite iterator is consumed without a bound"];
}
