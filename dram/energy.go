package dram

import (
	"math"

	"github.com/accelsim-dev/accelsim/units"
)

// Stats counts what a memory did, in commands and clocks. Counters of all
// channels are added up.
//
// Time, and what goes with it, has no end. Bursts do: nobody waits for 2^63 of
// them to be simulated, and rows are activated for bursts.
type Stats struct {
	Reads, Writes int64 // bursts moved by RD and WR
	Activates     int64
	Precharges    int64 // PRE, and the precharges of RDA and WRA
	RowHits       int64 // column commands other than the first after their ACT

	Refreshes     units.Total[int64] // all-bank
	BankRefreshes units.Total[int64]

	DataBusy   units.Total[units.Cycles] // a data bus carried a burst
	Active     units.Total[units.Cycles] // rank-clocks with a bank open
	Precharged units.Total[units.Cycles] // rank-clocks with all banks closed
}

// Add adds n times o to s.
func (s *Stats) Add(o Stats, n int64) {
	s.Reads += n * o.Reads
	s.Writes += n * o.Writes
	s.Activates += n * o.Activates
	s.Precharges += n * o.Precharges
	s.RowHits += n * o.RowHits
	s.Refreshes.AddTotal(o.Refreshes.Times(n))
	s.BankRefreshes.AddTotal(o.BankRefreshes.Times(n))
	s.DataBusy.AddTotal(o.DataBusy.Times(n))
	s.Active.AddTotal(o.Active.Times(n))
	s.Precharged.AddTotal(o.Precharged.Times(n))
}

// gain adds what counters have more than before to s.
func (s *Stats) gain(now, before *Stats) {
	s.Reads += now.Reads - before.Reads
	s.Writes += now.Writes - before.Writes
	s.Activates += now.Activates - before.Activates
	s.Precharges += now.Precharges - before.Precharges
	s.RowHits += now.RowHits - before.RowHits
	s.Refreshes.AddTotal(now.Refreshes.Minus(before.Refreshes))
	s.BankRefreshes.AddTotal(now.BankRefreshes.Minus(before.BankRefreshes))
	s.DataBusy.AddTotal(now.DataBusy.Minus(before.DataBusy))
	s.Active.AddTotal(now.Active.Minus(before.Active))
	s.Precharged.AddTotal(now.Precharged.Minus(before.Precharged))
}

// RowHitRate is the share of column commands that found their row open.
func (s Stats) RowHitRate() float64 {
	if s.Reads+s.Writes == 0 {
		return 0
	}
	return float64(s.RowHits) / float64(s.Reads+s.Writes)
}

// Energy is what a memory used, by class.
type Energy struct {
	Activate   units.Picojoules // opening and closing rows, above standby
	Read       units.Picojoules // core, above active standby
	Write      units.Picojoules
	Refresh    units.Picojoules
	Background units.Picojoules // standby with banks open, or all closed
	VPP        units.Picojoules // wordline supply, all states
	IO         units.Picojoules // data bus drivers and termination
}

// Total is the sum of all classes.
func (e Energy) Total() units.Picojoules {
	return e.Activate + e.Read + e.Write + e.Refresh + e.Background + e.VPP + e.IO
}

// prices are what one command, or one clock of a rank, costs in picojoules.
type prices struct {
	activate, read, write, refresh, bankRefresh float64
	open, closed                                float64 // a clock with a bank open, or none
	wordlines                                   float64 // VPP, a clock
	activateVPP, refreshVPP                     float64
	readIO, writeIO                             float64
}

// prices derives them by the power-calculation method of Micron's TN-40-07
// (DDR4) and its predecessors: each command costs what its current draws above
// standby for as long as the command lasts.
//
// Here and wherever energy is added up, a product is rounded before it goes into
// a sum: Go may otherwise fuse the two, and does on some processors.
func (d Device) prices() prices {
	t, p := d.Timing, d.Power
	// V x mA x ns is pJ; a rank's chips work together.
	ns := float64(d.Clock) / 1000
	chips := float64(d.Chips())
	core, vpp := p.VDD*ns*chips, p.VPP*ns*chips
	rc, rfc, rfcb, burst := float64(t.RC()), float64(t.RFC), float64(t.RFCb), float64(d.BurstCycles())
	bits := float64(d.BurstBytes()) * 8
	return prices{
		activate:    core * p.aboveStandby(t),
		read:        core * (p.IDD4R - p.IDD3N) * burst,
		write:       core * (p.IDD4W - p.IDD3N) * burst,
		refresh:     core * (p.IDD5AB - p.IDD3N) * rfc,
		bankRefresh: core * (p.IDD5PB - p.IDD3N) * rfcb,
		open:        core * p.IDD3N,
		closed:      core * p.IDD2N,
		wordlines:   vpp * p.IPP3N,
		activateVPP: vpp * (p.IPP0 - p.IPP3N) * rc,
		refreshVPP:  vpp * (p.IPP5 - p.IPP3N) * rfc,
		readIO:      bits * p.ReadPJPerBit,
		writeIO:     bits * p.WritePJPerBit,
	}
}

