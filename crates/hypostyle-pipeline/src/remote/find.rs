//! Which objects a URL means: one; all below a folder; or those whose keys match a pattern.  The rules are those of
//! local files.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use futures_util::TryStreamExt;
use glob::{MatchOptions, Pattern};
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStore};

use super::error::{Cause, Fault};
use super::object::{Found, Object, Version, about, bare};
use super::runtime;
use super::store::Stores;
use super::url::{Kind, Url};
use crate::error::{Error, ErrorKind, Result};
use crate::model::table_format::TableFormat;

/// `*` stays within a folder, as in the patterns of local files.
const LIKE_LOCAL: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

impl Stores {
    /// The objects in the order of their keys, byte by byte; `is_data` tells the files of a folder that are meant.
    pub fn find(&mut self, path: &Path, is_data: &impl Fn(&Path) -> bool) -> Result<Vec<Found>> {
        let url = Url::parse(&path.to_string_lossy())?;
        let shown = PathBuf::from(url.shown());
        let is_pattern = url.key.contains(['*', '?', '[']);
        if url.kind == Kind::Http {
            if is_pattern {
                return Err(Error::new(ErrorKind::Source, "HTTP does not support glob patterns")
                    .in_file(&shown)
                    .help("list the files; in the name of a file write %2A for * and %5B for ["));
            }
            if url.key.is_empty() || url.key.ends_with('/') {
                return Err(Error::new(ErrorKind::Source, "HTTP does not support directories")
                    .in_file(&shown)
                    .help("name the files"));
            }
            let (version, ranges) =
                self.about(&url, &Key::default())?.map_err(|fault| fault.error(&shown, Kind::Http))?;
            return Ok(vec![self.input(&url, shown, Key::default(), version, ranges)?]);
        }
        if is_pattern {
            return self.matching(&url);
        }
        let key = parse(&url.key, &shown)?;
        if !url.key.is_empty() && !url.key.ends_with('/') {
            match self.about(&url, &key)? {
                Ok((version, ranges)) => return Ok(vec![self.input(&url, shown, key, version, ranges)?]),
                Err(fault) if fault.cause == Cause::Missing => {
                    // A bucket that isn't there either says so again.
                    let below = self.below(&url, &key, is_data)?;
                    return if below.is_empty() { Err(fault.error(&shown, url.kind)) } else { Ok(below) };
                }
                Err(fault) => return Err(fault.error(&shown, url.kind)),
            }
        }
        self.below(&url, &key, is_data)
    }

    /// The URL of the table of Delta in this folder, for its log alone, and the store that it is in; `None` if there is none.
    #[cfg(feature = "delta")]
    pub fn table_of_delta(&mut self, path: &Path) -> Result<Option<(url::Url, Arc<dyn ObjectStore>)>> {
        let url = Url::parse(&path.to_string_lossy())?;
        if url.kind == Kind::Http || url.key.contains(['*', '?', '[']) {
            return Ok(None);
        }
        let folder = parse(url.key.trim_end_matches('/'), path)?;
        let (store, log, secrets) =
            (self.store(&url, "source")?, folder.clone().join("_delta_log"), self.secrets(&url));
        let listed = Arc::clone(&store);
        let first =
            waited(
                async move { listed.list(Some(&log)).try_next().await.map_err(|error| Fault::of(&error, &secrets)) },
            );
        if first.map_err(|fault| fault.error(url.shown().as_ref(), url.kind))?.is_none() {
            return Ok(None);
        }
        let mut root = url::Url::parse("store://table/").map_err(|error| Error::internal("no URL").because(error))?;
        root.set_path(&format!("{}/", folder.as_ref()));
        Ok(Some((root, store)))
    }

    /// The objects of these names below a folder; `None` where there is none.
    #[cfg(feature = "delta")]
    pub fn below_table(&mut self, path: &Path, names: &[String]) -> Result<Vec<Option<Found>>> {
        let url = Url::parse(&path.to_string_lossy())?;
        let folder = parse(url.key.trim_end_matches('/'), path)?;
        let listed = self.list(&url, &folder)?;
        let listed: HashMap<String, ObjectMeta> =
            listed.into_iter().map(|about| (about.location.to_string(), about)).collect();
        let found = names.iter().map(|name| {
            let key = if folder.as_ref().is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let about = listed.get(&key).cloned();
            about.map(|about| Ok(self.inputs(&url, vec![about])?.remove(0))).transpose()
        });
        found.collect()
    }

    fn below(&mut self, url: &Url, folder: &Key, is_data: &impl Fn(&Path) -> bool) -> Result<Vec<Found>> {
        let start = if folder.as_ref().is_empty() { 0 } else { folder.as_ref().len() + 1 };
        let visible = |key: &str| {
            key.get(start..).is_some_and(|below| below.split('/').all(|part| !part.starts_with(['.', '_'])))
        };
        let is_meant = |key: &str| visible(key) && is_data(Path::new(key));
        let found = self.list(url, folder)?;
        self.meant(url, found, is_meant)
    }

