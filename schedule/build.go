package schedule

import (
	"cmp"
	"slices"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/role"
)

// build fills in the step at one place of a row.
func (p *Program) build(s *Step, row rowKind, at slot, interval, time int) {
	s.reset()
	s.Kind, s.Block, s.Layer = at.kind, at.block, at.layer
	s.Interval, s.Time, s.End = interval, time, row == endRow
	switch at.kind {
	case ForwardLayer:
		p.forwardLayer(s, p.workload.Net.Layer(at.layer))
	case ForwardClassifier:
		p.forwardClassifier(s)
	case BackwardClassifier:
		p.backwardClassifier(s)
	case BackwardLayer:
		p.backwardLayer(s, p.workload.Net.Layer(at.layer))
	case UpdateLayer:
		l := p.workload.Net.Layer(at.layer)
		for _, in := range l.Inputs {
			if in.Weighted() {
				p.update(s, role.Weight, in.Index)
			}
		}
		if l.Bias {
			p.update(s, role.Bias, at.layer)
		}
		if l.BatchNorm {
			p.update(s, role.NormParameter, at.layer)
		}
	case UpdateClassifier:
		p.update(s, role.ClassifierWeight, at.block)
		if p.workload.Training.ClassifierBias {
			p.update(s, role.ClassifierBias, at.block)
		}
	}
	s.keep(p.carried[row][:at.carried], time)
	s.keep(at.keeps, time)
}

// keep lets tensors stay on chip after the step.
func (s *Step) keep(list []kept, time int) {
	for _, k := range list {
		t := k.Tensor
		if k.now {
			t.Step = time
		}
		s.Keeps = append(s.Keeps, t)
	}
}

// read adds a transfer from DRAM, unless it is beyond the equations and those
// alone are asked for.
func (p *Program) read(s *Step, t role.Tensor, why Beyond) {
	if why == Covered || p.Traffic == All {
		s.Reads = append(s.Reads, Transfer{Tensor: t, Words: p.words(t.Class, t.Index), Beyond: why})
	}
}

// write adds a product that goes to DRAM.
func (p *Program) write(s *Step, t role.Tensor, why Beyond) {
	if why == Covered || p.Traffic == All {
		s.Writes = append(s.Writes, Transfer{Tensor: t, Words: p.words(t.Class, t.Index), Beyond: why})
	}
}

// make adds a tensor that the step computes in a place of its own.
func (p *Program) make(s *Step, t role.Tensor) {
	s.Products = append(s.Products, Product{Tensor: t, Words: p.words(t.Class, t.Index)})
}

// replace makes a tensor in the place of another that the step has on chip.
func (p *Program) replace(s *Step, t, old role.Tensor) {
	s.Products = append(s.Products, Product{Tensor: t, Words: p.words(t.Class, t.Index), Replaces: old, InPlace: true})
}

// run adds an operation.
func (p *Program) run(s *Step, op Op, index int) {
	s.Kernels = append(s.Kernels, Kernel{Op: op, Index: index})
}

// runBeyond adds an operation that the equations do not cover.
func (p *Program) runBeyond(s *Step, op Op, index int) {
	if p.Traffic == All {
		p.run(s, op, index)
	}
}

// runClassifier adds an operation of the step's classifier.
func (p *Program) runClassifier(s *Step, op Op) {
	s.Kernels = append(s.Kernels, Kernel{Op: op, Classifier: true, Index: s.Block})
}

// Output names what readers of layer l see at time t.
func (p *Program) Output(l, time int) role.Tensor {
	if l == network.InputLayer {
		if p.workload.Net.Encoding == network.Direct {
			time = 0
		}
		return role.Input.At(0, time)
	}
	return role.Spikes.At(l, time)
}

// Source names what a projection to layer n reads at time t.
func (p *Program) Source(n int, in *network.Projection, time int) role.Tensor {
	time -= in.Delay
	if in.From == n && p.keepsOwnSpikes(n) {
		return role.OwnSpikes.At(n, time)
	}
	return p.Output(in.From, time)
}

