package energy

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/units"
)

// TestTheSameBitsOnEveryProcessor: what is added up of products, and what lies
// between points. A processor that rounds once where another rounds twice, or
// takes logarithms in its own way, would be off in the last bits.
func TestTheSameBitsOnEveryProcessor(t *testing.T) {
	table := Default()
	table.SRAMRead[1].Amount, table.SRAMStaticPerKiB.Amount = 10.1, 0.0661
	for _, c := range []struct {
		what string
		got  float64
		want uint64
	}{
		{"reads and writes", float64(table.SRAM(32*units.KiB, 4, 1234567, 7654321)), 0x419538e1c2cccccd},
		{"between points", float64(table.SRAM(20000, 4, 3, 7)), 0x405391a4065f3ea8},
		{"far between points", float64(table.SRAM(777777, 2, 3, 7)), 0x406b35772a5be601},
		{"leakage", float64(table.Static(1001, pe.Fixed16, 123456)), 0x4044202ee631f8a0},
	} {
		if got := math.Float64bits(c.got); got != c.want {
			t.Errorf("%s: %#x (%v), want %#x (%v)", c.what, got, c.got, c.want, math.Float64frombits(c.want))
		}
	}
}

// TestBetweenPointsIsAPowerLaw: a straight line on logarithmic scales.
func TestBetweenPointsIsAPowerLaw(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		below := Point{Capacity: units.Bytes(rapid.Int64Range(1, 1<<40).Draw(r, "below"))}
		above := Point{Capacity: below.Capacity + units.Bytes(rapid.Int64Range(1, 1<<40).Draw(r, "span"))}
		at := units.Bytes(rapid.Int64Range(int64(below.Capacity), int64(above.Capacity)).Draw(r, "at"))
		below.Amount = rapid.Float64Range(1e-6, 1e6).Draw(r, "cheap")
		above.Amount = rapid.Float64Range(1e-6, 1e6).Draw(r, "dear")
		fraction := math.Log(float64(at)/float64(below.Capacity)) / math.Log(float64(above.Capacity)/float64(below.Capacity))
		want := below.Amount * math.Pow(above.Amount/below.Amount, fraction)
		// Near the ends of a short span the fraction itself is not known better.
		slack := 1e-12 + 1e-14*math.Abs(math.Log(above.Amount/below.Amount))*float64(above.Capacity)/float64(above.Capacity-below.Capacity)
		if got := access([]Point{below, above}, at); math.Abs(got-want) > slack*want {
			r.Errorf("%v pJ at %d between %v and %v, want %v", got, at, below, above, want)
		}
	})
}
