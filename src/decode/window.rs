//! How much text round an escape is decoded with it.

use crate::span::ByteSpan;

/// A line above this length is no context.
const MAX_LINE_ABOVE_BYTES: usize = 256;

/// The lines round some escapes, or a stretch of a line too long to take whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    start: usize,
    /// Whether `start` lies inside a line.
    is_cut: bool,
    /// The first end of a line behind the last escape, if one was found.
    found_end: Option<usize>,
    /// No other line ends between the last escape and this offset.
    searched_to: usize,
    last_hit_end: usize,
    max_bytes: usize,
}

impl Window {
    /// The window of one escape: its line and the line above, if the line ends within half of `max_bytes` on
    /// either side; else an eighth of `max_bytes` on that side.
    pub(super) fn around(bytes: &[u8], hit: ByteSpan, max_bytes: usize) -> Self {
        let reach = max_bytes / 2;
        let floor = hit.start.saturating_sub(reach);
        let (start, is_cut) = match memchr::memrchr(b'\n', &bytes[floor..hit.start]) {
            Some(at) => (with_line_above(bytes, floor + at + 1, floor), false),
            None if floor == 0 => (0, false),
            None => (hit.start.saturating_sub(max_bytes / 8), true),
        };
        let mut window =
            Self { start, is_cut, found_end: None, searched_to: hit.end, last_hit_end: hit.end, max_bytes };
        window.find_line_end(bytes);
        window
    }

    /// Takes in the next escape of the same layer, if it lies near enough.
    pub(super) fn take(&mut self, bytes: &[u8], hit: ByteSpan) -> bool {
        if hit.end <= self.span().end && hit.end + self.margin() - self.start <= self.max_bytes {
            self.last_hit_end = hit.end;
            self.find_line_end(bytes);
            return true;
        }
        // Neighbouring lines share a window: they are each other's context.
        let Some(line_end) = self.line_end() else { return false };
        let next = Self::around(bytes, hit, self.max_bytes);
        if next.is_cut || next.start > line_end + 1 || next.span().end - self.start > self.max_bytes {
            return false;
        }
        *self = Self { start: self.start, is_cut: self.is_cut, ..next };
        true
    }

    pub(super) fn span(&self) -> ByteSpan {
        let end = self.line_end().unwrap_or((self.last_hit_end + self.margin()).min(self.searched_to));
        ByteSpan::new(self.start, end.min(self.start + self.max_bytes))
    }

    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Bytes taken on either side of an escape when the line does not end within reach.
    fn margin(&self) -> usize {
        self.max_bytes / 8
    }

    /// End of the line that holds the last escape, where it was found within reach.
    fn line_end(&self) -> Option<usize> {
        let reach = self.last_hit_end + self.max_bytes / 2;
        // The end of the text may lie right behind what is within reach.
        self.found_end.filter(|&end| end < reach || (end == reach && end == self.searched_to))
    }

    /// Searches twice as far as is asked for: of a line of escapes each would go a few bytes farther than the one before.
    fn find_line_end(&mut self, bytes: &[u8]) {
        let asked = bytes.len().min(self.last_hit_end + self.max_bytes / 2);
        if self.found_end.is_some() || (asked <= self.searched_to && asked < bytes.len()) {
            return;
        }
        let from = self.searched_to.max(self.last_hit_end);
        let to = bytes.len().min(self.last_hit_end + self.max_bytes);
        if from < to {
            self.found_end = memchr::memchr(b'\n', &bytes[from..to]).map(|at| from + at);
        }
        self.searched_to = from.max(to);
        if self.found_end.is_none() && self.searched_to == bytes.len() {
            self.found_end = Some(bytes.len());
        }
    }
}

fn with_line_above(bytes: &[u8], line_start: usize, floor: usize) -> usize {
    let line_break = line_start - 1;
    let lowest = floor.max(line_break.saturating_sub(MAX_LINE_ABOVE_BYTES));
    match memchr::memrchr(b'\n', &bytes[lowest..line_break]) {
        Some(at) => lowest + at + 1,
        None if lowest == 0 => 0,
        None => line_start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn window_of(text: &str, max_bytes: usize) -> Vec<&str> {
        let mut windows: Vec<Window> = Vec::new();
        for (at, _) in text.match_indices('#') {
            let hit = ByteSpan::new(at, at + 1);
            if !windows.last_mut().is_some_and(|last| last.take(text.as_bytes(), hit)) {
                windows.push(Window::around(text.as_bytes(), hit, max_bytes));
            }
        }
        windows.iter().map(|window| &text[window.span().range()]).collect()
    }

    proptest! {
        #[test]
        fn the_end_of_the_line_is_that_behind_the_last_escape(
            text in "(#{1,30}|[a-z]{1,90}|\n{0,2}){1,12}",
            max_bytes in 16usize..200,
        ) {
            let mut window: Option<Window> = None;
            for (at, _) in text.match_indices('#') {
                let hit = ByteSpan::new(at, at + 1);
                if !window.as_mut().is_some_and(|window| window.take(text.as_bytes(), hit)) {
                    window = Some(Window::around(text.as_bytes(), hit, max_bytes));
                }
                let (last, reach) = (at + 1, (at + 1 + max_bytes / 2).min(text.len()));
                let line_end = text[last..reach].find('\n').map(|end| last + end);
                let line_end = line_end.or((reach == text.len()).then_some(reach));
                prop_assert_eq!(window.unwrap().line_end(), line_end);
            }
        }
    }

    #[test]
    fn a_window_is_the_line_and_the_one_above() {
        assert_eq!(window_of("a\nbb\ncc#c\nd\n", 512), ["bb\ncc#c"]);
        assert_eq!(window_of("#\n", 512), ["#"]);
        assert_eq!(window_of("a\n#", 512), ["a\n#"]);
    }

    #[test]
    fn neighbouring_lines_share_a_window() {
        assert_eq!(window_of("1#\n2\n3#\n4\n5\n6#6#", 512), ["1#\n2\n3#", "5\n6#6#"]);
    }

    #[test]
    fn a_giant_line_is_taken_in_stretches() {
        let gap = "x".repeat(1000);
        let text = format!("{gap}#{gap}#{}#{gap}", "y".repeat(50));
        let windows = window_of(&text, 800);
        assert_eq!(windows.len(), 2);
        assert!(windows[0].len() == 201 && windows[1].len() == 252, "{windows:?}");
        let dense = "#".repeat(10_000);
        let windows = window_of(&dense, 800);
        assert!(windows.iter().all(|window| window.len() <= 800));
        let total: usize = windows.iter().map(|window| window.len()).sum();
        assert!(total < 14_000, "{total}");
    }
}
