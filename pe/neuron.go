package pe

import "github.com/accelsim-dev/accelsim/network"

// Neuron holds the parameters of the LIF neurons, each rounded to fp32 once.
type Neuron struct {
	leak, reset, threshold  float32 // tau, theta, u_th
	halfWidth, inverseWidth float32 // a/2, 1/a
}

// NewNeuron rounds a workload's parameters.
func NewNeuron(n network.Neuron) Neuron {
	return Neuron{
		leak: float32(n.Leak), reset: float32(n.Reset), threshold: float32(n.Threshold),
		halfWidth: float32(n.SurrogateWidth / 2), inverseWidth: float32(1 / n.SurrogateWidth),
	}
}

// Fire takes potentials one step on, in place, and stores the spikes (Eqs. 1
// and 2). It returns how many there are.
func (n Neuron) Fire(u, sums, spikes []float32) (fired int64) {
	for i, before := range u {
		v := float32(n.leak*before) + sums[i]
		if before >= n.threshold {
			v -= n.reset
		}
		u[i], spikes[i] = v, 0
		if v >= n.threshold {
			spikes[i] = 1
			fired++
		}
	}
	return fired
}

// Temporal takes the terms that come from step t+1 (Eqs. 4 and 5): the error
// delta is reduced by theta gamma', and gamma' becomes tau gamma'.
func (n Neuron) Temporal(delta, gamma []float32) {
	for i, later := range gamma {
		delta[i] -= float32(n.reset * later)
		gamma[i] = float32(n.leak * later)
	}
}

// Surrogate adds delta times the surrogate gradient of the threshold to gamma,
// which holds the term of step t+1 or zero (Eqs. 5 and 6).
func (n Neuron) Surrogate(gamma, delta, u []float32) {
	for i, v := range u {
		distance := v - n.threshold
		if distance < 0 {
			distance = -distance
		}
		if distance < n.halfWidth {
			gamma[i] = float32(delta[i]*n.inverseWidth) + gamma[i]
		}
	}
}

// Pooling is the geometry of average pooling of one map, or of a tile of one.
type Pooling struct {
	In, Out       network.Shape
	Height, Width int // of a window, and its stride
}

// ConnectPool returns the pooling after a layer.
func ConnectPool(l *network.Layer) Pooling {
	return Pooling{l.Out, l.Pooled, l.Pool.Window.Height, l.Pool.Window.Width}
}

// Sums averages one sample's spikes over the windows. The number of spikes is
// exact; the division rounds.
func (p Pooling) Sums(sums, spikes []float32) {
	channels := p.In.Channels
	area := float32(p.Height * p.Width)
	for py := range p.Out.Height {
		for px := range p.Out.Width {
			to := sums[(py*p.Out.Width+px)*channels:][:channels]
			clear(to)
			for y := py * p.Height; y < (py+1)*p.Height; y++ {
				for x := px * p.Width; x < (px+1)*p.Width; x++ {
					addTo(to, spikes[(y*p.In.Width+x)*channels:][:channels])
				}
			}
			for c := range to {
				to[c] /= area
			}
		}
	}
}

// Errors gives each neuron of one sample under a window its share of the
// window's error; neurons in a remainder that no window covers get none.
func (p Pooling) Errors(delta, gamma []float32) {
	channels := p.In.Channels
	area := float32(p.Height * p.Width)
	clear(delta)
	for y := range p.Out.Height * p.Height {
		for x := range p.Out.Width * p.Width {
			from := gamma[(y/p.Height*p.Out.Width+x/p.Width)*channels:][:channels]
			to := delta[(y*p.In.Width+x)*channels:][:channels]
			for c, g := range from {
				to[c] = g / area
			}
		}
	}
}

// AddTo adds one vector to another: spikes of a residual block, or errors.
func AddTo(sums, terms []float32) { addTo(sums, terms) }
