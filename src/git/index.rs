//! Reads the index file without git2.
//!
//! libgit2 refuses a split index and, in part, a sparse one, and to compare the index with `HEAD` it reads
//! every tree. This reader takes all versions (2 to 4), both of those layouts, and the cached trees, which
//! say which directories equal a tree and need no look. The format is git's `gitformat-index`.
//!
//! The trailing checksum is not verified, as git itself does not when it commits from the file (and it is
//! all zeros under `index.skipHash`); every length and offset is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bstr::{BStr, ByteSlice};

use crate::location::ObjectId;

/// The entries of an index file, in its order: by path, then by stage.
#[derive(Debug, Default)]
pub struct Index {
    names: Vec<u8>,
    entries: Vec<Entry>,
    pub(super) cached_trees: Option<CachedTrees>,
}

/// One entry of the index.
#[derive(Clone, Copy, Debug)]
pub struct IndexEntry<'a> {
    /// Path from the root of the working tree; ends with `/` for a collapsed directory.
    pub path: &'a BStr,
    /// Name of the blob, of the commit of a submodule, or of the tree of a collapsed directory.
    pub id: ObjectId,
    /// What the entry is.
    pub kind: EntryKind,
    /// 0, or 1 to 3 for the sides of a conflict.
    pub stage: u8,
    /// Whether `git add --intent-to-add` made the entry, so that it has no content yet.
    pub intent_to_add: bool,
    /// Whether a sparse checkout keeps the entry out of the working tree (`skip-worktree`).
    pub left_out: bool,
}

/// What an entry of the index or of a tree is, from the type bits of its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file, executable or not.
    File,
    /// A symbolic link; the blob holds its target.
    Symlink,
    /// A commit of another repository.
    Submodule,
    /// A directory: a tree, or a directory outside the cone of a sparse index.
    Directory,
}

impl EntryKind {
    /// Decodes the type bits; `None` for bits that git does not use.
    pub fn from_mode(mode: u32) -> Option<Self> {
        match mode & 0o170_000 {
            0o100_000 => Some(EntryKind::File),
            0o120_000 => Some(EntryKind::Symlink),
            0o160_000 => Some(EntryKind::Submodule),
            0o040_000 => Some(EntryKind::Directory),
            _ => None,
        }
    }
}

/// Why an index file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The file cannot be read.
    #[error("cannot read the index {}: {source}", path.display())]
    Unreadable {
        /// The index file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Nobody can tell whether there is one.
    #[error("cannot look for the repository of {}: {source}", path.display())]
    Hidden {
        /// The directory whose repository is looked for.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The configuration of the repository cannot be read, which says how long the names of objects are.
    #[error("cannot read the git configuration {}: {source}", path.display())]
    Config {
        /// The configuration file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file is not in the documented format.
    #[error("the index {} is damaged: {what}; `git reset` writes it anew", path.display())]
    Malformed {
        /// The index file.
        path: PathBuf,
        /// What does not fit.
        what: &'static str,
    },
    /// The file needs an extension that this reader does not know.
    #[error("the index {} uses the extension `{extension}`, which stanch cannot read", path.display())]
    UnknownExtension {
        /// The index file.
        path: PathBuf,
        /// Its four letters.
        extension: String,
    },
}

impl Index {
    /// Reads an index file; one that does not exist is empty, as it is to git. Object names are
    /// `id_bytes` long: 20, or 32 in a SHA-256 repository.
    ///
    /// The base of a split index is looked for in `git_dir`.
    ///
    /// # Errors
    ///
    /// When the file or the base of a split index cannot be read or is damaged.
    pub fn read(path: &Path, git_dir: &Path, id_bytes: usize) -> Result<Self, IndexError> {
        let parsed = match read_file(path)? {
            Some(bytes) => parse(&bytes, id_bytes).map_err(|wrong| wrong.at(path))?,
            None => return Ok(Self::default()),
        };
        let Some(link) = parsed.link else { return Ok(parsed.index) };
        let Some(base_id) = link.base else { return Ok(parsed.index) };
        let base_path = git_dir.join(format!("sharedindex.{base_id}"));
        let base_bytes = read_file(&base_path)?.ok_or_else(|| IndexError::Unreadable {
            path: base_path.clone(),
            source: io::ErrorKind::NotFound.into(),
        })?;
        let base = parse(&base_bytes, id_bytes).map_err(|wrong| wrong.at(&base_path))?;
        merge_split(&base.index, &parsed.index, &link).map_err(|wrong| wrong.at(path))
    }

    /// All entries in the order of the file.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = IndexEntry<'_>> {
        (0..self.entries.len()).map(|position| self.entry(position))
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn entry(&self, position: usize) -> IndexEntry<'_> {
        let entry = &self.entries[position];
        IndexEntry {
            path: self.names[entry.name_start..entry.name_end].as_bstr(),
            id: entry.id,
            kind: entry.kind,
            stage: entry.stage,
            intent_to_add: entry.intent_to_add,
            left_out: entry.left_out,
        }
    }

    fn push(&mut self, name: &[u8], entry: Entry) {
        let name_start = self.names.len();
        self.names.extend_from_slice(name);
        self.entries.push(Entry { name_start, name_end: self.names.len(), ..entry });
    }

    /// What every lookup relies on: paths that git would accept, in ascending order.
    fn check_paths(&self) -> Result<(), Wrong> {
        let fits = |entry: IndexEntry<'_>| {
            let path = entry.path.strip_suffix(b"/");
            (path.is_some() == (entry.kind == EntryKind::Directory))
                && path.unwrap_or(entry.path).split(|&byte| byte == b'/').all(|name| !name.is_empty())
        };
        if !self.entries().all(fits) {
            return Err(Wrong::Malformed("a path has an empty part"));
        }
        let key = |position| {
            let entry = self.entry(position);
            (entry.path, entry.stage)
        };
        let sorted = (1..self.len()).all(|position| key(position - 1) < key(position));
        if sorted { Ok(()) } else { Err(Wrong::Malformed("its entries are out of order")) }
    }
}

