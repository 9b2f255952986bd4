//! `oric fix` on every program of `fixtures/diagnostics`: it converges, and leaves no program worse than it was.

mod book;

use std::path::Path;

use book::{Folder, root, shell};

/// Errors of a program.
fn errors(folder: &Path, name: &str) -> usize {
    let (out, _) = shell(&format!("oric check --error-limit 0 --message-format=short '{name}' 2>&1"), folder);
    out.lines().filter(|line| line.contains("error[")).count()
}

#[test]
fn fixes_of_all_diagnosed_programs_converge_and_do_no_harm() {
    let from = root().join("fixtures/diagnostics");
    let mut names: Vec<String> = std::fs::read_dir(&from)
        .expect("the fixtures can be read")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        // A store of somebody who checked one by hand is no program.
        .filter(|name| name.ends_with(".ori") && from.join(name).is_file())
        .collect();
    names.sort();
    let folder = Folder::new("fix");
    let (_, status) = shell(&format!("cp -r '{}'/. .", from.display()), &folder.0);
    assert_eq!(status, 0);
    let mut changed = 0;
    for name in &names {
        let path = folder.0.join(name);
        let before = std::fs::read(&path).expect("the program can be read");
        let (out, status) = shell(&format!("oric fix --quiet '{name}'"), &folder.0);
        assert!(status == 0 || status == 1, "{name}: {out}");
        let once = std::fs::read(&path).expect("the program can be read");
        if once == before {
            continue;
        }
        changed += 1;
        let after = errors(&folder.0, name);
        std::fs::write(&path, &before).expect("the program can be written");
        let first = errors(&folder.0, name);
        // One error may have hidden another.
        assert!(after <= first, "{name}: {first} errors before, {after} after: {out}");
        std::fs::write(&path, &once).expect("the program can be written");
        shell(&format!("oric fix --quiet '{name}'"), &folder.0);
        assert!(std::fs::read(&path).is_ok_and(|twice| twice == once), "{name}: a second run changes it again");
    }
    assert!(changed >= 15, "only {changed} programs were changed");
}

#[test]
fn carriage_returns_and_permissions_stay() {
    let folder = Folder::new("fix-crlf");
    let path = folder.write("a.ori", b"@main () -> void = {\r\n    print(msg: \"a\")\r\n    print(mgs: \"b\");\r\n}\r\n");
    shell("chmod 640 a.ori", &folder.0);
    let (out, status) = shell("oric fix --quiet a.ori", &folder.0);
    assert_eq!(status, 0, "{out}");
    let text = std::fs::read_to_string(&path).expect("the program can be read");
    assert_eq!(text, "@main () -> void = {\r\n    print(msg: \"a\");\r\n    print(msg: \"b\");\r\n}\r\n");
    assert_eq!(shell("stat -c %a a.ori", &folder.0).0.trim(), "640");
}
