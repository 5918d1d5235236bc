package golden

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// BenchCase is one of the cases that are timed beside PyTorch (the peer's
// torch_speed.py): the same network, T, batch, neuron, direct input of uniform
// values and normal weights of deviation 1.6/sqrt(fan-in).
type BenchCase struct {
	Name                 string // as the peer names it: net-k-n
	Net                  string
	Input                network.Shape
	K, N                 int
	Timesteps, BatchSize int
	Repeats              int // timed iterations, after one to warm up
}

// BenchCases returns the peer's three cases.
func BenchCases() []BenchCase {
	lenet, alexnet := network.Shape{Channels: 1, Height: 28, Width: 28}, network.Shape{Channels: 3, Height: 32, Width: 32}
	return []BenchCase{
		{Name: "lenet1-20-4", Net: "lenet1", Input: lenet, K: 20, N: 4, Timesteps: 20, BatchSize: 128, Repeats: 5},
		{Name: "lenet1-1-1", Net: "lenet1", Input: lenet, K: 1, N: 1, Timesteps: 20, BatchSize: 128, Repeats: 5},
		{Name: "alexnet-1-1", Net: "alexnet", Input: alexnet, K: 1, N: 1, Timesteps: 10, BatchSize: 16, Repeats: 3},
	}
}

// Trainer returns a trainer and a batch for the case.
func (c BenchCase) Trainer(workers int) (*Trainer, tensors.Batch, error) {
	w, err := network.Open(c.Net)
	if err != nil {
		return nil, tensors.Batch{}, err
	}
	if w.Net, err = network.Parse(w.Net.Text, c.Input, network.Direct); err != nil {
		return nil, tensors.Batch{}, err
	}
	w.Timesteps, w.Batch = c.Timesteps, c.BatchSize
	w.Neuron = network.Neuron{Leak: 0.9, Reset: 0.3, Threshold: 0.5, SurrogateWidth: 0.5}
	w.Training.LearningRate, w.Training.Momentum = 0.01, 0.9
	t, err := New(w, c.K, c.N, Options{NoDropout: true, Workers: workers})
	if err != nil {
		return nil, tensors.Batch{}, err
	}
	random := rand.New(rand.NewPCG(0, 0))
	p := t.Parameters()
	for i, weights := range p.Weights {
		drawNormal(random, weights, len(weights)/w.Net.Layers[i].Out.Channels)
	}
	for _, weights := range p.Classifiers {
		drawNormal(random, weights, len(weights)/w.Net.Classes)
	}
	t.SetParameters(p)
	batch := tensors.Batch{X: make([]float32, c.BatchSize*c.Input.Size()), Static: true, Y: make([]int, c.BatchSize)}
	for i := range batch.X {
		batch.X[i] = random.Float32()
	}
	for i := range batch.Y {
		batch.Y[i] = random.IntN(w.Net.Classes)
	}
	return t, batch, nil
}

func drawNormal(random *rand.Rand, weights []float32, fanIn int) {
	deviation := 1.6 / math.Sqrt(float64(fanIn))
	for i := range weights {
		weights[i] = float32(random.NormFloat64() * deviation)
	}
}

// Run times iterations and returns the best.
func (c BenchCase) Run() (time.Duration, error) {
	t, batch, err := c.Trainer(0)
	if err != nil {
		return 0, err
	}
	best := time.Duration(math.MaxInt64)
	for i := range c.Repeats + 1 {
		began := time.Now()
		if _, err := t.Train(batch); err != nil {
			return 0, fmt.Errorf("%s: %w", c.Name, err)
		}
		if i > 0 {
			best = min(best, time.Since(began))
		}
	}
	return best, nil
}
