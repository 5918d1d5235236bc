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
	"strconv"

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

// Kind tells what a trainable layer computes.
type Kind string

// The kinds of trainable layer.
const (
	Conv     Kind = "conv"
	FC       Kind = "fc"
	Shortcut Kind = "shortcut" // the 1x1 convolution of a residual block
)

// Encoding tells what the network's input holds.
type Encoding string

// The encodings of section 3.3.
const (
	Event  Encoding = "event"  // binary frames, one per step
	Direct Encoding = "direct" // real values, the same at every step
)

// InputLayer is the index by which [Layer.Reads] names the network's input.
const InputLayer = 0

// Pool is an average pooling layer with LIF neurons; stride = window. The zero
// Pool is none.
type Pool struct{ Height, Width int }

// Join is the spike-element-wise addition (SEW, ADD) that ends a residual
// block. It belongs to the block's last numbered layer.
type Join struct {
	// Conv is the block's second convolution: its spikes are one operand.
	Conv int
	// Skip is the other operand: with Identity the output of layer Skip (its
	// input, after that layer's own addition and pooling), otherwise the
	// spikes of the shortcut convolution Skip.
	Skip     int
	Identity bool
}

// Layer is one trainable layer with what follows it up to the next one.
type Layer struct {
	Index     int // 1..N
	Kind      Kind
	In        Shape // what it reads; an FC layer flattens it
	Out       Shape // before addition and pooling; an FC layer's is Cx1x1
	Kernel    int   // 0 for FC
	Stride    int
	Pad       int
	BatchNorm bool
	Reads     int   // the layer whose output it reads, or [InputLayer]
	Join      *Join // addition of a residual block, before pooling
	Pool      Pool
	Pooled    Shape // after addition and pooling: what later layers read
	MaxValue  int   // largest value of the output: 1 for spikes, more after additions
}

// Weights returns |W^n|: there are no biases.
func (l Layer) Weights() units.Words {
	if l.Kind == FC {
		return units.Words(l.In.Size()) * units.Words(l.Out.Size())
	}
	return units.Words(l.In.Channels) * units.Words(l.Kernel*l.Kernel) * units.Words(l.Out.Channels)
}

// Neurons returns the LIF neurons of one sample before pooling: |U^n| is this
// times the batch.
func (l Layer) Neurons() units.Words { return units.Words(l.Out.Size()) }

// DenseAdditions returns M^n of one sample: |W^n||U^n|/C_o for a convolution,
// |W^n||U^n|/N_n for a fully connected layer (Eq. 15).
func (l Layer) DenseAdditions() int64 {
	return int64(l.Weights()) * int64(l.Out.Positions())
}

// HasPool tells whether a pooling layer follows.
func (l Layer) HasPool() bool { return l.Pool.Height > 0 }

// ValueBits is the number of bits of one output value: 1 for spikes.
func (l Layer) ValueBits() int { return bits.Len(uint(l.MaxValue)) }

// Network is a network's geometry.
type Network struct {
	Input    Shape
	Encoding Encoding
	Text     string // the layers in Table 2 notation
	Layers   []Layer
	Classes  int
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

// Consumers returns the layers that read layer l's output, ascending.
func (n *Network) Consumers(l int) []int {
	var readers []int
	for i := range n.Layers {
		if n.Layers[i].Reads == l {
			readers = append(readers, i+1)
		}
	}
	return readers
}

// Block is a local block: layers First..Last and a classifier of its own.
type Block struct {
	Index       int // 1..
	First, Last int
}

// Inside tells whether layer l's input is produced inside b, so that errors
// pass through W^l within the block: W^(n+1) of Eqs. 12, 14 and 17.
func (b Block) Inside(l *Layer) bool { return l.Reads >= b.First }

// Layers returns the numbers of b's layers.
func (b Block) Layers() []int {
	numbers := make([]int, 0, b.Last-b.First+1)
	for l := b.First; l <= b.Last; l++ {
		numbers = append(numbers, l)
	}
	return numbers
}

// Blocks cuts the network into local blocks of n layers. The last may be
// shorter; a boundary that would cut a residual block moves to its end.
func (n *Network) Blocks(size int) ([]Block, error) {
	if size < 1 || size > n.N() {
		return nil, fmt.Errorf("n = %d is out of range; a local block of this network has 1 to %d layers", size, n.N())
	}
	var blocks []Block
	for first := 1; first <= n.N(); {
		last := min(first+size-1, n.N())
		for n.cutsResidual(last) {
			last++
		}
		blocks = append(blocks, Block{Index: len(blocks) + 1, First: first, Last: last})
		first = last + 1
	}
	return blocks, nil
}

// cutsResidual tells whether a block boundary after layer l falls inside a
// residual block.
func (n *Network) cutsResidual(l int) bool {
	for i := l; i < n.N(); i++ {
		if j := n.Layers[i].Join; j != nil && j.Conv-1 <= l {
			return true
		}
	}
	return false
}

// ClassifierInputs returns the neurons that block b's classifier reads from
// one sample: the block's last spikes after pooling, flattened.
func (n *Network) ClassifierInputs(b Block) int { return n.Layer(b.Last).Pooled.Size() }

// ClassifierWeights returns |W_c| of block b.
func (n *Network) ClassifierWeights(b Block) units.Words {
	return units.Words(n.ClassifierInputs(b)) * units.Words(n.Classes)
}

// rebuild returns the same layers for another input and number of classes.
func (n *Network) rebuild(input Shape, e Encoding, classes int) (*Network, error) {
	tokens, err := scan(n.Text)
	if err != nil {
		return nil, err
	}
	final := &tokens[len(tokens)-1]
	if final.repeats > 1 { // only the last repeat is the classifier
		last := *final
		last.repeats = 1
		final.repeats--
		tokens = append(tokens, last)
	}
	tokens[len(tokens)-1].number = classes
	text := ""
	for i, t := range tokens {
		if i > 0 {
			text += "-"
		}
		text += t.String()
	}
	return Parse(text, input, e)
}

func suffix(letter string, v, unless int) string {
	if v == unless {
		return ""
	}
	return letter + strconv.Itoa(v)
}
