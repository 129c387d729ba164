//! Configurations of gitleaks, read as they are.

use std::fs;

use serde_json::Value;

use crate::support::{Sandbox, clickup_token, random_text};

fn alnum(len: usize, seed: u64) -> String {
    random_text("abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", len, seed)
}

/// A rule `acme` for `acme_` and sixteen characters, with more lines.
fn acme(more: &str) -> String {
    format!(
        "[[rules]]\nid = \"acme\"\ndescription = \"Acme key\"\nregex = '''acme_([a-zA-Z0-9]{{16}})'''\n{more}\n"
    )
}

#[track_caller]
fn scan(sandbox: &Sandbox, args: &[&str], code: i32) -> Value {
    sandbox.stanch(&[args, &["--format", "json"]].concat()).expect_code(code).json()
}

/// The rules and places of the findings under a configuration.
#[track_caller]
fn found(sandbox: &Sandbox, config: &str) -> Vec<String> {
    fs::write(sandbox.outside().join("gitleaks.toml"), config).expect("a written file");
    let ran = sandbox.stanch(&["--config", "../gitleaks.toml", "--format", "json"]);
    assert!(ran.code < 2, "{config}\n{}", ran.stderr);
    let report = ran.json();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let findings = report["findings"].as_array().expect("a list").iter();
    findings.map(|f| format!("{} {}:{}", text(&f["rule"]), text(&f["path"]), f["line"])).collect()
}

#[track_caller]
fn refused(config: &str) -> String {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", "nothing\n");
    sandbox.write("g/gitleaks.toml", config);
    sandbox.stanch(&["a.txt", "--config", "g/gitleaks.toml"]).expect_code(2).stderr
}

#[test]
fn it_is_found_where_there_is_none_of_ours_and_that_is_said() {
    let sandbox = Sandbox::repo();
    sandbox.write("src/a.txt", format!("acme_{}\n{}\n", alnum(16, 1), clickup_token(1)));
    sandbox.write(".gitleaks.toml", acme(""));
    let report = scan(&sandbox, &["src"], 1);
    assert_eq!(report["config"], ".gitleaks.toml");
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "the catalogue is not in use: {report}");
    assert_eq!(report["findings"][0]["rule"], "acme");
    assert_eq!(report["findings"][0]["description"], "Acme key");
    assert_eq!(
        report["notes"],
        serde_json::json!([
            ".gitleaks.toml is in force, for there is no .stanch.toml: its rule alone",
            ".gitleaks.toml does not extend the default, so the catalogue is not in use",
        ])
    );
    assert_eq!(scan(&sandbox, &["src", "--no-config"], 1)["findings"][0]["rule"], "clickup-personal-token");
    let with_default = format!("[extend]\nuseDefault = true\n{}", acme(""));
    sandbox.write(".gitleaks.toml", &with_default);
    let report = scan(&sandbox, &["src"], 1);
    assert_eq!(report["finding_count"], 2);
    assert_eq!(report["notes"].as_array().unwrap().len(), 1);
    sandbox.write("g.toml", &with_default);
    assert_eq!(
        scan(&sandbox, &["src", "--config", "g.toml"], 1)["notes"].as_array().unwrap().len(),
        0,
        "it was named"
    );
    sandbox.write(".stanch.toml", "");
    let report = scan(&sandbox, &["src"], 1);
    assert_eq!(
        (report["config"].as_str(), report["finding_count"].as_u64()),
        (Some(".stanch.toml"), Some(1))
    );
    sandbox.stanch(&["rules", "show", "acme", "--config", ".gitleaks.toml"]).expect_code(0);
    fs::remove_file(sandbox.path().join(".stanch.toml")).unwrap();
    sandbox.write(".gitleaks.toml", "[[rules]]\n");
    let ran = sandbox.stanch(&["src"]).expect_code(2);
    assert!(ran.stderr.contains("there is no .stanch.toml, so .gitleaks.toml is read"), "{}", ran.stderr);
    assert!(ran.stderr.contains(".gitleaks.toml:1:1: a rule without `id`"), "{}", ran.stderr);
}

