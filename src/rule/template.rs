//! Templates of examples, so that no text that looks like a live token stands in a rule file.
//!
//! `{CLASS:n}` or `{CLASS:n-m}` stands for that many random bytes of a class of the shape notation, and
//! `{secret}` for a random value of the rule's own shape. Everything else is literal.

use super::shape::{ByteSet, Shape};

/// Why a template cannot be expanded.
#[derive(Debug, thiserror::Error)]
#[error("`{{{placeholder}}}` is no placeholder: {reason}")]
pub struct TemplateError {
    placeholder: String,
    reason: &'static str,
}

/// Expands a template with random values; `below(n)` gives a random number less than `n`.
///
/// # Errors
///
/// When a placeholder names an unknown class, has a bad count, or is `{secret}` without a shape.
pub fn expand(
    template: &str,
    shape: Option<&Shape>,
    below: &mut dyn FnMut(usize) -> usize,
) -> Result<Vec<u8>, TemplateError> {
    let mut out = Vec::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.extend_from_slice(&rest.as_bytes()[..open]);
        let inner = &rest[open + 1..];
        let close = inner.find('}').filter(|&close| is_placeholder(&inner[..close]));
        let Some(close) = close else {
            out.push(b'{');
            rest = inner;
            continue;
        };
        fill(&inner[..close], shape, below, &mut out)?;
        rest = &inner[close + 1..];
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

/// JSON and code are full of braces; only these two forms are placeholders.
fn is_placeholder(text: &str) -> bool {
    text == "secret"
        || text.split_once(':').is_some_and(|(class, count)| {
            !class.is_empty()
                && class.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
                && count.bytes().all(|b| b.is_ascii_digit() || b == b'-')
        })
}

fn fill(
    placeholder: &str,
    shape: Option<&Shape>,
    below: &mut dyn FnMut(usize) -> usize,
    out: &mut Vec<u8>,
) -> Result<(), TemplateError> {
    let error = |reason| TemplateError { placeholder: placeholder.to_owned(), reason };
    let Some((class, count)) = placeholder.split_once(':') else {
        let shape = shape.ok_or_else(|| error("the rule has no shape"))?;
        out.extend(shape.sample(below));
        return Ok(());
    };
    ByteSet::named(class).ok_or_else(|| error("unknown class"))?;
    let (least, most) = count.split_once('-').unwrap_or((count, count));
    let bounds = least.parse::<u32>().ok().zip(most.parse::<u32>().ok());
    let (least, most) = bounds.filter(|(least, most)| least <= most).ok_or_else(|| error("bad count"))?;
    let run = Shape::parse(&format!("{class}{{{least},{most}}}")).map_err(|_| error("bad count"))?;
    out.extend(run.sample(below));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_expand_and_other_braces_stay() {
        let shape = Shape::parse("\"t_\" DIGIT{3}").unwrap();
        let text = expand(r#"{"a": "{secret}", "b": "{UPPER:2-4}"}"#, Some(&shape), &mut |_| 0).unwrap();
        assert_eq!(text, br#"{"a": "t_000", "b": "AA"}"#);
    }

    #[test]
    fn unknown_classes_and_counts_are_errors() {
        for bad in ["{NOPE:3}", "{UPPER:9-2}", "{UPPER:}", "{secret}"] {
            assert!(expand(bad, None, &mut |_| 0).is_err(), "{bad}");
        }
    }
}
