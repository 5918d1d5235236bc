package tensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Tensor is one array of an NPZ file. Exactly one of the three slices is in
// use; values are in C order. A nil Shape is a scalar (0-d).
type Tensor struct {
	Shape   []int
	Float32 []float32
	Float64 []float64
	Int64   []int64
}

// Floats returns a float32 tensor.
func Floats(values []float32, shape ...int) Tensor { return Tensor{Shape: shape, Float32: values} }

// Scalar returns a 0-d float64 tensor.
func Scalar(v float64) Tensor { return Tensor{Float64: []float64{v}} }

// Count returns a 0-d int64 tensor.
func Count(v int64) Tensor { return Tensor{Int64: []int64{v}} }

// Len returns the number of values.
func (t Tensor) Len() int { return len(t.Float32) + len(t.Float64) + len(t.Int64) }

// At returns value i as a float64.
func (t Tensor) At(i int) float64 {
	switch {
	case t.Float32 != nil:
		return float64(t.Float32[i])
	case t.Float64 != nil:
		return t.Float64[i]
	}
	return float64(t.Int64[i])
}

// DType names the element type as NumPy does.
func (t Tensor) DType() string {
	switch {
	case t.Float32 != nil:
		return "float32"
	case t.Float64 != nil:
		return "float64"
	}
	return "int64"
}

// ShapeString prints a shape as CONTRACT.md does, such as [6,4,3,3].
func ShapeString(shape []int) string {
	return "[" + strings.ReplaceAll(strings.Trim(fmt.Sprint(shape), "[]"), " ", ",") + "]"
}

