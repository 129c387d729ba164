//! Which repository this is and who works in it, for logs, receipts and plans.

use bstr::{BString, ByteSlice};

use super::Repository;
use super::database::object_id;
use crate::location::ObjectId;

/// What names a repository and whoever works in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The commit that is checked out; `None` when there is none yet.
    pub head: Option<ObjectId>,
    /// The full name of the branch that is checked out; `None` when there is none.
    pub branch: Option<BString>,
    /// Names and addresses of the remotes, without the credentials that an address may hold; sorted.
    pub remotes: Vec<(String, String)>,
    /// `user.name` of git's configuration, or `GIT_AUTHOR_NAME`.
    pub user_name: Option<String>,
    /// `user.email` of git's configuration, or `GIT_AUTHOR_EMAIL`.
    pub user_email: Option<String>,
}

impl Repository {
    /// What names this repository. What cannot be read counts as not there: nothing rests on it but a label.
    pub fn identity(&self) -> Identity {
        let head = self.inner.refname_to_id("HEAD").ok().map(object_id);
        let branch = self.inner.find_reference("HEAD").ok();
        let branch = branch.and_then(|head| head.symbolic_target_bytes().map(BString::from));
        let names = self.inner.remotes();
        let mut remotes: Vec<(String, String)> = Vec::new();
        for name in names.iter().flatten().flatten().flatten() {
            if let Ok(remote) = self.inner.find_remote(name) {
                remotes.push((name.to_owned(), without_credentials(&remote.url_bytes().to_str_lossy())));
            }
        }
        remotes.sort();
        let config = self.config().ok();
        let setting = |variable: &str, key: &str| {
            let given = std::env::var(variable).ok().filter(|value| !value.trim().is_empty());
            given.or_else(|| config.as_ref()?.get_string(key).ok())
        };
        Identity {
            head,
            branch,
            remotes,
            user_name: setting("GIT_AUTHOR_NAME", "user.name"),
            user_email: setting("GIT_AUTHOR_EMAIL", "user.email"),
        }
    }
}

/// The address without user, password, query and fragment, any of which may be a token.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_what_opens_doors() {
        for (url, expected) in [
            ("https://user:word@git.example.org/a/b.git", "https://git.example.org/a/b.git"),
            ("https://word@git.example.org:8443/a@b", "https://git.example.org:8443/a@b"),
            ("https://git.example.org/a?private_token=word#x", "https://git.example.org/a"),
            ("ssh://git@git.example.org/a", "ssh://git.example.org/a"),
            ("git@git.example.org:a/b.git", "git@git.example.org:a/b.git"),
            ("/srv/git/a", "/srv/git/a"),
            ("https://user:word@host", "https://host"),
        ] {
            assert_eq!(without_credentials(url), expected);
        }
    }
}
