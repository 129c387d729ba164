//! The form of a rule file, and its translation into rules that are ready to match.
//!
//! The build script includes this module too: the built-in files are translated at build time, so that a
//! run pays for none of them.

use crate::level::{Confidence, Severity};
use crate::rule::grams;
use crate::rule::request::Request;
use crate::rule::shape::{ByteSet, Edges, Part, SecretPlace, Shape, rarity};

/// A rule file: `[[rule]]` tables.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// The rules in the order of the file.
    #[serde(default)]
    pub rule: Vec<toml::Spanned<RuleEntry>>,
}

/// One `[[rule]]` table as it is written.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleEntry {
    /// Stable name: kebab-case, provider first.
    pub id: String,
    /// Who issues the credential.
    #[serde(default)]
    pub provider: String,
    /// One line: what it is and why it is bad.
    pub description: String,
    /// How a match is found.
    pub kind: RuleKind,
    /// Severity of a live value.
    pub severity: Severity,
    /// How sure a match is by its form alone.
    #[serde(default = "default_confidence")]
    pub confidence: Confidence,
    /// The form of the value in the shape notation.
    pub shape: Option<String>,
    /// A regular expression for what a shape cannot say; a group named `secret` marks the secret.
    pub regex: Option<String>,
    /// Whether the literals of the shape match in any case.
    #[serde(default)]
    pub ignore_case: bool,
    /// Words one of which must stand near the value, or in a file of that name; in any ASCII case.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// For kind `keyed`: words that count in the name that the value is assigned to, and near the value
    /// where that name speaks of a secret (`key`, `token`, …); matched in any ASCII case.
    #[serde(default)]
    pub names: Vec<String>,
    /// How far from the value a keyword may stand.
    pub reach_bytes: Option<u32>,
    /// Least Shannon entropy of the secret in bits per byte.
    pub min_entropy: Option<f32>,
    /// Name of an offline proof.
    pub checksum: Option<Checksum>,
    /// The value is meant to be seen: it claims its place, and vaguer rules do not report it.
    #[serde(default)]
    pub public: bool,
    /// Anybody's credential may stand in such a place: a rule that names the provider goes first.
    #[serde(default)]
    pub any_provider: bool,
    /// Values in sequence (`…ABCDEF`), as guides show them, are reported too; names made of words are not.
    #[serde(default)]
    pub samples_count: bool,
    /// People choose the secret: one that reads like words is a dummy in a test or a guide.
    #[serde(default)]
    pub chosen: bool,
    /// For kind `path`: patterns of file names in the dialect of .gitignore.
    #[serde(default)]
    pub paths: Vec<String>,
    /// How to turn the credential off.
    pub revoke: Option<String>,
    /// The page that describes the format.
    pub reference: Option<String>,
    /// Texts that hold exactly one match; templates, see [`crate::rule::template`].
    #[serde(default)]
    pub examples: Vec<String>,
    /// Texts that hold none.
    #[serde(default)]
    pub counterexamples: Vec<String>,
    /// The other half that makes the value usable.
    pub pair: Option<PairEntry>,
    /// How to ask the issuer whether the value is live.
    pub verify: Option<Request>,
}

/// The other half of a credential.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairEntry {
    /// Id of the rule that finds the other half.
    pub with: String,
    /// How far apart the halves may stand.
    pub within_bytes: u32,
    /// Whether the value counts only together with the other half.
    #[serde(default)]
    pub required: bool,
}

fn default_confidence() -> Confidence {
    Confidence::Medium
}

/// How a rule finds its matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleKind {
    /// By a literal in the value itself.
    Prefixed,
    /// By a value of the shape near one of the keywords.
    Keyed,
    /// By a literal; the value spans lines.
    Block,
    /// By the name of the file.
    Path,
    /// By assignment to a name that holds a keyword; judged by score.
    Generic,
    /// By its expression anywhere in a text that holds one of its keywords, and judged by its own entropy alone: a rule of
    /// another scanner. No rule file can ask for it.
    #[serde(skip_deserializing)]
    Whole,
}

