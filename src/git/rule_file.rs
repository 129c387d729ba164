//! One file of git's ignore rules: its lines, and which of them matches a path last.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use bstr::{BStr, BString, ByteSlice};
use gix_ignore::glob::Pattern;
use gix_ignore::glob::pattern::{Case, Mode as PatternMode};
use gix_ignore::glob::wildmatch::Mode as WildMode;

use super::ignore::{Decision, RuleHome};

/// Git reads no file of ignore rules that is larger (`PATTERN_MAX_FILE_SIZE` in its `dir.c`).
const MAX_FILE_BYTES: u64 = 100 * 1024 * 1024;

/// A file of rules, parsed.
pub(super) struct RuleFile {
    home: RuleHome,
    file: BString,
    rules: Vec<Rule>,
    by_text: Option<ByText>,
}

/// From this many rules on a file is not gone through line by line: so a scan of 90,000 files below 206 rules took 0.56 s
/// of processor time, and 0.40 s with the matcher of another crate.
const MIN_RULES_BY_TEXT: usize = 16;

/// The places of rules that can be looked up by what they match, and of those that cannot.
#[derive(Default)]
struct ByText {
    /// `name`
    names: HashMap<BString, Vec<usize>>,
    /// `*.extension`, without the dot
    extensions: HashMap<BString, Vec<usize>>,
    /// `/path`, `path/with/slash`
    paths: HashMap<BString, Vec<usize>>,
    others: Vec<usize>,
}

impl ByText {
    fn new(rules: &[Rule]) -> Self {
        let mut by_text = Self::default();
        for (place, rule) in rules.iter().enumerate() {
            let Pattern { text, mode, first_wildcard_pos } = &rule.pattern;
            let is_name = mode.contains(PatternMode::NO_SUB_DIR) && !mode.contains(PatternMode::ABSOLUTE);
            let extension = text.strip_prefix(b"*.").filter(|rest| rest.find_byteset(b"*?[\\./").is_none());
            let (places, text) = match (first_wildcard_pos, extension) {
                (None, _) if is_name => (&mut by_text.names, text.as_slice()),
                (None, _) => (&mut by_text.paths, text.as_slice()),
                (Some(_), Some(extension)) if is_name => (&mut by_text.extensions, extension),
                (Some(_), _) => {
                    by_text.others.push(place);
                    continue;
                }
            };
            places.entry(text.into()).or_default().push(place);
        }
        by_text
    }

    /// The places of all rules that may match the path, where case counts.
    fn candidates(&self, path: &BStr) -> [&[usize]; 4] {
        let name = path.rfind_byte(b'/').map_or(path, |slash| path[slash + 1..].as_bstr());
        let extension = name.rfind_byte(b'.').map(|dot| name[dot + 1..].as_bstr());
        [
            self.names.get(name),
            extension.and_then(|extension| self.extensions.get(extension)),
            self.paths.get(path),
            Some(&self.others),
        ]
        .map(|places| places.map(Vec::as_slice).unwrap_or_default())
    }
}

struct Rule {
    pattern: Pattern,
    line: u64,
    text: BString,
}

impl RuleFile {
    pub(super) fn parse(home: RuleHome, file: BString, content: &[u8]) -> Self {
        // Git's lines are C strings.
        let up_to_nul =
            |line: &[u8]| [line.split(|&byte| byte == 0).next().unwrap_or_default(), b"\n"].concat();
        let content: Vec<u8> = if content.contains(&0) {
            content.lines().flat_map(up_to_nul).collect()
        } else {
            content.to_vec()
        };
        let text = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content);
        let lines: Vec<&[u8]> = text.lines().collect();
        let rules: Vec<Rule> = gix_ignore::parse(&content, false)
            .map(|(pattern, line, _)| {
                let text = lines.get(line - 1).copied().unwrap_or_default();
                Rule { pattern, line: line as u64, text: without_trailing_spaces(text).into() }
            })
            .collect();
        let by_text = (rules.len() >= MIN_RULES_BY_TEXT).then(|| ByText::new(&rules));
        Self { home, file, rules, by_text }
    }

    /// The last line that matches; `path` is relative to the directory of the file.
    pub(super) fn last_match(&self, path: &BStr, is_dir: bool, case: Case) -> Option<Decision> {
        let rule = self.last_rule(path, is_dir, case)?;
        Some(Decision {
            home: self.home,
            file: self.file.clone(),
            line: rule.line,
            text: rule.text.clone(),
            negated: rule.pattern.is_negative(),
        })
    }

    /// Whether the last line that matches takes the path back.
    pub(super) fn negated(&self, path: &BStr, is_dir: bool, case: Case) -> Option<bool> {
        self.last_rule(path, is_dir, case).map(|rule| rule.pattern.is_negative())
    }

    fn last_rule(&self, path: &BStr, is_dir: bool, case: Case) -> Option<&Rule> {
        let Some(by_text) = self.by_text.as_ref().filter(|_| case == Case::Sensitive) else {
            return self.rules.iter().rev().find(|rule| rule.matches(path, is_dir, case));
        };
        let matches = |place: &&usize| self.rules[**place].matches(path, is_dir, case);
        let last = |places: &[usize]| places.iter().rev().find(matches).copied();
        by_text.candidates(path).into_iter().filter_map(last).max().map(|place| &self.rules[place])
    }
}

