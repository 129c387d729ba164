//! The throughput on texts made against every built-in rule; see README.md.

#[path = "../../src/dice.rs"]
mod dice;

use std::cell::OnceCell;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use dice::Dice;
use stanch::matcher::{Matcher, Scratch};
use stanch::rule::schema::{RuleKind, RuleSpec};
use stanch::rule::shape::Shape;
use stanch::rule::{Rule, RuleSet};

const TEXT_BYTES: usize = 128 << 10;
const LEAST_MB_PER_SECOND: f64 = 50.0;

struct Slow {
    /// Not a number where only the rule alone was asked for.
    with_all: f64,
    /// Without the other rules; of a text against all of them, not a number.
    alone: f64,
    rule: String,
    text: &'static str,
    bytes: Vec<u8>,
}

/// How often what was too slow is measured again when all the rest was: a machine that has other things to do is slow for a
/// while, and a text is slow each time.
const ROUNDS: usize = 3;

fn main() {
    let mut wanted: Vec<String> = Vec::new();
    let (mut wanted_common, mut wanted_text, mut wanted_digests) = (false, None, false);
    let (mut every, mut first, mut wanted_alone) = (1, 0, false);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = |option| {
            let number = words.next().and_then(|word| word.parse::<usize>().ok());
            number.unwrap_or_else(|| panic!("{option} takes a number"))
        };
        match word.as_str() {
            "--common" => wanted_common = true,
            "--alone" => wanted_alone = true,
            "--every" => every = number("--every").max(1),
            "--from" => first = number("--from"),
            "--text" => wanted_text = words.next(),
            "--digests" => wanted_digests = true,
            option if option.starts_with('-') => {}
            _ => wanted.push(word),
        }
    }
    let is_wanted = |text: &str| wanted_text.as_ref().is_none_or(|wanted| wanted == text);
    let mut common = against_all();
    common.retain(|(name, _)| is_wanted(name));
    let all = Matcher::new(RuleSet::builtin());
    let mut slow: Vec<Slow> = Vec::new();
    let (mut rules, mut texts) = (0, 0);
    let mut measure = |rule: &RuleSpec, alone: &OnceCell<Matcher>, text: &'static str, bytes: &[u8]| {
        if wanted_digests {
            return print_line(&format!("{:016x}  {text:<24} {}", digest(&all, bytes), rule.id));
        }
        let with_all = if wanted_alone { f64::NAN } else { rate(&all, bytes) };
        let alone = match with_all >= LEAST_MB_PER_SECOND {
            true => f64::NAN,
            false => rate(alone.get_or_init(|| only(&rule.id)), bytes),
        };
        let rate = if wanted_alone { alone } else { with_all };
        if rate < LEAST_MB_PER_SECOND {
            slow.push(Slow { with_all, alone, rule: rule.id.clone(), text, bytes: bytes.to_vec() });
        }
    };
    let with_texts = all.rules().rules().iter().map(Rule::spec).filter(|spec| spec.kind != RuleKind::Path);
    for (number, spec) in with_texts.enumerate().filter(|_| !wanted_common) {
        let is_in_sample = number >= first && (number - first).is_multiple_of(every);
        if !is_in_sample || !(wanted.is_empty() || wanted.contains(&spec.id)) {
            continue;
        }
        rules += 1;
        let alone = OnceCell::new();
        for (name, text) in against(spec).into_iter().filter(|(name, _)| is_wanted(name)) {
            texts += 1;
            measure(spec, &alone, name, &text);
        }
    }
    for (name, text) in common.iter().filter(|_| !wanted_alone) {
        texts += 1;
        if wanted_digests {
            print_line(&format!("{:016x}  {name}", digest(&all, text)));
            continue;
        }
        let with_all = rate(&all, text);
        if with_all < LEAST_MB_PER_SECOND {
            slow.push(Slow {
                with_all,
                alone: f64::NAN,
                rule: String::new(),
                text: name,
                bytes: text.clone(),
            });
        }
    }
    if wanted_digests {
        return;
    }
    for _ in 0..ROUNDS {
        for one in &mut slow {
            // Of a rule alone only what was measured.
            if !wanted_alone {
                one.with_all = one.with_all.max(rate(&all, &one.bytes));
            }
            if !one.alone.is_nan() {
                one.alone = one.alone.max(rate(&only(&one.rule), &one.bytes));
            }
        }
        slow.retain(|one| one.rate() < LEAST_MB_PER_SECOND);
    }
    slow.sort_by(|one, other| {
        one.with_all.total_cmp(&other.with_all).then(one.alone.total_cmp(&other.alone))
    });
    let least = slow.iter().map(Slow::rate).fold(f64::INFINITY, f64::min);
    for Slow { with_all, alone, rule, text, .. } in &slow {
        print_line(&format!("{with_all:8.1} MB/s  {alone:8.1} alone  {text:<24} {rule}"));
    }
    print_line(&format!(
        "{rules} rules, {texts} texts of {} KiB; {} under {LEAST_MB_PER_SECOND} MB/s, the slowest of those at {least:.1}",
        TEXT_BYTES >> 10,
        slow.len()
    ));
    if !slow.is_empty() {
        std::process::exit(1);
    }
}

