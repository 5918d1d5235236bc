package pe

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/accelsim-dev/accelsim/internal/elementary"
	"github.com/accelsim-dev/accelsim/network"
)

// plainNeuron is one neuron of any parts, written from the equations and the
// order of their roundings in docs/numerics.md, step by step.
type plainNeuron struct {
	network.Neuron
	u, i, a             []float32 // by time: 0 is before the first step
	spike               []bool
	gammaU, gammaI      float32 // errors of the step after
	gammaA, gammaSynapt float32
}

func (p *plainNeuron) thresholdAt(t int) float32 {
	if !p.Adaptation {
		return float32(p.Threshold)
	}
	return float32(p.Threshold) + float32(float32(p.Strength)*p.a[t])
}

func (p *plainNeuron) forward(sum float32) {
	t := len(p.u) // of this step
	spiked := p.spike[t-1]
	i := sum
	if p.Synapse {
		i = float32(float32(p.SynapseLeak)*p.i[t-1]) + float32(float32(p.SynapseGain)*sum)
	}
	j := i
	if p.Gain() != 1 {
		j = float32(float32(p.Gain()) * i)
	}
	v := p.u[t-1]
	if p.HardReset && spiked {
		v = float32(p.ResetTo)
	}
	u := float32(float32(p.Leak)*v) + j
	if p.Offset != 0 {
		u += float32(p.Offset)
	}
	if !p.HardReset && spiked {
		u -= float32(p.Reset)
	}
	a := float32(float32(p.Decay) * p.a[t-1])
	if spiked {
		a++
	}
	p.u, p.i, p.a = append(p.u, u), append(p.i, i), append(p.a, a)
	p.spike = append(p.spike, u >= p.thresholdAt(t))
}

func (p *plainNeuron) slope(t int) float32 {
	x := p.u[t] - p.thresholdAt(t)
	v, a := float64(x), p.SurrogateWidth
	switch p.Shape() {
	case network.Rectangle:
		if float32(math.Abs(v)) < float32(a/2) {
			return float32(1 / a)
		}
		return 0
	case network.Triangle:
		return float32(max(0, 1-math.Abs(v)/a) / a)
	case network.Sigmoid:
		s := 1 / (1 + elementary.Exp(-v/a))
		return float32(s * (1 - s) / a)
	case network.Atan:
		return float32(1 / a / (1 + float64((math.Pi*v/a)*(math.Pi*v/a))))
	case network.FastSigmoid:
		return float32(1 / a / float64((1+math.Abs(v)/a)*(1+math.Abs(v)/a)))
	}
	panic("surrogate " + p.Shape())
}

// back takes errors from step t+1 to step t, of delta, that of the spike.
func (p *plainNeuron) back(t int, delta float32, last bool) {
	base := float32(0)
	if !last {
		base = float32(float32(p.Leak) * p.gammaU)
		if p.HardReset && p.spike[t] {
			base = 0
		}
		if !p.ConstantReset {
			if p.HardReset {
				delta += float32(float32(float32(p.Leak)*float32(float32(p.ResetTo)-p.u[t])) * p.gammaU)
			} else {
				delta -= float32(float32(p.Reset) * p.gammaU)
			}
			if p.Adaptation {
				delta += p.gammaA
			}
		}
	}
	passed := float32(delta * p.slope(t))
	p.gammaU = passed + base
	if p.Adaptation {
		p.gammaA = float32(float32(p.Decay)*p.gammaA) - float32(float32(p.Strength)*passed)
	}
	p.gammaSynapt = p.gammaU
	if p.Gain() != 1 {
		p.gammaSynapt = float32(float32(p.Gain()) * p.gammaU)
	}
	if p.Synapse {
		p.gammaI = p.gammaSynapt + float32(float32(p.SynapseLeak)*p.gammaI)
		p.gammaSynapt = float32(float32(p.SynapseGain) * p.gammaI)
	}
}

