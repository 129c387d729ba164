//! Reports that are read back: every form of them is written without a panic and without raw control characters.

use stanch::report::{
    Csv, Github, Gitlab, Html, Human, Json, JsonLines, Junit, Reporter, Sarif, merge, read,
};

pub fn run(bytes: &[u8]) {
    let Ok(document) = read(bytes) else { return };
    let merged = merge(vec![(Some("a".to_owned()), document.clone()), (None, document)], "1.0.0");
    let human = Human { ..Human::default() };
    let reporters: [&dyn Reporter; 9] =
        [&human, &Json, &JsonLines, &Sarif, &Gitlab, &Junit, &Csv, &Github, &Html];
    for reporter in reporters {
        let mut out = Vec::new();
        reporter.write(&merged, &mut out).expect("memory takes everything");
        assert!(!out.iter().any(|byte| *byte == 0x1B || *byte == 7), "a raw control character");
    }
}