/// The index of the repository around a directory.
#[derive(Debug)]
pub struct Tracked {
    /// Its entries.
    pub index: Index,
    /// The directory that was asked for, with all links resolved.
    pub root: PathBuf,
    /// Where that is inside the working tree; empty for its top.
    pub path_in_work_dir: PathBuf,
}

/// Finds the repository whose working tree holds `directory` and reads its index; `None` outside of one.
///
/// Opens no repository through git2, so that listing files also works where git2 refuses: with refs in a
/// reftable, or in a directory that belongs to another user.
///
/// # Errors
///
/// When there is an index that cannot be read.
pub fn find_tracked(directory: &Path) -> Result<Option<Tracked>, IndexError> {
    let failed = |source| IndexError::Hidden { path: directory.to_path_buf(), source };
    let root = directory.canonicalize().map_err(failed)?;
    let mut found = None;
    for top in root.ancestors() {
        if let Some(git_dir) = git_dir_of(top).map_err(failed)? {
            found = Some((top, git_dir));
            break;
        }
    }
    let Some((top, git_dir)) = found else { return Ok(None) };
    let path = git_dir.join("index");
    let index = Index::read(&path, &git_dir, id_bytes_of(&git_dir)?)?;
    if index.entries().any(|entry| leads_elsewhere(entry.path)) {
        return Err(IndexError::Malformed { path, what: LEADS_ELSEWHERE });
    }
    let path_in_work_dir = root.strip_prefix(top).unwrap_or(Path::new("")).to_path_buf();
    Ok(Some(Tracked { index, path_in_work_dir, root }))
}

pub(super) const LEADS_ELSEWHERE: &str = "a path leads out of the working tree";

/// Whether a path of an index that is joined to the working tree may lead out of it, be it to another drive or another
/// machine, which a backslash or a colon does on Windows. Git takes no such path into an index.
pub(super) fn leads_elsewhere(path: &BStr) -> bool {
    path.starts_with(b"/")
        || path.split(|&byte| byte == b'/').any(|part| part == b"..")
        || (cfg!(windows) && path.find_byteset(b"\\:").is_some())
}

