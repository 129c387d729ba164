//! One JSON object a line.

use std::io::{self, Write};

use serde::Serialize;

use super::Reporter;
use super::wire::{Document, FindingRecord, RunRecord, to_json};

/// Writes a line for each finding, an object with `"type": "finding"` and the fields of [`FindingRecord`], and then
/// one with `"type": "summary"` and the fields of [`RunRecord`]. A stream without the summary was cut off.
#[derive(Clone, Copy, Debug)]
pub struct JsonLines;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'d> {
    Finding(&'d FindingRecord),
    Summary(&'d RunRecord),
}

impl Reporter for JsonLines {
    fn write(&self, document: &Document, out: &mut dyn Write) -> io::Result<Vec<String>> {
        for finding in &document.findings {
            writeln!(out, "{}", to_json(&Line::Finding(finding), false)?)?;
        }
        writeln!(out, "{}", to_json(&Line::Summary(&document.run), false)?)?;
        Ok(Vec::new())
    }
}
