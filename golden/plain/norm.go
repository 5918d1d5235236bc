package plain

import (
	"math"

	"github.com/accelsim-dev/accelsim/tensors"
)

// norm is batch norm of one layer's synaptic sums.
type norm struct {
	tensors.Norm
	dGain, dBias       []float32
	keptGain, keptBias kept
	normalised         []batch // by step
	deviation          [][]float64
}

const epsilon = 1e-5

func newNorm(from *tensors.Norm, steps int) *norm {
	n := &norm{normalised: make([]batch, steps+1), deviation: make([][]float64, steps+1)}
	for i, to := range n.Slices() {
		*to = append([]float32(nil), *from.Slices()[i]...)
	}
	n.dGain, n.dBias = make([]float32, len(n.Gain)), make([]float32, len(n.Gain))
	return n
}

// values visits what a channel has in the batch.
func values(x batch, channel, channels int, visit func(b, i int)) {
	for b := range x {
		for i := channel; i < len(x[b]); i += channels {
			visit(b, i)
		}
	}
}

func (n *norm) forward(step int, sums batch) {
	channels := len(n.Gain)
	m := float64(len(sums) * len(sums[0]) / channels)
	x := newBatch(len(sums), len(sums[0]))
	n.deviation[step] = make([]float64, channels)
	for c := range channels {
		mean, variance := 0.0, 0.0
		values(sums, c, channels, func(b, i int) { mean += float64(sums[b][i]) })
		mean /= m
		values(sums, c, channels, func(b, i int) {
			d := float64(sums[b][i]) - mean
			variance += float64(d * d)
		})
		variance /= m
		deviation := 1 / math.Sqrt(variance+epsilon)
		n.deviation[step][c] = deviation
		if m > 1 {
			variance *= m / (m - 1)
		}
		n.Mean[c] = float32(float64(0.9*float64(n.Mean[c])) + float64(0.1*mean))
		n.Variance[c] = float32(float64(0.9*float64(n.Variance[c])) + float64(0.1*variance))
		values(sums, c, channels, func(b, i int) {
			x[b][i] = float32((float64(sums[b][i]) - mean) * deviation)
			sums[b][i] = float32(n.Gain[c]*x[b][i]) + n.Bias[c]
		})
	}
	n.normalised[step] = x
}

func (n *norm) back(step int, err batch) {
	channels, x := len(n.Gain), n.normalised[step]
	m := float64(len(err) * len(err[0]) / channels)
	for c := range channels {
		dGain, dBias := 0.0, 0.0
		values(err, c, channels, func(b, i int) {
			dGain += float64(float64(err[b][i]) * float64(x[b][i]))
			dBias += float64(err[b][i])
		})
		n.dGain[c] += float32(dGain)
		n.dBias[c] += float32(dBias)
		values(err, c, channels, func(b, i int) {
			err[b][i] = float32(float64(n.Gain[c]) * n.deviation[step][c] * (float64(err[b][i]) - dBias/m - float64(x[b][i])*dGain/m))
		})
	}
}
