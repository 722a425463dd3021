;; Counts the vowels of the input, which it reads byte by byte: {"count":3}
(module
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "aeiouAEIOU")
  (data (i32.const 16) "{\"count\":")

  (func $is_vowel (param $letter i32) (result i32)
    (local $at i32)
    (loop $next
      (if (i32.eq (i32.load8_u (local.get $at)) (local.get $letter)) (then (return (i32.const 1))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (i32.const 10))))
    (i32.const 0))

  ;; Writes the digits at 25 and behind, and returns where they end.
  (func $digits (param $value i32) (param $at i32) (result i32)
    (if (i32.ge_u (local.get $value) (i32.const 10))
      (then (local.set $at (call $digits (i32.div_u (local.get $value) (i32.const 10)) (local.get $at)))))
    (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $value) (i32.const 10))))
    (i32.add (local.get $at) (i32.const 1)))

  (func (export "count_vowels") (result i32)
    (local $from i64) (local $to i64) (local $count i32) (local $end i32) (local $at i32) (local $block i64)
    (local.set $to (call $input_length))
    (block $done
      (loop $next
        (br_if $done (i64.ge_u (local.get $from) (local.get $to)))
        (local.set $count (i32.add (local.get $count) (call $is_vowel (call $input_load_u8 (local.get $from)))))
        (local.set $from (i64.add (local.get $from) (i64.const 1)))
        (br $next)))
    (local.set $end (call $digits (local.get $count) (i32.const 25)))
    (i32.store8 (local.get $end) (i32.const 125))
    (local.set $end (i32.sub (local.get $end) (i32.const 15)))
    (local.set $block (call $alloc (i64.extend_i32_u (local.get $end))))
    (loop $next
      (call $store_u8
        (i64.add (local.get $block) (i64.extend_i32_u (local.get $at)))
        (i32.load8_u (i32.add (local.get $at) (i32.const 16))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (local.get $end))))
    (call $output_set (local.get $block) (i64.extend_i32_u (local.get $end)))
    (i32.const 0)))
