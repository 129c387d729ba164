//! Revision arguments as git understands them, and the commits they name (gitrevisions(7)).

use std::collections::{BinaryHeap, HashMap, HashSet};

use super::database::object_id;
use super::{Commit, Damage, ObjectReader, Repository};
use crate::location::ObjectId;

/// What a list of revision arguments names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevisionRange {
    /// Commits named one by one, without what they reach.
    single: Vec<ObjectId>,
    /// Commits from which a walk starts.
    include: Vec<ObjectId>,
    /// Commits that a walk leaves out with everything they reach.
    exclude: Vec<ObjectId>,
    /// Pairs whose common history is left out.
    symmetric: Vec<(ObjectId, ObjectId)>,
    /// Annotated tags on the way to what counts.
    tags: Vec<ObjectId>,
}

/// Why a revision argument names no commits.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    /// Git would not know it either.
    #[error("unknown revision `{spec}`: check the spelling, or fetch it first ({message})")]
    Unknown {
        /// What was asked for.
        spec: String,
        /// What libgit2 says.
        message: String,
    },
    /// It names a tree or a blob.
    #[error("`{spec}` is a {kind}, not a commit")]
    NotACommit {
        /// What was asked for.
        spec: String,
        /// What it is.
        kind: String,
    },
    /// What was there before cannot be read, so what is new cannot be told from it.
    #[error("cannot read {id}, which was there before: try again, or look with `git fsck` ({message})")]
    Known {
        /// The object.
        id: ObjectId,
        /// What libgit2 says.
        message: String,
    },
    /// It has no parent of that number.
    #[error("`{spec}` has no parent {parent}")]
    NoSuchParent {
        /// The commit.
        spec: String,
        /// The number, from 1.
        parent: usize,
    },
}

impl RevisionRange {
    /// Resolves arguments such as `origin/main..HEAD`, `A...B`, `^X`, `X^!`, `X^@`, `X^-`. Plain commits
    /// beside a range or an exclusion are where the walk starts, as in `git log`; otherwise each plain
    /// commit stands for itself alone, as in `git show`.
    ///
    /// # Errors
    ///
    /// When an argument names no commit.
    pub fn resolve(repository: &Repository, specs: &[String]) -> Result<Self, RevisionError> {
        let mut range = Self::default();
        let mut plain = Vec::new();
        let mut is_walk = false;
        for spec in specs {
            is_walk |= range.add(repository, spec, &mut plain)?;
        }
        if is_walk {
            range.include.append(&mut plain);
        }
        range.single = plain;
        Ok(range)
    }

    /// The commits that one of `wanted` reaches and none of `known`, as `git rev-list WANTED --not KNOWN` lists
    /// them, and the blobs to which refs lead without a commit. What is not there of `known` leaves nothing out.
    ///
    /// # Errors
    ///
    /// When an object of `wanted` is not there, or one of `known` is and cannot be read.
    pub fn between(
        repository: &Repository,
        wanted: &[ObjectId],
        known: &[ObjectId],
    ) -> Result<(Self, Vec<ObjectId>), RevisionError> {
        let mut range = Self::default();
        let mut others = Vec::new();
        for id in wanted {
            range.add_wanted(repository, id, &mut others)?;
        }
        for id in known {
            let commit = repository
                .known_commit(id)
                .map_err(|error| RevisionError::Known { id: *id, message: error.message().to_owned() })?;
            range.exclude.extend(commit);
        }
        Ok((range, others))
    }

    fn add_wanted(
        &mut self,
        repository: &Repository,
        id: &ObjectId,
        others: &mut Vec<ObjectId>,
    ) -> Result<(), RevisionError> {
        let failed = |error: git2::Error| RevisionError::unknown(&id.to_string(), &error);
        let mut object = repository.find(id).map_err(failed)?;
        while let Some(tag) = object.as_tag() {
            self.tags.push(object_id(object.id()));
            let target = tag.target().map_err(failed)?;
            object = target;
        }
        if let Some(tree) = object.as_tree() {
            tree.walk(git2::TreeWalkMode::PreOrder, |_, entry| {
                others.extend((entry.kind() == Some(git2::ObjectType::Blob)).then(|| object_id(entry.id())));
                git2::TreeWalkResult::Ok
            })
            .map_err(failed)?;
        } else if object.as_commit().is_some() {
            self.include.push(object_id(object.id()));
        } else {
            others.push(object_id(object.id()));
        }
        Ok(())
    }

