package analytic

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/units"
)

// lifWords is the words that Eq. 8's computational graph keeps per LIF neuron
// and sample: states U and S, the synaptic sum, delta and gamma.
const lifWords = 5

// Memory holds the parts of Eqs. 8-10, in words.
type Memory struct {
	Weights units.Words // N(w): trainable weights
	Graph   units.Words // MC(CG) of one step: all blocks
	Local   units.Words // MC_Local(CG): the largest block's graph
	Total   units.Words // Eq. 10; Eq. 9 where one block is the network
}

// Memory evaluates Eqs. 8-10.
func (m *Model) Memory() (Memory, error) {
	var memory Memory
	for _, b := range m.Blocks {
		weights, graph, err := m.graph(b)
		if err != nil {
			return Memory{}, err
		}
		if memory.Weights, err = units.Add(memory.Weights, weights); err != nil {
			return Memory{}, err
		}
		if memory.Graph, err = units.Add(memory.Graph, graph); err != nil {
			return Memory{}, err
		}
		memory.Local = max(memory.Local, graph)
	}
	history, err := units.Mul(units.Words(m.k-1), memory.Graph)
	if err != nil {
		return Memory{}, err
	}
	memory.Total = history
	for _, part := range []units.Words{memory.Local, memory.Weights, m.options.Workspace} {
		if memory.Total, err = units.Add(memory.Total, part); err != nil {
			return Memory{}, err
		}
	}
	return memory, nil
}

// graph returns block b's trainable weights and its computational graph of
// one step: every LIF neuron's words, and dW.
func (m *Model) graph(b network.Block) (weights, graph units.Words, err error) {
	net := m.workload.Net
	neurons := units.Words(net.Classes)
	for _, n := range b.Layers() {
		l := net.Layer(n)
		if weights, err = units.Add(weights, l.Weights()); err != nil {
			return 0, 0, err
		}
		if neurons, err = units.Add(neurons, l.Neurons()); err != nil {
			return 0, 0, err
		}
		if l.HasPool() {
			if neurons, err = units.Add(neurons, units.Words(l.Pooled.Size())); err != nil {
				return 0, 0, err
			}
		}
	}
	if m.workload.Training.Classifier == network.Trainable {
		if weights, err = units.Add(weights, net.ClassifierWeights(b)); err != nil {
			return 0, 0, err
		}
	}
	states, err := units.Mul(neurons, units.Words(m.workload.Batch), lifWords)
	if err != nil {
		return 0, 0, err
	}
	graph, err = units.Add(states, weights)
	return weights, graph, err
}

// MemoryWords returns the GPU memory of training w at (k, n) by Eqs. 8-10,
// without CUDA's workspace.
func MemoryWords(w *network.Workload, k, n int) (units.Words, error) {
	m, err := New(w, k, n, Options{})
	if err != nil {
		return 0, err
	}
	memory, err := m.Memory()
	return memory.Total, err
}
