package role

import (
	"math/bits"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/units"
)

// Extents are the sizes of a tensor's four dimensions.
type Extents [4]int64

// Values returns how many values a tensor of these extents has.
func (e Extents) Values() int64 { return e[0] * e[1] * e[2] * e[3] }

// Region returns all of a tensor of these extents.
func (e Extents) Region() Region {
	return Whole(int(e[0]), int(e[1]), int(e[2]), int(e[3]))
}

// Sizes is what the sizes of tensors depend on: the workload, its blocks, and
// the bytes of a word, which are those of the machine's number format.
type Sizes struct {
	Workload *network.Workload
	Blocks   []network.Block
	Word     units.Bytes
}

const (
	byteBits                = 8
	doubleBytes units.Bytes = 8 // IEEE 754 binary64
)

// DoubleWords returns the words that one [Double] takes.
func (s *Sizes) DoubleWords() units.Words { return units.Words(doubleBytes / s.Word) }

// Extents returns the sizes of a tensor's dimensions.
func (s *Sizes) Extents(r Role, index int) Extents { return table[r].Shape(s, index) }

// Format returns how a tensor's values are stored.
func (s *Sizes) Format(r Role) Format {
	if r == Input {
		return frameFormat(s.Workload.Net.Encoding)
	}
	return table[r].Format
}

// SpikeBits returns the bits of one value of a tensor whose format is [Spike].
func (s *Sizes) SpikeBits(r Role, index int) int {
	if bits := table[r].Bits; bits != nil {
		return bits(s, index)
	}
	return 1
}

// valueBits are those of a layer's output values.
func valueBits(s *Sizes, index int) int { return s.Workload.Net.Layer(index).ValueBits() }

// placeBits number the places of a pooling window.
func placeBits(s *Sizes, index int) int {
	return max(bits.Len(uint(s.Workload.Net.Layer(index).Pool.Window.Area()-1)), 1)
}

// Words returns the size of a tensor.
func (s *Sizes) Words(r Role, index int) units.Words {
	extents := s.Extents(r, index)
	words := units.Words(extents.Values())
	switch s.Format(r) {
	case Spike:
		words = units.CeilDiv(words*units.Words(s.SpikeBits(r, index)), units.Words(byteBits*s.Word))
	case Double:
		words *= s.DoubleWords()
	case Number, Integer:
	}
	if table[r].Deviations {
		words += s.DoubleWords() * units.Words(extents[3])
	}
	return words
}

// maps is a batch of maps.
func (s *Sizes) maps(m network.Shape) Extents {
	return Extents{int64(s.Workload.Batch), int64(m.Height), int64(m.Width), int64(m.Channels)}
}

// row is a batch of vectors.
func (s *Sizes) row(values int) Extents { return Extents{int64(s.Workload.Batch), 1, 1, int64(values)} }

// channels is so many values for each channel of a layer.
func (s *Sizes) channels(rows, index int) Extents {
	return Extents{1, 1, int64(rows), int64(s.Workload.Net.Layer(index).Out.Channels)}
}

func frame(s *Sizes, _ int) Extents { return s.maps(s.Workload.Net.Input) }

func labels(s *Sizes, _ int) Extents { return s.row(1) }

func neurons(s *Sizes, index int) Extents { return s.maps(s.Workload.Net.Layer(index).Out) }

// neuronParameters are maps of the parameters that differ from neuron to neuron.
func neuronParameters(s *Sizes, index int) Extents {
	l := s.Workload.Net.Layer(index)
	maps := s.maps(l.Out)
	maps[0] = int64(len(s.Workload.NeuronOf(l).Arrays.List()))
	return maps
}

func pooled(s *Sizes, index int) Extents { return s.maps(s.Workload.Net.Layer(index).Pooled) }

func classes(s *Sizes, _ int) Extents { return s.row(s.Workload.Net.Classes) }

// weights are a kernel; that of a fully connected layer is as large as its
// input.
func weights(s *Sizes, index int) Extents {
	l, p := s.Workload.Net.Projection(index)
	if p.Kind == network.FC {
		return Extents{int64(p.In.Height), int64(p.In.Width), int64(p.In.Channels), int64(l.Out.Channels)}
	}
	k := p.Kernel
	return Extents{int64(k.Size.Height), int64(k.Size.Width), int64(p.In.Channels / k.Groups), int64(l.Out.Channels)}
}

func classifierWeights(s *Sizes, index int) Extents {
	net := s.Workload.Net
	in := net.Layer(s.Blocks[index-1].Last).Pooled
	return Extents{int64(in.Height), int64(in.Width), int64(in.Channels), int64(net.Classes)}
}

// kept is what the optimizer keeps for a tensor of parameters: moment after
// moment.
func (s *Sizes) kept(parameters Extents) Extents {
	return Extents{1, 1, int64(s.Workload.Training.Moments()), parameters.Values()}
}

func moments(s *Sizes, index int) Extents { return s.kept(weights(s, index)) }

func classifierMoments(s *Sizes, index int) Extents { return s.kept(classifierWeights(s, index)) }

func gainAndBias(s *Sizes, index int) Extents { return s.channels(2, index) }

func bias(s *Sizes, index int) Extents { return s.channels(1, index) }

func biasMoments(s *Sizes, index int) Extents { return s.kept(bias(s, index)) }

func normMoments(s *Sizes, index int) Extents { return s.kept(gainAndBias(s, index)) }

// threeAChannel are batch norm's sums: two of a pass and 1/std.
func threeAChannel(s *Sizes, index int) Extents { return s.channels(3, index) }

// classValues are a value for each class.
func classValues(s *Sizes, _ int) Extents { return Extents{1, 1, 1, int64(s.Workload.Net.Classes)} }

func classMoments(s *Sizes, index int) Extents { return s.kept(classValues(s, index)) }

// projected is what a projection reads.
func projected(s *Sizes, index int) Extents {
	_, p := s.Workload.Net.Projection(index)
	return s.maps(p.In)
}

// classified is what a classifier reads.
func classified(s *Sizes, index int) Extents { return pooled(s, s.Blocks[index-1].Last) }

// feedback leads from classes to a layer's outputs; it lies as a classifier's weights
// do.
func feedback(s *Sizes, index int) Extents {
	out := s.Workload.Net.Layer(index).Pooled
	return Extents{int64(out.Height), int64(out.Width), int64(out.Channels), int64(s.Workload.Net.Classes)}
}
