package tensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Header is what an array says of itself.
type Header struct {
	Type  Type
	Shape []int // nil for a scalar (0-d)

	fortran bool // the first index runs fastest
	length  int64
}

// Type is NumPy's type of an array's values.
type Type struct {
	kind      byte // b, i, u, f
	bytes     int
	bigEndian bool
}

// The types of a [Tensor] in memory.
var (
	float32Type = Type{kind: 'f', bytes: 4}
	float64Type = Type{kind: 'f', bytes: 8}
	int64Type   = Type{kind: 'i', bytes: 8}
	uint8Type   = Type{kind: 'u', bytes: 1}
)

// String names the type as NumPy does.
func (t Type) String() string {
	if t.kind == 'b' {
		return "bool"
	}
	return map[byte]string{'i': "int", 'u': "uint", 'f': "float"}[t.kind] + strconv.Itoa(8*t.bytes)
}

// Float tells whether the values are floating-point numbers.
func (t Type) Float() bool { return t.kind == 'f' }

// readable are the types whose values are read.
const readable = "bool, int8 to int64, uint8 to uint64, float16, float32 or float64"

// parseType reads a type string of the array interface, such as "<f4".
func parseType(descr string) (Type, error) {
	m := typePattern.FindStringSubmatch(descr)
	if m == nil {
		return Type{}, fmt.Errorf("element type %q; write %s", descr, readable)
	}
	t := Type{kind: m[2][0], bytes: int(m[3][0] - '0'), bigEndian: m[1] == ">"}
	if t.kind == 'b' && t.bytes != 1 || t.kind == 'f' && t.bytes == 1 || t.bytes > 1 && m[1] == "|" {
		return Type{}, fmt.Errorf("element type %q; write %s", descr, readable)
	}
	return t, nil
}

var (
	typePattern    = regexp.MustCompile(`^([<>|=])([biuf])([1248])$`)
	descrPattern   = regexp.MustCompile(`'descr'\s*:\s*'([^']*)'`)
	fortranPattern = regexp.MustCompile(`'fortran_order'\s*:\s*(True|False)`)
	shapePattern   = regexp.MustCompile(`'shape'\s*:\s*\(([\d\s,L]*)\)`)
)

// maxHeader bounds a .npy header; NumPy's own are below 1 KiB.
const maxHeader = 1 << 16

// maxValues bounds the values of one array.
const maxValues = 1 << 31

// Len returns the number of values.
func (h Header) Len() int { return int(h.length) }

// newHeader counts the values that a shape has.
func newHeader(t Type, shape []int, fortran bool) (Header, error) {
	count := int64(1)
	for _, extent := range shape {
		if extent > 0 && count > maxValues/int64(extent) {
			return Header{}, fmt.Errorf("shape %s has more than %d values", ShapeString(shape), int64(maxValues))
		}
		count *= int64(extent)
	}
	if count*int64(t.bytes) > math.MaxInt {
		return Header{}, fmt.Errorf("shape %s of %v has more bytes than this computer can address", ShapeString(shape), t)
	}
	return Header{Type: t, Shape: shape, fortran: fortran && len(shape) > 1, length: count}, nil
}

// readHeader reads what stands before the values of a .npy stream (format versions
// 1 to 3), and returns how many bytes it has.
func readHeader(r io.Reader) (h Header, size int64, err error) {
	var start [8]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return h, 0, fmt.Errorf("truncated at byte 0: no .npy header")
	}
	if string(start[:6]) != npyMagic {
		return h, 0, fmt.Errorf("byte 0: not a .npy array (wrong magic %q)", start[:6])
	}
	width := 2
	if start[6] >= 2 {
		width = 4
	}
	if start[6] < 1 || start[6] > 3 {
		return h, 0, fmt.Errorf("byte 6: .npy version %d; versions 1 to 3 are read", start[6])
	}
	var lengthBytes [4]byte
	if _, err := io.ReadFull(r, lengthBytes[:width]); err != nil {
		return h, 0, fmt.Errorf("truncated at byte 8: no header length")
	}
	length := binary.LittleEndian.Uint32(lengthBytes[:])
	if length > maxHeader {
		return h, 0, fmt.Errorf("byte 8: header of %d bytes; at most %d are read", length, maxHeader)
	}
	text := make([]byte, length)
	if n, err := io.ReadFull(r, text); err != nil {
		return h, 0, fmt.Errorf("truncated at byte %d: the header has %d bytes", 8+width+n, length)
	}
	if h, err = parseHeader(text); err != nil {
		return h, 0, fmt.Errorf("byte %d: %w", 8+width, err)
	}
	return h, int64(8 + width + len(text)), nil
}

// parseHeader reads the Python dictionary that a header is.
func parseHeader(text []byte) (Header, error) {
	d, f, s := descrPattern.FindSubmatch(text), fortranPattern.FindSubmatch(text), shapePattern.FindSubmatch(text)
	if d == nil || f == nil || s == nil {
		return Header{}, fmt.Errorf("header %.80q lacks descr, fortran_order or shape", text)
	}
	var shape []int
	for field := range strings.SplitSeq(string(s[1]), ",") {
		field = strings.TrimSuffix(strings.TrimSpace(field), "L")
		if field == "" {
			continue
		}
		extent, err := strconv.ParseInt(field, 10, 32)
		if err != nil {
			return Header{}, fmt.Errorf("shape (%s) is no shape", s[1])
		}
		shape = append(shape, int(extent))
	}
	t, err := parseType(string(d[1]))
	if err != nil {
		return Header{}, err
	}
	return newHeader(t, shape, string(f[1]) == "True")
}
