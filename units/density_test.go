package units

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestDecimalDensityIsExact(t *testing.T) {
	for _, c := range []struct {
		text     string
		num, den int64
		printed  string
	}{
		{"0.1", 1, 10, "0.1"}, // not the float nearest to 0.1
		{"0.10", 1, 10, "0.1"},
		{".5", 1, 2, "0.5"},
		{" 1 ", 1, 1, "1"},
		{"0", 0, 1, "0"},
		{"1e-3", 1, 1000, "0.001"},
		{"0.123456789012345678", 61728394506172839, 500000000000000000, "0.123456789012345678"},
	} {
		d, err := ParseDensity(c.text)
		if err != nil || d.Rat().Cmp(big.NewRat(c.num, c.den)) != 0 || d.String() != c.printed {
			t.Errorf("%q is %v, printed %v, %v; want %d/%d", c.text, d.Rat(), d, err, c.num, c.den)
		}
	}
}

func TestDensityErrorsSayWhatIsAccepted(t *testing.T) {
	const accepted = "; write a decimal between 0 and 1, such as 0.1"
	for _, c := range []struct{ text, why string }{
		{"", `density "" is not a decimal number`},
		{"x", `density "x" is not a decimal number`},
		{"1/3", `density "1/3" is not a decimal number`},
		{"0x1p-2", `density "0x1p-2" is not a decimal number`},
		{"0_1", `density "0_1" is not a decimal number`},
		{"NaN", `density "NaN" is not a decimal number`},
		{"10%", `density "10%" is not a decimal number`},
		{"-0.1", `density "-0.1" is outside 0..1`},
		{"1.0001", `density "1.0001" is outside 0..1`},
		{"0.1234567890123456789", `density "0.1234567890123456789" has more than 18 decimals`},
		{"1e-30", `density "1e-30" has more than 18 decimals`},
	} {
		if _, err := ParseDensity(c.text); err == nil || err.Error() != c.why+accepted {
			t.Errorf("%q: %v, want %s", c.text, err, c.why)
		}
	}
}

func TestZeroDensityIsZero(t *testing.T) {
	var d Density
	if d.Rat().Sign() != 0 || d.Float() != 0 || d.String() != "0" {
		t.Errorf("zero value is %v", d)
	}
}

func TestRatioOfCounts(t *testing.T) {
	d, err := Ratio(2, 6)
	if err != nil || d.Rat().Cmp(big.NewRat(1, 3)) != 0 || d.String() != "0.333333" || math.Abs(d.Float()-1.0/3) > 1e-16 {
		t.Errorf("2 of 6 is %v, %v", d, err)
	}
	for _, c := range [][2]int64{{1, 0}, {-1, 2}, {3, 2}} {
		if _, err := Ratio(c[0], c[1]); err == nil {
			t.Errorf("%d of %d was accepted", c[0], c[1])
		}
	}
}

func TestRoundHalfEven(t *testing.T) {
	for _, c := range []struct{ num, den, want int64 }{
		{0, 1, 0},
		{1, 2, 0},
		{3, 2, 2},
		{5, 2, 2},
		{7, 2, 4},
		{4, 3, 1},
		{5, 3, 2},
		{49, 100, 0},
		{51, 100, 1},
		{math.MaxInt64, 1, math.MaxInt64},
	} {
		if got, err := RoundHalfEven(big.NewRat(c.num, c.den)); got != c.want || err != nil {
			t.Errorf("%d/%d rounds to %d, %v; want %d", c.num, c.den, got, err, c.want)
		}
	}
	large := new(big.Rat).Add(big.NewRat(math.MaxInt64, 1), big.NewRat(1, 2))
	if _, err := RoundHalfEven(large); !errors.Is(err, ErrOverflow) {
		t.Errorf("2^63 - 1/2 rounds up out of range, got %v", err)
	}
}

// math.RoundToEven is the reference where float64 holds the fraction exactly.
func TestRoundHalfEvenEqualsFloat(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		num := rapid.Int64Range(0, 1<<50).Draw(r, "eighths")
		got, err := RoundHalfEven(big.NewRat(num, 8))
		if want := int64(math.RoundToEven(float64(num) / 8)); got != want || err != nil {
			r.Errorf("%d/8 rounds to %d, %v; want %d", num, got, err, want)
		}
	})
}

func TestDensityPrintsWhatItParses(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		den := rapid.SampledFrom([]int64{1, 10, 1000, 1_000_000_000, 1_000_000_000_000_000_000}).Draw(r, "denominator")
		d, err := Ratio(rapid.Int64Range(0, den).Draw(r, "numerator"), den)
		if err != nil {
			r.Fatal(err)
		}
		again, err := ParseDensity(d.String())
		if err != nil || again != d {
			r.Errorf("%v parses as %v, %v", d, again, err)
		}
	})
}

func FuzzParseDensity(f *testing.F) {
	for _, text := range []string{"0.1", "1e-18", "1e999999999", "0.5e0", "+.25"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDensity(text)
		if err == nil && (d.Rat().Sign() < 0 || d.Rat().Cmp(big.NewRat(1, 1)) > 0) {
			t.Errorf("%q accepted as %v", text, d)
		}
	})
}