// keepsOwnSpikes tells whether layer n reads its own spikes at the next step, and
// its output is something else.
func (p *Program) keepsOwnSpikes(n int) bool {
	l := p.workload.Net.Layer(n)
	return l.Recurrent() && (l.Adds() || l.HasPool())
}

// MakesOwnSpikes tells whether layer n's spikes before addition and pooling are a
// tensor of their own.
func (p *Program) MakesOwnSpikes(n int) bool { return p.onlyAdded(n) || p.keepsOwnSpikes(n) }

// takeSource gets what a projection reads on chip, once a step.
func (p *Program) takeSource(s *Step, n int, in *network.Projection) {
	switch t := p.Source(n, in, s.Time); {
	case s.gets(t):
	case in.Delay > 0:
		p.read(s, t, beyondOf(in))
	default:
		p.takeInput(s, in.From)
	}
}

// beyondOf tells why what a projection reads is beyond the equations.
func beyondOf(in *network.Projection) Beyond {
	if in.From == network.InputLayer {
		return BeyondInput
	}
	return BeyondSpikes
}

// gets tells whether the step already has a tensor.
func (s *Step) gets(t role.Tensor) bool {
	named := func(r Transfer) bool { return r.Tensor == t }
	return slices.ContainsFunc(s.Reads, named) || slices.ContainsFunc(s.Receives, named) || slices.Contains(s.Uses, t)
}

// takeInput gets the output of layer l on chip: spikes from where their layer
// left them, the network's input from memory when layer 1 asks for it, another
// group's spikes when this group's first layer does.
func (p *Program) takeInput(s *Step, l int) {
	t := p.Output(l, s.Time)
	switch {
	case s.gets(t):
	case l == network.InputLayer && (s.Layer == 1 || p.own[0].First > 1): // no layer 1 has left it on chip
		p.read(s, t, BeyondInput)
	case p.Received() != 0 && s.Layer == p.own[0].First:
		s.Receives = append(s.Receives, Transfer{Tensor: t, Words: p.words(t.Class, t.Index), Beyond: BeyondSpikes})
	default:
		p.use(s, t)
	}
}

// use adds a tensor that must be on chip already. The network's input is not
// there when only the equations' traffic moves.
func (p *Program) use(s *Step, t role.Tensor) {
	if t.Class != role.Input || p.Traffic == All {
		s.Uses = append(s.Uses, t)
	}
}

// forwardLayer is one step of Eq. 11: read W and U^(t-1), write U^t.
func (p *Program) forwardLayer(s *Step, l *network.Layer) {
	n, t := l.Index, s.Time
	for i := range l.Inputs {
		if in := &l.Inputs[i]; in.Weighted() {
			p.read(s, role.Weight.At(in.Index, p.Version(s.Interval)), Covered)
		}
	}
	p.read(s, role.Potential.At(n, t-1), Covered)
	for i := range l.Inputs {
		in := &l.Inputs[i]
		p.takeSource(s, n, in)
		if in.Weighted() {
			s.Kernels = append(s.Kernels, Kernel{Op: SynapticSum, Index: n, Input: i})
		} else if p.Traffic == All {
			s.Kernels = append(s.Kernels, Kernel{Op: AddValue, Index: n, Input: i})
		}
	}
	if t < p.LastBackward(s.Interval) { // no gradient takes them
		p.free(s, n)
	}
	if l.Bias && p.Traffic == All {
		p.read(s, role.Bias.At(n, p.Version(s.Interval)), BeyondBias)
		p.run(s, AddBias, n)
	}
	if l.BatchNorm {
		p.read(s, role.NormParameter.At(n, p.Version(s.Interval)), BeyondNorm)
		p.read(s, role.NormStatistic.At(n, t-1), BeyondNorm)
		p.runBeyond(s, NormForward, n)
		if p.Traffic == All {
			p.make(s, role.NormSaved.At(n, t))
			p.replace(s, role.NormStatistic.At(n, t), role.NormStatistic.At(n, t-1))
		}
		p.write(s, role.NormStatistic.At(n, t), BeyondNorm)
		p.write(s, role.NormSaved.At(n, t), BeyondNorm)
	}
	p.neuronParameters(s, l)
	p.statesForward(s, role.LayerNeurons, n, p.workload.NeuronOf(l))
	p.runBeyond(s, Fire, n)
	p.replace(s, role.Potential.At(n, t), role.Potential.At(n, t-1))
	p.write(s, role.Potential.At(n, t), Covered)

	if p.onlyAdded(n) {
		p.make(s, role.OwnSpikes.At(n, t))
		return
	}
	if p.keepsOwnSpikes(n) && p.Traffic == All {
		p.make(s, role.OwnSpikes.At(n, t))
		p.write(s, role.OwnSpikes.At(n, t), BeyondSpikes)
	}
	if l.Adds() {
		if p.onlyAdded(l.Add) {
			s.Uses = append(s.Uses, role.OwnSpikes.At(l.Add, t))
		} else {
			p.takeInput(s, l.Add)
		}
		p.runBeyond(s, Join, n)
	}
	if l.HasPool() {
		p.pool(s, l)
	}
	p.make(s, role.Spikes.At(n, t))
	p.write(s, role.Spikes.At(n, t), BeyondSpikes)
	if n == p.Handed() {
		s.Hands = append(s.Hands, role.Spikes.At(n, t))
	}
}

