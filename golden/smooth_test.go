package golden

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// Gradients against finite differences, independent of Eqs. 4 to 7: a forward
// model in float64 whose neurons emit a ramp of width a around u_th instead of
// a step. The ramp's derivative is Eq. 6's rectangle, so the trainer's backward
// pass, given the ramp's spikes, must find this model's gradients.

// ramp is the smooth firing function.
func ramp(u float64, p network.Neuron) float64 {
	return min(1, max(0, (u-p.Threshold)/p.SurrogateWidth+0.5))
}

// smoothModel runs forward only. Parameters are [tensor][value].
type smoothModel struct {
	w      *network.Workload
	blocks []network.Block
}

// smoothStates are the potentials after a step: [neurons][sample][value].
type smoothStates map[string][][]float64

// losses runs steps steps of frames from the given states, which it advances,
// and returns each block's loss over them.
func (m *smoothModel) losses(p map[string][]float64, states smoothStates, frames [][][]float64, labels []int) []float64 {
	rates := make([][][]float64, len(m.blocks))
	for _, x := range frames {
		outputs := [][][]float64{x}
		for i := range m.w.Net.Layers {
			l := &m.w.Net.Layers[i]
			sum := m.sum(p[fmt.Sprintf("w%d", l.Index)], outputs[l.First().From], l.First().In, l.Out, l.First().Kernel.Size.Height, l.First().Kernel.Stride.Height, l.First().Kernel.Pad.Height)
			if l.BatchNorm {
				m.normalize(sum, p[fmt.Sprintf("bn%d_gain", l.Index)], p[fmt.Sprintf("bn%d_bias", l.Index)], l.Out.Positions())
			}
			s := m.fire(states, fmt.Sprintf("u%d", l.Index), sum)
			if l.Adds() {
				other := outputs[l.Add]
				joined := make([][]float64, len(s))
				for b := range s {
					for i, v := range s[b] {
						joined[b] = append(joined[b], v+other[b][i])
					}
				}
				s = joined
			}
			if l.HasPool() {
				s = m.fire(states, fmt.Sprintf("up%d", l.Index), m.average(s, l))
			}
			outputs = append(outputs, s)
		}
		for i, b := range m.blocks {
			in := m.w.Net.Layer(b.Last).Pooled
			out := network.Shape{Channels: m.w.Net.Classes, Height: 1, Width: 1}
			s := m.fire(states, fmt.Sprintf("uc%d", i+1), m.sum(p[fmt.Sprintf("wc%d", i+1)], outputs[b.Last], in, out, 0, 1, 0))
			if rates[i] == nil {
				rates[i] = make([][]float64, len(s))
				for n := range s {
					rates[i][n] = make([]float64, m.w.Net.Classes)
				}
			}
			for n := range s {
				for c, v := range s[n] {
					rates[i][n][c] += v / float64(len(frames))
				}
			}
		}
	}
	losses := make([]float64, len(m.blocks))
	for i := range losses {
		for n, label := range labels {
			losses[i] += m.sampleLoss(rates[i][n], label) / float64(len(labels))
		}
	}
	return losses
}

func (m *smoothModel) sampleLoss(rates []float64, label int) float64 {
	if m.w.Training.Loss == network.CrossEntropy {
		sum := 0.0
		for _, r := range rates {
			sum += math.Exp(r)
		}
		return math.Log(sum) - rates[label]
	}
	sum := 0.0
	for c, r := range rates {
		if c == label {
			r--
		}
		sum += r * r
	}
	return sum / float64(len(rates))
}

func (m *smoothModel) sum(w []float64, in [][]float64, from, to network.Shape, kernel, stride, pad int) [][]float64 {
	out := make([][]float64, len(in))
	for b := range in {
		out[b] = make([]float64, to.Size())
		if kernel == 0 {
			for o := range out[b] {
				for i, v := range in[b] {
					out[b][o] += w[o*len(in[b])+i] * v
				}
			}
			continue
		}
		for co := range to.Channels {
			for oy := range to.Height {
				for ox := range to.Width {
					for ci := range from.Channels {
						for ky := range kernel {
							for kx := range kernel {
								y, x := oy*stride+ky-pad, ox*stride+kx-pad
								if y >= 0 && y < from.Height && x >= 0 && x < from.Width {
									out[b][(co*to.Height+oy)*to.Width+ox] += w[((co*from.Channels+ci)*kernel+ky)*kernel+kx] * in[b][(ci*from.Height+y)*from.Width+x]
								}
							}
						}
					}
				}
			}
		}
	}
	return out
}

