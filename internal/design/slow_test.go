package design_test

import (
	"math"
	"testing"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/design"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// TestChipsThatTakeMonthsAreRight: 64 bits of picoseconds end after 106.75 days;
// iterations need not. Against BPTT such a chip saves as much as at any clock.
func TestChipsThatTakeMonthsAreRight(t *testing.T) {
	atHertz := func(file string, hz units.Hertz) *hardware.Hardware {
		hw, err := hardware.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		if hz > 0 {
			hw.PE.Clock = hz
		}
		return hw
	}
	w, err := network.Open("alexnet")
	if err != nil {
		t.Fatal(err)
	}
	evaluate := func(hw *hardware.Hardware, timesteps int) *design.Evaluation {
		many := *w
		many.Timesteps = timesteps
		e, err := design.Evaluate(design.Point{Workload: &many, Hardware: hw, K: 10, N: 1, Options: sim.Options{Energy: hw.Energy}})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	for _, c := range []struct {
		what      string
		hw        *hardware.Hardware
		timesteps int
		cycles    int64
		days      float64
	}{
		{"a 4x4 array at 100 kHz", atHertz("testdata/tinychip.yaml", 0), 100, 1_102_850_288_333, 127.6},
		{"the paper's machine at 100 Hz", atHertz("testdata/hw-100Hz.yaml", 0), 100, 17_423_133_794, 2016.6},
		{"at 1 Hz", atHertz("testdata/hw-100Hz.yaml", 1), 100, 0, 201656},
		{"a thousand steps", atHertz("testdata/tinychip.yaml", 0), 1000, 0, 1276},
		{"a 4x4 array at 1 kHz", atHertz("testdata/tinychip.yaml", 1000), 100, 0, 12764},
	} {
		e := evaluate(c.hw, c.timesteps)
		timing, base := e.Run.Timing, e.Baseline.Timing
		if got := timing.Seconds / 86400; math.Abs(got/c.days-1) > 0.01 {
			t.Errorf("%s: %.1f days, want %.1f", c.what, got, c.days)
		}
		if got := timing.Cycles.Total; c.cycles != 0 && got != units.TotalOf(units.Cycles(c.cycles)) {
			t.Errorf("%s: %d clocks, want %d", c.what, got, c.cycles)
		}
		if !e.Check.Pass || e.Check.Late != nil {
			t.Errorf("%s: the cross-check says %v", c.what, e.Check.Late)
		}
		less := 100 * (1 - timing.Cycles.Total.Float64()/base.Cycles.Total.Float64())
		if less < 25 || less > 40 {
			t.Errorf("%s: %.2f %% fewer clocks than BPTT", c.what, less)
		}
		if seconds := timing.Cycles.Total.Float64() / float64(c.hw.PE.Clock); math.Abs(timing.Seconds/seconds-1) > 1e-6 {
			t.Errorf("%s: %v s for %d clocks", c.what, timing.Seconds, timing.Cycles.Total)
		}
		if static := float64(timing.Energy.Static) * 1e-12 / timing.Seconds; static <= 0 || static > 100 {
			t.Errorf("%s: %v W of leakage", c.what, static)
		}
	}
}
