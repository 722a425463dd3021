;; What stands between the embedded ABI (docs/embedded-abi.md) and QuickJS: the exports of the ABI, and what the engine
;; wants of its host. The engine's own names are those of QuickJS's C interface; a JSValue is an i64, whose upper half is
;; its tag: 0 an int, 2 null, 3 undefined, 6 an exception that was thrown, and from -9 on a pointer.
(module
  (import "anyplug" "send" (func $send (param i32 i32)))
  (import "anyplug" "clock" (func $clock (param i32) (result f64)))
  (import "anyplug" "random" (func $random (param i32 i32)))
  (import "anyplug" "log" (func $log (param i32 i32 i32)))
  (import "anyplug" "checkpoint" (func $checkpoint))

  (import "quickjs" "memory" (memory 0))
  (import "quickjs" "malloc" (func $malloc (param i32) (result i32)))
  (import "quickjs" "free" (func $free (param i32)))
  (import "quickjs" "qjs_get_context_ptr" (func $contextPtr (result i32)))
  (import "quickjs" "qjs_get_runtime_ptr" (func $runtimePtr (result i32)))
  (import "quickjs" "JS_Call" (func $JS_Call (param i32 i64 i64 i32 i32) (result i64)))
  (import "quickjs" "JS_DupValue" (func $JS_DupValue (param i32 i64) (result i64)))
  (import "quickjs" "JS_FreeValue" (func $JS_FreeValue (param i32 i64)))
  (import "quickjs" "JS_GetException" (func $JS_GetException (param i32) (result i64)))
  (import "quickjs" "JS_ExecutePendingJob" (func $JS_ExecutePendingJob (param i32 i32) (result i32)))
  (import "quickjs" "JS_NewStringLen" (func $JS_NewStringLen (param i32 i32 i32) (result i64)))
  (import "quickjs" "JS_ToCStringLen2" (func $JS_ToCStringLen2 (param i32 i32 i64 i32) (result i32)))
  (import "quickjs" "JS_FreeCString" (func $JS_FreeCString (param i32 i32)))
  (import "quickjs" "JS_ToFloat64" (func $JS_ToFloat64 (param i32 i32 i64) (result i32)))
  (import "quickjs" "JS_GetUint8Array" (func $JS_GetUint8Array (param i32 i32 i64) (result i32)))
  (import "quickjs" "JS_NewUint8Array" (func $JS_NewUint8Array (param i32 i32 i32 i32 i32 i32) (result i64)))
  (import "quickjs" "JS_NewUint8ArrayCopy" (func $JS_NewUint8ArrayCopy (param i32 i32 i32) (result i64)))
  (import "quickjs" "JS_GetTypedArrayBuffer" (func $JS_GetTypedArrayBuffer (param i32 i64 i32 i32 i32) (result i64)))
  (import "quickjs" "JS_DetachArrayBuffer" (func $JS_DetachArrayBuffer (param i32 i64)))

  ;; All of it is written into the module of a plugin as it is then, and so it is exported while one is made.
  (global $context (export "state_context") (mut i32) (i32.const 0))
  (global $runtime (export "state_runtime") (mut i32) (i32.const 0))
  ;; The exchange area; behind it room for what the engine returns (8 bytes at 24), and for arguments: 4 JSValues at 32, and at 64
  ;; those of `failed`, which is called while other functions run that still look at theirs.
  (global $area (export "state_area") (mut i32) (i32.const 0))
  ;; What the guest's program gave with `hooks`.
  (global $start (export "state_start") (mut i64) (i64.const 0x300000000))
  (global $recv (export "state_recv") (mut i64) (i64.const 0x300000000))
  (global $call (export "state_call") (mut i64) (i64.const 0x300000000))
  (global $answered (export "state_answered") (mut i64) (i64.const 0x300000000))
  (global $tick (export "state_tick") (mut i64) (i64.const 0x300000000))
  (global $failed (export "state_failed") (mut i64) (i64.const 0x300000000))
  (global $after (export "state_after") (mut i64) (i64.const 0x300000000))
  ;; The bytes that the last call was answered with.
  (global $result (export "state_result") (mut i64) (i64.const 0x300000000))
  (global $isStarted (export "state_isStarted") (mut i32) (i32.const 0))
  ;; Whether `after` has something to do once no job is left.
  (global $isDirty (export "state_isDirty") (mut i32) (i32.const 0))
  ;; When the next timer is due, by clock 0.
  (global $due (export "state_due") (mut f64) (f64.const inf))

  ;; --- the exports of the ABI -----------------------------------------------------------------------------

  (func (export "anyplug_abi") (result i32)
    (if (i32.eqz (global.get $isStarted))
      (then
        (global.set $isStarted (i32.const 1))
        (drop (call $run (global.get $start) (i32.const 0)))
        (call $settle)))
    (global.get $area))

  (func (export "anyplug_alloc") (param $len i32) (result i32)
    (if (i32.gt_u (local.get $len) (i32.const 0x7fffffff)) (then (return (i32.const 0))))
    (call $malloc (local.get $len)))

  (func (export "anyplug_free") (param $ptr i32) (param $len i32)
    (call $free (local.get $ptr)))

  (func (export "anyplug_recv") (param $ptr i32) (param $len i32)
    (local $bytes i64)
    (if (local.get $len)
      (then
        (local.set $bytes (call $borrow (local.get $ptr) (local.get $len)))
        (call $argument (i32.const 0) (local.get $bytes))
        (drop (call $run (global.get $recv) (i32.const 1)))
        (call $giveBack (local.get $bytes)))
      (else (call $ticks)))
    (call $settle))

  (func (export "anyplug_call") (param $id i32) (param $method i32) (param $ptr i32) (param $len i32) (result i32)
    (local $bytes i64)
    (local $result i32)
    (local.set $bytes (call $borrow (local.get $ptr) (local.get $len)))
    (call $argument (i32.const 0) (i64.extend_i32_u (local.get $id)))
    (call $argument (i32.const 1) (i64.extend_i32_u (local.get $method)))
    (call $argument (i32.const 2) (local.get $bytes))
    (drop (call $run (global.get $call) (i32.const 3)))
    (call $settle)
    (local.set $result (call $run (global.get $answered) (i32.const 0)))
    (call $giveBack (local.get $bytes))
    (local.get $result))

  ;; --- calls into the guest's program ---------------------------------------------------------------------

  (func $argument (param $index i32) (param $value i64)
    (i64.store offset=32
      (i32.add (global.get $area) (i32.shl (local.get $index) (i32.const 3)))
      (local.get $value)))

  ;; Calls a function of the program with the arguments that lie ready. Returns the int that it returned; ends the guest if it threw, because it is to handle what goes wrong.
  (func $run (param $function i64) (param $count i32) (result i32)
    (call $runWith (local.get $function) (local.get $count) (i32.const 32)))

  (func $runWith (param $function i64) (param $count i32) (param $at i32) (result i32)
    (local $value i64)
    (local.set $value
      (call $JS_Call (global.get $context) (local.get $function) (i64.const 0x300000000) (local.get $count)
        (i32.add (global.get $area) (local.get $at))))
    (if (i64.eq (local.get $value) (i64.const 0x600000000)) (then (call $die)))
    (if (i64.ne (i64.shr_u (local.get $value) (i64.const 32)) (i64.const 0)) (then (call $JS_FreeValue (global.get $context) (local.get $value))))
    (i32.wrap_i64 (local.get $value)))

  ;; Writes the exception to the log, and traps.
  (func $die
    (local $text i32)
    (local.set $text
      (call $JS_ToCStringLen2 (global.get $context) (i32.add (global.get $area) (i32.const 24))
        (call $JS_GetException (global.get $context)) (i32.const 0)))
    (if (local.get $text)
      (then (call $log (i32.const 5) (local.get $text) (i32.load offset=24 (global.get $area)))))
    (unreachable))

  ;; Bytes of the host as a Uint8Array, which is theirs until they are given back.
  (func $borrow (param $ptr i32) (param $len i32) (result i64)
    (call $JS_NewUint8Array (global.get $context) (local.get $ptr) (local.get $len) (i32.const 0) (i32.const 0) (i32.const 0)))

  (func $giveBack (param $bytes i64)
    (local $buffer i64)
    (local.set $buffer
      (call $JS_GetTypedArrayBuffer (global.get $context) (local.get $bytes) (i32.const 0) (i32.const 0) (i32.const 0)))
    (call $JS_DetachArrayBuffer (global.get $context) (local.get $buffer))
    (call $JS_FreeValue (global.get $context) (local.get $buffer))
    (call $JS_FreeValue (global.get $context) (local.get $bytes)))

  ;; Runs the timers that are due, each with the jobs that come of it.
  (func $ticks
    (loop $next
      (if (call $run (global.get $tick) (i32.const 0))
        (then
          (call $jobs)
          (br $next)))))

  ;; Runs jobs until there are none, and then says when the next timer is due.
  (func $settle
    (loop $again
      (call $jobs)
      (if (global.get $isDirty)
        (then
          (global.set $isDirty (i32.const 0))
          (drop (call $run (global.get $after) (i32.const 0)))
          (br $again))))
    (i32.store offset=20 (global.get $area) (call $wake)))

  (func $jobs
    (local $result i32)
    (loop $next
      (local.set $result
        (call $JS_ExecutePendingJob (global.get $runtime) (i32.add (global.get $area) (i32.const 24))))
      (if (i32.lt_s (local.get $result) (i32.const 0)) (then (call $jobFailed)))
      (br_if $next (local.get $result))))

  ;; A callback of queueMicrotask threw.
  (func $jobFailed
    (local $error i64)
    (local.set $error (call $JS_GetException (global.get $context)))
    (call $argument (i32.const 4) (local.get $error))
    (drop (call $runWith (global.get $failed) (i32.const 1) (i32.const 64)))
    (call $JS_FreeValue (global.get $context) (local.get $error)))

  (func $wake (result i32)
    (if (f64.eq (global.get $due) (f64.const inf)) (then (return (i32.const -1))))
    (i32.trunc_sat_f64_u
      (f64.min
        (f64.max (f64.ceil (f64.sub (global.get $due) (call $clock (i32.const 0)))) (f64.const 0))
        (f64.const 4294967294))))

  ;; --- what the engine wants of its host ------------------------------------------------------------------

  ;; The zone of dates is UTC.
  (func (export "host_get_timezone_offset") (param i32 i32) (result i32) (i32.const 0))

  (func (export "host_interrupt") (result i32)
    (call $checkpoint)
    (i32.const 0))

  (func (export "host_module_normalize") (param i32 i32) (result i32) (i32.const 0))
  (func (export "host_module_load") (param i32 i32) (result i32) (i32.const 0))

  ;; A promise was rejected, and nobody waits for it; or somebody does after all.
  (func (export "host_promise_rejection") (param $promise i32) (param $reason i32) (param $isHandled i32)
    ;; Before there are hooks, who builds the module looks at what came of its evaluation.
    (if (i64.ne (global.get $failed) (i64.const 0x300000000))
      (then
        (call $argument (i32.const 4) (i64.load (local.get $reason)))
        (call $argument (i32.const 5) (i64.load (local.get $promise)))
        (call $argument (i32.const 6) (i64.extend_i32_u (local.get $isHandled)))
        (drop (call $runWith (global.get $failed) (i32.const 3) (i32.const 64)))
        (global.set $isDirty (i32.const 1))))
    (call $dropBox (local.get $promise))
    (call $dropBox (local.get $reason)))

  (func $dropBox (param $box i32)
    (call $JS_FreeValue (global.get $context) (i64.load (local.get $box)))
    (call $free (local.get $box)))

  ;; A function that the program sees, by the first letter of its name. Returns a box of the engine with the result; 0 when it threw.
  (func (export "host_call") (param $name i32) (param $len i32) (param $this i32) (param $count i32) (param $arguments i32) (result i32)
    (local $letter i32)
    (local $value i64)
    (local $box i32)
    (local.set $letter (i32.load8_u (local.get $name)))
    (local.set $value (i64.const 0x300000000))
    (block $done
      (if (i32.eq (local.get $letter) (i32.const 115)) ;; send(bytes)
        (then
          (call $send (call $pointer (local.get $arguments)) (i32.load offset=24 (global.get $area)))
          (br $done)))
      (if (i32.eq (local.get $letter) (i32.const 97)) ;; answer(bytes): they are kept until the next ones
        (then
          (call $JS_FreeValue (global.get $context) (global.get $result))
          (global.set $result (call $kept (local.get $arguments) (i32.const 0)))
          (i32.store offset=12 (global.get $area) (call $pointer (local.get $arguments)))
          (i32.store offset=16 (global.get $area) (i32.load offset=24 (global.get $area)))
          (br $done)))
      (if (i32.eq (local.get $letter) (i32.const 101)) ;; encode(text)
        (then
          (local.set $value (call $encode (call $at (local.get $arguments) (i32.const 0))))
          (br $done)))
      (if (i32.eq (local.get $letter) (i32.const 100)) ;; decode(bytes): null if they are no UTF-8
        (then
          (local.set $value (call $decode (call $pointer (local.get $arguments)) (i32.load offset=24 (global.get $area))))
          (br $done)))
      (if (i32.eq (local.get $letter) (i32.const 119)) ;; wake(due)
        (then
          (global.set $due (call $number (local.get $arguments) (i32.const 0)))
          (br $done)))
      (if (i32.eq (local.get $letter) (i32.const 114)) ;; random(bytes)
        (then
          (call $random (call $pointer (local.get $arguments)) (i32.load offset=24 (global.get $area)))
          (br $done)))
      (if (i32.eq (local.get $letter) (i32.const 108)) ;; log(bytes, level)
        (then
          (call $log
            (i32.trunc_sat_f64_u (call $number (local.get $arguments) (i32.const 1)))
            (call $pointer (local.get $arguments))
            (i32.load offset=24 (global.get $area)))
          (br $done)))
      (if (i32.eq (local.get $letter) (i32.const 104)) ;; hooks(start, recv, call, answered, tick, failed, after)
        (then (call $hooks (local.get $arguments)))))
    (if (i64.eq (local.get $value) (i64.const 0x600000000)) (then (return (i32.const 0))))
    (local.set $box (call $malloc (i32.const 8)))
    (if (i32.eqz (local.get $box)) (then (unreachable)))
    (i64.store (local.get $box) (local.get $value))
    (local.get $box))

  (func $at (param $arguments i32) (param $index i32) (result i64)
    (i64.load (i32.load (i32.add (local.get $arguments) (i32.shl (local.get $index) (i32.const 2))))))

  ;; Where the first argument, a Uint8Array, lies; its length is left at 24 of the exchange area.
  (func $pointer (param $arguments i32) (result i32)
    (call $JS_GetUint8Array (global.get $context) (i32.add (global.get $area) (i32.const 24))
      (call $at (local.get $arguments) (i32.const 0))))

  (func $number (param $arguments i32) (param $index i32) (result f64)
    (drop
      (call $JS_ToFloat64 (global.get $context) (i32.add (global.get $area) (i32.const 24))
        (call $at (local.get $arguments) (local.get $index))))
    (f64.load offset=24 (global.get $area)))

  (func $encode (param $text i64) (result i64)
    (local $bytes i32)
    (local $value i64)
    (local.set $bytes
      (call $JS_ToCStringLen2 (global.get $context) (i32.add (global.get $area) (i32.const 24)) (local.get $text) (i32.const 0)))
    (if (i32.eqz (local.get $bytes)) (then (return (i64.const 0x600000000))))
    (local.set $value
      (call $JS_NewUint8ArrayCopy (global.get $context) (local.get $bytes) (i32.load offset=24 (global.get $area))))
    (call $JS_FreeCString (global.get $context) (local.get $bytes))
    (local.get $value))

  (func $decode (param $ptr i32) (param $len i32) (result i64)
    (if (i32.eqz (call $isUtf8 (local.get $ptr) (i32.add (local.get $ptr) (local.get $len))))
      (then (return (i64.const 0x200000000))))
    (call $JS_NewStringLen (global.get $context) (local.get $ptr) (local.get $len)))

  (func $isUtf8 (param $at i32) (param $end i32) (result i32)
    (local $byte i32)
    (local $more i32)
    (local $low i32)
    (local $high i32)
    (loop $next
      ;; Most text is ASCII: eight bytes at once.
      (if (i32.le_u (i32.add (local.get $at) (i32.const 8)) (local.get $end))
        (then
          (if (i64.eqz (i64.and (i64.load align=1 (local.get $at)) (i64.const 0x8080808080808080)))
            (then
              (local.set $at (i32.add (local.get $at) (i32.const 8)))
              (br $next)))))
      (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const 1))))
      (local.set $byte (i32.load8_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $byte) (i32.const 0x80)))
      ;; The first byte says how many follow, and within which bounds the second lies (Unicode, table 3-7).
      (local.set $low (i32.const 0x80))
      (local.set $high (i32.const 0xbf))
      (if (i32.lt_u (local.get $byte) (i32.const 0xc2)) (then (return (i32.const 0))))
      (if (i32.lt_u (local.get $byte) (i32.const 0xe0))
        (then (local.set $more (i32.const 1)))
        (else
          (if (i32.lt_u (local.get $byte) (i32.const 0xf0))
            (then
              (local.set $more (i32.const 2))
              (if (i32.eq (local.get $byte) (i32.const 0xe0)) (then (local.set $low (i32.const 0xa0))))
              (if (i32.eq (local.get $byte) (i32.const 0xed)) (then (local.set $high (i32.const 0x9f)))))
            (else
              (if (i32.gt_u (local.get $byte) (i32.const 0xf4)) (then (return (i32.const 0))))
              (local.set $more (i32.const 3))
              (if (i32.eq (local.get $byte) (i32.const 0xf0)) (then (local.set $low (i32.const 0x90))))
              (if (i32.eq (local.get $byte) (i32.const 0xf4)) (then (local.set $high (i32.const 0x8f))))))))
      (loop $follow
        (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const 0))))
        (local.set $byte (i32.load8_u (local.get $at)))
        (if (i32.lt_u (local.get $byte) (local.get $low)) (then (return (i32.const 0))))
        (if (i32.gt_u (local.get $byte) (local.get $high)) (then (return (i32.const 0))))
        (local.set $low (i32.const 0x80))
        (local.set $high (i32.const 0xbf))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $more (i32.sub (local.get $more) (i32.const 1)))
        (br_if $follow (local.get $more)))
      (br $next))
    (unreachable))

  ;; --- while the module is made ---------------------------------------------------------------------------

  ;; The program gives the functions that are called.
  (func $hooks (param $arguments i32)
    (global.set $start (call $kept (local.get $arguments) (i32.const 0)))
    (global.set $recv (call $kept (local.get $arguments) (i32.const 1)))
    (global.set $call (call $kept (local.get $arguments) (i32.const 2)))
    (global.set $answered (call $kept (local.get $arguments) (i32.const 3)))
    (global.set $tick (call $kept (local.get $arguments) (i32.const 4)))
    (global.set $failed (call $kept (local.get $arguments) (i32.const 5)))
    (global.set $after (call $kept (local.get $arguments) (i32.const 6))))

  (func $kept (param $arguments i32) (param $index i32) (result i64)
    (call $JS_DupValue (global.get $context) (call $at (local.get $arguments) (local.get $index))))

  ;; Makes the exchange area and the scratch buffer, once the engine has a context. Returns the area.
  (func (export "boot_area") (param $scratchBytes i32) (result i32)
    (global.set $context (call $contextPtr))
    (global.set $runtime (call $runtimePtr))
    (global.set $area (call $malloc (i32.const 96)))
    (i32.store (global.get $area) (i32.const 1))
    (i32.store offset=4 (global.get $area)
      (call $malloc (local.get $scratchBytes)))
    (i32.store offset=8 (global.get $area) (local.get $scratchBytes))
    (i32.store offset=12 (global.get $area) (i32.const 0))
    (i32.store offset=16 (global.get $area) (i32.const 0))
    (i32.store offset=20 (global.get $area) (i32.const -1))
    (global.get $area))

  ;; Runs jobs until there are none. Returns whether the program has given its hooks.
  (func (export "boot_settle") (result i32)
    (call $settle)
    (i64.ne (global.get $start) (i64.const 0x300000000)))
)
