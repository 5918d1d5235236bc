package sim

import (
	"fmt"

	"accelsim/network"
	"accelsim/pe"
	"accelsim/schedule"
)

// Observation shows a layer's, a pooling layer's or a classifier's neurons
// right after they fired, or a layer's output after addition and pooling. Its
// slices are valid during the call only.
type Observation struct {
	Time       int
	Layer      int  // 0: the classifier of Block
	Pool       bool // the pooling neurons after Layer
	Output     bool // what readers of Layer see; it has no potentials
	Block      int
	Potentials []float32 // [sample][row][column][channel]
	Spikes     []float32 // 0 or 1; of an output, after additions, more
}

// execute runs a kernel on the values on chip.
func (d *datapath) execute(s *schedule.Step, k schedule.Kernel) (happened, error) {
	if d.fixed != nil {
		return d.executeFixed(s, k)
	}
	switch k.Op {
	case schedule.SynapticSum:
		return d.synapticSum(s, k)
	case schedule.NormForward:
		return happened{}, d.normForward(s, k.Index)
	case schedule.Fire:
		return happened{}, d.fire(s, k)
	case schedule.Join:
		return happened{}, d.join(s, k.Index)
	case schedule.Pool:
		return happened{}, d.pool(s, k.Index)
	case schedule.Count:
		return happened{}, d.count(s, k.Index)
	case schedule.Loss:
		return happened{}, d.loss(s, k.Index)
	case schedule.Regenerate:
		return happened{}, d.regenerate(s, k.Index)
	case schedule.BackProject:
		return happened{}, d.backProject(s, k)
	case schedule.JoinBackward:
		return happened{}, d.joinBackward(s, k.Index)
	case schedule.PoolBackward:
		return happened{}, d.poolBackward(s, k.Index)
	case schedule.TemporalError:
		return happened{}, d.temporalError(s, k)
	case schedule.SpatialError:
		return happened{}, d.spatialError(s, k)
	case schedule.NormBackward:
		return happened{}, d.normBackward(s, k.Index)
	case schedule.Gradient:
		return d.gradient(s, k)
	case schedule.Optimize:
		return happened{}, d.optimize(s, k)
	}
	return happened{}, fmt.Errorf("no processing element executes %q", k.Op)
}

// synapticSum is the sum of Eq. 1 over synapses.
func (d *datapath) synapticSum(s *schedule.Step, k schedule.Kernel) (done happened, err error) {
	c := d.connection(s, k.Classifier, k.Index)
	weights, err := d.operand(s, c.weights)
	if err != nil {
		return done, err
	}
	in, real, err := d.take(s, c.input)
	if err != nil {
		return done, err
	}
	inputs, outputs := c.In.Size(), c.Out.Size()
	d.sums = room(d.sums, d.workload.Batch*outputs)
	d.one.Real = real
	nonzero := int64(0)
	for b := range d.workload.Batch {
		d.one.List(sample(in, b, inputs))
		nonzero += int64(len(d.one.Events))
		done.sums += c.Sum(sample(d.sums, b, outputs), weights.Floats, &d.one)
	}
	if k.Classifier {
		d.record.nonzeroClassifier[k.Index-1] += nonzero
	} else {
		d.record.nonzero[k.Index-1] += nonzero
	}
	return done, nil
}

func (d *datapath) normForward(s *schedule.Step, n int) error {
	parameter, err := d.operand(s, schedule.Tensor{Class: schedule.NormParameter, Index: n, Step: s.Interval - 1})
	if err != nil {
		return err
	}
	running, err := d.product(s, schedule.Tensor{Class: schedule.NormStatistic, Index: n, Step: s.Time})
	if err != nil {
		return err
	}
	saved, err := d.product(s, schedule.Tensor{Class: schedule.NormSaved, Index: n, Step: s.Time})
	if err != nil {
		return err
	}
	if err := need("synaptic sums", d.sums, len(saved.Floats)); err != nil {
		return err
	}
	pe.NormForward(d.sums, parameter.Floats, running.Floats, saved)
	return nil
}

// fire takes a layer's or a classifier's potentials one step on.
func (d *datapath) fire(s *schedule.Step, k schedule.Kernel) error {
	class := schedule.Potential
	if k.Classifier {
		class = schedule.ClassifierState
	}
	u, err := d.product(s, schedule.Tensor{Class: class, Index: k.Index, Step: s.Time})
	if err != nil {
		return err
	}
	seen := Observation{Time: s.Time, Layer: s.Layer, Block: s.Block}
	fired, err := d.fireNeurons(u.Floats, seen)
	if err != nil {
		return err
	}
	if k.Classifier {
		d.record.spikesClassifier[k.Index-1] += fired
	} else {
		d.record.spikes[k.Index-1] += fired
	}
	return nil
}

