//! New lines: what is not called new stands in the old text, in the same order.
//!
//! Old and new text are parted by the first byte 0x1F.

use bstr::ByteSlice;
use stanch::git::diff::added_lines;

pub fn run(input: &[u8]) {
    let Some(cut) = input.iter().position(|&byte| byte == 0x1F) else { return };
    let (old, new) = (&input[..cut], &input[cut + 1..]);
    let Some(added) = added_lines(old, new) else { return };
    assert!(added.is_sorted_by(|one, next| one.end() < next.start()));
    let lines: Vec<&[u8]> = new.lines_with_terminator().collect();
    assert!(added.iter().all(|run| *run.start() >= 1 && *run.end() <= lines.len() as u64));
    let mut old_lines = old.lines_with_terminator().map(trimmed);
    for (line, text) in (1..).zip(lines) {
        if !added.iter().any(|run| run.contains(&line)) {
            assert!(old_lines.any(|known| known == trimmed(text)), "line {line} is not an old one");
        }
    }
}

/// Lines that differ in nothing but white space at their ends are the same to git.
fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_end_with(|end| matches!(end, ' ' | '\t' | '\n' | '\r' | '\x0B' | '\x0C'))
}
