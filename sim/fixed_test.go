package sim

import (
	"math"
	"testing"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe/fixed"
)

func runFixed(t *testing.T, v vector, formats string) (*Result, *fixed.Datapath, error) {
	t.Helper()
	f, err := fixed.ParseFormats(formats)
	if err != nil {
		t.Fatal(err)
	}
	d, err := fixed.New(v.workload, v.program.K, f)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(v.program, paperHardware(t), Options{Untimed: true, Energy: testEnergy(t), Tensors: v.in, Datapath: d})
	return r, d, err
}

// With many fraction bits the fixed-point datapath gives what automatic
// differentiation gave.
func TestFixedPointComesNearTheVectors(t *testing.T) {
	for _, name := range []string{"conv-bptt", "conv-local1", "conv-random", "direct-k1", "fc-bptt", "general/r-feedback", "general/r-ottt-o", "general/r-short", "general/r-sltt"} {
		v := readVector(t, name)
		r, _, err := runFixed(t, v, "w=q4.20,u=q6.18,e=q4.20,g=q6.18")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		worst, where := 0.0, ""
		for _, tensor := range v.Out.Names() {
			want, got := v.Out[tensor], r.Tensors[tensor]
			largest, difference := 0.0, 0.0
			for i := range want.Len() {
				largest = max(largest, math.Abs(want.At(i)))
				difference = max(difference, math.Abs(got.At(i)-want.At(i)))
			}
			if largest > 0 && difference/largest > worst {
				worst, where = difference/largest, tensor
			}
		}
		t.Logf("%s: worst %s, %.2g of its largest value", name, where, worst)
		if worst > 1e-3 {
			t.Errorf("%s: %s is off by %.2g of its largest value", name, where, worst)
		}
	}
}

// The machine in fixed point is the block that the RTL equals, bit for bit.
func TestFixedPointIsTheBlockOfTheRTL(t *testing.T) {
	v := readVector(t, "fc-bptt")
	r, d, err := runFixed(t, v, "q4.12")
	if err != nil {
		t.Fatal(err)
	}
	w := v.workload
	b, err := fixed.NewBlock(w, v.program.K, d.Given)
	if err != nil {
		t.Fatalf("fc-bptt is not a block that the RTL executes: %v", err)
	}
	matrix := func(l int) []float32 {
		if l < len(v.in.Weights) {
			return v.in.Weights[l]
		}
		return v.in.Classifiers[0]
	}
	for l := range b.Layers() {
		for i := range b.Sizes[l] {
			for m := range b.Sizes[l+1] {
				b.W[l][i*b.Sizes[l+1]+m] = d.Weight.Encode(float64(matrix(l)[m*b.Sizes[l]+i]))
			}
		}
	}
	frame := w.Batch * b.Sizes[0]
	for first := 0; first < w.Timesteps; first += b.K {
		inputs := make([][]bool, b.K)
		for step := range inputs {
			inputs[step] = make([]bool, frame)
			for i := range inputs[step] {
				inputs[step][i] = v.in.X[(first+step)*frame+i] != 0
			}
		}
		b.Interval(inputs, v.in.Y)
	}
	moved := 0
	for l := range b.Layers() {
		got := r.Tensors["wc1"]
		if l < len(v.in.Weights) {
			got = r.Tensors["w"+string(rune('1'+l))]
		}
		for i := range b.Sizes[l] {
			for m := range b.Sizes[l+1] {
				at := m*b.Sizes[l] + i
				want := d.Weight.Value(b.W[l][i*b.Sizes[l+1]+m])
				if got.At(at) != want {
					t.Fatalf("layer %d weight %d: %v, the block has %v", l+1, at, got.At(at), want)
				}
				if want != d.Weight.Value(d.Weight.Encode(float64(matrix(l)[at]))) {
					moved++
				}
			}
		}
	}
	if moved == 0 {
		t.Error("no weight moved: the test shows nothing")
	}
}

func TestFixedPointRefusesWhatItHasNoUnitsFor(t *testing.T) {
	for _, name := range []string{"bn-ce", "res-bptt", "res-bn"} {
		if _, _, err := runFixed(t, readVector(t, name), "q6.16"); err == nil {
			t.Errorf("%s: executed", name)
		}
	}
	v := readVector(t, "conv-bptt")
	v.workload.Training.Optimizer = network.Adam
	if _, _, err := runFixed(t, v, "q6.16"); err == nil {
		t.Error(err)
	}
}
