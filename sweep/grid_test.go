package sweep

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
		{"", "there must be one mapping"},
		{"- 1", "grid.yaml:1: there must be a mapping"},
		{"net: lenet1\nm: 2", "grid.yaml:2: m is not a key"},
		{"net: lenet1\ndatset: mnist", `did you mean "dataset"?`},
		{"net: lenet1\nk: 0", `grid.yaml:2: k: "0" is not a number from 1`},
		{"net: lenet1\nk: 5..1", "is not a number from 1, a range"},
		{"net: lenet1\nk: [[1]]", "grid.yaml:2: k: a value is a list"},
		{"net: lenet1\nk:", "k needs a value"},
		{"net: lenet1\nk: []", "zero points"},
		{"net: lenet1\npoints: []", "zero points"},
		{"net: lenet1\npoints: {k: 1}", "points must be a list"},
		{"net: lenet1\npoints: [{points: [{k: 1}]}]", "points is not a key"},
		{"net: lenet1\nnet: lenet1", "grid.yaml:2: mapping key"},
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
	const text = "name: x\ndram:\n  device: a\n  ranks: 4\nlist:\n- {size: 1KiB}\n- {size: 2KiB}\n"
	for _, c := range []struct{ key, value, want string }{
		{"dram.device", "hbm2", "name: x\ndram:\n  device: hbm2\n  ranks: 4\nlist:\n- size: 1KiB\n- size: 2KiB\n"},
		{"list.1.size", "4KiB", "name: x\ndram:\n  device: a\n  ranks: 4\nlist:\n- size: 1KiB\n- size: 4KiB\n"},
		{"new.key", "7", text[:strings.Index(text, "list")] + "list:\n- size: 1KiB\n- size: 2KiB\nnew:\n  key: 7\n"},
	} {
		got, err := Setting{c.key, c.value}.apply([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, string(got)); d != "" {
			t.Errorf("%s: %s", c.key, d)
		}
	}
	for _, key := range []string{"name.inner", "list.2.size", "list.first"} {
		if _, err := (Setting{key, "1"}).apply([]byte(text)); err == nil {
			t.Errorf("%s: no error", key)
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
		_, _ = Setting{key, value}.apply([]byte(text))
	})
}
