package network

import (
	"strings"

	"github.com/accelsim-dev/accelsim/internal/config"
	"github.com/accelsim-dev/accelsim/internal/spelling"
	"github.com/accelsim-dev/accelsim/units"
)

// neuronFile is a neuron as a file describes it: what is not given stays as it is.
type neuronFile struct {
	Leak           *config.Node `yaml:"leak" is:"parameter"`
	Reset          *config.Node `yaml:"reset" is:"parameter"`
	Threshold      *config.Node `yaml:"threshold" is:"parameter"`
	SurrogateWidth *float64     `yaml:"surrogate_width"`
	Surrogate      *config.Node `yaml:"surrogate" is:"surrogate"`
	InputGain      *config.Node `yaml:"input_gain" is:"parameter"`
	Offset         *config.Node `yaml:"offset" is:"parameter"`
	SynapseLeak    *config.Node `yaml:"synapse_leak" is:"parameter"`
	SynapseGain    *config.Node `yaml:"synapse_gain" is:"parameter"`
	HardReset      *config.Node `yaml:"hard_reset" is:"parameter"`
	ResetGradient  *config.Node `yaml:"reset_gradient" is:"flag"`
	Adaptation     *struct {
		Decay    *float64 `yaml:"decay"`
		Strength *float64 `yaml:"strength"`
	} `yaml:"adaptation"`
}

// set takes a parameter: a number, or array.
func (n *Neuron) set(d *config.Document, key string, p Parameter, given *config.Node) error {
	switch {
	case given == nil:
		return nil
	case given.Kind == config.Scalar && given.Text == "array":
		n.Arrays |= 1 << p
		return nil
	}
	v, err := units.ParseNumber(given.Text)
	if given.Kind != config.Scalar || err != nil {
		return d.At(given.Line, key+"."+p.String(), "is not a number")
	}
	*n = n.With(p, v)
	return nil
}

// fill overwrites what is given, and checks all.
func (f *neuronFile) fill(d *config.Document, key string, n *Neuron) error {
	if f.Reset != nil && f.HardReset != nil {
		return d.On(key+".hard_reset", "and reset are both given; a neuron has one of them")
	}
	if f.SynapseLeak != nil && !n.Synapse {
		n.Synapse, n.SynapseGain = true, 1
	} else if f.SynapseGain != nil && !n.Synapse {
		return d.On(key+".synapse_gain", "needs a synapse_leak: without one there is no synaptic current")
	}
	switch {
	case f.Reset != nil:
		*n = n.With(HardResetParameter, 0)
		n.HardReset = false
	case f.HardReset != nil:
		n.Arrays &^= 1 << ResetParameter
		n.HardReset = true
	}
	for p, given := range [numParameters]*config.Node{
		f.Leak, f.Reset, f.Threshold, f.InputGain, f.Offset, f.HardReset, f.SynapseLeak, f.SynapseGain,
	} {
		if err := n.set(d, key, Parameter(p), given); err != nil {
			return err
		}
	}
	if f.InputGain != nil && n.InputGain == 0 && !n.Arrays.Has(InputGainParameter) {
		return d.On(key+".input_gain", "is 0: no current would reach the neuron")
	}
	if f.SurrogateWidth != nil {
		n.SurrogateWidth = *f.SurrogateWidth
	}
	if a := f.Adaptation; a != nil {
		if !n.Adaptation && (a.Decay == nil || a.Strength == nil) {
			return d.On(key+".adaptation", "needs a decay and a strength")
		}
		n.Adaptation = true
		if a.Decay != nil {
			n.Decay = *a.Decay
		}
		if a.Strength != nil {
			n.Strength = *a.Strength
		}
	}
	if f.Surrogate != nil {
		name, err := pick(d, f.Surrogate, key+".surrogate", Surrogates())
		if err != nil {
			return err
		}
		if n.Surrogate = name; name == Rectangle {
			n.Surrogate = ""
		}
	}
	if f.ResetGradient != nil {
		on, err := readFlag(d, f.ResetGradient, key+".reset_gradient")
		if err != nil {
			return err
		}
		n.ConstantReset = !on
	}
	if name, err := n.check(); err != nil {
		return d.On(key+"."+name, "%w", err)
	}
	return nil
}

// pick reads one of some names.
func pick(d *config.Document, n *config.Node, key string, accepted []string) (string, error) {
	for _, name := range accepted {
		if n.Kind == config.Scalar && n.Text == name {
			return name, nil
		}
	}
	return "", d.At(n.Line, key, "%q%s; write %s", n.Text, spelling.Suggest(n.Text, accepted), strings.Join(accepted, ", "))
}
