package tensors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Value is one value of an array: a whole number if the array is of such, or a
// floating-point number. Neither loses a bit.
type Value struct {
	whole   int64
	float   float64
	isWhole bool
}

// Float returns the value as a float64.
func (v Value) Float() float64 {
	if v.isWhole {
		return float64(v.whole)
	}
	return v.float
}

// Float32 returns the value as a float32. A whole number is that exactly, or it is
// not ok; a float64 is rounded.
func (v Value) Float32() (f float32, ok bool) {
	if v.isWhole {
		f = float32(v.whole)
		return f, f < 1<<63 && int64(f) == v.whole
	}
	return float32(v.float), true
}

// String prints it as its array has it.
func (v Value) String() string {
	if v.isWhole {
		return fmt.Sprint(v.whole)
	}
	return fmt.Sprintf("%g", v.float)
}

// valueError says what is wrong with a value.
type valueError struct {
	index int // in C order
	err   error
}

func (e *valueError) Error() string { return fmt.Sprintf("value %d %v", e.index, e.err) }

func (e *valueError) Unwrap() error { return e.err }

// chunk is how many bytes of values are read at a time.
const chunk = 1 << 16

// each calls do with every value that follows the header in r, in the order of the
// file, and with its index in C order. There must be no more and no less of them.
func (h Header) each(r io.Reader, do func(i int, v Value) error) error {
	buffer := make([]byte, min(chunk, max(h.length*int64(h.Type.bytes), 1)))
	for first := int64(0); first < h.length; {
		n := min(h.length-first, int64(len(buffer)/h.Type.bytes))
		read, err := io.ReadFull(r, buffer[:n*int64(h.Type.bytes)])
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return err
			}
			return h.truncated(first*int64(h.Type.bytes) + int64(read))
		}
		for j := range int(n) {
			v, err := h.Type.value(buffer[j*h.Type.bytes:])
			i := h.index(int(first) + j)
			if err == nil {
				err = do(i, v)
			}
			if err != nil {
				return &valueError{i, err}
			}
		}
		first += n
	}
	// Reads on to the end, where the archive checks its sum.
	switch n, err := io.ReadFull(r, buffer[:1]); {
	case n > 0:
		return fmt.Errorf("has bytes beyond the %d that shape %s of %v needs", h.length*int64(h.Type.bytes), ShapeString(h.Shape), h.Type)
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

func (h Header) truncated(bytes int64) error {
	return fmt.Errorf("truncated: shape %s of %v needs %d bytes, there are %d", ShapeString(h.Shape), h.Type, h.length*int64(h.Type.bytes), bytes)
}

// index returns where in C order the value is that is number i of the file.
func (h Header) index(i int) int {
	if !h.fortran {
		return i
	}
	at, stride := 0, h.Len()
	for _, extent := range h.Shape {
		stride /= extent
		at += i % extent * stride
		i /= extent
	}
	return at
}

// value decodes the value at the beginning of b.
func (t Type) value(b []byte) (Value, error) {
	bits := t.bits(b)
	switch t.kind {
	case 'f':
		switch t.bytes {
		case 2:
			return Value{float: half(uint16(bits))}, nil
		case 4:
			return Value{float: float64(math.Float32frombits(uint32(bits)))}, nil
		}
		return Value{float: math.Float64frombits(bits)}, nil
	case 'i':
		unused := 64 - 8*t.bytes
		return Value{whole: int64(bits<<unused) >> unused, isWhole: true}, nil
	}
	if bits > math.MaxInt64 {
		return Value{}, fmt.Errorf("is %d; at most %d is read", bits, int64(math.MaxInt64))
	}
	return Value{whole: int64(bits), isWhole: true}, nil
}

// bits returns the bytes of a value as a number.
func (t Type) bits(b []byte) uint64 {
	var order binary.ByteOrder = binary.LittleEndian
	if t.bigEndian {
		order = binary.BigEndian
	}
	switch t.bytes {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(order.Uint16(b))
	case 4:
		return uint64(order.Uint32(b))
	}
	return order.Uint64(b)
}

// half returns the value of a float16 (IEEE 754 binary16: 1 sign bit, 5 of the
// exponent with bias 15, 10 of the fraction).
func half(bits uint16) float64 {
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
	return v
}

// readTensor reads a whole array.
func (h Header) readTensor(r io.Reader) (Tensor, error) {
	t := Tensor{Shape: h.Shape}
	n := h.Len()
	switch {
	case h.Type.kind != 'f':
		t.Int64 = make([]int64, n)
		return t, h.each(r, func(i int, v Value) error { t.Int64[i] = v.whole; return nil })
	case h.Type.bytes == 8:
		t.Float64 = make([]float64, n)
		return t, h.each(r, func(i int, v Value) error { t.Float64[i] = v.float; return nil })
	}
	t.Float32 = make([]float32, n)
	return t, h.each(r, func(i int, v Value) error { t.Float32[i] = float32(v.float); return nil })
}
