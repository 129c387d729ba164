//! What the files themselves give away: secrets that are one command away from being published, or meet where they
//! should not. The findings of an ordinary scan are not repeated here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use bstr::{BStr, BString, ByteSlice, ByteVec};
use regex::bytes::Regex;

use super::names::{basename, env_like_path, environment_of, is_example_env, pem_path, secret_path};
use super::{CheckError, Item, Problem, Report, quote, render, shipping};
use crate::filter::file_kind::FileKind;
use crate::finding::{Confidence, Finding, Severity};
use crate::git::Repository;
use crate::git::ignore::{Decision, IgnoreRules};
use crate::git::work_tree::WorkKind;
use crate::scanner::Scanner;
use crate::secret::Secret;
use crate::source::worktree::{Worktree, WorktreeOptions};

/// Directories into which tools write what users get. They are looked into although git ignores them.
const BUILD_OUTPUT: [&str; 9] =
    ["dist", "build", "out", ".next", ".nuxt", ".output", ".svelte-kit", "storybook-static", "www"];

/// Names that a bundler copies into what every visitor gets, by the manuals of Next.js, Vite, Create React App, Expo,
/// Nuxt, Gatsby, and SvelteKit and Astro.
const PUBLIC_PREFIXES: [&str; 8] = [
    "NEXT_PUBLIC_",
    "VITE_",
    "REACT_APP_",
    "EXPO_PUBLIC_",
    "NUXT_PUBLIC_",
    "GATSBY_",
    "STORYBOOK_",
    "PUBLIC_",
];

/// Keys that belong into client code: their owners restrict them by site or app. What they open is another matter.
const MEANT_FOR_CLIENTS: [&str; 1] = ["google-api-key"];

/// Larger files of build output are no text that a bundler wrote.
const MAX_OUTPUT_BYTES: u64 = 20 << 20;

/// Larger sources were not written by hand.
const MAX_SOURCE_BYTES: u64 = 1 << 20;

/// What lies in the working tree, as far as it matters here.
#[derive(Default)]
pub(super) struct Tree {
    /// Files that are tracked or would be added by `git add --all`.
    pub files: Vec<BString>,
    /// Those of them that are not tracked.
    pub untracked: BTreeSet<BString>,
    /// Ignored files whose names say that they hold secrets.
    pub ignored_secrets: Vec<BString>,
    /// Directories of build output that git ignores.
    pub outputs: Vec<BString>,
}

/// Looks at the content of the working tree on at most `threads` threads and adds to the report.
///
/// # Errors
///
/// When the repository is bare, or its configuration or index cannot be read.
pub fn check_content(
    repository: &Repository,
    scanner: &Scanner,
    threads: usize,
    report: &mut Report,
) -> Result<(), CheckError> {
    let tracked = repository.tracked_files()?;
    let mut rules = IgnoreRules::new(repository, &tracked, b"")?;
    let tracked: BTreeSet<BString> = tracked.into_iter().map(|file| file.path).collect();
    let tree = survey(repository, &mut rules, &tracked, report);
    let Some(work_dir) = repository.work_dir().map(Path::to_path_buf) else { return Ok(()) };
    let content = Content { work_dir, scanner, threads };
    let open = content.scan(&["".into()], true, report);
    let hidden: Vec<BString> = tree.ignored_secrets.iter().chain(&tree.outputs).cloned().collect();
    let closed = if hidden.is_empty() { Vec::new() } else { content.scan(&hidden, false, report) };
    untracked_secrets(&tree, &open, report);
    tracked_although_ignored(&tracked, &mut rules, &open, report);
    example_files(&open, report);
    build_output(&tree, &closed, report);
    client_names(&open, &closed, report);
    client_files(&content, &open, report);
    shared_between_environments(&open, &closed, report);
    sources(&content, &tree, &open, report);
    shipping::check(&content.work_dir, &tree, report);
    report.sort();
    Ok(())
}

struct Content<'c> {
    work_dir: PathBuf,
    scanner: &'c Scanner,
    threads: usize,
}

/// A finding and the path of its file from the root of the working tree.
struct Found {
    path: BString,
    finding: Finding,
}

impl Found {
    /// Whether it is neither meant for clients nor in code of others.
    fn is_ours(&self) -> bool {
        !MEANT_FOR_CLIENTS.contains(&self.finding.rule.id.as_str())
            && !FileKind::of(self.path.as_bstr()).foreign
    }
}

