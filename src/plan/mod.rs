//! What to do about secrets in the history: what each of them is, where it can be seen, who must act, how to turn it
//! off, and the files and commands that clean the history.
//!
//! The files of a plan hold the secrets themselves, for nothing else can say what to replace. So they are written for
//! their owner alone, and not where git could commit them.

mod replace;
mod text;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use bstr::BString;

use crate::finding::{Finding, RuleInfo};
use crate::fingerprint::Fingerprint;
use crate::git::object::ObjectError;
use crate::git::{Identity, Repository};
use crate::location::{CommitInfo, ObjectId, Origin, Reach};
use crate::scanner::{Outcome, Sighting};
use crate::secret::Secret;

pub use write::{WriteError, write};

/// git-filter-repo takes a blob with a NUL byte in so many bytes for binary, and replaces nothing in it.
const BINARY_PROBE_BYTES: usize = 8192;

/// A plan, ready to be written.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Each secret, the most exposed and gravest first.
    pub secrets: Vec<PlannedSecret>,
    /// Whether the whole history was read. Otherwise there may be more.
    pub is_complete: bool,
    /// The repository: its working tree, or its git directory when it has none.
    pub repository: PathBuf,
    /// Whether it has no working tree.
    pub is_bare: bool,
    /// Whether its objects have names of SHA-256, with which the tools that clean have their troubles.
    pub has_long_names: bool,
    /// What names it.
    pub identity: Identity,
    /// Options that decide what counts as a finding, to be repeated when the result is proved.
    pub options: Vec<String>,
    /// Every text that stands for a secret somewhere, as bytes to replace.
    texts: Vec<Vec<u8>>,
    /// Blobs that no replacement reaches: they go as a whole.
    stripped: BTreeSet<ObjectId>,
    /// Blobs that go as a whole when BFG does the work.
    stripped_by_bfg: BTreeSet<ObjectId>,
    /// Whether a secret stands in a message of a commit or tag.
    in_messages: bool,
}

/// A secret of the history and everything that is known of it.
#[derive(Clone, Debug)]
pub struct PlannedSecret {
    /// The rules that found it, the gravest first; at least one.
    pub rules: Vec<Arc<RuleInfo>>,
    /// The captured bytes, redacted unless revealed by name.
    pub secret: Secret,
    /// Identity under the first of the rules.
    pub fingerprint: Fingerprint,
    /// Everything that reaches it.
    pub reached_by: BTreeSet<Reach>,
    /// Whether the checked-out commit has it.
    pub in_head: bool,
    /// Whether this clone knows of no place outside it that has the secret.
    pub is_local_only: bool,
    /// The oldest commit that has it, where a commit does.
    pub first: Option<CommitInfo>,
    /// The newest commit that has it.
    pub last: Option<CommitInfo>,
    /// Each path at which it stands.
    pub places: Vec<PlannedPlace>,
    /// Blobs in which it stands and that have to go as a whole.
    pub stripped: BTreeSet<ObjectId>,
    /// What to mind when it is replaced.
    pub warnings: Vec<&'static str>,
}

/// A path at which a secret stands.
#[derive(Clone, Debug)]
pub struct PlannedPlace {
    /// The path, or a description in angle brackets.
    pub path: BString,
    /// The line in the first version that had it, from 1.
    pub line: u64,
    /// Everything that reaches it there.
    pub reached_by: BTreeSet<Reach>,
}

const SHORT: &str = "it is short: its text may stand elsewhere by chance and is replaced there too; \
                     look at its line in replacements.txt first";

const WHOLE_FILES: &str = "some versions of its files are binary, or hold it in a form that no line can replace: \
                           they are removed as a whole; keep a copy of what you need without the secret";

/// Makes the plan for what was found in the whole history of a repository.
///
/// # Errors
///
/// When an object that was read before cannot be read again.
pub fn plan(repository: &Repository, outcome: &Outcome, options: Vec<String>) -> Result<Plan, ObjectError> {
    let mut plan = Plan {
        secrets: secrets(&outcome.findings),
        is_complete: outcome.coverage.problems.is_empty(),
        repository: repository.work_dir().unwrap_or_else(|| repository.git_dir()).to_path_buf(),
        is_bare: repository.work_dir().is_none(),
        has_long_names: repository.id_len() == 32,
        identity: repository.identity(),
        options,
        texts: Vec::new(),
        stripped: BTreeSet::new(),
        stripped_by_bfg: BTreeSet::new(),
        in_messages: false,
    };
    let mut texts = BTreeSet::new();
    let wanted = wanted(&outcome.findings);
    for sighting in outcome.sightings.iter().filter(|sighting| wanted.contains_key(&sighting.secret)) {
        let forms = Forms::of(repository, sighting)?;
        plan.in_messages |= !matches!(sighting.origin, Origin::Blob(_));
        if let Origin::Blob(blob) = sighting.origin {
            if forms.is_out_of_reach {
                plan.stripped.insert(blob);
                for secret in plan.secrets.iter_mut() {
                    if secret.secret == sighting.secret || wanted[&sighting.secret].contains(&secret.secret) {
                        secret.stripped.insert(blob);
                    }
                }
            }
            if forms.is_out_of_reach || !forms.texts.iter().all(|text| replace::fits_bfg(text)) {
                plan.stripped_by_bfg.insert(blob);
            }
        }
        texts.extend(forms.texts);
    }
    plan.texts = texts.into_iter().collect();
    for secret in &mut plan.secrets {
        let len = secret.secret.len_bytes();
        if (1..replace::SHORT_BYTES).contains(&len) {
            secret.warnings.push(SHORT);
        }
        if !secret.stripped.is_empty() {
            secret.warnings.push(WHOLE_FILES);
        }
    }
    Ok(plan)
}

