package golden

import (
	"fmt"
	"math"

	"github.com/accelsim-dev/accelsim/network"
)

// lifParameters are the neuron's, rounded to float32 once.
type lifParameters struct {
	leak, reset, threshold  float32 // tau, theta, u_th
	halfWidth, inverseWidth float32 // a/2, 1/a
}

func newLIFParameters(n network.Neuron) lifParameters {
	return lifParameters{
		leak: float32(n.Leak), reset: float32(n.Reset), threshold: float32(n.Threshold),
		halfWidth: float32(n.SurrogateWidth / 2), inverseWidth: float32(1 / n.SurrogateWidth),
	}
}

// padded rounds a channel count up to whole vectors. Feature maps are stored
// channels last, [H][W][padded C]; padding channels never spike and carry no
// error, because their weights are zero.
func padded(channels int) int { return (channels + lanes - 1) / lanes * lanes }

// extent is a feature map as stored: channels last, padded.
type extent struct {
	height, width int
	channels      int // stored
	used          int // the first of them that exist
}

func (e extent) size() int      { return e.height * e.width * e.channels }
func (e extent) positions() int { return e.height * e.width }

func paddedExtent(s network.Shape) extent {
	return extent{s.Height, s.Width, padded(s.Channels), s.Channels}
}

// flat views a map as one position: channels in the order (row, column,
// channel), which is the order of a fully connected layer's sums.
func (e extent) flat() extent { return extent{1, 1, e.size(), e.size()} }

// columns is a run of output channels that one accumulator holds.
type columns struct{ first, width int }

// split cuts stored channels into accumulators of 64, 32, 16 and 8.
func split(channels int) []columns {
	var runs []columns
	for first, width := 0, maxBlock; first < channels; {
		for width > channels-first {
			width /= 2
		}
		runs = append(runs, columns{first, width})
		first += width
	}
	return runs
}

// synapses are the weights between a map and a layer or classifier.
//
// Weights, gradients and optimizer states are stored as blocks of output
// columns, [block][row][width], a row being a tap and input channel: (ky, kx,
// ci) ascending. Element (row r, column c of the block that starts at f) is at
// f rows + r width + (c - f). A fully connected layer, and a convolution that
// sees its whole input at once, is a 1x1 kernel on the flattened map.
type synapses struct {
	name    string // of the tensor: w3, wc2
	in, out extent
	source  extent // of the input before flattening
	kernel  int
	stride  int
	pad     int
	fileFC  bool // the file's layout is [out][C][H][W] of the source
	rows    int  // kernel^2 in.channels
	blocks  []columns
	frozen  bool

	weights, gradient, first, second []float32 // first: momentum or Adam's m; second: Adam's v

	// For errors to pass: the same weights by input columns, with the kernel
	// turned around, [block][(K-1-ky, K-1-kx, co)][width].
	passes   bool
	inBlocks []columns
	turned   []float32
}

func newSynapses(name string, source extent, kernel, stride, pad int, out extent) *synapses {
	s := &synapses{name: name, source: source, in: source, out: out, kernel: kernel, stride: stride, pad: pad}
	s.fileFC = kernel == 0
	whole := kernel == source.height && kernel == source.width && pad == 0
	if s.fileFC || whole {
		s.in, s.kernel, s.stride = source.flat(), 1, 1
	}
	s.rows = s.kernel * s.kernel * s.in.channels
	s.blocks = split(out.channels)
	n := s.rows * out.channels
	s.weights = make([]float32, n)
	return s
}

// isFlat tells whether input, kernel and output are single positions. A larger
// kernel on a map of one position has taps in the padding.
func (s *synapses) isFlat() bool {
	return s.in.positions() == 1 && s.out.positions() == 1 && s.kernel == 1 && s.pad == 0
}

// fileKernel is the height and width that a filter has in the file's layout
// [out][C][H][W].
func (s *synapses) fileKernel() (height, width int) {
	if s.in != s.source || s.fileFC {
		return s.source.height, s.source.width
	}
	return s.kernel, s.kernel
}

// fileSize is the number of weights that exist.
func (s *synapses) fileSize() int {
	height, width := s.fileKernel()
	return s.out.used * s.source.used * height * width
}

// each calls do with the index of every weight in the file's layout and in
// storage.
func (s *synapses) each(do func(file, stored int)) {
	height, width := s.fileKernel()
	taps := height * width
	for _, block := range s.blocks {
		for tap := range taps {
			for ci := range s.source.used {
				row := tap*s.source.channels + ci
				for c := block.first; c < min(block.first+block.width, s.out.used); c++ {
					do((c*s.source.used+ci)*taps+tap, block.first*s.rows+row*block.width+c-block.first)
				}
			}
		}
	}
}

// load stores weights given in the file's layout.
func (s *synapses) load(values []float32) {
	s.each(func(file, stored int) { s.weights[stored] = values[file] })
}

