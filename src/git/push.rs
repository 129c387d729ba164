//! What a push hands on, as git tells its hooks (githooks(5), pre-push and pre-receive).

use bstr::{BString, ByteSlice};

use super::database::object_id;
use super::inventory::Inventory;
use super::range::{RevisionError, RevisionRange};
use super::refs::Root;
use super::{Fault, Repository};
use crate::location::ObjectId;

/// A ref that a push changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefUpdate {
    /// The full name of the ref, where it is pushed to.
    pub name: BString,
    /// What the ref holds after the push; `None` when it is deleted.
    pub new: Option<ObjectId>,
    /// What the ref holds before the push, if it is there; not every repository has that object.
    pub old: Option<ObjectId>,
}

impl RefUpdate {
    fn root(&self) -> Option<Root> {
        self.new.map(|target| Root::of_ref(self.name.as_bstr(), target))
    }
}

/// A line that git does not write.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of standard input is not what git tells a {hook} hook")]
pub struct MalformedLine {
    /// Line, 1-based.
    pub line: usize,
    /// The hook.
    pub hook: &'static str,
}

/// Reads what git tells pre-push: `<local ref> SP <local object> SP <remote ref> SP <remote object> LF`.
///
/// # Errors
///
/// When a line has another form.
pub fn pre_push_lines(input: &[u8]) -> Result<Vec<RefUpdate>, MalformedLine> {
    lines(input, "pre-push", |words| match words {
        [_, new, name, old] => Some(RefUpdate { name: (*name).into(), new: object(new)?, old: object(old)? }),
        _ => None,
    })
}

/// Reads what git tells pre-receive: `<old object> SP <new object> SP <ref> LF`.
///
/// # Errors
///
/// When a line has another form.
pub fn pre_receive_lines(input: &[u8]) -> Result<Vec<RefUpdate>, MalformedLine> {
    lines(input, "pre-receive", |words| match words {
        [old, new, name] => Some(RefUpdate { name: (*name).into(), new: object(new)?, old: object(old)? }),
        _ => None,
    })
}

fn lines(
    input: &[u8],
    hook: &'static str,
    read: impl Fn(&[&[u8]]) -> Option<RefUpdate>,
) -> Result<Vec<RefUpdate>, MalformedLine> {
    let lines = input.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    lines
        .map(|(content, line)| {
            let words: Vec<&[u8]> = content.split_str(" ").collect();
            read(&words).ok_or(MalformedLine { line, hook })
        })
        .collect()
}

/// The object of a word; `Some(None)` for the name of zeros that stands for none.
fn object(word: &[u8]) -> Option<Option<ObjectId>> {
    let id: ObjectId = word.to_str().ok()?.parse().ok()?;
    Some(if id.as_raw().iter().all(|&byte| byte == 0) { None } else { Some(id) })
}

/// Objects that a push hands on.
#[derive(Clone, Debug, Default)]
pub struct Pushed {
    /// The commits that come with it.
    pub range: RevisionRange,
    /// Objects that are read whether or not a commit of the range brings them.
    pub objects: Vec<ObjectId>,
    /// Refs that lead to them once the push is accepted.
    pub roots: Vec<Root>,
    /// What could not be listed.
    pub faults: Vec<Fault>,
}

/// Why it cannot be told what a push hands on.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// An object is not there.
    #[error(transparent)]
    Revision(#[from] RevisionError),
    /// The refs cannot be listed.
    #[error("cannot list the refs: {message}")]
    Refs {
        /// What libgit2 says.
        message: String,
    },
}

impl Repository {
    /// What the remote does not have yet: everything that the new objects reach, without what the refs that are
    /// pushed to held before and what this repository knows of the other refs of the remote.
    ///
    /// `remote` is the name that git hands to pre-push as its first argument; where that is a URL nothing is known
    /// of its other refs.
    ///
    /// # Errors
    ///
    /// When an object that is pushed is not there.
    pub fn outgoing(&self, updates: &[RefUpdate], remote: &[u8]) -> Result<Pushed, PushError> {
        let tracking = [b"refs/remotes/", remote, b"/"].concat();
        let known = self.ref_targets(|name| !remote.is_empty() && name.starts_with(&tracking))?;
        self.pushed(updates, known)
    }

    /// What a server was sent and has not accepted yet: every object in the quarantine (git-receive-pack(1)), and
    /// what the new objects reach and no ref of the server does, wherever it lies. Objects that git added to
    /// complete a thin pack were there before and are left out.
    ///
    /// # Errors
    ///
    /// When an object that a ref is to hold is not there.
    pub fn incoming(&self, updates: &[RefUpdate]) -> Result<Pushed, PushError> {
        let mut pushed = self.pushed(updates, self.ref_targets(|_| true)?)?;
        let (sent, faults) = Inventory::quarantined(self);
        pushed.objects.extend(sent);
        pushed.faults.extend(faults);
        pushed.roots = updates.iter().filter_map(RefUpdate::root).collect();
        Ok(pushed)
    }

    fn pushed(&self, updates: &[RefUpdate], mut known: Vec<ObjectId>) -> Result<Pushed, PushError> {
        known.extend(updates.iter().filter_map(|update| update.old));
        known.sort_unstable();
        known.dedup();
        let wanted: Vec<ObjectId> = updates.iter().filter_map(|update| update.new).collect();
        let (range, objects) = RevisionRange::between(self, &wanted, &known)?;
        Ok(Pushed { range, objects, ..Pushed::default() })
    }

    /// What the refs point at whose full names are wanted. A symbolic ref is another name of one of them.
    fn ref_targets(&self, is_wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<ObjectId>, PushError> {
        let failed = |error: git2::Error| PushError::Refs { message: error.message().to_owned() };
        let mut targets = Vec::new();
        for reference in self.inner.references().map_err(failed)? {
            let reference = reference.map_err(failed)?;
            let name = BString::from(reference.name_bytes());
            targets.extend(reference.target().filter(|_| is_wanted(&name)).map(object_id));
        }
        Ok(targets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_zeros_stand_for_none() {
        let (zero, one) = ("0".repeat(40), "1".repeat(40));
        let id = |text: &str| text.parse::<ObjectId>().unwrap();
        let text = format!("refs/heads/a {one} refs/heads/b {zero}\n(delete) {zero} refs/heads/c {one}\n\n");
        let expected = [
            RefUpdate { name: "refs/heads/b".into(), new: Some(id(&one)), old: None },
            RefUpdate { name: "refs/heads/c".into(), new: None, old: Some(id(&one)) },
        ];
        assert_eq!(pre_push_lines(text.as_bytes()).unwrap(), expected);
        let text = format!("{zero} {one} refs/heads/b\n");
        assert_eq!(pre_receive_lines(text.as_bytes()).unwrap(), expected[..1]);
        assert_eq!(pre_receive_lines(b"").unwrap(), []);
    }

    #[test]
    fn another_form_is_an_error_that_names_the_line() {
        let one = "1".repeat(40);
        for text in [format!("{one} {one} refs/heads/b"), "x".to_owned(), format!("a {one} b 12")] {
            let error = pre_push_lines(format!("\n{text}\n").as_bytes()).unwrap_err();
            assert_eq!(error.line, 2);
        }
        assert!(pre_receive_lines(format!("a {one} b {one}").as_bytes()).is_err());
    }
}
