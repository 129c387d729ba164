//! Allowlists: findings that the configuration accepts, each with a reason.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use bstr::{BStr, BString, ByteSlice};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use jiff::civil::Date;
use regex::bytes::Regex;

use crate::location::ObjectId;
use crate::secret::Secret;

/// What an entry says, as it is written; [`AllowEntry::new`] makes it ready to use.
///
/// Within one list any element suffices; an entry applies when every kind of condition that it names is
/// met: the path, the rule, the secret (`values` and `regexes` together) and the commit.
#[derive(Clone, Default)]
pub struct AllowSpec {
    /// Why the finding is accepted; mandatory.
    pub reason: String,
    /// Lines as in `.gitignore`, relative to the root of what is scanned.
    pub paths: Vec<String>,
    /// Rule ids.
    pub rules: Vec<String>,
    /// Whole secrets.
    pub values: Vec<String>,
    /// Regular expressions; one that matches anywhere in the secret suffices.
    pub regexes: Vec<String>,
    /// Full object names of commits.
    pub commits: Vec<String>,
    /// The last day on which the entry applies.
    pub expires: Option<Date>,
    /// Where the entry is written, such as `.stanch.toml:12`.
    pub written_at: String,
}

/// Why an entry cannot be used. The message never quotes a value or an expression, which may be secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AllowError {
    /// The key that is wrong and, in a list, the place in it (from 0); `None` when the entry as a whole is.
    pub at: Option<(&'static str, usize)>,
    /// What is wrong and what to do.
    pub message: String,
}

/// One accepted kind of finding.
pub struct AllowEntry {
    reason: String,
    written_at: String,
    expires: Option<Date>,
    paths: Option<Gitignore>,
    rules: Vec<String>,
    values: Vec<Secret>,
    regexes: Vec<Regex>,
    commits: Vec<ObjectId>,
    uses: AtomicU64,
}

/// A match, as an allowlist sees it.
#[derive(Clone, Copy, Debug)]
pub struct AllowQuery<'q> {
    /// Id of the rule that matched.
    pub rule_id: &'q str,
    /// Path with `/` separators; `None` while it is not known, and then no entry with `paths` applies.
    pub path: Option<&'q BStr>,
    /// The plain bytes of the secret.
    pub secret: &'q [u8],
    /// The commit that brought it; `None` outside the history, and then no entry with `commits` applies.
    pub commit: Option<&'q ObjectId>,
}

/// All entries of a configuration.
#[derive(Debug, Default)]
pub struct Allowlists {
    entries: Vec<AllowEntry>,
    expired: Vec<AllowEntry>,
    places: Option<PathPlaces>,
}

/// Turns paths as they were typed into paths from the root that the patterns of the entries speak of. All
/// paths here are absolute and have `/` between their parts.
#[derive(Clone, Debug, Default)]
pub struct PathPlaces {
    /// Where typed paths start.
    pub current_dir: BString,
    /// Directories or files and what they are called from the root; the root itself is called by nothing.
    /// The first that holds a path counts.
    pub names: Vec<(BString, BString)>,
}

impl Allowlists {
    /// Takes the entries in the order in which they are tried. Entries that ended before `today` never
    /// apply; the library reads no clock, so the caller says what day it is.
    pub fn new(entries: impl IntoIterator<Item = AllowEntry>, today: Date) -> Self {
        let (expired, entries) =
            entries.into_iter().partition(|entry| entry.expires.is_some_and(|last| last < today));
        Self { entries, expired, places: None }
    }

    /// The same entries for findings whose paths are as typed and not relative to the root.
    #[must_use]
    pub fn for_typed_paths(self, places: PathPlaces) -> Self {
        Self { places: Some(places), ..self }
    }

    /// The first entry that accepts the match; counts its use.
    pub fn check(&self, query: &AllowQuery<'_>) -> Option<&AllowEntry> {
        let path = query.path.map(|path| self.seen_from_root(path));
        let query = AllowQuery { path: path.as_deref(), ..*query };
        let entry = self.entries.iter().find(|entry| entry.applies(&query))?;
        entry.count_use();
        Some(entry)
    }

