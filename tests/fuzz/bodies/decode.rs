//! Decoded views: spans stay inside the original, and the work is bounded.

use stanch::decode::{Limits, Scratch, for_each_view};
use stanch::span::ByteSpan;

pub fn run(bytes: &[u8]) {
    let limits = Limits::default();
    let whole = ByteSpan::new(0, bytes.len());
    let outcome = for_each_view(bytes, &limits, &mut Scratch::default(), &mut |view| {
        assert!(whole.contains(view.region));
        let len = view.bytes.len();
        for span in [ByteSpan::new(0, len), ByteSpan::new(len / 2, len / 2), ByteSpan::new(len / 3, len)] {
            assert!(view.region.contains(view.original_span(span)));
            let _ = view.is_verbatim(span);
        }
        let (outer, span) = view.outer(bytes);
        assert!(span.end <= outer.len());
    });
    assert!(outcome.decoded_bytes <= bytes.len() * limits.max_expansion + (128 << 10));
}