func (m *smoothModel) fire(states smoothStates, name string, sum [][]float64) [][]float64 {
	p := m.w.Neuron
	s := make([][]float64, len(sum))
	if states[name] == nil {
		states[name] = make([][]float64, len(sum))
		for b := range sum {
			states[name][b] = make([]float64, len(sum[b]))
		}
	}
	next := make([][]float64, len(sum))
	for b := range sum {
		for i, v := range sum[b] {
			was := states[name][b][i]
			reset := p.Reset * ramp(was, p)
			next[b] = append(next[b], p.Leak*was+v-reset)
			s[b] = append(s[b], ramp(next[b][i], p))
		}
	}
	states[name] = next
	return s
}

func (m *smoothModel) normalize(sum [][]float64, gain, bias []float64, positions int) {
	count := float64(len(sum) * positions)
	for c := range gain {
		mean, variance := 0.0, 0.0
		for b := range sum {
			for _, v := range sum[b][c*positions : (c+1)*positions] {
				mean += v / count
			}
		}
		for b := range sum {
			for _, v := range sum[b][c*positions : (c+1)*positions] {
				variance += (v - mean) * (v - mean) / count
			}
		}
		for b := range sum {
			values := sum[b][c*positions : (c+1)*positions]
			for i, v := range values {
				values[i] = gain[c]*(v-mean)/math.Sqrt(variance+1e-5) + bias[c]
			}
		}
	}
}

func (m *smoothModel) average(s [][]float64, l *network.Layer) [][]float64 {
	out := make([][]float64, len(s))
	for b := range s {
		out[b] = make([]float64, l.Pooled.Size())
		for c := range l.Pooled.Channels {
			for y := range l.Pooled.Height * l.Pool.Window.Height {
				for x := range l.Pooled.Width * l.Pool.Window.Width {
					out[b][(c*l.Pooled.Height+y/l.Pool.Window.Height)*l.Pooled.Width+x/l.Pool.Window.Width] +=
						s[b][(c*l.Out.Height+y)*l.Out.Width+x] / float64(l.Pool.Window.Height*l.Pool.Window.Width)
				}
			}
		}
	}
	return out
}

func (s smoothStates) clone() smoothStates {
	c := smoothStates{}
	for name, u := range s {
		for _, sample := range u {
			c[name] = append(c[name], append([]float64(nil), sample...))
		}
	}
	return c
}

// gradientCases have every layer type, both losses and both encodings.
var gradientCases = []struct {
	layers, loss string
	input        network.Shape
	encoding     network.Encoding
	k, n         int
}{
	{"9FC-8FC-4FC", network.MSE, network.Shape{Channels: 2, Height: 3, Width: 3}, network.Event, 4, 2},
	{"6C3-7C3p0s2-8FC-4FC", network.MSE, network.Shape{Channels: 1, Height: 8, Width: 7}, network.Direct, 4, 3},
	{"5C5p2-5AP2-9C3p0-9AP2-6FC-3FC", network.CrossEntropy, network.Shape{Channels: 1, Height: 12, Width: 13}, network.Direct, 2, 3},
	{"4C3-BN-4AP2-6C3s2-BN-8FC-BN-4FC", network.CrossEntropy, network.Shape{Channels: 2, Height: 6, Width: 8}, network.Event, 4, 3},
	{"4C3s2-4RB-6RB-AdaptiveAP-3FC", network.MSE, network.Shape{Channels: 2, Height: 9, Width: 9}, network.Event, 2, 6},
	{"4C3-BN-4RBx2-BN-6RB-BN-6AP2-4FC", network.CrossEntropy, network.Shape{Channels: 2, Height: 7, Width: 7}, network.Event, 4, 8},
	{"2RB-4RB-3FC", network.MSE, network.Shape{Channels: 2, Height: 5, Width: 6}, network.Event, 4, 5},
	{"4C3-BN-4RB-BN-6RB-BN-4FC", network.MSE, network.Shape{Channels: 2, Height: 6, Width: 6}, network.Event, 2, 1},
}

func TestGradientsEqualFiniteDifferencesOfASmoothNetwork(t *testing.T) {
	for i, c := range gradientCases {
		t.Run(fmt.Sprintf("%s_%s_k%d_n%d", c.layers, c.loss, c.k, c.n), func(t *testing.T) {
			net, err := network.Parse(c.layers, c.input, c.encoding)
			if err != nil {
				t.Fatal(err)
			}
			w := &network.Workload{
				Name: "smooth", Net: net, Timesteps: 4, Batch: 3,
				Neuron: network.Neuron{Leak: 0.75, Reset: 0.3125, Threshold: 0.4375, SurrogateWidth: 1.25},
				// So small a rate that weights stay what they are.
				Training: network.Training{Loss: c.loss, Optimizer: network.SGD, LearningRate: 1e-30, Momentum: 0, Classifier: network.Trainable},
			}
			checkGradients(t, w, c.k, c.n, uint64(i))
		})
	}
}

