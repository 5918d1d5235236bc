package sim

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/op"
	"github.com/accelsim-dev/accelsim/tensors"
	"github.com/accelsim-dev/accelsim/units"
)

// SpikeRecord keeps the spikes of every neuron of a functional simulation, step by
// step: of layers by their own neurons, before addition and pooling, and of
// classifiers that fire. Its method Observe is for [Options.Observe].
type SpikeRecord struct {
	workload *network.Workload
	set      tensors.Set
}

// maxSpikes bounds what a record keeps: a byte each.
const maxSpikes = 4 << 30

// NewSpikeRecord makes room for the spikes of a workload in local blocks.
func NewSpikeRecord(w *network.Workload, blocks []network.Block) (*SpikeRecord, error) {
	r := &SpikeRecord{workload: w, set: tensors.Set{}}
	total := int64(0)
	add := func(name string, shape ...int) error {
		n := int64(1)
		for _, extent := range shape {
			var err error
			if n, err = units.Mul(n, int64(extent)); err != nil {
				return err
			}
		}
		if total += n; n > maxSpikes || total > maxSpikes {
			return fmt.Errorf("the spikes of all neurons at all steps are more than %d bytes; record fewer steps or samples", int64(maxSpikes))
		}
		r.set[name] = tensors.Bytes(make([]uint8, n), shape...)
		return nil
	}
	for i := range w.Net.Layers {
		l := &w.Net.Layers[i]
		shape := []int{w.Timesteps, w.Batch, l.Out.Channels, l.Out.Height, l.Out.Width}
		if l.First().Kind == network.FC {
			shape = shape[:3]
		}
		if err := add(spikesName(l.Index, 0), shape...); err != nil {
			return nil, err
		}
	}
	for _, b := range blocks {
		if w.Training.Readout != network.RateReadout {
			break
		}
		if err := add(spikesName(0, b.Index), w.Timesteps, w.Batch, w.Net.Classes); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// spikesName is what files call the spikes of a layer, or of a block's classifier.
func spikesName(layer, block int) string {
	if layer > 0 {
		return fmt.Sprintf("s%d", layer)
	}
	return fmt.Sprintf("s_c%d", block)
}

// Observe keeps what it sees of neurons that fire.
func (r *SpikeRecord) Observe(seen op.Observation) {
	t, ok := r.set[spikesName(seen.Layer, seen.Block)]
	if !ok || seen.Pool || seen.Output {
		return
	}
	shape := network.Shape{Channels: r.workload.Net.Classes, Height: 1, Width: 1}
	if seen.Layer > 0 {
		shape = r.workload.Net.Layer(seen.Layer).Out
	}
	to := t.Uint8[(seen.Time-1)*len(seen.Spikes):]
	for i, spike := range seen.Spikes { // [sample][row][column][channel] to [B,C,H,W]
		channel, position := i%shape.Channels, i/shape.Channels%shape.Positions()
		sample := i / shape.Size()
		to[(sample*shape.Channels+channel)*shape.Positions()+position] = uint8(spike)
	}
}

// Set returns the record: s<l> [T,B,C,H,W], or [T,B,out] of fully connected layers, and
// s_c<b> [T,B,classes].
func (r *SpikeRecord) Set() tensors.Set { return r.set }
