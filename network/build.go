package network

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/units"
)

// Entry is one entry of a list of layers, before shapes are known: what a front
// end makes of its text. Layers are named by their index: entry i becomes layer
// i+1, and [InputLayer] is the network's input. The last entry is the classifier:
// fully connected, and nothing else.
type Entry struct {
	Origin    string // how errors call it: token 3 "96C3", or layers[2]
	Name      string
	Inputs    []Input
	Bias      bool
	BatchNorm bool
	Neuron    *Neuron // nil: the file's
	Add       int     // layer whose output is added; [NoLayer]
	Pool      Pool
	Unit      string

	poolOrigin string // of its pooling, if it was written apart
	global     bool   // the window is the whole map
}

// Input is a projection before shapes are known.
type Input struct {
	Kind   Kind
	From   int
	Delay  int
	Out    int // channels; 0 keeps the layer's own: of its first projection, or of its recurrent map
	Kernel Kernel
}

// Build makes a network of entries: it finds the shapes and refuses what does not
// meet. Text is how the layers were written.
func Build(entries []Entry, text string, input Shape, e Encoding) (*Network, error) {
	if err := checkInput(input, e); err != nil {
		return nil, err
	}
	if len(entries) > maxLayers {
		return nil, fmt.Errorf("layers are %d; at most %d are accepted", len(entries), maxLayers)
	}
	b := &builder{net: &Network{Input: input, Encoding: e, Text: text, entries: entries}}
	if err := b.classifier(entries); err != nil {
		return nil, err
	}
	for i := range entries[:len(entries)-1] {
		if err := b.add(&entries[i]); err != nil {
			return nil, err
		}
	}
	if b.net.N() == 0 {
		return nil, fmt.Errorf("layers %q have no trainable layer before the classifier; add one, such as 128FC-%dFC", text, b.net.Classes)
	}
	b.net.numberProjections()
	b.net.findReaders()
	if err := b.net.checkSizes(); err != nil {
		return nil, err
	}
	return b.net, nil
}

// numberProjections gives the weighted projections their indices.
func (n *Network) numberProjections() {
	next := n.N()
	for i := range n.Layers {
		for j := range n.Layers[i].Inputs {
			p := &n.Layers[i].Inputs[j]
			at := Place{i + 1, j}
			switch {
			case p.Number == 1:
				p.Index = i + 1
			case p.Number > 1:
				next++
				p.Index = next
				n.more = append(n.more, at)
			}
		}
	}
}

// findReaders finds who reads what, and the layers whose spikes the next one of
// their unit adds to its own, and nothing else reads.
func (n *Network) findReaders() {
	readers := make([]int, n.N()+1)
	n.readers = make([][]int, n.N()+1)
	for i := range n.Layers {
		l := &n.Layers[i]
		read := func(from int) {
			readers[from]++
			list := n.readers[from]
			if from != l.Index && (len(list) == 0 || list[len(list)-1] != l.Index) {
				n.readers[from] = append(list, l.Index)
			}
		}
		for _, p := range l.Inputs {
			read(p.From)
		}
		if l.Adds() {
			read(l.Add)
		}
	}
	n.onlyAdded = make([]bool, n.N())
	for i := range n.N() - 1 {
		l, next := &n.Layers[i], &n.Layers[i+1]
		n.onlyAdded[i] = next.Add == i+1 && readers[i+1] == 1 && l.Unit != "" && l.Unit == next.Unit && !l.HasPool() && !l.Adds()
	}
}

// rebuild returns the same layers for another input and number of classes.
func (n *Network) rebuild(input Shape, e Encoding, classes int) (*Network, error) {
	if n.notation {
		text, err := withClasses(n.Text, classes)
		if err != nil {
			return nil, err
		}
		return Parse(text, input, e)
	}
	entries := append([]Entry(nil), n.entries...)
	last := &entries[len(entries)-1]
	last.Inputs = []Input{last.Inputs[0]}
	last.Inputs[0].Out = classes
	return Build(entries, n.Text, input, e)
}

