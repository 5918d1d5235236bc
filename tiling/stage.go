package tiling

import (
	"math"
	"math/bits"

	"accelsim/network"
	"accelsim/pe"
	"accelsim/schedule"
	"accelsim/units"
)

// The dimensions of a stage's results.
const (
	batch = iota
	rows
	columns
	channels
	depth // of a fully connected layer's sums: its inputs, cut in ascending order
	dimensions
)

// extent is a size, or a place, in each dimension. A gradient's results are
// weights: its rows are output channels, its channels input channels.
type extent [dimensions]int64

// size is the number of results.
func (e extent) size() int64 { return e[batch] * e[rows] * e[columns] * e[channels] }

// tiles is the number of tiles, if e counts them in each dimension.
func (e extent) tiles() int64 { return e.size() * e[depth] }

// mask tells on which dimensions of the results something depends.
type mask [dimensions]bool

var (
	byChannel   = mask{channels: true, depth: true}               // weights
	byPlace     = mask{batch: true, rows: true, columns: true}    // what a convolution looks at
	bySample    = mask{batch: true, depth: true}                  // what a fully connected layer looks at
	byNeuron    = mask{rows: true, columns: true, channels: true} // weights of a fully connected reader
	byOutSample = mask{batch: true, rows: true}                   // gamma of a gradient
	byInSample  = mask{batch: true, channels: true}               // spikes of a gradient
)

// orders are the nests of loops that a stage may run, outermost first.
var orders = [][dimensions]int{
	{channels, batch, rows, columns, depth}, // weights stay, positions pass
	{batch, rows, columns, channels, depth}, // inputs stay, channels pass
	{channels, rows, columns, batch, depth},
	{rows, columns, batch, channels, depth},
}

// gradientOrder keeps a tile of dW while the batch streams by.
var gradientOrder = [dimensions]int{rows, channels, columns, batch, depth}

// tiling is how a stage is cut.
type tiling struct {
	tile      extent
	order     [dimensions]int
	footprint units.Words
	fetches   units.Words
}

type tileKey struct {
	kind    schedule.Kind
	block   int
	layer   int
	end     bool
	stage   int
	held    units.Words
	present int // operands: the first step of an interval has one less
}

// plan is how a step is executed: stage after stage.
type plan struct {
	stages []stage
	stays  []schedule.Tensor // made or loaded by the step, whole, for later steps
}

func (p *plan) reset() { p.stages, p.stays = p.stages[:0], p.stays[:0] }

// stage is a nest of loops over tiles of its results.
type stage struct {
	whole    bool // the step as it is
	gradient bool
	dims     extent
	tiling

	operands     []operand           // fetched when a tile needs another part
	elements     []element           // loaded with each tile's results, or made
	writes       []schedule.Transfer // stored with each tile's results
	once         []schedule.Transfer
	onceProducts []schedule.Product
	onceWrites   []schedule.Transfer
	uses         []schedule.Tensor
	kernels      []schedule.Kernel

	terms units.Words // of the matrix products, for weighing idle PEs
	taps  int64       // columns of the array that a channel takes
}