    /// The first entry that accepts whatever stands in the file, so that it need not be read.
    pub fn excludes_path(&self, path: &BStr) -> Option<&AllowEntry> {
        let path = self.seen_from_root(path);
        let entry =
            self.entries.iter().find(|entry| entry.is_for_whole_files() && entry.matches_path(&path))?;
        entry.count_use();
        Some(entry)
    }

    /// The path as it is called from the root that patterns speak of.
    pub(crate) fn seen_from_root<'p>(&self, path: &'p BStr) -> Cow<'p, BStr> {
        match &self.places {
            None => Cow::Borrowed(path),
            // Outside every place the path keeps its form, and patterns without a slash still match its name.
            Some(places) => places.seen_from_root(path).map_or(Cow::Borrowed(path), Cow::Owned),
        }
    }

    /// Entries that accepted nothing so far.
    pub fn unused(&self) -> impl Iterator<Item = &AllowEntry> {
        self.entries.iter().filter(|entry| entry.uses() == 0)
    }

    /// Every entry, and whether its last day is over.
    pub fn entries(&self) -> impl Iterator<Item = (&AllowEntry, bool)> {
        let in_force = self.entries.iter().map(|entry| (entry, false));
        in_force.chain(self.expired.iter().map(|entry| (entry, true)))
    }

    /// How many entries there are, those included whose last day is over.
    pub fn entry_count(&self) -> usize {
        self.entries.len() + self.expired.len()
    }

    /// Entries whose last day is over.
    pub fn expired(&self) -> &[AllowEntry] {
        &self.expired
    }

    /// Whether there is no entry that could apply.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl PathPlaces {
    fn seen_from_root(&self, path: &BStr) -> Option<BString> {
        let path = self.absolute(path);
        self.names.iter().find_map(|(place, name)| {
            let below = path.strip_prefix(place.as_slice())?;
            match (name.is_empty(), below) {
                (_, []) => Some(name.clone()),
                (true, [b'/', below @ ..]) => Some(below.into()),
                (false, [b'/', ..]) => Some([name.as_slice(), below].concat().into()),
                _ => None,
            }
        })
    }

    /// Joins the path to the current directory and resolves `..` by its looks.
    fn absolute(&self, path: &BStr) -> BString {
        // A drive letter makes a path absolute on Windows.
        let is_absolute = path.starts_with(b"/") || path.get(1) == Some(&b':');
        let whole = match is_absolute {
            true => path.to_vec(),
            false => [self.current_dir.as_slice(), b"/", path].concat(),
        };
        let mut parts: Vec<&[u8]> = Vec::new();
        for part in whole.split(|&byte| byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        let start: &[u8] = if whole.starts_with(b"/") { b"/" } else { b"" };
        [start, &parts.join(&b'/')].concat().into()
    }
}

impl AllowEntry {
    /// Compiles the patterns of an entry.
    ///
    /// # Errors
    ///
    /// When the reason is missing, when there is no condition, and when a path pattern, an expression or a
    /// commit is no such thing or would accept everything.
    pub fn new(spec: AllowSpec) -> Result<Self, AllowError> {
        if spec.reason.trim().is_empty() {
            return Err(AllowError::entry("an [[allow]] entry needs a `reason` that says why it is safe"));
        }
        let conditions = [&spec.paths, &spec.rules, &spec.values, &spec.regexes, &spec.commits];
        if conditions.iter().all(|list| list.is_empty()) {
            return Err(AllowError::entry(
                "an [[allow]] entry without a condition would accept everything; \
                 give paths, rules, values, regexes or commits",
            ));
        }
        Ok(Self {
            paths: compile_paths(&spec.paths)?,
            values: compile_list("values", &spec.values, |value| match value.as_str() {
                "" => Err("an empty value accepts nothing; remove it".to_owned()),
                value => Ok(Secret::new(value.as_bytes())),
            })?,
            regexes: compile_list("regexes", &spec.regexes, |text| compile_regex(text))?,
            commits: compile_list("commits", &spec.commits, |text| {
                text.parse()
                    .map_err(|_| format!("`{text}` is no full object name (40 or 64 hexadecimal digits)"))
            })?,
            reason: spec.reason,
            written_at: spec.written_at,
            expires: spec.expires,
            rules: spec.rules,
            uses: AtomicU64::new(0),
        })
    }

    /// Why the finding is accepted.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Where the entry is written, such as `.stanch.toml:12`.
    pub fn written_at(&self) -> &str {
        &self.written_at
    }

