package tiling

import (
	"slices"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/op"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// ofGradient tells whether a kernel makes a gradient, or what it takes for one.
func ofGradient(k schedule.Kernel) bool {
	nest := op.Of(k.Op).Nest
	return nest == op.OverGradients || nest == op.OverInputs || k.Op == schedule.SumErrors
}

// gradientCase is what a gradient is of: weights between two maps, or, without
// any, a bias.
type gradientCase struct {
	gradient      role.Tensor
	source, trace role.Tensor // that the weights read, and what stands for it; none of a bias
	in, out       network.Shape
	kernel        role.Region // of the weights, as the kernel looks at them
	groups        bool
}

func (t *placed) gradientOf(k schedule.Kernel) (c gradientCase) {
	s, net := &t.step, t.program.Workload().Net
	if k.Classifier {
		b := t.program.Blocks[k.Index-1]
		if k.Op == schedule.SumErrors {
			return gradientCase{gradient: role.ClassifierBiasGradient.At(k.Index, s.Time)}
		}
		in, out := flat(net.ClassifierInputs(b)), flat(net.Classes)
		c = gradientCase{
			gradient: role.ClassifierGradient.At(k.Index, s.Time), source: t.program.Output(b.Last, s.Time),
			in: in, out: out, kernel: role.Whole(1, 1, in.Channels, out.Channels),
		}
		if k.Op != schedule.Gradient {
			c.trace = role.ClassifierTrace.At(k.Index, s.Time)
		}
		return c
	}
	if k.Op == schedule.SumErrors {
		return gradientCase{gradient: role.BiasGradient.At(k.Index, s.Time)}
	}
	l := net.Layer(k.Index)
	p := &l.Inputs[k.Input]
	c = gradientCase{
		gradient: role.WeightGradient.At(p.Index, s.Time), source: t.program.Source(k.Index, p, s.Time), in: p.In, out: l.Out,
	}
	if k.Op != schedule.Gradient {
		c.trace = role.Trace.At(p.Index, s.Time)
	}
	if p.Kind == network.FC {
		c.in = flat(p.In.Size())
		c.kernel = role.Whole(1, 1, c.in.Channels, l.Out.Channels)
		return c
	}
	c.kernel, c.groups = kernelOf(p, l), p.Kernel.Groups > 1
	return c
}

// gradientStages are a stage for each gradient of the step and for each trace:
// errors of the synaptic sums come back.
func (t *placed) gradientStages(errors role.Tensor) (stages []stage) {
	reads := slices.Clone(t.step.Reads)
	for _, k := range t.step.Kernels {
		if !ofGradient(k) {
			continue
		}
		c := t.gradientOf(k)
		switch nest := op.Of(k.Op).Nest; {
		case nest == op.OverInputs:
			stages = append(stages, t.traceStage(k, c, &reads))
		case nest == op.OverGradients:
			stages = append(stages, t.gradientStage(k, c, errors, &reads))
		default:
			stages = append(stages, t.biasStage(k, c, errors))
		}
	}
	return stages
}

// of returns what the step moves and makes of a tensor, whatever its step.
func (t *placed) of(x role.Tensor) (m moved) {
	same := func(o role.Tensor) bool { return o.Class == x.Class && o.Index == x.Index }
	reads, writes := slices.Clone(t.step.Reads), slices.Clone(t.step.Writes)
	m.reads = take(&reads, func(r schedule.Transfer) bool { return same(r.Tensor) })
	m.writes = take(&writes, func(w schedule.Transfer) bool { return same(w.Tensor) })
	_, m.products = split(t.step.Products, func(p schedule.Product) bool { return same(p.Tensor) })
	return m
}

// again is what the step reads of a tensor, for the first stage that asks; others
// fetch it again, unless it is on chip.
func (t *placed) again(x role.Tensor, reads *[]schedule.Transfer) operand {
	if !t.isStaying(x) {
		if list := take(reads, func(r schedule.Transfer) bool { return r.Tensor == x }); len(list) > 0 {
			return operand{Transfer: list[0], left: firstFetch(list[0])}
		}
	}
	return t.resource(x)
}

// gradientStage is dW: gamma comes, sample by sample, beside the spikes or their
// trace.
func (t *placed) gradientStage(k schedule.Kernel, c gradientCase, errors role.Tensor, reads *[]schedule.Transfer) stage {
	d := stage{gradient: true, dims: c.dims(t.program.Workload().Batch), kernels: []schedule.Kernel{k}}
	source := c.source
	if k.Op == schedule.TraceGradient {
		source = c.trace
	}
	back, seen := t.resource(errors), t.again(source, reads)
	back.view, seen.view = t.mapView(c.out, [4]int{batch, none, none, rows}), t.mapView(c.in, [4]int{batch, none, none, channels})
	d.weights = view{c.kernel, [4]int{none, none, channels, rows}}
	if c.groups {
		d.uncut[rows], d.uncut[channels] = true, true
		d.weights.along = [4]int{none, none, none, none}
	}
	back.depends, seen.depends = back.view.depends(), seen.view.depends()
	d.operands = append(d.operands, back, seen)
	own := t.of(c.gradient)
	t.fill(&d, own.reads, own.products, own.writes)
	return d
}

// dims are the output channels, input channels and samples of a gradient.
func (c *gradientCase) dims(batchSize int) extent {
	return extent{int64(batchSize), int64(c.out.Channels), 1, int64(c.in.Channels), 1}
}

// traceStage takes a trace one step on, value by value.
func (t *placed) traceStage(k schedule.Kernel, c gradientCase, reads *[]schedule.Transfer) stage {
	shape := t.program.Sizes.Extents(c.trace.Class, c.trace.Index)
	d := stage{dims: extent{shape[0], shape[1], shape[2], shape[3], 1}, kernels: []schedule.Kernel{k}}
	seen := t.again(c.source, reads)
	seen.view = view{shape.Region(), ofNeurons}
	seen.depends = seen.view.depends()
	d.operands = append(d.operands, seen)
	own := t.of(c.trace)
	t.fill(&d, own.reads, own.products, t.spillWithin(c.trace, own.writes))
	return d
}

// biasStage is the gradient of a bias: a channel's errors are summed up a sample at a
// time.
func (t *placed) biasStage(k schedule.Kernel, c gradientCase, errors role.Tensor) stage {
	_, dims := t.results()
	d := stage{dims: dims, ordered: true, kernels: []schedule.Kernel{k}}
	d.uncut[rows], d.uncut[columns] = true, true
	back := t.resource(errors)
	back.view = view{t.program.Sizes.Extents(errors.Class, errors.Index).Region(), ofNeurons}
	back.depends = back.view.depends()
	d.operands = append(d.operands, back)
	own := t.of(c.gradient)
	t.fill(&d, own.reads, own.products, own.writes)
	return d
}
