//! How a rule asks the issuer whether a value is live: the `[rule.verify]` table.
//!
//! The build script includes this module too. The tables of the built-in rules lie apart from the rules, so
//! that only the commands that ask decode them.

use std::collections::BTreeMap;

/// A call without lasting effect, and what its answers mean. `{secret}` stands for the value, `{pair}` for the
/// other half of a credential that has two.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The verb.
    #[serde(default)]
    pub method: Method,
    /// Where to: `https`, a host that is written out, and a path in which placeholders are percent-encoded.
    pub url: String,
    /// Header fields, placeholders as they are.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// `user:password` of HTTP basic authentication (RFC 7617), before base64.
    #[serde(default)]
    pub basic: Option<String>,
    /// What is sent as `application/x-www-form-urlencoded`, unless a header says otherwise; placeholders are
    /// percent-encoded.
    #[serde(default)]
    pub body: Option<String>,
    /// Status codes of a live value. The answer must be JSON, or a page of some gateway would count.
    pub live: Vec<u16>,
    /// Status codes of a dead value. Everything that is neither says nothing.
    pub dead: Vec<u16>,
    /// What a field must say besides for the value to be live.
    #[serde(default)]
    pub live_if: Option<FieldTest>,
    /// What a field must say besides for the value to be dead.
    #[serde(default)]
    pub dead_if: Option<FieldTest>,
    /// Whether a live answer may be something else than JSON.
    #[serde(default)]
    pub any_body: bool,
    /// Where a live answer names the account (a JSON pointer, RFC 6901); one that does not is no live answer.
    #[serde(default)]
    pub account: Option<String>,
    /// Where the value itself names the account.
    #[serde(default)]
    pub account_in_secret: Option<Between>,
    /// Whether the provider also lives at other hosts, its customers' own or those of another region: what this one does not
    /// know may be live there.
    #[serde(default)]
    pub elsewhere: bool,
    /// Where an answer holds a code worth showing (a JSON pointer).
    #[serde(default)]
    pub code: Option<String>,
}

/// The verbs that are needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    #[default]
    Get,
    /// For interfaces that read by it, such as GraphQL.
    Post,
}

impl Method {
    /// As it stands in a request.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
        }
    }
}

/// A field of an answer in JSON has one of these values.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldTest {
    /// The field, as a JSON pointer (RFC 6901).
    pub at: String,
    /// The values, written as text: `true`, `42`, `invalid_auth`.
    pub is: Vec<String>,
}

/// A part of the value.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Between {
    /// What stands before it, from the start of the value.
    pub after: String,
    /// What follows it.
    pub before: String,
}

