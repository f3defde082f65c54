//! The files of a source, their order and their partition columns.
//!
//! A path is a local file or a URL, a directory (all files below it with the format's extension), a glob pattern (`*`, `?`, `[...]`,
//! `**`), or `-` for standard input.  Files from a directory or glob pattern are read in byte order of their names.  Directories named
//! `column=value` are partition columns (Hive partitioning).  Of a table of Delta the log says the files, their order and the values of
//! the partition columns.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::input::{InputFile, about, is_standard, relative};
use crate::delta::{self, DeltaTable, Place};
use crate::error::{Error, ErrorKind, Result};
use crate::model::column::quoted;
use crate::model::deleted::Deleted;
use crate::model::table_columns::TableColumns;
use crate::model::table_format::TableFormat;
use crate::remote::Stores;
use crate::remote::options::StorageOptions;
use crate::remote::url::is_url;

/// The files of a source.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub list: Vec<InputFile>,
    /// The partition columns, with each file's value; `None` is null.
    pub partitions: Vec<(String, Vec<Option<String>>)>,
    /// Files that were found, but whose partition columns do not match the filter: they are never opened.
    pub left_out: Vec<InputFile>,
    /// Whether the one file in the list is there only for its columns, as all were left out.
    pub unread: bool,
    /// The table that the files are.
    pub table: Option<Arc<TableVersion>>,
}

/// A version of a table.
#[derive(Debug)]
pub(crate) struct TableVersion {
    pub version: u64,
    pub columns: TableColumns,
}

/// Hive's name of the directory of null.
pub(crate) const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

impl Files {
    /// Finds the files; `is_data` selects the files of a directory, and `version` is that of a table.
    pub fn find(
        paths: &[PathBuf],
        options: &StorageOptions,
        version: Option<u64>,
        is_data: impl Fn(&Path) -> bool,
    ) -> Result<Self> {
        let mut list = Vec::new();
        let mut stores = Stores::new(options, paths)?;
        if let [path] = paths
            && let Some(table) = delta::find(path, version, &mut stores, path.extension().is_some() && is_data(path))?
        {
            return Self::of_table(table);
        }
        if version.is_some() {
            return Err(Error::pipeline("[source] version: the input is not a table of Delta").help(
                "remove version from [source], or set path to the directory of the table, which has a _delta_log",
            ));
        }
        for path in paths {
            let found: Vec<InputFile> = if is_url(path) {
                stores.find(path, &is_data)?.into_iter().map(InputFile::of_object).collect()
            } else {
                expand(path, &is_data)?.iter().map(|path| about(path)).collect::<Result<Vec<InputFile>>>()?
            };
            if found.is_empty() {
                return Err(Error::new(ErrorKind::Source, "no files found").in_file(path).not_found().help(format!(
                    "check the path; files without a known extension need format = \"csv\" in [source]; {}",
                    relative(path)
                )));
            }
            list.extend(found);
        }
        if let (Some(_), true) = (list.iter().find(|file| file.is_standard()), list.len() > 1) {
            return Err(Error::pipeline("standard input cannot be combined with other files").help("read it alone"));
        }
        let partitions = partitions(&list)?;
        Ok(Self { list, partitions, left_out: Vec::new(), unread: false, table: None })
    }

    fn of_table(table: DeltaTable) -> Result<Self> {
        let DeltaTable { version, columns, files } = table;
        let names = columns.in_log().map(|column| column.name.clone());
        let mut partitions: Vec<(String, Vec<Option<String>>)> = names.map(|name| (name, Vec::new())).collect();
        let mut list = Vec::with_capacity(files.len());
        for file in files {
            let found = match file.place {
                Place::Local(path) => about(&path)?,
                Place::Object(found) => InputFile::of_object(found),
            };
            list.push(InputFile { deleted: file.deleted, ..found });
            for ((_, values), value) in partitions.iter_mut().zip(file.values) {
                // As Delta has it, nothing is null.
                values.push(value.filter(|value| !value.is_empty()));
            }
        }
        let unread = list.is_empty();
        let table = Some(Arc::new(TableVersion { version, columns }));
        Ok(Self { list, partitions, left_out: Vec::new(), unread, table })
    }

    /// Removes the files that are not kept.
    pub fn retain(&mut self, kept: &[bool]) {
        let all = std::mem::take(&mut self.list);
        let (left, left_out): (Vec<_>, Vec<_>) = all.into_iter().zip(kept).partition(|(_, kept)| **kept);
        self.list = left.into_iter().map(|(file, _)| file).collect();
        self.left_out = left_out.into_iter().map(|(file, _)| file).collect();
        let mut kept = kept.to_vec();
        if self.list.is_empty() && !kept.is_empty() {
            // The columns are still taken from a file.
            (self.unread, kept[0]) = (true, true);
            self.list = self.left_out[..1].to_vec();
        }
        for (_, values) in &mut self.partitions {
            let mut kept = kept.iter();
            values.retain(|_| kept.next() == Some(&true));
        }
    }

