package tiling

import (
	"slices"

	"github.com/accelsim-dev/accelsim/op"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// Cursor goes through a plan: the program's steps, those that are cut tile by
// tile. It is a source of steps for the machine.
type Cursor struct {
	// Unboxed leaves out the boxes of what tiles move and make: only values, which
	// a simulation without tensors has none of, need them.
	Unboxed bool

	plan   *Plan
	walk            // to the step
	stages []stage  // of that step; none: it stays whole
	next   int      // the stage of the next tile
	at     position // of the next tile, in it
	tile   boxes    // the tile
	done   int64    // steps of the program that were handed out
	begun  bool     // the walk is at a step

	// previous is the tile before, weightsDone the weights of finished dW tiles.
	previous    extent
	weightsDone int64
}

// position is that of a tile in a stage.
type position struct {
	index   extent
	started bool
	done    int64 // results of earlier tiles
}

// Start returns a cursor before the plan's first step.
func (p *Plan) Start() *Cursor {
	return &Cursor{plan: p, walk: p.walk()}
}

// Done returns how many of the program's steps have been cut and handed out.
func (t *Cursor) Done() int64 { return t.done }

// Next puts the next step, or the next tile of one, into s.
func (t *Cursor) Next(s *schedule.Step) bool {
	if t.begun && t.next >= len(t.stages) {
		t.leave()
		t.begun = false
		t.done++
	}
	if !t.begun {
		if !t.steps.Next(&t.step) {
			return false
		}
		t.place()
		t.cut(t.plan.divisionOf(&t.walk))
		t.begun, t.next, t.at = true, 0, position{}
	}
	if len(t.stages) == 0 {
		t.emitWhole(s)
	} else {
		t.emitTile(s)
	}
	return true
}

// cut makes the stages that the step is divided into.
func (t *Cursor) cut(d *division) {
	t.stages = t.stages[:0]
	if len(d.tilings) == 0 {
		return
	}
	t.stages = t.ways()[d.way]
	for i := range t.stages {
		t.stages[i].cutInto(d.tilings[i])
	}
}

// advance moves to the next tile and reports whether there is one.
func (g *stage) advance(index *extent) bool {
	for i := dimensions - 1; i >= 0; i-- {
		d := g.order[i]
		if index[d]++; index[d] < g.counts[d] {
			return true
		}
		index[d] = 0
	}
	return false
}

// same tells whether two tiles need the same part of an operand.
func (m mask) same(a, b extent) bool {
	for d, matters := range m {
		if matters && a[d] != b[d] {
			return false
		}
	}
	return true
}

// begin makes s a step of the program's without anything that it does.
func (t *Cursor) begin(s *schedule.Step) {
	base := &t.step
	reads, uses, kernels := s.Reads[:0], s.Uses[:0], s.Kernels[:0]
	products, writes, keeps := s.Products[:0], s.Writes[:0], s.Keeps[:0]
	savedReads, savedWrites := s.SavedReads[:0], s.SavedWrites[:0]
	if t.next == 0 && !t.at.started { // with the step's first tile
		savedReads, savedWrites = append(savedReads, base.SavedReads...), append(savedWrites, base.SavedWrites...)
	}
	*s = schedule.Step{
		Kind: base.Kind, Interval: base.Interval, Time: base.Time, Block: base.Block, Layer: base.Layer, End: base.End,
		Reads: reads, Uses: uses, Kernels: kernels, Products: products, Writes: writes, Keeps: keeps,
		Receives: s.Receives[:0], Hands: s.Hands[:0], Frees: s.Frees[:0],
		SavedReads: savedReads, SavedWrites: savedWrites,
	}
}

// emitWhole puts the step, which is not cut, into s.
func (t *Cursor) emitWhole(s *schedule.Step) {
	t.begin(s)
	base := &t.step
	s.Receives = append(s.Receives, base.Receives...)
	s.Hands = append(s.Hands, base.Hands...)
	s.Frees = append(s.Frees, base.Frees...)
	s.Reads = append(s.Reads, base.Reads...)
	s.Uses = append(s.Uses, base.Uses...)
	s.Kernels = append(s.Kernels, base.Kernels...)
	s.Products = append(s.Products, base.Products...)
	s.Writes = append(s.Writes, base.Writes...)
	for _, k := range base.Keeps {
		if t.isResident(k) {
			s.Keeps = append(s.Keeps, k)
		}
	}
	t.next++
}

// emitTile puts the next tile of the step into s.
func (t *Cursor) emitTile(s *schedule.Step) {
	t.begin(s)
	base, g := &t.step, &t.stages[t.next]
	index := t.at.index
	from, to := g.bounds(index)
	t.tile = t.boxesOf(g, from, to)
	following := index
	more := g.advance(&following)
	lastStage := t.next == len(t.stages)-1

	s.Uses = append(s.Uses, g.uses...)
	if !t.at.started && t.next == 0 {
		s.Receives = append(s.Receives, base.Receives...)
	} else {
		for _, r := range base.Receives {
			s.Uses = append(s.Uses, r.Tensor)
		}
	}
	t.emitOperands(s, g, index, following, from, to, more)
	complete := to[depth] == g.dims[depth]
	t.emitSums(s, g, from, to, complete)
	switch {
	case g.gradient:
		t.emitGradient(s, g, from, to, more)
	case complete:
		t.emitResults(s, g, from, to)
	}
	for i, k := range g.kernels {
		if !complete && k.Op != schedule.SynapticSum && k.Op != schedule.BackProject && k.Op != schedule.Regenerate {
			continue
		}
		k.Part = t.partOf(i, g, from, to, more)
		if k.Op == schedule.Regenerate && k.Part.Values == 0 {
			continue // the part on chip serves again
		}
		s.Kernels = append(s.Kernels, k)
	}
	t.previous = index
	t.emitOnce(s, g, more)
	t.emitHolds(s, g, more)
	if !more && lastStage {
		s.Hands = append(s.Hands, base.Hands...)
		s.Frees = append(s.Frees, base.Frees...)
	}
	for _, x := range t.resident {
		if more || !lastStage || t.keeps.Has(x) {
			s.Keeps = append(s.Keeps, x)
		}
	}

	if more {
		done := t.at.done
		if complete {
			done += size(from, to)
		}
		t.at = position{following, true, done}
	} else {
		t.next++
		t.at = position{}
	}
}

// emitOnce adds what is on chip, whole, for all tiles of a stage: loaded with the
// first, made from the first to the last, stored with the last.
func (t *Cursor) emitOnce(s *schedule.Step, g *stage, more bool) {
	replaced := func(x role.Tensor) bool {
		return slices.ContainsFunc(g.onceProducts, func(p schedule.Product) bool { return p.InPlace && p.Replaces == x })
	}
	if t.at.started {
		s.Uses = slices.DeleteFunc(s.Uses, replaced) // it has another name by now
		for _, x := range g.once {
			if !replaced(x.Tensor) {
				s.Uses = append(s.Uses, x.Tensor)
			}
		}
		for _, p := range g.onceProducts {
			s.Uses = append(s.Uses, p.Tensor)
		}
	} else {
		s.Reads = append(s.Reads, g.once...)
		s.Products = append(s.Products, g.onceProducts...)
	}
	if !more {
		s.Writes = append(s.Writes, g.onceWrites...)
		return
	}
	for _, x := range g.once {
		s.Keeps = append(s.Keeps, x.Tensor)
	}
	for _, p := range g.onceProducts {
		s.Keeps = append(s.Keeps, p.Tensor)
	}
}

// emitHolds adds what is on chip from one stage to others.
func (t *Cursor) emitHolds(s *schedule.Step, g *stage, more bool) {
	for _, h := range g.holds {
		if h.made && !t.at.started {
			s.Products = append(s.Products, schedule.Product{Tensor: h.Tensor, Words: h.words})
		} else {
			s.Uses = append(s.Uses, h.Tensor)
		}
		later := more
		if t.next+1 < len(t.stages) {
			following := &t.stages[t.next+1]
			later = later || slices.ContainsFunc(following.holds, func(o holding) bool { return o.Tensor == h.Tensor })
		}
		if later {
			s.Keeps = append(s.Keeps, h.Tensor)
		}
	}
}

// size is the number of results between two bounds.
func size(from, to extent) int64 {
	for d := range to {
		to[d] -= from[d]
	}
	return to.size()
}

// emitSums holds partial sums on chip while the depth is not complete.
func (t *Cursor) emitSums(s *schedule.Step, g *stage, from, to extent, complete bool) {
	if g.gradient || (complete && from[depth] == 0) {
		return
	}
	sums := role.Tensor{Class: role.PartialSum, Index: max(s.Layer, s.Block), Step: s.Time}
	if from[depth] == 0 {
		p := schedule.Product{Tensor: sums, Words: units.Words(size(from, to)), Region: t.tile.neurons}
		if s.Kind == schedule.BackwardLayer { // errors come to pooling neurons
			p.Words, p.Region = units.Words(t.tile.pooled.Size()), t.tile.pooled
		}
		s.Products = append(s.Products, p)
	} else {
		s.Uses = append(s.Uses, sums)
	}
	if !complete {
		s.Keeps = append(s.Keeps, sums)
	}
}

// fetch adds an operand's next part to what the step reads: as its own class the
// first time, as refetch again. Parts are rounded to words so that all together
// are the operand as often as it is fetched, to the word.
func (t *Cursor) fetch(s *schedule.Step, o *operand, dims, from, to extent) {
	values, of := o.size(dims, from, to)
	words := scale(o.Words, o.passed+values, of) - scale(o.Words, o.passed, of)
	o.passed += values
	start := int64(0)
	for d, matters := range o.depends {
		if matters {
			first, _ := o.span(d, from[d], to[d])
			start = start*o.of(d, dims) + first
		}
	}
	first := min(words, o.left)
	o.left -= first
	s.Reads = append(s.Reads, schedule.Transfer{
		Tensor: o.Tensor, Words: words, Beyond: o.Beyond, Region: t.operandRegion(o, from, to),
		Offset: min(scale(o.Words, start, of), o.Words-words), Again: words - first,
	})
}

// emitOperands adds the parts of operands that a tile needs.
func (t *Cursor) emitOperands(s *schedule.Step, g *stage, index, following, from, to extent, more bool) {
	for i := range g.operands {
		o := &g.operands[i]
		if o.Words == 0 {
			s.Uses = append(s.Uses, o.Tensor) // on chip as a whole
			continue
		}
		switch {
		case t.at.started && o.depends.same(t.previous, index):
			s.Uses = append(s.Uses, o.Tensor)
		case o.generated:
			values, of := o.size(g.dims, from, to)
			part := scaleUp(o.Words, values, of)
			s.Products = append(s.Products, schedule.Product{Tensor: o.Tensor, Words: part, Region: t.operandRegion(o, from, to)})
			o.left = part // made anew with this tile: see partOf
		default:
			t.fetch(s, o, g.dims, from, to)
		}
		if more && o.depends.same(index, following) {
			s.Keeps = append(s.Keeps, o.Tensor)
		}
	}
}

// emitResults adds what a tile's results are made from value by value, and
// where they go.
func (t *Cursor) emitResults(s *schedule.Step, g *stage, from, to extent) {
	results, all := size(from, to), g.dims.size()
	share := func(words units.Words) (offset, n units.Words) {
		offset = scale(words, t.at.done, all)
		return offset, scale(words, t.at.done+results, all) - offset
	}
	for i := range g.elements {
		e := &g.elements[i]
		if e.hasRead {
			r := e.read
			r.Offset, r.Words = share(r.Words)
			r.Region = t.regionOf(r.Tensor, g)
			s.Reads = append(s.Reads, r)
		}
		if e.isResult {
			p := e.product
			_, p.Words = share(p.Words)
			p.Region = t.regionOf(p.Tensor, g)
			s.Products = append(s.Products, p)
		}
	}
	for _, w := range g.writes {
		w.Offset, w.Words = share(w.Words)
		w.Region = t.regionOf(w.Tensor, g)
		s.Writes = append(s.Writes, w)
	}
}

// emitGradient adds what one tile of dW does for some samples: it is on chip from
// the first to the last.
func (t *Cursor) emitGradient(s *schedule.Step, g *stage, from, to extent, more bool) {
	first, last := from[batch] == 0, to[batch] == g.dims[batch]
	all := g.dims[rows] * g.dims[channels]
	tile := (to[rows] - from[rows]) * (to[channels] - from[channels])
	share := func(words units.Words) (offset, n units.Words) {
		offset = scale(words, t.weightsDone, all)
		return offset, scale(words, t.weightsDone+tile, all) - offset
	}
	for i := range g.elements {
		e := &g.elements[i]
		region := t.regionOf(e.product.Tensor, g)
		if first && e.hasRead {
			r := e.read
			r.Offset, r.Words = share(r.Words)
			r.Region = region
			s.Reads = append(s.Reads, r)
		}
		if !e.isResult {
			continue
		}
		if first {
			p := e.product
			_, p.Words = share(p.Words)
			p.Region = region
			s.Products = append(s.Products, p)
		} else {
			s.Uses = append(s.Uses, e.product.Tensor)
		}
		if !last {
			s.Keeps = append(s.Keeps, e.product.Tensor)
		}
	}
	if !last {
		return
	}
	for _, w := range g.writes {
		w.Offset, w.Words = share(w.Words)
		w.Region = t.regionOf(w.Tensor, g)
		s.Writes = append(s.Writes, w)
	}
	t.weightsDone += tile
	if !more {
		t.weightsDone = 0
	}
}

// partOf returns a tile's share of a kernel's work.
func (t *Cursor) partOf(kernel int, g *stage, from, to extent, more bool) schedule.Part {
	p := schedule.Part{Is: true, Box: t.tile.neurons}
	k := g.kernels[kernel]
	switch op.Of(k.Op).Nest {
	case op.OverSynapses, op.OverErrors, op.OverGradients:
		g.productOf(kernel).tile(&p, from, to)
	case op.OverInputs:
		p.Values = size(from, to)
	case op.OverParameters:
		p.Values = size(from, to)
		if small(k.Of) { // with the last tile
			p.Values = 0
			if !more {
				p.Values = t.program.Sizes.Extents(k.Of, k.Index).Values()
			}
		}
	case op.OverGenerated:
		for i := range g.operands {
			if o := &g.operands[i]; o.generated {
				p.Values, o.left = int64(o.left), 0
			}
		}
	case op.OverNeurons:
		p.Neurons, p.PooledNeurons = size(from, to), int64(t.tile.pooled.Size())
	}
	return p
}
