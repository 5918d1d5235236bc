package golden

import (
	"fmt"
	"math"
	"slices"

	"github.com/accelsim-dev/accelsim/units"
)

// checkProgress refuses a checkpoint whose words on how far training is cannot
// have been written by [Trainer.Fit] on this network and its samples.
func (t *Trainer) checkProgress(h *checkpointHeader) error {
	for _, check := range []func(*checkpointHeader) error{t.checkPosition, t.checkTotals, t.checkHistory, t.checkMeasured} {
		if err := check(h); err != nil {
			return err
		}
	}
	return nil
}

// checkPosition checks where training stands within its epoch.
func (t *Trainer) checkPosition(h *checkpointHeader) error {
	p, most := h.Position, t.epochSamples
	if most == 0 { // not known: the last batch may be of any size
		most = max(0, min(p.Next, math.MaxInt-t.batch))
	}
	switch {
	case p.Epoch != len(h.History):
		return fmt.Errorf("position: %d epochs are finished, but there are results of %d", p.Epoch, len(h.History))
	case p.Next < 0 || p.Next > most:
		return fmt.Errorf("position: %d samples of the epoch are done; write 0 to %d", p.Next, most)
	case p.Next%t.batch != 0 && p.Next != most:
		return fmt.Errorf("position: %d samples of the epoch are done, which is no whole number of batches of %d", p.Next, t.batch)
	case p.Iterations != units.CeilDiv(p.Next, t.batch):
		return fmt.Errorf("position: %d iterations; %d samples in batches of %d take %d", p.Iterations, p.Next, t.batch, units.CeilDiv(p.Next, t.batch))
	case p.Correct < 0 || p.Correct > p.Next:
		return fmt.Errorf("position: %d of %d samples are correct", p.Correct, p.Next)
	case len(p.Losses) != len(t.blocks):
		return fmt.Errorf("position: losses of %d blocks; this network has %d", len(p.Losses), len(t.blocks))
	}
	return nil
}

// checkTotals checks what is counted since the beginning: drop-out and Adam depend
// on it.
func (t *Trainer) checkTotals(h *checkpointHeader) error {
	each := t.updatesOf()
	if h.Iterations < h.Position.Iterations || h.Updates < 0 || h.Updates%each != 0 || h.Updates/each != h.Iterations {
		return fmt.Errorf("iterations: %d with %d updates; an iteration makes %d, and the epoch has had %d", h.Iterations, h.Updates, each, h.Position.Iterations)
	}
	if t.epochSamples > 0 {
		if each := units.CeilDiv(t.epochSamples, t.batch); (h.Iterations-h.Position.Iterations)%each != 0 || (h.Iterations-h.Position.Iterations)/each != h.Position.Epoch {
			return fmt.Errorf("iterations: %d in %d epochs of %d and %d more", h.Iterations, h.Position.Epoch, each, h.Position.Iterations)
		}
	}
	return nil
}

// checkHistory checks the results of finished epochs.
func (t *Trainer) checkHistory(h *checkpointHeader) error {
	fraction := func(v *float64) bool { return v == nil || *v >= 0 && *v <= 1 }
	for i, e := range h.History {
		switch {
		case e.Epoch != i+1:
			return fmt.Errorf("history: epoch %d is called %d", i+1, e.Epoch)
		case len(e.Losses) != len(t.blocks):
			return fmt.Errorf("history: epoch %d has losses of %d blocks; this network has %d", i+1, len(e.Losses), len(t.blocks))
		case !fraction(&e.Train) || !fraction(e.HeldOut) || !fraction(e.Test):
			return fmt.Errorf("history: epoch %d has an accuracy that is not between 0 and 1", i+1)
		}
	}
	return nil
}

// checkMeasured checks the counts that densities are made of.
func (t *Trainer) checkMeasured(h *checkpointHeader) error {
	m := h.Measured
	if m.NonZero == nil && m.Steps == 0 {
		return nil
	}
	if len(m.NonZero) != len(t.layers)+1 || m.Steps < 0 || slices.Min(m.NonZero) < 0 {
		return fmt.Errorf("measured: %d counts over %d steps; there is one of the input and one of each of %d layers", len(m.NonZero), m.Steps, len(t.layers))
	}
	for l, n := range m.NonZero {
		if values, err := units.Mul(m.Steps, int64(t.net.OutputOf(l).Size())); err != nil || n > values {
			return fmt.Errorf("measured: %d values of layer %d are not 0 in %d steps, of which each has %d", n, l, m.Steps, t.net.OutputOf(l).Size())
		}
	}
	return nil
}
