package tiling

import (
	"slices"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/op"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// ways lists the ways to cut the step, each as stages. The last is the one that
// needs the least room.
func (t *placed) ways() (ways [][]stage) {
	switch t.step.Kind {
	case schedule.ForwardLayer, schedule.ForwardClassifier:
		ways = t.cutForward()
	case schedule.BackwardLayer, schedule.BackwardClassifier:
		ways = t.cutBackward()
	case schedule.UpdateLayer, schedule.UpdateClassifier:
		ways = [][]stage{t.cutUpdate()}
	}
	for _, stages := range ways {
		var replaced []schedule.Tensor // by a stage before
		for i := range stages {
			g := &stages[i]
			g.pins = t.program.Pins
			g.products = t.productsOf(g)
			g.uses = slices.DeleteFunc(g.uses, func(x schedule.Tensor) bool { return slices.Contains(replaced, x) })
			for _, p := range g.onceProducts {
				if p.InPlace {
					replaced = append(replaced, p.Replaces)
				}
			}
		}
	}
	return ways
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

// small tells which tensors are a few words per channel or sample: they are
// loaded once and stay for the stage.
func small(c schedule.Class) bool { return c.Row().Few }

// fill distributes what is left of the step's transfers and products over a
// stage: small ones once, the others value by value.
func (t *placed) fill(g *stage, reads []schedule.Transfer, products []schedule.Product, writes []schedule.Transfer) {
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
		case small(p.Tensor.Class) || t.isStaying(p.Tensor) || (p.InPlace && i < 0):
			// Whole on chip: what it replaces is, or it stays for later steps. What
			// it replaces may come tile by tile all the same.
			if p.InPlace && i >= 0 && t.isStaying(p.Tensor) && !small(p.Tensor.Class) && !t.isStaying(p.Replaces) {
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
		if small(r.Tensor.Class) || t.isStaying(r.Tensor) {
			g.once = append(g.once, r)
		} else {
			g.elements = append(g.elements, element{read: r, hasRead: true})
		}
	}
	for _, w := range writes {
		whole := slices.ContainsFunc(g.onceProducts, func(p schedule.Product) bool { return p.Tensor == w.Tensor })
		if whole || small(w.Tensor.Class) || t.isStaying(w.Tensor) {
			g.onceWrites = append(g.onceWrites, w)
		} else {
			g.writes = append(g.writes, w)
		}
	}
}

// results are the neurons of the step's layer, or its classifier.
func (t *placed) results() (*network.Layer, extent) {
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
func (t *placed) cutForward() [][]stage {
	s := &t.step
	l, dims := t.results()
	if l == nil || l.First().Kind == network.FC {
		dense, _ := t.synapsesOf(s.Layer, s.Block)
		dims[depth] = int64(dense.In.Size())
	}
	g := stage{dims: dims, grain: grainOf(l), pools: poolsOf(l)}
	g.uncut[channels] = t.has(schedule.Loss) // a sample's classes belong together
	reads := append([]schedule.Transfer(nil), s.Reads...)

	for _, w := range take(&reads, func(x schedule.Transfer) bool {
		return (x.Tensor.Class == schedule.Weight || x.Tensor.Class == schedule.ClassifierWeight) && !t.isStaying(x.Tensor)
	}) {
		g.operands = append(g.operands, operand{Transfer: w, view: t.weightView(), left: firstFetch(w), depends: byChannel})
	}
	t.generate(&g, byChannel, t.weightView())
	input := t.inputOf()
	for _, x := range take(&reads, func(x schedule.Transfer) bool { return x.Tensor == input && !t.isStaying(x.Tensor) }) {
		o := operand{Transfer: x, view: t.inputView(), left: firstFetch(x), depends: bySample}
		if l != nil && l.First().Kind != network.FC {
			o.depends, o.spans = byPlace, window(l)
		}
		g.operands = append(g.operands, o)
	}
	g.once = take(&reads, func(x schedule.Transfer) bool {
		return x.Tensor == input || x.Tensor.Class == schedule.Weight || x.Tensor.Class == schedule.ClassifierWeight
	})
	if l == nil || !l.BatchNorm || !t.has(schedule.NormForward) {
		g.kernels = append(g.kernels, s.Kernels...)
		t.fill(&g, reads, s.Products, s.Writes)
		return [][]stage{{g}}
	}

	one := g
	one.operands, one.once = slices.Clone(g.operands), slices.Clone(g.once)
	one.kernels = append(one.kernels, s.Kernels...)
	one.uncut[batch], one.uncut[rows], one.uncut[columns] = true, true, true
	t.fill(&one, reads, s.Products, s.Writes)
	return [][]stage{{one}, t.cutNormForward(g, reads)}
}

// cutNormForward is a layer with batch norm where batch or positions are cut, as
// three stages: sums and their mean; variance; the normalised sums and the
// rest. Sums wait where the normalised ones will be.
func (t *placed) cutNormForward(first stage, reads []schedule.Transfer) []stage {
	s := &t.step
	saved := schedule.Tensor{Class: schedule.NormSaved, Index: s.Layer, Step: s.Time}
	words := t.program.Words(saved.Class, saved.Index)
	products := append([]schedule.Product(nil), s.Products...)
	at := slices.IndexFunc(products, func(p schedule.Product) bool { return p.Tensor == saved })
	sums := schedule.Transfer{Tensor: saved, Words: words, Beyond: schedule.BeyondRefetch}

	second, third := t.stageOf(first), t.stageOf(first)
	first.ordered, second.ordered = true, true
	first.uses = append(first.uses, s.Uses...)
	t.holdNormSums(&first, &second, &third)
	if t.isStaying(saved) { // and waits on chip
		first.onceProducts = append(first.onceProducts, products[at])
		second.uses = append(second.uses, saved)
		third.uses = append(third.uses, saved)
		products = slices.Delete(products, at, at+1)
	} else {
		first.elements = []element{{product: schedule.Product{Tensor: saved, Words: words}, isResult: true}}
		first.writes = []schedule.Transfer{sums}
		second.elements = []element{{read: sums, hasRead: true}}
		products[at].InPlace, products[at].Replaces = true, saved
		reads = append(reads, sums)
	}
	for _, k := range s.Kernels {
		switch row := op.Of(k.Op); {
		case row.Nest == op.OverSynapses:
			first.kernels = append(first.kernels, k)
		case row.Stages != nil:
			for i, g := range []*stage{&first, &second, &third} {
				g.kernels = append(g.kernels, stageOf(k, i))
			}
		default:
			third.kernels = append(third.kernels, k)
		}
	}
	t.fill(&third, reads, products, s.Writes)
	return []stage{first, second, third}
}

// stageOf is one of the stages that a kernel is cut into.
func stageOf(k schedule.Kernel, i int) schedule.Kernel {
	k.Op = op.Of(k.Op).Stages[i]
	return k
}

// stageOf is an empty stage with the same results as another.
func (t *placed) stageOf(g stage) stage {
	n := stage{dims: g.dims, grain: g.grain, pools: g.pools}
	n.dims[depth] = 1
	return n
}

// holdNormSums keeps batch norm's sums on chip from the first of the stages to
// the last.
func (t *placed) holdNormSums(stages ...*stage) {
	sums := schedule.Tensor{Class: schedule.NormSums, Index: t.step.Layer, Step: t.step.Time}
	for i, g := range stages {
		g.holds = append(g.holds, holding{sums, t.program.Words(sums.Class, sums.Index), i == 0})
	}
}

// grainOf returns what a tile of a layer's neurons is a multiple of: windows of
// its pooling.
func grainOf(l *network.Layer) (grain extent) {
	if l != nil && l.HasPool() {
		grain[rows], grain[columns] = int64(l.Pool.Window.Height), int64(l.Pool.Window.Width)
	}
	return grain
}

func poolsOf(l *network.Layer) *network.Layer {
	if l == nil || !l.HasPool() {
		return nil
	}
	return l
}

// has tells whether the step executes an operation.
func (t *placed) has(op schedule.Op) bool {
	for _, k := range t.step.Kernels {
		if k.Op == op {
			return true
		}
	}
	return false
}

// inputOf names what the step's layer or classifier reads.
func (t *placed) inputOf() schedule.Tensor {
	net, s := t.program.Workload().Net, &t.step
	source := t.program.Blocks[s.Block-1].Last
	if s.Layer != 0 {
		source = net.Layer(s.Layer).First().From
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
func (t *placed) generate(g *stage, depends mask, v view) {
	for _, p := range t.step.Products {
		if p.Tensor.Class == schedule.RandomWeight {
			g.operands = append(g.operands, operand{
				Transfer: schedule.Transfer{Tensor: p.Tensor, Words: p.Words}, view: v, generated: true, depends: depends,
			})
		}
	}
}

// cutBackward is the errors of a layer or classifier, batch norm's backward
// pass where the batch is cut, and the gradient.
func (t *placed) cutBackward() (ways [][]stage) {
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
	spikes := take(&reads, func(x schedule.Transfer) bool { return x.Tensor == input && !t.isStaying(x.Tensor) })

	// Errors.
	g := stage{dims: dims, grain: grainOf(l), pools: poolsOf(l)}
	for _, k := range s.Kernels {
		if k.Op == schedule.Gradient {
			continue
		}
		if k.Op == schedule.BackProject {
			if t.cutsErrors(k.Reader) {
				g.dims[depth] = int64(net.Layer(k.Reader).Out.Channels)
			}
			t.reader(&g, &reads, k, net)
		}
		g.kernels = append(g.kernels, k)
	}
	if t.has(schedule.BackProject) {
		_, weights := t.readerViews(0)
		t.generate(&g, byNeuron, weights)
		for i := range g.operands {
			if o := &g.operands[i]; o.generated {
				o.spans = pooled(l)
			}
		}
	}
	gamma := schedule.Tensor{Class: schedule.PotentialError, Index: s.Layer, Step: s.Time}
	if l == nil {
		gamma = schedule.Tensor{Class: schedule.ClassifierError, Index: s.Block, Step: s.Time}
	}
	behind := gamma // the error of the synaptic sum
	if t.has(schedule.NormBackward) {
		behind.Class = schedule.SynapticErr
	}
	if t.has(schedule.Gradient) {
		products, writes = t.spillWithin(behind, products, writes)
	}
	if t.has(schedule.NormBackward) {
		one := g
		one.operands, one.kernels = slices.Clone(g.operands), slices.Clone(g.kernels)
		one.uncut[batch], one.uncut[rows], one.uncut[columns] = true, true, true
		t.fill(&one, reads, products, writes)
		ways = [][]stage{{one}, t.cutNormBackward(g, reads, products, writes, gamma)}
	} else {
		t.fill(&g, reads, products, writes)
		ways = [][]stage{{g}}
	}
	if !t.has(schedule.Gradient) {
		return ways
	}
	for i := range ways {
		ways[i] = append(ways[i], t.gradientStage(behind, spikes, dw, dwMade, dwOut))
	}
	return ways
}

// gradientStage is dW: gamma comes back, sample by sample, beside the spikes.
func (t *placed) gradientStage(gamma schedule.Tensor, spikes, read []schedule.Transfer, made []schedule.Product, writes []schedule.Transfer) stage {
	s := &t.step
	d := stage{gradient: true, dims: gradientDims(t.program, s)}
	for _, k := range s.Kernels {
		if k.Op == schedule.Gradient {
			d.kernels = append(d.kernels, k)
		}
	}
	input := t.inputOf()
	back, seen := t.resource(gamma), t.resource(input)
	if len(spikes) > 0 {
		seen = operand{Transfer: spikes[0], left: firstFetch(spikes[0])}
	}
	back.depends, seen.depends = byOutSample, byInSample
	back.view, seen.view, d.weights = t.gradientViews()
	d.operands = append(d.operands, back, seen)
	t.fill(&d, append([]schedule.Transfer(nil), read...), made, writes)
	return d
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
func (t *placed) resource(x schedule.Tensor) operand {
	words := t.program.Words(x.Class, x.Index)
	if t.isResident(x) || (x.Class == schedule.Input && t.program.Traffic == schedule.Equations) {
		words = 0
	}
	return operand{Transfer: schedule.Transfer{Tensor: x, Words: words, Beyond: schedule.BeyondRefetch}}
}

// spillWithin makes a stage write a tensor that a later stage of the same step
// reads, unless it is written anyway or stays on chip.
func (t *placed) spillWithin(x schedule.Tensor, products []schedule.Product, writes []schedule.Transfer) ([]schedule.Product, []schedule.Transfer) {
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
func (t *placed) reader(g *stage, reads *[]schedule.Transfer, k schedule.Kernel, net *network.Network) {
	weight := schedule.Weight
	index, gammaClass := k.Reader, schedule.PotentialError
	if k.Reader == 0 {
		weight, index, gammaClass = schedule.ClassifierWeight, t.step.Block, schedule.ClassifierError
	}
	errors, weights := t.readerViews(k.Reader)
	for _, w := range take(reads, func(x schedule.Transfer) bool {
		return x.Tensor.Class == weight && x.Tensor.Index == index && !t.isStaying(x.Tensor)
	}) {
		o := operand{Transfer: w, view: weights, left: firstFetch(w), depends: byNeuron, spans: pooled(net.Layer(k.Index))}
		if k.Reader != 0 && net.Layer(k.Reader).First().Kind != network.FC {
			o.depends = byChannel
		}
		g.operands = append(g.operands, o)
	}
	for _, x := range take(reads, func(x schedule.Transfer) bool {
		return x.Tensor.Index == index && x.Tensor.Step == t.step.Time && !t.isStaying(x.Tensor) &&
			(x.Tensor.Class == gammaClass || (k.Reader != 0 && x.Tensor.Class == schedule.SynapticErr))
	}) {
		o := operand{Transfer: x, view: errors, left: firstFetch(x), depends: bySample}
		if k.Reader != 0 && net.Layer(k.Reader).First().Kind != network.FC {
			o.depends, o.spans = byPlace, shadow(net.Layer(k.Reader), net.Layer(k.Index))
		}
		g.operands = append(g.operands, o)
	}
}

// cutNormBackward takes errors back through batch norm where batch or positions
// are cut, as two stages, since it needs sums over the batch: errors go out first,
// with the gradients of gain and bias, and come back with what the forward pass
// saved.
func (t *placed) cutNormBackward(first stage, reads []schedule.Transfer, products []schedule.Product, writes []schedule.Transfer, gamma schedule.Tensor) []stage {
	second := t.stageOf(first)
	first.ordered = true
	t.holdNormSums(&first, &second)
	var kernels []schedule.Kernel
	for _, k := range first.kernels {
		if k.Op == schedule.NormBackward {
			second.kernels = append(second.kernels, stageOf(k, 1))
			k = stageOf(k, 0)
		}
		kernels = append(kernels, k)
	}
	first.kernels = kernels
	isSecond := func(x schedule.Tensor) bool {
		return x.Class == schedule.NormParameter || x.Class == schedule.SynapticErr && x.Index == t.step.Layer
	}
	again := take(&reads, func(x schedule.Transfer) bool { return isSecond(x.Tensor) })
	last := take(&writes, func(x schedule.Transfer) bool { return isSecond(x.Tensor) })
	products, made := split(products, func(p schedule.Product) bool { return isSecond(p.Tensor) })
	products, writes = t.spillWithin(gamma, products, writes)
	t.fill(&first, reads, products, writes)
	for _, x := range []schedule.Tensor{gamma, {Class: schedule.NormSaved, Index: gamma.Index, Step: gamma.Step}} {
		if back := t.resource(x); back.Words > 0 {
			again = append(again, back.Transfer)
		} else {
			second.uses = append(second.uses, x)
		}
	}
	t.fill(&second, again, made, last)
	return []stage{first, second}
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
	in := l.First().In
	if l.First().Kind == network.FC {
		return extent{b, int64(l.Out.Channels), 1, int64(in.Size()), 1}
	}
	return extent{b, int64(l.Out.Channels), 1, int64(in.Channels), 1}
}

// cutUpdate is the optimizer's pass: value by value.
func (t *placed) cutUpdate() []stage {
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
