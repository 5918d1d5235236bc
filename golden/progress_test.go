package golden

import (
	"math"
	"strings"
	"testing"
)

// TestProgressThatCannotBeIsRefused: a checkpoint's sum may be right and its words
// still impossible.
func TestProgressThatCannotBeIsRefused(t *testing.T) {
	w, _ := blobWorkload(t, blobLayers)
	trainer := newTrainerOrFail(t, w, 2, 1, Options{})
	intervals := w.Timesteps / 2
	epoch := 3*w.Batch + 1 // samples: four batches, the last of one
	trainer.SetTraining("blobs", epoch+5, 5)
	good := func() *checkpointHeader {
		zero, half := 0.0, 0.5
		return &checkpointHeader{
			Position:   Position{Epoch: 1, Next: 2 * w.Batch, Iterations: 2, Correct: 1, Losses: make([]float64, len(trainer.blocks))},
			Iterations: 6, Updates: 6 * intervals,
			History:  []Epoch{{Epoch: 1, Losses: make([]float64, len(trainer.blocks)), Train: 1, HeldOut: &zero, Test: &half}},
			Measured: measuredHeader{make([]int64, len(trainer.layers)+1), int64(2 * w.Batch * w.Timesteps)},
		}
	}
	if err := trainer.checkProgress(good()); err != nil {
		t.Fatalf("a good one: %v", err)
	}
	wrong := -0.5
	for _, c := range []struct {
		spoil func(h *checkpointHeader)
		want  string
	}{
		{func(h *checkpointHeader) { h.Position.Next = math.MinInt }, "position: -9223372036854775808 samples of the epoch are done"},
		{func(h *checkpointHeader) { h.Position.Next = math.MaxInt }, "position: 9223372036854775807 samples of the epoch are done"},
		{func(h *checkpointHeader) { h.Position.Next = epoch + 1 }, "samples of the epoch are done; write 0 to"},
		{func(h *checkpointHeader) { h.Position.Next++ }, "no whole number of batches"},
		{func(h *checkpointHeader) { h.Position.Next = 0 }, "position: 2 iterations"},
		{func(h *checkpointHeader) { h.Position.Iterations = 0 }, "position: 0 iterations"},
		{func(h *checkpointHeader) { h.Position.Epoch = 2 }, "2 epochs are finished, but there are results of 1"},
		{func(h *checkpointHeader) { h.Position.Epoch = math.MinInt }, "epochs are finished, but there are results of 1"},
		{func(h *checkpointHeader) { h.Position.Correct = -1 }, "-1 of"},
		{func(h *checkpointHeader) { h.Position.Correct = math.MaxInt }, "samples are correct"},
		{func(h *checkpointHeader) { h.Position.Losses = nil }, "position: losses of 0 blocks"},
		{func(h *checkpointHeader) { h.Iterations = 7 }, "iterations: 7"},
		{func(h *checkpointHeader) { h.Iterations, h.Updates = 5, 5*intervals }, "iterations: 5 in 1 epochs of 4 and 2 more"},
		{func(h *checkpointHeader) { h.Updates = -1 }, "updates"},
		{func(h *checkpointHeader) { h.Updates++ }, "updates"},
		{func(h *checkpointHeader) { h.History[0].Losses = nil }, "history: epoch 1 has losses of 0 blocks"},
		{func(h *checkpointHeader) { h.History[0].Epoch = 4 }, "history: epoch 1 is called 4"},
		{func(h *checkpointHeader) { h.History[0].Train = 80 }, "accuracy that is not between 0 and 1"},
		{func(h *checkpointHeader) { h.History[0].HeldOut = &wrong }, "accuracy that is not between 0 and 1"},
		{func(h *checkpointHeader) { h.Measured.NonZero = h.Measured.NonZero[1:] }, "measured: "},
		{func(h *checkpointHeader) { h.Measured.NonZero = []int64{} }, "measured: "},
		{func(h *checkpointHeader) { h.Measured.NonZero[1] = math.MaxInt64 }, "measured: 9223372036854775807 values of layer 1"},
		{func(h *checkpointHeader) { h.Measured.NonZero[0] = -1 }, "measured: "},
		{func(h *checkpointHeader) { h.Measured.Steps = math.MaxInt64 }, "measured: "},
		{func(h *checkpointHeader) { h.Measured.Steps = -1 }, "measured: "},
	} {
		h := good()
		c.spoil(h)
		if err := trainer.checkProgress(h); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
