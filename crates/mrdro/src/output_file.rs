//! Files and folders that a user names. A regular file appears complete or not at all. What exists and is no regular file,
//! such as a pipe or a device, is written into and never replaced.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The file name that stands for standard output.
pub const STANDARD_OUTPUT: &str = "-";

/// The most bytes in the name of a file or folder on common file systems.
const MAX_NAME_BYTES: usize = 255;
/// The most symbolic links that are followed from one name, as in Linux.
const MAX_LINKS: usize = 40;

/// Whether a path stands for standard output: it is `-`, or leads to the open file that is standard output.
pub fn is_standard_output(path: &Path) -> bool {
    Destination::of(path).is_ok_and(|destination| destination == Destination::StandardOutput)
}

/// Writes a file that a user named:
///
/// - `-` is standard output; `./-` is a file of that name.
/// - A pipe, a device or a socket is opened and written.
/// - A symbolic link is followed, and the file that it leads to is written, even if that file does not exist yet.
/// - A regular file is written under a temporary name and then renamed, so that it appears complete or not at all. Its
///   permissions stay as they were.
///
/// # Errors
/// If the file cannot be written, or the path names a folder. A regular file is then as it was before.
pub fn write_file(path: &Path, content: &[u8]) -> Result<(), Error> {
    let destination = Destination::of(path).map_err(Error::unwritable(path))?;
    let written = match destination {
        Destination::StandardOutput => {
            let mut output = io::stdout().lock();
            let written = output.write_all(content).and_then(|()| output.flush());
            return written.map_err(|source| Error::Output { source });
        }
        // Appending keeps what a redirected descriptor has received before.
        Destination::Stream(target) => {
            File::options().append(true).open(target).and_then(|mut file| file.write_all(content))
        }
        #[cfg(unix)]
        Destination::Socket(target) => {
            std::os::unix::net::UnixStream::connect(target).and_then(|mut socket| socket.write_all(content))
        }
        Destination::File(target) => replace(&target, content),
    };
    written.map_err(Error::unwritable(path))
}

/// Checks that [`write_file`] could write this file, so that a long command fails before its work and not after it. Writes
/// nothing.
///
/// # Errors
/// If the name is too long or names a folder, its folder does not exist, or the file is protected against writing.
pub fn check_file(path: &Path) -> Result<(), Error> {
    let check = || match Destination::of(path)? {
        Destination::File(target) => writable(&target).map(|_| ()),
        _ => Ok(()),
    };
    check().map_err(Error::unwritable(path))
}

/// Makes a folder that a user named, and the folders above it, unless it exists. A symbolic link is followed.
///
/// # Errors
/// As [`check_folder`], and if the folder cannot be made.
pub fn create_folder(path: &Path) -> Result<(), Error> {
    check_folder(path)?;
    let target = followed(path).unwrap_or_else(|_| path.to_owned());
    fs::create_dir_all(target).map_err(Error::unwritable(path))
}

/// Checks that a path can name a folder to write, so that a long command fails before its work. Writes nothing.
///
/// # Errors
/// If the name is too long, is `-`, or names something that is no folder.
pub fn check_folder(path: &Path) -> Result<(), Error> {
    let check = || {
        if path.as_os_str() == STANDARD_OUTPUT {
            let reason = "`-` is standard output, which is no folder; for a folder of this name, write `./-`";
            return Err(io::Error::new(ErrorKind::InvalidInput, reason));
        }
        check_names(path)?;
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Ok(()),
            Ok(_) => Err(io::Error::new(ErrorKind::NotADirectory, "it exists and is no folder")),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    };
    check().map_err(Error::unwritable(path))
}

/// Where the bytes of a file go.
#[derive(Debug, PartialEq, Eq)]
enum Destination {
    StandardOutput,
    /// Something that takes bytes one after the other: a pipe, a device, or an open file of this process.
    Stream(PathBuf),
    #[cfg(unix)]
    Socket(PathBuf),
    /// A regular file, or a name that is free.
    File(PathBuf),
}

impl Destination {
    fn of(path: &Path) -> io::Result<Self> {
        if path.as_os_str() == STANDARD_OUTPUT {
            return Ok(Self::StandardOutput);
        }
        check_names(path)?;
        let target = followed(path)?;
        if let Some(descriptor) = Descriptor::of(&target) {
            return Ok(if descriptor.is_standard_output() { Self::StandardOutput } else { Self::Stream(target) });
        }
        let is_folder = || io::Error::new(ErrorKind::IsADirectory, "it is a folder; name a file in it");
        match fs::metadata(&target) {
            Ok(found) if found.is_dir() => Err(is_folder()),
            Ok(found) if found.is_file() => Ok(Self::File(target)),
            #[cfg(unix)]
            Ok(found) if std::os::unix::fs::FileTypeExt::is_socket(&found.file_type()) => Ok(Self::Socket(target)),
            Ok(_) => Ok(Self::Stream(target)),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Err(_) if target.as_os_str().as_encoded_bytes().ends_with(b"/") => Err(is_folder()),
            Err(_) if target.as_os_str().is_empty() => {
                Err(io::Error::new(ErrorKind::InvalidInput, "the name is empty"))
            }
            Err(_) => Ok(Self::File(target)),
        }
    }
}

