//! Whether an integration with ClickUp is fit for production.

use std::time::Duration;

use serde::Deserialize;

use super::checks::{Check, Status};
use super::clickup::{self, Workspace};
use super::endpoint::{self, BaseUrls};
use super::http::{Answer, Outgoing, SendError, Transport};
use super::judge::{harmless, judge};
use super::pace::{self, Clock, Patience};
use super::{State, Subject};
use crate::rule::request::Method;

/// Where ClickUp says how it is; other places for it go by the name `clickup-status`.
const STATUS_URL: &str = "https://status.clickup.com/api/v2/status.json";
/// Slower than this wants attention.
const SLOW: Duration = Duration::from_secs(2);
/// Less of the limit than this part of it wants attention.
const SCARCE_PERCENT: u64 = 10;
/// Somebody who watches asks again by himself, and wants to know of a single failure.
const PATIENCE: Patience = Patience { retries: 0, max_wait: Duration::ZERO };

/// Runs the checks with a token of ClickUp. None of them when the token cannot be sent.
///
/// # Errors
///
/// When the token cannot be sent or its rule names no call.
pub fn checks(
    subject: &Subject,
    bases: &BaseUrls,
    transport: &dyn Transport,
    clock: &dyn Clock,
) -> Result<Vec<Check>, super::Unknown> {
    let request = subject.request.as_ref().filter(|request| clickup::is_token(request));
    let request = request.ok_or(super::Unknown::NoRequest)?;
    let base = bases.get(&subject.rule.id, &subject.rule.provider);
    let user = endpoint::outgoing(request, &subject.secret, None, base)?;
    let asked = pace::ask(transport, clock, PATIENCE, &user);
    let mut checks = vec![reachable(&user, &asked.last)];
    let answer = asked.last.as_ref().ok().filter(|answer| answer.status < 500);
    match answer {
        Some(answer) => {
            let secret = endpoint::sendable(&subject.secret).unwrap_or_default();
            let judged = judge(request, answer, secret, base.is_some());
            let is_live = judged.state == State::Live;
            checks.push(auth(&judged.state, judged.code.as_deref(), judged.account.as_deref()));
            checks.push(rate(answer));
            checks.push(latency(answer.elapsed));
            checks.push(match is_live {
                true => {
                    let asked = clickup::ask(&user, "/api/v2/team", PATIENCE, transport, clock);
                    workspaces(clickup::workspaces(&asked).map_err(|reason| reason.to_string()))
                }
                false => unasked("workspaces", "the token does not work"),
            });
        }
        None => {
            let ids = ["auth", "rate-limit", "latency", "workspaces"];
            checks.extend(ids.map(|id| unasked(id, "the interface cannot be reached")));
        }
    }
    checks.push(platform(bases, transport, clock));
    Ok(checks)
}

fn unasked(id: &'static str, why: &str) -> Check {
    Check::new(id, Status::Unknown, format!("not asked: {why}"))
}

fn reachable(user: &Outgoing, last: &Result<Answer, SendError>) -> Check {
    const ID: &str = "reachable";
    let host = user.host();
    match last {
        Ok(answer) if answer.status >= 500 => {
            Check::new(ID, Status::Fail, format!("{host} answered {}", answer.status)).with_priority("P1")
        }
        Ok(_) => Check::new(ID, Status::Pass, format!("{host} answers")),
        Err(error) => Check::new(ID, Status::Fail, format!("{host}: {error}")).with_priority("P1"),
    }
}

fn auth(state: &State, code: Option<&str>, account: Option<&str>) -> Check {
    const ID: &str = "auth";
    let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
    match state {
        State::Live => {
            Check::new(ID, Status::Pass, format!("the token of account {} works", account.unwrap_or("?")))
        }
        State::Dead => Check::new(ID, Status::Fail, format!("the token is dead{code}: issue a new one"))
            .with_priority("P2"),
        State::Unknown(reason) => Check::new(ID, Status::Fail, format!("{reason}{code}")).with_priority("P2"),
    }
}

