package network

// The optimizers, by the names that workload files use.
const (
	SGD     = "sgd" // with momentum, unless that is 0
	Adam    = "adam"
	RMSprop = "rmsprop" // without momentum
)

// Optimizers returns the names of all optimizers.
func Optimizers() []string { return []string{SGD, Adam, RMSprop} }

// Moments returns how many values the optimizer keeps for each parameter.
func (t Training) Moments() int {
	switch {
	case t.Optimizer == Adam:
		return 2
	case t.Optimizer == RMSprop, t.Momentum > 0:
		return 1
	}
	return 0
}
