package hdl

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"sort"
	"strings"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/pe/fixed"
	"github.com/accelsim-dev/accelsim/units"
)

// field is one port's part of a packed word.
type field struct {
	port  string
	width int
	value int64
}

// words is a memory file: packed words in hexadecimal.
type words struct {
	width int
	lines []string
}

// put appends a word, its last field in the lowest bits.
func (w *words) put(fields []field) {
	word, width := new(big.Int), 0
	for _, f := range fields {
		mask := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(f.width)), big.NewInt(1))
		word.Lsh(word, uint(f.width)).Or(word, mask.And(mask, big.NewInt(f.value)))
		width += f.width
	}
	w.width = width
	w.lines = append(w.lines, fmt.Sprintf("%0*x", (width+3)/4, word))
}

// String returns the file.
func (w *words) String() string { return strings.Join(w.lines, "\n") + "\n" }

// stream is what goes into or comes out of a unit under one valid signal.
type stream struct {
	valid  string // the port
	fields []field
	words  words
}

func (s *stream) put(values ...int64) {
	for i, v := range values {
		s.fields[i].value = v
	}
	s.words.put(s.fields)
}

// Unit is a module with random vectors and what the fixed-point model makes of
// them.
type Unit struct {
	Name       string
	parameters []string // without "accelsim_" modules' defaults: name=value
	constants  []string // ports that stand still
	in, out    []*stream
	// Cycles is what the pe/ model says a gapless stream takes, from the first
	// word in to the last one out.
	Cycles units.Cycles
}

// Vectors returns the number of words that go in.
func (u *Unit) Vectors() int {
	n := 0
	for _, s := range u.in {
		n = max(n, len(s.words.lines))
	}
	return n
}

// source makes random operands.
type source struct {
	*rand.Rand
	d *fixed.Datapath
}

// bits returns a value of the given width: anything, small, an extreme, or with
// zeros at its end, so that products and sums have ties to round.
func (r source) bits(width int) int64 {
	limit := int64(1) << (width - 1)
	switch r.IntN(9) {
	case 8:
		return (r.Int64N(2*limit) - limit) &^ (1<<r.IntN(width) - 1)
	case 0:
		return []int64{0, 1, -1, limit - 1, -limit}[r.IntN(5)]
	case 1, 2, 3:
		return r.Int64N(limit) >> r.IntN(width) * (2*r.Int64N(2) - 1)
	}
	return r.Int64N(2*limit) - limit
}

// near returns a potential, often close to where something is decided.
func (r source) near() int64 {
	d, f := r.d, r.d.Potential
	var v int64
	switch r.IntN(4) {
	case 0:
		v = d.Threshold
	case 1:
		v = d.Threshold + d.HalfWidth
	case 2:
		v = d.Threshold - d.HalfWidth
	default:
		return r.bits(f.Width())
	}
	return min(max(v+r.Int64N(9)-4, f.Min()), f.Max())
}

func (r source) bit() int64 { return r.Int64N(2) }

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// stream time of n words through one lane of a pipeline.
func through(n int, latency units.Cycles) units.Cycles {
	return pe.Array{Rows: 1, Columns: 1, Lanes: 1, Pipeline: latency}.Vector(int64(n), 0, 0).Cycles
}

