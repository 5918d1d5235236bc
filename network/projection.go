package network

import (
	"fmt"
	"math"

	"github.com/accelsim-dev/accelsim/units"
)

// Kind tells how a projection connects what it reads to a layer.
type Kind string

// The kinds of projection.
const (
	Conv     Kind = "conv"
	FC       Kind = "fc"
	Identity Kind = "identity" // the value itself is added to the current: no weights
)

// Pair is a size along the height and the width of a map.
type Pair struct{ Height, Width int }

// Square returns the pair of equal sizes.
func Square(size int) Pair { return Pair{size, size} }

// Area returns Height x Width.
func (p Pair) Area() int { return p.Height * p.Width }

// Kernel is the geometry of a convolution.
type Kernel struct {
	Size, Stride, Pad, Dilation Pair
	// Groups cuts input and output channels into as many parts, each connected to
	// its own; 1 connects all.
	Groups int
}

// Projection is what brings values of one map to the neurons of a layer; the
// currents of a layer's projections are added.
type Projection struct {
	Kind Kind
	From int // the layer whose output it reads, [InputLayer], or the layer itself: its own spikes
	// Delay is the steps by which the values are older: 0 or 1.
	Delay  int
	In     Shape  // of what it reads; FC flattens it
	Kernel Kernel // of a convolution
	// Number counts the weighted projections of the layer from 1; 0 has no weights.
	Number int
	// Index counts the weighted projections of the network: 1..N are the first ones of
	// the layers, the others follow. Weights and what belongs to them go by it.
	Index int
}

// Weighted tells whether the projection has weights.
func (p Projection) Weighted() bool { return p.Kind != Identity }

// FanIn returns the weights that lead to one neuron.
func (p Projection) FanIn() int64 {
	switch p.Kind {
	case FC:
		return int64(p.In.Size())
	case Conv:
		return int64(p.In.Channels/p.Kernel.Groups) * int64(p.Kernel.Size.Area())
	case Identity:
	}
	return 0
}

// Weights returns how many weights the projection has to so many channels.
func (p Projection) Weights(channels int) units.Words {
	return units.Words(p.FanIn()) * units.Words(channels)
}

// Shape returns the map that a convolution makes of the map that it reads, or an
// error that tells what does not fit.
func (k Kernel) Shape(in Shape, channels int) (Shape, error) {
	padded, err := units.Mul(int64(in.Channels), int64(in.Height)+2*int64(k.Pad.Height), int64(in.Width)+2*int64(k.Pad.Width))
	if err != nil || padded > math.MaxInt/8 {
		return Shape{}, fmt.Errorf("on %v: %w", in, units.ErrOverflow)
	}
	reach := Pair{k.Dilation.Height*(k.Size.Height-1) + 1, k.Dilation.Width*(k.Size.Width-1) + 1}
	height, width := in.Height+2*k.Pad.Height-reach.Height, in.Width+2*k.Pad.Width-reach.Width
	if height < 0 || width < 0 {
		return Shape{}, fmt.Errorf("has a %dx%d kernel, larger than its input %v with padding %s", reach.Height, reach.Width, in, k.Pad)
	}
	return Shape{channels, height/k.Stride.Height + 1, width/k.Stride.Width + 1}, nil
}

// String prints equal sizes as one number.
func (p Pair) String() string {
	if p.Height == p.Width {
		return fmt.Sprint(p.Height)
	}
	return fmt.Sprintf("[%d, %d]", p.Height, p.Width)
}