    /// The files whose rows are read.
    pub fn read(&self) -> &[InputFile] {
        if self.unread { &[] } else { &self.list }
    }

    /// The rows of the files that are not part of the table any more.
    pub fn deleted_rows(&self) -> u64 {
        self.read().iter().filter_map(|file| file.deleted.as_ref()).map(Deleted::count).sum()
    }

    pub fn bytes(&self) -> u64 {
        self.read().iter().map(|file| file.bytes).sum()
    }

    /// The files that are read, by their full paths, to be known again by another run.
    pub fn identities(&self) -> Vec<InputFile> {
        let full = |file: &InputFile| match file.remote() {
            None => file.path.canonicalize().map_or_else(|_| Arc::clone(&file.path), Into::into),
            Some(_) => Arc::clone(&file.path),
        };
        self.read().iter().map(|file| InputFile { path: full(file), ..file.clone() }).collect()
    }

    /// Fails if one of the files is no longer what it was when it was found.
    pub fn check_unchanged(&self) -> Result<()> {
        for file in self.list.iter().filter(|file| !file.is_standard()) {
            let unchanged = match file.remote() {
                Some(object) => object.is_unchanged(&file.path)?,
                None => InputFile { deleted: file.deleted.clone(), ..about(&file.path)? } == *file,
            };
            if !unchanged {
                return Err(Error::changed(&file.path));
            }
        }
        Ok(())
    }

    /// The paths of the files that are no objects, those left out too.
    pub fn local(&self) -> impl Iterator<Item = &Path> {
        self.list.iter().chain(&self.left_out).filter(|file| file.remote().is_none()).map(|file| &*file.path)
    }

    pub fn paths(&self) -> Vec<Arc<Path>> {
        self.list.iter().map(|file| Arc::clone(&file.path)).collect()
    }
}

fn expand(path: &Path, is_data: &impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let text = path.to_string_lossy();
    if path.is_dir() {
        let pattern = format!("{}/**/*", glob::Pattern::escape(&text));
        let visible = |found: &PathBuf| {
            let below = found.strip_prefix(path).unwrap_or(found);
            below.components().all(|part| !part.as_os_str().to_string_lossy().starts_with(['.', '_']))
        };
        let found = matches(path, &pattern)?.into_iter();
        let found = found.filter(|found| found.is_file() && visible(found) && is_data(found)).collect();
        return not_of_a_table(path, found);
    }
    if !is_standard(path) && text.contains(['*', '?', '[']) && !path.exists() {
        let found = matches(path, &text)?.into_iter();
        let found = found.filter(|found| found.is_file() && is_meant(path, found)).collect();
        return not_of_a_table(path, found);
    }
    Ok(vec![path.to_path_buf()])
}

/// Whether a file that the pattern matches is meant: names with `.` or `_` first are passed over, unless the pattern has one.
fn is_meant(pattern: &Path, found: &Path) -> bool {
    let names = |path: &Path| -> Vec<String> {
        path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
    };
    let (pattern, found) = (names(pattern), names(found));
    let plain = pattern.iter().take_while(|name| !name.contains(['*', '?', '['])).count();
    let is_hidden = |name: &String| name.starts_with(['.', '_']);
    pattern[plain..].iter().any(is_hidden) || !found.iter().skip(plain).any(is_hidden)
}

/// The files, if none of them belongs to a table whose log says which rows are there.
fn not_of_a_table(path: &Path, found: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
    let directories = found.iter().flat_map(|file| file.ancestors().skip(1)).collect::<BTreeSet<_>>();
    for directory in directories.into_iter().chain(path.is_dir().then_some(path)) {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        if let Some(format) = TableFormat::of_directory(directory) {
            return Err(format.refused(directory));
        }
    }
    Ok(found)
}

fn matches(path: &Path, pattern: &str) -> Result<Vec<PathBuf>> {
    let fault = |message: String| Error::new(ErrorKind::Source, message).in_file(path);
    let found = glob::glob(pattern).map_err(|error| fault(format!("invalid glob pattern: {error}")))?;
    let found = found.map(|entry| entry.map_err(|error| fault(format!("cannot list the directory: {error}"))));
    let mut found = found.collect::<Result<Vec<PathBuf>>>()?;
    found.sort_by(|left, right| left.as_os_str().as_encoded_bytes().cmp(right.as_os_str().as_encoded_bytes()));
    Ok(found)
}

