//! Deltas: the result is that of its copies and insertions, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stanch::derived::Copies;
use stanch::git::pack::delta::Delta;

fuzz_target!(|input: (&[u8], &[u8])| {
    let (base, delta) = input;
    let Ok(delta) = Delta::parse(delta) else { return };
    if delta.result_bytes > 1 << 20 {
        return;
    }
    let (mut out, mut copies) = (Vec::new(), Copies::default());
    if delta.apply(base, &mut out, &mut copies).is_ok() {
        assert_eq!(out.len() as u64, delta.result_bytes);
        for piece in copies.pieces() {
            assert_eq!(out[piece.to..piece.to + piece.len], base[piece.from..piece.from + piece.len]);
        }
    }
});
