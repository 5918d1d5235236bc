package golden

import (
	"testing"

	"github.com/accelsim-dev/accelsim/internal/vectortest"
	"github.com/accelsim-dev/accelsim/tensors"
)

// vector is a case of testdata/vectors.
type vector struct{ vectortest.Case }

// run trains one iteration on the vector's tensors.
func (v vector) run(t testing.TB, o Options) (*Trainer, *tensors.Input, tensors.Set) {
	t.Helper()
	o.NoDropout = true
	trainer, err := New(v.Workload, v.K, v.N, o)
	if err != nil {
		t.Fatal(err)
	}
	in := v.Input(t)
	out, err := trainer.RunTensors(in)
	if err != nil {
		t.Fatal(err)
	}
	return trainer, in, out
}

func TestVectorsOfAutomaticDifferentiation(t *testing.T) {
	for _, name := range vectortest.Paper(t) {
		t.Run(name, func(t *testing.T) {
			v := vector{vectortest.Read(t, name)}
			_, _, got := v.run(t, Options{})
			v.Hold(t, got)
		})
	}
}
