package golden

import "golang.org/x/sys/cpu"

// vectors tells whether the assembly can run: AVX2, and BMI2 for masks.
var vectors = cpu.X86.HasAVX2 && cpu.X86.HasBMI2 && cpu.X86.HasPOPCNT

// maskOrder lists, for each mask of eight bits, the numbers of its set bits.
var maskOrder = func() (order [256][8]byte) {
	for mask := range order {
		n := 0
		for bit := range 8 {
			if mask>>bit&1 == 1 {
				order[mask][n] = byte(bit)
				n++
			}
		}
	}
	return order
}()

//go:noescape
func addRows1(acc, rows *float32, offset, stride int, index *int32, n int)

//go:noescape
func addRows2(acc, rows *float32, offset, stride int, index *int32, n int)

//go:noescape
func addRows4(acc, rows *float32, offset, stride int, index *int32, n int)

//go:noescape
func addRows8(acc, rows *float32, offset, stride int, index *int32, n int)

//go:noescape
func addScaledRows1(acc, rows *float32, offset, stride int, index *int32, scale *float32, n int)

//go:noescape
func addScaledRows2(acc, rows *float32, offset, stride int, index *int32, scale *float32, n int)

//go:noescape
func addScaledRows4(acc, rows *float32, offset, stride int, index *int32, scale *float32, n int)

//go:noescape
func addScaledRows8(acc, rows *float32, offset, stride int, index *int32, scale *float32, n int)

//go:noescape
func fireAVX2(u, previous, sum *float32, spikes *byte, p *lifParameters, n int)

//go:noescape
func potentialErrorAVX2(gamma, spatial, u *float32, p *lifParameters, n int)

//go:noescape
func lastPotentialErrorAVX2(gamma, spatial, u *float32, p *lifParameters, n int)

//go:noescape
func momentumAVX2(w, v, dw *float32, momentum, rate float32, n int)

//go:noescape
func addAVX2(to, from *float32, n int)

//go:noescape
func listSpikesAVX2(index, start *int32, spikes *byte, positions, words int, order *[256][8]byte) int

//go:noescape
func listFloatsAVX2(index *int32, value *float32, start *int32, values *float32, base, listed, positions, words int, order *[256][8]byte) int

func addRows(acc, rows []float32, offset, stride int, index []int32) {
	if !vectors || len(index) == 0 {
		addRowsGo(acc, rows, offset, stride, index)
		return
	}
	switch len(acc) {
	case 8:
		addRows1(&acc[0], &rows[0], 4*offset, 4*stride, &index[0], len(index))
	case 16:
		addRows2(&acc[0], &rows[0], 4*offset, 4*stride, &index[0], len(index))
	case 32:
		addRows4(&acc[0], &rows[0], 4*offset, 4*stride, &index[0], len(index))
	default:
		addRows8(&acc[0], &rows[0], 4*offset, 4*stride, &index[0], len(index))
	}
}

func addScaledRows(acc, rows []float32, offset, stride int, index []int32, scale []float32) {
	if !vectors || len(index) == 0 {
		addScaledRowsGo(acc, rows, offset, stride, index, scale)
		return
	}
	switch len(acc) {
	case 8:
		addScaledRows1(&acc[0], &rows[0], 4*offset, 4*stride, &index[0], &scale[0], len(index))
	case 16:
		addScaledRows2(&acc[0], &rows[0], 4*offset, 4*stride, &index[0], &scale[0], len(index))
	case 32:
		addScaledRows4(&acc[0], &rows[0], 4*offset, 4*stride, &index[0], &scale[0], len(index))
	default:
		addScaledRows8(&acc[0], &rows[0], 4*offset, 4*stride, &index[0], &scale[0], len(index))
	}
}

func fire(u, previous, sum []float32, spikes []byte, p *lifParameters) {
	if !vectors {
		fireGo(u, previous, sum, spikes, p)
		return
	}
	fireAVX2(&u[0], &previous[0], &sum[0], &spikes[0], p, len(u))
}

func potentialError(gamma, spatial, u []float32, p *lifParameters, last bool) {
	switch {
	case !vectors:
		potentialErrorGo(gamma, spatial, u, p, last)
	case last:
		lastPotentialErrorAVX2(&gamma[0], &spatial[0], &u[0], p, len(u))
	default:
		potentialErrorAVX2(&gamma[0], &spatial[0], &u[0], p, len(u))
	}
}