impl Content<'_> {
    fn scan(&self, places: &[BString], respect_ignore: bool, report: &mut Report) -> Vec<Found> {
        let paths = places.iter().map(|place| self.work_dir.join(place.to_path_lossy())).collect();
        let max_file_bytes = (!respect_ignore).then_some(MAX_OUTPUT_BYTES);
        let source = Worktree::new(paths, WorktreeOptions { respect_ignore, max_file_bytes });
        let outcome = self.scanner.scan(&source, self.threads);
        let root = Vec::from_path_lossy(&self.work_dir).into_owned();
        let below = |path: &BString| -> BString {
            let rest = path.strip_prefix(root.as_slice()).unwrap_or(path);
            rest.strip_prefix(b"/").unwrap_or(rest).into()
        };
        report.problems.extend(
            outcome
                .coverage
                .problems
                .iter()
                .map(|problem| Problem { name: below(&problem.name), message: problem.message.clone() }),
        );
        let counts = |finding: &Finding| {
            finding.confidence >= Confidence::Medium && finding.rule.severity >= Severity::Medium
        };
        let findings = outcome.findings.into_iter().filter(counts);
        findings.map(|finding| Found { path: below(&finding.location.path), finding }).collect()
    }

    fn read(&self, path: &BString) -> Option<Vec<u8>> {
        let place = self.work_dir.join(path.to_path_lossy());
        let metadata = fs::symlink_metadata(&place).ok()?;
        // What cannot be read is a problem of the scan already.
        (metadata.is_file() && metadata.len() <= MAX_SOURCE_BYTES).then(|| fs::read(place).ok()).flatten()
    }
}

fn survey(
    repository: &Repository,
    rules: &mut IgnoreRules<'_>,
    tracked: &BTreeSet<BString>,
    report: &mut Report,
) -> Tree {
    let mut tree = Tree::default();
    let faults = repository.walk_work_tree(rules, b"".as_bstr(), &mut |entry| {
        let is_ignored = entry.ignored_by.is_some() && !tracked.contains(&entry.path);
        let name = basename(entry.path.as_bstr());
        match entry.kind {
            WorkKind::Directory if is_ignored => {
                if BUILD_OUTPUT.iter().any(|output| name == output.as_bytes()) {
                    tree.outputs.push(entry.path.clone());
                }
                false
            }
            WorkKind::Directory => true,
            WorkKind::File if is_ignored => {
                if secret_path(entry.path.as_bstr()) {
                    tree.ignored_secrets.push(entry.path.clone());
                }
                false
            }
            WorkKind::File => {
                if !tracked.contains(&entry.path) {
                    tree.untracked.insert(entry.path.clone());
                }
                tree.files.push(entry.path.clone());
                false
            }
            WorkKind::Repository | WorkKind::Other => false,
        }
    });
    report
        .problems
        .extend(faults.into_iter().map(|fault| Problem { name: fault.name, message: fault.message }));
    tree
}

fn untracked_secrets(tree: &Tree, open: &[Found], report: &mut Report) {
    let mut reasons: BTreeMap<&BString, (Severity, Option<u64>, String)> = BTreeMap::new();
    for path in tree.untracked.iter().filter(|path| env_like_path(path.as_bstr())) {
        let reason = "the name says that it holds the secrets of an environment".to_owned();
        reasons.insert(path, (Severity::High, None, reason));
    }
    for Found { path, finding } in open.iter().filter(|found| tree.untracked.contains(&found.path)) {
        let line = Some(finding.location.start.line);
        reasons.insert(path, (Severity::High, line, format!("it holds a secret ({})", finding.rule.id)));
    }
    report.items.extend(reasons.into_iter().map(|(path, (severity, line, reason))| Item {
        id: "secret-file-untracked",
        severity,
        reason: format!("{reason}, and nothing keeps one `git add --all` from taking it along"),
        path: path.clone(),
        line,
        pattern: None,
        fix: "move the file out of the repository, or add a line for it to .gitignore".to_owned(),
    }));
}

