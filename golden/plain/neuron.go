package plain

import (
	"math"

	"github.com/accelsim-dev/accelsim/internal/elementary"
	"github.com/accelsim-dev/accelsim/network"
)

// cells are neurons of one kind: their states at every step from 0, and the errors of
// the step that was computed last.
type cells struct {
	n      network.Neuron
	own    []network.Neuron // of each, where they differ
	silent bool

	u, i, a, spikes []batch // by step
	gu, gi, ga      batch
	sum             batch // error of the synaptic sum
}

func newCells(n network.Neuron, samples, size, steps int) *cells {
	c := &cells{n: n, silent: n.Silent, gu: newBatch(samples, size), gi: newBatch(samples, size), ga: newBatch(samples, size)}
	for range steps + 1 {
		c.u, c.i = append(c.u, newBatch(samples, size)), append(c.i, newBatch(samples, size))
		c.a, c.spikes = append(c.a, newBatch(samples, size)), append(c.spikes, newBatch(samples, size))
	}
	return c
}

// is the neuron with a number.
func (c *cells) is(i int) network.Neuron {
	if c.own != nil {
		return c.own[i]
	}
	return c.n
}

func (c *cells) threshold(step, b, i int) float32 {
	n := c.is(i)
	if !n.Adaptation {
		return float32(n.Threshold)
	}
	return float32(n.Threshold) + float32(float32(n.Strength)*c.a[step][b][i])
}

// fire is NETWORKS.md's order of a neuron's step.
func (c *cells) fire(step int, sums batch) {
	for b := range sums {
		for i, current := range sums[b] {
			n := c.is(i)
			before, spiked := c.u[step-1][b][i], c.spikes[step-1][b][i] == 1
			if n.Synapse {
				current = float32(float32(n.SynapseLeak)*c.i[step-1][b][i]) + float32(float32(n.SynapseGain)*current)
				c.i[step][b][i] = current
			}
			if n.Gain() != 1 {
				current = float32(float32(n.Gain()) * current)
			}
			if n.Adaptation {
				c.a[step][b][i] = float32(float32(n.Decay)*c.a[step-1][b][i]) + c.spikes[step-1][b][i]
			}
			if n.HardReset && spiked {
				before = float32(n.ResetTo)
			}
			u := float32(float32(n.Leak)*before) + current
			if n.Offset != 0 {
				u += float32(n.Offset)
			}
			if !n.HardReset && spiked {
				u -= float32(n.Reset)
			}
			c.u[step][b][i] = u
			c.spikes[step][b][i] = 0
			if !c.silent && u >= c.threshold(step, b, i) {
				c.spikes[step][b][i] = 1
			}
		}
	}
}

// slope is the surrogate derivative, and whether there is one.
func (c *cells) slope(x float32) (float32, bool) {
	a, y := c.n.SurrogateWidth, float64(x)
	switch {
	case c.silent:
		return 1, true
	case c.n.Shape() == network.Rectangle:
		return float32(1 / a), float32(math.Abs(y)) < float32(a/2)
	case c.n.Shape() == network.Triangle:
		return float32(max(0, 1-math.Abs(y)/a) / a), true
	case c.n.Shape() == network.Sigmoid:
		s := 1 / (1 + elementary.Exp(-y/a))
		return float32(s * (1 - s) / a), true
	case c.n.Shape() == network.Atan:
		z := math.Pi * y / a
		return float32(1 / a / (1 + float64(z*z))), true
	default: // fast sigmoid
		z := 1 + math.Abs(y)/a
		return float32(1 / a / float64(z*z)), true
	}
}

// back takes the error of spikes to that of the synaptic sum.
func (c *cells) back(step int, delta batch, last bool) {
	c.sum = newBatch(len(delta), len(delta[0]))
	for b := range delta {
		for i, d := range delta[b] {
			n := c.is(i)
			u, later := c.u[step][b][i], c.gu[b][i]
			kept := float32(0)
			if !last {
				kept = float32(float32(n.Leak) * later)
				switch {
				case n.HardReset && !n.ConstantReset:
					d += float32(float32(float32(n.Leak)*(float32(n.ResetTo)-u)) * later)
				case !n.ConstantReset:
					d -= float32(float32(n.Reset) * later)
				}
				if n.HardReset && u >= c.threshold(step, b, i) {
					kept = 0
				}
				if n.Adaptation && !n.ConstantReset {
					d += c.ga[b][i]
				}
			} else {
				c.ga[b][i], c.gi[b][i] = 0, 0
			}
			gamma, passed := kept, float32(0)
			if slope, open := c.slope(u - c.threshold(step, b, i)); open {
				passed = float32(d * slope)
				gamma = passed + kept
			}
			c.gu[b][i] = gamma
			if n.Adaptation {
				c.ga[b][i] = float32(float32(n.Decay)*c.ga[b][i]) - float32(float32(n.Strength)*passed)
			}
			if n.Gain() != 1 {
				gamma = float32(float32(n.Gain()) * gamma)
			}
			if n.Synapse {
				gamma += float32(float32(n.SynapseLeak) * c.gi[b][i])
				c.gi[b][i] = gamma
				gamma = float32(float32(n.SynapseGain) * gamma)
			}
			c.sum[b][i] = gamma
		}
	}
}
