//! Every kind of item, with what it is about.

/// A kind of item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemKind {
    /// Stable name, kebab-case.
    pub id: &'static str,
    /// What it is about, in a line.
    pub title: &'static str,
}

const fn kind(id: &'static str, title: &'static str) -> ItemKind {
    ItemKind { id, title }
}

/// Every kind that [`check()`](super::check()) and its kin report, sorted by id.
pub const ITEM_KINDS: [ItemKind; 32] = [
    kind("ci-gate-missing", "No job of continuous integration looks for secrets"),
    kind("configured-ignored-locally", "A line of the configuration is in force for one clone or user only"),
    kind("configured-not-ignored", "A line that the configuration requires is not in force"),
    kind("configured-taken-back", "A nested .gitignore takes a line of the configuration back"),
    kind("env-ignored-locally", "Environment files are ignored for one clone or user only"),
    kind("env-not-ignored", "Git would commit environment files"),
    kind("env-taken-back", "A nested .gitignore takes the protection of environment files back"),
    kind("env-tracked", "Git tracks an environment file"),
    kind("example-env-secret", "An example of an environment file holds a real value"),
    kind("framework-ignored-locally", "Secret files of a framework are ignored for one clone or user only"),
    kind("framework-not-ignored", "Git would commit secret files of a framework"),
    kind("framework-taken-back", "A nested .gitignore takes the protection of a framework's files back"),
    kind("gitignore-encoding", "Git cannot read a .gitignore as text"),
    kind("gitignore-symlink", "Git does not read a .gitignore that is a link"),
    kind("hook-missing", "No hook looks for secrets before a commit"),
    kind("hook-shadowed", "There is a hook, and git does not run it"),
    kind("hook-stale", "The hook is of another version, or does not find stanch"),
    kind("ignore-line-ineffective", "A line of a .gitignore that is about secrets does nothing"),
    kind("image-ships-secret", "A container image would hold a secret file"),
    kind("package-ships-secret", "A published package would hold a secret file"),
    kind("pem-ignored-locally", "Key files are ignored for one clone or user only"),
    kind("pem-not-ignored", "Git would commit key files"),
    kind("pem-taken-back", "A nested .gitignore takes the protection of key files back"),
    kind("pem-tracked", "Git tracks a key file"),
    kind("secret-despite-variable", "A secret is written out where a variable for it is read elsewhere"),
    kind("secret-file-untracked", "A file with secrets is one `git add --all` away"),
    kind("secret-in-build-output", "Build output holds a secret"),
    kind("secret-in-client-file", "A secret stands in a file that reaches every visitor"),
    kind("secret-in-client-name", "A secret has a name that bundlers copy into client code"),
    kind("secret-shared-by-environments", "Several environments use the same secret"),
    kind("tracked-although-ignored", "Git tracks a file although a line names it"),
    kind("webhook-plain-http", "A webhook goes over plain http"),
];

/// The kind with that id.
pub fn item_kind(id: &str) -> Option<ItemKind> {
    ITEM_KINDS.into_iter().find(|kind| kind.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_sorted_and_found() {
        assert!(ITEM_KINDS.is_sorted_by_key(|kind| kind.id));
        assert_eq!(item_kind("env-tracked").map(|kind| kind.id), Some("env-tracked"));
        assert_eq!(item_kind("env"), None);
    }
}
