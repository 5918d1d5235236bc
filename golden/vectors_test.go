package golden

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// vector is a case of testdata/vectors: gradients from automatic
// differentiation, independent of Eqs. 4 to 7.
type vector struct {
	name     string
	workload *network.Workload
	k, n     int
	in, out  tensors.Set
}

func vectorNames(t testing.TB) []string {
	files, err := filepath.Glob("../testdata/vectors/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".yaml"))
	}
	return names
}

func readVector(t testing.TB, name string) vector {
	t.Helper()
	base := filepath.Join("../testdata/vectors", name)
	v := vector{name: name}
	var err error
	if v.workload, err = network.Open(base + ".yaml"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(base + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var schedule struct{ K, N int }
	if err := json.Unmarshal(text, &schedule); err != nil {
		t.Fatal(err)
	}
	v.k, v.n = schedule.K, schedule.N
	if v.in, err = tensors.ReadFile(base + ".in.npz"); err != nil {
		t.Fatal(err)
	}
	if v.out, err = tensors.ReadFile(base + ".out.npz"); err != nil {
		t.Fatal(err)
	}
	return v
}

// run trains one iteration on the vector's tensors.
func (v vector) run(t testing.TB, o Options) (*Trainer, *tensors.Input, tensors.Set) {
	t.Helper()
	o.NoDropout = true
	trainer, err := New(v.workload, v.k, v.n, o)
	if err != nil {
		t.Fatal(err)
	}
	in, err := v.in.Input(v.workload, trainer.Blocks())
	if err != nil {
		t.Fatal(err)
	}
	out, err := trainer.RunTensors(in)
	if err != nil {
		t.Fatal(err)
	}
	return trainer, in, out
}

func TestVectorsOfAutomaticDifferentiation(t *testing.T) {
	for _, name := range vectorNames(t) {
		t.Run(name, func(t *testing.T) {
			v := readVector(t, name)
			_, _, got := v.run(t, Options{})
			for _, tensor := range v.out.Names() {
				if _, ok := got[tensor]; !ok {
					t.Errorf("%s is missing", tensor)
				}
			}
			for _, tensor := range got.Names() {
				want, ok := v.out[tensor]
				if !ok {
					t.Errorf("%s is not expected", tensor)
					continue
				}
				compareTensor(t, tensor, got[tensor], want)
			}
		})
	}
}

// compareTensor holds got to CONTRACT.md: counts equal, others within 1e-4 of
// the largest magnitude.
func compareTensor(t *testing.T, name string, got, want tensors.Tensor) {
	t.Helper()
	if tensors.ShapeString(got.Shape) != tensors.ShapeString(want.Shape) {
		t.Errorf("%s: shape %s, want %s", name, tensors.ShapeString(got.Shape), tensors.ShapeString(want.Shape))
		return
	}
	largest, difference := 0.0, 0.0
	for i := range want.Len() {
		largest = max(largest, math.Abs(want.At(i)))
		difference = max(difference, math.Abs(got.At(i)-want.At(i)))
	}
	tolerance := 1e-4 * largest
	if want.Int64 != nil {
		tolerance = 0
	}
	if !(difference <= tolerance) {
		t.Errorf("%s: largest difference %g of magnitude %g", name, difference, largest)
	}
}
