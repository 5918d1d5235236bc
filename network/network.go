// Package network describes spiking networks: their layers, the Table 2
// notation of Guo et al. (2023), the geometry that the cost equations need,
// local blocks, built-in networks and datasets' shapes, and workload files.
//
// It is pure data. Trainable layers are numbered 1..N as in the paper; the
// last fully connected layer is not one of them: it is the classifier of the
// last local block. A pooling layer belongs to the trainable layer before it,
// and so does the addition at the end of a residual block.
package network

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/accelsim-dev/accelsim/units"
)

// Shape is the extent of one sample's feature map.
type Shape struct{ Channels, Height, Width int }

// Size returns the number of values in s.
func (s Shape) Size() int { return s.Channels * s.Height * s.Width }

// Positions returns Height x Width.
func (s Shape) Positions() int { return s.Height * s.Width }

// String prints s as CxHxW.
func (s Shape) String() string {
	return fmt.Sprintf("%dx%dx%d", s.Channels, s.Height, s.Width)
}

// Encoding tells what the network's input holds.
type Encoding string

// The encodings of section 3.3.
const (
	Event  Encoding = "event"  // binary frames, one per step
	Direct Encoding = "direct" // real values, the same at every step
)

// InputLayer is the index by which [Layer.Reads] names the network's input.
const InputLayer = 0

// Layer is one entry of a network: projections whose currents are added, neurons,
// an addition to their spikes, and pooling.
type Layer struct {
	Index     int    // 1..N
	Name      string // "" if it has none
	Inputs    []Projection
	Bias      bool // one value a channel, added to the current
	BatchNorm bool
	Neuron    *Neuron // nil: the workload's
	Out       Shape   // of the neurons; an FC layer's is Cx1x1
	Add       int     // the layer whose output is added to the spikes, before pooling; [NoLayer]
	Pool      Pool
	Pooled    Shape  // after addition and pooling: what later layers read
	Unit      string // layers of one unit are in one local block; "" is a unit of its own
	// An output value is a count of at most MaxValue, divided by Scale: 1 and 1 for
	// spikes, more after additions and after pooling that does not fire.
	MaxValue, Scale int
}

// NoLayer is the index of no layer.
const NoLayer = -1

// First returns the first of the layer's projections that have weights: the only
// one of a layer in Table 2's notation.
func (l *Layer) First() *Projection {
	for i := range l.Inputs {
		if l.Inputs[i].Weighted() {
			return &l.Inputs[i]
		}
	}
	return nil // no layer: every one has weights
}

// WeightName is what files call the weights of a projection to the layer: w3, or
// w3_2 where it has several.
func (l *Layer) WeightName(p *Projection) string { return l.named("w", p) }

// named is a name with the layer's number, and the projection's if there are
// several.
func (l *Layer) named(prefix string, p *Projection) string {
	weighted := 0
	for _, in := range l.Inputs {
		weighted = max(weighted, in.Number)
	}
	if weighted == 1 {
		return fmt.Sprintf("%s%d", prefix, l.Index)
	}
	return fmt.Sprintf("%s%d_%d", prefix, l.Index, p.Number)
}

// InputName is what files call the count of what a projection read: nonzero_in3, or
// nonzero_in3_2.
func (l *Layer) InputName(p *Projection) string { return l.named("nonzero_in", p) }

// Label is what reports call the layer: conv, fc, or shortcut for the 1x1
// convolution that ends a residual block.
func (l *Layer) Label() string {
	p := l.First()
	if l.Unit != "" && l.Add == l.Index-1 && p.Kind == Conv && p.Kernel.Size == Square(1) {
		return "shortcut"
	}
	return string(p.Kind)
}

// WeightsOf returns the weights of one projection.
func (l *Layer) WeightsOf(p Projection) units.Words { return p.Weights(l.Out.Channels) }

// Weights returns |W^n|, without biases.
func (l Layer) Weights() (sum units.Words) {
	for _, p := range l.Inputs {
		sum += l.WeightsOf(p)
	}
	return sum
}

// inputs returns the values that one sample of the layer reads.
func (l *Layer) inputs() (sum int64) {
	for _, p := range l.Inputs {
		sum += int64(p.In.Size())
	}
	return sum
}

// Neurons returns the LIF neurons of one sample before pooling: |U^n| is this
// times the batch.
func (l Layer) Neurons() units.Words { return units.Words(l.Out.Size()) }

// DenseAdditions returns M^n of one sample: |W^n||U^n|/C_o for a convolution,
// |W^n||U^n|/N_n for a fully connected layer (Eq. 15), summed over projections.
func (l Layer) DenseAdditions() int64 {
	return int64(l.Weights()) * int64(l.Out.Positions())
}

// HasPool tells whether a pooling layer follows.
func (l Layer) HasPool() bool { return l.Pool.Kind != NoPool }

// Recurrent tells whether the layer reads its own spikes.
func (l *Layer) Recurrent() bool {
	for _, p := range l.Inputs {
		if p.From == l.Index {
			return true
		}
	}
	return false
}

