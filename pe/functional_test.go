package pe

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/accelsim-dev/accelsim/network"
)

// geometry returns a random small connection, fully connected ones among them.
func geometry(r *rand.Rand) Connection {
	for {
		c := Connection{
			In:     network.Shape{Channels: 1 + r.IntN(4), Height: 1 + r.IntN(7), Width: 1 + r.IntN(7)},
			Height: 1 + r.IntN(4), Width: 1 + r.IntN(4), Stride: network.Pair{Height: 1 + r.IntN(3), Width: 1 + r.IntN(3)}, Top: r.IntN(3), Left: r.IntN(3),
		}
		if r.IntN(4) == 0 {
			c.Height, c.Width, c.Stride, c.Top, c.Left = c.In.Height, c.In.Width, network.Square(1), 0, 0
		} else if r.IntN(2) == 0 {
			c.Dilation = network.Pair{Height: 1 + r.IntN(3), Width: 1 + r.IntN(3)}
		}
		dy, dx := max(c.Dilation.Height, 1), max(c.Dilation.Width, 1)
		height, width := c.In.Height+2*c.Top-(c.Height-1)*dy-1, c.In.Width+2*c.Left-(c.Width-1)*dx-1
		if height < 0 || width < 0 {
			continue
		}
		c.Out = network.Shape{
			Channels: 1 + r.IntN(5),
			Height:   height/c.Stride.Height + 1, Width: width/c.Stride.Width + 1,
		}
		return c
	}
}

func normals(r *rand.Rand, n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(r.NormFloat64())
	}
	return values
}

// inputs returns spikes up to a value, or real numbers, many of them zero.
func inputs(r *rand.Rand, n, largest int, real bool) []float32 {
	values := make([]float32, n)
	for i := range values {
		switch {
		case r.IntN(3) > 0:
		case real:
			values[i] = r.Float32()
		default:
			values[i] = float32(1 + r.IntN(largest))
		}
	}
	return values
}

// eachTap calls do with every tap of an output position, padding taps left out,
// in ascending order: the tap's place in the weights and in the input.
func (c Connection) eachTap(oy, ox int, do func(tap, position int)) {
	for ky := range c.Height {
		for kx := range c.Width {
			y := oy*c.Stride.Height + ky*max(c.Dilation.Height, 1) - c.Top
			x := ox*c.Stride.Width + kx*max(c.Dilation.Width, 1) - c.Left
			if y >= 0 && y < c.In.Height && x >= 0 && x < c.In.Width {
				do(ky*c.Width+kx, y*c.In.Width+x)
			}
		}
	}
}

func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s %d is %g; the obvious loop gives %g", what, i, got[i], want[i])
		}
	}
}

func TestSumsAreThoseOfTheObviousLoop(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		c := geometry(r)
		in := Input{Real: r.IntN(2) == 0}
		in.List(inputs(r, c.In.Size(), 3, in.Real))
		weights := normals(r, c.Weights())
		got := normals(r, c.Out.Size()) // of inputs before these
		want, wantTerms := append([]float32(nil), got...), int64(0)
		terms := c.Sum(got, weights, &in)
		for i := range want {
			oc, position := i%c.Out.Channels, i/c.Out.Channels
			c.eachTap(position/c.Out.Width, position%c.Out.Width, func(tap, from int) {
				for ic := range c.In.Channels {
					v := in.Values[from*c.In.Channels+ic]
					w := weights[(tap*c.In.Channels+ic)*c.Out.Channels+oc]
					switch {
					case v == 0:
					case in.Real:
						want[i] += float32(w * v)
						wantTerms++
					default:
						for range int(v) {
							want[i] += w
							wantTerms++
						}
					}
				}
			})
		}
		sameBits(t, "sum", got, want)
		if terms != wantTerms {
			t.Fatalf("%d additions; %d inputs reach a sum", terms, wantTerms)
		}
	}
}

