package tensors

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/network"
)

// someParameters are those of a vector, in a file of their own.
func someParameters(t *testing.T, change func(Set)) (path string) {
	t.Helper()
	set, _, _ := readVector(t, "bn-ce")
	delete(set, "x")
	delete(set, "y")
	change(set)
	path = t.TempDir() + "/weights.npz"
	if err := set.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestParametersReplaceThoseThatAreThere(t *testing.T) {
	set, w, blocks := readVector(t, "bn-ce")
	in, err := set.Input(w, blocks)
	if err != nil {
		t.Fatal(err)
	}
	own := in.Parameters.Set(w, blocks)
	for name := range own {
		for i, v := range set[name].Float32 {
			if own[name].Float32[i] != v {
				t.Fatalf("%s differs at %d", name, i)
			}
		}
	}
	if len(own) != len(set)-2 {
		t.Errorf("%v of %v", own.Names(), set.Names())
	}
	was := slices.Clone(own["w1"].Float32)
	path := someParameters(t, func(s Set) {
		delete(s, "wc1")
		for i := range s["w1"].Float32 {
			s["w1"].Float32[i] = float32(i)
		}
		s["dw1_i1"], s["loss1_i1"], s["dbn1_gain_i2"], s["u1"], s["spikes_c1"], s["nonzero_in2"] = s["w2"], Scalar(1), s["bn1_gain"], s["w2"], Count(1), Count(2)
	})
	absent, err := in.ReadParameters(path, w, blocks)
	if err != nil || !slices.Equal(absent, []string{"wc1"}) {
		t.Fatalf("absent %v, error %v", absent, err)
	}
	now := in.Parameters.Set(w, blocks)
	for name := range maps.Keys(own) {
		for i, v := range own[name].Float32 {
			want := v
			if name == "w1" {
				want, v = float32(i), was[i]
			}
			if now[name].Float32[i] != want {
				t.Fatalf("%s is %v at %d, was %v", name, now[name].Float32[i], i, v)
			}
		}
	}
}

func TestParametersOfAnotherWorkloadAreRefused(t *testing.T) {
	_, w, blocks := readVector(t, "bn-ce")
	for want, change := range map[string]func(Set){
		"w99 is no parameter of this workload: it has w1": func(s Set) { s["w99"] = s["w1"] },
		"w1 has shape ": func(s Set) { s["w1"] = s["w2"] },
		"has no parameter of this workload: it has w1": func(s Set) { clear(s); s["u1"] = Scalar(0) },
		"w1: value 0 is ": func(s Set) { s["w1"].Float32[0] = float32(math.NaN()) },
		"the running variance of channel 1 is -1; it must not be negative": func(s Set) { s["bn1_var"].Float32[0] = -1 },
		"wc1_weight is no parameter":                                       func(s Set) { s["wc1_weight"] = s["w1"] },
	} {
		p := &Parameters{}
		path := someParameters(t, change)
		if _, err := p.ReadParameters(path, w, blocks); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// What a workload calls array is a tensor of a value for each neuron.
func TestNeuronsHaveValuesOfTheirOwn(t *testing.T) {
	w, err := network.Read([]byte("{input: {channels: 2, height: 2, width: 2, encoding: event}, timesteps: 1, batch: 1, layers: [{conv: {out: 1, kernel: 3}, neuron: {leak: array}}, {fc: {out: 2}}]}"), "w.yaml")
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := w.Net.Blocks(1)
	if err != nil {
		t.Fatal(err)
	}
	set := func() Set {
		return Set{
			"x": Floats(make([]float32, 8), 1, 1, 2, 2, 2), "y": {Shape: []int{1}, Int64: []int64{0}},
			"w1": Floats(make([]float32, 18), 1, 2, 3, 3), "wc1": Floats(make([]float32, 8), 2, 4), "leak1": Floats([]float32{0, 0.25, 0.5, 1}, 1, 2, 2),
		}
	}
	in, err := set().Input(w, blocks)
	if err != nil {
		t.Fatal(err)
	}
	if n := in.NeuronAt(w, w.Net.Layer(1), 2); n.Leak != 0.5 || n.Arrays != 0 {
		t.Errorf("%+v", n)
	}
	for _, c := range []struct {
		spoil func(s Set)
		want  string
	}{
		{func(s Set) { delete(s, "leak1") }, "leak1 is missing; expected [1,2,2]"},
		{func(s Set) { s["leak1"] = Floats(make([]float32, 4), 4) }, "leak1 has shape [4]; expected [1,2,2]"},
		{func(s Set) { s["leak1"].Float32[3] = 1.5 }, "neuron 3 of layer 1: leak is 1.5"},
		{func(s Set) { s["reset1"] = s["leak1"] }, "reset1 is no tensor of this workload"},
	} {
		s := set()
		c.spoil(s)
		if _, err := s.Input(w, blocks); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