/// Structure inside a value that can be checked without asking anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checksum {
    /// The last six characters are the CRC-32 of what stands between the first `_` and them, in base 62.
    /// Source: GitHub's announcement of the format; npm, NetBird (its source code) and Vercel use the same.
    GithubCrc32,
    /// After the last dot: two base-36 characters of length, then seven with the CRC-32 of what is before.
    /// Source: GitLab's design of routable tokens.
    GitlabRoutable,
    /// The last eight hexadecimal digits are the little-endian CRC-32 of what stands before the last `_`.
    GrafanaCrc32,
    /// The last six characters are the base64 of the little-endian CRC-32 of the 54 before them.
    /// Source: Confluent's page on API keys.
    ConfluentCrc32,
    /// The last eight characters are the CRC-32 of all before them, in capital hexadecimal digits.
    AtlassianCrc32,
    /// The last eight characters are the CRC-32 of what stands between the first `_` and them (a `_` before
    /// them does not count), in small hexadecimal digits. Zuplo and Cloudflare use it.
    HexCrc32,
    /// The body encodes the account number.
    AwsAccountId,
    /// A JSON web token: header and claims decode to JSON, the header has `alg`, the claims may have an end.
    Jwt,
    /// A query with a shared access signature, whose field `se` is its end.
    AzureSas,
    /// A PEM, OpenSSH or OpenPGP block, or its base64: the head of the key is read.
    Pem,
    /// A key file of PuTTY.
    Putty,
    /// Base58 with a double SHA-256 check.
    Base58check,
    /// The same with the alphabet of the XRP Ledger.
    RippleBase58check,
    /// Bech32 with its BCH code (BIP 173 and BIP 350).
    Bech32,
    /// Base 32 with CRC-16/XMODEM (SEP 23 of Stellar).
    StellarCrc16,
    /// Base64 of a JSON object, behind a prefix and perhaps before a random part.
    Base64Json,
    /// Base64 of the number of an account, before the first dot or before a colon.
    Base64Number,
    /// Base64 of a user, a colon and a password, as in HTTP basic authentication (RFC 7617).
    Base64Pair,
}

/// A rule translated and checked. The build script stores the built-in ones in this form.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct RuleSpec {
    /// Stable name.
    pub id: String,
    /// Who issues the credential; may be empty.
    pub provider: String,
    /// One line.
    pub description: String,
    /// How a match is found.
    pub kind: RuleKind,
    /// Severity of a live value.
    pub severity: Severity,
    /// How sure a match is by its form alone.
    pub confidence: Confidence,
    /// The shape as written, for people; empty for a regex or a path rule.
    pub shape: String,
    /// Whether any ASCII case of its literals will do.
    pub ignore_case: bool,
    /// The regular expression to run on a candidate; empty for a path or a generic rule.
    pub regex: String,
    /// Literals in the value, one of which every match holds; empty: found by keywords alone.
    pub anchors: Vec<AnchorSpec>,
    /// Words one of which must stand near; lower case, every spelling listed.
    pub keywords: Vec<String>,
    /// Words that count in the name of the value; lower case, every spelling listed.
    pub names: Vec<String>,
    /// How far from the value a keyword may stand.
    pub reach_bytes: u32,
    /// Fewest bytes of a match.
    pub min_bytes: u32,
    /// Most bytes of a match; open when absent.
    pub max_bytes: Option<u32>,
    /// The bytes that matches are made of; all where that is not known.
    pub alphabet: ByteSet,
    /// What a match starts with, as far as that is told without the expression.
    pub first_parts: Vec<Part>,
    /// Whether these are all of it: then the expression is not needed.
    pub parts_are_all: bool,
    /// Where among them the secret is, if not all of a match is that.
    pub secret_place: Option<SecretPlace>,
    /// For a rule whose anchors stand in one place of a match, at different distances from its start: what the match goes
    /// on with from there.
    pub anchor_parts: Vec<Part>,
    /// What the byte directly before an anchor is in a match, where that is known.
    pub before_anchor: Option<ByteSet>,
    /// Bytes that must not stand beside a match.
    pub edges: EdgeSpec,
    /// Least Shannon entropy of the secret in bits per byte.
    pub min_entropy: Option<f32>,
    /// Offline proof.
    pub checksum: Option<Checksum>,
    /// Meant to be seen.
    pub public: bool,
    /// A rule that names the provider goes first.
    pub any_provider: bool,
    /// Values in sequence are reported too, names made of words are not.
    pub samples_count: bool,
    /// People choose the secret.
    pub chosen: bool,
    /// Patterns of file names.
    pub paths: Vec<String>,
    /// How to turn it off.
    pub revoke: Option<String>,
    /// Description of the format.
    pub reference: Option<String>,
    /// The other half.
    pub pair: Option<PairSpec>,
}

