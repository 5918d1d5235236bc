// Package vectortest reads the cases of testdata/vectors for tests: workloads with
// tensors and what one iteration makes of them, by automatic differentiation in
// float64, independent of the equations that trainer and machine execute.
package vectortest

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

// Case is a workload at (k, n) with the tensors of an iteration.
type Case struct {
	Name     string // such as fc-bptt, or general/g-alif
	Workload *network.Workload
	K, N     int
	In, Out  tensors.Set
}

// The numbers of cases: of the paper's networks, and of others and other rules.
const papers, others = 8, 21

// Paper returns the names of the cases that the paper's neuron, rule and notation
// have.
func Paper(t testing.TB) []string { return names(t, "", papers) }

// General returns those of the others.
func General(t testing.TB) []string { return names(t, "general", others) }

func names(t testing.TB, folder string, count int) (list []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root(t), folder, "*.yaml"))
	if err != nil || len(files) != count {
		t.Fatalf("%d cases in %q, want %d: %v", len(files), folder, count, err)
	}
	for _, f := range files {
		list = append(list, filepath.Join(folder, strings.TrimSuffix(filepath.Base(f), ".yaml")))
	}
	return list
}

// root is the folder of the cases, below the module's.
func root(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return filepath.Join(folder, "testdata", "vectors")
		}
		above := filepath.Dir(folder)
		if above == folder {
			t.Fatal("no go.mod above the working folder")
		}
		folder = above
	}
}

// Read returns a case.
func Read(t testing.TB, name string) Case {
	t.Helper()
	base := filepath.Join(root(t), name)
	c := Case{Name: name}
	var err error
	if c.Workload, err = network.Open(base + ".yaml"); err != nil {
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
	c.K, c.N = schedule.K, schedule.N
	if c.In, err = tensors.ReadFile(base + ".in.npz"); err != nil {
		t.Fatal(err)
	}
	if c.Out, err = tensors.ReadFile(base + ".out.npz"); err != nil {
		t.Fatal(err)
	}
	return c
}

// Input returns the tensors that the case starts from.
func (c Case) Input(t testing.TB) *tensors.Input {
	t.Helper()
	blocks, err := c.Workload.Net.Blocks(c.N)
	if err != nil {
		t.Fatal(err)
	}
	in, err := c.In.Input(c.Workload, blocks)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// Hold holds all tensors of an iteration to the case's.
func (c Case) Hold(t testing.TB, got tensors.Set) {
	t.Helper()
	for _, name := range c.Out.Names() {
		if _, ok := got[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
	worst := 0.0
	for _, name := range got.Names() {
		want, ok := c.Out[name]
		if !ok {
			t.Errorf("%s is not expected", name)
			continue
		}
		worst = max(worst, Compare(t, name, got[name], want))
	}
	t.Logf("largest difference %.2g of a tensor's magnitude", worst)
}

// Compare holds a tensor to CONTRACT.md: counts equal, others within 1e-4 of the
// largest magnitude. It returns the difference by that magnitude.
func Compare(t testing.TB, name string, got, want tensors.Tensor) float64 {
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
	if !(difference <= tolerance) { // of a NaN, too
		t.Errorf("%s: largest difference %g of magnitude %g", name, difference, largest)
	}
	if largest == 0 {
		return 0
	}
	return difference / largest
}
