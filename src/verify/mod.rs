//! Asks issuers whether secrets are live. The only room that reaches the network, and only when somebody calls it.
//!
//! What is sent is data: the `[rule.verify]` table of a rule ([`crate::rule::request`]). One value is asked about
//! once, however often it was found; hosts are asked side by side, but each of them one request at a time.
//!
//! - [`endpoint`] puts a value into a request, and refuses values that would break out of it.
//! - [`http`] sends it: TLS but to this machine, public addresses alone unless allowed, no redirects.
//! - [`pace`] asks again after trouble, as late as the host wants.
//! - [`rotation`] and [`health`] put such answers together into lists of [`checks`].
//! - [`judge`] reads the answer: live, dead, or unknown with a reason. Nothing but what the rule names is live or dead.

mod address;
pub mod checks;
pub mod clickup;
pub mod endpoint;
pub mod health;
pub mod http;
pub mod judge;
pub mod pace;
mod render;
pub mod rotation;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use bstr::BString;

use crate::finding::RuleInfo;
use crate::fingerprint::Fingerprint;
use crate::rule::request::Request;
use crate::secret::Secret;

pub use address::is_public;
use clickup::Workspace;
use endpoint::{BaseUrls, NotSendable};
use http::{SendError, Transport};
use judge::Judgement;
use pace::{Clock, Patience};
pub use render::{human, human_plan, json, json_plan};

/// What is known of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The issuer accepts it.
    Live,
    /// The issuer says that it is none of its own any more.
    Dead,
    /// Nothing was learnt.
    Unknown(Unknown),
}

impl State {
    /// The name in reports: `live`, `dead` or `unknown`.
    pub fn name(&self) -> &'static str {
        match self {
            State::Live => "live",
            State::Dead => "dead",
            State::Unknown(_) => "unknown",
        }
    }
}

impl Default for State {
    fn default() -> Self {
        State::Unknown(Unknown::NoRequest)
    }
}

/// Why nothing was learnt of a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// The rule has no `[rule.verify]` table.
    #[error("no harmless call is known that would tell")]
    NoRequest,
    /// The rule came with a configuration.
    #[error(
        "its rule comes from a configuration, which may have come with the repository; --custom-requests trusts it"
    )]
    Custom,
    /// The value cannot be sent.
    #[error(transparent)]
    NotSendable(#[from] NotSendable),
    /// There was no answer.
    #[error("{0}")]
    NoAnswer(SendError),
    /// The answer leads elsewhere.
    #[error("the host redirects{}, which is not followed", host.as_ref().map(|host| format!(" to {host}")).unwrap_or_default())]
    Redirect {
        /// Where to, if that can be shown.
        host: Option<String>,
    },
    /// 429.
    #[error("the host limits the rate (429)")]
    RateLimited,
    /// The host wants to be left alone for long.
    #[error("the host wants to be asked again in {seconds} seconds; --max-wait sets how long to wait")]
    Wait {
        /// How long.
        seconds: u64,
    },
    /// 5xx.
    #[error("the host has trouble ({status})")]
    ServerError {
        /// The status code.
        status: u16,
    },
    /// Longer than [`http::MAX_BODY_BYTES`].
    #[error("the answer is larger than 1 MiB")]
    TooLarge,
    /// It looks live by its status and is not what the provider would say.
    #[error("the answer is not what the provider's manual describes")]
    Malformed,
    /// A status that says nothing of the value.
    #[error("the answer ({status}) does not say whether the value is live")]
    Undecided {
        /// The status code.
        status: u16,
    },
    /// The provider has other instances.
    #[error("this instance does not know it, but another region or instance may; name it with --base-url")]
    Elsewhere,
    /// Too many failures in a row.
    #[error("not asked: the host failed {BREAKS_AFTER} times in a row")]
    CircuitOpen,
}