/// Files that git tracks although a line names them: people believe the line.
fn tracked_although_ignored(
    tracked: &BTreeSet<BString>,
    rules: &mut IgnoreRules<'_>,
    open: &[Found],
    report: &mut Report,
) {
    let with_secret: BTreeSet<&BString> = open.iter().map(|found| &found.path).collect();
    let mut lines: BTreeMap<(BString, u64), (Decision, Vec<&BString>)> = BTreeMap::new();
    for path in tracked {
        let is_known = env_like_path(path.as_bstr()) || pem_path(path.as_bstr());
        if let Some(decision) =
            rules.decision(path.as_bstr()).filter(|decision| !decision.negated && !is_known)
        {
            let key = (decision.file.clone(), decision.line);
            lines.entry(key).or_insert_with(|| (decision, Vec::new())).1.push(path);
        }
    }
    for (decision, paths) in lines.into_values() {
        let secret = paths.iter().find(|path| with_secret.contains(*path));
        let (severity, path, what) = match secret {
            Some(path) => (Severity::High, *path, "it holds a secret"),
            None => (Severity::Info, paths[0], "it holds no secret now"),
        };
        let more = match paths.len() {
            1 => String::new(),
            count => format!(", and {} more like it", count - 1),
        };
        report.items.push(Item {
            id: "tracked-although-ignored",
            severity,
            reason: format!(
                "git tracks this file although {} names it{more}; a line reaches no tracked file, and {what}",
                render::rule(&decision)
            ),
            path: path.clone(),
            line: None,
            pattern: Some(decision.text.to_str_lossy().into_owned()),
            fix: format!(
                "`{}` if it should not be tracked (the file itself stays)",
                super::check::git_rm(path.as_bstr())
            ),
        });
    }
}

fn example_files(open: &[Found], report: &mut Report) {
    for Found { path, finding } in open.iter().filter(|found| is_example_env(found.path.as_bstr())) {
        report.items.push(Item {
            id: "example-env-secret",
            severity: Severity::High,
            reason: format!(
                "an example of an environment file is made to be committed, and this one holds a value that looks real \
                 ({})",
                finding.rule.id
            ),
            path: path.clone(),
            line: Some(finding.location.start.line),
            pattern: None,
            fix: "put a placeholder in its place, and revoke the value if it is real".to_owned(),
        });
    }
}

fn build_output(tree: &Tree, closed: &[Found], report: &mut Report) {
    let is_output = |path: &BString| {
        tree.outputs
            .iter()
            .any(|output| path.strip_prefix(output.as_slice()).is_some_and(|rest| rest.starts_with(b"/")))
    };
    let mut seen = BTreeSet::new();
    for Found { path, finding } in closed.iter().filter(|found| is_output(&found.path) && found.is_ours()) {
        if !seen.insert((path, &finding.rule.id)) {
            continue;
        }
        report.items.push(Item {
            id: "secret-in-build-output",
            severity: Severity::High,
            reason: format!(
                "build output holds a secret ({}); git ignores it, but whoever gets the build gets the secret",
                finding.rule.id
            ),
            path: path.clone(),
            line: Some(finding.location.start.line),
            pattern: None,
            fix: "keep the value on the server, build anew, and revoke it if a build with it was published".to_owned(),
        });
    }
}

/// Secrets under names that bundlers copy into client code.
fn client_names(open: &[Found], closed: &[Found], report: &mut Report) {
    for Found { path, finding } in open.iter().chain(closed).filter(|found| found.is_ours()) {
        let Some(name) = assigned_name(finding) else { continue };
        let Some(prefix) = PUBLIC_PREFIXES.iter().find(|prefix| name.starts_with(*prefix)) else { continue };
        report.items.push(Item {
            id: "secret-in-client-name",
            severity: Severity::High,
            reason: format!(
                "the name starts with `{prefix}`, so bundlers copy the value ({}) into code that every visitor gets",
                finding.rule.id
            ),
            path: path.clone(),
            line: Some(finding.location.start.line),
            pattern: None,
            fix: "give it a name without the prefix and use it on the server alone; revoke it if it was deployed"
                .to_owned(),
        });
    }
}

/// Secrets in files that a bundler puts into what every visitor gets, or a server hands out as they are.
fn client_files(content: &Content<'_>, open: &[Found], report: &mut Report) {
    let mut seen = BTreeSet::new();
    for Found { path, finding } in open.iter().filter(|found| found.is_ours()) {
        let kind = FileKind::of(path.as_bstr());
        // Seen first: the answer takes a look into the file.
        if kind.tests || kind.docs || !seen.insert((path, &finding.rule.id)) {
            continue;
        }
        let Some(why) = reaches_clients(content, path) else { continue };
        report.items.push(Item {
            id: "secret-in-client-file",
            severity: Severity::High,
            reason: format!("{why}, and it holds a secret ({})", finding.rule.id),
            path: path.clone(),
            line: Some(finding.location.start.line),
            pattern: None,
            fix: "let the server use the value and hand out what comes of it; revoke it if the file was deployed"
                .to_owned(),
        });
    }
}

