//! What an answer says of a value.

use serde_json::Value;

use super::http::Answer;
use super::{State, Unknown};
use crate::rule::request::{FieldTest, Request};

/// What was read out of one answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Live, dead, or why that cannot be said.
    pub state: State,
    /// The code of the provider, such as `OAUTH_025`.
    pub code: Option<String>,
    /// The account that a live value belongs to.
    pub account: Option<String>,
    /// Whether the value names the same account; `None` when it names none.
    pub account_matches: Option<bool>,
}

/// Judges an answer. `is_rebased`: somebody named the instance to ask, so its word is final.
pub fn judge(request: &Request, answer: &Answer, secret: &str, is_rebased: bool) -> Judgement {
    let body: Option<Value> = answer.is_whole.then(|| serde_json::from_slice(&answer.body).ok()).flatten();
    let field = |pointer: &Option<String>| {
        let text = scalar(body.as_ref()?.pointer(pointer.as_deref()?)?)?;
        harmless(&text, secret).then_some(text)
    };
    let code = field(&request.code);
    let mut judgement = Judgement { code, ..Judgement::default() };
    let holds = |test: &Option<FieldTest>| {
        test.as_ref().is_none_or(|test| {
            let value = body.as_ref().and_then(|body| body.pointer(&test.at)).and_then(scalar);
            value.is_some_and(|value| test.is.contains(&value))
        })
    };
    let is_live = request.live.contains(&answer.status);
    let is_dead = request.dead.contains(&answer.status);
    judgement.state = match answer.status {
        300..400 => State::Unknown(Unknown::Redirect {
            host: answer.location_host.clone().filter(|host| harmless(host, secret)),
        }),
        429 => State::Unknown(Unknown::RateLimited),
        500.. => State::Unknown(Unknown::ServerError { status: answer.status }),
        _ if is_dead
            && holds(&request.dead_if)
            && !(is_live && request.live_if.is_some() && holds(&request.live_if)) =>
        {
            if request.elsewhere && !is_rebased { State::Unknown(Unknown::Elsewhere) } else { State::Dead }
        }
        _ if is_live && !answer.is_whole => State::Unknown(Unknown::TooLarge),
        _ if is_live && body.is_none() && !request.any_body => State::Unknown(Unknown::Malformed),
        _ if is_live && holds(&request.live_if) => {
            judgement.account = field(&request.account);
            match request.account.is_some() && judgement.account.is_none() {
                true => State::Unknown(Unknown::Malformed),
                false => State::Live,
            }
        }
        status => State::Unknown(Unknown::Undecided { status }),
    };
    if let (Some(account), Some(own)) = (&judgement.account, account_in_secret(request, secret)) {
        judgement.account_matches = Some(account == own);
    }
    judgement
}

/// The account that a value of the rule names.
pub fn account_in_secret<'s>(request: &Request, secret: &'s str) -> Option<&'s str> {
    let between = request.account_in_secret.as_ref()?;
    let rest = secret.strip_prefix(between.after.as_str())?;
    rest.split_once(between.before.as_str()).map(|(account, _)| account)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Whether a text of a server may be shown: short, plain, and no echo of what was sent.
pub(super) fn harmless(text: &str, secret: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/ ".contains(&byte);
    let is_echo = text.contains(secret) || (text.len() >= 12 && secret.contains(text));
    !text.is_empty() && text.len() <= 100 && text.bytes().all(is_plain) && !is_echo
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::RuleSet;

    fn clickup(status: u16, body: &str, secret: &str) -> Judgement {
        let rules = RuleSet::builtin();
        let request = rules.get("clickup-personal-token").unwrap().request().unwrap();
        let answer = Answer { status, body: body.as_bytes().to_vec(), is_whole: true, ..Answer::default() };
        judge(request, &answer, secret, false)
    }

    #[test]
    fn the_table_of_clickup() {
        let secret = format!("pk_{}_{}", 4815162, "A".repeat(32));
        let live = clickup(200, r#"{"user":{"id":4815162,"username":"x","email":"x@example.org"}}"#, &secret);
        assert_eq!(
            (live.state, live.account.as_deref(), live.account_matches),
            (State::Live, Some("4815162"), Some(true))
        );
        let other = clickup(200, r#"{"user":{"id":23}}"#, &secret);
        assert_eq!((other.state, other.account_matches), (State::Live, Some(false)));
        for code in ["OAUTH_018", "OAUTH_019", "OAUTH_021", "OAUTH_025", "OAUTH_077"] {
            let dead = clickup(401, &format!(r#"{{"err":"Token invalid","ECODE":"{code}"}}"#), &secret);
            assert_eq!((dead.state, dead.code.as_deref()), (State::Dead, Some(code)));
        }
        for (status, body) in [
            (400, r#"{"ECODE":"OAUTH_017"}"#),
            (401, r#"{"ECODE":"OAUTH_017"}"#),
            (401, r#"{"ECODE":"OAUTH_023"}"#),
            (401, r#"{"ECODE":"OAUTH_045"}"#),
            (401, "<html>"),
            (403, r#"{"ECODE":"OAUTH_027"}"#),
            (404, "<html>"),
            (429, r#"{"ECODE":"APP_002"}"#),
            (500, ""),
            (200, "<html>sign in to the guest network</html>"),
            (200, "{}"),
            (200, r#"{"user":{"id":null}}"#),
            (302, ""),
        ] {
            let judged = clickup(status, body, &secret);
            assert!(matches!(judged.state, State::Unknown(_)), "{status} {body}: {:?}", judged.state);
        }
    }

    #[test]
    fn an_echo_is_not_shown() {
        let secret = "A1B2C3D4E5F6G7H8";
        assert_eq!(clickup(401, &format!(r#"{{"ECODE":"{secret}"}}"#), secret).code, None);
        assert_eq!(clickup(401, &format!(r#"{{"ECODE":"x{secret}"}}"#), secret).code, None);
        assert_eq!(clickup(401, r#"{"ECODE":"B2C3D4E5F6G7H8"}"#, secret).code, None);
        assert_eq!(clickup(401, "{\"ECODE\":\"\\u001b[31m\"}", secret).code, None);
    }

    #[test]
    fn where_the_status_is_the_same_a_field_decides() {
        let rules = RuleSet::builtin();
        let request = rules.get("slack-bot-token").unwrap().request().unwrap();
        let judged = |body: &str| {
            let answer = Answer { status: 200, body: body.into(), is_whole: true, ..Answer::default() };
            judge(request, &answer, "xoxb", false).state
        };
        assert_eq!(judged(r#"{"ok":true,"user_id":"U1"}"#), State::Live);
        assert_eq!(judged(r#"{"ok":false,"error":"token_revoked"}"#), State::Dead);
        assert_eq!(
            judged(r#"{"ok":false,"error":"fatal_error"}"#),
            State::Unknown(Unknown::Undecided { status: 200 })
        );
    }

    #[test]
    fn an_instance_that_does_not_know_a_token_is_not_the_only_one() {
        let rules = RuleSet::builtin();
        let request = rules.get("gitlab-pat").unwrap().request().unwrap();
        let answer = Answer { status: 401, is_whole: true, ..Answer::default() };
        assert_eq!(judge(request, &answer, "x", false).state, State::Unknown(Unknown::Elsewhere));
        assert_eq!(judge(request, &answer, "x", true).state, State::Dead);
    }
}