func TestErrorsAreThoseOfTheObviousLoop(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 300 {
		c := geometry(r)
		weights, gamma := normals(r, c.Weights()), inputs(r, c.Out.Size(), 1, true)
		got := make([]float32, c.In.Size())
		c.Errors(got, weights, gamma, nil)

		want := make([]float32, c.In.Size())
		for position := range c.Out.Positions() {
			for oc := range c.Out.Channels {
				g := gamma[position*c.Out.Channels+oc]
				c.eachTap(position/c.Out.Width, position%c.Out.Width, func(tap, to int) {
					for ic := range c.In.Channels {
						want[to*c.In.Channels+ic] += float32(g * weights[(tap*c.In.Channels+ic)*c.Out.Channels+oc])
					}
				})
			}
		}
		sameBits(t, "error", got, want)
	}
}

func TestGradientsAreThoseOfTheObviousLoop(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		c := geometry(r)
		in := Input{Real: r.IntN(2) == 0}
		in.Values = inputs(r, c.In.Size(), 3, in.Real)
		gamma, got := normals(r, c.Out.Size()), normals(r, c.Weights())
		want := append([]float32(nil), got...)
		took := c.Gradient(got, gamma, make([]float32, c.Out.Channels), &in)

		// One register per weight, over output positions.
		registers, events := make([]float32, len(want)), make([]bool, len(want))
		var wantTook GradientEvents
		for position := range c.Out.Positions() {
			c.eachTap(position/c.Out.Width, position%c.Out.Width, func(tap, from int) {
				for ic := range c.In.Channels {
					for oc := range c.Out.Channels {
						w := (tap*c.In.Channels+ic)*c.Out.Channels + oc
						v := in.Values[from*c.In.Channels+ic]
						registers[w] += float32(gamma[position*c.Out.Channels+oc] * v)
						if v != 0 {
							events[w] = true
							wantTook.Terms++
						}
						if v != 0 && v != 1 {
							wantTook.Scaled++
						}
					}
				}
			})
		}
		for w, register := range registers {
			want[w] += register
			if events[w] {
				wantTook.Weights++
			}
		}
		sameBits(t, "gradient", got, want)
		if took != wantTook {
			t.Fatalf("took %+v; the obvious loop %+v", took, wantTook)
		}
	}
}

func TestPackedSpikesComeBack(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 200 {
		bits := 1 + r.IntN(9)
		values := make([]float32, 1+r.IntN(200))
		for i := range values {
			values[i] = float32(r.IntN(1 << bits))
		}
		words := make([]uint32, (len(values)*bits+wordBits-1)/wordBits)
		for i := range words {
			words[i] = r.Uint32() // whatever was there
		}
		Pack(words, values, bits)
		got := make([]float32, len(values))
		Unpack(got, words, bits, 0)
		sameBits(t, "spike", got, values)

		// A run of them, moved elsewhere.
		from, to := r.IntN(len(values)), r.IntN(50)
		n := r.IntN(len(values) - from + 1)
		Unpack(got[:n], words, bits, from)
		sameBits(t, "spike", got[:n], values[from:from+n])
		moved := make([]uint32, (len(values)+60)*bits/wordBits+1)
		for i := range moved {
			moved[i] = r.Uint32()
		}
		around := append([]uint32(nil), moved...)
		CopyBits(moved, to*bits, words, from*bits, n*bits)
		Unpack(got[:n], moved, bits, to)
		sameBits(t, "moved spike", got[:n], values[from:from+n])
		CopyBits(moved, to*bits, around, to*bits, n*bits)
		if !slices.Equal(moved, around) {
			t.Fatal("bits beside those that were moved have changed")
		}
	}
}