    /// The last day on which the entry applies.
    pub fn expires(&self) -> Option<Date> {
        self.expires
    }

    /// How many matches the entry has accepted.
    pub fn uses(&self) -> u64 {
        self.uses.load(Ordering::Relaxed)
    }

    fn count_use(&self) {
        self.uses.fetch_add(1, Ordering::Relaxed);
    }

    fn applies(&self, query: &AllowQuery<'_>) -> bool {
        let is_empty_or = |is_empty: bool, matches: &dyn Fn() -> bool| is_empty || matches();
        is_empty_or(self.rules.is_empty(), &|| self.rules.iter().any(|rule| rule == query.rule_id))
            && is_empty_or(self.commits.is_empty(), &|| {
                query.commit.is_some_and(|commit| self.commits.contains(commit))
            })
            && is_empty_or(self.values.is_empty() && self.regexes.is_empty(), &|| {
                self.values.iter().any(|value| value.reveal() == query.secret)
                    || self.regexes.iter().any(|regex| regex.is_match(query.secret))
            })
            && is_empty_or(self.paths.is_none(), &|| query.path.is_some_and(|path| self.matches_path(path)))
    }

    fn is_for_whole_files(&self) -> bool {
        self.rules.is_empty() && self.commits.is_empty() && self.values.is_empty() && self.regexes.is_empty()
    }

    fn matches_path(&self, path: &BStr) -> bool {
        let Some(patterns) = &self.paths else { return false };
        let mut path = path.as_bytes();
        while let Some(rest) = path.strip_prefix(b"./").or_else(|| path.strip_prefix(b"/")) {
            path = rest;
        }
        if path.is_empty() {
            return false;
        }
        patterns.matched_path_or_any_parents(path.to_path_lossy(), false).is_ignore()
    }
}

impl AllowError {
    fn entry(message: &str) -> Self {
        Self { at: None, message: message.to_owned() }
    }
}

/// Leaves the patterns out: they may quote secrets.
impl fmt::Debug for AllowEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AllowEntry")
            .field("written_at", &self.written_at)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

fn compile_paths(patterns: &[String]) -> Result<Option<Gitignore>, AllowError> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut builder = GitignoreBuilder::new("");
    for (index, pattern) in patterns.iter().enumerate() {
        let error = |message: String| AllowError { at: Some(("paths", index)), message };
        let text = pattern.trim_end();
        if text.is_empty() || text.starts_with('#') {
            return Err(error(format!(
                "`{pattern}` is empty or a comment in the notation of .gitignore and would match nothing"
            )));
        }
        if ["*", "**", "/", "/*", "/**", "**/*", "**/**"].contains(&text) {
            return Err(error(format!("`{pattern}` would accept every file; name the files that are safe")));
        }
        builder.add_line(None, text).map_err(|cause| error(format!("bad path pattern: {cause}")))?;
    }
    let patterns = builder.build().map_err(|cause| AllowError {
        at: Some(("paths", 0)),
        message: format!("bad path patterns: {cause}"),
    })?;
    Ok(Some(patterns))
}

fn compile_list<T>(
    key: &'static str,
    texts: &[String],
    compile: impl Fn(&String) -> Result<T, String>,
) -> Result<Vec<T>, AllowError> {
    let compile_at =
        |(index, text)| compile(text).map_err(|message| AllowError { at: Some((key, index)), message });
    texts.iter().enumerate().map(compile_at).collect()
}

fn compile_regex(text: &str) -> Result<Regex, String> {
    let regex =
        Regex::new(text).map_err(|error| format!("bad regular expression: {}", regex_fault(&error)))?;
    if regex.is_match(b"") {
        return Err("this regular expression matches the empty text and would accept every secret".to_owned());
    }
    Ok(regex)
}