/// Why a file reaches clients, by the manuals of React, Vue, Svelte, Nuxt and Remix; `None` where nothing says that it
/// does.
fn reaches_clients(content: &Content<'_>, path: &BString) -> Option<&'static str> {
    let name = basename(path.as_bstr());
    let is_script = |name: &[u8]| {
        [&b".js"[..], b".jsx", b".ts", b".tsx", b".mjs"].iter().any(|ending| name.ends_with(ending))
    };
    if name.ends_with(b".vue") || name.ends_with(b".svelte") {
        return Some("a component runs in the browser");
    }
    if name.contains_str(".client.") && (is_script(name) || name.ends_with(b".css")) {
        return Some("its name says that it runs in the browser");
    }
    if is_script(name) && content.read(path).is_some_and(|text| uses_client(&text)) {
        return Some("it says `use client`, so it runs in the browser");
    }
    // `public/` and `static/` beside a package are handed out as they are.
    let mut parts = path.split_str("/").collect::<Vec<_>>();
    parts.pop();
    let at = parts.iter().rposition(|part| matches!(*part, b"public" | b"static"))?;
    let package =
        parts[..at].iter().fold(content.work_dir.clone(), |dir, part| dir.join(part.to_path_lossy()));
    package.join("package.json").is_file().then_some("the directory is handed out to every visitor as it is")
}

/// Whether the first statement is the directive `"use client"`.
fn uses_client(text: &[u8]) -> bool {
    static DIRECTIVE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"^\s*(?:(?://[^\n]*\n|(?s:/\*.*?\*/))\s*)*["']use client["']"#)
            .expect("a valid expression")
    });
    DIRECTIVE.is_match(text)
}

/// The name that the secret is assigned to on its line, if there is one.
fn assigned_name(finding: &Finding) -> Option<&str> {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"([A-Za-z_][A-Za-z0-9_]*)["'\]]*\s*(?::\s*[A-Za-z&']+\s*)?(?:=|:|=>|:=)\s*["'`]?$"#)
            .expect("a valid expression")
    });
    let excerpt = &finding.excerpt;
    let before = excerpt.text.get(..excerpt.secret.start)?;
    let name = NAME.captures(before.as_bytes())?.get(1)?;
    before.get(name.range())
}

fn shared_between_environments(open: &[Found], closed: &[Found], report: &mut Report) {
    let mut holders: BTreeMap<&Secret, BTreeMap<&'static str, &Found>> = BTreeMap::new();
    for found in open.iter().chain(closed).filter(|found| found.finding.secret.len_bytes() > 0) {
        if let Some(environment) = environment_of(found.path.as_bstr()) {
            holders.entry(&found.finding.secret).or_default().entry(environment).or_insert(found);
        }
    }
    for environments in holders.into_values().filter(|environments| environments.len() > 1) {
        let all: Vec<&str> = environments.keys().copied().collect();
        let files: Vec<String> =
            environments.values().map(|found| quote::shown(found.path.as_bstr())).collect();
        let found = environments.get("production").copied().unwrap_or(environments[all[0]]);
        report.items.push(Item {
            id: "secret-shared-by-environments",
            severity: Severity::Medium,
            reason: format!(
                "one secret ({}) serves {}: {}; who gets at the weakest of them gets at all",
                found.finding.rule.id,
                all.join(" and "),
                files.join(", ")
            ),
            path: found.path.clone(),
            line: Some(found.finding.location.start.line),
            pattern: None,
            fix: "issue one for each environment".to_owned(),
        });
    }
}