#[expect(clippy::print_stdout, reason = "that is what a benchmark is for")]
fn print_line(line: &str) {
    println!("{line}");
}

impl Slow {
    fn rate(&self) -> f64 {
        if self.with_all.is_nan() { self.alone } else { self.with_all }
    }
}

fn only(id: &str) -> Matcher {
    Matcher::new(RuleSet::builtin().retain(|rule| rule.id == id))
}

/// A number that is another one when something else is found in the text.
fn digest(matcher: &Matcher, text: &[u8]) -> u64 {
    let mut found = Vec::new();
    let mut hasher = DefaultHasher::new();
    matcher.find(text, &mut Scratch::default(), &mut found).hash(&mut hasher);
    for one in &found {
        let (span, secret_span) = (one.span.range(), one.secret_span.range());
        (matcher.rule(one).id.as_str(), span, secret_span, &one.context).hash(&mut hasher);
        (format!("{:?}", one.layers), one.secret.reveal()).hash(&mut hasher);
    }
    hasher.finish()
}

/// The best of some runs, by the time on the processor where the system tells it.
fn rate(matcher: &Matcher, text: &[u8]) -> f64 {
    let mut best = 0.0_f64;
    let mut scratch = Scratch::default();
    let mut out = Vec::new();
    // The first run may compile expressions; it counts only where it was fast enough all the same.
    for round in 0..6 {
        let (cpu, wall) = (cpu_seconds(), Instant::now());
        out.clear();
        let _ = matcher.find(text, &mut scratch, &mut out);
        let seconds = match (cpu, cpu_seconds()) {
            (Some(before), Some(after)) => after - before,
            _ => wall.elapsed().as_secs_f64(),
        };
        let rate = text.len() as f64 / 1e6 / seconds.max(1e-9);
        if round == 0 && rate < 2.0 * LEAST_MB_PER_SECOND {
            continue;
        }
        best = best.max(rate);
        // Fast enough, or too slow to wait for.
        let is_close = LEAST_MB_PER_SECOND / 10.0..=1.5 * LEAST_MB_PER_SECOND;
        if !is_close.contains(&best) {
            break;
        }
    }
    best
}

/// What this thread spent on a processor, on Linux.
fn cpu_seconds() -> Option<f64> {
    // Between two ticks of its clock the system counts when it is asked for another thread.
    std::thread::yield_now();
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split(' ').next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}

fn fill(mut piece: impl FnMut(usize) -> Vec<u8>) -> Vec<u8> {
    let mut text = Vec::with_capacity(TEXT_BYTES + 4096);
    let mut number = 0;
    while text.len() < TEXT_BYTES {
        let next = piece(number);
        text.extend_from_slice(if next.is_empty() { b" " } else { &next });
        number += 1;
    }
    text.truncate(TEXT_BYTES);
    text
}

/// Letters and digits that repeat late.
fn noise(len: usize, seed: usize, alphabet: &[u8]) -> Vec<u8> {
    let mut state = (seed as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize
    };
    (0..len).map(|_| alphabet[next() % alphabet.len()]).collect()
}

/// Values of a rule, each of which comes several times in a text.
const SAMPLES: usize = 101;
const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &[u8] = b"0123456789abcdef";
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const DIGITS: &[u8] = b"0123456789";

