package sim

import (
	"fmt"

	"accelsim/network"
	"accelsim/pe"
	"accelsim/schedule"
	"accelsim/units"
)

// processor executes kernels on the PE array and the lanes beside it.
type processor struct {
	array    pe.Array
	workload *network.Workload
	blocks   []network.Block
	traffic  schedule.Traffic
	ledger   *ledger          // of the layer and phase that is worked on
	dense    []*network.Layer // the classifiers, by block, as layers
	nonzero  []float64        // share of a part's input
	data     *datapath        // nil unless the simulation is functional
	accesses accesses         // of the kernel that was executed last
}

// Parts are what work is booked for: the layers, then the classifiers of blocks.
func partOf(net *network.Network, classifier bool, index int) int {
	if classifier {
		return net.N() + index - 1
	}
	return index - 1
}

// densities returns the density of each part's input, which gates its additions.
func densities(w *network.Workload, blocks []network.Block) []units.Density {
	var list []units.Density
	for i := range w.Net.Layers {
		list = append(list, w.Activity.Of(w.Net.Layers[i].Reads))
	}
	for _, b := range blocks {
		list = append(list, w.Activity.Classifier(b, len(blocks)))
	}
	return list
}

func newProcessor(a pe.Array, w *network.Workload, p *schedule.Program) *processor {
	x := &processor{array: a, workload: w, blocks: p.Blocks, traffic: p.Traffic}
	for _, d := range densities(w, p.Blocks) {
		x.nonzero = append(x.nonzero, d.Float())
	}
	for _, b := range p.Blocks {
		x.dense = append(x.dense, pe.Dense(w.Net.ClassifierInputs(b), w.Net.Classes))
	}
	return x
}

// operand is what a kernel works on.
type operand struct {
	layer   *network.Layer
	part    int   // whose input it reads
	neurons int64 // of the batch
	pooled  int64 // pooling neurons of the batch
	weights int64 // that the kernel goes through one by one
	direct  bool  // reads real values, not spikes
}

// tile is the share of a matrix product that a kernel has.
func tile(k *schedule.Kernel, m pe.Matrix) pe.Matrix {
	if k.Part.Is {
		m.Rows, m.Columns, m.Depth, m.Repeats = k.Part.Rows, k.Part.Columns, k.Part.Depth, k.Part.Repeats
	}
	return m
}

func (x *processor) operand(k *schedule.Kernel) operand {
	batch := int64(x.workload.Batch)
	var o operand
	if k.Classifier {
		o.layer = x.dense[k.Index-1]
	} else {
		o.layer = x.workload.Net.Layer(k.Index)
		o.direct = o.layer.Reads == network.InputLayer && x.workload.Net.Encoding == network.Direct
	}
	o.part = partOf(x.workload.Net, k.Classifier, k.Index)
	o.neurons, o.pooled = batch*int64(o.layer.Neurons()), batch*int64(o.layer.Pooled.Size())
	o.weights = int64(o.layer.Weights())
	if k.Of == schedule.NormParameter {
		o.weights = 2 * int64(o.layer.Out.Channels)
	}
	if k.Part.Is {
		o.neurons, o.pooled, o.weights = k.Part.Neurons, k.Part.PooledNeurons, k.Part.Values
	}
	return o
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
	m.Density = x.nonzero[part]
	if x.data != nil {
		m.Density = min(1, float64(events)/(float64(m.Rows)*float64(m.Columns)*float64(m.Depth)*float64(m.Repeats)))
	}
	return m
}