    /// Adds one argument; says whether it makes the list a walk.
    fn add(
        &mut self,
        repository: &Repository,
        spec: &str,
        plain: &mut Vec<ObjectId>,
    ) -> Result<bool, RevisionError> {
        let or_head = |side: &str| if side.is_empty() { "HEAD".to_owned() } else { side.to_owned() };
        let nothing = |spec: &str| RevisionError::Unknown {
            spec: spec.to_owned(),
            message: "it names nothing".to_owned(),
        };
        if spec.is_empty() || spec.trim_matches('.').is_empty() {
            return Err(nothing(spec));
        }
        if let Some(excluded) = spec.strip_prefix('^') {
            self.exclude.push(repository.commit(excluded)?);
        } else if let Some((left, right)) = spec.split_once("...") {
            let (left, right) = (or_head(left), or_head(right));
            let pair = (self.positive(repository, &left)?, self.positive(repository, &right)?);
            self.include.extend([pair.0, pair.1]);
            self.symmetric.push(pair);
        } else if let Some((left, right)) = spec.split_once("..") {
            self.exclude.push(repository.commit(&or_head(left))?);
            let included = self.positive(repository, &or_head(right))?;
            self.include.push(included);
        } else if let Some(commit) = spec.strip_suffix("^!") {
            let included = self.positive(repository, commit)?;
            self.include.push(included);
            self.exclude.extend(repository.parents(commit)?);
        } else if let Some(commit) = spec.strip_suffix("^@") {
            plain.extend(repository.parents(commit)?);
            return Ok(false);
        } else if let Some((commit, number)) =
            spec.rsplit_once("^-").filter(|(_, number)| number.bytes().all(|digit| digit.is_ascii_digit()))
        {
            let parent: usize = if number.is_empty() { 1 } else { number.parse().unwrap_or(0) };
            let parents = repository.parents(commit)?;
            let excluded = parent.checked_sub(1).and_then(|index| parents.get(index));
            let excluded =
                excluded.ok_or_else(|| RevisionError::NoSuchParent { spec: commit.to_owned(), parent })?;
            self.exclude.push(*excluded);
            let included = self.positive(repository, commit)?;
            self.include.push(included);
        } else {
            let commit = self.positive(repository, spec)?;
            plain.push(commit);
            return Ok(false);
        }
        Ok(true)
    }

    /// Resolves what counts and remembers the annotated tags on the way.
    fn positive(&mut self, repository: &Repository, spec: &str) -> Result<ObjectId, RevisionError> {
        let mut object = repository.object(spec)?;
        while let Some(tag) = object.as_tag() {
            self.tags.push(object_id(object.id()));
            let target = tag.target().map_err(|error| RevisionError::unknown(spec, &error))?;
            object = target;
        }
        commit_of(spec, &object)
    }

    /// Annotated tags that the arguments name, not those left out.
    pub fn tags(&self) -> &[ObjectId] {
        &self.tags
    }

    /// The commits of the range, newest first. `shallow` are those whose parents were not fetched.
    pub fn commits(
        &self,
        reader: &ObjectReader<'_>,
        shallow: &HashSet<ObjectId>,
        damage: &mut Damage,
    ) -> Vec<ObjectId> {
        const WANTED: u8 = 1;
        const LEFT_OUT: u8 = 2;
        let mut walk = Walk { reader, shallow, damage };
        let mut left_out = self.exclude.clone();
        for (left, right) in &self.symmetric {
            let painted = walk.paint(&[(*left, 1), (*right, 2)], |flags| flags == 3);
            left_out.extend(painted.into_iter().filter(|(_, paint)| paint.flags == 3).map(|(id, _)| id));
        }
        let starts: Vec<(ObjectId, u8)> = self
            .include
            .iter()
            .map(|id| (*id, WANTED))
            .chain(left_out.iter().map(|id| (*id, LEFT_OUT)))
            .collect();
        let painted = walk.paint(&starts, |flags| flags & LEFT_OUT != 0);
        let mut commits: Vec<(i64, ObjectId)> = painted
            .into_iter()
            .filter(|(_, paint)| paint.flags == WANTED)
            .map(|(id, paint)| (paint.seconds, id))
            .collect();
        commits.extend(self.single.iter().map(|id| (walk.seconds(id, "the command line"), *id)));
        commits.sort_unstable_by(|a, b| b.cmp(a));
        commits.dedup();
        commits.into_iter().map(|(_, id)| id).collect()
    }
}

/// How far a walk goes on when it seems to be done. Reading a commit takes some ten microseconds.
const MORE_COMMITS: usize = 200;

struct Paint {
    flags: u8,
    seconds: i64,
    is_waiting: bool,
}

/// Flags on commits, and which commits have yet to hand theirs to their parents.
struct Painting<C> {
    painted: HashMap<ObjectId, Paint>,
    /// Newest first. A commit is there twice when it got more flags after its turn.
    waiting: BinaryHeap<(i64, ObjectId)>,
    waiting_open: usize,
    is_closed: C,
}

impl<C: Fn(u8) -> bool> Painting<C> {
    fn new(is_closed: C) -> Self {
        Self { painted: HashMap::new(), waiting: BinaryHeap::new(), waiting_open: 0, is_closed }
    }

    fn add(&mut self, id: ObjectId, flags: u8, seconds: impl FnOnce() -> i64) {
        let paint = self.painted.entry(id).or_insert_with(|| Paint {
            flags: 0,
            seconds: seconds(),
            is_waiting: false,
        });
        if paint.flags | flags == paint.flags {
            return;
        }
        if paint.is_waiting && !(self.is_closed)(paint.flags) {
            self.waiting_open -= 1;
        }
        paint.flags |= flags;
        if !paint.is_waiting {
            paint.is_waiting = true;
            self.waiting.push((paint.seconds, id));
        }
        if !(self.is_closed)(paint.flags) {
            self.waiting_open += 1;
        }
    }

