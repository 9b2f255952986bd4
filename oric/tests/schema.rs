//! Every line of `--message-format=json`, on every way out of the program, is what `docs/schema/messages.json` says.
//!
//! The schema is JSON Schema; what it uses of that is checked here, and a keyword that is not known is a failure: nothing in it is silently ignored.

mod book;

use book::{Folder, root, shell};
use serde_json::{Map, Value};

const WRONG: &str = "use std.math { floor };\n@main () -> void = { let totl = 3; print(msg: `{totle}`); let n: int = \"x\"; }\n";
const PANICS: &str = "@main (args: [str]) -> int = { print(msg: \"before\"); 7 / args.len() }\n";
const TESTS: &str = "@f (n: int) -> int = n + 1;\n\
    @t_good tests @f () -> void = assert_eq(actual: f(1), expected: 2);\n\
    @t_bad tests @f () -> void = { print(msg: \"seen\"); assert_eq(actual: f(1), expected: 3); }\n\
    #skip(\"later\")\n@t_later tests _ () -> void = ();\n\
    #compile_fail(\"E2001\")\n@t_wrong tests @f () -> void = { let x: int = \"a\"; }\n\
    @t_deep tests _ () -> void = { assert(condition: deep(n: 0) == 1); }\n\
    @deep (n: int) -> int = 1 + deep(n: n + 1);\n";

fn schema() -> Value {
    let text = std::fs::read_to_string(root().join("docs/schema/messages.json")).expect("the schema can be read");
    serde_json::from_str(&text).expect("the schema is JSON")
}

/// Why a value is not what a schema says; nothing when it is.
fn faults(schema: &Value, value: &Value, all: &Value, at: &str) -> Vec<String> {
    let schema: &Map<String, Value> = schema.as_object().expect("a schema is an object");
    let mut found = Vec::new();
    let mut fault = |why: String| found.push(format!("{at}: {why}"));
    for (keyword, rule) in schema {
        match keyword.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" => {}
            "$ref" => {
                let name = rule.as_str().and_then(|r| r.strip_prefix("#/$defs/")).expect("a reference names a definition");
                let target = &all["$defs"][name];
                assert!(target.is_object(), "there is no definition {name}");
                faults(target, value, all, at).into_iter().for_each(&mut fault);
            }
            "oneOf" => {
                // The reason chooses: so one fault is shown, and not those of every other form.
                let choices = rule.as_array().expect("oneOf is a list");
                let fits: Vec<_> = choices.iter().filter(|choice| faults(choice, value, all, at).is_empty()).collect();
                if fits.len() != 1 {
                    let name = format!("#/$defs/{}", value["reason"].as_str().unwrap_or_default());
                    let meant = choices.iter().find(|choice| choice["$ref"] == *name);
                    let why = meant.map(|choice| faults(choice, value, all, at)).unwrap_or_default();
                    fault(format!("fits {} forms: {}", fits.len(), why.join("; ")));
                }
            }
            "type" => {
                let is = |name: &Value| match name.as_str().expect("a type is a word") {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "number" => value.is_number(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    other => panic!("type {other} is not known"),
                };
                let fits = rule.as_array().map_or_else(|| is(rule), |names| names.iter().any(is));
                if !fits {
                    fault(format!("{value} is not of type {rule}"));
                }
            }
            "const" if value != rule => fault(format!("{value} is not {rule}")),
            "enum" if !rule.as_array().expect("enum is a list").contains(value) => fault(format!("{value} is none of {rule}")),
            "const" | "enum" => {}
            "minimum" => {
                if value.as_f64().is_some_and(|number| number < rule.as_f64().expect("a minimum is a number")) {
                    fault(format!("{value} is below {rule}"));
                }
            }
            "minLength" => {
                if value.as_str().is_some_and(|text| (text.chars().count() as u64) < rule.as_u64().expect("a length is a number")) {
                    fault("the text is too short".to_owned());
                }
            }
            "minItems" => {
                if value.as_array().is_some_and(|items| (items.len() as u64) < rule.as_u64().expect("a length is a number")) {
                    fault("the list is too short".to_owned());
                }
            }
            "pattern" => {
                if let Some(text) = value.as_str()
                    && !fits_pattern(text, rule.as_str().expect("a pattern is a text"))
                {
                    fault(format!("{text:?} does not match {rule}"));
                }
            }
            "required" => {
                for name in rule.as_array().expect("required is a list") {
                    let name = name.as_str().expect("a name is a text");
                    if value.as_object().is_some_and(|object| !object.contains_key(name)) {
                        fault(format!("{name} is missing"));
                    }
                }
            }
            "properties" => {
                for (name, rule) in rule.as_object().expect("properties are an object") {
                    if let Some(part) = value.get(name) {
                        faults(rule, part, all, &format!("{at}.{name}")).into_iter().for_each(&mut fault);
                    }
                }
            }
            "additionalProperties" => {
                assert_eq!(*rule, Value::Bool(false), "additionalProperties is false where it stands");
                for name in value.as_object().into_iter().flat_map(Map::keys) {
                    if schema["properties"].get(name).is_none() {
                        fault(format!("{name} is not in the schema"));
                    }
                }
            }
            "items" => {
                for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                    faults(rule, item, all, &format!("{at}[{i}]")).into_iter().for_each(&mut fault);
                }
            }
            other => panic!("the keyword {other} is not known"),
        }
    }
    found
}

