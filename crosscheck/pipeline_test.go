package crosscheck_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/crosscheck"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/tensors"
	"github.com/accelsim-dev/accelsim/tiling"
	"github.com/accelsim-dev/accelsim/units"
)

// drawGroups changes hardware in what the pipelined schedule depends on.
func drawGroups(r *rapid.T, hw *hardware.Hardware) {
	hw.DRAM = hw.DRAM.WithRanks(1)
	hw.Groups = rapid.SampledFrom([]int{0, 2, 3, 5}).Draw(r, "groups")
	hw.Engines = rapid.IntRange(1, 3).Draw(r, "engines")
	hw.PE.Rows, hw.PE.Columns = rapid.IntRange(1, 8).Draw(r, "rows"), rapid.IntRange(1, 8).Draw(r, "columns")
	hw.PE.Clock = units.Hertz(rapid.SampledFrom([]int64{10e6, 200e6, 3e9}).Draw(r, "clock"))
}

// drawCut draws a workload at some (k, n).
func drawCut(r *rapid.T, traffic schedule.Traffic) *schedule.Program {
	w := drawWorkload(r)
	k := rapid.SampledFrom(network.Divisors(w.Timesteps)).Draw(r, "k")
	p, err := schedule.New(w, k, rapid.IntRange(1, w.Net.N()).Draw(r, "n"), traffic)
	if err != nil {
		r.Fatal(err)
	}
	return p
}

// TestPipelinedGroupsDoTheSameWork: they never wait for each other for ever, move
// the same words and execute the same operations; only the DRAM footprint of
// spikes between groups grows. With time or without makes no difference.
func TestPipelinedGroupsDoTheSameWork(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		hw := *paperHardware(t)
		drawGroups(r, &hw)
		p := drawCut(r, schedule.Traffic(rapid.Bool().Draw(r, "only equations")))
		alone, err := sim.Run(p, &hw, sim.Options{})
		if err != nil {
			r.Fatal(err)
		}
		for _, untimed := range []bool{true, false} {
			together, err := sim.Run(p, &hw, sim.Options{Order: schedule.Pipelined, Untimed: untimed})
			if err != nil {
				r.Fatal(err)
			}
			if diff := cmp.Diff(alone.Counts, together.Counts); diff != "" {
				r.Errorf("counts, alone -, together +:\n%s", diff)
			}
			if diff := cmp.Diff(alone.Beyond, together.Beyond); diff != "" {
				r.Errorf("beyond the equations, alone -, together +:\n%s", diff)
			}
			alone.Unread[role.Spikes] = together.Unread[role.Spikes] // of more slots fewer are overwritten
			if alone.Words != together.Words || alone.Operations != together.Operations || alone.Steps != together.Steps || alone.Unread != together.Unread {
				r.Errorf("alone %v %v %v %v\ntogether %v %v %v %v", alone.Words, alone.Operations, alone.Steps, alone.Unread,
					together.Words, together.Operations, together.Steps, together.Unread)
			}
			var spikes units.Bytes
			for _, g := range together.Groups[1:] {
				if p.Traffic == schedule.All {
					spikes += p.Words(role.Spikes, p.Blocks[g.First-1].First-1).Bytes() * units.Bytes(max(p.K, 2))
				}
			}
			if got := together.Footprint.Total - alone.Footprint.Total; got != spikes {
				r.Errorf("%d bytes more in DRAM, want %d", got, spikes)
			}
			if !untimed {
				checkGroupTime(r, together)
			}
		}
	})
}

// checkGroupTime holds what every group's PEs did to the time that passed.
func checkGroupTime(r *rapid.T, result *sim.Result) {
	c, groups := result.Timing.Cycles, int64(len(result.Groups))
	for i, g := range result.Groups {
		sum := units.Sum(g.PEBusy, g.StallPorts, g.StallLoad, g.StallStore, g.StallOther)
		if over, _ := sum.Minus(c.Total).One(); over < 0 || over > 3 { // each is rounded up
			r.Errorf("group %d: %d clocks of %d", i+1, sum, c.Total)
		}
	}
	sum := units.Sum(c.PEBusy, c.StallPorts, c.StallLoad, c.StallStore, c.StallOther)
	if over, _ := sum.Minus(c.Total.Times(groups)).One(); over < 0 || int64(over) > 3*groups {
		r.Errorf("%d clocks in %d groups of %d", sum, groups, c.Total)
	}
	var times units.Time
	var energy units.Picojoules
	for _, s := range result.Timing.Shares {
		times.AddTotal(s.Time())
		energy += s.Energy.Total()
	}
	period := result.Hardware.PE.Clock.Period()
	if whole := units.TotalOf(units.Picoseconds(result.Timing.Seconds*1e12 + 0.5)).Times(groups); times.Less(whole.Plus(-period)) || whole.Plus(period).Less(times) {
		r.Errorf("shares take %d ps, %d groups %d", times, groups, whole)
	}
	if whole := result.Timing.Energy.Total(); energy < whole*(1-1e-9) || energy > whole*(1+1e-9) {
		r.Errorf("shares take %v pJ, the whole %v", energy, whole)
	}
}