/// A value to ask about.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The rule that found it.
    pub rule: Arc<RuleInfo>,
    /// How to ask.
    pub request: Option<Request>,
    /// Whether the request may be sent: a repository can bring rules of its own.
    pub is_trusted: bool,
    /// The value.
    pub secret: Secret,
    /// The other half, where the credential has two.
    pub pair: Option<Secret>,
    /// Identity across runs.
    pub fingerprint: Fingerprint,
    /// Where it was found: path and line, 1-based; no line for what was not read from a file.
    pub places: Vec<(BString, Option<u64>)>,
}

/// What came of asking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Live, dead or unknown, and what else the answer told.
    pub judgement: Judgement,
    /// Status code of the last answer.
    pub status: Option<u16>,
    /// The host, if it was to be asked.
    pub host: Option<String>,
    /// Number of requests.
    pub attempts: u32,
    /// The workspaces that the value opens, when they were asked for.
    pub workspaces: Option<Result<Vec<Workspace>, Unknown>>,
}

impl Verdict {
    fn unknown(reason: Unknown) -> Self {
        let judgement = Judgement { state: State::Unknown(reason), ..Judgement::default() };
        Self { judgement, ..Self::default() }
    }
}

/// How to ask.
#[derive(Clone, Debug)]
pub struct Options {
    /// Other places for some interfaces.
    pub base_urls: BaseUrls,
    /// How often and how late to ask again.
    pub patience: Patience,
    /// How many hosts are asked at the same time.
    pub concurrency: usize,
    /// Whether to ask for the workspaces that a live ClickUp token opens.
    pub workspaces: bool,
}

/// So many requests in a row come to nothing before a host is given up.
const BREAKS_AFTER: u32 = 3;
/// Between two requests to the same host; well below the limits of those that state one.
const SPACING: Duration = Duration::from_millis(250);

/// The one value that the provider accepts in so many rooms is asked about once: joins equal values of a rule.
pub fn distinct(subjects: Vec<Subject>) -> Vec<Subject> {
    let mut joined: Vec<Subject> = Vec::new();
    let mut known: BTreeMap<(String, Secret, Option<Secret>), usize> = BTreeMap::new();
    for subject in subjects {
        let key = (subject.rule.id.clone(), subject.secret.clone(), subject.pair.clone());
        match known.get(&key) {
            Some(&place) => joined[place].places.extend(subject.places),
            None => {
                known.insert(key, joined.len());
                joined.push(subject);
            }
        }
    }
    joined
}

/// Asks about every subject; the answers are in the same order.
pub fn verify(
    subjects: &[Subject],
    options: &Options,
    transport: &dyn Transport,
    clock: &dyn Clock,
) -> Vec<Verdict> {
    let mut verdicts = vec![Verdict::default(); subjects.len()];
    let mut by_host: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, subject) in subjects.iter().enumerate() {
        match plan(subject, options) {
            Ok(planned) => by_host.entry(planned.host).or_default().push(index),
            Err(reason) => verdicts[index] = Verdict::unknown(reason),
        }
    }
    let groups: Vec<Vec<usize>> = by_host.into_values().collect();
    let next = AtomicUsize::new(0);
    let results = Mutex::new(&mut verdicts);
    let work = || {
        while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
            for (index, verdict) in ask_host(group, subjects, options, transport, clock) {
                // Each place is written once, so a panic elsewhere leaves nothing half-written.
                results.lock().unwrap_or_else(PoisonError::into_inner)[index] = verdict;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..options.concurrency.min(groups.len()) {
            scope.spawn(work);
        }
        work();
    });
    verdicts
}

/// What would be sent for a subject, without the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The verb.
    pub method: &'static str,
    /// Where to; placeholders stand where the value would.
    pub url: String,
    /// The host, with its port if it has one.
    pub host: String,
    /// Where the value stands, in a few words.
    pub summary: String,
}

/// Says what would be sent for a subject, and sends nothing.
///
/// # Errors
///
/// Why nothing would be sent.
pub fn plan(subject: &Subject, options: &Options) -> Result<Planned, Unknown> {
    let request = subject.request.as_ref().ok_or(Unknown::NoRequest)?;
    if !subject.is_trusted {
        return Err(Unknown::Custom);
    }
    let base = options.base_urls.get(&subject.rule.id, &subject.rule.provider);
    let outgoing = endpoint::outgoing(request, &subject.secret, subject.pair.as_ref(), base)?;
    Ok(Planned {
        method: request.method.name(),
        url: endpoint::rebase(&request.url, base),
        host: outgoing.host().to_owned(),
        summary: request.carriers(),
    })
}