// Adds tells whether another layer's output is added to the spikes.
func (l Layer) Adds() bool { return l.Add != NoLayer }

// ValueBits is the number of bits of one output value's count: 1 for spikes.
func (l Layer) ValueBits() int { return bits.Len(uint(l.MaxValue)) }

// Network is a network's geometry.
type Network struct {
	Input    Shape
	Encoding Encoding
	Text     string // the layers as they were written: in Table 2's notation, or as a list
	Layers   []Layer
	Classes  int

	entries  []Entry // that it was built from
	notation bool    // Text is in Table 2's notation
	more     []Place // of the weighted projections N+1, N+2 ..

	readers   [][]int // by layer, [InputLayer] first
	onlyAdded []bool  // by layer
}

// Place tells where a projection is: in which layer, and which of its inputs.
type Place struct{ Layer, Input int }

// Projections returns the number of weighted projections.
func (n *Network) Projections() int { return len(n.Layers) + len(n.more) }

// Projection returns a weighted projection by its index, and its layer.
func (n *Network) Projection(index int) (*Layer, *Projection) {
	if index <= len(n.Layers) {
		l := n.Layer(index)
		return l, l.First()
	}
	at := n.more[index-len(n.Layers)-1]
	l := n.Layer(at.Layer)
	return l, &l.Inputs[at.Input]
}

// N returns the number of trainable layers before the last FC.
func (n *Network) N() int { return len(n.Layers) }

// Layer returns layer l, 1 <= l <= N.
func (n *Network) Layer(l int) *Layer { return &n.Layers[l-1] }

// OutputOf returns the shape of what readers of layer l see; l may be [InputLayer].
func (n *Network) OutputOf(l int) Shape {
	if l == InputLayer {
		return n.Input
	}
	return n.Layer(l).Pooled
}

// Consumers returns the layers that have a projection from layer l's output,
// ascending.
func (n *Network) Consumers(l int) []int {
	var readers []int
	for _, r := range n.readers[l] {
		if slices.ContainsFunc(n.Layer(r).Inputs, func(p Projection) bool { return p.From == l }) {
			readers = append(readers, r)
		}
	}
	return readers
}

// ReadersOf returns the other layers that read layer l's output, by a projection or
// an addition, ascending.
func (n *Network) ReadersOf(l int) []int { return n.readers[l] }

// OnlyAdded tells whether all that happens to layer l's spikes is that the next
// layer of its unit adds them to its own.
func (n *Network) OnlyAdded(l int) bool { return l != InputLayer && n.onlyAdded[l-1] }

// Block is a local block: layers First..Last and a classifier of its own.
type Block struct {
	Index       int // 1..
	First, Last int
}

// Inside tells whether what a projection reads is produced inside b, so that
// errors pass through its weights: W^(n+1) of Eqs. 12, 14 and 17.
func (b Block) Inside(p Projection) bool { return b.Has(p.From) }

// Has tells whether a layer is one of b's.
func (b Block) Has(l int) bool { return l >= b.First && l <= b.Last }

// Layers returns the numbers of b's layers.
func (b Block) Layers() []int {
	numbers := make([]int, 0, b.Last-b.First+1)
	for l := b.First; l <= b.Last; l++ {
		numbers = append(numbers, l)
	}
	return numbers
}

// Blocks cuts the network into local blocks of n layers. The last may be
// shorter; a boundary that would cut a unit moves to its end.
func (n *Network) Blocks(size int) ([]Block, error) {
	if size < 1 || size > n.N() {
		return nil, fmt.Errorf("n = %d is out of range; a local block of this network has 1 to %d layers", size, n.N())
	}
	return Cut(n.UnitEnds(), size), nil
}

// Cut cuts layers, of which [Network.UnitEnds] says where boundaries may be, into
// local blocks of size layers, 1 or more.
func Cut(ends []int, size int) (blocks []Block) {
	for first := 1; first <= len(ends); {
		last := min(first+size-1, len(ends))
		for ends[last-1] > last {
			last = ends[last-1]
		}
		blocks = append(blocks, Block{Index: len(blocks) + 1, First: first, Last: last})
		first = last + 1
	}
	return blocks
}

// UnitEnds returns, for every layer, the last layer of the units that are open
// behind it: the layer itself if a boundary after it cuts none.
func (n *Network) UnitEnds() []int {
	last := map[string]int{}
	for i := range n.Layers {
		last[n.Layers[i].Unit] = i + 1
	}
	ends := make([]int, n.N())
	open := 0
	for i := range n.Layers {
		if n.Layers[i].Unit != "" {
			open = max(open, last[n.Layers[i].Unit])
		}
		ends[i] = max(open, i+1)
	}
	return ends
}

// ClassifierInputs returns the neurons that block b's classifier reads from
// one sample: the block's last spikes after pooling, flattened.
func (n *Network) ClassifierInputs(b Block) int { return n.Layer(b.Last).Pooled.Size() }

// ClassifierWeights returns |W_c| of block b.
func (n *Network) ClassifierWeights(b Block) units.Words {
	return units.Words(n.ClassifierInputs(b)) * units.Words(n.Classes)
}
