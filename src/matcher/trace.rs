//! What the matcher did, step by step, for those who ask why.
//!
//! Every place in the matcher that decides tells a `Sink`, so an explanation cannot say anything but what was
//! done. The list of matches that a scan fills is a sink too: it takes matches and hears nothing else, its other
//! methods are empty and vanish when they are inlined.

use super::Match;
use super::found::capture;
use super::words::keyword_at;
use crate::decode::{Layer, View};
use crate::rule::Rule;
use crate::rule::schema::{LONGEST_TRIGGER_BYTES, RuleKind, TriggerKind};
use crate::span::ByteSpan;

/// Takes what the matcher finds, and hears on the way what it tries.
pub(super) trait Sink: Default {
    /// Whether it wants to hear what was tried in vain.
    const TELLS: bool = false;

    /// The matches so far.
    fn matches(&mut self) -> &mut Vec<Match>;

    /// Takes a match of the rule that looks.
    #[inline(always)]
    fn found(&mut self, found: Match) {
        self.matches().push(found);
    }

    /// A rule starts to look, sent by the word at `start`.
    #[inline(always)]
    fn look(&mut self, _text: &[u8], _rule: (usize, &Rule), _kind: Option<TriggerKind>, _start: usize) {}

    /// Its expression runs on `window`.
    #[inline(always)]
    fn window(&mut self, _window: ByteSpan) {}

    /// It found nothing for this reason, or this span fits and does not count.
    #[inline(always)]
    fn miss(&mut self, _miss: impl FnOnce() -> Miss) {}

    /// Takes what was heard in a view; the matches have been moved already.
    #[inline(always)]
    fn absorb(&mut self, _inner: Self, _view: &View<'_>) {}
}

impl Sink for Vec<Match> {
    #[inline(always)]
    fn matches(&mut self) -> &mut Vec<Match> {
        self
    }
}

/// Everything that rules tried in a text.
#[derive(Debug, Default)]
pub struct Trace {
    /// In the order in which it was tried: the plain text, then the decoded views.
    pub looks: Vec<Look>,
    pub(super) found: Vec<Match>,
}

/// One rule looking at one place.
#[derive(Clone, Debug)]
pub struct Look {
    /// Index of the rule.
    pub rule: usize,
    /// What sent the rule there; `None` for a rule that looks at everything.
    pub kind: Option<TriggerKind>,
    /// The literal or keyword of the rule, as the rule writes it.
    pub word: String,
    /// Where that word stands in the text.
    pub trigger: ByteSpan,
    /// On what the expression ran, if it came to that.
    pub window: Option<ByteSpan>,
    /// Encodings that were undone before, outermost first.
    pub layers: Vec<Layer>,
    /// What fits the expression and does not count, or why it did not come to the expression.
    pub misses: Vec<Miss>,
    /// The secrets found.
    pub found: Vec<ByteSpan>,
}

/// Why nothing, or not this, was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Miss {
    /// The reason.
    pub why: MissReason,
    /// What fits the expression, where something does.
    pub span: Option<ByteSpan>,
    /// The part of it that would be the secret.
    pub secret_span: Option<ByteSpan>,
}

/// The reason of a [`Miss`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissReason {
    /// The word is part of a longer one.
    PartOfWord,
    /// The text starts too near before the literal.
    NoRoom,
    /// This byte stands directly before the value and could belong to it.
    Before(u8),
    /// This byte stands directly behind the value and could belong to it.
    Behind(u8),
    /// The literal is not part of what fits.
    WithoutLiteral,
    /// It is a stretch of something longer in base64.
    InEncodedData,
    /// It is the keyword itself.
    IsKeyword,
    /// An `@` ties it to what stands before it.
    Pinned,
    /// None of the keywords stands near.
    NoKeyword,
    /// No value is assigned to the name.
    NoAssignment,
    /// The value that is assigned has another form.
    OtherForm,
    /// Another keyword had sent the rule over the same bytes.
    Searched,
}

impl Trace {
    /// Every match, those too whose place a more specific rule took.
    pub fn found(&self) -> &[Match] {
        &self.found
    }
}

