//! `stanch clickup health` against a server on loopback.

use std::time::Duration;

use serde_json::Value;

use crate::server::{Received, Reply, Server};
use crate::support::{Ran, Sandbox, clickup_token, stanch};

fn user() -> Reply {
    Reply::json(200, r#"{"user":{"id":7,"email":"ada@example.org"}}"#)
        .with("X-RateLimit-Limit", 100)
        .with("X-RateLimit-Remaining", 60)
}

fn teams() -> Reply {
    Reply::json(
        200,
        r#"{"teams":[{"id":"90","name":"Acme","members":[{"user":{"email":"bob@example.org"}}]}]}"#,
    )
}

fn page(indicator: &str) -> Reply {
    Reply::json(200, &format!(r#"{{"status":{{"indicator":"{indicator}","description":"as usual"}}}}"#))
}

/// A server where everything is as it should be, but for what `differs` says.
fn server(differs: impl Fn(&Received) -> Option<Reply> + Send + Sync + 'static) -> Server {
    Server::start(move |request, _| {
        differs(request).unwrap_or_else(|| match &*request.path {
            "/api/v2/user" => user(),
            "/api/v2/team" => teams(),
            "/api/v2/status.json" => page("none"),
            _ => Reply::json(404, ""),
        })
    })
}

fn health(url: &str, more: &[&str]) -> Ran {
    let sandbox = Sandbox::new();
    let token = clickup_token(3);
    let mut command = sandbox.command(stanch());
    command.args(["clickup", "health", "--allow-private", "--timeout", "5"]).args(more);
    let bases = format!("clickup={url},clickup-status={url}");
    command.env("CLICKUP_API_TOKEN", &token).env("STANCH_BASE_URL", bases);
    let ran = Ran::new(command.output().expect("stanch runs"));
    for hidden in [&token[12..], "@example.org"] {
        assert!(!ran.stdout.contains(hidden) && !ran.stderr.contains(hidden), "{ran:?}");
    }
    ran
}

#[track_caller]
fn check(url: &str, code: i32, id: &str) -> (String, Value, String) {
    let json = health(url, &["--format", "json"]).expect_code(code).json();
    let checks = json["checks"].as_array().expect("checks");
    let found = checks.iter().find(|check| check["id"] == id).expect("the check");
    let text = |key: &str| found[key].as_str().expect("text").to_owned();
    (text("status"), found["priority"].clone(), text("message"))
}

#[test]
fn everything_passes() {
    let server = server(|_| None);
    let ran = health(&server.url(), &[]).expect_code(0);
    assert_eq!(ran.stdout.matches("PASS").count(), 6, "{}", ran.stdout);
    assert!(ran.stdout.contains("60 of 100 requests a minute left, as on Free Forever"), "{}", ran.stdout);
    assert!(ran.stdout.contains("Acme (90)") && ran.stdout.ends_with("\nhealthy\n"), "{}", ran.stdout);
    let received = server.received();
    assert_eq!(received.len(), 3, "each is asked once");
    let page = received.iter().find(|request| request.path.ends_with("status.json")).unwrap();
    assert_eq!(page.header("authorization"), None, "no token goes to the status page");
}

#[test]
fn each_flaw_has_its_priority() {
    let on = |path: &'static str, reply: Reply| {
        server(move |request| (request.path == path).then(|| reply.clone()))
    };
    let warn = |left: u32, limit: u32| {
        let reply = Reply::json(200, r#"{"user":{"id":7}}"#);
        on("/api/v2/user", reply.with("X-RateLimit-Limit", limit).with("X-RateLimit-Remaining", left))
    };
    let p2 = Value::from("P2");
    for (server, id, status, words) in [
        (warn(9, 100), "rate-limit", "warn", "9 of 100"),
        (warn(999, 10_000), "rate-limit", "warn", "as on Enterprise"),
        (
            on("/api/v2/user", Reply::json(200, r#"{"user":{"id":7}}"#)),
            "rate-limit",
            "warn",
            "states no limit",
        ),
        (on("/api/v2/user", Reply::json(429, r#"{"ECODE":"APP_002"}"#)), "rate-limit", "fail", "used up"),
        (
            on("/api/v2/user", Reply::json(401, r#"{"ECODE":"OAUTH_025"}"#)),
            "auth",
            "fail",
            "dead (OAUTH_025)",
        ),
        (on("/api/v2/user", Reply::Http(200, vec![], b"<html>".to_vec())), "auth", "fail", "manual"),
        (on("/api/v2/team", Reply::json(200, r#"{"teams":[]}"#)), "workspaces", "warn", "no workspace"),
        (on("/api/v2/team", Reply::json(500, "")), "workspaces", "fail", "trouble (500)"),
        (on("/api/v2/team", Reply::json(200, "[")), "workspaces", "fail", "manual"),
        (on("/api/v2/status.json", page("major")), "platform-status", "fail", "major: as usual"),
    ] {
        let (seen, priority, message) = check(&server.url(), 1, id);
        assert_eq!((&*seen, &priority), (status, &p2), "{message}");
        assert!(message.contains(words), "{message}");
    }
    for reply in [page("minor"), Reply::json(503, ""), Reply::json(200, "x"), Reply::Raw(vec![])] {
        let (status, priority, _) = check(&on("/api/v2/status.json", reply).url(), 1, "platform-status");
        assert_eq!((&*status, priority), ("warn", Value::Null));
    }
}

#[test]
fn slow_answers_warn() {
    let server = server(|request| {
        (request.path == "/api/v2/user").then(|| {
            std::thread::sleep(Duration::from_millis(2100));
            user()
        })
    });
    let (status, priority, message) = check(&server.url(), 1, "latency");
    assert_eq!((&*status, priority), ("warn", Value::from("P2")), "{message}");
}

#[test]
fn unreachable_is_p1() {
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port())
    };
    let (status, priority, message) = check(&gone, 2, "reachable");
    assert_eq!((&*status, priority), ("fail", Value::from("P1")), "{message}");
    let down = Server::start(|_, _| Reply::json(503, ""));
    let (status, priority, _) = check(&down.url(), 2, "reachable");
    assert_eq!((&*status, priority), ("fail", Value::from("P1")));
    let ran = health(&down.url(), &[]).expect_code(2);
    assert!(ran.stdout.contains("FAIL     reachable") && ran.stdout.contains("(P1)"), "{}", ran.stdout);
    assert!(ran.stdout.contains("UNKNOWN  auth") && ran.stdout.ends_with("unreachable\n"), "{}", ran.stdout);
}

#[test]
fn without_a_token_nothing_is_sent() {
    let sandbox = Sandbox::new();
    let ran = sandbox.stanch(&["clickup", "health"]).expect_code(2);
    assert!(ran.stderr.contains("the variable CLICKUP_API_TOKEN is not set"), "{}", ran.stderr);
    let server = server(|_| None);
    let base = format!("clickup={}", server.url());
    let args = ["clickup", "health", "--token", "stdin", "--allow-private", "--base-url", &base];
    sandbox.stanch_with_input(&args, b"pk_1\r\nEvil: yes").expect_code(2);
    assert_eq!(server.received().len(), 0);
}