/// Every secret to clean away, parts of credentials among them, and the secrets of the findings it belongs to.
fn wanted(findings: &[Finding]) -> BTreeMap<Secret, BTreeSet<Secret>> {
    let mut wanted: BTreeMap<Secret, BTreeSet<Secret>> = BTreeMap::new();
    for finding in findings {
        wanted.entry(finding.secret.clone()).or_default().insert(finding.secret.clone());
        for part in &finding.parts {
            wanted.entry(part.secret.clone()).or_default().insert(finding.secret.clone());
        }
    }
    wanted
}

/// One entry for each distinct secret, whatever the number of its paths and rules.
fn secrets(findings: &[Finding]) -> Vec<PlannedSecret> {
    let mut groups: BTreeMap<&Secret, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        groups.entry(&finding.secret).or_default().push(finding);
    }
    let mut secrets: Vec<PlannedSecret> = groups.into_values().map(|group| planned(&group)).collect();
    let reach = |secret: &PlannedSecret| secret.reached_by.first().copied().unwrap_or(Reach::Unreachable);
    secrets.sort_by(|a, b| {
        (a.is_local_only, reach(a), b.rules[0].severity, a.fingerprint).cmp(&(
            b.is_local_only,
            reach(b),
            a.rules[0].severity,
            b.fingerprint,
        ))
    });
    secrets
}

fn planned(group: &[&Finding]) -> PlannedSecret {
    let mut rules: Vec<&Finding> = group.to_vec();
    rules.sort_by(|a, b| (b.rule.severity, &a.rule.id).cmp(&(a.rule.severity, &b.rule.id)));
    rules.dedup_by(|a, b| a.rule.id == b.rule.id);
    let exposures = || group.iter().filter_map(|finding| finding.exposure.as_ref());
    let order = |info: &&CommitInfo| (info.time_seconds, info.id);
    let place = |finding: &&Finding| PlannedPlace {
        path: finding.location.path.clone(),
        line: finding.location.start.line,
        reached_by: finding.exposure.as_ref().map(|one| one.reached_by.clone()).unwrap_or_default(),
    };
    let mut places: Vec<PlannedPlace> = group.iter().map(place).collect();
    places.dedup_by(|a, b| a.path == b.path && a.line == b.line);
    PlannedSecret {
        secret: rules[0].secret.clone(),
        fingerprint: rules[0].fingerprint,
        rules: rules.iter().map(|finding| Arc::clone(&finding.rule)).collect(),
        reached_by: exposures().flat_map(|exposure| &exposure.reached_by).copied().collect(),
        in_head: exposures().any(|exposure| exposure.in_head),
        is_local_only: group
            .iter()
            .all(|finding| finding.exposure.as_ref().is_some_and(|exposure| exposure.is_local_only())),
        first: exposures().filter_map(|exposure| exposure.first.as_ref()).min_by_key(order).cloned(),
        last: exposures().filter_map(|exposure| exposure.last.as_ref()).max_by_key(order).cloned(),
        places,
        stripped: BTreeSet::new(),
        warnings: Vec::new(),
    }
}

/// How a secret stands in one object.
struct Forms {
    texts: Vec<Vec<u8>>,
    /// Whether replacing texts does not clean the object.
    is_out_of_reach: bool,
}

impl Forms {
    fn of(repository: &Repository, sighting: &Sighting) -> Result<Self, ObjectError> {
        match sighting.origin {
            Origin::Blob(id) => repository.with_blob(id, |content| {
                let probe = &content[..content.len().min(BINARY_PROBE_BYTES)];
                let mut forms = Self::within(content, sighting);
                forms.is_out_of_reach |= probe.contains(&0);
                forms
            }),
            Origin::CommitMessage(id) | Origin::TagMessage(id) => {
                repository.with_message(id, |message| Self::within(message, sighting))
            }
            Origin::File | Origin::Staged | Origin::Stdin => {
                Ok(Self { texts: Vec::new(), is_out_of_reach: false })
            }
        }
    }

    fn within(content: &[u8], sighting: &Sighting) -> Self {
        let secret = sighting.secret.reveal();
        if secret.is_empty() {
            // The file itself is the secret.
            return Self { texts: Vec::new(), is_out_of_reach: !content.is_empty() };
        }
        let mut texts = Vec::new();
        let has_nul = content.contains(&0);
        if memchr::memmem::find(content, secret).is_some() {
            texts.push(secret.to_vec());
        }
        let there = content.get(sighting.span.range()).unwrap_or_default();
        // What was decoded stands there in another form. Places in UTF-16 count in the text as converted.
        let is_other = there != secret;
        if is_other && !there.is_empty() && !has_nul {
            texts.push(there.to_vec());
        }
        Self { is_out_of_reach: texts.is_empty() || (is_other && has_nul), texts }
    }
}
