package hdf5

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
)

// Write writes a file: a superblock of version 0, object headers of version 1, links
// in the headers of their groups, contiguous values, and strings of varying length in
// global heaps. Names are written in order, so that equal groups make equal files.
// HDF5 since 1.8 (2008) reads it.
func Write(to io.Writer, root *Group) error {
	w := &writer{}
	w.bytes = make([]byte, superblockSize)
	address, err := w.group(root)
	if err != nil {
		return err
	}
	w.superblock(address)
	_, err = to.Write(w.bytes)
	return err
}

const (
	superblockSize = 96
	heapHead       = 16
)

// writer lays out a file: what is referred to stands before what refers to it.
type writer struct{ bytes []byte }

var little = binary.LittleEndian

// superblock fills in the beginning of the file.
func (w *writer) superblock(root uint64) {
	b := append([]byte(nil), signature...)
	b = append(b, 0, 0, 0, 0, 0, 8, 8, 0)
	b = little.AppendUint16(b, 4)  // leaves of a table of symbols; there are none
	b = little.AppendUint16(b, 16) // its nodes
	b = little.AppendUint32(b, 0)
	for _, address := range []uint64{0, math.MaxUint64, uint64(len(w.bytes)), math.MaxUint64, 0, root} {
		b = little.AppendUint64(b, address)
	}
	copy(w.bytes, append(b, make([]byte, 24)...))
}

// align goes on at a multiple of 8.
func (w *writer) align() uint64 {
	for len(w.bytes)%8 != 0 {
		w.bytes = append(w.bytes, 0)
	}
	return uint64(len(w.bytes))
}

// group writes what is in a group, then its header, whose address it returns.
func (w *writer) group(g *Group) (uint64, error) {
	// No fractal heap and no B-trees: the links are in the header.
	info := append([]byte{0, 0}, slices.Repeat([]byte{0xff}, 16)...)
	messages := []written{{linkInfoMessage, info}, {groupInfoMessage, []byte{0, 0}}}
	for _, name := range slices.Sorted(maps.Keys(g.Groups)) {
		address, err := w.group(g.Groups[name])
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		messages = append(messages, newLink(name, address))
	}
	for _, name := range slices.Sorted(maps.Keys(g.Datasets)) {
		if g.Groups[name] != nil {
			return 0, fmt.Errorf("%s is both a group and a dataset", name)
		}
		messages = append(messages, newLink(name, w.dataset(g.Datasets[name])))
	}
	slices.SortStableFunc(messages[2:], func(a, b written) int { return slices.Compare(a.body, b.body) })
	if len(messages) > math.MaxUint16 {
		return 0, fmt.Errorf("has %d names; at most %d are written", len(messages)-2, math.MaxUint16-2)
	}
	return w.header(messages), nil
}

const (
	fillMessage      = 0x05
	groupInfoMessage = 0x0a
)

// written is a message to write.
type written struct {
	kind uint16
	body []byte
}

// newLink is a hard link with a name in UTF-8.
func newLink(name string, address uint64) written {
	b := []byte{1, 0x10 | 1, 1} // version; with a character set, lengths of 2 bytes; UTF-8
	b = little.AppendUint16(b, uint16(len(name)))
	b = append(b, name...)
	return written{linkMessage, little.AppendUint64(b, address)}
}

// header writes an object's header.
func (w *writer) header(messages []written) uint64 {
	address := w.align()
	var body []byte
	for _, m := range messages {
		for len(m.body)%8 != 0 {
			m.body = append(m.body, 0)
		}
		body = little.AppendUint16(body, m.kind)
		body = little.AppendUint16(body, uint16(len(m.body)))
		body = append(body, 0, 0, 0, 0)
		body = append(body, m.body...)
	}
	w.bytes = append(w.bytes, 1, 0)
	w.bytes = little.AppendUint16(w.bytes, uint16(len(messages)))
	w.bytes = little.AppendUint32(w.bytes, 1) // one link leads here
	w.bytes = little.AppendUint32(w.bytes, uint32(len(body)))
	w.bytes = append(w.bytes, 0, 0, 0, 0)
	w.bytes = append(w.bytes, body...)
	return address
}

