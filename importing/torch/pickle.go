package torch

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
)

// dict is a Python dict, in its order.
type dict struct{ items []item }

type item struct{ key, value any }

func (d *dict) get(name string) any {
	for _, i := range d.items {
		if i.key == name {
			return i.value
		}
	}
	return nil
}

// global names what a pickle asks for; callable ones are rebuilt here, not called.
type global struct{ module, name string }

// storage is a persistent id: values that stand elsewhere in the archive.
type storage struct {
	kind Type
	key  string
}

// rebuilt is a tensor before its values are there.
type rebuilt struct {
	storage
	offset         int64
	shape, strides []int64
}

// mark is where a list of arguments begins on the stack.
type mark struct{}

// unpickler interprets the opcodes that PyTorch's state dicts are made of (Python,
// Lib/pickletools.py), protocols 2 to 4.
type unpickler struct {
	b     []byte
	stack []any
	memo  map[uint64]any
}

// maxStack bounds what is on the stack and remembered.
const maxStack = 1 << 20

// unpickle returns the object that a pickle describes.
func unpickle(b []byte) (any, error) {
	u := &unpickler{b: b, memo: map[uint64]any{}}
	for {
		done, err := u.step()
		if err != nil {
			return nil, err
		}
		if done {
			return u.pop()
		}
		if len(u.stack) > maxStack || len(u.memo) > maxStack {
			return nil, fmt.Errorf("has more than %d objects", maxStack)
		}
	}
}

func (u *unpickler) take(n uint64) ([]byte, error) {
	if n > uint64(len(u.b)) {
		return nil, fmt.Errorf("ends early")
	}
	taken := u.b[:n]
	u.b = u.b[n:]
	return taken, nil
}

// uint takes a little-endian number.
func (u *unpickler) uint(n int) (uint64, error) {
	b, err := u.take(uint64(n))
	if err != nil {
		return 0, err
	}
	return little(b, n), nil
}

// line takes a text that ends with a line.
func (u *unpickler) line() (string, error) {
	for i, c := range u.b {
		if c == '\n' {
			text := string(u.b[:i])
			u.b = u.b[i+1:]
			return text, nil
		}
	}
	return "", fmt.Errorf("ends early")
}

func (u *unpickler) push(v any) { u.stack = append(u.stack, v) }

func (u *unpickler) pop() (any, error) {
	if len(u.stack) == 0 {
		return nil, fmt.Errorf("takes from an empty stack")
	}
	v := u.stack[len(u.stack)-1]
	u.stack = u.stack[:len(u.stack)-1]
	return v, nil
}

// toMark pops all above the last mark.
func (u *unpickler) toMark() ([]any, error) {
	for i := len(u.stack) - 1; i >= 0; i-- {
		if _, ok := u.stack[i].(mark); ok {
			list := append([]any(nil), u.stack[i+1:]...)
			u.stack = u.stack[:i]
			return list, nil
		}
	}
	return nil, fmt.Errorf("has no mark where one is needed")
}

// tuple pushes the last n objects as one.
func (u *unpickler) tuple(n int) error {
	if len(u.stack) < n {
		return fmt.Errorf("takes from an empty stack")
	}
	list := append([]any(nil), u.stack[len(u.stack)-n:]...)
	u.stack = append(u.stack[:len(u.stack)-n], list)
	return nil
}

// text pushes a string behind its length of so many bytes.
func (u *unpickler) text(length int) error {
	n, err := u.uint(length)
	if err != nil {
		return err
	}
	b, err := u.take(n)
	u.push(string(b))
	return err
}

