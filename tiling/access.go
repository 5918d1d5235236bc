package tiling

import (
	"slices"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/op"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// access is what a kernel takes of a tensor where that is not the values of its own
// results, one by one: the tensor's shape as the kernel looks at it, and what of it
// each tile needs.
type access struct {
	tensor role.Tensor
	view   view
	spans  spans
}

// depends are the dimensions that the view is cut along.
func (v *view) depends() (m mask) {
	for _, d := range v.along {
		if d != none {
			m[d] = true
		}
	}
	return m
}

// and is the access of two kernels to the same tensor: along each of its sides the
// hull of what both need, or, where they look at it in different shapes, all of a
// sample.
func (a access) and(b access) access {
	same := a.view.whole.Of == b.view.whole.Of
	for i := range a.view.along {
		if a.view.along[i] != b.view.along[i] || !same && i > 0 {
			a.view.along[i] = none
		}
	}
	of := a.view.whole.Of
	a.spans = a.spans.and(b.spans, [2]int64{int64(of[1]), int64(of[2])})
	return a
}

// sides of a map and of a row of values that tiles of neurons cut.
var (
	ofPlaces  = [4]int{batch, rows, columns, none}
	ofNeurons = [4]int{batch, rows, columns, channels}
	ofSamples = [4]int{batch, none, none, none}
	ofTerms   = [4]int{batch, none, none, depth}
)

// mapView is a batch of maps.
func (t *placed) mapView(s network.Shape, along [4]int) view {
	return view{role.Whole(t.program.Workload().Batch, s.Height, s.Width, s.Channels), along}
}

// taken tells what a kernel takes that is not its own results' values, one by one; of
// operations that are not here there is nothing.
var taken = map[schedule.Op]func(t *placed, k schedule.Kernel, terms bool, add func(access)){
	schedule.SynapticSum:   (*placed).sumAccesses,
	schedule.AddValue:      (*placed).valueAccess,
	schedule.BackProject:   (*placed).errorAccesses,
	schedule.IdentityError: (*placed).identityAccess,
	schedule.FeedBack:      (*placed).feedbackAccesses,
}

// accesses lists what the step's kernels take: each tensor once, in the order in
// which they ask for it. Terms tells whether the depth cuts them.
func (t *placed) accesses(kernels []schedule.Kernel, terms bool) (list []access) {
	add := func(a access) {
		i := slices.IndexFunc(list, func(b access) bool { return a.tensor == b.tensor })
		if i < 0 {
			list = append(list, a)
		} else {
			list[i] = list[i].and(a)
		}
	}
	for _, k := range kernels {
		if take := taken[k.Op]; take != nil {
			take(t, k, terms, add)
		}
	}
	t.joinAccess(list)
	return list
}

// joinAccess lets a kernel that adds spikes of another layer have its part of them,
// where other kernels take them, too.
func (t *placed) joinAccess(list []access) {
	if !t.has(schedule.Join) {
		return
	}
	l, added := t.program.Workload().Net.Layer(t.step.Layer), t.added()
	if i := slices.IndexFunc(list, func(a access) bool { return a.tensor == added }); i >= 0 {
		list[i] = list[i].and(access{tensor: added, view: t.mapView(l.Out, ofNeurons)})
	}
}

// added are the spikes that the step's layer adds to its own.
func (t *placed) added() role.Tensor {
	return t.program.Output(t.program.Workload().Net.Layer(t.step.Layer).Add, t.step.Time)
}

// layer is that of a kernel.
func (t *placed) layer(k schedule.Kernel) *network.Layer {
	return t.program.Workload().Net.Layer(k.Index)
}

// sumAccesses are weights, and what goes through them.
func (t *placed) sumAccesses(k schedule.Kernel, terms bool, add func(access)) {
	s := &t.step
	if k.Classifier {
		net := t.program.Workload().Net
		b := t.program.Blocks[k.Index-1]
		t.denseAccesses(t.program.ClassifierWeights(s), t.program.Output(b.Last, s.Time), net.ClassifierInputs(b), net.Classes, terms, add)
		return
	}
	l := t.layer(k)
	p := &l.Inputs[k.Input]
	weights, input := role.Weight.At(p.Index, t.program.Version(s.Interval)), t.program.Source(k.Index, p, s.Time)
	if p.Kind == network.FC {
		t.denseAccesses(weights, input, p.In.Size(), l.Out.Channels, terms, add)
		return
	}
	add(access{tensor: weights, view: view{kernelOf(p, l), [4]int{none, none, none, channels}}})
	add(access{tensor: input, view: t.mapView(p.In, ofPlaces), spans: window(p, l)})
}

// denseAccesses are those of a fully connected sum.
func (t *placed) denseAccesses(weights, input role.Tensor, inputs, outputs int, terms bool, add func(access)) {
	w, x := [4]int{none, none, none, channels}, ofSamples
	if terms {
		w[2], x = depth, ofTerms
	}
	add(access{tensor: weights, view: view{role.Whole(1, 1, inputs, outputs), w}})
	add(access{tensor: input, view: t.mapView(flat(inputs), x)})
}

// kernelOf is the weights of a convolution.
func kernelOf(p *network.Projection, l *network.Layer) role.Region {
	size := p.Kernel.Size
	return role.Whole(size.Height, size.Width, p.In.Channels/p.Kernel.Groups, l.Out.Channels)
}

// errorAccesses are weights, and the errors that go back through them.
func (t *placed) errorAccesses(k schedule.Kernel, terms bool, add func(access)) {
	s, net := &t.step, t.program.Workload().Net
	l := t.layer(k)
	if k.Reader == 0 {
		t.spreadAccesses(l.Pooled, pooled(l), net.Classes, t.program.ClassifierWeights(s), t.program.ClassifierErrorOf(s.Block, s.Time), terms, add)
		return
	}
	reader := net.Layer(k.Reader)
	p := &reader.Inputs[k.Input]
	weights, err := role.Weight.At(p.Index, t.program.Version(s.Interval)), t.program.ErrorOf(reader, t.program.ErrorTime(s, k))
	if p.Kind == network.FC {
		over := pooled(l)
		if reader == l {
			over = spans{}
		}
		t.spreadAccesses(p.In, over, reader.Out.Channels, weights, err, terms, add)
		return
	}
	w := view{kernelOf(p, reader), [4]int{none, none, channels, none}}
	if p.Kernel.Groups > 1 {
		w.along[2] = none
	}
	add(access{tensor: weights, view: w})
	add(access{tensor: err, view: t.mapView(reader.Out, ofPlaces), spans: shadow(reader, p, l)})
}

// spreadAccesses are those of errors that come from so many outputs to a map.
func (t *placed) spreadAccesses(to network.Shape, over spans, outputs int, weights, err role.Tensor, terms bool, add func(access)) {
	w, x := [4]int{rows, columns, channels, none}, ofSamples
	if terms {
		w[3], x = depth, ofTerms
	}
	add(access{tensor: weights, view: view{role.Whole(to.Height, to.Width, to.Channels, outputs), w}, spans: over})
	add(access{tensor: err, view: t.mapView(flat(outputs), x)})
}

// valueAccess is what the layer reads without weights.
func (t *placed) valueAccess(k schedule.Kernel, _ bool, add func(access)) {
	l := t.layer(k)
	add(access{tensor: t.program.Source(k.Index, &l.Inputs[k.Input], t.step.Time), view: t.mapView(l.Out, ofNeurons)})
}

// identityAccess is the error of what reads the layer without weights.
func (t *placed) identityAccess(k schedule.Kernel, _ bool, add func(access)) {
	l := t.layer(k)
	reader := t.program.Workload().Net.Layer(k.Reader)
	a := access{tensor: t.program.ErrorOf(reader, t.program.ErrorTime(&t.step, k)), view: t.mapView(reader.Out, ofNeurons)}
	if reader != l {
		a.spans = pooled(l)
	}
	add(a)
}

// feedbackAccesses are random weights, and the classifier's errors.
func (t *placed) feedbackAccesses(k schedule.Kernel, _ bool, add func(access)) {
	l, s := t.layer(k), &t.step
	t.spreadAccesses(l.Pooled, pooled(l), t.program.Workload().Net.Classes,
		role.RandomFeedback.At(k.Index, 0), role.ClassifierError.At(s.Block, s.Time), false, add)
}

// takeOperands makes operands of what kernels access: what the step reads or
// generates. What stays on chip for later steps comes once.
func (t *placed) takeOperands(g *stage, accesses []access, reads *[]schedule.Transfer) {
	for _, a := range accesses {
		o := operand{view: a.view, spans: a.spans, depends: a.view.depends()}
		if i := slices.IndexFunc(t.step.Products, func(p schedule.Product) bool { return p.Tensor == a.tensor && !p.InPlace }); i >= 0 {
			p := &t.step.Products[i]
			o.Transfer, o.generated = schedule.Transfer{Tensor: p.Tensor, Words: p.Words}, true
			g.operands = append(g.operands, o)
			continue
		}
		if t.isReplaced(a.tensor) {
			g.keepReplaced(a, t.isStaying(a.tensor) || !t.reads(a.tensor))
			continue
		}
		list := take(reads, func(x schedule.Transfer) bool { return x.Tensor == a.tensor })
		for _, x := range list {
			if t.isStaying(a.tensor) {
				g.once = append(g.once, x)
				continue
			}
			o.Transfer, o.left = x, firstFetch(x)
			g.operands = append(g.operands, o)
		}
	}
}

// keepReplaced leaves together what a kernel takes of a tensor in whose place the step
// makes another: the neurons of a sample, unless it takes only its own; and all of it
// if it is on chip as a whole, since it goes by its successor's name from the first
// tile on.
func (s *stage) keepReplaced(a access, whole bool) {
	if whole {
		s.uncut[batch] = true
	}
	if whole || a.view.along != ofNeurons {
		s.uncut[rows], s.uncut[columns], s.uncut[channels] = true, true, true
	}
}

// isReplaced tells whether the step makes something in the place of a tensor.
func (t *placed) isReplaced(x role.Tensor) bool {
	return slices.ContainsFunc(t.step.Products, func(p schedule.Product) bool { return p.InPlace && p.Replaces == x })
}

// reads tells whether the step loads a tensor.
func (t *placed) reads(x role.Tensor) bool {
	return slices.ContainsFunc(t.step.Reads, func(r schedule.Transfer) bool { return r.Tensor == x })
}

// keepGroups leaves the channels of a stage whole where kernels connect groups of
// them.
func (t *placed) keepGroups(g *stage, kernels []schedule.Kernel) {
	for _, k := range kernels {
		if p := t.projection(k); p != nil && p.Kind == network.Conv && p.Kernel.Groups > 1 {
			g.uncut[channels] = true
		}
	}
}

// keepWindows leaves the places of a stage whole where windows of its pooling
// overlap.
func (s *stage) keepWindows() {
	if l := s.pools; l != nil && (l.Pool.Stride != l.Pool.Window || l.Pool.Pad != (network.Pair{})) {
		s.uncut[rows], s.uncut[columns] = true, true
	}
}

// projection is what a kernel goes through; nil for a classifier's weights, and where
// there is none.
func (t *placed) projection(k schedule.Kernel) *network.Projection {
	net := t.program.Workload().Net
	switch nest := op.Of(k.Op).Nest; {
	case k.Classifier:
		return nil
	case nest == op.OverErrors && k.Reader != 0:
		return &net.Layer(k.Reader).Inputs[k.Input]
	case nest == op.OverSynapses || nest == op.OverGradients || nest == op.OverInputs:
		return &net.Layer(k.Index).Inputs[k.Input]
	}
	return nil
}
