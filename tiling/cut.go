package tiling

import (
	"slices"

	"accelsim/network"
	"accelsim/schedule"
	"accelsim/units"
)

// stageKey tells stages apart that are cut alike at every time.
type stageKey struct {
	kind         schedule.Kind
	block, layer int
	end          bool
	alternative  int
	stage        int
	operands     uint64 // what is read, written and stays
}

// operandsOf returns a number that tells apart what steps of the same layer
// read, write and keep: the first of an interval has one operand less, and what
// stays on chip need not be read.
func (t *Planner) operandsOf(s *schedule.Step) (n uint64) {
	const prime = 1099511628211 // FNV-1a
	enter := func(x uint64) { n = (n ^ x) * prime }
	for i, list := range [][]schedule.Transfer{s.Reads, s.Writes} {
		for _, x := range list {
			enter(uint64(x.Tensor.Class)<<32 | uint64(x.Tensor.Index)<<1 | uint64(i))
		}
	}
	for _, x := range t.plan.stays {
		enter(uint64(x.Class)<<48 | uint64(x.Index))
	}
	return n
}

// cut plans the step as stages of tiles. Of several ways to do so it takes the
// one that moves the fewest words. It returns the words on chip that it cannot
// do without and the words that are fetched more than once.
func (t *Planner) cut() (needs Words, again units.Words) {
	s := &t.step
	var ways [][]stage
	switch s.Kind {
	case schedule.ForwardLayer, schedule.ForwardClassifier:
		ways = t.cutForward()
	case schedule.BackwardLayer, schedule.BackwardClassifier:
		ways = [][]stage{t.cutBackward()}
	default:
		ways = [][]stage{t.cutUpdate()}
	}
	operands := t.operandsOf(s)
	best := -1
	var least units.Words
	for w, stages := range ways {
		smallest, fits := Words{}, true
		var replaced []schedule.Tensor // by a stage before
		for i := range stages {
			g := &stages[i]
			g.pins = t.program.Pins
			g.uses = slices.DeleteFunc(g.uses, func(x schedule.Tensor) bool { return slices.Contains(replaced, x) })
			for _, p := range g.onceProducts {
				if p.InPlace {
					replaced = append(replaced, p.Replaces)
				}
			}
			key := stageKey{s.Kind, s.Block, s.Layer, s.End, w, i, operands}
			frontier, ok := t.frontiers[key]
			if !ok {
				frontier = g.frontier(t.array, t.room)
				t.frontiers[key] = frontier
			}
			g.tiling = choose(frontier, t.forTile)
			smallest = smallest.largest(frontier[len(frontier)-1].footprint)
			fits = fits && g.footprint.times(2).fits(t.forTile)
		}
		// The last way is the one that needs the least room.
		moved := (&plan{stages: stages}).traffic(s)
		if last := w == len(ways)-1; (fits && (best < 0 || moved < least)) || (best < 0 && last) {
			best, least = w, moved
		}
		needs = smallest
	}
	t.plan.stages = append(t.plan.stages, ways[best]...)
	return needs, least - s.WordsRead() - s.WordsWritten()
}

// traffic returns the words that a planned step moves.
func (p *plan) traffic(s *schedule.Step) (words units.Words) {
	for i := range p.stages {
		g := &p.stages[i]
		if g.whole {
			return s.WordsRead() + s.WordsWritten()
		}
		words += g.fetches
		for _, e := range g.elements {
			if e.hasRead {
				words += e.read.Words
			}
		}
		for _, list := range [][]schedule.Transfer{g.once, g.writes, g.onceWrites} {
			for _, x := range list {
				words += x.Words
			}
		}
	}
	return words
}

// take removes and returns the step's read of a class.
func take(reads *[]schedule.Transfer, match func(schedule.Transfer) bool) []schedule.Transfer {
	var taken []schedule.Transfer
	left := (*reads)[:0:0]
	for _, r := range *reads {
		if match(r) {
			taken = append(taken, r)
		} else {
			left = append(left, r)
		}
	}
	*reads = left
	return taken
}

func firstFetch(x schedule.Transfer) units.Words {
	if x.Beyond == schedule.BeyondRefetch {
		return 0
	}
	return x.Words
}

