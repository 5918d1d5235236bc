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
		return happened{}, d.normForward(s, k)
	case schedule.NormMean:
		return happened{}, d.normMean(s, k)
	case schedule.NormVariance:
		return happened{}, d.normVariance(s, k)
	case schedule.Normalize:
		return happened{}, d.normalize(s, k)
	case schedule.Fire:
		return happened{}, d.fire(s, k)
	case schedule.Join:
		return happened{}, d.join(s, k)
	case schedule.Pool:
		return happened{}, d.pool(s, k)
	case schedule.Count:
		return happened{}, d.count(s, k)
	case schedule.Loss:
		return happened{}, d.loss(s, k)
	case schedule.Regenerate:
		return happened{}, d.regenerate(s, k.Index)
	case schedule.BackProject:
		return happened{}, d.backProject(s, k)
	case schedule.JoinBackward:
		return happened{}, d.joinBackward(s, k)
	case schedule.PoolBackward:
		return happened{}, d.poolBackward(s, k)
	case schedule.TemporalError:
		return happened{}, d.temporalError(s, k)
	case schedule.SpatialError:
		return happened{}, d.spatialError(s, k)
	case schedule.NormBackward:
		return happened{}, d.normBackward(s, k)
	case schedule.NormGradients:
		return happened{}, d.normGradients(s, k)
	case schedule.NormErrors:
		return happened{}, d.normErrors(s, k)
	case schedule.Gradient:
		return d.gradient(s, k)
	case schedule.Optimize:
		return happened{}, d.optimize(s, k)
	}
	return happened{}, fmt.Errorf("no processing element executes %q", k.Op)
}

// partialSums are sums that a tile takes over from the one before and leaves to
// the next, because none goes through all terms; empty if there are none.
type partialSums struct{ before, after pe.Values }

// partial returns the partial sums over a box, of so many terms in all.
func (d *datapath) partial(s *schedule.Step, k schedule.Kernel, box schedule.Region, terms int) (p partialSums, err error) {
	sums := schedule.Tensor{Class: schedule.PartialSum, Index: max(s.Layer, s.Block), Step: s.Time}
	if k.Part.First > 0 {
		if p.before, err = d.operand(s, sums, box); err != nil {
			return p, err
		}
	}
	if k.Part.Last > 0 && k.Part.Last < int64(terms) {
		p.after, err = d.product(s, sums, box)
	}
	return p, err
}

// resume fills the registers with what the tile before left, or zeros.
func (p *partialSums) resume(sums []float32) {
	if p.before.Floats == nil {
		clear(sums)
	}
	copy(sums, p.before.Floats)
}

// sumOperands are what a synaptic sum takes. A tile that does not go through all
// inputs of a fully connected layer goes on where the one before ended.
type sumOperands struct {
	pe.Connection
	box         schedule.Region
	weights, in []float32
	real        bool // inputs are real numbers
	partialSums
}

func (d *datapath) sumOperands(s *schedule.Step, k schedule.Kernel) (o sumOperands, err error) {
	c := d.connection(s, k.Classifier, k.Index)
	o.box = d.neurons(s, k)
	tile, input, wanted := c.to(o.box, k.Part)
	weights, err := d.operand(s, c.weights, wanted)
	if err != nil {
		return o, err
	}
	o.Connection, o.weights = tile, weights.Floats
	if o.in, o.real, err = d.take(s, c.input, input); err != nil {
		return o, err
	}
	o.partialSums, err = d.partial(s, k, o.box, c.In.Size())
	return o, err
}

// synapticSum is the sum of Eq. 1 over synapses.
func (d *datapath) synapticSum(s *schedule.Step, k schedule.Kernel) (done happened, err error) {
	o, err := d.sumOperands(s, k)
	if err != nil {
		return done, err
	}
	d.sums = room(d.sums, o.box.Size())
	o.resume(d.sums)
	inputs, outputs := o.In.Size(), o.Out.Size()
	d.one.Real = o.real
	for b := range o.box.Extent(0) {
		d.one.List(sample(o.in, b, inputs))
		done.sums += o.Sum(sample(d.sums, b, outputs), o.weights, &d.one)
	}
	copy(o.after.Floats, d.sums)
	return done, nil
}

// before names a tensor some steps earlier; errors and gradients go backwards in
// time.
func before(t schedule.Tensor, steps int) schedule.Tensor {
	t.Step -= steps
	return t
}