// unload returns stored values (weights, gradients, ...) in the file's layout.
func (s *synapses) unload(stored []float32) []float32 {
	values := make([]float32, s.fileSize())
	s.each(func(file, at int) { values[file] = stored[at] })
	return values
}

// neurons are LIF neurons of a layer, a pooling layer or a classifier.
type neurons struct {
	extent
	u []float32 // [slots][batch][size], the potentials of an interval's steps

	// gamma is [batch][height][width + 2 border][channels]; the border stays
	// zero, so that a gradient may read beyond the map's left and right.
	gamma  []float32
	border int
}

func (n *neurons) gammaRow() int  { return (n.width + 2*n.border) * n.channels }
func (n *neurons) gammaSize() int { return n.height * n.gammaRow() }

// at returns the potentials of one step and sample.
func (n *neurons) at(slot, batch, sample int) []float32 {
	size := n.size()
	first := (slot*batch + sample) * size
	return n.u[first : first+size : first+size]
}

// output is what readers of a layer, or of the network's input, see.
type output struct {
	extent
	maxValue int
	scaled   bool   // values are real numbers: direct input, or spikes scaled for dropout
	static   bool   // the same at every step
	bytes    []byte // [slots][batch][size] spikes, or small integers after additions
	floats   []float32

	// The current step's non-zero values of each sample in ascending order: a
	// value v stands v times, unless scaled.
	slot  int       // which step that is
	index []int32   // [batch][size maxValue]
	value []float32 // scaled only
	start []int32   // [batch][positions + 1]

	nonZero []int64 // per sample, since the batch began
}

func (o *output) bytesAt(slot, batch, sample int) []byte {
	size := o.size()
	first := (slot*batch + sample) * size
	return o.bytes[first : first+size : first+size]
}

func (o *output) floatsAt(slot, batch, sample int) []float32 {
	if o.static {
		slot = 0
	}
	size := o.size()
	first := (slot*batch + sample) * size
	return o.floats[first : first+size : first+size]
}

// integers tells that values above 1 may occur, or real ones: gradients then
// need products.
func (o *output) weighted() bool { return o.scaled || o.maxValue > 1 }

// layer is a trainable layer with all that follows up to the next one.
type layer struct {
	*network.Layer
	in       *output
	synapses *synapses
	norm     *norm
	own      neurons
	pool     *neurons
	output   output

	joinWith *output // the other operand of a residual addition
	skip     *layer  // the layer in the block that an identity shortcut hands the error to

	block      *block
	readers    []*layer    // of the output, in the same block, ascending
	classifier *classifier // if it is its block's last
	joined     *layer      // the layer at whose end this one's spikes are added, if another's
	errorFrom  *layer      // of the residual block that has this output as its identity shortcut

	padded   *paddedInput // of a narrow layer that reads direct input, else nil
	byOutput channelLists // its errors

	sum     []float32 // [batch][size]: synaptic sums that stay the same in an interval, else nil
	spatial []float32 // [batch][output size]: error of the output
	before  []float32 // [batch][size]: the same before pooling; nil without pooling
	err     []float32 // error of the synaptic sum, laid out as own.gamma: gamma itself without batch norm
	mask    []byte    // [batch][size] dropout: 1 keeps; nil without
	spikes  []int64   // per sample, since the batch began
}

// plain tells whether the neurons' spikes are the output as they are.
func (l *layer) plain() bool { return !l.Adds() && l.pool == nil && l.mask == nil }

// classifier is the fully connected LIF layer at the end of a block.
type classifier struct {
	in       *output
	synapses *synapses
	neurons  neurons
	counts   []int32   // [batch][channels] spikes of the interval
	total    []int32   // [batch][channels] spikes since the batch began
	delta    []float32 // [batch][channels] dL/ds, the same at every step
	fired    []byte    // [batch][channels] spikes of the current step
	reals    []float32 // [batch][channels] as counts, of a smooth firing function
}

type block struct {
	network.Block
	layers     []*layer
	classifier *classifier
}

// build lays out the network for a batch and k slots.
func (t *Trainer) build() error {
	net, batch := t.net, t.batch
	channels := net.Input.Channels
	for i := range net.Layers {
		if net.Layers[i].Add == network.InputLayer {
			channels = padded(channels) // it is added to spikes
		}
	}
	t.input = output{
		extent:   extent{net.Input.Height, net.Input.Width, channels, net.Input.Channels},
		maxValue: 1, scaled: net.Encoding == network.Direct, static: net.Encoding == network.Direct,
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
		b := &t.blocks[i]
		last := t.layers[b.Last-1]
		c := &classifier{in: &last.output}
		c.neurons.extent = extent{1, 1, padded(net.Classes), net.Classes}
		c.synapses = newSynapses(fmt.Sprintf("wc%d", b.Index), last.output.extent, 0, 1, 0, c.neurons.extent)
		c.synapses.frozen = t.workload.Training.Classifier == network.Random
		c.neurons.u = make([]float32, t.slots*batch*c.neurons.size())
		c.neurons.gamma = make([]float32, batch*c.neurons.size())
		c.counts = make([]int32, batch*c.neurons.size())
		c.total = make([]int32, batch*c.neurons.size())
		c.delta = make([]float32, batch*c.neurons.size())
		c.reals = make([]float32, batch*c.neurons.size())
		c.fired = make([]byte, batch*c.neurons.size())
		t.prepareTraining(c.synapses, true)
		b.classifier, last.classifier = c, c
		for n := b.First; n <= b.Last; n++ {
			l := t.layers[n-1]
			l.block = b
			b.layers = append(b.layers, l)
		}
	}
	for _, l := range t.layers {
		t.connect(l)
	}
	t.allocateScratch()
	return nil
}