// small tells which classes are a few words per channel or sample: they are
// loaded once and stay for the stage.
func small(c schedule.Class) bool {
	switch c {
	case schedule.NormParameter, schedule.NormStatistic, schedule.NormGradient, schedule.Label:
		return true
	}
	return false
}

// fill distributes what is left of the step's transfers and products over a
// stage: small ones once, the others value by value.
func (t *Planner) fill(g *stage, reads []schedule.Transfer, products []schedule.Product, writes []schedule.Transfer) {
	g.uses = append(g.uses, t.step.Uses...)
	for _, p := range products {
		if p.Tensor.Class == schedule.RandomWeight {
			continue // an operand
		}
		i := -1
		if p.InPlace {
			for j := range reads {
				if reads[j].Tensor == p.Replaces {
					i = j
				}
			}
		}
		switch {
		case small(p.Tensor.Class) || t.stays(p.Tensor) || (p.InPlace && i < 0):
			// Whole on chip: what it replaces is, or it stays for later steps.
			if p.InPlace && i >= 0 && t.stays(p.Tensor) && !small(p.Tensor.Class) && !t.stays(p.Replaces) {
				p.InPlace = false
			}
			g.onceProducts = append(g.onceProducts, p)
		default:
			e := element{product: p, isResult: true}
			if i >= 0 {
				e.read, e.hasRead = reads[i], true
				reads = append(reads[:i:i], reads[i+1:]...)
			}
			g.elements = append(g.elements, e)
		}
	}
	for _, r := range reads {
		if small(r.Tensor.Class) || t.stays(r.Tensor) {
			g.once = append(g.once, r)
		} else {
			g.elements = append(g.elements, element{read: r, hasRead: true})
		}
	}
	for _, w := range writes {
		if small(w.Tensor.Class) || t.stays(w.Tensor) {
			g.onceWrites = append(g.onceWrites, w)
		} else {
			g.writes = append(g.writes, w)
		}
	}
}

// stays tells whether a tensor of this step stays on chip for later ones.
func (t *Planner) stays(x schedule.Tensor) bool {
	for _, k := range t.plan.stays {
		if k == x {
			return true
		}
	}
	return false
}

// results are the neurons of the step's layer, or its classifier.
func (t *Planner) results() (*network.Layer, extent) {
	w := t.program.Workload()
	b := int64(w.Batch)
	if t.step.Layer == 0 {
		return nil, extent{b, 1, 1, int64(w.Net.Classes), 1}
	}
	l := w.Net.Layer(t.step.Layer)
	return l, extent{b, int64(l.Out.Height), int64(l.Out.Width), int64(l.Out.Channels), 1}
}

// cutForward is a synaptic sum and what neurons make of it. Batch norm needs
// the sums of the whole batch first: where positions are cut, they go out and
// come back.
func (t *Planner) cutForward() [][]stage {
	s := &t.step
	l, dims := t.results()
	if l == nil || l.Kind == network.FC {
		dims[depth] = t.fanIn(s.Kernels)
	}
	g := stage{dims: dims, grain: grainOf(l)}
	g.uncut[channels] = t.has(schedule.Loss) // a sample's classes belong together
	reads := append([]schedule.Transfer(nil), s.Reads...)

	for _, w := range take(&reads, func(x schedule.Transfer) bool {
		return (x.Tensor.Class == schedule.Weight || x.Tensor.Class == schedule.ClassifierWeight) && !t.stays(x.Tensor)
	}) {
		g.operands = append(g.operands, operand{Transfer: w, left: firstFetch(w), depends: byChannel})
	}
	t.generate(&g, byChannel)
	input := t.inputOf()
	for _, x := range take(&reads, func(x schedule.Transfer) bool { return x.Tensor == input && !t.stays(x.Tensor) }) {
		o := operand{Transfer: x, left: firstFetch(x), depends: bySample}
		if l != nil && l.Kind != network.FC {
			o.depends, o.spans = byPlace, window(l)
		}
		g.operands = append(g.operands, o)
	}
	g.terms, g.taps = units.Words(dims.size())*units.Words(t.fanIn(s.Kernels)), 1
	g.kernels = append(g.kernels, s.Kernels...)
	if l == nil || !l.BatchNorm || !t.has(schedule.NormForward) {
		t.fill(&g, reads, s.Products, s.Writes)
		return [][]stage{{g}}
	}

	one := g
	one.operands = slices.Clone(g.operands)
	one.uncut[batch], one.uncut[rows], one.uncut[columns] = true, true, true
	t.fill(&one, reads, s.Products, s.Writes)
	// Sums go where the normalised ones will be.
	saved := schedule.Tensor{Class: schedule.NormSaved, Index: l.Index, Step: s.Time}
	sums := schedule.Transfer{Tensor: saved, Words: t.program.Words(saved.Class, saved.Index), Beyond: schedule.BeyondRefetch}
	g.kernels = nil
	second := stage{dims: dims, grain: g.grain}
	second.dims[depth] = 1
	for _, k := range s.Kernels {
		if k.Op == schedule.SynapticSum {
			g.kernels = append(g.kernels, k)
		} else {
			second.kernels = append(second.kernels, k)
		}
	}
	g.uses = append(g.uses, s.Uses...)
	g.elements = []element{{product: schedule.Product{Tensor: saved, Words: sums.Words}, isResult: true}}
	g.writes = []schedule.Transfer{sums}
	products := append([]schedule.Product(nil), s.Products...)
	for i := range products {
		if products[i].Tensor == saved {
			products[i].InPlace, products[i].Replaces = true, saved
		}
	}
	t.fill(&second, append(reads, sums), products, s.Writes)
	return [][]stage{{one}, {g, second}}
}