/// Asks one host about one value after another.
fn ask_host(
    group: &[usize],
    subjects: &[Subject],
    options: &Options,
    transport: &dyn Transport,
    clock: &dyn Clock,
) -> Vec<(usize, Verdict)> {
    let mut failures = 0;
    let mut verdicts = Vec::with_capacity(group.len());
    for (number, &index) in group.iter().enumerate() {
        if failures >= BREAKS_AFTER {
            verdicts.push((index, Verdict::unknown(Unknown::CircuitOpen)));
            continue;
        }
        if number > 0 {
            clock.sleep(SPACING);
        }
        let (verdict, is_trouble) = check(&subjects[index], options, transport, clock);
        failures = if is_trouble { failures + 1 } else { 0 };
        verdicts.push((index, verdict));
    }
    verdicts
}

/// Asks about one value; also says whether the host had trouble.
fn check(
    subject: &Subject,
    options: &Options,
    transport: &dyn Transport,
    clock: &dyn Clock,
) -> (Verdict, bool) {
    let Some(request) = &subject.request else { return (Verdict::unknown(Unknown::NoRequest), false) };
    let base = options.base_urls.get(&subject.rule.id, &subject.rule.provider);
    let outgoing = match endpoint::outgoing(request, &subject.secret, subject.pair.as_ref(), base) {
        Ok(outgoing) => outgoing,
        Err(error) => return (Verdict::unknown(error.into()), false),
    };
    let asked = pace::ask(transport, clock, options.patience, &outgoing);
    let is_trouble = asked.is_trouble();
    let mut verdict =
        Verdict { host: Some(outgoing.host().to_owned()), attempts: asked.attempts, ..Verdict::default() };
    match asked.last {
        Err(error) => verdict.judgement.state = State::Unknown(Unknown::NoAnswer(error)),
        Ok(answer) => {
            let secret = endpoint::sendable(&subject.secret).unwrap_or_default();
            verdict.status = Some(answer.status);
            verdict.judgement = judge::judge(request, &answer, secret, base.is_some());
        }
    }
    if let Some(seconds) = asked.wants_seconds {
        verdict.judgement.state = State::Unknown(Unknown::Wait { seconds });
    }
    let opens = options.workspaces && verdict.judgement.state == State::Live && clickup::is_token(request);
    if opens {
        let ask = |path: &str| clickup::ask(&outgoing, path, options.patience, transport, clock);
        verdict.workspaces = Some(clickup::workspaces(&ask("/api/v2/team")));
    }
    (verdict, is_trouble)
}

#[cfg(test)]
mod tests {
    use super::http::{Answer, Outgoing};
    use super::pace::tests::{FakeClock, answer};
    use super::*;
    use crate::rule::RuleSet;
    use std::sync::atomic::AtomicU32;

    fn options() -> Options {
        Options {
            base_urls: BaseUrls::default(),
            patience: Patience { retries: 0, max_wait: Duration::from_secs(1) },
            concurrency: 4,
            workspaces: false,
        }
    }

    fn subject(rule: &str, secret: &str) -> Subject {
        let rules = RuleSet::builtin();
        let rule = rules.get(rule).unwrap();
        let secret = Secret::new(secret.as_bytes());
        Subject {
            rule: Arc::clone(rule.info()),
            request: rule.request().cloned(),
            is_trusted: true,
            fingerprint: Fingerprint::new(&rule.id, &secret),
            secret,
            pair: None,
            places: vec![("a.txt".into(), Some(1))],
        }
    }

    /// One answer for everybody, and how many asked.
    struct Always(Result<Answer, SendError>, AtomicU32);

