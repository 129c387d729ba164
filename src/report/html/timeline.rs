//! When secrets entered and left the history, as a drawing.

use std::collections::BTreeMap;
use std::io;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::{Page, counted, day, grouped, html};
use crate::finding::Severity;
use crate::report::text::count;
use crate::report::wire::{CommitRecord, FindingRecord};

/// How long something was there, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// When it entered.
    pub(super) start: i64,
    /// When it was last there; never before its start.
    pub(super) end: i64,
    /// Whether it is there still.
    pub(super) is_open: bool,
}

impl Span {
    /// The span of a finding of the history whose commits have dates.
    pub(super) fn of(finding: &FindingRecord) -> Option<Self> {
        let history = finding.history.as_ref()?;
        let dated = |commit: &&CommitRecord| commit.date.is_some();
        let first = history.first_commit.as_ref().filter(dated);
        let last = history.last_commit.as_ref().filter(dated);
        let time = |commit: &CommitRecord| commit.time_seconds.clamp(-LATEST, LATEST);
        let start = time(first.or(last)?);
        let end = time(last.or(first)?).max(start);
        Some(Self { start, end, is_open: history.in_head })
    }
}

/// A scale from the first entry to the time of the report.
#[derive(Debug)]
pub(super) struct Timeline {
    from: i64,
    to: i64,
}

/// The end of the year 9999: a report that was read from a file may hold any number.
const LATEST: i64 = 253_402_300_799;

/// No bar is thinner than this, in parts of a hundred: a day in ten years must be seen.
const THINNEST: f64 = 0.7;

/// No more marks on the axis than fit beside each other.
const MOST_MARKS: usize = 9;

impl Timeline {
    /// The scale of these spans; `None` without any.
    pub(super) fn new(spans: &[Span], now: i64) -> Option<Self> {
        let from = spans.iter().map(|span| span.start).min()?;
        // Dates in the time to come are wrong clocks; they end the scale only if there is nothing else.
        let to = now.max(from + 1);
        // A little air before the first.
        Some(Self { from: from - (to - from) / 60 - 1, to })
    }

    /// Place of a time, in parts of a hundred.
    fn place(&self, time: i64) -> f64 {
        (time.clamp(self.from, self.to) - self.from) as f64 * 100.0 / (self.to - self.from) as f64
    }

    /// Start and width of the bar of a span.
    pub(super) fn bar(&self, span: &Span) -> (f64, f64) {
        let start = self.place(span.start).min(100.0 - THINNEST);
        let end = self.place(if span.is_open { self.to } else { span.end });
        (start, (end - start).max(THINNEST))
    }

    /// Marks at round dates: places and names.
    fn marks(&self) -> Vec<(f64, String)> {
        let date =
            |time| Timestamp::from_second(time).map(|time: Timestamp| time.to_zoned(TimeZone::UTC).date());
        let (Ok(first), Ok(last)) = (date(self.from), date(self.to)) else { return Vec::new() };
        for step in [
            Step::Days(1),
            Step::Days(7),
            Step::Months(1),
            Step::Months(3),
            Step::Years(1),
            Step::Years(2),
            Step::Years(5),
            Step::Years(10),
            Step::Years(100),
        ] {
            if let Some(marks) = self.marks_every(step, first, last) {
                return marks;
            }
        }
        Vec::new()
    }

    fn marks_every(&self, step: Step, first: Date, last: Date) -> Option<Vec<(f64, String)>> {
        let mut marks = Vec::new();
        let mut at = step.start(first)?;
        while at <= last {
            let time = at.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
            if time >= self.from {
                if marks.len() == MOST_MARKS {
                    return None;
                }
                marks.push((self.place(time), step.name(at)));
            }
            at = step.next(at)?;
        }
        Some(marks)
    }
}

/// The distance between two marks.
#[derive(Clone, Copy)]
enum Step {
    Days(i64),
    Months(i64),
    Years(i64),
}

impl Step {
    /// A round date at or before this one.
    fn start(self, date: Date) -> Option<Date> {
        match self {
            Step::Days(_) => Some(date),
            Step::Months(number) => {
                let month = (i64::from(date.month()) - 1) / number * number + 1;
                Date::new(date.year(), i8::try_from(month).ok()?, 1).ok()
            }
            Step::Years(number) => {
                let year = i64::from(date.year()).div_euclid(number) * number;
                Date::new(i16::try_from(year).ok()?, 1, 1).ok()
            }
        }
    }

