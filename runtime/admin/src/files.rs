//! The six routes below `/_/deployments/` by which Buntime's tools look at the apps directory and change it.
//!
//! Their shapes, codes and statuses are Buntime's; where a path led out of the directory there, it is refused here.

mod list;

mod change;

mod download;

mod upload;

use std::sync::Arc;

use http::{Request, Response};
use rookery_pool::Body;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::audit::Audit;
use crate::body::{Incoming, read_json};
use crate::folder::{Folder, blocking};
use crate::place::Place;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::respond;
use crate::turns::Turns;

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileRoute {
    /// `GET …/list?path=`.
    List,
    /// `POST …/mkdir` with `{path}`.
    MakeDir,
    /// `DELETE …/delete` with `{path}`.
    Delete,
    /// `POST …/rename` with `{path, newName}`.
    Rename,
    /// `POST …/upload` with a form of `path` and `files`.
    Upload,
    /// `GET …/download?path=`.
    Download,
}

/// What changes and downloads name.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Named {
    path: Option<String>,
    new_name: Option<String>,
}

/// Answers one of them.
pub(crate) async fn serve<B: Incoming>(
    route: FileRoute,
    folder: &Arc<Folder>,
    turns: &Turns,
    request: Request<B>,
    audit: &Audit,
) -> Result<Response<Body>, Refusal> {
    let (folder, query) = (Arc::clone(folder), Query::of(request.uri()));
    match route {
        FileRoute::List => {
            let place = Place::parse(query.get("path").unwrap_or_default())?;
            let listed = blocking(move || list::list(&folder, &place)).await?;
            Ok(success(Some(json!(listed))))
        }
        FileRoute::Download => {
            let place = required(query.get("path"))?;
            download::download(folder, place).await
        }
        FileRoute::MakeDir => {
            let named: Named = read_json(request.into_body()).await?;
            let place = required(named.path.as_deref())?;
            audit.about(&place);
            blocking(move || change::make_dir(&folder, &place)).await?;
            Ok(success(None))
        }
        FileRoute::Delete => {
            let named: Named = read_json(request.into_body()).await?;
            let place = required(named.path.as_deref())?;
            if place.is_root() {
                return Err(Refusal::Missing(
                    "CANNOT_DELETE_ROOT",
                    "the apps directory itself cannot be deleted",
                ));
            }
            audit.about(&place);
            blocking(move || change::delete(&folder, &place)).await?;
            Ok(success(None))
        }
        FileRoute::Rename => {
            let named: Named = read_json(request.into_body()).await?;
            let (place, name) = both(&named)?;
            audit.about(format_args!("{place} → {name}"));
            blocking(move || change::rename(&folder, &place, &name)).await?;
            Ok(success(None))
        }
        FileRoute::Upload => {
            let _turn = turns.take()?;
            upload::upload(folder, request, audit).await?;
            Ok(success(None))
        }
    }
}

fn required(path: Option<&str>) -> Result<Place, Refusal> {
    match path {
        None | Some("") => Err(Refusal::Missing("PATH_REQUIRED", "path is required")),
        Some(path) => Place::parse(path),
    }
}

fn both(named: &Named) -> Result<(Place, String), Refusal> {
    match (&named.path, &named.new_name) {
        (Some(path), Some(name)) if !path.is_empty() && !name.is_empty() => {
            Ok((Place::parse(path)?, name.clone()))
        }
        _ => Err(Refusal::Missing(
            "PATH_AND_NAME_REQUIRED",
            "path and newName are required",
        )),
    }
}

/// `{"success":true}`, with what was asked for.
fn success(data: Option<Value>) -> Response<Body> {
    respond::json(&match data {
        Some(data) => json!({ "success": true, "data": data }),
        None => json!({ "success": true }),
    })
}
