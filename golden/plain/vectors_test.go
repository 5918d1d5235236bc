package plain

import (
	"testing"

	"github.com/accelsim-dev/accelsim/golden"
	"github.com/accelsim-dev/accelsim/internal/vectortest"
)

func TestNumbersAreThoseOfAutomaticDifferentiation(t *testing.T) {
	for _, name := range append(vectortest.Paper(t), vectortest.General(t)...) {
		t.Run(name, func(t *testing.T) {
			c := vectortest.Read(t, name)
			got, err := Run(c.Workload, c.K, c.N, c.Input(t))
			if err != nil {
				t.Fatal(err)
			}
			c.Hold(t, got)
		})
	}
}

// The fast trainer is a backend for what it knows: the same bits.
func TestTheFastTrainerHasTheSameBits(t *testing.T) {
	for _, base := range vectortest.Paper(t) {
		c := vectortest.Read(t, base)
		w, k, n, in := c.Workload, c.K, c.N, c.Input(t)
		trainer, err := golden.New(w, k, n, golden.Options{NoDropout: true})
		if err != nil {
			t.Fatal(err)
		}
		want, err := trainer.RunTensors(in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Run(w, k, n, in)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d tensors, want %d", base, len(got), len(want))
		}
		for _, name := range want.Names() {
			for i := range want[name].Len() {
				if got[name].Len() != want[name].Len() || got[name].At(i) != want[name].At(i) {
					t.Errorf("%s: %s differs at %d", base, name, i)
					break
				}
			}
		}
	}
}
