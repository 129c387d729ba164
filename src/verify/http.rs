//! One request over the network, and what came of it.

use std::fmt;
use std::io::Read;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::{HeaderMap, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Proxy};

use super::address::is_public;
use crate::rule::request::Method;

/// The most bytes of an answer that are read; a longer one is not judged by its body.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// A request that is ready to go. `Debug` shows where it goes and nothing of what it carries.
pub struct Outgoing {
    /// The verb.
    pub method: Method,
    /// The whole URL; may hold the secret.
    pub url: String,
    /// Header fields; one of them may hold the secret.
    pub headers: Vec<(String, String)>,
    /// The body, if there is one.
    pub body: Option<String>,
}

impl Outgoing {
    /// The host that is asked, with its port if it has one; never holds the secret.
    pub fn host(&self) -> &str {
        let rest = self.url.split_once("://").map_or("", |(_, rest)| rest);
        rest.split(['/', '?']).next().unwrap_or_default()
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("method", &self.method)
            .field("host", &self.host())
            .finish_non_exhaustive()
    }
}

/// An answer.
#[derive(Clone, Default)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// `Retry-After` as it came.
    pub retry_after: Option<String>,
    /// `X-RateLimit-Limit`: requests in a minute, for ClickUp.
    pub rate_limit: Option<u64>,
    /// `X-RateLimit-Remaining`.
    pub rate_remaining: Option<u64>,
    /// `X-RateLimit-Reset`.
    pub rate_reset: Option<i64>,
    /// The host that `Location` names.
    pub location_host: Option<String>,
    /// The body, up to [`MAX_BODY_BYTES`].
    pub body: Vec<u8>,
    /// Whether that is all of it.
    pub is_whole: bool,
    /// From the start of the request to the end of the answer.
    pub elapsed: Duration,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A server may echo what it was sent.
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It may go better next time.
    #[error("{0}")]
    Failed(&'static str),
    /// It will not.
    #[error("{0}")]
    Refused(&'static str),
}

/// Sends requests. A test puts a script in the place of the network.
pub trait Transport: Sync {
    /// Sends one request, once, and follows no redirect.
    ///
    /// # Errors
    ///
    /// When no whole answer came, or the request may not be sent.
    fn send(&self, request: &Outgoing) -> Result<Answer, SendError>;
}

/// How to reach the network.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// For one request as a whole, from the look-up of the name to the last byte.
    pub timeout: Duration,
    /// Whether addresses that are not public may be asked.
    pub allow_private: bool,
}

/// HTTP and TLS. Honours `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in either case.
#[derive(Debug)]
pub struct Http {
    options: HttpOptions,
    env: fn(&str) -> Option<String>,
    tls: OnceLock<Result<TlsConfig, SendError>>,
}

const BLOCKED: &str = "the host has an address that is not public; --allow-private asks it all the same";
const PLAIN: &str = "a secret is not sent over plain http, but to this machine";

impl Http {
    /// Reads the environment when a request is sent.
    pub fn new(options: HttpOptions) -> Self {
        Self { options, env: |name| std::env::var(name).ok(), tls: OnceLock::new() }
    }

    fn agent(&self, uri: &Uri) -> Result<Agent, SendError> {
        let host = bare_host(uri);
        let is_local = is_loopback(host);
        if uri.scheme_str() != Some("https") && !is_local {
            return Err(SendError::Refused(PLAIN));
        }
        let is_blocked = is_local || host.parse().is_ok_and(|address| !is_public(address));
        if is_blocked && !self.options.allow_private {
            return Err(SendError::Refused(BLOCKED));
        }
        let proxy = self.proxy(uri, host)?;
        let mut config = Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(self.options.timeout))
            .user_agent(concat!("stanch/", env!("CARGO_PKG_VERSION")))
            .proxy(proxy.clone());
        if uri.scheme_str() == Some("https") {
            config = config.tls_config(self.tls.get_or_init(tls).clone()?);
        }
        let config = config.build();
        Ok(match proxy {
            // The proxy is the user's own choice and may well be at a private address; it looks up the host.
            Some(_) => Agent::with_parts(config, DefaultConnector::default(), DefaultResolver::default()),
            None => {
                let resolver = PublicResolver {
                    inner: DefaultResolver::default(),
                    allow_private: self.options.allow_private,
                };
                Agent::with_parts(config, DefaultConnector::default(), resolver)
            }
        })
    }

    /// The proxy for that URL. A name in lower case wins, as in curl.
    fn proxy(&self, uri: &Uri, host: &str) -> Result<Option<Proxy>, SendError> {
        if is_loopback(host) {
            return Ok(None);
        }
        let read = |name: &str| {
            let value = (self.env)(&name.to_ascii_lowercase()).or_else(|| (self.env)(name));
            value.filter(|value| !value.trim().is_empty())
        };
        let own = if uri.scheme_str() == Some("https") { "HTTPS_PROXY" } else { "HTTP_PROXY" };
        let Some(proxy) = read(own).or_else(|| read("ALL_PROXY")) else { return Ok(None) };
        if read("NO_PROXY").is_some_and(|list| is_exempt(&list, host)) {
            return Ok(None);
        }
        let bad = SendError::Refused("the proxy in the environment is no URL that can be used");
        Proxy::new(proxy.trim()).map(Some).map_err(|_| bad)
    }
}

