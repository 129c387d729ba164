//! Baselines: findings that are known and accepted, so that only new ones fail.
//!
//! An entry names a secret by its [`Fingerprint`] and its rule, nothing else: it holds on every line, in every file
//! and in every version of it, through rebases, squashes and renames, and never speaks of another secret on the same
//! line. A file that is a secret by its name is known by its path.
//!
//! ```text
//! # stanch baseline 1
//! # 0
//! 0b1f:…:77a2 acme-key author="Ada <ada@example.org>" reason="revoked on Monday"
//! # 1
//! 1c00:…:0d3e jwt from=history expires=2027-01-31 reason="sandbox, closed in January"
//! ```
//!
//! One entry a line, sorted, no time of writing: branches that accept different findings merge. Git merges what is
//! added at different places, so the lines `# 0` to `# f` stand between entries by their first digit, also where there
//! are none yet. Whatever stands behind another `#` is a comment and stays with the entry below it. The colons keep a
//! fingerprint from looking like a key of whoever the rule names.
//!
//! Where two lines name the same secret, as the union of two branches may, the one that ends first counts.

pub mod import;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::civil::Date;

use crate::fingerprint::Fingerprint;

/// The name of the file where none is given, at the root of the repository.
pub const FILE_NAME: &str = ".stanch-baseline";

/// Version of the form of the file.
pub const VERSION: u32 = 1;

const HEAD: &str = "# stanch baseline ";

/// Behind the first line of a new file.
const EXPLANATION: [&str; 3] = [
    "# Findings that are known and accepted, one a line: fingerprint and rule, then who accepted it and why.",
    "# No secret can be read from it. Reasons may be edited; `expires=2030-12-31` ends an entry after that day.",
    "# The lines `# 0` to `# f` keep apart what different branches add, so that git merges it.",
];

/// What an entry speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The secret, stretched together with the id of the rule.
    pub fingerprint: Fingerprint,
    /// Id of the rule.
    pub rule: String,
}

/// Where what is accepted was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FoundIn {
    /// In files as they are now, or in the index.
    #[default]
    Files,
    /// In the history: a scan of the files need not meet it.
    History,
}

/// Who accepted a finding, why, and until when.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The last day on which it is accepted.
    pub expires: Option<Date>,
    /// Where it was found.
    pub found_in: FoundIn,
    /// Who accepted it.
    pub author: Option<String>,
    /// Why; never empty.
    pub reason: String,
    /// Comment lines above it, with their `#`.
    pub comments: Vec<String>,
    /// The line of the file it was read from, from 1; 0 for a new one.
    pub line: usize,
}

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: BTreeMap<Key, Entry>,
    /// Comment lines behind the last entry.
    trailer: Vec<String>,
}

