//! What becomes of a match by all that can be said without its history.

use std::sync::Arc;

use bstr::BStr;

use super::Scanner;
use super::candidate::{Candidate, Evidence};
use super::excerpt::excerpt;
use super::foreign::texts_of;
use super::matches::Matches;
use crate::filter::file_kind::FileKind;
use crate::filter::inline::InlineAllow;
use crate::filter::memo::Memo;
use crate::filter::{self, Verdict, foreign};
use crate::finding::Excerpt;
use crate::level::Confidence;
use crate::location::{Location, Origin};
use crate::matcher::{Context, Match, Matcher};
use crate::pairing;
use crate::rule::paths::PathRules;
use crate::secret::Secret;
use crate::source::ContentUnit;
use crate::span::{ByteSpan, LineColumn, LineIndex};

/// Why a match is no candidate.
#[derive(Clone, Debug)]
pub(crate) enum Passed {
    /// Its lines are no news.
    NotNew,
    /// It counts only beside its other half, and that is not there.
    Alone,
    /// A filter holds it for no secret.
    Dropped {
        /// Why.
        reason: String,
    },
    /// It is below the least severity or confidence.
    Weak {
        /// How sure it is.
        confidence: Confidence,
        /// Why.
        reason: String,
    },
    /// A marker in the text accepts it.
    Inline {
        /// The marker.
        allow: InlineAllow,
        /// Whether it stands on the line above.
        is_above: bool,
    },
}

const NO_KEYWORD_IN_FILE: &str = "the name fits, but the file holds none of the rule's keywords";

impl Scanner {
    /// The rule that speaks of a file of that name, and the candidate if the name makes it a secret. A rule with
    /// keywords wants one of them in the content, unless that is no text.
    pub(crate) fn by_name(
        &self,
        path: &BStr,
        content: Option<&[u8]>,
        origin: &Origin,
    ) -> Option<(usize, Result<Candidate, Passed>)> {
        let index = self
            .foreign_rule_for(path)
            .or_else(|| self.paths.get_or_init(|| PathRules::new(self.rules())).rule_for(path))?;
        let rule = &self.rules().rules()[index];
        if let Some(content) = content
            && !rule.keywords.is_empty()
        {
            let lower = content.to_ascii_lowercase();
            let holds = |word: &String| memchr::memmem::find(&lower, word.as_bytes()).is_some();
            if !rule.keywords.iter().any(holds) {
                return Some((index, Err(Passed::Dropped { reason: NO_KEYWORD_IN_FILE.to_owned() })));
            }
        }
        let (confidence, reason) = (rule.confidence, "the name of the file".to_owned());
        if !self.policy.reports(rule, confidence) {
            return Some((index, Err(Passed::Weak { confidence, reason })));
        }
        let start = LineColumn { line: 1, column: 1 };
        let candidate = Candidate {
            rule: Arc::clone(rule.info()),
            confidence,
            reason,
            location: Location {
                path: path.to_owned(),
                start,
                end: start,
                span: ByteSpan::new(0, 0),
                origin: origin.clone(),
            },
            secret: Secret::new(*b""),
            excerpt: Excerpt { text: String::new(), secret: 0..0 },
            evidence: Evidence { rule: index, context: Context::default(), layers: Vec::new() },
            texts: foreign::Judged::default(),
            counts: true,
            is_verbatim: false,
            is_recalled: false,
        };
        Some((index, Ok(candidate)))
    }

    /// What becomes of one of the `matches` in the unit, by all that can be said without its history.
    pub(crate) fn judge(
        &self,
        unit: &ContentUnit<'_>,
        lines: &LineIndex<'_>,
        kind: FileKind,
        index: usize,
        matches: &Matches<'_>,
    ) -> Result<Candidate, Passed> {
        let found = &matches[index];
        let rule = self.matcher.rule(found);
        let last_byte = found.span.end.max(found.span.start + 1) - 1;
        let (first_line, last_line) =
            (lines.line_column(found.span.start).line, lines.line_column(last_byte).line);
        if !unit.fresh.touches(first_line, last_line) {
            return Err(Passed::NotNew);
        }
        if rule.pair.as_ref().is_some_and(|pair| pair.required) && self.other_half(index, matches).is_none() {
            return Err(Passed::Alone);
        }
        if let Some(lists) = &self.policy.foreign {
            self.foreign_judge(lists, unit, lines, index, matches)?;
        }
        let value = found.secret.reveal();
        let judged = match matches.verdicts {
            Some(verdicts) => verdicts.judge((found.rule, rule), value, &found.context, kind),
            None => filter::judge(rule, value, &found.context, kind),
        };
        let verdict = self.verdict(&Evidence::of(found), judged)?;
        let line = lines.line_span(found.secret_span.start);
        if self.policy.inline_allow
            && let Some(passed) = matches.allowed_inline(unit.bytes, lines, line, (found.rule, &rule.id))
        {
            return Err(passed);
        }
        Ok(self.candidate(unit, lines, found, matches, verdict))
    }

