// Package elementary has the functions of results that are no single IEEE 754
// operation, with the same bits on every processor.
//
// The standard library writes exponential, logarithm and power for each
// processor's own instructions, so that their last places differ, even between
// amd64 processors with and without a fused multiply-add. Here every operation
// is rounded on its own (float64(x*y) + z), which the Go specification holds on
// every processor. Results are within one unit in the last place.
package elementary

import "math"

// ln 2 in two parts. The first has 33 bits, so that its product with an
// exponent of a float64 is exact.
const (
	ln2High = 0x1.62e42feep-1
	ln2Low  = math.Ln2 - ln2High
)

// Coefficients of the series of exp and log, rounded once.
var (
	reciprocalFactorials = func() (c [14]float64) { // 1/n!
		factorial := 1.0 // exact: below 2^53
		for n := range c {
			factorial *= float64(max(n, 1))
			c[n] = 1 / factorial
		}
		return c
	}()
	twoByOdd = func() (c [11]float64) { // 2/(2n+1)
		for n := range c {
			c[n] = 2 / float64(2*n+1)
		}
		return c
	}()
)

// Exp returns e^x.
func Exp(x float64) float64 {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return x
	case x > 710:
		return math.Inf(1)
	case x < -746:
		return 0
	}
	// x = exponent ln 2 + r + low, with r at most ln 2 / 2.
	exponent := math.RoundToEven(x / math.Ln2)
	high := x - float64(exponent*ln2High)
	tail := float64(exponent * ln2Low)
	r := high - tail
	low := (high - r) - tail
	// e^r = 1 + r + r^2 (1/2! + r/3! + ...); what 1 + r rounds off is kept.
	series := 0.0
	for n := len(reciprocalFactorials) - 1; n >= 2; n-- {
		series = float64(series*r) + reciprocalFactorials[n]
	}
	sum := 1 + r
	rest := r - (sum - 1)
	return math.Ldexp(sum+(rest+(low+float64(float64(r*r)*series))), int(exponent))
}

// Log returns the natural logarithm of x: NaN below zero, minus infinity at zero.
func Log(x float64) float64 {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return x
	case x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	}
	// x = (1 + f) 2^exponent, with 1 + f from sqrt(1/2) to sqrt(2).
	fraction, power := math.Frexp(x)
	if fraction < math.Sqrt2/2 {
		fraction, power = 2*fraction, power-1
	}
	f, exponent := fraction-1, float64(power)
	// With s = f/(2+f), ln(1+f) = 2 (s + s^3/3 + s^5/5 + ...), and as 2s = f - s f,
	// = f - f^2/2 + s (f^2/2 + 2 s^2/3 + 2 s^4/5 + ...): f is exact, the rest small.
	s := f / (2 + f)
	z := float64(s * s)
	series := 0.0
	for n := len(twoByOdd) - 1; n >= 1; n-- {
		series = float64((series + twoByOdd[n]) * z)
	}
	half := float64(0.5 * float64(f*f))
	rest := float64(s*(half+series)) + float64(exponent*ln2Low)
	return float64(exponent*ln2High) + (f - (half - rest))
}

// Power returns x^n by squaring, each product rounded.
func Power(x float64, n int) float64 {
	if n < 0 {
		return 1 / Power(x, -n)
	}
	result := 1.0
	for ; n > 0; n /= 2 {
		if n%2 == 1 {
			result *= x
		}
		x *= x
	}
	return result
}
