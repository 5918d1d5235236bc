package hdf5

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// datatype is the type of a dataset's values in the file.
type datatype struct {
	class     Class
	size      int // bytes
	signed    bool
	bigEndian bool
	variable  bool // strings that are in a global heap
}

// The classes of datatype that are read.
const (
	integerClass  = 0
	floatClass    = 1
	stringClass   = 3
	variableClass = 9
)

// newDatatype reads a datatype message.
func newDatatype(b block) (t datatype, err error) {
	class, flags, size := b.uint(1)&15, b.uint(3), b.uint(4)
	if size == 0 || size > 1<<16 {
		return t, fmt.Errorf("has values of %d bytes; 1 to %d are read", size, 1<<16)
	}
	t.size = int(size)
	switch class {
	case integerClass:
		t.class, t.bigEndian, t.signed = Integer, flags&1 != 0, flags&8 != 0
		if size > 8 || size&(size-1) != 0 || b.uint(2) != 0 || b.uint(2) != 8*size {
			return t, fmt.Errorf("has whole numbers of %d bytes, or of odd bits; 8, 16, 32 and 64 bits are read", size)
		}
	case floatClass:
		t.class, t.bigEndian = Float, flags&1 != 0
		if !isIEEE(&b, size) || flags&0x40 != 0 {
			return t, fmt.Errorf("has floating-point numbers of %d bytes that are not IEEE 754's of 32 or 64 bits", size)
		}
	case stringClass:
		t.class = String
	case variableClass:
		if flags&15 != 1 {
			return t, fmt.Errorf("has lists of varying length as values; numbers and strings are read")
		}
		t.class, t.variable = String, true
	default:
		return t, fmt.Errorf("has values of a kind that is not read (datatype class %d); numbers and strings are", class)
	}
	if b.short {
		return t, fmt.Errorf("has a type that ends early")
	}
	return t, nil
}

// isIEEE tells whether a floating-point type's properties are those of binary32 or
// binary64 (IEEE 754).
func isIEEE(b *block, size uint64) bool {
	var got [6]uint64
	for i, bytes := range [6]int{2, 2, 1, 1, 1, 1} {
		got[i] = b.uint(bytes)
	}
	bias := b.uint(4)
	switch size { // offset, precision; exponent's place and size; mantissa's
	case 4:
		return got == [6]uint64{0, 32, 23, 8, 0, 23} && bias == 127
	case 8:
		return got == [6]uint64{0, 64, 52, 11, 0, 52} && bias == 1023
	}
	return false
}

// bits returns the number at the beginning of b.
func (t datatype) bits(b []byte) uint64 {
	var order binary.ByteOrder = binary.LittleEndian
	if t.bigEndian {
		order = binary.BigEndian
	}
	switch t.size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(order.Uint16(b))
	case 4:
		return uint64(order.Uint32(b))
	}
	return order.Uint64(b)
}

// text returns the string that an element is, or that it refers to.
func (r *reader) text(t datatype, element []byte) (string, error) {
	if t.variable {
		b := block{bytes: element}
		length, address, index := b.uint(4), b.uint(r.offsets), b.uint(4)
		if b.short {
			return "", fmt.Errorf("has strings of %d bytes each, too few for where they are", t.size)
		}
		if length == 0 {
			return "", nil
		}
		object, err := r.heapObject(address, index)
		if err != nil {
			return "", err
		}
		if length > uint64(len(object)) {
			return "", fmt.Errorf("has a string of %d bytes, of which the heap has %d", length, len(object))
		}
		element = object[:length]
	}
	element, _, _ = bytes.Cut(element, []byte{0})
	if err := r.claim(uint64(len(element))); err != nil {
		return "", err
	}
	return string(element), nil
}

// heap is a collection of a global heap: objects by index.
type heap map[uint64][]byte

// heapObject returns an object of the global heap.
func (r *reader) heapObject(address, index uint64) ([]byte, error) {
	if r.heaps[address] == nil {
		h, err := r.collection(address)
		if err != nil {
			return nil, err
		}
		r.heaps[address] = h
	}
	object, ok := r.heaps[address][index]
	if !ok {
		return nil, fmt.Errorf("refers to object %d of the heap at %d, which has none", index, address)
	}
	return object, nil
}

// collection reads a collection of a global heap.
func (r *reader) collection(address uint64) (heap, error) {
	head := uint64(8 + r.lengths)
	b, err := r.at(address, head, "a heap")
	if err != nil {
		return nil, err
	}
	if string(b.take(4)) != "GCOL" {
		return nil, fmt.Errorf("has no heap at %d", address)
	}
	b.take(4)
	size := b.uint(r.lengths)
	if size < head {
		return nil, fmt.Errorf("has a heap of %d bytes", size)
	}
	if b, err = r.at(address+head, size-head, "a heap"); err != nil {
		return nil, err
	}
	h := heap{}
	for len(b.bytes) >= 8+r.lengths {
		index := b.uint(2)
		b.take(6)
		size := b.uint(r.lengths)
		if index == 0 { // what is free
			break
		}
		if size > uint64(len(b.bytes)) {
			return nil, fmt.Errorf("has a heap object of %d bytes, which is more than its heap has", size)
		}
		h[index] = b.take(int(size))
		b.take(min(int(-size&7), len(b.bytes)))
	}
	return h, nil
}
