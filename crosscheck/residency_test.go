package crosscheck_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"accelsim/crosscheck"
	"accelsim/energy"
	"accelsim/network"
	"accelsim/schedule"
	"accelsim/sim"
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
		timed, err := sim.Run(q, &hw, sim.Options{Energy: energy.Default()})
		if err != nil {
			r.Fatal(err)
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
		for c, traffic := range layer.Words {
			saved, got := timed.Saved.Class[c], timed.Words[c]
			if got.Reads+saved.Reads != traffic.Reads || got.Writes+saved.Writes != traffic.Writes {
				r.Errorf("%v: %+v move and %+v are saved of %+v", schedule.Class(c), got, saved, traffic)
			}
		}
		if diff := cmp.Diff(layer.Operations, timed.Operations); diff != "" {
			r.Errorf("operations, all brought with each step -, pinned +:\n%s", diff)
		}
		for c, unread := range timed.Unread {
			if unread != 0 && q.Policy().SkipUnread {
				r.Errorf("%d values of %v were stored and never read", unread, schedule.Class(c))
			}
		}
		if timed.Footprint.Total > layer.Footprint.Total {
			r.Errorf("%d bytes in DRAM, %d with nothing pinned", timed.Footprint.Total, layer.Footprint.Total)
		}
	})
}

// TestWhatStaysOnChipIsBitEqual: a functional simulation computes the golden
// trainer's numbers, and leaves them in DRAM, whatever stays on chip.
func TestWhatStaysOnChipIsBitEqual(t *testing.T) {
	hw := paperHardware(t)
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
