//! Where code and configuration put a secret and the word that names its provider.

use stanch::filter::file_kind::FileKind;
use stanch::filter::{self, Verdict};
use stanch::matcher::{Matcher, Scratch};
use stanch::rule::RuleSet;
use stanch::rule::shape::Shape;

use crate::surroundings::{random, sample};

/// Keyed rules of many forms: hexadecimal, letters and digits, base64, a UUID, with and without punctuation.
const RULES: [(&str, &str); 9] = [
    ("abyssale-key", "abyssale"),
    ("agendor-token", "agendor"),
    ("amadeus-secret", "amadeus"),
    ("aws-secret-access-key", "aws"),
    ("datadog-api-key", "datadog"),
    ("mailjet-api-secret", "mailjet"),
    ("pagerduty-token", "pagerduty"),
    ("statuscake-key", "statuscake"),
    ("belvo-secret", "belvo"),
];

/// `{w}` is the word, `{W}` the same in upper case, `{s}` the secret, `{b64}` the secret in base64.
const CONTEXTS: &[&str] = &[
    // Assignments.
    "{w}_secret_key = {s}\n",
    "{W}_SECRET_KEY={s}\n",
    "{w}_secret_key: {s}\n",
    "{w}_secret_key := \"{s}\"\n",
    "'{w}_secret_key' => '{s}',\n",
    "$this->{w}_secret_key = '{s}';\n",
    "params->{w}_secret_key -> \"{s}\"\n",
    "{w}_secret_key <- \"{s}\"\n",
    "const {w}SecretKey: string = \"{s}\";\n",
    "static final String {W}_SECRET_KEY = \"{s}\";\n",
    "{w}_secret_key ||= \"{s}\"\n",
    "{w}_secret_key ?= {s}\n",
    "let {w}_secret_key = `{s}`;\n",
    "{w}_secret_key = r\"{s}\"\n",
    "{w}_secret_key = b'{s}'\n",
    "{w}_secret_key = \"\"\"{s}\"\"\"\n",
    "#define {W}_SECRET_KEY \"{s}\"\n",
    "config[\"{w}_secret_key\"] = \"{s}\"\n",
    // Shells and builds.
    "export {W}_SECRET_KEY={s}\n",
    "export {W}_SECRET_KEY=\"{s}\"\n",
    "set {W}_SECRET_KEY={s}\r\n",
    "$env:{W}_SECRET_KEY = \"{s}\"\n",
    "ENV {W}_SECRET_KEY={s}\n",
    "ENV {W}_SECRET_KEY {s}\n",
    "ARG {W}_SECRET_KEY={s}\n",
    "docker run -e {W}_SECRET_KEY={s} image\n",
    "{w} login --secret-key {s}\n",
    "{w} login --secret-key={s}\n",
    "{w}-cli --token {s} deploy\n",
    "./run --{w}-secret-key {s}\n",
    "./run --{w}-secret-key={s}\n",
    "cat > .env <<EOF\n{W}_SECRET_KEY={s}\nEOF\n",
    "{W}_SECRET_KEY := {s}\nall:\n",
    // Calls and headers.
    "client = {w}.Client(secret_key=\"{s}\")\n",
    "os.Setenv(\"{W}_SECRET_KEY\", \"{s}\")\n",
    "{w}.setSecretKey(\"{s}\");\n",
    "headers = {\"X-{w}-Secret-Key\": \"{s}\"}\n",
    "curl -H 'X-{w}-Secret-Key: {s}' https://host.test/\n",
    "curl -H \"Authorization: Bearer {s}\" https://api.{w}.com/v1/items\n",
    "curl \"https://api.{w}.com/v1/items?api_key={s}\"\n",
    "fetch(\"https://api.{w}.com/v1/items?secret_key={s}&page=1\")\n",
    // The line above, and parents.
    "# {w}\nsecret_key = \"{s}\"\n",
    "// {w} access\nconst SECRET_KEY = \"{s}\";\n",
    "{w}:\n  secret_key: {s}\n",
    "{w}:\n  region: x\n  secret_key: \"{s}\"\n",
    "[{w}]\nsecret_key = {s}\n",
    "{\"{w}\": {\"secret_key\": \"{s}\"}}\n",
    "provider \"{w}\" {\n  secret_key = \"{s}\"\n}\n",
    "variable \"{w}_secret_key\" {\n  default = \"{s}\"\n}\n",
    // Files.
    "{\"{w}_secret_key\":\"{s}\"}\n",
    "{\"body\": \"{\\\"{w}_secret_key\\\": \\\"{s}\\\"}\"}\n",
    "\"source\": [\n  \"{W}_SECRET_KEY = \\\"{s}\\\"\\n\",\n  \"print(1)\"\n]\n",
    "<{w}_secret_key>{s}</{w}_secret_key>\n",
    "<add key=\"{w}_secret_key\" value=\"{s}\"/>\n",
    "<entry {w}_secret_key=\"{s}\"/>\n",
    "<string name=\"{w}_secret_key\">{s}</string>\n",
    "<key>{w}_secret_key</key>\n<string>{s}</string>\n",
    "{w}.secret.key={s}\n",
    "id,{w}_secret_key,region\n1,{s},x\n",
    "- name: {W}_SECRET_KEY\n  value: \"{s}\"\n",
    "kind: Secret\ndata:\n  {w}_secret_key: {b64}\n",
    "kind: Secret\nmetadata:\n  name: {w}\ndata:\n  secret_key: {b64}\n",
];

