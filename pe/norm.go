package pe

import "math"

// normEpsilon keeps 1/std finite, normMomentum is the weight of a step's
// statistics in the running ones.
const (
	normEpsilon  = 1e-5
	normMomentum = 0.1
)

// Batch norm takes statistics of a whole batch, over samples, then positions, in
// that order. Where the batch does not fit on chip it goes over it again and
// again, tile after tile, and what a pass finds out about a channel stays in
// NormWords words: three float64.
//
//	forward   mean       variance  1/std
//	backward  sum g x    sum g     1/std
//
// Functions here get the values of some tiles' channels. A pass over all values
// of a channel may come in as many tiles as it takes; m is the number of values
// of a channel in the whole batch.

// NormWords is the words of a channel's float64 sums on chip.
const NormWords = 6

// accumulators are the three float64 of some channels.
type accumulators struct {
	words    []uint32
	channels int
}

func (a accumulators) at(row, channel int) float64 { return double(a.words, row*a.channels+channel) }

func (a accumulators) set(row, channel int, v float64) {
	putDouble(a.words, row*a.channels+channel, v)
}

// load and store move a row between the words and registers.
func (a accumulators) load(row int) []float64 {
	values := make([]float64, a.channels)
	for c := range values {
		values[c] = a.at(row, c)
	}
	return values
}

func (a accumulators) store(row int, values []float64) {
	for c, v := range values {
		a.set(row, c, v)
	}
}

func of(words []uint32) accumulators { return accumulators{words, len(words) / NormWords} }

// NormMean is the first pass over a batch's synaptic sums.
func NormMean(words []uint32, sums []float32, m int, first, last bool) {
	a := of(words)
	mean := a.load(0)
	if first {
		clear(mean)
	}
	eachRow(sums, a.channels, func(_ int, row []float32) {
		for c, v := range row {
			mean[c] += float64(v)
		}
	})
	if last {
		for c := range mean {
			mean[c] /= float64(m)
		}
	}
	a.store(0, mean)
}

// NormVariance is the second.
func NormVariance(words []uint32, sums []float32, m int, first, last bool) {
	a := of(words)
	mean, variance := a.load(0), a.load(1)
	if first {
		clear(variance)
	}
	eachRow(sums, a.channels, func(_ int, row []float32) {
		for c, v := range row {
			d := float64(v) - mean[c]
			variance[c] += float64(d * d)
		}
	})
	if last {
		for c := range variance {
			variance[c] /= float64(m)
			a.set(2, c, 1/math.Sqrt(variance[c]+normEpsilon))
		}
	}
	a.store(1, variance)
}

// NormStatistics takes the running statistics, mean, then variance, one step on.
func NormStatistics(words []uint32, running []float32, m int) {
	a := of(words)
	for c := range a.channels {
		unbiased := a.at(1, c)
		if m > 1 {
			n := float64(m)
			unbiased *= n / (n - 1)
		}
		running[c] = follow(running[c], a.at(0, c))
		running[a.channels+c] = follow(running[a.channels+c], unbiased)
	}
}

// follow takes a running statistic one step on.
func follow(running float32, value float64) float32 {
	return float32(float64((1-normMomentum)*float64(running)) + float64(normMomentum*value))
}

// Normalize is the third pass: it replaces synaptic sums by their batch norm.
// parameter is gain, then bias; saved gets the normalised sums.
func Normalize(words []uint32, sums, parameter, saved []float32) {
	a := of(words)
	gain, bias := parameter[:a.channels], parameter[a.channels:]
	mean, inverse := a.load(0), a.load(2)
	eachRow(sums, a.channels, func(at int, row []float32) {
		for c, v := range row {
			x := float32((float64(v) - mean[c]) * inverse[c])
			saved[at+c] = x
			row[c] = float32(gain[c]*x) + bias[c]
		}
	})
}

// NormDeviations stores 1/std of the channels: in float64, two words each.
func NormDeviations(deviations, words []uint32) {
	a := of(words)
	copy(deviations, words[2*2*a.channels:])
}

// TakeNormDeviations puts them back.
func TakeNormDeviations(words, deviations []uint32) {
	a := of(words)
	copy(words[2*2*a.channels:], deviations)
}

// NormGradients is the first pass over the errors gamma of batch norm's outputs:
// it sums this step's gradients of gain and bias. saved is the normalised sums.
func NormGradients(words []uint32, gamma, saved []float32, first bool) {
	a := of(words)
	dgain, dbias := a.load(0), a.load(1)
	if first {
		clear(dgain)
		clear(dbias)
	}
	eachRow(gamma, a.channels, func(at int, row []float32) {
		for c, g := range row {
			dgain[c] += float64(float64(g) * float64(saved[at+c]))
			dbias[c] += float64(g)
		}
	})
	a.store(0, dgain)
	a.store(1, dbias)
}

// AddNormGradients adds them to those of the interval: of gain, then of bias.
func AddNormGradients(words []uint32, gradient []float32) {
	a := of(words)
	for c := range a.channels {
		gradient[c] += float32(a.at(0, c))
		gradient[a.channels+c] += float32(a.at(1, c))
	}
}

// NormErrors is the second pass: it takes the errors gamma to batch norm's inputs.
func NormErrors(words []uint32, errors, gamma, parameter, saved []float32, m int) {
	a := of(words)
	dgain, dbias, scale := a.load(0), a.load(1), a.load(2)
	for c := range scale {
		scale[c] *= float64(parameter[c])
	}
	n := float64(m)
	eachRow(gamma, a.channels, func(at int, row []float32) {
		for c, g := range row {
			x := float64(saved[at+c])
			errors[at+c] = float32(scale[c] * (float64(g) - dbias[c]/n - float64(x*dgain[c])/n))
		}
	})
}

// eachRow calls do with the channels of every position of every sample, and
// where they start.
func eachRow(values []float32, channels int, do func(at int, row []float32)) {
	for at := 0; at < len(values); at += channels {
		do(at, values[at:at+channels])
	}
}