// pool joins a layer's spikes, after addition, window by window.
func (p *Program) pool(s *Step, l *network.Layer) {
	n, t := l.Index, s.Time
	if p.Traffic == Equations {
		return
	}
	switch l.Pool.Kind {
	case network.FirePool:
		p.read(s, role.PoolPotential.At(n, t-1), BeyondPooling)
		p.statesForward(s, role.PoolNeurons, n, p.workload.NeuronOf(l))
		p.run(s, Pool, n)
		p.replace(s, role.PoolPotential.At(n, t), role.PoolPotential.At(n, t-1))
		p.write(s, role.PoolPotential.At(n, t), BeyondPooling)
	case network.MaxPool:
		p.run(s, Pool, n)
		p.make(s, role.PoolChoice.At(n, t))
		if !p.rule.Inference { // the backward pass goes to it
			p.write(s, role.PoolChoice.At(n, t), BeyondPooling)
		}
	case network.AveragePool, network.SumPool:
		p.run(s, Pool, n)
	case network.NoPool:
	}
}

// ClassifierWeights names the weights of the step's classifier.
func (p *Program) ClassifierWeights(s *Step) role.Tensor {
	if p.Trainable() {
		return role.ClassifierWeight.At(s.Block, p.Version(s.Interval))
	}
	return role.RandomWeight.At(s.Block, 0)
}

// classifierWeights gets W_c on chip: from memory, or from the generator that
// makes random weights.
func (p *Program) classifierWeights(s *Step) {
	if p.Trainable() {
		p.read(s, p.ClassifierWeights(s), Covered)
		return
	}
	if p.Traffic == All {
		s.Kernels = append(s.Kernels, Kernel{Op: Regenerate, Classifier: true, Index: s.Block, Of: role.RandomWeight})
	}
	p.make(s, p.ClassifierWeights(s))
}

// countOf names what a classifier's logits are counted in.
func (p *Program) countOf(block int) role.Tensor {
	if p.workload.Training.Readout == network.RateReadout {
		return role.SpikeCount.At(block, 0)
	}
	return role.LogitSum.At(block, 0)
}

// forwardClassifier is the classifier's part of Eq. 11, and at t_k the loss.
func (p *Program) forwardClassifier(s *Step) {
	b, t := p.Blocks[s.Block-1], s.Time
	p.classifierWeights(s)
	p.read(s, role.ClassifierPotential.At(b.Index, t-1), Covered)
	s.Uses = append(s.Uses, p.Output(b.Last, t))
	count := p.countOf(b.Index)
	first := (t-1)%p.K == 0
	if !first {
		s.Uses = append(s.Uses, count)
	}
	p.runClassifier(s, SynapticSum)
	if p.workload.Training.ClassifierBias && p.Traffic == All {
		p.read(s, role.ClassifierBias.At(b.Index, p.Version(s.Interval)), BeyondBias)
		p.runClassifier(s, AddBias)
	}
	p.statesForward(s, role.ClassifierNeurons, b.Index, p.workload.ClassifierNeuron())
	p.replace(s, role.ClassifierPotential.At(b.Index, t), role.ClassifierPotential.At(b.Index, t-1))
	if p.Traffic == All {
		p.runClassifier(s, Fire)
		p.runClassifier(s, Count)
	}
	if first {
		p.make(s, count)
	}
	p.write(s, role.ClassifierPotential.At(b.Index, t), Covered)
	if !s.End {
		return
	}
	p.read(s, role.Label.At(0, 0), BeyondLabels)
	if p.Traffic == All {
		p.runClassifier(s, Loss)
	}
	delta := role.ClassifierDelta.At(b.Index, t)
	p.make(s, delta)
	if p.backward > 1 { // read back at every step before t_k
		p.write(s, delta, BeyondDelta)
	}
}