func momentum(w, v, dw []float32, m, rate float32) {
	whole := len(w) / lanes * lanes
	if !vectors {
		whole = 0
	}
	if whole > 0 {
		momentumAVX2(&w[0], &v[0], &dw[0], m, rate, whole)
	}
	momentumGo(w[whole:], v[whole:], dw[whole:], m, rate)
}

func add(to, from []float32) {
	if !vectors {
		addGo(to, from)
		return
	}
	whole := len(to) / lanes * lanes
	if whole > 0 {
		addAVX2(&to[0], &from[0], whole)
	}
	if whole < len(to) {
		addGo(to[whole:], from[whole:])
	}
}

func listSpikes(index, start []int32, spikes []byte, channels int) int {
	if !vectors || channels%lanes != 0 {
		return listSpikesGo(index, start, spikes, channels)
	}
	return listSpikesAVX2(&index[0], &start[0], &spikes[0], len(spikes)/channels, channels/lanes, &maskOrder)
}

func listFloats(index []int32, value []float32, start []int32, values []float32, channels, base, listed int) int {
	if !vectors || channels%lanes != 0 {
		return listFloatsGo(index, value, start, values, channels, base, listed)
	}
	return listFloatsAVX2(&index[0], &value[0], &start[0], &values[0], base, listed, len(values)/channels, channels/lanes, &maskOrder)
}

//go:noescape
func addRows1Taps3(acc, rows *float32, offset, stride, tap int, index *int32, n int)

//go:noescape
func addRows1Taps5(acc, rows *float32, offset, stride, tap int, index *int32, n int)

//go:noescape
func addRows2Taps3(acc, rows *float32, offset, stride, tap int, index *int32, n int)

//go:noescape
func addRows2Taps5(acc, rows *float32, offset, stride, tap int, index *int32, n int)

//go:noescape
func addRows4Taps3(acc, rows *float32, offset, stride, tap int, index *int32, n int)

//go:noescape
func addScaledRows1Taps3(acc, rows *float32, offset, stride, tap int, index *int32, scale *float32, n int)

//go:noescape
func addScaledRows1Taps5(acc, rows *float32, offset, stride, tap int, index *int32, scale *float32, n int)

//go:noescape
func convolve8(acc, x, weights *float32, xStep, xRow, weightStep, height, taps int)

func addTaps(acc, rows []float32, offset, stride, apart, taps int, index []int32) {
	width := len(acc) / taps
	if vectors && len(index) > 0 {
		var kernel func(acc, rows *float32, offset, stride, tap int, index *int32, n int)
		switch {
		case width == 8 && taps == 3:
			kernel = addRows1Taps3
		case width == 8 && taps == 5:
			kernel = addRows1Taps5
		case width == 16 && taps == 3:
			kernel = addRows2Taps3
		case width == 16 && taps == 5:
			kernel = addRows2Taps5
		case width == 32 && taps == 3:
			kernel = addRows4Taps3
		}
		if kernel != nil {
			kernel(&acc[0], &rows[0], 4*offset, 4*stride, 4*apart, &index[0], len(index))
			return
		}
	}
	for tap := range taps {
		addRows(acc[tap*width:(tap+1)*width], rows, offset+tap*apart, stride, index)
	}
}

func addScaledTaps(acc, rows []float32, offset, stride, apart int, index []int32, scale []float32) {
	switch {
	case vectors && len(acc) == 3*lanes && len(index) > 0:
		addScaledRows1Taps3(&acc[0], &rows[0], 4*offset, 4*stride, 4*apart, &index[0], &scale[0], len(index))
	case vectors && len(acc) == 5*lanes && len(index) > 0:
		addScaledRows1Taps5(&acc[0], &rows[0], 4*offset, 4*stride, 4*apart, &index[0], &scale[0], len(index))
	default:
		addScaledTapsGo(acc, rows, offset, stride, apart, index, scale)
	}
}

func convolve(acc, x, weights []float32, xStep, xRow, height, taps int) {
	if !vectors {
		convolveGo(acc, x, weights, xStep, xRow, height, taps)
		return
	}
	convolve8(&acc[0], &x[0], &weights[0], 4*xStep, 4*xRow, 4*lanes, height, taps)
}
