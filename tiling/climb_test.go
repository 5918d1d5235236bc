package tiling

import (
	"math"
	"slices"
	"testing"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// TestAnIdleClockWeighsWhatThePapersDRAMDelivers in a clock of its PEs.
func TestAnIdleClockWeighsWhatThePapersDRAMDelivers(t *testing.T) {
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	if words := hw.DRAM.PeakBandwidth() / float64(units.WordBytes) / float64(hw.PE.Clock); math.Abs(words-idleWeight) > 0.5 {
		t.Errorf("%v words in a clock, %d by the planner", words, idleWeight)
	}
}

// TestLadder: its rungs do not depend on the capacity, so that more of it only
// adds rungs.
func TestLadder(t *testing.T) {
	for _, c := range []struct {
		least, capacity units.Words
		want            []units.Words
	}{
		{9, 9, []units.Words{9}},
		{9, 33, []units.Words{9, 10, 12, 14, 16, 20, 24, 28, 32}},
		{33, 100, []units.Words{33, 40, 48, 56, 64, 80, 96}},
	} {
		if got := ladder(c.least, c.capacity); !slices.Equal(got, c.want) {
			t.Errorf("from %d to %d: %v, not %v", c.least, c.capacity, got, c.want)
		}
	}
}

// rungOf is what a planner finds on a rung with words weighed as usual.
type rungOf struct {
	size        units.Words
	keeps       bool
	moved, cost units.Words
}

// rungs weighs every rung by itself, with and without tensors that stay.
func rungs(t *testing.T, x *Planner) (all []rungOf) {
	t.Helper()
	least, err := x.least()
	if err != nil {
		t.Fatal(err)
	}
	live := x.liveness()
	for _, size := range ladder(least[0], x.room.Words[0]) {
		for _, keeps := range []bool{true, false} {
			x.use(Room{Shared: true, Words: Words{size}}, keeps, least, live)
			x.thrift = thrift{}
			moved, idle := x.weigh()
			all = append(all, rungOf{size, keeps, moved, moved + idle})
		}
	}
	return all
}

// TestNoRungBeatsThePlan: none that moves as few words costs less, whether or
// not tensors stay on chip between steps; and both kinds of plan are best for
// some buffers.
func TestNoRungBeatsThePlan(t *testing.T) {
	best := map[bool]int{}
	for _, layers := range []string{"4C3-4AP2-6C3-12FC-5FC", "4C3-BN-4AP2-4RB-7FC", "12FC-10FC-5FC"} {
		for _, array := range arrays {
			p, err := schedule.New(workload(t, layers, 12, 4), 2, 1, schedule.All)
			if err != nil {
				t.Fatal(err)
			}
			for _, capacity := range []units.Words{500, 1000, 2000, 4000} {
				room := Room{Shared: true, Words: Words{capacity}, Word: units.WordBytes}
				x, err := New(p, room, 0, array)
				if err != nil {
					continue // too small
				}
				moved, idle := x.weigh()
				keeps := x.limit[0] >= 0
				best[keeps]++
				for _, r := range rungs(t, x) {
					if r.moved <= moved && r.cost < moved+idle {
						t.Errorf("%s, %v, %d words: the plan moves %d words and costs %d; with %d words and keeps %v it is %d and %d",
							layers, array.Dataflow, capacity, moved, moved+idle, r.size, r.keeps, r.moved, r.cost)
					}
				}
			}
		}
	}
	if best[true] == 0 || best[false] == 0 {
		t.Errorf("plans with and without tensors that stay: %v", best)
	}
}

// TestWhatStaysTakesAQuarter of the room, and leaves the rest to tiles, twice
// over for double buffering.
func TestWhatStaysTakesAQuarter(t *testing.T) {
	p, err := schedule.New(workload(t, "4C3-4AP2-6C3-12FC-5FC", 12, 4), 2, 1, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	x := &Planner{program: p, steps: p.Start(), array: arrays[0], room: Room{Shared: true, Words: Words{1 << 30}, Word: units.WordBytes}, frontiers: Memo{}}
	live := x.liveness()
	if len(live[0]) < 3 {
		t.Fatalf("tensors of %d sizes stay", len(live[0]))
	}
	for i, upTo := range live[0] {
		for _, c := range []struct {
			room, least units.Words
			fits        bool
		}{
			{4 * upTo.most, 0, true},
			{4*upTo.most - 1, 0, false},
			{4 * upTo.most, 3 * upTo.most, true}, // and beside the smallest tiles
			{4 * upTo.most, 3*upTo.most + 1, false},
		} {
			x.keepNothing()
			x.limitKept(Room{Shared: true, Words: Words{c.room}}, Words{c.least}, live)
			if fits := x.limit[0] >= upTo.size; fits != c.fits {
				t.Errorf("size %d, beside tiles of %d in %d words: stays %v", i, c.least, c.room, fits)
			}
		}
	}
}

// TestTilesGetWhatIsNotKept: the room of a step that is cut is what tensors that
// stay leave, or of buffers for each kind three quarters.
func TestTilesGetWhatIsNotKept(t *testing.T) {
	p, err := schedule.New(workload(t, "4C3-4AP2-6C3-12FC-5FC", 12, 4), 2, 1, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	shared := Room{Shared: true, Words: Words{1 << 12}, Word: units.WordBytes}
	kept := 0
	for _, room := range []Room{shared, {Words: Words{4000, 4000, 4000, 4000}, Word: units.WordBytes}} {
		x, err := New(p, room, 0, arrays[0])
		if err != nil {
			t.Fatal(err)
		}
		for x.steps.Next(&x.step) {
			x.prepare()
			want := Words{3000, 3000, 3000, 3000}
			if room.Shared {
				want = x.used.Words
				for _, r := range x.resident {
					want[0] -= p.Words(r.Class, r.Index)
					kept++
				}
			}
			if x.forTile.Words != want {
				t.Fatalf("%s: tiles may take %v, not %v", describe(&x.step), x.forTile.Words, want)
			}
			for i := range x.plan.stages {
				if g := &x.plan.stages[i]; !g.whole && g.footprint.times(2).fits(x.forTile) != slices.ContainsFunc(
					g.frontier(&asked{arrays[0], map[pe.Matrix]units.Cycles{}}, x.room),
					func(t tiling) bool { return t.footprint.times(2).fits(x.forTile) }) {
					t.Errorf("%s: a tile that fits twice is there and not taken", describe(&x.step))
				}
			}
			x.finishStep()
		}
	}
	if kept == 0 {
		t.Error("nothing stays")
	}
}

// TestMoreRoomMovesNoMoreWords, room after room from the smallest that does.
func TestMoreRoomMovesNoMoreWords(t *testing.T) {
	for _, layers := range smallNets {
		for _, array := range arrays {
			p, err := schedule.New(workload(t, layers, 12, 4), 2, 1, schedule.All)
			if err != nil {
				t.Fatal(err)
			}
			memo, last, lastCost := Memo{}, units.Words(-1), units.Words(-1)
			for capacity := units.Words(200); capacity < 20000; capacity += capacity / 3 {
				x, err := memo.New(p, Room{Shared: true, Words: Words{capacity}, Word: units.WordBytes}, 0, array)
				if err != nil {
					continue
				}
				moved, idle := x.weigh()
				if last >= 0 && (moved > last || moved+idle > lastCost) {
					t.Errorf("%s, %v: %d words at a cost of %d with %d on chip, %d and %d with fewer", layers, array.Dataflow, moved, moved+idle, capacity, last, lastCost)
				}
				last, lastCost = moved, moved+idle
			}
		}
	}
}

// TestIntervalsBetweenTheFirstAndTheLastAreAlike: what an iteration moves is what
// its steps do, each counted by itself.
func TestIntervalsBetweenTheFirstAndTheLastAreAlike(t *testing.T) {
	w := workload(t, "4C3-4AP2-6C3-12FC-5FC", 12, 4)
	w.Timesteps = 12
	p, err := schedule.New(w, 2, 1, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	x, err := New(p, Room{Shared: true, Words: Words{1000}, Word: units.WordBytes}, 0, arrays[0])
	if err != nil {
		t.Fatal(err)
	}
	var words units.Words
	for s := (schedule.Step{}); x.Next(&s); {
		words += s.WordsRead() + s.WordsWritten()
	}
	x.Rewind()
	if got := x.Traffic(); got != words {
		t.Errorf("%d words planned, %d in steps", got, words)
	}
}

// TestAStepStaysWholeWhereTilesWouldFetchAgain: it waits for the buffer rather
// than overlap with the next.
func TestAStepStaysWholeWhereTilesWouldFetchAgain(t *testing.T) {
	x := planner(t, workload(t, "4C3-4AP2-6C3-12FC-5FC", 12, 4), arrays[0])
	waits := 0
	for x.steps.Next(&x.step) {
		x.place()
		whole := x.demand(&x.step).sum()
		x.used = Room{Shared: true, Words: Words{2*whole - 1}}
		x.divide()
		cut := !x.plan.stages[0].whole
		if again := x.plan.traffic(&x.step) - x.step.WordsRead() - x.step.WordsWritten(); cut && again > 0 {
			t.Errorf("%s is cut and fetches %d words again", describe(&x.step), again)
		}
		if !cut {
			waits++
		}
		x.finishStep()
	}
	if waits == 0 {
		t.Error("no step waits")
	}
}

// TestTilesFillTheArray: of a dimension that has an axis of the product to
// itself, some tiles leave no row, column or term of a fold without work.
func TestTilesFillTheArray(t *testing.T) {
	array := pe.Array{Rows: 6, Columns: 7, Pipeline: 1}
	for _, c := range []struct {
		dataflow pe.Dataflow
		d        int
		taps     int64
		n, want  int64
	}{
		{pe.Gated, channels, 1, 32, 28},
		{pe.Gated, channels, 9, 16, 15}, // 15 x 9 columns take 20 folds, 16 x 9 a 21st
		{pe.Gated, rows, 1, 32, 30},
		{pe.Gated, depth, 1, 32, 32},
		{pe.WeightStationary, depth, 1, 32, 30},
		{pe.WeightStationary, rows, 1, 32, 32},
	} {
		array.Dataflow = c.dataflow
		p := product{cuts: [dimensions]axis{rows: rowAxis, channels: columnAxis, depth: termAxis}, fixed: [axes]int64{1, 1, c.taps, 1, 1}}
		if got := p.filling(c.d, c.n, extent{1, 64, 1, 64, 64}, array); got != c.want {
			t.Errorf("%v, dimension %d: %d of %d fill the array, not %d", c.dataflow, c.d, got, c.n, c.want)
		}
		p.cuts[batch] = p.cuts[c.d]
		if got := p.filling(c.d, c.n, extent{2, 64, 1, 64, 64}, array); got != 0 {
			t.Errorf("%v, dimension %d: %d fill the array beside samples", c.dataflow, c.d, got)
		}
	}
}