// backwardClassifier computes gamma_c and dW_c: the classifier's part of Eqs.
// 12 to 14.
func (p *Program) backwardClassifier(s *Step) {
	b, t := p.Blocks[s.Block-1], s.Time
	state, delta := role.ClassifierPotential.At(b.Index, t), role.ClassifierDelta.At(b.Index, t)
	spikes := p.Output(b.Last, t)
	gamma := role.ClassifierError.At(b.Index, t)
	if s.End {
		if p.Trainable() {
			p.readSum(s, role.ClassifierGradient.At(b.Index, t), Covered)
		}
		s.Uses = append(s.Uses, state, delta)
		if p.Trainable() {
			s.Uses = append(s.Uses, spikes)
		}
		p.make(s, gamma)
	} else {
		delta.Step = s.Interval * p.K // written at t_k
		p.read(s, state, Covered)
		p.read(s, delta, Covered)
		p.read(s, role.ClassifierError.At(b.Index, t+1), Covered)
		if p.Trainable() {
			p.readSum(s, role.ClassifierGradient.At(b.Index, t), Covered)
			p.read(s, spikes, BeyondSpikes)
		}
		s.Kernels = append(s.Kernels, Kernel{Op: TemporalError, Classifier: true, Index: b.Index})
		p.replace(s, gamma, role.ClassifierError.At(b.Index, t+1))
	}
	p.statesBackward(s, role.ClassifierNeurons, b.Index, p.workload.ClassifierNeuron(), s.End)
	if p.Traffic == All {
		p.runClassifier(s, SpatialError)
		if !p.workload.ClassifierNeuron().PassesOn() {
			p.make(s, role.ClassifierSynapticError.At(b.Index, t))
		}
	}
	if p.Trainable() {
		p.gradient(s, Kernel{Op: Gradient, Classifier: true, Index: b.Index}, spikes, role.ClassifierTrace.At(b.Index, t))
		p.accumulate(s, role.ClassifierGradient.At(b.Index, t), Covered)
		if p.workload.Training.ClassifierBias && p.Traffic == All {
			p.readSum(s, role.ClassifierBiasGradient.At(b.Index, t), BeyondBias)
			p.runClassifier(s, SumErrors)
			p.accumulate(s, role.ClassifierBiasGradient.At(b.Index, t), BeyondBias)
		}
	}
	if p.backward > 1 {
		p.write(s, gamma, Covered)
	}
}

// sumBefore names the gradient to which a step adds; there is none if it begins one.
func (p *Program) sumBefore(s *Step, gradient role.Tensor) (role.Tensor, bool) {
	switch {
	case !s.End:
		gradient.Step++
	case p.Version(s.Interval) == s.Interval-1: // of this interval alone
		return gradient, false
	default:
		gradient.Step = p.LastBackward(s.Interval - 1)
	}
	return gradient, true
}

// SumBefore returns the gradient to which a step adds, or the one that it begins.
func (p *Program) SumBefore(s *Step, gradient role.Tensor) role.Tensor {
	old, _ := p.sumBefore(s, gradient)
	return old
}

// readSum gets a gradient so far.
func (p *Program) readSum(s *Step, gradient role.Tensor, why Beyond) {
	if old, ok := p.sumBefore(s, gradient); ok {
		p.read(s, old, why)
	}
}

