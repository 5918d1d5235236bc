package network

import "fmt"

// Neuron holds the parameters of a neuron. With only those of Eqs. 1, 2 and 6
// given it is the paper's:
//
//	i = SynapseLeak i' + SynapseGain I      with Synapse (CubaLIF); else i = I
//	u = Leak v + InputGain i + Offset - Reset s'                v = u'
//	u = Leak v + InputGain i + Offset                           v = u'(1 - s') + ResetTo s'   with HardReset
//	A = Decay A' + s'; threshold = Threshold + Strength A       with Adaptation (ALIF)
//	s = 1 if u >= threshold
//
// Primes are the step before.
type Neuron struct {
	Leak           float64 // tau
	Reset          float64 // theta
	Threshold      float64 // u_th
	SurrogateWidth float64 // a
	Surrogate      string  `json:",omitzero"` // of x = u - threshold; "" is the paper's [Rectangle]
	InputGain      float64 `json:",omitzero"` // 0 stands for 1
	Offset         float64 `json:",omitzero"`
	Synapse        bool    `json:",omitzero"`
	SynapseLeak    float64 `json:",omitzero"`
	SynapseGain    float64 `json:",omitzero"`
	HardReset      bool    `json:",omitzero"`
	ResetTo        float64 `json:",omitzero"`
	Adaptation     bool    `json:",omitzero"`
	Decay          float64 `json:",omitzero"`
	Strength       float64 `json:",omitzero"`
	// Arrays are parameters of which each neuron has a value of its own, elsewhere; what
	// stands here of them counts for nothing.
	Arrays Arrays `json:",omitzero"`
	// Silent neurons neither fire nor reset, and the derivative of what is read of them
	// is 1: classifiers whose potentials or currents are read out.
	Silent bool `json:",omitzero"`
	// ConstantReset takes s' as a constant in u and A: no error flows through the
	// reset.
	ConstantReset bool `json:",omitzero"`
}

// The surrogate derivatives of a threshold, of x = u - threshold and width a.
const (
	Rectangle   = "rectangle"    // 1/a where |x| < a/2: Eq. 6
	Triangle    = "triangle"     // max(0, 1 - |x|/a)/a
	Sigmoid     = "sigmoid"      // s(1-s)/a with s = 1/(1+exp(-x/a))
	Atan        = "atan"         // 1/a/(1 + (pi x/a)^2)
	FastSigmoid = "fast-sigmoid" // 1/a/(1 + |x|/a)^2
)

// Surrogates returns the names of the surrogate derivatives.
func Surrogates() []string { return []string{Rectangle, Triangle, Sigmoid, Atan, FastSigmoid} }

// Gain returns the factor of the current.
func (n Neuron) Gain() float64 {
	if n.InputGain == 0 {
		return 1
	}
	return n.InputGain
}

// Shape returns the name of the surrogate derivative.
func (n Neuron) Shape() string {
	if n.Surrogate == "" {
		return Rectangle
	}
	return n.Surrogate
}

// IsPaper tells whether the neuron is that of Eqs. 1, 2 and 6.
func (n Neuron) IsPaper() bool {
	return n.Shape() == Rectangle && n.Gain() == 1 && n.Offset == 0 && !n.Synapse && !n.HardReset && !n.Adaptation && !n.ConstantReset && !n.Silent && n.Arrays == 0
}

// PassesOn tells whether the error of the neuron's synaptic sum is that of its
// potential.
func (n Neuron) PassesOn() bool {
	return !n.Synapse && n.Gain() == 1 && !n.Arrays.Has(InputGainParameter)
}

// ClassifierNeuron returns the neuron of the classifiers: the file's, or one that
// neither fires nor resets and has no other parts, whose potentials, or with no
// leak whose currents, are read out.
func (w *Workload) ClassifierNeuron() Neuron {
	switch w.Training.Readout {
	case PotentialReadout:
		return Neuron{Leak: w.Neuron.Leak, Silent: true, ConstantReset: true}
	case CurrentReadout:
		return Neuron{Silent: true, ConstantReset: true}
	case RateReadout:
	}
	return w.Neuron
}

// NeuronOf returns the neuron of a layer.
func (w *Workload) NeuronOf(l *Layer) Neuron {
	if l.Neuron != nil {
		return *l.Neuron
	}
	return w.Neuron
}

// check refuses values that make no sense. It names the key.
func (n Neuron) check() (key string, err error) {
	for _, v := range []struct {
		name     string
		value    float64
		accepted interval
	}{
		{"leak", n.Leak, interval{low: 0, high: 1}},
		{"reset", n.Reset, interval{low: 0, high: 1e6, open: upper}},
		{"threshold", n.Threshold, interval{low: 0, high: 1e6, open: lower | upper}},
		{"surrogate_width", n.SurrogateWidth, interval{low: 0, high: 1e6, open: lower | upper}},
		{"input_gain", n.Gain(), interval{low: -1e6, high: 1e6, open: lower | upper}},
		{"offset", n.Offset, interval{low: -1e6, high: 1e6, open: lower | upper}},
		{"hard_reset", n.ResetTo, interval{low: -1e6, high: 1e6, open: lower | upper}},
		{"synapse_leak", n.SynapseLeak, interval{low: 0, high: 1}},
		{"synapse_gain", n.SynapseGain, interval{low: -1e6, high: 1e6, open: lower | upper}},
		{"adaptation.decay", n.Decay, interval{low: 0, high: 1}},
		{"adaptation.strength", n.Strength, interval{low: -1e6, high: 1e6, open: lower | upper}},
	} {
		if !v.accepted.has(v.value) {
			return v.name, fmt.Errorf("%s is %v; it must be %v", v.name, v.value, v.accepted)
		}
	}
	return "", nil
}