#[test]
fn groups_entropy_keywords_and_paths_decide() {
    let sandbox = Sandbox::new();
    let value = alnum(16, 1);
    sandbox.write("a.txt", format!("x\nacme_{value}\n"));
    sandbox.write("b.yml", format!("key: acme_{value}\n"));
    sandbox.write("c.txt", "acme_aaaaaaaaaaaaaaaa\n");
    let all = ["acme a.txt:2", "acme b.yml:1", "acme c.txt:1"];
    assert_eq!(found(&sandbox, &acme("")), all);
    assert_eq!(found(&sandbox, &acme("entropy = 2.5")), all[..2]);
    assert_eq!(found(&sandbox, &acme("path = '''\\.ya?ml$'''")), all[1..2]);
    assert_eq!(
        found(&sandbox, &acme("keywords = [\"KEY\"]")),
        all[1..2],
        "anywhere in the file, in any case"
    );
    assert_eq!(found(&sandbox, &acme("keywords = [\"none\", \"x\\na\"]")), all[..1]);

    let secret_of = |config: &str| {
        sandbox.write("g.toml", config);
        let report = scan(&sandbox, &["a.txt", "--config", "g.toml", "--show-secrets"], 1);
        report["findings"][0]["secret"].as_str().unwrap().to_owned()
    };
    assert_eq!(secret_of(&acme("")), value, "the first group");
    let rule = |rest: &str| format!("title = \"t\"\n[[rules]]\nid = \"r\"\n{rest}\n");
    assert_eq!(secret_of(&rule("regex = '''acme_[a-zA-Z0-9]{16}'''")), format!("acme_{value}"));
    assert_eq!(
        secret_of(&rule("regex = '''(ac)(m)?e_((?P<n>[a-zA-Z0-9]{4})\\w+)'''\nsecretGroup = 3")),
        value
    );
    assert_eq!(
        secret_of(&rule("regex = '''(x*)acme(_[a-zA-Z0-9]{16})'''")),
        format!("_{value}"),
        "not the empty group"
    );
    assert_eq!(
        secret_of(&rule("regex = '''\\nacme_[a-zA-Z0-9]{16}\\n'''")),
        format!("acme_{value}"),
        "no line ends"
    );
}

#[test]
fn a_rule_of_a_path_alone_finds_files_by_name() {
    let sandbox = Sandbox::repo();
    sandbox.write("keys/server.p12", b"\0\x01\x02");
    sandbox.write("keys/text.p12", "text\n");
    let rule = "[[rules]]\nid = \"p12\"\npath = '''(?i)\\.p12$'''\n";
    assert_eq!(found(&sandbox, rule), ["p12 keys/server.p12:1", "p12 keys/text.p12:1"]);
    sandbox.write(".gitleaks.toml", rule);
    sandbox.git(&["add", "--all"]);
    let report = scan(&sandbox, &["staged"], 1);
    assert_eq!(report["finding_count"], 2);
    let notes = report["notes"].to_string();
    assert!(notes.contains("p12 looks at the names of files, which `history` does not"), "{notes}");
    let allowed = format!("{rule}[[allowlists]]\npaths = ['''^keys/text''']\n");
    assert_eq!(found(&sandbox, &allowed), ["p12 keys/server.p12:1"]);
}