// accumulate makes and writes a gradient, in the place of what was read of it.
func (p *Program) accumulate(s *Step, gradient role.Tensor, why Beyond) {
	if old, ok := p.sumBefore(s, gradient); ok {
		p.replace(s, gradient, old)
	} else {
		p.make(s, gradient)
	}
	p.write(s, gradient, why)
}

// gradient is Eq. 7 of what a projection or classifier read, or of its trace, which
// it takes one step on.
func (p *Program) gradient(s *Step, k Kernel, source, trace role.Tensor) {
	if p.rule.Trace == network.NoTrace {
		s.Kernels = append(s.Kernels, k)
		return
	}
	if p.Traffic == All {
		old := trace
		old.Step--
		p.read(s, old, BeyondTraces)
		p.replace(s, trace, old)
		p.write(s, trace, BeyondTraces)
		take := k
		take.Op = TakeTrace
		s.Kernels = append(s.Kernels, take)
	}
	k.Op = TraceGradient
	s.Kernels = append(s.Kernels, k)
}

// backwardLayer computes gamma^{t,n} and dW^n: Eqs. 12 and 13, or at t_k Eqs.
// 13 and 14.
func (p *Program) backwardLayer(s *Step, l *network.Layer) {
	b, n, t := p.Blocks[s.Block-1], l.Index, s.Time
	// The states of the block's top layer are still on chip at t_k.
	onChip := s.End && n == b.Last
	state := role.Potential.At(n, t)
	if onChip {
		s.Uses = append(s.Uses, state)
	} else {
		p.read(s, state, Covered)
	}
	if !s.End {
		p.read(s, role.PotentialError.At(n, t+1), Covered)
	}
	for i := range l.Inputs {
		if in := &l.Inputs[i]; in.Weighted() {
			p.readSum(s, role.WeightGradient.At(in.Index, t), Covered)
		}
	}

	p.spatialErrors(s, l, b)
	switch {
	case p.FedBack(n) && !l.HasPool():
	case p.onlyAdded(n):
		s.Uses = append(s.Uses, role.OutputError.At(n+1, t))
	case l.HasPool():
		p.poolBackward(s, l, onChip)
	}
	if p.PassesOutputError(n) {
		p.make(s, role.OutputError.At(n, t))
	}
	if !p.FedBack(n) {
		p.delayedErrors(s, l, l, true)
		p.delayedErrors(s, l, l, false)
	}

	gamma := role.PotentialError.At(n, t)
	if !s.End {
		p.run(s, TemporalError, n)
		p.replace(s, gamma, role.PotentialError.At(n, t+1))
	} else {
		p.make(s, gamma)
	}
	neuron := p.workload.NeuronOf(l)
	p.neuronParameters(s, l)
	p.statesBackward(s, role.LayerNeurons, n, neuron, onChip)
	p.runBeyond(s, SpatialError, n)
	if p.backward > 1 {
		p.write(s, gamma, Covered)
	}
	own := !l.BatchNorm && neuron.PassesOn() || p.Traffic == Equations // gamma is the error of the sum
	if !own {
		p.make(s, role.SynapticError.At(n, t))
	}
	if l.BatchNorm && p.Traffic == All {
		p.normBackward(s, n, onChip)
	}

	if p.readLater(l) && !own && p.backward > 1 {
		p.write(s, p.ErrorOf(l, t), BeyondDelayed)
	}
	p.gradients(s, l, onChip)
	p.free(s, n)
}

// free lets go of the spikes that the step's layer got from another group.
func (p *Program) free(s *Step, n int) {
	if before := p.Received(); before != 0 && n == p.own[0].First {
		s.Frees = append(s.Frees, role.Spikes.At(before, s.Time))
	}
}

