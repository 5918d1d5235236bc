// Package golden is the software trainer: temporally-truncated local BPTT
// (Algorithm 1 of Guo et al. 2023) and the rules of [network.Rule] in float32, for
// every network, neuron and rule that a workload can describe. [plain] is the same in
// its plainest form, one value at a time, and a property test holds the two equal.
//
// A [Trainer] holds weights, states and optimizer of one network at one (k, n)
// and batch size. [Trainer.Train] runs one iteration on a batch: T/k intervals
// of k steps forward, k steps backward, and an update. [Trainer.Predict] runs
// forward only. [Trainer.RunTensors] runs one iteration on given tensors and
// returns everything that CONTRACT.md lists. [Trainer.Fit] runs epochs over a
// dataset.
//
// docs/numerics.md fixes every rounding and the order of every sum, so results
// are the same bits for any number of CPUs. Speed comes from what is zero:
// sums run over lists of spikes and of errors that the surrogate let pass, a
// vector of neurons at a time.
//
// [plain]: https://pkg.go.dev/github.com/accelsim-dev/accelsim/golden/plain
package golden

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// Options configure a trainer; the zero value trains with dropout as the
// workload has it, weights from seed 0, on all CPUs.
type Options struct {
	Seed      uint64
	InitScale float64 // factor on the initial weights' range 1/sqrt(fan-in); 0 is 1
	NoDropout bool
	Workers   int // 0: GOMAXPROCS
}

// Trainer trains one network. It is not safe for concurrent use.
type Trainer struct {
	workload *network.Workload
	net      *network.Network
	k        int
	batch    int // capacity
	rule     network.Rule
	// Steps whose states are kept: k, and one more where something is read over a
	// delay. Prediction keeps one, or two.
	slots, predictionSlots int
	options                Options
	dropout                float64

	input       output
	layers      []*layer
	blocks      []block
	localBlocks []network.Block // the same
	dense       []*synapses     // that read a dense input

	learningRate float64
	updates      int // optimizer steps since the weights were new
	iterations   int

	// The current batch.
	samples  int
	x        []float32
	static   bool
	y        []int
	training bool

	// Observe, if set, is called after every forward step t = 1..T of an
	// iteration, when [Trainer.Potentials] and [Trainer.Spikes] show its states.
	Observe func(step int)

	// interval, if set, is called at an interval's end, update before an update of the
	// weights; both count from 1.
	interval func(i int, losses []float64)
	update   func(i int)

	// Of Fit, and what checkpoints keep.
	position     Position
	history      []Epoch
	measured     activityCounts
	trainingSet  string
	started      string // from what weights, where they were given
	epochSamples int    // that an epoch trains on; 0: not known

	crew       crew
	now        now
	newWeights bool
	losses     []float64 // per block, of the current interval

	sum          []float32 // [batch][size of the current layer]
	masked       []float32
	scratch      []scratch // per worker
	rate         []float64
	exponentials []float64
	errors       errorLists
	byInput      inputLists
	byChannel    channelLists

	// real makes spikes real numbers: scaled ones when a network that was
	// trained with dropout predicts, or those of a smooth firing function.
	real   bool // in the current batch
	smooth func(u float32) float32
}

// now is what the tasks of the current phase work on.
type now struct {
	step, slot, previous int
	last                 bool
	layer                *layer
	classifier           *classifier
	reader               *layer // that passes its error on
	synapses             *synapses
	in                   *reading
	trace                *trace
	bias                 *parameter
	neurons              *neurons
	extent               extent
	sum, err             []float32
	target               []float32 // [batch][input size] of errors that are passed
	border, chunks       int
	begun                bool // sums that others go on with
	add                  bool
}

type scratch struct {
	accumulator []float32
	spikes      []byte
	pooled      []float32
	fired       []byte // of pooling neurons
	reals       []float32
	index       []int32
	value       []float32
}

// errorLists are the non-zero errors of a layer's synaptic sums, per sample.
type errorLists struct {
	index               []int32
	value               []float32
	start               []int32
	capacity, positions int
}

// inputLists are the samples in which each input is not zero.
type inputLists struct {
	index, start, next []int32
	value              []float32
}

// channelLists are the non-zero inputs of each channel, per sample.
type channelLists struct {
	index, start, next         []int32
	value                      []float32
	capacity, starts, channels int
}

// New returns a trainer for w at truncation interval k and local blocks of n
// layers, with fresh weights. The batch size is w.Batch.
func New(w *network.Workload, k, n int, o Options) (*Trainer, error) {
	return newTrainer(w, k, n, o, nil)
}