/// A path in the folder where the system lists the open files of a process, such as `/proc/self/fd/1`.
struct Descriptor {
    folder: PathBuf,
    number: u32,
}

impl Descriptor {
    fn of(path: &Path) -> Option<Self> {
        let number = path.file_name()?.to_str()?.parse().ok()?;
        let folder = fs::canonicalize(folder_of(path)).ok()?;
        let lists_open_files =
            folder == Path::new("/dev/fd") || (folder.starts_with("/proc") && folder.ends_with("fd"));
        lists_open_files.then_some(Self { folder, number })
    }

    /// Whether this is the standard output of this process, which must be written through its own open file.
    fn is_standard_output(&self) -> bool {
        let mut own = ["/proc/self/fd", "/dev/fd"].iter().filter_map(|folder| fs::canonicalize(folder).ok());
        self.number == 1 && own.any(|own| own == self.folder)
    }
}

/// The path that symbolic links lead to. It need not exist. Links to open files are not followed: their targets only look
/// like paths.
fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        if Descriptor::of(&target).is_some() {
            return Ok(target);
        }
        match fs::read_link(&target) {
            Ok(next) => target = folder_of(&target).join(next),
            // No link, or nothing at all.
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::NotFound) => return Ok(target),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("its symbolic links lead to each other"))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}

/// Checks the length of every name in a path. Folders that do not exist yet would otherwise be made before the system refuses
/// the names below them.
fn check_names(path: &Path) -> io::Result<()> {
    path.iter().try_for_each(|name| check_name(name, MAX_NAME_BYTES, "choose a shorter one"))
}

/// Checks that a name has at most `limit` bytes. `advice` ends the error.
pub(crate) fn check_name(name: &OsStr, limit: usize, advice: &str) -> io::Result<()> {
    let bytes = name.len();
    if bytes <= limit {
        return Ok(());
    }
    let beginning: String = name.to_string_lossy().chars().take(24).collect();
    let reason = format!("the name `{beginning}…` has {bytes} bytes, and at most {limit} are possible; {advice}");
    Err(io::Error::new(ErrorKind::InvalidFilename, reason))
}

/// The metadata of a file that can be written; `None` if it does not exist and its folder does.
fn writable(target: &Path) -> io::Result<Option<Metadata>> {
    match File::options().write(true).open(target) {
        Ok(file) => Ok(Some(file.metadata()?)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = folder_of(target);
            if folder.is_dir() {
                return Ok(None);
            }
            let reason = format!("the folder {} does not exist", folder.display());
            Err(io::Error::new(ErrorKind::NotFound, reason))
        }
        Err(error) => Err(error),
    }
}

/// Writes a regular file under a temporary name beside it and renames that.
fn replace(target: &Path, content: &[u8]) -> io::Result<()> {
    let existing = writable(target)?;
    let mut builder = tempfile::Builder::new();
    // Temporary files are private by default, but results are for every user to read.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = match builder.tempfile_in(folder_of(target)) {
        // The file may be written, its folder may not.
        Err(error) if existing.is_some() && is_folder_protected(&error) => return overwrite(target, content),
        file => file?,
    };
    file.write_all(content)?;
    if let Some(existing) = &existing {
        keep_owner_and_permissions(file.as_file(), existing)?;
    }
    file.as_file().sync_all()?;
    match file.persist(target) {
        // A single file that is mounted into a container cannot be renamed over.
        Err(error) if error.error.kind() == ErrorKind::ResourceBusy => overwrite(target, content),
        persisted => persisted.map(|_| ()).map_err(|error| error.error),
    }
}

fn is_folder_protected(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

fn keep_owner_and_permissions(file: &File, existing: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        // Only the superuser may give files away; for everybody else the file keeps its new owner.
        let _ = fchown(file, Some(existing.uid()), Some(existing.gid()));
    }
    file.set_permissions(existing.permissions())
}

