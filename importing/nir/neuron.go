package nir

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Reset tells what a spike does to a potential.
type Reset string

// The resets.
const (
	FileReset     Reset = "file"     // to v_reset; to zero where the file has none: NIR's specification since 0.3
	SubtractReset Reset = "subtract" // v_threshold less: simulators before it
	ZeroReset     Reset = "zero"
)

// Resets are all of them.
func Resets() []Reset { return []Reset{FileReset, SubtractReset, ZeroReset} }

// parameter is a key of a workload's neuron, with one value, or one for each neuron.
type parameter struct {
	key    string
	values []float64
}

// uniform tells whether all neurons have the same value.
func (p parameter) uniform() bool {
	return !slices.ContainsFunc(p.values, func(v float64) bool { return v != p.values[0] })
}

// equations are a node's parameters, each with one value for each of the neurons.
type equations struct {
	node   *Node
	step   float64
	count  int // of neurons
	values map[string][]float64
	err    error
}

// get returns a parameter's value of neuron i.
func (e *equations) get(name string, i int) float64 {
	values := e.values[name]
	return values[min(i, len(values)-1)]
}

// need reads parameters.
func (e *equations) need(names ...string) {
	for _, name := range names {
		values, err := e.node.needed(name)
		if e.err != nil {
			return
		}
		e.take(name, values, err)
	}
}

func (e *equations) take(name string, values []float64, err error) {
	switch {
	case err != nil:
		e.err = err
	case len(values) != 1 && len(values) != e.count:
		e.err = fmt.Errorf("%v: %s has %d values; its layer has %d neurons", e.node, name, len(values), e.count)
	default:
		e.values[name] = values
	}
}

// each computes a key of the workload for every neuron.
func (e *equations) each(key string, value func(i int) float64) parameter {
	p := parameter{key: key, values: make([]float64, e.count)}
	for i := range p.values {
		p.values[i] = value(i)
	}
	if p.uniform() {
		p.values = p.values[:1]
	}
	return p
}

// leak returns 1 - dt/tau, which must not be negative.
func (e *equations) leak(key, tau string) parameter {
	return e.each(key, func(i int) float64 {
		t := e.get(tau, i)
		if e.err == nil && !(t >= e.step) {
			e.err = fmt.Errorf("%v: %s is %v, shorter than the step of %v; write a smaller --dt", e.node, tau, t, e.step)
		}
		return 1 - e.step/t
	})
}

// parameters makes of a node's equations the workload's, by forward Euler with a step:
//
//	LIF      tau v' = (v_leak - v) + r I
//	CubaLIF  tau_syn i' = -i + w_in I;  tau_mem v' = (v_leak - v) + r i
//	IF       v' = r I
//
// A spike where v > v_threshold sets v to v_reset. The threshold is the next float32,
// which a float32 reaches when it is above v_threshold.
func (n *Node) parameters(count int, step float64, reset Reset) ([]parameter, error) {
	e := &equations{node: n, step: step, count: count, values: map[string][]float64{}}
	list := e.membrane()
	if e.err != nil || n.is(leakyKind) {
		return list, e.err
	}
	e.need("v_threshold")
	if e.err != nil {
		return nil, e.err
	}
	list = append(list, e.each("threshold", func(i int) float64 { return above(e.get("v_threshold", i)) }))
	if reset == SubtractReset {
		leak := list[0]
		return append(list, e.each("reset", func(i int) float64 {
			return leak.values[min(i, len(leak.values)-1)] * e.get("v_threshold", i)
		})), e.err
	}
	values, err := n.numbers("v_reset")
	if values == nil || reset == ZeroReset {
		values = []float64{0}
	}
	e.take("v_reset", values, err)
	if e.err != nil {
		return nil, e.err
	}
	return append(list, e.each("hard_reset", func(i int) float64 { return e.get("v_reset", i) })), nil
}

// membrane is what a node's equations say of potentials and currents; the leak first.
func (e *equations) membrane() []parameter {
	one := parameter{"leak", []float64{1}}
	if e.node.is(ifKind) {
		if e.need("r"); e.err != nil {
			return nil
		}
		return []parameter{one, e.each("input_gain", func(i int) float64 { return e.get("r", i) * e.step })}
	}
	tau := "tau"
	if e.node.is(cubaKind) {
		tau = "tau_mem"
		e.need("tau_syn", "w_in")
	}
	if e.need(tau, "r", "v_leak"); e.err != nil {
		return nil
	}
	list := []parameter{
		e.leak("leak", tau),
		e.each("input_gain", func(i int) float64 { return e.get("r", i) * e.step / e.get(tau, i) }),
		e.each("offset", func(i int) float64 { return e.get("v_leak", i) * e.step / e.get(tau, i) }),
	}
	if e.node.is(cubaKind) {
		list = append(list,
			e.leak("synapse_leak", "tau_syn"),
			e.each("synapse_gain", func(i int) float64 { return e.get("w_in", i) * e.step / e.get("tau_syn", i) }))
	}
	return list
}

// above returns the next float32 above v.
func above(v float64) float64 {
	f := float32(v)
	if float64(f) <= v {
		f = math.Nextafter32(f, float32(math.Inf(1)))
	}
	return float64(f)
}

// flow writes parameters as YAML writes a mapping in a line.
func flow(list []parameter) string {
	var keys []string
	for _, p := range list {
		value := "array"
		if p.uniform() {
			value = strconv.FormatFloat(p.values[0], 'g', -1, 64)
		}
		keys = append(keys, p.key+": "+value)
	}
	return "{" + strings.Join(keys, ", ") + "}"
}
