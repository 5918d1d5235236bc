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
func rungs(t *testing.T, p *schedule.Program, room Room, array pe.Array) (all []rungOf) {
	t.Helper()
	x := newPlanner(p, room, 0, array, new(Memo))
	var err error
	if x.least, err = x.findLeast(); err != nil {
		t.Fatal(err)
	}
	x.live = x.liveness()
	for _, size := range ladder(x.least[0], room.Words[0]) {
		for _, keeps := range []bool{true, false} {
			c := x.choices(Room{Shared: true, Words: Words{size}}, keeps)
			moved, idle := c.weigh(thrift{})
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
				x, err := New(p, room, 0, array, nil)
				if err != nil {
					continue // too small
				}
				moved, idle := x.moved, x.idle
				keeps := x.limit[0] >= 0
				best[keeps]++
				for _, r := range rungs(t, p, room, array) {
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
	x := newPlanner(p, Room{Shared: true, Words: Words{1 << 30}, Word: units.WordBytes}, 0, arrays[0], new(Memo))
	live := x.liveness()
	x.live = live
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
			x.least = Words{c.least}
			limit := x.limitKept(Room{Shared: true, Words: Words{c.room}})
			if fits := limit[0] >= upTo.size; fits != c.fits {
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
		x, err := New(p, room, 0, arrays[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		list := x.survey(&x.rules, Room{Shared: room.Shared})
		steps := map[string]*surveyed{}
		for i := range list.steps {
			steps[list.steps[i].key] = &list.steps[i]
		}
		for w := x.walk(); w.steps.Next(&w.step); w.leave() {
			w.place()
			d := x.divisionOf(&w)
			step := steps[string(w.key)]
			want := Words{3000, 3000, 3000, 3000}
			if room.Shared {
				want = x.used.Words
				for _, r := range w.resident {
					want[0] -= p.Words(r.Class, r.Index)
					kept++
				}
			}
			forTiles := step.forTiles(x.used)
			if forTiles.Words != want {
				t.Fatalf("%v: tiles may take %v, not %v", step, forTiles.Words, want)
			}
			for i, g := range d.tilings {
				stage := &w.ways()[d.way][i]
				if g.footprint.times(2).fits(forTiles) != slices.ContainsFunc(
					stage.frontier(ask(arrays[0], stage), x.room),
					func(t tiling) bool { return t.footprint.times(2).fits(forTiles) }) {
					t.Errorf("%v: a tile that fits twice is there and not taken", step)
				}
			}
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
			memo, last, lastCost := new(Memo), units.Words(-1), units.Words(-1)
			for capacity := units.Words(200); capacity < 20000; capacity += capacity / 3 {
				x, err := New(p, Room{Shared: true, Words: Words{capacity}, Word: units.WordBytes}, 0, array, memo)
				if err != nil {
					continue
				}
				moved, idle := x.moved, x.idle
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
	x, err := New(p, Room{Shared: true, Words: Words{1000}, Word: units.WordBytes}, 0, arrays[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	var words units.Words
	s := schedule.Step{}
	for c := x.Start(); c.Next(&s); {
		words += s.WordsRead() + s.WordsWritten()
	}
	if got := x.Traffic(); got != words {
		t.Errorf("%d words planned, %d in steps", got, words)
	}
}

// TestAStepStaysWholeWhereTilesWouldFetchAgain: it waits for the buffer rather
// than overlap with the next.
func TestAStepStaysWholeWhereTilesWouldFetchAgain(t *testing.T) {
	w := roomy(t, workload(t, "4C3-4AP2-6C3-12FC-5FC", 12, 4))
	v := surveyor{arrays[0], new(Memo)}
	waits := 0
	for ; w.steps.Next(&w.step); w.leave() {
		w.place()
		room := Room{Shared: true, Words: Words{2*w.demand().sum() - 1}}
		x := v.surveyStep("", &w.placed, room)
		best, moved := -1, x.moves
		if !x.staysWhole(room, room) {
			f := x.in(room)
			best, moved, _ = f.choose(0)
		}
		if again := moved - w.step.WordsRead() - w.step.WordsWritten(); best >= 0 && again > 0 {
			t.Errorf("%v is cut and fetches %d words again", &x, again)
		}
		if best < 0 {
			waits++
		}
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

// TestClocksAreAskedOnceAndAreTheArrays, of as many products as a table grows for.
func TestClocksAreAskedOnceAndAreTheArrays(t *testing.T) {
	array := arrays[3] // event-driven: clocks depend on all sides and the density
	p := product{work: pe.Matrix{Density: 0.3}}
	a := ask(array, &stage{products: []product{p}})
	sizes := []int64{1, 2, 3, 7, 64, 1 << 20}
	for range 2 {
		for _, rows := range sizes {
			for _, columns := range sizes {
				for _, terms := range sizes {
					sides := [axes]int64{rowAxis: rows, columnAxis: columns, termAxis: terms, repeatAxis: 2}
					want := array.Matrix(pe.Matrix{Rows: rows, Columns: columns, Depth: terms, Repeats: 2, Density: 0.3}).Cycles
					if got := a.clocks(&p, 0, sides); got != want {
						t.Fatalf("%v: %d clocks, the array takes %d", sides, got, want)
					}
				}
			}
		}
	}
	if n := a.known[0].used; n != len(sizes)*len(sizes)*len(sizes) {
		t.Errorf("%d products are known", n)
	}
}
