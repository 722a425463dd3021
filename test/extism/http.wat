;; The input is a request in JSON, a line feed and the body; without a line feed there is none. "request" answers with the body, "status" with the status as three digits,
;; "headers" with the headers in JSON.
(module
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "length_unsafe" (func $length_unsafe (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "http_request" (func $http_request (param i64 i64) (result i64)))
  (import "extism:host/env" "http_status_code" (func $http_status_code (result i32)))
  (import "extism:host/env" "http_headers" (func $http_headers (result i64)))
  (memory (export "memory") 1)

  ;; A block with that part of the input; 0 when it is empty.
  (func $part (param $from i64) (param $to i64) (result i64)
    (local $block i64) (local $at i64)
    (if (i64.ge_u (local.get $from) (local.get $to)) (then (return (i64.const 0))))
    (local.set $block (call $alloc (i64.sub (local.get $to) (local.get $from))))
    (local.set $at (local.get $block))
    (loop $next
      (call $store_u8 (local.get $at) (call $input_load_u8 (local.get $from)))
      (local.set $at (i64.add (local.get $at) (i64.const 1)))
      (br_if $next (i64.lt_u (local.tee $from (i64.add (local.get $from) (i64.const 1))) (local.get $to))))
    (local.get $block))

  (func $send (result i64)
    (local $end i64)
    (block $found
      (loop $next
        (br_if $found (i64.ge_u (local.get $end) (call $input_length)))
        (br_if $found (i32.eq (call $input_load_u8 (local.get $end)) (i32.const 10)))
        (local.set $end (i64.add (local.get $end) (i64.const 1)))
        (br $next)))
    (call $http_request
      (call $part (i64.const 0) (local.get $end))
      (call $part (i64.add (local.get $end) (i64.const 1)) (call $input_length))))

  (func $answer (param $block i64)
    (call $output_set (local.get $block) (call $length_unsafe (local.get $block))))

  (func (export "request") (result i32)
    (call $answer (call $send))
    (i32.const 0))

  (func (export "status") (result i32)
    (local $block i64) (local $status i32)
    (drop (call $send))
    (local.set $status (call $http_status_code))
    (local.set $block (call $alloc (i64.const 3)))
    (call $store_u8 (local.get $block)
      (i32.add (i32.const 48) (i32.div_u (local.get $status) (i32.const 100))))
    (call $store_u8 (i64.add (local.get $block) (i64.const 1))
      (i32.add (i32.const 48) (i32.rem_u (i32.div_u (local.get $status) (i32.const 10)) (i32.const 10))))
    (call $store_u8 (i64.add (local.get $block) (i64.const 2))
      (i32.add (i32.const 48) (i32.rem_u (local.get $status) (i32.const 10))))
    (call $answer (local.get $block))
    (i32.const 0))

  (func (export "headers") (result i32)
    (drop (call $send))
    (call $answer (call $http_headers))
    (i32.const 0)))
