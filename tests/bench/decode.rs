//! Cost of finding and decoding encoded text: `cargo bench --bench decode -- FILE…`
//!
//! For each file: speed of the search in MB/s (best of several rounds), number of views, and their bytes as a
//! share of the file. Without a file, texts made here: one without any encoding, one of each kind.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use stanch::decode::{Limits, Scratch, for_each_view};

fn main() {
    // Cargo passes `--bench` to every benchmark.
    let files: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    println!("{:>10} {:>9} {:>8} {:>8}  text", "bytes", "MB/s", "views", "decoded");
    if files.is_empty() {
        for (name, text) in made_texts() {
            measure(name, text.as_bytes());
        }
    }
    for file in &files {
        match std::fs::read(file) {
            Ok(bytes) => measure(file, &bytes),
            Err(error) => println!("cannot read {file}: {error}"),
        }
    }
}

fn measure(name: &str, bytes: &[u8]) {
    let limits = Limits::default();
    let mut scratch = Scratch::default();
    let mut best = Duration::MAX;
    let mut outcome = stanch::decode::Outcome::default();
    let all_started = Instant::now();
    while all_started.elapsed() < Duration::from_millis(500) {
        let started = Instant::now();
        outcome = for_each_view(black_box(bytes), &limits, &mut scratch, &mut |view| {
            black_box(&view.bytes);
        });
        best = best.min(started.elapsed());
    }
    let speed = bytes.len() as f64 / best.as_secs_f64() / 1e6;
    let share = 100.0 * outcome.decoded_bytes as f64 / bytes.len().max(1) as f64;
    let end = if outcome.complete { "" } else { " (ended early)" };
    println!("{:>10} {speed:>9.0} {:>8} {share:>7.1}%  {name}{end}", bytes.len(), outcome.views);
}

fn made_texts() -> Vec<(&'static str, String)> {
    let code = "    let total = items.iter().map(|item| item.price * item.count).sum::<u64>(); // in cents\n";
    let prose = "It was the best of times, it was the worst of times, it was the age of wisdom.\n";
    let texts = [
        ("prose", prose),
        ("code", code),
        ("JSON with escaped quotes", "{\\\"name\\\":\\\"value\\\",\\n\\\"next\\\":\\\"other\\\"},"),
        ("unicode escapes", "\"\\u0070\\u006b_text and \\u00e9 more\",\n"),
        ("percent signs", "GET /path?key%3Dvalue%26other%3D1%2F2 HTTP/1.1\n"),
        ("entities", "<a title=&quot;text&quot;>&#95;</a>\n"),
        ("percent signs in percent signs", "%25%25"),
        ("base64 of text", "a2V5ID0gdmFsdWUgYW5kIG1vcmUgdGV4dCB0byByZWFk\n"),
        ("digests", "sha512-3q2+7wAR/xgqK9mQv0bQ1z+8Uu0o5t1Zb7y5nO0e8f2Y7cV9kL3mX1wR6hT4gJ2pQ==\n"),
    ];
    texts.map(|(name, text)| (name, text.repeat(4_000_000 / text.len()))).to_vec()
}
