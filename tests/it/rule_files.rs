//! `stanch rules test`: a user's own rules on their own examples.

use crate::support::Sandbox;

const GOOD: &str = "[[rule]]\nid = \"acme-deploy-key\"\ndescription = \"Deploy key of Acme\"\nkind = \"prefixed\"\n\
                    severity = \"critical\"\nshape = '\"acme_\" (\"live\" | \"test\") \"_\" ALNUM{32}'\n\
                    examples = ['deploy --key {secret}']\ncounterexamples = ['acme_live_short']\n";

#[test]
fn rules_that_hold_and_rules_that_do_not() {
    let sandbox = Sandbox::new();
    sandbox.write("good.toml", GOOD);
    let good = sandbox.stanch(&["rules", "test", "good.toml"]).expect_code(0);
    assert!(good.stdout.contains("ok      acme-deploy-key  1 example, 1 counterexample, 20 random values"));
    let bad = GOOD.replace("acme_live_short", "--key={secret}");
    sandbox.write("bad.toml", format!("[scan]\nmin_severity = \"low\"\n{bad}"));
    let bad = sandbox.stanch(&["rules", "test", "bad.toml"]).expect_code(1);
    assert!(bad.stdout.contains("failed  acme-deploy-key"), "{}", bad.stdout);
    assert!(bad.stdout.contains("line 3: counterexample 1 holds a match"), "{}", bad.stdout);
    let json = sandbox.stanch(&["rules", "test", "bad.toml", "--format", "json"]).expect_code(1).json();
    assert_eq!(json[0]["failures"][0], "counterexample 1 holds a match");
    assert_eq!(json[0]["samples"], 20);
    let quiet = sandbox.stanch(&["rules", "test", "good.toml", "--quiet"]).expect_code(0);
    assert_eq!(quiet.stdout, "");
}

#[test]
fn bad_files_are_refused_with_file_line_and_reason() {
    let sandbox = Sandbox::new();
    let head =
        "\n[[rule]]\nid = \"acme-key\"\ndescription = \"Acme\"\nkind = \"prefixed\"\nseverity = \"high\"\n";
    for (tail, message) in [
        (
            "shape = '\"a\" ALNUM{20}'",
            "bad.toml:2: rule `acme-key`: the shape holds no literal of three bytes",
        ),
        ("regex = 'a*'\nexamples = ['a']", "bad.toml:2: rule `acme-key`: `regex` matches the empty text"),
        ("regex = 'acme[0-9]{9}'", "bad.toml:2: rule `acme-key`: missing examples"),
        ("shape = '\"acme_\" ALNUM{20}'\nkeyword = [\"x\"]", "unknown field `keyword`"),
        ("shape = '\"acme_\" ALNUM{20}'\nexamples = ['{NOPE:3}']", "`{NOPE:3}` is no placeholder"),
        ("shape = '\"acme_\" ALNUM{20}'\nkeywords = [\"ab\"]", "shorter than three"),
    ] {
        sandbox.write("bad.toml", format!("{head}{tail}\n"));
        let ran = sandbox.stanch(&["rules", "test", "bad.toml"]).expect_code(2);
        assert!(ran.stderr.contains(message), "{tail}: {}", ran.stderr);
        assert!(ran.stderr.contains("bad.toml:"), "{}", ran.stderr);
    }
    sandbox.write("none.toml", "[scan]\nmin_severity = \"low\"\n");
    let none = sandbox.stanch(&["rules", "test", "none.toml"]).expect_code(2);
    assert!(none.stderr.contains("none.toml holds no [[rule]] table"), "{}", none.stderr);
    sandbox.stanch(&["rules", "test", "missing.toml"]).expect_code(2);
}

/// The configuration beside it, good or bad, does not matter.
#[test]
fn the_configuration_in_force_has_no_say() {
    let sandbox = Sandbox::new();
    sandbox.write("good.toml", GOOD);
    sandbox.write(".stanch.toml", "[scan]\nmin_sevrity = \"low\"\n");
    sandbox.stanch(&["rules", "test", "good.toml"]).expect_code(0);
}
