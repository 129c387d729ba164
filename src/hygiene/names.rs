//! File names that say that a file holds secrets.

use bstr::{BStr, ByteSlice};

/// Parts of a name that mark a file made to be committed: it shows which variables there are, or is encrypted.
const HARMLESS_PARTS: [&str; 19] = [
    "example",
    "examples",
    "sample",
    "template",
    "tmpl",
    "tpl",
    "dist",
    "default",
    "defaults",
    "schema",
    "skeleton",
    "test",
    "testing",
    "vault",
    "enc",
    "encrypted",
    "gpg",
    "age",
    "sops",
];

/// What stands before `.env` in names such as `prod.env`. Other names (`app.env`, `common.env`) are as often
/// plain settings, and their content is scanned in any case.
const ENVIRONMENTS: [&str; 10] =
    ["prod", "production", "live", "stage", "staging", "dev", "development", "local", "secret", "secrets"];

/// Whether the name of the file says that it holds the variables of an environment, so that it should never
/// be committed: `.env`, `.env.<anything>`, `prod.env` and the like.
///
/// Names made to be committed are not meant: `.env.example`, `.env.sample`, `.env.template`, `.env.dist`,
/// `.env.test` and encrypted ones. A name that ends in `.local` always is. Letter case does not matter.
pub fn env_like_path(path: &BStr) -> bool {
    let name = basename(path).to_ascii_lowercase();
    if let Some(suffix) = name.strip_prefix(b".env") {
        return suffix.is_empty() || (suffix[0] == b'.' && env_like_suffix(&suffix[1..]));
    }
    let stem = name.strip_suffix(b".env");
    stem.is_some_and(|stem| ENVIRONMENTS.iter().any(|environment| stem == environment.as_bytes()))
}

/// Whether the name ends in `.pem`, in any letter case.
pub(super) fn pem_path(path: &BStr) -> bool {
    let name = basename(path);
    name.len() >= 4 && name[name.len() - 4..].eq_ignore_ascii_case(b".pem")
}

/// Whether the name is that of an example of an environment file, made to be committed.
pub(super) fn is_example_env(path: &BStr) -> bool {
    const WORDS: [&str; 9] =
        ["example", "examples", "sample", "template", "tmpl", "tpl", "dist", "default", "defaults"];
    let name = basename(path).to_ascii_lowercase();
    let mut parts = name.split(|byte| matches!(byte, b'.' | b'-' | b'_'));
    let has_env = name.starts_with(b".env") || name.starts_with(b"env.") || name.ends_with(b".env");
    has_env && !env_like_path(path) && parts.any(|part| WORDS.iter().any(|word| part == word.as_bytes()))
}

/// Which environment an environment file is for; `None` for those that are for all or for no certain one.
pub(super) fn environment_of(path: &BStr) -> Option<&'static str> {
    const NAMES: [(&str, &str); 11] = [
        ("development", "development"),
        ("dev", "development"),
        ("staging", "staging"),
        ("stage", "staging"),
        ("uat", "staging"),
        ("test", "test"),
        ("testing", "test"),
        ("qa", "test"),
        ("production", "production"),
        ("prod", "production"),
        ("live", "production"),
    ];
    let name = basename(path).to_ascii_lowercase();
    let is_env = name.starts_with(b".env") || name.ends_with(b".env");
    let mut parts = name.split(|byte| matches!(byte, b'.' | b'-' | b'_')).filter(|_| is_env);
    parts.find_map(|part| NAMES.iter().find(|(word, _)| part == word.as_bytes()).map(|(_, name)| *name))
}

/// Whether the name says that the file holds secrets: environment files, keys, keystores and credentials.
pub(super) fn secret_path(path: &BStr) -> bool {
    const NAMES: [&str; 10] = [
        "id_rsa",
        "id_ecdsa",
        "id_ed25519",
        "id_dsa",
        "credentials.json",
        "service-account.json",
        "serviceaccount.json",
        "master.key",
        "keystore.properties",
        ".pypirc",
    ];
    const ENDS: [&str; 8] = [".pem", ".p12", ".pfx", ".jks", ".keystore", ".key", ".p8", ".tfstate"];
    let name = basename(path).to_ascii_lowercase();
    env_like_path(path)
        || NAMES.iter().any(|known| name == known.as_bytes())
        || ENDS.iter().any(|end| name.ends_with(end.as_bytes()))
}

fn env_like_suffix(suffix: &[u8]) -> bool {
    if suffix == b"local" || suffix.ends_with(b".local") {
        return true;
    }
    let mut parts = suffix.split(|byte| matches!(byte, b'.' | b'-' | b'_'));
    !parts.any(|part| HARMLESS_PARTS.iter().any(|harmless| part == harmless.as_bytes()))
}

pub(super) fn basename(path: &BStr) -> &[u8] {
    path.rfind_byte(b'/').map_or(path.as_bytes(), |slash| &path[slash + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_files_are_recognised_by_name() {
        for path in [
            ".env",
            "service/.env",
            ".ENV",
            ".env.local",
            ".env.production",
            ".env.staging.local",
            ".env.test.local",
            ".env.example.local",
            ".env.bak",
            ".env.",
            "deploy/prod.env",
            "secrets.env",
        ] {
            assert!(env_like_path(path.into()), "{path}");
        }
    }

    #[test]
    fn files_made_to_be_committed_are_not_meant() {
        for path in [
            ".env.example",
            ".env.sample",
            ".env.template",
            ".env.dist",
            ".env.production.example",
            ".env.example.production",
            ".env.local.dist",
            ".env.local-example",
            ".env.test",
            ".env.vault",
            ".env/bin/activate",
            ".envrc",
            ".environment",
            "env",
            "app.env",
            "src/env.ts",
            "example.env",
            "",
        ] {
            assert!(!env_like_path(path.into()), "{path}");
        }
    }

    #[test]
    fn examples_and_environments_are_told_by_name() {
        for path in [".env.example", "a/.env.sample", ".env.production.example", "env.example", "example.env"]
        {
            assert!(is_example_env(path.into()), "{path}");
        }
        for path in [".env", ".env.local", ".env.test", "example.json", "environment.example"] {
            assert!(!is_example_env(path.into()), "{path}");
        }
        for (path, environment) in [
            (".env.production", Some("production")),
            ("a/.env.prod.local", Some("production")),
            ("staging.env", Some("staging")),
            (".env", None),
            (".env.local", None),
            ("production.yml", None),
        ] {
            assert_eq!(environment_of(path.into()), environment, "{path}");
        }
    }

    #[test]
    fn pem_files_are_recognised_by_name() {
        for path in ["a.pem", "certs/B.PEM", ".pem"] {
            assert!(pem_path(path.into()), "{path}");
        }
        for path in ["pem", "a.pem.md", "a.pem/b", "é"] {
            assert!(!pem_path(path.into()), "{path}");
        }
    }
}