impl Request {
    /// Whether the table can be used.
    ///
    /// # Errors
    ///
    /// A sentence that says which key is wrong and why.
    pub fn check(&self) -> Result<(), String> {
        let host = self.host().ok_or("`verify.url` must start with `https://` and a host")?;
        let is_host_byte = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_host_byte) {
            return Err(format!(
                "`verify.url`: the host `{host}` must be written out, without port or placeholder"
            ));
        }
        for name in self.headers.keys() {
            if name.is_empty()
                || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            {
                return Err(format!("`verify.headers`: `{name}` is no name of a header field"));
            }
        }
        self.check_placeholders()?;
        self.check_answers()
    }

    fn check_placeholders(&self) -> Result<(), String> {
        let texts = self.texts();
        if !texts.iter().any(|text| text.contains("{secret}")) {
            return Err(
                "`verify` sends the value nowhere: put {secret} into a header, `basic`, `body` or `url`"
                    .into(),
            );
        }
        for text in texts {
            if text.bytes().any(|byte| byte.is_ascii_control()) {
                return Err("`verify` holds a control character".into());
            }
            // Bodies in JSON hold braces too, so only what looks like a name counts.
            for piece in text.split('{').skip(1) {
                let name = piece.split('}').next().unwrap_or_default();
                let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
                if is_name && name != "secret" && name != "pair" {
                    return Err(format!(
                        "`verify`: there is no placeholder {{{name}}}; there are {{secret}} and {{pair}}"
                    ));
                }
            }
        }
        Ok(())
    }

    fn check_answers(&self) -> Result<(), String> {
        if self.live.is_empty() || self.dead.is_empty() {
            return Err("`verify` needs status codes for `live` and for `dead`".into());
        }
        let says_nothing =
            |&&status: &&u16| !(200..500).contains(&status) || status == 429 || status / 100 == 3;
        if let Some(status) = self.live.iter().chain(&self.dead).find(says_nothing) {
            return Err(format!("`verify`: status {status} says nothing of a value"));
        }
        let both = self.live.iter().any(|status| self.dead.contains(status));
        if both && (self.live_if.is_none() || self.dead_if.is_none()) {
            return Err("`verify`: a status in both `live` and `dead` needs `live_if` and `dead_if`".into());
        }
        let tests = [&self.live_if, &self.dead_if];
        let tests = tests.into_iter().flatten().map(|test| &test.at);
        let mut pointers = tests.chain(&self.account).chain(&self.code);
        match pointers.find(|pointer| !pointer.starts_with('/')) {
            Some(pointer) => Err(format!("`verify`: `{pointer}` is no JSON pointer; it starts with `/`")),
            None => Ok(()),
        }
    }

    /// The host that is asked.
    pub fn host(&self) -> Option<&str> {
        let rest = self.url.strip_prefix("https://")?;
        rest.split(['/', '?']).next()
    }

    /// Whether the other half of the credential is needed.
    pub fn needs_pair(&self) -> bool {
        self.texts().iter().any(|text| text.contains("{pair}"))
    }

    /// Every text that may hold a placeholder.
    fn texts(&self) -> Vec<&str> {
        let mut texts = vec![self.url.as_str()];
        texts.extend(self.headers.values().map(String::as_str));
        texts.extend(self.basic.as_deref());
        texts.extend(self.body.as_deref());
        texts
    }

    /// Where the value stands, in a few words.
    pub fn carriers(&self) -> String {
        let holds = |text: &str| text.contains("{secret}");
        let headers = self.headers.iter().filter(|(_, value)| holds(value));
        let mut places: Vec<String> = headers.map(|(name, _)| format!("header {name}")).collect();
        places.extend(
            self.basic.as_deref().filter(|text| holds(text)).map(|_| "basic authentication".to_owned()),
        );
        places.extend(self.body.as_deref().filter(|text| holds(text)).map(|_| "the body".to_owned()));
        places.extend(holds(&self.url).then(|| "the URL".to_owned()));
        places.join(" and ")
    }

    /// One line for people: the call, where the value goes, and what the answers mean.
    pub fn summary(&self) -> String {
        let codes = |codes: &[u16], test: &Option<FieldTest>| {
            let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
            let test = test.as_ref().map(|test| format!(" with {} = {}", test.at, test.is.join("|")));
            format!("{}{}", codes.join("|"), test.unwrap_or_default())
        };
        format!(
            "{} {} with the value in {}; live {}, dead {}",
            self.method.name(),
            self.url,
            self.carriers(),
            codes(&self.live, &self.live_if),
            codes(&self.dead, &self.dead_if)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "url = \"https://api.example.org/me\"\nheaders = { Authorization = \"Bearer {secret}\" }\n\
                        live = [200]\ndead = [401]\n";

    fn check(text: &str) -> Result<(), String> {
        toml::from_str::<Request>(text).map_err(|error| error.message().to_owned())?.check()
    }

    #[test]
    fn bad_tables_are_refused_with_a_reason() {
        assert_eq!(check(GOOD), Ok(()));
        for (from, to, reason) in [
            ("https://", "http://", "must start with `https://`"),
            ("api.example.org", "{host}", "must be written out"),
            ("api.example.org", "api.example.org:8443", "must be written out"),
            ("api.example.org", "user@example.org", "must be written out"),
            ("{secret}", "x", "sends the value nowhere"),
            ("/me", "/{shop}/me", "no placeholder {shop}"),
            ("[401]", "[]", "needs status codes"),
            ("[401]", "[429]", "status 429 says nothing"),
            ("[401]", "[503]", "status 503 says nothing"),
            ("[401]", "[200]", "needs `live_if` and `dead_if`"),
            ("[401]", "[401]\naccount = \"id\"", "no JSON pointer"),
            ("[401]", "[401]\naccout = \"/id\"", "unknown field"),
            ("Authorization =", "\"A B\" =", "no name of a header field"),
        ] {
            let error = check(&GOOD.replace(from, to)).unwrap_err();
            assert!(error.contains(reason), "{to}: {error}");
        }
    }
}
