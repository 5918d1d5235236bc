package tensors

import (
	"fmt"
	"math"

	"accelsim/network"
)

// Norm holds the batch norm of one layer: trained gain and bias, and running
// statistics, one value per channel.
type Norm struct{ Gain, Bias, Mean, Variance []float32 }

// Parameters holds what training changes, in the layouts of CONTRACT.md.
type Parameters struct {
	Weights     [][]float32 // [l-1]: conv [Co,Ci,K,K], fc [out,in], in = C,H,W
	Classifiers [][]float32 // [b-1]: [classes,in]
	Norms       []*Norm     // [l-1]: nil where the layer has no batch norm
}

// Batch holds the inputs of one iteration.
type Batch struct {
	// X is [T,B,C,H,W], or [B,C,H,W] if Static: the same frame at every step.
	X      []float32
	Static bool
	Y      []int // [B], classes from 0
}

// Input is a batch with the parameters to start from.
type Input struct {
	Batch
	Parameters
}

// WeightShape is layer l's weight tensor.
func WeightShape(l *network.Layer) []int {
	if l.Kind == network.FC {
		return []int{l.Out.Channels, l.In.Size()}
	}
	return []int{l.Out.Channels, l.In.Channels, l.Kernel, l.Kernel}
}

// ClassifierShape is block b's weight tensor.
func ClassifierShape(n *network.Network, b network.Block) []int {
	return []int{n.Classes, n.ClassifierInputs(b)}
}

// NormNames are the suffixes of a layer's batch norm tensors bn<l>_*.
var NormNames = [4]string{"gain", "bias", "mean", "var"}

// Slices returns gain, bias, mean and variance in the order of [NormNames].
func (n *Norm) Slices() [4]*[]float32 { return [4]*[]float32{&n.Gain, &n.Bias, &n.Mean, &n.Variance} }

// Input checks the tensors of an iteration against the workload and its
// blocks, and returns them. The batch is w.Batch, the steps w.Timesteps.
// Errors say which tensor is wrong and what was expected.
func (s Set) Input(w *network.Workload, blocks []network.Block) (*Input, error) {
	c := checker{set: s, left: map[string]bool{}}
	for name := range s {
		c.left[name] = true
	}
	in, shape := &Input{}, w.Net.Input
	in.X = c.floats("x", w.Timesteps, w.Batch, shape.Channels, shape.Height, shape.Width)
	in.Y = c.labels(w.Batch, w.Net.Classes)
	for i := range w.Net.Layers {
		l := &w.Net.Layers[i]
		in.Weights = append(in.Weights, c.floats(fmt.Sprintf("w%d", l.Index), WeightShape(l)...))
		if !l.BatchNorm {
			in.Norms = append(in.Norms, nil)
			continue
		}
		norm := &Norm{}
		for j, to := range norm.Slices() {
			*to = c.floats(fmt.Sprintf("bn%d_%s", l.Index, NormNames[j]), l.Out.Channels)
		}
		for channel, v := range norm.Variance {
			if v < 0 && c.err == nil {
				c.err = fmt.Errorf("bn%d_var: the running variance of channel %d is %g; it must not be negative", l.Index, channel+1, v)
			}
		}
		in.Norms = append(in.Norms, norm)
	}
	for _, b := range blocks {
		in.Classifiers = append(in.Classifiers, c.floats(fmt.Sprintf("wc%d", b.Index), ClassifierShape(w.Net, b)...))
	}
	if c.err == nil {
		c.err = in.checkFrames(w)
	}
	if c.err == nil {
		for _, name := range s.Names() {
			if c.left[name] {
				return nil, fmt.Errorf("%s is no tensor of this workload: it has w1..w%d, wc1..wc%d, x, y and bn<l>_* where there is batch norm",
					name, w.Net.N(), len(blocks))
			}
		}
	}
	return in, c.err
}

// checkFrames holds x to the encoding: binary frames, or T equal ones.
func (in *Input) checkFrames(w *network.Workload) error {
	if w.Net.Encoding == network.Event {
		for i, v := range in.X {
			if v != 0 && v != 1 {
				return fmt.Errorf("x: value %d is %g; event frames hold 0 and 1 only", i, v)
			}
		}
		return nil
	}
	frame := w.Batch * w.Net.Input.Size()
	for i, v := range in.X {
		if v != in.X[i%frame] {
			return fmt.Errorf("x: step %d differs from step 1 at value %d; direct encoding takes %d equal frames", i/frame+1, i%frame, w.Timesteps)
		}
	}
	return nil
}

// checker collects the first error.
type checker struct {
	set  Set
	left map[string]bool
	err  error
}

func (c *checker) find(name string, shape []int) (Tensor, bool) {
	delete(c.left, name)
	if c.err != nil {
		return Tensor{}, false
	}
	t, ok := c.set[name]
	switch {
	case !ok:
		c.err = fmt.Errorf("%s is missing; expected %s", name, ShapeString(shape))
	case !sameShape(t.Shape, shape):
		c.err = fmt.Errorf("%s has shape %s; expected %s", name, ShapeString(t.Shape), ShapeString(shape))
	}
	return t, c.err == nil
}

func (c *checker) floats(name string, shape ...int) []float32 {
	t, ok := c.find(name, shape)
	if !ok {
		return nil
	}
	if t.Int64 != nil {
		c.err = fmt.Errorf("%s is of type int64; expected float32", name)
		return nil
	}
	values := t.Float32
	if values == nil {
		values = make([]float32, len(t.Float64))
		for i, v := range t.Float64 {
			values[i] = float32(v)
		}
	}
	for i, v := range values {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			c.err = fmt.Errorf("%s: value %d is %g; finite numbers are expected", name, i, v)
			return nil
		}
	}
	return values
}

func (c *checker) labels(batch, classes int) []int {
	t, ok := c.find("y", []int{batch})
	if !ok {
		return nil
	}
	if t.Int64 == nil {
		c.err = fmt.Errorf("y is of type %s; expected int64", t.DType())
		return nil
	}
	labels := make([]int, batch)
	for i, v := range t.Int64 {
		if v < 0 || v >= int64(classes) {
			c.err = fmt.Errorf("y: label %d of sample %d is out of range; there are classes 0 to %d", v, i+1, classes-1)
			return nil
		}
		labels[i] = int(v)
	}
	return labels
}