func sameShape(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// npyMagic opens every .npy file.
const npyMagic = "\x93NUMPY"

// maxHeader bounds a .npy header; NumPy's own are below 1 KiB.
const maxHeader = 1 << 16

// maxValues bounds the values of one tensor.
const maxValues = 1 << 31

var (
	descrPattern   = regexp.MustCompile(`'descr'\s*:\s*'([^']*)'`)
	fortranPattern = regexp.MustCompile(`'fortran_order'\s*:\s*(True|False)`)
	shapePattern   = regexp.MustCompile(`'shape'\s*:\s*\(([\d\s,L]*)\)`)
)

// readNPY reads one .npy stream (format versions 1 to 3).
func readNPY(r io.Reader) (Tensor, error) {
	descr, shape, err := readHeader(r)
	if err != nil {
		return Tensor{}, err
	}
	count := int64(1)
	for _, extent := range shape {
		if extent > 0 && count > maxValues/int64(extent) {
			return Tensor{}, fmt.Errorf("shape %s has more than %d values", ShapeString(shape), maxValues)
		}
		count *= int64(extent)
	}
	t := Tensor{Shape: shape}
	size := map[string]int64{"<f4": 4, "<f8": 8, "<i8": 8, "<i4": 4, "|u1": 1, "|b1": 1, "|i1": 1}[descr]
	if size == 0 {
		return Tensor{}, fmt.Errorf("element type %q; write float32, float64, int64, int32, uint8 or bool in little-endian order", descr)
	}
	// Read through a growing buffer: a header that lies about its size must
	// not make us allocate what the file does not hold.
	var data bytes.Buffer
	read, err := io.CopyN(&data, r, count*size)
	if err != nil && !errors.Is(err, io.EOF) {
		return Tensor{}, err
	}
	if read < count*size {
		return Tensor{}, fmt.Errorf("truncated: shape %s of %s needs %d bytes, there are %d", ShapeString(shape), descr, count*size, read)
	}
	var beyond [1]byte
	if n, _ := io.ReadFull(r, beyond[:]); n > 0 {
		return Tensor{}, fmt.Errorf("has bytes beyond the %d that shape %s of %s needs", count*size, ShapeString(shape), descr)
	}
	raw, n := data.Bytes(), int(count)
	switch descr {
	case "<f4":
		t.Float32 = make([]float32, n)
		for i := range t.Float32 {
			t.Float32[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	case "<f8":
		t.Float64 = make([]float64, n)
		for i := range t.Float64 {
			t.Float64[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
		}
	default:
		t.Int64 = make([]int64, n)
		for i := range t.Int64 {
			switch descr {
			case "<i8":
				t.Int64[i] = int64(binary.LittleEndian.Uint64(raw[8*i:]))
			case "<i4":
				t.Int64[i] = int64(int32(binary.LittleEndian.Uint32(raw[4*i:])))
			case "|i1":
				t.Int64[i] = int64(int8(raw[i]))
			default:
				t.Int64[i] = int64(raw[i])
			}
		}
	}
	return t, nil
}

func readHeader(r io.Reader) (descr string, shape []int, err error) {
	var start [8]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return "", nil, fmt.Errorf("truncated at byte 0: no .npy header")
	}
	if string(start[:6]) != npyMagic {
		return "", nil, fmt.Errorf("byte 0: not a .npy array (wrong magic %q)", start[:6])
	}
	width := 2
	if start[6] >= 2 {
		width = 4
	}
	if start[6] < 1 || start[6] > 3 {
		return "", nil, fmt.Errorf("byte 6: .npy version %d; versions 1 to 3 are read", start[6])
	}
	var lengthBytes [4]byte
	if _, err := io.ReadFull(r, lengthBytes[:width]); err != nil {
		return "", nil, fmt.Errorf("truncated at byte 8: no header length")
	}
	length := binary.LittleEndian.Uint32(lengthBytes[:])
	if length > maxHeader {
		return "", nil, fmt.Errorf("byte 8: header of %d bytes; at most %d are read", length, maxHeader)
	}
	header := make([]byte, length)
	if n, err := io.ReadFull(r, header); err != nil {
		return "", nil, fmt.Errorf("truncated at byte %d: the header has %d bytes", 8+width+n, length)
	}
	d, f, s := descrPattern.FindSubmatch(header), fortranPattern.FindSubmatch(header), shapePattern.FindSubmatch(header)
	if d == nil || f == nil || s == nil {
		return "", nil, fmt.Errorf("byte %d: header %.80q lacks descr, fortran_order or shape", 8+width, header)
	}
	for _, field := range strings.Split(string(s[1]), ",") {
		field = strings.TrimSuffix(strings.TrimSpace(field), "L")
		if field == "" {
			continue
		}
		extent, err := strconv.ParseInt(field, 10, 32)
		if err != nil {
			return "", nil, fmt.Errorf("byte %d: shape (%s) is no shape", 8+width, s[1])
		}
		shape = append(shape, int(extent))
	}
	if string(f[1]) == "True" && len(shape) > 1 {
		return "", nil, fmt.Errorf("is in Fortran order; write it in C order (numpy.ascontiguousarray)")
	}
	return string(d[1]), shape, nil
}

// writeNPY writes one .npy stream, version 1.
func writeNPY(w io.Writer, t Tensor) error {
	descr := map[string]string{"float32": "<f4", "float64": "<f8", "int64": "<i8"}[t.DType()]
	fields := make([]string, len(t.Shape))
	for i, extent := range t.Shape {
		fields[i] = strconv.Itoa(extent)
	}
	shape := strings.Join(fields, ", ")
	if len(t.Shape) == 1 {
		shape += ","
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape)
	const align = 64
	start := len(npyMagic) + 4
	header += strings.Repeat(" ", align-1-(start+len(header))%align) + "\n"
	prefix := append([]byte(npyMagic), 1, 0, byte(len(header)), byte(len(header)>>8))
	if _, err := w.Write(append(prefix, header...)); err != nil {
		return err
	}
	const chunk = 4096
	buffer := make([]byte, 0, 8*chunk)
	for first := 0; first < t.Len(); first += chunk {
		buffer = buffer[:0]
		for i := first; i < min(first+chunk, t.Len()); i++ {
			switch {
			case t.Float32 != nil:
				buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(t.Float32[i]))
			case t.Float64 != nil:
				buffer = binary.LittleEndian.AppendUint64(buffer, math.Float64bits(t.Float64[i]))
			default:
				buffer = binary.LittleEndian.AppendUint64(buffer, uint64(t.Int64[i]))
			}
		}
		if _, err := w.Write(buffer); err != nil {
			return err
		}
	}
	return nil
}
