package network

import "fmt"

// Parameter is a parameter of a layer's neurons that may differ from neuron to neuron:
// a workload file then says array, and tensors have the values.
type Parameter uint8

// The parameters, by the names that files give them.
const (
	LeakParameter Parameter = iota
	ResetParameter
	ThresholdParameter
	InputGainParameter
	OffsetParameter
	HardResetParameter
	SynapseLeakParameter
	SynapseGainParameter
	numParameters
)

// NumParameters is their number.
const NumParameters = int(numParameters)

var parameterNames = [numParameters]string{
	"leak", "reset", "threshold", "input_gain", "offset", "hard_reset", "synapse_leak", "synapse_gain",
}

func (p Parameter) String() string { return parameterNames[p] }

// Arrays are the parameters of which each neuron of a layer has a value of its own.
type Arrays uint16

// Has tells whether a parameter is one of them.
func (a Arrays) Has(p Parameter) bool { return a>>p&1 != 0 }

// List returns them in order.
func (a Arrays) List() (list []Parameter) {
	for p := range numParameters {
		if a.Has(p) {
			list = append(list, p)
		}
	}
	return list
}

// With returns the neuron with a value of its own in place of an array's.
func (n Neuron) With(p Parameter, v float64) Neuron {
	n.Arrays &^= 1 << p
	*[numParameters]*float64{
		&n.Leak, &n.Reset, &n.Threshold, &n.InputGain, &n.Offset, &n.ResetTo, &n.SynapseLeak, &n.SynapseGain,
	}[p] = v
	return n
}

// Check refuses a parameter's value that makes no sense.
func (n Neuron) Check() error {
	if _, err := n.check(); err != nil {
		return err
	}
	if n.InputGain == 0 { // which would stand for 1
		return fmt.Errorf("input_gain is 0: no current would reach the neuron")
	}
	return nil
}
