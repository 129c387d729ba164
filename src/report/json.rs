//! One JSON document.

use std::io::{self, Write};

use serde::Serialize;

use super::wire::{FindingRecord, Recorder, RunRecord, to_json};
use super::{Report, Reporter};

/// Writes one document: an object with the fields of [`RunRecord`] and `findings`, an array of
/// [`FindingRecord`]. The same input gives the same bytes.
#[derive(Clone, Copy, Debug)]
pub struct Json;

#[derive(Serialize)]
struct Document {
    #[serde(flatten)]
    run: RunRecord,
    findings: Vec<FindingRecord>,
}

impl Reporter for Json {
    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let recorder = Recorder::new(report);
        let document = Document { run: recorder.run(), findings: recorder.findings().collect() };
        writeln!(out, "{}", to_json(&document, true)?)
    }
}