// fireNeurons fires neurons on the sums in the registers.
func (d *datapath) fireNeurons(u []float32, seen Observation) (int64, error) {
	if err := need("sums", d.sums, len(u)); err != nil {
		return 0, err
	}
	d.spikes = room(d.spikes, len(u))
	fired := d.neuron.Fire(u, d.sums, d.spikes)
	if d.observe != nil {
		seen.Potentials, seen.Spikes = u, d.spikes
		d.observe(seen)
	}
	return fired, nil
}

// join adds the other operand of a residual block to the layer's spikes.
func (d *datapath) join(s *schedule.Step, n int) error {
	j := d.workload.Net.Layer(n).Join
	other := schedule.Tensor{Class: schedule.OwnSpikes, Index: j.Conv, Step: s.Time}
	if j.Identity {
		other = d.output(s, j.Skip)
	}
	values, _, err := d.take(s, other)
	if err != nil {
		return err
	}
	if err := need("spikes", d.spikes, len(values)); err != nil {
		return err
	}
	pe.AddTo(d.spikes, values)
	return nil
}

func (d *datapath) pool(s *schedule.Step, n int) error {
	l := d.workload.Net.Layer(n)
	u, err := d.product(s, schedule.Tensor{Class: schedule.PoolPotential, Index: n, Step: s.Time})
	if err != nil {
		return err
	}
	if err := need("spikes", d.spikes, d.workload.Batch*l.Out.Size()); err != nil {
		return err
	}
	d.sums = room(d.sums, len(u.Floats))
	for b := range d.workload.Batch {
		pe.PoolSums(sample(d.sums, b, l.Pooled.Size()), sample(d.spikes, b, l.Out.Size()), l)
	}
	_, err = d.fireNeurons(u.Floats, Observation{Time: s.Time, Layer: n, Block: s.Block, Pool: true})
	return err
}

// emit packs a layer's output.
func (d *datapath) emit(s *schedule.Step) error {
	l := d.workload.Net.Layer(s.Layer)
	for _, p := range s.Products {
		bits, shape := l.ValueBits(), l.Pooled
		switch p.Tensor.Class {
		case schedule.Spikes:
		case schedule.OwnSpikes:
			bits, shape = 1, l.Out
		default:
			continue
		}
		to, err := d.product(s, p.Tensor)
		if err != nil {
			return err
		}
		if err := need("spikes", d.spikes, d.workload.Batch*shape.Size()); err != nil {
			return err
		}
		pe.Pack(to.Bits, d.spikes, bits)
		if p.Tensor.Class == schedule.Spikes {
			d.record.output(s.Layer, d.spikes)
			if d.observe != nil {
				d.observe(Observation{Time: s.Time, Layer: s.Layer, Block: s.Block, Output: true, Spikes: d.spikes})
			}
		}
	}
	return nil
}

// counts returns the spike counts of a classifier's interval: made anew at its
// first step, and then kept.
func (d *datapath) counts(s *schedule.Step, block int) ([]uint32, error) {
	t := schedule.Tensor{Class: schedule.SpikeCount, Index: block}
	for _, p := range s.Products {
		if p.Tensor == t {
			v, err := d.product(s, t)
			return v.Bits, err
		}
	}
	v, err := d.operand(s, t)
	return v.Bits, err
}

func (d *datapath) count(s *schedule.Step, block int) error {
	counts, err := d.counts(s, block)
	if err != nil {
		return err
	}
	if err := need("spikes", d.spikes, len(counts)); err != nil {
		return err
	}
	for i, fired := range d.spikes {
		counts[i] += uint32(fired)
	}
	return nil
}

func (d *datapath) loss(s *schedule.Step, block int) error {
	counts, err := d.counts(s, block)
	if err != nil {
		return err
	}
	labels, err := d.operand(s, schedule.Tensor{Class: schedule.Label})
	if err != nil {
		return err
	}
	delta, err := d.product(s, schedule.Tensor{Class: schedule.ClassifierDelta, Index: block, Step: s.Time})
	if err != nil {
		return err
	}
	evaluate := pe.MSE
	if d.workload.Training.Loss == network.CrossEntropy {
		evaluate = pe.CrossEntropy
	}
	d.record.loss(block, s.Interval, evaluate(delta.Floats, counts, labels.Bits, d.program.K))
	return nil
}

