package hdl

import (
	"testing"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/pe/fixed"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// The clocks that the RTL is held to are those that the simulator books for the
// PEs: one interval of the block is one iteration with k = T.
func TestTheBlocksClocksAreTheSimulators(t *testing.T) {
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	hw.PE.Rows, hw.PE.Columns, hw.PE.Lanes, hw.PE.Pipeline = 2, 3, 4, 5
	w := workload(t, small)
	b, err := fixed.NewBlock(w, w.Timesteps, formats(t, "q4.12"))
	if err != nil {
		t.Fatal(err)
	}
	program, err := schedule.New(w, w.Timesteps, w.Net.N(), schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	r, err := sim.Run(program, hw, sim.Options{Energy: energy.Default()})
	if err != nil {
		t.Fatal(err)
	}
	if got := units.TotalOf(b.Cycles(hw.PE)); got != r.Timing.Cycles.PEBusy {
		t.Errorf("the model says %d clocks, the simulator books %d", got, r.Timing.Cycles.PEBusy)
	}
}
