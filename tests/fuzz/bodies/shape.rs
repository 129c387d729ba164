//! Shapes: their samples match their expressions and keep to their lengths.

use stanch::rule::shape::Shape;

pub fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(shape) = Shape::parse(text) else { return };
    let (min, max) = shape.length_bytes();
    if max.unwrap_or(min) > 4096 || min > 4096 {
        return;
    }
    let Ok(regex) = regex::bytes::Regex::new(&format!("^(?:{})$", shape.to_regex(false))) else { return };
    let mut state = text.len();
    let sample = shape.sample(&mut |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    });
    assert!(sample.len() >= min && max.is_none_or(|max| sample.len() <= max));
    assert!(regex.is_match(&sample));
}
