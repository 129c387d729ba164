//! Whether tokens of every format are found in real surroundings, and blamed on the right provider:
//! `cargo bench --bench formats -- [TABLE]`
//!
//! The table is a file of facts about formats, see `README.md` beside this one for its form and the options.
//! Without it the shapes are those of the built-in rules.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "../it/surroundings.rs"]
mod surroundings;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use rayon::prelude::*;
use stanch::filter::file_kind::FileKind;
use stanch::filter::{self, Verdict};
use stanch::matcher::{Matcher, Scratch};
use stanch::rule::RuleSet;
use stanch::rule::schema::Checksum;
use stanch::rule::shape::Shape;
use surroundings::{Name, Surrounding};

fn main() -> ExitCode {
    match Options::read().and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("{message}");
            ExitCode::from(2)
        }
    }
}

/// What the command line asks for.
#[derive(Debug)]
struct Options {
    table: Option<String>,
    samples: usize,
    rule: Option<String>,
    list: Option<List>,
}

/// Which texts to print one by one.
#[derive(Clone, Copy, Debug, PartialEq)]
enum List {
    Missed,
    Misattributed,
}

impl Options {
    fn read() -> Result<Self, String> {
        let mut options = Self { table: None, samples: 100, rule: None, list: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = |name: &str| arguments.next().ok_or_else(|| format!("{name} needs a value"));
            match argument.as_str() {
                // Cargo passes it to every benchmark.
                "--bench" => {}
                "--missed" => options.list = Some(List::Missed),
                "--misattributed" => options.list = Some(List::Misattributed),
                "--rule" => options.rule = Some(value("--rule")?),
                "--samples" => {
                    let count = value("--samples")?;
                    options.samples =
                        count.parse().map_err(|_| format!("{count} is no number of samples"))?;
                }
                file if !file.starts_with('-') => options.table = Some(file.to_owned()),
                other => return Err(format!("unknown option {other}")),
            }
        }
        Ok(options)
    }
}

/// The file of facts; keys that play no part here are passed over.
#[derive(Debug, serde::Deserialize)]
struct Table {
    format: Vec<Entry>,
}

/// One format of the table.
#[derive(Debug, serde::Deserialize)]
struct Entry {
    id: String,
    provider: String,
    kind: String,
    shape: String,
    #[serde(default)]
    public: bool,
    #[serde(default)]
    context_required: bool,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    case_insensitive_keywords: Vec<String>,
}

/// A format to measure.
#[derive(Debug)]
struct Format {
    id: String,
    provider: String,
    shape: Shape,
    /// The check that a value of the format passes, if our rule knows one.
    checksum: Option<Checksum>,
    public: bool,
    /// A file, or a piece of one, that stands in no other.
    alone: bool,
    /// Whether it has to stand beside one of the words.
    needs_word: bool,
    words: Vec<String>,
}

fn run(options: &Options) -> Result<(), String> {
    let matcher = Matcher::new(RuleSet::builtin());
    let mut formats = match &options.table {
        Some(file) => {
            let text =
                std::fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))?;
            let table: Table = toml::from_str(&text).map_err(|error| format!("{file}: {error}"))?;
            print_completeness(&table, matcher.rules());
            let shared = shared_words(&table);
            let formats = table.format.iter().map(|entry| from_entry(entry, &shared, matcher.rules()));
            formats.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?
        }
        None => from_rules(matcher.rules()),
    };
    if let Some(id) = &options.rule {
        formats.retain(|format| format.id == *id);
    }
    let tallies: Vec<Tally> = formats
        .par_iter()
        .enumerate()
        .map_init(Scratch::default, |scratch, (index, format)| {
            measure(&matcher, scratch, format, index as u64, options)
        })
        .collect();
    print_figures(&formats, &tallies, options);
    Ok(())
}

/// Words of the table that do not name the provider: as keywords they narrow, but a token beside them could
/// be anybody's.
const GENERAL_WORDS: &[&str] = &[
    "access_token",
    "accounts",
    "app_secret",
    "appsecret",
    "applicationid",
    "auth_token",
    "authtoken",
    "bootstrap",
    "config",
    "consumer_secret",
    "deployer",
    "digest",
    "hmac",
    "integration_key",
    "interoperability",
    "key_secret",
    "access_key_secret",
    "accesskeysecret",
    "recovery",
    "recovery_key",
    "routing_key",
    "search_key",
    "searchonly",
    "secret_id",
    "seed_phrase",
    "signing_secret",
    "skey",
    "smtp_password",
    "token_secret",
    "webhook_secret",
    "webhooksecret",
    "x-auth-token",
    "x-signature",
    "api_secret",
    "obs",
    "eth_",
    "bird",
    "webhook",
];

