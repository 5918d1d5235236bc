package sweep

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/config"
)

func plan(t *testing.T, text string) *Plan {
	t.Helper()
	spec, err := ReadSpec([]byte(text), "grid.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(spec, fixed(t), 10_000)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func fixed(t *testing.T) Fixed {
	t.Helper()
	return Fixed{Version: "test"}
}

func (p *Plan) column(name string) (values []string) {
	for _, point := range p.Points {
		for i, input := range p.Inputs {
			if input == name {
				values = append(values, point.Value(i))
			}
		}
	}
	return values
}

func TestGridIsAllCombinationsWithNFastest(t *testing.T) {
	p := plan(t, "net: lenet1\nn: [1, 2]\nk: [4, max]\nset: {dram.device: [hbm2, ddr4-2400]}\n")
	for name, want := range map[string]string{
		"dram.device": "hbm2 hbm2 hbm2 hbm2 ddr4-2400 ddr4-2400 ddr4-2400 ddr4-2400",
		"k":           "4 4 20 20 4 4 20 20",
		"n":           "1 2 1 2 1 2 1 2",
		"dataset":     "emnist emnist emnist emnist emnist emnist emnist emnist",
	} {
		if got := strings.Join(p.column(name), " "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestPointsReplaceAxesAndAreKeptOnce(t *testing.T) {
	p := plan(t, "net: lenet1\nk: [1, 2]\npoints:\n- {n: 1}\n- {k: all, n: 1..2}\n- {k: 4, n: 2, set: {onchip: {bank: 64KiB}}}\n")
	if got, want := strings.Join(p.column("k"), " "), "1 2 1 2 4 4 5 5 10 10 20 20 4"; got != want {
		t.Errorf("k: %s, want %s", got, want)
	}
	if p.Twice != 2 {
		t.Errorf("%d points named twice, want 2", p.Twice)
	}
	if last := p.column("onchip.bank"); last[0] != "" || last[len(last)-1] != "64KiB" {
		t.Errorf("onchip.bank: %q; only the last point has it", last)
	}
}

func TestPointKeepsItsKeyInLargerSweeps(t *testing.T) {
	small := plan(t, "{net: lenet1, k: 4, n: 2}")
	large := plan(t, "net: lenet1\npoints: [{k: 4, n: [1, 2]}, {set: {dram.device: hbm2}}]")
	if small.Points[0].Key != large.Points[1].Key {
		t.Error("the same point has another key in a larger sweep")
	}
	seen := map[Key]bool{}
	for _, p := range large.Points {
		if seen[p.Key] {
			t.Errorf("two points have the key %s", p.Key)
		}
		seen[p.Key] = true
	}
}

func TestImpossibleCombinationsArePointsWithAReason(t *testing.T) {
	p := plan(t, "{net: lenet1, k: [3, 4], n: [1, 9]}")
	var got []string
	for _, point := range p.Points {
		got = append(got, point.Refused)
	}
	k := "k = 3 does not divide T = 20; k may be 1, 2, 4, 5, 10, 20"
	want := []string{k, k, "", "n = 9 is out of range; a local block of this network has 1 to 4 layers"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestBadGrids(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"net: [lenet1\n", "grid.yaml:1: "},
		{"", "grid.yaml: is empty"},
		{"- 1", "grid.yaml:1: must be a mapping"},
		{"net: lenet1\nm: 2", "grid.yaml:2: m: is not a key"},
		{"net: lenet1\ndatset: mnist", `did you mean "dataset"?`},
		{"net: lenet1\nk: 0", `grid.yaml:2: k: "0" is not a number from 1`},
		{"net: lenet1\nk: 5..1", "is not a number from 1, a range"},
		{"net: lenet1\nk: [[1]]", "grid.yaml:2: k: a value is a list"},
		{"net: lenet1\nk:", "grid.yaml:2: k: needs a value"},
		{"net: lenet1\nk: []", "zero points"},
		{"net: lenet1\npoints: []", "zero points"},
		{"net: lenet1\npoints: {k: 1}", "grid.yaml:2: points: must be a list"},
		{"net: lenet1\npoints: [{points: [{k: 1}]}]", "grid.yaml:2: points[0].points: is not a key"},
		{"net: lenet1\nnet: lenet1", "grid.yaml:2: net: is there twice"},
		{"net: lenet1\n---\nnet: lenet2", "grid.yaml:3: a second document; a grid is one"},
		{"zz: 1\naa: 2\nnet: lenet1", "grid.yaml:1: zz: is not a key"},
		{"net: lenet1\nset: {dram: {device: [[a]]}}", "grid.yaml:2: set.dram.device: a value is a list"},
		{"net: lenet1\nset: {a.b: 1, a: {b: 2}}", "grid.yaml:2: set.a.b: is there twice"},
		{"k: 1", "net is missing"},
		{"net: lenet3", `no network "lenet3"`},
		{"net: lenet1\ndataset: nist", `no dataset "nist"`},
		{"net: lenet1\nbatch: many", "not a whole number"},
		{"net: lenet1\nbatch: 0", "batch is 0"},
		{"net: lenet1\nclassifier: none", "classifier"},
		{"net: lenet1\nactivity: 1.5", "1.5"},
		{"net: lenet1\ntraffic: some", "write all or equations"},
		{"net: lenet1\nhw: nothing", `no hardware "nothing"`},
		{"net: lenet1\nset: {dram.devic: hbm2}", "devic"},
		{"net: lenet1\nset: {dram.device.name: hbm2}", "below a key that has a value"},
		{"net: lenet1\nset: {k: 2}", "an axis of its own"},
		{"net: lenet1\nk: 1..20000", "20000 points or more"},
		{"net: lenet1\nk: 1..2000000000\nn: 1..2000000000\nbatch: [1, 2, 3, 4, 5]", "points or more"},
	} {
		spec, err := ReadSpec([]byte(c.text), "grid.yaml")
		if err == nil {
			_, err = NewPlan(spec, Fixed{}, 10_000)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v; want %q in it", c.text, err, c.want)
		}
	}
}

func TestFlagsOverrideFileAndItsPoints(t *testing.T) {
	spec, err := ReadSpec([]byte("net: lenet1\npoints: [{k: 1}, {k: 2}]"), "grid.yaml")
	if err != nil {
		t.Fatal(err)
	}
	a, err := NewAxis("k", []string{"5"})
	if err != nil {
		t.Fatal(err)
	}
	spec.Override(a)
	p, err := NewPlan(spec, Fixed{}, 10)
	if err != nil || len(p.Points) != 1 || p.Points[0].k != 5 {
		t.Errorf("points %v, error %v; want one with k = 5", p, err)
	}
}

func TestSettingEditsOnlyItsKey(t *testing.T) {
	parse := func(text string) *config.Document {
		d, err := hardware.Parse([]byte(text), "x.yaml")
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	const text = "name: x\ndram:\n  device: a\n  ranks: 4\nlist:\n- {size: 1KiB}\n- {size: 2KiB}\n2024: my note\n"
	for _, c := range []struct{ key, value, want string }{
		{"dram.device", "hbm2", strings.Replace(text, "device: a", "device: hbm2", 1)},
		{"dram.ranks", "010", strings.Replace(text, "ranks: 4", "ranks: 010", 1)},
		{"list.1.size", "4KiB", strings.Replace(text, "2KiB", "4KiB", 1)},
		{"2024", "yes", strings.Replace(text, "my note", "yes", 1)},
		{"new.key", "7", text + "new:\n  key: 7\n"},
	} {
		before := parse(text)
		got, err := Setting{c.key, c.value}.apply(before)
		if err != nil {
			t.Fatal(err)
		}
		noLines := cmpopts.IgnoreFields(config.Node{}, "Line")
		noPairLines := cmpopts.IgnoreFields(config.Pair{}, "Line")
		if d := cmp.Diff(parse(c.want), got, noLines, noPairLines); d != "" {
			t.Errorf("%s: %s", c.key, d)
		}
		if d := cmp.Diff(parse(text), before); d != "" {
			t.Errorf("%s changes the file that it was made from: %s", c.key, d)
		}
	}
	for _, key := range []string{"name.inner", "list.2.size", "list.first"} {
		if _, err := (Setting{key, "1"}).apply(parse(text)); err == nil {
			t.Errorf("%s: no error", key)
		}
	}
}

// TestHardwareOfAnySpelling is refused or accepted with settings as without.
func TestHardwareOfAnySpelling(t *testing.T) {
	const board = "pe: {rows: 16, columns: 28, lanes: 64, clock: 200MHz}\nonchip: {capacity: 3MiB}\ndram: {device: ddr4-2400, channels: 1, ranks: 1}\n"
	for _, c := range []struct{ text, want string }{
		{board + "2024: my note\n", "2024: is not a key; there are name, note, pe"},
		{board + "yes: my note\n", "yes: is not a key"},
		{board + "1.5: {a: b}\n", "1.5: is not a key"},
		{board + "~: 1\n", "~: is not a key"},
		{strings.Replace(board, "pe: {", "pe: &p {", 1), ""},
		{strings.Replace(board, "columns: 28", "columns: *r", 1), "pe.columns: *r names nothing"},
		{strings.Replace(strings.Replace(board, "rows: 16", "rows: &r 16", 1), "columns: 28", "columns: *r", 1), ""},
		{board + "--- \nname: b\n", "a second document"},
	} {
		name := filepath.Join(t.TempDir(), "board.yaml")
		if err := os.WriteFile(name, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, without := hardware.Open(name)
		m := machine{text: []byte(c.text), filename: name, settings: []Setting{{"pe.rows", "8"}}}
		h, with := m.read()
		for _, err := range []error{without, with} {
			switch {
			case c.want == "" && err != nil:
				t.Errorf("%q: %v", c.text, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%q: %v, want %s", c.text, err, c.want)
			}
		}
		if c.want == "" && h.PE.Rows != 8 {
			t.Errorf("%q: %d rows", c.text, h.PE.Rows)
		}
	}
}

func FuzzReadSpec(f *testing.F) {
	for _, text := range []string{
		"net: lenet1\nk: [1, 2]\n", "net: [a]\npoints: [{k: all}, {n: 1..3, set: {a.b: [1, 2]}}]", "set: {a: {b: {c: 1}}}",
		"{net: lenet1, k: max}", "net: &a x\nk: *a", "points:\n- 1", "? [a]\n: b", "net: !!str x", "k: |\n  1\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		spec, err := ReadSpec([]byte(text), "grid.yaml")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "grid.yaml") {
				t.Errorf("error %q does not name the file", err)
			}
			return
		}
		if n := spec.atLeast(); n < 0 {
			t.Errorf("%d points", n)
		}
		spec.inputs()
	})
}

func FuzzSetting(f *testing.F) {
	f.Add("a: {b: [1, 2]}", "a.b.1", "3")
	f.Add("a: 1", "a", "{b: c}")
	f.Add("", "x.y", "[")
	f.Fuzz(func(t *testing.T, text, key, value string) {
		d, err := hardware.Parse([]byte(text), "fuzz.yaml")
		if err != nil {
			return
		}
		if edited, err := (Setting{key, value}).apply(d); err == nil {
			_, _ = hardware.Decode(edited)
		}
	})
}

// A key that is set again has the values of both.
func TestSettingsAddUp(t *testing.T) {
	axes, err := ParseSettings([]string{"pe.rows=3", "dram.device=hbm2,ddr4-2400", "pe.rows= 4 ,5", "pe.clock=100MHz", "pe.rows=3"})
	want := []Axis{
		{"pe.rows", true, []string{"3", "4", "5", "3"}}, {"dram.device", true, []string{"hbm2", "ddr4-2400"}}, {"pe.clock", true, []string{"100MHz"}},
	}
	if d := cmp.Diff(want, axes); d != "" || err != nil {
		t.Errorf("%v %s", err, d)
	}
	s := &Spec{Grid: Grid{{Name: "net", Values: []string{"lenet1"}}, {"pe.rows", true, []string{"8"}}}}
	for _, a := range axes {
		s.Override(a) // the grid's own value goes
	}
	p, err := NewPlan(s, fixed(t), 100)
	if err != nil || strings.Join(p.column("pe.rows"), " ") != "3 3 4 4 5 5" || p.Twice != 2 {
		t.Errorf("%v: rows %v, %d twice", err, p.column("pe.rows"), p.Twice)
	}
	if _, err := ParseSettings([]string{"pe.rows=3", "pe.rows="}); err == nil {
		t.Error("a setting without a value is accepted")
	}
}
