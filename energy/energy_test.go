package energy

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/units"
)

func load(t *testing.T, text string) Table {
	t.Helper()
	table, err := Load(strings.NewReader(text), "my.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestDefaultValues(t *testing.T) {
	table := Default()
	for _, c := range []struct {
		what      string
		got, want units.Picojoules
	}{
		{"fp32 addition", table.PE(pe.FP32, pe.Add), 0.9},
		{"fp32 multiplication", table.PE(pe.FP32, pe.Multiply), 3.7},
		{"a MAC is an addition and a multiplication", table.PE(pe.FP32, pe.MAC), 0.9 + 3.7},
		{"a comparison is an integer addition", table.PE(pe.FP32, pe.Compare), 0.1},
		{"word of an 8 KiB SRAM", table.SRAM(8*units.KiB, 4, 1, 0), 5},
		{"word of a 32 KiB SRAM", table.SRAM(32*units.KiB, 4, 1, 0), 10},
		{"word of a 1 MiB SRAM", table.SRAM(units.MiB, 4, 0, 1), 50},
	} {
		if math.Abs(float64(c.got-c.want)) > 1e-12 {
			t.Errorf("%s: %v pJ, want %v", c.what, c.got, c.want)
		}
	}
	if got := table.Static(2, pe.FP32, 10*units.KiB); math.Abs(float64(got)-(2*0.0645+10*0.066)) > 1e-12 {
		t.Errorf("2 PEs and 10 KiB leak %v mW", got)
	}
}

// TestNarrowWordsCostLess: half the bits take half of what is paid by the bit,
// and Horowitz's figures of 16 bits.
func TestNarrowWordsCostLess(t *testing.T) {
	table := Default()
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"fp16 addition", float64(table.PE(pe.FP16, pe.Add)), 0.4},
		{"fp16 MAC", float64(table.PE(pe.FP16, pe.MAC)), 0.4 + 1.1},
		{"32-bit integer MAC", float64(table.PE(pe.Fixed32, pe.MAC)), 0.1 + 3.1},
		{"16-bit integer addition, rounded", float64(table.PE(pe.Fixed16, pe.Add)), math.Round(1e3*math.Sqrt(0.03*0.1)) / 1e3},
		{"16-bit integer multiplication, rounded", float64(table.PE(pe.Fixed16, pe.Multiply)), math.Round(1e2*math.Sqrt(0.2*3.1)) / 1e2},
		{"two bytes of a 32 KiB SRAM", float64(table.SRAM(32*units.KiB, 2, 1, 0)), 5},
		{"leakage of a 16-bit PE", float64(table.Static(1, pe.Fixed16, 0)), 0.0645 / 2},
	} {
		if math.Abs(c.got-c.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
}

func TestEveryNumberHasASource(t *testing.T) {
	for _, e := range Default().Entries() {
		if e.Source == "" || strings.HasPrefix(e.Source, "45nm.yaml") {
			t.Errorf("%s has no source", e.Key)
		}
		if e.Unit == "" || e.Amount <= 0 {
			t.Errorf("%s is %v %q", e.Key, e.Amount, e.Unit)
		}
	}
}

func TestStaticPowerTimesTime(t *testing.T) {
	if got := Milliwatts(2).Over(units.TotalOf(units.Second)); got != 2e9 {
		t.Errorf("2 mW for a second are %v pJ, want 2e9", got)
	}
}

func TestSRAMBetweenAndBeyondPoints(t *testing.T) {
	table := Default()
	at := func(b units.Bytes) float64 { return float64(table.SRAM(b, 4, 1, 0)) }
	for _, c := range []struct {
		what     string
		capacity units.Bytes
		want     float64
	}{
		{"half way on both logarithmic scales", 16 * units.KiB, math.Sqrt(5 * 10)},
		{"a quarter of the smallest costs half", 2 * units.KiB, 2.5},
		{"four times the largest cost twice", 4 * units.MiB, 100},
		{"nothing stored, nothing paid", 0, 0},
	} {
		if got := at(c.capacity); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v pJ at %d bytes, want %v", c.what, got, c.capacity, c.want)
		}
	}
}

func TestSRAMGrowsWithCapacity(t *testing.T) {
	table := Default()
	rapid.Check(t, func(r *rapid.T) {
		a := units.Bytes(rapid.Int64Range(1, 1<<40).Draw(r, "a"))
		b := units.Bytes(rapid.Int64Range(int64(a), 1<<40).Draw(r, "b"))
		if x, y := table.SRAM(a, 4, 1, 1), table.SRAM(b, 4, 1, 1); x > y {
			r.Errorf("%d bytes cost %v, %d bytes %v", a, x, b, y)
		}
	})
}

