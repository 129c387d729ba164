//! From a rule's `[rule.verify]` table and a value to a request.

use std::collections::BTreeMap;

use data_encoding::BASE64;

use super::http::Outgoing;
use crate::rule::request::Request;
use crate::secret::Secret;

/// Other places for the interfaces of some providers: a server of a test, a region, an instance of one's own.
#[derive(Clone, Debug, Default)]
pub struct BaseUrls(BTreeMap<String, String>);

/// What is wrong with an entry of [`BaseUrls`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It has no `=`.
    #[error("a base URL is written PROVIDER=URL, such as gitlab=https://gitlab.example.org")]
    Form,
    /// The URL cannot be used.
    #[error(
        "the base URL of `{provider}` must be https://HOST[:PORT][/PATH], without user, query or fragment; plain http leads to this machine alone"
    )]
    Url {
        /// The provider as it was written.
        provider: String,
    },
}

impl BaseUrls {
    /// Reads `PROVIDER=URL`; the provider as rules name it, or the id of a rule, in any case.
    ///
    /// # Errors
    ///
    /// When it has another form.
    pub fn add(&mut self, entry: &str) -> Result<(), BaseUrlError> {
        let (provider, url) = entry.split_once('=').ok_or(BaseUrlError::Form)?;
        let key = key(provider);
        let url = url.trim_end_matches('/');
        let is_scheme = url.starts_with("https://") || url.starts_with("http://");
        let is_clean = url.bytes().all(|byte| byte.is_ascii_graphic() && !b"@?#{}\"<>\\".contains(&byte));
        let has_host =
            url.split_once("://").is_some_and(|(_, rest)| !rest.is_empty() && !rest.starts_with('/'));
        if key.is_empty() {
            return Err(BaseUrlError::Form);
        }
        if !(is_scheme && is_clean && has_host) {
            return Err(BaseUrlError::Url { provider: provider.to_owned() });
        }
        self.0.insert(key, url.to_owned());
        Ok(())
    }

    /// The providers that entries speak of, as keys; for saying which of them does not exist.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The place for a rule, if it has one of its own.
    pub fn get(&self, rule_id: &str, provider: &str) -> Option<&str> {
        self.0.get(&key(rule_id)).or_else(|| self.0.get(&key(provider))).map(String::as_str)
    }
}

/// Small letters and digits: `Hugging Face`, `hugging-face` and `huggingface` are one.
pub fn key(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The URL with another beginning.
pub(super) fn rebase(url: &str, base: Option<&str>) -> String {
    let Some(base) = base else { return url.to_owned() };
    let rest = url.strip_prefix("https://").unwrap_or(url);
    let path = rest.find(['/', '?']).map_or("", |at| &rest[at..]);
    format!("{base}{path}")
}

/// Why a value is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSendable {
    /// It would break out of its place in the request.
    #[error("it holds a line break, a space or a control character and is not sent")]
    Bytes,
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// It is longer than any token.
    #[error("it is longer than 16 KiB and is not sent")]
    Length,
    /// The other half is needed.
    #[error("its other half was not found beside it")]
    Pair,
}

/// Longest value that is sent, in bytes: the most that common servers take in one header field.
const MAX_SECRET_BYTES: usize = 16 << 10;

/// The value as text, if it can be sent.
pub(super) fn sendable(secret: &Secret) -> Result<&str, NotSendable> {
    let bytes = secret.reveal();
    match bytes.len() {
        0 => return Err(NotSendable::Empty),
        len if len > MAX_SECRET_BYTES => return Err(NotSendable::Length),
        _ => {}
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(text),
        _ => Err(NotSendable::Bytes),
    }
}

/// Puts the value into the request.
///
/// # Errors
///
/// When the value must not be sent or the other half is missing.
pub fn outgoing(
    request: &Request,
    secret: &Secret,
    pair: Option<&Secret>,
    base: Option<&str>,
) -> Result<Outgoing, NotSendable> {
    let secret = sendable(secret)?;
    let pair = match pair {
        _ if !request.needs_pair() => "",
        Some(pair) => sendable(pair)?,
        None => return Err(NotSendable::Pair),
    };
    let plain = |text: &str| fill(text, secret, pair);
    let encoded = |text: &str| fill(text, &percent(secret), &percent(pair));
    let mut headers: Vec<(String, String)> =
        request.headers.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
    if let Some(basic) = &request.basic {
        headers.push(("Authorization".into(), format!("Basic {}", BASE64.encode(plain(basic).as_bytes()))));
    }
    let has = |wanted: &str| request.headers.keys().any(|name| name.eq_ignore_ascii_case(wanted));
    if !has("accept") {
        headers.push(("Accept".into(), "application/json".into()));
    }
    if request.body.is_some() && !has("content-type") {
        headers.push(("Content-Type".into(), "application/x-www-form-urlencoded".into()));
    }
    Ok(Outgoing {
        method: request.method,
        url: encoded(&rebase(&request.url, base)),
        headers,
        body: request.body.as_deref().map(encoded),
    })
}

