package hdl

import (
	"math/big"
	"slices"
	"testing"
)

// column returns a field's values, without sign, of a stream's words.
func column(t *testing.T, s *stream, port string) (values []int64) {
	t.Helper()
	at := s.words.width
	for _, f := range s.fields {
		at -= f.width
		if f.port != port {
			continue
		}
		for _, line := range s.words.lines {
			word, ok := new(big.Int).SetString(line, 16)
			if !ok {
				t.Fatalf("%q is not hexadecimal", line)
			}
			mask := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(f.width)), big.NewInt(1))
			values = append(values, mask.And(mask, word.Rsh(word, uint(at))).Int64())
		}
		return values
	}
	t.Fatalf("no port %s", port)
	return nil
}

// Sums of several terms and potentials at the threshold are what a wrong unit
// would get wrong: the vectors of fully connected layers have both.
func TestVectorsOfFullyConnectedLayersReachWhatDecides(t *testing.T) {
	for _, c := range []struct{ name, workload, formats string }{
		{"two layers", small, "q4.12"},
		{"one layer", small1, "w=q2.14,u=q4.12,e=q4.12,g=q6.10"},
		{"more fraction bits in the potential", small, "w=q3.5,u=q5.9,e=q2.6,g=q5.12"},
	} {
		d := datapath(t, c.workload, c.formats, 1)
		for _, u := range Units(d, 1000, 1) {
			switch u.Name {
			case "accumulator", "mac", "cell":
				several := 0
				first, last := column(t, u.in[0], "first"), column(t, u.in[0], "last")
				for i := range first {
					several += int(truth(first[i] == 1 && last[i] == 0))
				}
				if several < 40 {
					t.Errorf("%s: %d sums of %s have more than one term", c.name, several, u.Name)
				}
			case "lif", "lane":
				exact := 0
				for _, v := range column(t, u.out[0], "u") {
					exact += int(truth(v == d.Threshold))
				}
				if exact < 20 {
					t.Errorf("%s: %d potentials of %s are u_th", c.name, exact, u.Name)
				}
			}
		}
	}
}

const small1 = `
name: fc-block
input: {channels: 3, height: 2, width: 2, encoding: event}
layers: 5FC-3FC
timesteps: 6
batch: 3
`

// The least sum that fires is found: one less does not.
func TestMembraneVectorsSitOnBothSidesOfTheThreshold(t *testing.T) {
	d := datapath(t, small, "q4.12", 1)
	on, below := 0, 0
	for _, u := range Units(d, 1000, 1) {
		if u.Name != "lif" {
			continue
		}
		for _, v := range column(t, u.out[0], "u") {
			on += int(truth(v == d.Threshold))
			below += int(truth(v == d.Threshold-1))
		}
	}
	if on < 20 || below < 20 {
		t.Errorf("%d potentials are u_th, %d one last place below", on, below)
	}
}

// However few vectors are asked for, every output has a word to compare.
func TestFewVectorsTestEveryOutput(t *testing.T) {
	need(t, string(Icarus))
	d := datapath(t, small, "q4.12", 4)
	for n := 1; n <= 4; n++ {
		units := Units(d, n, uint64(n))
		for _, u := range units {
			for _, s := range slices.Concat(u.in, u.out) {
				if len(s.words.lines) == 0 {
					t.Errorf("%d vectors: %s of %s has no words", n, s.valid, u.Name)
				}
			}
		}
		if n == 1 {
			if out, err := Icarus.Simulate(limited(t), folder(t, testUnits(d, units)...), "accelsim_tb_units"); err != nil {
				t.Error(out, err)
			}
		}
	}
}