// grainOf returns what a tile of a layer's neurons is a multiple of: windows of
// its pooling.
func grainOf(l *network.Layer) (grain extent) {
	if l != nil && l.HasPool() {
		grain[rows], grain[columns] = int64(l.Pool.Height), int64(l.Pool.Width)
	}
	return grain
}

// has tells whether the step executes an operation.
func (t *Planner) has(op schedule.Op) bool {
	for _, k := range t.step.Kernels {
		if k.Op == op {
			return true
		}
	}
	return false
}

// inputOf names what the step's layer or classifier reads.
func (t *Planner) inputOf() schedule.Tensor {
	net, s := t.program.Workload().Net, &t.step
	source := t.program.Blocks[s.Block-1].Last
	if s.Layer != 0 {
		source = net.Layer(s.Layer).Reads
	}
	if source == network.InputLayer {
		time := s.Time
		if net.Encoding == network.Direct {
			time = 0
		}
		return schedule.Tensor{Class: schedule.Input, Step: time}
	}
	return schedule.Tensor{Class: schedule.Spikes, Index: source, Step: s.Time}
}

// generate makes random weights an operand that is made on chip.
func (t *Planner) generate(g *stage, depends mask) {
	for _, p := range t.step.Products {
		if p.Tensor.Class == schedule.RandomWeight {
			g.operands = append(g.operands, operand{
				Transfer: schedule.Transfer{Tensor: p.Tensor, Words: p.Words}, generated: true, depends: depends,
			})
		}
	}
}

