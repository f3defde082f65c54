//! Files that lie elsewhere: objects of S3, Google Cloud Storage and Azure, and files behind http.
//!
//! All that waits for a network is in here, and the rest of the crate calls it as it would call the file system:
//! [`Stores::find`] tells which objects an address means, and a [`Remote`] is read in order by a [`Stream`] or at places of
//! one's own by [`Ranges`]; an output goes out by an [`Upload`].  Requests run on a few threads of their own ([`runtime`]).
//! [`address`] reads the addresses, [`store`] opens the stores, [`find`] lists, [`object`] asks for bytes and again where a
//! connection breaks, [`fault`] says what went wrong.  Without the feature `remote` an address is an error and [`none`]
//! takes the place of the others.

pub(crate) mod address;
#[cfg(feature = "remote")]
mod fault;
#[cfg(feature = "remote")]
mod find;
#[cfg(not(feature = "remote"))]
mod none;
#[cfg(feature = "remote")]
mod object;
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

#[cfg(not(feature = "remote"))]
pub(crate) use none::{Object, Place, Ranges, Stores, Stream, Upload};
#[cfg(feature = "remote")]
pub(crate) use {object::Object, ranges::Ranges, store::Stores, stream::Stream, upload::Place, upload::Upload};

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
