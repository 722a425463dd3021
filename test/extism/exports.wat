;; Functions of other types are not the host's to call. "_initialize" is called before all else: without it, "first" traps.
(module
  (memory (export "memory") 1)
  (global $ready (mut i32) (i32.const 0))
  (func (export "_initialize") (global.set $ready (i32.const 1)))
  (func (export "first") (result i32)
    (if (i32.eqz (global.get $ready)) (then unreachable))
    (i32.const 0))
  (func (export "second") (result i32) (i32.const 0))
  (func (export "no_result"))
  (func (export "takes_one") (param i32) (result i32) (i32.const 0))
  (func (export "long") (result i64) (i64.const 0))
  (global (export "number") i32 (i32.const 7)))