func (d *datapath) regenerate(s *schedule.Step, block int) error {
	w, err := d.product(s, schedule.Tensor{Class: schedule.RandomWeight, Index: block})
	if err != nil {
		return err
	}
	w.Copy(d.random[block-1])
	return nil
}

// backProject adds one reader's part to the first term of Eq. 4.
func (d *datapath) backProject(s *schedule.Step, k schedule.Kernel) error {
	index := k.Reader
	if index == 0 {
		index = s.Block
	}
	c := d.connection(s, k.Reader == 0, index)
	weights, err := d.operand(s, c.weights)
	if err != nil {
		return err
	}
	gamma, err := d.operand(s, c.err)
	if err != nil {
		return err
	}
	inputs, outputs := c.In.Size(), c.Out.Size()
	d.sums = room(d.sums, d.workload.Batch*inputs)
	for b := range d.workload.Batch {
		d.events = c.Errors(sample(d.sums, b, inputs), weights.Floats, sample(gamma.Floats, b, outputs), d.events)
	}
	return d.addErrors(d.sums)
}

// joinBackward adds the error that comes over an identity shortcut.
func (d *datapath) joinBackward(s *schedule.Step, n int) error {
	net, block := d.workload.Net, d.program.Blocks[s.Block-1]
	for join := n + 1; join <= block.Last; join++ {
		j := net.Layer(join).Join
		if j == nil || !j.Identity || j.Skip != n {
			continue
		}
		err := d.addOutputError(s, join)
		if err != nil {
			return err
		}
	}
	return nil
}

// addOutputError adds the error of a residual sum to the error in the
// registers.
func (d *datapath) addOutputError(s *schedule.Step, join int) error {
	v, err := d.operand(s, schedule.Tensor{Class: schedule.OutputError, Index: join, Step: s.Time})
	if err != nil {
		return err
	}
	return d.addErrors(v.Floats)
}

// addErrors adds to the error in the registers, or is the first that comes.
func (d *datapath) addErrors(errors []float32) error {
	if len(d.spatial) == 0 {
		d.spatial = append(d.spatial, errors...)
		return nil
	}
	if err := need("errors", d.spatial, len(errors)); err != nil {
		return err
	}
	pe.AddTo(d.spatial, errors)
	return nil
}

func (d *datapath) poolBackward(s *schedule.Step, n int) error {
	l := d.workload.Net.Layer(n)
	u, err := d.operand(s, schedule.Tensor{Class: schedule.PoolPotential, Index: n, Step: s.Time})
	if err != nil {
		return err
	}
	gamma, err := d.product(s, schedule.Tensor{Class: schedule.PoolError, Index: n, Step: s.Time})
	if err != nil {
		return err
	}
	if err := need("errors of the pooling neurons", d.spatial, len(u.Floats)); err != nil {
		return err
	}
	if !s.End {
		d.neuron.Temporal(d.spatial, gamma.Floats)
	}
	d.neuron.Surrogate(gamma.Floats, d.spatial, u.Floats)
	d.spatial = room(d.spatial, d.workload.Batch*l.Out.Size())
	for b := range d.workload.Batch {
		pe.PoolErrors(sample(d.spatial, b, l.Out.Size()), sample(gamma.Floats, b, l.Pooled.Size()), l)
	}
	return nil
}

// completeDelta completes the first term of Eq. 4: a classifier's is delta_c, a
// layer's has been summed up, and both operands of a residual sum get its own.
func (d *datapath) completeDelta(s *schedule.Step, k schedule.Kernel) error {
	if d.delta {
		return nil
	}
	d.delta = true
	if k.Classifier {
		v, err := d.operand(s, schedule.Tensor{Class: schedule.ClassifierDelta, Index: k.Index, Step: s.Interval * d.program.K})
		d.spatial = append(d.spatial, v.Floats...)
		return err
	}
	net, n := d.workload.Net, k.Index
	l := net.Layer(n)
	if n < net.N() && net.Layer(n+1).Kind == network.Shortcut {
		return d.addOutputError(s, n+1)
	}
	if err := need("errors of the spikes", d.spatial, d.workload.Batch*l.Out.Size()); err != nil {
		return err
	}
	if l.Join == nil {
		return nil
	}
	v, err := d.product(s, schedule.Tensor{Class: schedule.OutputError, Index: n, Step: s.Time})
	copy(v.Floats, d.spatial)
	return err
}

