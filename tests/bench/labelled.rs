//! How well the detection does on labelled pieces of real files: `cargo bench --bench labelled -- FILE`
//!
//! The file holds one JSON object a line, see `README.md` beside this one for its form, the options, and how
//! to read the figures. Without a file nothing is measured.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::collections::BTreeMap;
use std::process::ExitCode;

use rayon::prelude::*;
use stanch::filter::file_kind::FileKind;
use stanch::filter::{self, Verdict};
use stanch::level::Confidence;
use stanch::matcher::{Matcher, Scratch};
use stanch::rule::RuleSet;
use stanch::rule::schema::RuleKind;
use stanch::scanner::Policy;

/// Kinds that a labeller calls credentials and few other people do; figures are given with and without them.
const DOUBTFUL_KINDS: [&str; 3] = ["uuid", "salt, nonce", "identifier"];

fn main() -> ExitCode {
    let options = match Options::read() {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("no labelled file: give one as an argument or in STANCH_LABELLED");
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            println!("{message}");
            return ExitCode::from(2);
        }
    };
    let samples = match read_samples(&options.file) {
        Ok(samples) => samples,
        Err(message) => {
            println!("{message}");
            return ExitCode::from(2);
        }
    };
    let matcher = Matcher::new(RuleSet::builtin());
    let judged: Vec<Judged> = samples
        .par_iter()
        .map_init(Scratch::default, |scratch, sample| judge(&matcher, scratch, sample))
        .collect();
    if let Some(list) = &options.list {
        print_list(&samples, &judged, list, &options);
    } else if options.rules {
        print_rules(&samples, &judged);
    } else {
        print_figures(&samples, &judged);
    }
    ExitCode::SUCCESS
}

/// What the command line asks for.
#[derive(Debug)]
struct Options {
    file: String,
    list: Option<List>,
    rules: bool,
    kind: Option<String>,
    rule: Option<String>,
    plain: bool,
}

/// Which places to print one by one.
#[derive(Clone, Copy, Debug, PartialEq)]
enum List {
    /// Credentials that were not found.
    Missed,
    /// What was found and is none.
    False,
    /// Findings on lines without a label.
    Unlabelled,
}

impl Options {
    fn read() -> Result<Option<Self>, String> {
        let mut options =
            Options { file: String::new(), list: None, rules: false, kind: None, rule: None, plain: false };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = |name: &str| arguments.next().ok_or_else(|| format!("{name} needs a value"));
            match argument.as_str() {
                // Cargo passes it to every benchmark.
                "--bench" => {}
                "--missed" => options.list = Some(List::Missed),
                "--false" => options.list = Some(List::False),
                "--unlabelled" => options.list = Some(List::Unlabelled),
                "--rules" => options.rules = true,
                "--plain" => options.plain = true,
                "--kind" => options.kind = Some(value("--kind")?),
                "--rule" => options.rule = Some(value("--rule")?),
                file if !file.starts_with('-') => options.file = file.to_owned(),
                other => return Err(format!("unknown option {other}")),
            }
        }
        if options.file.is_empty() {
            options.file = std::env::var("STANCH_LABELLED").unwrap_or_default();
        }
        Ok((!options.file.is_empty()).then_some(options))
    }
}

/// One piece of a file.
#[derive(Debug, serde::Deserialize)]
struct Sample {
    file: String,
    repo: String,
    text: String,
    labels: Vec<Label>,
}

/// What people said of a place.
#[derive(Debug, serde::Deserialize)]
struct Label {
    line: usize,
    end_line: Option<usize>,
    /// Characters in the line, half open.
    columns: Option<(usize, usize)>,
    truth: Truth,
    kind: String,
}

/// What a place is.
#[derive(Clone, Copy, Debug, PartialEq, serde::Deserialize)]
enum Truth {
    /// A credential.
    T,
    /// None.
    F,
    /// A placeholder.
    X,
}

fn read_samples(file: &str) -> Result<Vec<Sample>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))?;
    let parse = |(index, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| format!("{file}:{}: {error}", index + 1))
    };
    text.lines().enumerate().filter(|(_, line)| !line.is_empty()).map(parse).collect()
}

/// A finding in a sample, with the labels that it meets.
#[derive(Debug)]
struct Hit {
    rule: String,
    kind: RuleKind,
    confidence: Confidence,
    reason: String,
    /// First and last line, 1-based.
    lines: (usize, usize),
    /// Characters in the first line, half open.
    columns: (usize, usize),
    labels: Vec<usize>,
    meets_credential: bool,
}

/// The findings of a sample.
#[derive(Debug)]
struct Judged {
    hits: Vec<Hit>,
}

