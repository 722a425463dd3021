;; The ways to fail.
(module
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))
  (import "extism:host/env" "error_get" (func $error_get (result i64)))
  (memory (export "memory") 1)
  ;; With the input as the error.
  (func (export "fail") (result i32)
    (call $error_set (call $input_offset))
    (i32.const 1))
  ;; With a status and nothing else.
  (func (export "status") (result i32) (i32.const 3))
  ;; With an error, though it returns 0.
  (func (export "said") (result i32)
    (call $output_set (call $input_offset) (call $input_length))
    (call $error_set (call $input_offset))
    (i32.const 0))
  ;; Not at all: the error is taken back.
  (func (export "recover") (result i32)
    (call $error_set (call $input_offset))
    (if (i64.ne (call $error_get) (call $input_offset)) (then (return (i32.const 9))))
    (call $error_set (i64.const 0))
    (if (i64.ne (call $error_get) (i64.const 0)) (then (return (i32.const 8))))
    (call $output_set (call $input_offset) (call $input_length))
    (i32.const 0))
  (func (export "trap") (result i32) unreachable))
