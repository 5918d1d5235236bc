package tensors

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/accelsim-dev/accelsim/network"
)

// Norm holds the batch norm of one layer: trained gain and bias, and running
// statistics, one value per channel.
type Norm struct{ Gain, Bias, Mean, Variance []float32 }

// Parameters holds what training changes, in the layouts of CONTRACT.md.
type Parameters struct {
	Weights     [][]float32 // by projection's index-1: conv [Co,Ci/groups,Kh,Kw], fc [out,in], in = C,H,W
	Classifiers [][]float32 // [b-1]: [classes,in]
	Norms       []*Norm     // [l-1]: nil where the layer has no batch norm
	Biases      [][]float32 // [l-1]: [channels]; nil where the layer has none

	// Neurons are parameters of which each neuron of a layer has a value of its own, in
	// the order of the layer's maps; [l-1][parameter], nil where they have one.
	Neurons [][network.NumParameters][]float32

	ClassifierBiases [][]float32 // [b-1]: [classes]; nil where they have none
	Feedback         [][]float32 // [l-1]: [classes,outputs], fixed; nil where the rule has none
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

// WeightShape is the weight tensor of a projection to a layer.
func WeightShape(l *network.Layer, p *network.Projection) []int {
	if p.Kind == network.FC {
		return []int{l.Out.Channels, p.In.Size()}
	}
	k := p.Kernel
	return []int{l.Out.Channels, p.In.Channels / k.Groups, k.Size.Height, k.Size.Width}
}

// ClassifierShape is block b's weight tensor.
func ClassifierShape(n *network.Network, b network.Block) []int {
	return []int{n.Classes, n.ClassifierInputs(b)}
}

// NormNames are the suffixes of a layer's batch norm tensors bn<l>_*.
var NormNames = [4]string{"gain", "bias", "mean", "var"}

// Slices returns gain, bias, mean and variance in the order of [NormNames].
func (n *Norm) Slices() [4]*[]float32 { return [4]*[]float32{&n.Gain, &n.Bias, &n.Mean, &n.Variance} }

// ReadInput reads the tensors of an iteration from an NPZ file, held to the
// workload and its blocks: the batch is w.Batch, the steps w.Timesteps. Errors say
// which tensor of the file is wrong and what was expected.
func ReadInput(path string, w *network.Workload, blocks []network.Block) (*Input, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in, err := readInput(f, w, blocks)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return in, nil
}

// ReadInputs does so with files that have the tensors together. Without labels y it
// is for an inference, whatever the workload's rule: no Y, and nothing that only
// learning needs.
func ReadInputs(w *network.Workload, blocks []network.Block, paths ...string) (*Input, error) {
	all := together{}
	for _, path := range paths {
		f, err := Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if err := all.add(f); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if _, labelled := all["y"]; !labelled {
		forward := *w
		forward.Training.Rule = network.Rule{Inference: true}
		w = &forward
	}
	in, err := readInput(all, w, blocks)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(paths, ", "), err)
	}
	return in, nil
}

// Input does so with a set.
func (s Set) Input(w *network.Workload, blocks []network.Block) (*Input, error) {
	return readInput(s, w, blocks)
}

func readInput(from Arrays, w *network.Workload, blocks []network.Block) (*Input, error) {
	in := &Input{}
	wanted := in.wanted(w, blocks)
	if err := onlyWanted(from, wanted, w, blocks); err != nil {
		return nil, err
	}
	for _, t := range wanted {
		if err := t.check(from); err != nil {
			return nil, err
		}
	}
	for _, t := range wanted {
		if err := t.read(from); err != nil {
			return nil, err
		}
	}
	return in, in.check(w)
}

// wanted is a tensor that a workload has, and where it goes.
type wanted struct {
	name   string
	shape  []int
	values *[]float32
	labels *[]int
	frames bool // whole numbers are values, too
}

// wanted lists the tensors of a workload.
func (in *Input) wanted(w *network.Workload, blocks []network.Block) []wanted {
	shape := w.Net.Input
	list := []wanted{
		{name: "x", shape: []int{w.Timesteps, w.Batch, shape.Channels, shape.Height, shape.Width}, values: &in.X, frames: true},
	}
	if !w.Training.Rule.Inference {
		list = append(list, wanted{name: "y", shape: []int{w.Batch}, labels: &in.Y})
	}
	return append(list, in.Parameters.wanted(w, blocks)...)
}

// onlyWanted refuses tensors that are none of the workload's.
func onlyWanted(from Arrays, list []wanted, w *network.Workload, blocks []network.Block) error {
	known := map[string]bool{}
	for _, t := range list {
		known[t.name] = true
	}
	there := map[string]bool{}
	for _, name := range from.Names() {
		there[name] = true
		if !known[name] {
			return fmt.Errorf("%s is no tensor of this workload: it has %s",
				name, names(list))
		}
	}
	for _, t := range list {
		if !there[t.name] {
			return fmt.Errorf("%s is missing; expected %s", t.name, ShapeString(t.shape))
		}
	}
	return nil
}

// names lists what is wanted, at most so much that an error stays a line.
func names(list []wanted) string {
	const most = 24
	var b strings.Builder
	for i, t := range list {
		if i == most {
			fmt.Fprintf(&b, ", .. (%d in all)", len(list))
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(t.name)
	}
	return b.String()
}

// check holds what the tensor says of itself to what is expected.
func (t *wanted) check(from Arrays) error {
	h, err := from.Header(t.name)
	switch {
	case err != nil:
		return err
	case !slices.Equal(h.Shape, t.shape) && !(t.frames && slices.Equal(h.Shape, flat(t.shape))):
		return fmt.Errorf("%s has shape %s; expected %s", t.name, ShapeString(h.Shape), ShapeString(t.shape))
	case t.labels != nil && h.Type.Float():
		return fmt.Errorf("%s is of type %v; expected int64, or another type of whole numbers", t.name, h.Type)
	case t.labels == nil && !t.frames && !h.Type.Float():
		return fmt.Errorf("%s is of type %v; expected float32, float16 or float64", t.name, h.Type)
	}
	return nil
}

// flat is the shape of frames without the height and width of 1 that they may leave out.
func flat(shape []int) []int {
	for len(shape) > 3 && shape[len(shape)-1] == 1 {
		shape = shape[:len(shape)-1]
	}
	return shape
}

// read reads the values.
func (t *wanted) read(from Arrays) error {
	n := 1
	for _, extent := range t.shape {
		n *= extent
	}
	if t.labels != nil {
		*t.labels = make([]int, n)
		return from.Each(t.name, func(i int, v Value) error {
			(*t.labels)[i] = int(max(min(v.whole, math.MaxInt32), math.MinInt32)) // out of any range
			return nil
		})
	}
	*t.values = make([]float32, n)
	return from.Each(t.name, func(i int, v Value) error {
		f, exact := v.Float32()
		if !exact {
			return fmt.Errorf("is %v, which float32 has not exactly", v)
		}
		if f-f != 0 { // NaN and infinities
			return fmt.Errorf("is %v; finite numbers are expected", v)
		}
		(*t.values)[i] = f
		return nil
	})
}

// check holds the values to the workload.
func (in *Input) check(w *network.Workload) error {
	for i, label := range in.Y {
		if label < 0 || label >= w.Net.Classes {
			return fmt.Errorf("y: label %d of sample %d is out of range; there are classes 0 to %d", label, i+1, w.Net.Classes-1)
		}
	}
	if err := in.Parameters.check(w); err != nil {
		return err
	}
	return in.checkFrames(w)
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