// aboveStandby is what a chip draws from ACT to ACT above standby with the bank
// open until its PRE, and closed from then on, in mA times clocks.
func (p Power) aboveStandby(t Timing) float64 {
	return float64(p.IDD0*float64(t.RC())) - float64(p.IDD3N*float64(t.RAS)) - float64(p.IDD2N*float64(t.RP))
}

// Energy prices counted commands and clocks.
func (d Device) Energy(s Stats) Energy {
	p := d.prices()
	of := func(n int64, each float64) units.Picojoules { return units.Picojoules(float64(n) * each) }
	all := func(n interface{ Float64() float64 }, each float64) units.Picojoules {
		return units.Picojoules(n.Float64() * each)
	}
	return Energy{
		Activate:   of(s.Activates, p.activate),
		Read:       of(s.Reads, p.read),
		Write:      of(s.Writes, p.write),
		Refresh:    all(s.Refreshes, p.refresh) + all(s.BankRefreshes, p.bankRefresh),
		Background: all(s.Active, p.open) + all(s.Precharged, p.closed),
		VPP:        all(s.Active.PlusTotal(s.Precharged), p.wordlines) + of(s.Activates, p.activateVPP) + all(s.Refreshes, p.refreshVPP),
		IO:         of(s.Reads, p.readIO) + of(s.Writes, p.writeIO),
	}
}

// validate reports a figure that is no current, voltage or energy, and currents
// that would make a class of energy negative: an operation that draws less than
// the standby it starts from.
func (p Power) validate(t Timing, refresh RefreshPolicy) error {
	for _, f := range p.named() {
		if !(f.value >= 0 && f.value <= maxPower) {
			return wrong(f.key, "%s = %g must be in 0..%g", f.key, f.value, float64(maxPower))
		}
	}
	if p.IDD3N < p.IDD2N {
		return contradiction([]string{"IDD2N", "IDD3N"}, "IDD2N (%g mA) contradicts IDD3N (%g mA): it must not exceed it", p.IDD2N, p.IDD3N)
	}
	for _, draw := range []struct {
		class        string
		key, standby string
		more, less   float64
		used         bool
	}{
		{"read", "IDD4R", "IDD3N", p.IDD4R, p.IDD3N, true},
		{"write", "IDD4W", "IDD3N", p.IDD4W, p.IDD3N, true},
		{"refresh", "IDD5AB", "IDD3N", p.IDD5AB, p.IDD3N, true},
		{"refresh", "IDD5PB", "IDD3N", p.IDD5PB, p.IDD3N, refresh == BankStaggered},
		{"vpp", "IPP0", "IPP3N", p.IPP0, p.IPP3N, p.VPP > 0},
		{"vpp", "IPP5", "IPP3N", p.IPP5, p.IPP3N, p.VPP > 0},
	} {
		if draw.used && draw.more < draw.less {
			return contradiction([]string{draw.key, draw.standby}, "%s (%g mA) is below %s (%g mA), the standby that it comes on top of: %s energy would be negative; %s must be at least %g",
				draw.key, draw.more, draw.standby, draw.less, draw.class, draw.key, draw.less)
		}
	}
	if p.aboveStandby(t) < 0 {
		standby := float64(p.IDD3N*float64(t.RAS)) + float64(p.IDD2N*float64(t.RP))
		return contradiction([]string{"IDD0", "IDD3N", "IDD2N"}, "IDD0 x tRC (%g mA x %d clocks = %g) is below IDD3N x tRAS + IDD2N x tRP (%g x %d + %g x %d = %g): activate energy would be negative; IDD0 must be at least %g",
			p.IDD0, t.RC(), p.IDD0*float64(t.RC()), p.IDD3N, t.RAS, p.IDD2N, t.RP, standby,
			math.Ceil(100*standby/float64(t.RC())+1e-6)/100)
	}
	return nil
}

// named lists every figure under its key in an .ini file.
func (p *Power) named() []struct {
	key   string
	value float64
} {
	return []struct {
		key   string
		value float64
	}{
		{"VDD", p.VDD},
		{"IDD0", p.IDD0},
		{"IDD2P", p.IDD2P},
		{"IDD2N", p.IDD2N},
		{"IDD3P", p.IDD3P},
		{"IDD3N", p.IDD3N},
		{"IDD4W", p.IDD4W},
		{"IDD4R", p.IDD4R},
		{"IDD5AB", p.IDD5AB},
		{"IDD5PB", p.IDD5PB},
		{"IDD6x", p.IDD6},
		{"VPP", p.VPP},
		{"IPP0", p.IPP0},
		{"IPP3N", p.IPP3N},
		{"IPP5", p.IPP5},
		{"io_read", p.ReadPJPerBit},
		{"io_write", p.WritePJPerBit},
	}
}