    fn matching(&mut self, url: &Url) -> Result<Vec<Found>> {
        let shown = PathBuf::from(url.shown());
        let pattern = Pattern::new(&url.key)
            .map_err(|error| Error::new(ErrorKind::Source, format!("invalid glob pattern: {error}")).in_file(&shown))?;
        let plain = url.key.find(['*', '?', '[']).map_or("", |at| &url.key[..at]);
        let folder = plain.rsplit_once('/').map_or("", |(folder, _)| folder);
        let found = self.list(url, &parse(folder, &shown)?)?;
        // A key may hold what a pattern does.
        let literal = found.iter().any(|about| about.location.as_ref() == url.key);
        let hidden = |name: &str| name.starts_with(['.', '_']);
        let asked = url.key[folder.len()..].split('/').any(hidden);
        let passed_over = |key: &str| !asked && key[folder.len()..].split('/').any(hidden);
        let is_meant = |key: &str| match literal {
            true => key == url.key,
            false => pattern.matches_with(key, LIKE_LOCAL) && !passed_over(key),
        };
        self.meant(url, found, is_meant)
    }

    /// Those of the objects that are meant, if none of them belongs to a table whose log says which rows are there.
    fn meant(&mut self, url: &Url, found: Vec<ObjectMeta>, is_meant: impl Fn(&str) -> bool) -> Result<Vec<Found>> {
        let mut tables = HashMap::new();
        for about in &found {
            let key = about.location.as_ref();
            let starts = std::iter::once(0).chain(key.match_indices('/').map(|(at, _)| at + 1));
            for start in starts {
                if let Some(format) = TableFormat::of_file(&key[start..]) {
                    tables.insert(key[..start].to_string(), format);
                }
            }
        }
        let meant: Vec<ObjectMeta> = found.into_iter().filter(|about| is_meant(about.location.as_ref())).collect();
        let of_table = |key: &str| tables.iter().find(|(table, _)| key.starts_with(table.as_str()));
        match meant.iter().find_map(|about| of_table(about.location.as_ref())) {
            Some((table, format)) => Err(format.refused(Path::new(&url.of_key(table.trim_end_matches('/'))))),
            None => self.inputs(url, meant),
        }
    }

    /// All objects below a folder, in order.
    fn list(&mut self, url: &Url, folder: &Key) -> Result<Vec<ObjectMeta>> {
        let (store, secrets) = (self.store(url, "source")?, self.secrets(url));
        let prefix = Some(folder.clone()).filter(|folder| !folder.as_ref().is_empty());
        let listed = waited(async move {
            let found: Vec<ObjectMeta> =
                store.list(prefix.as_ref()).try_collect().await.map_err(|error| Fault::of(&error, &secrets))?;
            Ok(found)
        });
        let mut found = listed.map_err(|fault| fault.error(url.shown().as_ref(), url.kind))?;
        found.sort_by(|left, right| left.location.as_ref().cmp(right.location.as_ref()));
        // Tools mark folders by empty objects of their names.
        let folders: HashSet<String> = found.iter().flat_map(|about| folders_of(about.location.as_ref())).collect();
        found.retain(|about| about.size > 0 || !folders.contains(about.location.as_ref()));
        Ok(found)
    }

    fn about(&mut self, url: &Url, key: &Key) -> Result<std::result::Result<(Version, bool), Fault>> {
        let (store, secrets) = (self.store(url, "source")?, self.secrets(url));
        let (key, kind) = (key.clone(), url.kind);
        Ok(waited(async move { about(&*store, &key, kind, true, &secrets).await }))
    }

    fn inputs(&mut self, url: &Url, found: Vec<ObjectMeta>) -> Result<Vec<Found>> {
        let input = |about: ObjectMeta| {
            let shown = PathBuf::from(url.of_key(about.location.as_ref()));
            self.input(url, shown, about.location.clone(), Version::of(&about), true)
        };
        found.into_iter().map(input).collect()
    }

    fn input(&mut self, url: &Url, shown: PathBuf, key: Key, version: Version, ranges: bool) -> Result<Found> {
        let object = Object {
            store: self.store(url, "source")?,
            location: key,
            kind: url.kind,
            retry: self.retry.clone(),
            secrets: self.secrets(url),
            version: version.clone(),
            ranges,
            failed: OnceLock::new(),
        };
        let Version { bytes, modified, e_tag } = version;
        let modified = modified.filter(|_| e_tag.is_none());
        let e_tag = e_tag.map(|e_tag| bare(&e_tag).to_string());
        Ok(Found { shown, bytes, modified, e_tag, object: Arc::new(object) })
    }
}

fn waited<T: Send + 'static>(
    request: impl Future<Output = std::result::Result<T, Fault>> + Send + 'static,
) -> std::result::Result<T, Fault> {
    runtime::wait(request).unwrap_or_else(|error| Err(Fault::new(Cause::Other, error.to_string())))
}

fn parse(key: &str, shown: &Path) -> Result<Key> {
    Key::parse(key).map_err(|error| {
        Error::new(ErrorKind::Source, format!("invalid key: {error}"))
            .in_file(shown)
            .help("names between slashes must not be empty, . or ..")
    })
}

/// The folders that a key lies in.
fn folders_of(key: &str) -> impl Iterator<Item = String> + '_ {
    key.match_indices('/').map(|(at, _)| key[..at].to_string())
}
