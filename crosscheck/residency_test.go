package crosscheck_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/crosscheck"
	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/tiling"
	"github.com/accelsim-dev/accelsim/units"
)

// drawProgram draws a workload and the paper's program for it.
func drawProgram(r *rapid.T) *schedule.Program {
	w := drawWorkload(r)
	k := rapid.SampledFrom(network.Divisors(w.Timesteps)).Draw(r, "k")
	p, err := schedule.New(w, k, rapid.IntRange(1, w.Net.N()).Draw(r, "n"), schedule.All)
	if err != nil {
		r.Fatal(err)
	}
	return p
}

// drawPolicy draws what stays on chip, from nothing to all that can.
func drawPolicy(r *rapid.T, p *schedule.Program) *schedule.Program {
	policy := schedule.Policy{SkipUnread: rapid.Bool().Draw(r, "skip unread")}
	candidates, err := p.Pinnable()
	if err != nil {
		r.Fatal(err)
	}
	share := rapid.SampledFrom([]int{0, 1, 2, 4}).Draw(r, "quarters pinned")
	for _, c := range candidates {
		if rapid.IntRange(0, 3).Draw(r, c.String()) < share {
			policy.Pinned = append(policy.Pinned, c.Pin)
		}
	}
	q, err := p.With(policy)
	if err != nil {
		r.Fatal(err)
	}
	return q
}

// everythingIsAccountedFor fails unless additions and MACs are the equations',
// and words too, with those that were left out on purpose.
func everythingIsAccountedFor(r *rapid.T, result *sim.Result) {
	check, _, err := crosscheck.Equations(result, false)
	if err != nil {
		r.Fatal(err)
	}
	if !check.Pass {
		r.Errorf("the cross-check fails: %+v", check.Rows)
	}
	for _, row := range check.Rows {
		if row.Simulated+row.Saved != row.Analytic {
			r.Errorf("%s: %d and %d saved, Eq. %s has %d", row.Quantity, row.Simulated, row.Saved, row.Equation, row.Analytic)
		}
	}
}

// TestWordsSavedAreTheEquationsDifference: whatever is pinned, the words that
// move and those that the policy left out are, together, the paper's; nothing
// else of what is counted changes.
func TestWordsSavedAreTheEquationsDifference(t *testing.T) {
	paper := paperHardware(t)
	rapid.Check(t, func(r *rapid.T) {
		hw := *paper
		if rapid.Bool().Draw(r, "PEs wait for the DRAM") {
			hw.PE.Clock = 100 * units.GHz // results may be stored when others are to take their place
		}
		p := drawProgram(r)
		layer, err := sim.Run(p, &hw, sim.Options{Untimed: true})
		if err != nil {
			r.Fatal(err)
		}
		q := drawPolicy(r, p)
		// A buffer for all that is pinned, and for next to nothing else or for all.
		room := units.Words(rapid.Int64Range(50, max(50, int64(p.WorkingSet()))).Draw(r, "room")) + q.PinnedWords()
		hw.OnChip = room.Bytes()
		timed, err := sim.Run(q, &hw, sim.Options{Energy: energy.Default(), Untimed: rapid.Bool().Draw(r, "untimed")})
		if small := new(tiling.TooSmall); errors.As(err, &small) && small.Needs > hw.OnChip {
			r.Skip("too small for any tile")
		}
		if err != nil {
			r.Fatal(err)
		}
		plan, err := tiling.New(q, tiling.Room{Shared: true, Words: tiling.Words{room}, Word: units.WordBytes}, 0, hw.PE, nil)
		if err != nil {
			r.Fatal(err)
		}
		moved := sumOf(timed)
		if planned := plan.Traffic(); planned != moved {
			r.Errorf("%d words are planned, %d move", planned, moved)
		}
		if timed.OnChip.Peak > hw.OnChip {
			r.Errorf("%d bytes are held in %d", timed.OnChip.Peak, hw.OnChip)
		}
		everythingIsAccountedFor(r, timed)
		for c, traffic := range layer.Words {
			if saved := timed.Saved.Class[c]; saved.Reads > traffic.Reads || saved.Writes > traffic.Writes {
				r.Errorf("%v: %+v are saved of %+v", role.Role(c), saved, traffic)
			}
		}
		if again := timed.Beyond.Words[schedule.BeyondRefetch]; moved+timed.Saved.Words() != sumOf(layer)+again {
			r.Errorf("%d words move, %d of them again, and %d are saved of %d", moved, again, timed.Saved.Words(), sumOf(layer))
		}
		if diff := cmp.Diff(layer.Operations, timed.Operations); diff != "" && q.Trainable() { // a tile's random weights are made again
			r.Errorf("operations, all brought with each step -, pinned +:\n%s", diff)
		}
		checkUnread(r, q, timed)
	})
}

