package design

import (
	"fmt"

	"accelsim/hardware"
	"accelsim/sim"
	"accelsim/units"
)

// Help is what the same run takes on hardware that has more of something.
type Help struct {
	Key     string // in JSON
	Text    string // what there is more of
	Refusal string // why it was not simulated; "" if it was

	Seconds float64
	Energy  units.Picojoules
}

// stronger lists what may be doubled. Nothing else of the hardware changes:
// more memory channels also bring their capacity, more PEs their leakage.
var stronger = []struct {
	key    string
	double func(*hardware.Hardware) (text string)
}{
	{"double_bandwidth", func(hw *hardware.Hardware) string {
		hw.DRAM = hw.DRAM.WithChannels(2 * hw.DRAM.Channels)
		return fmt.Sprintf("twice the DRAM bandwidth (%d channels)", hw.DRAM.Channels)
	}},
	{"double_pes", func(hw *hardware.Hardware) string {
		hw.PE.Rows, hw.PE.Lanes = 2*hw.PE.Rows, 2*hw.PE.Lanes
		return fmt.Sprintf("twice the PEs (%dx%d and %d lanes)", hw.PE.Rows, hw.PE.Columns, hw.PE.Lanes)
	}},
}

// helps lists what may be doubled and adds a simulation of each, with a program
// of its own.
func (p Point) helps(sims *simulations) ([]Help, error) {
	list := make([]Help, len(stronger))
	for i, s := range stronger {
		hw, h := *p.Hardware, &list[i]
		h.Key, h.Text = s.key, s.double(&hw)
		if err := hw.DRAM.Validate(); err != nil {
			h.Refusal = err.Error()
			continue
		}
		program, err := p.program(p.Workload, p.K, p.N)
		if err != nil {
			return nil, err
		}
		sims.add(program, func(o sim.Options) error {
			o.Source, o.Trace, o.Requests = nil, nil, nil
			r, err := sim.Run(program, &hw, o)
			if err != nil {
				return fmt.Errorf("with %s: %w", h.Text, err)
			}
			h.Seconds, h.Energy = r.Timing.Seconds, r.Timing.Energy.Total()
			return nil
		})
	}
	return list, nil
}
