package crosscheck_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"accelsim/crosscheck"
	"accelsim/energy"
	"accelsim/network"
	"accelsim/schedule"
	"accelsim/sim"
	"accelsim/tiling"
	"accelsim/units"
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
		plan, err := tiling.New(q, tiling.Room{Shared: true, Words: tiling.Words{room}, Word: units.WordBytes}, 0, hw.PE)
		if err != nil {
			r.Fatal(err)
		}
		var moved units.Words
		for _, traffic := range timed.Words {
			moved += traffic.Reads + traffic.Writes
		}
		if planned := plan.Traffic(); planned != moved {
			r.Errorf("%d words are planned, %d move", planned, moved)
		}
		if timed.OnChip.Peak > hw.OnChip {
			r.Errorf("%d bytes are held in %d", timed.OnChip.Peak, hw.OnChip)
		}
		check, _, err := crosscheck.Equations(timed, false)
		if err != nil {
			r.Fatal(err)
		}
		if !check.Pass {
			r.Errorf("additions or MACs differ: %+v", check.Rows)
		}
		for _, row := range check.Rows {
			if row.Simulated+row.Saved != row.Analytic {
				r.Errorf("%s: %d and %d saved, Eq. %s has %d", row.Quantity, row.Simulated, row.Saved, row.Equation, row.Analytic)
			}
		}
		var all units.Words
		for c, traffic := range layer.Words {
			all += traffic.Reads + traffic.Writes
			if saved := timed.Saved.Class[c]; saved.Reads > traffic.Reads || saved.Writes > traffic.Writes {
				r.Errorf("%v: %+v are saved of %+v", schedule.Class(c), saved, traffic)
			}
		}
		if again := timed.Beyond.Words[schedule.BeyondRefetch]; moved+timed.Saved.Words() != all+again {
			r.Errorf("%d words move, %d of them again, and %d are saved of %d", moved, again, timed.Saved.Words(), all)
		}
		if diff := cmp.Diff(layer.Operations, timed.Operations); diff != "" && q.Trainable() { // a tile's random weights are made again
			r.Errorf("operations, all brought with each step -, pinned +:\n%s", diff)
		}
		for c, unread := range timed.Unread {
			if unread != 0 && q.Policy().SkipUnread {
				r.Errorf("%d values of %v were stored and never read", unread, schedule.Class(c))
			}
		}
	})
}

// TestWhatStaysOnChipIsBitEqual: a functional simulation computes the golden
// trainer's numbers, and leaves them in DRAM, whatever stays on chip.
func TestWhatStaysOnChipIsBitEqual(t *testing.T) {
	hw := paperHardware(t)
	hw.OnChip = 64 * units.MiB
	rapid.Check(t, func(r *rapid.T) {
		p := drawPolicy(r, drawProgram(r))
		in := crosscheck.RandomInput(p.Workload(), p.Blocks, rapid.Uint64Range(0, 1000).Draw(r, "seed"))
		v, err := crosscheck.Verify(p, hw, in, sim.Options{Untimed: rapid.Bool().Draw(r, "untimed")})
		if err != nil {
			r.Fatal(err)
		}
		for _, row := range v.Rows {
			if row.Differing > 0 {
				r.Errorf("%s: %d of %d values differ", row.Tensor, row.Differing, row.Values)
			}
		}
	})
}