func (t *Trainer) buildLayer(g *network.Layer) error {
	p := g.First()
	l := &layer{Layer: g, in: t.outputOf(g.First().From)}
	if g.MaxValue > math.MaxUint8 {
		return fmt.Errorf("layer %d adds up to %d spikes in one value; the trainer holds at most %d: use fewer residual blocks in a row", g.Index, g.MaxValue, math.MaxUint8)
	}
	batch := t.batch
	l.own.extent = paddedExtent(g.Out)
	l.synapses = newSynapses(fmt.Sprintf("w%d", g.Index), l.in.extent, p.Kernel.Size.Height, p.Kernel.Stride.Height, p.Kernel.Pad.Height, l.own.extent)
	if !l.synapses.isFlat() && l.synapses.stride == 1 {
		l.own.border = max(0, p.Kernel.Size.Height-1-p.Kernel.Pad.Height)
	}
	l.own.u = make([]float32, t.slots*batch*l.own.size())
	l.own.gamma = make([]float32, batch*l.own.gammaSize())
	l.err = l.own.gamma
	if g.BatchNorm {
		l.norm = newNorm(l.own.extent, t.slots*batch)
		l.err = make([]float32, batch*l.own.gammaSize())
	}
	if g.HasPool() {
		l.pool = &neurons{extent: paddedExtent(g.Pooled)}
		l.pool.u = make([]float32, t.slots*batch*l.pool.size())
		l.pool.gamma = make([]float32, batch*l.pool.size())
		l.before = make([]float32, batch*l.own.size())
	}
	l.output = output{extent: paddedExtent(g.Pooled), maxValue: g.MaxValue}
	if err := t.allocateOutput(&l.output); err != nil {
		return err
	}
	if l.in.static && !g.BatchNorm {
		l.sum = make([]float32, batch*l.own.size())
	}
	if s := l.synapses; s.usesDense(l.in) {
		l.padded = l.newPaddedInput(batch)
		l.byOutput = channelLists{
			index: make([]int32, batch*l.own.size()), value: make([]float32, batch*l.own.size()), next: make([]int32, batch*lanes),
		}
	}
	if t.dropout > 0 {
		l.mask = make([]byte, batch*l.own.size())
	}
	l.spatial = make([]float32, batch*l.output.size())
	l.spikes = make([]int64, batch)
	t.layers = append(t.layers, l)
	return nil
}

func (t *Trainer) allocateOutput(o *output) error {
	capacity := o.size() * o.maxValue
	if capacity > math.MaxInt32 {
		return fmt.Errorf("a feature map of %dx%dx%d is too large for the trainer", o.used, o.height, o.width)
	}
	slots := t.slots
	if o.static {
		slots = 1
	}
	switch {
	case o.static || t.smooth != nil:
		o.floats = make([]float32, slots*t.batch*o.size())
	case t.dropout > 0: // to predict
		o.floats = make([]float32, t.batch*o.size())
	}
	if o.floats != nil {
		o.value = make([]float32, t.batch*capacity)
	}
	if !o.static {
		o.bytes = make([]byte, slots*t.batch*o.size())
	}
	o.index = make([]int32, t.batch*capacity)
	o.start = make([]int32, t.batch*(o.positions()+1))
	o.nonZero = make([]int64, t.batch)
	return nil
}

// outputOf returns the output of layer l, or the network's input.
func (t *Trainer) outputOf(l int) *output {
	if l == network.InputLayer {
		return &t.input
	}
	return &t.layers[l-1].output
}

// connect resolves who reads l and where its error comes from.
func (t *Trainer) connect(l *layer) {
	t.prepareTraining(l.synapses, l.block.Inside(*l.First()))
	for _, r := range t.net.Consumers(l.Index) {
		if r <= l.block.Last {
			l.readers = append(l.readers, t.layers[r-1])
		}
	}
	if !l.Adds() {
		return
	}
	l.joinWith = t.outputOf(l.Add)
	switch {
	case t.net.OnlyAdded(l.Add):
		t.layers[l.Add-1].joined = l
	case l.block.Has(l.Add):
		l.skip = t.layers[l.Add-1]
		l.skip.errorFrom = l
	}
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
		s.turned = make([]float32, s.kernel*s.kernel*s.out.channels*s.in.channels)
	}
}