/// Why a baseline cannot be used or written.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The file cannot be read.
    #[error("cannot read the baseline {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is read but is no baseline.
    #[error("{}:{line}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong and what to do; quotes nothing of the line, which may hold a secret.
        message: String,
    },
    /// A file is there already.
    #[error("{} is there already; `stanch baseline update` adds to it", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written; it holds what it held before.
    #[error("cannot write the baseline {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Baseline {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is of a later version, holds the marks of a conflict or a line that is no entry.
    pub fn load(path: &Path) -> Result<Self, BaselineError> {
        let bytes =
            std::fs::read(path).map_err(|source| BaselineError::Read { path: path.to_path_buf(), source })?;
        Self::parse(&bytes, path)
    }

    /// Reads the bytes of a file; `path` is named in errors.
    ///
    /// # Errors
    ///
    /// As [`Baseline::load`], for what was read.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Self, BaselineError> {
        let invalid =
            |line: usize, message: String| BaselineError::Invalid { path: path.to_path_buf(), line, message };
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count() + 1;
            invalid(line, "not UTF-8; a baseline is plain text".to_owned())
        })?;
        let mut baseline = Self::default();
        let mut comments: Vec<String> = Vec::new();
        let mut has_head = false;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim_end();
            if is_conflict_mark(line) {
                return Err(invalid(
                    number,
                    "the mark of a merge conflict; keep the entries of both sides and remove the marks"
                        .to_owned(),
                ));
            }
            if !has_head {
                check_head(line).map_err(|message| invalid(number, message))?;
                has_head = true;
            } else if line.starts_with('#') {
                if !is_our_comment(line) {
                    comments.push(line.to_owned());
                }
            } else if !line.is_empty() {
                let (key, mut entry) = parse_entry(line).map_err(|message| invalid(number, message))?;
                entry.line = number;
                entry.comments = std::mem::take(&mut comments);
                baseline.add(key, entry);
            }
        }
        if !has_head {
            return Err(invalid(1, no_head()));
        }
        baseline.trailer = comments;
        Ok(baseline)
    }

    /// Adds an entry. Where there is one for the same finding, the one that ends first stays.
    pub fn add(&mut self, key: Key, entry: Entry) {
        let rank = |entry: &Entry| (entry.expires.is_none(), entry.expires, entry.reason.clone(), entry.line);
        match self.entries.get(&key) {
            Some(known) if rank(known) <= rank(&entry) => {}
            _ => drop(self.entries.insert(key, entry)),
        }
    }

    /// The entry of a finding.
    pub fn get(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// The entry of a finding, to change it.
    pub fn get_mut(&mut self, key: &Key) -> Option<&mut Entry> {
        self.entries.get_mut(key)
    }

    /// All entries, sorted.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&Key, &Entry)> {
        self.entries.iter()
    }

    /// Keeps the entries that `keep` says yes to.
    pub fn retain(&mut self, mut keep: impl FnMut(&Key, &Entry) -> bool) {
        self.entries.retain(|key, entry| keep(key, entry));
    }

    /// Writes a new file.
    ///
    /// # Errors
    ///
    /// When there is a file already, or it cannot be written.
    pub fn create(&self, path: &Path) -> Result<(), BaselineError> {
        if path.symlink_metadata().is_ok() {
            return Err(BaselineError::Exists { path: path.to_path_buf() });
        }
        let write = || {
            let file = self.draft(path)?;
            // Whoever comes second must not win.
            file.persist_noclobber(path).map(drop).map_err(|error| error.error)
        };
        write().map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => BaselineError::Exists { path: path.to_path_buf() },
            _ => BaselineError::Write { path: path.to_path_buf(), source },
        })
    }

    /// Replaces a file, whole or not at all. A link stays a link.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn replace(&self, path: &Path) -> Result<(), BaselineError> {
        let write = || {
            let path = path.canonicalize()?;
            self.draft(&path)?.persist(&path).map(drop).map_err(|error| error.error)
        };
        write().map_err(|source| BaselineError::Write { path: path.to_path_buf(), source })
    }

    /// The file under another name, beside its place.
    fn draft(&self, path: &Path) -> io::Result<tempfile::NamedTempFile> {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".stanch-baseline-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As any new file, and the umask takes its part; temporary files are private otherwise.
            let old = path.metadata().map_or(0o666, |found| found.permissions().mode() & 0o777);
            builder.permissions(std::fs::Permissions::from_mode(old));
        }
        let mut file = builder.tempfile_in(dir)?;
        file.write_all(self.to_string().as_bytes())?;
        file.as_file().sync_all()?;
        Ok(file)
    }
}

/// The file.
impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}{VERSION}")?;
        EXPLANATION.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        let mut entries = self.entries.iter().peekable();
        for digit in 0..16u8 {
            writeln!(f, "# {digit:x}")?;
            while let Some((key, entry)) =
                entries.next_if(|(key, _)| key.fingerprint.as_bytes()[0] >> 4 == digit)
            {
                entry.comments.iter().try_for_each(|line| writeln!(f, "{line}"))?;
                writeln!(f, "{}", Line(key, entry))?;
            }
        }
        self.trailer.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// One entry as a line.
