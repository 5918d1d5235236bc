package schedule

import "accelsim/network"

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
		p.update(s, Weight, WeightGradient, Moment, at.layer)
		if p.workload.Net.Layer(at.layer).BatchNorm {
			p.update(s, NormParameter, NormGradient, NormMoment, at.layer)
		}
	case UpdateClassifier:
		p.update(s, ClassifierWeight, ClassifierGrad, ClassifierMoment, at.block)
	}
	for _, k := range at.keeps {
		t := k.Tensor
		if k.now {
			t.Step = time
		}
		s.Keeps = append(s.Keeps, t)
	}
}

// read adds a transfer from DRAM, unless it is beyond the equations and those
// alone are asked for.
func (p *Program) read(s *Step, t Tensor, why Beyond) {
	if why == Covered || p.Traffic == All {
		s.Reads = append(s.Reads, Transfer{Tensor: t, Words: p.words(t.Class, t.Index), Beyond: why})
	}
}

// write adds a product that goes to DRAM.
func (p *Program) write(s *Step, t Tensor, why Beyond) {
	if why == Covered || p.Traffic == All {
		s.Writes = append(s.Writes, Transfer{Tensor: t, Words: p.words(t.Class, t.Index), Beyond: why})
	}
}

// make adds a tensor that the step computes in a place of its own.
func (p *Program) make(s *Step, t Tensor) {
	s.Products = append(s.Products, Product{Tensor: t, Words: p.words(t.Class, t.Index)})
}

