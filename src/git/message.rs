//! What of a commit message file git records.

use bstr::ByteSlice;

use super::Repository;

/// What git takes out of a message that was typed (git-commit(1), `--cleanup`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleanup {
    /// Lines that start so are comments; `None` where comments stay.
    comments: Option<Vec<u8>>,
    /// How a line of scissors starts, from which on nothing counts; `None` where there are none.
    scissors: Option<Vec<u8>>,
}

/// What stands behind the comment character in a line of scissors; git does not translate it.
const SCISSORS: &[u8] = b" ------------------------ >8 ------------------------";

impl Repository {
    /// What git will take out. `has_editor` tells whether somebody edits the message: git says so to its hooks by
    /// `GIT_EDITOR`, which is `:` where nobody does.
    ///
    /// The option `--cleanup` is not told to hooks; what it keeps beyond the configuration is not seen. Where
    /// `core.commentChar` is `auto` only git knows what it chose, and comments count as part of the message.
    pub fn message_cleanup(&self, has_editor: bool) -> Cleanup {
        let config = self.config().ok();
        let text = |key: &str| config.as_ref().and_then(|config| config.get_string(key).ok());
        let comment = text("core.commentString").or_else(|| text("core.commentChar"));
        let comment = comment.filter(|comment| !comment.is_empty()).unwrap_or_else(|| "#".to_owned());
        let strips = match text("commit.cleanup").as_deref() {
            Some("strip") => true,
            Some("verbatim" | "whitespace" | "scissors") => false,
            _ => has_editor,
        };
        let is_known = comment != "auto";
        Cleanup {
            comments: (strips && is_known).then(|| comment.clone().into_bytes()),
            scissors: has_editor.then(|| if is_known { comment.into_bytes() } else { Vec::new() }),
        }
    }
}

impl Cleanup {
    /// The message without what git takes out; every line keeps its number.
    pub fn apply(&self, message: &[u8]) -> Vec<u8> {
        let mut recorded = Vec::with_capacity(message.len());
        for line in message.lines_with_terminator() {
            if self.scissors.as_ref().is_some_and(|prefix| is_scissors(line, prefix)) {
                break;
            }
            match &self.comments {
                Some(comment) if line.starts_with(comment) => recorded.push(b'\n'),
                _ => recorded.extend_from_slice(line),
            }
        }
        recorded
    }
}

/// Whether a line is one of scissors; an empty prefix stands for any character.
fn is_scissors(line: &[u8], prefix: &[u8]) -> bool {
    let Some(start) = line.trim_end_with(|end| end == '\n' || end == '\r').strip_suffix(SCISSORS) else {
        return false;
    };
    if prefix.is_empty() { start.chars().count() == 1 } else { start == prefix }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] =
        b"one\n# two\n; three\n# ------------------------ >8 ------------------------\nfour\n";

    fn cleanup(comments: Option<&str>, scissors: Option<&str>) -> Cleanup {
        let bytes = |text: &str| text.as_bytes().to_vec();
        Cleanup { comments: comments.map(bytes), scissors: scissors.map(bytes) }
    }

    #[test]
    fn comments_and_what_is_cut_off_do_not_count() {
        assert_eq!(cleanup(Some("#"), Some("#")).apply(MESSAGE), b"one\n\n; three\n");
        assert_eq!(cleanup(None, Some("#")).apply(MESSAGE), b"one\n# two\n; three\n");
        assert_eq!(cleanup(None, Some("")).apply(MESSAGE), b"one\n# two\n; three\n");
        assert_eq!(cleanup(None, Some(";")).apply(MESSAGE), MESSAGE);
        assert_eq!(cleanup(None, None).apply(MESSAGE), MESSAGE);
        assert_eq!(cleanup(Some(";"), None).apply(b"; a\nb"), b"\nb");
    }
}
