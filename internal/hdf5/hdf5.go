// Package hdf5 reads and writes the part of the HDF5 file format (The HDF Group,
// "HDF5 File Format Specification", version 3.0) that networks are exchanged in:
// groups, and datasets of numbers and strings, contiguous, compact, or in chunks
// that deflate, shuffle and fletcher32 went over. That is what h5py writes with its
// defaults, and what the NIR project's library does. Anything else is refused by
// name.
//
// It is here because the pure Go library that was tried, github.com/scigolib/hdf5
// v0.13.18, is unfit for files from others: a single changed byte in lif_norse.nir
// makes it allocate 280 TB while the file is opened (the size of a local heap is
// believed), which ends the process and cannot be recovered from; it gives all
// numbers as float64, so not the bits of a float32; and it does not read the
// variable-length strings that every NIR file has.
//
// What a file declares is held to the file's size before room is made for it, and
// no byte of a file is read as values twice: what a reader needs is proportional to
// the file, with deflate's own factor, and less than [MaxBytes].
package hdf5

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
)

// Bounds of a file.
const (
	MaxBytes   = 1 << 30 // of all values together, decompressed
	maxObjects = 1 << 16 // groups and datasets
	maxDepth   = 32      // of groups within groups
	maxRank    = 32      // the format's own
	maxHeader  = 1 << 20 // bytes of an object's header
	maxName    = 1 << 10 // bytes
)

// Group holds named groups and datasets.
type Group struct {
	Groups   map[string]*Group
	Datasets map[string]*Dataset
}

// Class is what the values of a dataset are.
type Class uint8

// The classes.
const (
	Integer Class = iota
	Float
	String
)

// Dataset is an array. A scalar has no extents and one value.
type Dataset struct {
	Shape []int
	Class Class
	// Bytes is the size of a number.
	Bytes  int
	Signed bool
	// Bits are the numbers in C order, as the file has them.
	Bits []uint64
	// Text are the strings in C order.
	Text []string
}

// Len returns the number of values.
func (d *Dataset) Len() int {
	if d.Class == String {
		return len(d.Text)
	}
	return len(d.Bits)
}

// Float64 returns number i, and whether it is that exactly.
func (d *Dataset) Float64(i int) (v float64, exact bool) {
	bits := d.Bits[i]
	switch {
	case d.Class == Float && d.Bytes == 4:
		return float64(math.Float32frombits(uint32(bits))), true
	case d.Class == Float:
		return math.Float64frombits(bits), true
	case d.Signed:
		unused := 64 - 8*d.Bytes
		whole := int64(bits<<unused) >> unused
		v = float64(whole)
		return v, v < 1<<63 && int64(v) == whole
	}
	v = float64(bits)
	return v, v < 1<<64 && uint64(v) == bits
}

// Float32 returns number i rounded to float32, and whether it is that exactly. The
// bits of a float32 stay as they are.
func (d *Dataset) Float32(i int) (v float32, exact bool) {
	if d.Class == Float && d.Bytes == 4 {
		return math.Float32frombits(uint32(d.Bits[i])), true
	}
	wide, exact := d.Float64(i)
	v = float32(wide)
	return v, exact && float64(v) == wide
}

// Floats returns a dataset of float32.
func Floats(values []float32, shape ...int) *Dataset {
	d := &Dataset{Shape: shape, Class: Float, Bytes: 4, Bits: make([]uint64, len(values))}
	for i, v := range values {
		d.Bits[i] = uint64(math.Float32bits(v))
	}
	return d
}

// Doubles returns a dataset of float64.
func Doubles(values []float64, shape ...int) *Dataset {
	d := &Dataset{Shape: shape, Class: Float, Bytes: 8, Bits: make([]uint64, len(values))}
	for i, v := range values {
		d.Bits[i] = math.Float64bits(v)
	}
	return d
}

// Integers returns a dataset of int64.
func Integers(values []int, shape ...int) *Dataset {
	d := &Dataset{Shape: shape, Class: Integer, Bytes: 8, Signed: true, Bits: make([]uint64, len(values))}
	for i, v := range values {
		d.Bits[i] = uint64(int64(v))
	}
	return d
}

// Strings returns a dataset of strings.
func Strings(values []string, shape ...int) *Dataset {
	return &Dataset{Shape: shape, Class: String, Text: values}
}

// NewGroup returns an empty group.
func NewGroup() *Group { return &Group{Groups: map[string]*Group{}, Datasets: map[string]*Dataset{}} }

var signature = []byte("\x89HDF\r\n\x1a\n")