fn rate(answer: &Answer) -> Check {
    const ID: &str = "rate-limit";
    if answer.status == 429 {
        return Check::new(ID, Status::Fail, "the limit is used up (429)").with_priority("P2");
    }
    let (Some(limit), Some(left)) = (answer.rate_limit, answer.rate_remaining) else {
        return Check::new(ID, Status::Warn, "the answer states no limit").with_priority("P2");
    };
    // Plans as the page on rate limits lists them, requests a minute and token.
    let plan = match limit {
        100 => ", as on Free Forever, Unlimited and Business",
        1_000 => ", as on Business Plus",
        10_000 => ", as on Enterprise",
        _ => "",
    };
    let message = format!("{left} of {limit} requests a minute left{plan}");
    match left.saturating_mul(100) < limit.saturating_mul(SCARCE_PERCENT) {
        true => Check::new(ID, Status::Warn, message).with_priority("P2"),
        false => Check::new(ID, Status::Pass, message),
    }
}

fn latency(elapsed: Duration) -> Check {
    let message = format!("{} ms", elapsed.as_millis());
    match elapsed > SLOW {
        true => Check::new("latency", Status::Warn, format!("{message}, more than 2 s")).with_priority("P2"),
        false => Check::new("latency", Status::Pass, message),
    }
}

fn workspaces(found: Result<Vec<Workspace>, String>) -> Check {
    const ID: &str = "workspaces";
    match found {
        Ok(found) if found.is_empty() => {
            Check::new(ID, Status::Warn, "the token opens no workspace").with_priority("P2")
        }
        Ok(found) => {
            let names: Vec<String> =
                found.iter().map(|workspace| format!("{} ({})", workspace.name, workspace.id)).collect();
            Check { places: names, ..Check::new(ID, Status::Pass, format!("{} reachable", found.len())) }
        }
        Err(reason) => Check::new(ID, Status::Fail, reason).with_priority("P2"),
    }
}

/// What the status page says. No token goes there, and what cannot be read is a warning: the page is not the product.
fn platform(bases: &BaseUrls, transport: &dyn Transport, clock: &dyn Clock) -> Check {
    #[derive(Deserialize)]
    struct Page {
        status: Summary,
    }
    #[derive(Deserialize)]
    struct Summary {
        indicator: String,
        #[serde(default)]
        description: String,
    }
    const ID: &str = "platform-status";
    let request = Outgoing {
        method: Method::Get,
        url: endpoint::rebase(STATUS_URL, bases.get("clickup-status", "clickup-status")),
        headers: vec![("Accept".into(), "application/json".into())],
        body: None,
    };
    let unread = |reason: String| Check::new(ID, Status::Warn, format!("{}: {reason}", request.host()));
    let answer = match pace::ask(transport, clock, PATIENCE, &request).last {
        Err(error) => return unread(error.to_string()),
        Ok(answer) if answer.status != 200 => return unread(format!("answered {}", answer.status)),
        Ok(answer) => answer,
    };
    let Ok(page) = serde_json::from_slice::<Page>(&answer.body) else {
        return unread("the answer is not what a status page says".to_owned());
    };
    let shown = |text: &str| if harmless(text, "\0") { text.to_owned() } else { "?".to_owned() };
    let message = format!("{}: {}", shown(&page.status.indicator), shown(&page.status.description));
    match page.status.indicator.as_str() {
        "none" => Check::new(ID, Status::Pass, message),
        "major" | "critical" => Check::new(ID, Status::Fail, message).with_priority("P2"),
        _ => Check::new(ID, Status::Warn, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scarce_means_less_than_a_tenth() {
        let rate = |limit, left| {
            rate(&Answer {
                status: 200,
                rate_limit: Some(limit),
                rate_remaining: Some(left),
                ..Answer::default()
            })
            .status
        };
        assert_eq!((rate(100, 10), rate(100, 9)), (Status::Pass, Status::Warn));
        assert_eq!((rate(1_000, 100), rate(1_000, 99)), (Status::Pass, Status::Warn));
        assert_eq!((rate(10_000, 0), rate(0, 0)), (Status::Warn, Status::Pass));
    }

    #[test]
    fn slow_means_more_than_two_seconds() {
        assert_eq!(latency(Duration::from_millis(2000)).status, Status::Pass);
        let slow = latency(Duration::from_millis(2001));
        assert_eq!((slow.status, slow.priority), (Status::Warn, Some("P2")));
    }
}
