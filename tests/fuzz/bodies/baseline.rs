//! Baselines: what is read is written so that it is read again, or it is an error.

use std::path::Path;

use stanch::baseline::Baseline;

pub fn run(bytes: &[u8]) {
    let Ok(baseline) = Baseline::parse(bytes, Path::new("b")) else { return };
    let text = baseline.to_string();
    let again = Baseline::parse(text.as_bytes(), Path::new("b")).expect("what was written is good");
    assert_eq!(again.to_string(), text);
    assert_eq!(again.entries().len(), baseline.entries().len());
}
