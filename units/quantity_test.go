package units

import (
	"math"
	"strings"
	"testing"
)

var clock = Form{Kind: Frequency, In: "Hz", Least: 1, Most: 10e9, Bounds: "1Hz to 10GHz", Whole: true, Example: "200MHz"}

// The values are the prefixes of the SI and IEC 80000-13.
func TestQuantities(t *testing.T) {
	for text, want := range map[string]struct {
		value float64
		of    Dimension
	}{
		"4s": {4, Dimension{Seconds: 1}}, "4 s": {4, Dimension{Seconds: 1}}, "1.5ms": {0.0015, Dimension{Seconds: 1}},
		"128 KiB": {131072, Dimension{Bytes: 1}}, "0x10KiB": {16384, Dimension{Bytes: 1}}, "2B": {2, Dimension{Bytes: 1}},
		"1.5 mJ": {1.5e9, Dimension{Joules: 1}}, "12J": {12e12, Dimension{Joules: 1}}, "2µJ": {2e6, Dimension{Joules: 1}},
		"19.2 GB/s": {19.2e9, Dimension{Bytes: 1, Seconds: -1}}, "2400MT/s": {2.4e9, Dimension{Transfers: 1, Seconds: -1}},
		"200MHz": {2e8, Dimension{Seconds: -1}}, "5 W": {5e12, Dimension{Joules: 1, Seconds: -1}},
		"7": {7, Dimension{}}, "1e3": {1000, Dimension{}}, "-.5": {-0.5, Dimension{}}, "0x1F": {31, Dimension{}},
	} {
		v, of, ok := ParseQuantity(text)
		if !ok || math.Abs(v-want.value) > 1e-12*math.Abs(want.value) || of != want.of {
			t.Errorf("%q is %v, %v, %v; want %v", text, v, of, ok, want)
		}
	}
	for _, text := range []string{"", "s", "4 parsecs", "1e999", "NaN", ".nan", "2MB", "Inf", "1e400s", "4s2", "4 m s"} {
		if v, of, ok := ParseQuantity(text); ok {
			t.Errorf("%q is %v, %v", text, v, of)
		}
	}
}

func TestFormsSayWhatIsAccepted(t *testing.T) {
	for text, want := range map[string]string{
		"200":       `"200" has no unit; write for example 200MHz`,
		"fastMHz":   `"fastMHz" is not a number with a unit; write for example 200MHz`,
		".nanHz":    `".nanHz" is not a number with a unit; write for example 200MHz`,
		"1MB":       `"1MB" is in MB; write it in Hz, kHz, MHz, GHz, for example 200MHz`,
		"1Mhz":      `"1Mhz" is in Mhz (did you mean "MHz"?); write it in Hz, kHz, MHz, GHz, for example 200MHz`,
		"11GHz":     `"11GHz" is out of range; write 1Hz to 10GHz, for example 200MHz`,
		"1.0001kHz": `"1.0001kHz" is not a whole number of Hz; write for example 200MHz`,
	} {
		if v, err := clock.Parse(text); err == nil || err.Error() != want {
			t.Errorf("%q is %v, %v; want %s", text, v, err, want)
		}
	}
	if _, err := clock.Or("workload").Parse("1"); err == nil || !strings.HasSuffix(err.Error(), "200MHz or workload") {
		t.Error(err)
	}
	if _, err := clock.Or("workload").Parse("1"); err == nil || clock.Example != "200MHz" {
		t.Error("a form has changed")
	}
}

// A decimal with a unit is the whole number that it stands for.
func TestDecimalsOfUnitsAreWhole(t *testing.T) {
	for milli := range 10_000 {
		text := string([]byte{byte('0' + milli/1000), '.', byte('0' + milli/100%10), byte('0' + milli/10%10), byte('0' + milli%10)})
		if v, err := clock.Parse(text + "GHz"); err != nil && milli > 0 || v != float64(milli*1e6) {
			t.Fatalf("%sGHz is %v, %v", text, v, err)
		}
	}
}

func TestDimensions(t *testing.T) {
	if d := Power.Times(Duration.Dimension); d != Energy.Dimension || d.String() != "an energy" {
		t.Errorf("power times time is %v", d)
	}
	if d := Memory.Over(Duration.Dimension); d != Bandwidth.Dimension {
		t.Errorf("memory over time is %v", d)
	}
	if d := Energy.Over(Energy.Dimension); d.String() != "a plain number" {
		t.Errorf("energy over energy is %v", d)
	}
	if d := Energy.Times(Memory.Dimension); d.String() != "of no kind that has a unit" {
		t.Errorf("energy times memory is %v", d)
	}
}

// A unit's name is one kind's, and one of its kind is the base that others count.
func TestUnitsAreOfOneKind(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Kinds {
		for i, u := range k.units {
			if seen[u.name] || i > 0 && u.scale < k.units[i-1].scale {
				t.Errorf("%s is there twice, or out of order", u.name)
			}
			seen[u.name] = true
		}
	}
}

func FuzzParseQuantity(f *testing.F) {
	for _, text := range []string{"4s", "128 KiB", "1.5 mJ", "19.2 GB/s", "1e999 s", "0x", "µ", "/", ".nan Hz", "-0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if v, _, ok := ParseQuantity(text); ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
			t.Errorf("%q is %v", text, v)
		}
		if v, err := clock.Parse(text); err == nil && (v < 1 || v > 10e9 || v != math.Trunc(v)) {
			t.Errorf("%q is %v", text, v)
		} else if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%q", err)
		}
	})
}

func TestSizesPrintWhatTheyAre(t *testing.T) {
	for b, want := range map[Bytes]string{1: "1 B", 1536: "1536 B", 128 * KiB: "128 KiB", 3 * MiB: "3 MiB", 1025 * MiB: "1025 MiB", 2 * GiB: "2 GiB"} {
		if got := b.Text(); got != want {
			t.Errorf("%d is %s, want %s", b, got, want)
		}
	}
}
