package golden

import (
	"testing"

	"github.com/accelsim-dev/accelsim/golden/plain"
)

// The fast trainer has the plain one's bits on random networks of Table 2.
func TestFastPathEqualsThePlainTrainer(t *testing.T) {
	cases, spiking := uint64(120), 0
	for seed := range cases {
		v := newTask(t, seed)
		want := v.run(t, 1)
		got, err := plain.Run(v.workload, v.k, v.n, v.in)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if want["spikes1"].Int64[0] > 0 {
			spiking++
		}
		if len(got) != len(want) {
			t.Errorf("seed %d: %v, want %v", seed, got.Names(), want.Names())
		}
		for _, name := range want.Names() {
			a, b := got[name], want[name]
			if a.Len() != b.Len() {
				t.Errorf("seed %d: %s has %d values, want %d", seed, name, a.Len(), b.Len())
				continue
			}
			for i := range b.Len() {
				if a.At(i) != b.At(i) {
					t.Errorf("seed %d, (k, n) = (%d, %d), %s: %s is %v at %d, want %v", seed, v.k, v.n, v.workload.Net.Text, name, a.At(i), i, b.At(i))
					break
				}
			}
		}
	}
	if spiking < int(cases)*9/10 {
		t.Errorf("only %d of %d networks spike", spiking, cases)
	}
}
