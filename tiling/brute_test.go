package tiling

import (
	"fmt"
	"slices"
	"testing"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// workload is a small task of events.
func workload(t *testing.T, layers string, side, batchSize int) *network.Workload {
	t.Helper()
	net, err := network.Parse(layers, network.Shape{Channels: 2, Height: side, Width: side}, network.Event)
	if err != nil {
		t.Fatal(err)
	}
	half, err := units.ParseDensity("0.5")
	if err != nil {
		t.Fatal(err)
	}
	return &network.Workload{
		Name: "small", Net: net, Batch: batchSize, Timesteps: 2,
		Neuron:   network.Neuron{Leak: 0.5, Threshold: 0.5, SurrogateWidth: 1},
		Activity: network.Uniform(half, net.N()),
		Training: network.Training{Loss: network.MSE, Optimizer: network.SGD, Classifier: network.Trainable},
	}
}

// roomy is a walk through the steps of a program in more room than they need, with
// nothing on chip between them.
func roomy(t *testing.T, w *network.Workload) walk {
	t.Helper()
	p, err := schedule.New(w, 2, 1, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	r := &rules{program: p, room: Room{Shared: true, Words: Words{1 << 40}, Word: units.WordBytes}, limit: noneKept()}
	return r.walk()
}

// stagesOf calls do for all stages that steps may be cut into, but for updates.
func stagesOf(t walk, do func(what string, g *stage)) {
	seen := map[string]bool{}
	for ; t.steps.Next(&t.step); t.leave() {
		t.place()
		if t.step.Kind == schedule.UpdateLayer || t.step.Kind == schedule.UpdateClassifier {
			continue
		}
		for w, stages := range t.ways() {
			for i := range stages {
				name := (&surveyed{kind: t.step.Kind, block: t.step.Block, layer: t.step.Layer}).String()
				if what := fmt.Sprint(name, ", stage ", i, " of way ", w); !seen[what] {
					seen[what] = true
					do(what, &stages[i])
				}
			}
		}
	}
}

// nestings lists all orders of loops: the depth is innermost, since a tile's sums
// are finished before the next tile's begin.
func nestings() (all [][dimensions]int) {
	order := [dimensions]int{depth: depth}
	var extend func(i int)
	extend = func(i int) {
		if i == depth {
			all = append(all, order)
			return
		}
		for d := range depth {
			if !slices.Contains(order[:i], d) {
				order[i] = d
				extend(i + 1)
			}
		}
	}
	extend(0)
	return all
}

// walked is what a literal walk over a stage's tiles finds.
type walked struct {
	values   []int64 // fetched, by operand
	terms    int64   // of matrix products
	clocks   units.Cycles
	products [][]pe.Matrix // of each tile, by product
}

// walkWhole goes through a stage that is one tile.
func walkWhole(g *stage, array pe.Array) walked {
	one := stage{dims: g.dims, grain: g.grain, products: g.products}
	one.cutInto(tiling{tile: g.dims})
	return walkTiles(&one, array)
}

// walkTiles goes through a stage's tiles in their order.
func walkTiles(g *stage, array pe.Array) (w walked) {
	w.values, w.products = make([]int64, len(g.operands)), make([][]pe.Matrix, len(g.products))
	var index, before extent
	for first := true; first || g.advance(&index); first = false {
		from, to := g.bounds(index)
		for i := range g.operands {
			if o := &g.operands[i]; first || !o.depends.same(before, index) {
				values, _ := o.size(g.dims, from, to)
				w.values[i] += values
			}
		}
		for j := range g.products {
			var part schedule.Part
			g.products[j].tile(&part, from, to)
			m := g.products[j].work
			m.Rows, m.Columns, m.Depth, m.Repeats = part.Rows, part.Columns, part.Depth, part.Repeats
			w.products[j] = append(w.products[j], m)
			cost := array.Matrix(m)
			w.clocks += cost.Cycles
			w.terms += cost.Slots
		}
		before = index
	}
	return w
}

// fetched returns the words of a walk.
func (w walked) fetched(g *stage) (words units.Words) {
	for i := range g.operands {
		o := &g.operands[i]
		if o.generated || o.Words == 0 {
			continue
		}
		_, of := o.size(g.dims, extent{}, g.dims)
		words += scale(o.Words, w.values[i], of)
	}
	return words
}

var arrays = []pe.Array{
	{Rows: 4, Columns: 4, Lanes: 4, Pipeline: 8},
	{Rows: 3, Columns: 5, Lanes: 4, Pipeline: 2, Dataflow: pe.WeightStationary},
	{Rows: 4, Columns: 3, Lanes: 4, Pipeline: 2, Dataflow: pe.OutputStationary},
	{Rows: 4, Columns: 4, Lanes: 4, Pipeline: 2, Dataflow: pe.EventDriven},
}

var smallNets = []string{"4C3-4AP2-6C3s2-12FC-5FC", "4C3-BN-4AP2-4RB-7FC", "12FC-10FC-5FC"}

// TestTilingsAreWeighedByWhatAWalkFinds: words, clocks and room of every tiling
// on a stage's list, tile by tile.
func TestTilingsAreWeighedByWhatAWalkFinds(t *testing.T) {
	for _, layers := range smallNets {
		for _, array := range arrays {
			x := roomy(t, workload(t, layers, 6, 3))
			stagesOf(x, func(what string, g *stage) {
				whole := walkWhole(g, array)
				for _, tiling := range g.frontier(ask(array, g), x.room) {
					g.cutInto(tiling)
					got := walkTiles(g, array)
					if words := got.fetched(g); words != g.fetches {
						t.Fatalf("%s %s, tiles %v: %d words are fetched, %d planned", layers, what, g.tile, words, g.fetches)
					}
					if got.terms != whole.terms {
						t.Fatalf("%s %s, tiles %v: %d terms, the whole has %d", layers, what, g.tile, got.terms, whole.terms)
					}
					if idle := units.Words(got.clocks-whole.clocks) * idleWeight; idle != g.cost-g.fetches {
						t.Fatalf("%v %s %s, tiles %v: idle clocks weigh %d, %d planned", array.Dataflow, layers, what, g.tile, idle, g.cost-g.fetches)
					}
				}
			})
		}
	}
}

// TestTheTilingIsTheCheapestOfAll holds the planner to brute force: of all sizes
// that tiles may have, in all orders of loops, none that fits twice costs less
// than what it takes, or fetches less where only fetched words count.
func TestTheTilingIsTheCheapestOfAll(t *testing.T) {
	every := nestings()
	for _, layers := range smallNets {
		array := arrays[1]
		x := roomy(t, workload(t, layers, 6, 3))
		stagesOf(x, func(what string, g *stage) {
			frontier := g.frontier(ask(array, g), x.room)
			nests := every
			if g.gradient {
				nests = [][dimensions]int{gradientOrder}
			}
			all := bruteForce(g, array, nests)
			for _, room := range []units.Words{100, 200, 400, 800, 1600} {
				for _, thrift := range []float64{0, 1, 1e9} {
					forTile := Room{Shared: true, Words: Words{room}}
					weigh := func(t tiling) float64 { return float64(t.cost) + thrift*float64(t.fetches) }
					best := -1.0
					for _, b := range all {
						if b.footprint.times(2).fits(forTile) && (best < 0 || weigh(b) < best) {
							best = weigh(b)
						}
					}
					menu, fits := menuOf(frontier, forTile)
					got := cheapest(menu, thrift)
					if fits != (best >= 0) {
						t.Errorf("%s %s: fits twice into %d words: %v, by brute force %v", layers, what, room, fits, best >= 0)
					} else if fits && weigh(*got) != best {
						t.Errorf("%s %s, %d words, thrift %v: %v in order %v costs %v, the cheapest %v", layers, what, room, thrift, got.tile, got.order, weigh(*got), best)
					}
				}
			}
		})
	}
}

// ascends tells whether every pass over a stage's samples, rows and columns goes
// from one place to the next, tile after tile.
func ascends(g *stage) bool {
	next := map[int64]int64{} // place, by channels
	var index extent
	for first := true; first || g.advance(&index); first = false {
		from, to := g.bounds(index)
		for b := from[batch]; b < to[batch]; b++ {
			for r := from[rows]; r < to[rows]; r++ {
				for c := from[columns]; c < to[columns]; c++ {
					if place := (b*g.dims[rows]+r)*g.dims[columns] + c; place != next[from[channels]] {
						return false
					}
					next[from[channels]]++
				}
			}
		}
	}
	return true
}

// bruteForce weighs every way to cut a stage, tile by tile.
func bruteForce(g *stage, array pe.Array, nests [][dimensions]int) (all []tiling) {
	var lists [dimensions][]cutting
	for d := range lists {
		lists[d] = g.cuttings(d, array)
	}
	whole := walkWhole(g, array)
	var cut [dimensions]*cutting
	var extend func(d int)
	extend = func(d int) {
		if d < dimensions {
			for i := range lists[d] {
				cut[d] = &lists[d][i]
				extend(d + 1)
			}
			return
		}
		one := *g
		one.tiling = tiling{footprint: g.weighFootprint(cut)}
		for d := range cut {
			one.tile[d] = cut[d].tile
		}
		one.cost = -1
		for _, order := range nests {
			nest := one
			nest.order = order
			nest.cutInto(nest.tiling)
			if g.ordered && !ascends(&nest) {
				continue
			}
			w := walkTiles(&nest, array)
			if fetches := w.fetched(g); one.cost < 0 || fetches < one.fetches {
				one.fetches = fetches
				one.cost = fetches + units.Words(w.clocks-whole.clocks)*idleWeight
			}
		}
		if one.cost >= 0 {
			all = append(all, one.tiling)
		}
	}
	extend(0)
	return all
}
