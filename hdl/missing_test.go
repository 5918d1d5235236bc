package hdl

import (
	"slices"
	"strings"
	"testing"
)

func TestMissingUnitsAreNamed(t *testing.T) {
	with := func(layers, more string) string {
		return "name: w\ninput: {channels: 2, height: 4, width: 4, encoding: event}\nlayers: " + layers + "\ntimesteps: 4\nbatch: 2\n" + more
	}
	for _, c := range []struct {
		name, workload string
		missing        []string
	}{
		{"a block", with("6FC-3FC", ""), nil},
		{"a block with a random classifier", with("6FC-3FC", "training: {classifier: random}\n"), nil},
		{"RMSprop", with("6FC-3FC", "training: {optimizer: rmsprop}\n"), []string{"controller and buffers", "RMSprop"}},
		{"Adam", with("6FC-3FC", "training: {optimizer: adam}\n"), []string{"controller and buffers", "Adam"}},
		{"cross entropy", with("6FC-3FC", "training: {loss: ce}\n"), []string{"controller and buffers", "cross entropy"}},
		{"batch norm", with("6FC-BN-3FC", ""), []string{"controller and buffers", "batch norm"}},
		{"direct input", strings.Replace(with("6FC-3FC", ""), "event", "direct", 1), []string{"controller and buffers", "direct input"}},
		{"pooling", with("4C3-4AP2-3FC", ""), []string{"controller and buffers", "pooling"}},
		{"residual joins", with("4C3-4RB-AdaptiveAP-3FC", ""), []string{"controller and buffers", "residual joins", "pooling"}},
		{"convolution, random classifier", with("4C3-3FC", "training: {classifier: random}\n"), []string{"controller and buffers", "random classifier weights"}},
		{"dropout", with("4C3-3FC", "dropout: 0.2\n"), []string{"controller and buffers", "dropout"}},
	} {
		w := workload(t, c.workload)
		if got := design(t, w, 2, w.Net.N(), "q6.12").Missing(); !slices.Equal(got, c.missing) {
			t.Errorf("%s: missing %q; want %q", c.name, got, c.missing)
		}
	}
}
