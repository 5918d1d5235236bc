package golden

import (
	"math"
	"testing"

	"github.com/accelsim-dev/accelsim/golden/plain"
	"github.com/accelsim-dev/accelsim/tensors"
)

// plainly trains one iteration with the plain trainer.
func (v task) plainly(t testing.TB) tensors.Set {
	t.Helper()
	out, err := plain.Run(v.workload, v.k, v.n, v.in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The trainer has the plain one's bits on random networks of Table 2.
func TestFastPathEqualsThePlainTrainer(t *testing.T) {
	cases, spiking := uint64(120), 0
	for seed := range cases {
		v := newTask(t, seed)
		want := v.plainly(t)
		if want["spikes1"].Int64[0] > 0 {
			spiking++
		}
		mustEqual(t, v.run(t, 1), want)
		if t.Failed() {
			t.Fatalf("seed %d, (k, n) = (%d, %d), %s", seed, v.k, v.n, v.workload.Net.Text)
		}
	}
	if spiking < int(cases)*9/10 {
		t.Errorf("only %d of %d networks spike", spiking, cases)
	}
}

// With dropout, too, given the masks that the trainer has drawn.
func TestDropoutSilencesNeuronsForAnIteration(t *testing.T) {
	for seed := range uint64(20) {
		holdDropout(t, newTask(t, seed), seed)
	}
}

func holdDropout(t *testing.T, v task, seed uint64) {
	t.Helper()
	const rate = 0.3
	w := *v.workload
	w.Dropout = rate
	trainer := newTrainerOrFail(t, &w, v.k, v.n, Options{Seed: seed})
	trainer.SetParameters(&v.in.Parameters)
	got, err := trainer.dump(v.in.Batch)
	if err != nil {
		t.Fatal(err)
	}
	var masks [][]float32
	dropped, neurons := 0, 0
	for _, l := range trainer.layers {
		mask := make([]float32, len(v.in.Y)*l.Out.Size())
		for i := range mask {
			b, c, p := i/l.Out.Size(), i/l.Out.Positions()%l.Out.Channels, i%l.Out.Positions()
			mask[i] = float32(l.mask[b*l.own.size()+p*l.own.channels+c])
			dropped += 1 - int(mask[i])
		}
		neurons += len(mask)
		masks = append(masks, mask)
	}
	if r := float64(dropped) / float64(neurons); neurons > 500 && math.Abs(r-rate) > 0.1 {
		t.Errorf("%.2f of %d neurons are silent, want %v", r, neurons, rate)
	}
	want, err := plain.RunMasked(v.workload, v.k, v.n, v.in, masks)
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, got, want)
}