func checkInput(input Shape, e Encoding) error {
	if e != Event && e != Direct {
		return fmt.Errorf("encoding %q; write event or direct", e)
	}
	for _, d := range []struct {
		name string
		v    int
	}{{"channels", input.Channels}, {"height", input.Height}, {"width", input.Width}} {
		if d.v < 1 || d.v > maxNumber {
			return fmt.Errorf("input %s is %d; it must be between 1 and %d", d.name, d.v, maxNumber)
		}
	}
	if _, err := units.Mul(input.Channels, input.Height, input.Width); err != nil {
		return fmt.Errorf("input %v: %w", input, err)
	}
	return nil
}

// builder turns entries into layers.
type builder struct{ net *Network }

func (e *Entry) fail(format string, args ...any) error {
	return fmt.Errorf("%s %w", e.Origin, fmt.Errorf(format, args...))
}

// classifier takes the classes from the last entry.
func (b *builder) classifier(entries []Entry) error {
	last := &entries[len(entries)-1]
	plain := len(last.Inputs) == 1 && last.Inputs[0].Kind == FC && last.Inputs[0].From == len(entries)-1 && last.Inputs[0].Delay == 0
	if !plain || last.Bias || last.BatchNorm || last.Neuron != nil || last.Add != NoLayer || last.Pool.Kind != NoPool {
		return last.fail("is the last layer: the classifier, which is fully connected to the layer before and has nothing else; write fc: {out: CLASSES}")
	}
	if last.Inputs[0].Out == 0 {
		return last.fail("is the classifier and has no out; write fc: {out: CLASSES}")
	}
	b.net.Classes = last.Inputs[0].Out
	return nil
}

func (b *builder) add(e *Entry) error {
	l := Layer{
		Index: b.net.N() + 1, Name: e.Name, Bias: e.Bias, BatchNorm: e.BatchNorm, Neuron: e.Neuron,
		Add: e.Add, Pool: e.Pool, Unit: e.Unit, MaxValue: 1, Scale: 1,
	}
	if e.Bias && e.BatchNorm {
		return e.fail("has a bias and batch norm, which has one of its own; leave one out")
	}
	if err := b.project(e, &l); err != nil {
		return err
	}
	if err := b.join(e, &l); err != nil {
		return err
	}
	if err := b.pool(e, &l); err != nil {
		return err
	}
	b.net.Layers = append(b.net.Layers, l)
	return nil
}

// project finds the shapes of an entry's projections; all must make the same map.
func (b *builder) project(e *Entry, l *Layer) error {
	weighted := 0
	for i, in := range e.Inputs {
		p := Projection{Kind: in.Kind, From: in.From, Delay: in.Delay, Kernel: in.Kernel}
		recurrent := in.From == l.Index
		switch {
		case in.From > l.Index || in.From < InputLayer:
			return e.fail("reads a layer behind it; only layers before it, its own spikes with delay 1, and the input can be read")
		case recurrent && i == 0:
			return e.fail("begins with its own spikes; write first what it reads from another layer")
		case recurrent && in.Delay == 0:
			return e.fail("reads its own spikes without a delay; write delay: 1")
		case recurrent:
			p.In = l.Out
		case in.From == InputLayer && in.Delay > 0 && b.net.Encoding == Direct:
			return e.fail("reads the directly encoded input over a delay; it is the same at every step: leave the delay out")
		default:
			p.In = b.net.OutputOf(in.From)
		}
		out, err := in.shape(p.In, l.Out)
		if err != nil {
			return e.fail("%w", err)
		}
		if i == 0 {
			l.Out = out
		} else if out != l.Out {
			return e.fail("has projections of different shapes: %v and %v", l.Out, out)
		}
		if p.Weighted() {
			weighted++
			p.Number = weighted
		}
		l.Inputs = append(l.Inputs, p)
	}
	if weighted == 0 {
		return e.fail("has no weights: give it a conv or an fc, or do what it does in the layer before it")
	}
	l.Pooled = l.Out
	return nil
}

// shape returns the map that an input makes of what it reads; own is that of the
// layer, if it is known.
func (in Input) shape(from, own Shape) (Shape, error) {
	channels := in.Out
	switch in.Kind {
	case Identity:
		return from, nil
	case FC:
		if channels == 0 {
			if own.Size() == 0 {
				return Shape{}, fmt.Errorf("has an fc without out")
			}
			if own.Positions() != 1 {
				return Shape{}, fmt.Errorf("has an fc that would make a map %v; only a convolution can", own)
			}
			channels = own.Channels
		}
		return Shape{channels, 1, 1}, nil
	case Conv:
	}
	if channels == 0 {
		channels = own.Channels
	}
	if channels == 0 {
		return Shape{}, fmt.Errorf("has a conv without out")
	}
	if g := in.Kernel.Groups; from.Channels%g != 0 || channels%g != 0 {
		return Shape{}, fmt.Errorf("has %d groups, which do not divide its %d input and %d output channels", g, from.Channels, channels)
	}
	return in.Kernel.Shape(from, channels)
}