/// An [`Anchor`](crate::rule::shape::Anchor) in a [`RuleSpec`].
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct AnchorSpec {
    /// The literal.
    pub literal: Vec<u8>,
    /// Whether any ASCII case will do.
    pub ignore_case: bool,
    /// Fewest bytes of the match before it.
    pub min_before: u32,
    /// Most bytes of the match before it.
    pub max_before: u32,
}

/// [`Edges`] in a [`RuleSpec`].
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct EdgeSpec {
    /// Not directly before.
    pub before: ByteSet,
    /// Not directly after.
    pub after: ByteSet,
}

/// A [`PairEntry`] in a [`RuleSpec`].
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct PairSpec {
    /// Id of the rule of the other half.
    pub with: String,
    /// How far apart the halves may stand.
    pub within_bytes: u32,
    /// Whether both must be there.
    pub required: bool,
}

/// So many bytes of a literal send the matcher to a rule, which looks at the rest itself. They turn up as rarely as
/// the whole, and where only changes of a text are searched, this is how far beside each a literal may reach.
pub const LONGEST_TRIGGER_BYTES: usize = 16;

/// A literal that sends the matcher to a rule.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Trigger<'a> {
    /// The literal, or its first [`LONGEST_TRIGGER_BYTES`].
    #[serde(borrow)]
    pub literal: &'a [u8],
    /// Whether any ASCII case will do.
    pub ignore_case: bool,
    /// Offset of the four bytes of the literal (all three of a short one) that turn up least by chance.
    pub gram_at: u16,
    /// Number of the rule.
    pub rule: u32,
    /// What the literal is to the rule.
    pub kind: TriggerKind,
    /// Whether it is nothing to the rule where the byte before it belongs to the same word.
    pub starts_word: bool,
}

impl<'a> Trigger<'a> {
    fn new(
        literal: &'a [u8],
        ignore_case: bool,
        (rule, kind): (u32, TriggerKind),
        starts_word: bool,
    ) -> Self {
        let literal = &literal[..literal.len().min(LONGEST_TRIGGER_BYTES)];
        let all = literal.windows(4).enumerate();
        let rarest = all.max_by_key(|(at, gram)| (grams::rank(gram), rarity(gram), usize::MAX - at));
        let gram_at = rarest.map_or(0, |(at, _)| at as u16);
        Self { literal, ignore_case, gram_at, rule, kind, starts_word }
    }

    /// The order in which the matcher wants them: equal literals side by side.
    pub fn order(&self) -> (&'a [u8], bool, u32) {
        (self.literal, self.ignore_case, self.rule)
    }
}

/// What a literal is to its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum TriggerKind {
    /// It stands in the value, this far behind its start.
    Anchor {
        /// Fewest bytes of the match before it.
        min_before: u32,
        /// Most bytes of the match before it.
        max_before: u32,
    },
    /// It stands near the value.
    Keyword,
    /// It stands in the name that the value is assigned to, or for a keyed rule near one that speaks of a
    /// secret.
    Name,
}

impl RuleSpec {
    /// The literals that send the matcher to this rule, which has the number `rule`; none for a rule that
    /// looks at file names or at everything.
    pub fn triggers(&self, rule: u32) -> Vec<Trigger<'_>> {
        fn by_word(words: &[String], of: (u32, TriggerKind), starts_word: bool) -> Vec<Trigger<'_>> {
            words.iter().map(|word| Trigger::new(word.as_bytes(), true, of, starts_word)).collect()
        }
        let mut triggers = match self.kind {
            RuleKind::Path | RuleKind::Whole => Vec::new(),
            // `dbpassword` and `mysecret` are names too.
            RuleKind::Generic => by_word(&self.keywords, (rule, TriggerKind::Name), false),
            RuleKind::Prefixed | RuleKind::Block if !self.anchors.is_empty() => {
                let kind = |anchor: &AnchorSpec| TriggerKind::Anchor {
                    min_before: anchor.min_before,
                    max_before: anchor.max_before,
                };
                let word = ByteSet::named("WORD").expect("WORD is a class");
                let is_word = self.edges.before.intersection(word) == word;
                let anchors = self.anchors.iter();
                anchors
                    .map(|anchor| {
                        let starts_word = is_word && anchor.max_before == 0;
                        Trigger::new(&anchor.literal, anchor.ignore_case, (rule, kind(anchor)), starts_word)
                    })
                    .collect()
            }
            RuleKind::Prefixed | RuleKind::Block | RuleKind::Keyed => {
                let mut triggers = by_word(&self.keywords, (rule, TriggerKind::Keyword), true);
                triggers.extend(by_word(&self.names, (rule, TriggerKind::Name), true));
                triggers
            }
        };
        // Literals may be equal as far as they count, and one is enough.
        let mut seen = std::collections::BTreeSet::new();
        triggers.retain(|trigger| {
            let place = match trigger.kind {
                TriggerKind::Anchor { min_before, max_before } => (0, min_before, max_before),
                TriggerKind::Keyword => (1, 0, 0),
                TriggerKind::Name => (2, 0, 0),
            };
            seen.insert((trigger.literal, trigger.ignore_case, place))
        });
        triggers
    }

    /// Whether no literal and no keyword sends the matcher to the rule: it looks at whole texts.
    pub fn looks_at_everything(&self) -> bool {
        let is_led = !(self.anchors.is_empty() && self.keywords.is_empty() && self.names.is_empty());
        !self.regex.is_empty() && (self.kind == RuleKind::Whole || !is_led)
    }
}

