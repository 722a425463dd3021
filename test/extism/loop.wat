;; What does not end by itself.
(module
  (memory (export "memory") 1)
  (func (export "forever") (result i32) (loop $more (br $more)) (i32.const 0))
  (func $deep (export "deep") (result i32) (i32.add (call $deep) (i32.const 1)))
  (func (export "grow") (result i32)
    (loop $more (br_if $more (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0))))
    unreachable)
  (func (export "nothing") (result i32) (i32.const 0)))