// reader reads one file.
type reader struct {
	from    io.ReaderAt
	size    uint64
	reads   uint64          // bytes of the file that may yet be read
	values  uint64          // and as values
	room    uint64          // bytes that may yet be made room for
	offsets int             // bytes of an address
	lengths int             // bytes of a length
	objects map[uint64]bool // by address: read already
	heaps   map[uint64]heap // global heap collections
}

// Read reads a file of that size whole.
func Read(from io.ReaderAt, size int64) (*Group, error) {
	r := &reader{
		from: from, size: uint64(max(size, 0)), reads: 4*uint64(max(size, 0)) + 1<<16, values: uint64(max(size, 0)), room: MaxBytes,
		objects: map[uint64]bool{}, heaps: map[uint64]heap{},
	}
	root, err := r.superblock()
	if err != nil {
		return nil, err
	}
	g, d, err := r.object(root, 0)
	if err == nil && d != nil {
		err = fmt.Errorf("the root of the file is a dataset; a group is expected")
	}
	return g, err
}

// superblock returns the address of the root group.
func (r *reader) superblock() (root uint64, err error) {
	const longest = 96 // bytes
	b := block{bytes: make([]byte, min(longest, r.size))}
	if _, err := r.from.ReadAt(b.bytes, 0); err != nil && err != io.EOF {
		return 0, err
	}
	if head := b.take(8); !slices.Equal(head, signature) {
		return 0, fmt.Errorf("is no HDF5 file: it does not begin with its signature")
	}
	version := b.uint(1)
	switch version {
	case 0, 1:
		b.take(4)
		r.offsets, r.lengths = int(b.uint(1)), int(b.uint(1))
		b.take(1 + 4 + 4)
		if version == 1 {
			b.take(4)
		}
	case 2, 3:
		r.offsets, r.lengths = int(b.uint(1)), int(b.uint(1))
		b.take(1)
	default:
		return 0, fmt.Errorf("has a superblock of version %d; 0 to 3 are read", version)
	}
	for _, n := range []int{r.offsets, r.lengths} {
		if n != 2 && n != 4 && n != 8 {
			return 0, fmt.Errorf("has addresses or lengths of %d bytes; 2, 4 and 8 are read", n)
		}
	}
	base := b.uint(r.offsets)
	b.uint(r.offsets) // free space, or the superblock's extension
	b.uint(r.offsets) // end of file
	if version < 2 {
		b.uint(r.offsets) // driver information
		b.uint(r.offsets) // the root's name
	}
	root = b.uint(r.offsets)
	if b.short {
		return 0, fmt.Errorf("ends within its superblock")
	}
	if base != 0 {
		return 0, fmt.Errorf("begins with a user block; files without one are read")
	}
	return root, nil
}

// at reads bytes of the file.
func (r *reader) at(address, n uint64, what string) (*block, error) {
	if address > r.size || n > r.size-address {
		return nil, fmt.Errorf("%s of %d bytes at %d lies outside the file of %d bytes", what, n, address, r.size)
	}
	if n > r.reads {
		return nil, fmt.Errorf("%s of %d bytes at %d is more than the file has left: parts of it are used many times", what, n, address)
	}
	r.reads -= n
	b := &block{bytes: make([]byte, n)}
	if _, err := r.from.ReadAt(b.bytes, int64(address)); err != nil && err != io.EOF {
		return nil, err
	}
	return b, nil
}

// data reads bytes that are values.
func (r *reader) data(address, n uint64, what string) ([]byte, error) {
	if n > r.values {
		return nil, fmt.Errorf("%s of %d bytes is more than the file has left: parts of it are used twice", what, n)
	}
	b, err := r.at(address, n, what)
	if err != nil {
		return nil, err
	}
	r.values -= n
	return b.bytes, nil
}

// claim asks for room.
func (r *reader) claim(n uint64) error {
	if n > r.room {
		return fmt.Errorf("has more than %d bytes of values; at most that is read", uint64(MaxBytes))
	}
	r.room -= n
	return nil
}

// block is a piece of the file that is read from front to back. Where it is too
// short, it says so at the end, and gives zeros.
type block struct {
	bytes []byte
	short bool
}

func (b *block) take(n int) []byte {
	if n < 0 || n > len(b.bytes) {
		b.short, b.bytes = true, nil
		return nil
	}
	taken := b.bytes[:n]
	b.bytes = b.bytes[n:]
	return taken
}

// uint takes a little-endian number of 1 to 8 bytes.
func (b *block) uint(n int) uint64 {
	var wide [8]byte
	copy(wide[:], b.take(n))
	return binary.LittleEndian.Uint64(wide[:])
}