/// Fills in one pass, so that a value which reads like a placeholder stays what it is.
fn fill(text: &str, secret: &str, pair: &str) -> String {
    let mut filled = String::with_capacity(text.len() + secret.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let (value, len) = if rest.starts_with("{secret}") {
            (secret, "{secret}".len())
        } else if rest.starts_with("{pair}") {
            (pair, "{pair}".len())
        } else {
            ("{", 1)
        };
        filled.push_str(value);
        rest = &rest[len..];
    }
    filled.push_str(rest);
    filled
}

/// Everything but letters, digits and `-._~` as `%XX` (RFC 3986, section 2.3), and `:`, which may stand in a path.
fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Request {
        toml::from_str(&format!("{text}\nlive = [200]\ndead = [401]")).unwrap()
    }

    #[test]
    fn placeholders_are_filled_and_encoded_where_they_stand() {
        let request = request(
            "url = 'https://api.example.org/v1?key={secret}'\nheaders = { X-Key = 'k {secret}' }\n\
             basic = '{pair}:{secret}'\nbody = 'a={secret}&q={ x }'",
        );
        let sent = outgoing(
            &request,
            &Secret::new(*b"a/b{pair}"),
            Some(&Secret::new(*b"id")),
            Some("http://127.0.0.1:1/x"),
        );
        let sent = sent.unwrap();
        assert_eq!(sent.url, "http://127.0.0.1:1/x/v1?key=a%2Fb%7Bpair%7D");
        assert_eq!(sent.host(), "127.0.0.1:1");
        assert_eq!(sent.headers[0], ("X-Key".into(), "k a/b{pair}".into()));
        assert_eq!(sent.headers[1].1, format!("Basic {}", BASE64.encode(b"id:a/b{pair}")));
        assert_eq!(sent.body.as_deref(), Some("a=a%2Fb%7Bpair%7D&q={ x }"));
    }

    #[test]
    fn values_that_would_break_out_are_not_sent() {
        let request = request("url = 'https://api.example.org/{pair}'\nheaders = { X-Key = '{secret}' }");
        let pair = Secret::new(*b"id");
        for bad in ["a\r\nX-Other: b", "a\nb", "a b", "a\tb", "a\u{7f}", "a\0", "ключ"] {
            let error = outgoing(&request, &Secret::new(bad.as_bytes()), Some(&pair), None).unwrap_err();
            assert_eq!(error, NotSendable::Bytes, "{bad:?}");
        }
        let good = Secret::new(*b"good");
        assert_eq!(
            outgoing(&request, &Secret::new(*b""), Some(&pair), None).unwrap_err(),
            NotSendable::Empty
        );
        assert_eq!(outgoing(&request, &good, None, None).unwrap_err(), NotSendable::Pair);
        let bad_pair = Secret::new(*b"i\nd");
        assert_eq!(outgoing(&request, &good, Some(&bad_pair), None).unwrap_err(), NotSendable::Bytes);
    }

    #[test]
    fn base_urls_are_found_by_provider_or_rule() {
        let mut bases = BaseUrls::default();
        bases.add("GitLab=https://git.example.org/gitlab/").unwrap();
        bases.add("hugging-face=http://127.0.0.1:9").unwrap();
        assert_eq!(bases.get("gitlab-pat", "GitLab"), Some("https://git.example.org/gitlab"));
        assert_eq!(bases.get("x", "Hugging Face"), Some("http://127.0.0.1:9"));
        assert_eq!(bases.get("x", "GitHub"), None);
        for bad in [
            "gitlab",
            "=https://x",
            "a=ftp://x",
            "a=https://u@x",
            "a=https://",
            "a=https:///x",
            "a=https://x?y",
        ] {
            assert!(bases.add(bad).is_err(), "{bad}");
        }
    }
}
