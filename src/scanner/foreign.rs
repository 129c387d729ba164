//! What the configuration of another scanner says of matches and paths.

use std::sync::atomic::Ordering;

use bstr::BStr;

use super::Scanner;
use super::candidate::{Candidate, Placed};
use super::counts::Counts;
use super::judge::Passed;
use super::matches::Matches;
use crate::filter::file_kind::FileKind;
use crate::filter::foreign::{Lists, Required, Texts};
use crate::filter::{self, Verdict};
use crate::location::ObjectId;
use crate::matcher::Match;
use crate::rule::schema::RuleKind;
use crate::source::ContentUnit;
use crate::span::LineIndex;

/// What the configuration of another scanner says of a candidate.
enum Foreign {
    Keeps,
    /// Its rule looks at other files.
    OtherPath,
    /// The allowlist that is written there accepts it.
    Accepted(String),
}

impl Scanner {
    /// The rule of another scanner to which the path is a finding by itself.
    pub(super) fn foreign_rule_for(&self, path: &BStr) -> Option<usize> {
        let lists = self.policy.foreign.as_ref()?;
        let path = self.policy.allowlists.seen_from_root(path);
        let position = |id: &str| self.rules().rules().iter().position(|rule| rule.id == id);
        lists.named_by(path.as_ref()).find_map(position)
    }

    /// Whether the configuration of another scanner has nothing against a candidate at this path and commit.
    fn foreign_verdict(&self, candidate: &Candidate, path: &BStr, commit: Option<&ObjectId>) -> Foreign {
        let Some(lists) = &self.policy.foreign else { return Foreign::Keeps };
        let path = self.policy.allowlists.seen_from_root(path);
        let id = &candidate.rule.id;
        if !lists.looks_at(id, Some(path.as_ref())) {
            return Foreign::OtherPath;
        }
        let commit = commit.map(ToString::to_string);
        match lists.accepts(id, &candidate.texts, Some(path.as_ref()), commit.as_deref()) {
            Some(list) => Foreign::Accepted(list.written_at.clone()),
            None => Foreign::Keeps,
        }
    }

    /// Why the configuration of another scanner accepts a candidate outside the history.
    pub(crate) fn accepted_elsewhere(&self, candidate: &Candidate) -> Option<String> {
        match self.foreign_verdict(candidate, candidate.location.path.as_ref(), None) {
            Foreign::Keeps => None,
            Foreign::OtherPath => Some("the rule looks at other paths".to_owned()),
            Foreign::Accepted(written_at) => Some(format!("the allowlist at {written_at} accepts it")),
        }
    }

    /// Whether the candidate stays, counting it where an allowlist accepts it.
    pub(super) fn foreign_keeps(
        &self,
        candidate: &Candidate,
        path: &BStr,
        commit: Option<&ObjectId>,
        counts: &Counts,
    ) -> bool {
        match self.foreign_verdict(candidate, path, commit) {
            Foreign::Keeps => true,
            Foreign::OtherPath => false,
            Foreign::Accepted(_) => {
                counts.allowlist.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
    }

    /// Whether a match has the companions that the configuration of another scanner asks for.
    pub(super) fn foreign_judge(
        &self,
        lists: &Lists,
        unit: &ContentUnit<'_>,
        lines: &LineIndex<'_>,
        index: usize,
        matches: &Matches<'_>,
    ) -> Result<(), Passed> {
        let found = &matches[index];
        let Some(of) = lists.rules.get(&self.matcher.rule(found).id) else { return Ok(()) };
        let place = |found: &Match| {
            let start = lines.line_column(found.span.start);
            (start.line, start.column)
        };
        let is_companion = |other: &Match, required: &Required| {
            let rule = self.matcher.rule(other);
            let counts = || {
                let judged = filter::judge(rule, other.secret.reveal(), &other.context, FileKind::default());
                let path = unit.path.map(|path| self.policy.allowlists.seen_from_root(path));
                let path = path.as_deref();
                let texts = lists.judge(&rule.id, &texts_of(unit.bytes, lines, other));
                matches!(judged, Verdict::Keep { .. })
                    && lists.looks_at(&rule.id, path)
                    && lists.accepts(&rule.id, &texts, path, None).is_none()
            };
            required.rules.contains(&rule.id) && required.is_near(place(found), place(other)) && counts()
        };
        let is_whole = of.required.iter().all(|required| {
            let mut others = matches.iter().enumerate().filter(|&(at, _)| at != index);
            others.any(|(_, other)| is_companion(other, required))
        });
        if of.is_silent || !is_whole {
            return Err(Passed::Alone);
        }
        Ok(())
    }

    /// Of a rule of another scanner and one of ours that found the same, the one that says more stays.
    pub(super) fn drop_doubles(&self, placed: &mut Vec<Placed>) {
        let kind = |at: usize| self.rules().rules()[placed[at].candidate.evidence.rule].kind;
        let mut is_double = vec![false; placed.len()];
        for one in 0..placed.len() {
            let here = &placed[one].candidate;
            for (other, Placed { candidate: there, .. }) in placed.iter().enumerate().skip(one + 1) {
                let is_near = here.location.path == there.location.path
                    && here.location.origin == there.location.origin
                    && there.location.span.start < here.location.span.end;
                if !is_near {
                    break;
                }
                let is_foreign = [kind(one) == RuleKind::Whole, kind(other) == RuleKind::Whole];
                if is_foreign[0] == is_foreign[1] || !here.counts || !there.counts {
                    continue;
                }
                let (foreign, ours) = if is_foreign[0] { (one, other) } else { (other, one) };
                let is_guess = kind(ours) == RuleKind::Generic;
                let (winner, loser) = if is_guess { (foreign, ours) } else { (ours, foreign) };
                let [won, lost] = [winner, loser].map(|at| placed[at].candidate.location.span);
                // What is much more than the other could hold another secret.
                let is_same = lost.contains(won) && won.len() * 2 >= lost.len();
                is_double[loser] |= won.contains(lost) || is_same;
            }
        }
        let mut is_double = is_double.into_iter();
        placed.retain(|_| !is_double.next().unwrap_or_default());
    }
}

/// What allowlists of another scanner look at.
pub(super) fn texts_of<'t>(text: &'t [u8], lines: &LineIndex<'_>, found: &'t Match) -> Texts<'t> {
    let last_byte = found.span.end.max(found.span.start + 1) - 1;
    let (first, last) = (lines.line_span(found.span.start), lines.line_span(last_byte));
    Texts {
        secret: found.secret.reveal(),
        // What was decoded stands nowhere but in the match.
        matched: if found.layers.is_empty() { &text[found.span.range()] } else { found.secret.reveal() },
        lines: &text[first.start..last.end.max(first.start)],
    }
}
