//! Who is at the other end of a Unix socket.

use std::fs;
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use anyplug_core::Error;

/// Refuses a peer that is neither this user nor root.
///
/// # Errors
/// PERMISSION_DENIED, naming both users; UNAVAILABLE when the system does not say who it is.
pub(crate) fn check_peer(socket: impl AsFd) -> Result<(), Error> {
    #[cfg(target_os = "linux")]
    {
        let peer = rustix::net::sockopt::socket_peercred(socket)
            .map_err(|error| Error::unavailable(format!("the system does not say who the peer is: {error}")))?;
        let (user, own) = (peer.uid.as_raw(), own_user());
        if !is_trusted(user, own) {
            return Err(Error::permission_denied(format!("the peer is user {user}; expected user {own} or root")));
        }
    }
    // Elsewhere mode and owner of the socket's file decide, which the kernel and `check_socket_file` look at.
    #[cfg(not(target_os = "linux"))]
    let _ = socket;
    Ok(())
}

fn own_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether a program of user `own` may trust one of `user`.
fn is_trusted(user: u32, own: u32) -> bool {
    user == own || user == 0
}

/// Checks the file of a socket before it is connected to: nobody but this user and root could have put it there.
///
/// # Errors
/// UNAVAILABLE when there is none, FAILED_PRECONDITION when it is no socket, PERMISSION_DENIED when it is somebody else's.
pub(crate) fn check_socket_file(path: &Path) -> Result<(), Error> {
    let own = own_user();
    let file = status(path)?;
    if !file.file_type().is_socket() {
        return Err(Error::failed_precondition(format!("{} is no socket", path.display())));
    }
    if !is_trusted(file.uid(), own) {
        let message = format!("{} belongs to user {}; expected user {own} or root", path.display(), file.uid());
        return Err(Error::permission_denied(message));
    }
    let folder_path = path.parent().unwrap_or(Path::new("/"));
    let folder = status(folder_path)?;
    let (others_write, sticky) = (folder.mode() & 0o022 != 0, folder.mode() & 0o1000 != 0);
    if !is_trusted(folder.uid(), own) || (others_write && !sticky) {
        return Err(Error::permission_denied(format!(
            "{} belongs to another user, or others may write to it: what is there can be put in place of the socket",
            folder_path.display()
        )));
    }
    Ok(())
}

fn status(path: &Path) -> Result<fs::Metadata, Error> {
    fs::metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::unavailable(format!("there is no {}: is the plugin served?", path.display())),
        _ => Error::permission_denied(format!("{} cannot be looked at: {error}", path.display())),
    })
}
