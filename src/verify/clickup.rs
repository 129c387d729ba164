//! What ClickUp's interface tells beyond live and dead.

use serde::Deserialize;

use super::Unknown;
use super::http::{Outgoing, SendError, Transport};
use super::judge::harmless;
use super::pace::{self, Asked, Clock, Patience};
use crate::rule::request::Request;

/// A workspace; nothing of its members is kept.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Workspace {
    /// Its number.
    pub id: String,
    /// Its name; may hold anything.
    pub name: String,
}

/// Whether the request asks ClickUp who the owner of a token is.
pub(super) fn is_token(request: &Request) -> bool {
    request.url == "https://api.clickup.com/api/v2/user"
}

/// Asks for another path with the token of a request to `/api/v2/user`.
pub(super) fn ask(
    user: &Outgoing,
    path: &str,
    patience: Patience,
    transport: &dyn Transport,
    clock: &dyn Clock,
) -> Asked {
    let base = user.url.strip_suffix("/api/v2/user").unwrap_or(&user.url);
    let request = Outgoing {
        method: user.method,
        url: format!("{base}{path}"),
        headers: user.headers.clone(),
        body: None,
    };
    pace::ask(transport, clock, patience, &request)
}

/// Reads the answer of `GET /api/v2/team`, which also lists every member: ids and names of the workspaces are taken, the
/// rest is dropped unread.
pub(super) fn workspaces(asked: &Asked) -> Result<Vec<Workspace>, Unknown> {
    #[derive(Deserialize)]
    struct Teams {
        teams: Vec<Team>,
    }
    #[derive(Deserialize)]
    struct Team {
        id: serde_json::Value,
        name: Option<String>,
    }
    let answer = asked.last.as_ref().map_err(|error: &SendError| Unknown::NoAnswer(error.clone()))?;
    match answer.status {
        200 if !answer.is_whole => return Err(Unknown::TooLarge),
        200 => {}
        429 => return Err(Unknown::RateLimited),
        status @ 500.. => return Err(Unknown::ServerError { status }),
        status => return Err(Unknown::Undecided { status }),
    }
    let teams: Teams = serde_json::from_slice(&answer.body).map_err(|_| Unknown::Malformed)?;
    let id = |id: serde_json::Value| match id {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    let teams = teams.teams.into_iter().map(|team| Workspace {
        id: Some(id(team.id)).filter(|id| harmless(id, "\0")).unwrap_or_default(),
        name: team.name.unwrap_or_default().chars().take(100).collect(),
    });
    Ok(teams.collect())
}
