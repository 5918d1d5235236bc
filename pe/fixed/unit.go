package fixed

import (
	"fmt"
	"math"

	"github.com/accelsim-dev/accelsim/network"
)

// Scaled is a constant with a binary point of its own: a mantissa that fills
// its bits.
type Scaled struct {
	Mantissa int64
	Fraction int
}

// mantissaBits is the width of a [Scaled], its sign included.
const mantissaBits = 18

// scale encodes a positive number.
func scale(v float64) Scaled {
	_, exponent := math.Frexp(v) // v in [1/2, 1) * 2^exponent
	fraction := mantissaBits - 1 - exponent
	m := int64(math.RoundToEven(math.Ldexp(v, fraction)))
	if m == 1<<(mantissaBits-1) { // rounded up to the next power of two
		m, fraction = m/2, fraction-1
	}
	return Scaled{m, fraction}
}

// Value returns the number.
func (s Scaled) Value() float64 { return math.Ldexp(float64(s.Mantissa), -s.Fraction) }

// Parameter is an encoded constant of a neuron.
type Parameter struct {
	Name    string // as PAPER.md and the header write it
	Value   float64
	Encoded int64
}

// Constants are what the units of a datapath are set to: tau, theta, u_th, a/2,
// 1/a and the momentum in the potentials' format, and the two scaled ones.
type Constants struct {
	Leak, Reset, Threshold, HalfWidth, InverseWidth, Momentum int64
	TraceDecay                                                int64 // 0 without traces
	// Rate is the learning rate, divided by the scale of the errors.
	Rate Scaled
	// Loss is 2 / (classes k^2 batch), times the scale of the errors.
	Loss Scaled
	// ErrorShift is s where errors and gradients are carried times 2^s: without
	// it those of a large batch are less than a format's last place.
	ErrorShift int
}

// Width is the number of bits that [Scaled] constants have.
func (c Constants) Width() int { return mantissaBits }

// Parameters lists the constants that the potentials' format has to hold.
func (c Constants) Parameters(w *network.Workload) []Parameter {
	n := w.Neuron
	list := []Parameter{
		{"tau", n.Leak, c.Leak},
		{"theta", n.Reset, c.Reset},
		{"u_th", n.Threshold, c.Threshold},
		{"a/2", n.SurrogateWidth / 2, c.HalfWidth},
		{"1/a", 1 / n.SurrogateWidth, c.InverseWidth},
		{"momentum", w.Training.Momentum, c.Momentum},
	}
	if rule := w.Training.Rule; rule.Trace != network.NoTrace {
		list = append(list, Parameter{"the traces' decay", rule.Decay(n.Leak), c.TraceDecay})
	}
	return list
}

// Datapath is the arithmetic of one workload at one truncation interval.
type Datapath struct {
	// Formats are those of the words, at the scale of the errors; Given those that
	// were asked for. They differ in where the gradients' binary point is.
	Formats
	Given Formats
	Constants
	K int

	// Widths of the exact sums.
	SumBits      int // synaptic sums
	SpatialBits  int // W^T gamma
	RegisterBits int // of a weight's gradient
	CountBits    int // spikes of a classifier neuron in an interval
}

// CannotHold says that a format has no value for a parameter.
type CannotHold struct {
	Format    Format
	Parameter Parameter
	Needs     Format // the format of the same width, or a wider one, that can
}

// Error says what would do.
func (e *CannotHold) Error() string {
	reason := fmt.Sprintf("its range is %v to %v", e.Format.Value(e.Format.Min()), e.Format.Value(e.Format.Max()))
	if e.Format.inRange(e.Parameter.Value) {
		reason = fmt.Sprintf("it would become %v", e.Format.Value(e.Parameter.Encoded))
	}
	return fmt.Sprintf("%v cannot hold %s = %v: %s; write %v for the potentials", e.Format, e.Parameter.Name, e.Parameter.Value, reason, e.Needs)
}

// errorHeadroom is the bits between the largest output error and the end of the
// errors' range: sums of errors grow on their way down.
const errorHeadroom = 3

