// Package torch reads the tensors that PyTorch saves: state dicts (torch.save, since
// version 1.6) and safetensors files.
//
// A state dict is a pickle, a program that rebuilds objects. It is read by an
// interpreter that knows how tensors are rebuilt and nothing else: no code of a file is
// ever run, and what asks for any is refused by name. github.com/nlpodyssey/gopickle
// v0.2.0 was tried; it makes room for as many values and bytes as a file says before it
// looks for them, so that a few bytes end the process.
package torch

import (
	"bytes"
	"fmt"
	"io"
	"math"

	"github.com/accelsim-dev/accelsim/internal/input"
)

// Bounds of a file.
const (
	maxFile    = 4 << 30 // bytes
	maxPickle  = 16 << 20
	maxTensors = 1 << 16
	maxRank    = 16
)

// Tensor is an array of numbers.
type Tensor struct {
	Name  string
	Shape []int
	Type  Type

	values []byte // little-endian, in C order
}

// Len returns the number of values.
func (t *Tensor) Len() int { return len(t.values) / t.Type.bytes() }

// Float32 returns value i, and whether it is that exactly.
func (t *Tensor) Float32(i int) (v float32, exact bool) {
	b := t.values[i*t.Type.bytes():]
	switch t.Type {
	case Float32:
		return math.Float32frombits(uint32(little(b, 4))), true
	case BFloat16:
		return math.Float32frombits(uint32(little(b, 2)) << 16), true
	case Float16:
		return half(uint16(little(b, 2))), true
	case Float64:
		wide := math.Float64frombits(little(b, 8))
		return float32(wide), float64(float32(wide)) == wide
	}
	return 0, false
}

// Type is the type of a tensor's values.
type Type uint8

// The types. Weights are of the floating-point ones.
const (
	Float32 Type = iota
	Float64
	Float16
	BFloat16
	Int64
	Int32
	Int16
	Int8 // and uint8, bool
)

var types = [...]struct {
	name  string
	bytes int
}{
	Float32: {"float32", 4}, Float64: {"float64", 8}, Float16: {"float16", 2}, BFloat16: {"bfloat16", 2},
	Int64: {"int64", 8}, Int32: {"int32", 4}, Int16: {"int16", 2}, Int8: {"int8", 1},
}

func (t Type) String() string { return types[t].name }

func (t Type) bytes() int { return types[t].bytes }

// Float tells whether the values are floating-point numbers.
func (t Type) Float() bool { return t <= BFloat16 }

// little is a little-endian number.
func little(b []byte, n int) (v uint64) {
	for i := n - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v
}

// half returns the value of a float16 (IEEE 754 binary16).
func half(bits uint16) float32 {
	exponent, fraction := int(bits>>10&0x1f), float64(bits&0x3ff)
	var v float64
	switch exponent {
	case 0:
		v = math.Ldexp(fraction, -24)
	case 0x1f:
		v = math.Inf(1)
		if fraction != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(1024+fraction, exponent-25)
	}
	if bits>>15 != 0 {
		v = -v
	}
	return float32(v)
}

// Open reads the tensors of a file, in their order there. Errors name it.
func Open(path string) ([]Tensor, error) {
	f, size, err := input.Data(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := Read(f, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

// Read reads the tensors of a file of that size.
func Read(from io.ReaderAt, size int64) ([]Tensor, error) {
	if size > maxFile {
		return nil, fmt.Errorf("is larger than %d bytes; at most that is read", int64(maxFile))
	}
	var head [9]byte
	n, err := from.ReadAt(head[:], 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head[:n], []byte("PK")):
		return readState(from, size)
	case n == len(head) && head[8] == '{':
		return readSafe(from, size)
	case n > 1 && head[0] == 0x80:
		return nil, fmt.Errorf("was saved by PyTorch before 1.6, or is another pickle; save it again with torch.save(model.state_dict(), FILE)")
	}
	return nil, fmt.Errorf("is neither a state dict of PyTorch nor a safetensors file")
}

// count returns the number of values of a shape, held to a bound.
func count(shape []int64, most int64) (n int64, err error) {
	if len(shape) > maxRank {
		return 0, fmt.Errorf("has %d dimensions; at most %d are read", len(shape), maxRank)
	}
	n = 1
	for _, extent := range shape {
		if extent < 0 || extent > 0 && n > most/extent {
			return 0, fmt.Errorf("has the shape %v, larger than its file", shape)
		}
		n *= extent
	}
	return n, nil
}

// ints are extents as int.
func ints(shape []int64) []int {
	list := make([]int, len(shape))
	for i, extent := range shape {
		list[i] = int(extent)
	}
	return list
}