// operand is what a matrix product reads.
type operand struct {
	schedule.Transfer
	left      units.Words // not yet fetched for the first time
	generated bool        // made on chip, not fetched: random weights
	depends   mask
	height    int64 // of the map that positions look at
	width     int64
	reach     func(tile, of, in int64) int64 // rows or columns of the map under a tile
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

// fetched is the largest part of an operand under a tile.
func (o *operand) fetched(dims, tile extent) units.Words {
	w := o.Words
	for d, matters := range o.depends {
		switch {
		case !matters:
		case o.height > 0 && d == rows:
			w = scaleUp(w, o.reach(tile[rows], dims[rows], o.height), o.height)
		case o.height > 0 && d == columns:
			w = scaleUp(w, o.reach(tile[columns], dims[columns], o.width), o.width)
		default:
			w = scaleUp(w, tile[d], dims[d])
		}
	}
	return w
}

// loads returns how often an operand's part changes: once for every turn of the
// loops around and including the innermost that it depends on.
func (o *operand) loads(n extent, order [dimensions]int) int64 {
	times, pending := int64(1), int64(1)
	for _, d := range order {
		pending *= n[d]
		if o.depends[d] && n[d] > 1 {
			times *= pending
			pending = 1
		}
	}
	return times
}

// count returns the tiles in each dimension.
func (s *stage) count(tile extent) (n extent) {
	for d := range n {
		n[d] = units.CeilDiv(s.dims[d], tile[d])
	}
	return n
}

// weigh returns the words on chip that a tile takes, and the words that a whole
// pass over the stage fetches for its operands.
func (s *stage) weigh(tile extent, order [dimensions]int) (footprint, fetches units.Words) {
	n := s.count(tile)
	for i := range s.operands {
		o := &s.operands[i]
		size := o.fetched(s.dims, tile)
		footprint += size
		if !o.generated {
			fetches += max(o.Words, size*units.Words(o.loads(n, order)))
		}
	}
	results, all := tile.size(), s.dims.size()
	if s.gradient {
		results, all = tile[rows]*tile[channels], s.dims[rows]*s.dims[channels]
	}
	for i := range s.elements {
		e := &s.elements[i]
		if e.hasRead {
			footprint += scaleUp(e.read.Words, results, all)
		}
		if e.isResult && !(e.hasRead && e.product.InPlace) {
			footprint += scaleUp(e.product.Words, results, all)
		}
	}
	for _, x := range s.once {
		footprint += x.Words
	}
	if n[depth] > 1 {
		footprint += units.Words(results) // partial sums
	}
	return footprint, fetches
}

// idleWeight is what a clock in which the array idles weighs against a fetched
// word: about what DDR4-2400 delivers in a clock of 200 MHz (19.2 GB/s).
const idleWeight = 24

// idle returns the words' worth of clocks that a tile's shape leaves PEs idle.
func (s *stage) idle(tile extent, array pe.Array) units.Words {
	if s.terms == 0 {
		return 0
	}
	r, c := tile[batch]*tile[rows]*tile[columns], tile[channels]*s.taps
	if s.gradient {
		r = tile[rows]
	}
	full := units.CeilDiv(r, int64(array.Rows)) * int64(array.Rows) * units.CeilDiv(c, int64(array.Columns)) * int64(array.Columns)
	clocks := s.terms / units.Words(array.PEs())
	return scale(clocks, full-r*c, r*c) * idleWeight
}

// choose cuts the stage into tiles that fit twice into the budget, once where
// none fits twice. Of all tiles by halving and all orders of loops it takes the
// one that costs the least in fetched words and idle PEs; where none fits, the
// smallest.
func (s *stage) choose(budget units.Words, array pe.Array) {
	var best, smallest tiling
	var bestCost units.Words
	var bestTiles int64
	found := false
	nests := orders
	if s.gradient {
		nests = [][dimensions]int{gradientOrder}
	}
	for _, share := range []units.Words{2, 1} {
		for b := range halvings(s.dims[batch]) {
			for r := range halvings(s.dims[rows]) {
				for x := range halvings(s.dims[columns]) {
					if x < s.dims[columns] && r > 1 {
						break // rows are cut before columns
					}
					for c := range halvings(s.dims[channels]) {
						for k := range halvings(s.dims[depth]) {
							tile := extent{b, r, x, c, k}
							idle := s.idle(tile, array)
							for _, order := range nests {
								footprint, fetches := s.weigh(tile, order)
								if smallest.footprint == 0 || footprint < smallest.footprint {
									smallest = tiling{tile, order, footprint, fetches}
								}
								if share*footprint > budget {
									continue
								}
								tiles, cost := s.count(tile).tiles(), fetches+idle
								if !found || cost < bestCost || (cost == bestCost && tiles < bestTiles) {
									best, bestCost, bestTiles, found = tiling{tile, order, footprint, fetches}, cost, tiles, true
								}
							}
						}
					}
				}
			}
		}
		if found {
			s.tiling = best
			return
		}
	}
	s.tiling = smallest
}

// halvings yields n, n/2, n/4 .. 1, rounded up.
func halvings(n int64) func(func(int64) bool) {
	return func(yield func(int64) bool) {
		for v := n; yield(v) && v > 1; v = units.CeilDiv(v, 2) {
		}
	}
}

// window is the reach of a convolution's tile on its input.
func window(l *network.Layer) func(tile, of, in int64) int64 {
	return func(tile, _, in int64) int64 {
		return min(in, (tile-1)*int64(l.Stride)+int64(l.Kernel))
	}
}

// shadow is the reach of a tile of a layer's neurons on the errors of a layer
// that reads them, possibly after pooling.
func shadow(reader *network.Layer) func(tile, of, in int64) int64 {
	return func(tile, of, in int64) int64 {
		return min(in, units.CeilDiv(tile*in, of)+int64(reader.Kernel)-1)
	}
}
