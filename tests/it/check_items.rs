//! The items of `stanch check` that are about content, shipping and guards: each appears, names its place, and stays
//! away where nothing is wrong.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Sandbox, clickup_token};

const LINES: &str = ".env\n.env.*\n!.env.example\n*.pem\n";

fn repo() -> Sandbox {
    let sandbox = Sandbox::repo();
    sandbox.write(".gitignore", LINES);
    sandbox
}

fn check(sandbox: &Sandbox, args: &[&str], code: i32) -> Value {
    let args = [&["check", "--format", "json", "--skip", "hook-missing"], args].concat();
    sandbox.stanch(&args).expect_code(code).json()
}

/// Id, severity, path and line of each item.
fn items(report: &Value) -> Vec<String> {
    let items = report["items"].as_array().expect("items").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    items
        .map(|item| {
            assert!(!text(&item["reason"]).is_empty() && !text(&item["fix"]).is_empty(), "{item}");
            let line = item["line"].as_u64().map_or_else(String::new, |line| format!(":{line}"));
            format!("{} {} {}{line}", text(&item["severity"]), text(&item["id"]), text(&item["path"]))
        })
        .collect()
}

#[track_caller]
fn assert_items(sandbox: &Sandbox, code: i32, expected: &[&str]) {
    let report = check(sandbox, &[], code);
    assert_eq!(items(&report), expected, "{report:#}");
    assert!(!report.to_string().contains("_TOKEN_TAIL"), "{report:#}");
}

