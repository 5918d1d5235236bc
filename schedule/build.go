package schedule

import "github.com/accelsim-dev/accelsim/network"

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
		p.update(s, Weight, at.layer)
		if p.workload.Net.Layer(at.layer).BatchNorm {
			p.update(s, NormParameter, at.layer)
		}
	case UpdateClassifier:
		p.update(s, ClassifierWeight, at.block)
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
		return Input.At(0, time)
	}
	return Spikes.At(l, time)
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
	p.read(s, Weight.At(n, s.Interval-1), Covered)
	p.read(s, Potential.At(n, t-1), Covered)
	p.takeInput(s, l.First().From)

	p.run(s, SynapticSum, n)
	if l.BatchNorm {
		p.read(s, NormParameter.At(n, s.Interval-1), BeyondNorm)
		p.read(s, NormStatistic.At(n, t-1), BeyondNorm)
		p.runBeyond(s, NormForward, n)
		if p.Traffic == All {
			p.make(s, NormSaved.At(n, t))
			p.replace(s, NormStatistic.At(n, t), NormStatistic.At(n, t-1))
		}
		p.write(s, NormStatistic.At(n, t), BeyondNorm)
		p.write(s, NormSaved.At(n, t), BeyondNorm)
	}
	p.runBeyond(s, Fire, n)
	p.replace(s, Potential.At(n, t), Potential.At(n, t-1))
	p.write(s, Potential.At(n, t), Covered)

	if p.onlyAdded(n) {
		p.make(s, OwnSpikes.At(n, t))
		return
	}
	if l.Adds() {
		if p.onlyAdded(l.Add) {
			s.Uses = append(s.Uses, OwnSpikes.At(l.Add, t))
		} else {
			p.takeInput(s, l.Add)
		}
		p.runBeyond(s, Join, n)
	}
	if l.HasPool() {
		p.read(s, PoolPotential.At(n, t-1), BeyondPooling)
		p.runBeyond(s, Pool, n)
		if p.Traffic == All {
			p.replace(s, PoolPotential.At(n, t), PoolPotential.At(n, t-1))
		}
		p.write(s, PoolPotential.At(n, t), BeyondPooling)
	}
	p.make(s, Spikes.At(n, t))
	p.write(s, Spikes.At(n, t), BeyondSpikes)
	if n == p.Handed() {
		s.Hands = append(s.Hands, Spikes.At(n, t))
	}
}

// classifierWeights gets W_c on chip: from memory, or from the generator that
// makes random weights.
func (p *Program) classifierWeights(s *Step) {
	if p.Trainable() {
		p.read(s, ClassifierWeight.At(s.Block, s.Interval-1), Covered)
		return
	}
	if p.Traffic == All {
		p.runClassifier(s, Regenerate)
	}
	p.make(s, RandomWeight.At(s.Block, 0))
}

// forwardClassifier is the classifier's part of Eq. 11, and at t_k the loss.
func (p *Program) forwardClassifier(s *Step) {
	b, t := p.Blocks[s.Block-1], s.Time
	p.classifierWeights(s)
	p.read(s, ClassifierState.At(b.Index, t-1), Covered)
	s.Uses = append(s.Uses, p.outputOf(b.Last, t))
	count := SpikeCount.At(b.Index, 0)
	first := (t-1)%p.K == 0
	if !first {
		s.Uses = append(s.Uses, count)
	}
	p.runClassifier(s, SynapticSum)
	p.replace(s, ClassifierState.At(b.Index, t), ClassifierState.At(b.Index, t-1))
	if p.Traffic == All {
		p.runClassifier(s, Fire)
		p.runClassifier(s, Count)
	}
	if first {
		p.make(s, count)
	}
	p.write(s, ClassifierState.At(b.Index, t), Covered)
	if !s.End {
		return
	}
	p.read(s, Label.At(0, 0), BeyondLabels)
	if p.Traffic == All {
		p.runClassifier(s, Loss)
	}
	delta := ClassifierDelta.At(b.Index, t)
	p.make(s, delta)
	if p.K > 1 { // read back at every step before t_k
		p.write(s, delta, BeyondDelta)
	}
}

