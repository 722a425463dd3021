;; Variables: "set" stores the input under "value", "get" gives it back, "remove" forgets it, and "count" counts its calls in eight bytes under "calls".
(module
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "free" (func $free (param i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "load_u64" (func $load_u64 (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "var_get" (func $var_get (param i64) (result i64)))
  (import "extism:host/env" "var_set" (func $var_set (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "valuecalls")

  ;; A block with the five bytes at $at.
  (func $key (param $at i32) (result i64)
    (local $block i64) (local $index i32)
    (local.set $block (call $alloc (i64.const 5)))
    (loop $next
      (call $store_u8
        (i64.add (local.get $block) (i64.extend_i32_u (local.get $index)))
        (i32.load8_u (i32.add (local.get $at) (local.get $index))))
      (br_if $next (i32.lt_u (local.tee $index (i32.add (local.get $index) (i32.const 1))) (i32.const 5))))
    (local.get $block))

  (func (export "set") (result i32)
    (call $var_set (call $key (i32.const 0)) (call $input_offset))
    (i32.const 0))

  ;; 1 when there is none.
  (func (export "get") (result i32)
    (local $value i64)
    (local.set $value (call $var_get (call $key (i32.const 0))))
    (if (i64.eqz (local.get $value)) (then (return (i32.const 1))))
    (call $output_set (local.get $value) (call $length (local.get $value)))
    (i32.const 0))

  (func (export "remove") (result i32)
    (call $var_set (call $key (i32.const 0)) (i64.const 0))
    (i32.const 0))

  (func (export "count") (result i32)
    (local $key i64) (local $value i64) (local $count i64)
    (local.set $key (call $key (i32.const 5)))
    (local.set $value (call $var_get (local.get $key)))
    (if (i64.ne (local.get $value) (i64.const 0)) (then (local.set $count (call $load_u64 (local.get $value)))))
    (call $free (local.get $value))
    (local.set $value (call $alloc (i64.const 8)))
    (call $store_u64 (local.get $value) (i64.add (local.get $count) (i64.const 1)))
    (call $var_set (local.get $key) (local.get $value))
    (call $output_set (local.get $value) (i64.const 8))
    (i32.const 0)))