/// The patterns that the schema has.
fn fits_pattern(text: &str, pattern: &str) -> bool {
    match pattern {
        "^@" => text.starts_with('@'),
        "^%" => text.starts_with('%'),
        "^[EW][0-9]{4}$" => text.len() == 5 && text.starts_with(['E', 'W']) && text[1..].bytes().all(|b| b.is_ascii_digit()),
        other => panic!("the pattern {other} is not known"),
    }
}

/// Each command line with its exit status.
const CASES: &[(&str, i32)] = &[
    ("check wrong.ori", 1),
    ("check panics.ori", 0),
    ("check missing.ori", 2),
    ("check text.txt", 2),
    ("check --colour wrong.ori", 2),
    ("check pk", 2),
    ("chekc wrong.ori", 2),
    ("build nothing.ori", 1),
    ("build panics.ori", 0),
    ("build panics.ori --emit=obj", 0),
    ("build panics.ori -o no/such/folder/out", 2),
    ("build --release panics.ori", 2),
    ("build panics.ori --timings", 0),
    ("run panics.ori", 1),
    ("run --interp panics.ori", 1),
    ("run --dump=mir panics.ori", 0),
    ("run --dump=mir --dump-format=json panics.ori", 0),
    ("run --dump=nothing panics.ori", 2),
    ("test tests.ori", 1),
    ("test tests.ori --interp good", 0),
    ("test tests.ori good", 0),
    ("test tests.ori --list", 0),
    ("test tests.ori good --related tests.ori --retries 2", 0),
    ("test tests.ori --related panics.ori", 2),
    ("test tests.ori nothing", 4),
    ("test tests.ori --timeout soon", 2),
    ("test panics.ori", 0),
    ("test wrong.ori", 1),
    ("fix --dry-run wrong.ori", 1),
    ("fix fixed.ori", 1),
    ("fix panics.ori", 0),
    ("fix missing.ori", 2),
    ("bisect --message-format=json calls.ori -- sh -c 'oric run --dump=mir calls.ori | cksum'", 0),
    ("bisect panics.ori", 4),
    ("bisect wrong.ori", 1),
    ("bisect missing.ori", 2),
    ("reduce --message-format=json panics.ori -- sh -c '! oric build {}'", 4),
    ("reduce --message-format=json -o small.ori panics.ori -- sh -c 'oric build {}'", 0),
    ("reduce panics.ori", 4),
    ("reduce panics.ori --keep=all", 2),
    ("why @main panics.ori", 0),
    ("why @zzz panics.ori", 2),
    ("why --mem @main calls.ori", 0),
    ("why --mem @mian calls.ori", 2),
    ("why --mem @main wrong.ori", 1),
    ("graph panics.ori", 0),
    ("report cache panics.ori", 0),
    ("report mono panics.ori", 0),
    ("report size panics.ori", 0),
    ("report size wrong.ori", 1),
    ("report mono nothing.ori", 1),
    ("report cache panics.ori --release", 2),
    ("build calls.ori --remarks", 0),
    ("build panics.ori --remarks=some", 2),
    ("cache stat panics.ori", 0),
    ("cache verify panics.ori", 0),
    ("cache dir panics.ori", 0),
    ("cache gc panics.ori --budget 1GB", 0),
    ("cache gc panics.ori --budget much", 2),
    ("clean panics.ori", 0),
    ("explain E2001", 0),
    ("explain", 0),
    ("explain E2099", 2),
    ("-C nowhere check wrong.ori", 2),
    ("check panics.ori --crash", 101),
    ("check panics.ori --verify-queries", 0),
];

