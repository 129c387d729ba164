//! The audit log: one JSON object a line for each scan, each decision to let a match pass, and each verification.
//!
//! Lines are appended and never changed. Each is written at once to a file opened for appending, under an advisory
//! lock on `FILE.lock`, so runs that end together do not mix their lines. A log that would grow over its limit is
//! renamed to `FILE.1`, that to `FILE.2` and so on. No line holds a secret: matches are named by rule and fingerprint.
//!
//! Members of every line: `stanch_audit` (1), `event` (`scan`, `allow` or `verify`), `time` (RFC 3339, UTC), `run`
//! (the same in all lines of a run), `actor` (`os_user`, `os_uid`, `git_name`, `git_email`), `repository` (as in a
//! [`receipt`], with `path`) and `version`. A `scan` adds `mode`, `targets`, `rules_digest`,
//! `configuration`, `complete`, `exit_code`, `examined`, `left_out` and `not_examined` (numbers), `let_pass`,
//! `finding_count` and `findings` (`rule`, `severity`, `fingerprint`, `path`, `line`). An `allow` adds `rule`,
//! `fingerprint`, `path`, `line`, `by` (`marker`, `allowlist` or `baseline`), `written_at` and `reason`. A `verify` adds `rule`,
//! `fingerprint`, `state`, `reason` and `host`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bstr::ByteSlice;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::fingerprint::Fingerprint;
use crate::git::Identity;
use crate::receipt::{self, Run};
use crate::report::redact::Redactor;
use crate::scanner::Accepted;
use crate::secret::Secret;

/// How every line starts. A file that starts otherwise is no log, and nothing is appended to it.
const HEAD: &[u8] = b"{\"stanch_audit\":1,";

/// How large a log may grow, and how many old ones are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A log with more bytes is put aside before the next run is written.
    pub max_bytes: u64,
    /// How many logs that were put aside are kept.
    pub keep: u32,
}

impl Default for Limits {
    /// 10 MiB, and nine old logs: enough for years of a busy repository.
    fn default() -> Self {
        Self { max_bytes: 10 << 20, keep: 9 }
    }
}

/// Why nothing can be logged.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Something else stands where the log should be.
    #[error("{} is no audit log of stanch, so nothing is appended to it; name another file", path.display())]
    NotALog {
        /// The file.
        path: PathBuf,
    },
    /// Opening, locking, renaming or writing failed.
    #[error("cannot write the audit log {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A log that can be appended to.
#[derive(Clone, Debug)]
pub struct Log {
    path: PathBuf,
    limits: Limits,
}

/// Who does something, and where.
#[derive(Clone, Debug, Default)]
pub struct Actor {
    /// Name of the user as the system gives it: `USER`, `LOGNAME` or `USERNAME`.
    pub os_user: Option<String>,
    /// Number of the user, where the system tells it.
    pub os_uid: Option<u32>,
    /// The repository and its user, if there is one.
    pub identity: Option<Identity>,
    /// Where the repository is.
    pub repository: Option<PathBuf>,
}

/// The answer about one secret.
#[derive(Clone, Debug)]
pub struct Verification<'v> {
    /// Id of the rule that found it.
    pub rule_id: &'v str,
    /// Identity of the secret; the secret itself is never logged.
    pub fingerprint: Fingerprint,
    /// Such as `live`, `dead` or `unknown`.
    pub state: &'v str,
    /// Why, in a few words without the secret.
    pub reason: &'v str,
    /// Who was asked.
    pub host: &'v str,
}

/// Lines of one run that wait to be written.
#[derive(Clone, Debug)]
pub struct Events {
    lines: Vec<u8>,
    common: String,
}

impl Log {
    /// Prepares a log and checks that it can be written, so that no work is done that would go unlogged.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened and locked, or is something else than a log.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, LogError> {
        let log = Self { path: path.to_path_buf(), limits };
        log.locked(|_| Ok(()))?;
        Ok(log)
    }

    /// Appends the lines of a run.
    ///
    /// # Errors
    ///
    /// When not every line could be written.
    pub fn append(&self, events: &Events) -> Result<(), LogError> {
        self.locked(|log| {
            let mut file = log.file()?;
            let size = file.metadata()?.len();
            if size > 0 && size + events.lines.len() as u64 > log.limits.max_bytes {
                drop(file);
                log.rotate()?;
                file = log.file()?;
            }
            let mut start = file.metadata()?.len();
            if start < HEAD.len() as u64 {
                // Less than how a line starts says nothing, and would keep the file from being taken for a log.
                file.set_len(0)?;
                start = 0;
            }
            // A run that was killed as it wrote left a part of a line, and what follows is to be read all the same.
            let written = match is_broken_off(&mut file, start)? {
                true => file.write_all(b"\n"),
                false => Ok(()),
            };
            let lines = || events.lines.split_inclusive(|&byte| byte == b'\n');
            let written = written.and_then(|()| lines().try_for_each(|line| file.write_all(line)));
            if written.is_err() {
                // All lines of a run or none. Where that fails too, the next run begins a new line.
                let _ = file.set_len(start);
            }
            written?;
            file.sync_data()
        })
    }

    fn locked(&self, work: impl FnOnce(&Self) -> io::Result<()>) -> Result<(), LogError> {
        let failed = |source| LogError::Io { path: self.path.clone(), source };
        let lock = self.open_private(&self.beside("lock")).map_err(failed)?;
        fs4::FileExt::lock(&lock).map_err(failed)?;
        let mut file = self.file().map_err(failed)?;
        if !is_log(&mut file).map_err(failed)? {
            return Err(LogError::NotALog { path: self.path.clone() });
        }
        drop(file);
        work(self).map_err(failed)
    }

    fn file(&self) -> io::Result<File> {
        match fs::metadata(&self.path) {
            Ok(metadata) if !metadata.is_file() => Err(io::Error::other("it is not a regular file")),
            _ => self.open_private(&self.path),
        }
    }

    fn open_private(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        options.open(path)
    }

    fn rotate(&self) -> io::Result<()> {
        for number in (1..self.limits.keep).rev() {
            let old = self.beside(&number.to_string());
            if old.exists() {
                fs::rename(old, self.beside(&(number + 1).to_string()))?;
            }
        }
        match self.limits.keep {
            0 => fs::remove_file(&self.path),
            _ => fs::rename(&self.path, self.beside("1")),
        }
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".");
        name.push(ending);
        name.into()
    }
}