// New returns the datapath of a workload.
func New(w *network.Workload, k int, f Formats) (*Datapath, error) {
	// Gradients are sums over samples and steps: they are carried with a smaller
	// scale than errors, which moves their binary point.
	rule, steps := w.Training.Rule, k
	if rule.OnceAnIteration {
		steps = w.Timesteps
	}
	given, grown := f, min(f.Gradient.Fraction, guard(w.Batch*steps)/2+1)
	f.Gradient = Format{f.Gradient.Integer + grown, f.Gradient.Fraction - grown}
	d := &Datapath{Formats: f, Given: given, K: k}
	u, n := f.Potential, w.Neuron
	d.Constants = Constants{
		Leak: u.Encode(n.Leak), Reset: u.Encode(n.Reset), Threshold: u.Encode(n.Threshold),
		HalfWidth: u.Encode(n.SurrogateWidth / 2), InverseWidth: u.Encode(1 / n.SurrogateWidth),
		Momentum: u.Encode(w.Training.Momentum),
	}
	if rule.Trace != network.NoTrace {
		d.TraceDecay = u.Encode(rule.Decay(n.Leak))
	}
	for _, p := range d.Parameters(w) {
		if !u.holds(p.Value) {
			return nil, &CannotHold{u, p, u.widen(p.Value)}
		}
	}
	// The largest output error is 2 / (classes k batch); it is brought below
	// the end of the errors' range by the headroom.
	step := 2 / (float64(w.Net.Classes) * float64(k) * float64(k) * float64(w.Batch))
	_, exponent := math.Frexp(step * float64(k))
	d.ErrorShift = max(0, f.Error.Integer-1-errorHeadroom-exponent)
	d.Loss = scale(math.Ldexp(step, d.ErrorShift))
	d.Rate = scale(math.Ldexp(w.Training.LearningRate, -d.ErrorShift))
	if 2*u.Fraction < f.Weight.Fraction {
		return nil, fmt.Errorf("weights in %v have more fraction bits than twice the potentials' %v; give the potentials at least %d",
			f.Weight, u, (f.Weight.Fraction+1)/2)
	}
	if f.Gradient.Fraction+d.Rate.Fraction < f.Weight.Fraction {
		return nil, fmt.Errorf("the learning rate %v is too large for gradients in %v and weights in %v", w.Training.LearningRate, f.Gradient, f.Weight)
	}
	d.size(w)
	if wide := max(d.SpatialBits+max(0, u.Fraction-f.Weight.Fraction)+1, d.SumBits+2*u.Fraction-f.Weight.Fraction+2); wide > 63 {
		return nil, fmt.Errorf("sums of %s in %v need %d bits; 63 are what this datapath has, write narrower formats", w.Name, f, wide)
	}
	return d, nil
}

// tolerance is how far off a parameter may be in a format that holds it.
const tolerance = 0.02

// holds tells whether a parameter is in range and near enough.
func (f Format) holds(v float64) bool {
	return f.inRange(v) && math.Abs(f.Value(f.Encode(v))-v) <= tolerance*math.Abs(v)
}

// widen returns a format that holds v, of the same width if that will do.
func (f Format) widen(v float64) Format {
	for f.Integer < maxWidth && !f.inRange(v) {
		f.Integer++
		f.Fraction = max(0, f.Fraction-1)
	}
	for !f.holds(v) {
		f.Fraction++
		f.Integer = max(1, f.Integer-1)
		if !f.inRange(v) {
			f.Integer++
		}
	}
	return f
}