/// How far from the value a keyword may stand when the rule does not say.
const DEFAULT_REACH_BYTES: u32 = 120;
/// A regular expression of a user's own has no bound; a candidate's window is this wide then.
const OPEN_WINDOW_BYTES: u32 = 4096;

impl RuleSpec {
    /// A rule of another scanner: an expression for whole texts.
    pub fn whole(id: &str, description: &str, regex: String, keywords: Vec<String>) -> Self {
        Self {
            id: id.to_owned(),
            provider: String::new(),
            description: description.to_owned(),
            kind: RuleKind::Whole,
            severity: Severity::High,
            confidence: Confidence::Medium,
            shape: String::new(),
            ignore_case: false,
            regex,
            anchors: Vec::new(),
            keywords,
            names: Vec::new(),
            reach_bytes: 0,
            min_bytes: 1,
            max_bytes: None,
            alphabet: ByteSet::ALL,
            first_parts: Vec::new(),
            parts_are_all: false,
            secret_place: None,
            anchor_parts: Vec::new(),
            before_anchor: None,
            edges: EdgeSpec { before: ByteSet::EMPTY, after: ByteSet::EMPTY },
            min_entropy: None,
            checksum: None,
            public: false,
            any_provider: false,
            samples_count: false,
            chosen: false,
            paths: Vec::new(),
            revoke: None,
            reference: None,
            pair: None,
        }
    }
}

impl RuleEntry {
    /// Checks the entry and translates it.
    ///
    /// # Errors
    ///
    /// A sentence that says which key is wrong and why.
    pub fn translate(&self) -> Result<RuleSpec, String> {
        self.check_texts()?;
        let mut spec = self.bare_spec();
        match self.kind {
            RuleKind::Path => self.check_path_rule()?,
            RuleKind::Generic => {
                if self.keywords.is_empty() {
                    return Err("a rule of kind `generic` needs `keywords`".into());
                }
            }
            RuleKind::Whole => return Err("no rule of a file is of the kind `whole`".into()),
            RuleKind::Prefixed | RuleKind::Keyed | RuleKind::Block => self.translate_pattern(&mut spec)?,
        }
        Ok(spec)
    }

    fn check_texts(&self) -> Result<(), String> {
        let kebab = |id: &str| {
            !id.is_empty()
                && id.split('-').all(|part| {
                    !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                })
        };
        if !kebab(&self.id) {
            return Err(format!("`id = \"{}\"` is not kebab-case (a-z, 0-9 and single dashes)", self.id));
        }
        if self.description.trim().is_empty() || self.description.contains('\n') {
            return Err("`description` must be one line that says what the secret is".into());
        }
        if let Some(request) = &self.verify {
            request.check()?;
        }
        if !self.names.is_empty() && self.kind != RuleKind::Keyed {
            return Err("only a rule of kind `keyed` has `names`".into());
        }
        if let Some(bad) =
            self.keywords.iter().chain(&self.names).find(|word| word.len() < 3 || !word.is_ascii())
        {
            return Err(format!(
                "keyword `{bad}` is shorter than three ASCII characters: it would match everywhere"
            ));
        }
        Ok(())
    }

    fn check_path_rule(&self) -> Result<(), String> {
        if self.paths.is_empty() {
            return Err("a rule of kind `path` needs `paths`".into());
        }
        if self.shape.is_some() || self.regex.is_some() {
            return Err("a rule of kind `path` has neither `shape` nor `regex`".into());
        }
        Ok(())
    }

