;; Calls a function of the host's own.
(module
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/user" "shout" (func $shout (param i64) (result i64)))
  (import "extism:host/user" "note" (func $note (param i64)))
  (memory (export "memory") 1)
  (func (export "run") (result i32)
    (local $answer i64)
    (call $note (call $input_offset))
    (local.set $answer (call $shout (call $input_offset)))
    (call $output_set (local.get $answer) (call $length (local.get $answer)))
    (i32.const 0)))
