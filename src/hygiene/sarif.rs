//! A report of the check as SARIF 2.1.0, for code scanning.

use bstr::{BStr, ByteSlice};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{ITEM_KINDS, Item, Report};
use crate::finding::Severity;

/// The report as a SARIF log with one run. Paths are relative to `%SRCROOT%`, the root of the repository; those outside
/// of it are left to the message. `automationDetails.id` is `stanch/check/`, so that it and scans do not close each
/// other's alerts.
pub fn sarif(report: &Report) -> String {
    let rules: Vec<Value> = ITEM_KINDS
        .iter()
        .map(|kind| {
            json!({
                "id": kind.id,
                "shortDescription": { "text": kind.title },
                "properties": { "tags": ["security", "hygiene"] },
            })
        })
        .collect();
    let notifications: Vec<Value> = report
        .problems
        .iter()
        .map(|problem| {
            let text = format!("could not look at {}: {}", problem.name.to_str_lossy(), problem.message);
            json!({ "level": "error", "message": { "text": text } })
        })
        .collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "stanch",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                },
            },
            "automationDetails": { "id": "stanch/check/" },
            "invocations": [{
                "executionSuccessful": report.problems.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "originalUriBaseIds": { "%SRCROOT%": { "description": { "text": "the root of the repository" } } },
            "columnKind": "unicodeCodePoints",
            "results": report.items.iter().map(result).collect::<Vec<_>>(),
        }],
    });
    let mut text = serde_json::to_string_pretty(&log).expect("values always become JSON");
    text.push('\n');
    text
}

fn result(item: &Item) -> Value {
    let index = ITEM_KINDS.iter().position(|kind| kind.id == item.id);
    let path = item.path.as_bstr();
    let mut message = format!("{}. Fix: {}", item.reason, item.fix);
    let is_inside = !path.starts_with(b"/") && !path.contains_str(b":\\") && !path.starts_with(b"..");
    let locations = match is_inside {
        // Code scanning wants a line; a file as a whole stands on its first.
        true => json!([{
            "physicalLocation": {
                "artifactLocation": { "uri": uri(path), "uriBaseId": "%SRCROOT%" },
                "region": { "startLine": item.line.unwrap_or(1) },
            },
        }]),
        false => {
            message = format!("{}: {message}", path.to_str_lossy());
            json!([])
        }
    };
    let identity =
        [item.id.as_bytes(), b"\0", path, b"\0", item.pattern.as_deref().unwrap_or("").as_bytes()].concat();
    json!({
        "ruleId": item.id,
        "ruleIndex": index,
        "level": match item.severity {
            Severity::High | Severity::Critical => "error",
            Severity::Medium => "warning",
            Severity::Low | Severity::Info => "note",
        },
        "message": { "text": message },
        "locations": locations,
        "partialFingerprints": {
            "stanchItem/v1": data_encoding::HEXLOWER.encode(&Sha256::digest(identity)[..16]),
        },
    })
}

/// A path as a reference of RFC 3986.
fn uri(path: &BStr) -> String {
    let mut out = String::new();
    for &byte in path.as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte))
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
