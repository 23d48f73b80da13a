//! The form in which a file goes out: as it is, in a coding that lies beside it, or as a page with a base.
//!
//! **Invariant:** every form has an entity tag of its own, so a part of one is never glued to a part of another.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use super::asset::{Asset, OnDisk, sibling, tag_with};
use super::conditional::Validators;
use super::locate::ReadError;
use super::negotiate::{self, Coding};
use super::pieces::{self, Piece};
use super::{BaseInjection, StaticFiles, html};

/// A file in the form that one client gets.
pub(super) struct Representation {
    /// The file that the pieces on disk are part of.
    pub(super) asset: Arc<Asset>,
    /// The content.
    pub(super) pieces: Vec<Piece>,
    /// The entity tag, with its quotes.
    pub(super) etag: String,
    /// What it is before any coding.
    pub(super) content_type: HeaderValue,
    /// How it is coded.
    pub(super) coding: Option<Coding>,
    /// Whether another client might get another coding.
    pub(super) negotiated: Negotiated,
}

/// Whether `Accept-Encoding` had a say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Negotiated {
    /// It had.
    Yes,
    /// There is only this one.
    No,
}

impl Representation {
    fn plain(asset: Arc<Asset>) -> Representation {
        let pieces = vec![match &asset.memory {
            Some(bytes) => Piece::Memory(bytes.clone()),
            None => Piece::Disk(0..asset.stamp.len),
        }];
        Representation {
            etag: format!("\"{}\"", asset.tag),
            content_type: asset.content_type.clone(),
            pieces,
            coding: None,
            negotiated: Negotiated::No,
            asset,
        }
    }

    /// The page with a `<base>` at `place`.
    fn with_base(asset: Arc<Asset>, place: u64, base: &str) -> Representation {
        let element = html::base_element(base);
        let etag = format!("\"{}\"", tag_with(&asset.tag, &element));
        let page = Representation::plain(asset);
        let mut pieces = pieces::slice(&page.pieces, 0..place);
        pieces.push(Piece::Memory(Bytes::from(element)));
        pieces.extend(pieces::slice(&page.pieces, place..page.len()));
        Representation {
            pieces,
            etag,
            ..page
        }
    }

    /// The length of the whole in bytes.
    pub(super) fn len(&self) -> u64 {
        pieces::total_len(&self.pieces)
    }

    /// What tells this state from others.
    pub(super) fn validators(&self) -> Validators<'_> {
        Validators {
            etag: &self.etag,
            modified: self.asset.modified,
        }
    }
}

impl StaticFiles {
    /// Chooses the form. `path` is where the file was looked for, below the root.
    pub(super) async fn represent(
        &self,
        asset: Arc<Asset>,
        path: &std::path::Path,
        accepted: &HeaderMap,
        base: &str,
    ) -> Result<Representation, ReadError> {
        if let (BaseInjection::On, Some(place)) = (self.options.inject_base, asset.base_place) {
            // Nothing can be put into what is compressed, so a page with a base goes out as it is.
            return Ok(Representation::with_base(asset, place, base));
        }
        let negotiated = if asset.comes_coded() {
            Negotiated::Yes
        } else {
            Negotiated::No
        };
        let content_type = asset.content_type.clone();
        if let Some(coding) = negotiate::choose(accepted, |coding| asset.comes_as(coding))
            && let OnDisk::File(coded) = self.locate(sibling(path, coding)).await?
        {
            let coding = Some(coding);
            let plain = Representation::plain(coded);
            return Ok(Representation {
                content_type,
                coding,
                negotiated,
                ..plain
            });
        }
        Ok(Representation {
            negotiated,
            ..Representation::plain(asset)
        })
    }
}
