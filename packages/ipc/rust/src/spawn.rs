//! Starts a program with chosen descriptors, in a process group or session of its own.
//!
//! `posix_spawn` and not fork and exec: nothing of ours runs in the child, where a lock that another thread held at the fork would stay held for ever; a host
//! with gigabytes of memory is not copied, page table by page table; and an exec that fails is told by the return value, so that no pipe for that purpose can come to lie where the channel must.

use std::ffi::{CStr, CString, OsStr, OsString, c_int};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::process::Pid;

use crate::environment::Environment;

/// What the child is the leader of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leads {
    Group,
    Session,
}

/// A program to start. Nothing but `descriptors` is open in the child, where the C library can see to that (glibc 2.34 and up, Apple); elsewhere what the host opened close-on-exec is closed.
pub(crate) struct Spawn<'a> {
    pub(crate) program: &'a Path,
    pub(crate) args: &'a [OsString],
    pub(crate) environment: &'a Environment,
    pub(crate) cwd: &'a Path,
    /// Each descriptor (numbered [`FIRST_FREE`] or more, see [`keep_clear`]) and the number it has in the child, from 0 without a gap.
    pub(crate) descriptors: &'a [BorrowedFd<'a>],
    pub(crate) leads: Leads,
}

/// Descriptors below this number are those of a child.
const FIRST_FREE: RawFd = 10;

/// Moves a descriptor out of the way of the numbers that it may be given in a child.
pub(crate) fn keep_clear(descriptor: OwnedFd) -> io::Result<OwnedFd> {
    if descriptor.as_raw_fd() >= FIRST_FREE {
        return Ok(descriptor);
    }
    Ok(rustix::io::fcntl_dupfd_cloexec(&descriptor, FIRST_FREE)?)
}

impl Spawn<'_> {
    /// Returns the id of the new process. An error of ENOENT may be about the program's interpreter as well.
    pub(crate) fn start(&self) -> io::Result<Pid> {
        let program = c_string(self.program.as_os_str())?;
        let mut args = vec![program.clone()];
        for arg in self.args {
            args.push(c_string(arg)?);
        }
        let mut variables = Vec::with_capacity(self.environment.len());
        for (name, value) in self.environment {
            let mut variable = name.clone();
            variable.push("=");
            variable.push(value);
            variables.push(c_string(&variable)?);
        }
        let actions = Actions::new(self)?;
        let attributes = Attributes::new(self.leads)?;
        let (args, variables) = (pointers(&args), pointers(&variables));
        let mut pid = 0;
        // SAFETY: every pointer is to a value that lives until the end of this function, and both arrays end with a null pointer.
        check(unsafe {
            libc::posix_spawn(&mut pid, program.as_ptr(), &actions.0, &attributes.0, args.as_ptr(), variables.as_ptr())
        })?;
        Pid::from_raw(pid).ok_or_else(|| io::Error::other("the system gave the new process the number 0"))
    }
}

fn c_string(text: &OsStr) -> io::Result<CString> {
    CString::new(text.as_bytes()).map_err(|_| {
        let message = format!("{text:?} holds a zero byte, which no argument or variable of a program can");
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })
}

fn pointers(strings: &[CString]) -> Vec<*mut libc::c_char> {
    strings.iter().map(|string| string.as_ptr().cast_mut()).chain([std::ptr::null_mut()]).collect()
}

fn check(error: c_int) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

/// What happens to descriptors and folder between start and exec.
struct Actions(libc::posix_spawn_file_actions_t);