// Units returns every unit with the given number of random vectors.
func Units(d *fixed.Datapath, vectors int, seed uint64) []*Unit {
	r := source{rand.New(rand.NewPCG(seed, 1)), d}
	w, u, e, g := d.Weight, d.Potential, d.Error, d.Gradient
	ww, uw, ew, gw := w.Width(), u.Width(), e.Width(), g.Width()
	in := func(fields ...field) []*stream { return []*stream{{"in_valid", fields, words{}}} }
	out := func(fields ...field) []*stream { return []*stream{{"out_valid", fields, words{}}} }
	set := func(unit *Unit, ports ...string) {
		for _, c := range constants(d) {
			for _, port := range ports {
				if c.port == port {
					unit.constants = append(unit.constants, port)
				}
			}
		}
	}

	lif := &Unit{
		Name: "lif", parameters: []string{"UW", "UF", "SW", "WF"},
		in:  in(field{port: "u_before", width: uw}, field{port: "sum", width: d.SumBits}),
		out: out(field{port: "u", width: uw}, field{port: "spike", width: 1}),
	}
	set(lif, "tau", "theta", "u_th")
	for range vectors {
		before, sum := r.membrane()
		after, spike := d.LIF(before, sum)
		lif.in[0].put(before, sum)
		lif.out[0].put(after, truth(spike))
	}
	lif.Cycles = through(vectors, laneLatency)

	surrogate := &Unit{
		Name: "surrogate", parameters: []string{"UW"},
		in: in(field{port: "u", width: uw}), out: out(field{port: "close", width: 1}),
	}
	set(surrogate, "u_th", "half_width")
	for range vectors {
		v := r.near()
		surrogate.in[0].put(v)
		surrogate.out[0].put(truth(d.Window(v)))
	}
	surrogate.Cycles = through(vectors, 2)

	loss := &Unit{
		Name: "loss", parameters: []string{"NW", "K", "CW", "CF=LOSS_CF", "EW", "EF"},
		in:  in(field{port: "count", width: d.CountBits}, field{port: "label", width: 1}),
		out: out(field{port: "delta", width: ew}), constants: []string{"c=loss_scale"},
	}
	for range vectors {
		count, label := r.Int64N(int64(d.K)+1), r.bit()
		loss.in[0].put(count, label)
		loss.out[0].put(d.OutputError(count, label == 1))
	}
	loss.Cycles = through(vectors, laneLatency)

	sgd := &Unit{
		Name: "sgd", parameters: []string{"WW", "WF", "GW", "GF", "UW", "UF", "CW", "CF=RATE_CF"},
		in:  in(field{port: "w_before", width: ww}, field{port: "v_before", width: gw}, field{port: "dw", width: gw}),
		out: out(field{port: "w", width: ww}, field{port: "v", width: gw}),
	}
	set(sgd, "momentum", "rate")
	for range vectors {
		before, v, dw := r.bits(ww), r.bits(gw), r.bits(gw)
		after, moment := d.Update(before, v, dw)
		sgd.in[0].put(before, v, dw)
		sgd.out[0].put(after, moment)
	}
	sgd.Cycles = through(vectors, laneLatency)

	accumulator := &Unit{
		Name: "accumulator", parameters: []string{"WW", "SW"},
		in:  in(field{port: "first", width: 1}, field{port: "last", width: 1}, field{port: "spike", width: 1}, field{port: "weight", width: ww}),
		out: out(field{port: "sum", width: d.SumBits}),
	}
	mac := &Unit{
		Name: "mac", parameters: []string{"EW", "WW", "BW"},
		in:  in(field{port: "first", width: 1}, field{port: "last", width: 1}, field{port: "gamma", width: ew}, field{port: "weight", width: ww}),
		out: out(field{port: "sum", width: d.SpatialBits}),
	}
	for _, unit := range []*Unit{accumulator, mac} {
		sum, start := int64(0), true
		for i := range vectors {
			x, weight, longest := r.bit(), r.bits(ww), terms(d.SumBits, ww)
			if unit == mac {
				x, longest = r.bits(ew), terms(d.SpatialBits, ew+ww)
			}
			last := i == vectors-1 || r.IntN(longest) == 0
			if start {
				sum = 0
			}
			sum += x * weight
			unit.in[0].put(truth(start), truth(last), x, weight)
			if last {
				unit.out[0].put(sum)
			}
			start = last
		}
		unit.Cycles = through(vectors, cellLatency)
	}

	gradient := &Unit{
		Name: "gradient", parameters: []string{"EW", "EF", "GW", "GF", "RW"},
		in: in(field{port: "drain", width: 1}, field{port: "first", width: 1}, field{port: "load", width: 1},
			field{port: "last", width: 1}, field{port: "spike", width: 1}, field{port: "gamma", width: ew}, field{port: "dw_before", width: gw}),
		out: out(field{port: "dw", width: gw}),
	}
	r.gradients(vectors, func(drain, first, load, last, spike, gamma, before, dw int64) {
		gradient.in[0].put(drain, first, load, last, spike, gamma, before)
		if drain == 1 && last == 1 {
			gradient.out[0].put(dw)
		}
	})
	gradient.Cycles = through(gradient.Vectors(), cellLatency)

	units := []*Unit{lif, surrogate, errorUnit(r, vectors), loss, sgd, accumulator, mac, gradient, lane(r, vectors), element(r, vectors)}
	for _, unit := range units[2:] {
		switch unit.Name {
		case "error":
			set(unit, "tau", "theta", "inverse_width")
		case "lane":
			set(unit, "tau", "theta", "u_th", "half_width", "inverse_width", "momentum", "rate", "loss_scale")
		}
	}
	return append(units, whole(units[len(units)-2], units[len(units)-1]))
}

// terms bounds the terms of a random sum of some bits so that it stays exact.
func terms(sum, term int) int { return 1 << min(6, sum-term) }

