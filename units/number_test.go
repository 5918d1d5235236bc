package units

import (
	"math"
	"testing"
)

// TestNumbers of YAML 1.2 (section 10.3.2), not of 1.1.
func TestNumbers(t *testing.T) {
	for text, want := range map[string]float64{
		"0": 0, "010": 10, "0010": 10, "-010": -10, "+7": 7, "0o10": 8, "0o777": 511, "0x1F": 31, "0x1f": 31,
		"1.5": 1.5, ".5": 0.5, "5.": 5, "-1e-3": -0.001, "1E+3": 1000, "010.5": 10.5,
		".inf": math.Inf(1), "-.Inf": math.Inf(-1), "1e999": math.Inf(1), "0xfffffffffffffffffff": math.Inf(1),
		"9223372036854775807": math.MaxInt64, "99999999999999999999": 1e20,
	} {
		if got, err := ParseNumber(text); err != nil || got != want {
			t.Errorf("%s is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-", "1_000", "0b11", "0o8", "0O7", "0X1", "-0x1", "1e", ".", "1,5", "inf", "Inf", "NaN", "0x1p4", "1:30", " 1"} {
		if got, err := ParseNumber(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
	if v, err := ParseNumber(".NaN"); err != nil || !math.IsNaN(v) {
		t.Error(v, err)
	}
	for text, want := range map[string]int64{"010": 10, "0o10": 8, "0x10": 16, "-3": -3} {
		if got, err := ParseInteger(text); err != nil || got != want {
			t.Errorf("%s is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"1.0", "1e3", "99999999999999999999", "0o", "0x"} {
		if got, err := ParseInteger(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