/// The git directory of a working tree with this top: `.git`, or where a file of that name leads.
fn git_dir_of(top: &Path) -> io::Result<Option<PathBuf>> {
    let dot_git = top.join(".git");
    let git_dir = match fs::read(&dot_git) {
        Ok(link) => match link.strip_prefix(b"gitdir: ") {
            Some(link) => top.join(link.trim_end().to_path_lossy()),
            None => return Ok(None),
        },
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => dot_git,
        // Windows says of a directory that reading it is not permitted.
        Err(_) if cfg!(windows) && dot_git.is_dir() => dot_git,
        Err(error) if is_absence(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    match git_dir.join("HEAD").symlink_metadata() {
        Ok(_) => Ok(Some(git_dir)),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// How long object names are, as the config of the repository says; short without one.
fn id_bytes_of(git_dir: &Path) -> Result<usize, IndexError> {
    let present = |path: &Path| match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if is_absence(&error) => Ok(None),
        Err(source) => Err(IndexError::Config { path: path.to_path_buf(), source }),
    };
    // The git directory of a linked worktree leads to that of the repository.
    let common_dir = match present(&git_dir.join("commondir"))? {
        Some(link) => git_dir.join(link.trim_end().to_path_lossy()),
        None => git_dir.to_path_buf(),
    };
    // libgit2 takes one that it may not read for none.
    let path = common_dir.join("config");
    if present(&path)?.is_none() {
        return Ok(20);
    }
    // Where libgit2 cannot make sense of it names are taken for short: an index with long ones makes no sense then.
    let config = git2::Config::open(&path).and_then(|mut config| config.snapshot());
    match config.and_then(|config| config.get_string("extensions.objectformat")) {
        Ok(format) if format == "sha256" => Ok(32),
        _ => Ok(20),
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// What git remembers of the directories that equal a tree (extension `TREE`).
#[derive(Debug)]
pub(super) struct CachedTrees {
    bytes: Vec<u8>,
    /// In the order of the extension: a directory, then all that is below it. The first is the top.
    nodes: Vec<CachedNode>,
    id_bytes: usize,
}

#[derive(Clone, Copy, Debug)]
struct CachedNode {
    name_start: u32,
    name_end: u32,
    /// Where its object name starts; 0 when something below has changed since the tree was written.
    id_at: u32,
    /// The node behind everything below it.
    end: u32,
}

impl CachedTrees {
    /// The top of the working tree.
    pub(super) const TOP: u32 = 0;

    /// Reads an extension; `None` if it is empty. A tree: name, zero byte, number of entries (-1 when invalid),
    /// space, number of subtrees, line feed, and the object name when valid; then the subtrees.
    pub(super) fn parse(data: &[u8], id_bytes: usize) -> Result<Option<Self>, Wrong> {
        const WRONG: Wrong = Wrong::Malformed("its cached trees do not parse");
        if data.is_empty() {
            return Ok(None);
        }
        u32::try_from(data.len()).map_err(|_| WRONG)?;
        let mut input = Input { bytes: data, at: 0 };
        let mut nodes: Vec<CachedNode> = Vec::new();
        // The directories that still wait for subtrees, so that no depth of nesting exhausts the stack.
        let mut open: Vec<(usize, usize)> = Vec::new();
        loop {
            let name_start = input.at as u32;
            let name_end = name_start + input.until_nul()?.len() as u32;
            let entries = input.until(b' ')?;
            let subtrees = input.until(b'\n')?;
            let subtrees: usize =
                std::str::from_utf8(subtrees).ok().and_then(|digits| digits.parse().ok()).ok_or(WRONG)?;
            let mut id_at = 0;
            if entries.first() != Some(&b'-') {
                id_at = input.at as u32;
                input.take(id_bytes)?;
            }
            open.push((nodes.len(), subtrees));
            nodes.push(CachedNode { name_start, name_end, id_at, end: 0 });
            while let Some(&(complete, 0)) = open.last() {
                open.pop();
                nodes[complete].end = nodes.len() as u32;
                match open.last_mut() {
                    Some((_, missing)) => *missing -= 1,
                    None => return Ok(Some(Self { bytes: data.to_vec(), nodes, id_bytes })),
                }
            }
        }
    }

    /// The tree that a directory equals, if it is known.
    pub(super) fn id(&self, node: u32) -> Option<ObjectId> {
        let at = self.nodes[node as usize].id_at as usize;
        if at == 0 { None } else { ObjectId::from_raw(&self.bytes[at..at + self.id_bytes]) }
    }

    /// The name of a directory.
    pub(super) fn name(&self, node: u32) -> &[u8] {
        let CachedNode { name_start, name_end, .. } = self.nodes[node as usize];
        &self.bytes[name_start as usize..name_end as usize]
    }

    /// The directories right below one.
    pub(super) fn children(&self, node: u32) -> impl Iterator<Item = u32> {
        let end = self.nodes[node as usize].end;
        let exists = move |child: u32| (child < end).then_some(child);
        std::iter::successors(exists(node + 1), move |&child| exists(self.nodes[child as usize].end))
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    name_start: usize,
    name_end: usize,
    id: ObjectId,
    kind: EntryKind,
    stage: u8,
    intent_to_add: bool,
    left_out: bool,
}

/// The extension `link` of a split index: the changes against a shared base.
pub(super) struct Link {
    base: Option<ObjectId>,
    deleted: Vec<u64>,
    replaced: Vec<u64>,
}

pub(super) struct Parsed {
    pub(super) index: Index,
    pub(super) link: Option<Link>,
}

pub(super) enum Wrong {
    Malformed(&'static str),
    UnknownExtension(String),
}

impl Wrong {
    fn at(self, path: &Path) -> IndexError {
        let path = path.to_path_buf();
        match self {
            Wrong::Malformed(what) => IndexError::Malformed { path, what },
            Wrong::UnknownExtension(extension) => IndexError::UnknownExtension { path, extension },
        }
    }
}

fn read_file(path: &Path) -> Result<Option<Vec<u8>>, IndexError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(IndexError::Unreadable { path: path.to_path_buf(), source }),
    }
}

/// Bytes of the stat data before the object name: two times, device, inode; mode; user, group, size.
pub(super) const MODE_OFFSET: usize = 24;
pub(super) const STAT_BYTES: usize = 40;

/// More entries than any known repository has.
const MAX_SPLIT_ENTRIES: u64 = 1 << 24;

pub(super) const FLAG_EXTENDED: u16 = 0x4000;
pub(super) const FLAG_NAME_LENGTH: u16 = 0x0FFF;
pub(super) const EXTENDED_INTENT_TO_ADD: u16 = 0x2000;
pub(super) const EXTENDED_SKIP_WORKTREE: u16 = 0x4000;

pub(super) fn parse(bytes: &[u8], id_bytes: usize) -> Result<Parsed, Wrong> {
    let Some(content_len) = bytes.len().checked_sub(id_bytes) else {
        return Err(Wrong::Malformed("it is too short"));
    };
    let mut input = Input { bytes: &bytes[..content_len], at: 0 };
    if input.take(4)? != b"DIRC" {
        return Err(Wrong::Malformed("it does not start with `DIRC`"));
    }
    let version = input.u32()?;
    if !(2..=4).contains(&version) {
        return Err(Wrong::Malformed("its version is none of 2, 3 and 4"));
    }
    let count = input.u32()? as usize;
    let mut index = Index::default();
    // A crafted count must not reserve more than the file can hold.
    index.entries.reserve(count.min(content_len / (STAT_BYTES + id_bytes)));
    let mut previous: Vec<u8> = Vec::new();
    for _ in 0..count {
        let start = input.at;
        let stat = input.take(STAT_BYTES)?;
        let mode = u32_at(stat, MODE_OFFSET);
        let id = input.id(id_bytes)?;
        let flags = input.u16()?;
        let extended = if flags & FLAG_EXTENDED != 0 { input.u16()? } else { 0 };
        let kind = EntryKind::from_mode(mode).ok_or(Wrong::Malformed("an entry has an unknown mode"))?;
        let entry = Entry {
            name_start: 0,
            name_end: 0,
            id,
            kind,
            stage: (flags >> 12 & 3) as u8,
            intent_to_add: extended & EXTENDED_INTENT_TO_ADD != 0,
            left_out: extended & EXTENDED_SKIP_WORKTREE != 0,
        };
        if version == 4 {
            let strip = input.offset_number()?;
            let kept =
                previous.len().checked_sub(strip).ok_or(Wrong::Malformed("a path is cut too short"))?;
            previous.truncate(kept);
            previous.extend_from_slice(input.until_nul()?);
            index.push(&previous, entry);
        } else {
            let length = usize::from(flags & FLAG_NAME_LENGTH);
            // A longer path does not fit the field and ends at its zero byte.
            let name = if length < usize::from(FLAG_NAME_LENGTH) {
                input.take(length)?
            } else {
                let rest = &input.bytes[input.at..];
                let end = memchr::memchr(0, rest).ok_or(Wrong::Malformed("a path has no end"))?;
                input.take(end)?
            };
            // One to eight zero bytes follow, so that the length of an entry is a multiple of eight.
            let padding = 8 - (input.at - start) % 8;
            index.push(name, entry);
            input.take(padding)?;
        }
    }

    let mut link = None;
    while input.at < content_len {
        let signature: [u8; 4] = input.take(4)?.try_into().expect("four bytes were taken");
        let length = input.u32()? as usize;
        let data = input.take(length)?;
        match &signature {
            b"TREE" => index.cached_trees = CachedTrees::parse(data, id_bytes)?,
            b"link" => link = Some(parse_link(data, id_bytes)?),
            // The mark of a sparse index; the collapsed directories are entries like others.
            b"sdir" => {}
            // Capital letters mean that a reader may pass over it.
            [b'A'..=b'Z', ..] => {}
            other => return Err(Wrong::UnknownExtension(other.escape_ascii().to_string())),
        }
    }
    // Entries of a split index that replace others have no name of their own.
    if link.is_none() {
        index.check_paths()?;
    }
    Ok(Parsed { index, link })
}

fn parse_link(data: &[u8], id_bytes: usize) -> Result<Link, Wrong> {
    let mut input = Input { bytes: data, at: 0 };
    let base = input.id(id_bytes)?;
    let base = base.as_raw().iter().any(|&byte| byte != 0).then_some(base);
    if input.at == data.len() {
        return Ok(Link { base, deleted: Vec::new(), replaced: Vec::new() });
    }
    let deleted = parse_bitmap(&mut input)?;
    let replaced = parse_bitmap(&mut input)?;
    Ok(Link { base, deleted, replaced })
}

/// A compressed bitmap (EWAH) as git writes it: bits, words, the words, the position of the last marker. A
/// marker word holds the value of a run (1 bit), its length in words (32) and the number of literal words
/// behind it (31).
fn parse_bitmap(input: &mut Input<'_>) -> Result<Vec<u64>, Wrong> {
    const WRONG: Wrong = Wrong::Malformed("a bitmap of the split index does not parse");
    let bits = u64::from(input.u32()?);
    // Runs compress well: without a bound a few crafted bytes would fill the memory.
    if bits > MAX_SPLIT_ENTRIES {
        return Err(WRONG);
    }
    let mut words_left = input.u32()?;
    let mut set = Vec::new();
    let mut bit = 0;
    while words_left > 0 {
        let marker = input.u64()?;
        words_left -= 1;
        let run_bits = (marker >> 1 & 0xFFFF_FFFF) * 64;
        if bit + run_bits > bits + 64 {
            return Err(WRONG);
        }
        if marker & 1 == 1 {
            set.extend(bit..(bit + run_bits).min(bits));
        }
        bit += run_bits;
        for _ in 0..marker >> 33 {
            let word = input.u64()?;
            words_left = words_left.checked_sub(1).ok_or(WRONG)?;
            set.extend((0..64).filter(|place| word >> place & 1 == 1).map(|place| bit + place));
            bit += 64;
        }
    }
    input.u32()?;
    Ok(set)
}

/// Applies the changes of a split index to its base.
fn merge_split(base: &Index, changes: &Index, link: &Link) -> Result<Index, Wrong> {
    const WRONG: Wrong = Wrong::Malformed("the split index does not fit its base");
    let mut kept: Vec<Option<Entry>> = base.entries.iter().copied().map(Some).collect();
    let place =
        |position: u64| usize::try_from(position).ok().filter(|&place| place < base.len()).ok_or(WRONG);
    let mut replacing = 0;
    for &position in &link.replaced {
        let place = place(position)?;
        let change = changes.entries.get(replacing).ok_or(WRONG)?;
        if change.name_start != change.name_end {
            return Err(WRONG);
        }
        let Entry { name_start, name_end, .. } = base.entries[place];
        kept[place] = Some(Entry { name_start, name_end, ..*change });
        replacing += 1;
    }
    for &position in &link.deleted {
        kept[place(position)?] = None;
    }
    let mut all: Vec<(&[u8], Entry)> = kept
        .into_iter()
        .flatten()
        .map(|entry| (&base.names[entry.name_start..entry.name_end], entry))
        .chain(
            changes.entries[replacing..]
                .iter()
                .map(|&entry| (&changes.names[entry.name_start..entry.name_end], entry)),
        )
        .collect();
    all.sort_by_key(|&(name, entry)| (name, entry.stage));
    let mut merged = Index::default();
    for (name, entry) in all {
        merged.push(name, entry);
    }
    merged.check_paths()?;
    Ok(merged)
}

/// The rest of a piece of the file; every read is checked against its end.
struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Wrong> {
        let end = self.at.checked_add(length).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or(Wrong::Malformed("it ends too early"))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn u16(&mut self) -> Result<u16, Wrong> {
        Ok(u16::from_be_bytes(self.take(2)?.try_into().expect("two bytes were taken")))
    }

    fn u32(&mut self) -> Result<u32, Wrong> {
        Ok(u32_at(self.take(4)?, 0))
    }

    fn u64(&mut self) -> Result<u64, Wrong> {
        Ok(u64::from_be_bytes(self.take(8)?.try_into().expect("eight bytes were taken")))
    }

    fn id(&mut self, id_bytes: usize) -> Result<ObjectId, Wrong> {
        ObjectId::from_raw(self.take(id_bytes)?).ok_or(Wrong::Malformed("an object name has an odd length"))
    }

    fn until(&mut self, end: u8) -> Result<&'a [u8], Wrong> {
        let length = memchr::memchr(end, &self.bytes[self.at..]);
        let found = self.take(length.ok_or(Wrong::Malformed("it ends too early"))?)?;
        self.at += 1;
        Ok(found)
    }

    fn until_nul(&mut self) -> Result<&'a [u8], Wrong> {
        self.until(0)
    }

    /// The variable-length number of pack offsets (`gitformat-pack`, "offset encoding").
    fn offset_number(&mut self) -> Result<usize, Wrong> {
        let number = offset_number(&self.bytes[self.at..])?;
        let (value, length) = number.ok_or(Wrong::Malformed("it ends too early"))?;
        self.at += length;
        Ok(value)
    }
}

/// The number at the start of the bytes, and its length; `None` if they end inside it.
pub(super) fn offset_number(bytes: &[u8]) -> Result<Option<(usize, usize)>, Wrong> {
    let mut value = 0usize;
    for (at, &byte) in bytes.iter().enumerate() {
        value |= usize::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            return Ok(Some((value, at + 1)));
        }
        let next = value.checked_add(1).and_then(|value| value.checked_mul(128));
        value = next.ok_or(Wrong::Malformed("a number is too large"))?;
    }
    Ok(None)
}

/// The flags of an entry, those of its extension, and where its name starts. Two more bytes than the flags have
/// must be there.
pub(super) fn flags(bytes: &[u8], at: usize) -> (u16, u16, usize) {
    let number = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let basic = number(at);
    match basic & FLAG_EXTENDED {
        0 => (basic, 0, at + 2),
        _ => (basic, number(at + 2), at + 4),
    }
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("the slice has four bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry_v2(path: &str, mode: u32, stage: u16) -> Vec<u8> {
        let mut bytes = vec![0; 24];
        bytes.extend(mode.to_be_bytes());
        bytes.extend([0; 12]);
        bytes.extend([0xAB; 20]);
        bytes.extend((stage << 12 | path.len() as u16).to_be_bytes());
        bytes.extend(path.as_bytes());
        bytes.extend(vec![0; 8 - bytes.len() % 8]);
        bytes
    }

    fn file_v2(entries: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = b"DIRC\0\0\0\x02".to_vec();
        bytes.extend((entries.len() as u32).to_be_bytes());
        bytes.extend(entries.concat());
        bytes.extend([0; 20]);
        bytes
    }

    fn what(bytes: &[u8]) -> String {
        match parse(bytes, 20) {
            Ok(_) => "fine".to_owned(),
            Err(Wrong::Malformed(what)) => what.to_owned(),
            Err(Wrong::UnknownExtension(name)) => name,
        }
    }

    #[test]
    fn entries_are_read_with_kind_and_stage() {
        let bytes = file_v2(&[entry_v2("a", 0o100_755, 0), entry_v2("dir/b", 0o120_000, 2)]);
        let index = parse(&bytes, 20).ok().unwrap().index;
        let seen: Vec<_> =
            index.entries().map(|entry| (entry.path.to_string(), entry.kind, entry.stage)).collect();
        assert_eq!(seen, [("a".into(), EntryKind::File, 0), ("dir/b".into(), EntryKind::Symlink, 2)]);
    }

    #[test]
    fn damage_is_named() {
        let good = file_v2(&[entry_v2("a", 0o100_644, 0)]);
        assert_eq!(what(&good), "fine");
        assert_eq!(what(b"DIRC"), "it is too short");
        assert_eq!(what(&good[..good.len() - 30]), "it ends too early");
        assert_eq!(what(&file_v2(&[entry_v2("a", 0o777, 0)])), "an entry has an unknown mode");
        let twice = file_v2(&[entry_v2("b", 0o100_644, 0), entry_v2("a", 0o100_644, 0)]);
        assert_eq!(what(&twice), "its entries are out of order");
        let mut extended = file_v2(&[]);
        extended.splice(12..12, *b"newx\0\0\0\0");
        assert_eq!(what(&extended), "newx");
    }

    #[test]
    fn paths_with_empty_parts_are_refused() {
        for (path, mode) in [
            ("", 0o100_644),
            ("/a", 0o100_644),
            ("a//b", 0o100_644),
            ("a/", 0o100_644),
            ("a", 0o040_000),
            ("/", 0o040_000),
        ] {
            assert_eq!(what(&file_v2(&[entry_v2(path, mode, 0)])), "a path has an empty part", "{path:?}");
        }
        assert_eq!(what(&file_v2(&[entry_v2("a/b/", 0o040_000, 0)])), "fine");
    }

    #[test]
    fn paths_that_lead_elsewhere_are_told() {
        for path in ["..", "../a", "a/../../b", "a/..", "/a"] {
            assert!(leads_elsewhere(path.into()), "{path}");
        }
        for path in ["...", "a/..b/c", ".a", "a"] {
            assert!(!leads_elsewhere(path.into()), "{path}");
        }
        for path in [r"C:\a", "C:a", r"\\host\share\a", r"a\..\..\b"] {
            assert_eq!(leads_elsewhere(path.into()), cfg!(windows), "{path}");
        }
    }

    #[test]
    fn a_bitmap_unpacks_runs_and_literals() {
        let mut bytes = Vec::new();
        bytes.extend(130u32.to_be_bytes());
        bytes.extend(3u32.to_be_bytes());
        // A run of one word of ones, then two literal words.
        bytes.extend((1u64 | 1 << 1 | 2 << 33).to_be_bytes());
        bytes.extend(0b101u64.to_be_bytes());
        bytes.extend(0b10u64.to_be_bytes());
        bytes.extend(0u32.to_be_bytes());
        let set = parse_bitmap(&mut Input { bytes: &bytes, at: 0 }).ok().unwrap();
        let expected: Vec<u64> = (0..64).chain([64, 66, 129]).collect();
        assert_eq!(set, expected);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(
            flips in proptest::collection::vec((0usize..200, any::<u8>()), 0..6),
            cut in 0usize..200,
        ) {
            let mut bytes = file_v2(&[entry_v2("a", 0o100_644, 0), entry_v2("b/c", 0o100_644, 0)]);
            let mut tail = b"TREE\0\0\0\x1f\0-1 1\nb\x001 0\n".to_vec();
            tail.extend([0xCD; 20]);
            let at = bytes.len() - 20;
            bytes.splice(at..at, tail);
            for (at, byte) in flips {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            bytes.truncate(bytes.len() - cut.min(bytes.len()));
            let _ = parse(&bytes, 20);
        }
    }
}