// TestPipelinedGroupsOnSmallBuffers: what the equations cover moves once, on
// buffers of any size that is large enough for the sequential schedule.
func TestPipelinedGroupsOnSmallBuffers(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		hw := *paperHardware(t)
		drawGroups(r, &hw)
		hw.OnChip = units.Bytes(1 << rapid.IntRange(8, 16).Draw(r, "log2 of the buffer"))
		p := drawCut(r, schedule.All)
		alone, err := sim.Run(p, &hw, sim.Options{})
		if err != nil {
			r.Skip(err) // other tests say when it may fail
		}
		for _, untimed := range []bool{true, false} {
			together, err := sim.Run(p, &hw, sim.Options{Order: schedule.Pipelined, Untimed: untimed})
			if err != nil {
				r.Fatal(err)
			}
			if diff := cmp.Diff(alone.Counts, together.Counts); diff != "" {
				r.Errorf("counts, alone -, together +:\n%s", diff)
			}
			for why := range schedule.Beyond(schedule.NumBeyond) {
				// A part of random weights is made anew when a tile needs it again.
				if a, b := alone.Beyond.Operations[why], together.Beyond.Operations[why]; a != b && why != schedule.BeyondRandom {
					r.Errorf("%d operations of %v alone, %d together", a, why, b)
				}
				if a, b := alone.Beyond.Words[why], together.Beyond.Words[why]; a != b && why != schedule.BeyondRefetch {
					r.Errorf("%d words of %v alone, %d together", a, why, b)
				}
			}
			for _, g := range together.Groups {
				if g.OnChip.Peak > hw.OnChip {
					r.Errorf("%d of %d bytes on chip", g.OnChip.Peak, hw.OnChip)
				}
			}
			if !untimed {
				checkGroupTime(r, together)
			}
		}
	})
}

// verify plans and verifies.
func verify(p *schedule.Program, hw *hardware.Hardware, in *tensors.Input, o sim.Options) (*crosscheck.Verification, error) {
	plan, err := sim.NewPlan(p, hw, o.Order, nil)
	if err != nil {
		return nil, err
	}
	return crosscheck.Verify(plan, in, o)
}

// TestPipelinedNumbersAreGolden: every value equals the golden trainer's, of as
// many values as when the blocks take turns.
func TestPipelinedNumbersAreGolden(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		hw := *paperHardware(t)
		drawGroups(r, &hw)
		if rapid.Bool().Draw(r, "small") {
			hw.OnChip = units.Bytes(1 << rapid.IntRange(10, 16).Draw(r, "log2 of the buffer"))
		}
		p := drawCut(r, schedule.All)
		residency := sim.Residency{Resident: rapid.Bool().Draw(r, "resident"), SkipUnread: rapid.Bool().Draw(r, "skip unread")}
		in := crosscheck.RandomInput(p.Workload(), p.Blocks, rapid.Uint64().Draw(r, "seed"))
		untimed := rapid.Bool().Draw(r, "untimed")
		alone, err := verify(p, &hw, in, sim.Options{Untimed: true})
		if errors.As(err, new(*tiling.TooSmall)) {
			r.Skip(err)
		}
		if err != nil {
			r.Fatal(err)
		}
		resident, err := residency.Plan(p, &hw, schedule.Pipelined, nil)
		if err != nil {
			r.Fatal(err)
		}
		together, err := crosscheck.Verify(resident, in, sim.Options{Untimed: untimed})
		if err != nil {
			r.Fatal(err)
		}
		for _, row := range together.Rows {
			if row.Differing > 0 {
				r.Errorf("%s: %d of %d values differ, by up to %v", row.Tensor, row.Differing, row.Values, row.Difference)
			}
		}
		if alone.Values != together.Values {
			r.Errorf("%d values compared; %d when blocks take turns", together.Values, alone.Values)
		}
	})
}

// TestMoreRoomNeverMovesMoreBetweenGroups: nor does it with several groups.
func TestMoreRoomNeverMovesMoreBetweenGroups(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		hw := *paperHardware(t)
		drawGroups(r, &hw)
		p := drawCut(r, schedule.All)
		before, room := units.Words(0), units.Bytes(0)
		more := rapid.IntRange(20, 150).Draw(r, "percent more")
		for size := 512; size <= 1<<16; size += size * more / 100 {
			hw.OnChip = units.Bytes(size)
			result, err := sim.Run(p, &hw, sim.Options{Order: schedule.Pipelined, Untimed: true})
			if errors.As(err, new(*tiling.TooSmall)) {
				continue
			}
			if err != nil {
				r.Fatal(err)
			}
			var words units.Words
			for _, c := range result.Words {
				words += c.Reads + c.Writes
			}
			if room > 0 && words > before {
				r.Errorf("%d words with %d bytes on chip, %d with %d", before, room, words, hw.OnChip)
			}
			before, room = words, hw.OnChip
		}
	})
}
