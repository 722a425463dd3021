;; A plugin of Extism's that answers with its input.
(module
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u64" (func $input_load_u64 (param i64) (result i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (memory (export "memory") 17)
  ;; As its development kits do it: eight bytes at a time into its own memory, and from there to where the host looks. The length is a multiple of eight.
  (func (export "echo") (result i32)
    (local $at i64) (local $length i64) (local $to i64)
    (local.set $length (call $input_length))
    (loop $load
      (i64.store (i32.wrap_i64 (local.get $at)) (call $input_load_u64 (local.get $at)))
      (local.set $at (i64.add (local.get $at) (i64.const 8)))
      (br_if $load (i64.lt_u (local.get $at) (local.get $length))))
    (local.set $to (call $alloc (local.get $length)))
    (local.set $at (i64.const 0))
    (loop $store
      (call $store_u64 (i64.add (local.get $to) (local.get $at)) (i64.load (i32.wrap_i64 (local.get $at))))
      (local.set $at (i64.add (local.get $at) (i64.const 8)))
      (br_if $store (i64.lt_u (local.get $at) (local.get $length))))
    (call $output_set (local.get $to) (local.get $length))
    (i32.const 0))
  ;; Without a copy: the bytes are not looked at.
  (func (export "pass") (result i32)
    (call $output_set (call $input_offset) (call $input_length))
    (i32.const 0)))
