//! Folders that a guest was granted: what it can do in them, and that it comes to nothing else.

#![allow(clippy::unwrap_used, reason = "a failing test says where by a panic")]

mod guest;

use std::path::{Path, PathBuf};

use anyplug_core::Code;
use anyplug_wasm::{Module, WasiDirectory, WasmLimits};
use guest::{Guest, ODD, limits};

/// Where the guest's paths begin, one behind the other.
const PATHS: usize = 20_000;
/// What the guest reads.
const BUFFER: usize = 30_000;
/// What the guest answers: numbers, and what it has read.
const ANSWER_BYTES: usize = 512;
const OK: u32 = 0;

const IMPORTS: &str = r#"
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $prestat_name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pread" (func $fd_pread (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir" (func $readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_get" (func $stat_fd (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get" (func $stat (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_readlink" (func $readlink (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_remove_directory" (func $rmdir (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_rename" (func $rename (param i32 i32 i32 i32 i32 i32) (result i32)))"#;

/// `$told` notes a number; `$open`, `$read`, `$write` work with the descriptor that was opened last, which is at 2040.
const MORE: &str = r#"
  (global $noted (mut i32) (i32.const 2048))
  (func $told (param $value i32)
    (i32.store (global.get $noted) (local.get $value))
    (global.set $noted (i32.add (global.get $noted) (i32.const 4))))
  (func $fd (result i32) (i32.load (i32.const 2040)))
  (func $open (param $folder i32) (param $path i32) (param $length i32) (param $how i32) (param $rights i64) (param $flags i32)
    (call $told (call $path_open (local.get $folder) (i32.const 1) (local.get $path) (local.get $length)
      (local.get $how) (local.get $rights) (i64.const 0) (local.get $flags) (i32.const 2040))))
  (func $vector (param $at i32) (param $length i32)
    (i32.store (i32.const 2020) (local.get $at)) (i32.store (i32.const 2024) (local.get $length)))
  ;; Notes how it went, and how much it was.
  (func $read (param $length i32)
    (call $vector (i32.const 30000) (local.get $length))
    (call $told (call $fd_read (call $fd) (i32.const 2020) (i32.const 1) (i32.const 2028)))
    (call $told (i32.load (i32.const 2028))))
  (func $write (param $at i32) (param $length i32)
    (call $vector (local.get $at) (local.get $length))
    (call $told (call $fd_write (call $fd) (i32.const 2020) (i32.const 1) (i32.const 2028))))"#;

/// A folder for one test, which is removed with it: `granted` in it is what the guest is given, and `secret` lies beside that.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("anyplug-wasi-{}-{name}", std::process::id()));
        std::fs::create_dir_all(path.join("granted/inner")).unwrap();
        std::fs::write(path.join("secret"), "a secret").unwrap();
        std::fs::write(path.join("granted/file"), "hello from the file").unwrap();
        std::fs::write(path.join("granted/inner/deep"), "deep").unwrap();
        Self(path)
    }

    fn granted(&self) -> PathBuf {
        self.0.join("granted")
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.granted().join(path)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The paths, and what a guest does with them. In it, `PATH n` stands for the place and length of the nth.
struct Doing<'a> {
    paths: &'a [&'a str],
    odd: &'a str,
}

impl Doing<'_> {
    /// The numbers that the guest noted, and what it read.
    fn with(&self, directories: Vec<WasiDirectory>) -> (Vec<u32>, Vec<u8>) {
        self.with_imports("", directories)
    }

    fn with_imports(&self, more: &str, directories: Vec<WasiDirectory>) -> (Vec<u32>, Vec<u8>) {
        let (mut data, mut odd, mut at) = (String::new(), self.odd.to_owned(), PATHS);
        for (index, path) in self.paths.iter().enumerate() {
            let bytes: String = path.bytes().map(|byte| format!("\\{byte:02x}")).collect();
            data += &format!("(data (i32.const {at}) \"{bytes}\")\n");
            odd = odd.replace(&format!("PATH {index}"), &format!("(i32.const {at}) (i32.const {})", path.len()));
            at += path.len();
        }
        let odd = format!(
            "{odd} (memory.copy (i32.add (local.get $at) (i32.const 12)) (i32.const 2048) (i32.const {ANSWER_BYTES}))
             (memory.copy (i32.add (local.get $at) (i32.const {})) (i32.const {BUFFER}) (i32.const {ANSWER_BYTES}))
             (i32.store (local.get $at) (i32.const {}))
             (call $send (local.get $at) (i32.const {}))",
            12 + ANSWER_BYTES,
            2 * ANSWER_BYTES,
            12 + 2 * ANSWER_BYTES
        );
        let limits = WasmLimits { wasi_directories: directories, ..limits() };
        let guest = Guest {
            imports: &(IMPORTS.to_owned() + more),
            more: &(MORE.to_owned() + &data),
            odd: &odd,
            ..Guest::default()
        };
        let host = guest.load_within(&limits);
        let answer = host.call(ODD, b"x").unwrap();
        let (numbers, read) = answer.split_at(ANSWER_BYTES);
        let numbers = numbers.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect();
        (numbers, read.to_vec())
    }
}

fn grant(folder: &Folder) -> Vec<WasiDirectory> {
    vec![WasiDirectory::read_only(folder.granted(), "/data")]
}

fn grant_writable(folder: &Folder) -> Vec<WasiDirectory> {
    vec![WasiDirectory::writable(folder.granted(), "/data")]
}

/// How it goes to open a path for reading.
fn opens(path: &str, directories: Vec<WasiDirectory>) -> u32 {
    let doing =
        Doing { paths: &[path], odd: "(call $open (i32.const 3) PATH 0 (i32.const 0) (i64.const 2) (i32.const 0))" };
    doing.with(directories).0[0]
}

#[test]
fn a_granted_folder_has_a_name_and_can_be_read() {
    let folder = Folder::new("read");
    let odd = "(call $told (call $prestat (i32.const 3) (i32.const 2000)))
        (call $told (i32.load (i32.const 2000))) (call $told (i32.load (i32.const 2004)))
        (call $told (call $prestat_name (i32.const 3) (i32.const 30200) (i32.const 5)))
        (call $told (call $prestat (i32.const 4) (i32.const 2000)))
        (call $open (i32.const 3) PATH 0 (i32.const 0) (i64.const 2) (i32.const 0))
        (call $read (i32.const 5))
        (call $told (call $fd_seek (call $fd) (i64.const -4) (i32.const 2) (i32.const 2000)))
        (call $read (i32.const 100))
        (call $told (call $fd_close (call $fd))) (call $told (call $fd_close (call $fd)))
        (call $read (i32.const 5))";
    let (told, read) = Doing { paths: &["file"], odd }.with(grant(&folder));
    assert_eq!(told[..15], [OK, 0, 5, OK, 8, OK, OK, 5, OK, OK, 4, OK, 8, 8, 4]);
    assert_eq!(&read[..5], b"fileo");
    assert_eq!(&read[200..205], b"/data");
}

#[test]
fn what_lies_in_a_folder_can_be_found() {
    let folder = Folder::new("found");
    let odd =
        "(call $told (call $readdir (i32.const 3) (i32.const 30000) (i32.const 400) (i64.const 0) (i32.const 2000)))
        (call $told (i32.load (i32.const 2000)))
        (call $told (call $readdir (i32.const 3) (i32.const 30400) (i32.const 30) (i64.const 3) (i32.const 2000)))
        (call $told (i32.load (i32.const 2000)))
        (call $told (call $stat (i32.const 3) (i32.const 1) PATH 0 (i32.const 1900)))
        (call $told (i32.load8_u (i32.const 1916))) (call $told (i32.load (i32.const 1932)))
        (call $open (i32.const 3) PATH 1 (i32.const 2) (i64.const 2) (i32.const 0))
        (call $told (call $stat (call $fd) (i32.const 1) PATH 2 (i32.const 1960)))
        (call $told (i32.load (i32.const 1992)))";
    let (told, read) = Doing { paths: &["file", "inner", "deep"], odd }.with(grant(&folder));
    assert_eq!(told[..2], [OK, 4 * 24 + 1 + 2 + 4 + 5]);
    // The last entry does not fit.
    assert_eq!(told[2..4], [OK, 29]);
    assert_eq!(told[4..10], [OK, 4, 19, OK, OK, 4]);
    let names = [&read[24..25], &read[49..51], &read[75..79], &read[103..108]];
    assert_eq!(names, [&b"."[..], b"..", b"file", b"inner"]);
}

#[test]
fn nothing_beyond_a_granted_folder_is_reached() {
    let folder = Folder::new("beyond");
    let link = |target: &Path, name: &str| std::os::unix::fs::symlink(target, folder.granted().join(name)).unwrap();
    link(Path::new("../secret"), "up");
    link(&folder.0.join("secret"), "root");
    link(&folder.0, "folder");
    link(Path::new("inner/../../secret"), "around");
    link(Path::new("up"), "twice");
    link(Path::new("loop"), "loop");
    link(Path::new("/proc/self/root"), "magic");
    let secret = folder.0.join("secret");
    let secret = secret.to_str().unwrap();
    for path in [
        "../secret",
        "inner/../../secret",
        "./.././secret",
        secret,
        "/etc/passwd",
        "/",
        "..",
        "inner/../..",
        "up",
        "root",
        "folder/secret",
        "folder",
        "around",
        "twice",
        "magic/etc/passwd",
        "nowhere/../../secret",
    ] {
        for directories in [grant(&folder), grant_writable(&folder)] {
            let told = opens(path, directories);
            assert!([44, 76].contains(&told), "{path}: {told}");
        }
    }
    assert_eq!(opens("loop", grant(&folder)), 32);
    for (path, expected) in [("", 44), ("a\0b", 28), ("file/x", 54), ("none", 44)] {
        assert_eq!(opens(path, grant(&folder)), expected, "{path:?}");
    }
    // What stays within is reached.
    link(Path::new("inner/../file"), "within");
    for path in ["inner/../file", "./file", "within", "inner/deep", "inner", "."] {
        assert_eq!(opens(path, grant(&folder)), OK, "{path}");
    }
}

#[test]
fn nothing_beyond_a_granted_folder_is_changed() {
    let folder = Folder::new("changed");
    std::os::unix::fs::symlink("../secret", folder.granted().join("up")).unwrap();
    std::os::unix::fs::symlink("../new", folder.granted().join("new")).unwrap();
    let odd = "(call $open (i32.const 3) PATH 0 (i32.const 8) (i64.const 64) (i32.const 0))
        (call $open (i32.const 3) PATH 1 (i32.const 1) (i64.const 64) (i32.const 0))
        (call $open (i32.const 3) PATH 2 (i32.const 1) (i64.const 64) (i32.const 0))
        (call $told (call $mkdir (i32.const 3) PATH 2))
        (call $told (call $unlink (i32.const 3) PATH 3))
        (call $told (call $rename (i32.const 3) PATH 4 (i32.const 3) PATH 2))
        (call $told (call $rename (i32.const 3) PATH 3 (i32.const 3) PATH 4))
        (call $told (call $stat (i32.const 3) (i32.const 1) PATH 3 (i32.const 1960)))
        (call $told (call $readlink (i32.const 3) PATH 3 (i32.const 1960) (i32.const 8) (i32.const 2000)))";
    let paths = ["up", "new", "../made", "../secret", "file"];
    let (told, _) = Doing { paths: &paths, odd }.with(grant_writable(&folder));
    assert_eq!(told[..9], [76; 9]);
    assert_eq!(std::fs::read_to_string(folder.0.join("secret")).unwrap(), "a secret");
    let mut left: Vec<_> = std::fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["granted", "secret"]);
    assert_eq!(folder.read("file"), "hello from the file");
}

#[test]
fn a_folder_is_for_reading_unless_it_was_granted_for_more() {
    let folder = Folder::new("only");
    let odd = "(call $open (i32.const 3) PATH 0 (i32.const 0) (i64.const 66) (i32.const 0))
        (call $open (i32.const 3) PATH 0 (i32.const 8) (i64.const 2) (i32.const 0))
        (call $open (i32.const 3) PATH 1 (i32.const 1) (i64.const 2) (i32.const 0))
        (call $told (call $mkdir (i32.const 3) PATH 1))
        (call $told (call $unlink (i32.const 3) PATH 0))
        (call $told (call $rmdir (i32.const 3) PATH 2))
        (call $told (call $rename (i32.const 3) PATH 0 (i32.const 3) PATH 1))
        (call $open (i32.const 3) PATH 2 (i32.const 2) (i64.const 2) (i32.const 0))
        (call $told (call $unlink (call $fd) PATH 3))
        (call $open (i32.const 3) PATH 0 (i32.const 0) (i64.const 2) (i32.const 0))
        (call $write (i32.const 30000) (i32.const 5))";
    let (told, _) = Doing { paths: &["file", "new", "inner", "deep"], odd }.with(grant(&folder));
    assert_eq!(told[..11], [69, 69, 69, 69, 69, 69, 69, OK, 69, OK, 8]);
    assert_eq!((folder.read("file"), folder.read("inner/deep")), ("hello from the file".to_owned(), "deep".to_owned()));
}

#[test]
fn files_and_folders_are_made_changed_and_removed_where_that_was_granted() {
    let folder = Folder::new("made");
    let odd = "(call $open (i32.const 3) PATH 0 (i32.const 1) (i64.const 64) (i32.const 0))
        (call $write PATH 1) (call $write PATH 1)
        (call $open (i32.const 3) PATH 0 (i32.const 5) (i64.const 64) (i32.const 0))
        (call $open (i32.const 3) PATH 2 (i32.const 0) (i64.const 64) (i32.const 1))
        (call $write PATH 1)
        (call $told (call $mkdir (i32.const 3) PATH 3))
        (call $told (call $rename (i32.const 3) PATH 0 (i32.const 3) PATH 4))
        (call $told (call $unlink (i32.const 3) PATH 5))
        (call $told (call $rmdir (i32.const 3) PATH 6))
        (call $told (call $rmdir (i32.const 3) PATH 3))";
    let paths = ["new", "text", "file", "folder", "folder/moved", "inner/deep", "inner"];
    let (told, _) = Doing { paths: &paths, odd }.with(grant_writable(&folder));
    assert_eq!(told[..11], [OK, OK, OK, 20, OK, OK, OK, OK, OK, OK, 55]);
    assert_eq!(
        (folder.read("folder/moved"), folder.read("file")),
        ("texttext".to_owned(), "hello from the filetext".to_owned())
    );
    assert!(!folder.granted().join("inner").exists());
}

#[test]
fn times_are_set_and_descriptors_renumbered() {
    let folder = Folder::new("times");
    let imports = r#"
  (import "wasi_snapshot_preview1" "path_filestat_set_times" (func $path_times (param i32 i32 i32 i32 i64 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_renumber" (func $renumber (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $flags (param i32 i32) (result i32)))"#;
    let odd = "(call $told (call $path_times (i32.const 3) (i32.const 1) PATH 0 (i64.const 0) (i64.const 86400000000000) (i32.const 4)))
        (call $told (call $path_times (i32.const 3) (i32.const 1) PATH 1 (i64.const 0) (i64.const 0) (i32.const 4)))
        (call $open (i32.const 3) PATH 0 (i32.const 0) (i64.const 2) (i32.const 0))
        (call $open (i32.const 3) PATH 2 (i32.const 0) (i64.const 66) (i32.const 0))
        (call $told (call $renumber (i32.const 5) (i32.const 4))) (call $told (call $renumber (i32.const 4) (i32.const 9)))
        (call $told (call $fd_close (i32.const 5)))
        (i32.store (i32.const 2040) (i32.const 4))
        (call $told (call $flags (call $fd) (i32.const 1)))
        (call $write PATH 1)";
    let paths = ["file", "../secret", "inner/deep"];
    let (told, _) = Doing { paths: &paths, odd }.with_imports(imports, grant_writable(&folder));
    assert_eq!(told[..9], [OK, 76, OK, OK, OK, 8, 8, OK, OK]);
    assert_eq!(folder.read("inner/deep"), "deep../secret");
    let changed = std::fs::metadata(folder.granted().join("file")).unwrap().modified().unwrap();
    assert_eq!(changed.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs(), 86_400);
}

#[test]
fn a_pipe_does_not_keep_the_host_waiting() {
    let folder = Folder::new("pipe");
    let pipe = folder.granted().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    assert_eq!(opens("pipe", grant(&folder)), 2);
}

#[test]
fn so_much_may_be_open_and_no_more() {
    let folder = Folder::new("open");
    let odd = "(local $left i32) (local.set $left (i32.const 255))
        (loop $next
          (drop (call $path_open (i32.const 3) (i32.const 1) PATH 0 (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 2040)))
          (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (call $open (i32.const 3) PATH 0 (i32.const 0) (i64.const 2) (i32.const 0))
        (call $told (call $fd_close (i32.const 100)))
        (call $open (i32.const 3) PATH 0 (i32.const 0) (i64.const 2) (i32.const 0))
        (call $told (call $fd))";
    let (told, _) = Doing { paths: &["file"], odd }.with(grant(&folder));
    assert_eq!(told[..4], [33, OK, OK, 100]);
}

#[test]
fn a_folder_that_cannot_be_granted_is_named_when_the_module_is_loaded() {
    let folder = Folder::new("absent");
    let bytes = Guest { imports: IMPORTS, more: MORE, ..Guest::default() }.bytes();
    let load = |directory: WasiDirectory| {
        Module::new(&bytes, &WasmLimits { wasi_directories: vec![directory], ..limits() }).unwrap_err()
    };
    for (path, code) in [("nowhere", Code::NotFound), ("secret", Code::InvalidArgument)] {
        let path = folder.0.join(path);
        let error = load(WasiDirectory::read_only(&path, "/data"));
        assert_eq!(error.code(), code);
        assert!(error.message().starts_with(&format!("wasm.wasi_directories: {} cannot be opened: ", path.display())));
    }
    assert_eq!(load(WasiDirectory::read_only(&folder.0, "")).code(), Code::InvalidArgument);
    // Without any, there are no functions for files.
    let error = Module::new(&bytes, &limits()).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert!(
        error.message().contains("does not have what it imports: ")
            && error.message().contains("wasi_snapshot_preview1.path_open ("),
        "{error}"
    );
}
