package energy

import (
	"math"
	"testing"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/units"
)

// TestWritesHaveAPriceOfTheirOwn: the built-in table has the same for reads, so
// that one taken for the other would not show.
func TestWritesHaveAPriceOfTheirOwn(t *testing.T) {
	table := load(t, "sram: {read: {8 KiB: 2 pJ}, write: {8 KiB: 7 pJ}}")
	for _, c := range []struct {
		what          string
		reads, writes units.Words
		want          units.Picojoules
	}{
		{"a read", 1, 0, 2},
		{"a write", 0, 1, 7},
		{"three reads and five writes", 3, 5, 3*2 + 5*7},
	} {
		if got := table.SRAM(8*units.KiB, 4, c.reads, c.writes); got != c.want {
			t.Errorf("%s: %v pJ, want %v", c.what, got, c.want)
		}
		if got := table.SRAM(8*units.KiB, 2, c.reads, c.writes); got != c.want/2 {
			t.Errorf("%s of half the width: %v pJ, want %v", c.what, got, c.want/2)
		}
		if got := table.SRAM(32*units.KiB, 4, c.reads, c.writes); got != 2*c.want {
			t.Errorf("%s in four times the capacity: %v pJ, want %v", c.what, got, 2*c.want)
		}
	}
}

// TestEveryOperationHasAPriceOfItsOwn in every format.
func TestEveryOperationHasAPriceOfItsOwn(t *testing.T) {
	table := Default()
	n := 1.0
	for p := range table.Operations {
		for op := range table.Operations[p] {
			table.Operations[p][op].Amount = n
			n++
		}
	}
	n = 1
	for p := range table.Operations {
		for op := range table.Operations[p] {
			if got := float64(table.PE(pe.Precision(p), pe.Op(op))); got != n {
				t.Errorf("%v of %v: %v pJ, want %v", pe.Op(op), pe.Precision(p), got, n)
			}
			n++
		}
	}
}

// TestMACFollowsEitherValue: an addition's or a multiplication's.
func TestMACFollowsEitherValue(t *testing.T) {
	for text, want := range map[string]float64{"add_fp32: 1 pJ": 1 + 3.7, "multiply_fp32: 2 pJ": 0.9 + 2, "add_fp16: 1 pJ": 0.9 + 3.7} {
		if got := float64(load(t, "pe: {"+text+"}").PE(pe.FP32, pe.MAC)); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: %v pJ, want %v", text, got, want)
		}
	}
}

// TestLeakageIsOfPEsAndOfCapacity, in proportion to each.
func TestLeakageIsOfPEsAndOfCapacity(t *testing.T) {
	table := load(t, "pe: {static: 3 mW}\nsram: {static_per_kib: 5 mW}")
	for _, c := range []struct {
		pes       int
		precision pe.Precision
		capacity  units.Bytes
		want      Milliwatts
	}{
		{0, pe.FP32, 0, 0},
		{7, pe.FP32, 0, 21},
		{7, pe.Fixed16, 0, 10.5},
		{0, pe.FP16, 11 * units.KiB, 55},
		{0, pe.FP32, 512, 2.5},
		{2, pe.Fixed32, units.KiB, 11},
	} {
		if got := table.Static(c.pes, c.precision, c.capacity); got != c.want {
			t.Errorf("%d PEs of %v and %d bytes leak %v mW, want %v", c.pes, c.precision, c.capacity, got, c.want)
		}
	}
}

// TestUnitsHavePrefixes: the same energy and power, however it is written.
func TestUnitsHavePrefixes(t *testing.T) {
	for _, text := range []string{"add_fp32: 2 pJ, static: 3 mW", "add_fp32: 2000 fJ, static: 3000 uW", "add_fp32: 0.002 nJ, static: 0.003 W"} {
		table := load(t, "pe: {"+text+"}")
		if got := float64(table.PE(pe.FP32, pe.Add)); math.Abs(got-2) > 1e-12 {
			t.Errorf("%s: %v pJ", text, got)
		}
		if got := table.PEStatic.Amount; math.Abs(got-3) > 1e-12 {
			t.Errorf("%s: %v mW", text, got)
		}
	}
}

// TestIdleValues are those in other formats than the machines'.
func TestIdleValues(t *testing.T) {
	table := load(t, "pe: {add_fp32: 2 pJ, compare_fp16: 1 pJ, mac_fixed16: 3 pJ, static: 1 mW}")
	for _, c := range []struct {
		machines []pe.Precision
		want     []string
	}{
		{[]pe.Precision{pe.FP32}, []string{"pe.compare_fp16", "pe.mac_fixed16"}},
		{[]pe.Precision{pe.FP16}, []string{"pe.add_fp32", "pe.mac_fixed16"}},
		{[]pe.Precision{pe.FP32, pe.Fixed16}, []string{"pe.compare_fp16"}},
		{[]pe.Precision{pe.FP32, pe.FP16, pe.Fixed16}, nil},
	} {
		idle, err := table.Idle(c.machines...)
		if err != nil {
			t.Error(err)
		}
		var keys []string
		for _, g := range idle {
			keys = append(keys, g.Key)
		}
		if len(keys) != len(c.want) || len(keys) > 0 && (keys[0] != c.want[0] || keys[len(keys)-1] != c.want[len(c.want)-1]) {
			t.Errorf("%v: %v, want %v", c.machines, keys, c.want)
		}
	}
	if idle, err := Default().Idle(pe.FP32); len(idle) > 0 || err != nil {
		t.Errorf("the built-in table: %v, %v", idle, err)
	}
	const want = "my.yaml:1: pe.compare: changes nothing: PEs compute in fixed16; give pe.compare_fixed16"
	if _, err := load(t, "pe: {compare: 2 pJ}").Idle(pe.Fixed16); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
