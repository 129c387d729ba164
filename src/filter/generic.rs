//! Judges values that are assigned to a name that says "secret", but have no known format.

use crate::filter::entropy;
use crate::level::Confidence;
use crate::matcher::Assigned;
use crate::matcher::assignment::{Joint, Quote};

/// What the judgement says of a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Sum of the weights that apply; the higher, the more like a secret.
    pub points: f32,
    /// The strongest reasons, for people.
    pub reason: String,
}

/// Fewest points of a finding at each confidence.
const THRESHOLDS: [(f32, Confidence); 3] =
    [(6.0, Confidence::High), (4.5, Confidence::Medium), (3.0, Confidence::Low)];

/// The confidence that goes with a number of points; `None` where it is not worth a report.
pub fn confidence(points: f32) -> Option<Confidence> {
    THRESHOLDS.iter().find(|(least, _)| points >= *least).map(|&(_, confidence)| confidence)
}

/// Scores a value by what it is assigned to and by how unlike words and code it looks.
pub fn score(assigned: &Assigned, value: &[u8]) -> Score {
    let mut points = 0.0;
    let mut reasons: Vec<&str> = Vec::new();
    let mut add = |weight: f32, reason: &'static str| {
        points += weight;
        if weight > 0.0 {
            reasons.push(reason);
        }
    };
    match assigned.quote {
        Quote::Plain | Quote::Escaped => add(0.5, "a quoted literal"),
        Quote::None if looks_like_code(value) => add(-6.0, "code"),
        Quote::None => {}
    }
    if assigned.joint == Joint::Space {
        add(-1.0, "");
    }
    let any = |test: fn(&u8) -> bool| value.iter().any(test);
    let classes = usize::from(any(u8::is_ascii_digit))
        + usize::from(any(u8::is_ascii_lowercase))
        + usize::from(any(u8::is_ascii_uppercase))
        + usize::from(any(|byte| !byte.is_ascii_alphanumeric()));
    if value.len() < 6 || value.contains(&b' ') {
        add(-6.0, "");
    }
    if classes >= 3 {
        add(1.5, "several kinds of characters");
    }
    if any(u8::is_ascii_digit) && classes >= 2 {
        add(1.5, "letters with digits");
    }
    if value.len() >= 16 {
        add(1.0, "its length");
    }
    let relative = entropy::relative(value);
    if relative >= 0.85 && value.len() >= 8 {
        add(1.5, "high entropy");
    } else if relative < 0.7 {
        add(-2.0, "");
    }
    if is_words(value) {
        add(-4.0, "");
    }
    Score { points, reason: reasons.join(", ") }
}

fn looks_like_code(value: &[u8]) -> bool {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    value.iter().any(|byte| b"()[]{}".contains(byte))
        || (value.contains(&b'.') && value.iter().all(|byte| word(byte) || *byte == b'.'))
        || (value.iter().all(word) && !value.iter().any(u8::is_ascii_digit))
}

/// Whether the value is made of lower-case words, or of one word per joint.
fn is_words(value: &[u8]) -> bool {
    value
        .split(|byte| b"_-./: ".contains(byte))
        .filter(|part| !part.is_empty())
        .all(|part| part.iter().all(u8::is_ascii_alphabetic) && part[1..].iter().all(u8::is_ascii_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(value: &str) -> Option<Confidence> {
        let assigned = Assigned { name: b"password".to_vec(), joint: Joint::Equals, quote: Quote::Plain };
        confidence(score(&assigned, value.as_bytes()).points)
    }

    #[test]
    fn random_values_pass_and_words_do_not() {
        for value in ["kJ8#mQ2!vX", "9fQ7aZ31kLm0PqRs55Tt", "tr0ub4dor&3x"] {
            assert!(judged(value).is_some(), "{value}");
        }
        for value in ["password_field", "Enter your password", "user.password", "abc", "ConfirmPassword"] {
            assert_eq!(judged(value), None, "{value}");
        }
    }
}
