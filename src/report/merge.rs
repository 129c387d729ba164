//! Joins reports: of the shards of one repository, or of many repositories.

use std::cmp::Ordering;

use super::Mode;
use super::wire::{
    Clock, CoverageRecord, Document, FindingRecord, MergedRecord, RunRecord, SCHEMA_VERSION, SkippedRecord,
    SuppressedRecord, TOOL,
};

/// Joins reports, each with the name of its repository if it has one.
///
/// Findings are in the order of repository, path and place, whatever the order of the reports. What is the same in all
/// fields is listed once: it is the same place, seen by two shards; a note counts it. Numbers of the receipt are
/// sums, and the whole is complete if all parts are. `version` is that of the tool that merges.
///
/// ```no_run
/// use stanch::report::{Reporter, Sarif, merge, read};
///
/// let reports = [("api", "api.json"), ("web", "web.json")].map(|(name, file)| {
///     let report = read(&std::fs::read(file).expect("a file")).expect("a report");
///     (Some(name.to_owned()), report)
/// });
/// let all = merge(reports.into(), "1.0.0");
/// let warnings = Sarif.write(&all, &mut std::io::stdout())?;
/// assert!(warnings.is_empty(), "GitHub takes all of it");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn merge(reports: Vec<(Option<String>, Document)>, version: &str) -> Document {
    let mut run = RunRecord {
        schema_version: SCHEMA_VERSION,
        tool: TOOL.to_owned(),
        version: version.to_owned(),
        mode: common(&reports),
        config: None,
        baseline: None,
        complete: reports.iter().all(|(_, report)| report.is_complete()),
        finding_count: 0,
        coverage: CoverageRecord {
            files: 0,
            blobs: 0,
            known_clean: 0,
            commits: 0,
            refs: 0,
            bytes: 0,
            skipped: SkippedRecord { counts: Default::default(), items: Vec::new() },
            problems: Vec::new(),
        },
        suppressed: SuppressedRecord { inline: 0, allowlist: 0, baseline: 0, below_threshold: 0 },
        notes: Vec::new(),
        merged: Vec::new(),
    };
    let mut findings = Vec::new();
    for (repository, report) in reports {
        let Document { run: part, findings: found, .. } = report;
        run.merged.push(MergedRecord {
            repository: repository.clone(),
            version: part.version,
            mode: part.mode,
            complete: part.complete && part.coverage.problems.is_empty(),
            finding_count: found.len(),
        });
        // What was merged before keeps the names that it has.
        findings.extend(found.into_iter().map(|mut finding| {
            finding.repository = finding.repository.or_else(|| repository.clone());
            finding
        }));
        receipt(&mut run, part.coverage, repository.as_deref());
        add(&mut run.suppressed.inline, part.suppressed.inline);
        add(&mut run.suppressed.allowlist, part.suppressed.allowlist);
        add(&mut run.suppressed.baseline, part.suppressed.baseline);
        add(&mut run.suppressed.below_threshold, part.suppressed.below_threshold);
        let about = repository.as_ref().map_or_else(String::new, |name| format!("{name}: "));
        run.notes.extend(part.notes.into_iter().map(|note| format!("{about}{note}")));
    }
    findings.sort_by(order);
    let all = findings.len();
    findings.dedup();
    run.finding_count = findings.len();
    run.notes.sort();
    run.notes.dedup();
    if findings.len() < all {
        let twice = super::text::count((all - findings.len()) as u64, "finding");
        run.notes.push(format!("{twice} stood in more than one report in the same words and counted once"));
    }
    Document { run, findings, clock: Clock::default() }
}

fn common(reports: &[(Option<String>, Document)]) -> Mode {
    let mut modes = reports.iter().map(|(_, report)| report.run.mode);
    let first = modes.next().unwrap_or(Mode::Mixed);
    if modes.all(|mode| mode == first) { first } else { Mode::Mixed }
}

/// A report is a file of somebody else: no number in it may end in a panic.
fn add(sum: &mut u64, number: u64) {
    *sum = sum.saturating_add(number);
}

fn receipt(run: &mut RunRecord, part: CoverageRecord, repository: Option<&str>) {
    let sum = &mut run.coverage;
    add(&mut sum.files, part.files);
    add(&mut sum.blobs, part.blobs);
    add(&mut sum.known_clean, part.known_clean);
    add(&mut sum.commits, part.commits);
    add(&mut sum.refs, part.refs);
    add(&mut sum.bytes, part.bytes);
    for (reason, number) in part.skipped.counts {
        add(sum.skipped.counts.entry(reason).or_default(), number);
    }
    // In a merged report a name alone would not say where.
    let named = |name: &mut String, hex: &mut Option<String>| {
        if let Some(repository) = repository {
            let before = format!("{repository}: ");
            *hex = hex.as_ref().map(|hex| {
                let before: String = before.bytes().map(|byte| format!("{byte:02x}")).collect();
                before + hex
            });
            *name = format!("{before}{name}");
        }
    };
    sum.skipped.items.extend(part.skipped.items.into_iter().map(|mut item| {
        named(&mut item.name, &mut item.name_bytes_hex);
        item
    }));
    sum.problems.extend(part.problems.into_iter().map(|mut problem| {
        named(&mut problem.name, &mut problem.name_bytes_hex);
        problem
    }));
    sum.skipped.items.sort_by(|left, right| (&left.name, &left.reason).cmp(&(&right.name, &right.reason)));
    sum.problems.sort_by(|left, right| (&left.name, &left.message).cmp(&(&right.name, &right.message)));
    sum.problems.dedup();
}

/// As reports are sorted, repository by repository.
pub(super) fn order(left: &FindingRecord, right: &FindingRecord) -> Ordering {
    fn key(finding: &FindingRecord) -> impl Ord + '_ {
        let secret = &finding.secret;
        (
            &finding.repository,
            finding.path_bytes(),
            (secret.line, secret.column, secret.end_line, secret.end_column),
            (secret.byte_start, secret.byte_end),
            (&finding.origin.kind, &finding.origin.object),
            (&finding.rule, &secret.fingerprint),
        )
    }
    key(left).cmp(&key(right))
}
