package pe

import "math"

// normEpsilon keeps 1/std finite, normMomentum is the weight of a step's
// statistics in the running ones.
const (
	normEpsilon  = 1e-5
	normMomentum = 0.1
)

// NormForward replaces a batch's synaptic sums by their batch norm. parameter
// is gain, then bias; running is mean, then variance, and is taken one step on;
// saved gets the normalised sums and 1/std (in float64, two words each).
//
// Statistics are those of the batch at this step, over samples, then positions.
func NormForward(sums, parameter, running []float32, saved Values) {
	channels := len(parameter) / 2
	gain, bias := parameter[:channels], parameter[channels:]
	m := float64(len(sums) / channels)
	mean, variance := make([]float64, channels), make([]float64, channels)
	eachRow(sums, channels, func(_ int, row []float32) {
		for c, v := range row {
			mean[c] += float64(v)
		}
	})
	for c := range mean {
		mean[c] /= m
	}
	eachRow(sums, channels, func(_ int, row []float32) {
		for c, v := range row {
			d := float64(v) - mean[c]
			variance[c] += float64(d * d)
		}
	})
	inverse := make([]float64, channels)
	for c := range variance {
		variance[c] /= m
		inverse[c] = 1 / math.Sqrt(variance[c]+normEpsilon)
		putDouble(saved.Bits, c, inverse[c])
		unbiased := variance[c]
		if m > 1 {
			unbiased *= m / (m - 1)
		}
		running[c] = follow(running[c], mean[c])
		running[channels+c] = follow(running[channels+c], unbiased)
	}
	eachRow(sums, channels, func(at int, row []float32) {
		for c, v := range row {
			x := float32((float64(v) - mean[c]) * inverse[c])
			saved.Floats[at+c] = x
			row[c] = float32(gain[c]*x) + bias[c]
		}
	})
}

// follow takes a running statistic one step on.
func follow(running float32, value float64) float32 {
	return float32(float64((1-normMomentum)*float64(running)) + float64(normMomentum*value))
}

// NormBackward takes the errors gamma of batch norm's outputs to its inputs and
// adds this step's gradients of gain and bias to gradient.
func NormBackward(errors, gradient, gamma, parameter []float32, saved Values) {
	channels := len(parameter) / 2
	m := float64(len(gamma) / channels)
	dgain, dbias := make([]float64, channels), make([]float64, channels)
	eachRow(gamma, channels, func(at int, row []float32) {
		for c, g := range row {
			dgain[c] += float64(float64(g) * float64(saved.Floats[at+c]))
			dbias[c] += float64(g)
		}
	})
	scale := make([]float64, channels)
	for c := range channels {
		gradient[c] += float32(dgain[c])
		gradient[channels+c] += float32(dbias[c])
		scale[c] = float64(parameter[c]) * double(saved.Bits, c)
	}
	eachRow(gamma, channels, func(at int, row []float32) {
		for c, g := range row {
			x := float64(saved.Floats[at+c])
			errors[at+c] = float32(scale[c] * (float64(g) - dbias[c]/m - float64(x*dgain[c])/m))
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
