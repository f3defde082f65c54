//! Atomic writes: a temporary file beside the final path, synced and renamed at the end.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};

use tempfile::NamedTempFile;

use crate::error::{Error, ErrorKind, Result};
use crate::remote::{Place, Upload};

/// A temporary file that is not in its place yet.  Dropped, it is deleted.
pub(crate) struct Pending {
    file: NamedTempFile,
    path: PathBuf,
    /// The upload, if the output is an object.
    upload: Option<Upload>,
}

impl Pending {
    /// Creates the file for this place under a temporary name.
    pub fn create(path: &Path) -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        let prefix = format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy());
        builder.prefix(&prefix).suffix(".part");
        #[cfg(unix)]
        {
            // As any new file: what the user's umask leaves of it.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder(path)).map_err(|error| {
            Error::new(ErrorKind::Sink, format!("cannot create the output: {error}")).in_file(path).because(error)
        })?;
        Ok(Self { file, path: path.to_path_buf(), upload: None })
    }

    /// Creates a file that will be an object.  The upload is started first, so that an error comes before any work.
    pub fn create_object(place: &Place) -> Result<Self> {
        let upload = place.begin()?;
        let file = tempfile::Builder::new().prefix(".hypostyle.").suffix(".part").tempfile().map_err(|error| {
            let message = format!("cannot create a temporary file for the output: {error}");
            Error::new(ErrorKind::Sink, message).in_file(&std::env::temp_dir()).because(error)
        })?;
        Ok(Self { file, path: place.shown().to_path_buf(), upload: Some(upload) })
    }

    /// The final path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A handle for writing.
    pub fn handle(&self) -> Result<File> {
        self.file.as_file().try_clone().map_err(|error| self.fault(error))
    }

    /// A writer.  A file that will be uploaded need not be synced.
    pub fn writer(&self) -> Result<Box<dyn Write + Send>> {
        let file = self.handle()?;
        Ok(if self.upload.is_some() { Box::new(file) } else { Box::new(Settling::new(file)) })
    }

    /// Uploads the file, until `stop` is set, if ever, or renames it.  Returns the number of its bytes.
    pub fn persist_unless(mut self, stop: &AtomicBool) -> Result<u64> {
        match self.upload.take() {
            Some(upload) => upload.send(self.file.as_file_mut(), stop),
            None => self.persist(),
        }
    }

    /// Syncs the file, then renames it.  Returns the number of its bytes.
    pub fn persist(self) -> Result<u64> {
        self.file.as_file().sync_all().map_err(|error| self.fault(error))?;
        let bytes = self.file.as_file().metadata().map_err(|error| self.fault(error))?.len();
        let Self { file, path, .. } = self;
        file.persist(&path).map_err(|error| Error::unwritable(error.error).in_file(&path))?;
        sync_folder(&path)?;
        Ok(bytes)
    }

    fn fault(&self, error: std::io::Error) -> Error {
        Error::unwritable(error).in_file(&self.path)
    }
}

/// The file is synced after every this number of bytes.
const SETTLED: usize = 32 << 20;

/// A file that is synced in the background while it grows, so that the last sync is short.
pub(crate) struct Settling {
    file: File,
    /// Bytes written since the last time.
    bytes: usize,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Settling {
    pub fn new(file: File) -> Self {
        Self { file, bytes: 0, thread: None }
    }

    fn settle(&mut self) -> io::Result<()> {
        self.wait()?;
        let file = self.file.try_clone()?;
        self.thread = Some(thread::Builder::new().spawn(move || file.sync_data())?);
        self.bytes = 0;
        Ok(())
    }

    /// The result of the last sync: the operating system reports an error only once.
    fn wait(&mut self) -> io::Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(io::Error::other("the thread that syncs the file panicked")),
            None => Ok(()),
        }
    }
}

impl Write for Settling {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = self.file.write(bytes)?;
        self.bytes += done;
        if self.bytes >= SETTLED && self.thread.as_ref().is_none_or(JoinHandle::is_finished) {
            self.settle()?;
        }
        Ok(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.wait()
    }
}

/// Syncs the directory of a file.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    #[cfg(unix)]
    File::open(folder(path))
        .and_then(|folder| folder.sync_all())
        .map_err(|error| Error::unwritable(error).in_file(path))?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
