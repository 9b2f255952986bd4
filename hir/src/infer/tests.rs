use crate::memory::Program;

#[test]
fn scratch() {
    for dir in std::env::var("ORI_DIRS").unwrap_or_default().split(':').filter(|d| !d.is_empty()) {
        let mut sources = Vec::new();
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "ori") {
                sources.push((path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap()));
            }
        }
        sources.sort();
        let refs: Vec<(&str, &str)> = sources.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let lines: usize = refs.iter().map(|r| r.1.lines().count()).sum();
        let t = std::time::Instant::now();
        let program = Program::new(&refs);
        let parsed = t.elapsed();
        let t = std::time::Instant::now();
        let report = program.report();
        let inferred = t.elapsed();
        println!("{dir}: {lines} lines parse {parsed:?} infer {inferred:?} {:.2} Ml/s", lines as f64 / inferred.as_secs_f64() / 1e6);
        println!("{report}");
    }
}
