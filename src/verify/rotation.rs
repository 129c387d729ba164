//! Whether a rotation is complete: the old value is dead, the new one lives, and both belong to the same account.

use super::checks::{Check, Status};
use super::endpoint::sendable;
use super::judge::account_in_secret;
use super::{State, Subject, Verdict};

/// Judges the verdicts of the old and the new value. `expected` is the account that somebody typed.
pub fn checks(old: (&Subject, &Verdict), new: (&Subject, &Verdict), expected: Option<&str>) -> Vec<Check> {
    vec![
        alive("old-dead", old.1, &State::Dead, "the old value still works: revoke it"),
        alive("new-live", new.1, &State::Live, "the new value does not work"),
        same_account(old, new, expected),
    ]
}

fn alive(id: &'static str, verdict: &Verdict, wanted: &State, otherwise: &str) -> Check {
    let host = verdict.host.as_deref().unwrap_or("the issuer");
    let answered = match (verdict.status, &verdict.judgement.code) {
        (Some(status), Some(code)) => format!("{host} answered {status} {code}"),
        (Some(status), None) => format!("{host} answered {status}"),
        (None, _) => host.to_owned(),
    };
    match &verdict.judgement.state {
        State::Unknown(reason) => Check::new(id, Status::Unknown, format!("{answered}: {reason}")),
        state if state == wanted => Check::new(id, Status::Pass, answered),
        _ => Check::new(id, Status::Fail, format!("{otherwise} ({answered})")),
    }
}

/// A dead value is not told whose it was, so the account of the old one is what it says itself, or what was typed.
fn same_account(old: (&Subject, &Verdict), new: (&Subject, &Verdict), expected: Option<&str>) -> Check {
    const ID: &str = "same-account";
    let written = |subject: &Subject| {
        let secret = sendable(&subject.secret).ok()?;
        account_in_secret(subject.request.as_ref()?, secret).map(str::to_owned)
    };
    let asked = |verdict: &Verdict| verdict.judgement.account.clone();
    let before = expected.map(str::to_owned).or_else(|| asked(old.1)).or_else(|| written(old.0));
    let after = asked(new.1);
    if new.1.judgement.account_matches == Some(false) {
        return Check::new(ID, Status::Fail, "the new value names another account than the one it opens");
    }
    match (before, after) {
        (Some(before), Some(after)) if before == after => {
            Check::new(ID, Status::Pass, format!("account {after}"))
        }
        (Some(before), Some(after)) => Check::new(
            ID,
            Status::Fail,
            format!("the old value is of account {before}, the new one of {after}"),
        ),
        (None, Some(after)) => Check::new(
            ID,
            Status::Unknown,
            format!(
                "the new value is of account {after}; the old one does not say, so name its account with --account"
            ),
        ),
        (_, None) => Check::new(ID, Status::Unknown, "nobody told whose account the new value opens"),
    }
}
