//! JSON Web Tokens (RFC 7519): the header names an algorithm, the claims when the token ends.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Proof, base64};
use crate::level::Confidence;

/// Judges a token by its header and its claims.
pub fn prove(value: &[u8], now: Timestamp) -> Proof {
    let mut parts = value.split(|&byte| byte == b'.');
    let Some(header) = parts.next().and_then(object) else {
        return Proof::Refuted("its header does not decode to JSON");
    };
    let Some(algorithm) = header.get("alg").and_then(Value::as_str) else {
        return Proof::Refuted("its header names no algorithm");
    };
    if algorithm.eq_ignore_ascii_case("none") {
        return Proof::Refuted("it is not signed: anybody can write it");
    }
    // The name goes to the report, so it is nothing but a name.
    let is_name = algorithm.len() <= 20 && algorithm.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !is_name {
        return Proof::Refuted("its header names no algorithm");
    }
    let Some(claims) = parts.next().and_then(object) else { return Proof::Silent };
    if is_documented(&claims) {
        return Proof::Refuted("the sample of jwt.io");
    }
    if is_public_key(&claims) {
        return Proof::Refuted("a key of Supabase for the role `anon`, which is meant to be seen");
    }
    let end = claims.get("exp").and_then(Value::as_f64).and_then(moment);
    match end {
        Some(end) if end < now => Proof::Judged(
            Confidence::Medium,
            format!("a signed token, {algorithm}, that expired on {}", day(end)),
        ),
        Some(end) => Proof::Proven(format!("its parts decode, {algorithm}, good until {}", day(end))),
        None => Proof::Proven(format!("its parts decode, {algorithm}")),
    }
}

fn object(part: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(&base64::decode(part)?).ok()
}

/// The token that jwt.io shows, with any signature.
fn is_documented(claims: &Map<String, Value>) -> bool {
    claims.get("sub").is_some_and(|sub| sub == "1234567890")
        && claims.get("name").is_some_and(|name| name == "John Doe")
}

/// The key that Supabase puts into web pages.
fn is_public_key(claims: &Map<String, Value>) -> bool {
    claims.get("iss").is_some_and(|issuer| issuer == "supabase")
        && claims.get("role").is_some_and(|role| role == "anon")
}

/// A number of seconds, with or without a fraction.
fn moment(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_second(seconds as i64).ok()
}

fn day(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;

    use super::super::tests::prove_now;
    use super::*;
    use crate::rule::schema::Checksum;

    fn token(header: &str, claims: &str) -> Proof {
        let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        let value = format!("{}.{}.{}", part(header), part(claims), "a".repeat(43));
        prove_now(Checksum::Jwt, value.as_bytes())
    }

    const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

    #[test]
    fn parts_that_decode_prove() {
        assert_eq!(token(HEADER, r#"{"sub":"7"}"#), Proof::Proven("its parts decode, HS256".into()));
        assert_eq!(
            token(HEADER, r#"{"exp":1900000000}"#),
            Proof::Proven("its parts decode, HS256, good until 2030-03-17".into())
        );
        assert_eq!(token(HEADER, "no claims"), Proof::Silent, "a signed text may be anything");
    }

    #[test]
    fn an_expired_token_says_when() {
        let reason = "a signed token, HS256, that expired on 2021-03-04".to_owned();
        for claims in [r#"{"exp":1614816000}"#, r#"{"exp":1614816000.5}"#] {
            assert_eq!(token(HEADER, claims), Proof::Judged(Confidence::Medium, reason.clone()));
        }
        let absurd = token(HEADER, r#"{"exp":1e300}"#);
        assert_eq!(absurd, Proof::Proven("its parts decode, HS256".into()));
    }

    #[test]
    fn what_is_no_secret_is_refuted() {
        for header in [r#"{"typ":"JWT"}"#, "{alg}", "[]", "{\"alg\":\"\u{1b}[31m\"}", r#"{"alg":"none"}"#] {
            assert!(matches!(token(header, r#"{"sub":"7"}"#), Proof::Refuted(_)), "{header}");
        }
        let sample = r#"{"sub":"1234567890","name":"John Doe","iat":1516239022}"#;
        assert_eq!(token(HEADER, sample), Proof::Refuted("the sample of jwt.io"));
        assert!(matches!(token(HEADER, r#"{"iss":"supabase","role":"anon"}"#), Proof::Refuted(_)));
        let secret = r#"{"iss":"supabase","role":"service_role"}"#;
        assert!(matches!(token(HEADER, secret), Proof::Proven(_)));
    }
}
