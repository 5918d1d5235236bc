package tiling

import (
	"slices"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/op"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// axis is a side of a matrix product.
type axis uint8

const (
	noAxis axis = iota
	rowAxis
	columnAxis
	termAxis
	repeatAxis
	axes
)

// product is a matrix product of a stage's: what of it a tile executes follows
// from the tile's extent.
type product struct {
	kernel int       // of the stage
	work   pe.Matrix // of the whole stage
	cuts   [dimensions]axis
	// fixed is how much each axis has of what no dimension cuts.
	fixed [axes]int64
	share [dimensions]share
}

// share tells how much an interval of a dimension has of its axis. The zero share
// is its length.
type share struct {
	n, of int64 // in proportion: n for an interval of length of
	under span  // or what an operand has for it
}

func (s *share) isLength() bool { return *s == share{} }

func (s *share) in(from, to int64) int64 {
	switch {
	case s.of > 0:
		return part(s.n, from, to, s.of)
	case s.under.kind != ownSpan:
		first, last := s.under.at(from, to)
		return last - first
	}
	return to - from
}

// in returns how much of its axis an interval of a dimension has.
func (p *product) in(d int, from, to int64) int64 {
	if p.cuts[d] == noAxis {
		return 1
	}
	return p.share[d].in(from, to)
}

// matrix is the product with other sides.
func (p *product) matrix(sides [axes]int64) pe.Matrix {
	m := p.work
	m.Rows, m.Columns, m.Depth, m.Repeats = sides[rowAxis], sides[columnAxis], sides[termAxis], sides[repeatAxis]
	return m
}

// tile gives part a tile's share.
func (p *product) tile(part *schedule.Part, from, to extent) {
	sides := p.fixed
	for d := range from {
		sides[p.cuts[d]] *= p.in(d, from[d], to[d])
	}
	m := p.matrix(sides)
	part.Rows, part.Columns, part.Depth, part.Repeats = m.Rows, m.Columns, m.Depth, m.Repeats
	if p.cuts[depth] == termAxis {
		part.First, part.Last = from[depth], to[depth]
	}
}

// productOf returns the matrix product that a kernel is.
func (s *stage) productOf(kernel int) *product {
	i := slices.IndexFunc(s.products, func(p product) bool { return p.kernel == kernel })
	return &s.products[i]
}

// filling returns how much of a dimension, at most n, fills folds of the array to
// the last row, column or term; 0 if other dimensions cut the same axis, too.
func (p *product) filling(d int, n int64, dims extent, array pe.Array) int64 {
	axis := p.cuts[d]
	for other := range dims {
		if other != d && p.cuts[other] == axis && dims[other] > 1 {
			return 0
		}
	}
	if axis == noAxis || !p.share[d].isLength() {
		return 0
	}
	rows, columns, terms := array.Fold()
	fold := [axes]int64{rowAxis: rows, columnAxis: columns, termAxis: terms, repeatAxis: 1}[axis]
	each := p.fixed[axis]
	return n * each / fold * fold / each
}

// run is a number of intervals that have the same share of an axis.
type run struct{ share, count int64 }

// runs counts the shares that the intervals of a cutting have.
func (p *product) runs(d int, c *cutting, of int64) (list []run) {
	last, end := c.interval(c.tiles-1, of)
	if p.share[d].isLength() { // all but the last are alike
		return []run{{p.in(d, 0, c.tile), c.tiles - 1}, {p.in(d, last, end), 1}}
	}
	for i := range c.tiles {
		from, to := c.interval(i, of)
		n := p.in(d, from, to)
		if last := len(list) - 1; last >= 0 && list[last].share == n {
			list[last].count++
		} else {
			list = append(list, run{n, 1})
		}
	}
	return list
}

// productsOf lists a stage's matrix products.
func (t *placed) productsOf(g *stage) (list []product) {
	for i, k := range g.kernels {
		p := product{kernel: i, fixed: [axes]int64{1, 1, 1, 1, 1}}
		switch op.Of(k.Op).Nest {
		case op.OverSynapses:
			t.sumProduct(&p, k, g)
		case op.OverErrors:
			t.errorProduct(&p, k, g)
		case op.OverGradients:
			t.gradientProduct(&p, k)
		case op.OverNeurons, op.OverInputs, op.OverParameters, op.OverGenerated: // no products
			continue
		}
		list = append(list, p)
	}
	return list
}

// synapsesOf are those that a kernel's sums or gradients go through, and the
// density of what they read.
func (t *placed) synapsesOf(k schedule.Kernel) (pe.Connection, units.Density) {
	w, blocks := t.program.Workload(), t.program.Blocks
	if k.Classifier {
		b := blocks[k.Index-1]
		return pe.Dense(w.Net.ClassifierInputs(b), w.Net.Classes), w.Activity.Classifier(b, len(blocks))
	}
	p := t.projection(k)
	return pe.Connect(p, t.layer(k).Out), w.Activity.Of(p.From)
}

// sumProduct is a synaptic sum: positions by channels.
func (t *placed) sumProduct(p *product, k schedule.Kernel, g *stage) {
	c, density := t.synapsesOf(k)
	p.work = pe.Synapses(c, t.program.Workload().Batch)
	p.work.Density = density.Float()
	p.cuts = [dimensions]axis{batch: rowAxis, rows: rowAxis, columns: rowAxis, channels: columnAxis}
	p.cutTerms(g)
	if c.Groups > 1 {
		p.keep(channels)
	}
}

// cutTerms makes the depth cut the terms, if it does.
func (p *product) cutTerms(g *stage) {
	if g.dims[depth] > 1 {
		p.cuts[depth] = termAxis
	} else {
		p.fixed[termAxis] = p.work.Depth
	}
}

// keep has a dimension cut nothing: groups of channels stay together, one after the
// other.
func (p *product) keep(d int) {
	axis := p.cuts[d]
	p.cuts[d] = noAxis
	p.fixed[axis] = [axes]int64{rowAxis: p.work.Rows, columnAxis: p.work.Columns}[axis]
	if p.cuts[batch] != repeatAxis {
		p.fixed[repeatAxis] = p.work.Repeats
	}
}

// errorProduct is W^T gamma: a tile of the layer's neurons has rows and columns
// of the reader's positions, and its own channels' taps.
func (t *placed) errorProduct(p *product, k schedule.Kernel, g *stage) {
	w, l := t.program.Workload(), t.layer(k)
	in := t.projection(k)
	if k.Op != schedule.FeedBack && in != nil && in.Kind == network.Conv {
		reader := w.Net.Layer(k.Reader)
		c := pe.Connect(in, reader.Out)
		p.work = pe.Errors(c, w.Batch)
		p.work.Density = 1 // errors are not spikes
		p.cuts = [dimensions]axis{batch: rowAxis, rows: rowAxis, columns: rowAxis, channels: columnAxis}
		for i, n := range sides(reader.Out) {
			p.share[rows+i] = share{n: n, of: g.dims[rows+i]}
		}
		p.fixed[columnAxis], p.fixed[termAxis] = int64(c.Height)*int64(c.Width), p.work.Depth
		if c.Groups > 1 {
			p.keep(channels)
		}
		return
	}
	inputs, outputs, over := l.Pooled, w.Net.Classes, pooled(l)
	if in != nil {
		inputs, outputs = in.In, w.Net.Layer(k.Reader).Out.Channels
		if k.Reader == k.Index {
			over = spans{}
		}
	}
	p.work = pe.Errors(pe.Dense(inputs.Size(), outputs), w.Batch)
	p.work.Density = 1
	p.cuts = [dimensions]axis{batch: rowAxis, rows: columnAxis, columns: columnAxis, channels: columnAxis}
	for i := range over {
		if len(over[i]) > 0 {
			p.share[rows+i] = share{under: over[i][0]}
		}
	}
	p.cutTerms(g)
}

// gradientProduct is gamma s^T, sample after sample: output channels by the taps
// of input channels.
func (t *placed) gradientProduct(p *product, k schedule.Kernel) {
	c, density := t.synapsesOf(k)
	p.work = pe.Gradients(c, t.program.Workload().Batch)
	p.work.Density = density.Float()
	if k.Op == schedule.TraceGradient {
		p.work.Density = 1
	}
	p.cuts = [dimensions]axis{batch: repeatAxis, rows: rowAxis, channels: columnAxis}
	p.fixed[termAxis] = p.work.Depth
	in := t.projection(k)
	if in == nil || in.Kind == network.FC {
		return
	}
	p.fixed[columnAxis] = int64(c.Height) * int64(c.Width)
	if c.Groups > 1 {
		p.keep(rows)
		p.keep(channels)
		p.fixed[repeatAxis] = int64(c.Groups)
	}
}

// asked is what a stage asks an array: the clocks that tiles take. Equal tiles
// are asked about once.
type asked struct {
	pe.Array
	known   []clockTable // of each of the stage's products
	lists   [axes][]run  // of the product that is asked about
	scratch []run
}

// ask begins to ask about a stage's products.
func ask(array pe.Array, s *stage) *asked {
	return &asked{Array: array, known: make([]clockTable, len(s.products))}
}

// clocks returns those that the array takes for product j of some size.
func (a *asked) clocks(p *product, j int, sides [axes]int64) units.Cycles {
	n := a.known[j].find(sides)
	if *n == 0 {
		*n = a.Matrix(p.matrix(sides)).Cycles
	}
	return *n
}

// whole returns the clocks that the array takes for all of product j at once.
func (a *asked) whole(p *product, j int) units.Cycles {
	return a.clocks(p, j, [axes]int64{rowAxis: p.work.Rows, columnAxis: p.work.Columns, termAxis: p.work.Depth, repeatAxis: p.work.Repeats})
}

// tiles returns the clocks that the array takes for product j in all tiles. The
// tiles of a cut are all pairs, or triples .., of how long its axes are; so each
// axis's lengths are counted, and then what is made of them.
func (a *asked) tiles(p *product, j int, cut *[dimensions]*cutting) (sum units.Cycles) {
	for axis := range a.lists {
		a.lists[axis] = append(a.lists[axis][:0], run{p.fixed[axis], 1})
	}
	for d, c := range cut {
		a.cross(p.cuts[d], c.runs[j])
	}
	var sides [axes]int64
	for _, times := range a.lists[noAxis] {
		for _, rows := range a.lists[rowAxis] {
			for _, columns := range a.lists[columnAxis] {
				for _, terms := range a.lists[termAxis] {
					for _, repeats := range a.lists[repeatAxis] {
						sides = [axes]int64{rowAxis: rows.share, columnAxis: columns.share, termAxis: terms.share, repeatAxis: repeats.share}
						n := times.count * rows.count * columns.count * terms.count * repeats.count
						sum += a.clocks(p, j, sides) * units.Cycles(n)
					}
				}
			}
		}
	}
	return sum
}

// cross cuts each interval of an axis into runs.
func (a *asked) cross(on axis, runs []run) {
	a.scratch = append(a.scratch[:0], a.lists[on]...)
	list := a.lists[on][:0]
	for _, whole := range a.scratch {
		for _, r := range runs {
			if r.count != 0 {
				list = count(list, run{whole.share * r.share, whole.count * r.count})
			}
		}
	}
	a.lists[on] = list
}

// count adds intervals to those of the same length.
func count(list []run, r run) []run {
	for i := range list {
		if list[i].share == r.share {
			list[i].count += r.count
			return list
		}
	}
	return append(list, r)
}

// clockTable is a hash table of clocks by the sides of a product; 0 is not known.
type clockTable struct {
	slots []clockSlot // a power of two, at most half full
	used  int
}

type clockSlot struct {
	sides  [axes]int64
	clocks units.Cycles
	taken  bool
}

// find returns the place for the clocks of some sides.
func (t *clockTable) find(sides [axes]int64) *units.Cycles {
	if 2*t.used >= len(t.slots) {
		t.grow()
	}
	at := t.slot(sides)
	if !at.taken {
		t.used++
		*at = clockSlot{sides: sides, taken: true}
	}
	return &at.clocks
}

func (t *clockTable) slot(sides [axes]int64) *clockSlot {
	var h uint64
	for _, n := range sides {
		h = (h ^ uint64(n)) * 0x9e3779b97f4a7c15 // Knuth, vol. 3, section 6.4
	}
	for i := h >> 32; ; i++ {
		if at := &t.slots[i&uint64(len(t.slots)-1)]; !at.taken || at.sides == sides {
			return at
		}
	}
}

func (t *clockTable) grow() {
	old := t.slots
	t.slots = make([]clockSlot, max(64, 2*len(old)))
	for i := range old {
		if old[i].taken {
			*t.slot(old[i].sides) = old[i]
		}
	}
}
