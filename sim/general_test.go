package sim

import (
	"path/filepath"
	"strings"
	"testing"
)

// generalNames are the cases with layers, neurons and rules beyond the paper's.
func generalNames(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../testdata/vectors/general/*.yaml")
	if err != nil || len(files) != 21 {
		t.Fatalf("%d general cases, want 21: %v", len(files), err)
	}
	var names []string
	for _, f := range files {
		names = append(names, "general/"+strings.TrimSuffix(filepath.Base(f), ".yaml"))
	}
	return names
}

func TestGeneralNumbersAreThoseOfAutomaticDifferentiation(t *testing.T) {
	for _, name := range generalNames(t) {
		t.Run(name, func(t *testing.T) {
			v := readVector(t, name)
			compareTensors(t, v, v.run(t, Options{Untimed: true}))
		})
	}
}

func compareTensors(t *testing.T, v vector, r *Result) {
	t.Helper()
	for _, tensor := range v.out.Names() {
		if _, ok := r.Tensors[tensor]; !ok {
			t.Errorf("%s is missing", tensor)
		}
	}
	worst := 0.0
	for _, tensor := range r.Tensors.Names() {
		want, ok := v.out[tensor]
		if !ok {
			t.Errorf("%s is not expected", tensor)
			continue
		}
		worst = max(worst, compareTensor(t, tensor, r.Tensors[tensor], want))
	}
	t.Logf("largest difference %.2g of a tensor's magnitude", worst)
}
