package golden

// output is what readers of a layer, or of the network's input, may see: counts
// that are divided by scale, or real numbers.
type output struct {
	extent
	maxValue int // the largest count
	scale    int
	real     bool // direct input, spikes scaled for dropout, traces
	static   bool // the same at every step: one slot
	bytes    []byte
	floats   []float32 // [slots][batch][size] counts that no byte or no whole number holds, or real numbers

	now reading
}

// reading is an output at the current step, or over a delay at the one before, as
// those who read it want it: its non-zero values of each sample in ascending order,
// where a whole number v stands v times.
type reading struct {
	*output
	late bool

	slot  int       // the current step's when it was listed
	index []int32   // [batch][capacity]
	value []float32 // of other than whole numbers only
	start []int32   // [batch][positions + 1]

	nonZero []int64 // per sample, since the batch began
}

// inFloats tells where the values are.
func (o *output) inFloats() bool { return o.real || o.bytes == nil }

// valued tells that values are no whole numbers: weights are multiplied.
func (o *output) valued() bool { return o.real || o.scale > 1 }

// weighted tells that values other than 1 may occur: gradients then need products.
func (o *output) weighted() bool { return o.valued() || o.maxValue > 1 }

func (o *output) bytesAt(slot, batch, sample int) []byte {
	size := o.size()
	first := (slot*batch + sample) * size
	return o.bytes[first : first+size : first+size]
}

func (o *output) floatsAt(slot, batch, sample int) []float32 {
	if o.static {
		slot = 0
	}
	size := o.size()
	first := (slot*batch + sample) * size
	return o.floats[first : first+size : first+size]
}

// clear begins a batch: nothing was counted, and the step before the first, whose slot
// is given, is 0.
func (o *output) clear(slot, batch int) {
	clear(o.now.nonZero)
	if o.static {
		return
	}
	size := batch * o.size()
	if len(o.bytes) >= (slot+1)*size {
		clear(o.bytes[slot*size : (slot+1)*size])
	}
	if len(o.floats) >= (slot+1)*size {
		clear(o.floats[slot*size : (slot+1)*size])
	}
}

// slotOf returns where a reading's values of the current step are.
func (t *Trainer) slotOf(r *reading) int {
	if r.late {
		return t.now.previous
	}
	return t.now.slot
}

// addNumbers adds sample b's values.
func (t *Trainer) addNumbers(to []float32, r *reading, b int) {
	slot := t.slotOf(r)
	switch {
	case !r.inFloats():
		for i, v := range r.bytesAt(slot, t.batch, b) {
			to[i] += float32(v)
		}
	case r.real || r.scale == 1:
		add(to, r.floatsAt(slot, t.batch, b))
	default:
		scale := float32(r.scale)
		for i, v := range r.floatsAt(slot, t.batch, b) {
			to[i] += v / scale
		}
	}
}

// addCounts adds sample b's counts of the current step.
func (t *Trainer) addCounts(to []float32, o *output, b int) {
	if o.inFloats() {
		add(to, o.floatsAt(t.now.slot, t.batch, b))
		return
	}
	for i, v := range o.bytesAt(t.now.slot, t.batch, b) {
		to[i] += float32(v)
	}
}

// list finds the non-zero values of sample b in the current step, and returns
// how many there are.
func (t *Trainer) list(r *reading, b int) int64 {
	positions := r.positions()
	start := r.start[b*(positions+1) : (b+1)*(positions+1)]
	capacity := len(r.index) / t.batch
	index := r.index[b*capacity : (b+1)*capacity]
	slot := t.slotOf(r)
	switch {
	case r.valued():
		value := r.value[b*capacity : (b+1)*capacity]
		n := listFloats(index, value, start, r.floatsAt(slot, t.batch, b), r.channels, 0, 0)
		start[positions] = int32(n)
		if !r.real {
			scale := float32(r.scale)
			for i := range value[:n] {
				value[i] /= scale
			}
		}
		return int64(n)
	case r.bytes == nil:
		return listCounts(index, start, r.floatsAt(slot, t.batch, b), r.channels)
	case r.maxValue == 1:
		return int64(listSpikes(index, start, r.bytesAt(slot, t.batch, b), r.channels))
	}
	return listCounts(index, start, r.bytesAt(slot, t.batch, b), r.channels)
}

// listCounts lists whole numbers, a v times.
func listCounts[number byte | float32](index, start []int32, values []number, channels int) (nonZero int64) {
	n := 0
	for i, v := range values {
		if i%channels == 0 {
			start[i/channels] = int32(n)
		}
		if v > 0 {
			nonZero++
		}
		for range int(v) {
			index[n] = int32(i)
			n++
		}
	}
	start[len(values)/channels] = int32(n)
	return nonZero
}

// listed returns sample b's list: of non-zero values, and of where each
// position's start.
func (r *reading) listed(b, batch int) (index []int32, value []float32, start []int32) {
	positions := r.positions()
	start = r.start[b*(positions+1) : (b+1)*(positions+1)]
	first, n := b*(len(r.index)/batch), int(start[positions])
	if r.valued() {
		value = r.value[first : first+n]
	}
	return r.index[first : first+n], value, start
}

// listAgain renews a list for a step of the backward pass, unless it is that
// step's.
func (t *Trainer) listAgain(r *reading) {
	if r.slot != t.now.slot && !r.static {
		t.now.in = r
		t.phase(t.samples, (*Trainer).relist)
		r.slot = t.now.slot
	}
}

func (t *Trainer) relist(_, b int) { t.list(t.now.in, b) }

// listLate lists what a projection reads of the step before.
func (t *Trainer) listLate(r *reading) {
	t.now.in = r
	t.phase(t.samples, (*Trainer).countLate)
	r.slot = t.now.slot
}

func (t *Trainer) countLate(_, b int) { t.now.in.nonZero[b] += t.list(t.now.in, b) }
