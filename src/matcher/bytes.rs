//! What is asked of bytes in many places.

/// A table of some bytes, for places that ask often.
pub(super) const fn table(bytes: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
}

/// Whether the text starts with the word, which is not empty, in any ASCII case.
pub(super) fn starts_ignoring_case(text: &[u8], word: &[u8]) -> bool {
    // Most differ in the first byte or in the last.
    text.len() >= word.len()
        && (text[0] ^ word[0] | text[word.len() - 1] ^ word[word.len() - 1]) & !0x20 == 0
        && text[..word.len()].eq_ignore_ascii_case(word)
}
