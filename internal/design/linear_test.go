package design_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/design"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/sim"
)

// deep is a network of so many convolutions.
func deep(t *testing.T, layers int) *network.Workload {
	t.Helper()
	w, err := network.Read(fmt.Appendf(nil, "input: {channels: 4, height: 8, width: 8, encoding: event}\nlayers: %s5FC\ntimesteps: 4\nbatch: 2\n",
		strings.Repeat("4C3-", layers)), "deep.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestWorkIsLinearInLayers: four times as many layers take four times the memory,
// all in all, whatever the intervals and blocks, timed or not.
func TestWorkIsLinearInLayers(t *testing.T) {
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what    string
		k       int
		n       func(layers int) int
		untimed bool
	}{
		{"blocks of one layer, k = 1", 1, func(int) int { return 1 }, true},
		{"blocks of one layer, k = 4", 4, func(int) int { return 1 }, true},
		{"timed", 2, func(int) int { return 1 }, false},
		{"one block", 4, func(layers int) int { return layers }, true},
	} {
		allocated := func(layers int) float64 {
			w := deep(t, layers)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			if _, err := design.Evaluate(design.Point{
				Workload: w, Hardware: hw, K: c.k, N: c.n(layers), Options: sim.Options{Untimed: c.untimed},
			}); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			return float64(after.TotalAlloc - before.TotalAlloc)
		}
		few, many := allocated(60), allocated(240)
		t.Logf("%s: %.0f bytes a layer, then %.0f", c.what, few/60, many/240)
		if many > 5*few {
			t.Errorf("%s: 60 layers take %.0f bytes, 240 layers %.0f", c.what, few, many)
		}
	}
}
