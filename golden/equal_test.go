package golden

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// task is a random training task on a small network.
type task struct {
	workload *network.Workload
	k, n     int
	in       *tensors.Input
}

// tinyNetworks have every kind of layer, odd sizes, and accumulators of all
// widths.
var tinyNetworks = []struct {
	layers string
	input  network.Shape
}{
	{"12FC-10FC-5FC", network.Shape{Channels: 2, Height: 3, Width: 3}},
	{"70FC-150FC-11FC", network.Shape{Channels: 1, Height: 4, Width: 5}},
	{"6C5p2-6AP2-16C5p1-16AP2-20C2p0-9FC-7FC", network.Shape{Channels: 1, Height: 14, Width: 14}},
	{"4C3-4AP2-6C3-12FC-5FC", network.Shape{Channels: 2, Height: 8, Width: 9}},
	{"3C3p2-40C3p0-40AP3-8C1-5FC", network.Shape{Channels: 3, Height: 7, Width: 8}},
	{"4C3s2-9C3p3-9C2p0s3-33C3-3FC", network.Shape{Channels: 2, Height: 11, Width: 10}},
	{"4C3p1s2-4RB-6RB-AdaptiveAP-5FC", network.Shape{Channels: 2, Height: 9, Width: 12}},
	{"4C3-BN-4RBx2-BN-6RB-BN-6AP2-17FC-BN-5FC", network.Shape{Channels: 2, Height: 8, Width: 8}},
	{"5C3-BN-5AP2-130C3-BN-7FC-BN-4FC", network.Shape{Channels: 3, Height: 6, Width: 6}},
	{"2RB-3RB-5FC", network.Shape{Channels: 2, Height: 5, Width: 4}},
	{"6C3-6AP5-9C3-40C5p2s2-12C1p1-3FC", network.Shape{Channels: 2, Height: 5, Width: 5}},
	{"8C3-8C3-4FC", network.Shape{Channels: 1, Height: 6, Width: 9}},
}

// newTask draws one.
func newTask(t testing.TB, seed uint64) task {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	pick := tinyNetworks[int(seed)%len(tinyNetworks)]
	encoding := []network.Encoding{network.Event, network.Direct}[random.IntN(2)]
	w := &network.Workload{
		Name: "random", Timesteps: []int{1, 2, 4, 6}[random.IntN(4)], Batch: 1 + random.IntN(5),
		Neuron: network.Neuron{
			Leak: random.Float64(), Reset: random.Float64() * 0.5,
			Threshold: 0.2 + 0.4*random.Float64(), SurrogateWidth: 0.5 + random.Float64(),
		},
		Training: network.Training{
			Loss:         []string{network.MSE, network.CrossEntropy}[random.IntN(2)],
			Optimizer:    network.Optimizers()[random.IntN(3)],
			LearningRate: 0.05, Momentum: 0.9, Beta1: 0.9, Beta2: 0.999, Rho: 0.9, Epsilon: 1e-8,
			Classifier: []string{network.Trainable, network.Random}[random.IntN(2)],
		},
	}
	var err error
	if pick.layers[:3] == "2RB" {
		encoding = network.Event // it adds input to spikes
	}
	if w.Net, err = network.Parse(pick.layers, pick.input, encoding); err != nil {
		t.Fatal(err)
	}
	divisors := network.Divisors(w.Timesteps)
	v := task{workload: w, k: divisors[random.IntN(len(divisors))], n: 1 + random.IntN(w.Net.N())}
	blocks, err := w.Net.Blocks(v.n)
	if err != nil {
		t.Fatal(err)
	}
	draw := func(n, fanIn int) []float32 {
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(random.NormFloat64() * 1.6 / math.Sqrt(float64(fanIn)))
		}
		return values
	}
	v.in = &tensors.Input{}
	for i := range w.Net.Layers {
		l := &w.Net.Layers[i]
		n := int(l.Weights())
		v.in.Weights = append(v.in.Weights, draw(n, n/l.Out.Channels))
		var norm *tensors.Norm
		if l.BatchNorm {
			norm = &tensors.Norm{}
			for _, values := range norm.Slices() {
				for range l.Out.Channels {
					*values = append(*values, 0.5+random.Float32())
				}
			}
		}
		v.in.Norms = append(v.in.Norms, norm)
	}
	for _, b := range blocks {
		n := w.Net.ClassifierInputs(b)
		v.in.Classifiers = append(v.in.Classifiers, draw(n*w.Net.Classes, n))
	}
	frame := make([]float32, w.Batch*w.Net.Input.Size())
	for range w.Timesteps {
		if encoding == network.Event || v.in.X == nil {
			for i := range frame {
				frame[i] = random.Float32()
				if encoding == network.Event {
					frame[i] = float32(int(frame[i] + 0.3))
				} else if frame[i] < 0.3 {
					frame[i] = 0
				}
			}
		}
		v.in.X = append(v.in.X, frame...)
	}
	for range w.Batch {
		v.in.Y = append(v.in.Y, random.IntN(w.Net.Classes))
	}
	return v
}

// run trains one iteration with the fast path.
func (v task) run(t testing.TB, workers int) tensors.Set {
	t.Helper()
	trainer, err := New(v.workload, v.k, v.n, Options{NoDropout: true, Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	out, err := trainer.RunTensors(v.in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// mustEqual holds two sets equal, bit for bit but for the sign of zero.
func mustEqual(t testing.TB, got, want tensors.Set) {
	t.Helper()
	if fmt.Sprint(got.Names()) != fmt.Sprint(want.Names()) {
		t.Fatalf("tensors %v, want %v", got.Names(), want.Names())
	}
	for _, name := range want.Names() {
		g, w := got[name], want[name]
		if g.Len() != w.Len() {
			t.Errorf("%s has %d values, want %d", name, g.Len(), w.Len())
			continue
		}
		for i := range w.Len() {
			if g.At(i) != w.At(i) {
				t.Errorf("%s: value %d is %g, want %g", name, i, g.At(i), w.At(i))
				break
			}
		}
	}
}

const randomTasks = 60

func TestResultsDoNotDependOnTheNumberOfWorkers(t *testing.T) {
	for seed := range uint64(20) {
		v := newTask(t, seed)
		want := v.run(t, 1)
		for _, workers := range []int{2, 3, 7} {
			mustEqual(t, v.run(t, workers), want)
		}
	}
}