// maxCount is the largest count of an output value: float32 holds every whole number
// up to it (IEEE 754: a significand of 24 bits).
const maxCount = 1 << 24

// join checks the addition to the layer's spikes.
func (b *builder) join(e *Entry, l *Layer) error {
	if !l.Adds() {
		return nil
	}
	if l.Add >= l.Index || l.Add < InputLayer {
		return e.fail("adds the output of a layer that is not before it")
	}
	if l.Add == InputLayer && b.net.Encoding == Direct {
		return e.fail("adds directly encoded input to spikes; put a layer before it")
	}
	if other := b.net.OutputOf(l.Add); other != l.Out {
		return e.fail("adds an output of %v to spikes of %v", other, l.Out)
	}
	largest, scale := b.net.ValueOf(l.Add)
	l.MaxValue, l.Scale = scale+largest, scale
	if l.MaxValue > maxCount {
		return e.fail("adds up values of more than %d, which are not exact in float32", maxCount)
	}
	return nil
}

// ValueOf returns the largest count of an output's values, and what counts are
// divided by; the network's input has spikes.
func (n *Network) ValueOf(l int) (largest, scale int) {
	if l == InputLayer {
		return 1, 1
	}
	return n.Layer(l).MaxValue, n.Layer(l).Scale
}

func (b *builder) pool(e *Entry, l *Layer) error {
	if e.global {
		l.Pool.Window = Pair{l.Out.Height, l.Out.Width}
		l.Pool.Stride = l.Pool.Window
	}
	if !l.HasPool() {
		return nil
	}
	if l.Pool.Fires() && l.Neuron != nil && l.Neuron.Arrays != 0 {
		return e.fail("has neurons that differ (%v is array) and pooling neurons, which would have their values; use another kind of pooling", l.Neuron.Arrays.List()[0])
	}
	w := l.Pool.Window
	if w.Height > l.Out.Height+2*l.Pool.Pad.Height || w.Width > l.Out.Width+2*l.Pool.Pad.Width {
		at := *e
		if e.poolOrigin != "" {
			at.Origin = e.poolOrigin
		}
		return at.fail("has a %dx%d window, larger than its input %v", w.Height, w.Width, l.Out)
	}
	l.Pooled = l.Pool.Shape(l.Out)
	limit := maxCount
	if l.Pool.Fires() { // no reader sees the count
		limit = maxNumber
	}
	if largest, err := units.Mul(l.MaxValue, w.Height, w.Width); err != nil || largest > limit {
		return e.fail("pools windows of %dx%d values up to %d; counts of more than %d are not exact: use smaller windows", w.Height, w.Width, l.MaxValue, limit)
	}
	l.MaxValue, l.Scale = l.Pool.value(l.MaxValue, l.Scale)
	return nil
}

// checkSizes refuses layers whose sizes do not fit in 63 bits.
func (n *Network) checkSizes() error {
	for i := range n.Layers {
		l := &n.Layers[i]
		for _, p := range l.Inputs {
			fan := []int64{int64(p.In.Channels), int64(p.In.Height), int64(p.In.Width)}
			if p.Kind == Conv {
				fan = []int64{int64(p.In.Channels), int64(p.Kernel.Size.Height), int64(p.Kernel.Size.Width)}
			}
			dense := append(fan, int64(len(l.Inputs)), int64(l.Out.Channels), int64(l.Out.Height), int64(l.Out.Width))
			if _, err := units.Mul(dense...); err != nil {
				return fmt.Errorf("layer %d (%v to %v): %w", l.Index, p.In, l.Out, err)
			}
		}
	}
	last := n.Layer(n.N()).Pooled
	if _, err := units.Mul(last.Channels, last.Height, last.Width, n.Classes); err != nil {
		return fmt.Errorf("classifier of %v to %d classes: %w", last, n.Classes, err)
	}
	return nil
}
