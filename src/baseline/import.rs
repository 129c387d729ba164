//! What other scanners were told to accept: reports and ignore files of gitleaks, baselines of detect-secrets.
//!
//! They name places, secrets, or hashes of secrets. A [`Claim`] is one such name; whoever scans the place asks it which
//! findings it means. In doubt it means none: what is not accepted is reported again, and that is the safe side.

use std::fmt;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice};
use serde_json::Value;
use sha1::{Digest, Sha1};

use crate::finding::Finding;
use crate::secret::Secret;

/// One finding that another scanner knows.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The commit whose version of the file is meant; `None` for the file as it is.
    pub commit: Option<String>,
    /// Path from the root of the repository, with `/`.
    pub path: BString,
    /// The line, from 1.
    pub line: Option<u64>,
    /// What the other scanner calls the rule.
    pub rule: String,
    /// What is known of the secret.
    pub secret: Known,
}

/// What a claim knows of its secret.
#[derive(Clone, Debug)]
pub enum Known {
    /// All of it.
    Plain(Secret),
    /// The SHA-1 of it.
    Sha1([u8; 20]),
    /// Nothing but its place.
    Place,
}

/// Why a file cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is none of the forms that are known, or breaks the rules of one.
    #[error("{}:{line}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong; quotes nothing, since a report may hold secrets.
        message: String,
    },
}

/// Reads a JSON report of gitleaks, a `.gitleaksignore` or a `.secrets.baseline`; the content tells which.
///
/// # Errors
///
/// When the file cannot be read or is none of these.
pub fn load(path: &Path) -> Result<Vec<Claim>, ImportError> {
    let bytes =
        std::fs::read(path).map_err(|source| ImportError::Read { path: path.to_path_buf(), source })?;
    parse(&bytes).map_err(|(line, message)| ImportError::Invalid { path: path.to_path_buf(), line, message })
}

type Fault = (usize, String);

fn parse(bytes: &[u8]) -> Result<Vec<Claim>, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if !matches!(bytes.trim_start().first(), Some(b'[' | b'{')) && bytes.trim() != b"null" {
        return ignore_file(bytes);
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        (error.line(), "no JSON: neither a report of gitleaks nor a baseline of detect-secrets".to_owned())
    })?;
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(findings) => findings.iter().enumerate().map(report_entry).collect(),
        Value::Object(file) => match file.get("results") {
            Some(Value::Object(results)) => detect_secrets(results),
            _ => Err((
                1,
                "a JSON object without `results`: only JSON reports of gitleaks and baselines of detect-secrets \
                 can be imported"
                    .to_owned(),
            )),
        },
        _ => Err((1, "a JSON value that is neither a list nor an object".to_owned())),
    }
}

/// An object of a gitleaks report.
fn report_entry((index, value): (usize, &Value)) -> Result<Claim, Fault> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("File").is_empty() || text("RuleID").is_empty() {
        let number = index + 1;
        return Err((
            1,
            format!("entry {number} of the report has no `File` or no `RuleID`: not a report of gitleaks"),
        ));
    }
    let secret = match text("Secret") {
        secret if is_withheld(secret) => Known::Place,
        secret => Known::Plain(Secret::new(secret.as_bytes())),
    };
    Ok(Claim {
        commit: Some(text("Commit").to_owned()).filter(|commit| !commit.is_empty()),
        path: slashes(text("File")),
        line: value.get("StartLine").and_then(Value::as_u64).filter(|&line| line > 0),
        rule: text("RuleID").to_owned(),
        secret,
    })
}

/// Whether the report was made with `--redact`.
fn is_withheld(secret: &str) -> bool {
    secret.is_empty() || secret == "REDACTED" || secret.ends_with("...")
}