// neuronOf has the parts whose bits are set, and a surrogate.
func neuronOf(bits int, surrogate string) network.Neuron {
	n := network.Neuron{Leak: 0.83, Reset: 0.37, Threshold: 0.5, SurrogateWidth: 1.3, Surrogate: surrogate}
	for i, add := range []func(){
		func() { n.Synapse, n.SynapseLeak, n.SynapseGain = true, 0.61, 0.7 },
		func() { n.InputGain = 0.9 },
		func() { n.Offset = 0.07 },
		func() { n.HardReset, n.ResetTo = true, -0.15 },
		func() { n.Adaptation, n.Decay, n.Strength = true, 0.77, 0.21 },
		func() { n.ConstantReset = true },
	} {
		if bits>>i&1 == 1 {
			add()
		}
	}
	return n
}

const mixesOfParts = 1 << 6

// TestNeuronsOfAnyPartsAreThePlainOnes: every mix of parts, with every surrogate,
// has the bits of scalar code written from the page of numerics.
func TestNeuronsOfAnyPartsAreThePlainOnes(t *testing.T) {
	for _, surrogate := range network.Surrogates() {
		for bits := range mixesOfParts {
			n := neuronOf(bits, surrogate)
			t.Run(fmt.Sprintf("%s %06b", surrogate, bits), func(t *testing.T) {
				comparePlain(t, n, rand.New(rand.NewPCG(uint64(bits), 3)))
			})
		}
	}
}

func comparePlain(t *testing.T, of network.Neuron, r *rand.Rand) {
	t.Helper()
	const count, steps = 40, 7
	neuron := NewNeuron(of)
	plain := make([]*plainNeuron, count)
	for i := range plain {
		plain[i] = &plainNeuron{Neuron: of, u: []float32{0}, i: []float32{0}, a: []float32{0}, spike: []bool{false}}
	}
	x := States{Potentials: make([]float32, count)}
	e := StateErrors{Potentials: make([]float32, count)}
	if of.Synapse {
		x.Currents, e.Currents = make([]float32, count), make([]float32, count)
	}
	if of.Adaptation {
		x.Adaptations, e.Adaptations = make([]float32, count), make([]float32, count)
	}
	var history []States
	spikes, fired := make([]float32, count), int64(0)
	for range steps {
		sums := normals(r, count)
		for i := range plain {
			plain[i].forward(sums[i])
		}
		fired += neuron.Fire(x, sums, spikes)
		history = append(history, States{append([]float32{}, x.Potentials...), append([]float32{}, x.Currents...), append([]float32{}, x.Adaptations...)})
		step := len(history)
		sameOf(t, "potential", x.Potentials, plain, func(p *plainNeuron) float32 { return p.u[step] })
		sameOf(t, "current", x.Currents, plain, func(p *plainNeuron) float32 { return p.i[step] })
		sameOf(t, "adaptation", x.Adaptations, plain, func(p *plainNeuron) float32 { return p.a[step] })
		sameOf(t, "spike", spikes, plain, func(p *plainNeuron) float32 {
			if p.spike[step] {
				return 1
			}
			return 0
		})
	}
	if fired == 0 || fired == count*steps {
		t.Fatalf("%d of %d neurons fire: nothing is tested", fired, count*steps)
	}
	for step := steps; step >= 1; step-- {
		delta := normals(r, count)
		for i := range plain {
			plain[i].back(step, delta[i], step == steps)
		}
		if step < steps {
			neuron.Temporal(delta, e, history[step-1])
		}
		synaptic := make([]float32, count)
		neuron.Surrogate(e, delta, history[step-1], synaptic)
		if of.PassesOn() {
			synaptic = e.Potentials
		}
		sameOf(t, "gamma_u", e.Potentials, plain, func(p *plainNeuron) float32 { return p.gammaU })
		sameOf(t, "gamma_i", e.Currents, plain, func(p *plainNeuron) float32 { return p.gammaI })
		sameOf(t, "gamma_A", e.Adaptations, plain, func(p *plainNeuron) float32 { return p.gammaA })
		sameOf(t, "gamma_I", synaptic, plain, func(p *plainNeuron) float32 { return p.gammaSynapt })
	}
}

// sameOf compares what neurons have of a state, if anything, with the plain ones.
func sameOf(t *testing.T, what string, got []float32, plain []*plainNeuron, of func(*plainNeuron) float32) {
	t.Helper()
	for i, v := range got {
		if want := of(plain[i]); math.Float32bits(v) != math.Float32bits(want) && (v != 0 || want != 0) {
			t.Fatalf("%s %d is %v, want %v", what, i, v, want)
		}
	}
}
