//! Findings about the mere names of staged files.

use std::sync::{Arc, LazyLock};

use bstr::{BString, ByteSlice};

use super::names::env_like_path;
use crate::finding::{Confidence, Excerpt, Finding, RuleInfo, Severity};
use crate::fingerprint::Fingerprint;
use crate::location::{Location, Origin};
use crate::secret::Secret;
use crate::span::{ByteSpan, LineColumn};

/// The rule behind [`staged_env_findings`].
pub static ENV_FILE_STAGED: LazyLock<Arc<RuleInfo>> = LazyLock::new(|| {
    Arc::new(RuleInfo {
        id: "env-file-staged".to_owned(),
        provider: String::new(),
        description: "Environment file is being committed: whoever sees the repository sees its values for ever"
            .to_owned(),
        severity: Severity::High,
        revoke: Some(
            "unstage it with `git rm --cached`, add the lines that `stanch check` prints to .gitignore, and commit \
             a .env.example without values instead"
                .to_owned(),
        ),
        reference: Some("https://git-scm.com/docs/gitignore".to_owned()),
    })
});

/// One finding for each path whose name is that of an environment file. `paths` are the files that the commit
/// adds or modifies, not those that it deletes; what is in them does not matter here.
pub fn staged_env_findings(paths: &[BString]) -> Vec<Finding> {
    paths.iter().filter(|path| env_like_path(path.as_bstr())).map(env_finding).collect()
}

fn env_finding(path: &BString) -> Finding {
    let rule = Arc::clone(&ENV_FILE_STAGED);
    // The file is the finding, so its path gives the identity; there is no secret to point at or to redact.
    let fingerprint = Fingerprint::new(&rule.id, &Secret::new(path.as_bytes()));
    let first = LineColumn { line: 1, column: 1 };
    Finding {
        rule,
        confidence: Confidence::High,
        reason: "the name of the file says that it holds the secrets of an environment".to_owned(),
        location: Location {
            path: path.clone(),
            start: first,
            end: first,
            span: ByteSpan::new(0, 0),
            origin: Origin::Staged,
        },
        secret: Secret::new(*b""),
        fingerprint,
        excerpt: Excerpt { text: String::new(), secret: 0..0 },
        parts: Vec::new(),
        exposure: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_environment_files_are_found_and_nothing_of_them_is_shown() {
        let paths: Vec<BString> =
            [".env", "src/main.rs", "api/.env.production", ".env.example"].map(BString::from).into();
        let findings = staged_env_findings(&paths);
        let found: Vec<_> = findings.iter().map(|finding| finding.location.path.to_string()).collect();
        assert_eq!(found, [".env", "api/.env.production"]);
        for finding in &findings {
            assert_eq!(finding.rule.id, "env-file-staged");
            assert_eq!(finding.rule.severity, Severity::High);
            assert_eq!(finding.location.start.line, 1);
            assert_eq!(finding.secret.len_bytes(), 0);
            assert_eq!(finding.excerpt.text, "");
        }
        assert_ne!(findings[0].fingerprint, findings[1].fingerprint);
    }
}