#[test]
fn allowlists_have_conditions_and_targets() {
    let sandbox = Sandbox::repo();
    let value = alnum(16, 1);
    sandbox.write("src/a.txt", format!("one = acme_{value} # fixture\n"));
    sandbox.write("tests/a.txt", format!("two = acme_{value}\n"));
    let (one, two) = ("acme src/a.txt:1", "acme tests/a.txt:1");
    let head = &value[..6];
    for (list, left) in [
        ("paths = ['''^tests/''']".to_owned(), vec![one]),
        (format!("regexes = ['''^{head}''']"), vec![]),
        (format!("regexes = ['''^acme_{head}''']"), vec![one, two]),
        (format!("regexTarget = \"match\"\nregexes = ['''^acme_{head}''']"), vec![]),
        ("regexTarget = \"line\"\nregexes = ['''#\\s*fixture''']".to_owned(), vec![two]),
        ("regexTarget = \"match\"\nregexes = ['''fixture''']".to_owned(), vec![one, two]),
        (format!("stopwords = [\"{}\"]", head.to_uppercase()), vec![]),
        ("stopwords = [\"acme\"]".to_owned(), vec![one, two]),
        ("paths = ['''^tests/''']\nregexTarget = \"line\"\nregexes = ['''fixture''']".to_owned(), vec![]),
        (
            "condition = \"AND\"\npaths = ['''^src/''']\nregexTarget = \"line\"\nregexes = ['''fixture''']"
                .to_owned(),
            vec![two],
        ),
        (
            "condition = \"and\"\npaths = ['''^tests/''']\nregexTarget = \"line\"\nregexes = ['''fixture''']"
                .to_owned(),
            vec![one, two],
        ),
        (format!("commits = [\"{}\"]", "ab".repeat(20)), vec![one, two]),
    ] {
        assert_eq!(found(&sandbox, &acme(&format!("[[rules.allowlists]]\n{list}"))), left, "{list}");
        assert_eq!(found(&sandbox, &acme(&format!("[rules.allowlist]\n{list}"))), left, "{list}");
        assert_eq!(found(&sandbox, &acme(&format!("[[allowlists]]\n{list}"))), left, "{list}");
        assert_eq!(found(&sandbox, &acme(&format!("[allowlist]\n{list}"))), left, "{list}");
        let targeted = acme(&format!(
            "[[rules]]\nid = \"other\"\nregex = '''other'''\n[[allowlists]]\ntargetRules = [\"acme\"]\n{list}"
        ));
        assert_eq!(found(&sandbox, &targeted), left, "{list}");
        let other = targeted.replace("targetRules = [\"acme\"]", "targetRules = [\"other\"]");
        assert_eq!(found(&sandbox, &other), [one, two], "{list}");
    }
    fs::write(sandbox.outside().join("g.toml"), acme("[allowlist]\npaths = [\"tests\"]")).unwrap();
    let report = scan(&sandbox, &["--config", "../g.toml"], 1);
    assert_eq!(report["suppressed"]["allowlist"], 1);
    // A scan of a part asks for the same paths from the root.
    let ran = sandbox.stanch_in(&sandbox.path().join("tests"), &["--config", "../../g.toml"]);
    ran.expect_code(0);
}

#[test]
fn commits_are_allowed_in_the_history() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", format!("acme_{}\n", alnum(16, 1)));
    sandbox.commit_all("first");
    let first = sandbox.git(&["rev-parse", "HEAD"]);
    sandbox.write("b.txt", format!("acme_{}\n", alnum(16, 2)));
    sandbox.commit_all("second");
    let file = sandbox.outside().join("gitleaks.toml");
    fs::write(&file, acme(&format!("[[allowlists]]\ncommits = [\"{}\"]", first.to_uppercase()))).unwrap();
    let report = scan(&sandbox, &["history", "--config", file.to_str().unwrap()], 1);
    assert_eq!(report["finding_count"], 1, "{report}");
    assert_eq!(report["findings"][0]["path"], "b.txt");
    fs::write(&file, acme("path = '''^a'''")).unwrap();
    let report = scan(&sandbox, &["history", "--config", file.to_str().unwrap()], 1);
    assert_eq!(report["finding_count"], 1, "the path of a blob counts too: {report}");
    assert_eq!(report["findings"][0]["path"], "a.txt");
}

#[test]
fn rules_may_need_each_other() {
    let sandbox = Sandbox::new();
    let rules = |more: &str| {
        format!(
            "{}[[rules]]\nid = \"owner\"\nregex = '''owner=(\\w+)'''\nentropy = 1.5\n{more}\n",
            acme("[[rules.required]]\nid = \"owner\"\nwithinLines = 2")
        )
    };
    let value = alnum(16, 1);
    for (text, expected) in [
        (format!("acme_{value}\nowner=alice\n"), vec!["acme a.txt:1", "owner a.txt:2"]),
        (format!("owner=alice\n\nacme_{value}\n"), vec!["owner a.txt:1", "acme a.txt:3"]),
        (format!("owner=alice\n\n\nacme_{value}\n"), vec!["owner a.txt:1"]),
        (format!("acme_{value}\n"), vec![]),
        (format!("acme_{value}\nowner=aaaaaa\n"), vec![]),
    ] {
        sandbox.write("a.txt", &text);
        assert_eq!(found(&sandbox, &rules("")), expected, "{text}");
        let silent: Vec<&str> = expected.iter().copied().filter(|one| one.starts_with("acme")).collect();
        assert_eq!(found(&sandbox, &rules("skipReport = true")), silent, "{text}");
    }
    sandbox.write("a.txt", format!("owner=alice acme_{value}\n"));
    let columns = |most: u32| rules("").replace("withinLines = 2", &format!("withinColumns = {most}"));
    assert_eq!(found(&sandbox, &columns(12)).len(), 2);
    assert_eq!(found(&sandbox, &columns(11)).len(), 1);
}

