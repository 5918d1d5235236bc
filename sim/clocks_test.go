package sim_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// TestTimeScalesWithTheClock: at a clock that is slower by a power of ten, PEs
// are busy for as many clocks, and the time is that of the clocks, also when it
// is months. 64 bits of picoseconds end after 107 days.
func TestTimeScalesWithTheClock(t *testing.T) {
	w := workload(t, "16C3-16C3-5FC", 200, 128)
	fast := simulate(t, w, 4, 1, schedule.All, paper(t), sim.Options{})
	for clock := units.Hertz(10_000_000); clock >= 1; clock /= 10 {
		hw := paper(t)
		hw.PE.Clock = clock
		r := simulate(t, w, 4, 1, schedule.All, hw, sim.Options{})
		c := r.Timing.Cycles
		if c.PEBusy != fast.Timing.Cycles.PEBusy || r.Counts != fast.Counts {
			t.Errorf("at %d Hz PEs are busy for %d clocks, not %d", clock, c.PEBusy, fast.Timing.Cycles.PEBusy)
		}
		if seconds := c.Total.Float64() / float64(clock); r.Timing.Seconds > seconds || r.Timing.Seconds < seconds-1/float64(clock) {
			t.Errorf("at %d Hz %v s for %d clocks", clock, r.Timing.Seconds, c.Total)
		}
		if waits := units.Sum(c.StallLoad, c.StallStore, c.StallOther); clock <= 1_000_000 && waits.Float64() > 0.01*c.Total.Float64() {
			t.Errorf("at %d Hz PEs wait for %d of %d clocks: a DRAM that is a thousand times faster", clock, waits, c.Total)
		}
		if e := r.Timing.Energy; !(e.Static > 0 && e.DRAM > 0) || fast.Timing.Energy.PE != e.PE {
			t.Errorf("at %d Hz the energy is %+v", clock, e)
		}
		if clock == 1 && r.Timing.Seconds < 107*86400 {
			t.Errorf("only %v s: too short to tell", r.Timing.Seconds)
		}
	}
}

// TestOneStepMayTakeYears: 64 bits are left for its clocks alone.
func TestOneStepMayTakeYears(t *testing.T) {
	hw := paper(t)
	hw.PE = pe.Array{Rows: 1, Columns: 1, Lanes: 1, Pipeline: 1, Clock: 1}
	r := simulate(t, workload(t, "64C3-64C3-5FC", 1, 64), 1, 1, schedule.All, hw, sim.Options{})
	// Layer 2: 64 samples, 64 positions, 64 channels, each of 64 x 9 taps.
	least := 64. * 64 * 64 * 64 * 9
	if got := r.Timing.Seconds; got < 2*least || got > 10*least {
		t.Errorf("%v s; layer 2's forward step alone has %v terms of a second each", got, least)
	}
	if least < 4*365*86400 {
		t.Error("that is no four years")
	}
}

// TestAStepWhoseClocksDoNotFitIsRefused, before anything is simulated.
func TestAStepWhoseClocksDoNotFitIsRefused(t *testing.T) {
	hw := paper(t)
	hw.PE.Rows, hw.PE.Columns = 1<<16, 1<<16
	hw.DRAM = hw.DRAM.WithRanks(1 << 12)
	w := workload(t, "64C3-5FC", 1, 1<<26)
	p, err := schedule.New(w, 1, 1, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	_, err = sim.Run(p, hw, sim.Options{})
	var long *sim.StepTooLong
	if !errors.As(err, &long) || !strings.HasPrefix(fmt.Sprint(err), "a step of layer 1: on pe.rows = 65536 and pe.columns = 65536 its clocks do not fit in 64 bits; take ") {
		t.Error(err)
	}
}
