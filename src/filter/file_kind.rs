//! What the path of a file says of its content.
//!
//! Tests and guides are full of made-up passwords, and a vendored library brings its own. That is a weight
//! in the judgement, never a reason to leave a file out: real credentials leak through tests too.

use bstr::BStr;

/// Which kinds of file a path speaks of; several may hold, and none where there is no path yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FileKind {
    /// Tests, their data, and the set-up of continuous integration.
    pub tests: bool,
    /// Documentation, examples, descriptions of an API.
    pub docs: bool,
    /// Code that others wrote, brought in as it is, and lists of it.
    pub foreign: bool,
    /// Lists of what was brought in, with a checksum for each.
    pub locks: bool,
    /// What a program says to people, in one language or another.
    pub texts: bool,
}

impl FileKind {
    /// Reads a path with `/` separators.
    pub fn of(path: &BStr) -> Self {
        let lower = path.to_ascii_lowercase();
        let mut kind = Self::default();
        let mut parts = lower.split(|&byte| byte == b'/').peekable();
        let mut above: &[u8] = b"";
        while let Some(part) = parts.next() {
            let is_file = parts.peek().is_none();
            for word in part.split(|byte| b"_-. ".contains(byte)) {
                kind.tests |= is_test(word) || (is_file && ends_in_test(word));
                kind.docs |= is_doc(word);
            }
            kind.foreign |= is_foreign(part);
            kind.texts |= !is_file && is_of_texts(part);
            kind.tests |= !is_file && is_of_ci(above, part);
            above = part;
            if is_file {
                kind.docs |= ends_with_any(part, DOC_ENDS);
                kind.locks |= ends_with_any(part, LOCK_ENDS);
                kind.texts |= ends_with_any(part, TEXT_ENDS);
                kind.foreign |= kind.locks || ends_with_any(part, PRESSED_ENDS);
                kind.tests |= ends_with_any(part, CI_FILES);
            }
        }
        kind
    }

    /// Whether values in it are more often made up than real.
    pub fn is_rehearsal(self) -> bool {
        self.tests || self.docs
    }
}

/// Whether it is a word of directories and files of tests, in lower case, between joints. A choice of patterns is told by
/// its length first; the entries of a list would be compared one after the other.
fn is_test(name: &[u8]) -> bool {
    matches!(
        name,
        b"test"
            | b"tests"
            | b"testing"
            | b"testcase"
            | b"testcases"
            | b"testdata"
            | b"testsuite"
            | b"spec"
            | b"specs"
            | b"t"
            | b"e2e"
            | b"fixture"
            | b"fixtures"
            | b"mock"
            | b"mocks"
            | b"stub"
            | b"stubs"
            | b"conftest"
            | b"benchmark"
            | b"benchmarks"
            | b"cypress"
    )
}

/// The same of documentation and examples.
fn is_doc(name: &[u8]) -> bool {
    matches!(
        name,
        b"doc"
            | b"docs"
            | b"documentation"
            | b"guide"
            | b"guides"
            | b"example"
            | b"examples"
            | b"sample"
            | b"samples"
            | b"demo"
            | b"demos"
            | b"tutorial"
            | b"tutorials"
            | b"readme"
            | b"changelog"
            | b"changes"
            | b"swagger"
            | b"openapi"
            | b"man"
    )
}

const DOC_ENDS: &[&[u8]] =
    &[b".md", b".markdown", b".rst", b".adoc", b".asciidoc", b".mdx", b".pod", b".texi"];
/// Whether it is the whole name of a directory with code of others.
fn is_foreign(name: &[u8]) -> bool {
    matches!(
        name,
        b"vendor"
            | b"vendored"
            | b"node_modules"
            | b"bower_components"
            | b"third_party"
            | b"third-party"
            | b"thirdparty"
            | b"3rdparty"
            | b"external"
            | b"externals"
            | b"site-packages"
            | b"pods"
            | b"carthage"
            | b"godeps"
    )
}

/// Whether it is the whole name of a directory with texts for people.
fn is_of_texts(name: &[u8]) -> bool {
    matches!(
        name,
        b"i18n"
            | b"l10n"
            | b"intl"
            | b"locale"
            | b"locales"
            | b"lang"
            | b"langs"
            | b"languages"
            | b"translation"
            | b"translations"
    )
}

const TEXT_ENDS: &[&[u8]] = &[b".po", b".pot", b".resx", b".strings", b".xlf", b".xliff", b".arb"];
/// Files that list what was brought in.
const LOCK_ENDS: &[&[u8]] = &[
    b"package-lock.json",
    b"yarn.lock",
    b"pnpm-lock.yaml",
    b"npm-shrinkwrap.json",
    b"cargo.lock",
    b"composer.lock",
    b"gemfile.lock",
    b"poetry.lock",
    b"pipfile.lock",
    b"uv.lock",
    b"go.sum",
    b"go.work.sum",
    b"flake.lock",
    b"bun.lock",
    b"deno.lock",
    b"pdm.lock",
    b"pubspec.lock",
    b"podfile.lock",
    b"mix.lock",
    b"packages.lock.json",
    b".terraform.lock.hcl",
];
/// Code that was pressed together.
const PRESSED_ENDS: &[&[u8]] = &[b".min.js", b".min.css"];
const CI_FILES: &[&[u8]] = &[b".travis.yml", b".gitlab-ci.yml", b"appveyor.yml", b"azure-pipelines.yml"];

