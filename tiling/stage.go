package tiling

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// The dimensions of a stage's results.
const (
	batch = iota
	rows
	columns
	channels
	depth // of sums of fully connected layers: their terms, cut in ascending order
	dimensions
)

// extent is a size, or a place, in each dimension. A gradient's results are
// weights: its rows are output channels, its channels input channels.
type extent [dimensions]int64

// size is the number of results.
func (e extent) size() int64 { return e[batch] * e[rows] * e[columns] * e[channels] }

// mask tells on which dimensions of the results something depends.
type mask [dimensions]bool

// orders are the nests of loops that a stage may run, outermost first. No other
// fetches less.
var orders = [][dimensions]int{
	{channels, batch, rows, columns, depth}, // weights stay, positions pass
	{batch, rows, columns, channels, depth}, // inputs stay, channels pass
	{channels, rows, columns, batch, depth}, // weights of neurons stay, samples pass
}

// gradientOrder keeps a tile of dW while the batch streams by.
var gradientOrder = [dimensions]int{rows, channels, columns, batch, depth}

// tiling is how a stage is cut.
type tiling struct {
	tile      extent
	order     [dimensions]int
	footprint Words
	fetches   units.Words // for operands, over the whole stage
	cost      units.Words // fetches, and what idle PEs weigh
	tiles     int64
}

// stage is a nest of loops over tiles of its results.
type stage struct {
	gradient bool
	dims     extent
	grain    extent // tiles are so many results, or a multiple; the last takes the remainder; 0 is 1
	uncut    mask   // dimensions that stay whole
	ordered  bool   // tiles must come in ascending order of samples, then positions
	tiling
	counts  extent         // of tiles in each dimension
	pools   *network.Layer // the layer, if pooling neurons are after it
	weights view           // of a gradient

	operands     []operand           // fetched when a tile needs another part
	elements     []element           // loaded with each tile's results, or made
	writes       []schedule.Transfer // stored with each tile's results
	once         []schedule.Transfer
	pins         func(role.Tensor) bool // of what comes once: room for it is set aside
	onceProducts []schedule.Product
	onceWrites   []schedule.Transfer
	holds        []holding
	uses         []role.Tensor
	kernels      []schedule.Kernel

	products []product // of the kernels that are matrix products
}

// holding is a tensor that is on chip, whole, from one stage of a step to others,
// and never leaves.
type holding struct {
	role.Tensor
	words units.Words
	made  bool // by this stage
}

// operand is what a matrix product reads.
type operand struct {
	schedule.Transfer
	view      view
	left      units.Words // not yet fetched for the first time
	passed    int64       // values fetched so far
	generated bool        // made on chip, not fetched: random weights
	depends   mask
	spans     spans
}

// mapped tells whether the operand has a span of its own in dimension d.
func (o *operand) mapped(d int) bool {
	return (d == rows || d == columns) && len(o.spans[d-rows]) > 0
}

// span returns what of dimension d of the operand an interval of the results
// needs.
func (o *operand) span(d int, from, to int64) (first, last int64) {
	if o.mapped(d) {
		return hull(o.spans[d-rows], from, to)
	}
	return from, to
}

// of returns the operand's extent in a dimension that it depends on.
func (o *operand) of(d int, dims extent) int64 {
	if o.mapped(d) {
		return o.spans[d-rows][0].of
	}
	return dims[d]
}

// size returns the values that a part has and that the whole operand has, in
// units of what it does not depend on.
func (o *operand) size(dims, from, to extent) (values, of int64) {
	values, of = 1, 1
	for d, matters := range o.depends {
		if matters {
			first, last := o.span(d, from[d], to[d])
			values *= last - first
			of *= o.of(d, dims)
		}
	}
	return values, of
}

// element is a tensor that is read or made value by value with the results.
type element struct {
	product  schedule.Product
	read     schedule.Transfer // of itself, or of what it replaces
	hasRead  bool
	isResult bool
}

// scale returns floor(total a / b), without overflow in between.
func scale(total units.Words, a, b int64) units.Words {
	hi, lo := bits.Mul64(uint64(total), uint64(a))
	if hi >= uint64(b) {
		return math.MaxInt64 / 64 // more than any budget
	}
	q, _ := bits.Div64(hi, lo, uint64(b))
	return units.Words(q)
}

// scaleUp rounds up.
func scaleUp(total units.Words, a, b int64) units.Words {
	if a >= b {
		return total
	}
	return min(total, scale(total, a, b)+1)
}

// part returns the share of n that tile [from, to) of dimension has.
func part(n, from, to, of int64) int64 {
	return int64(scale(units.Words(n), to, of) - scale(units.Words(n), from, of))
}

// grains returns how many tiles there are at most in a dimension: pieces of
// the grain's size, the last with the remainder.
func (s *stage) grains(d int) int64 {
	return max(1, s.dims[d]/max(1, s.grain[d]))
}

