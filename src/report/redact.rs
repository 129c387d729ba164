//! The last look before anything is written: a secret that was found in a file may also stand in a path,
//! an author's name or an error message.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};
use bstr::{ByteSlice, ByteVec};

use super::Report;
use crate::secret::Secret;

/// Shorter secrets are not looked for: `postgres` is a password here and a directory there.
const SHORTEST_BYTES: usize = 20;

/// Longer ones are private keys and the like, which stand in no name; they would bloat the automaton.
const LONGEST_BYTES: usize = 512;

/// Knows the secrets of a report and takes them out of any other text of it.
pub(crate) struct Redactor {
    search: Search,
    redacted: Vec<String>,
}

enum Search {
    Nothing,
    Secrets(AhoCorasick),
    /// The automaton could not be built, so no text can be shown to be free of secrets.
    Withhold,
}

impl Redactor {
    pub(super) fn new(report: &Report<'_>) -> Self {
        match report.show_secrets {
            true => Self::of([]),
            false => {
                let parts = report.findings.iter().flat_map(|finding| &finding.parts);
                let secrets = report.findings.iter().map(|finding| &finding.secret);
                Self::of(secrets.chain(parts.map(|part| &part.secret)))
            }
        }
    }

    /// Knows these secrets.
    pub(crate) fn of<'s>(secrets: impl IntoIterator<Item = &'s Secret>) -> Self {
        let nothing = Self { search: Search::Nothing, redacted: Vec::new() };
        let secrets: BTreeMap<&[u8], String> = secrets
            .into_iter()
            .filter(|secret| (SHORTEST_BYTES..=LONGEST_BYTES).contains(&secret.len_bytes()))
            .map(|secret| (secret.reveal(), secret.redacted()))
            .collect();
        if secrets.is_empty() {
            return nothing;
        }
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(secrets.keys());
        let search = automaton.map_or(Search::Withhold, Search::Secrets);
        Self { search, redacted: secrets.into_values().collect() }
    }

    pub(super) fn bytes<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        match &self.search {
            Search::Nothing => Cow::Borrowed(text),
            Search::Withhold => Cow::Owned(b"<withheld>".to_vec()),
            Search::Secrets(automaton) => {
                if !automaton.is_match(text) {
                    return Cow::Borrowed(text);
                }
                let mut out = Vec::new();
                automaton.replace_all_with_bytes(text, &mut out, |found, _, out| {
                    out.push_str(&self.redacted[found.pattern().as_usize()]);
                    true
                });
                Cow::Owned(out)
            }
        }
    }

    pub(crate) fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(changed) => Cow::Owned(changed.to_str_lossy().into_owned()),
        }
    }
}