fn judge(matcher: &Matcher, scratch: &mut Scratch, sample: &Sample) -> Judged {
    let bytes = sample.text.as_bytes();
    let mut found = Vec::new();
    let _ = matcher.find(bytes, scratch, &mut found);
    let file = FileKind::of(sample.file.as_str().into());
    let mut hits = Vec::new();
    for found in &found {
        let rule = matcher.rule(found);
        let verdict = filter::judge(rule, found.secret.reveal(), &found.context, file);
        let Verdict::Keep { confidence, reason } = verdict else { continue };
        if rule.public || rule.severity < Policy::default().min_severity {
            continue;
        }
        let (first, last) = (found.secret_span.start, found.secret_span.end.max(found.secret_span.start + 1));
        let line_of = |at: usize| bytes[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
        let line_start = bytes[..first].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let lines = (line_of(first), line_of(last - 1));
        let characters = |to: usize| String::from_utf8_lossy(&bytes[line_start..to]).chars().count();
        let columns = (characters(first), characters(last));
        let meets = |label: &Label| {
            let last_line = label.end_line.unwrap_or(label.line);
            let one_line = lines.0 == lines.1 && label.line == last_line;
            lines.0 <= last_line
                && label.line <= lines.1
                && (!one_line || label.columns.is_none_or(|(from, to)| columns.0 < to && from < columns.1))
        };
        let labels: Vec<usize> =
            (0..sample.labels.len()).filter(|&index| meets(&sample.labels[index])).collect();
        let meets_credential = labels.iter().any(|&index| sample.labels[index].truth == Truth::T);
        let kind = rule.kind;
        let rule = rule.id.clone();
        hits.push(Hit { rule, kind, confidence, reason, lines, columns, labels, meets_credential });
    }
    Judged { hits }
}

/// Counts behind the figures.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// Credentials found.
    right: usize,
    /// Credentials.
    credentials: usize,
    /// Other labels met by a finding that meets no credential.
    wrong: usize,
}

impl Counts {
    fn precision(self) -> f64 {
        ratio(self.right, self.right + self.wrong)
    }

    fn recall(self) -> f64 {
        ratio(self.right, self.credentials)
    }

    fn f1(self) -> f64 {
        ratio(2 * self.right, self.right + self.wrong + self.credentials)
    }