func TestFileReplacesValueByValue(t *testing.T) {
	table := load(t, `
pe:
  add_fp32: 500 fJ
  multiply_fp32: {value: 2 pJ, source: our cells}
sram:
  read: {64 KiB: 3 pJ}
  static_per_kib: 4 uW
`)
	want := Default()
	want.Technology = "my.yaml"
	want.Operations[pe.FP32][pe.Add] = Value{0.5, Picojoule, "my.yaml:3"}
	want.Operations[pe.FP32][pe.Multiply] = Value{2, Picojoule, "our cells"}
	want.Operations[pe.FP32][pe.MAC] = Value{2.5, Picojoule, "pe.add_fp32 + pe.multiply_fp32"}
	want.SRAMRead = []Point{{64 * units.KiB, Value{3, Picojoule, "my.yaml:6"}}}
	want.SRAMStaticPerKiB = Value{0.004, Milliwatt, "my.yaml:7"}
	want.Given = []Given{
		{"pe.add_fp32", "my.yaml", 3}, {"pe.multiply_fp32", "my.yaml", 4}, {"sram.read", "my.yaml", 6}, {"sram.static_per_kib", "my.yaml", 7},
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Error(diff)
	}
}

func TestMACMayHaveAValueOfItsOwn(t *testing.T) {
	if got := load(t, "pe: {mac_fp32: 4 pJ, add_fp32: 1 pJ}").PE(pe.FP32, pe.MAC); got != 4 {
		t.Errorf("%v pJ, want 4", got)
	}
	if got := load(t, "pe: {compare: 1 pJ}").PE(pe.FP32, pe.MAC); got != Default().PE(pe.FP32, pe.MAC) {
		t.Errorf("%v pJ, want the default", got)
	}
}