/// Lines `commit:file:rule:line`, or without the commit.
fn ignore_file(bytes: &[u8]) -> Result<Vec<Claim>, Fault> {
    let mut claims = Vec::new();
    for (number, line) in (1..).zip(bytes.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let wrong = || {
            (number, "not `commit:file:rule:line` or `file:rule:line`, as in a .gitleaksignore".to_owned())
        };
        let line = line.to_str().map_err(|_| wrong())?;
        let (rest, at) = line.rsplit_once(':').ok_or_else(wrong)?;
        let (place, rule) = rest.rsplit_once(':').ok_or_else(wrong)?;
        let at: u64 = at.trim().parse().map_err(|_| wrong())?;
        let is_commit =
            |text: &str| (7..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
        let (commit, path) = match place.split_once(':') {
            Some((commit, path)) if is_commit(commit) => (Some(commit.to_owned()), path),
            _ => (None, place),
        };
        if path.is_empty() || rule.is_empty() {
            return Err(wrong());
        }
        let line = Some(at).filter(|&at| at > 0);
        claims.push(Claim { commit, path: slashes(path), line, rule: rule.to_owned(), secret: Known::Place });
    }
    Ok(claims)
}

fn detect_secrets(results: &serde_json::Map<String, Value>) -> Result<Vec<Claim>, Fault> {
    let mut claims = Vec::new();
    for (path, entries) in results {
        let wrong = |what: &str| (1, format!("`results` of a detect-secrets baseline: {what}"));
        for entry in entries.as_array().ok_or_else(|| wrong("a file has no list of secrets"))? {
            let hash = entry.get("hashed_secret").and_then(Value::as_str).unwrap_or_default();
            let hash = data_encoding::HEXLOWER_PERMISSIVE.decode(hash.as_bytes()).ok();
            let hash: [u8; 20] = hash
                .and_then(|hash| hash.try_into().ok())
                .ok_or_else(|| wrong("a secret without a `hashed_secret` of 40 hexadecimal digits"))?;
            claims.push(Claim {
                commit: None,
                path: slashes(path),
                line: entry.get("line_number").and_then(Value::as_u64).filter(|&line| line > 0),
                rule: entry.get("type").and_then(Value::as_str).unwrap_or("?").to_owned(),
                secret: Known::Sha1(hash),
            });
        }
    }
    Ok(claims)
}

fn slashes(path: &str) -> BString {
    let path = path.replace('\\', "/");
    path.strip_prefix("./").unwrap_or(&path).into()
}

/// A secret shorter than this is compared whole.
const SHORTEST_PART_BYTES: usize = 8;

impl Claim {
    /// Whether the claim knows the secret of the finding, wherever that stands.
    ///
    /// Scanners cut differently: in the same file half of the secret must be the same text.
    pub fn knows(&self, finding: &Finding) -> bool {
        let ours = finding.secret.reveal();
        if ours.is_empty() {
            return false;
        }
        match &self.secret {
            Known::Sha1(hash) => Sha1::digest(ours).as_slice() == hash,
            Known::Plain(theirs) => {
                let theirs = theirs.reveal();
                let (short, long) = if ours.len() < theirs.len() { (ours, theirs) } else { (theirs, ours) };
                theirs == ours
                    || (finding.location.path == self.path
                        && short.len() >= SHORTEST_PART_BYTES
                        && short.len() * 2 >= long.len()
                        && long.contains_str(short))
            }
            Known::Place => false,
        }
    }

    /// The findings that the claim means, by their places in the list, which is that of the whole `text` of the
    /// claim's file. Only those on its line can be meant, and only where it is certain which of them.
    pub fn means(&self, text: &[u8], findings: &[Finding]) -> Vec<usize> {
        let Some(line) = self.line else { return Vec::new() };
        let on_line = |finding: &Finding| {
            (finding.location.start.line..=finding.location.end.line).contains(&line)
                && !finding.secret.reveal().is_empty()
        };
        let here: Vec<usize> = (0..findings.len()).filter(|&at| on_line(&findings[at])).collect();
        match &self.secret {
            Known::Plain(_) => here.into_iter().filter(|&at| self.knows(&findings[at])).collect(),
            Known::Sha1(hash) => {
                let Some((start, end)) = hashed_part(text, line, hash) else { return Vec::new() };
                let overlaps = |finding: &Finding| {
                    finding.location.span.start < end && start < finding.location.span.end
                };
                here.into_iter().filter(|&at| overlaps(&findings[at])).collect()
            }
            Known::Place => self.by_rule(here, findings),
        }
    }

    /// Of several findings on one line those of the rule's name, else those of its provider; none in doubt.
    fn by_rule(&self, here: Vec<usize>, findings: &[Finding]) -> Vec<usize> {
        if here.len() < 2 {
            return here;
        }
        let provider = |id: &str| id.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let with = |is_meant: &dyn Fn(&str) -> bool| -> Vec<usize> {
            here.iter().copied().filter(|&at| is_meant(&findings[at].rule.id)).collect()
        };
        let same_rule = with(&|id| id == self.rule);
        let chosen = match same_rule.is_empty() {
            true => with(&|id| provider(id) == provider(&self.rule)),
            false => same_rule,
        };
        let mut distinct: Vec<_> = chosen.iter().map(|&at| findings[at].fingerprint).collect();
        distinct.dedup();
        if distinct.len() == 1 { chosen } else { Vec::new() }
    }
}

/// For people: the place and the rule, never the secret.
impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(commit) = &self.commit {
            write!(f, "{}:", commit.get(..10).unwrap_or(commit))?;
        }
        match &self.secret {
            Known::Plain(secret) if secret.len_bytes() > 0 && self.path.contains_str(secret.reveal()) => {
                f.write_str("<a path that holds the secret>")?;
            }
            _ => write!(f, "{}", BStr::new(&self.path))?,
        }
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, " ({})", self.rule)
    }
}