#[test]
fn every_line_on_every_way_out_is_what_the_schema_says() {
    let folder = Folder::new("schema");
    for (name, text) in [("wrong.ori", WRONG), ("fixed.ori", WRONG), ("panics.ori", PANICS), ("tests.ori", TESTS), ("nothing.ori", "")] {
        folder.write(name, text.as_bytes());
    }
    folder.write("calls.ori", b"@f (n: int) -> int = n * 2;\n@main () -> void = print(msg: `{f(3)}`);\n");
    folder.write("text.txt", b"");
    folder.write("pk/ori.toml", b"[project]\nname = 3\n");
    let schema = schema();
    let mut seen = std::collections::BTreeSet::new();
    for (args, status) in CASES {
        let (out, _) = shell(&format!("oric {args} --message-format=json 2>/dev/null; echo $?"), &folder.0);
        let mut lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines.pop(), Some(status.to_string().as_str()), "oric {args}: {out}");
        let values: Vec<Value> =
            lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("oric {args}: {error}: {line}"))).collect();
        for value in &values {
            let found = faults(&schema, value, &schema, "line");
            assert!(found.is_empty(), "oric {args}: {}\n{value}", found.join("; "));
            seen.insert(value["reason"].as_str().unwrap_or_default().to_owned());
        }
        let reasons: Vec<_> = values.iter().map(|value| value["reason"].as_str().unwrap_or_default()).collect();
        assert_eq!((reasons.first(), reasons.last()), (Some(&"start"), Some(&"finished")), "oric {args}");
        assert_eq!(values.last().map(|last| last["exit"].clone()), Some((*status).into()), "oric {args}");
        assert_eq!(reasons.iter().filter(|reason| **reason == "start" || **reason == "finished").count(), 2, "oric {args}");
    }
    let round = first_round(&folder);
    assert!(faults(&schema, &round, &schema, "line").is_empty(), "{round}");
    seen.insert(round["reason"].as_str().unwrap_or_default().to_owned());
    // A form that nothing prints is no form.
    for form in schema["oneOf"].as_array().expect("a list of forms") {
        let name = form["$ref"].as_str().and_then(|r| r.rsplit('/').next()).expect("a form has a name");
        assert!(seen.contains(name), "no command line prints {name}");
    }
}

/// The end of the first round of `--watch`, which nobody ends but us.
fn first_round(folder: &Folder) -> Value {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_oric"))
        .args(["check", "panics.ori", "--watch", "--message-format=json"])
        .current_dir(&folder.0)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("oric starts");
    let out = std::io::BufReader::new(child.stdout.take().expect("it has an output"));
    let round = std::io::BufRead::lines(out).map_while(Result::ok).find(|line| line.contains("\"round\"")).expect("a round");
    let _ = child.kill();
    let _ = child.wait();
    serde_json::from_str(&round).expect("JSON")
}

#[test]
fn a_line_that_is_otherwise_is_found() {
    let schema = schema();
    let good = serde_json::json!({ "reason": "finished", "exit": 0, "owner": "oric" });
    assert!(faults(&schema, &good, &schema, "line").is_empty());
    let broken = [
        ("exit", Value::from("0"), "not of type"),
        ("exit", Value::from(-1), "below"),
        ("owner", Value::from("nobody"), "none of"),
        ("more", Value::from(1), "not in the schema"),
        ("reason", Value::from("end"), "fits 0 forms"),
    ];
    for (name, value, why) in broken {
        let mut line = good.clone();
        line[name] = value;
        let found = faults(&schema, &line, &schema, "line").join("; ");
        assert!(found.contains(why), "{line}: {found}");
    }
    let without = serde_json::json!({ "reason": "finished", "exit": 0 });
    assert!(faults(&schema, &without, &schema, "line").join("").contains("owner is missing"));
}
