package crosscheck_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"accelsim/crosscheck"
	"accelsim/network"
	"accelsim/schedule"
	"accelsim/sim"
	"accelsim/tiling"
	"accelsim/units"
)

// TestTiledNumbersAreTheTrainers: any network in any buffer that it fits into
// gives golden's numbers, bit for bit, and executes what happens in a large one.
func TestTiledNumbersAreTheTrainers(t *testing.T) {
	paper := paperHardware(t)
	tiled, all := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		w := drawWorkload(r)
		k := rapid.SampledFrom(network.Divisors(w.Timesteps)).Draw(r, "k")
		p, err := schedule.New(w, k, rapid.IntRange(1, w.Net.N()).Draw(r, "n"), schedule.All)
		if err != nil {
			r.Fatal(err)
		}
		in := crosscheck.RandomInput(w, p.Blocks, uint64(rapid.IntRange(1, 1000).Draw(r, "seed")))
		small := *paper
		small.OnChip = units.WordBytes
		var refused *tiling.TooSmall
		if _, err := sim.Run(p, &small, sim.Options{Untimed: true}); !errors.As(err, &refused) {
			r.Fatal(err)
		}
		small.OnChip = refused.Needs + units.Words(rapid.IntRange(0, int(2*refused.Needs/units.WordBytes)).Draw(r, "words more")).Bytes()
		p.Rewind()
		v, err := crosscheck.Verify(p, &small, in, sim.Options{Untimed: rapid.Bool().Draw(r, "untimed")})
		if err != nil {
			r.Fatal(err)
		}
		if v.Sim.Steps > p.Steps() {
			tiled++
		}
		all++
		for _, row := range v.Rows {
			if row.Differing > 0 {
				r.Errorf("%s: %d of %d values differ, by up to %g of %g", row.Tensor, row.Differing, row.Values, row.Difference, row.Magnitude)
			}
		}
		if v.FirstSpike != nil {
			r.Errorf("first differing spike: %v", v.FirstSpike)
		}
		p.Rewind()
		whole, err := sim.Run(p, paper, sim.Options{Untimed: true, Tensors: in})
		if err != nil {
			r.Fatal(err)
		}
		if v.Sim.Counts != whole.Counts {
			r.Errorf("counts %+v, not %+v", v.Sim.Counts, whole.Counts)
		}
		for why := range schedule.NumBeyond {
			if why := schedule.Beyond(why); why != schedule.BeyondRandom && v.Sim.Beyond.Operations[why] != whole.Beyond.Operations[why] {
				r.Errorf("%v: %d operations, not %d", why, v.Sim.Beyond.Operations[why], whole.Beyond.Operations[why])
			}
		}
	})
	if 2*tiled < all {
		t.Errorf("only %d of %d networks had to be cut", tiled, all)
	}
	t.Logf("%d of %d networks were cut", tiled, all)
}
