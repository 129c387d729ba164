//! Deltas: the result is that of its copies and insertions, or an error.
//!
//! The first byte is the length of the base.

use stanch::derived::Copies;
use stanch::git::pack::delta::Delta;

pub fn run(input: &[u8]) {
    let Some((&base_len, rest)) = input.split_first() else { return };
    let Some((base, delta)) = rest.split_at_checked(usize::from(base_len)) else { return };
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
}
