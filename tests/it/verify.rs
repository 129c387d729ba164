//! `stanch verify` against a server on loopback that plays each state.

use std::time::Duration;

use serde_json::Value;

use crate::server::{Reply, Server};
use crate::support::{Ran, Sandbox, clickup_token, random_text, stanch};

/// One ClickUp token in a file, asked about at the server.
fn verify(server: &Server, token: &str, more: &[&str]) -> Ran {
    let sandbox = Sandbox::new();
    sandbox.write("src/app.env", format!("A={token}\nB={token}\n"));
    let base = format!("clickup={}", server.url());
    let mut args = vec!["verify", "--base-url", &base, "--allow-private"];
    for (option, value) in [("--retries", "1"), ("--timeout", "2")] {
        if !more.contains(&option) {
            args.extend([option, value]);
        }
    }
    args.extend(more);
    let ran = sandbox.stanch(&args);
    let tail = &token[token.len() - 32..];
    assert!(!ran.stdout.contains(tail) && !ran.stderr.contains(tail), "the secret is shown: {ran:?}");
    ran
}

fn owner(token: &str) -> &str {
    token.split('_').nth(1).expect("an owner")
}

fn user(id: &str) -> Reply {
    Reply::json(200, &format!(r#"{{"user":{{"id":{id},"username":"Ada","email":"ada@example.org"}}}}"#))
}

fn result(ran: &Ran) -> Value {
    ran.json()["results"][0].clone()
}

#[test]
fn a_live_token_is_asked_about_once_and_its_owner_compared() {
    let token = clickup_token(1);
    let id = owner(&token).to_owned();
    let server = Server::start(move |_, _| user(&id));
    let ran = verify(&server, &token, &["--format", "json"]).expect_code(1);
    let found = result(&ran);
    assert_eq!(found["state"], "live");
    assert_eq!((&found["account"], &found["account_matches"]), (&owner(&token).into(), &true.into()));
    assert_eq!(found["places"].as_array().unwrap().len(), 2);
    assert!(!ran.stdout.contains("ada@"), "no personal data");
    let received = server.received();
    assert_eq!(received.len(), 1, "equal values are asked about once");
    assert_eq!((&*received[0].method, &*received[0].path), ("GET", "/api/v2/user"));
    assert_eq!(received[0].header("authorization"), Some(&*token), "sent bare");

    let other = Server::start(|_, _| user("1"));
    let ran = verify(&other, &token, &[]).expect_code(1);
    assert!(ran.stdout.starts_with("LIVE     clickup-personal-token  pk_"), "{}", ran.stdout);
    assert!(ran.stdout.contains("account 1, NOT the one that the value names"), "{}", ran.stdout);
    assert!(ran.stdout.contains("1 distinct secret: 1 live, 0 dead, 0 unknown"), "{}", ran.stdout);
}

#[test]
fn a_dead_token_shows_the_code() {
    let server = Server::start(|_, _| Reply::json(401, r#"{"err":"Token invalid","ECODE":"OAUTH_025"}"#));
    let ran = verify(&server, &clickup_token(2), &[]).expect_code(0);
    assert!(ran.stdout.contains("dead") && ran.stdout.contains("answered 401 OAUTH_025"), "{}", ran.stdout);
}

#[test]
fn what_says_nothing_is_unknown_with_a_reason() {
    let huge = format!(r#"{{"user":{{"id":1}},"x":"{}"}}"#, "x".repeat(3 << 20));
    let cases = [
        ("workspace", Reply::json(401, r#"{"ECODE":"OAUTH_027"}"#), "does not say whether"),
        ("page", Reply::Http(404, vec![], b"<html>".to_vec()), "(404) does not say"),
        ("portal", Reply::Http(200, vec![], b"<html>sign in".to_vec()), "not what the provider's manual"),
        ("no user", Reply::json(200, "{}"), "not what the provider's manual"),
        ("trouble", Reply::json(503, "").with("Retry-After", 0), "has trouble (503)"),
        ("limit", Reply::json(429, r#"{"ECODE":"APP_002"}"#).with("Retry-After", 0), "limits the rate"),
        ("long", Reply::json(429, "").with("Retry-After", 9999), "asked again in 9999 seconds"),
        ("reset", Reply::json(429, "").with("X-RateLimit-Reset", 4_000_000_000_u64), "to be asked again in"),
        (
            "redirect",
            Reply::json(302, "").with("Location", "https://evil.example.org/x"),
            "redirects to evil.example.org",
        ),
        ("huge", Reply::json(200, &huge), "larger than 1 MiB"),
        ("early", Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{\"us".to_vec()), "ended before"),
        ("silent", Reply::Raw(Vec::new()), "the connection ended"),
        ("garbage", Reply::Raw(b"\x16\x03\x01 what is this\r\n\r\n".to_vec()), "no HTTP"),
    ];
    for (name, reply, reason) in cases {
        let server = Server::start(move |_, _| reply.clone());
        let ran = verify(&server, &clickup_token(3), &["--format", "json"]).expect_code(2);
        let found = result(&ran);
        assert_eq!(found["state"], "unknown", "{name}");
        assert!(found["reason"].as_str().unwrap().contains(reason), "{name}: {found}");
    }
}

#[test]
fn a_host_that_hangs_costs_the_timeout() {
    let server = Server::start(|_, _| Reply::Hang(Duration::from_secs(20)));
    let ran = verify(&server, &clickup_token(4), &["--timeout", "1", "--retries", "0"]).expect_code(2);
    assert!(ran.stdout.contains("in time"), "{}", ran.stdout);
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{\"us".to_vec();
    let stalls = Server::start(move |_, _| Reply::Stall(head.clone(), Duration::from_secs(20)));
    let ran = verify(&stalls, &clickup_token(4), &["--timeout", "1", "--retries", "0"]).expect_code(2);
    assert!(ran.stdout.contains("or the time was up"), "{}", ran.stdout);
    let slow = Server::start(|_, _| {
        std::thread::sleep(Duration::from_millis(300));
        user("7")
    });
    verify(&slow, &clickup_token(4), &["--format", "json"]).expect_code(1);
}

#[test]
fn a_flaky_host_is_asked_again() {
    let server = Server::start(|_, number| match number {
        0 => Reply::json(502, "").with("Retry-After", 0),
        _ => user("7"),
    });
    let ran = verify(&server, &clickup_token(5), &["--format", "json"]).expect_code(1);
    assert_eq!(result(&ran)["attempts"], 2);
    let ran = verify(
        &Server::start(|_, n| if n == 0 { Reply::Raw(vec![]) } else { user("7") }),
        &clickup_token(5),
        &[],
    );
    assert!(ran.expect_code(1).stdout.contains("after 2 requests"));
}

#[test]
fn no_redirect_is_followed_and_the_secret_stays_here() {
    let other = Server::start(|_, _| user("7"));
    let target = format!("{}/api/v2/user", other.url());
    let server = Server::start(move |_, _| Reply::json(307, "").with("Location", &target));
    verify(&server, &clickup_token(6), &[]).expect_code(2);
    assert_eq!((server.received().len(), other.received().len()), (1, 0));
}

#[test]
fn workspaces_are_named_without_their_members() {
    let server = Server::start(|request, _| match &*request.path {
        "/api/v2/user" => user("7"),
        "/api/v2/team" => Reply::json(
            200,
            r#"{"teams":[{"id":"90","name":"Acme \u001b[31m","members":[{"user":{"email":"bob@example.org"}}]}]}"#,
        ),
        _ => Reply::json(500, ""),
    });
    let ran = verify(&server, &clickup_token(7), &["--workspaces"]).expect_code(1);
    assert!(ran.stdout.contains("opens workspace Acme") && ran.stdout.contains("(90)"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("bob@") && !ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
    let ran = verify(&server, &clickup_token(7), &["--workspaces", "--format", "json"]).expect_code(1);
    assert_eq!(result(&ran)["workspaces"][0]["id"], "90");
    assert!(!ran.stdout.contains("bob@"));
}

#[test]
fn a_dry_run_sends_nothing() {
    let server = Server::start(|_, _| user("7"));
    let ran = verify(&server, &clickup_token(8), &["--dry-run"]).expect_code(0);
    assert!(
        ran.stdout.contains(&format!("GET {}/api/v2/user in header Authorization", server.url())),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.ends_with("dry run: nothing was sent\n"));
    let json = verify(&server, &clickup_token(8), &["--dry-run", "--format", "json"]).expect_code(0).json();
    assert_eq!((&json["dry_run"], &json["requests"][0]["method"]), (&true.into(), &"GET".into()));
    assert_eq!(server.received().len(), 0);
}

#[test]
fn loopback_is_refused_unless_allowed() {
    let server = Server::start(|_, _| user("7"));
    let sandbox = Sandbox::new();
    sandbox.write("a.env", format!("A={}\n", clickup_token(9)));
    let ran = sandbox.stanch(&["verify", "--base-url", &format!("clickup={}", server.url())]).expect_code(2);
    assert!(ran.stdout.contains("not public; --allow-private"), "{}", ran.stdout);
    assert_eq!(server.received().len(), 0);
    let ran = sandbox.stanch(&["verify", "--base-url", "nobody=https://x.example.org"]).expect_code(2);
    assert!(ran.stderr.contains("no rule has the provider or the id `nobody`"), "{}", ran.stderr);
    sandbox.stanch(&["verify", "--base-url", "clickup=ftp://x"]).expect_code(2);
    sandbox.stanch(&["verify", "--show-secrets"]).expect_code(2);
}

#[test]
fn single_values_come_from_a_variable_a_descriptor_or_standard_input() {
    let token = clickup_token(10);
    let server = Server::start(|_, _| user("7"));
    let base = format!("clickup={}", server.url());
    let args = ["verify", "--allow-private", "--base-url", &base, "--format", "json", "--from"];
    let sandbox = Sandbox::new();
    let ran = sandbox.stanch_with_input(&[&args[..], &["stdin"]].concat(), format!("{token}\n").as_bytes());
    assert_eq!(result(&ran.expect_code(1))["rule"], "clickup-personal-token");
    let mut command = sandbox.command(stanch());
    let ran = Ran::new(command.args(args).arg("env:TOKEN").env("TOKEN", &token).output().unwrap());
    assert_eq!(result(&ran.expect_code(1))["places"][0]["path"], "env:TOKEN");
    #[cfg(unix)]
    {
        sandbox.write("token", &token);
        let mut shell = sandbox.command("sh");
        shell.args(["-c", "exec \"$0\" \"$@\" fd:3 3<token", stanch()]).args(args);
        assert_eq!(result(&Ran::new(shell.output().unwrap()).expect_code(1))["state"], "live");
    }
    let before = server.received().len();
    for bad in [
        format!("{token}\r\nX-Evil: 1"),
        format!("{token}\nmore"),
        "a\0b".into(),
        String::new(),
        "x".repeat(70_000),
    ] {
        let ran = sandbox.stanch_with_input(&[&args[..], &["-"]].concat(), bad.as_bytes()).expect_code(2);
        assert!(ran.stderr.starts_with("error: stdin "), "{}", ran.stderr);
        assert!(!ran.stderr.contains(&token[20..]));
    }
    let typed = sandbox.stanch(&[&args[..], &[&token]].concat()).expect_code(2);
    assert!(typed.stderr.contains("env:NAME") && !typed.stderr.contains(&token), "{}", typed.stderr);
    let unknown = sandbox.stanch_with_input(&[&args[..], &["stdin"]].concat(), b"hello").expect_code(2);
    assert!(unknown.stderr.contains("--rule ID"), "{}", unknown.stderr);
    assert_eq!(server.received().len(), before, "nothing was sent");
}

#[test]
fn other_providers_get_the_value_where_they_want_it() {
    let text = |alphabet: &str, len, seed| random_text(alphabet, len, seed);
    let alnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let stripe = format!("sk_live_{}", text(alnum, 24, 3));
    let telegram = format!("{}:AA{}", text("123456789", 10, 4), text(alnum, 33, 5));
    let sandbox = Sandbox::new();
    let server = Server::start(|request, _| match &*request.path {
        "/v1/account" => Reply::json(200, r#"{"id":"acct_1"}"#),
        path if path.starts_with("/bot") => Reply::json(401, r#"{"ok":false,"error_code":401}"#),
        _ => Reply::json(500, ""),
    });
    let ask = |provider: &str, rule: &str, value: &str, code: i32| {
        let base = format!("{provider}={}", server.url());
        let args = ["verify", "--allow-private", "--base-url", &base, "--rule", rule, "--from", "stdin"];
        sandbox.stanch_with_input(&args, value.as_bytes()).expect_code(code);
        server.received().pop().unwrap()
    };
    let sent = ask("stripe", "stripe-secret-key", &stripe, 1);
    let basic = data_encoding_of(&format!("{stripe}:"));
    assert_eq!(sent.header("authorization"), Some(&*format!("Basic {basic}")));
    let sent = ask("telegram", "telegram-bot-token", &telegram, 0);
    assert_eq!(sent.path, format!("/bot{telegram}/getMe"));
    assert_eq!(sent.body, "");
}

/// Base64 by hand: the library under test has its own.
fn data_encoding_of(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits =
            chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let symbol = ALPHABET[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= chunk.len() { char::from(symbol) } else { '=' });
        }
    }
    out
}

#[test]
fn rules_of_a_configuration_send_nothing_unless_trusted() {
    let server = Server::start(|_, _| Reply::json(200, "{}"));
    let sandbox = Sandbox::new();
    let value = random_text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 24, 9);
    sandbox.write("a.env", format!("K=acme_{value}\n"));
    sandbox.write(
        ".stanch.toml",
        "[[rule]]\nid = \"acme-key\"\nprovider = \"Acme\"\ndescription = \"key\"\nkind = \"prefixed\"\nseverity = \"high\"\n\
         shape = '\"acme_\" UPPER_ALNUM{24}'\n[rule.verify]\nurl = \"https://api.acme.example/me\"\n\
         headers = { X-Key = \"{secret}\" }\nlive = [200]\ndead = [401]\n",
    );
    let base = format!("acme={}", server.url());
    let args = ["verify", "--allow-private", "--base-url", &base, "--rule", "acme-key"];
    let ran = sandbox.stanch(&args).expect_code(2);
    assert!(ran.stdout.contains("--custom-requests trusts it"), "{}", ran.stdout);
    assert_eq!(server.received().len(), 0);
    sandbox.stanch(&[&args[..], &["--custom-requests"]].concat()).expect_code(1);
    assert_eq!(server.received().len(), 1);
    let shown = sandbox.stanch(&["rules", "show", "acme-key"]).expect_code(0).stdout;
    assert!(
        shown.contains("verify      GET https://api.acme.example/me with the value in header X-Key"),
        "{shown}"
    );
}

#[test]
fn what_could_not_be_read_is_told_and_nothing_to_ask_is_fine() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", "nothing\n");
    let ran = sandbox.stanch(&["verify"]).expect_code(0);
    assert!(ran.stdout.contains("0 distinct secrets"), "{}", ran.stdout);
    let ran = sandbox.stanch(&["verify", "missing"]).expect_code(2);
    assert!(ran.stderr.contains("missing: cannot be read"), "{}", ran.stderr);
}

/// The proxy of the environment is asked to connect, and learns the host and nothing else.
#[test]
fn a_proxy_is_honoured() {
    let proxy = Server::start(|_, _| Reply::Http(502, vec![], Vec::new()));
    let sandbox = Sandbox::new();
    let token = clickup_token(11);
    sandbox.write("a.env", format!("A={token}\n"));
    let mut command = sandbox.command(stanch());
    command.args(["verify", "--retries", "0", "--timeout", "5"]).env("HTTPS_PROXY", proxy.url());
    let ran = Ran::new(command.output().expect("stanch runs")).expect_code(2);
    assert!(ran.stdout.contains("the proxy does not connect"), "{}", ran.stdout);
    let received = proxy.received();
    assert_eq!((&*received[0].method, &*received[0].path), ("CONNECT", "api.clickup.com:443"));
    assert!(!format!("{received:?}").contains(&token[20..]));
}

/// Both halves of an app are needed, and the answer to a code that is none tells whether they fit.
#[test]
fn a_client_secret_of_clickup_goes_with_its_id() {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let (id, secret) = (random_text(alphabet, 32, 21), random_text(alphabet, 64, 22));
    let sandbox = Sandbox::new();
    sandbox.write("app.env", format!("CLICKUP_CLIENT_ID={id}\nCLICKUP_CLIENT_SECRET={secret}\n"));
    for (ecode, state, code) in [
        ("OAUTH_014", "live", 1),
        ("OAUTH_011", "dead", 0),
        ("OAUTH_010", "dead", 0),
        ("OAUTH_017", "unknown", 2),
    ] {
        let server = Server::start(move |_, _| Reply::json(401, &format!(r#"{{"ECODE":"{ecode}"}}"#)));
        let base = format!("clickup={}", server.url());
        let ran = sandbox.stanch(&["verify", "--allow-private", "--base-url", &base, "--format", "json"]);
        let ran = ran.expect_code(code);
        assert_eq!(result(&ran)["state"], state, "{ecode}");
        assert!(!ran.stdout.contains(&secret) && !ran.stdout.contains(&id));
        let sent = server.received().remove(0);
        assert_eq!((&*sent.method, &*sent.path), ("POST", "/api/v2/oauth/token"));
        assert_eq!(sent.body, format!("client_id={id}&client_secret={secret}&code=none"));
    }
    sandbox.write("app.env", format!("CLICKUP_CLIENT_SECRET={secret}\n"));
    let ran = sandbox.stanch(&["verify"]).expect_code(2);
    assert!(ran.stdout.contains("its other half was not found beside it"), "{}", ran.stdout);
}

/// Whoever accepts a finding says nothing of whether it is live.
#[test]
fn what_is_accepted_is_asked_about_or_told() {
    let server = Server::start(|_, _| user("7"));
    let base = format!("clickup={}", server.url());
    let args = ["verify", "--allow-private", "--base-url", &base];
    let sandbox = Sandbox::repo();
    let token = clickup_token(12);
    sandbox.write("a.env", format!("A={token}\n"));
    sandbox.stanch(&["baseline", "create"]).expect_code(0);
    sandbox.write(".stanch.toml", "[baseline]\npath = \".stanch-baseline\"\n");
    sandbox.stanch(&["scan"]).expect_code(0);
    sandbox.stanch(&args).expect_code(1);
    std::fs::remove_file(sandbox.path().join(".stanch.toml")).unwrap();
    sandbox.write("a.env", format!("A={token} # stanch:allow\n"));
    let ran = sandbox.stanch(&args).expect_code(0);
    assert!(ran.stderr.contains("not asked about 1 accepted finding"), "{}", ran.stderr);
    sandbox.stanch(&[&args[..], &["--no-inline-allow"]].concat()).expect_code(1);
}

#[test]
fn the_audit_log_tells_what_was_learnt_and_no_secret() {
    let (token, server) =
        (clickup_token(9), Server::start(|_, _| Reply::json(401, r#"{"ECODE":"OAUTH_025"}"#)));
    let sandbox = Sandbox::new();
    sandbox.write("app.env", format!("A={token}\n"));
    let log = sandbox.outside().join("audit.jsonl");
    let (base, log_name) = (format!("clickup={}", server.url()), log.to_str().expect("a plain path"));
    let args = ["verify", "--base-url", &base, "--allow-private", "--audit-log", log_name];
    sandbox.stanch(&args).expect_code(0);
    let text = std::fs::read_to_string(&log).expect("a log");
    assert!(!text.contains(&token[token.len() - 32..]), "the secret is in the log");
    let line: Value = serde_json::from_str(text.trim_end()).expect("one line of JSON");
    assert_eq!((&line["event"], &line["state"]), (&"verify".into(), &"dead".into()));
    assert_eq!(line["rule"], "clickup-personal-token");
    let ran = sandbox.stanch(&["verify", "--receipt", "r.json", "--dry-run"]).expect_code(2);
    assert!(ran.stderr.contains("a receipt is of a scan"), "{}", ran.stderr);
    // What cannot be noted is not asked.
    let asked = server.received().len();
    let args = ["verify", "--base-url", &base, "--allow-private", "--audit-log", "no/such/dir/log"];
    sandbox.stanch(&args).expect_code(2);
    assert_eq!(server.received().len(), asked);
}
