// Package units holds the physical quantities that accelsim counts and times.
//
// Each quantity is a type of its own, so that words are never added to bytes
// nor PE clocks to picoseconds. Products of sizes go through [Mul], which
// reports overflow instead of wrapping: a workload whose size does not fit in
// 63 bits is refused before anything is allocated.
package units

import (
	"errors"
	"fmt"
	"math/bits"
)

type (
	// Words counts words: one weight, state, error or gradient each. A word has 4
	// bytes, of fp32, unless the hardware has another number format.
	Words int64
	// Bytes counts bytes of memory.
	Bytes int64
	// Cycles counts clock cycles; the clock is the PE array's unless said otherwise.
	Cycles int64
	// Picoseconds is simulated time.
	Picoseconds int64
	// Picojoules is energy.
	Picojoules float64
	// Hertz is a clock frequency.
	Hertz int64
)

// WordBytes is the size of one word (fp32).
const WordBytes = 4

// Binary multiples of a byte.
const (
	KiB Bytes = 1 << 10
	MiB Bytes = 1 << 20
	GiB Bytes = 1 << 30
)

// Decimal multiples of a hertz.
const (
	MHz Hertz = 1_000_000
	GHz Hertz = 1_000_000_000
)

// Second is one second of simulated time.
const Second Picoseconds = 1_000_000_000_000

// ErrOverflow is returned when a size does not fit in 63 bits.
var ErrOverflow = errors.New("size overflows 64 bits")

// Bytes returns the size of w words of fp32.
func (w Words) Bytes() Bytes { return w.Of(WordBytes) }

// Of returns the size of w words of that many bytes each.
func (w Words) Of(word Bytes) Bytes { return Bytes(w) * word }

// Period returns the length of one clock cycle, rounded to the picosecond.
func (f Hertz) Period() Picoseconds {
	return (Second + Picoseconds(f)/2) / Picoseconds(f)
}

// Seconds returns p in seconds.
func (p Picoseconds) Seconds() float64 { return float64(p) / float64(Second) }

// Joules returns e in joules.
func (e Picojoules) Joules() float64 { return float64(e) * 1e-12 }

// CeilDiv returns a/b rounded up, for a >= 0 and b > 0.
func CeilDiv[T ~int | ~int64](a, b T) T { return (a + b - 1) / b }

// Mul returns the product of non-negative factors, or [ErrOverflow] if it does
// not fit in 63 bits. The product of no factors is 1.
func Mul[T ~int | ~int64](factors ...T) (T, error) {
	product := uint64(1)
	for _, f := range factors {
		if f < 0 {
			return 0, fmt.Errorf("negative factor %d", f)
		}
		hi, lo := bits.Mul64(product, uint64(f))
		if hi != 0 || lo > 1<<63-1 {
			for _, g := range factors { // a later zero makes the product zero
				if g == 0 {
					return 0, nil
				}
			}
			return 0, ErrOverflow
		}
		product = lo
	}
	return T(product), nil
}

// Add returns a+b for non-negative a and b, or [ErrOverflow].
func Add[T ~int | ~int64](a, b T) (T, error) {
	if a+b < a {
		return 0, ErrOverflow
	}
	return a + b, nil
}