fn is_log(file: &mut File) -> io::Result<bool> {
    let mut head = Vec::new();
    Read::by_ref(file).take(HEAD.len() as u64).read_to_end(&mut head)?;
    Ok(HEAD.starts_with(&head))
}

/// Whether the last line of a file has no end.
fn is_broken_off(file: &mut File, size: u64) -> io::Result<bool> {
    let Some(last) = size.checked_sub(1) else { return Ok(false) };
    file.seek(SeekFrom::Start(last))?;
    let mut byte = [0];
    file.read_exact(&mut byte)?;
    Ok(byte != *b"\n")
}

impl Actor {
    /// Whoever runs this process.
    pub fn here(identity: Option<Identity>, repository: Option<PathBuf>) -> Self {
        let variables = ["USER", "LOGNAME", "USERNAME"];
        let os_user =
            variables.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        Self { os_user, os_uid: os_uid(), identity, repository }
    }
}

/// What the variables say can be made up; the kernel's word cannot.
#[cfg(target_os = "linux")]
fn os_uid() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").ok().map(|metadata| metadata.uid())
}

#[cfg(not(target_os = "linux"))]
fn os_uid() -> Option<u32> {
    None
}

impl Events {
    /// No lines yet, of a run by `actor` at that time. `entropy` tells runs of the same moment apart: a process id and
    /// a clock, say.
    pub fn new(actor: &Actor, seconds: i64, entropy: &[u8]) -> Self {
        let identity = actor.identity.as_ref();
        let mut repository = identity.map(receipt::repository).unwrap_or(Value::Null);
        if let (Value::Object(members), Some(path)) = (&mut repository, &actor.repository) {
            members.insert("path".to_owned(), Value::String(path.display().to_string()));
        }
        let common = json!({
            "time": receipt::time(seconds),
            "run": receipt::hex(&Sha256::digest(entropy)[..8]),
            "version": env!("CARGO_PKG_VERSION"),
            "actor": {
                "os_user": actor.os_user,
                "os_uid": actor.os_uid,
                "git_name": identity.and_then(|identity| identity.user_name.clone()),
                "git_email": identity.and_then(|identity| identity.user_email.clone()),
            },
            "repository": repository,
        });
        let common = common.to_string();
        // Without its braces, to stand in each line.
        let common = common[1..common.len() - 1].to_owned();
        Self { lines: Vec::new(), common }
    }

