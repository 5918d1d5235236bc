package units

import (
	"fmt"
	"math/big"
	"strings"
)

// Density is the exact fraction of inputs that are non-zero (the paper's
// alpha). A decimal such as "0.1" is one tenth, not the nearest float, so that
// operation totals come out whole. The zero value is the density 0.
type Density struct {
	num, den int64 // reduced; den == 0 stands for 1
}

// maxDecimals bounds a decimal density so that its denominator fits in int64.
const maxDecimals = 18

// ParseDensity reads a decimal between 0 and 1.
func ParseDensity(text string) (Density, error) {
	bad := func(why string) (Density, error) {
		return Density{}, fmt.Errorf("density %q %s; write a decimal between 0 and 1, such as 0.1", text, why)
	}
	r, ok := new(big.Rat).SetString(strings.TrimSpace(text))
	if !ok || strings.ContainsAny(text, "/_xXpPbBoO") {
		return bad("is not a decimal number")
	}
	if r.Sign() < 0 || r.Cmp(big.NewRat(1, 1)) > 0 {
		return bad("is outside 0..1")
	}
	if !r.Denom().IsInt64() || r.Denom().Int64() > 1_000_000_000_000_000_000 {
		return bad(fmt.Sprintf("has more than %d decimals", maxDecimals))
	}
	return Density{r.Num().Int64(), r.Denom().Int64()}, nil
}

// Ratio returns the density of nonzero inputs among total.
func Ratio(nonzero, total int64) (Density, error) {
	if total <= 0 || nonzero < 0 || nonzero > total {
		return Density{}, fmt.Errorf("density %d/%d is outside 0..1", nonzero, total)
	}
	r := big.NewRat(nonzero, total)
	return Density{r.Num().Int64(), r.Denom().Int64()}, nil
}

// Rat returns d as an exact rational.
func (d Density) Rat() *big.Rat {
	if d.den == 0 {
		return new(big.Rat)
	}
	return big.NewRat(d.num, d.den)
}

// Float returns the float64 nearest to d.
func (d Density) Float() float64 { f, _ := d.Rat().Float64(); return f }

// String prints d as the shortest decimal that is exact, or else to 6 digits.
func (d Density) String() string {
	r := d.Rat()
	if n, exact := r.FloatPrec(); exact {
		return r.FloatString(n)
	}
	return r.FloatString(6)
}

// RoundHalfEven rounds a non-negative rational to the nearest integer, ties to
// the even one, and reports [ErrOverflow] if the result does not fit in 63 bits.
func RoundHalfEven(r *big.Rat) (int64, error) {
	quo, rem := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	twice := rem.Lsh(rem, 1)
	if c := twice.Cmp(r.Denom()); c > 0 || (c == 0 && quo.Bit(0) == 1) {
		quo.Add(quo, big.NewInt(1))
	}
	if !quo.IsInt64() {
		return 0, ErrOverflow
	}
	return quo.Int64(), nil
}
