//! Lets the library be unloaded that the plugin is in.
//!
//! glibc keeps a library for as long as a thread lives that has something thread-local of it to destroy, and Rust's standard library and tokio have, in every thread that enters them: a host's main thread
//! would keep all libraries that it ever called. So what is registered within a call of the host's is kept here instead, destroyed when its thread ends, and forgotten when the library goes before that.
//! Threads of the plugin's own keep the library as ever, which is what protects one that outlives its instance. And the keys of what else is
//! thread-local go with the library, and the pair of sockets for signals that tokio never closes.
//!
//! Elsewhere a library stays loaded until the threads have ended that have called it.

pub(super) use platform::{Entered, making_runtime};

#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod platform {
    use std::arch::global_asm;
    use std::cell::Cell;
    use std::ffi::{CStr, c_int, c_void};
    use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, AtomicUsize, Ordering};

    thread_local! {
        /// How many calls of the host this thread is within.
        static ENTERED: Cell<u32> = const { Cell::new(0) };
        static MAKES_RUNTIME: Cell<bool> = const { Cell::new(false) };
    }

    /// While it lives, this thread is the host's.
    pub(crate) struct Entered(());

    impl Entered {
        pub(crate) fn new() -> Self {
            // What the linker drops takes the functions below with it.
            std::hint::black_box((register as *const (), pair as *const ()));
            IS_LIBRARY.store(true, Ordering::Relaxed);
            ENTERED.set(ENTERED.get() + 1);
            Self(())
        }
    }

    impl Drop for Entered {
        fn drop(&mut self) {
            ENTERED.set(ENTERED.get() - 1);
        }
    }

    /// Makes a runtime: sockets of this thread's are tokio's own meanwhile.
    pub(crate) fn making_runtime<T>(make: impl FnOnce() -> T) -> T {
        MAKES_RUNTIME.set(true);
        let made = make();
        MAKES_RUNTIME.set(false);
        made
    }

    type Destroy = unsafe extern "C" fn(*mut c_void);
    type Register = unsafe extern "C" fn(Destroy, *mut c_void, *mut c_void) -> c_int;

    // Hidden: within this library they stand for the system's functions of these names, and nobody else sees them. In a program that the SDK is linked into, an allocator or a sanitizer makes keys before
    // anything of Rust's can run: those are made by the system under its other name.
    #[cfg(target_arch = "x86_64")]
    global_asm!(
        ".pushsection .text.anyplug_unload,\"ax\",@progbits",
        ".globl __cxa_thread_atexit_impl", ".hidden __cxa_thread_atexit_impl",
        ".type __cxa_thread_atexit_impl, @function",
        "__cxa_thread_atexit_impl:", "jmp {register}",
        ".globl socketpair", ".hidden socketpair", ".type socketpair, @function",
        "socketpair:", "jmp {pair}",
        ".globl pthread_key_create", ".hidden pthread_key_create", ".type pthread_key_create, @function",
        "pthread_key_create:", "cmp byte ptr [rip + {is_library}], 0", "je 2f", "jmp {make_key}",
        "2:", "jmp __pthread_key_create@PLT",
        ".globl pthread_key_delete", ".hidden pthread_key_delete", ".type pthread_key_delete, @function",
        "pthread_key_delete:", "jmp {delete_key}",
        ".popsection",
        register = sym register, pair = sym pair, make_key = sym make_key, delete_key = sym delete_key,
        is_library = sym IS_LIBRARY,
    );
    #[cfg(target_arch = "aarch64")]
    global_asm!(
        ".pushsection .text.anyplug_unload,\"ax\",@progbits",
        ".globl __cxa_thread_atexit_impl", ".hidden __cxa_thread_atexit_impl",
        ".type __cxa_thread_atexit_impl, @function",
        "__cxa_thread_atexit_impl:", "b {register}",
        ".globl socketpair", ".hidden socketpair", ".type socketpair, @function",
        "socketpair:", "b {pair}",
        ".globl pthread_key_create", ".hidden pthread_key_create", ".type pthread_key_create, @function",
        "pthread_key_create:", "adrp x16, {is_library}", "ldrb w16, [x16, :lo12:{is_library}]", "cbz w16, 2f",
        "b {make_key}", "2:", "b __pthread_key_create",
        ".globl pthread_key_delete", ".hidden pthread_key_delete", ".type pthread_key_delete, @function",
        "pthread_key_delete:", "b {delete_key}",
        ".popsection",
        register = sym register, pair = sym pair, make_key = sym make_key, delete_key = sym delete_key,
        is_library = sym IS_LIBRARY,
    );

    /// Done when the library is unloaded, and when the process ends.
    #[used]
    #[unsafe(link_section = ".fini_array")]
    static AT_UNLOAD: extern "C" fn() = at_unload;

    /// The key of what threads have to destroy, and one; 0: none was made.
    static KEY: AtomicU64 = AtomicU64::new(0);
    /// Threads that are about it.
    static ENDING: AtomicUsize = AtomicUsize::new(0);
    /// A host has entered it: it is no program that the SDK is linked into.
    static IS_LIBRARY: AtomicBool = AtomicBool::new(false);
    /// The keys of this library's, each and one; 0: none. The standard library has two.
    static KEYS: [AtomicU64; 64] = [const { AtomicU64::new(0) }; 64];
    static SOCKETS: [AtomicI32; 2] = [AtomicI32::new(-1), AtomicI32::new(-1)];

    /// What a thread of the host has to destroy, in order of its making.
    type List = Vec<(Destroy, *mut c_void)>;

    /// `__cxa_thread_atexit_impl`.
    unsafe extern "C" fn register(destroy: Destroy, object: *mut c_void, library: *mut c_void) -> c_int {
        let key = if ENTERED.get() > 0 { key() } else { None };
        let Some(key) = key else {
            // SAFETY: the arguments are as they came.
            return unsafe { register_with_system(destroy, object, library) };
        };
        // SAFETY: the key was made, and its values are what is put there below.
        unsafe {
            let mut list = libc::pthread_getspecific(key).cast::<List>();
            if list.is_null() {
                list = Box::into_raw(Box::default());
                libc::pthread_setspecific(key, list.cast());
            }
            (*list).push((destroy, object));
        }
        0
    }

    unsafe fn register_with_system(destroy: Destroy, object: *mut c_void, library: *mut c_void) -> c_int {
        static SYSTEMS: AtomicUsize = AtomicUsize::new(0);
        let address = system_function(&SYSTEMS, c"__cxa_thread_atexit_impl");
        if address == 0 {
            // What is never destroyed does less harm than what is destroyed by nobody's function.
            return -1;
        }
        // SAFETY: it is the system's function of this name.
        unsafe { std::mem::transmute::<usize, Register>(address)(destroy, object, library) }
    }

    /// Where the system's function of a name is, which is hidden here and so not found; 0: there is none.
    fn system_function(known: &AtomicUsize, name: &CStr) -> usize {
        let mut address = known.load(Ordering::Relaxed);
        if address == 0 {
            // SAFETY: the name is a string of C's.
            address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) } as usize;
            known.store(address, Ordering::Relaxed);
        }
        address
    }

    type EndOfValue = unsafe extern "C" fn(*mut c_void);

    /// `pthread_key_create`: what the keys are is kept. One that outlived the library would have threads call what is no more there when they end, and there are but 1,024.
    unsafe extern "C" fn make_key(key: *mut libc::pthread_key_t, end: Option<EndOfValue>) -> c_int {
        type MakeKey = unsafe extern "C" fn(*mut libc::pthread_key_t, Option<EndOfValue>) -> c_int;
        static SYSTEMS: AtomicUsize = AtomicUsize::new(0);
        let address = system_function(&SYSTEMS, c"pthread_key_create");
        if address == 0 {
            return libc::EAGAIN;
        }
        // SAFETY: it is the system's function of this name, and the arguments are as they came.
        let made = unsafe { std::mem::transmute::<usize, MakeKey>(address)(key, end) };
        if made == 0 {
            // SAFETY: the system has written it.
            let number = u64::from(unsafe { *key }) + 1;
            let _ =
                KEYS.iter().find(|place| place.compare_exchange(0, number, Ordering::SeqCst, Ordering::SeqCst).is_ok());
        }
        made
    }

    /// `pthread_key_delete`.
    unsafe extern "C" fn delete_key(key: libc::pthread_key_t) -> c_int {
        let number = u64::from(key) + 1;
        // Forgotten first: as soon as it is deleted, it may be another's.
        let _ = KEYS.iter().find(|place| place.compare_exchange(number, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok());
        // SAFETY: the argument is as it came.
        unsafe { delete_by_system(key) }
    }

    unsafe fn delete_by_system(key: libc::pthread_key_t) -> c_int {
        type DeleteKey = unsafe extern "C" fn(libc::pthread_key_t) -> c_int;
        static SYSTEMS: AtomicUsize = AtomicUsize::new(0);
        let address = system_function(&SYSTEMS, c"pthread_key_delete");
        if address == 0 {
            return libc::EINVAL;
        }
        // SAFETY: it is the system's function of this name, and the argument is as it came.
        unsafe { std::mem::transmute::<usize, DeleteKey>(address)(key) }
    }

    fn key() -> Option<libc::pthread_key_t> {
        let known = KEY.load(Ordering::Acquire);
        if known > 0 {
            return Some((known - 1) as libc::pthread_key_t);
        }
        let mut key = 0;
        // SAFETY: it is written to a place of ours.
        if unsafe { libc::pthread_key_create(&raw mut key, Some(at_thread_end)) } != 0 {
            return None;
        }
        match KEY.compare_exchange(0, u64::from(key) + 1, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Some(key),
            Err(other) => {
                // SAFETY: nobody has used it.
                unsafe { libc::pthread_key_delete(key) };
                Some((other - 1) as libc::pthread_key_t)
            }
        }
    }

    /// Destroys what a thread of the host leaves behind that ends.
    unsafe extern "C" fn at_thread_end(list: *mut c_void) {
        ENDING.fetch_add(1, Ordering::SeqCst);
        // What is made meanwhile comes to the same list.
        ENTERED.set(ENTERED.get() + 1);
        let list = list.cast::<List>();
        if let Some(key) = key() {
            // SAFETY: the list is this thread's, and each of its objects is destroyed once.
            unsafe {
                libc::pthread_setspecific(key, list.cast());
                while let Some((destroy, object)) = (*list).pop() {
                    destroy(object);
                }
                libc::pthread_setspecific(key, std::ptr::null());
                drop(Box::from_raw(list));
            }
        }
        ENTERED.set(ENTERED.get() - 1);
        ENDING.fetch_sub(1, Ordering::SeqCst);
    }

    extern "C" fn at_unload() {
        if !IS_LIBRARY.load(Ordering::Relaxed) {
            return;
        }
        KEY.store(0, Ordering::SeqCst);
        for place in &KEYS {
            let key = place.swap(0, Ordering::SeqCst);
            if key > 0 {
                // SAFETY: it was made here; from now on no thread comes to what it names, `at_thread_end` included.
                unsafe { delete_by_system((key - 1) as libc::pthread_key_t) };
            }
        }
        while ENDING.load(Ordering::SeqCst) > 0 {
            std::hint::spin_loop();
        }
        for socket in &SOCKETS {
            let socket = socket.swap(-1, Ordering::SeqCst);
            if socket >= 0 {
                // SAFETY: it is tokio's, of which nothing runs any more.
                unsafe { libc::close(socket) };
            }
        }
    }

    /// `socketpair`.
    unsafe extern "C" fn pair(domain: c_int, kind: c_int, protocol: c_int, sockets: *mut c_int) -> c_int {
        // SAFETY: the arguments are as they came.
        let made = unsafe { libc::syscall(libc::SYS_socketpair, domain, kind, protocol, sockets) } as c_int;
        if made == 0 && MAKES_RUNTIME.get() {
            for (index, known) in SOCKETS.iter().enumerate() {
                // SAFETY: the system has written two.
                known.store(unsafe { *sockets.add(index) }, Ordering::SeqCst);
            }
        }
        made
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod platform {
    pub(crate) struct Entered(());

    impl Entered {
        pub(crate) fn new() -> Self {
            Self(())
        }
    }

    pub(crate) fn making_runtime<T>(make: impl FnOnce() -> T) -> T {
        make()
    }
}
