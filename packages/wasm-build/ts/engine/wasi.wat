;; What QuickJS's C library wants of WASI, from what the embedded ABI has: clocks and random bytes, and a log for what is printed. There are no files.
(module
  (import "anyplug" "clock" (func $clock (param i32) (result f64)))
  (import "anyplug" "random" (func $random (param i32 i32)))
  (import "anyplug" "log" (func $log (param i32 i32 i32)))
  (import "quickjs" "memory" (memory 0))

  ;; Clock 0 is that of the calendar, 1 only goes forward; the ABI has them the other way round. Nanoseconds.
  (func (export "clock_time_get") (param $id i32) (param $precision i64) (param $result i32) (result i32)
    (i64.store (local.get $result)
      (i64.trunc_sat_f64_u (f64.mul (call $clock (i32.eqz (local.get $id))) (f64.const 1e6))))
    (i32.const 0))

  (func (export "random_get") (param $ptr i32) (param $len i32) (result i32)
    (call $random (local.get $ptr) (local.get $len))
    (i32.const 0))

  ;; What the engine prints is about itself.
  (func (export "fd_write") (param $fd i32) (param $pieces i32) (param $count i32) (param $written i32) (result i32)
    (local $sum i32)
    (loop $next
      (if (local.get $count)
        (then
          (call $log (i32.const 4) (i32.load (local.get $pieces)) (i32.load offset=4 (local.get $pieces)))
          (local.set $sum (i32.add (local.get $sum) (i32.load offset=4 (local.get $pieces))))
          (local.set $pieces (i32.add (local.get $pieces) (i32.const 8)))
          (local.set $count (i32.sub (local.get $count) (i32.const 1)))
          (br $next))))
    (i32.store (local.get $written) (local.get $sum))
    (i32.const 0))

  ;; 8: there is no such descriptor.
  (func (export "fd_close") (param i32) (result i32) (i32.const 8))
  (func (export "fd_fdstat_get") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_seek") (param i32 i64 i32 i32) (result i32) (i32.const 8))
)
