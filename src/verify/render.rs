//! Verdicts as text and as JSON.

use std::fmt::Write;

use bstr::ByteSlice;
use serde_json::{Value, json};

use super::{Options, State, Subject, Verdict, plan};
use crate::report::text::{count, escape};

/// What was learnt, for people: the live ones first.
pub fn human(subjects: &[Subject], verdicts: &[Verdict]) -> String {
    let mut out = String::new();
    let rank = |state: &State| match state {
        State::Live => 0,
        State::Unknown(_) => 1,
        State::Dead => 2,
    };
    let mut pairs: Vec<(&Subject, &Verdict)> = subjects.iter().zip(verdicts).collect();
    pairs.sort_by_key(|(_, verdict)| rank(&verdict.judgement.state));
    for (subject, verdict) in pairs {
        let name = match verdict.judgement.state {
            State::Live => "LIVE",
            ref other => other.name(),
        };
        line(
            &mut out,
            format_args!("{name:<8} {}  {}  {}", subject.rule.id, subject.secret, places(subject)),
        );
        for detail in details(verdict) {
            line(&mut out, format_args!("         {}", escape(&detail)));
        }
        if let (State::Live, Some(revoke)) = (&verdict.judgement.state, &subject.rule.revoke) {
            line(&mut out, format_args!("         revoke: {}", escape(revoke)));
        }
    }
    if !subjects.is_empty() {
        out.push('\n');
    }
    let number =
        |wanted: &str| verdicts.iter().filter(|verdict| verdict.judgement.state.name() == wanted).count();
    line(
        &mut out,
        format_args!(
            "{}: {} live, {} dead, {} unknown",
            count(subjects.len() as u64, "distinct secret"),
            number("live"),
            number("dead"),
            number("unknown")
        ),
    );
    out
}

fn details(verdict: &Verdict) -> Vec<String> {
    let judgement = &verdict.judgement;
    let mut details = Vec::new();
    let answered = match (&verdict.host, verdict.status) {
        (Some(host), Some(status)) => {
            let code = judgement.code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
            format!("{host} answered {status}{code}")
        }
        (Some(host), None) => host.clone(),
        _ => String::new(),
    };
    let tries =
        if verdict.attempts > 1 { format!(" after {} requests", verdict.attempts) } else { String::new() };
    match &judgement.state {
        State::Unknown(reason) if answered.is_empty() => details.push(reason.to_string()),
        State::Unknown(reason) => details.push(format!("{answered}{tries}: {reason}")),
        State::Live | State::Dead => details.push(format!("{answered}{tries}")),
    }
    if let Some(account) = &judgement.account {
        let note = match judgement.account_matches {
            Some(true) => ", the one that the value names",
            Some(false) => ", NOT the one that the value names",
            None => "",
        };
        details.push(format!("account {account}{note}"));
    }
    match &verdict.workspaces {
        None => {}
        Some(Err(reason)) => details.push(format!("workspaces: {reason}")),
        Some(Ok(workspaces)) => details.extend(
            workspaces
                .iter()
                .map(|workspace| format!("opens workspace {} ({})", workspace.name, workspace.id)),
        ),
    }
    details
}

/// At most three places, and how many more there are.
fn places(subject: &Subject) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = subject.places.iter().take(SHOWN).map(place).collect();
    let more = subject.places.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

fn place((path, line): &(bstr::BString, Option<u64>)) -> String {
    let path = escape(&path.to_str_lossy()).into_owned();
    line.map_or_else(|| path.clone(), |line| format!("{path}:{line}"))
}

/// What was learnt as one JSON document.
///
/// Members: `version` (1), `live`, `dead` and `unknown` (numbers), and `results`, each with `rule`, `provider`,
/// `fingerprint`, `secret` (redacted), `state`, `reason` (of unknown), `host`, `status`, `code`, `account`,
/// `account_matches`, `attempts`, `workspaces` (each with `id` and `name`), `workspaces_error` and `places` (each with
/// `path` and `line`). What does not apply is `null`.
pub fn json(subjects: &[Subject], verdicts: &[Verdict]) -> Value {
    let number =
        |wanted: &str| verdicts.iter().filter(|verdict| verdict.judgement.state.name() == wanted).count();
    let results: Vec<Value> =
        subjects.iter().zip(verdicts).map(|(subject, verdict)| result(subject, verdict)).collect();
    json!({
        "version": 1,
        "live": number("live"),
        "dead": number("dead"),
        "unknown": number("unknown"),
        "results": results,
    })
}

fn result(subject: &Subject, verdict: &Verdict) -> Value {
    let judgement = &verdict.judgement;
    let reason = match &judgement.state {
        State::Unknown(reason) => Some(reason.to_string()),
        _ => None,
    };
    let workspaces = verdict.workspaces.as_ref();
    let mut value = identity(subject);
    let more = json!({
        "state": judgement.state.name(),
        "reason": reason,
        "host": verdict.host,
        "status": verdict.status,
        "code": judgement.code,
        "account": judgement.account,
        "account_matches": judgement.account_matches,
        "attempts": verdict.attempts,
        "workspaces": workspaces.and_then(|asked| asked.as_ref().ok()),
        "workspaces_error": workspaces.and_then(|asked| asked.as_ref().err()).map(ToString::to_string),
    });
    if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
        value.extend(more);
    }
    value
}

fn identity(subject: &Subject) -> Value {
    let places: Vec<Value> = subject
        .places
        .iter()
        .map(|(path, line)| json!({ "path": path.to_str_lossy(), "line": line }))
        .collect();
    json!({
        "rule": subject.rule.id,
        "provider": subject.rule.provider,
        "fingerprint": subject.fingerprint.to_string(),
        "secret": subject.secret.redacted(),
        "places": places,
    })
}

/// What would be sent where, for people.
pub fn human_plan(subjects: &[Subject], options: &Options) -> String {
    let mut out = String::new();
    for subject in subjects {
        let what = format!("{}  {}  {}", subject.rule.id, subject.secret, places(subject));
        match plan(subject, options) {
            Ok(planned) => {
                line(&mut out, format_args!("send     {what}"));
                line(
                    &mut out,
                    format_args!("         {} {} in {}", planned.method, planned.url, planned.summary),
                );
            }
            Err(reason) => {
                line(&mut out, format_args!("nothing  {what}"));
                line(&mut out, format_args!("         {}", escape(&reason.to_string())));
            }
        }
    }
    line(&mut out, format_args!("dry run: nothing was sent"));
    out
}

/// What would be sent where as one JSON document: `version`, `dry_run` and `requests`, each with the identity of a
/// result and `method`, `url`, `carried_in`, `host`, or with `reason` when nothing would be sent.
pub fn json_plan(subjects: &[Subject], options: &Options) -> Value {
    let requests: Vec<Value> = subjects
        .iter()
        .map(|subject| {
            let mut value = identity(subject);
            let more = match plan(subject, options) {
                Ok(planned) => json!({ "method": planned.method, "url": planned.url, "host": planned.host,
                    "carried_in": planned.summary, "reason": null }),
                Err(reason) => json!({ "method": null, "url": null, "host": null, "carried_in": null,
                    "reason": reason.to_string() }),
            };
            if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
                value.extend(more);
            }
            value
        })
        .collect();
    json!({ "version": 1, "dry_run": true, "requests": requests })
}

pub(super) fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("a string takes everything");
}