/// Whether a directory, or one in another one, says what a CI runs.
fn is_of_ci(above: &[u8], name: &[u8]) -> bool {
    matches!((above, name), (_, b".circleci" | b".buildkite") | (b".github", b"workflows" | b"actions"))
}

fn ends_with_any(name: &[u8], ends: &[&[u8]]) -> bool {
    ends.iter().any(|end| name.ends_with(end))
}

/// `UserServiceTest.java`, `LoginTests.cs`; not `latest.json`, and no word that merely ends so.
fn ends_in_test(word: &[u8]) -> bool {
    let stem = word.strip_suffix(b"tests").or_else(|| word.strip_suffix(b"test"));
    stem.is_some_and(|stem| stem.len() >= 3 && !stem.ends_with(b"la") && !stem.ends_with(b"con"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(path: &str) -> (bool, bool, bool) {
        let FileKind { tests, docs, foreign, .. } = FileKind::of(path.into());
        (tests, docs, foreign)
    }

    #[test]
    fn paths_say_what_is_in_them() {
        for path in [
            "tests/unit/auth.tcl",
            "src/app/login.spec.ts",
            "pkg/user_test.go",
            "src/test/java/UserServiceTest.java",
            "t/t0300-credentials.sh",
            "__tests__/a.js",
            ".github/workflows/ci.yml",
            "spec/models/user.rb",
            "src/LoginTests.cs",
            "src/AppTest.kt",
            "tests/fixtures/users.json",
            ".gitlab-ci.yml",
            "sub/.travis.yml",
            ".circleci/config.json",
            "sub/.github/actions/setup/a.sh",
        ] {
            assert_eq!(kinds(path), (true, false, false), "{path}");
        }
        for path in [
            "README.md",
            "docs/setup.html",
            "guides/source/start.md",
            "api/swagger.yaml",
            "docs/guides/x.c",
            "a.docs.examples.rs",
            "notes.rst",
        ] {
            assert_eq!(kinds(path), (false, true, false), "{path}");
        }
        for path in [
            "vendor/github.com/x/y.go",
            "web/node_modules/a/index.js",
            "yarn.lock",
            "js/app.min.js",
            "vendor/node_modules/a.c",
            "vendor/a.min.js",
        ] {
            assert_eq!(kinds(path), (false, false, true), "{path}");
        }
        for path in ["src/main.rs", "config/latest.json", "lib/contest.py", "app/settings.py", "item/attest"]
        {
            assert!(!kinds(path).2 && !kinds(path).1, "{path}");
        }
        // Three letters before it are a name, two are none.
        assert_eq!(kinds("src/abctest.c"), (true, false, false));
        for path in [
            "src/main.rs",
            "src/abtest.c",
            "src/protest/a.c",
            "ci/latest",
            "travis.yml/x",
            "app/min.js",
            ".github/x/workflows/a.c",
            ".github/actions",
        ] {
            assert_eq!(kinds(path), (false, false, false), "{path}");
        }
        assert_eq!(kinds("config/latest.json"), (false, false, false));
        assert_eq!(kinds("lib/contest.py"), (false, false, false));
    }

    #[test]
    fn nothing_is_said_without_a_path() {
        let nothing = FileKind { tests: false, docs: false, foreign: false, locks: false, texts: false };
        assert_eq!(FileKind::default(), nothing);
        assert_eq!(FileKind::of("".into()), FileKind::default());
    }

    #[test]
    fn tests_and_guides_rehearse() {
        for (path, rehearses) in
            [("tests/a.c", true), ("docs/a.c", true), ("vendor/a.c", false), ("i18n/a.c", false)]
        {
            assert_eq!(FileKind::of(path.into()).is_rehearsal(), rehearses, "{path}");
        }
    }

    #[test]
    fn what_is_said_to_people_is_told() {
        for (path, is_text) in [
            ("static/translations/ca-074c.json", true),
            ("config/locales/de.yml", true),
            ("po/de.po", true),
            ("i18n/locales/de.po", true),
            ("i18n/lang/de.c", true),
            ("res/app.resx/x.c", false),
            ("src/lang.rs", false),
            ("i18n", false),
        ] {
            assert_eq!(FileKind::of(path.into()).texts, is_text, "{path}");
        }
    }

    #[test]
    fn lists_of_checksums_are_told_from_other_code_of_others() {
        for (path, is_lock) in
            [("go.sum", true), ("web/package-lock.json", true), ("a.min.js", false), ("x.lock", false)]
        {
            assert_eq!(FileKind::of(path.into()).locks, is_lock, "{path}");
        }
    }
}
