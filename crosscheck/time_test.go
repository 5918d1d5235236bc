package crosscheck

import (
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// TestNoUnitIsBusyForLongerThanThereWasTime: a result is taken as it is, and
// refused with any one of its times wrong, or wrapped below zero.
func TestNoUnitIsBusyForLongerThanThereWasTime(t *testing.T) {
	w, err := network.Open("lenet1")
	if err != nil {
		t.Fatal(err)
	}
	w.Batch = 4
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	hw.Bank, hw.Ports = 64*units.KiB, 1
	p, err := schedule.New(w, 10, 2, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what  string
		spoil func(r *sim.Result)
		says  string
	}{
		{"nothing", func(*sim.Result) {}, ""},
		{"total halved", func(r *sim.Result) { r.Timing.Cycles.Total, _ = r.Timing.Cycles.Total.DivMod(2) }, "the PEs of group 1 are busy"},
		{"total negative", func(r *sim.Result) { r.Timing.Cycles.Total = r.Timing.Cycles.Total.Times(-1) }, "the DRAM is busy for "},
		{"total wrapped", func(r *sim.Result) {
			r.Timing.Cycles.Total = r.Timing.Cycles.Total.Minus(units.TotalOf[units.Cycles](1 << 62).Times(2))
		}, "the PEs of group 1 are busy for "},
		{"PEs busy for too long", func(r *sim.Result) { r.Groups[0].PEBusy = r.Timing.Cycles.Total.Plus(1) }, "the PEs of group 1 are busy for "},
		{"a wait left out", func(r *sim.Result) { r.Groups[0].StallLoad = units.Total[units.Cycles]{} }, "time passes for "},
		{"a negative wait", func(r *sim.Result) { r.Groups[0].StallStore = units.TotalOf[units.Cycles](-9) }, "the PEs of group 1 are idle for -9 of "},
		{"ports waited for twice", func(r *sim.Result) { r.Groups[0].StallPorts = r.Groups[0].StallPorts.Times(2) }, "the PEs of group 1 are busy or idle"},
		{"DRAM busy for too long", func(r *sim.Result) { r.Timing.Cycles.DRAM = r.Timing.Cycles.Total.Plus(1) }, "the DRAM is busy for "},
		{"too much at once", func(r *sim.Result) { r.Timing.Cycles.Overlap = r.Timing.Cycles.DRAM.Plus(1) }, "DRAM and PEs are busy at once"},
		{"buses busy for too long", func(r *sim.Result) { r.Timing.DRAM.DataBusy = r.Timing.DRAM.DataBusy.Times(9) }, "the data buses are busy"},
		{"half of the DRAM's time", func(r *sim.Result) {
			s := &r.Timing.DRAM
			s.Precharged = s.Precharged.Minus(s.Precharged.PlusTotal(s.Active).CeilDiv(2))
		}, "time passes for "},
	} {
		r, err := sim.Run(p, hw, sim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		c.spoil(r)
		check, _, err := Equations(r, false)
		if err != nil {
			t.Fatal(err)
		}
		if says := strings.Join(check.Late, "; "); check.Pass != (c.says == "") || !strings.Contains(says, c.says) || c.says == "" && says != "" {
			t.Errorf("%s: pass %v, %q; want %q", c.what, check.Pass, says, c.says)
		}
	}
}
