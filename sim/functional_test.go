package sim

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/tensors"
)

// vector is a case of testdata/vectors: gradients from automatic
// differentiation, independent of Eqs. 4 to 7.
type vector struct {
	workload *network.Workload
	program  *schedule.Program
	in       *tensors.Input
	out      tensors.Set
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
	v := vector{workload: w}
	if v.program, err = schedule.New(w, kn.K, kn.N, schedule.All); err != nil {
		t.Fatal(err)
	}
	in, err := tensors.ReadFile(base + ".in.npz")
	if err != nil {
		t.Fatal(err)
	}
	if v.in, err = in.Input(w, v.program.Blocks); err != nil {
		t.Fatal(err)
	}
	if v.out, err = tensors.ReadFile(base + ".out.npz"); err != nil {
		t.Fatal(err)
	}
	return v
}

func paperHardware(t testing.TB) *hardware.Hardware {
	t.Helper()
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	return hw
}

func testEnergy(t testing.TB) energy.Table {
	t.Helper()
	return energy.Default()
}

func (v vector) run(t testing.TB, o Options) *Result {
	t.Helper()
	o.Tensors = v.in
	r, err := Run(v.program, paperHardware(t), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNumbersOutOfTheMachineAreThoseOfAutomaticDifferentiation(t *testing.T) {
	for _, name := range vectorNames(t) {
		t.Run(name, func(t *testing.T) {
			v := readVector(t, name)
			r := v.run(t, Options{Untimed: true})
			compareTensors(t, v, r)
		})
	}
}

// compareTensor holds got to CONTRACT.md: counts equal, others within 1e-4 of
// the largest magnitude. It returns the difference by that magnitude.
func compareTensor(t *testing.T, name string, got, want tensors.Tensor) float64 {
	t.Helper()
	if tensors.ShapeString(got.Shape) != tensors.ShapeString(want.Shape) {
		t.Errorf("%s: shape %s, want %s", name, tensors.ShapeString(got.Shape), tensors.ShapeString(want.Shape))
		return math.Inf(1)
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
	if largest == 0 {
		return 0
	}
	return difference / largest
}
