package crosscheck_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/crosscheck"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/tiling"
	"github.com/accelsim-dev/accelsim/units"
)

// drawRoom makes the layer buffer, or each of its four, as small as the program
// allows, or not much larger.
func drawRoom(r *rapid.T, hw *hardware.Hardware, p *schedule.Program) {
	hw.OnChip = units.WordBytes
	if hw.Separate = rapid.Bool().Draw(r, "separate"); hw.Separate {
		for b := range hw.Buffers {
			hw.Buffers[b] = hardware.Buffer{Capacity: units.WordBytes, Bank: hw.Bank}
		}
	}
	larger := func(n units.Bytes) units.Bytes {
		return n + units.Words(rapid.IntRange(0, int(2*n/units.WordBytes)).Draw(r, "words more")).Bytes()
	}
	for {
		_, err := sim.Run(p, hw, sim.Options{Untimed: true})
		var refused *tiling.TooSmall
		if err == nil {
			return
		}
		if !errors.As(err, &refused) {
			r.Fatal(err)
		}
		if !hw.Separate {
			hw.OnChip = larger(refused.Needs)
			continue
		}
		hw.OnChip = 0
		for b := range hw.Buffers {
			if role.Buffer(b).String() == refused.Buffer {
				hw.Buffers[b].Capacity = larger(refused.Needs)
			}
			hw.OnChip += hw.Buffers[b].Capacity
		}
	}
}

// TestTiledNumbersAreTheTrainers: any network, whatever stays on chip, gives
// golden's numbers in any buffer that it fits into, bit for bit, and executes
// what it does in a large one.
func TestTiledNumbersAreTheTrainers(t *testing.T) {
	paper := paperHardware(t)
	large := *paper
	large.OnChip = 64 * units.MiB
	tiled, all := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		p := drawPolicy(r, drawProgram(r))
		in := crosscheck.RandomInput(p.Workload(), p.Blocks, uint64(rapid.IntRange(1, 1000).Draw(r, "seed")))
		small := *paper
		drawRoom(r, &small, p)
		v, err := verify(p, &small, in, sim.Options{Untimed: rapid.Bool().Draw(r, "untimed")})
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
		whole, err := sim.Run(p, &large, sim.Options{Untimed: true, Tensors: in})
		if err != nil {
			r.Fatal(err)
		}
		if v.Sim.Counts != whole.Counts {
			r.Errorf("counts %+v, not %+v", v.Sim.Counts, whole.Counts)
		}
		for why := range schedule.Beyond(schedule.NumBeyond) {
			if got, want := v.Sim.Beyond.Operations[why], whole.Beyond.Operations[why]; got != want && why != schedule.BeyondRandom {
				r.Errorf("%v: %d operations, not %d", why, got, want)
			}
		}
	})
	if 2*tiled < all {
		t.Errorf("only %d of %d networks had to be cut", tiled, all)
	}
	t.Logf("%d of %d networks were cut", tiled, all)
}