impl Transport for Http {
    fn send(&self, request: &Outgoing) -> Result<Answer, SendError> {
        const NO_URL: SendError = SendError::Refused("the URL cannot be used");
        let uri: Uri = request.url.parse().map_err(|_| NO_URL)?;
        let agent = self.agent(&uri)?;
        let mut builder = ureq::http::Request::builder().method(request.method.name()).uri(uri);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        const BAD: SendError = SendError::Refused("the value does not fit into a header field");
        let started = Instant::now();
        let sent = match &request.body {
            Some(body) => agent.run(builder.body(body.as_str()).map_err(|_| BAD)?),
            None if request.method == Method::Post => agent.run(builder.body("").map_err(|_| BAD)?),
            None => agent.run(builder.body(()).map_err(|_| BAD)?),
        };
        let mut response = sent.map_err(|error| explain(&error))?;
        let mut answer = read_head(response.status().as_u16(), response.headers());
        let mut body = Vec::new();
        let mut reader = response.body_mut().as_reader().take(MAX_BODY_BYTES as u64 + 1);
        if reader.read_to_end(&mut body).is_err() {
            return Err(SendError::Failed("the connection ended before the answer did, or the time was up"));
        }
        answer.is_whole = body.len() <= MAX_BODY_BYTES;
        body.truncate(MAX_BODY_BYTES);
        answer.body = body;
        answer.elapsed = started.elapsed();
        Ok(answer)
    }
}

fn read_head(status: u16, headers: &HeaderMap) -> Answer {
    let text = |name: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).map(|text| text.trim().to_owned())
    };
    let location: Option<Uri> = text("location").and_then(|location| location.parse().ok());
    Answer {
        status,
        retry_after: text("retry-after"),
        rate_limit: text("x-ratelimit-limit").and_then(|text| text.parse().ok()),
        rate_remaining: text("x-ratelimit-remaining").and_then(|text| text.parse().ok()),
        rate_reset: text("x-ratelimit-reset").and_then(|text| text.parse().ok()),
        location_host: location.and_then(|location| location.host().map(str::to_owned)),
        ..Answer::default()
    }
}

/// What went wrong in words of our own: an error of the client may quote the URL, and that may hold the secret.
fn explain(error: &ureq::Error) -> SendError {
    use ureq::Error;
    match error {
        Error::Timeout(_) => SendError::Failed("no whole answer in time"),
        Error::HostNotFound => SendError::Failed("the name of the host cannot be resolved"),
        Error::Io(error) => io_error(error),
        Error::ConnectionFailed => SendError::Failed("no connection"),
        Error::Protocol(_) | Error::LargeResponseHeader(..) => SendError::Failed("the answer is no HTTP"),
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => {
            SendError::Failed("the proxy does not connect")
        }
        Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) => {
            SendError::Refused("the certificate of the host cannot be trusted, or TLS failed")
        }
        Error::Other(inner) if inner.is::<NotPublic>() => SendError::Refused(BLOCKED),
        _ => SendError::Failed("the request failed"),
    }
}

fn io_error(error: &std::io::Error) -> SendError {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => SendError::Failed("the host refuses the connection"),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => SendError::Failed("no whole answer in time"),
        // rustls speaks through errors of this kind when a certificate does not hold.
        ErrorKind::InvalidData => {
            SendError::Refused("the certificate of the host cannot be trusted, or TLS failed")
        }
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::UnexpectedEof
        | ErrorKind::BrokenPipe => SendError::Failed("the connection ended before the answer did"),
        _ => SendError::Failed("no connection"),
    }
}