func TestNeuronsFollowEquations1And2(t *testing.T) {
	n := NewNeuron(network.Neuron{Leak: 0.5, Reset: 0.25, Threshold: 1, SurrogateWidth: 1})
	u, spikes := []float32{0, 1, 2, 0.5}, make([]float32, 4)
	fired := n.Fire(States{Potentials: u}, []float32{1, 0.5, 0.25, 0.25}, spikes)
	// tau u + I - theta s', where the second and third neuron had fired.
	sameBits(t, "potential", u, []float32{1, 0.75, 1, 0.5})
	sameBits(t, "spike", spikes, []float32{1, 0, 1, 0})
	if fired != 2 {
		t.Errorf("%d fired; 2 are at the threshold", fired)
	}
}

func TestSurrogateIsARectangle(t *testing.T) {
	n := NewNeuron(network.Neuron{Leak: 0.5, Reset: 0.25, Threshold: 1, SurrogateWidth: 1})
	gamma, delta := []float32{8, 8, 8, 8}, []float32{1, 1, 1, 1}
	n.Temporal(delta, StateErrors{Potentials: gamma}, States{})
	sameBits(t, "delta - theta gamma'", delta, []float32{-1, -1, -1, -1})
	sameBits(t, "tau gamma'", gamma, []float32{4, 4, 4, 4})
	n.Surrogate(StateErrors{Potentials: gamma}, delta, States{Potentials: []float32{0.5, 0.75, 1.25, 1.5}}, nil) // |u - u_th| < a/2 in the middle
	sameBits(t, "gamma", gamma, []float32{4, 3, 3, 4})
}

func TestPoolingAveragesAndSharesErrors(t *testing.T) {
	l := &network.Layer{
		Out:  network.Shape{Channels: 1, Height: 2, Width: 5},
		Pool: network.Pool{Kind: network.FirePool, Window: network.Square(2), Stride: network.Square(2)}, Pooled: network.Shape{Channels: 1, Height: 1, Width: 2},
	}
	sums := make([]float32, 2)
	pool := ConnectPool(l, 1)
	pool.Sums(sums, []float32{1, 1, 0, 0, 1, 1, 0, 0, 0, 1})
	sameBits(t, "average", sums, []float32{0.75, 0})
	delta := normals(rand.New(rand.NewPCG(5, 5)), 10)
	pool.Errors(delta, []float32{4, 8}) // the last column is a remainder
	sameBits(t, "error", delta, []float32{1, 1, 2, 2, 0, 1, 1, 2, 2, 0})
}

func TestBatchNormHasZeroMeanAndUnitVariance(t *testing.T) {
	const channels, m = 3, 40
	sums := normals(rand.New(rand.NewPCG(6, 6)), channels*m)
	running := []float32{0, 0, 0, 1, 1, 1}
	words, saved := make([]uint32, NormWords*channels), make([]float32, len(sums))
	NormMean(words, sums, m, true, true)
	NormVariance(words, sums, m, true, true)
	NormStatistics(words, running, m)
	Normalize(words, sums, []float32{2, 2, 2, 1, 1, 1}, saved)
	for c := range channels {
		mean, square := 0.0, 0.0
		for i := c; i < len(sums); i += channels {
			v := (float64(sums[i]) - 1) / 2 // gain 2, bias 1
			mean += v / m
			square += v * v / m
		}
		if math.Abs(mean) > 1e-6 || math.Abs(square-1) > 1e-4 {
			t.Errorf("channel %d has mean %g and mean square %g", c, mean, square)
		}
		if running[channels+c] < 0.8 || running[channels+c] == 1 {
			t.Errorf("channel %d's running variance is %g", c, running[channels+c])
		}
	}
}

