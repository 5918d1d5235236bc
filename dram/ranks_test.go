package dram

import (
	"testing"

	"github.com/accelsim-dev/accelsim/units"
)

// Ranks that are only there to hold more take as long as the others, are
// refreshed with them, and use standby power.
func TestMoreRanksThanBanksCanTellApartHoldMore(t *testing.T) {
	d, err := Lookup("ddr4-2400")
	if err != nil {
		t.Fatal(err)
	}
	few := d.WithRanks(maxBanks / d.Banks())
	few = few.WithMapping(few.StreamMapping())
	many := few.WithRanks(4 * few.Ranks)

	run := func(d Device, at units.Bytes, e Engine) (units.Time, Stats) {
		m, err := NewMemory(d, e)
		if err != nil {
			t.Fatal(err)
		}
		end, err := m.Transfer(units.Time{}, []Stream{{Addr: at, Bursts: 300_000}, {Addr: at, Bursts: 1000, Write: true}})
		if err != nil {
			t.Fatal(err)
		}
		m.Finish(end)
		return end, m.Stats()
	}
	end, base := run(few, 0, Fast)
	for _, at := range []units.Bytes{0, few.Capacity(), 3 * few.Capacity()} {
		for _, e := range []Engine{Fast, Reference} {
			got, s := run(many, at, e)
			if got != end || s.Reads != base.Reads || s.Activates != base.Activates {
				t.Errorf("at %d: ends at %d with %+v, not %d with %+v", at, got, s, end, base)
			}
			if s.Refreshes != base.Refreshes.Times(4) {
				t.Errorf("%d refreshes, want four times %d", s.Refreshes, base.Refreshes)
			}
			if all, of := s.Active.PlusTotal(s.Precharged), base.Active.PlusTotal(base.Precharged); all != of.Times(4) {
				t.Errorf("%d rank-clocks, want four times %d", all, of)
			}
		}
	}
	m, err := NewMemory(few, Fast)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Transfer(units.Time{}, []Stream{{Addr: few.Capacity(), Bursts: 1}}); err == nil {
		t.Error("an address behind the last rank is accepted")
	}
}
