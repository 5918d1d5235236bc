package golden

import (
	"github.com/accelsim-dev/accelsim/internal/elementary"
	"github.com/accelsim-dev/accelsim/network"
)

// loss evaluates a classifier's loss over an interval of k steps, averaged over
// the batch, and stores delta_c = dL/ds, the same at every step: Eq. 3 on
// firing rates, or CrossEntropy with the rates as logits.
func (t *Trainer) loss(c *classifier) float64 {
	classes, channels := c.neurons.used, c.neurons.channels
	k, batch := float64(t.k), float64(t.samples)
	total := 0.0
	for b := range t.samples {
		counts, delta := c.counts[b*channels:(b+1)*channels], c.delta[b*channels:(b+1)*channels]
		label := t.y[b]
		if t.workload.Training.Loss == network.CrossEntropy {
			total += crossEntropy(delta[:classes], t.rates(c, b, counts), label, k*batch, t.exponentials)
			continue
		}
		rates := t.rates(c, b, counts)
		scale := 2 / (float64(classes) * k * batch)
		for i := range classes {
			y := 0.0
			if i == label {
				y = 1
			}
			d := rates[i] - y
			total += float64(d * d)
			delta[i] = float32(scale * d)
		}
	}
	if t.workload.Training.Loss == network.MSE {
		total /= float64(classes)
	}
	return total / batch
}

// rates returns sample b's logits of the interval: firing rates, or means of what is
// read out.
func (t *Trainer) rates(c *classifier, b int, counts []int32) []float64 {
	rates := t.rate[:c.neurons.used]
	if t.readsReals(c) {
		for i := range rates {
			rates[i] = float64(c.reals[b*c.neurons.size()+i]) / float64(t.k)
		}
		return rates
	}
	for i := range rates {
		rates[i] = float64(counts[i]) / float64(t.k)
	}
	return rates
}

// crossEntropy returns -log softmax(rates)[label] and stores its gradient by
// each step's spikes, for divisor = k B.
func crossEntropy(delta []float32, rates []float64, label int, divisor float64, exponentials []float64) float64 {
	greatest := rates[0]
	for _, r := range rates {
		greatest = max(greatest, r)
	}
	sum := 0.0
	for i, r := range rates {
		exponentials[i] = elementary.Exp(r - greatest)
		sum += exponentials[i]
	}
	for i := range rates {
		y := 0.0
		if i == label {
			y = 1
		}
		delta[i] = float32((exponentials[i]/sum - y) / divisor)
	}
	return elementary.Log(sum) - (rates[label] - greatest)
}
