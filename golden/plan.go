package golden

import (
	"fmt"
	"math"

	"github.com/accelsim-dev/accelsim/network"
)

// projection is what brings values of one output to a layer's neurons.
type projection struct {
	*network.Projection
	in       *reading
	synapses *synapses // nil: the value itself is added
	trace    *trace    // of what it reads; nil without
}

// layer is a trainable layer with all that follows up to the next one.
type layer struct {
	*network.Layer
	inputs []*projection
	bias   *parameter
	norm   *norm
	own    neurons
	pool   *neurons
	output output
	// self is what the layer's own projections read: its spikes before addition and
	// pooling. It is the output itself where neither is.
	self *output

	joinWith *output // the other operand of an addition
	inFloats bool    // spikes go through addition and pooling as numbers: bytes do not do
	choices  []int32 // [slots][batch][output size] of a maximum pooling: the neuron that was largest, -1 for none

	block      *block
	classifier *classifier // if it is its block's last
	feedback   *synapses   // from the block's classifier, else nil

	// Where the error of the output comes from, and of the layer's own spikes besides.
	from, fromSelf []contribution

	sum     []float32 // [batch][size]: synaptic sums that stay the same in an interval, else nil
	spatial []float32 // [batch][output size]: error of the output
	before  []float32 // [batch][size]: the same before pooling; nil without pooling
	delta   []float32 // [batch][size]: that and the errors of the layer's own projections; nil without them
	err     []float32 // error of the synaptic sum, laid out as own.gamma: own.err without batch norm
	later   []float32 // err of the step after, where an error passes over a delay
	mask    []byte    // [batch][size] dropout: 1 keeps; nil without
	spikes  []int64   // per sample, since the batch began
}

// contribution is a part of the error of an output.
type contribution struct {
	reader   *layer    // nil: the block's classifier
	synapses *synapses // nil: the error as it is
	passed   bool      // the error that the reader's addition passes on, not that of its synaptic sum
	late     bool      // that of the step after
}

// plain tells whether the neurons' spikes are the output as they are.
func (l *layer) plain() bool { return !l.Adds() && l.pool == nil && !l.HasPool() && l.mask == nil }

// classifier is the fully connected layer at the end of a block.
type classifier struct {
	in       *reading
	synapses *synapses
	bias     *parameter
	trace    *trace
	neurons  neurons
	counts   []int32   // [batch][channels] spikes of the interval
	total    []int32   // [batch][channels] spikes since the batch began
	delta    []float32 // [batch][channels] dL/ds, the same at every step
	fired    []byte    // [batch][channels] spikes of the current step

	reals, totalReals []float32 // as counts and total, of readouts and of a smooth firing function
}

// readsReals tells whether logits are not counts of spikes.
func (t *Trainer) readsReals(c *classifier) bool { return c.neurons.kind.Silent || t.smooth != nil }

type block struct {
	network.Block
	layers     []*layer
	classifier *classifier
}

// parameter is a value for each channel, and what training keeps of it.
type parameter struct {
	name                            string
	values, gradient, first, second []float32
}

func newParameter(name string, e extent, optimizer string) *parameter {
	p := &parameter{name: name}
	for _, v := range []*[]float32{&p.values, &p.gradient, &p.first} {
		*v = make([]float32, e.channels)
	}
	if optimizer == network.Adam {
		p.second = make([]float32, e.channels)
	}
	return p
}

// build lays out the network for a batch and the slots of an interval.
func (t *Trainer) build() error {
	net := t.net
	channels := net.Input.Channels
	for i := range net.Layers {
		if addsInput(&net.Layers[i]) {
			channels = padded(channels)
		}
	}
	t.input = output{
		extent:   extent{net.Input.Height, net.Input.Width, channels, net.Input.Channels},
		maxValue: 1, scale: 1, real: net.Encoding == network.Direct, static: net.Encoding == network.Direct,
	}
	if err := t.allocateOutput(&t.input); err != nil {
		return err
	}
	for i := range net.Layers {
		if err := t.buildLayer(&net.Layers[i]); err != nil {
			return err
		}
	}
	for i := range t.blocks {
		t.buildClassifier(&t.blocks[i])
	}
	for _, l := range t.layers {
		t.connect(l)
	}
	t.allocateScratch()
	return nil
}

// addsInput tells whether the network's input is added to a layer's maps.
func addsInput(g *network.Layer) bool {
	adds := g.Add == network.InputLayer
	for i := range g.Inputs {
		adds = adds || g.Inputs[i].From == network.InputLayer && !g.Inputs[i].Weighted()
	}
	return adds
}