// gradients is Eq. 7 of every weighted projection of a layer, and of its bias.
func (p *Program) gradients(s *Step, l *network.Layer, onChip bool) {
	n, t := l.Index, s.Time
	for i := range l.Inputs {
		in := &l.Inputs[i]
		if !in.Weighted() {
			continue
		}
		source := p.Source(n, in, t)
		switch {
		case s.gets(source):
		case onChip && in.Delay == 0:
			p.use(s, source)
		default:
			p.read(s, source, beyondOf(in))
		}
		p.gradient(s, Kernel{Op: Gradient, Index: n, Input: i}, source, role.Trace.At(in.Index, t))
		p.accumulate(s, role.WeightGradient.At(in.Index, t), Covered)
	}
	if !l.Bias || p.Traffic == Equations {
		return
	}
	p.readSum(s, role.BiasGradient.At(n, t), BeyondBias)
	p.run(s, SumErrors, n)
	p.accumulate(s, role.BiasGradient.At(n, t), BeyondBias)
}

// readLater tells whether an error of layer l's sums goes to an earlier time step
// of a layer of its block, over a delay.
func (p *Program) readLater(l *network.Layer) bool {
	b := p.blockOf(l.Index)
	for _, in := range l.Inputs {
		if in.Delay > 0 && b.Has(in.From) {
			return true
		}
	}
	return false
}

// blockOf returns the block that has a layer.
func (p *Program) blockOf(layer int) network.Block {
	i, _ := slices.BinarySearchFunc(p.Blocks, layer, func(b network.Block, layer int) int { return cmp.Compare(b.Last, layer) })
	return p.Blocks[i]
}

// delayedErrors adds to the error of layer l the errors of the step after that
// come over delayed projections of a reader, those with weights or the others.
func (p *Program) delayedErrors(s *Step, l, reader *network.Layer, weighted bool) {
	if s.End {
		return // there is no step after
	}
	for i := range reader.Inputs {
		in := &reader.Inputs[i]
		if in.From != l.Index || in.Delay == 0 || in.Weighted() != weighted {
			continue
		}
		if later := p.ErrorOf(reader, s.Time+1); !s.gets(later) {
			p.read(s, later, BeyondDelayed)
		}
		p.spreadError(s, l, reader, i)
	}
}

// spreadError takes the error of a reader's sums through one of its projections.
func (p *Program) spreadError(s *Step, l, reader *network.Layer, input int) {
	in := &reader.Inputs[input]
	if !in.Weighted() {
		if p.Traffic == All {
			s.Kernels = append(s.Kernels, Kernel{Op: IdentityError, Index: l.Index, Reader: reader.Index, Input: input})
		}
		return
	}
	if w := role.Weight.At(in.Index, p.Version(s.Interval)); !s.gets(w) {
		p.read(s, w, Covered)
	}
	s.Kernels = append(s.Kernels, Kernel{Op: BackProject, Index: l.Index, Reader: reader.Index, Input: input})
}

// spatialErrors collects the first term of Eq. 4: the errors of the layers of
// the block that read layer l, and of the classifier.
func (p *Program) spatialErrors(s *Step, l *network.Layer, b network.Block) {
	n, t := l.Index, s.Time
	if p.FedBack(n) {
		p.feedBack(s, n)
		return
	}
	if p.onlyAdded(n) {
		return
	}
	p.eachReader(n, b, func(reader *network.Layer) { p.readersErrors(s, l, reader, true) })
	if n == b.Last {
		p.classifierWeights(s)
		s.Uses = append(s.Uses, p.ClassifierErrorOf(b.Index, t))
		s.Kernels = append(s.Kernels, Kernel{Op: BackProject, Index: n, Reader: 0})
	}
	p.eachReader(n, b, func(reader *network.Layer) {
		p.readersErrors(s, l, reader, false)
		if reader.Add == n {
			s.Uses = append(s.Uses, role.OutputError.At(reader.Index, t))
			if p.Traffic == All {
				s.Kernels = append(s.Kernels, Kernel{Op: JoinBackward, Index: n, Reader: reader.Index})
			}
		}
	})
	p.eachReader(n, b, func(reader *network.Layer) { p.delayedErrors(s, l, reader, true) })
	p.eachReader(n, b, func(reader *network.Layer) { p.delayedErrors(s, l, reader, false) })
}

// FedBack tells whether the error of layer n's output comes straight from the
// classifier of its block.
func (p *Program) FedBack(n int) bool {
	if p.rule.Feedback == network.Backprop || n == network.InputLayer {
		return false
	}
	return p.rule.FeedsBack(n, []network.Block{p.blockOf(n)})
}

