//! Which objects an address means: one; all below a folder; or those whose keys match a pattern.  The rules are those of
//! local files.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use futures_util::TryStreamExt;
use glob::{MatchOptions, Pattern};
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStore};

use super::Remote;
use super::address::{Address, Kind};
use super::fault::{Fault, Why};
use super::object::{Object, Version, about, bare};
use super::runtime;
use super::store::Stores;
use crate::error::{Error, ErrorKind, Result};
use crate::source::files::InputFile;

/// `*` stays within a folder, as in the patterns of local files.
const LIKE_LOCAL: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

impl Stores {
    /// The objects in the order of their keys, byte by byte; `is_data` tells the files of a folder that are meant.
    pub fn find(&mut self, path: &Path, is_data: &impl Fn(&Path) -> bool) -> Result<Vec<InputFile>> {
        let address = Address::parse(&path.to_string_lossy())?;
        let shown = PathBuf::from(address.shown());
        let is_pattern = address.key.contains(['*', '?', '[']);
        if address.kind == Kind::Http {
            if is_pattern {
                return Err(Error::new(ErrorKind::Source, "there are no patterns over http, which lists no files")
                    .in_file(&shown)
                    .help("name the files in a list; in a file's own name write %2A for * and %5B for ["));
            }
            if address.key.is_empty() || address.key.ends_with('/') {
                return Err(Error::new(ErrorKind::Source, "there are no folders over http, which lists no files")
                    .in_file(&shown)
                    .help("name the files, one or a list of them"));
            }
            let (version, ranges) =
                self.about(&address, &Key::default())?.map_err(|fault| fault.error(&shown, Kind::Http))?;
            return Ok(vec![self.input(&address, shown, Key::default(), version, ranges)?]);
        }
        if is_pattern {
            return self.matching(&address);
        }
        let key = parse(&address.key, &shown)?;
        if !address.key.is_empty() && !address.key.ends_with('/') {
            match self.about(&address, &key)? {
                Ok((version, ranges)) => return Ok(vec![self.input(&address, shown, key, version, ranges)?]),
                Err(fault) if fault.why == Why::Missing => {
                    // A bucket that isn't there either says so again.
                    let below = self.below(&address, &key, is_data)?;
                    return if below.is_empty() { Err(fault.error(&shown, address.kind)) } else { Ok(below) };
                }
                Err(fault) => return Err(fault.error(&shown, address.kind)),
            }
        }
        self.below(&address, &key, is_data)
    }

    fn below(&mut self, address: &Address, folder: &Key, is_data: &impl Fn(&Path) -> bool) -> Result<Vec<InputFile>> {
        let start = if folder.as_ref().is_empty() { 0 } else { folder.as_ref().len() + 1 };
        let visible = |key: &str| {
            key.get(start..).is_some_and(|below| below.split('/').all(|part| !part.starts_with(['.', '_'])))
        };
        let found = self.list(address, folder)?.into_iter();
        let found = found.filter(|about| visible(about.location.as_ref()));
        self.inputs(address, found.filter(|about| is_data(Path::new(about.location.as_ref()))).collect())
    }

    fn matching(&mut self, address: &Address) -> Result<Vec<InputFile>> {
        let shown = PathBuf::from(address.shown());
        let pattern = Pattern::new(&address.key).map_err(|error| {
            Error::new(ErrorKind::Source, format!("the pattern can't be read: {error}")).in_file(&shown)
        })?;
        let plain = address.key.find(['*', '?', '[']).map_or("", |at| &address.key[..at]);
        let folder = plain.rsplit_once('/').map_or("", |(folder, _)| folder);
        let found = self.list(address, &parse(folder, &shown)?)?;
        // A key may hold what a pattern does.
        let literal = found.iter().any(|about| about.location.as_ref() == address.key);
        let is_meant = |key: &str| if literal { key == address.key } else { pattern.matches_with(key, LIKE_LOCAL) };
        self.inputs(address, found.into_iter().filter(|about| is_meant(about.location.as_ref())).collect())
    }

    /// All objects below a folder, in order.
    fn list(&mut self, address: &Address, folder: &Key) -> Result<Vec<ObjectMeta>> {
        let (store, secrets) = (self.store(address, "source")?, self.secrets(address));
        let prefix = Some(folder.clone()).filter(|folder| !folder.as_ref().is_empty());
        let listed = waited(async move {
            let found: Vec<ObjectMeta> =
                store.list(prefix.as_ref()).try_collect().await.map_err(|error| Fault::of(&error, &secrets))?;
            Ok(found)
        });
        let mut found = listed.map_err(|fault| fault.error(address.shown().as_ref(), address.kind))?;
        found.sort_by(|left, right| left.location.as_ref().cmp(right.location.as_ref()));
        // Tools mark folders by empty objects of their names.
        let folders: HashSet<String> = found.iter().flat_map(|about| folders_of(about.location.as_ref())).collect();
        found.retain(|about| about.size > 0 || !folders.contains(about.location.as_ref()));
        Ok(found)
    }

    fn about(&mut self, address: &Address, key: &Key) -> Result<std::result::Result<(Version, bool), Fault>> {
        let (store, secrets) = (self.store(address, "source")?, self.secrets(address));
        let (key, kind) = (key.clone(), address.kind);
        Ok(waited(async move { about(&*store, &key, kind, true, &secrets).await }))
    }

    fn inputs(&mut self, address: &Address, found: Vec<ObjectMeta>) -> Result<Vec<InputFile>> {
        let input = |about: ObjectMeta| {
            let shown = PathBuf::from(address.of_key(about.location.as_ref()));
            self.input(address, shown, about.location.clone(), Version::of(&about), true)
        };
        found.into_iter().map(input).collect()
    }

    fn input(
        &mut self,
        address: &Address,
        shown: PathBuf,
        key: Key,
        version: Version,
        ranges: bool,
    ) -> Result<InputFile> {
        let object = Object {
            store: self.store(address, "source")?,
            location: key,
            kind: address.kind,
            retry: self.retry.clone(),
            secrets: self.secrets(address),
            version: version.clone(),
            ranges,
            failed: OnceLock::new(),
        };
        // Without a time where there is an e_tag, so that a copy of it that is given anew is still the same.
        let Version { bytes, modified, e_tag } = version;
        let modified = modified.filter(|_| e_tag.is_none());
        let e_tag = e_tag.map(|e_tag| bare(&e_tag).to_string());
        Ok(InputFile { path: shown.into(), bytes, modified, e_tag, remote: Remote(Some(Arc::new(object))) })
    }
}

fn waited<T: Send + 'static>(
    request: impl Future<Output = std::result::Result<T, Fault>> + Send + 'static,
) -> std::result::Result<T, Fault> {
    runtime::wait(request).unwrap_or_else(|error| Err(Fault::new(Why::Other, error.to_string())))
}

fn parse(key: &str, shown: &Path) -> Result<Key> {
    Key::parse(key).map_err(|error| {
        Error::new(ErrorKind::Source, format!("the key can't be read: {error}"))
            .in_file(shown)
            .help("between two / stands a name, which is neither . nor ..")
    })
}

/// The folders that a key lies in.
fn folders_of(key: &str) -> impl Iterator<Item = String> + '_ {
    key.match_indices('/').map(|(at, _)| key[..at].to_string())
}
