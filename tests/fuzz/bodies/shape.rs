//! Shapes: their samples match their expressions and keep to their lengths, and the steps of a shape lead to what the
//! expression finds, which is what an explanation asks.

use crate::dice::Dice;
use stanch::matcher::{Match, Matcher, Scratch, trace::Trace};
use stanch::rule::RuleSet;
use stanch::rule::shape::Shape;
use stanch::span::ByteSpan;

pub fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(shape) = Shape::parse(text) else { return };
    let (min, max) = shape.length_bytes();
    if max.unwrap_or(min) > 4096 || min > 4096 {
        return;
    }
    let Ok(regex) = regex::bytes::Regex::new(&format!("^(?:{})$", shape.to_regex(false))) else { return };
    let mut dice = Dice::new(text.len() as u64);
    let mut below = |sides| dice.roll(sides);
    let samples: Vec<Vec<u8>> = (0..4).map(|_| shape.sample(&mut below)).collect();
    for sample in &samples {
        assert!(sample.len() >= min && max.is_none_or(|max| sample.len() <= max));
        assert!(regex.is_match(sample));
    }
    let file = format!(
        "[[rule]]\nid = \"acme-key\"\ndescription = \"Acme\"\nkind = \"prefixed\"\nseverity = \"high\"\nshape = {}\n",
        toml::Value::from(format!("\"acme:\" ({text})"))
    );
    let Ok(rules) = RuleSet::empty().with_custom(&file, "rules.toml") else { return };
    let matcher = Matcher::new(rules);
    // Values, broken ones and halves, one behind the other.
    let mut values = Vec::new();
    for number in 0..12 {
        let mut value = [b"acme:", &samples[number % 4][..]].concat();
        let at = below(value.len());
        match number % 5 {
            0 => value[at] = b"a0 =\n"[below(5)],
            1 => value.truncate(at),
            2 => value.extend_from_within(at..),
            _ => {}
        }
        values.extend(value);
        values.extend_from_slice([&b""[..], b" ", b"\n", b"-"][below(4)]);
    }
    let (mut found, mut told) = (Vec::new(), Vec::new());
    let _ = matcher.find(&values, &mut Scratch::default(), &mut found);
    let _ = matcher.trace(&values, &mut Trace::default(), &mut told);
    let spans = |all: &[Match]| -> Vec<(ByteSpan, ByteSpan)> {
        all.iter().map(|found| (found.span, found.secret_span)).collect()
    };
    assert_eq!(spans(&found), spans(&told), "with the steps and with the expression");
}
