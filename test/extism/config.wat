;; The output is the configuration's value whose key is the input; with a key that there is not, it fails with 2 and no error.
(module
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "config_get" (func $config_get (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (memory (export "memory") 1)
  (func (export "get") (result i32)
    (local $value i64)
    (local.set $value (call $config_get (call $input_offset)))
    (if (i64.eqz (local.get $value)) (then (return (i32.const 2))))
    (call $output_set (local.get $value) (call $length (local.get $value)))
    (i32.const 0)))
