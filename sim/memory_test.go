package sim

import (
	"errors"
	"sort"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

func ddr4(t testing.TB) dram.Device {
	t.Helper()
	d, err := dram.Lookup("ddr4-2400")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestTensorsDoNotOverlap: every slot has bursts of its own, and the footprint
// is what the tensors take without the room between them.
func TestTensorsDoNotOverlap(t *testing.T) {
	d := ddr4(t)
	rapid.Check(t, func(r *rapid.T) {
		var extents []schedule.Extent
		var footprint units.Bytes
		for i := range rapid.IntRange(1, 8).Draw(r, "extents") {
			e := schedule.Extent{
				Class: role.Role(rapid.IntRange(0, 3).Draw(r, "class")), Index: i,
				Words: units.Words(rapid.SampledFrom([]int64{1, 15, 16, 17, 1000, int64(d.Alignment()) / 4, 1 << 21}).Draw(r, "words")),
				Slots: rapid.IntRange(1, 4).Draw(r, "slots"),
			}
			footprint += e.Words.Bytes() * units.Bytes(e.Slots)
			extents = append(extents, e)
		}
		l, err := layOut(extents, d, units.WordBytes)
		if err != nil {
			r.Fatal(err)
		}
		if l.footprint() != footprint {
			r.Errorf("footprint %d, want %d", l.footprint(), footprint)
		}
		m := newMemoryMap(&l, d, units.WordBytes)
		type place struct{ from, to units.Bytes }
		var places []place
		for _, e := range extents {
			for step := range e.Slots {
				s, err := m.stream(schedule.Transfer{Tensor: role.Tensor{Class: e.Class, Index: e.Index, Step: step}, Words: e.Words}, true)
				if err != nil {
					r.Fatal(err)
				}
				if s.Addr%d.BurstBytes() != 0 {
					r.Errorf("address %d cuts a burst", s.Addr)
				}
				if e.Words.Bytes() >= d.Alignment() && s.Addr%d.Alignment() != 0 {
					r.Errorf("%d bytes start at %d, inside a sweep of %d", e.Words.Bytes(), s.Addr, d.Alignment())
				}
				if s.Bursts != int64(units.CeilDiv(e.Words.Bytes(), d.BurstBytes())) || !s.Write {
					r.Errorf("%d words move as %+v", e.Words, s)
				}
				places = append(places, place{s.Addr, s.Addr + units.Bytes(s.Bursts)*d.BurstBytes()})
			}
		}
		sort.Slice(places, func(i, j int) bool { return places[i].from < places[j].from })
		for i, p := range places {
			if i > 0 && p.from < places[i-1].to {
				r.Errorf("%+v overlaps %+v", p, places[i-1])
			}
			if p.to > l.end {
				r.Errorf("%+v ends behind the last address %d", p, l.end)
			}
		}
	})
}

// TestMemoryKnowsWhatIsThere: reads of what nothing wrote, or of another step,
// are refused; values overwritten unread are counted.
func TestMemoryKnowsWhatIsThere(t *testing.T) {
	l, err := layOut([]schedule.Extent{
		{Class: role.Potential, Index: 1, Words: 10, Slots: 2, Initial: true},
		{Class: role.WeightGradient, Index: 1, Words: 10, Slots: 1},
		{Class: role.Input, Index: 0, Words: 10, Slots: 4, Initial: true, Constant: true},
	}, ddr4(t), units.WordBytes)
	if err != nil {
		t.Fatal(err)
	}
	m := newMemoryMap(&l, ddr4(t), units.WordBytes)
	potential := func(step int) schedule.Transfer {
		return schedule.Transfer{Tensor: role.Tensor{Class: role.Potential, Index: 1, Step: step}, Words: 10}
	}
	gradient := schedule.Transfer{Tensor: role.Tensor{Class: role.WeightGradient, Index: 1, Step: 2}, Words: 10}
	for i, c := range []struct {
		transfer schedule.Transfer
		write    bool
		refusal  string
	}{
		{potential(0), false, ""}, // zeros are there before the iteration
		{potential(1), false, "U^{1,1} is read from DRAM, but nothing wrote it"},
		{potential(2), false, "U^{2,1} is read from DRAM, but the value of step 0 is there"},
		{potential(1), true, ""},
		{potential(2), true, ""}, // in the place of step 0
		{potential(0), false, "U^{0,1} is read from DRAM, but the value of step 2 is there"},
		{potential(1), false, ""},
		{potential(3), true, ""}, // step 1 was read
		{potential(4), true, ""}, // step 2 was not
		{gradient, false, "dW^1 is read from DRAM, but nothing wrote it"},
		{schedule.Transfer{Tensor: role.Tensor{Class: role.Input, Step: 7}, Words: 10}, false, ""},
		{schedule.Transfer{Tensor: role.Tensor{Class: role.Weight, Index: 1}, Words: 10}, false, "W^1 has no address in DRAM"},
		{schedule.Transfer{Tensor: role.Tensor{Class: role.RandomWeight, Index: 1}, Words: 10}, true, "W_c*^1 has no address in DRAM"},
	} {
		_, err := m.stream(c.transfer, c.write)
		if (err == nil) != (c.refusal == "") || (err != nil && err.Error() != c.refusal) {
			t.Errorf("%d: %v, write %v: %v, want %q", i, c.transfer.Tensor, c.write, err, c.refusal)
		}
	}
	if got := m.unread[role.Potential]; got != 1 {
		t.Errorf("%d potentials overwritten unread, want 1", got)
	}
}

func TestSizesThatOverflowAreRefused(t *testing.T) {
	for _, e := range []schedule.Extent{
		{Class: role.Potential, Index: 1, Words: 1 << 58, Slots: 1 << 10},
		{Class: role.Weight, Index: 1, Words: 1 << 60, Slots: 1},
	} {
		l, err := layOut([]schedule.Extent{e, e}, ddr4(t), units.WordBytes)
		if err == nil && l.end >= 0 && l.end < 1<<62 {
			t.Errorf("%+v ends at %d", e, l.end)
		}
		if err != nil && (!errors.Is(err, units.ErrOverflow) || !strings.Contains(err.Error(), e.Class.String())) {
			t.Error(err)
		}
	}
}
