package units

import (
	"fmt"
	"math/big"
	"math/bits"
)

// Total is a sum of quantities of one kind, wider than any of them. What one
// step of a machine takes or moves fits in 64 bits; the sum over all steps need
// not: picoseconds end after 106 days. A total has 128 bits, sign included, so
// that 2^63 quantities of 63 bits each cannot overflow it.
//
// It prints, is written to JSON and is compared with == like the integer that
// it is. The zero Total is 0.
type Total[T ~int64] struct {
	high int64
	low  uint64
}

// TotalOf returns one quantity as a total.
func TotalOf[T ~int64](n T) Total[T] { return Total[T]{int64(n) >> 63, uint64(n)} }

// Sum returns the sum of totals.
func Sum[T ~int64](list ...Total[T]) (sum Total[T]) {
	for _, t := range list {
		sum.AddTotal(t)
	}
	return sum
}

// As returns a total of the same number of something else.
func As[To, From ~int64](t Total[From]) Total[To] { return Total[To](t) }

// Add adds one more quantity to t.
func (t *Total[T]) Add(n T) { t.AddTotal(TotalOf(n)) }

// AddTotal adds another total to t.
func (t *Total[T]) AddTotal(o Total[T]) {
	low, carry := bits.Add64(t.low, o.low, 0)
	t.low, t.high = low, t.high+o.high+int64(carry)
}

// Plus returns t and one more quantity.
func (t Total[T]) Plus(n T) Total[T] {
	t.Add(n)
	return t
}

// PlusTotal returns t + o.
func (t Total[T]) PlusTotal(o Total[T]) Total[T] {
	t.AddTotal(o)
	return t
}

// Minus returns t - o.
func (t Total[T]) Minus(o Total[T]) Total[T] {
	low, borrow := bits.Sub64(t.low, o.low, 0)
	return Total[T]{t.high - o.high - int64(borrow), low}
}

// Times returns n times t. What does not fit in 128 bits wraps: t or n must be
// known to be small.
func (t Total[T]) Times(n int64) Total[T] {
	high, low := bits.Mul64(t.low, uint64(n))
	product := Total[T]{int64(high) + t.high*n, low}
	if n < 0 { // uint64(n) is 2^64 too much
		product.high -= int64(t.low)
	}
	return product
}

// Compare returns -1, 0 or 1 as t is less than, equal to or more than o.
func (t Total[T]) Compare(o Total[T]) int {
	switch {
	case t.high < o.high || t.high == o.high && t.low < o.low:
		return -1
	case t == o:
		return 0
	}
	return 1
}

// Equal is ==, for packages that compare values.
func (t Total[T]) Equal(o Total[T]) bool { return t == o }

// Less tells whether t < o.
func (t Total[T]) Less(o Total[T]) bool { return t.Compare(o) < 0 }

// Sign returns -1, 0 or 1 as t is negative, 0 or positive.
func (t Total[T]) Sign() int { return t.Compare(Total[T]{}) }

// Max returns the larger of t and o.
func (t Total[T]) Max(o Total[T]) Total[T] {
	if t.Less(o) {
		return o
	}
	return t
}

// Min returns the smaller of t and o.
func (t Total[T]) Min(o Total[T]) Total[T] {
	if o.Less(t) {
		return o
	}
	return t
}

// One returns t as one quantity, and whether it fits.
func (t Total[T]) One() (n T, fits bool) {
	return T(t.low), t.high == int64(t.low)>>63
}

// DivMod returns t / by, rounded down, and the remainder, for t >= 0 and by > 0.
func (t Total[T]) DivMod(by T) (quotient Total[T], remainder T) {
	high, rest := uint64(t.high)/uint64(by), uint64(t.high)%uint64(by)
	low, rest := bits.Div64(rest, t.low, uint64(by))
	return Total[T]{int64(high), low}, T(rest)
}

// CeilDiv returns t / by, rounded up, for t >= 0 and by > 0.
func (t Total[T]) CeilDiv(by T) Total[T] {
	quotient, remainder := t.DivMod(by)
	if remainder > 0 {
		quotient.Add(1)
	}
	return quotient
}

// Float64 returns the float64 nearest to t: that of the int64 where it fits.
func (t Total[T]) Float64() float64 {
	if n, fits := t.One(); fits {
		return float64(n)
	}
	v, _ := new(big.Float).SetInt(t.Big()).Float64()
	return v
}

// Big returns t as a big integer.
func (t Total[T]) Big() *big.Int {
	b := new(big.Int).Lsh(big.NewInt(t.high), 64)
	return b.Add(b, new(big.Int).SetUint64(t.low))
}

// Format prints t as an integer, under any verb that integers have.
func (t Total[T]) Format(f fmt.State, verb rune) { t.Big().Format(f, verb) }

// String returns t in decimal digits.
func (t Total[T]) String() string { return t.Big().String() }

// MarshalJSON writes t as an integer.
func (t Total[T]) MarshalJSON() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalJSON reads an integer of up to 128 bits; null leaves t alone.
func (t *Total[T]) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	const digits = 40 // of 2^127, with its sign
	b, ok := new(big.Int), len(text) <= digits
	if ok {
		b, ok = b.SetString(string(text), 10)
	}
	if !ok {
		return fmt.Errorf("%.50s is not a whole number", text)
	}
	low := new(big.Int).And(b, new(big.Int).SetUint64(1<<64-1))
	high := b.Rsh(b, 64) // rounds down
	if !high.IsInt64() {
		return fmt.Errorf("%s: %w", text, ErrOverflow)
	}
	*t = Total[T]{high.Int64(), low.Uint64()}
	return nil
}

// Time is simulated time since its beginning, or a sum of times.
type Time = Total[Picoseconds]

// Clocks returns the clocks of a period that a time takes, rounded up.
func Clocks(t Time, period Picoseconds) Total[Cycles] {
	return As[Cycles](t.CeilDiv(period))
}

// Seconds returns a total time in seconds.
func Seconds(t Time) float64 { return t.Float64() / float64(Second) }
