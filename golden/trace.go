package golden

import "github.com/accelsim-dev/accelsim/network"

// trace replaces what a projection reads in the gradient of its weights: decay
// trace' + x, carried through an iteration.
type trace struct {
	output
	decay float32
}

// newTrace is that of what is read by neurons of a kind; nil if the rule has none.
func (t *Trainer) newTrace(of *reading, kind network.Neuron) (*trace, error) {
	if t.rule.Trace == network.NoTrace {
		return nil, nil
	}
	tr := &trace{decay: float32(t.rule.Decay(kind.Leak))}
	tr.output = output{extent: of.extent, maxValue: 1, scale: 1, real: true, static: true}
	return tr, t.allocateOutput(&tr.output)
}

// follow takes a trace of what is read one step on.
func (t *Trainer) follow(tr *trace, of *reading) *reading {
	t.now.trace, t.now.in = tr, of
	t.phase(t.samples, (*Trainer).followTask)
	return &tr.now
}

func (t *Trainer) followTask(_, b int) {
	tr := t.now.trace
	values := tr.floatsAt(0, t.batch, b)
	for i, before := range values {
		values[i] = float32(tr.decay * before)
	}
	t.addNumbers(values, t.now.in, b)
	t.list(&tr.now, b)
}

// clear begins a batch; there may be no trace.
func (tr *trace) clear(batch int) {
	if tr != nil {
		clear(tr.floats[:batch*tr.size()])
	}
}