/// Words under which several providers are listed; they do not name one either.
fn shared_words(table: &Table) -> BTreeSet<String> {
    let mut owners: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for entry in &table.format {
        for word in entry.case_insensitive_keywords.iter().chain(&entry.keywords) {
            owners.entry(without_joints(word)).or_default().insert(&entry.provider);
        }
    }
    owners.into_iter().filter(|(_, owners)| owners.len() > 1).map(|(word, _)| word).collect()
}

fn without_joints(word: &str) -> String {
    word.to_ascii_lowercase().replace(['-', '_'], "")
}

/// Formats whose rule needs a word although the table asks for none, with the reason.
const NEEDS_WORD: &[(&str, &str)] = &[
    ("asana-pat", "two numbers and 32 hexadecimal digits: no literal to search for"),
    ("bitcoin-bip38-key", "the two letters at its head are in every base58 text"),
    ("bitwarden-sm-access-token", "no literal to search for"),
    ("discord-bot-token", "no literal to search for"),
    ("gemini-exchange-key", "its head is `account-` or `master-`, as in names of everyday"),
    ("hash-netntlmv2", "no literal but `::`"),
    ("hop-token", "its head `ptk_` is that of functions too"),
    ("imagekit-private-key", "its head is `private_`, as in names of everyday"),
    ("unleash-token", "no literal to search for"),
    ("uptimerobot-key", "no literal to search for"),
    ("webex-bot-token", "no literal to search for"),
];

/// Formats for which the table's shape allows texts that its own note rules out; the rule's shape is taken.
const LOOSE_SHAPES: &[(&str, &str)] = &[
    ("increase-key", "the environment and its underscore come together or not at all"),
    ("jwt-unsigned", "the first part has to be a header without an algorithm"),
    ("private-key-pem-base64", "the base64 has to be of the words of a PEM head"),
    ("private-key-pkcs12-file", "base64 may hold a line end, the version stands at a fixed place"),
    ("percy-token", "the kind of project and its underscore come together or not at all"),
];

/// The table describes the place of a secret with classes for whatever else stands there; a random text of
/// those is no file. The rule says what a file looks like.
fn is_frame(shape: &str) -> bool {
    shape
        .split(|c: char| !c.is_ascii_alphabetic())
        .any(|class| matches!(class, "ANY" | "TEXT" | "PASSCH" | "USERCH"))
}

/// A piece of a file has a name and quotes of its own; nobody writes a line of .netrc into a query.
fn stands_alone(kind: &str, shape: &str) -> bool {
    let is_block = shape.contains("EOL") && !shape.starts_with("\"-----BEGIN");
    (matches!(kind, "file" | "generic") && shape.contains('<')) || shape.contains("\\\"") || is_block
}

fn from_entry(entry: &Entry, shared: &BTreeSet<String>, rules: &RuleSet) -> Result<Option<Format>, String> {
    let by_rule = is_frame(&entry.shape) || LOOSE_SHAPES.iter().any(|(id, _)| *id == entry.id);
    let shape_text = if by_rule {
        match rules.get(&entry.id).map(|rule| &rule.shape) {
            Some(shape) if !shape.is_empty() => shape,
            _ => return Ok(None),
        }
    } else {
        &entry.shape
    };
    let shape = Shape::parse(shape_text).map_err(|error| format!("{}: {error}", entry.id))?;
    let names_provider = |word: &&String| {
        !GENERAL_WORDS.contains(&&*word.to_ascii_lowercase()) && !shared.contains(&without_joints(word))
    };
    let words = entry.case_insensitive_keywords.iter().chain(&entry.keywords).filter(names_provider);
    let alone = stands_alone(&entry.kind, shape_text);
    let rule = rules.get(&entry.id).filter(|rule| alone && !rule.keywords.is_empty());
    let words = match rule {
        // A line of the file before the secret, as it is.
        Some(rule) => rule.keywords.clone(),
        None => usable_words(words, &entry.provider),
    };
    Ok(Some(Format {
        id: entry.id.clone(),
        provider: entry.provider.clone(),
        shape,
        checksum: rules.get(&entry.id).and_then(|rule| rule.checksum),
        public: entry.public,
        alone,
        needs_word: entry.context_required || NEEDS_WORD.iter().any(|(id, _)| *id == entry.id),
        words,
    }))
}