    /// A match that is shown beside its other half, whatever the policy says of it alone.
    pub(super) fn part(
        &self,
        unit: &ContentUnit<'_>,
        lines: &LineIndex<'_>,
        kind: FileKind,
        index: usize,
        matches: &Matches<'_>,
    ) -> Option<Candidate> {
        let found = &matches[index];
        match filter::judge(self.matcher.rule(found), found.secret.reveal(), &found.context, kind) {
            Verdict::Keep { confidence, reason } => {
                let candidate = self.candidate(unit, lines, found, matches, (confidence, reason));
                Some(Candidate { counts: false, ..candidate })
            }
            Verdict::Drop { .. } => None,
        }
    }

    /// The match nearby that the rule of another names as its other half.
    pub(super) fn other_half(&self, index: usize, matches: &Matches<'_>) -> Option<usize> {
        let rule = |index: usize| self.matcher.rule(&matches[index]);
        let look = |index: usize| (rule(index).id.as_str(), matches[index].secret_span);
        pairing::nearest(rule(index).pair.as_ref()?, index, matches.len(), look)
    }

    /// Where the value of a match starts and ends that the policy or another one reports, if that is all that its text
    /// has to say: nothing of its other half, and no marker.
    pub(super) fn ends(
        &self,
        unit: &ContentUnit<'_>,
        lines: &LineIndex<'_>,
        index: usize,
        matches: &Matches<'_>,
    ) -> Option<[LineColumn; 2]> {
        let found = &matches[index];
        let rule = self.matcher.rule(found);
        let line = lines.line_span(found.secret_span.start);
        let allowed = || matches.allowed_inline(unit.bytes, lines, line, (found.rule, &rule.id));
        if rule.pair.is_some() || allowed().is_some() {
            return None;
        }
        Some([found.secret_span.start, found.secret_span.end].map(|byte| lines.line_column(byte)))
    }

    /// What becomes of a match by what the filters say of it: how sure it is and why, or why it does not count or is not
    /// sure or severe enough.
    pub(super) fn verdict(
        &self,
        evidence: &Evidence,
        judged: Verdict,
    ) -> Result<(Confidence, String), Passed> {
        let rule = &self.rules().rules()[evidence.rule];
        let (confidence, reason) = match judged {
            Verdict::Keep { confidence, reason } => (confidence, reason),
            Verdict::Drop { reason } => return Err(Passed::Dropped { reason }),
        };
        let names: Vec<&str> = evidence.layers.iter().map(|layer| layer.name()).collect();
        let reason =
            if names.is_empty() { reason } else { format!("{reason}, inside {}", names.join(" inside ")) };
        match self.policy.reports(rule, confidence) {
            true => Ok((confidence, reason)),
            false => Err(Passed::Weak { confidence, reason }),
        }
    }

    fn candidate(
        &self,
        unit: &ContentUnit<'_>,
        lines: &LineIndex<'_>,
        found: &Match,
        matches: &Matches<'_>,
        (confidence, reason): (Confidence, String),
    ) -> Candidate {
        // Where addresses have 32 bits, an offset behind 4 GiB is told as the last one; lines and columns stay true.
        let offset = |byte| usize::try_from(unit.first_byte).unwrap_or(usize::MAX).saturating_add(byte);
        let location = Location {
            path: unit.path.map(BStr::to_owned).unwrap_or_default(),
            start: lines.line_column(found.secret_span.start),
            end: lines.line_column(found.secret_span.end),
            span: ByteSpan::new(offset(found.secret_span.start), offset(found.secret_span.end)),
            origin: unit.origin.clone(),
        };
        let line = lines.line_span(found.secret_span.start);
        Candidate {
            rule: Arc::clone(self.matcher.rule(found).info()),
            confidence,
            reason,
            location,
            secret: found.secret.clone(),
            excerpt: excerpt(unit.bytes, line, found, matches),
            evidence: Evidence::of(found),
            texts: match &self.policy.foreign {
                Some(lists) => lists.judge(&self.matcher.rule(found).id, &texts_of(unit.bytes, lines, found)),
                None => foreign::Judged::default(),
            },
            counts: true,
            is_verbatim: is_verbatim(unit.bytes, found),
            is_recalled: false,
        }
    }
}

/// Whether a match is dropped for what it is, wherever it stands.
pub(super) fn is_dropped(memo: &Memo, matcher: &Matcher, found: &Match, kind: FileKind) -> bool {
    memo.is_dropped((found.rule, matcher.rule(found)), found.secret.reveal(), &found.context, kind)
}

/// Whether a secret is what stands at its place.
pub(super) fn is_verbatim(text: &[u8], found: &Match) -> bool {
    found.layers.is_empty() && text.get(found.secret_span.range()) == Some(found.secret.reveal())
}