func (t *Trainer) buildLayer(g *network.Layer) error {
	l := &layer{Layer: g}
	batch, kind := t.batch, t.workload.NeuronOf(g)
	own := paddedExtent(g.Out)
	if own.size() > math.MaxInt32 {
		return tooLarge(own, 1)
	}
	l.output = output{extent: paddedExtent(g.Pooled), maxValue: g.MaxValue, scale: g.Scale}
	if t.dropout > 0 {
		l.mask = make([]byte, batch*own.size())
	}
	t.layers = append(t.layers, l)
	if err := t.buildOutput(l, own); err != nil {
		return err
	}
	border := 0
	for i := range g.Inputs {
		p, err := t.buildProjection(l, &g.Inputs[i], own, kind)
		if err != nil {
			return err
		}
		l.inputs = append(l.inputs, p)
		if p.synapses != nil {
			border = max(border, p.synapses.border())
		}
	}
	l.own = newNeurons(own, kind, border, t.slots, batch)
	l.err = l.own.err
	if g.BatchNorm {
		l.norm = newNorm(own, t.slots*batch)
		l.err = make([]float32, batch*l.own.gammaSize())
	}
	if g.Bias {
		l.bias = newParameter(fmt.Sprintf("b%d", g.Index), own, t.workload.Training.Optimizer)
	}
	if g.Pool.Fires() {
		pool := newNeurons(l.output.extent, kind, 0, t.slots, batch)
		l.pool = &pool
	}
	if g.HasPool() {
		l.before = make([]float32, batch*own.size())
	}
	if first := l.inputs[0]; len(l.inputs) == 1 && first.in.static && !g.BatchNorm {
		l.sum = make([]float32, batch*own.size())
	}
	l.spatial = make([]float32, batch*l.output.size())
	l.spikes = make([]int64, batch)
	return nil
}

// buildOutput allocates what readers of a layer see.
func (t *Trainer) buildOutput(l *layer, own extent) error {
	largest, scale := 1, 1
	if l.Adds() {
		l.joinWith = t.outputOf(l.Add)
		largest, scale = l.joinWith.scale+l.joinWith.maxValue, l.joinWith.scale
	}
	l.inFloats = largest > math.MaxUint8 || scale > 1 || l.HasPool() && !l.poolsPlainly()
	if err := t.allocateOutput(&l.output); err != nil {
		return err
	}
	if l.Pool.Kind == network.MaxPool {
		l.choices = make([]int32, t.slots*t.batch*l.output.size())
	}
	switch {
	case !l.Recurrent():
	case !l.Adds() && !l.HasPool():
		l.self = &l.output
	default:
		l.self = &output{extent: own, maxValue: 1, scale: 1}
		return t.allocateOutput(l.self)
	}
	return nil
}

func (t *Trainer) buildProjection(l *layer, p *network.Projection, own extent, kind network.Neuron) (*projection, error) {
	from := l.self
	if p.From != l.Index {
		from = t.outputOf(p.From)
	}
	made := &projection{Projection: p, in: &from.now}
	if p.Delay > 0 {
		made.in = &reading{output: from, late: true}
		t.allocateLists(made.in)
	}
	if !p.Weighted() {
		return made, nil
	}
	kernel := &p.Kernel
	if p.Kind == network.FC {
		kernel = nil
	}
	s := newSynapses(l.WeightName(p), from.extent, kernel, own)
	if s.usesDense(from) && p == &l.Inputs[0] {
		s.dense = s.newDenseInput(t.batch)
		t.dense = append(t.dense, s)
	}
	made.synapses = s
	var err error
	made.trace, err = t.newTrace(made.in, kind)
	return made, err
}

func (t *Trainer) buildClassifier(b *block) {
	last := t.layers[b.Last-1]
	w := t.workload
	e := extent{1, 1, padded(t.net.Classes), t.net.Classes}
	c := &classifier{in: &last.output.now, neurons: newNeurons(e, w.ClassifierNeuron(), 0, t.slots, t.batch)}
	c.synapses = newSynapses(fmt.Sprintf("wc%d", b.Index), last.output.extent, nil, e)
	c.synapses.frozen = w.Training.Classifier == network.Random
	if w.Training.ClassifierBias {
		c.bias = newParameter(fmt.Sprintf("bc%d", b.Index), e, w.Training.Optimizer)
	}
	if !c.synapses.frozen {
		c.trace, _ = t.newTrace(c.in, w.Neuron) // as large as the output, which fits
	}
	size := t.batch * e.size()
	c.counts, c.total = make([]int32, size), make([]int32, size)
	c.delta, c.fired = make([]float32, size), make([]byte, size)
	c.reals, c.totalReals = make([]float32, size), make([]float32, size)
	b.classifier, last.classifier = c, c
	for n := b.First; n <= b.Last; n++ {
		l := t.layers[n-1]
		l.block = b
		b.layers = append(b.layers, l)
	}
	t.prepareTraining(c.synapses, !t.fedBack(b.Last))
}