func newTrainer(w *network.Workload, k, n int, o Options, smooth func(float32) float32) (*Trainer, error) {
	if err := w.CheckInterval(k); err != nil {
		return nil, err
	}
	blocks, err := w.Net.Blocks(n)
	if err != nil {
		return nil, err
	}
	if err := w.Training.Rule.Check(k, blocks); err != nil {
		return nil, err
	}
	for i := range w.Net.Layers {
		if l := &w.Net.Layers[i]; w.NeuronOf(l).Arrays != 0 {
			return nil, fmt.Errorf("layer %d has neurons that differ (%v is array); training on datasets takes one value for all of them", l.Index, w.NeuronOf(l).Arrays.List()[0])
		}
	}
	if w.Training.Rule.Inference {
		return nil, errors.New("an inference learns nothing; the trainer needs a rule that does")
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.InitScale == 0 {
		o.InitScale = 1
	}
	t := &Trainer{
		workload: w, net: w.Net, k: k, rule: w.Training.Rule, batch: w.Batch, slots: k, predictionSlots: 1, options: o,
		learningRate: w.Training.LearningRate, localBlocks: blocks, smooth: smooth,
	}
	if hasDelays(w.Net) {
		t.slots, t.predictionSlots = k+1, 2
	}
	if !o.NoDropout {
		t.dropout = w.Dropout
	}
	t.crew.workers = o.Workers
	for _, b := range blocks {
		t.blocks = append(t.blocks, block{Block: b})
	}
	if err := t.build(); err != nil {
		return nil, err
	}
	t.initialize()
	return t, nil
}

// hasDelays tells whether something is read over a delay.
func hasDelays(n *network.Network) bool {
	for i := range n.Layers {
		for _, p := range n.Layers[i].Inputs {
			if p.Delay > 0 {
				return true
			}
		}
	}
	return false
}

// allocateScratch sizes what phases share to the largest layer.
func (t *Trainer) allocateScratch() {
	var size, pooled, positions, inputs, rowStarts, channels, flat int
	note := func(s *synapses) {
		size = max(size, s.out.size())
		positions = max(positions, s.out.positions())
		if s.isFlat() {
			flat = max(flat, s.rows)
			return
		}
		inputs = max(inputs, s.in.size())
		rowStarts = max(rowStarts, s.in.channels*(s.in.height+1))
		channels = max(channels, s.in.channels)
	}
	for _, l := range t.layers {
		for _, p := range l.inputs {
			if p.synapses != nil {
				note(p.synapses)
			}
		}
		if l.feedback != nil {
			note(l.feedback)
		}
		pooled = max(pooled, l.output.size())
	}
	for i := range t.blocks {
		note(t.blocks[i].classifier.synapses)
	}
	t.sum = make([]float32, t.batch*size)
	if t.dropout > 0 {
		t.masked = make([]float32, t.batch*size)
	}
	t.errors = errorLists{
		index: make([]int32, t.batch*size), value: make([]float32, t.batch*size),
		start: make([]int32, t.batch*(positions+1)), capacity: size, positions: positions + 1,
	}
	t.byInput.start, t.byInput.next = make([]int32, flat+1), make([]int32, flat)
	t.byChannel = channelLists{
		index: make([]int32, t.batch*inputs), value: make([]float32, t.batch*inputs),
		start: make([]int32, t.batch*rowStarts), next: make([]int32, t.batch*channels),
		capacity: inputs, starts: rowStarts, channels: channels,
	}
	t.scratch = make([]scratch, t.crew.workers)
	for i := range t.scratch {
		t.scratch[i] = scratch{
			accumulator: make([]float32, max(maxBlock, maxTaps*lanes)), spikes: make([]byte, size),
			pooled: make([]float32, pooled), fired: make([]byte, pooled), reals: make([]float32, size), index: make([]int32, inputs), value: make([]float32, inputs),
		}
	}
	t.rate = make([]float64, t.net.Classes)
	t.exponentials = make([]float64, t.net.Classes)
	t.losses = make([]float64, len(t.blocks))
}

// Blocks returns the local blocks.
func (t *Trainer) Blocks() []network.Block {
	blocks := make([]network.Block, len(t.blocks))
	for i := range t.blocks {
		blocks[i] = t.blocks[i].Block
	}
	return blocks
}

// SetLearningRate changes the learning rate from the next update on.
func (t *Trainer) SetLearningRate(rate float64) { t.learningRate = rate }

// Result is what an iteration leaves besides weights.
type Result struct {
	Losses      []float64 // per block, averaged over the intervals
	Correct     int       // samples that the last block's classifier got right
	Predictions []int     // [samples]: the class that spiked most, or whose sum of potentials or currents is largest, the lowest of equals; reused by the next call
}

// Train runs one iteration of Algorithm 1 on a batch of at most w.Batch
// samples: every interval's forward pass, backward pass and update.
func (t *Trainer) Train(batch tensors.Batch) (Result, error) {
	if err := t.begin(batch, true); err != nil {
		return Result{}, err
	}
	t.crew.hire(t)
	defer t.crew.dismiss()
	t.dropNeurons()
	mean := make([]float64, len(t.blocks))
	intervals := t.workload.Timesteps / t.k
	for i := range intervals {
		t.trainInterval(i)
		for b, loss := range t.losses {
			mean[b] += loss / float64(intervals)
		}
	}
	t.iterations++
	r := t.result()
	r.Losses = mean
	return r, nil
}

func (t *Trainer) trainInterval(i int) {
	for b := range t.blocks {
		clear(t.blocks[b].classifier.counts)
		clear(t.blocks[b].classifier.reals)
	}
	first, last := i*t.k, (i+1)*t.k-1
	for step := first; step <= last; step++ {
		t.forwardStep(step, step%t.slots, (step+t.slots-1)%t.slots)
		if t.Observe != nil {
			t.Observe(step + 1)
		}
	}
	for b := range t.blocks {
		t.losses[b] = t.loss(t.blocks[b].classifier)
	}
	if t.interval != nil {
		t.interval(i+1, t.losses)
	}
	if i == 0 || !t.rule.OnceAnIteration {
		t.clearGradients()
	}
	for step := last; step > last-t.rule.Backward(t.k); step-- {
		t.backwardStep(step%t.slots, step == last)
	}
	if t.rule.OnceAnIteration {
		if last+1 == t.workload.Timesteps {
			t.finishUpdate(1)
		}
		return
	}
	t.finishUpdate(i + 1)
}

// finishUpdate updates the weights, the i-th time in this iteration.
func (t *Trainer) finishUpdate(i int) {
	t.clearBetweenGroups()
	if t.update != nil {
		t.update(i)
	}
	t.updateWeights()
}

// updatesOf is the number of updates of an iteration.
func (t *Trainer) updatesOf() int {
	if t.rule.OnceAnIteration {
		return 1
	}
	return t.workload.Timesteps / t.k
}

// Predict runs the T forward steps on a batch, with running statistics in batch
// norms and without dropout, and changes no parameter.
func (t *Trainer) Predict(batch tensors.Batch) (Result, error) {
	if err := t.begin(batch, false); err != nil {
		return Result{}, err
	}
	t.crew.hire(t)
	defer t.crew.dismiss()
	for step := range t.workload.Timesteps {
		t.forwardStep(step, step%t.predictionSlots, (step+1)%t.predictionSlots)
	}
	return t.result(), nil
}

// begin checks the batch and zeroes the states before the first step.
func (t *Trainer) begin(batch tensors.Batch, training bool) error {
	frame := t.net.Input.Size()
	steps := t.workload.Timesteps
	if batch.Static {
		steps = 1
	}
	n := len(batch.Y)
	if n < 1 || n > t.batch {
		return fmt.Errorf("a batch of %d samples; this trainer takes 1 to %d", n, t.batch)
	}
	if len(batch.X) != steps*n*frame {
		return fmt.Errorf("x has %d values; %d steps of %d samples of %v need %d", len(batch.X), steps, n, t.net.Input, steps*n*frame)
	}
	for i, label := range batch.Y {
		if label < 0 || label >= t.net.Classes {
			return fmt.Errorf("label %d of sample %d is out of range; there are classes 0 to %d", label, i+1, t.net.Classes-1)
		}
	}
	t.samples, t.x, t.static, t.y, t.training, t.newWeights = n, batch.X, batch.Static, batch.Y, training, true
	t.real = t.smooth != nil || (!training && t.dropout > 0)
	before := t.slots - 1 // where the states before the first step are
	if !training {
		before = t.predictionSlots - 1
	}
	t.input.clear(before, t.batch)
	for _, l := range t.layers {
		l.output.real = t.real
		l.output.clear(before, t.batch)
		if l.self != nil {
			l.self.real = t.real
			l.self.clear(before, t.batch)
		}
		l.own.clearSlot(before, t.batch)
		if l.pool != nil {
			l.pool.clearSlot(before, t.batch)
		}
		clear(l.spikes)
		for _, p := range l.inputs {
			clear(p.in.nonZero)
			p.trace.clear(t.batch)
		}
	}
	for i := range t.blocks {
		c := t.blocks[i].classifier
		c.neurons.clearSlot(before, t.batch)
		c.trace.clear(t.batch)
		clear(c.total)
		clear(c.counts)
		clear(c.totalReals)
	}
	return nil
}

// result reads the last block's classifier.
func (t *Trainer) result() Result {
	c := t.blocks[len(t.blocks)-1].classifier
	r := Result{Predictions: make([]int, t.samples)}
	for b := range t.samples {
		first := b * c.neurons.channels
		best := greatest(c.total[first:][:c.neurons.used])
		if t.readsReals(c) {
			best = greatest(c.totalReals[first:][:c.neurons.used])
		}
		r.Predictions[b] = best
		if best == t.y[b] {
			r.Correct++
		}
	}
	return r
}

// greatest returns the first index of the greatest value.
func greatest[number int32 | float32](values []number) int {
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return best
}