// size finds the widths of exact sums over all layers.
func (d *Datapath) size(w *network.Workload) {
	fanIn, fanOut, positions := 1, w.Net.Classes, 1
	for i := range w.Net.Layers {
		l := &w.Net.Layers[i]
		fan, out := 0, l.Out.Channels
		for _, p := range l.Inputs {
			largest, _ := w.Net.ValueOf(p.From)
			fan += int(p.FanIn()) * largest // values above 1 add their weight several times
			if p.Kind == network.Conv {
				out = max(out, l.Out.Channels*p.Kernel.Size.Area())
			}
		}
		fanIn = max(fanIn, fan, l.Pooled.Size()*l.MaxValue)
		fanOut, positions = max(fanOut, out), max(positions, l.Out.Positions())
	}
	d.SumBits = d.Weight.Width() + guard(fanIn)
	d.SpatialBits = d.Error.Width() + d.Weight.Width() + guard(fanOut)
	d.RegisterBits = d.Error.Width() + guard(positions)
	d.CountBits = guard(d.K + 1)
}

// LIF takes a potential one step on (Eqs. 1 and 2). sum is exact, with the
// weights' fraction bits.
func (d *Datapath) LIF(before, sum int64) (u int64, spike bool) {
	f := d.Potential.Fraction
	exact := d.Leak*before + sum<<(2*f-d.Weight.Fraction)
	if before >= d.Threshold {
		exact -= d.Reset << f
	}
	u = d.Potential.narrow(exact, f)
	return u, u >= d.Threshold
}

// Trace takes the trace of an input one step on: decay trace' + x, all in the
// potentials' format.
func (d *Datapath) Trace(before, x int64) int64 {
	f := d.Potential.Fraction
	return d.Potential.narrow(d.TraceDecay*before+x<<f, f)
}

// Window is the surrogate gradient's (Eq. 6): |u - u_th| < a/2.
func (d *Datapath) Window(u int64) bool {
	distance := u - d.Threshold
	return distance < d.HalfWidth && -distance < d.HalfWidth
}

// Temporal is the first pass of Eqs. 4 and 5, before t_k: delta, and the term of
// gamma that comes from step t+1. spatial has the fraction bits of an error
// times a weight.
func (d *Datapath) Temporal(spatial, gamma int64) (delta, decayed int64) {
	f := d.Potential.Fraction
	return d.delta(spatial, d.Reset*gamma), d.Error.narrow(d.Leak*gamma, f)
}

// delta rounds spatial - resetTerm.
func (d *Datapath) delta(spatial, resetTerm int64) int64 {
	more := max(d.Weight.Fraction, d.Potential.Fraction)
	return d.Error.narrow(spatial<<(more-d.Weight.Fraction)-resetTerm<<(more-d.Potential.Fraction), more)
}

// Spatial is the second pass: gamma from delta and what the first pass left of
// gamma, which at t_k is 0.
func (d *Datapath) Spatial(spatial, gamma int64, window bool) (delta, sum int64) {
	f := d.Potential.Fraction
	delta = d.delta(spatial, 0)
	exact := gamma << f
	if window {
		exact += delta * d.InverseWidth
	}
	return delta, d.Error.narrow(exact, f)
}

// Lift brings a rounded error to the format of a spatial sum.
func (d *Datapath) Lift(delta int64) int64 { return delta << d.Weight.Fraction }

// Accumulate adds a weight's register to its gradient (Eq. 7).
func (d *Datapath) Accumulate(dw, register int64) int64 {
	down := max(0, d.Error.Fraction-d.Gradient.Fraction)
	up := max(0, d.Gradient.Fraction-d.Error.Fraction)
	return d.Gradient.narrow(dw<<down+register<<up, down)
}

// OutputError is delta_c of a classifier neuron: the derivative of Eq. 3.
func (d *Datapath) OutputError(count int64, label bool) int64 {
	if label {
		count -= int64(d.K)
	}
	return d.Error.narrow(count*d.Loss.Mantissa, d.Loss.Fraction-d.Error.Fraction)
}

// Update is one step of SGD with momentum.
func (d *Datapath) Update(w, v, dw int64) (weight, moment int64) {
	g, f := d.Gradient, d.Potential.Fraction
	v = g.narrow(d.Momentum*v+dw<<f, f)
	step := roundShift(d.Rate.Mantissa*v, g.Fraction+d.Rate.Fraction-d.Weight.Fraction)
	return d.Weight.saturate(w - step), v
}
