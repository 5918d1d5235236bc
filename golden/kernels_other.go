//go:build !amd64

package golden

func addRows(acc, rows []float32, offset, stride int, index []int32) {
	addRowsGo(acc, rows, offset, stride, index)
}

func addScaledRows(acc, rows []float32, offset, stride int, index []int32, scale []float32) {
	addScaledRowsGo(acc, rows, offset, stride, index, scale)
}

func fire(u, previous, sum []float32, spikes []byte, p *lifParameters) {
	fireGo(u, previous, sum, spikes, p)
}

func potentialError(gamma, spatial, u []float32, p *lifParameters, last bool) {
	potentialErrorGo(gamma, spatial, u, p, last)
}

func momentum(w, v, dw []float32, m, rate float32) { momentumGo(w, v, dw, m, rate) }

func add(to, from []float32) { addGo(to, from) }

func listSpikes(index, start []int32, spikes []byte, channels int) int {
	return listSpikesGo(index, start, spikes, channels)
}

func listFloats(index []int32, value []float32, start []int32, values []float32, channels, base, listed int) int {
	return listFloatsGo(index, value, start, values, channels, base, listed)
}

func addTaps(acc, rows []float32, offset, stride, apart, taps int, index []int32) {
	addTapsGo(acc, rows, offset, stride, apart, taps, index)
}

func addScaledTaps(acc, rows []float32, offset, stride, apart int, index []int32, scale []float32) {
	addScaledTapsGo(acc, rows, offset, stride, apart, index, scale)
}

func convolve(acc, x, weights []float32, xStep, xRow, height, taps int) {
	convolveGo(acc, x, weights, xStep, xRow, height, taps)
}