impl Actions {
    fn new(spawn: &Spawn<'_>) -> io::Result<Self> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: init writes the value, or tells that it did not.
        check(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        // SAFETY: init succeeded.
        let mut actions = Self(unsafe { actions.assume_init() });
        let mut next = 0;
        for descriptor in spawn.descriptors {
            // SAFETY: the value is initialised; the descriptor is open, and as it is numbered above all targets, no action overwrites it.
            check(unsafe { libc::posix_spawn_file_actions_adddup2(&mut actions.0, descriptor.as_raw_fd(), next) })?;
            next += 1;
        }
        let cwd = c_string(spawn.cwd.as_os_str())?;
        actions.change_folder(&cwd)?;
        actions.close_from(next)?;
        Ok(actions)
    }

    fn change_folder(&mut self, folder: &CStr) -> io::Result<()> {
        type AddChdir = unsafe extern "C" fn(*mut libc::posix_spawn_file_actions_t, *const libc::c_char) -> c_int;
        let Some(symbol) = symbol(c"posix_spawn_file_actions_addchdir_np") else {
            let message = "this C library cannot start a program in another folder (glibc can from 2.29 on)";
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        };
        // SAFETY: the function of this name has this type in every C library that has it.
        let add_chdir: AddChdir = unsafe { std::mem::transmute(symbol) };
        // SAFETY: the value is initialised; the folder's name is copied.
        check(unsafe { add_chdir(&mut self.0, folder.as_ptr()) })
    }

    fn close_from(&mut self, first: RawFd) -> io::Result<()> {
        type AddCloseFrom = unsafe extern "C" fn(*mut libc::posix_spawn_file_actions_t, c_int) -> c_int;
        let Some(symbol) = symbol(c"posix_spawn_file_actions_addclosefrom_np") else { return Ok(()) };
        // SAFETY: the function of this name has this type in every C library that has it.
        let add_close_from: AddCloseFrom = unsafe { std::mem::transmute(symbol) };
        // SAFETY: the value is initialised.
        check(unsafe { add_close_from(&mut self.0, first) })
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: the value is initialised and not used again.
        unsafe { libc::posix_spawn_file_actions_destroy(&mut self.0) };
    }
}

/// A function that older C libraries lack: linked by name, so that the program still starts with those.
fn symbol(name: &CStr) -> Option<*mut libc::c_void> {
    // SAFETY: the name ends with a zero byte; looking a symbol up has no other condition.
    let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!symbol.is_null()).then_some(symbol)
}

#[cfg(target_vendor = "apple")]
const SET_SESSION: c_int = 0x0400;
#[cfg(not(target_vendor = "apple"))]
const SET_SESSION: c_int = libc::POSIX_SPAWN_SETSID as c_int;

#[cfg(target_vendor = "apple")]
const CLOSE_ALL: c_int = libc::POSIX_SPAWN_CLOEXEC_DEFAULT as c_int;
#[cfg(not(target_vendor = "apple"))]
const CLOSE_ALL: c_int = 0;

/// Group or session, and no signal ignored or blocked: Rust, Python and Node ignore SIGPIPE, which children inherit.
struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    fn new(leads: Leads) -> io::Result<Self> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: init writes the value, or tells that it did not.
        check(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        // SAFETY: init succeeded.
        let mut attributes = Self(unsafe { attributes.assume_init() });
        let leader = match leads {
            Leads::Group => libc::POSIX_SPAWN_SETPGROUP as c_int,
            Leads::Session => SET_SESSION,
        };
        let flags = leader | CLOSE_ALL | libc::POSIX_SPAWN_SETSIGDEF as c_int | libc::POSIX_SPAWN_SETSIGMASK as c_int;
        let flags = libc::c_short::try_from(flags).map_err(io::Error::other)?;
        let (mut all, mut none) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        // SAFETY: the attributes are initialised, and the sets are written by sigfillset and sigemptyset, which do not fail on valid pointers.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::sigemptyset(none.as_mut_ptr());
            check(libc::posix_spawnattr_setflags(&mut attributes.0, flags))?;
            check(libc::posix_spawnattr_setsigdefault(&mut attributes.0, all.as_ptr()))?;
            check(libc::posix_spawnattr_setsigmask(&mut attributes.0, none.as_ptr()))?;
            if leads == Leads::Group {
                check(libc::posix_spawnattr_setpgroup(&mut attributes.0, 0))?;
            }
        }
        Ok(attributes)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: the value is initialised and not used again.
        unsafe { libc::posix_spawnattr_destroy(&mut self.0) };
    }
}
