package plain

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/golden"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// Cases of testdata/vectors: gradients from automatic differentiation.
func cases(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, pattern := range []string{"../../testdata/vectors/*.yaml", "../../testdata/vectors/general/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			list = append(list, strings.TrimSuffix(f, ".yaml"))
		}
	}
	if len(list) < 29 {
		t.Fatalf("%d cases, want 8 of the paper's and 21 others", len(list))
	}
	return list
}

func open(t *testing.T, base string) (w *network.Workload, k, n int, in *tensors.Input) {
	t.Helper()
	w, err := network.Open(base + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(base + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var kn struct{ K, N int }
	if err := json.Unmarshal(text, &kn); err != nil {
		t.Fatal(err)
	}
	blocks, err := w.Net.Blocks(kn.N)
	if err != nil {
		t.Fatal(err)
	}
	set, err := tensors.ReadFile(base + ".in.npz")
	if err != nil {
		t.Fatal(err)
	}
	if in, err = set.Input(w, blocks); err != nil {
		t.Fatal(err)
	}
	return w, kn.K, kn.N, in
}

func TestNumbersAreThoseOfAutomaticDifferentiation(t *testing.T) {
	for _, base := range cases(t) {
		t.Run(filepath.Base(base), func(t *testing.T) {
			w, k, n, in := open(t, base)
			got, err := Run(w, k, n, in)
			if err != nil {
				t.Fatal(err)
			}
			want, err := tensors.ReadFile(base + ".out.npz")
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range got.Names() {
				if _, ok := want[name]; !ok {
					t.Errorf("%s is not expected", name)
				}
			}
			for _, name := range want.Names() {
				x, ok := got[name]
				if !ok {
					t.Errorf("%s is missing", name)
					continue
				}
				compare(t, name, x, want[name])
			}
		})
	}
}

// compare holds a tensor to CONTRACT.md's tolerance: counts equal, others within 1e-4
// of the largest magnitude.
func compare(t *testing.T, name string, got, want tensors.Tensor) {
	t.Helper()
	if tensors.ShapeString(got.Shape) != tensors.ShapeString(want.Shape) {
		t.Errorf("%s: shape %s, want %s", name, tensors.ShapeString(got.Shape), tensors.ShapeString(want.Shape))
		return
	}
	largest, difference := 0.0, 0.0
	for i := range want.Len() {
		largest, difference = max(largest, math.Abs(want.At(i))), max(difference, math.Abs(got.At(i)-want.At(i)))
	}
	if tolerance := 1e-4 * largest; want.Int64 != nil && difference != 0 || difference > tolerance {
		t.Errorf("%s: largest difference %g of magnitude %g", name, difference, largest)
	}
}

// The fast trainer is a backend for what it knows: the same bits.
func TestTheFastTrainerHasTheSameBits(t *testing.T) {
	fast := 0
	for _, base := range cases(t) {
		w, k, n, in := open(t, base)
		if golden.Knows(w) != nil {
			continue
		}
		fast++
		trainer, err := golden.New(w, k, n, golden.Options{NoDropout: true})
		if err != nil {
			t.Fatal(err)
		}
		want, err := trainer.RunTensors(in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Run(w, k, n, in)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d tensors, want %d", base, len(got), len(want))
		}
		for _, name := range want.Names() {
			for i := range want[name].Len() {
				if got[name].Len() != want[name].Len() || got[name].At(i) != want[name].At(i) {
					t.Errorf("%s: %s differs at %d", base, name, i)
					break
				}
			}
		}
	}
	if fast < 8 {
		t.Errorf("%d cases only", fast)
	}
}