impl Rule {
    /// Whether the pattern matches, as gitignore(5) says and git does since 2.52: stars beside a letter are `*`, however
    /// many. Before, git gave its matcher what stands behind the letters alone, and `.env**/**` kept `.env` out as well; here
    /// that is told to be in, as it is with a newer git.
    fn matches(&self, path: &BStr, is_dir: bool, case: Case) -> bool {
        let basename = path.rfind_byte(b'/').map(|slash| slash + 1);
        self.pattern.matches_repo_relative_path(
            path,
            basename,
            Some(is_dir),
            case,
            WildMode::NO_MATCH_SLASH_LITERAL,
        )
    }
}

/// The line as git shows it: spaces at its end go, unless a backslash stands before them.
fn without_trailing_spaces(line: &[u8]) -> &[u8] {
    let mut end = 0;
    let mut at = 0;
    while at < line.len() {
        let width = if line[at] == b'\\' { 2 } else { 1 };
        if line[at] != b' ' {
            end = at + width;
        }
        at += width;
    }
    &line[..end.min(line.len())]
}

/// The content, or `None` when there is no such file, or a device, whose size is 0 to git.
pub(super) fn read_limited(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    // `core.excludesFile = /dev/null` says that there is none.
    #[cfg(unix)]
    if std::os::unix::fs::FileTypeExt::is_char_device(&metadata.file_type()) {
        return Ok(None);
    }
    // A FIFO would block for ever.
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut content = Vec::new();
    fs::File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other(
            "it is larger than 100 MiB, and git reads no such file of ignore rules",
        ));
    }
    Ok(Some(content))
}

/// A file below something that is no directory is as absent as one that is missing.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of git 2.55.
    #[test]
    fn stars_beside_a_letter_span_no_directories() {
        let file = RuleFile::parse(RuleHome::Gitignore, "x".into(), b".env**/**\n/key**/a.pem\n");
        for (path, is_matched) in [
            (".env", false),
            (".env/x", true),
            (".envx/y", true),
            ("a/.env", false),
            ("keya.pem", false),
            ("keyx/a.pem", true),
            ("key/b/a.pem", false),
        ] {
            let found = file.last_match(path.into(), false, Case::Sensitive);
            assert_eq!(found.is_some(), is_matched, "{path}");
        }
    }

    #[test]
    fn looking_rules_up_changes_no_answer() {
        let parts = [
            "a", "b.c", "*.c", "*.c.d", "*", "?", "a*", "**", "[ab]", "\\*.c", "*.", ".c", "c", "*.[cd]",
            "*.*",
        ];
        let mut lines = Vec::new();
        for (number, one) in parts.iter().enumerate() {
            lines.push(format!("{}{one}", ["", "!", "/", "!/"][number % 4]));
            lines.push(format!("{}{one}/", ["", "/", "!", "!/"][number % 4]));
            for (other_number, other) in parts.iter().enumerate() {
                lines.push(format!("{}{one}/{other}", ["", "!", "/"][(number + other_number) % 3]));
            }
        }
        let names = ["a", "b.c", "b", ".c", "c", "x.c.d", "a.", "x.d", "*.c"];
        let below = names.iter().flat_map(|one| names.iter().map(move |other| format!("{one}/{other}")));
        let paths: Vec<String> = names.iter().map(|name| (*name).to_owned()).chain(below).collect();
        let mut ignored = 0;
        for first in 0..lines.len() - MIN_RULES_BY_TEXT {
            let content = lines[first..first + MIN_RULES_BY_TEXT].join("\n");
            let fast = RuleFile::parse(RuleHome::Gitignore, "x".into(), content.as_bytes());
            assert!(fast.by_text.is_some());
            let slow = RuleFile {
                by_text: None,
                ..RuleFile::parse(RuleHome::Gitignore, "x".into(), content.as_bytes())
            };
            for path in &paths {
                for is_dir in [false, true] {
                    let answer = slow.last_match(path.as_str().into(), is_dir, Case::Sensitive);
                    assert_eq!(
                        fast.last_match(path.as_str().into(), is_dir, Case::Sensitive),
                        answer,
                        "{path}: {content}"
                    );
                    ignored += u32::from(answer.is_some());
                }
            }
        }
        assert!(ignored > 1000, "{ignored}");
    }
}