/// A line longer than this is not searched for a hashed part: that takes time with the square of its length.
const LONGEST_LINE_BYTES: usize = 600;
const LONGEST_PART_BYTES: usize = 256;

/// The part of a line that has the hash, as a span of the text.
fn hashed_part(text: &[u8], line: u64, hash: &[u8; 20]) -> Option<(usize, usize)> {
    let index = usize::try_from(line).ok()?.checked_sub(1)?;
    let found = text.lines_with_terminator().nth(index)?;
    let offset = found.as_ptr() as usize - text.as_ptr() as usize;
    let line = found.trim_end_with(|c| c == '\n' || c == '\r');
    if line.len() > LONGEST_LINE_BYTES {
        return None;
    }
    let lengths = |start: usize| 1..=(line.len() - start).min(LONGEST_PART_BYTES);
    (0..line.len())
        .flat_map(|start| lengths(start).map(move |len| (start, start + len)))
        .find(|&(start, end)| Sha1::digest(&line[start..end]).as_slice() == hash)
        .map(|(start, end)| (offset + start, offset + end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::RuleSet;
    use crate::scanner::{Policy, Scanner};
    use proptest::prelude::*;

    fn token(last: char) -> String {
        format!("pk_{}_{}{last}", 48_291_736, "Z7K2QX9M4TN8VB3W6RJ5HD1GCPF0YSL")
    }

    fn found(text: &str) -> Vec<Finding> {
        Scanner::new(RuleSet::builtin(), Policy::default())
            .scan_bytes("a/b.txt".into(), text.as_bytes())
            .findings
    }

    fn claim(line: u64, rule: &str, secret: Known) -> Claim {
        Claim { commit: None, path: "a/b.txt".into(), line: Some(line), rule: rule.to_owned(), secret }
    }

    #[test]
    fn an_ignore_file_names_places() {
        let commit = "0123456789abcdef".repeat(3)[..40].to_owned();
        let text = format!("# old\n\n{commit}:src\\a.rs:aws-access-token:7\nx:y.txt:generic-api-key:12  \n");
        let claims = parse(text.as_bytes()).unwrap();
        assert_eq!(claims[0].to_string(), "0123456789:src/a.rs:7 (aws-access-token)");
        assert_eq!(claims[1].to_string(), "x:y.txt:12 (generic-api-key)");
        for bad in ["a\n", "#\na:b\n", "a:b:c\n", ":b:1\n", "a::1\n", "a:b:1:\n"] {
            let (line, message) = parse(bad.as_bytes()).unwrap_err();
            assert_eq!(line, if bad.starts_with('#') { 2 } else { 1 }, "{bad:?}");
            assert!(message.contains(".gitleaksignore"), "{message}");
        }
    }

    #[test]
    fn reports_know_the_secret_unless_it_was_withheld() {
        let secret = token('E');
        let report = format!(
            r#"[{{"RuleID":"r","File":"a/b.txt","StartLine":3,"Secret":"{secret}","Commit":""}},
                {{"RuleID":"r","File":"a/b.txt","StartLine":3,"Secret":"REDACTED","Commit":"abc1234"}}]"#
        );
        let claims = parse(report.as_bytes()).unwrap();
        assert!(matches!(claims[0].secret, Known::Plain(_)) && claims[0].commit.is_none());
        assert!(matches!(claims[1].secret, Known::Place) && claims[1].commit.is_some());
        assert!(!format!("{claims:?}").contains(&secret[8..]));
        assert!(claims[0].knows(&found(&format!("x = {secret}\n"))[0]));
        assert!(!claims[0].knows(&found(&format!("x = {}\n", token('A')))[0]));
        assert_eq!(parse(b"null").unwrap().len() + parse(b" []").unwrap().len(), 0);
        for (bad, line) in [("[1]", 1), ("[{}]", 1), ("{}", 1), ("{\n\"a\": hunter2}", 2), ("[\n", 2)] {
            let (at, message) = parse(bad.as_bytes()).unwrap_err();
            assert_eq!(at, line, "{bad}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn a_hash_proves_which_finding_is_meant() {
        let (one, two) = (token('E'), token('A'));
        let hash =
            |text: &str| Sha1::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let baseline = format!(
            r#"{{"version":"1.4.0","plugins_used":[],"results":{{"a\\b.txt":[{{"type":"t","hashed_secret":"{}","line_number":2}}]}}}}"#,
            hash(&one)
        );
        let claims = parse(baseline.as_bytes()).unwrap();
        let text = format!("\nkey = {one} {two}\n");
        let findings = found(&text);
        assert_eq!(findings.len(), 2);
        assert_eq!(findings.iter().filter(|finding| claims[0].knows(finding)).count(), 1);
        // A part of the secret has the hash: the finding that holds that part is meant, and no other.
        let part: [u8; 20] = Sha1::digest(&one[3..20]).into();
        assert_eq!(claim(2, "t", Known::Sha1(part)).means(text.as_bytes(), &findings), [0]);
        assert!(claim(1, "t", Known::Sha1(part)).means(text.as_bytes(), &findings).is_empty());
        assert!(claim(2, "t", Known::Sha1([0; 20])).means(text.as_bytes(), &findings).is_empty());
        assert!(parse(br#"{"results":{"a":[{"hashed_secret":"x"}]}}"#).is_err());
        assert!(parse(br#"{"results":{"a":1}}"#).is_err());
    }

    #[test]
    fn a_place_means_a_finding_only_where_it_is_certain_which() {
        let text = format!("{}\n{} {}\n", token('E'), token('A'), token('B'));
        let findings = found(&text);
        assert_eq!(claim(1, "generic-api-key", Known::Place).means(text.as_bytes(), &findings), [0]);
        assert!(claim(2, "generic-api-key", Known::Place).means(text.as_bytes(), &findings).is_empty());
        assert!(
            claim(2, "clickup-personal-token", Known::Place).means(text.as_bytes(), &findings).is_empty()
        );
        assert!(
            claim(3, "clickup-personal-token", Known::Place).means(text.as_bytes(), &findings).is_empty()
        );
    }

    proptest! {
        #[test]
        fn foreign_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
            let _ = parse(&[b"[{", bytes.as_slice()].concat());
        }
    }
}
