//! One JSON object a line.

use std::io::{self, Write};

use serde::Serialize;

use super::wire::{FindingRecord, Recorder, RunRecord, to_json};
use super::{Report, Reporter};

/// Writes a line for each finding, an object with `"type": "finding"` and the fields of [`FindingRecord`], and then
/// one with `"type": "summary"` and the fields of [`RunRecord`]. A stream without the summary was cut off.
#[derive(Clone, Copy, Debug)]
pub struct JsonLines;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line {
    Finding(Box<FindingRecord>),
    Summary(Box<RunRecord>),
}

impl Reporter for JsonLines {
    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let recorder = Recorder::new(report);
        for finding in recorder.findings() {
            writeln!(out, "{}", to_json(&Line::Finding(Box::new(finding)), false)?)?;
        }
        writeln!(out, "{}", to_json(&Line::Summary(Box::new(recorder.run())), false)?)
    }
}
