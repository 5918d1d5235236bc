package role

// Neurons are the roles of the states and errors of some kind of neurons.
type Neurons struct {
	Potential, PotentialError   Role
	Current, CurrentError       Role // synaptic, of CubaLIF
	Adaptation, AdaptationError Role // of the threshold, of ALIF
}

// The kinds of neurons.
var (
	LayerNeurons      = Neurons{Potential, PotentialError, Current, CurrentError, Adaptation, AdaptationError}
	PoolNeurons       = Neurons{PoolPotential, PoolError, PoolCurrent, PoolCurrentError, PoolAdaptation, PoolAdaptationError}
	ClassifierNeurons = Neurons{
		ClassifierPotential, ClassifierError, ClassifierCurrent, ClassifierCurrentError, ClassifierAdaptation, ClassifierAdaptationError,
	}
)