/// Texts against one rule.
fn against(spec: &RuleSpec) -> Vec<(&'static str, Vec<u8>)> {
    let words: Vec<Vec<u8>> = spec.triggers(0).iter().map(|trigger| trigger.literal.to_vec()).collect();
    if words.is_empty() {
        return Vec::new();
    }
    let word = |number: usize| words[number % words.len()].clone();
    let shape = Shape::parse(&spec.shape).ok();
    let new_sample = |seed: usize| -> Vec<u8> {
        let mut dice = Dice::new((seed as u64).wrapping_mul(0x9E37_79B9).wrapping_add(0x1234_5677));
        match &shape {
            Some(shape) => shape.sample(&mut |sides| dice.roll(sides)),
            None => [&word(seed)[..], &noise(40, seed, ALNUM)].concat(),
        }
    };
    // To draw each anew would take longer than all the rest.
    let samples: Vec<Vec<u8>> = (0..SAMPLES).map(new_sample).collect();
    let sample = |seed: usize| samples[seed % SAMPLES].clone();
    let near_miss = |seed: usize, last: u8| {
        let mut value = sample(seed);
        if let Some(end) = value.last_mut() {
            *end = last;
        }
        value
    };
    // Runs of what the value is made of.
    let alphabet: Vec<u8> = {
        let mut bytes: Vec<u8> =
            sample(1).into_iter().chain(sample(2)).filter(u8::is_ascii_graphic).collect();
        bytes.sort_unstable();
        bytes.dedup();
        if bytes.is_empty() { ALNUM.to_vec() } else { bytes }
    };
    let join = |parts: &[&[u8]]| parts.concat();
    vec![
        ("literals", fill(word)),
        ("literals, a line each", fill(|n| join(&[&word(n), b"\n"]))),
        ("literals in words", fill(|n| join(&[b"x", &word(n), b"_x "]))),
        ("last byte wrong", fill(|n| join(&[&near_miss(n, b'!'), b"\n"]))),
        ("last byte wrong, joined", fill(|n| near_miss(n, b'!'))),
        ("joined", fill(sample)),
        ("one byte less", fill(|n| join(&[&sample(n)[1..], b" "]))),
        (
            "half",
            fill(|n| {
                let value = sample(n);
                value[..value.len() / 2].to_vec()
            }),
        ),
        (
            "first half, a line each",
            fill(|n| {
                let value = sample(n);
                join(&[&value[..value.len() / 2], b"\n"])
            }),
        ),
        ("literal, long run", fill(|n| join(&[&word(n), &noise(20 << 10, n, &alphabet)]))),
        ("literal, run of 200", fill(|n| join(&[&word(n), &noise(200, n, &alphabet), b" "]))),
        ("literal, run of 40", fill(|n| join(&[&word(n), b" = ", &noise(40, n, &alphabet), b";"]))),
        ("literal, digits", fill(|n| join(&[&word(n), b"=", &noise(300, n, DIGITS)]))),
        ("literal, lower case", fill(|n| join(&[&word(n), b": ", &noise(300, n, LOWER), b"\n"]))),
        ("literal every 16", fill(|n| join(&[&word(n), &noise(16, n, &alphabet), b" "]))),
        ("literals, values after", fill(|n| join(&[&word(n), b" ", &sample(n), b" ", &sample(n + 1), b" "]))),
        ("assigned, quotes", fill(|n| join(&[&word(n), b" = \"'\\\"`'\"{[("]))),
        ("assigned, open", fill(|n| join(&[b"my_", &word(n), b" = \"", &noise(60, n, ALNUM), b"\n"]))),
        ("names of it", fill(|n| join(&[&word(n), b"_secret_key_token_password = "]))),
        ("literal, spaces", fill(|n| join(&[&word(n), b" =                                  "]))),
        ("unclosed", fill(|n| join(&[&word(n), b"\n", &noise(64, n, BASE64), b"\n"]))),
        (
            "as base64",
            fill(|n| join(&[b" ", data_encoding::BASE64.encode(&join(&[&word(n), &sample(n)])).as_bytes()])),
        ),
        (
            "as percent",
            fill(|n| sample(n).iter().flat_map(|byte| format!("%{byte:02x}").into_bytes()).collect()),
        ),
    ]
}

