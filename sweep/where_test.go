package sweep

import (
	"strings"
	"testing"
)

var cells = map[string]string{
	"net": "alexnet", "k": "10", "n": "2", "status": "ok", "cycles.total": "2000", "dram.device": "ddr4-2400",
	"onchip.capacity": "2MiB", "rate": "0.5", "crosscheck.pass": "true", "pe.clock": "200MHz", "dram.rate": "2400MT/s",
	"seconds": "3.5", "baseline.seconds": "7", "energy_pj.total": "11.5e12", "dram.footprint_bytes": "7e9",
}

func resolveTest(name string) (string, error) {
	return Resolver([]string{"net", "k", "n", "dram.device", "onchip.capacity", "pe.clock", "dram.rate", "empty", "rate"})(name)
}

func TestWhere(t *testing.T) {
	for _, c := range []struct {
		text string
		want bool
	}{
		{"k = 10", true},
		{"k == 10 and n != 2", false},
		{"k=10&&n=2||n=7", true},
		{"n = 7 or k = 10 and n = 2", true},
		{"(n = 7 or k = 10) and not n = 2", false},
		{"not not k = 10", true},
		{"!(k > 10)", true},
		{"k*n <= 20 and k/n >= 5 and k+n*2 = 14 and k-1 = 9", false}, // k-1 is a word
		{"k*n <= 20 and k/n >= 5 and k+n*2 = 14 and k - 1 = 9", true},
		{"status = ok", true},
		{"ok = status", true},
		{`net != "lenet1"`, true},
		{"dram.device = ddr4-2400", true},
		{"dram.device = 'hbm2'", false},
		{"onchip.capacity <= 2048KiB", true},
		{"onchip.capacity < 2e6B", false},
		{"cycles < 2.001e3", true},
		{"cycles.total > -1", true},
		{"rate >= .5", true},
		{"empty = 0", false},
		{"empty != 0", false},
		{"k/0 = 1", false},
		{"net < 3", false},
		{"crosscheck.pass = true", true},
		{"time < 4s", true},
		{"time < 4 s and energy < 12J", true},
		{"time < 3400ms", false},
		{"time > 3499999 µs", true},
		{"time < 3.6", true}, // a plain number is in the column's unit
		{"energy < 11e9 nJ", false},
		{"energy/time < 3.3W and footprint/time = 2 GB/s", true},
		{"baseline.time - time > 3s", true},
		{"2*time = baseline.time", true},
		{"pe.clock = 0.2GHz and dram.rate = 2.4GT/s", true},
		{"time*pe.clock = 700e6", true},
	} {
		w, err := ParseWhere(c.text)
		if err == nil {
			_, err = w.Bind(resolveTest)
		}
		wrong := strings.Contains(c.text, "k-1")
		if wrong != (err != nil) {
			t.Errorf("%q: error %v", c.text, err)
			continue
		}
		if err == nil && w.Holds(func(name string) string { return cells[name] }) != c.want {
			t.Errorf("%q does not come out %v", c.text, c.want)
		}
	}
}

func TestBadConditions(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "ends where"},
		{"k", "no comparison"},
		{"k =", "ends where"},
		{"k = 1 n = 2", "and, or"},
		{"(k = 1", "closing bracket"},
		{"k = 2MB", "is not a number"},
		{"k = 'x", "no end"},
		{"k @ 2", "not expected"},
		{"k = 1 = 2", `"=" is not expected`},
		{"(k = 1) = 2", "compares values"},
		{"k = 1 + (n = 2)", "+ joins values"},
		{"k and n = 2", "and joins comparisons"},
		{"not k", "not needs"},
		{"cylces < 3", `did you mean "cycles"`},
		{"k < hbm2", "position 5: there is no column"},
		{"k < 1 and 2 < 3Mib", `position 15: "3Mib" is not a number (did you mean "MiB"?)`},
		{"time < 12J", "position 6: the left of < is a time, the right an energy"},
		{"cycles < 4s", "the left of < is a plain number, the right a time"},
		{"not (k = 1 or energy + time < 3)", "position 22: the left of + is an energy, the right a time"},
		{"energy/time < 3J", "is a power, the right an energy"},
		{"onchip.capacity < 2 s", "is an amount of memory, the right a time"},
		{strings.Repeat("(", 1000) + "k = 1", "too many"},
		{strings.Repeat("not ", 1000) + "k = 1", "too many"},
	} {
		w, err := ParseWhere(c.text)
		if err == nil {
			_, err = w.Bind(resolveTest)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.30q: %v; want %q in it", c.text, err, c.want)
		}
	}
}

func TestShortNamesOfColumns(t *testing.T) {
	for name, want := range map[string]string{
		"cycles": "cycles.total", "energy": "energy_pj.total", "footprint": "dram.footprint_bytes", "memory": "analytic.memory_words",
		"reduction.energy": "baseline.reduction_percent.energy", "baseline.cycles": "baseline.cycles.total",
		"beyond.words.spikes": "beyond.words.spikes", "counts.forward.reads": "counts.forward.reads", "macs": "macs",
	} {
		if got, err := resolveTest(name); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %s", name, got, err, want)
		}
	}
}

// Questions may name whatever a record holds, before there is any.
func TestEveryResultHasAName(t *testing.T) {
	p := plan(t, "{net: lenet1, k: 4, n: 2, batch: 8}")
	record, _ := evaluateAll(t, p, 1).Get(p.Points[0].Key)
	resolve := Resolver(p.Inputs)
	for _, v := range record.Values {
		if name, err := resolve(v.Name); err != nil || name != v.Name {
			t.Errorf("%s is %q: %v", v.Name, name, err)
		}
	}
}

func FuzzWhere(f *testing.F) {
	for _, text := range []string{"k = 10 and n != 2", "not (a < 2MiB || 'x' = y)", "a*-2 + 3/b >= 1e-3", "19.2 GB/s > seconds", "µ 4 µs", "dram.device = ddr4-2400", "0x1p-2=k"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		w, err := ParseWhere(text)
		if err != nil {
			return
		}
		if _, err := w.Bind(func(name string) (string, error) { return name, nil }); err != nil && !strings.Contains(err.Error(), "the left of") {
			t.Fatalf("%q: %v", text, err)
		}
		w.Holds(func(name string) string { return cells[name] })
	})
}
