// A plugin in Go, by anyplug.h and docs/protocol.md alone: of anyplug.test.v1.TestService it serves one method of each kind, Echo, Count, Sum and
// Converse. Each stream has a goroutine of its own, and another one sends.
package main

/*
#include <stdlib.h>
#include <string.h>
#include "anyplug.h"
void send_to(const anyplug_host *host, const uint8_t *data, size_t length);
*/
import "C"

import (
	"encoding/binary"
	"runtime/cgo"
	"sync"
	"unsafe"
)

// Kinds of frames, their flags, and methods by their index; the first is GetDescriptors.
const (
	hello, request, message, end, cancel, credit, ping, pong = 1, 2, 3, 4, 5, 6, 7, 8
	flagEnd, flagHeader                                      = 1, 2
	echo, count, sum, converse                               = 1, 3, 4, 5
	magic                                                    = "anyplug\n"
	missing                                                  = "\x08\x0c\x12\x20this plugin lacks such a method."
)

// A stream that is open. What is in it belongs to the lock of its instance.
type call struct {
	id       uint32
	credit   int64
	incoming [][]byte
	hasAll   bool // the caller has sent its last
	isOver   bool // nobody waits for it any more
}

type instance struct {
	host    *C.anyplug_host
	lock    sync.Mutex
	changed *sync.Cond
	heard   []byte
	isOpen  bool // the host's hello has come
	output  []byte
	window  int64
	calls   map[uint32]*call
	isOver  bool
	running sync.WaitGroup
}

func main() {}

// --- the ABI --------------------------------------------------------------------------------------

//export goOpen
func goOpen(host *C.anyplug_host) C.uintptr_t {
	self := &instance{host: host, calls: map[uint32]*call{}}
	self.changed = sync.NewCond(&self.lock)
	self.run(self.send)
	return C.uintptr_t(cgo.NewHandle(self))
}

//export goReceive
func goReceive(handle C.uintptr_t, data *C.uint8_t, length C.size_t) {
	self := cgo.Handle(handle).Value().(*instance)
	self.lock.Lock()
	defer self.lock.Unlock()
	self.heard = append(self.heard, unsafe.Slice((*byte)(data), length)...)
	if !self.isOpen && len(self.heard) >= len(magic) {
		self.isOpen, self.heard = true, self.heard[len(magic):]
	}
	for self.isOpen && len(self.heard) >= 12 {
		size := 12 + int(binary.LittleEndian.Uint32(self.heard))
		if len(self.heard) < size {
			break
		}
		self.frame(self.heard[:12], self.heard[12:size:size])
		self.heard = self.heard[size:]
	}
	self.changed.Broadcast()
}

//export goCall
func goCall(handle C.uintptr_t, id, method C.uint32_t, data *C.uint8_t, length C.size_t, result *C.anyplug_result) C.int32_t {
	self := cgo.Handle(handle).Value().(*instance)
	payload := unsafe.Slice((*byte)(data), length)
	if method&0xffff != echo {
		self.lock.Lock()
		defer self.lock.Unlock()
		self.begin(uint32(id), int(method&0xffff), int(method>>16)|flagEnd, append([]byte{}, payload...))
		return C.ANYPLUG_PENDING
	}
	payload = withoutHeader(payload, int(method>>16))
	result.owner = nil
	if C.size_t(len(payload)) > result.length {
		result.owner = C.malloc(C.size_t(len(payload)))
		result.data = (*C.uint8_t)(result.owner)
	}
	result.length = C.size_t(len(payload))
	copy(unsafe.Slice((*byte)(result.data), len(payload)), payload)
	return C.ANYPLUG_DONE
}

//export goClose
func goClose(handle C.uintptr_t) C.int32_t {
	self := cgo.Handle(handle).Value().(*instance)
	self.lock.Lock()
	self.isOver = true
	for _, one := range self.calls {
		one.isOver = true
	}
	self.changed.Broadcast()
	self.lock.Unlock()
	self.running.Wait()
	cgo.Handle(handle).Delete()
	return 1 // Go's own threads go on, so the library has to stay
}

// --- the protocol ---------------------------------------------------------------------------------

func (self *instance) run(what func()) {
	self.running.Add(1)
	go func() {
		defer self.running.Done()
		what()
	}()
}

// Sends what there is. No lock is held meanwhile: the host may wait there for the thread that is in goReceive.
func (self *instance) send() {
	self.lock.Lock()
	defer self.lock.Unlock()
	for !self.isOver {
		if len(self.output) == 0 {
			self.changed.Wait()
			continue
		}
		bytes := self.output
		self.output = nil
		self.lock.Unlock()
		C.send_to(self.host, (*C.uint8_t)(unsafe.Pointer(&bytes[0])), C.size_t(len(bytes)))
		self.lock.Lock()
	}
}

func (self *instance) write(kind, flags byte, id uint32, payload []byte) {
	self.output = binary.LittleEndian.AppendUint32(self.output, uint32(len(payload)))
	self.output = append(self.output, kind, flags, 0, 0)
	self.output = binary.LittleEndian.AppendUint32(self.output, id)
	self.output = append(self.output, payload...)
	self.changed.Broadcast()
}