// step executes an opcode, and tells whether it was the last.
func (u *unpickler) step() (done bool, err error) {
	op, err := u.uint(1)
	if err != nil {
		return false, err
	}
	switch op {
	case 0x80: // PROTO
		_, err = u.take(1)
	case 0x95: // FRAME
		_, err = u.take(8)
	case '.': // STOP
		return true, nil
	case '(':
		u.push(mark{})
	case '}': // EMPTY_DICT
		u.push(&dict{})
	case ']', ')': // EMPTY_LIST, EMPTY_TUPLE
		u.push([]any(nil))
	case 'N':
		u.push(nil)
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		u.push(op == 0x88)
	case 'K', 'M', 'J', 0x8a, 'G', 'I', 'L', 'F':
		err = u.number(op)
	case 'X': // BINUNICODE
		err = u.text(4)
	case 0x8c: // SHORT_BINUNICODE
		err = u.text(1)
	case 'U': // SHORT_BINSTRING
		err = u.text(1)
	case 0x85, 0x86, 0x87: // TUPLE1 to TUPLE3
		err = u.tuple(int(op - 0x84))
	case 't', 'l': // TUPLE, LIST
		var list []any
		list, err = u.toMark()
		u.push(list)
	case '0': // POP
		_, err = u.pop()
	case 'q', 'r', 0x94: // BINPUT, LONG_BINPUT, MEMOIZE
		err = u.remember(op)
	case 'h', 'j': // BINGET, LONG_BINGET
		err = u.recall(op)
	case 's', 'u', 'a', 'e': // SETITEM, SETITEMS, APPEND, APPENDS
		err = u.fill(op)
	case 'c', 0x93: // GLOBAL, STACK_GLOBAL
		err = u.global(op)
	case 'Q': // BINPERSID
		err = u.persistent()
	case 'R': // REDUCE
		err = u.reduce()
	case 'b': // BUILD: attributes, which a dict has none of that matter here
		_, err = u.pop()
	default:
		err = fmt.Errorf("has opcode %#02x, which state dicts do not need", op)
	}
	return false, err
}

// number pushes a number.
func (u *unpickler) number(op uint64) error {
	width := map[uint64]int{'K': 1, 'M': 2, 'J': 4, 'G': 8}[op]
	switch op {
	case 'I', 'L', 'F':
		text, err := u.line()
		v, _ := strconv.ParseInt(text, 10, 64)
		u.push(v)
		return err
	case 0x8a: // LONG1
		n, err := u.uint(1)
		if err != nil {
			return err
		}
		b, err := u.take(n)
		if err != nil || n > 8 {
			u.push(int64(math.MaxInt64)) // no extent is as large
			return err
		}
		v := little(b, len(b))
		if unused := 64 - 8*len(b); len(b) > 0 {
			v = uint64(int64(v<<unused) >> unused)
		}
		u.push(int64(v))
		return nil
	}
	v, err := u.uint(width)
	switch op {
	case 'J':
		u.push(int64(int32(v)))
	case 'G':
		u.push(math.Float64frombits(binary.BigEndian.Uint64(binary.LittleEndian.AppendUint64(nil, v))))
	default:
		u.push(int64(v))
	}
	return err
}

func (u *unpickler) remember(op uint64) error {
	if len(u.stack) == 0 {
		return fmt.Errorf("takes from an empty stack")
	}
	key, err := uint64(len(u.memo)), error(nil)
	switch op {
	case 'q':
		key, err = u.uint(1)
	case 'r':
		key, err = u.uint(4)
	}
	u.memo[key] = u.stack[len(u.stack)-1]
	return err
}

func (u *unpickler) recall(op uint64) error {
	width := 1
	if op == 'j' {
		width = 4
	}
	key, err := u.uint(width)
	v, ok := u.memo[key]
	if err == nil && !ok {
		err = fmt.Errorf("recalls what it did not remember")
	}
	u.push(v)
	return err
}