struct Line<'e>(&'e Key, &'e Entry);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(key, entry) = self;
        for (index, pair) in key.fingerprint.as_bytes().chunks(2).enumerate() {
            let colon = if index > 0 { ":" } else { "" };
            write!(f, "{colon}{:02x}{:02x}", pair[0], pair[1])?;
        }
        f.write_char(' ')?;
        match is_bare(&key.rule) {
            true => f.write_str(&key.rule)?,
            false => f.write_str(&quoted(&key.rule))?,
        }
        if entry.found_in == FoundIn::History {
            f.write_str(" from=history")?;
        }
        if let Some(day) = entry.expires {
            write!(f, " expires={day}")?;
        }
        if let Some(author) = &entry.author {
            write!(f, " author={}", quoted(author))?;
        }
        write!(f, " reason={}", quoted(&entry.reason))
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

fn is_bare(word: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    !word.is_empty() && word.chars().all(is_plain)
}

fn is_conflict_mark(line: &str) -> bool {
    let heads = ["<<<<<<<", ">>>>>>>", "|||||||"];
    line == "=======" || heads.iter().any(|head| line.starts_with(head))
}

/// The lines that [`Baseline`]'s `Display` writes anew.
fn is_our_comment(line: &str) -> bool {
    let digit = line.strip_prefix("# ").filter(|rest| rest.len() == 1);
    digit.is_some_and(|digit| digit.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
        || EXPLANATION.contains(&line)
        // The union of two branches may repeat it.
        || line == format!("{HEAD}{VERSION}")
}

fn check_head(line: &str) -> Result<(), String> {
    let version = line.strip_prefix(HEAD).and_then(|version| version.trim().parse::<u32>().ok());
    match version {
        Some(VERSION) => Ok(()),
        Some(later) if later > VERSION => Err(format!(
            "version {later} of baselines was made by a later stanch; this one knows version {VERSION}: update stanch"
        )),
        _ => Err(no_head()),
    }
}

fn no_head() -> String {
    format!("not a baseline: the first line must be `{HEAD}{VERSION}`; `stanch baseline create` makes one")
}

fn parse_entry(line: &str) -> Result<(Key, Entry), String> {
    let (fingerprint, rest) = line.split_once(' ').unwrap_or((line, ""));
    let fingerprint: Fingerprint = fingerprint
        .replace(':', "")
        .parse()
        .map_err(|_| "an entry starts with a fingerprint of 32 hexadecimal digits".to_owned())?;
    let (rule, mut rest) = word(rest).ok_or("the id of the rule stands behind the fingerprint")?;
    if rule.is_empty() {
        return Err("the id of the rule stands behind the fingerprint".to_owned());
    }
    let (mut expires, mut found_in, mut author, mut reason) = (None, None, None, None);
    while !rest.is_empty() {
        let (name, value) = rest
            .split_once('=')
            .ok_or("behind the rule stand `from=`, `expires=`, `author=` and `reason=`, each with a value")?;
        let twice = |is_twice: bool| match is_twice {
            true => Err(format!("`{name}` stands there twice")),
            false => Ok(()),
        };
        let (value, tail) = word(value).ok_or_else(|| {
            let name = if is_bare(name) { name } else { "a key" };
            format!("the value of `{name}` is a word, or a text in double quotes as in JSON")
        })?;
        rest = tail;
        match name {
            "expires" => {
                twice(expires.is_some())?;
                let day = value.parse::<Date>();
                expires = Some(day.map_err(|_| "`expires` is a day such as 2030-12-31".to_owned())?);
            }
            "from" => {
                twice(found_in.is_some())?;
                found_in = Some(match value.as_str() {
                    "files" => FoundIn::Files,
                    "history" => FoundIn::History,
                    _ => return Err("`from` is `files` or `history`".to_owned()),
                });
            }
            "author" => {
                twice(author.is_some())?;
                author = Some(value);
            }
            "reason" => {
                twice(reason.is_some())?;
                reason = Some(value);
            }
            _ => {
                return Err(
                    "behind the rule stand only `from=`, `expires=`, `author=` and `reason=`".to_owned()
                );
            }
        }
    }
    let Some(reason) = reason.filter(|reason| !reason.trim().is_empty()) else {
        return Err("an entry needs a `reason=\"…\"` that says why it is accepted".to_owned());
    };
    let found_in = found_in.unwrap_or_default();
    Ok((Key { fingerprint, rule }, Entry { expires, found_in, author, reason, ..Entry::default() }))
}

/// A bare word or a quoted text, and what follows it behind blanks.
fn word(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let (word, rest) = match text.starts_with('"') {
        true => {
            let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
            let word = values.next()?.ok()?;
            (word, &text[values.byte_offset()..])
        }
        false => {
            let end = text.find(' ').unwrap_or(text.len());
            (text[..end].to_owned(), &text[end..])
        }
    };
    (rest.is_empty() || rest.starts_with(' ')).then(|| (word, rest.trim_start()))
}

/// A baseline in use: what it accepts on a given day, and what it has met.
#[derive(Debug)]
pub struct InForce {
    baseline: Baseline,
    today: Date,
    met: BTreeMap<Key, AtomicBool>,
}

impl InForce {
    /// The library reads no clock, so the caller says what day it is.
    pub fn new(baseline: Baseline, today: Date) -> Self {
        let met = baseline.entries.keys().map(|key| (key.clone(), AtomicBool::new(false))).collect();
        Self { baseline, today, met }
    }

    /// The entry that accepts a finding; notes that the finding is there.
    pub fn accepts(&self, fingerprint: Fingerprint, rule: &str) -> Option<&Entry> {
        let key = Key { fingerprint, rule: rule.to_owned() };
        self.met.get(&key)?.store(true, Ordering::Relaxed);
        self.baseline.get(&key).filter(|entry| !self.is_over(entry))
    }

    /// Whether the last day of the entry has passed.
    pub fn is_over(&self, entry: &Entry) -> bool {
        entry.expires.is_some_and(|last| last < self.today)
    }

    /// What the file says.
    pub fn baseline(&self) -> &Baseline {
        &self.baseline
    }

    /// Entries whose last day has passed.
    pub fn expired(&self) -> impl Iterator<Item = (&Key, &Entry)> {
        self.baseline.entries().filter(|(_, entry)| self.is_over(entry))
    }

    /// Entries that met no finding so far, among those that a scan of that kind would have met.
    pub fn stale(&self, scanned: FoundIn) -> impl Iterator<Item = (&Key, &Entry)> {
        self.baseline.entries().filter(move |(key, entry)| {
            // The history holds the files too, not the other way round.
            let is_looked_at = scanned == FoundIn::History || entry.found_in == FoundIn::Files;
            is_looked_at && !self.met[*key].load(Ordering::Relaxed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Baseline, BaselineError> {
        Baseline::parse(text.as_bytes(), Path::new("b"))
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[track_caller]
    fn fault(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    fn digits(start: &str) -> String {
        format!("{start:0<32}")
    }

    #[test]
    fn what_is_written_by_hand_is_read() {
        let text = format!(
            "# stanch baseline 1\r\n\r\n# of the tests\r\n{} acme-key   reason=\"a \\\"b\\\"\"  author=Ada\r\n{} \"odd id\" expires=2027-01-31 from=history reason=gone\n# end\n",
            digits("f1"),
            digits("0123").replace("0123", "01:23:"),
        );
        let baseline = read(&text).unwrap();
        let entries: Vec<_> = baseline.entries().collect();
        assert_eq!(entries.len(), 2);
        assert_eq!((entries[0].0.rule.as_str(), entries[0].1.line), ("odd id", 5));
        assert_eq!(entries[0].1.expires, Some(day("2027-01-31")));
        assert_eq!(entries[0].1.found_in, FoundIn::History);
        assert_eq!(entries[1].1.reason, "a \"b\"");
        assert_eq!(entries[1].1.author.as_deref(), Some("Ada"));
        assert_eq!(entries[1].1.comments, ["# of the tests"]);
        let printed = baseline.to_string();
        assert!(printed.contains("# of the tests\nf100:0000:") && printed.ends_with("# end\n"), "{printed}");
        assert!(printed.contains("\n# 0\n0123:0000:") && printed.contains("\n# a\n# b\n"), "{printed}");
    }

    #[test]
    fn faults_name_the_line_and_quote_nothing() {
        let one = digits("0a");
        for (text, expected) in [
            (String::new(), "b:1: not a baseline"),
            ("{}".to_owned(), "b:1: not a baseline"),
            ("# stanch baseline 2\n".to_owned(), "b:1: version 2 of baselines was made by a later stanch"),
            ("<<<<<<< HEAD\n".to_owned(), "b:1: the mark of a merge conflict"),
            ("# stanch baseline 1\n<<<<<<< HEAD\n".to_owned(), "b:2: the mark of a merge conflict"),
            ("# stanch baseline 1\n=======\n".to_owned(), "b:2: the mark of a merge conflict"),
            ("# stanch baseline 1\n||||||| base\n".to_owned(), "b:2: the mark of a merge conflict"),
            (
                "# stanch baseline 1\nhunter2 x reason=y\n".to_owned(),
                "b:2: an entry starts with a fingerprint",
            ),
            (format!("# stanch baseline 1\n{one}\n"), "b:2: the id of the rule"),
            (format!("# stanch baseline 1\n{one} hunter2\n"), "b:2: an entry needs a `reason"),
            (format!("# stanch baseline 1\n{one} r reason=\" \"\n"), "b:2: an entry needs a `reason"),
            (format!("# stanch baseline 1\n{one} r reason=\"hunter2\n"), "b:2: the value of `reason`"),
            (format!("# stanch baseline 1\n{one} r reason=\"x\"hunter2\n"), "b:2: the value of `reason`"),
            (format!("# stanch baseline 1\n{one} r reason=x hunter2\n"), "b:2: behind the rule stand"),
            (format!("# stanch baseline 1\n{one} r hunter2=x\n"), "b:2: behind the rule stand only"),
            (format!("# stanch baseline 1\n{one} r reason=x reason=y\n"), "b:2: `reason` stands there twice"),
            (
                format!("# stanch baseline 1\n{one} r reason=x expires=2026-02-30\n"),
                "b:2: `expires` is a day",
            ),
            (format!("# stanch baseline 1\n{one} r reason=x from=hunter2\n"), "b:2: `from` is"),
        ] {
            let fault = fault(&text);
            assert!(fault.starts_with(expected) && !fault.contains("hunter2"), "{fault}");
        }
        let error = Baseline::parse(b"# stanch baseline 1\n\n\xff", Path::new("b")).unwrap_err().to_string();
        assert_eq!(error, "b:3: not UTF-8; a baseline is plain text");
    }

    #[test]
    fn of_two_lines_for_one_finding_the_one_that_ends_first_counts() {
        let one = digits("0a");
        let lines = [
            format!("{one} r reason=a\n"),
            format!("{one} r reason=b expires=2027-01-01\n"),
            format!("{one} r reason=c expires=2026-12-31\n"),
        ];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
            let text = format!("# stanch baseline 1\n{}", order.map(|at| lines[at].as_str()).concat());
            let baseline = read(&text).unwrap();
            let reasons: Vec<_> = baseline.entries().map(|(_, entry)| entry.reason.as_str()).collect();
            assert_eq!(reasons, ["c"], "{order:?}");
        }
    }

    #[test]
    fn an_entry_accepts_up_to_its_last_day_and_is_stale_until_it_is_met() {
        let one = digits("0a");
        let baseline =
            read(&format!("# stanch baseline 1\n{one} r from=history reason=a expires=2027-01-01\n"));
        let baseline = baseline.unwrap();
        let fingerprint: Fingerprint = one.parse().unwrap();
        let force = InForce::new(baseline.clone(), day("2027-01-01"));
        assert_eq!(force.stale(FoundIn::Files).count(), 0, "a scan of the files need not meet it");
        assert_eq!(force.stale(FoundIn::History).count(), 1);
        assert!(force.accepts(fingerprint, "other").is_none());
        assert!(force.accepts(digits("0b").parse().unwrap(), "r").is_none());
        assert_eq!(force.stale(FoundIn::History).count(), 1);
        assert!(force.accepts(fingerprint, "r").is_some());
        assert_eq!((force.stale(FoundIn::History).count(), force.expired().count()), (0, 0));
        let force = InForce::new(baseline, day("2027-01-02"));
        assert!(force.accepts(fingerprint, "r").is_none());
        assert_eq!((force.stale(FoundIn::History).count(), force.expired().count()), (0, 1));
    }

    #[test]
    fn a_file_is_made_once_and_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b");
        let mut baseline = Baseline::default();
        baseline.create(&path).unwrap();
        assert!(matches!(baseline.create(&path), Err(BaselineError::Exists { .. })));
        let key = Key { fingerprint: digits("0a").parse().unwrap(), rule: "r".to_owned() };
        baseline.add(key, Entry { reason: "x".to_owned(), ..Entry::default() });
        baseline.replace(&path).unwrap();
        assert_eq!(Baseline::load(&path).unwrap().entries().len(), 1);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left behind");
        assert!(matches!(baseline.replace(&dir.path().join("none")), Err(BaselineError::Write { .. })));
        assert!(matches!(Baseline::load(dir.path()), Err(BaselineError::Read { .. })));
    }

    fn entry() -> impl Strategy<Value = (Key, Entry)> {
        let text = "[ -~é\\n\"\\\\]{0,12}[!-~]";
        let date = (1..9999i16, 1..13i8, 1..29i8).prop_map(|(y, m, d)| Date::new(y, m, d).unwrap());
        let comments = proptest::collection::vec("#[a-z]{2,5} ?[a-z]{1,3}", 0..2);
        (
            any::<[u8; 16]>(),
            text,
            proptest::option::of(date),
            any::<bool>(),
            proptest::option::of(text),
            text,
            comments,
        )
            .prop_map(|(bytes, rule, expires, is_old, author, reason, comments)| {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                let found_in = if is_old { FoundIn::History } else { FoundIn::Files };
                let entry = Entry { expires, found_in, author, reason, comments, line: 0 };
                (Key { fingerprint: hex.parse().unwrap(), rule }, entry)
            })
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_the_same(entries in proptest::collection::vec(entry(), 0..20)) {
            let mut baseline = Baseline::default();
            entries.into_iter().for_each(|(key, entry)| baseline.add(key, entry));
            let text = baseline.to_string();
            let mut again = read(&text).unwrap();
            prop_assert_eq!(again.to_string(), text.clone());
            again.entries.values_mut().for_each(|entry| entry.line = 0);
            prop_assert_eq!(&again, &baseline);
            // The order of the lines does not matter, so a union of branches reads the same.
            let (head, rest) = text.split_once('\n').unwrap();
            if baseline.entries.values().all(|entry| entry.comments.is_empty()) {
                let reversed: Vec<&str> = rest.lines().rev().collect();
                let mut again = read(&format!("{head}\n{}\n", reversed.join("\n"))).unwrap();
                again.entries.values_mut().for_each(|entry| entry.line = 0);
                prop_assert_eq!(&again, &baseline);
            }
        }

        #[test]
        fn foreign_bytes_do_no_harm(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Baseline::parse(&tail, Path::new("b"));
            let _ = Baseline::parse(&[b"# stanch baseline 1\n", tail.as_slice()].concat(), Path::new("b"));
        }
    }
}