// membrane returns the potential before and the synaptic sum of a neuron. One in
// three is, for a sum that can decide, the least potential from which the neuron
// fires or the greatest from which it does not: a leak of at most one moves u by
// at most its last place, so that u is then u_th to the bit, or one less.
func (r source) membrane() (before, sum int64) {
	d := r.d
	bits := min(d.SumBits, d.Weight.Width()+3)
	if r.IntN(3) > 0 {
		return r.near(), r.bits(bits)
	}
	lowest, fraction, limit := d.Potential.Min(), d.Potential.Fraction, int64(1)<<(bits-1)
	about := lowest + r.Int64N(d.Threshold-lowest)
	sum = (d.Threshold<<fraction - d.Leak*about) >> (2*fraction - d.Weight.Fraction)
	sum = min(max(sum, -limit), limit-1)
	least := lowest + int64(sort.Search(int(d.Threshold-lowest), func(above int) bool {
		_, fires := d.LIF(lowest+int64(above), sum)
		return fires
	}))
	return max(least-r.Int64N(2), lowest), sum
}

// gradients goes through random registers of random weights: terms, then a
// drain, for each sample.
func (r source) gradients(atLeast int, put func(drain, first, load, last, spike, gamma, before, dw int64)) {
	d := r.d
	ew, gw := d.Error.Width(), d.Gradient.Width()
	positions := terms(d.RegisterBits, ew)
	for n := 0; n < atLeast; {
		samples, dw := 1+r.IntN(4), r.bits(gw)
		for sample := range samples {
			load, last := truth(sample == 0), truth(sample == samples-1)
			register := int64(0)
			count := 1 + r.IntN(positions)
			for i := range count {
				spike, gamma := r.bit(), r.bits(ew)
				register += spike * gamma
				put(0, truth(i == 0), load, last, spike, gamma, r.bits(gw), 0)
			}
			before := r.bits(gw)
			if sample == 0 {
				before = dw
			}
			dw = d.Accumulate(dw, register)
			put(1, r.bit(), load, last, r.bit(), r.bits(ew), before, dw)
			n += count + 1
		}
	}
}

// errorVector is a random operand of the error unit and its result.
func (r source) errorVector() (temporal, spatial, before, inside, delta, gamma int64) {
	d := r.d
	temporal, before, inside = r.bit(), r.bits(d.Error.Width()), r.bit()
	spatial = r.bits(min(d.SpatialBits, d.Error.Width()+d.Weight.Fraction+r.IntN(3)))
	if r.IntN(4) == 0 { // a tie
		spatial = spatial&^(1<<d.Weight.Fraction-1) | 1<<d.Weight.Fraction>>1
	}
	if temporal == 1 {
		delta, gamma = d.Temporal(spatial, before)
	} else {
		delta, gamma = d.Spatial(spatial, before, inside == 1)
	}
	return
}

// errorUnit is fed with a window that belongs to the operand of two clocks
// before.
func errorUnit(r source, vectors int) *Unit {
	d := r.d
	unit := &Unit{
		Name: "error", parameters: []string{"UW", "UF", "EW", "WF", "BW"},
		in: []*stream{{"in_valid", []field{
			{port: "temporal", width: 1}, {port: "spatial", width: d.SpatialBits}, {port: "gamma_before", width: d.Error.Width()}, {port: "close:2", width: 1},
		}, words{}}},
		out: []*stream{{"out_valid", []field{{port: "delta", width: d.Error.Width()}, {port: "gamma", width: d.Error.Width()}}, words{}}},
	}
	for range vectors {
		temporal, spatial, before, inside, delta, gamma := r.errorVector()
		unit.in[0].put(temporal, spatial, before, inside)
		unit.out[0].put(delta, gamma)
	}
	unit.Cycles = through(vectors, laneLatency)
	return unit
}

// lane feeds all units of a lane at once.
func lane(r source, vectors int) *Unit {
	d := r.d
	ww, uw, ew, gw := d.Weight.Width(), d.Potential.Width(), d.Error.Width(), d.Gradient.Width()
	unit := &Unit{
		Name: "lane", parameters: laneParameters,
		in: []*stream{{"in_valid", []field{
			{port: "temporal", width: 1},
			{port: "u_before", width: uw},
			{port: "sum", width: d.SumBits},
			{port: "spike_in", width: 1},
			{port: "count", width: d.CountBits},
			{port: "label", width: 1},
			{port: "spatial", width: d.SpatialBits},
			{port: "gamma_before", width: ew},
			{port: "w_before", width: ww},
			{port: "v_before", width: gw},
			{port: "dw", width: gw},
		}, words{}}},
		out: []*stream{{"out_valid", []field{
			{port: "u", width: uw},
			{port: "spike", width: 1},
			{port: "counted", width: d.CountBits},
			{port: "delta_c", width: ew},
			{port: "delta", width: ew},
			{port: "gamma", width: ew},
			{port: "w", width: ww},
			{port: "v", width: gw},
		}, words{}}},
	}
	for range vectors {
		before, sum := r.membrane()
		spike, count, label := r.bit(), r.Int64N(int64(d.K)), r.bit()
		temporal, spatial, gamma, _, _, _ := r.errorVector()
		w, v, dw := r.bits(ww), r.bits(gw), r.bits(gw)
		unit.in[0].put(temporal, before, sum, spike, count, label, spatial, gamma, w, v, dw)

		u, fired := d.LIF(before, sum)
		var delta, errorOut int64
		if temporal == 1 {
			delta, errorOut = d.Temporal(spatial, gamma)
		} else {
			delta, errorOut = d.Spatial(spatial, gamma, d.Window(before))
		}
		weight, moment := d.Update(w, v, dw)
		unit.out[0].put(u, truth(fired), count+spike, d.OutputError(count, label == 1), delta, errorOut, weight, moment)
	}
	unit.Cycles = through(vectors, laneLatency)
	return unit
}

