;; Wants what no host has.
(module
  (import "extism:host/env" "launch" (func (param i64)))
  (import "extism:host/env" "alloc" (func (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func (param i32 i32 i32) (result i32)))
  (import "env" "abort" (func (param i32)))
  (memory (export "memory") 1)
  (func $start unreachable)
  (start $start)
  (func (export "run") (result i32) (i32.const 0)))