// cutBackward is the errors of a layer or classifier, batch norm's backward
// pass where the batch is cut, and the gradient.
func (t *Planner) cutBackward() (stages []stage) {
	s, net := &t.step, t.program.Workload().Net
	l, dims := t.results()
	reads := append([]schedule.Transfer(nil), s.Reads...)
	products := append([]schedule.Product(nil), s.Products...)
	writes := append([]schedule.Transfer(nil), s.Writes...)

	// The gradient's own.
	isGradient := func(c schedule.Class) bool {
		return c == schedule.WeightGradient || c == schedule.ClassifierGrad
	}
	dw := take(&reads, func(x schedule.Transfer) bool { return isGradient(x.Tensor.Class) })
	dwOut := take(&writes, func(x schedule.Transfer) bool { return isGradient(x.Tensor.Class) })
	var dwMade []schedule.Product
	products, dwMade = split(products, func(p schedule.Product) bool { return isGradient(p.Tensor.Class) })
	input := t.inputOf()
	spikes := take(&reads, func(x schedule.Transfer) bool { return x.Tensor == input && !t.stays(x.Tensor) })

	// Errors.
	g := stage{dims: dims, grain: grainOf(l)}
	for _, k := range s.Kernels {
		switch k.Op {
		case schedule.Gradient:
		case schedule.BackProject:
			t.reader(&g, &reads, k, net)
			g.kernels = append(g.kernels, k)
		default:
			g.kernels = append(g.kernels, k)
		}
	}
	if t.has(schedule.BackProject) {
		t.generate(&g, byNeuron)
		for i := range g.operands {
			if o := &g.operands[i]; o.generated && l != nil {
				o.spans = pooled(l)
			}
		}
	}
	gamma := schedule.Tensor{Class: schedule.PotentialError, Index: s.Layer, Step: s.Time}
	if l == nil {
		gamma = schedule.Tensor{Class: schedule.ClassifierError, Index: s.Block, Step: s.Time}
	}
	if t.has(schedule.NormBackward) {
		products, writes = t.spillWithin(gamma, products, writes)
		stages, g, reads, products, writes = t.cutNorm(g, reads, products, writes, gamma)
		gamma = schedule.Tensor{Class: schedule.SynapticErr, Index: s.Layer, Step: s.Time}
	}
	if t.has(schedule.Gradient) {
		products, writes = t.spillWithin(gamma, products, writes)
	}
	t.fill(&g, reads, products, writes)
	stages = append(stages, g)
	if !t.has(schedule.Gradient) {
		return stages
	}

	// The gradient: gamma comes back, sample by sample, beside the spikes.
	d := stage{gradient: true, dims: gradientDims(t.program, s)}
	for _, k := range s.Kernels {
		if k.Op == schedule.Gradient {
			d.kernels = append(d.kernels, k)
		}
	}
	back, seen := t.resource(gamma), t.resource(input)
	if len(spikes) > 0 {
		seen = operand{Transfer: spikes[0], left: firstFetch(spikes[0])}
	}
	back.depends, seen.depends = byOutSample, byInSample
	d.operands = append(d.operands, back, seen)
	d.terms, d.taps = units.Words(d.dims.size()), 1
	if l != nil && l.Kind != network.FC {
		d.taps = int64(l.Kernel) * int64(l.Kernel)
		d.terms *= units.Words(d.taps) * units.Words(l.Out.Positions())
	}
	for _, p := range dwMade {
		if t.stays(p.Tensor) {
			d.onceProducts = append(d.onceProducts, p)
			continue
		}
		e := element{product: p, isResult: true}
		if len(dw) > 0 {
			e.read, e.hasRead = dw[0], true
		}
		d.elements = append(d.elements, e)
	}
	d.writes = dwOut
	return append(stages, d)
}

func split(products []schedule.Product, match func(schedule.Product) bool) (others, matching []schedule.Product) {
	for _, p := range products {
		if match(p) {
			matching = append(matching, p)
		} else {
			others = append(others, p)
		}
	}
	return others, matching
}

// resource is an operand that stays on chip, or is fetched again.
func (t *Planner) resource(x schedule.Tensor) operand {
	words := t.program.Words(x.Class, x.Index)
	if t.isResident(x) || (x.Class == schedule.Input && t.program.Traffic == schedule.Equations) {
		words = 0
	}
	return operand{Transfer: schedule.Transfer{Tensor: x, Words: words, Beyond: schedule.BeyondRefetch}}
}

// spillWithin makes a stage write a tensor that a later stage of the same step
// reads, unless it is written anyway or stays on chip.
func (t *Planner) spillWithin(x schedule.Tensor, products []schedule.Product, writes []schedule.Transfer) ([]schedule.Product, []schedule.Transfer) {
	if t.isResident(x) {
		return products, writes
	}
	for _, w := range writes {
		if w.Tensor == x {
			return products, writes
		}
	}
	words := t.program.Words(x.Class, x.Index)
	return products, append(writes, schedule.Transfer{Tensor: x, Words: words, Beyond: schedule.BeyondRefetch})
}