#[test]
fn a_repository_in_order_has_no_items() {
    let sandbox = repo();
    sandbox.write(".env", format!("TOKEN={}\n", clickup_token(1)));
    sandbox.write(".env.example", "TOKEN=your-token-here\nNEXT_PUBLIC_NAME=shop\n");
    sandbox
        .write("src/app.js", "const token = process.env.TOKEN;\nfetch('https://api.example.org/webhook');\n");
    sandbox.write("Dockerfile", "FROM scratch\nCOPY . /app\n");
    sandbox.write(".dockerignore", "**/.env*\n");
    sandbox.write("package.json", r#"{"name": "a", "version": "1.0.0", "files": ["src"]}"#);
    sandbox.write(".github/workflows/ci.yml", "jobs:\n  secrets:\n    steps:\n      - run: stanch history\n");
    sandbox.commit_all("all");
    assert_items(&sandbox, 0, &[]);
}

#[test]
fn files_that_one_add_would_take_along() {
    let sandbox = repo();
    sandbox.write("notes.txt", format!("first\n{}\n", clickup_token(1)));
    sandbox.write("deploy/prod.env", "A=1\n");
    assert_items(
        &sandbox,
        1,
        &["high secret-file-untracked deploy/prod.env", "high secret-file-untracked notes.txt:2"],
    );
    sandbox.git(&["add", "--all"]);
    let report = check(&sandbox, &[], 1);
    assert_eq!(items(&report), ["high env-tracked deploy/prod.env"], "a scan reports the rest");
}

#[test]
fn tracked_files_that_a_line_names() {
    let sandbox = repo();
    sandbox.write(".gitignore", format!("{LINES}*.log\n/private/\n"));
    sandbox.write("a.log", "a\n");
    sandbox.write("b.log", "b\n");
    sandbox.write("private/c.txt", clickup_token(1));
    sandbox.git(&["add", "--all", "--force"]);
    assert_items(
        &sandbox,
        1,
        &["high tracked-although-ignored private/c.txt", "info tracked-although-ignored a.log"],
    );
}

#[test]
fn lines_that_protect_nothing() {
    let sandbox = repo();
    sandbox.write("api/.gitignore", "./.env.local\n*.key # keys\nbuild/ # output\n");
    sandbox.commit_all("all");
    assert_items(
        &sandbox,
        1,
        &[
            "medium ignore-line-ineffective api/.gitignore:1",
            "medium ignore-line-ineffective api/.gitignore:2",
        ],
    );
    for path in ["api/.env.local", "api/a.key"] {
        let ran = sandbox.try_git(&["check-ignore", "--verbose", path]);
        assert!(!ran.stdout.contains("api/.gitignore"), "git agrees: {}", ran.stdout);
    }
}

#[test]
fn examples_with_real_values() {
    let sandbox = repo();
    sandbox.write(".env.example", format!("A=1\nCLICKUP_TOKEN={}\n", clickup_token(1)));
    sandbox.commit_all("all");
    assert_items(&sandbox, 1, &["high example-env-secret .env.example:2"]);
}

#[test]
fn one_secret_in_several_environments() {
    let sandbox = repo();
    sandbox.write(".env.development", format!("TOKEN={}\n", clickup_token(1)));
    sandbox.write(".env.production", format!("A=1\nTOKEN={}\n", clickup_token(1)));
    sandbox.write(".env.staging", format!("TOKEN={}\n", clickup_token(50)));
    assert_items(&sandbox, 1, &["medium secret-shared-by-environments .env.production:2"]);
    sandbox.write(".env.development", format!("TOKEN={}\n", clickup_token(90)));
    assert_items(&sandbox, 0, &[]);
}

#[test]
fn names_that_bundlers_publish() {
    for prefix in
        ["NEXT_PUBLIC_", "VITE_", "REACT_APP_", "EXPO_PUBLIC_", "NUXT_PUBLIC_", "GATSBY_", "PUBLIC_"]
    {
        let sandbox = repo();
        sandbox.write(".env", format!("A=1\n{prefix}CLICKUP={}\n", clickup_token(1)));
        assert_items(&sandbox, 1, &["high secret-in-client-name .env:2"]);
        sandbox.write(".env", format!("MY_{prefix}CLICKUP={}\n", clickup_token(1)));
        assert_items(&sandbox, 0, &[]);
    }
}

#[test]
fn files_that_reach_every_visitor() {
    let secret = format!("const token = \"{}\";\n", clickup_token(1));
    for (path, head, expected) in [
        ("app/form.tsx", "// a form\n/* of\n two */ 'use client'\n", Some(4)),
        ("app/form.tsx", "'use server'\n", None),
        ("app/form.tsx", "const text = 'use client'\n", None),
        ("src/Form.vue", "<script>\n", Some(2)),
        ("src/Form.svelte", "<script>\n", Some(2)),
        ("plugins/chat.client.ts", "", Some(1)),
        ("web/public/app.js", "", Some(1)),
        ("web/static/js/app.js", "", Some(1)),
        ("public/app.js", "", None),
        ("web/server/app.js", "", None),
        ("web/tests/Form.vue", "<script>\n", None),
    ] {
        let sandbox = repo();
        sandbox.write("web/package.json", "{}\n");
        sandbox.write(path, format!("{head}{secret}"));
        sandbox.git(&["add", "--all"]);
        let item = expected.map(|line| format!("high secret-in-client-file {path}:{line}"));
        let items: Vec<&str> = item.iter().map(String::as_str).collect();
        assert_items(&sandbox, i32::from(!items.is_empty()), &items);
    }
}

#[test]
fn secrets_in_builds_that_git_ignores() {
    let sandbox = repo();
    sandbox.write(".gitignore", format!("{LINES}dist/\n.next\nout\n"));
    let script = format!("var a=1;\nvar t=\"{}\";\n", clickup_token(1));
    sandbox.write("dist/app.js", &script);
    sandbox.write("web/.next/static/chunk.js.map", &script);
    sandbox.write("out/clean.js", "var a=1;\n");
    assert_items(
        &sandbox,
        1,
        &[
            "high secret-in-build-output dist/app.js:2",
            "high secret-in-build-output web/.next/static/chunk.js.map:2",
        ],
    );
}

#[test]
fn images_and_packages_that_take_secrets_along() {
    let sandbox = repo();
    sandbox.write("Dockerfile", "FROM scratch\nCOPY --chown=1 . .\nCOPY . /app\n");
    sandbox.write("package.json", r#"{"name": "a", "version": "1.0.0"}"#);
    sandbox.commit_all("all");
    assert_items(&sandbox, 0, &[]);
    sandbox.write(".env", "A=1\n");
    assert_items(&sandbox, 1, &["high image-ships-secret Dockerfile"]);
    sandbox.write(".dockerignore", "node_modules\n");
    sandbox.write(".npmignore", "test/\n");
    assert_items(
        &sandbox,
        1,
        &["high image-ships-secret .dockerignore", "high package-ships-secret .npmignore"],
    );
    sandbox.write(".dockerignore", ".env\n");
    sandbox.write(".npmignore", ".env\n");
    assert_items(&sandbox, 0, &[]);
    sandbox.write("package.json", r#"{"name": "a", "version": "1.0.0", "files": ["."]}"#);
    assert_items(&sandbox, 1, &["high package-ships-secret package.json"]);
    sandbox.write("package.json", r#"{"name": "a", "version": "1.0.0", "files": ["."], "private": true}"#);
    assert_items(&sandbox, 0, &[]);
}

#[test]
fn webhooks_on_plain_http() {
    let sandbox = repo();
    sandbox.write(
        "conf/app.yml",
        "webhook_url: http://hooks.shop.io/in\nwebhook: http://localhost:3000/x\nother: http://shop.io/a\n\
         webhook: https://hooks.shop.io/in\nwebhook: http://10.0.0.7/a\nwebhook: http://api.example.com/a\n\
         webhook: http://queue.svc.cluster.local/a\n",
    );
    sandbox.write("src/a.js", "const url = 'http://shop.io/api/webhooks/clickup';\n");
    sandbox.write("docs/a.yml", "webhook_url: http://hooks.shop.io/in\n");
    sandbox.commit_all("all");
    assert_items(
        &sandbox,
        1,
        &["medium webhook-plain-http conf/app.yml:1", "medium webhook-plain-http src/a.js:1"],
    );
}

#[test]
fn a_secret_beside_its_variable() {
    let sandbox = repo();
    sandbox.write("src/a.py", format!("import os\nclickup_token = \"{}\"\n", clickup_token(1)));
    sandbox.write("src/b.py", format!("other_token = \"{}\"\n", clickup_token(50)));
    sandbox.write("src/c.py", "import os\ntoken = os.environ[\"CLICKUP_TOKEN\"]\n");
    sandbox.commit_all("all");
    assert_items(&sandbox, 1, &["high secret-despite-variable src/a.py:2"]);
}

#[test]
fn hook_and_gate_are_worth_knowing_until_they_are_chosen() {
    let sandbox = repo();
    sandbox.write(".github/workflows/ci.yml", "jobs: {}\n");
    sandbox.commit_all("all");
    let report = sandbox.stanch(&["check", "--format", "json"]).expect_code(0).json();
    assert_eq!(
        items(&report),
        ["low hook-missing .git/hooks/pre-commit", "low ci-gate-missing .github/workflows/ci.yml"]
    );
    let report =
        sandbox.stanch(&["check", "--only", "hook-missing", "--format", "json"]).expect_code(1).json();
    assert_eq!(items(&report), ["low hook-missing .git/hooks/pre-commit"]);
    assert_eq!(report["items"][0]["fails"], true);
    sandbox.stanch(&["hook", "install"]).expect_code(0);
    sandbox.stanch(&["check", "--only", "hook-missing,hook-stale,hook-shadowed"]).expect_code(0);
    sandbox.git(&["config", "core.hooksPath", "elsewhere"]);
    fs::create_dir(sandbox.path().join("elsewhere")).unwrap();
    let gate = "low ci-gate-missing .github/workflows/ci.yml";
    // From 2.54 on git runs a hook of its configuration wherever the others are.
    match sandbox.try_git(&["config", "--get-regexp", r"^hook\."]).code {
        0 => assert_items(&sandbox, 0, &[gate]),
        _ => assert_items(&sandbox, 1, &["medium hook-shadowed elsewhere/pre-commit", gate]),
    }
    let ran = sandbox.stanch(&["check", "--only", "hook-mising"]).expect_code(2);
    assert!(ran.stderr.contains("did you mean `hook-missing`"), "{ran:?}");
    let listed = sandbox.stanch(&["check", "--list"]).expect_code(0);
    assert!(listed.stdout.contains("webhook-plain-http"), "{ran:?}");
}

#[test]
fn frameworks_and_the_configuration_require_lines() {
    let sandbox = repo();
    sandbox.write("main.tf", "terraform {}\n");
    sandbox.write("config/application.rb", "class Application < Rails::Application\nend\n");
    sandbox.write(".stanch.toml", "[check]\nrequired = [\"*.p12\"]\nskip = [\"hook-missing\"]\n");
    sandbox.commit_all("all");
    let report = check(&sandbox, &[], 1);
    assert_eq!(
        report["missing_lines"],
        json!(["/config/master.key", "/config/credentials/*.key", "*.tfstate", "*.tfstate.*", "*.p12"])
    );
    sandbox.stanch(&["check", "--fix"]).expect_code(0);
    let text = fs::read_to_string(sandbox.path().join(".gitignore")).unwrap();
    assert!(text.starts_with(LINES) && text.ends_with("*.p12\n"), "{text}");
    for path in ["config/master.key", "config/credentials/staging.key", "a/terraform.tfstate", "x.p12"] {
        sandbox.git(&["check-ignore", "--quiet", path]);
    }
    sandbox.stanch(&["check", "--fix"]).expect_code(0);
    assert_eq!(fs::read_to_string(sandbox.path().join(".gitignore")).unwrap(), text, "once is enough");
}

#[test]
fn sarif_follows_the_standard_and_goes_beside_other_forms() {
    let sandbox = Sandbox::repo();
    sandbox.write("a b/.env", format!("VITE_TOKEN={}\n", clickup_token(1)));
    let ran = sandbox.stanch(&["check", "--output", "sarif=../c.sarif,json=../c.json", "--format", "human"]);
    assert!(ran.expect_code(1).stdout.contains("not in order"));
    let sarif: Value =
        serde_json::from_slice(&fs::read(sandbox.outside().join("c.sarif")).unwrap()).expect("SARIF is JSON");
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/schemas/sarif-2.1.0.json");
    let schema: Value = serde_json::from_slice(&fs::read(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(&sarif).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let uris: Vec<&Value> = results
        .iter()
        .map(|one| &one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        .collect();
    assert!(uris.contains(&&json!("a%20b/.env")), "{uris:?}");
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().expect("rules");
    for result in results {
        let index = result["ruleIndex"].as_u64().expect("an index") as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    let json: Value = serde_json::from_slice(&fs::read(sandbox.outside().join("c.json")).unwrap()).unwrap();
    assert_eq!(json["items"].as_array().map(Vec::len), Some(results.len()));
    sandbox.stanch(&["check", "--format", "junit"]).expect_code(2);
    for file in ["c.sarif", "c.json"] {
        let text = fs::read_to_string(sandbox.outside().join(file)).unwrap();
        assert!(!text.contains(&clickup_token(1)[12..]), "{file} is redacted");
    }
}
