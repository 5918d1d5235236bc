package sim

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/op"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// processor executes kernels on the PE array and the lanes beside it.
type processor struct {
	array    pe.Array
	workload *network.Workload
	blocks   []network.Block
	traffic  schedule.Traffic
	program  *schedule.Program
	ledger   *ledger          // of the layer and phase that is worked on
	synapses []pe.Connection  // by projection
	dense    []pe.Connection  // the classifiers, by block
	feedback []pe.Connection  // of random weights straight from the classifier, by layer
	neurons  []network.Neuron // by layer
	heads    network.Neuron   // of classifiers
	nonzero  [][]float64      // shares of a part's inputs
	data     *op.Chip         // nil unless the simulation is functional
	accesses accesses         // of the kernel that was executed last
	of       operand          // that kernel
	passes   []op.Pass        // of it
}

// Parts are what work is booked for: the layers, then the classifiers of blocks.
func partOf(net *network.Network, classifier bool, index int) int {
	if classifier {
		return net.N() + index - 1
	}
	return index - 1
}

// densities returns the densities of each part's inputs, which gate its additions.
// A layer that reads its own spikes finds its output's density there.
func densities(w *network.Workload, blocks []network.Block) [][]units.Density {
	var list [][]units.Density
	for i := range w.Net.Layers {
		var inputs []units.Density
		for _, in := range w.Net.Layers[i].Inputs {
			inputs = append(inputs, w.Activity.Of(in.From))
		}
		list = append(list, inputs)
	}
	for _, b := range blocks {
		list = append(list, []units.Density{w.Activity.Classifier(b, len(blocks))})
	}
	return list
}

func newProcessor(a pe.Array, w *network.Workload, p *schedule.Program) *processor {
	x := &processor{array: a, workload: w, blocks: p.Blocks, traffic: p.Traffic, program: p, heads: w.ClassifierNeuron()}
	for _, part := range densities(w, p.Blocks) {
		var shares []float64
		for _, d := range part {
			shares = append(shares, d.Float())
		}
		x.nonzero = append(x.nonzero, shares)
	}
	for i := range w.Net.Projections() {
		l, projection := w.Net.Projection(i + 1)
		x.synapses = append(x.synapses, pe.Connect(projection, l.Out))
	}
	for i := range w.Net.Layers {
		l := &w.Net.Layers[i]
		x.neurons = append(x.neurons, w.NeuronOf(l))
		x.feedback = append(x.feedback, pe.Full(l.Pooled, w.Net.Classes))
	}
	for _, b := range p.Blocks {
		x.dense = append(x.dense, pe.Dense(w.Net.ClassifierInputs(b), w.Net.Classes))
	}
	return x
}

// operand is a kernel and what it works on.
type operand struct {
	op.Case
	kernel *schedule.Kernel
	pass   int             // forward or backward
	part   int             // whose input it reads
	input  int             // which of them
	scaled schedule.Beyond // why weights are multiplied by what it reads; Covered: they are not
}

// tile is the share of a matrix product that a kernel has.
func tile(k *schedule.Kernel, m pe.Matrix) pe.Matrix {
	if k.Part.Is {
		m.Rows, m.Columns, m.Depth, m.Repeats = k.Part.Rows, k.Part.Columns, k.Part.Depth, k.Part.Repeats
	}
	return m
}

// take finds what a kernel works on.
func (x *processor) take(s *schedule.Step, k *schedule.Kernel) {
	o := &x.of
	*o = operand{Case: op.Case{Workload: x.workload, End: s.End}, kernel: k, pass: passOf(s)}
	if k.Classifier {
		x.takeClassifier(o, k)
	} else {
		x.takeLayer(o, k)
	}
	o.Reader = x.readerOf(s, k)
	o.scaled = x.multiplied(k)
	o.Scaled = o.scaled != schedule.Covered
	switch {
	case k.Part.Is:
		o.Neurons, o.Pooled, o.Weights, o.Inputs = k.Part.Neurons, k.Part.PooledNeurons, k.Part.Values, k.Part.Values
	case k.Op == schedule.TakeTrace:
		o.Inputs = int64(x.workload.Batch) * int64(o.Synapses.In.Size())
	case k.Op == schedule.Optimize || k.Op == schedule.Regenerate:
		o.Weights = x.program.Sizes.Extents(k.Of, k.Index).Values()
	}
}

func (x *processor) takeClassifier(o *operand, k *schedule.Kernel) {
	net := x.workload.Net
	o.part, o.Synapses, o.Neuron = partOf(net, true, k.Index), &x.dense[k.Index-1], &x.heads
	o.Neurons = int64(x.workload.Batch) * int64(net.Classes)
	o.Pooled = o.Neurons
}

func (x *processor) takeLayer(o *operand, k *schedule.Kernel) {
	net, batch := x.workload.Net, int64(x.workload.Batch)
	projection := 0
	if k.Op == schedule.Optimize && k.Of == role.Weight { // of a projection
		owner, _ := net.Projection(k.Index)
		o.Layer, projection = owner, k.Index
	} else {
		o.Layer = net.Layer(k.Index)
	}
	if k.Reader == 0 { // an error's input is the reader's
		o.input = k.Input
	}
	if projection == 0 {
		projection = weightsOf(o.Layer, o.input)
	}
	o.part, o.Synapses, o.Neuron = partOf(net, false, o.Layer.Index), &x.synapses[projection-1], &x.neurons[o.Layer.Index-1]
	o.Neurons, o.Pooled = batch*int64(o.Layer.Neurons()), batch*int64(o.Layer.Pooled.Size())
}

