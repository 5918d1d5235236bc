package tensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Tensor is one array of an NPZ file. Exactly one of the slices is in
// use; values are in C order. A nil Shape is a scalar (0-d).
type Tensor struct {
	Shape   []int
	Float32 []float32
	Float64 []float64
	Int64   []int64
	Uint8   []uint8
}

// Floats returns a float32 tensor.
func Floats(values []float32, shape ...int) Tensor { return Tensor{Shape: shape, Float32: values} }

// Scalar returns a 0-d float64 tensor.
func Scalar(v float64) Tensor { return Tensor{Float64: []float64{v}} }

// Count returns a 0-d int64 tensor.
func Count(v int64) Tensor { return Tensor{Int64: []int64{v}} }

// Bytes returns a uint8 tensor.
func Bytes(values []uint8, shape ...int) Tensor { return Tensor{Shape: shape, Uint8: values} }

// Len returns the number of values.
func (t Tensor) Len() int { return len(t.Float32) + len(t.Float64) + len(t.Int64) + len(t.Uint8) }

// At returns value i as a float64.
func (t Tensor) At(i int) float64 {
	switch {
	case t.Float32 != nil:
		return float64(t.Float32[i])
	case t.Float64 != nil:
		return t.Float64[i]
	case t.Uint8 != nil:
		return float64(t.Uint8[i])
	}
	return float64(t.Int64[i])
}

// DType is the element type.
func (t Tensor) DType() Type {
	switch {
	case t.Float32 != nil:
		return float32Type
	case t.Float64 != nil:
		return float64Type
	case t.Uint8 != nil:
		return uint8Type
	}
	return int64Type
}

// ShapeString prints a shape as CONTRACT.md does, such as [6,4,3,3].
func ShapeString(shape []int) string {
	return "[" + strings.ReplaceAll(strings.Trim(fmt.Sprint(shape), "[]"), " ", ",") + "]"
}

// npyMagic opens every .npy file.
const npyMagic = "\x93NUMPY"

// writeNPY writes one .npy stream, version 1.
func writeNPY(w io.Writer, t Tensor) error {
	descr := map[string]string{"float32": "<f4", "float64": "<f8", "int64": "<i8", "uint8": "|u1"}[t.DType().String()]
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
	const values = chunk / 8
	buffer := make([]byte, 0, chunk)
	for first := 0; first < t.Len(); first += values {
		buffer = buffer[:0]
		for i := first; i < min(first+values, t.Len()); i++ {
			switch {
			case t.Float32 != nil:
				buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(t.Float32[i]))
			case t.Float64 != nil:
				buffer = binary.LittleEndian.AppendUint64(buffer, math.Float64bits(t.Float64[i]))
			case t.Uint8 != nil:
				buffer = append(buffer, t.Uint8[i])
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