// allocateOutput allocates the values of an output and the lists of what is read at
// the same step.
func (t *Trainer) allocateOutput(o *output) error {
	if o.capacity() > math.MaxInt32 {
		return tooLarge(o.extent, o.maxValue)
	}
	slots := t.slots
	if o.static {
		slots = 1
	}
	bytes := !o.static && o.scale == 1 && o.maxValue <= math.MaxUint8
	if bytes {
		o.bytes = make([]byte, slots*t.batch*o.size())
	}
	switch {
	case !bytes || t.smooth != nil:
		o.floats = make([]float32, slots*t.batch*o.size())
	case t.dropout > 0: // to predict
		o.floats = make([]float32, t.predictionSlots*t.batch*o.size())
	}
	o.now.output = o
	t.allocateLists(&o.now)
	return nil
}

// capacity is the most that a sample's list can hold.
func (o *output) capacity() int {
	if o.static || o.scale > 1 {
		return o.size()
	}
	return o.size() * o.maxValue
}

func (t *Trainer) allocateLists(r *reading) {
	capacity := t.batch * r.capacity()
	r.index = make([]int32, capacity)
	if r.floats != nil {
		r.value = make([]float32, capacity)
	}
	r.start = make([]int32, t.batch*(r.positions()+1))
	r.nonZero = make([]int64, t.batch)
}

func tooLarge(e extent, largest int) error {
	return fmt.Errorf("a feature map of %dx%dx%d with values up to %d is too large for the trainer", e.used, e.height, e.width, largest)
}

// outputOf returns the output of layer l, or the network's input.
func (t *Trainer) outputOf(l int) *output {
	if l == network.InputLayer {
		return &t.input
	}
	return &t.layers[l-1].output
}

// fedBack tells whether the error of a layer's output comes straight from the
// classifier of its block.
func (t *Trainer) fedBack(l int) bool { return t.rule.FeedsBack(l, t.localBlocks) }

// connect resolves where the error of l comes from, in the order of docs/numerics.md.
func (t *Trainer) connect(l *layer) {
	passes := func(p *network.Projection) bool {
		return l.block.Inside(*p) && !t.fedBack(l.Index) && !t.fedBack(p.From)
	}
	for _, p := range l.inputs {
		if p.synapses != nil {
			t.prepareTraining(p.synapses, passes(p.Projection))
		}
		if p.Delay > 0 && passes(p.Projection) && l.later == nil {
			l.later = make([]float32, len(l.err))
		}
	}
	if t.fedBack(l.Index) {
		e := l.block.classifier.neurons.extent
		l.feedback = newSynapses(fmt.Sprintf("fb%d", l.Index), l.output.extent, nil, e)
		l.feedback.frozen = true
		t.prepareTraining(l.feedback, true)
		return
	}
	var readers []*layer
	for _, r := range t.net.ReadersOf(l.Index) {
		if l.block.Has(r) && !t.fedBack(r) {
			readers = append(readers, t.layers[r-1])
		}
	}
	for _, r := range readers {
		l.from = append(l.from, r.projectionsFrom(l.Index, 0, true)...)
	}
	if l.classifier != nil {
		l.from = append(l.from, contribution{synapses: l.classifier.synapses})
	}
	for _, r := range readers {
		l.from = append(l.from, r.projectionsFrom(l.Index, 0, false)...)
		if r.Add == l.Index {
			l.from = append(l.from, contribution{reader: r, passed: true})
		}
	}
	for _, weighted := range []bool{true, false} {
		for _, r := range readers {
			l.from = append(l.from, r.projectionsFrom(l.Index, 1, weighted)...)
		}
		l.fromSelf = append(l.fromSelf, l.projectionsFrom(l.Index, 1, weighted)...)
	}
	if len(l.fromSelf) > 0 {
		l.delta = make([]float32, t.batch*l.own.size())
	}
}

// projectionsFrom lists what errors l passes to a layer.
func (l *layer) projectionsFrom(from, delay int, weighted bool) (list []contribution) {
	for _, p := range l.inputs {
		if p.From == from && p.Delay == delay && p.Weighted() == weighted {
			list = append(list, contribution{reader: l, synapses: p.synapses, late: delay > 0})
		}
	}
	return list
}

// prepareTraining allocates gradients and optimizer states, and, if errors
// pass to the layer below, the turned weights.
func (t *Trainer) prepareTraining(s *synapses, passes bool) {
	if !s.frozen {
		s.gradient = make([]float32, len(s.weights))
		s.first = make([]float32, len(s.weights))
		if t.workload.Training.Optimizer == network.Adam {
			s.second = make([]float32, len(s.weights))
		}
	}
	if s.passes = passes; passes {
		s.inBlocks = split(s.in.channels)
		s.turned = make([]float32, s.taps()*s.out.channels*s.in.channels)
	}
}