// reader adds the weights and errors through which a layer's error comes.
func (t *Planner) reader(g *stage, reads *[]schedule.Transfer, k schedule.Kernel, net *network.Network) {
	weight := schedule.Weight
	index, gammaClass := k.Reader, schedule.PotentialError
	if k.Reader == 0 {
		weight, index, gammaClass = schedule.ClassifierWeight, t.step.Block, schedule.ClassifierError
	}
	for _, w := range take(reads, func(x schedule.Transfer) bool {
		return x.Tensor.Class == weight && x.Tensor.Index == index
	}) {
		o := operand{Transfer: w, left: firstFetch(w), depends: byNeuron, spans: pooled(net.Layer(k.Index))}
		if k.Reader != 0 && net.Layer(k.Reader).Kind != network.FC {
			o.depends = byChannel
		}
		g.operands = append(g.operands, o)
	}
	for _, x := range take(reads, func(x schedule.Transfer) bool {
		return x.Tensor.Index == index && x.Tensor.Step == t.step.Time &&
			(x.Tensor.Class == gammaClass || (k.Reader != 0 && x.Tensor.Class == schedule.SynapticErr))
	}) {
		o := operand{Transfer: x, left: firstFetch(x), depends: bySample}
		if k.Reader != 0 && net.Layer(k.Reader).Kind != network.FC {
			o.depends, o.spans = byPlace, shadow(net.Layer(k.Reader), net.Layer(k.Index))
		}
		g.operands = append(g.operands, o)
	}
	if k.Reader != 0 {
		m := net.Layer(k.Reader)
		g.taps = max(1, int64(m.Kernel)*int64(m.Kernel))
		g.terms += units.Words(m.DenseAdditions()) * units.Words(g.dims[batch])
	}
}

// cutNorm puts batch norm's backward pass, which needs sums over the batch,
// into a stage of its own: errors go out first and come back with what the
// forward pass saved. It returns the stage of errors, and what the other is
// made of.
func (t *Planner) cutNorm(g stage, reads []schedule.Transfer, products []schedule.Product, writes []schedule.Transfer, gamma schedule.Tensor) (
	[]stage, stage, []schedule.Transfer, []schedule.Product, []schedule.Transfer,
) {
	isNorm := func(c schedule.Class) bool {
		return c == schedule.NormSaved || c == schedule.NormParameter || c == schedule.NormGradient || c == schedule.SynapticErr
	}
	normReads := take(&reads, func(x schedule.Transfer) bool { return isNorm(x.Tensor.Class) })
	normWrites := take(&writes, func(x schedule.Transfer) bool { return isNorm(x.Tensor.Class) })
	products, normProducts := split(products, func(p schedule.Product) bool { return isNorm(p.Tensor.Class) })
	second := stage{dims: g.dims}
	var kernels []schedule.Kernel
	for _, k := range g.kernels {
		if k.Op == schedule.NormBackward {
			second.kernels = append(second.kernels, k)
		} else {
			kernels = append(kernels, k)
		}
	}
	g.kernels = kernels
	t.fill(&g, reads, products, writes)
	if back := t.resource(gamma); back.Words > 0 {
		normReads = append(normReads, back.Transfer)
	}
	return []stage{g}, second, normReads, normProducts, normWrites
}

// gradientDims are the output channels, input channels and samples of a
// gradient.
func gradientDims(p *schedule.Program, s *schedule.Step) extent {
	w := p.Workload()
	b := int64(w.Batch)
	if s.Layer == 0 {
		return extent{b, int64(w.Net.Classes), 1, int64(w.Net.ClassifierInputs(p.Blocks[s.Block-1])), 1}
	}
	l := w.Net.Layer(s.Layer)
	if l.Kind == network.FC {
		return extent{b, int64(l.Out.Channels), 1, int64(l.In.Size()), 1}
	}
	return extent{b, int64(l.Out.Channels), 1, int64(l.In.Channels), 1}
}

// cutUpdate is the optimizer's pass: value by value.
func (t *Planner) cutUpdate() []stage {
	s := &t.step
	parameter, index := schedule.Weight, s.Layer
	if s.Layer == 0 {
		parameter, index = schedule.ClassifierWeight, s.Block
	}
	values := t.program.Words(parameter, index)
	g := stage{dims: extent{1, 1, 1, int64(values), 1}, kernels: s.Kernels}
	t.fill(&g, append([]schedule.Transfer(nil), s.Reads...), s.Products, s.Writes)
	return []stage{g}
}