// element feeds a cell with kernels of all three kinds.
func element(r source, vectors int) *Unit {
	d := r.d
	ww, ew, gw := d.Weight.Width(), d.Error.Width(), d.Gradient.Width()
	in := &stream{"in_valid", []field{
		{port: "op", width: 2},
		{port: "first", width: 1},
		{port: "last", width: 1},
		{port: "drain", width: 1},
		{port: "load", width: 1},
		{port: "row_spike", width: 1},
		{port: "column_spike", width: 1},
		{port: "gamma", width: ew},
		{port: "weight", width: ww},
		{port: "dw_before", width: gw},
	}, words{}}
	sums := &stream{"sum_valid", []field{{port: "sum", width: d.SumBits}}, words{}}
	spatials := &stream{"spatial_valid", []field{{port: "spatial", width: d.SpatialBits}}, words{}}
	gradients := &stream{"dw_valid", []field{{port: "dw", width: gw}}, words{}}
	const kernels = 3
	for n := int64(0); n < kernels || len(in.words.lines) < vectors; n++ {
		op := n // each kind at least once
		if n >= kernels {
			op = r.Int64N(kernels)
		}
		switch op {
		case 2:
			r.gradients(1, func(drain, first, load, last, spike, gamma, before, dw int64) {
				in.put(op, first, last, drain, load, r.bit(), spike, gamma, r.bits(ww), before)
				if drain == 1 && last == 1 {
					gradients.put(dw)
				}
			})
		default:
			longest := terms(d.SumBits, ww)
			if op == 1 {
				longest = terms(d.SpatialBits, ew+ww)
			}
			count, sum, spatial := 1+r.IntN(longest), int64(0), int64(0)
			for i := range count {
				spike, gamma, weight := r.bit(), r.bits(ew), r.bits(ww)
				sum += spike * weight
				spatial += gamma * weight
				in.put(op, truth(i == 0), truth(i == count-1), r.bit(), r.bit(), spike, r.bit(), gamma, weight, r.bits(gw))
			}
			if op == 0 {
				sums.put(sum)
			} else {
				spatials.put(spatial)
			}
		}
	}
	return &Unit{
		Name: "cell", parameters: cellParameters,
		in: []*stream{in}, out: []*stream{sums, spatials, gradients},
		Cycles: through(len(in.words.lines), cellLatency),
	}
}

var (
	cellParameters = []string{"WW", "EW", "EF", "GW", "GF", "SW", "BW", "RW"}
	laneParameters = []string{"WW", "WF", "UW", "UF", "EW", "EF", "GW", "GF", "SW", "BW", "NW", "K", "CW", "LOSS_CF", "RATE_CF"}
	peParameters   = []string{"WW", "WF", "UW", "UF", "EW", "EF", "GW", "GF", "SW", "BW", "RW", "NW", "K", "CW", "LOSS_CF", "RATE_CF"}
)

// whole is the processing element: the vectors of a lane and of a cell at the
// same time.
func whole(lane, element *Unit) *Unit {
	unit := &Unit{Name: "pe", parameters: peParameters, constants: lane.constants}
	prefix := func(with string, from []*stream) (list []*stream) {
		for _, s := range from {
			renamed := &stream{with + s.valid, nil, s.words}
			for _, f := range s.fields {
				f.port = with + f.port
				renamed.fields = append(renamed.fields, f)
			}
			list = append(list, renamed)
		}
		return list
	}
	unit.in = append(prefix("cell_", element.in), prefix("lane_", lane.in)...)
	unit.out = append(prefix("cell_", element.out), prefix("lane_", lane.out)...)
	unit.Cycles = max(lane.Cycles, element.Cycles)
	return unit
}