/// Writes into a regular file that cannot be replaced. If that fails, the file gets its content back.
fn overwrite(target: &Path, content: &[u8]) -> io::Result<()> {
    let before = fs::read(target)?;
    let write = |content: &[u8]| {
        let mut file = File::options().write(true).open(target)?;
        file.write_all(content)?;
        file.set_len(content.len() as u64)?;
        file.sync_all()
    };
    let written = write(content);
    if written.is_err() {
        // The error of writing is the one to report.
        let _ = write(&before);
    }
    written
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    /// The error, its reason included.
    fn refused(path: &Path) -> String {
        let error = write_file(path, b"new").expect_err("it cannot be written");
        let reason = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(check_file(path).is_err(), "{}", path.display());
        format!("{error}: {reason}")
    }

    #[test]
    fn a_pipe_is_written_and_stays_a_pipe() {
        let folder = folder();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("there is mkfifo").success());
        let link = folder.path().join("link");
        symlink("pipe", &link).expect("written");
        for path in [&pipe, &link] {
            check_file(path).expect("a pipe can be written");
            let reader = std::thread::spawn({
                let pipe = pipe.clone();
                move || fs::read(pipe).expect("the writer comes")
            });
            write_file(path, b"a picture").expect("written");
            assert_eq!(reader.join().expect("it read"), b"a picture");
            assert!(!fs::metadata(&pipe).expect("there").is_file());
            assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        }
    }

    #[test]
    fn a_socket_receives_the_content() {
        let folder = folder();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).expect("bound");
        write_file(&path, b"a picture").expect("written");
        let mut received = Vec::new();
        listener.accept().expect("connected").0.read_to_end(&mut received).expect("read");
        assert_eq!(received, b"a picture");
    }

    #[test]
    fn a_link_stays_and_its_target_is_written() {
        let folder = folder();
        let (there, target, link) =
            (folder.path().join("there"), folder.path().join("there/target"), folder.path().join("link"));
        fs::create_dir(&there).expect("made");
        symlink("there/second", &link).expect("written");
        symlink("target", there.join("second")).expect("written");
        for content in [&b"first"[..], b"second, longer", b"third"] {
            write_file(&link, content).expect("written");
            assert_eq!(fs::read(&target).expect("there"), content);
        }
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert!(fs::symlink_metadata(there.join("second")).expect("there").is_symlink());
        assert_eq!(fs::read_dir(&there).expect("there").count(), 2, "nothing else is left behind");
    }

    #[test]
    fn permissions_of_a_file_stay() {
        let folder = folder();
        let path = folder.path().join("file");
        write_file(&path, b"new").expect("written");
        for mode in [0o600, 0o664, 0o755] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("changed");
            write_file(&path, b"again").expect("written");
            assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o7777, mode);
        }
    }

    #[test]
    fn an_open_file_is_added_to_and_not_replaced() {
        use std::os::fd::AsRawFd;
        let folder = folder();
        let path = folder.path().join("log");
        let mut file = File::create(&path).expect("made");
        file.write_all(b"before\n").expect("written");
        let descriptor = PathBuf::from(format!("/dev/fd/{}", file.as_raw_fd()));
        let link = folder.path().join("link");
        symlink(&descriptor, &link).expect("written");
        write_file(&descriptor, b"one\n").expect("written");
        write_file(&link, b"two\n").expect("written");
        assert_eq!(fs::read_to_string(&path).expect("there"), "before\none\ntwo\n");
    }

    #[test]
    fn names_that_cannot_be_files_are_refused() {
        let folder = folder();
        let at = |name: &str| folder.path().join(name);
        symlink("loop", at("loop")).expect("written");
        fs::write(at("file"), "old").expect("written");
        let long = "ä".repeat(150);
        for (name, reason) in [
            (".", "it is a folder"),
            ("new/", "it is a folder"),
            ("missing/file", "missing does not exist"),
            ("file/below", "directory"),
            ("loop", "lead to each other"),
            (&long, "has 300 bytes, and at most 255 are possible; choose"),
            (&format!("missing/{long}"), "has 300 bytes"),
        ] {
            let said = refused(&at(name));
            assert!(said.contains("cannot write") && said.contains(reason), "{name}: {said}");
        }
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 2, "nothing was made");
        assert!(refused(Path::new("")).contains("the name is empty"));
    }

    #[test]
    fn a_file_that_cannot_be_replaced_is_overwritten_or_keeps_its_content() {
        let folder = folder();
        let path = folder.path().join("file");
        fs::write(&path, "a long content of before").expect("written");
        overwrite(&path, b"short").expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"short");
    }

    #[test]
    fn folders_are_checked_before_anything_is_made() {
        let folder = folder();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "").expect("written");
        let long = format!("new/{}", "x".repeat(256));
        for (path, reason) in [
            (at("file"), "no folder"),
            (at("file/below"), "directory"),
            (at(&long), "has 256 bytes"),
            ("-".into(), "standard output"),
        ] {
            let error = create_folder(&path).expect_err("it cannot be made");
            let said = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default().to_lowercase();
            assert!(said.contains(reason), "{said}");
        }
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 1, "nothing was made");
        symlink("target", at("link")).expect("written");
        create_folder(&at("link")).expect("made");
        create_folder(&at("link/a/b")).expect("made");
        assert!(at("target/a/b").is_dir());
    }
}