/// The last line of what the regex crate says; the lines before it quote the expression.
fn regex_fault(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => format!("it needs more than {limit} bytes when compiled"),
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(change: impl FnOnce(&mut AllowSpec)) -> AllowSpec {
        let mut spec = AllowSpec { reason: "made up".to_owned(), ..AllowSpec::default() };
        change(&mut spec);
        spec
    }

    fn lists(change: impl FnOnce(&mut AllowSpec)) -> Allowlists {
        Allowlists::new([AllowEntry::new(spec(change)).unwrap()], day("2026-06-15"))
    }

    fn fault(change: impl FnOnce(&mut AllowSpec)) -> AllowError {
        AllowEntry::new(spec(change)).unwrap_err()
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn query<'q>(rule_id: &'q str, path: &'q str, secret: &'q str) -> AllowQuery<'q> {
        AllowQuery { rule_id, path: Some(path.into()), secret: secret.as_bytes(), commit: None }
    }

    #[test]
    fn each_condition_of_an_entry_counts_alone() {
        let values = lists(|spec| spec.values = vec!["one".to_owned()]);
        assert!(values.check(&query("acme-key", "a", "one")).is_some());
        assert!(values.check(&query("acme-key", "a", "two")).is_none());
        let regexes = lists(|spec| spec.regexes = vec!["^on".to_owned()]);
        assert!(regexes.check(&query("acme-key", "a", "one")).is_some());
        assert!(regexes.check(&query("acme-key", "a", "two")).is_none());
        let path = || vec!["docs/".to_owned()];
        assert!(lists(|spec| spec.paths = path()).excludes_path("docs/a".into()).is_some());
        for narrowed in [
            lists(|spec| (spec.paths, spec.rules) = (path(), vec!["acme-key".to_owned()])),
            lists(|spec| (spec.paths, spec.values) = (path(), vec!["one".to_owned()])),
            lists(|spec| (spec.paths, spec.regexes) = (path(), vec!["one".to_owned()])),
            lists(|spec| (spec.paths, spec.commits) = (path(), vec!["1".repeat(40)])),
        ] {
            assert!(narrowed.excludes_path("docs/a".into()).is_none());
        }
    }

    #[test]
    fn entries_are_counted_and_name_their_reason() {
        let entries = ["2026-06-14", "2026-06-15", "2026-06-16"].map(|last| {
            AllowEntry::new(spec(|spec| {
                (spec.expires, spec.values) = (Some(day(last)), vec!["x".to_owned()])
            }))
            .unwrap()
        });
        let lists = Allowlists::new(entries, day("2026-06-15"));
        assert_eq!((lists.entry_count(), lists.expired().len(), lists.entries().count()), (3, 1, 3));
        assert!(lists.entries().all(|(entry, is_over)| {
            entry.reason() == "made up" && is_over == (entry.expires() == Some(day("2026-06-14")))
        }));
    }

    #[test]
    fn paths_are_read_as_gitignore_reads_them() {
        for (pattern, path, expected) in [
            ("testdata/", "testdata/a/b.txt", true),
            ("testdata/", "src/testdata/b.txt", true),
            ("/testdata/", "src/testdata/b.txt", false),
            ("docs/*.md", "docs/a.md", true),
            ("docs/*.md", "docs/sub/a.md", false),
            ("docs/**/*.md", "docs/sub/a.md", true),
            ("*.snap", "a/b/c.snap", true),
            ("*.snap", "a/b/c.snapshot", false),
            ("docs/*.md", "./docs/a.md", true),
            ("*.md", "/absolute/a.md", true),
        ] {
            let lists = lists(|spec| spec.paths = vec![pattern.to_owned()]);
            assert_eq!(lists.check(&query("r", path, "s")).is_some(), expected, "{pattern} {path}");
            assert_eq!(lists.excludes_path(path.into()).is_some(), expected, "{pattern} {path}");
        }
        let lists = lists(|spec| spec.paths = vec!["docs/".to_owned(), "!docs/real.md".to_owned()]);
        assert!(lists.check(&query("r", "docs/a.md", "s")).is_some());
        assert!(lists.check(&AllowQuery { path: None, ..query("r", "", "s") }).is_none());
    }

    #[test]
    fn typed_paths_are_seen_from_the_root() {
        let places = || PathPlaces {
            current_dir: "/home/me/repo/sub".into(),
            names: vec![("/link".into(), "docs".into()), ("/home/me/repo".into(), "".into())],
        };
        for (path, expected) in [
            ("a.txt", Some("sub/a.txt")),
            ("./deep/../a.txt", Some("sub/a.txt")),
            ("../docs/a.md", Some("docs/a.md")),
            ("/home/me/repo/docs/a.md", Some("docs/a.md")),
            ("/link/a.md", Some("docs/a.md")),
            ("/home/me/repository/a", None),
            ("../../other/a", None),
            ("/elsewhere", None),
        ] {
            assert_eq!(places().seen_from_root(path.into()), expected.map(BString::from), "{path}");
        }
        let lists = lists(|spec| spec.paths = vec!["/docs/*.md".to_owned()]).for_typed_paths(places());
        assert!(lists.check(&query("r", "../docs/a.md", "s")).is_some());
        assert!(lists.check(&query("r", "docs/a.md", "s")).is_none());
    }

    #[test]
    fn every_kind_of_condition_must_be_met() {
        let lists = lists(|spec| {
            spec.paths = vec!["docs/".to_owned()];
            spec.rules = vec!["a-rule".to_owned(), "b-rule".to_owned()];
            spec.values = vec!["one".to_owned()];
            spec.regexes = vec!["^tw[o]$".to_owned()];
        });
        assert!(lists.check(&query("a-rule", "docs/x", "one")).is_some());
        assert!(lists.check(&query("b-rule", "docs/x", "two")).is_some());
        assert!(lists.check(&query("c-rule", "docs/x", "one")).is_none());
        assert!(lists.check(&query("a-rule", "src/x", "one")).is_none());
        assert!(lists.check(&query("a-rule", "docs/x", "ones")).is_none());
        assert!(lists.excludes_path("docs/x".into()).is_none());
    }

    #[test]
    fn commits_are_compared_in_full() {
        let id: ObjectId = "ab".repeat(20).parse().unwrap();
        let other: ObjectId = "cd".repeat(20).parse().unwrap();
        let lists = lists(|spec| spec.commits = vec![id.to_string()]);
        assert!(lists.check(&AllowQuery { commit: Some(&id), ..query("r", "p", "s") }).is_some());
        assert!(lists.check(&AllowQuery { commit: Some(&other), ..query("r", "p", "s") }).is_none());
        assert!(lists.check(&query("r", "p", "s")).is_none());
    }

    #[test]
    fn an_entry_applies_up_to_its_last_day() {
        for (last, applies) in [("2026-06-14", false), ("2026-06-15", true), ("2026-06-16", true)] {
            let lists = lists(|spec| {
                spec.rules = vec!["r".to_owned()];
                spec.expires = Some(day(last));
            });
            assert_eq!(lists.check(&query("r", "p", "s")).is_some(), applies, "{last}");
            assert_eq!(lists.expired().len(), usize::from(!applies), "{last}");
        }
    }

    #[test]
    fn uses_are_counted() {
        let lists = lists(|spec| spec.rules = vec!["r".to_owned()]);
        assert_eq!(lists.unused().count(), 1);
        lists.check(&query("r", "p", "s"));
        lists.check(&query("other", "p", "s"));
        assert_eq!(lists.unused().count(), 0);
        assert_eq!(lists.check(&query("r", "p", "s")).map(AllowEntry::uses), Some(2));
    }

    #[test]
    fn entries_that_accept_everything_or_nothing_are_refused() {
        assert!(fault(|spec| spec.reason = "  ".to_owned()).message.contains("`reason`"));
        assert!(fault(|_| {}).message.contains("without a condition"));
        for pattern in ["", "#docs", "**", "/"] {
            let fault = fault(|spec| spec.paths = vec!["docs/".to_owned(), pattern.to_owned()]);
            assert_eq!(fault.at, Some(("paths", 1)), "{pattern}");
        }
        assert!(fault(|spec| spec.regexes = vec!["a*".to_owned()]).message.contains("empty text"));
        assert!(fault(|spec| spec.values = vec![String::new()]).at.is_some());
        assert!(fault(|spec| spec.commits = vec!["abc123".to_owned()]).message.contains("40 or 64"));
    }

    #[test]
    fn a_bad_expression_is_named_but_not_quoted() {
        let fault = fault(|spec| spec.regexes = vec!["fine".to_owned(), "hunter2(".to_owned()]);
        assert_eq!(fault.at, Some(("regexes", 1)));
        assert_eq!(fault.message, "bad regular expression: unclosed group");
        let entry = AllowEntry::new(spec(|spec| spec.regexes = vec!["hunter2".to_owned()])).unwrap();
        assert!(!format!("{entry:?}").contains("hunter2"));
    }
}