// potentials returns the place of a layer's or a classifier's potentials.
func (d *datapath) potentials(s *schedule.Step, k schedule.Kernel) (u []float32, box schedule.Region, err error) {
	class := schedule.Potential
	if k.Classifier {
		class = schedule.ClassifierState
	}
	box = d.neurons(s, k)
	t := schedule.Tensor{Class: class, Index: k.Index, Step: s.Time}
	v, err := d.successor(s, t, before(t, 1), box)
	return v.Floats, box, err
}

// fire takes a layer's or a classifier's potentials one step on.
func (d *datapath) fire(s *schedule.Step, k schedule.Kernel) error {
	u, box, err := d.potentials(s, k)
	if err != nil {
		return err
	}
	d.fired, d.firedBox = true, box
	fired, err := d.fireNeurons(u, box, Observation{Time: s.Time, Layer: s.Layer, Block: s.Block})
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
func (d *datapath) fireNeurons(u []float32, box schedule.Region, seen Observation) (fired int64, err error) {
	d.spikes = room(d.spikes, len(u))
	if d.fixed != nil {
		fired, err = d.fixed.fire(u, d.spikes)
	} else if err = need("sums", d.sums, len(u)); err == nil {
		fired = d.neuron.Fire(u, d.sums, d.spikes)
	}
	if err != nil {
		return 0, err
	}
	d.show(seen, box, u, d.spikes)
	return fired, nil
}

// mapName tells which of a step's maps an observation shows.
type mapName struct {
	layer, block int
	pool, output bool
}

// gathered is a map that becomes complete tile by tile.
type gathered struct {
	values, potentials []float32
	missing            int
}

// gather puts a box of values into a whole.
func gather(to []float32, box schedule.Region, values []float32) {
	at := 0
	box.Runs(func(first, n int) {
		copy(to[first:first+n], values[at:])
		at += n
	})
}

// show lets the observer see a map when all of it has fired.
func (d *datapath) show(seen Observation, box schedule.Region, potentials, spikes []float32) {
	if d.observe == nil {
		return
	}
	if !box.All() {
		name := mapName{seen.Layer, seen.Block, seen.Pool, seen.Output}
		g := d.seen[name]
		if g == nil {
			g = &gathered{values: make([]float32, box.Total()), missing: box.Total()}
			d.seen[name] = g
		}
		if potentials != nil {
			if g.potentials == nil {
				g.potentials = make([]float32, box.Total())
			}
			gather(g.potentials, box, potentials)
		}
		gather(g.values, box, spikes)
		if g.missing -= box.Size(); g.missing > 0 {
			return
		}
		potentials, spikes = g.potentials, g.values
		delete(d.seen, name)
	}
	seen.Potentials, seen.Spikes = potentials, spikes
	d.observe(seen)
}

// join adds the other operand of a residual block to the layer's spikes.
func (d *datapath) join(s *schedule.Step, k schedule.Kernel) error {
	j := d.workload.Net.Layer(k.Index).Join
	other := schedule.Tensor{Class: schedule.OwnSpikes, Index: j.Conv, Step: s.Time}
	if j.Identity {
		other = d.output(s, j.Skip)
	}
	values, _, err := d.take(s, other, d.neurons(s, k))
	if err != nil {
		return err
	}
	if err := need("spikes", d.spikes, len(values)); err != nil {
		return err
	}
	pe.AddTo(d.spikes, values)
	return nil
}

func (d *datapath) pool(s *schedule.Step, k schedule.Kernel) error {
	l, box := d.workload.Net.Layer(k.Index), d.neurons(s, k)
	windows := d.pooled(l, box)
	state := schedule.Tensor{Class: schedule.PoolPotential, Index: k.Index, Step: s.Time}
	u, err := d.successor(s, state, before(state, 1), windows)
	if err != nil {
		return err
	}
	if err := need("spikes", d.spikes, box.Size()); err != nil {
		return err
	}
	p := d.pooling(l, box)
	if d.fixed != nil {
		d.fixed.pool(p, box.Extent(0), d.spikes)
	}
	d.sums = room(d.sums, len(u.Floats))
	for b := range box.Extent(0) {
		p.Sums(sample(d.sums, b, p.Out.Size()), sample(d.spikes, b, p.In.Size()))
	}
	_, err = d.fireNeurons(u.Floats, windows, Observation{Time: s.Time, Layer: k.Index, Block: s.Block, Pool: true})
	return err
}

// emit packs a layer's output.
func (d *datapath) emit(s *schedule.Step) error {
	net := d.workload.Net
	l, box := net.Layer(s.Layer), d.firedBox
	t := schedule.Tensor{Class: schedule.Spikes, Index: s.Layer, Step: s.Time}
	if s.Layer < net.N() && net.Layer(s.Layer+1).Kind == network.Shortcut {
		t.Class = schedule.OwnSpikes // an operand of the sum that the shortcut ends
	} else {
		box = d.pooled(l, box)
	}
	to, err := d.product(s, t, box)
	if err != nil {
		return err
	}
	if err := need("spikes", d.spikes, box.Size()); err != nil {
		return err
	}
	pe.Pack(to.Bits, d.spikes, d.bits(t))
	if t.Class == schedule.Spikes {
		d.record.outputs[s.Layer-1] += nonzero(d.spikes)
		d.show(Observation{Time: s.Time, Layer: s.Layer, Block: s.Block, Output: true}, box, nil, d.spikes)
	}
	return nil
}

// counts returns the spike counts of a classifier's interval: made anew at its
// first step, and then kept.
func (d *datapath) counts(s *schedule.Step, k schedule.Kernel) ([]uint32, error) {
	v, err := d.product(s, schedule.Tensor{Class: schedule.SpikeCount, Index: k.Index}, d.neurons(s, k))
	return v.Bits, err
}

func (d *datapath) count(s *schedule.Step, k schedule.Kernel) error {
	counts, err := d.counts(s, k)
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

// lossOperands are what the loss is evaluated on.
func (d *datapath) lossOperands(s *schedule.Step, k schedule.Kernel) (counts, labels []uint32, delta []float32, err error) {
	box := d.neurons(s, k)
	if counts, err = d.counts(s, k); err != nil {
		return nil, nil, nil, err
	}
	if box.Extent(3) != d.workload.Net.Classes {
		return nil, nil, nil, fmt.Errorf("loss of %v: it needs all classes of a sample", box)
	}
	samples := schedule.Whole(d.workload.Batch, 1, 1, 1)
	samples.From[0], samples.To[0] = box.From[0], box.To[0]
	y, err := d.operand(s, schedule.Tensor{Class: schedule.Label}, samples)
	if err != nil {
		return nil, nil, nil, err
	}
	v, err := d.product(s, schedule.Tensor{Class: schedule.ClassifierDelta, Index: k.Index, Step: s.Time}, box)
	return counts, y.Bits, v.Floats, err
}

func (d *datapath) loss(s *schedule.Step, k schedule.Kernel) error {
	counts, labels, delta, err := d.lossOperands(s, k)
	if err != nil {
		return err
	}
	l := pe.Loss{Classes: d.workload.Net.Classes, K: d.program.K, Batch: d.workload.Batch}
	add, mean := l.MSE, l.MeanSquare
	if d.workload.Training.Loss == network.CrossEntropy {
		add, mean = l.CrossEntropy, l.MeanCrossEntropy
	}
	total := &d.record.losses[k.Index-1]
	if box := d.neurons(s, k); box.Starts() {
		*total = 0
	}
	*total = add(*total, delta, counts, labels)
	if box := d.neurons(s, k); box.Ends() {
		d.record.loss(k.Index, s.Interval, mean(*total))
	}
	return nil
}

// regenerate makes the random weights that the step has as a product.
func (d *datapath) regenerate(s *schedule.Step, block int) error {
	t := schedule.Tensor{Class: schedule.RandomWeight, Index: block}
	for i := range s.Products {
		if s.Products[i].Tensor != t {
			continue
		}
		box, err := d.region(t, s.Products[i].Region)
		if err != nil {
			return err
		}
		w, err := d.product(s, t, box)
		if err != nil {
			return err
		}
		return d.cut(t, box, w, d.whole(t), d.random[block-1])
	}
	return fmt.Errorf("%v is computed, but the step does not make it", t)
}

// errorOperands are what W^T gamma of one reader takes. A tile that does not go
// through all errors of a fully connected reader goes on where the one before
// ended.
type errorOperands struct {
	pe.Connection
	box            schedule.Region
	weights, gamma []float32
	partialSums
}

func (d *datapath) errorOperands(s *schedule.Step, k schedule.Kernel) (o errorOperands, err error) {
	index := k.Reader
	if index == 0 {
		index = s.Block
	}
	o.box = d.pooled(d.workload.Net.Layer(k.Index), d.neurons(s, k))
	c := d.connection(s, k.Reader == 0, index)
	tile, errors, wanted := c.from(o.box, k.Part)
	weights, err := d.operand(s, c.weights, wanted)
	if err != nil {
		return o, err
	}
	gamma, err := d.operand(s, c.err, errors)
	if err != nil {
		return o, err
	}
	o.Connection, o.weights, o.gamma = tile, weights.Floats, gamma.Floats
	o.partialSums, err = d.partial(s, k, o.box, c.Out.Channels)
	return o, err
}

// backProject adds one reader's part to the first term of Eq. 4.
func (d *datapath) backProject(s *schedule.Step, k schedule.Kernel) error {
	o, err := d.errorOperands(s, k)
	if err != nil {
		return err
	}
	inputs, outputs := o.In.Size(), o.Out.Size()
	d.sums = room(d.sums, o.box.Size())
	o.resume(d.sums)
	for b := range o.box.Extent(0) {
		d.events = o.Errors(sample(d.sums, b, inputs), o.weights, sample(o.gamma, b, outputs), d.events)
	}
	if o.after.Floats != nil {
		copy(o.after.Floats, d.sums)
		return nil
	}
	return d.addErrors(d.sums)
}

// joinBackward adds the error that comes over an identity shortcut.
func (d *datapath) joinBackward(s *schedule.Step, k schedule.Kernel) error {
	net, block := d.workload.Net, d.program.Blocks[s.Block-1]
	box := d.pooled(net.Layer(k.Index), d.neurons(s, k))
	for join := k.Index + 1; join <= block.Last; join++ {
		j := net.Layer(join).Join
		if j == nil || !j.Identity || j.Skip != k.Index {
			continue
		}
		err := d.addOutputError(s, join, box)
		if err != nil {
			return err
		}
	}
	return nil
}

// addOutputError adds the error of a residual sum to the error in the
// registers.
func (d *datapath) addOutputError(s *schedule.Step, join int, box schedule.Region) error {
	v, err := d.operand(s, schedule.Tensor{Class: schedule.OutputError, Index: join, Step: s.Time}, box)
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

// poolOperands are the states and errors of the pooling neurons over a tile.
func (d *datapath) poolOperands(s *schedule.Step, n int, box schedule.Region) (u, gamma []float32, err error) {
	windows := d.pooled(d.workload.Net.Layer(n), box)
	state, err := d.operand(s, schedule.Tensor{Class: schedule.PoolPotential, Index: n, Step: s.Time}, windows)
	if err != nil {
		return nil, nil, err
	}
	t := schedule.Tensor{Class: schedule.PoolError, Index: n, Step: s.Time}
	v, err := d.successor(s, t, before(t, -1), windows)
	return state.Floats, v.Floats, err
}

func (d *datapath) poolBackward(s *schedule.Step, k schedule.Kernel) error {
	l, box := d.workload.Net.Layer(k.Index), d.neurons(s, k)
	u, gamma, err := d.poolOperands(s, k.Index, box)
	if err != nil {
		return err
	}
	if err := need("errors of the pooling neurons", d.spatial, len(u)); err != nil {
		return err
	}
	if !s.End {
		d.neuron.Temporal(d.spatial, gamma)
	}
	d.neuron.Surrogate(gamma, d.spatial, u)
	d.spatial = room(d.spatial, box.Size())
	p := d.pooling(l, box)
	for b := range box.Extent(0) {
		p.Errors(sample(d.spatial, b, p.In.Size()), sample(gamma, b, p.Out.Size()))
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
	box := d.neurons(s, k)
	if k.Classifier {
		v, err := d.operand(s, schedule.Tensor{Class: schedule.ClassifierDelta, Index: k.Index, Step: s.Interval * d.program.K}, box)
		d.spatial = append(d.spatial, v.Floats...)
		return err
	}
	net, n := d.workload.Net, k.Index
	l := net.Layer(n)
	if n < net.N() && net.Layer(n+1).Kind == network.Shortcut {
		return d.addOutputError(s, n+1, box)
	}
	if err := need("errors of the spikes", d.spatial, box.Size()); err != nil {
		return err
	}
	if l.Join == nil {
		return nil
	}
	v, err := d.product(s, schedule.Tensor{Class: schedule.OutputError, Index: n, Step: s.Time}, box)
	copy(v.Floats, d.spatial)
	return err
}

// gamma returns the place of a layer's or a classifier's errors.
func (d *datapath) gamma(s *schedule.Step, k schedule.Kernel) ([]float32, error) {
	class := schedule.PotentialError
	if k.Classifier {
		class = schedule.ClassifierError
	}
	t := schedule.Tensor{Class: class, Index: k.Index, Step: s.Time}
	v, err := d.successor(s, t, before(t, -1), d.neurons(s, k))
	return v.Floats, err
}

// state returns the potentials at which they are.
func (d *datapath) state(s *schedule.Step, k schedule.Kernel) ([]float32, error) {
	class := schedule.Potential
	if k.Classifier {
		class = schedule.ClassifierState
	}
	u, err := d.operand(s, schedule.Tensor{Class: class, Index: k.Index, Step: s.Time}, d.neurons(s, k))
	return u.Floats, err
}

func (d *datapath) temporalError(s *schedule.Step, k schedule.Kernel) error {
	if err := d.completeDelta(s, k); err != nil {
		return err
	}
	gamma, err := d.gamma(s, k)
	if err == nil {
		d.neuron.Temporal(d.spatial, gamma)
	}
	return err
}

func (d *datapath) spatialError(s *schedule.Step, k schedule.Kernel) error {
	if err := d.completeDelta(s, k); err != nil {
		return err
	}
	gamma, err := d.gamma(s, k)
	if err != nil {
		return err
	}
	u, err := d.state(s, k)
	if err == nil {
		d.neuron.Surrogate(gamma, d.spatial, u)
	}
	return err
}

// gradientOperands are what a gradient takes.
type gradientOperands struct {
	pe.Connection
	samples       int
	dw, gamma, in []float32
	real          bool
}

func (d *datapath) gradientOperands(s *schedule.Step, k schedule.Kernel) (o gradientOperands, err error) {
	c := d.connection(s, k.Classifier, k.Index)
	box := schedule.Whole(c.batch, c.Out.Channels, 1, c.flat().In.Channels)
	if k.Part.Is {
		box = k.Part.Box
	}
	tile, errors, input, wanted := c.between(box)
	class := schedule.WeightGradient
	if k.Classifier {
		class = schedule.ClassifierGrad
	}
	t := schedule.Tensor{Class: class, Index: k.Index, Step: s.Time}
	dw, err := d.successor(s, t, before(t, -1), wanted)
	if err != nil {
		return o, err
	}
	gamma, err := d.operand(s, c.err, errors)
	if err != nil {
		return o, err
	}
	o = gradientOperands{Connection: tile, samples: box.Extent(0), dw: dw.Floats, gamma: gamma.Floats}
	o.in, o.real, err = d.take(s, c.input, input)
	return o, err
}

// gradient adds the batch's part of one step to dW (Eq. 7).
func (d *datapath) gradient(s *schedule.Step, k schedule.Kernel) (done happened, err error) {
	o, err := d.gradientOperands(s, k)
	if err != nil {
		return done, err
	}
	inputs, outputs := o.In.Size(), o.Out.Size()
	d.register = room(d.register, o.Out.Channels)
	for b := range o.samples {
		one := pe.Input{Values: sample(o.in, b, inputs), Real: o.real}
		took := o.Gradient(o.dw, sample(o.gamma, b, outputs), d.register, &one)
		done.gradient.Weights += took.Weights
		done.gradient.Terms += took.Terms
		done.gradient.Scaled += took.Scaled
	}
	return done, nil
}

// parameters are what an optimizer's pass works on; moment is nil if it has
// none.
type parameters struct {
	box             schedule.Region // of gradient and values
	gradient, value []float32
	moment          []float32
}

func (d *datapath) parameters(s *schedule.Step, k schedule.Kernel) (p parameters, err error) {
	trained := k.Of.Row().Trained
	first := (s.Interval-1)*d.program.K + 1
	value := k.Of.At(k.Index, s.Interval)
	p.box = d.whole(value)
	moments := schedule.Whole(1, 1, d.program.Sizes.Moments(), p.box.Size())
	if k.Part.Is && k.Of != schedule.NormParameter { // which is small: whole with the last tile
		p.box = k.Part.Box
		moments = moments.Slice(3, int64(p.box.From[3]), int64(p.box.To[3]))
	}
	dw, err := d.operand(s, trained.Gradient.At(k.Index, first), p.box)
	if err != nil {
		return p, err
	}
	w, err := d.product(s, value, p.box)
	if err != nil {
		return p, err
	}
	p.gradient, p.value = dw.Floats, w.Floats
	if t := d.workload.Training; t.Optimizer == network.Adam || t.Momentum > 0 {
		v, err := d.product(s, trained.Moment.At(k.Index, s.Interval), moments)
		p.moment = v.Floats
		return p, err
	}
	return p, nil
}

// optimize updates one parameter tensor, or a tile of it.
func (d *datapath) optimize(s *schedule.Step, k schedule.Kernel) error {
	if k.Of == schedule.NormParameter && k.Part.Is && k.Part.Values == 0 {
		return nil // with the last tile
	}
	p, err := d.parameters(s, k)
	if err != nil {
		return err
	}
	d.record.gradient(k, s.Interval, p.box, p.gradient)
	if training := d.workload.Training; training.Optimizer == network.Adam {
		pe.AdamStep(p.value, p.gradient, p.moment, training, s.Interval)
	} else {
		pe.SGD(p.value, p.gradient, p.moment, training)
	}
	return nil
}