func TestPointsMayComeInAnyOrder(t *testing.T) {
	table := load(t, "technology: 28 nm\nsram: {write: {1 MiB: 9 pJ, 512 B: 1 pJ, 1 GiB: 100 pJ}}")
	if table.Technology != "28 nm" {
		t.Errorf("technology %q", table.Technology)
	}
	var got []string
	for _, e := range table.Entries() {
		if strings.HasPrefix(e.Key, "sram.write.") {
			got = append(got, fmt.Sprint(e.Key, " ", e.Amount))
		}
	}
	want := []string{"sram.write.512 B 1", "sram.write.1 MiB 9", "sram.write.1 GiB 100"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestZeroPointsInterpolate(t *testing.T) {
	table := load(t, "sram: {read: {1 KiB: 0 pJ, 4 KiB: 8 pJ}}")
	if got := table.SRAM(2*units.KiB, 4, 1, 0); got != 8 {
		t.Errorf("%v pJ between 0 and 8, want 8", got)
	}
}

func TestErrorsNameFileLineAndKey(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "my.yaml: is empty"},
		{"# nothing\n", "my.yaml: is empty"},
		{"[1, 2]", "my.yaml:1: is not a mapping; write keys and values as in 45nm.yaml"},
		{"pe: 3", "my.yaml:1: pe: is not a mapping; write keys and values as in 45nm.yaml"},
		{"pe:\n", "my.yaml:1: pe: is not a mapping; write keys and values as in 45nm.yaml"},
		{"PE: {add_fp32: 1 pJ}", "my.yaml:1: PE: is not a key (did you mean \"pe\"?); there are technology, pe, sram"},
		{"register: {read: 100 pJ, write: 100 pJ, spike_bit: 99 pJ}\ndram: {per_bit: 1000 pJ}", "my.yaml:1: register: changes nothing: the machine does not count accesses to the registers of PEs; leave it out"},
		{"pe: {compare: 1 pJ}\ndram: {per_bit: 1000 pJ}", "my.yaml:2: dram: changes nothing: a device's energy comes from the currents in its own file; leave it out"},
		{"technology: [45]", "my.yaml:1: technology: is not text; write for example 45 nm"},
		{"pe:\n  add: 1 pJ", "my.yaml:2: pe.add: is not a key; there are pe.add_fp32, pe.multiply_fp32, pe.mac_fp32, pe.compare, pe.add_fp16, pe.multiply_fp16, pe.mac_fp16, pe.compare_fp16, pe.add_fixed32, pe.multiply_fixed32, pe.mac_fixed32, pe.compare_fixed32, pe.add_fixed16, pe.multiply_fixed16, pe.mac_fixed16, pe.compare_fixed16, pe.static"},
		{"sram:\n  reed: 1 pJ", "my.yaml:2: sram.reed: is not a key (did you mean \"sram.read\"?); there are sram.static_per_kib, sram.read, sram.write"},
		{"pe:\n  add_fp32: 0.9", `my.yaml:2: pe.add_fp32: "0.9" has no unit; write for example 1 pJ`},
		{"pe:\n  add_fp32: cheap", `my.yaml:2: pe.add_fp32: "cheap" is not a number with a unit; write for example 1 pJ`},
		{"pe:\n  add_fp32: 1 mW", `my.yaml:2: pe.add_fp32: "1 mW" is in mW; write it in fJ, pJ, nJ, uJ, mJ, J, kJ, for example 1 pJ`},
		{"pe:\n  static: 1 pJ", `my.yaml:2: pe.static: "1 pJ" is in pJ; write it in uW, mW, W, for example 1 mW`},
		{"pe:\n  static: -1 mW", `my.yaml:2: pe.static: "-1 mW" is out of range; write 0 to 1e12 W, for example 1 mW`},
		{"pe:\n  static: Inf mW", `my.yaml:2: pe.static: "Inf mW" is not a number with a unit; write for example 1 mW`},
		{"pe:\n  static: NaN mW", `my.yaml:2: pe.static: "NaN mW" is not a number with a unit; write for example 1 mW`},
		{"pe:\n  static: [1]", "my.yaml:2: pe.static: is not a number with a unit; write for example 1 mW"},
		{"pe:\n  static: {source: us}", "my.yaml:2: pe.static: has no value; write for example {value: 1 mW, source: ...}"},
		{"pe:\n  static: {value: 1 mW, from: us}", "my.yaml:2: pe.static.from: is not a key; there are value, source"},
		{"pe:\n  static: {value: 1 mW, source: [us]}", "my.yaml:2: pe.static.source: is not text"},
		{"sram:\n  read: {32: 1 pJ}", `my.yaml:2: sram.read.32: "32" has no unit; write for example 32 KiB`},
		{"sram:\n  read: {0 KiB: 1 pJ}", `my.yaml:2: sram.read.0 KiB: "0 KiB" is out of range; write 1 B to 524288 GiB, for example 32 KiB`},
		{"sram:\n  read: {9999999999 GiB: 1 pJ}", `my.yaml:2: sram.read.9999999999 GiB: "9999999999 GiB" is out of range; write 1 B to 524288 GiB, for example 32 KiB`},
		{"sram:\n  read: {1 MiB: 1 pJ, 1024 KiB: 2 pJ}", "my.yaml:2: sram.read: has 1 MiB twice"},
		{"sram:\n  read: {}", "my.yaml:2: sram.read: has no capacities; write for example {32 KiB: 10 pJ}"},
		{"pe: {compare: 1 pJ}\n---\npe: {compare: 2 pJ}", "my.yaml:3: a second document; an energy table is one"},
	} {
		if _, err := Load(strings.NewReader(c.text), "my.yaml"); err == nil || err.Error() != c.want {
			t.Errorf("%q:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestSyntaxErrorsNameTheLine(t *testing.T) {
	for _, text := range []string{"pe:\n  compare: 1 pJ\n  compare: 2 pJ", "pe: {compare: \"1 pJ\ndram", "pe:\n\tcompare: 1 pJ"} {
		_, err := Load(strings.NewReader(text), "my.yaml")
		if err == nil || !strings.HasPrefix(err.Error(), "my.yaml:") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, fmt.Errorf("no such disk") }

func TestReadErrorsNameTheFile(t *testing.T) {
	if _, err := Load(broken{}, "my.yaml"); err == nil || err.Error() != "my.yaml: no such disk" {
		t.Errorf("got %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(builtin)
	f.Add("pe: {add_fp32: 1 pJ, mac_fp32: {value: 2 nJ, source: x}}")
	f.Add("sram: {read: {1 KiB: 0 pJ, 3 B: 2 fJ}}")
	f.Add("a: &a {b: *a}")
	f.Fuzz(func(t *testing.T, text string) {
		table, err := Load(strings.NewReader(text), "fuzz.yaml")
		if err != nil {
			return
		}
		for _, e := range table.Entries() {
			if !(e.Amount >= 0 && e.Amount <= maxAmount) {
				t.Errorf("%s accepted as %v", e.Key, e.Amount)
			}
		}
		if e := float64(table.SRAM(3000, 4, 1, 1)); math.IsNaN(e) || e < 0 {
			t.Errorf("SRAM costs %v", e)
		}
	})
}