#[test]
fn the_default_is_our_catalogue_and_can_be_changed() {
    let sandbox = Sandbox::new();
    let password = format!("db_{} = \"{}\"\n", "password", alnum(20, 3));
    sandbox.write("a.py", &password);
    let token = clickup_token(1);
    sandbox.write("b.txt", format!("{token}\n"));
    let extend = "[extend]\nuseDefault = true\n";
    assert_eq!(found(&sandbox, extend), ["generic-password a.py:1", "clickup-personal-token b.txt:1"]);
    assert_eq!(
        found(&sandbox, &format!("{extend}disabledRules = [\"generic-api-key\", \"yandex-api-key\"]\n")),
        ["clickup-personal-token b.txt:1"]
    );
    assert_eq!(
        found(
            &sandbox,
            &format!("{extend}disabledRules = [\"clickup-personal-token\", \"clickup-legacy-token\"]\n")
        ),
        ["generic-password a.py:1"]
    );
    let change = |rest: &str| format!("{extend}[[rules]]\nid = \"generic-api-key\"\n{rest}\n");
    assert_eq!(
        found(&sandbox, &change("[[rules.allowlists]]\npaths = ['''\\.py$''']")),
        ["clickup-personal-token b.txt:1"]
    );
    assert_eq!(found(&sandbox, &change("entropy = 7.9")), ["clickup-personal-token b.txt:1"]);
    assert_eq!(
        found(&sandbox, &change("regex = '''pk_\\d+'''")),
        ["clickup-personal-token b.txt:1"],
        "the expression took the place of ours, and where both find the same one is told"
    );
    let wide = format!("{extend}[[rules]]\nid = \"wide\"\nregex = '''(?s)pk_.*'''\n");
    assert_eq!(found(&sandbox, &wide), ["generic-password a.py:1", "clickup-personal-token b.txt:1"]);
    sandbox.write("b.txt", format!("{token} and {}\n", "more ".repeat(30)));
    assert_eq!(found(&sandbox, &wide).len(), 3, "what is much more than ours is not taken for the same");
    sandbox.write("b.txt", format!("{token}\n"));
    let own = format!("{extend}[[rules]]\nid = \"my-password\"\nregex = '''db_password = \"([^\"]+)\"'''\n");
    assert_eq!(found(&sandbox, &own), ["my-password a.py:1", "clickup-personal-token b.txt:1"]);
}