    fn print(self, name: &str) {
        println!(
            "{name:<34} {:>9.3} {:>7.3} {:>6.3}   {:>5} of {:>5}, {:>5} wrong",
            self.precision(),
            self.recall(),
            self.f1(),
            self.right,
            self.credentials,
            self.wrong
        );
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn count(
    sample: &Sample,
    judged: &Judged,
    hit: &dyn Fn(&Hit) -> bool,
    label: &dyn Fn(&Label) -> bool,
) -> Counts {
    let mut counts = Counts::default();
    for (index, of) in sample.labels.iter().enumerate().filter(|(_, of)| label(of)) {
        let mut meeting = judged.hits.iter().filter(|found| hit(found) && found.labels.contains(&index));
        if of.truth == Truth::T {
            counts.credentials += 1;
            counts.right += usize::from(meeting.next().is_some());
        } else {
            counts.wrong += usize::from(meeting.any(|found| !found.meets_credential));
        }
    }
    counts
}

fn total(
    samples: &[Sample],
    judged: &[Judged],
    hit: &dyn Fn(&Hit) -> bool,
    label: &dyn Fn(&Label) -> bool,
) -> Counts {
    let each = samples.iter().zip(judged).map(|(sample, judged)| count(sample, judged, hit, label));
    each.fold(Counts::default(), |a, b| Counts {
        right: a.right + b.right,
        credentials: a.credentials + b.credentials,
        wrong: a.wrong + b.wrong,
    })
}

fn certain(label: &Label) -> bool {
    !DOUBTFUL_KINDS.contains(&label.kind.as_str())
}

fn print_figures(samples: &[Sample], judged: &[Judged]) {
    println!("{:<34} precision  recall     F1", "");
    let head = |title: &str| println!("\n{title}");
    for (title, label) in [
        ("without uuid, salt, identifier", &certain as &dyn Fn(&Label) -> bool),
        ("all kinds", &|_: &Label| true),
    ] {
        head(title);
        let policy = Policy::default();
        let by_default = |hit: &Hit| hit.confidence >= policy.least_confidence(hit.kind);
        total(samples, judged, &by_default, label).print("  at the default level");
        for level in Confidence::ALL {
            let name = format!("  at least {}", level.name());
            total(samples, judged, &|hit| hit.confidence >= level, label).print(&name);
        }
        let by_form = |hit: &Hit| by_default(hit) && hit.kind != RuleKind::Generic;
        total(samples, judged, &by_form, label).print("  all rules but the generic ones");
        let by_guess = |hit: &Hit| by_default(hit) && hit.kind == RuleKind::Generic;
        total(samples, judged, &by_guess, label).print("  generic rules alone");
    }
    head("by kind");
    let mut kinds: Vec<&str> =
        samples.iter().flat_map(|sample| &sample.labels).map(|label| label.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        total(samples, judged, &|_| true, &|label| label.kind == kind).print(&format!("  {kind}"));
    }
    head("mean over repositories, without uuid, salt, identifier");
    let mut repositories: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    samples.iter().enumerate().for_each(|(i, s)| repositories.entry(&s.repo).or_default().push(i));
    let each: Vec<Counts> = repositories
        .values()
        .map(|of| {
            let counts = of.iter().map(|&i| count(&samples[i], &judged[i], &|_| true, &certain));
            counts.fold(Counts::default(), |a, b| Counts {
                right: a.right + b.right,
                credentials: a.credentials + b.credentials,
                wrong: a.wrong + b.wrong,
            })
        })
        .collect();
    let mean = |name: &str, figure: fn(Counts) -> f64, counts: &dyn Fn(&Counts) -> bool| {
        let figures: Vec<f64> = each.iter().copied().filter(|c| counts(c)).map(figure).collect();
        println!(
            "  {name:<12} {:.3} over {}",
            figures.iter().sum::<f64>() / figures.len() as f64,
            figures.len()
        );
    };
    mean("precision", Counts::precision, &|counts| counts.right + counts.wrong > 0);
    mean("recall", Counts::recall, &|counts| counts.credentials > 0);
    mean("F1", Counts::f1, &|counts| counts.credentials > 0);
}

fn print_rules(samples: &[Sample], judged: &[Judged]) {
    let mut rules: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for hit in judged.iter().flat_map(|judged| &judged.hits) {
        let column = if hit.meets_credential { 0 } else { usize::from(hit.labels.is_empty()) + 1 };
        rules.entry(&hit.rule).or_default()[column] += 1;
    }
    let mut rules: Vec<_> = rules.into_iter().collect();
    rules
        .sort_by_key(|&(rule, [right, wrong, _])| (std::cmp::Reverse(wrong), std::cmp::Reverse(right), rule));
    println!("{:>6} {:>6} {:>10}  rule ({} samples)", "right", "wrong", "unlabelled", samples.len());
    for (rule, [right, wrong, unlabelled]) in rules {
        println!("{right:>6} {wrong:>6} {unlabelled:>10}  {rule}");
    }
}

fn print_list(samples: &[Sample], judged: &[Judged], list: &List, options: &Options) {
    let of_kind = |label: &Label| options.kind.as_ref().is_none_or(|kind| *kind == label.kind);
    for (sample, judged) in samples.iter().zip(judged) {
        let lines: Vec<&str> = sample.text.split('\n').collect();
        if *list == List::Missed {
            for (index, label) in sample.labels.iter().enumerate() {
                let met = judged.hits.iter().any(|hit| hit.labels.contains(&index));
                if label.truth == Truth::T && !met && of_kind(label) {
                    let line = lines.get(label.line - 1).copied().unwrap_or_default();
                    let shown = excerpt(line, label.columns.unwrap_or((0, 0)), options.plain);
                    println!("{} {}:{} | {shown}", label.kind, sample.file, label.line);
                }
            }
            continue;
        }
        for hit in &judged.hits {
            let kinds: Vec<&str> = hit.labels.iter().map(|&i| sample.labels[i].kind.as_str()).collect();
            let wanted = match list {
                List::False => !hit.labels.is_empty() && !hit.meets_credential,
                _ => hit.labels.is_empty(),
            };
            let kind = options.kind.as_ref().is_none_or(|kind| kinds.contains(&kind.as_str()));
            if wanted && kind && options.rule.as_ref().is_none_or(|rule| *rule == hit.rule) {
                let line = lines.get(hit.lines.0 - 1).copied().unwrap_or_default();
                let shown = excerpt(line, hit.columns, options.plain);
                println!(
                    "{} [{}: {}] {}:{} | {shown}",
                    hit.rule,
                    hit.confidence.name(),
                    hit.reason,
                    sample.file,
                    hit.lines.0
                );
            }
        }
    }
}

/// The surroundings of the value, which only `--plain` shows.
fn excerpt(line: &str, (from, to): (usize, usize), plain: bool) -> String {
    const AROUND: usize = 70;
    let characters: Vec<char> = line.chars().collect();
    let (from, to) = (from.min(characters.len()), to.min(characters.len()));
    let before: String = characters[from.saturating_sub(AROUND)..from].iter().collect();
    let after: String = characters[to..(to + AROUND / 2).min(characters.len())].iter().collect();
    let value: String = characters[from..to].iter().take(AROUND).collect();
    let value = if plain { value } else { format!("{} characters", to - from) };
    format!("{}«{value}»{}", before.trim_start(), after.trim_end())
}
