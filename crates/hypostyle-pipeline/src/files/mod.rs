//! Files in, whatever their format: which ones a path means ([`list`]), what is known of each ([`input`]), and their bytes
//! ([`bytes`]), from the disk, standard input or an object store.

pub(crate) mod bytes;
pub(crate) mod format;
pub(crate) mod input;
pub(crate) mod list;
