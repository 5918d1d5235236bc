package design

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// Help is what the same run takes on hardware that has more of something.
type Help struct {
	Key     string // in JSON
	Text    string // what there is more of
	Refusal string // why it was not simulated; "" if it was

	Seconds float64
	Energy  units.Picojoules
}

// stronger is something that may be doubled. Nothing else of the hardware
// changes: more memory channels also bring their capacity, more PEs their leakage.
type stronger struct {
	key    string
	double func(*hardware.Hardware) (text string)
}

// always is what doubling may help any run.
var always = []stronger{
	{"double_bandwidth", func(hw *hardware.Hardware) string {
		hw.DRAM = hw.DRAM.WithChannels(2 * hw.DRAM.Channels)
		return fmt.Sprintf("twice the DRAM bandwidth (%d channels)", hw.DRAM.Channels)
	}},
	{"double_pes", func(hw *hardware.Hardware) string {
		hw.PE.Rows, hw.PE.Lanes = 2*hw.PE.Rows, 2*hw.PE.Lanes
		return fmt.Sprintf("twice the PEs (%dx%d and %d lanes)", hw.PE.Rows, hw.PE.Columns, hw.PE.Lanes)
	}},
}

// whenFinite helps a run whose layer buffer has a size of its own.
var whenFinite = []stronger{
	{"double_onchip", func(hw *hardware.Hardware) string {
		hw.OnChip *= 2
		for i := range hw.Buffers {
			hw.Buffers[i].Capacity *= 2 // in twice the banks
		}
		return "twice the on-chip capacity (" + binary(hw.OnChip) + ")"
	}},
}

// binary writes a capacity as hardware files do.
func binary(b units.Bytes) string {
	switch {
	case b%units.MiB == 0:
		return fmt.Sprintf("%d MiB", b/units.MiB)
	case b%units.KiB == 0:
		return fmt.Sprintf("%d KiB", b/units.KiB)
	}
	return fmt.Sprintf("%d bytes", b)
}

// whenWaiting helps a run whose PEs wait for ports of the layer buffer, and no
// other.
var whenWaiting = []stronger{
	{"double_ports", func(hw *hardware.Hardware) string {
		hw.Ports *= 2
		for i := range hw.Buffers {
			hw.Buffers[i].Ports *= 2
		}
		return "twice the ports of on-chip buffers"
	}},
}

// helps lists what doubling takes and adds a simulation of each. What the run's
// plan does not depend on, it is executed on as it is.
func (p Point) helps(plan *sim.Plan, sims *simulations, doubling []stronger) ([]Help, error) {
	list := make([]Help, len(doubling))
	for i, s := range doubling {
		hw, h := *p.Hardware, &list[i]
		h.Key, h.Text = s.key, s.double(&hw)
		if err := hw.DRAM.Validate(); err != nil {
			h.Refusal = err.Error()
			continue
		}
		sims.add(plan.Program().Steps(), func(o sim.Options) error {
			r, err := p.help(plan, &hw, o)
			if err != nil {
				return fmt.Errorf("with %s: %w", h.Text, err)
			}
			h.Seconds, h.Energy = r.Timing.Seconds, r.Timing.Energy.Total()
			return nil
		})
	}
	return list, nil
}

// help simulates the run on stronger hardware.
func (p Point) help(plan *sim.Plan, hw *hardware.Hardware, o sim.Options) (*sim.Result, error) {
	var err error
	if hw.OnChip != p.Hardware.OnChip { // then other tensors may stay
		plan, err = p.fit(plan.Program(), hw)
	} else {
		plan, err = plan.On(hw)
	}
	if err != nil {
		return nil, err
	}
	return plan.Run(totals(o))
}