// PassesOutputError tells whether the other operand of layer n's addition gets the
// error of its output.
func (p *Program) PassesOutputError(n int) bool {
	l := p.workload.Net.Layer(n)
	return l.Adds() && (p.rule.Feedback == network.Backprop || !p.FedBack(n) && !p.FedBack(l.Add))
}

// feedBack gets the error of a layer's output from the classifier through fixed
// random weights.
func (p *Program) feedBack(s *Step, n int) {
	if p.Traffic == All {
		s.Kernels = append(s.Kernels, Kernel{Op: Regenerate, Index: n, Of: role.RandomFeedback})
	}
	p.make(s, role.RandomFeedback.At(n, 0))
	s.Uses = append(s.Uses, role.ClassifierError.At(s.Block, s.Time))
	s.Kernels = append(s.Kernels, Kernel{Op: FeedBack, Index: n})
}

// eachReader calls visit for the layers of a block that read layer n's output or
// add it to their spikes, ascending.
func (p *Program) eachReader(n int, b network.Block, visit func(*network.Layer)) {
	for _, reader := range p.workload.Net.ReadersOf(n) {
		if reader <= b.Last && !p.FedBack(reader) {
			visit(p.workload.Net.Layer(reader))
		}
	}
}

// readersErrors takes errors of the same step through a reader's projections from
// layer l, those with weights or the others.
func (p *Program) readersErrors(s *Step, l, reader *network.Layer, weighted bool) {
	for i := range reader.Inputs {
		in := &reader.Inputs[i]
		if in.From != l.Index || in.Delay > 0 || in.Weighted() != weighted {
			continue
		}
		w := role.Weight.At(in.Index, p.Version(s.Interval))
		if weighted {
			p.read(s, w, Covered)
		}
		if t := p.ErrorOf(reader, s.Time); !s.gets(t) {
			s.Uses = append(s.Uses, t) // the reader's step made it
		}
		p.spreadError(s, l, reader, i)
	}
}

// ErrorOf names the error of layer l's synaptic sum: what its batch norm or its
// neurons' synapses pass on, and without them gamma itself.
func (p *Program) ErrorOf(l *network.Layer, time int) role.Tensor {
	if p.Traffic == All && (l.BatchNorm || !p.workload.NeuronOf(l).PassesOn()) {
		return role.SynapticError.At(l.Index, time)
	}
	return role.PotentialError.At(l.Index, time)
}

// ClassifierErrorOf names the error of a classifier's synaptic sum.
func (p *Program) ClassifierErrorOf(block, time int) role.Tensor {
	if p.Traffic == All && !p.workload.ClassifierNeuron().PassesOn() {
		return role.ClassifierSynapticError.At(block, time)
	}
	return role.ClassifierError.At(block, time)
}

// states lists what neurons of a kind have beside their potentials: each state
// with its error.
func states(of role.Neurons, n network.Neuron) (list []neuronState) {
	if n.Synapse {
		list = append(list, neuronState{of.Current, of.CurrentError})
	}
	if n.Adaptation {
		list = append(list, neuronState{of.Adaptation, of.AdaptationError})
	}
	return list
}

// neuronState is a state of neurons and its error.
type neuronState struct{ state, err role.Role }

// neuronParameters gets what differs from neuron to neuron of a layer.
func (p *Program) neuronParameters(s *Step, l *network.Layer) {
	if p.workload.NeuronOf(l).Arrays != 0 {
		p.read(s, role.NeuronParameter.At(l.Index, 0), BeyondStates)
	}
}

// statesForward takes the neurons' other states one step on.
func (p *Program) statesForward(s *Step, of role.Neurons, index int, n network.Neuron) {
	if p.Traffic == Equations {
		return
	}
	for _, x := range states(of, n) {
		p.read(s, x.state.At(index, s.Time-1), BeyondStates)
		p.replace(s, x.state.At(index, s.Time), x.state.At(index, s.Time-1))
		p.write(s, x.state.At(index, s.Time), BeyondStates)
	}
}