func checkGradients(t *testing.T, w *network.Workload, k, n int, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 7))
	trainer, err := newTrainer(w, k, n, Options{NoDropout: true, Seed: seed, InitScale: 2}, func(u float32) float32 {
		return float32(ramp(float64(u), w.Neuron))
	})
	if err != nil {
		t.Fatal(err)
	}
	in := &tensors.Input{Parameters: *trainer.Parameters()}
	m := &smoothModel{w: w, blocks: trainer.Blocks()}
	p := map[string][]float64{}
	for l, values := range in.Weights {
		p[fmt.Sprintf("w%d", l+1)] = wide(values)
		if norm := in.Norms[l]; norm != nil {
			for c := range norm.Gain {
				norm.Gain[c], norm.Bias[c] = 0.3+random.Float32(), random.Float32()-0.3
			}
			p[fmt.Sprintf("bn%d_gain", l+1)], p[fmt.Sprintf("bn%d_bias", l+1)] = wide(norm.Gain), wide(norm.Bias)
		}
	}
	for b, values := range in.Classifiers {
		p[fmt.Sprintf("wc%d", b+1)] = wide(values)
	}
	var frames [][][]float64
	for step := range w.Timesteps {
		if step > 0 && w.Net.Encoding == network.Direct {
			frames = append(frames, frames[0])
			continue
		}
		frame := make([][]float64, w.Batch)
		for b := range frame {
			for range w.Net.Input.Size() {
				v := random.Float32()
				if w.Net.Encoding == network.Event {
					v = float32(int(v + 0.5))
				}
				frame[b] = append(frame[b], float64(v))
			}
		}
		frames = append(frames, frame)
	}
	for _, frame := range frames {
		for _, sample := range frame {
			for _, v := range sample {
				in.X = append(in.X, float32(v))
			}
		}
	}
	for range w.Batch {
		in.Y = append(in.Y, random.IntN(w.Net.Classes))
	}
	out, err := trainer.RunTensors(in)
	if err != nil {
		t.Fatal(err)
	}
	states := smoothStates{}
	for i := range w.Timesteps / k {
		interval := frames[i*k : (i+1)*k]
		for b := range trainer.blocks {
			block := &trainer.blocks[b]
			names := map[string]string{fmt.Sprintf("wc%d", b+1): fmt.Sprintf("dwc%d_i%d", b+1, i+1)}
			for l := block.First; l <= block.Last; l++ {
				names[fmt.Sprintf("w%d", l)] = fmt.Sprintf("dw%d_i%d", l, i+1)
				if w.Net.Layer(l).BatchNorm {
					names[fmt.Sprintf("bn%d_gain", l)] = fmt.Sprintf("dbn%d_gain_i%d", l, i+1)
					names[fmt.Sprintf("bn%d_bias", l)] = fmt.Sprintf("dbn%d_bias_i%d", l, i+1)
				}
			}
			for parameter, gradient := range names {
				checkTensor(t, random, gradient, out[gradient], p[parameter], func() float64 {
					return m.losses(p, states.clone(), interval, in.Y)[b]
				})
			}
		}
		losses := m.losses(p, states, interval, in.Y)
		for b, want := range losses {
			if got := out[fmt.Sprintf("loss%d_i%d", b+1, i+1)].At(0); math.Abs(got-want) > 1e-5*want {
				t.Errorf("loss%d_i%d is %g, want %g", b+1, i+1, got, want)
			}
		}
	}
}

// checkTensor compares some values of a gradient with central differences.
func checkTensor(t *testing.T, random *rand.Rand, name string, gradient tensors.Tensor, p []float64, loss func() float64) {
	t.Helper()
	const step, tries = 1e-6, 8
	largest := 0.0
	for i := range gradient.Len() {
		largest = max(largest, math.Abs(gradient.At(i)))
	}
	if largest == 0 {
		t.Errorf("%s is zero throughout: nothing is checked", name)
	}
	for range tries {
		i := random.IntN(len(p))
		was := p[i]
		p[i] = was + step
		above := loss()
		p[i] = was - step
		below := loss()
		p[i] = was
		want := (above - below) / (2 * step)
		if got := gradient.At(i); math.Abs(got-want) > 2e-3*largest {
			t.Errorf("%s: value %d is %g, finite differences give %g (largest %g)", name, i, got, want, largest)
		}
	}
}

func wide(values []float32) []float64 {
	w := make([]float64, len(values))
	for i, v := range values {
		w[i] = float64(v)
	}
	return w
}