// replace makes a tensor in the place of another that the step has on chip.
func (p *Program) replace(s *Step, t, old Tensor) {
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

// outputOf names what readers of layer l see at time t.
func (p *Program) outputOf(l, time int) Tensor {
	if l == network.InputLayer {
		if p.workload.Net.Encoding == network.Direct {
			time = 0
		}
		return Tensor{Input, 0, time}
	}
	return Tensor{Spikes, l, time}
}

// takeInput gets the output of layer l on chip: spikes from where their layer
// left them, the network's input from memory when layer 1 asks for it, another
// group's spikes when this group's first layer does.
func (p *Program) takeInput(s *Step, l int) {
	t := p.outputOf(l, s.Time)
	switch {
	case l == network.InputLayer && s.Layer == 1:
		p.read(s, t, BeyondInput)
	case p.Received() != 0 && s.Layer == p.own[0].First:
		s.Receives = append(s.Receives, Transfer{Tensor: t, Words: p.words(t.Class, t.Index), Beyond: BeyondSpikes})
	default:
		p.use(s, t)
	}
}

// use adds a tensor that must be on chip already. The network's input is not
// there when only the equations' traffic moves.
func (p *Program) use(s *Step, t Tensor) {
	if t.Class != Input || p.Traffic == All {
		s.Uses = append(s.Uses, t)
	}
}

// forwardLayer is one step of Eq. 11: read W and U^(t-1), write U^t.
func (p *Program) forwardLayer(s *Step, l *network.Layer) {
	n, t := l.Index, s.Time
	p.read(s, Tensor{Weight, n, s.Interval - 1}, Covered)
	p.read(s, Tensor{Potential, n, t - 1}, Covered)
	p.takeInput(s, l.Reads)

	p.run(s, SynapticSum, n)
	if l.BatchNorm {
		p.read(s, Tensor{NormParameter, n, s.Interval - 1}, BeyondNorm)
		p.read(s, Tensor{NormStatistic, n, t - 1}, BeyondNorm)
		p.runBeyond(s, NormForward, n)
		if p.Traffic == All {
			p.make(s, Tensor{NormSaved, n, t})
			p.replace(s, Tensor{NormStatistic, n, t}, Tensor{NormStatistic, n, t - 1})
		}
		p.write(s, Tensor{NormStatistic, n, t}, BeyondNorm)
		p.write(s, Tensor{NormSaved, n, t}, BeyondNorm)
	}
	p.runBeyond(s, Fire, n)
	p.replace(s, Tensor{Potential, n, t}, Tensor{Potential, n, t - 1})
	p.write(s, Tensor{Potential, n, t}, Covered)

	if p.beforeShortcut(n) {
		p.make(s, Tensor{OwnSpikes, n, t})
		return
	}
	if j := l.Join; j != nil {
		if j.Identity {
			p.takeInput(s, j.Skip)
		} else {
			s.Uses = append(s.Uses, Tensor{OwnSpikes, j.Conv, t})
		}
		p.runBeyond(s, Join, n)
	}
	if l.HasPool() {
		p.read(s, Tensor{PoolPotential, n, t - 1}, BeyondPooling)
		p.runBeyond(s, Pool, n)
		if p.Traffic == All {
			p.replace(s, Tensor{PoolPotential, n, t}, Tensor{PoolPotential, n, t - 1})
		}
		p.write(s, Tensor{PoolPotential, n, t}, BeyondPooling)
	}
	p.make(s, Tensor{Spikes, n, t})
	p.write(s, Tensor{Spikes, n, t}, BeyondSpikes)
	if n == p.Handed() {
		s.Hands = append(s.Hands, Tensor{Spikes, n, t})
	}
}

// classifierWeights gets W_c on chip: from memory, or from the generator that
// makes random weights.
func (p *Program) classifierWeights(s *Step) {
	if p.Trainable() {
		p.read(s, Tensor{ClassifierWeight, s.Block, s.Interval - 1}, Covered)
		return
	}
	if p.Traffic == All {
		p.runClassifier(s, Regenerate)
	}
	p.make(s, Tensor{RandomWeight, s.Block, 0})
}

// forwardClassifier is the classifier's part of Eq. 11, and at t_k the loss.
func (p *Program) forwardClassifier(s *Step) {
	b, t := p.Blocks[s.Block-1], s.Time
	p.classifierWeights(s)
	p.read(s, Tensor{ClassifierState, b.Index, t - 1}, Covered)
	s.Uses = append(s.Uses, p.outputOf(b.Last, t))
	count := Tensor{SpikeCount, b.Index, 0}
	first := (t-1)%p.K == 0
	if !first {
		s.Uses = append(s.Uses, count)
	}
	p.runClassifier(s, SynapticSum)
	p.replace(s, Tensor{ClassifierState, b.Index, t}, Tensor{ClassifierState, b.Index, t - 1})
	if p.Traffic == All {
		p.runClassifier(s, Fire)
		p.runClassifier(s, Count)
	}
	if first {
		p.make(s, count)
	}
	p.write(s, Tensor{ClassifierState, b.Index, t}, Covered)
	if !s.End {
		return
	}
	p.read(s, Tensor{Label, 0, 0}, BeyondLabels)
	if p.Traffic == All {
		p.runClassifier(s, Loss)
	}
	delta := Tensor{ClassifierDelta, b.Index, t}
	p.make(s, delta)
	if p.K > 1 { // read back at every step before t_k
		p.write(s, delta, BeyondDelta)
	}
}

// backwardClassifier computes gamma_c and dW_c: the classifier's part of Eqs.
// 12 to 14.
func (p *Program) backwardClassifier(s *Step) {
	b, t := p.Blocks[s.Block-1], s.Time
	state, delta := Tensor{ClassifierState, b.Index, t}, Tensor{ClassifierDelta, b.Index, t}
	spikes := p.outputOf(b.Last, t)
	gamma := Tensor{ClassifierError, b.Index, t}
	if s.End {
		s.Uses = append(s.Uses, state, delta)
		if p.Trainable() {
			s.Uses = append(s.Uses, spikes)
		}
		p.make(s, gamma)
	} else {
		delta.Step = s.Interval * p.K // written at t_k
		p.read(s, state, Covered)
		p.read(s, delta, Covered)
		p.read(s, Tensor{ClassifierError, b.Index, t + 1}, Covered)
		if p.Trainable() {
			p.read(s, Tensor{ClassifierGrad, b.Index, t + 1}, Covered)
			p.read(s, spikes, BeyondSpikes)
		}
		s.Kernels = append(s.Kernels, Kernel{Op: TemporalError, Classifier: true, Index: b.Index})
		p.replace(s, gamma, Tensor{ClassifierError, b.Index, t + 1})
	}
	if p.Traffic == All {
		p.runClassifier(s, SpatialError)
	}
	if p.Trainable() {
		p.runClassifier(s, Gradient)
		p.accumulate(s, Tensor{ClassifierGrad, b.Index, t}, Covered)
	}
	if p.K > 1 {
		p.write(s, gamma, Covered)
	}
}

// accumulate makes and writes a gradient, in the place of what was read of it.
func (p *Program) accumulate(s *Step, gradient Tensor, why Beyond) {
	if s.End {
		p.make(s, gradient)
	} else {
		old := gradient
		old.Step++
		p.replace(s, gradient, old)
	}
	p.write(s, gradient, why)
}

// backwardLayer computes gamma^{t,n} and dW^n: Eqs. 12 and 13, or at t_k Eqs.
// 13 and 14.
func (p *Program) backwardLayer(s *Step, l *network.Layer) {
	b, n, t := p.Blocks[s.Block-1], l.Index, s.Time
	// The states of the block's top layer are still on chip at t_k.
	onChip := s.End && n == b.Last
	state := Tensor{Potential, n, t}
	if onChip {
		s.Uses = append(s.Uses, state)
	} else {
		p.read(s, state, Covered)
	}
	if !s.End {
		p.read(s, Tensor{PotentialError, n, t + 1}, Covered)
		p.read(s, Tensor{WeightGradient, n, t + 1}, Covered)
	}

	p.spatialErrors(s, l, b)
	switch {
	case p.beforeShortcut(n):
		s.Uses = append(s.Uses, Tensor{OutputError, n + 1, t})
	case l.HasPool():
		p.poolBackward(s, n, onChip)
	}
	if l.Join != nil {
		p.make(s, Tensor{OutputError, n, t})
	}

	gamma := Tensor{PotentialError, n, t}
	if !s.End {
		p.run(s, TemporalError, n)
		p.replace(s, gamma, Tensor{PotentialError, n, t + 1})
	} else {
		p.make(s, gamma)
	}
	p.runBeyond(s, SpatialError, n)
	if p.K > 1 {
		p.write(s, gamma, Covered)
	}
	if l.BatchNorm && p.Traffic == All {
		p.normBackward(s, n, onChip)
	}

	spikes := p.outputOf(l.Reads, t)
	if onChip {
		p.use(s, spikes)
	} else {
		why := BeyondSpikes
		if l.Reads == network.InputLayer {
			why = BeyondInput
		}
		p.read(s, spikes, why)
	}
	p.run(s, Gradient, n)
	p.accumulate(s, Tensor{WeightGradient, n, t}, Covered)
	if before := p.Received(); before != 0 && n == p.own[0].First {
		s.Frees = append(s.Frees, Tensor{Spikes, before, t})
	}
}

// spatialErrors collects the first term of Eq. 4: the errors of the layers of
// the block that read layer l, and of the classifier.
func (p *Program) spatialErrors(s *Step, l *network.Layer, b network.Block) {
	net, n, t := p.workload.Net, l.Index, s.Time
	if p.beforeShortcut(n) {
		return
	}
	for reader := n + 1; reader <= b.Last; reader++ {
		if net.Layer(reader).Reads != n {
			continue
		}
		p.read(s, Tensor{Weight, reader, s.Interval - 1}, Covered)
		s.Uses = append(s.Uses, p.errorOf(net.Layer(reader), t))
		s.Kernels = append(s.Kernels, Kernel{Op: BackProject, Index: n, Reader: reader})
	}
	if n == b.Last {
		p.classifierWeights(s)
		s.Uses = append(s.Uses, Tensor{ClassifierError, b.Index, t})
		s.Kernels = append(s.Kernels, Kernel{Op: BackProject, Index: n, Reader: 0})
	}
	for join := n + 1; join <= b.Last; join++ {
		if j := net.Layer(join).Join; j != nil && j.Identity && j.Skip == n {
			s.Uses = append(s.Uses, Tensor{OutputError, join, t})
			p.runBeyond(s, JoinBackward, n)
		}
	}
}

// errorOf names the error of layer l's synaptic sum: what its batch norm passes
// on, and without batch norm gamma itself.
func (p *Program) errorOf(l *network.Layer, time int) Tensor {
	if l.BatchNorm && p.Traffic == All {
		return Tensor{SynapticErr, l.Index, time}
	}
	return Tensor{PotentialError, l.Index, time}
}

// poolBackward takes the error through the pooling neurons after layer n.
func (p *Program) poolBackward(s *Step, n int, onChip bool) {
	if p.Traffic == Equations {
		return
	}
	t := s.Time
	state, gamma := Tensor{PoolPotential, n, t}, Tensor{PoolError, n, t}
	if onChip {
		s.Uses = append(s.Uses, state)
	} else {
		p.read(s, state, BeyondPooling)
	}
	if s.End {
		p.make(s, gamma)
	} else {
		p.read(s, Tensor{PoolError, n, t + 1}, BeyondPooling)
		p.replace(s, gamma, Tensor{PoolError, n, t + 1})
	}
	p.run(s, PoolBackward, n)
	if p.K > 1 {
		p.write(s, gamma, BeyondPooling)
	}
}

// normBackward takes gamma through batch norm and accumulates the gradients of
// gain and bias.
func (p *Program) normBackward(s *Step, n int, onChip bool) {
	t := s.Time
	saved := Tensor{NormSaved, n, t}
	if onChip {
		s.Uses = append(s.Uses, saved)
	} else {
		p.read(s, saved, BeyondNorm)
	}
	p.read(s, Tensor{NormParameter, n, s.Interval - 1}, BeyondNorm)
	if !s.End {
		p.read(s, Tensor{NormGradient, n, t + 1}, BeyondNorm)
	}
	p.run(s, NormBackward, n)
	p.make(s, Tensor{SynapticErr, n, t})
	p.accumulate(s, Tensor{NormGradient, n, t}, BeyondNorm)
}

// update is the optimizer's pass over one tensor and its gradient.
func (p *Program) update(s *Step, parameter, gradient, moment Class, index int) {
	first := (s.Interval-1)*p.K + 1
	p.read(s, Tensor{parameter, index, s.Interval - 1}, BeyondOptimizer)
	p.read(s, Tensor{gradient, index, first}, BeyondOptimizer)
	p.replace(s, Tensor{parameter, index, s.Interval}, Tensor{parameter, index, s.Interval - 1})
	if p.hasMoments() {
		p.read(s, Tensor{moment, index, s.Interval - 1}, BeyondOptimizer)
		p.replace(s, Tensor{moment, index, s.Interval}, Tensor{moment, index, s.Interval - 1})
		p.write(s, Tensor{moment, index, s.Interval}, BeyondOptimizer)
	}
	s.Kernels = append(s.Kernels, Kernel{Op: Optimize, Classifier: parameter == ClassifierWeight, Index: index, Of: parameter})
	p.write(s, Tensor{parameter, index, s.Interval}, BeyondOptimizer)
}
