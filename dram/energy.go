package dram

import (
	"fmt"

	"accelsim/units"
)

// Stats counts what a memory did, in commands and clocks. Counters of all
// channels are added up.
type Stats struct {
	Reads, Writes int64 // bursts moved by RD and WR
	Activates     int64
	Precharges    int64 // PRE, and the precharges of RDA and WRA
	Refreshes     int64 // all-bank
	BankRefreshes int64
	RowHits       int64 // column commands other than the first after their ACT

	DataBusy   units.Cycles // a data bus carried a burst
	Active     units.Cycles // rank-clocks with a bank open
	Precharged units.Cycles // rank-clocks with all banks closed
}

// Add adds n times o to s.
func (s *Stats) Add(o Stats, n int64) {
	s.Reads += n * o.Reads
	s.Writes += n * o.Writes
	s.Activates += n * o.Activates
	s.Precharges += n * o.Precharges
	s.Refreshes += n * o.Refreshes
	s.BankRefreshes += n * o.BankRefreshes
	s.RowHits += n * o.RowHits
	s.DataBusy += units.Cycles(n) * o.DataBusy
	s.Active += units.Cycles(n) * o.Active
	s.Precharged += units.Cycles(n) * o.Precharged
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

// Energy prices counted commands and clocks by the power-calculation method of
// Micron's TN-40-07 (DDR4) and its predecessors: each command costs what its
// current draws above standby for as long as the command lasts.
func (d Device) Energy(s Stats) Energy {
	t, p := d.Timing, d.Power
	// V x mA x ns is pJ; a rank's chips work together.
	ns := float64(d.Clock) / 1000
	chips := float64(d.Chips())
	core, vpp := p.VDD*ns*chips, p.VPP*ns*chips
	ras, rp, rc := float64(t.RAS), float64(t.RP), float64(t.RC())
	rfc, rfcb, burst := float64(t.RFC), float64(t.RFCb), float64(d.BurstCycles())
	bits := float64(d.BurstBytes()) * 8

	of := func(n int64, each float64) units.Picojoules { return units.Picojoules(float64(n) * each) }
	ranks := int64(s.Active + s.Precharged)
	return Energy{
		Activate: of(s.Activates, core*(p.IDD0*rc-p.IDD3N*ras-p.IDD2N*rp)),
		Read:     of(s.Reads, core*(p.IDD4R-p.IDD3N)*burst),
		Write:    of(s.Writes, core*(p.IDD4W-p.IDD3N)*burst),
		Refresh: of(s.Refreshes, core*(p.IDD5AB-p.IDD3N)*rfc) +
			of(s.BankRefreshes, core*(p.IDD5PB-p.IDD3N)*rfcb),
		Background: of(int64(s.Active), core*p.IDD3N) + of(int64(s.Precharged), core*p.IDD2N),
		VPP: of(ranks, vpp*p.IPP3N) + of(s.Activates, vpp*(p.IPP0-p.IPP3N)*rc) +
			of(s.Refreshes, vpp*(p.IPP5-p.IPP3N)*rfc),
		IO: of(s.Reads, bits*p.ReadPJPerBit) + of(s.Writes, bits*p.WritePJPerBit),
	}
}

// validate reports currents that contradict each other: an operation that
// draws less than the standby it starts from.
func (p Power) validate() error {
	for _, order := range []struct {
		less, more           string
		lessValue, moreValue float64
	}{
		{"IDD2N", "IDD0", p.IDD2N, p.IDD0},
		{"IDD2N", "IDD3N", p.IDD2N, p.IDD3N},
		{"IDD3N", "IDD4R", p.IDD3N, p.IDD4R},
		{"IDD3N", "IDD4W", p.IDD3N, p.IDD4W},
		{"IDD3N", "IDD5AB", p.IDD3N, p.IDD5AB},
	} {
		if order.lessValue > order.moreValue {
			return fmt.Errorf("%s (%g mA) contradicts %s (%g mA): it must not exceed it", order.less, order.lessValue, order.more, order.moreValue)
		}
	}
	return nil
}
