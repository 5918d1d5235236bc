package design_test

import (
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/design"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// helped evaluates lenet1 at (10, 2) with so many DRAM channels.
func helped(t *testing.T, channels int, o sim.Options) *design.Evaluation {
	t.Helper()
	w, err := network.Open("lenet1")
	if err != nil {
		t.Fatal(err)
	}
	w.Batch = 4
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	hw.DRAM = hw.DRAM.WithChannels(channels)
	hw.DRAM = hw.DRAM.WithMapping(hw.DRAM.StreamMapping())
	o.Energy = energy.Default()
	e, err := design.Evaluate(design.Point{Workload: w, Hardware: hw, K: 10, N: 2, Options: o, Help: true, NoBaseline: true})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestHelpIsSimulated(t *testing.T) {
	e := helped(t, 1, sim.Options{})
	more := helped(t, 2, sim.Options{})
	if len(e.Helps) != 2 || e.Helps[0].Key != "double_bandwidth" {
		t.Fatalf("%+v", e.Helps)
	}
	if got, want := e.Helps[0].Seconds, more.Run.Timing.Seconds; got != want {
		t.Errorf("with twice the bandwidth %v s, a machine that has it takes %v", got, want)
	}
	if got, want := e.Helps[0].Energy, more.Run.Timing.Energy.Total(); got != want {
		t.Errorf("with twice the bandwidth %v pJ, a machine that has it takes %v", got, want)
	}
}

func TestWhatCannotBeDoubledIsSaid(t *testing.T) {
	e := helped(t, 64, sim.Options{})
	if h := e.Helps[0]; !strings.Contains(h.Refusal, "128 channels") || h.Seconds != 0 {
		t.Errorf("twice 64 channels: %+v", h)
	}
	if h := e.Helps[1]; h.Refusal != "" || h.Seconds == 0 {
		t.Errorf("twice the PEs: %+v", h)
	}
}

// TestTwiceThePortsHelpWhoWaitsForThem and are not spoken of where nobody does.
func TestTwiceThePortsHelpWhoWaitsForThem(t *testing.T) {
	w, err := network.Open("lenet1")
	if err != nil {
		t.Fatal(err)
	}
	w.Batch = 4
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	hw.OnChip, hw.Bank, hw.Ports = 4*units.MiB, 1*units.MiB, 1
	evaluate := func() *design.Evaluation {
		e, err := design.Evaluate(design.Point{Workload: w, Hardware: hw, K: 10, N: 2, Help: true, NoBaseline: true})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	few := evaluate()
	hw.Ports = 2
	if h := few.Helps[len(few.Helps)-1]; h.Key != "double_ports" || h.Seconds != evaluate().Run.Timing.Seconds || h.Seconds >= few.Run.Timing.Seconds {
		t.Errorf("%+v", h)
	}
	hw.Ports = 1000
	for _, h := range evaluate().Helps {
		if h.Key == "double_ports" {
			t.Error("nobody waits, and yet ports are to help")
		}
	}
}

func TestUntimedRunHasNoHelp(t *testing.T) {
	if e := helped(t, 1, sim.Options{Untimed: true}); e.Helps != nil {
		t.Errorf("%+v", e.Helps)
	}
}

// TestTwiceTheCapacityIsSimulated where the layer buffer has a size of its own.
func TestTwiceTheCapacityIsSimulated(t *testing.T) {
	w, err := network.Open("lenet1")
	if err != nil {
		t.Fatal(err)
	}
	w.Batch = 32
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	evaluate := func(onChip units.Bytes) *design.Evaluation {
		machine := *hw
		machine.OnChip = onChip
		e, err := design.Evaluate(design.Point{Workload: w, Hardware: &machine, K: 10, N: 2, Help: true, NoBaseline: true})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	few, more := evaluate(64*units.KiB), evaluate(128*units.KiB)
	h := few.Helps[2]
	if h.Key != "double_onchip" || h.Text != "twice the on-chip capacity (128 KiB)" || h.Seconds != more.Run.Timing.Seconds || h.Energy != more.Run.Timing.Energy.Total() {
		t.Errorf("%+v, a machine that has it takes %v s", h, more.Run.Timing.Seconds)
	}
	if few.Run.Timing.Seconds == h.Seconds {
		t.Error("twice the capacity changes nothing")
	}
}