func (self *instance) frame(head, payload []byte) {
	id, flags := binary.LittleEndian.Uint32(head[8:]), int(head[5])
	one := self.calls[id]
	switch kind := head[4]; {
	case kind == hello:
		_, limits := find(payload, 6)
		if initial, _ := find(limits, 3); initial > 0 {
			self.window = int64(initial)
		} else {
			self.window = 65536
		}
		self.output = append(self.output, magic...)
		self.write(hello, 0, 0, helloOf(limits))
	case kind == ping:
		self.write(pong, 0, 0, payload)
	case kind == request:
		self.begin(id, int(binary.LittleEndian.Uint16(head[6:])), flags, append([]byte{}, payload...))
	case one == nil:
	case kind == credit:
		more, _ := find(payload, 1)
		one.credit += int64(more)
	case kind == message:
		one.incoming = append(one.incoming, append([]byte{}, payload...))
		one.hasAll = flags&flagEnd != 0
	case kind == end:
		one.hasAll = true
	case kind == cancel:
		one.isOver = true
		delete(self.calls, id)
	}
}

// The Hello, with the host's limits for this side's. The fingerprint is as protoc-gen-anyplug computed it.
func helloOf(limits []byte) []byte {
	service := text(text(nil, 1, "anyplug.test.v1.TestService"), 2, "c40bf496192b17538e29d7a99d251dbc")
	for _, name := range []string{"Echo", "Fail", "Count", "Sum", "Converse", "Wait", "WaitReport", "AskHost", "Harm"} {
		service = text(service, 3, name)
	}
	reflection := text(text(nil, 1, "anyplug.reflection.v1.ReflectionService"), 3, "GetDescriptors")
	identity := text(text(text(number(number(nil, 1, 1), 2, 1), 3, "test-plugin"), 4, "0.1.0"), 5, "go")
	return text(text(text(identity, 6, string(limits)), 7, string(reflection)), 7, string(service))
}

// --- the service ----------------------------------------------------------------------------------

func (self *instance) begin(id uint32, method, flags int, payload []byte) {
	payload = withoutHeader(payload, flags)
	one := &call{id: id, credit: self.window, hasAll: flags&flagEnd != 0}
	methods := map[int]func(*call, []byte){count: self.count, sum: self.sum, converse: self.converse}
	if method == echo {
		self.write(message, flagEnd, id, payload)
	} else if handler := methods[method]; handler == nil {
		self.write(end, 0, id, []byte(missing))
	} else {
		self.calls[id] = one
		self.run(func() {
			self.lock.Lock()
			defer self.lock.Unlock()
			handler(one, payload)
			delete(self.calls, id)
		})
	}
}

// Returns the next message of a call, and grants as much as it took; none when that was the last.
func (self *instance) next(one *call) ([]byte, bool) {
	for len(one.incoming) == 0 && !one.hasAll && !one.isOver {
		self.changed.Wait()
	}
	if len(one.incoming) == 0 || one.isOver {
		return nil, false
	}
	taken := one.incoming[0]
	one.incoming = one.incoming[1:]
	if !one.hasAll && len(taken) > 0 {
		self.write(credit, 0, one.id, number(nil, 1, uint64(len(taken))))
	}
	return taken, true
}

// Sends a message of a call when there is credit for it. False when nobody waits for it.
func (self *instance) put(one *call, payload []byte) bool {
	for one.credit <= 0 && !one.isOver {
		self.changed.Wait()
	}
	if one.isOver {
		return false
	}
	one.credit -= int64(len(payload))
	self.write(message, 0, one.id, payload)
	return true
}

func (self *instance) finish(one *call, kind, flags byte, payload []byte) {
	if !one.isOver {
		self.write(kind, flags, one.id, payload)
	}
}

func (self *instance) count(one *call, payload []byte) {
	total, _ := find(payload, 1)
	size, _ := find(payload, 2)
	for index := uint64(0); index < total; index++ {
		if !self.put(one, text(number(nil, 1, index), 2, string(make([]byte, size)))) {
			return
		}
	}
	self.finish(one, end, 0, nil)
}

func (self *instance) sum(one *call, _ []byte) {
	total, numbers := uint64(0), uint64(0)
	for taken, is := self.next(one); is; taken, is = self.next(one) {
		value, _ := find(taken, 1)
		total, numbers = total+value, numbers+1
	}
	self.finish(one, message, flagEnd, number(number(nil, 1, total), 2, numbers))
}

func (self *instance) converse(one *call, _ []byte) {
	for taken, is := self.next(one); is; taken, is = self.next(one) {
		if !self.put(one, taken) {
			return
		}
	}
	self.finish(one, end, 0, nil)
}

// --- messages -------------------------------------------------------------------------------------

func number(to []byte, field, value uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(to, field<<3), value)
}

func text(to []byte, field uint64, value string) []byte {
	return append(binary.AppendUvarint(binary.AppendUvarint(to, field<<3|2), uint64(len(value))), value...)
}

// The number in a field of a message, or its bytes.
func find(from []byte, field uint64) (uint64, []byte) {
	for len(from) > 0 {
		key, keyBytes := binary.Uvarint(from)
		if keyBytes <= 0 {
			break
		}
		value, valueBytes := binary.Uvarint(from[keyBytes:])
		if valueBytes <= 0 || key&7 != 0 && key&7 != 2 {
			break
		}
		from = from[keyBytes+valueBytes:]
		if key&7 == 0 && key>>3 == field {
			return value, nil
		}
		if key&7 == 2 {
			if value > uint64(len(from)) {
				break
			}
			if key>>3 == field {
				return value, from[:value]
			}
			from = from[value:]
		}
	}
	return 0, nil
}

// No metadata and no deadline is looked at here.
func withoutHeader(payload []byte, flags int) []byte {
	if flags&flagHeader == 0 {
		return payload
	}
	return payload[4+binary.LittleEndian.Uint32(payload):]
}