// dataset writes values, then their header.
func (w *writer) dataset(d *Dataset) uint64 {
	values := w.values(d)
	address := w.align()
	w.bytes = append(w.bytes, values...)
	layout := []byte{3, contiguousLayout}
	layout = little.AppendUint64(layout, address)
	layout = little.AppendUint64(layout, uint64(len(values)))
	return w.header([]written{
		{dataspaceMessage, d.space()},
		{datatypeMessage, d.datatype()},
		{fillMessage, []byte{2, 2, 2, 1, 0, 0, 0, 0}}, // version, late, if set, the default of no bytes
		{layoutMessage, layout},
	})
}

// space is the shape's message.
func (d *Dataset) space() []byte {
	b := append([]byte{1, byte(len(d.Shape))}, 0, 0, 0, 0, 0, 0)
	for _, extent := range d.Shape {
		b = little.AppendUint64(b, uint64(extent))
	}
	return b
}

// datatype is the type's message.
func (d *Dataset) datatype() []byte {
	head := func(class, flags byte, size int) []byte {
		return little.AppendUint32([]byte{1<<4 | class, flags, 0, 0}, uint32(size))
	}
	words := func(b []byte, values ...uint16) []byte {
		for _, v := range values {
			b = little.AppendUint16(b, v)
		}
		return b
	}
	switch {
	case d.Class == String: // zero-terminated, in UTF-8, of unsigned bytes
		b := head(variableClass, 1, 16)
		b[2] = 1
		return words(append(b, head(integerClass, 0, 1)...), 0, 8)
	case d.Class == Integer:
		flags := byte(0)
		if d.Signed {
			flags = 8
		}
		return words(head(integerClass, flags, d.Bytes), 0, uint16(8*d.Bytes))
	case d.Bytes == 4:
		b := head(floatClass, 0x20, 4) // the mantissa's first bit is implied
		b[2] = 31                      // where the sign is
		return little.AppendUint32(append(words(b, 0, 32), 23, 8, 0, 23), 127)
	}
	b := head(floatClass, 0x20, 8)
	b[2] = 63
	return little.AppendUint32(append(words(b, 0, 64), 52, 11, 0, 52), 1023)
}

// values returns the bytes of a dataset, and writes the heap of its strings.
func (w *writer) values(d *Dataset) (b []byte) {
	if d.Class == String {
		return w.strings(d.Text)
	}
	for _, bits := range d.Bits {
		b = append(b, little.AppendUint64(nil, bits)[:d.Bytes]...)
	}
	return b
}

// strings writes strings to collections of a global heap, and returns where they are.
func (w *writer) strings(text []string) (b []byte) {
	const (
		most  = 1 << 12 // strings of a collection, whose indices have 16 bits
		least = 1 << 12 // bytes of a collection (the format's)
	)
	for part := range slices.Chunk(text, most) {
		address := w.align()
		collection := make([]byte, heapHead)
		for i, s := range part {
			b = little.AppendUint32(b, uint32(len(s)))
			b = little.AppendUint64(b, address)
			b = little.AppendUint32(b, uint32(i+1))
			collection = little.AppendUint16(collection, uint16(i+1))
			collection = append(collection, 0, 0, 0, 0, 0, 0)
			collection = little.AppendUint64(collection, uint64(len(s)))
			collection = append(collection, s...)
			collection = append(collection, make([]byte, -len(s)&7)...)
		}
		free := max(least-len(collection), heapHead)
		size := len(collection) + free
		collection = append(collection, make([]byte, free)...)
		little.PutUint64(collection[len(collection)-free+8:], uint64(free))
		copy(collection, "GCOL\x01\x00\x00\x00")
		little.PutUint64(collection[8:], uint64(size))
		w.bytes = append(w.bytes, collection...)
	}
	return b
}
