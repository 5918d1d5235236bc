package crosscheck

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// roundedUp is the times of a PE group of which each is rounded up to a clock:
// computing, and waiting for loads, stores and others.
const roundedUp = 4

// late holds the time of a result against what its units did in it: none is busy
// for longer than there was time, nor for less than nothing, and each PE group
// computes or waits all the time. It returns what does not hold.
func late(r *sim.Result) (list []string) {
	if r.Timing == nil {
		return nil
	}
	c, dram := &r.Timing.Cycles, &r.Timing.DRAM
	hold := func(what string, busy, total units.Total[units.Cycles]) {
		if busy.Sign() < 0 || total.Less(busy) {
			list = append(list, fmt.Sprintf("%s for %d of %d clocks", what, busy, total))
		}
	}
	for i, g := range r.Groups {
		pes := fmt.Sprintf("the PEs of group %d are ", i+1)
		hold(pes+"busy", g.PEBusy, c.Total)
		for _, wait := range []units.Total[units.Cycles]{g.StallPorts, g.StallLoad, g.StallStore, g.StallOther} {
			hold(pes+"idle", wait, c.Total)
		}
		all := units.Sum(g.PEBusy, g.StallPorts, g.StallLoad, g.StallStore, g.StallOther)
		hold(pes+"busy or idle", all, c.Total.Plus(roundedUp))
		hold("time passes", c.Total, all)
	}
	hold("the DRAM is busy", c.DRAM, c.Total)
	hold("DRAM and PEs are busy at once", c.Overlap, c.DRAM)
	hold("DRAM and PEs are busy at once", c.Overlap, units.Sum(c.PEBusy, c.StallPorts).Plus(1))
	// In clocks of the DRAM, over all its ranks and channels.
	device := r.Hardware.DRAM
	ranks := int64(device.Ranks) * int64(device.Channels)
	there := dram.Active.PlusTotal(dram.Precharged)
	hold("a DRAM bank is open", dram.Active, there)
	hold("the data buses are busy", dram.DataBusy.Times(int64(device.Ranks)), there)
	whole := units.As[units.Picoseconds](there).Times(int64(device.Clock))
	hold("time passes", c.Total.Plus(-1), units.Clocks(whole, r.Hardware.PE.Clock.Period()*units.Picoseconds(ranks)))
	return list
}
