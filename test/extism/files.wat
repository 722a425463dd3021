;; Was built for WASI, and needs a folder that it is granted (descriptor 3). The input is a path: "read" answers what is in that file, "write" makes it and writes "written". Both
;; return the number of WASI's error.
(module
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 32) "written")

  ;; Opens the path; the descriptor is at 0, the path at 1024.
  (func $open (param $how i32) (param $rights i64) (result i32)
    (local $at i64)
    (block $done
      (loop $next
        (br_if $done (i64.ge_u (local.get $at) (call $input_length)))
        (i32.store8 (i32.add (i32.const 1024) (i32.wrap_i64 (local.get $at))) (call $input_load_u8 (local.get $at)))
        (local.set $at (i64.add (local.get $at) (i64.const 1)))
        (br $next)))
    (call $path_open (i32.const 3) (i32.const 1) (i32.const 1024) (i32.wrap_i64 (call $input_length))
      (local.get $how) (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 0)))

  ;; A vector at 8; the count goes to 16.
  (func $vector (param $at i32) (param $length i32)
    (i32.store (i32.const 8) (local.get $at))
    (i32.store (i32.const 12) (local.get $length)))

  (func (export "read") (result i32)
    (local $told i32) (local $at i32) (local $block i64)
    (if (local.tee $told (call $open (i32.const 0) (i64.const 2))) (then (return (local.get $told))))
    (call $vector (i32.const 8192) (i32.const 8192))
    (local.set $told (call $fd_read (i32.load (i32.const 0)) (i32.const 8) (i32.const 1) (i32.const 16)))
    (if (local.get $told) (then (return (local.get $told))))
    (local.set $block (call $alloc (i64.load32_u (i32.const 16))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (i32.load (i32.const 16))))
        (call $store_u8
          (i64.add (local.get $block) (i64.extend_i32_u (local.get $at)))
          (i32.load8_u (i32.add (i32.const 8192) (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (call $output_set (local.get $block) (i64.load32_u (i32.const 16)))
    (call $fd_close (i32.load (i32.const 0))))

  (func (export "write") (result i32)
    (local $told i32)
    (if (local.tee $told (call $open (i32.const 1) (i64.const 64))) (then (return (local.get $told))))
    (call $vector (i32.const 32) (i32.const 7))
    (local.set $told (call $fd_write (i32.load (i32.const 0)) (i32.const 8) (i32.const 1) (i32.const 16)))
    (if (local.get $told) (then (return (local.get $told))))
    (call $fd_close (i32.load (i32.const 0)))))