/// The partition columns, which must be the same for all files.
fn partitions(list: &[InputFile]) -> Result<Vec<(String, Vec<Option<String>>)>> {
    let mut columns: Vec<(String, Vec<Option<String>>)> = Vec::new();
    for (index, file) in list.iter().enumerate() {
        let found = folders(&file.path);
        if index == 0 {
            columns = found.iter().map(|(name, _)| (name.clone(), Vec::new())).collect();
        }
        if !found.iter().map(|(name, _)| name).eq(columns.iter().map(|(name, _)| name)) {
            let names = |names: Vec<String>| if names.is_empty() { "none".to_string() } else { quoted(&names) };
            let here = names(found.into_iter().map(|(name, _)| name).collect());
            let first = names(columns.into_iter().map(|(name, _)| name).collect());
            return Err(Error::new(
                ErrorKind::Source,
                format!("got the partition columns {here}, expected {first} as in the first file"),
            )
            .in_file(&file.path)
            .help("read files together only if their directories have the same columns, such as day=2024-01-02"));
        }
        for ((_, values), (_, value)) in columns.iter_mut().zip(found) {
            values.push((value != HIVE_NULL).then_some(value));
        }
    }
    Ok(columns)
}

fn folders(path: &Path) -> Vec<(String, String)> {
    let folders = path.parent().into_iter().flat_map(Path::components);
    let named = folders.filter_map(|part| match part {
        Component::Normal(name) => name.to_str()?.split_once('='),
        _ => None,
    });
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    named.filter(|(name, _)| !name.is_empty()).map(|(name, value)| (decode(name), decode(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, names: &[&str]) {
        for name in names {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "a\n1\n").unwrap();
        }
    }

    fn found(folder: &Path, path: &str) -> Vec<String> {
        let files = Files::find(&[folder.join(path)], &StorageOptions::default(), None, |path| {
            path.extension().is_some_and(|e| e == "csv")
        })
        .unwrap();
        let name = |file: &InputFile| file.path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
        files.list.iter().map(name).collect()
    }

    #[test]
    fn folders_and_patterns_are_read_in_the_order_of_names() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        write(
            folder,
            &["in/b.csv", "in/a.csv", "in/a-1.csv", "in/c.txt", "in/x/d.csv", "in/.hidden.csv", "in/_log/e.csv"],
        );
        assert_eq!(found(folder, "in"), ["in/a-1.csv", "in/a.csv", "in/b.csv", "in/x/d.csv"]);
        assert_eq!(found(folder, "in/?.csv"), ["in/a.csv", "in/b.csv"]);
        assert_eq!(found(folder, "in/**/*.csv").len(), 4);
        assert_eq!(found(folder, "in/.*.csv"), ["in/.hidden.csv"]);
        assert_eq!(found(folder, "in/_log/*.csv"), ["in/_log/e.csv"]);
        assert_eq!(found(folder, "in/c.txt"), ["in/c.txt"]);
        let none = Files::find(&[folder.join("in/*.tsv")], &StorageOptions::default(), None, |_| true)
            .unwrap_err()
            .to_string();
        assert!(none.contains("no files found"), "{none}");
    }

    #[test]
    fn parts_of_tables_are_refused_with_the_recipe() {
        for (log, name, whole) in [
            ("_delta_log/00000000000000000000.json", "Delta", cfg!(feature = "delta")),
            ("metadata/00000-1.metadata.json", "Iceberg", false),
            (".hoodie/hoodie.properties", "Hudi", false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path();
            write(folder, &["t/data/day=1/a.csv", &format!("t/{log}")]);
            for path in ["t", "t/data/*/*.csv", "t/**/*.csv", "t/data/day=1"] {
                let error = Files::find(&[folder.join(path)], &StorageOptions::default(), None, |path| {
                    path.extension().is_some_and(|extension| extension == "csv")
                });
                let message = error.unwrap_err().to_string();
                if whole && path == "t" {
                    assert!(message.contains("cannot read this table of Delta"), "{message}");
                    continue;
                }
                let refused = message.contains(&format!("this is a table of {name}"));
                assert!(refused && message.contains("set path in [source] to the"), "{path}: {message}");
            }
            assert_eq!(found(folder, "t/data/day=1/a.csv").len(), 1, "a file by its name");
        }
    }

    #[test]
    fn folders_may_be_columns() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        write(folder, &["day=2024-01-02/venue=A%20B/x.csv", "day=__HIVE_DEFAULT_PARTITION__/venue=C/x.csv"]);
        let files = Files::find(&[folder.to_path_buf()], &StorageOptions::default(), None, |_| true).unwrap();
        assert_eq!(
            files.partitions,
            [
                ("day".to_string(), vec![Some("2024-01-02".to_string()), None]),
                ("venue".to_string(), vec![Some("A B".to_string()), Some("C".to_string())])
            ]
        );
        write(folder, &["day=3/x.csv"]);
        let error =
            Files::find(&[folder.to_path_buf()], &StorageOptions::default(), None, |_| true).unwrap_err().to_string();
        assert!(
            error.contains("got the partition columns 'day', expected 'day', 'venue' as in the first file"),
            "{error}"
        );
    }
}