/// What is read in the sources themselves: plain webhooks, and variables that are there already for a secret that is
/// written out elsewhere.
fn sources(content: &Content<'_>, tree: &Tree, open: &[Found], report: &mut Report) {
    static WEBHOOK: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?i)(?:[a-z0-9_.-]*webhook[a-z0-9_-]*["'\]]*\s*(?:=>|:=|=|:)\s*["'`]?http://([a-z0-9.-]+)|["'`=]\s*http://([a-z0-9.-]+)(?::\d+)?/[^\s"'`]*webhook)"#,
        )
        .expect("a valid expression")
    });
    static READ: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?:process\.env\.|process\.env\[["']|import\.meta\.env\.|Deno\.env\.get\(["']|os\.environ\[["']|os\.environ\.get\(["']|os\.getenv\(["']|getenv\(["']|Getenv\("|LookupEnv\("|env::var\("|env!\("|ENV\[["']|ENV\.fetch\(["']|\$_ENV\[["']|\benv\(["'])([A-Za-z_][A-Za-z0-9_]*)"#,
        )
        .expect("a valid expression")
    });
    let mut written: BTreeMap<String, Vec<&Found>> = BTreeMap::new();
    for found in open {
        let kind = FileKind::of(found.path.as_bstr());
        if is_source(found.path.as_bstr())
            && !kind.is_rehearsal()
            && !kind.foreign
            && let Some(name) = assigned_name(&found.finding)
        {
            written.entry(letters(name)).or_default().push(found);
        }
    }
    let mut read: BTreeMap<String, (BString, String)> = BTreeMap::new();
    for path in &tree.files {
        let kind = FileKind::of(path.as_bstr());
        let is_config = is_config(path.as_bstr());
        if kind.is_rehearsal() || kind.foreign || !(is_config || is_source(path.as_bstr())) {
            continue;
        }
        let Some(text) = content.read(path) else { continue };
        for captures in WEBHOOK.captures_iter(&text) {
            let Some(host) = captures.get(1).or_else(|| captures.get(2)) else { continue };
            if !is_elsewhere(host.as_bytes()) {
                continue;
            }
            let line = 1 + memchr::memchr_iter(b'\n', &text[..host.start()]).count() as u64;
            report.items.push(Item {
                id: "webhook-plain-http",
                severity: Severity::Medium,
                reason: "a webhook on plain http: everybody on the way reads and changes what is sent, tokens and \
                         signatures included"
                    .to_owned(),
                path: path.clone(),
                line: Some(line),
                pattern: None,
                fix: "use https, and refuse plain http at the receiver".to_owned(),
            });
        }
        if written.is_empty() {
            continue;
        }
        for captures in READ.captures_iter(&text) {
            let name = captures[1].to_str_lossy().into_owned();
            read.entry(letters(&name)).or_insert_with(|| (path.clone(), name));
        }
    }
    for (name, found) in &written {
        let Some((reader, variable)) = read.get(name) else { continue };
        report.items.extend(found.iter().map(|found| Item {
            id: "secret-despite-variable",
            severity: Severity::High,
            reason: format!(
                "a secret ({}) is written out here, while {} reads it from the environment variable {variable}",
                found.finding.rule.id,
                quote::shown(reader.as_bstr())
            ),
            path: found.path.clone(),
            line: Some(found.finding.location.start.line),
            pattern: None,
            fix: format!("read {variable} here too, and revoke the value"),
        }));
    }
}

/// Letters and digits in one case: `apiKey`, `api_key` and `API_KEY` are one name.
fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

fn extension(path: &BStr) -> &[u8] {
    let name = basename(path);
    name.rfind_byte(b'.').map_or(b"".as_slice(), |dot| &name[dot + 1..])
}

fn is_source(path: &BStr) -> bool {
    const ENDS: [&str; 24] = [
        "js", "mjs", "cjs", "jsx", "ts", "tsx", "vue", "svelte", "astro", "py", "rb", "go", "rs", "java",
        "kt", "scala", "php", "cs", "swift", "dart", "ex", "exs", "sh", "lua",
    ];
    ENDS.iter().any(|end| extension(path) == end.as_bytes())
}

fn is_config(path: &BStr) -> bool {
    const ENDS: [&str; 10] =
        ["env", "yml", "yaml", "json", "toml", "ini", "conf", "properties", "tf", "tfvars"];
    env_like_path(path) || is_example_env(path) || ENDS.iter().any(|end| extension(path) == end.as_bytes())
}

/// Whether a host is another machine on another's network: neither this one, nor a private address, nor a name that
/// is reserved for examples and tests (RFC 2606, RFC 6761) or used inside clusters.
fn is_elsewhere(host: &[u8]) -> bool {
    let host = host.to_ascii_lowercase();
    let host = host.trim_end_with(|end| end == '.');
    if !host.contains(&b'.') {
        return false;
    }
    if let Some(address) = host.to_str().ok().and_then(|text| text.parse::<std::net::Ipv4Addr>().ok()) {
        return !(address.is_private()
            || address.is_loopback()
            || address.is_link_local()
            || address.is_unspecified());
    }
    const RESERVED: [&str; 9] =
        ["example", "test", "invalid", "local", "localhost", "internal", "lan", "svc", "cluster"];
    let reserved = |part: &[u8]| RESERVED.iter().any(|name| part == name.as_bytes());
    let last = host.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
    let is_example = ["example.com", "example.org", "example.net"]
        .iter()
        .any(|name| host == name.as_bytes() || host.ends_with(format!(".{name}").as_bytes()));
    !(reserved(last) || is_example)
}