impl Miss {
    pub(super) fn of(why: MissReason) -> Self {
        Self { why, span: None, secret_span: None }
    }

    pub(super) fn at(why: MissReason, text: &[u8], rule: (usize, &Rule), span: ByteSpan) -> Self {
        let secret_span = capture(text, rule, span).secret_span;
        Self { why, span: Some(span), secret_span: Some(secret_span) }
    }
}

/// More of them from one look tell nothing new.
const MISSES: usize = 8;

impl Sink for Trace {
    const TELLS: bool = true;

    fn matches(&mut self) -> &mut Vec<Match> {
        &mut self.found
    }

    fn found(&mut self, found: Match) {
        if let Some(look) = self.looks.last_mut() {
            look.found.push(found.secret_span);
        }
        self.found.push(found);
    }

    fn look(&mut self, text: &[u8], (index, rule): (usize, &Rule), kind: Option<TriggerKind>, start: usize) {
        let word = kind.and_then(|kind| word_at(text, rule, kind, start)).unwrap_or_default();
        let trigger = ByteSpan::new(start, start + word.len());
        self.looks.push(Look {
            rule: index,
            kind,
            word: String::from_utf8_lossy(word).into_owned(),
            trigger,
            window: None,
            layers: Vec::new(),
            misses: Vec::new(),
            found: Vec::new(),
        });
    }

    fn window(&mut self, window: ByteSpan) {
        if let Some(look) = self.looks.last_mut() {
            look.window = Some(window);
        }
    }

    fn miss(&mut self, miss: impl FnOnce() -> Miss) {
        if let Some(look) = self.looks.last_mut().filter(|look| look.misses.len() < MISSES) {
            look.misses.push(miss());
        }
    }

    fn absorb(&mut self, inner: Self, view: &View<'_>) {
        for mut look in inner.looks {
            look.found.retain(|found| !view.is_verbatim(*found));
            look.misses.retain(|miss| miss.span.is_none_or(|span| !view.is_verbatim(span)));
            // What reads the same undecoded was looked at there.
            if look.found.is_empty() && (view.is_verbatim(look.trigger) || look.kind.is_none()) {
                continue;
            }
            let original = |span: &mut ByteSpan| *span = view.original_span(*span);
            original(&mut look.trigger);
            look.window.iter_mut().for_each(original);
            look.found.iter_mut().for_each(original);
            for miss in &mut look.misses {
                miss.span.iter_mut().chain(&mut miss.secret_span).for_each(original);
            }
            look.layers.clone_from(&view.layers);
            self.looks.push(look);
        }
    }
}

/// The word of the rule at `start`, the longest that is there.
fn word_at<'r>(text: &[u8], rule: &'r Rule, kind: TriggerKind, start: usize) -> Option<&'r [u8]> {
    let rest = &text[start..];
    let begins = |word: &[u8], ignore_case: bool| {
        rest.get(..word.len())
            .is_some_and(|head| head == word || (ignore_case && head.eq_ignore_ascii_case(word)))
    };
    match kind {
        TriggerKind::Anchor { .. } => rule
            .spec()
            .anchors
            .iter()
            .filter(|anchor| begins(&anchor.literal, anchor.ignore_case))
            .map(|anchor| anchor.literal.as_slice())
            .max_by_key(|word| word.len()),
        TriggerKind::Keyword | TriggerKind::Name => {
            let by_name = kind == TriggerKind::Name && rule.kind == RuleKind::Keyed;
            let words = if by_name { &rule.spec().names } else { &rule.spec().keywords };
            // The one that counts, or the longest of those that are part of a longer word.
            let unknown = ByteSpan::new(start, start + LONGEST_TRIGGER_BYTES);
            let counting = keyword_at(text, unknown, rule, words).map(ByteSpan::len);
            words
                .iter()
                .map(|word| word.as_bytes())
                .filter(|word| begins(word, true) && counting.is_none_or(|len| len == word.len()))
                .max_by_key(|word| word.len())
        }
    }
}