/// Texts against the decoders, and the reading of assignments.
fn against_all() -> Vec<(&'static str, Vec<u8>)> {
    let nested = |depth: usize| {
        let mut text = noise(TEXT_BYTES >> (depth / 2 + 1), 5, ALNUM);
        for _ in 0..depth {
            text = data_encoding::BASE64.encode(&text).into_bytes();
        }
        text.truncate(TEXT_BYTES);
        text
    };
    vec![
        ("base64, one run", fill(|n| noise(4096, n, BASE64))),
        ("base64, lines", fill(|n| [&noise(76, n, BASE64)[..], b"\n"].concat())),
        ("base64, short runs", fill(|n| [&noise(20, n, BASE64)[..], b" "].concat())),
        ("base64 of base64", nested(2)),
        ("base64, five deep", nested(5)),
        ("hex, one run", fill(|n| noise(4096, n, HEX))),
        ("hex, short runs", fill(|n| [&noise(32, n, HEX)[..], b" "].concat())),
        (
            "hex of letters",
            fill(|n| noise(4096, n, LOWER).iter().flat_map(|b| format!("{b:02x}").into_bytes()).collect()),
        ),
        (
            "percent",
            fill(|n| noise(4096, n, LOWER).iter().flat_map(|b| format!("%{b:02x}").into_bytes()).collect()),
        ),
        ("percent of percent", fill(|_| b"%2525252541".to_vec())),
        (
            "unicode escapes",
            fill(|n| noise(64, n, LOWER).iter().flat_map(|b| format!("\\u{b:04x}").into_bytes()).collect()),
        ),
        (
            "octal escapes",
            fill(|n| noise(64, n, LOWER).iter().flat_map(|b| format!("\\{b:03o}").into_bytes()).collect()),
        ),
        ("backslashes", fill(|_| b"\\".to_vec())),
        (
            "entities",
            fill(|n| noise(64, n, LOWER).iter().flat_map(|b| format!("&#{b};").into_bytes()).collect()),
        ),
        ("quotes", fill(|_| b"\"".to_vec())),
        ("quotes in turn", fill(|_| b"\"'`".to_vec())),
        ("equals signs", fill(|_| b"= ".to_vec())),
        ("brackets", fill(|_| b"({[".to_vec())),
        ("keys without values", fill(|_| b"password=\n".to_vec())),
        ("keys, joined", fill(|_| b"password".to_vec())),
        ("keys, dotted", fill(|_| b"api_token.".to_vec())),
        ("heads of tables", fill(|n| if n % 300 == 299 { b"\n".to_vec() } else { b"password,".to_vec() })),
        ("keys, one line", fill(|_| b"password=".to_vec())),
        ("keys of keys", fill(|_| b"api_key: secret: token: password: ".to_vec())),
        ("assignments", fill(|n| [b"password = \"", &noise(24, n, ALNUM)[..], b"\"\n"].concat())),
        ("assignments, one line", fill(|n| [b"password=", &noise(24, n, ALNUM)[..], b" "].concat())),
        ("calls", fill(|_| b"password(password(password(".to_vec())),
        ("urls", fill(|_| b"https://user:".to_vec())),
        ("urls with passwords", fill(|n| [b"https://u:", &noise(16, n, ALNUM)[..], b"@h/ "].concat())),
        ("dotted", fill(|n| [&noise(6, n, LOWER)[..], b"."].concat())),
        ("eyJ", fill(|_| b"eyJ".to_vec())),
        ("eyJ.", fill(|_| b"eyJhbGciOiJIUzI1NiJ9.".to_vec())),
        ("begin", fill(|_| ["-----BE", "GIN "].concat().into_bytes())),
        ("begin lines", fill(|_| ["-----BE", "GIN PRIVATE K", "EY-----\n"].concat().into_bytes())),
        (
            "begin, never ended",
            fill(|n| {
                if n == 0 {
                    ["-----BE", "GIN PRIVATE K", "EY-----\n"].concat().into_bytes()
                } else {
                    [&noise(64, n, BASE64)[..], b"\n"].concat()
                }
            }),
        ),
        ("words", fill(|n| [&noise(n % 9 + 1, n, LOWER)[..], b" "].concat())),
        ("letters", fill(|_| b"a".to_vec())),
        ("noise", fill(|n| noise(4096, n, ALNUM))),
        ("spaces", fill(|_| b" ".to_vec())),
        ("line ends", fill(|_| b"\n".to_vec())),
        ("markers", fill(|_| b"stanch:allow ".to_vec())),
        ("xml", fill(|_| b"<password>".to_vec())),
        ("high bytes", fill(|n| noise(4096, n, b"\xC3\xA9\xE2\x80\xAE"))),
    ]
}