/// Certificates of this machine, read when something is sent over TLS for the first time.
fn tls() -> Result<TlsConfig, SendError> {
    let loaded = rustls_native_certs::load_native_certs();
    let certificates: Vec<Certificate<'static>> =
        loaded.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    if certificates.is_empty() {
        return Err(SendError::Refused(
            "this machine has no certificates to trust; install ca-certificates or set SSL_CERT_FILE",
        ));
    }
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&certificates))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build())
}

/// Looks a host up and refuses it when any of its addresses is not public. What was looked up is what is
/// connected to, so a second answer of the name server changes nothing.
#[derive(Debug)]
struct PublicResolver {
    inner: DefaultResolver,
    allow_private: bool,
}

/// The host has an address that is not public.
#[derive(Debug, thiserror::Error)]
#[error("not a public address")]
struct NotPublic;

impl Resolver for PublicResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let addresses = self.inner.resolve(uri, config, timeout)?;
        if !self.allow_private && addresses.iter().any(|address| !is_public(address.ip())) {
            return Err(ureq::Error::Other(Box::new(NotPublic)));
        }
        Ok(addresses)
    }
}

/// The host without the brackets of an IPv6 address.
fn bare_host(uri: &Uri) -> &str {
    uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Whether `NO_PROXY` names the host: `*`, the host itself, or a domain that it lies in.
fn is_exempt(list: &str, host: &str) -> bool {
    list.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.split_once(':').map_or(entry, |(name, port)| {
            // A port is of no matter here; more than one colon is an IPv6 address.
            if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { entry }
        });
        let domain = entry.trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase();
        let host = host.to_ascii_lowercase();
        entry == "*" || host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_names_hosts_and_domains() {
        for (list, host, expected) in [
            ("*", "api.example.org", true),
            ("example.org", "api.example.org", true),
            (".example.org, other", "api.example.org", true),
            ("*.example.org", "api.example.org", true),
            ("example.org:443", "api.example.org", true),
            ("ample.org", "api.example.org", false),
            ("localhost,127.0.0.1", "127.0.0.1", true),
            ("::1", "::1", true),
            ("", "api.example.org", false),
        ] {
            assert_eq!(is_exempt(list, host), expected, "{list} {host}");
        }
    }

    #[test]
    fn the_proxy_comes_from_the_variable_of_the_scheme() {
        fn env(name: &str) -> Option<String> {
            let value = match name {
                "HTTPS_PROXY" => "http://proxy.example.org:3128",
                "all_proxy" => "http://all.example.org:3128",
                "NO_PROXY" => "internal.example.org",
                _ => return None,
            };
            Some(value.to_owned())
        }
        let options = HttpOptions { timeout: Duration::from_secs(1), allow_private: false };
        let http = Http { env, ..Http::new(options) };
        let host_of = |url: &str| {
            let uri: Uri = url.parse().unwrap();
            http.proxy(&uri, bare_host(&uri)).unwrap().map(|proxy| proxy.host().to_owned())
        };
        assert_eq!(host_of("https://api.example.org/").as_deref(), Some("proxy.example.org"));
        assert_eq!(host_of("http://api.example.org/").as_deref(), Some("all.example.org"));
        assert_eq!(host_of("https://x.internal.example.org/"), None);
    }

    #[test]
    fn what_is_not_public_is_refused_before_anything_is_sent() {
        let options = HttpOptions { timeout: Duration::from_secs(1), allow_private: false };
        let http = Http { env: |_| None, ..Http::new(options) };
        let send = |url: &str| {
            let request =
                Outgoing { method: Method::Get, url: url.to_owned(), headers: Vec::new(), body: None };
            http.send(&request).unwrap_err()
        };
        for url in
            ["https://127.0.0.1/", "http://localhost:1/", "https://[::1]/", "https://169.254.169.254/x"]
        {
            assert_eq!(send(url), SendError::Refused(BLOCKED), "{url}");
        }
        assert_eq!(send("http://api.example.org/"), SendError::Refused(PLAIN));
    }

    #[test]
    fn debug_shows_nothing_that_is_carried() {
        let request = Outgoing {
            method: Method::Get,
            url: "https://api.example.org/bot-hunter2/me".into(),
            headers: vec![("Authorization".into(), "hunter2".into())],
            body: Some("hunter2".into()),
        };
        let shown = format!("{request:?}");
        assert!(shown.contains("api.example.org") && !shown.contains("hunter2"), "{shown}");
    }
}