// execute runs one kernel and enters what was executed; what that accessed on
// chip is in accesses.
func (x *processor) execute(s *schedule.Step, k *schedule.Kernel) (pe.Cost, error) {
	o, batch, all := x.operand(k), x.workload.Batch, x.traffic == schedule.All
	l, array, ledger := o.layer, x.array, x.ledger
	x.accesses = accesses{}
	lanes := func(elements int64, of operands) pe.Cost {
		x.accesses.vector(elements, of)
		reads, writes := of.total()
		return array.Vector(elements, reads, writes)
	}
	vector := func(why schedule.Beyond, r pe.Recipe, elements int64, of operands) pe.Cost {
		cost := lanes(elements, of)
		ledger.recipe(why, r, cost.Slots)
		return cost
	}
	var done happened
	if x.data != nil {
		var err error
		if done, err = x.data.execute(s, *k); err != nil {
			return pe.Cost{}, err
		}
	}
	switch k.Op {
	case schedule.SynapticSum:
		cost := array.Matrix(x.sparse(tile(k, pe.Synapses(l, batch)), o.part, done.sums))
		x.accesses.matrix(cost, spikes, weights, states)
		terms, by := x.gated(cost.Slots, done.sums)
		ledger.adds[forwardPass][by] += terms
		if o.direct && all {
			ledger.executed(schedule.BeyondDirectInput, pe.Multiply, by, terms)
		}
		return cost, nil

	case schedule.Fire:
		return vector(schedule.BeyondNeuron, pe.FireRecipe, o.neurons, fireOperands), nil

	case schedule.NormForward:
		return vector(schedule.BeyondNorm, pe.NormRecipe, o.neurons, normOperands), nil

	case schedule.NormMean:
		return vector(schedule.BeyondNorm, pe.NormMeanRecipe, o.neurons, normMeanOperands), nil

	case schedule.NormVariance:
		return vector(schedule.BeyondNorm, pe.NormVarianceRecipe, o.neurons, normVarianceOperands), nil

	case schedule.Normalize:
		return vector(schedule.BeyondNorm, pe.NormalizeRecipe, o.neurons, normOperands), nil

	case schedule.Join:
		return vector(schedule.BeyondResidual, pe.JoinRecipe, o.neurons, joinOperands), nil

	case schedule.Pool:
		pooled := o.pooled
		window := int64(l.Pool.Height) * int64(l.Pool.Width)
		cost := lanes(pooled*window, windowOperands)
		ledger.recipe(schedule.BeyondPooling, pe.Recipe{pe.Add: 1}, cost.Slots)
		return sum(cost, vector(schedule.BeyondPooling, plus(pe.FireRecipe, pe.Recipe{pe.Multiply: 1}), pooled, fireOperands)), nil

	case schedule.Count:
		return vector(schedule.BeyondLoss, pe.CountRecipe, o.neurons, countOperands), nil

	case schedule.Loss:
		r := pe.LossRecipe
		if x.workload.Training.Loss == network.CrossEntropy {
			r = pe.SoftmaxRecipe
		}
		return vector(schedule.BeyondLoss, r, o.neurons, lossOperands), nil

	case schedule.Regenerate:
		return vector(schedule.BeyondRandom, pe.RegenerateRecipe, o.weights, regenerateOperands), nil

	case schedule.BackProject:
		reader := x.dense[s.Block-1]
		if k.Reader != 0 {
			reader = x.workload.Net.Layer(k.Reader)
		}
		work := tile(k, pe.Errors(reader, batch))
		work.Density = 1 // errors are not spikes
		cost := array.Matrix(work)
		x.accesses.matrix(cost, gradients, weights, gradients)
		ledger.macs += cost.Slots
		return cost, nil

	case schedule.JoinBackward:
		return vector(schedule.BeyondResidual, pe.JoinRecipe, o.neurons, joinBackwardOperands), nil

	case schedule.PoolBackward:
		pooled := o.pooled
		r := plus(pe.SurrogateRecipe, pe.Recipe{pe.Multiply: 1})
		if !s.End {
			r = plus(plus(r, pe.TemporalRecipe), pe.Recipe{pe.Add: pe.TemporalAdditions})
		}
		return vector(schedule.BeyondPooling, r, pooled, poolBackwardOperands), nil

	case schedule.TemporalError:
		cost := lanes(o.neurons, temporalErrorOperands)
		ledger.adds[backwardPass][ungated] += pe.TemporalAdditions * cost.Slots
		if all {
			ledger.recipe(schedule.BeyondSurrogate, pe.TemporalRecipe, cost.Slots)
		}
		return cost, nil

	case schedule.SpatialError:
		return vector(schedule.BeyondSurrogate, pe.SurrogateRecipe, o.neurons, spatialErrorOperands), nil

	case schedule.NormBackward:
		return vector(schedule.BeyondNorm, pe.NormBackwardRecipe, o.neurons, normBackwardOperands), nil

	case schedule.NormGradients:
		return vector(schedule.BeyondNorm, pe.NormGradientsRecipe, o.neurons, normGradientsOperands), nil

	case schedule.NormErrors:
		return vector(schedule.BeyondNorm, pe.NormErrorsRecipe, o.neurons, normBackwardOperands), nil

	case schedule.Gradient:
		cost := array.Matrix(x.sparse(tile(k, pe.Gradients(l, batch)), o.part, done.gradient.Terms))
		x.accesses.matrix(cost, gradients, spikes, gradients)
		sums, by := x.gated(cost.Outputs, done.gradient.Weights)
		terms, _ := x.gated(cost.Slots, done.gradient.Terms)
		ledger.adds[backwardPass][by] += sums
		if all {
			ledger.executed(schedule.BeyondGradientRegister, pe.Add, by, terms)
			if o.direct {
				ledger.executed(schedule.BeyondDirectInput, pe.Multiply, by, terms)
			} else if scaled := done.gradient.Scaled; scaled > 0 {
				ledger.executed(schedule.BeyondResidual, pe.Multiply, by, scaled)
			}
		}
		return cost, nil

	case schedule.Optimize:
		elements, why := o.weights, schedule.BeyondOptimizer
		switch t := x.workload.Training; {
		case t.Optimizer == network.Adam:
			return vector(why, pe.AdamRecipe, elements, adamOperands), nil
		case t.Momentum > 0:
			return vector(why, pe.MomentumRecipe, elements, momentumOperands), nil
		}
		return vector(why, pe.PlainRecipe, elements, plainOperands), nil
	}
	return pe.Cost{}, fmt.Errorf("no processing element executes %q", k.Op)
}

func plus(a, b pe.Recipe) pe.Recipe {
	for op, n := range b {
		a[op] += n
	}
	return a
}

func sum(a, b pe.Cost) pe.Cost {
	a.Cycles += b.Cycles
	a.Reads += b.Reads
	a.Writes += b.Writes
	return a
}
