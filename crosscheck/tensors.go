package crosscheck

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/accelsim-dev/accelsim/dataset"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// assumedDensity is the density of spikes for which weights are scaled.
const assumedDensity = 0.2

// RandomInput returns seeded random tensors for a verification: input values
// that are non-zero with probability assumedDensity, labels, and weights as of
// [RandomParameters].
func RandomInput(w *network.Workload, blocks []network.Block, seed uint64) *tensors.Input {
	r := rand.New(rand.NewPCG(seed, 1))
	in := &tensors.Input{Parameters: *RandomParameters(w, blocks, seed)}
	frames := w.Timesteps
	if in.Static = w.Net.Encoding == network.Direct; in.Static {
		frames = 1
	}
	in.X = make([]float32, frames*w.Batch*w.Net.Input.Size())
	for i := range in.X {
		if r.Float64() >= assumedDensity {
			continue
		}
		in.X[i] = 1
		if in.Static {
			in.X[i] = 1 - float32(r.Float32()) // above 0, at most 1
		}
	}
	for range w.Batch {
		in.Y = append(in.Y, r.IntN(w.Net.Classes))
	}
	return in
}

// RandomParameters returns seeded weights, uniform within g/sqrt(fan-in). The
// factor g makes a synaptic sum's standard deviation the threshold, so that
// layers of any depth fire: a verification without spikes verifies nothing.
func RandomParameters(w *network.Workload, blocks []network.Block, seed uint64) *tensors.Parameters {
	r := rand.New(rand.NewPCG(seed, 2))
	g := w.Neuron.Threshold * math.Sqrt(3/assumedDensity)
	uniform := func(n, fanIn int) []float32 {
		values := make([]float32, n)
		bound := g / math.Sqrt(float64(fanIn))
		for i := range values {
			values[i] = float32((float64(r.Float64()) - 0.5) * (2 * bound))
		}
		return values
	}
	between := func(n int, low, high float64) []float32 {
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(low + float64((high-low)*r.Float64()))
		}
		return values
	}
	p := &tensors.Parameters{}
	net := w.Net
	for i := range net.Projections() {
		l, projection := net.Projection(i + 1)
		p.Weights = append(p.Weights, uniform(int(l.WeightsOf(*projection)), int(projection.FanIn())))
	}
	p.Biases, p.Feedback = make([][]float32, net.N()), make([][]float32, net.N())
	for i := range net.Layers {
		l := &net.Layers[i]
		if l.Bias {
			p.Biases[i] = between(l.Out.Channels, -0.1, 0.1)
		}
		if w.Training.Rule.FeedsBack(l.Index, blocks) {
			p.Feedback[i] = uniform(net.Classes*l.Pooled.Size(), l.Pooled.Size())
		}
		p.Neurons = append(p.Neurons, randomNeurons(w.NeuronOf(l), l.Out.Size(), between))
		if !l.BatchNorm {
			p.Norms = append(p.Norms, nil)
			continue
		}
		n := l.Out.Channels
		p.Norms = append(p.Norms, &tensors.Norm{
			Gain: between(n, 0.5, 1.5), Bias: between(n, -0.2, 0.2), Mean: between(n, -0.2, 0.2), Variance: between(n, 0.5, 1.5),
		})
	}
	for _, b := range blocks {
		p.Classifiers = append(p.Classifiers, uniform(int(w.Net.ClassifierWeights(b)), w.Net.ClassifierInputs(b)))
		var bias []float32
		if w.Training.ClassifierBias {
			bias = between(net.Classes, -0.1, 0.1)
		}
		p.ClassifierBiases = append(p.ClassifierBiases, bias)
	}
	return p
}

// DatasetInput returns the tensors of a batch of a dataset's training samples,
// drawn by seed, with weights as of [RandomParameters].
func DatasetInput(w *network.Workload, blocks []network.Block, set *dataset.Set, seed uint64) (*tensors.Input, error) {
	switch {
	case set.Encoding != w.Net.Encoding:
		return nil, fmt.Errorf("dataset %s has %s encoding; the network takes %s", set.Name, set.Encoding, w.Net.Encoding)
	case set.Shape != w.Net.Input:
		return nil, fmt.Errorf("dataset %s has frames of %v; the network takes %v", set.Name, set.Shape, w.Net.Input)
	case set.Classes != w.Net.Classes:
		return nil, fmt.Errorf("dataset %s has %d classes; the network has %d", set.Name, set.Classes, w.Net.Classes)
	case set.Len() < w.Batch:
		return nil, fmt.Errorf("dataset %s has %d samples, fewer than the batch of %d", set.Name, set.Len(), w.Batch)
	}
	r := rand.New(rand.NewPCG(seed, 3))
	var batch dataset.Batch
	if err := set.ReadBatch(r.Perm(set.Len())[:w.Batch], &batch); err != nil {
		return nil, err
	}
	return &tensors.Input{
		Batch:      tensors.Batch{X: batch.X, Static: set.Encoding == network.Direct, Y: batch.Labels},
		Parameters: *RandomParameters(w, blocks, seed),
	}, nil
}

// randomNeurons are values of the parameters that differ from neuron to neuron, around
// those of common networks.
func randomNeurons(n network.Neuron, neurons int, between func(n int, low, high float64) []float32) (own [network.NumParameters][]float32) {
	ranges := [network.NumParameters][2]float64{
		network.LeakParameter: {0.5, 0.95}, network.ResetParameter: {0.2, 0.5}, network.ThresholdParameter: {0.3, 0.6},
		network.InputGainParameter: {0.5, 1.5}, network.OffsetParameter: {-0.02, 0.02}, network.HardResetParameter: {-0.1, 0.1},
		network.SynapseLeakParameter: {0.3, 0.8}, network.SynapseGainParameter: {0.5, 1.5},
	}
	for _, p := range n.Arrays.List() {
		own[p] = between(neurons, ranges[p][0], ranges[p][1])
	}
	return own
}