#[test]
fn files_extend_each_other() {
    let sandbox = Sandbox::new();
    let value = alnum(16, 1);
    sandbox.write("src/a.txt", format!("acme_{value}\nother_{value}\n"));
    sandbox.write("conf/base.toml", acme("entropy = 1.0\n[[rules]]\nid = \"other\"\nregex = '''other_\\w+'''\n[allowlist]\npaths = [\"gone\"]"));
    let run = |text: &str| {
        sandbox.write("conf/gitleaks.toml", text);
        let report = sandbox.stanch(&["src", "--config", "conf/gitleaks.toml", "--format", "json"]);
        let report = report.json();
        report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["rule"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for path in ["base.toml", "conf/base.toml"] {
        assert_eq!(run(&format!("[extend]\npath = \"{path}\"\n")), ["acme", "other"]);
    }
    let extend = "[extend]\npath = \"base.toml\"\n";
    assert_eq!(run(&format!("{extend}disabledRules = [\"acme\"]\n")), ["other"]);
    assert_eq!(run(&format!("{extend}[[rules]]\nid = \"acme\"\nentropy = 6.0\n")), ["other"]);
    assert_eq!(run(&format!("{extend}[[rules]]\nid = \"acme\"\nregex = '''nothing'''\n")), ["other"]);
    assert_eq!(
        run(&format!("{extend}[[rules]]\nid = \"acme\"\n[[rules.allowlists]]\npaths = [\"src\"]\n")),
        ["other"]
    );
    assert_eq!(
        run(&format!("{extend}[[rules]]\nid = \"new\"\nregex = '''(?m)^other_..'''\n")),
        ["acme", "new", "other"]
    );
    assert_eq!(
        run(&format!("{extend}[[allowlists]]\ntargetRules = [\"other\"]\npaths = [\"src\"]\n")),
        ["acme"]
    );
}

#[test]
fn what_cannot_be_honoured_is_an_error_that_names_line_and_key() {
    for (config, expected) in [
        ("", ": no rule is active, so nothing could be found"),
        ("title = \"x\"\n[allowlist]\npaths = [\"a\"]\n", ": no rule is active"),
        ("[[rules]\n", "gitleaks.toml:1:9: "),
        ("useDefault = true\n", ":1:1: `useDefault`: stands under [extend]"),
        (
            "[whitelist]\n",
            ":1:2: `whitelist`: no key that can be honoured (gitleaks before version 8 had it)",
        ),
        (
            "[[rules]]\nid = \"a\"\nregex = '''a'''\nseverity = \"x\"\n",
            ":4:1: `severity`: no key under `rules`",
        ),
        ("[[rules]]\nid = \"a\"\nregex = '''(?=a)'''\n", ":3:9: `regex`: Go's expressions cannot look ahead"),
        ("[[rules]]\nid = \"a\"\nregex = '''(a'''\n", ":1:1: rule `a`: `regex`: unclosed group"),
        ("[[rules]]\nid = \"a\"\nregex = '''a*'''\n", ":1:1: rule `a`: `regex` matches the empty text"),
        ("[[rules]]\nid = \"a\"\nregex = 1\n", ":3:1: `regex`: expected a text"),
        (
            "[[rules]]\nid = \"a\"\nregex = '''a'''\nsecretGroup = 2\n",
            ":4:1: `secretGroup`: there is no group 2",
        ),
        ("[[rules]]\nid = \"a\"\nregex = '''a'''\npath = '''['''\n", ":4:8: `path`: a class"),
        (
            "[[rules]]\nid = \"a\"\nregex = '''a'''\nkeywords = 3\n",
            ":4:1: `keywords`: expected a list of texts",
        ),
        (
            "[[rules]]\nid = \"a\"\nregex = '''a'''\nentropy = \"high\"\n",
            ":4:1: `entropy`: expected a number",
        ),
        ("[[rules]]\nregex = '''a'''\n", ":1:1: a rule without `id`"),
        ("[[rules]]\nid = \"a\"\n", ":1:1: rule `a` has neither `regex` nor `path`"),
        (
            "[extend]\nuseDefault = true\n[[rules]]\nid = \"aa\"\n",
            ":3:1: rule `aa` has neither `regex` nor `path`",
        ),
        (
            "[extend]\nuseDefault = true\n[[rules]]\nid = \"github-pat\"\nsecretGroup = 1\n",
            ":5:1: `secretGroup` means nothing",
        ),
        (
            "[extend]\nuseDefault = true\ndisabledRules = [\"what\"]\n",
            ":3:18: `disabledRules`: there is no rule `what`",
        ),
        (
            "[extend]\nuseDefault = true\npath = \"a\"\n",
            ":3:8: `path`: `useDefault` and `path` exclude each other",
        ),
        ("[extend]\nurl = \"https://a\"\n", ":2:1: `url`: nothing is read over the network"),
        ("[extend]\npath = \"none.toml\"\n", ":2:8: `path`: there is no such file"),
        (
            "[[rules]]\nid = \"a\"\nregex = '''a'''\n[[rules.required]]\nid = \"b\"\n",
            ":5:6: `required`: there is no rule `b`",
        ),
        (
            "[[rules]]\nid = \"a\"\nregex = '''a'''\n[[rules.required]]\nwithinLines = 3\n",
            ":4:1: `required`: names no rule",
        ),
        ("[[rules]]\nid = \"a\"\nregex = '''a'''\n[[allowlists]]\n", ":4:1: an allowlist needs"),
        (
            "[[rules]]\nid = \"a\"\nregex = '''a'''\n[allowlist]\nregexes = ['''(''']\n",
            ":5:12: `regexes`: bad regular",
        ),
        (
            "[[rules]]\nid = \"a\"\nregex = '''a'''\n[allowlist]\npaths = [\"a\"]\ncondition = \"XOR\"\n",
            ":6:1: `condition`",
        ),
        (
            "[[rules]]\nid = \"a\"\nregex = '''a'''\n[allowlist]\nregexes = [\"a\"]\nregexTarget = \"file\"\n",
            ":6:1: `regexTarget`",
        ),
        (
            "[[rules]]\nid = \"a\"\nregex = '''a'''\n[[allowlists]]\ntargetRules = [\"github-pat\"]\npaths = [\"a\"]\n",
            ":5:16: `targetRules`: there is no rule `github-pat`",
        ),
        (
            "[[rules]]\nid = \"a\"\nregex = '''a'''\n[[rules.allowlists]]\npaths = [\"a\"]\n[rules.allowlist]\npaths = [\"b\"]\n",
            ":6:8: `allowlist`: the old name stands beside `allowlists`",
        ),
    ] {
        let message = refused(config);
        assert!(
            message.contains("gitleaks.toml:") && message.contains(expected),
            "{config}\n{message}\n{expected}"
        );
    }
}

#[test]
fn errors_quote_no_value() {
    for config in [
        "[[rules]]\nid = \"a\"\nregex = '''hunter2('''\n",
        "[[rules]]\nid = \"a\"\nregex = '''hunter2(?=x)'''\n",
        "[[rules]]\nid = \"a\"\nregex = '''a'''\n[allowlist]\nregexes = ['''hunter2[''']\n",
        "[[rules]]\nid = \"a\"\nregex = '''a'''\n[allowlist]\nstopwords = [\"hunter2]\n",
    ] {
        assert!(!refused(config).contains("hunter2"), "{}", refused(config));
    }
}

/// The search of what is new in each version and the search of whole versions agree, whichever rules there are.
#[test]
fn the_history_is_searched_the_same_way_by_deltas_and_whole() {
    let sandbox = Sandbox::repo();
    let filler: String =
        (0..400).map(|line| format!("line {line} of the file {}\n", alnum(12, line))).collect();
    sandbox.write("a.txt", format!("{filler}acme_{}\n", alnum(16, 1)));
    sandbox.commit_all("without the word");
    sandbox.write("a.txt", format!("the word\n{filler}acme_{}\n", alnum(16, 1)));
    sandbox.commit_all("with it");
    sandbox.write("a.txt", format!("the word\n{filler}x\nacme_{}\n", alnum(16, 2)));
    sandbox.commit_all("another");
    sandbox.git(&["gc", "--quiet", "--aggressive"]);
    fs::write(sandbox.outside().join("gitleaks.toml"), acme("keywords = [\"word\"]")).unwrap();
    let args = ["history", "--config", "../gitleaks.toml"];
    let deltas = scan(&sandbox, &args, 1);
    assert_eq!(deltas["finding_count"], 2);
    assert_eq!(scan(&sandbox, &[&args[..], &["--no-delta"]].concat(), 1)["findings"], deltas["findings"]);
    let cached = scan(&sandbox, &[&args[..], &["--cache"]].concat(), 1);
    assert_eq!(cached["findings"], deltas["findings"]);
    assert_eq!(scan(&sandbox, &[&args[..], &["--cache"]].concat(), 1)["findings"], deltas["findings"]);
}

#[test]
fn explain_says_the_same() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", format!("acme_{}\n", alnum(16, 1)));
    sandbox.write(".gitleaks.toml", acme(""));
    let ran = sandbox.stanch(&["explain", "a.txt:1"]).expect_code(1);
    assert!(ran.stdout.contains("acme"), "{}", ran.stdout);
    sandbox.write(".gitleaks.toml", acme("[allowlist]\ndescription = \"of the tests\"\npaths = [\"a\"]"));
    let ran = sandbox.stanch(&["explain", "a.txt:1"]).expect_code(0);
    assert!(
        ran.stdout.contains("the allowlist at .gitleaks.toml:5 (of the tests) accepts it"),
        "{}",
        ran.stdout
    );
    sandbox.write(".gitleaks.toml", acme("keywords = [\"word\"]"));
    let ran = sandbox.stanch(&["explain", "a.txt:1", "--rule", "acme"]).expect_code(0);
    assert!(ran.stdout.contains("it runs on files that hold one of `word`"), "{}", ran.stdout);
}