    fn translate_pattern(&self, spec: &mut RuleSpec) -> Result<(), String> {
        match (&self.shape, &self.regex) {
            (Some(shape), None) => self.translate_shape(shape, spec)?,
            (None, Some(regex)) => {
                spec.regex = regex.clone();
                spec.max_bytes = Some(OPEN_WINDOW_BYTES);
            }
            _ => return Err("a rule has either `shape` or `regex`".into()),
        }
        if self.kind == RuleKind::Keyed && self.keywords.is_empty() && self.names.is_empty() {
            return Err("a rule of kind `keyed` needs `keywords` or `names`".into());
        }
        if self.kind == RuleKind::Keyed {
            // A keyed rule is found by its keywords: they are rarer than a chance literal in its value.
            spec.anchors.clear();
        }
        Ok(())
    }

    fn translate_shape(&self, text: &str, spec: &mut RuleSpec) -> Result<(), String> {
        let shape = Shape::parse(text).map_err(|error| format!("`shape`: {error}"))?;
        let (min, max) = shape.length_bytes();
        if min == 0 || shape.min_secret_bytes() == 0 {
            return Err("the shape matches the empty text".into());
        }
        let Edges { before, after } = shape.edges();
        spec.edges = EdgeSpec { before, after };
        spec.alphabet = shape.alphabet(self.ignore_case);
        spec.min_bytes = u32::try_from(min).unwrap_or(u32::MAX);
        spec.max_bytes = max.map(|max| u32::try_from(max).unwrap_or(u32::MAX));
        (spec.first_parts, spec.parts_are_all, spec.secret_place) = shape.first_parts(self.ignore_case);
        (spec.shape, spec.ignore_case) = (text.to_owned(), self.ignore_case);
        spec.regex = shape.to_regex(self.ignore_case);
        let anchors = shape.anchors();
        spec.anchor_parts = shape.parts_from(&anchors, self.ignore_case);
        spec.before_anchor = shape.before_anchors(&anchors);
        if self.kind != RuleKind::Keyed && anchors.is_empty() {
            return Err("the shape holds no literal of three bytes or more at a bounded distance from its \
                        start: make the rule `keyed` and give it keywords"
                .into());
        }
        spec.anchors = anchors
            .into_iter()
            .map(|anchor| AnchorSpec {
                literal: anchor.literal,
                ignore_case: self.ignore_case,
                min_before: anchor.min_before as u32,
                max_before: anchor.max_before as u32,
            })
            .collect();
        Ok(())
    }

    fn bare_spec(&self) -> RuleSpec {
        RuleSpec {
            id: self.id.clone(),
            provider: self.provider.clone(),
            description: self.description.clone(),
            kind: self.kind,
            severity: self.severity,
            confidence: self.confidence,
            shape: String::new(),
            ignore_case: false,
            regex: String::new(),
            anchors: Vec::new(),
            keywords: spellings(&self.keywords),
            names: spellings(&self.names),
            reach_bytes: self.reach_bytes.unwrap_or(DEFAULT_REACH_BYTES),
            min_bytes: 1,
            max_bytes: None,
            alphabet: ByteSet::ALL,
            first_parts: Vec::new(),
            parts_are_all: false,
            secret_place: None,
            anchor_parts: Vec::new(),
            before_anchor: None,
            edges: EdgeSpec { before: ByteSet::EMPTY, after: ByteSet::EMPTY },
            min_entropy: self.min_entropy,
            checksum: self.checksum,
            public: self.public,
            any_provider: self.any_provider,
            samples_count: self.samples_count,
            chosen: self.chosen,
            paths: self.paths.clone(),
            revoke: self.revoke.clone(),
            reference: self.reference.clone(),
            pair: self.pair.as_ref().map(|pair| PairSpec {
                with: pair.with.clone(),
                within_bytes: pair.within_bytes,
                required: pair.required,
            }),
        }
    }
}

/// Every keyword in lower case, and with `_`, `-` or nothing between its words, for code spells
/// `click_up`, `click-up` and `clickUp` alike.
fn spellings(keywords: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for keyword in keywords {
        let keyword = keyword.to_ascii_lowercase();
        all.push(keyword.clone());
        if keyword.contains(['_', '-']) && !keyword.contains(['.', '/', ':']) {
            all.extend(["_", "-", ""].map(|joint| keyword.replace(['_', '-'], joint)));
        }
    }
    all.retain(|word| word.len() >= 3);
    all.sort();
    all.dedup();
    all
}