    fn next(self, date: Date) -> Option<Date> {
        match self {
            Step::Days(number) => date.checked_add(number.days()).ok(),
            Step::Months(number) => date.checked_add(number.months()).ok(),
            Step::Years(number) => date.checked_add(number.years()).ok(),
        }
    }

    fn name(self, date: Date) -> String {
        match self {
            Step::Years(_) => date.year().to_string(),
            Step::Months(_) => date.strftime("%Y-%m").to_string(),
            Step::Days(_) => date.to_string(),
        }
    }
}

/// A secret in all its places.
struct Life<'f> {
    finding: &'f FindingRecord,
    number: usize,
    places: u64,
    severity: Severity,
    span: Span,
}

impl Page<'_> {
    /// The section of the timeline, if a finding has a date.
    pub(super) fn exposure(&mut self) -> io::Result<()> {
        let Some(timeline) = self.timeline.take() else { return Ok(()) };
        let lives = lives(&self.document.findings);
        let open = lives.iter().filter(|life| life.span.is_open).count();
        let sub = format!("{}; {} still in HEAD", counted(lives.len(), "secret"), grouped(open as u64));
        writeln!(
            self.out,
            "<section class=\"card exposure\"><h2>Timeline of exposure</h2><p class=\"sub\">{sub}. Each bar reaches from the commit \
             that brought a secret to the last one that has it; a ring at its end means that it is there still. Whatever left the \
             files stays in the history.</p>"
        )?;
        self.chart(&timeline, &lives)?;
        write!(
            self.out,
            "<div class=\"gantt\" tabindex=\"0\" role=\"region\" aria-label=\"Secrets by the time they entered\">"
        )?;
        write!(
            self.out,
            "<div class=\"row head\"><span class=\"label\"></span><svg class=\"axis\" aria-hidden=\"true\">"
        )?;
        for (at, (x, name)) in timeline.marks().iter().enumerate() {
            let anchor = if *x > 97.0 { "end" } else { "start" };
            let minor = if at % 3 == 0 { "" } else { " class=\"minor\"" };
            write!(self.out, "<text x=\"{x:.2}%\" y=\"13\" text-anchor=\"{anchor}\"{minor}>{name}</text>")?;
        }
        write!(self.out, "</svg><span class=\"dates\"></span></div>")?;
        for life in &lives {
            self.life_row(&timeline, life)?;
        }
        writeln!(self.out, "</div></section>")?;
        self.timeline = Some(timeline);
        Ok(())
    }

    /// How many secrets stood in the files at each time.
    fn chart(&mut self, timeline: &Timeline, lives: &[Life<'_>]) -> io::Result<()> {
        let mut changes: BTreeMap<i64, i64> = BTreeMap::new();
        for life in lives {
            *changes.entry(life.span.start).or_default() += 1;
            if !life.span.is_open {
                *changes.entry(life.span.end.max(life.span.start + 1)).or_default() -= 1;
            }
        }
        let mut level = 0_i64;
        let levels = changes.iter().map(|(time, change)| {
            level += change;
            (timeline.place(*time) * 10.0, level)
        });
        let levels: Vec<(f64, i64)> = levels.collect();
        let most = levels.iter().map(|(_, level)| *level).max().unwrap_or(1).max(1);
        let height = |level: i64| 116.0 - level as f64 * 104.0 / most as f64;
        let mut path = format!("M0 {:.1}", height(0));
        for (x, level) in &levels {
            path.push_str(&format!("H{x:.1}V{:.1}", height(*level)));
        }
        path.push_str("H1000");
        write!(
            self.out,
            "<div class=\"chart\"><span class=\"most\">Secrets in the files at the same time, at most {}</span><svg class=\"plot\" viewBox=\"0 0 1000 118\" \
             preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Number of secrets in the files over time, at most {most}\">",
            grouped(most as u64)
        )?;
        for (x, _) in timeline.marks() {
            let x = x * 10.0;
            write!(self.out, "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"0\" y2=\"116\"/>")?;
        }
        writeln!(
            self.out,
            "<path class=\"area\" d=\"{path}V116H0z\"/><path class=\"step\" d=\"{path}\"/></svg><svg class=\"axis\" aria-hidden=\"true\">{}</svg></div>",
            timeline
                .marks()
                .iter()
                .enumerate()
                .map(|(at, (x, name))| {
                    let anchor = if *x > 97.0 { "end" } else { "start" };
                    let minor = if at % 3 == 0 { "" } else { " class=\"minor\"" };
                    format!("<text x=\"{x:.2}%\" y=\"15\" text-anchor=\"{anchor}\"{minor}>{name}</text>")
                })
                .collect::<String>()
        )
    }

    fn life_row(&mut self, timeline: &Timeline, life: &Life<'_>) -> io::Result<()> {
        let Life { finding, number, places, severity, span } = life;
        let more = match places - 1 {
            0 => String::new(),
            more => format!(" and {}", count(more, "other place")),
        };
        let (x, width) = timeline.bar(span);
        let from = day(span.start).unwrap_or_default();
        let to = if span.is_open { "now".to_owned() } else { day(span.end).unwrap_or_default() };
        let dates = if from == to { from } else { format!("{from} – {to}") };
        let ring = match span.is_open {
            true => format!("<circle class=\"open ring {severity}\" cx=\"99.2%\" cy=\"8\" r=\"4\"/>"),
            false => String::new(),
        };
        let path = super::html_path(finding);
        writeln!(
            self.out,
            "<div class=\"row\"><a class=\"label\" href=\"#f{number}\" title=\"{path}{more}\">{} <small>{path}{more}</small></a><svg \
             aria-hidden=\"true\"><line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"8\" y2=\"8\"/><rect class=\"fill {severity}\" \
             x=\"{x:.2}%\" y=\"4\" width=\"{width:.2}%\" height=\"8\" rx=\"4\"/>{ring}</svg><span class=\"dates\">{dates}</span></div>",
            html(&finding.rule)
        )
    }
}