    /// Notes a scan, and each decision that let a match pass in it.
    pub fn scan(&mut self, run: &Run<'_>) {
        let outcome = run.outcome;
        let (coverage, suppressed) = (&outcome.coverage, &outcome.suppressed);
        let findings: Vec<Value> = outcome
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "rule": finding.rule.id,
                    "severity": finding.rule.severity.name(),
                    "fingerprint": finding.fingerprint.to_string(),
                    "path": finding.location.path.to_str_lossy(),
                    "line": finding.location.start.line,
                })
            })
            .collect();
        let scan = json!({
            "mode": run.mode.name(),
            "targets": run.targets,
            "rules_digest": receipt::hex(&run.rules_digest),
            "configuration": receipt::configuration(run),
            "complete": coverage.problems.is_empty(),
            "exit_code": run.exit_code,
            "examined": receipt::examined(coverage),
            "left_out": coverage.skipped.len() + run.ignored.len(),
            "not_examined": coverage.problems.len(),
            "let_pass": {
                "inline": suppressed.inline,
                "allowlist": suppressed.allowlist,
                "baseline": suppressed.baseline,
                "below_threshold": suppressed.below_threshold,
            },
            "finding_count": findings.len(),
            "findings": findings,
        });
        let accepted = outcome.accepted.iter().map(|accepted| &accepted.secret);
        let redactor = Redactor::of(receipt::secrets(&outcome.findings).chain(accepted));
        self.push("scan", receipt::redacted(scan, &redactor));
        let mut fingerprints: BTreeMap<(&str, &Secret), Fingerprint> = BTreeMap::new();
        let mut said = BTreeSet::new();
        for accepted in &outcome.accepted {
            // The same secret twice on a line is one decision.
            if !said.insert((&accepted.name, accepted.start.line, &accepted.rule_id, &accepted.secret)) {
                continue;
            }
            let key = (accepted.rule_id.as_str(), &accepted.secret);
            let fingerprint = *fingerprints
                .entry(key)
                .or_insert_with(|| Fingerprint::new(&accepted.rule_id, &accepted.secret));
            self.push("allow", receipt::redacted(allow(accepted, fingerprint), &redactor));
        }
    }

    /// Notes the answer about one secret.
    pub fn verification(&mut self, verification: &Verification<'_>) {
        let Verification { rule_id, fingerprint, state, reason, host } = verification;
        let event = json!({
            "rule": rule_id,
            "fingerprint": fingerprint.to_string(),
            "state": state,
            "reason": reason,
            "host": host,
        });
        self.push("verify", event);
    }

    fn push(&mut self, event: &str, members: Value) {
        let members = members.to_string();
        self.lines.extend_from_slice(HEAD);
        self.lines.extend_from_slice(format!("\"event\":\"{event}\",").as_bytes());
        self.lines.extend_from_slice(self.common.as_bytes());
        self.lines.push(b',');
        self.lines.extend_from_slice(&members.as_bytes()[1..]);
        self.lines.push(b'\n');
    }
}

fn allow(accepted: &Accepted, fingerprint: Fingerprint) -> Value {
    // A reason is free text, and short secrets are known to nobody else.
    let secret = accepted.secret.reveal().to_str_lossy();
    let reason = accepted.reason.as_ref().map(|reason| match secret.is_empty() {
        true => reason.clone(),
        false => reason.replace(&*secret, &accepted.secret.redacted()),
    });
    json!({
        "rule": accepted.rule_id,
        "fingerprint": fingerprint.to_string(),
        "path": accepted.name.to_str_lossy(),
        "line": accepted.start.line,
        "by": accepted.by.name(),
        "written_at": accepted.written_at,
        "reason": reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scanner::{AcceptedBy, Outcome};
    use crate::span::LineColumn;

    fn events(outcome: &Outcome) -> Events {
        let mut events = Events::new(&Actor::default(), 0, b"1");
        events.scan(&Run::plain(outcome));
        events
    }

    #[test]
    fn a_decision_is_logged_without_its_secret() {
        let accepted = Accepted {
            name: "a.txt".into(),
            start: LineColumn { line: 3, column: 1 },
            rule_id: "a-rule".to_owned(),
            secret: Secret::new(*b"hunter2"),
            by: AcceptedBy::Marker,
            written_at: "stanch:allow".to_owned(),
            reason: Some("hunter2 is\na sample".to_owned()),
        };
        let outcome = Outcome { accepted: vec![accepted], ..Outcome::default() };
        let lines = String::from_utf8(events(&outcome).lines).unwrap();
        assert!(!lines.contains("hunter2"), "{lines}");
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["event"], "scan");
        assert_eq!(lines[1]["reason"], "…[7 bytes] is\na sample");
        assert_eq!(lines[1]["run"], lines[0]["run"]);
    }

    #[test]
    fn lines_after_one_that_was_broken_off_are_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        for broken in ["{\"stan", "{\"stanch_audit\":1,\"event\":\"sc"] {
            fs::write(&path, broken).unwrap();
            let log = Log::open(&path, Limits::default()).unwrap();
            for _ in 0..2 {
                log.append(&events(&Outcome::default())).unwrap();
            }
            let text = fs::read_to_string(&path).unwrap();
            let lines: Vec<_> = text.lines().map(serde_json::from_str::<Value>).collect();
            assert_eq!(lines.iter().filter(|line| line.is_ok()).count(), 2);
            assert_eq!(
                lines.len() - 2,
                usize::from(broken.len() > HEAD.len()),
                "less than a start is dropped"
            );
            assert!(text.ends_with('\n'));
        }
    }

    #[test]
    fn a_full_log_is_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let line = events(&Outcome::default());
        let limits = Limits { max_bytes: line.lines.len() as u64 * 2, keep: 2 };
        let log = Log::open(&path, limits).unwrap();
        (0..7).for_each(|_| log.append(&line).unwrap());
        let lines = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap().lines().count();
        assert_eq!([lines("log"), lines("log.1"), lines("log.2")], [1, 2, 2]);
        assert!(!dir.path().join("log.3").exists());
    }

    #[test]
    fn nothing_is_appended_to_what_is_no_log() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.txt");
        fs::write(&path, "notes\n").unwrap();
        assert!(matches!(Log::open(&path, Limits::default()), Err(LogError::NotALog { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "notes\n");
        assert!(matches!(Log::open(dir.path(), Limits::default()), Err(LogError::Io { .. })));
    }
}