// backwardClassifier computes gamma_c and dW_c: the classifier's part of Eqs.
// 12 to 14.
func (p *Program) backwardClassifier(s *Step) {
	b, t := p.Blocks[s.Block-1], s.Time
	state, delta := ClassifierState.At(b.Index, t), ClassifierDelta.At(b.Index, t)
	spikes := p.outputOf(b.Last, t)
	gamma := ClassifierError.At(b.Index, t)
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
		p.read(s, ClassifierError.At(b.Index, t+1), Covered)
		if p.Trainable() {
			p.read(s, ClassifierGrad.At(b.Index, t+1), Covered)
			p.read(s, spikes, BeyondSpikes)
		}
		s.Kernels = append(s.Kernels, Kernel{Op: TemporalError, Classifier: true, Index: b.Index})
		p.replace(s, gamma, ClassifierError.At(b.Index, t+1))
	}
	if p.Traffic == All {
		p.runClassifier(s, SpatialError)
	}
	if p.Trainable() {
		p.runClassifier(s, Gradient)
		p.accumulate(s, ClassifierGrad.At(b.Index, t), Covered)
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
	state := Potential.At(n, t)
	if onChip {
		s.Uses = append(s.Uses, state)
	} else {
		p.read(s, state, Covered)
	}
	if !s.End {
		p.read(s, PotentialError.At(n, t+1), Covered)
		p.read(s, WeightGradient.At(n, t+1), Covered)
	}

	p.spatialErrors(s, l, b)
	switch {
	case p.onlyAdded(n):
		s.Uses = append(s.Uses, OutputError.At(n+1, t))
	case l.HasPool():
		p.poolBackward(s, n, onChip)
	}
	if l.Adds() {
		p.make(s, OutputError.At(n, t))
	}

	gamma := PotentialError.At(n, t)
	if !s.End {
		p.run(s, TemporalError, n)
		p.replace(s, gamma, PotentialError.At(n, t+1))
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

	spikes := p.outputOf(l.First().From, t)
	if onChip {
		p.use(s, spikes)
	} else {
		why := BeyondSpikes
		if l.First().From == network.InputLayer {
			why = BeyondInput
		}
		p.read(s, spikes, why)
	}
	p.run(s, Gradient, n)
	p.accumulate(s, WeightGradient.At(n, t), Covered)
	if before := p.Received(); before != 0 && n == p.own[0].First {
		s.Frees = append(s.Frees, Spikes.At(before, t))
	}
}

// spatialErrors collects the first term of Eq. 4: the errors of the layers of
// the block that read layer l, and of the classifier.
func (p *Program) spatialErrors(s *Step, l *network.Layer, b network.Block) {
	net, n, t := p.workload.Net, l.Index, s.Time
	if p.onlyAdded(n) {
		return
	}
	for reader := n + 1; reader <= b.Last; reader++ {
		if net.Layer(reader).First().From != n {
			continue
		}
		p.read(s, Weight.At(reader, s.Interval-1), Covered)
		s.Uses = append(s.Uses, p.errorOf(net.Layer(reader), t))
		s.Kernels = append(s.Kernels, Kernel{Op: BackProject, Index: n, Reader: reader})
	}
	if n == b.Last {
		p.classifierWeights(s)
		s.Uses = append(s.Uses, ClassifierError.At(b.Index, t))
		s.Kernels = append(s.Kernels, Kernel{Op: BackProject, Index: n, Reader: 0})
	}
	for join := n + 1; join <= b.Last; join++ {
		if net.Layer(join).Add == n {
			s.Uses = append(s.Uses, OutputError.At(join, t))
			p.runBeyond(s, JoinBackward, n)
		}
	}
}

// errorOf names the error of layer l's synaptic sum: what its batch norm passes
// on, and without batch norm gamma itself.
func (p *Program) errorOf(l *network.Layer, time int) Tensor {
	if l.BatchNorm && p.Traffic == All {
		return SynapticErr.At(l.Index, time)
	}
	return PotentialError.At(l.Index, time)
}

// poolBackward takes the error through the pooling neurons after layer n.
func (p *Program) poolBackward(s *Step, n int, onChip bool) {
	if p.Traffic == Equations {
		return
	}
	t := s.Time
	state, gamma := PoolPotential.At(n, t), PoolError.At(n, t)
	if onChip {
		s.Uses = append(s.Uses, state)
	} else {
		p.read(s, state, BeyondPooling)
	}
	if s.End {
		p.make(s, gamma)
	} else {
		p.read(s, PoolError.At(n, t+1), BeyondPooling)
		p.replace(s, gamma, PoolError.At(n, t+1))
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
	saved := NormSaved.At(n, t)
	if onChip {
		s.Uses = append(s.Uses, saved)
	} else {
		p.read(s, saved, BeyondNorm)
	}
	p.read(s, NormParameter.At(n, s.Interval-1), BeyondNorm)
	if !s.End {
		p.read(s, NormGradient.At(n, t+1), BeyondNorm)
	}
	p.run(s, NormBackward, n)
	p.make(s, SynapticErr.At(n, t))
	p.accumulate(s, NormGradient.At(n, t), BeyondNorm)
}

// update is the optimizer's pass over one tensor and its gradient.
func (p *Program) update(s *Step, parameter Class, index int) {
	trained := parameter.Row().Trained
	gradient, moment := trained.Gradient, trained.Moment
	first := (s.Interval-1)*p.K + 1
	p.read(s, parameter.At(index, s.Interval-1), BeyondOptimizer)
	p.read(s, gradient.At(index, first), BeyondOptimizer)
	p.replace(s, parameter.At(index, s.Interval), parameter.At(index, s.Interval-1))
	if p.workload.Training.Moments() > 0 {
		p.read(s, moment.At(index, s.Interval-1), BeyondOptimizer)
		p.replace(s, moment.At(index, s.Interval), moment.At(index, s.Interval-1))
		p.write(s, moment.At(index, s.Interval), BeyondOptimizer)
	}
	s.Kernels = append(s.Kernels, Kernel{Op: Optimize, Classifier: parameter == ClassifierWeight, Index: index, Of: parameter})
	p.write(s, parameter.At(index, s.Interval), BeyondOptimizer)
}
