;; What nothing that copies its bytes in and out can be faster than: the host writes them at a place that it was given, and they are the answer.
(module
  (memory (export "memory") 33)
  (global $from (mut i32) (i32.const 0))
  (func (export "alloc") (param $size i32) (result i32) (i32.const 65536))
  (func (export "echo") (param $from i32) (param $size i32) (result i32)
    (global.set $from (local.get $from))
    (local.get $size))
  (func (export "from") (result i32) (global.get $from)))
