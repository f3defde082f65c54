//! Remote files: objects of S3, Google Cloud Storage and Azure, and files behind HTTP.
//!
//! All that waits for a network is in here, and the rest of the crate calls it as it would call the file system:
//! [`Stores::find`] finds the objects of a URL, and a [`Remote`] is read in order by a [`Stream`] or at places of
//! one's own by [`Ranges`]; an output goes out by an [`Upload`].  Requests run on a few threads of their own ([`runtime`]).
//! [`url`] parses URLs, [`store`] opens the stores, [`find`] lists, [`object`] asks for bytes and again where a
//! connection breaks, [`error`] says what went wrong.  Without the feature `remote` a URL is an error and [`disabled`]
//! takes the place of the others.

#[cfg(not(feature = "remote"))]
mod disabled;
#[cfg(feature = "remote")]
mod error;
#[cfg(feature = "remote")]
mod find;
#[cfg(feature = "remote")]
mod object;
pub(crate) mod options;
#[cfg(feature = "remote")]
mod ranges;
#[cfg(feature = "remote")]
mod runtime;
#[cfg(feature = "remote")]
mod store;
#[cfg(feature = "remote")]
mod stream;
#[cfg(feature = "remote")]
mod upload;
pub(crate) mod url;

#[cfg(not(feature = "remote"))]
pub(crate) use disabled::{Found, Object, Place, Ranges, Stores, Stream, Upload};
#[cfg(feature = "remote")]
pub(crate) use {
    object::Found, object::Object, ranges::Ranges, store::Stores, stream::Stream, upload::Place, upload::Upload,
};

use std::sync::Arc;

/// The way to a file's bytes, where they are not on the disk.  It tells no files apart: what does stands beside it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remote(pub Option<Arc<Object>>);

impl PartialEq for Remote {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Remote {}