// readerOf is through whose weights an error comes: a layer's, the classifier's, or
// fixed random ones.
func (x *processor) readerOf(s *schedule.Step, k *schedule.Kernel) *pe.Connection {
	switch {
	case k.Op == schedule.FeedBack:
		return &x.feedback[k.Index-1]
	case k.Reader != 0:
		return &x.synapses[weightsOf(x.workload.Net.Layer(k.Reader), k.Input)-1]
	}
	return &x.dense[s.Block-1]
}

// weightsOf is the index of the weights of one of a layer's inputs; of one without
// weights the layer's first.
func weightsOf(l *network.Layer, input int) int {
	if p := &l.Inputs[input]; p.Weighted() {
		return p.Index
	}
	return l.Index
}

// gated returns how many of the given slots a PE array that gates zero inputs
// executes: as many as spikes open, or, with data, what happened.
func (x *processor) gated(slots, events int64) (n int64, by gate) {
	if x.data != nil {
		return events, ungated
	}
	return slots, bySpikes
}

// sparse tells a matrix product how many of its terms are not zero: by density
// of its part's input, or, with data, as counted.
func (x *processor) sparse(m pe.Matrix, part int, events int64) pe.Matrix {
	m.Density = x.nonzero[part][x.of.input]
	if x.data != nil {
		m.Density = min(1, float64(events)/(float64(m.Rows)*float64(m.Columns)*float64(m.Depth)*float64(m.Repeats)))
	}
	return m
}

// execute runs one kernel and enters what was executed; what that accessed on
// chip is in accesses.
func (x *processor) execute(s *schedule.Step, k *schedule.Kernel) (cost pe.Cost, err error) {
	x.take(s, k)
	x.accesses = accesses{}
	var done op.Happened
	if x.data != nil {
		if done, err = x.data.Execute(s, *k); err != nil {
			return pe.Cost{}, err
		}
	}
	row := op.Of(k.Op)
	if row.Product != nil {
		return x.multiply(row.Product, done), nil
	}
	x.passes = row.Passes(&x.of.Case, x.passes[:0])
	for i := range x.passes {
		taken := x.pass(&x.passes[i])
		cost.Cycles += taken.Cycles
		cost.Reads += taken.Reads
		cost.Writes += taken.Writes
	}
	return cost, nil
}

// multiply executes a matrix product on the array.
func (x *processor) multiply(p *op.Product, done op.Happened) pe.Cost {
	work := tile(x.of.kernel, p.Matrix(&x.of.Case))
	work.Density = 1
	if p.Spikes {
		work = x.sparse(work, x.of.part, p.Events(done))
	}
	cost := x.array.Matrix(work)
	x.accesses.matrix(cost, p.Rows, p.Columns, p.Results)
	p.Book(x, cost, done)
	return cost
}

// pass executes a pass of the lanes.
func (x *processor) pass(p *op.Pass) pe.Cost {
	reads, writes := p.Operands.Total()
	cost := x.array.Vector(p.Elements, reads, writes)
	x.accesses.vector(p.Elements, p.Operands)
	x.ledger.adds[backwardPass][ungated] += p.Adds * cost.Slots
	if x.traffic == schedule.All {
		x.ledger.recipe(p.Why, p.Recipe, cost.Slots)
	}
	return cost
}

// Add enters additions of the kernel that the equations cover.
func (x *processor) Add(slots, executed int64) {
	n, by := x.gated(slots, executed)
	x.ledger.of(x.of.input).adds[x.of.pass][by] += n
}

// MAC enters multiply-accumulate operations.
func (x *processor) MAC(n int64) { x.ledger.macs += n }

// Dense enters operations outside the equations that nothing gates.
func (x *processor) Dense(why schedule.Beyond, o pe.Op, n int64) {
	if x.traffic == schedule.All {
		x.ledger.executed(why, o, ungated, n)
	}
}

// Beyond enters operations outside the equations, if they are executed at all.
func (x *processor) Beyond(why schedule.Beyond, o pe.Op, slots, executed int64) {
	if x.traffic == schedule.All {
		n, by := x.gated(slots, executed)
		x.ledger.of(x.of.input).executed(why, o, by, n)
	}
}

// Multiplied tells that what the kernel's projection reads are real numbers, by
// which weights are multiplied, and why.
func (x *processor) Multiplied() (why schedule.Beyond, real bool) {
	return x.of.scaled, x.of.scaled != schedule.Covered
}

// multiplied tells why weights are multiplied by what a kernel reads: a directly
// encoded input, or a fraction that no shift makes.
func (x *processor) multiplied(k *schedule.Kernel) schedule.Beyond {
	net := x.workload.Net
	from := network.InputLayer
	switch {
	case k.Classifier:
		from = x.blocks[k.Index-1].Last
	case k.Op == schedule.Optimize:
		return schedule.Covered
	case k.Reader == 0:
		from = net.Layer(k.Index).Inputs[k.Input].From
	}
	_, scale := net.ValueOf(from)
	switch {
	case from == network.InputLayer && net.Encoding == network.Direct:
		return schedule.BeyondDirectInput
	case scale&(scale-1) != 0:
		return schedule.BeyondPooling
	}
	return schedule.Covered
}