    impl Transport for Always {
        fn send(&self, _: &Outgoing) -> Result<Answer, SendError> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.clone()
        }
    }

    #[test]
    fn a_host_that_fails_is_left_alone() {
        let subjects: Vec<Subject> =
            (0..9).map(|n| subject("github-pat-classic", &format!("ghp_{n}"))).collect();
        let always = Always(Ok(answer(503)), AtomicU32::new(0));
        let verdicts = verify(&subjects, &options(), &always, &FakeClock::default());
        assert_eq!(always.1.into_inner(), BREAKS_AFTER);
        let states: Vec<&State> = verdicts.iter().map(|verdict| &verdict.judgement.state).collect();
        assert_eq!(states[2], &State::Unknown(Unknown::ServerError { status: 503 }));
        assert!(states[3..].iter().all(|state| **state == State::Unknown(Unknown::CircuitOpen)));
    }

    #[test]
    fn answers_are_in_the_order_of_the_subjects_and_equal_values_are_one() {
        let mut subjects = vec![
            subject("github-pat-classic", "a"),
            subject("generic-secret", "b"),
            subject("openai-project-key", "c"),
            subject("github-pat-classic", "a"),
            subject("github-pat-classic", "line\nbreak"),
        ];
        subjects[2].is_trusted = false;
        let subjects = distinct(subjects);
        assert_eq!(subjects.len(), 4);
        assert_eq!(subjects[0].places.len(), 2);
        let always = Always(Ok(answer(401)), AtomicU32::new(0));
        let verdicts = verify(&subjects, &options(), &always, &FakeClock::default());
        let states: Vec<State> = verdicts.into_iter().map(|verdict| verdict.judgement.state).collect();
        let expected = [
            State::Dead,
            State::Unknown(Unknown::NoRequest),
            State::Unknown(Unknown::Custom),
            State::Unknown(Unknown::NotSendable(NotSendable::Bytes)),
        ];
        assert_eq!(states, expected);
        assert_eq!(always.1.into_inner(), 1);
    }

    /// Remembers how many requests were under way at the same time.
    #[derive(Default)]
    struct Busy {
        now: AtomicU32,
        most: AtomicU32,
    }

    impl Transport for Busy {
        fn send(&self, _: &Outgoing) -> Result<Answer, SendError> {
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(20));
            self.now.fetch_sub(1, Ordering::SeqCst);
            Ok(answer(401))
        }
    }

    #[test]
    fn no_more_hosts_than_allowed_are_asked_at_once_and_none_twice_at_once() {
        let hosts =
            ["github-pat-classic", "openai-project-key", "npm-access-token", "asana-pat", "notion-token"];
        let subjects: Vec<Subject> = hosts.iter().map(|rule| subject(rule, "value")).collect();
        let most = |subjects: &[Subject], concurrency| {
            let busy = Busy::default();
            verify(subjects, &Options { concurrency, ..options() }, &busy, &FakeClock::default());
            busy.most.into_inner()
        };
        assert!(most(&subjects, 2) <= 2);
        assert_eq!(most(&subjects, 1), 1);
        let one_host: Vec<Subject> = (0..4).map(|n| subject("asana-pat", &format!("v{n}"))).collect();
        assert_eq!(most(&one_host, 4), 1);
    }

    #[test]
    fn every_builtin_request_is_used_by_a_rule_and_can_be_built() {
        let rules = RuleSet::builtin();
        let mut providers = std::collections::BTreeSet::new();
        for rule in rules.rules() {
            let Some(request) = rule.request() else { continue };
            request.check().unwrap_or_else(|error| panic!("{}: {error}", rule.id));
            let pair = Secret::new(*b"other");
            let sent = endpoint::outgoing(request, &Secret::new(*b"value"), Some(&pair), None).unwrap();
            assert_eq!(Some(sent.host()), request.host(), "{}", rule.id);
            assert!(
                !request.needs_pair() || rule.pair.is_some(),
                "{}: no rule finds its other half",
                rule.id
            );
            providers.insert(rule.provider.clone());
        }
        assert!(providers.len() > 40, "{providers:?}");
    }
}