// potentialError returns the place of gamma, and the error that the registers
// hold for it.
func (d *datapath) potentialError(s *schedule.Step, k schedule.Kernel) (gamma []float32, err error) {
	if err := d.completeDelta(s, k); err != nil {
		return nil, err
	}
	class := schedule.PotentialError
	if k.Classifier {
		class = schedule.ClassifierError
	}
	v, err := d.product(s, schedule.Tensor{Class: class, Index: k.Index, Step: s.Time})
	return v.Floats, err
}

func (d *datapath) temporalError(s *schedule.Step, k schedule.Kernel) error {
	gamma, err := d.potentialError(s, k)
	if err == nil {
		d.neuron.Temporal(d.spatial, gamma)
	}
	return err
}

func (d *datapath) spatialError(s *schedule.Step, k schedule.Kernel) error {
	gamma, err := d.potentialError(s, k)
	if err != nil {
		return err
	}
	class := schedule.Potential
	if k.Classifier {
		class = schedule.ClassifierState
	}
	u, err := d.operand(s, schedule.Tensor{Class: class, Index: k.Index, Step: s.Time})
	if err == nil {
		d.neuron.Surrogate(gamma, d.spatial, u.Floats)
	}
	return err
}

func (d *datapath) normBackward(s *schedule.Step, n int) error {
	at := func(c schedule.Class, step int) schedule.Tensor {
		return schedule.Tensor{Class: c, Index: n, Step: step}
	}
	gamma, err := d.operand(s, at(schedule.PotentialError, s.Time))
	if err != nil {
		return err
	}
	parameter, err := d.operand(s, at(schedule.NormParameter, s.Interval-1))
	if err != nil {
		return err
	}
	saved, err := d.operand(s, at(schedule.NormSaved, s.Time))
	if err != nil {
		return err
	}
	errors, err := d.product(s, at(schedule.SynapticErr, s.Time))
	if err != nil {
		return err
	}
	gradient, err := d.product(s, at(schedule.NormGradient, s.Time))
	if err != nil {
		return err
	}
	pe.NormBackward(errors.Floats, gradient.Floats, gamma.Floats, parameter.Floats, saved)
	return nil
}

// gradient adds the batch's part of one step to dW (Eq. 7).
func (d *datapath) gradient(s *schedule.Step, k schedule.Kernel) (done happened, err error) {
	c := d.connection(s, k.Classifier, k.Index)
	class := schedule.WeightGradient
	if k.Classifier {
		class = schedule.ClassifierGrad
	}
	dw, err := d.product(s, schedule.Tensor{Class: class, Index: k.Index, Step: s.Time})
	if err != nil {
		return done, err
	}
	gamma, err := d.operand(s, c.err)
	if err != nil {
		return done, err
	}
	in, real, err := d.take(s, c.input)
	if err != nil {
		return done, err
	}
	inputs, outputs := c.In.Size(), c.Out.Size()
	d.register = room(d.register, c.Out.Channels)
	for b := range d.workload.Batch {
		one := pe.Input{Values: sample(in, b, inputs), Real: real}
		took := c.Gradient(dw.Floats, sample(gamma.Floats, b, outputs), d.register, &one)
		done.gradient.Weights += took.Weights
		done.gradient.Terms += took.Terms
		done.gradient.Scaled += took.Scaled
	}
	return done, nil
}

// optimize updates one parameter tensor.
func (d *datapath) optimize(s *schedule.Step, k schedule.Kernel) error {
	gradientClass, momentClass := schedule.WeightGradient, schedule.Moment
	switch k.Of {
	case schedule.ClassifierWeight:
		gradientClass, momentClass = schedule.ClassifierGrad, schedule.ClassifierMoment
	case schedule.NormParameter:
		gradientClass, momentClass = schedule.NormGradient, schedule.NormMoment
	}
	first := (s.Interval-1)*d.program.K + 1
	dw, err := d.operand(s, schedule.Tensor{Class: gradientClass, Index: k.Index, Step: first})
	if err != nil {
		return err
	}
	w, err := d.product(s, schedule.Tensor{Class: k.Of, Index: k.Index, Step: s.Interval})
	if err != nil {
		return err
	}
	var moment pe.Values
	training := d.workload.Training
	if training.Optimizer == network.Adam || training.Momentum > 0 {
		if moment, err = d.product(s, schedule.Tensor{Class: momentClass, Index: k.Index, Step: s.Interval}); err != nil {
			return err
		}
	}
	d.recordGradient(k, s.Interval, dw.Floats)
	if training.Optimizer == network.Adam {
		pe.AdamStep(w.Floats, dw.Floats, moment.Floats, training, s.Interval)
	} else {
		pe.SGD(w.Floats, dw.Floats, moment.Floats, training)
	}
	return nil
}
