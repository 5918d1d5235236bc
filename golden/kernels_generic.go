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