    fn next(&mut self) -> Option<(i64, ObjectId, u8)> {
        let (seconds, id) = self.waiting.pop()?;
        let paint = self.painted.get_mut(&id)?;
        paint.is_waiting = false;
        if !(self.is_closed)(paint.flags) {
            self.waiting_open -= 1;
        }
        Some((seconds, id, paint.flags))
    }
}

/// Goes from commits to their parents, newest first.
struct Walk<'w, 'r> {
    reader: &'w ObjectReader<'r>,
    shallow: &'w HashSet<ObjectId>,
    damage: &'w mut Damage,
}

impl Walk<'_, '_> {
    /// Hands flags down until every commit that is still waiting is closed. Clocks are skewed at times, so
    /// it goes on while a waiting commit is no older than an open one that was passed, and for some commits
    /// more; git does the same (`still_interesting` in revision.c, with five more).
    fn paint(
        &mut self,
        starts: &[(ObjectId, u8)],
        is_closed: impl Fn(u8) -> bool,
    ) -> HashMap<ObjectId, Paint> {
        let mut painting = Painting::new(is_closed);
        for (id, flags) in starts {
            painting.add(*id, *flags, || self.seconds(id, "the command line"));
        }
        let mut oldest_open = i64::MAX;
        let mut more = MORE_COMMITS;
        while let Some((seconds, id, flags)) = painting.next() {
            let is_open = !(painting.is_closed)(flags);
            if is_open || painting.waiting_open > 0 || seconds >= oldest_open {
                more = MORE_COMMITS;
            } else if more == 0 {
                break;
            } else {
                more -= 1;
            }
            if is_open {
                oldest_open = oldest_open.min(seconds);
            }
            for parent in self.parents(&id) {
                painting.add(parent, flags, || self.seconds(&parent, &format!("commit {id}")));
            }
        }
        painting.painted
    }

    fn parents(&mut self, id: &ObjectId) -> Vec<ObjectId> {
        if self.shallow.contains(id) {
            return Vec::new();
        }
        self.with_commit(id, "the command line", |commit| commit.parents.clone()).unwrap_or_default()
    }

    fn seconds(&mut self, id: &ObjectId, holder: &str) -> i64 {
        self.with_commit(id, holder, |commit| commit.committer_seconds()).unwrap_or(0)
    }

    fn with_commit<T>(&mut self, id: &ObjectId, holder: &str, take: impl Fn(&Commit<'_>) -> T) -> Option<T> {
        match self.reader.read(id) {
            Ok(object) => match Commit::parse(object.bytes()) {
                Ok(commit) => Some(take(&commit)),
                Err(error) => {
                    self.damage.malformed(*id, error);
                    None
                }
            },
            Err(error) => {
                self.damage.unread(*id, holder, &error);
                None
            }
        }
    }
}

impl RevisionError {
    fn unknown(spec: &str, error: &git2::Error) -> Self {
        Self::Unknown { spec: spec.to_owned(), message: error.message().to_owned() }
    }
}

fn commit_of(spec: &str, object: &git2::Object<'_>) -> Result<ObjectId, RevisionError> {
    if object.kind() == Some(git2::ObjectType::Commit) {
        return Ok(object_id(object.id()));
    }
    let kind = object.kind().map_or_else(|| "thing of an unknown kind".to_owned(), |kind| kind.to_string());
    Err(RevisionError::NotACommit { spec: spec.to_owned(), kind })
}

impl Repository {
    fn object(&self, spec: &str) -> Result<git2::Object<'_>, RevisionError> {
        self.inner.revparse_single(spec).map_err(|error| RevisionError::unknown(spec, &error))
    }

    fn find(&self, id: &ObjectId) -> Result<git2::Object<'_>, git2::Error> {
        self.inner.find_object(self.oid(id)?, None)
    }

    /// The commit that an object is or a tag leads to; none where either is not there, or it is something else.
    fn known_commit(&self, id: &ObjectId) -> Result<Option<ObjectId>, git2::Error> {
        use git2::ErrorCode::{InvalidSpec, NotFound, Peel};
        match self.find(id).and_then(|object| object.peel(git2::ObjectType::Commit)) {
            Ok(commit) => Ok(Some(object_id(commit.id()))),
            Err(error) if matches!(error.code(), NotFound | InvalidSpec | Peel) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The commit that a revision names, through tags.
    fn commit(&self, spec: &str) -> Result<ObjectId, RevisionError> {
        let object = self.object(spec)?;
        let peeled = object.peel(git2::ObjectType::Commit).unwrap_or(object);
        commit_of(spec, &peeled)
    }

    fn parents(&self, spec: &str) -> Result<Vec<ObjectId>, RevisionError> {
        let commit =
            self.object(spec)?.peel_to_commit().map_err(|error| RevisionError::unknown(spec, &error))?;
        Ok(commit.parent_ids().map(object_id).collect())
    }
}
