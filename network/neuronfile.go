package network

import (
	"strings"

	"github.com/accelsim-dev/accelsim/internal/config"
	"github.com/accelsim-dev/accelsim/internal/spelling"
)

// neuronFile is a neuron as a file describes it: what is not given stays as it is.
type neuronFile struct {
	Leak           *float64     `yaml:"leak"`
	Reset          *float64     `yaml:"reset"`
	Threshold      *float64     `yaml:"threshold"`
	SurrogateWidth *float64     `yaml:"surrogate_width"`
	Surrogate      *config.Node `yaml:"surrogate"`
	InputGain      *float64     `yaml:"input_gain"`
	Offset         *float64     `yaml:"offset"`
	SynapseLeak    *float64     `yaml:"synapse_leak"`
	SynapseGain    *float64     `yaml:"synapse_gain"`
	HardReset      *float64     `yaml:"hard_reset"`
	ResetGradient  *config.Node `yaml:"reset_gradient"`
	Adaptation     *struct {
		Decay    *float64 `yaml:"decay"`
		Strength *float64 `yaml:"strength"`
	} `yaml:"adaptation"`
}

// fill overwrites what is given, and checks all.
func (f *neuronFile) fill(d *config.Document, key string, n *Neuron) error {
	for _, p := range []struct{ from, to *float64 }{
		{f.Leak, &n.Leak},
		{f.Threshold, &n.Threshold},
		{f.SurrogateWidth, &n.SurrogateWidth},
		{f.InputGain, &n.InputGain},
		{f.Offset, &n.Offset},
	} {
		if p.from != nil {
			*p.to = *p.from
		}
	}
	if f.InputGain != nil && *f.InputGain == 0 {
		return d.On(key+".input_gain", "is 0: no current would reach the neuron")
	}
	if f.Reset != nil && f.HardReset != nil {
		return d.On(key+".hard_reset", "and reset are both given; a neuron has one of them")
	}
	if f.Reset != nil {
		n.Reset, n.HardReset, n.ResetTo = *f.Reset, false, 0
	}
	if f.HardReset != nil {
		n.HardReset, n.ResetTo = true, *f.HardReset
	}
	if f.SynapseGain != nil && f.SynapseLeak == nil && !n.Synapse {
		return d.On(key+".synapse_gain", "needs a synapse_leak: without one there is no synaptic current")
	}
	if f.SynapseLeak != nil {
		if !n.Synapse {
			n.SynapseGain = 1
		}
		n.Synapse, n.SynapseLeak = true, *f.SynapseLeak
	}
	if f.SynapseGain != nil {
		n.SynapseGain = *f.SynapseGain
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
