package dataset

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// maxNPY bounds an array's file. ES-ImageNet's largest have some megabytes.
const maxNPY = 1 << 26

// array is an array of a .npy file. Its values are read where they are asked
// for, so that whatever a damaged file says, it costs what it holds.
type array struct {
	path    string // file and member, for errors
	shape   []int
	fortran bool // first index fastest
	kind    byte // u, i or f
	size    int  // bytes of a value
	data    []byte
	offset  int64 // of data
}

// openNPY reads member name.npy of an .npz file.
func openNPY(path string, z *zip.Reader, name string) (*array, error) {
	for _, f := range z.File {
		if f.Name != name+".npy" {
			continue
		}
		where := fmt.Sprintf("%s: %s", path, f.Name)
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		defer r.Close()
		data, err := io.ReadAll(io.LimitReader(r, maxNPY+1))
		if err != nil {
			return nil, short(where, int64(len(data)), err, "the compressed data")
		}
		if len(data) > maxNPY {
			return nil, atByte(where, maxNPY, "an array of over %d bytes", maxNPY)
		}
		return parseNPY(where, data)
	}
	return nil, fmt.Errorf("%s: no array %q in it", path, name)
}

var npyHeader = regexp.MustCompile(
	`^\{'descr': *'[<|]([uif])([1248])', *'fortran_order': *(True|False), *'shape': *\(([0-9, ]*)\),? *\} *\n?$`)

// parseNPY reads a .npy file, of whose header numpy writes only one form. (The
// npyio module reads these files too, but takes damaged headers for granted:
// it slices outside them and allocates what they say.)
func parseNPY(path string, data []byte) (*array, error) {
	const magic = "\x93NUMPY"
	if len(data) < 10 {
		return nil, short(path, int64(len(data)), io.EOF, "the header of a .npy file")
	}
	if string(data[:6]) != magic {
		return nil, atByte(path, 0, "no .npy file: it should start with %q", magic)
	}
	from, length := 10, int(binary.LittleEndian.Uint16(data[8:]))
	switch data[6] {
	case 1:
	case 2, 3:
		if len(data) < 12 {
			return nil, short(path, int64(len(data)), io.EOF, "the header of a .npy file")
		}
		from, length = 12, int(binary.LittleEndian.Uint32(data[8:]))
	default:
		return nil, atByte(path, 6, "version %d of the .npy format; known are 1 to 3", data[6])
	}
	if length > len(data)-from {
		return nil, short(path, int64(len(data)), io.EOF, "the header of a .npy file")
	}
	m := npyHeader.FindSubmatch(data[from : from+length])
	if m == nil {
		return nil, atByte(path, int64(from), "the header %.100q; it should be like %q",
			data[from:from+length], "{'descr': '|u1', 'fortran_order': False, 'shape': (9, 3), }")
	}
	a := &array{
		path: path, kind: m[1][0], size: int(m[2][0] - '0'), fortran: string(m[3]) == "True",
		data: data[from+length:], offset: int64(from + length),
	}
	if a.kind == 'f' && a.size < 4 {
		return nil, atByte(path, int64(from), "values of type f%d", a.size)
	}
	bytes := a.size
	for text := range strings.SplitSeq(string(m[4]), ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n > maxNPY/max(bytes, 1) {
			return nil, atByte(path, int64(from), "the shape (%s), which makes over %d bytes", m[4], maxNPY)
		}
		a.shape, bytes = append(a.shape, n), bytes*n
	}
	if bytes != len(a.data) {
		return nil, atByte(path, int64(len(data)), "%d bytes of values; a shape of (%s) has %d", len(a.data), m[4], bytes)
	}
	return a, nil
}

// whole returns value i of the file, which must be a whole number.
func (a *array) whole(i int) (int, error) {
	b := a.data[i*a.size:]
	var v float64
	switch {
	case a.kind == 'f' && a.size == 4:
		v = float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case a.kind == 'f':
		v = math.Float64frombits(binary.LittleEndian.Uint64(b))
	case a.kind == 'u':
		v = float64(bits(b, a.size))
	default:
		unused := 64 - 8*a.size
		v = float64(int64(bits(b, a.size)<<unused) >> unused)
	}
	if v != math.Trunc(v) || math.Abs(v) > 1<<31 { // so NaN fails too
		return 0, atByte(a.path, a.byteOf(i), "%v; it should be a small whole number", v)
	}
	return int(v), nil
}

// bits returns a number of that many bytes.
func bits(b []byte, size int) uint64 {
	var v uint64
	for i := size - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v
}

// byteOf returns the byte of the file at which its value i starts.
func (a *array) byteOf(i int) int64 { return a.offset + int64(i*a.size) }