fn from_rules(rules: &RuleSet) -> Vec<Format> {
    let with_shape = rules.rules().iter().filter(|rule| !rule.shape.is_empty());
    with_shape
        .map(|rule| Format {
            id: rule.id.clone(),
            provider: rule.provider.clone(),
            shape: Shape::parse(&rule.shape).expect("built-in shapes are checked"),
            checksum: rule.checksum,
            public: rule.public,
            alone: stands_alone("", &rule.shape),
            needs_word: !rule.keywords.is_empty() || !rule.names.is_empty(),
            words: usable_words(rule.names.iter().chain(&rule.keywords), &rule.provider),
        })
        .collect()
}

/// The words that can be a part of a name or of an address; the name of the provider if none can.
fn usable_words<'w>(words: impl Iterator<Item = &'w String>, provider: &str) -> Vec<String> {
    let is_part = |word: &&String| {
        word.len() > 2
            && word.starts_with(|c: char| c.is_ascii_alphanumeric())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    let words: Vec<String> = words.filter(is_part).cloned().collect();
    if words.is_empty() { vec![provider_word(provider)] } else { words }
}

/// `Tap Payments` as `tap_payments`.
fn provider_word(provider: &str) -> String {
    let words = provider.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("_")
}

/// What came out for one format.
#[derive(Debug, Default)]
struct Tally {
    /// Samples beside a word that names the provider, and under a name that says nothing.
    with_word: Count,
    neutral: Count,
    /// How often which rule was named instead.
    instead: BTreeMap<String, usize>,
    /// Texts for the list.
    texts: Vec<String>,
    missed_in: BTreeMap<&'static str, usize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    all: usize,
    found: usize,
    right: usize,
}

impl Count {
    fn add(&mut self, other: Count) {
        self.all += other.all;
        self.found += other.found;
        self.right += other.right;
    }

    fn plus(mut self, other: Count) -> Count {
        self.add(other);
        self
    }
}

fn measure(matcher: &Matcher, scratch: &mut Scratch, format: &Format, seed: u64, options: &Options) -> Tally {
    let mut tally = Tally::default();
    let mut random = surroundings::random(seed + 1);
    let alone = [surroundings::ALONE];
    for surrounding in if format.alone { &alone[..] } else { &surroundings::ALL[..] } {
        for index in 0..options.samples {
            let neutral = !format.needs_word && index % 2 == 0;
            let name = if neutral {
                Name::neutral(index / 2)
            } else if format.alone {
                Name::verbatim(&format.words[index % format.words.len()])
            } else {
                Name::holding(&format.words[index % format.words.len()], index / 2)
            };
            let secret = surroundings::sample(&format.shape, format.checksum, &mut random);
            let providers = blamed(matcher, scratch, surrounding, &name, &secret);
            // What could be anybody's has no right provider.
            let anybody = format.provider == "Generic" && !providers.is_empty();
            let right = anybody || providers.iter().any(|(_, provider)| is_same(provider, &format.provider));
            let count = if neutral { &mut tally.neutral } else { &mut tally.with_word };
            count.add(Count { all: 1, found: usize::from(!providers.is_empty()), right: usize::from(right) });
            let missed = providers.is_empty();
            if missed {
                *tally.missed_in.entry(surrounding.extension).or_default() += 1;
            } else if !right {
                *tally.instead.entry(providers[0].0.clone()).or_default() += 1;
            }
            let wanted = match options.list {
                Some(List::Missed) => missed,
                Some(List::Misattributed) => !missed && !right,
                None => false,
            };
            if wanted {
                let (text, _) = surrounding.fill(&name, &secret);
                tally.texts.push(text);
            }
        }
    }
    tally
}

/// The rules that report the secret, and their providers.
fn blamed(
    matcher: &Matcher,
    scratch: &mut Scratch,
    surrounding: &Surrounding,
    name: &Name,
    secret: &str,
) -> Vec<(String, String)> {
    let (text, place) = surrounding.fill(name, secret);
    let mut found = Vec::new();
    let _ = matcher.find(text.as_bytes(), scratch, &mut found);
    found
        .iter()
        .filter(|found| found.secret_span.start < place.end && place.start < found.secret_span.end)
        .filter(|found| {
            let (rule, value) = (matcher.rule(found), found.secret.reveal());
            let verdict = filter::judge(rule, value, &found.context, FileKind::default());
            matches!(verdict, Verdict::Keep { .. })
        })
        .map(|found| (matcher.rule(found).id.clone(), matcher.rule(found).provider.clone()))
        .collect()
}

/// Providers whose credentials are one and the same thing to the user, with the reason.
const ALIASES: &[(&str, &str, &str)] = &[
    ("YouTube", "Google", "a Google API key with one of Google's services switched on"),
    ("pub.dev", "Google", "a Google refresh token in the file of a client"),
    ("SOPS", "age", "SOPS encrypts with age, the key is one of age"),
    ("Standard Webhooks", "Svix", "Svix wrote the standard, the secret is the same"),
];

fn is_same(one: &str, other: &str) -> bool {
    one == other || ALIASES.iter().any(|&(a, b, _)| (a, b) == (one, other) || (b, a) == (one, other))
}

/// Entries of the table without a rule of the same id, with the reason.
const WITHOUT_RULE: &[(&str, &str)] = &[
    ("dotenv-assignment", "the generic rules read assignments"),
    ("generic-client-credentials", "the generic rules read assignments"),
    ("generic-common-password", "a word list cannot tell a password from a word; the generic rules score it"),
    ("generic-encryption-key", "the generic rules read assignments"),
    ("generic-high-entropy-base64", "entropy alone is no evidence; the generic rules score it"),
    ("generic-high-entropy-hex", "entropy alone is no evidence; the generic rules score it"),
    ("generic-password-assignment", "rule generic-password"),
    ("generic-secret-assignment", "rule generic-secret"),
    ("git-credentials-file", "rules git-credentials-file-path and http-basic-auth-url"),
    ("oracle-cloud-api-key", "rules oci-config-file and private-key-rsa"),
    ("react-app-password", "rule generic-password"),
    ("sops-age-key", "rule age-secret-key"),
    ("terraform-state-secret", "rule terraform-state-file, and the generic rules"),
    ("tfvars-secret", "the generic rules read assignments"),
];

/// Whether every entry has a rule, and is public in both or in neither.
fn print_completeness(table: &Table, rules: &RuleSet) {
    let mut wrong = 0;
    for entry in &table.format {
        let excused = WITHOUT_RULE.iter().find(|(id, _)| *id == entry.id);
        match (rules.get(&entry.id), excused) {
            (None, None) => {
                println!("no rule for {}", entry.id);
                wrong += 1;
            }
            (Some(_), Some(_)) => {
                println!("{} has a rule and an excuse", entry.id);
                wrong += 1;
            }
            (Some(rule), None) if rule.public != entry.public => {
                println!("{} is public in one place only", entry.id);
                wrong += 1;
            }
            (None, Some((id, reason))) => println!("no rule of that name: {id}: {reason}"),
            (Some(_), None) => {}
        }
    }
    println!(
        "{} entries, {} without a rule of their own, {wrong} wrong",
        table.format.len(),
        WITHOUT_RULE.len()
    );
}

fn print_figures(formats: &[Format], tallies: &[Tally], options: &Options) {
    let mut sum = [Count::default(); 2];
    let mut public = Count::default();
    for (format, tally) in formats.iter().zip(tallies) {
        if format.public {
            public.add(tally.with_word.plus(tally.neutral));
            continue;
        }
        sum[0].add(tally.with_word);
        sum[1].add(tally.neutral);
    }
    let line = |what: &str, count: Count| {
        let share = |part: usize| 100.0 * part as f64 / count.all.max(1) as f64;
        println!(
            "{what:<28} {:>9} samples  found {:6.2} %  right provider {:6.2} %",
            count.all,
            share(count.found),
            share(count.right)
        );
    };
    for (format, tally) in formats.iter().zip(tallies).filter(|(format, _)| !format.public) {
        let both = tally.with_word.plus(tally.neutral);
        if both.found * 100 < both.all * 99 || both.right * 100 < both.all * 99 || options.rule.is_some() {
            line(&format.id, both);
            if tally.neutral.all > 0 {
                line("  beside a word", tally.with_word);
                line("  under a neutral name", tally.neutral);
            }
            println!("    instead {:?} missed in {:?}", tally.instead, tally.missed_in);
        }
        tally.texts.iter().take(20).for_each(|text| println!("{text}\n--"));
    }
    line("all", sum[0].plus(sum[1]));
    line("  beside a word", sum[0]);
    line("  under a neutral name", sum[1]);
    line("public, not an alarm", public);
}