func TestLossesAtKnownRates(t *testing.T) {
	delta := make([]float32, 4)
	rates, labels := []float64{1, 0, 0, 1}, []uint32{0, 0}
	// The first sample is right, the second wrong in both classes.
	l := Loss{Classes: 2, K: 2, Batch: 2}
	if got := l.MeanSquare(l.MSE(0, delta, rates, labels)); got != 0.5 {
		t.Errorf("MSE %g, want 0.5", got)
	}
	sameBits(t, "delta", delta, []float32{0, 0, -0.25, 0.25})
	want := (math.Log(1+math.Exp(-1)) + math.Log(1+math.E)) / 2
	if got := l.MeanCrossEntropy(l.CrossEntropy(0, delta, rates, labels)); math.Abs(got-want) > 1e-15 {
		t.Errorf("cross entropy %g, want %g", got, want)
	}
}

func TestOptimizersAtKnownSteps(t *testing.T) {
	w, v := []float32{1}, []float32{2}
	SGD(w, []float32{1}, v, network.Training{LearningRate: 0.5, Momentum: 0.5})
	sameBits(t, "velocity", v, []float32{2})
	sameBits(t, "weight", w, []float32{0})
	// Adam's first step is the learning rate against the sign, whatever the size.
	moments := make([]float32, 2)
	AdamStep(w, []float32{-1e-3}, moments, network.Training{LearningRate: 0.5, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-12}, 1)
	if math.Abs(float64(w[0])-0.5) > 1e-4 {
		t.Errorf("Adam's first step leads to %g, want 0.5", w[0])
	}
	// torch.optim.RMSprop([1], lr=0.5, alpha=0.75, eps=1), gradient 4 after a mean
	// square of 16: the mean stays, and the step is 0.5 4/(4 + 1).
	w, v = []float32{1}, []float32{16}
	RMSprop(w, []float32{4}, v, network.Training{LearningRate: 0.5, Rho: 0.75, Epsilon: 1})
	sameBits(t, "mean square", v, []float32{16})
	sameBits(t, "weight", w, []float32{0.6})
	// From nothing: 0.25 4^2 is 4, and the step 0.5 4/(2 + 1).
	w, v = []float32{1}, []float32{0}
	RMSprop(w, []float32{4}, v, network.Training{LearningRate: 0.5, Rho: 0.75, Epsilon: 1})
	sameBits(t, "mean square", v, []float32{4})
	sameBits(t, "weight", w, []float32{float32(1 - 2.0/3)})
}

// benchmarked is AlexNet's second convolution at a tenth of spikes.
func benchmarked() (c Connection, in Input, weights, gamma []float32) {
	c = Connection{
		In: network.Shape{Channels: 96, Height: 32, Width: 32}, Out: network.Shape{Channels: 256, Height: 32, Width: 32},
		Height: 3, Width: 3, Stride: network.Square(1), Top: 1, Left: 1,
	}
	r := rand.New(rand.NewPCG(7, 7))
	values := make([]float32, c.In.Size())
	for i := range values {
		if r.IntN(10) == 0 {
			values[i] = 1
		}
	}
	in.List(values)
	return c, in, normals(r, c.Weights()), inputs(r, c.Out.Size(), 1, true)
}

func BenchmarkSum(b *testing.B) {
	c, in, weights, _ := benchmarked()
	sums := make([]float32, c.Out.Size())
	b.ReportAllocs()
	for b.Loop() {
		clear(sums)
		terms := c.Sum(sums, weights, &in)
		b.SetBytes(4 * terms)
	}
}

func BenchmarkErrors(b *testing.B) {
	c, _, weights, gamma := benchmarked()
	c.Out.Height, c.Out.Width, c.In.Height, c.In.Width = 8, 8, 8, 8
	sums := make([]float32, c.In.Size())
	events := make([]Event, 0, c.Out.Channels)
	b.ReportAllocs()
	for b.Loop() {
		events = c.Errors(sums, weights, gamma[:c.Out.Size()], events)
	}
}

func BenchmarkGradient(b *testing.B) {
	c, in, weights, gamma := benchmarked()
	register := make([]float32, c.Out.Channels)
	b.ReportAllocs()
	for b.Loop() {
		took := c.Gradient(weights, gamma, register, &in)
		b.SetBytes(4 * took.Terms)
	}
}
