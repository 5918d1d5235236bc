// Package fixed is the fixed-point datapath: the arithmetic that the RTL in
// hdl/ executes, bit for bit, and the number of clocks that it takes.
//
// Values are two's complement integers in an int64 with a [Format] that says
// where the binary point is. Sums are exact: accumulators are as wide as the
// longest sum needs. Where a result leaves a unit it is rounded once, to the
// nearest value with ties to even, and saturated.
package fixed

import (
	"fmt"
	"math"
	"math/bits"
	"regexp"
	"strconv"
	"strings"
)

// Format is Qm.n: m integer bits, the sign among them, and n fraction bits.
type Format struct{ Integer, Fraction int }

// Widths that a format may have. The upper bound keeps the exact sums of
// products within 63 bits.
const (
	minWidth = 4
	maxWidth = 24
)

var formatText = regexp.MustCompile(`^[qQ]([0-9]{1,2})\.([0-9]{1,2})$`)

// ParseFormat reads "q4.12": 4 integer bits with the sign, 12 fraction bits.
func ParseFormat(text string) (Format, error) {
	m := formatText.FindStringSubmatch(text)
	if m == nil {
		return Format{}, fmt.Errorf("%q is no fixed-point format; write for example q4.12: 4 integer bits with the sign, 12 fraction bits", text)
	}
	var f Format
	f.Integer, _ = strconv.Atoi(m[1]) // two digits: cannot fail
	f.Fraction, _ = strconv.Atoi(m[2])
	if f.Integer < 1 || f.Width() < minWidth || f.Width() > maxWidth {
		return Format{}, fmt.Errorf("%q has %d integer and %d fraction bits; m in qm.n counts the sign and is at least 1, m + n is %d to %d",
			text, f.Integer, f.Fraction, minWidth, maxWidth)
	}
	return f, nil
}

// String prints the format as q4.12.
func (f Format) String() string { return fmt.Sprintf("q%d.%d", f.Integer, f.Fraction) }

// Width is the number of bits.
func (f Format) Width() int { return f.Integer + f.Fraction }

// Max and Min are the ends of the range, as integers.
func (f Format) Max() int64 { return 1<<(f.Width()-1) - 1 }

// Min is the least value.
func (f Format) Min() int64 { return -1 << (f.Width() - 1) }

// Value returns the number that an integer stands for.
func (f Format) Value(x int64) float64 { return math.Ldexp(float64(x), -f.Fraction) }

// Encode rounds a number to the nearest value of the format, ties to even, and
// saturates it.
func (f Format) Encode(v float64) int64 {
	scaled := math.RoundToEven(math.Ldexp(v, f.Fraction))
	return int64(min(max(scaled, float64(f.Min())), float64(f.Max())))
}

// inRange tells whether a number rounds to a value of the format without being
// clipped.
func (f Format) inRange(v float64) bool {
	scaled := math.RoundToEven(math.Ldexp(v, f.Fraction))
	return scaled >= float64(f.Min()) && scaled <= float64(f.Max())
}

// saturate clips to the format's range.
func (f Format) saturate(x int64) int64 { return min(max(x, f.Min()), f.Max()) }

// narrow is what leaves a unit: x / 2^shift, rounded to nearest even, saturated.
// A negative shift multiplies.
func (f Format) narrow(x int64, shift int) int64 { return f.saturate(roundShift(x, shift)) }

// roundShift returns x / 2^shift rounded to nearest, ties to even.
func roundShift(x int64, shift int) int64 {
	if shift <= 0 {
		return x << -shift
	}
	if shift > 62 {
		return 0
	}
	floor, half := x>>shift, int64(1)<<(shift-1)
	rest := x & (1<<shift - 1)
	if rest > half || (rest == half && floor&1 == 1) {
		floor++
	}
	return floor
}

// Formats are those of the four kinds of word.
type Formats struct{ Weight, Potential, Error, Gradient Format }

// ParseFormats reads one format for all, "q4.12", or one for each kind of word,
// "w=q2.14,u=q4.12,e=q4.12,g=q6.10".
func ParseFormats(text string) (Formats, error) {
	if !strings.Contains(text, "=") {
		f, err := ParseFormat(text)
		return Formats{f, f, f, f}, err
	}
	var all Formats
	places := map[string]*Format{"w": &all.Weight, "u": &all.Potential, "e": &all.Error, "g": &all.Gradient}
	for _, part := range strings.Split(text, ",") {
		key, value, _ := strings.Cut(part, "=")
		place, ok := places[key]
		if !ok {
			return all, fmt.Errorf("%q: %q is not w (weights), u (potentials), e (errors) or g (gradients), each given once", text, key)
		}
		var err error
		if *place, err = ParseFormat(value); err != nil {
			return all, err
		}
		delete(places, key)
	}
	if len(places) > 0 {
		return all, fmt.Errorf("%q names %d of 4 formats; write w=qm.n,u=qm.n,e=qm.n,g=qm.n", text, 4-len(places))
	}
	return all, nil
}

// String prints what [ParseFormats] reads.
func (f Formats) String() string {
	if f == (Formats{f.Weight, f.Weight, f.Weight, f.Weight}) {
		return f.Weight.String()
	}
	return fmt.Sprintf("w=%v,u=%v,e=%v,g=%v", f.Weight, f.Potential, f.Error, f.Gradient)
}

// guard returns the bits that a sum of n terms needs beyond a term's.
func guard(n int) int { return bits.Len(uint(max(n, 1) - 1)) }

// Round returns x / 2^shift rounded to nearest, ties to even.
func Round(x int64, shift int) int64 { return roundShift(x, shift) }

// Divide returns x / by rounded to nearest, ties to even, for by > 0.
func Divide(x, by int64) int64 {
	floor, rest := x/by, x%by
	if rest < 0 {
		floor, rest = floor-1, rest+by
	}
	if 2*rest > by || (2*rest == by && floor&1 == 1) {
		floor++
	}
	return floor
}