// count returns the tiles in each dimension.
func (s *stage) count(tile extent) (n extent) {
	for d := range n {
		n[d] = units.CeilDiv(s.grains(d), max(1, tile[d]/max(1, s.grain[d])))
	}
	return n
}

// cutInto cuts the stage.
func (s *stage) cutInto(t tiling) {
	s.tiling, s.counts = t, s.count(t.tile)
}

// bounds returns where a tile starts and ends in each dimension.
func (s *stage) bounds(index extent) (from, to extent) {
	for d := range from {
		from[d] = index[d] * s.tile[d]
		to[d] = from[d] + s.tile[d]
		if index[d] == s.counts[d]-1 {
			to[d] = s.dims[d]
		}
	}
	return from, to
}

// cutting is one way to cut a dimension.
type cutting struct {
	tile, tiles int64
	// largest is the largest tile: the last may have a remainder more. For each
	// operand: the largest part, and all parts together.
	largest int64
	parts   []struct{ largest, all int64 }
	runs    [][]run // of each matrix product
}

// interval returns where a tile of the dimension starts and ends.
func (c *cutting) interval(i, of int64) (from, to int64) {
	from, to = i*c.tile, (i+1)*c.tile
	if i == c.tiles-1 {
		to = of
	}
	return from, to
}

// cuttings lists the ways to cut a dimension: by halving, down to the grain, and
// so that tiles fill the array.
func (s *stage) cuttings(d int, array pe.Array) []cutting {
	var list []cutting
	grain := max(1, s.grain[d])
	whole := s.grains(d)
	for _, grains := range s.sizes(d, array) {
		c := cutting{tile: grains * grain, tiles: units.CeilDiv(whole, grains)}
		if grains == whole {
			c.tile = s.dims[d]
		}
		c.largest = max(min(c.tile, s.dims[d]), s.dims[d]-(c.tiles-1)*c.tile)
		c.parts = make([]struct{ largest, all int64 }, len(s.operands))
		for j := range s.operands {
			o, part := &s.operands[j], &c.parts[j]
			if !o.mapped(d) {
				part.largest, part.all = c.largest, s.dims[d]
				continue
			}
			for i := range c.tiles {
				from, to := c.interval(i, s.dims[d])
				first, last := o.span(d, from, to)
				part.largest = max(part.largest, last-first)
				part.all += last - first
			}
		}
		for j := range s.products {
			c.runs = append(c.runs, s.products[j].runs(d, &c, s.dims[d]))
		}
		list = append(list, c)
		if s.uncut[d] {
			break
		}
	}
	return list
}

// sizes lists what tiles a dimension may be cut to, in grains: all of it, a half,
// a quarter and so on, and of each as much as fills the array's folds.
func (s *stage) sizes(d int, array pe.Array) (list []int64) {
	whole := s.grains(d)
	for grains := range halvings(whole) {
		list = append(list, grains)
		for j := range s.products {
			if full := s.products[j].filling(d, grains, s.dims, array); full > 0 {
				list = append(list, full)
			}
		}
	}
	slices.SortFunc(list, func(a, b int64) int { return cmp.Compare(b, a) })
	return slices.Compact(list)
}

// halvings yields n, n/2, n/4 .. 1, rounded up.
func halvings(n int64) func(func(int64) bool) {
	return func(yield func(int64) bool) {
		for v := n; yield(v) && v > 1; v = units.CeilDiv(v, 2) {
		}
	}
}

// keepsOrder tells whether tiles come in ascending order of (sample, row,
// column), each with a run of them.
func keepsOrder(cut [dimensions]*cutting, order [dimensions]int) bool {
	if cut[columns].tiles > 1 && cut[rows].tile > 1 || cut[rows].tiles > 1 && cut[batch].tile > 1 {
		return false
	}
	place := extent{}
	for i, d := range order {
		place[d] = int64(i)
	}
	return place[batch] < place[rows] && place[rows] < place[columns]
}

// weighFootprint returns the words on chip that a tile takes.
func (s *stage) weighFootprint(cut [dimensions]*cutting) (footprint Words) {
	for i := range s.operands {
		o := &s.operands[i]
		values, of := int64(1), int64(1)
		for d, matters := range o.depends {
			if matters {
				values *= cut[d].parts[i].largest
				of *= o.of(d, s.dims)
			}
		}
		footprint.add(o.Tensor.Class, scaleUp(o.Words, values, of))
	}
	var largest extent
	for d, c := range cut {
		largest[d] = c.largest
	}
	results, all := largest.size(), s.dims.size()
	if s.gradient {
		results, all = largest[rows]*largest[channels], s.dims[rows]*s.dims[channels]
	}
	for i := range s.elements {
		e := &s.elements[i]
		if e.hasRead {
			footprint.add(e.read.Tensor.Class, scaleUp(e.read.Words, results, all))
		}
		if e.isResult && !(e.hasRead && e.product.InPlace) {
			footprint.add(e.product.Tensor.Class, scaleUp(e.product.Words, results, all))
		}
	}
	for b, n := range s.fixed() {
		footprint[b] += n
	}
	if cut[depth].tiles > 1 {
		footprint.add(role.PartialSum, units.Words(results))
	}
	return footprint
}