// fill puts what was pushed into the dict or list below it.
func (u *unpickler) fill(op uint64) (err error) {
	var list []any
	switch op {
	case 's':
		if err = u.tuple(2); err != nil {
			return err
		}
		v, _ := u.pop()
		list = v.([]any)
	case 'u', 'e':
		if list, err = u.toMark(); err != nil {
			return err
		}
	case 'a':
		v, err := u.pop()
		if err != nil {
			return err
		}
		list = []any{v}
	}
	if len(u.stack) == 0 {
		return fmt.Errorf("takes from an empty stack")
	}
	top := &u.stack[len(u.stack)-1]
	switch to := (*top).(type) {
	case *dict:
		if len(list)%2 != 0 {
			return fmt.Errorf("has a key without a value")
		}
		for i := 0; i < len(list); i += 2 {
			to.items = append(to.items, item{list[i], list[i+1]})
		}
	case []any:
		*top = append(to, list...)
	default:
		return fmt.Errorf("puts items into what has none")
	}
	return nil
}

// known are the names that a state dict asks for, besides storages.
var known = map[global]bool{
	{"collections", "OrderedDict"}:         true,
	{"torch._utils", "_rebuild_tensor_v2"}: true,
	{"torch._utils", "_rebuild_parameter"}: true,
}

// global pushes a name. Those that are none of a state dict's would be called.
func (u *unpickler) global(op uint64) error {
	var g global
	if op == 'c' {
		var err error
		if g.module, err = u.line(); err != nil {
			return err
		}
		if g.name, err = u.line(); err != nil {
			return err
		}
	} else {
		if err := u.tuple(2); err != nil {
			return err
		}
		v, _ := u.pop()
		pair := v.([]any)
		g.module, _ = pair[0].(string)
		g.name, _ = pair[1].(string)
	}
	_, isStorage := storages[g.name]
	if !known[g] && !(g.module == "torch" && isStorage) {
		return fmt.Errorf("asks for %.80q of %.80q, which would run code: it is not read; save tensors alone, torch.save(model.state_dict(), FILE)", g.name, g.module)
	}
	u.push(g)
	return nil
}

// persistent pushes the storage that a tuple names: "storage", its class, its key,
// where it was, its size.
func (u *unpickler) persistent() error {
	v, err := u.pop()
	if err != nil {
		return err
	}
	id, _ := v.([]any)
	if len(id) < 3 || id[0] != "storage" {
		return fmt.Errorf("refers to what is no storage")
	}
	class, _ := id[1].(global)
	key, ok := id[2].(string)
	kind, isStorage := storages[class.name]
	if !ok || !isStorage {
		return fmt.Errorf("has a storage without a type or a name")
	}
	u.push(storage{kind, key})
	return nil
}

// reduce rebuilds what a function would make of its arguments.
func (u *unpickler) reduce() error {
	v, err := u.pop()
	if err != nil {
		return err
	}
	arguments, _ := v.([]any)
	if v, err = u.pop(); err != nil {
		return err
	}
	switch v {
	case global{"collections", "OrderedDict"}:
		u.push(&dict{})
		return nil
	case global{"torch._utils", "_rebuild_parameter"}:
		if len(arguments) == 0 {
			return fmt.Errorf("has a parameter without a tensor")
		}
		u.push(arguments[0])
		return nil
	case global{"torch._utils", "_rebuild_tensor_v2"}:
	default:
		return fmt.Errorf("calls what is no function of a state dict")
	}
	if len(arguments) < 4 {
		return fmt.Errorf("has a tensor without a shape")
	}
	r := &rebuilt{}
	var ok [4]bool
	r.storage, ok[0] = arguments[0].(storage)
	r.offset, ok[1] = arguments[1].(int64)
	r.shape, ok[2] = extents(arguments[2])
	r.strides, ok[3] = extents(arguments[3])
	if ok != [4]bool{true, true, true, true} {
		return fmt.Errorf("has a tensor whose storage, offset, shape or strides are none")
	}
	u.push(r)
	return nil
}

// extents are a tuple of whole numbers.
func extents(v any) (list []int64, ok bool) {
	tuple, ok := v.([]any)
	if !ok {
		return nil, false
	}
	for _, x := range tuple {
		n, ok := x.(int64)
		if !ok {
			return nil, false
		}
		list = append(list, n)
	}
	return list, true
}