// statesBackward takes the errors of the neurons' other states one step back, and
// gets the states that this needs.
func (p *Program) statesBackward(s *Step, of role.Neurons, index int, n network.Neuron, onChip bool) {
	if p.Traffic == Equations {
		return
	}
	t := s.Time
	for _, x := range states(of, n) {
		if state := x.state.At(index, t); x.state.Row().Slots == role.History {
			if onChip {
				s.Uses = append(s.Uses, state)
			} else {
				p.read(s, state, BeyondStates)
			}
		}
		if s.End {
			p.make(s, x.err.At(index, t))
		} else {
			p.read(s, x.err.At(index, t+1), BeyondStates)
			p.replace(s, x.err.At(index, t), x.err.At(index, t+1))
		}
		if p.backward > 1 {
			p.write(s, x.err.At(index, t), BeyondStates)
		}
	}
}

// poolBackward takes the error through the pooling after a layer.
func (p *Program) poolBackward(s *Step, l *network.Layer, onChip bool) {
	if p.Traffic == Equations {
		return
	}
	n, t := l.Index, s.Time
	switch l.Pool.Kind {
	case network.FirePool:
	case network.MaxPool:
		if choice := role.PoolChoice.At(n, t); onChip {
			s.Uses = append(s.Uses, choice)
		} else {
			p.read(s, choice, BeyondPooling)
		}
		p.run(s, PoolBackward, n)
		return
	case network.AveragePool, network.SumPool:
		p.run(s, PoolBackward, n)
		return
	case network.NoPool:
		return
	}
	state, gamma := role.PoolPotential.At(n, t), role.PoolError.At(n, t)
	if onChip {
		s.Uses = append(s.Uses, state)
	} else {
		p.read(s, state, BeyondPooling)
	}
	if s.End {
		p.make(s, gamma)
	} else {
		p.read(s, role.PoolError.At(n, t+1), BeyondPooling)
		p.replace(s, gamma, role.PoolError.At(n, t+1))
	}
	p.statesBackward(s, role.PoolNeurons, n, p.workload.NeuronOf(l), onChip)
	p.run(s, PoolBackward, n)
	if p.backward > 1 {
		p.write(s, gamma, BeyondPooling)
	}
}

// normBackward takes gamma through batch norm and accumulates the gradients of
// gain and bias.
func (p *Program) normBackward(s *Step, n int, onChip bool) {
	t := s.Time
	saved := role.NormSaved.At(n, t)
	if onChip {
		s.Uses = append(s.Uses, saved)
	} else {
		p.read(s, saved, BeyondNorm)
	}
	p.read(s, role.NormParameter.At(n, p.Version(s.Interval)), BeyondNorm)
	p.readSum(s, role.NormGradient.At(n, t), BeyondNorm)
	p.run(s, NormBackward, n)
	p.accumulate(s, role.NormGradient.At(n, t), BeyondNorm)
}

// update is the optimizer's pass over one tensor and its gradient.
func (p *Program) update(s *Step, parameter role.Role, index int) {
	trained := parameter.Row().Trained
	gradient, moment := trained.Gradient, trained.Moment
	first, old := p.LastBackward(s.Interval), p.Version(s.Interval)
	p.read(s, parameter.At(index, old), BeyondOptimizer)
	p.read(s, gradient.At(index, first), BeyondOptimizer)
	p.replace(s, parameter.At(index, old+1), parameter.At(index, old))
	if p.workload.Training.Moments() > 0 {
		p.read(s, moment.At(index, old), BeyondOptimizer)
		p.replace(s, moment.At(index, old+1), moment.At(index, old))
		p.write(s, moment.At(index, old+1), BeyondOptimizer)
	}
	s.Kernels = append(s.Kernels, Kernel{Op: Optimize, Classifier: parameter.OfClassifier(), Index: index, Of: parameter})
	p.write(s, parameter.At(index, old+1), BeyondOptimizer)
}

// ErrorTime returns the time of the error that a kernel takes from a reader: the
// step's, or the one after, over a delay.
func (p *Program) ErrorTime(s *Step, k Kernel) int {
	if k.Reader == 0 {
		return s.Time
	}
	return s.Time + p.workload.Net.Layer(k.Reader).Inputs[k.Input].Delay
}