// weighFetches returns the words that a pass over the stage fetches for its
// operands. A part is fetched when a tile needs another one than the tile
// before: with every turn of the loops around and including the innermost that
// it depends on.
func (s *stage) weighFetches(cut [dimensions]*cutting, order [dimensions]int) (fetches units.Words) {
	for i := range s.operands {
		o := &s.operands[i]
		if o.generated || o.Words == 0 {
			continue
		}
		values, of := int64(1), int64(1)
		times, pending := int64(1), int64(1)
		for _, d := range order {
			if !o.depends[d] {
				pending *= cut[d].tiles
				continue
			}
			values *= cut[d].parts[i].all
			of *= o.of(d, s.dims)
			if cut[d].tiles > 1 {
				times, pending = times*pending, 1
			}
		}
		fetches += scale(o.Words, values*times, of)
	}
	return fetches
}

// idleWeight is what a clock in which the array idles weighs against a fetched
// word: about what DDR4-2400 delivers in a clock of 200 MHz (19.2 GB/s).
const idleWeight = 24

// idle returns the words' worth of clocks that the array takes for the tiles
// beyond those that it takes for the whole.
func (s *stage) idle(cut *[dimensions]*cutting, array *asked) (words units.Words) {
	for j := range s.products {
		p := &s.products[j]
		words += units.Words(array.tiles(p, j, cut)-array.whole(p, j)) * idleWeight
	}
	return words
}

// frontier lists tilings of a stage, cheapest first: each costs less, in
// fetched words and idle PEs, or fetches less, than all that take no more of
// the room. It does not depend on how much room there is. The last is the
// smallest.
func (s *stage) frontier(array *asked, room Room) []tiling {
	nests := orders
	if s.gradient {
		nests = [][dimensions]int{gradientOrder}
	}
	var cut [dimensions]*cutting
	var ways [dimensions][]cutting
	most := 1
	for d := range ways {
		ways[d] = s.cuttings(d, array.Array)
		most *= len(ways[d])
	}
	all := make([]tiling, 0, most)
	for b := range ways[batch] {
		cut[batch] = &ways[batch][b]
		for r := range ways[rows] {
			cut[rows] = &ways[rows][r]
			for x := range ways[columns] {
				cut[columns] = &ways[columns][x]
				if x > 0 && r < len(ways[rows])-1 && !s.uncut[rows] {
					break // rows are cut before columns
				}
				for c := range ways[channels] {
					cut[channels] = &ways[channels][c]
					for k := range ways[depth] {
						cut[depth] = &ways[depth][k]
						all = s.weigh(all, cut, nests, array)
					}
				}
			}
		}
	}
	byCost, takes := make([]int, len(all)), make([]Words, len(all))
	for i := range byCost {
		byCost[i], takes[i] = i, all[i].footprint.in(room)
	}
	slices.SortFunc(byCost, func(i, j int) int {
		a, b := &all[i], &all[j]
		return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(a.tiles, b.tiles), cmp.Compare(takes[i].sum(), takes[j].sum()), cmp.Compare(i, j))
	})
	var best []int
	smallest := byCost[0] // there is always the whole
	for _, i := range byCost {
		if takes[i].sum() < takes[smallest].sum() {
			smallest = i
		}
		if !slices.ContainsFunc(best, func(b int) bool { return all[b].fetches <= all[i].fetches && takes[b].within(takes[i]) }) {
			best = append(best, i)
		}
	}
	list := make([]tiling, 0, len(best)+1)
	for _, i := range append(best, smallest) {
		list = append(list, all[i])
	}
	return list
}

// weigh appends the best order of loops for one way of cutting.
func (s *stage) weigh(all []tiling, cut [dimensions]*cutting, nests [][dimensions]int, array *asked) []tiling {
	w := tiling{cost: -1}
	for _, order := range nests {
		if s.ordered && !keepsOrder(cut, order) {
			continue
		}
		if fetches := s.weighFetches(cut, order); w.cost < 0 || fetches < w.fetches {
			w.order, w.fetches, w.cost = order, fetches, fetches
		}
	}
	if w.cost < 0 {
		return all
	}
	w.tiles = 1
	for d, c := range cut {
		w.tile[d] = c.tile
		w.tiles *= c.tiles
	}
	w.footprint = s.weighFootprint(cut)
	w.cost += s.idle(&cut, array)
	return append(all, w)
}

// dear is a cost in which a fetched word weighs so many times more. The product
// is rounded before the sum, on every processor.
func dear(cost, fetches units.Words, thrift float64) float64 {
	return float64(cost) + float64(thrift*float64(fetches))
}