// TestWhatStaysOnChipIsBitEqual: a functional simulation computes the golden
// trainer's numbers, and leaves them in DRAM, whatever stays on chip and however
// steps are cut beside it.
func TestWhatStaysOnChipIsBitEqual(t *testing.T) {
	paper := paperHardware(t)
	rapid.Check(t, func(r *rapid.T) {
		hw := *paper
		p := drawPolicy(r, drawProgram(r))
		layer, err := p.With(schedule.Policy{})
		if err != nil {
			r.Fatal(err)
		}
		room := units.Words(rapid.Int64Range(50, max(50, int64(layer.WorkingSet()))).Draw(r, "room"))
		hw.OnChip = (room + p.PinnedWords()).Bytes()
		in := crosscheck.RandomInput(p.Workload(), p.Blocks, rapid.Uint64Range(0, 1000).Draw(r, "seed"))
		v, err := verify(p, &hw, in, sim.Options{
			Untimed: rapid.Bool().Draw(r, "untimed"),
			Order:   rapid.SampledFrom([]schedule.Order{schedule.Sequential, schedule.Pipelined}).Draw(r, "order"),
		})
		if errors.As(err, new(*tiling.TooSmall)) {
			r.Skip("too small for any tile")
		}
		if err != nil {
			r.Fatal(err)
		}
		for _, row := range v.Rows {
			if row.Differing > 0 {
				r.Errorf("%s: %d of %d values differ", row.Tensor, row.Differing, row.Values)
			}
		}
		checkUnread(r, p, v.Sim)
	})
}

// checkUnread fails if a store that nothing read was to be left out and was not.
func checkUnread(r *rapid.T, p *schedule.Program, result *sim.Result) {
	for c, unread := range result.Unread {
		if unread != 0 && p.Policy().SkipUnread {
			r.Errorf("%d values of %v were stored and never read", unread, role.Role(c))
		}
	}
}

// residentWords returns what an iteration moves when what pays stays on chip.
func residentWords(p *schedule.Program, hw *hardware.Hardware, skip bool) (moved units.Words, err error) {
	plan, err := sim.Residency{Resident: true, SkipUnread: skip}.Plan(p, hw, schedule.Sequential, nil)
	if err != nil {
		return 0, err
	}
	r, err := plan.Run(sim.Options{Untimed: true})
	if err != nil {
		return 0, err
	}
	return sumOf(r), nil
}

// TestMoreRoomNeverMovesMoreWords where tensors stay on chip, in one buffer or
// in one for each kind; and to let them stay never moves more than not to.
func TestMoreRoomNeverMovesMoreWords(t *testing.T) {
	paper := paperHardware(t)
	rapid.Check(t, func(r *rapid.T) {
		p := drawProgram(r)
		skip := rapid.Bool().Draw(r, "skip unread")
		hw := *paper
		room := rapid.Int64Range(50, max(50, 2*int64(p.WorkingSet())))
		if hw.Separate = rapid.Bool().Draw(r, "separate buffers"); hw.Separate {
			for b := range hw.Buffers {
				hw.Buffers[b] = hardware.Buffer{Capacity: units.Words(room.Draw(r, role.Buffer(b).String())).Bytes(), Bank: hw.Bank}
				hw.OnChip += hw.Buffers[b].Capacity
			}
		} else {
			hw.OnChip = units.Words(room.Draw(r, "room")).Bytes()
		}
		small, err := residentWords(p, &hw, skip)
		if errors.As(err, new(*tiling.TooSmall)) {
			r.Skip("too small for any tile")
		}
		if err != nil {
			r.Fatal(err)
		}
		bare, err := p.With(schedule.Policy{SkipUnread: skip})
		if err != nil {
			r.Fatal(err)
		}
		layer, err := sim.Run(bare, &hw, sim.Options{Untimed: true})
		if err != nil {
			r.Fatal(err)
		}
		if without := sumOf(layer); small > without {
			r.Errorf("%d words move with what pays on chip, %d without", small, without)
		}
		more := hw
		more.OnChip = 0
		grown := rapid.IntRange(0, role.Buffers-1).Draw(r, "grown")
		for b := range more.Buffers {
			if more.Separate && b == grown {
				more.Buffers[b].Capacity += units.Words(room.Draw(r, "more")).Bytes()
			}
			more.OnChip += more.Buffers[b].Capacity
		}
		if !more.Separate {
			more.OnChip = hw.OnChip + units.Words(room.Draw(r, "more")).Bytes()
		}
		large, err := residentWords(p, &more, skip)
		if err != nil {
			r.Fatal(err)
		}
		if large > small {
			r.Errorf("%d words move with %d bytes on chip, %d with %d", large, more.OnChip, small, hw.OnChip)
		}
	})
}

// sumOf returns all words that crossed the DRAM port.
func sumOf(r *sim.Result) (moved units.Words) {
	for _, traffic := range r.Words {
		moved += traffic.Reads + traffic.Writes
	}
	return moved
}
