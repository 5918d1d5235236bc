package network

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
	Surrogate      string  // of x = u - threshold; "" is the paper's [Rectangle]
	InputGain      float64 // 0 stands for 1
	Offset         float64
	Synapse        bool
	SynapseLeak    float64
	SynapseGain    float64
	HardReset      bool
	ResetTo        float64
	Adaptation     bool
	Decay          float64
	Strength       float64
	// ConstantReset takes s' as a constant in u and A: no error flows through the
	// reset.
	ConstantReset bool
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
	return n.Shape() == Rectangle && n.Gain() == 1 && n.Offset == 0 && !n.Synapse && !n.HardReset && !n.Adaptation && !n.ConstantReset
}

// NeuronOf returns the neuron of a layer.
func (w *Workload) NeuronOf(l *Layer) Neuron {
	if l.Neuron != nil {
		return *l.Neuron
	}
	return w.Neuron
}
