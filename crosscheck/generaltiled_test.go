package crosscheck

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/golden/plain"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/vectortest"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/tiling"
	"github.com/accelsim-dev/accelsim/units"
)

// narrow is hardware whose layer buffer, or each of its four, is as small as a
// program allows, or up to a few times as large.
func narrow(t *testing.T, r *rand.Rand, base *hardware.Hardware, p *schedule.Program, some sim.Residency, order schedule.Order) (*sim.Plan, *hardware.Hardware, error) {
	t.Helper()
	hw := *base
	hw.OnChip = units.WordBytes
	if hw.Separate = r.IntN(2) == 0; hw.Separate {
		for b := range hw.Buffers {
			hw.Buffers[b] = hardware.Buffer{Capacity: units.WordBytes, Bank: hw.Bank}
		}
	}
	larger := func(n units.Bytes) units.Bytes {
		if r.IntN(3) == 0 {
			return n
		}
		return n + units.Words(r.IntN(int(2*n/units.WordBytes))).Bytes()
	}
	for {
		plan, err := some.Plan(p, &hw, order, nil)
		var refused *tiling.TooSmall
		if !errors.As(err, &refused) {
			return plan, &hw, err
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

// rare are cases that showed what few others do: spikes that are summed, normalised and
// added on chip; errors that are read in their successors' place.
var rare = []uint64{2955, 4551}

// Of any network and rule the machine computes the same in any buffer that it fits
// into, however its steps are cut, and counts the same.
func TestRandomGraphsAndRulesAreTheSameInTiles(t *testing.T) {
	paper, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	cases, tiled := 0, 0
	seeds := rare
	for seed := range generalCases() {
		seeds = append(seeds, seed)
	}
	for _, seed := range seeds {
		w, k, n, text := drawGeneral(t, seed)
		if !allowed(w, k, n) {
			continue
		}
		cases++
		r := rand.New(rand.NewPCG(seed, 23))
		p, err := schedule.New(w, k, n, schedule.All)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		in := RandomInput(w, p.Blocks, seed)
		want, err := plain.Run(w, k, n, in)
		if err != nil {
			t.Fatalf("(%d, %d): %v\n%s", k, n, err, text)
		}
		some := sim.Residency{Resident: r.IntN(3) == 0, SkipUnread: r.IntN(3) == 0}
		order := schedule.Sequential
		if r.IntN(4) == 0 {
			order = schedule.Pipelined
		}
		plan, hw, err := narrow(t, r, paper, p, some, order)
		if errors.Is(err, sim.ErrAcross) {
			continue
		}
		if err != nil {
			t.Fatalf("seed %d (%d, %d): %v\n%s", seed, k, n, err, text)
		}
		got, err := plan.Run(sim.Options{Untimed: seed%4 != 0 && order == schedule.Sequential, Tensors: in})
		if err != nil {
			t.Fatalf("seed %d (%d, %d), %d bytes, %+v %v: %v\n%s", seed, k, n, hw.OnChip, some, order, err, text)
		}
		if got.Steps > p.Steps() {
			tiled++
		}
		if diff := differs(got.Tensors, want); diff != "" {
			t.Fatalf("seed %d (%d, %d), %d bytes, %+v %v: %s\n%s", seed, k, n, hw.OnChip, some, order, diff, text)
		}
		c, _, err := Equations(got, false)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := sim.Run(p, paper, sim.Options{Untimed: true, Tensors: in})
		if err != nil {
			t.Fatal(err)
		}
		wholeChecked, _, err := Equations(whole, false)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range c.Rows {
			if row.Simulated+row.Saved != wholeChecked.Rows[i].Simulated {
				t.Fatalf("seed %d (%d, %d), %d bytes, %+v %v: %s: %d, and %d saved, in tiles; %d whole\n%s", seed, k, n, hw.OnChip, some, order, row.Quantity, row.Simulated, row.Saved, wholeChecked.Rows[i].Simulated, text)
			}
		}
		for why := range schedule.Beyond(schedule.NumBeyond) {
			if got, want := got.Beyond.Operations[why], whole.Beyond.Operations[why]; got != want && why != schedule.BeyondRandom {
				t.Fatalf("seed %d (%d, %d), %d bytes: %v: %d operations in tiles, %d whole\n%s", seed, k, n, hw.OnChip, why, got, want, text)
			}
		}
	}
	if 4*tiled < 3*cases {
		t.Errorf("only %d of %d networks had to be cut", tiled, cases)
	}
	t.Logf("%d of %d networks were cut", tiled, cases)
}

// Every published case is verified in layer buffers as small as its steps can be cut
// for, equal in every value.
func TestGeneralCasesAreVerifiedInTiles(t *testing.T) {
	paper, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 29))
	for _, file := range vectortest.General(t) {
		c := vectortest.Read(t, file)
		p, err := schedule.New(c.Workload, c.K, c.N, schedule.All)
		if err != nil {
			t.Fatal(err)
		}
		for range 6 {
			plan, hw, err := narrow(t, r, paper, p, sim.Residency{}, schedule.Sequential)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			v, err := Verify(plan, RandomInput(c.Workload, p.Blocks, 1), sim.Options{Untimed: true, Energy: energy.Default()})
			if err != nil {
				t.Fatalf("%s in %d bytes: %v", file, hw.OnChip, err)
			}
			if !v.Pass || v.Values < 500 {
				t.Errorf("%s in %d bytes: pass %v, %d values", file, hw.OnChip, v.Pass, v.Values)
			}
		}
	}
}