/// Files with a form of their own, whose rules name the file instead.
const FILES: &[&str] =
    &["machine api.{w}.com login x password {s}\n", "//registry.{w}.com/:_authToken={s}\n"];

fn fill(context: &str, word: &str, secret: &str) -> String {
    context
        .replace("{w}", word)
        .replace("{W}", &word.to_ascii_uppercase())
        .replace("{s}", secret)
        .replace("{b64}", &data_encoding::BASE64.encode(secret.as_bytes()))
}

/// The ids of the rules that report something, in order.
fn reported(matcher: &Matcher, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    assert!(matcher.find(text.as_bytes(), &mut Scratch::default(), &mut found), "all of it was decoded");
    found
        .iter()
        .filter(|found| {
            let (rule, value) = (matcher.rule(found), found.secret.reveal());
            let verdict = filter::judge(rule, value, &found.context, FileKind::default());
            matches!(verdict, Verdict::Keep { .. })
        })
        .map(|found| matcher.rule(found).id.clone())
        .collect()
}

#[test]
fn keyed_values_are_found_wherever_code_puts_them() {
    let matcher = Matcher::new(RuleSet::builtin());
    let mut random = random(31);
    let mut missed = Vec::new();
    for (id, word) in RULES {
        let rule = matcher.rules().get(id).unwrap_or_else(|| panic!("no rule {id}"));
        let shape = Shape::parse(&rule.shape).expect("built-in shapes are checked");
        for (number, context) in CONTEXTS.iter().enumerate() {
            let secret = sample(&shape, rule.checksum, &mut random);
            // So short a run of base64 is an identifier as a rule, and it is not decoded.
            if context.contains("{b64}") && secret.len() < 20 {
                continue;
            }
            let text = fill(context, word, &secret);
            let providers: Vec<_> = reported(&matcher, &text)
                .iter()
                .map(|id| matcher.rules().get(id).expect("a rule").provider.clone())
                .collect();
            if !providers.contains(&rule.provider) {
                missed.push(format!(
                    "{id} in context {number}: {context:?}, instead {:?}",
                    reported(&matcher, &text)
                ));
            }
        }
    }
    for context in FILES {
        let text = fill(context, "abyssale", "kQ7vR2mX9pL4sT8wY3zB6nC1dF5gH0jKe2Ua8Wb");
        assert!(!reported(&matcher, &text).is_empty(), "nothing in {context:?}");
    }
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));
}

/// What the generic rules have to find without any provider's word.
#[test]
fn passwords_are_found_wherever_code_puts_them() {
    let matcher = Matcher::new(RuleSet::builtin());
    let mut missed = Vec::new();
    for (number, context) in CONTEXTS.iter().enumerate() {
        // What has no word for a secret but the provider's is no matter for them, nor is a flag for a token.
        // Tables of test data are full of columns named `password`.
        let is_table = context.starts_with("id,");
        if is_table || !context.contains("secret_key") && !context.contains("SECRET_KEY") {
            continue;
        }
        let text = context.replace("secret_key", "password").replace("SECRET_KEY", "PASSWORD");
        let text = fill(&text, "acme", "vX7#mQ2pL9wR");
        let found = reported(&matcher, &text);
        if !found.iter().any(|id| id == "generic-password" || id == "kubernetes-secret-manifest") {
            missed.push(format!("context {number}: {context:?}, instead {:?}", reported(&matcher, &text)));
        }
    }
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));
}

/// A comparison gives no value.
#[test]
fn comparisons_are_none() {
    let matcher = Matcher::new(RuleSet::builtin());
    assert!(reported(&matcher, "if (password == \"vX7#mQ2pL9wR\") {}\n").is_empty());
}

/// Several providers share a form: the nearest word decides, and without one the commonest is named.
#[test]
fn the_nearest_word_names_the_provider() {
    let matcher = Matcher::new(RuleSet::builtin());
    let shape = Shape::parse("\"sk_\" LOWER_HEX{48}").unwrap();
    let token = sample(&shape, None, &mut random(5));
    assert_eq!(reported(&matcher, &format!("value = \"{token}\"\n")), ["elevenlabs-api-key"]);
    assert_eq!(reported(&matcher, &format!("PLUNK_API_KEY = \"{token}\"\n")), ["plunk-secret-key"]);
    let hex = sample(&Shape::parse("LOWER_HEX{32}").unwrap(), None, &mut random(6));
    let text = |near: &str, far: &str| format!("# {far}_api_key\n{near}_api_key = \"{hex}\"\n");
    assert_eq!(reported(&matcher, &text("datadog", "anticaptcha")), ["datadog-api-key"]);
    assert_eq!(reported(&matcher, &text("anticaptcha", "datadog")), ["anticaptcha-key"]);
}