/// Every secret once, with the whole of its time, oldest first.
fn lives(findings: &[FindingRecord]) -> Vec<Life<'_>> {
    let mut by_secret: BTreeMap<(&Option<String>, &str), Life<'_>> = BTreeMap::new();
    for (at, finding) in findings.iter().enumerate() {
        let Some(span) = Span::of(finding) else { continue };
        let key = (&finding.repository, finding.secret.fingerprint.as_str());
        by_secret
            .entry(key)
            .and_modify(|life| {
                life.places += 1;
                life.severity = life.severity.max(finding.severity);
                life.span = Span {
                    start: life.span.start.min(span.start),
                    end: life.span.end.max(span.end),
                    is_open: life.span.is_open || span.is_open,
                };
            })
            .or_insert(Life { finding, number: at + 1, places: 1, severity: finding.severity, span });
    }
    let mut lives: Vec<Life<'_>> = by_secret.into_values().collect();
    lives.sort_by_key(|life| (life.span.start, life.number));
    lives
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    #[test]
    fn bars_lie_on_the_scale() {
        let spans = [
            Span { start: 0, end: 10 * DAY, is_open: false },
            Span { start: 50 * DAY, end: 50 * DAY, is_open: false },
            Span { start: 90 * DAY, end: 91 * DAY, is_open: true },
            Span { start: 900 * DAY, end: 900 * DAY, is_open: false },
        ];
        let timeline = Timeline::new(&spans, 100 * DAY).unwrap();
        for span in &spans {
            let (x, width) = timeline.bar(span);
            assert!(x >= 0.0 && width >= THINNEST && x + width <= 100.001, "{span:?}: {x} {width}");
        }
        assert_eq!(timeline.bar(&spans[2]).0 + timeline.bar(&spans[2]).1, 100.0);
        assert!(Timeline::new(&[], 0).is_none());
    }

    #[test]
    fn marks_are_few_and_round() {
        for (days, first, most) in
            [(5, "1970-01-0", 7), (60, "1970-0", 9), (400, "197", 9), (4000, "197", 9), (18_000, "19", 9)]
        {
            let spans = [Span { start: 2 * DAY, end: 2 * DAY, is_open: false }];
            let timeline = Timeline::new(&spans, days * DAY).unwrap();
            let marks = timeline.marks();
            assert!(!marks.is_empty() && marks.len() <= most, "{days}: {marks:?}");
            assert!(marks[0].1.starts_with(first), "{days}: {marks:?}");
            assert!(marks.iter().map(|(x, _)| x).is_sorted());
        }
    }
}
