//! Files in, whatever their format: which ones a path means ([`list`]), which columns their paths have ([`path_columns`]), what is
//! known of each ([`input`]), and their bytes ([`bytes`]), from the disk, standard input or an object store.

pub(crate) mod bytes;
pub(crate) mod format;
pub(crate) mod input;
pub(crate) mod list;
mod path_columns;

pub(crate) use path_columns::PathColumns;
