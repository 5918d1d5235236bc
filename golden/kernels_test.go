package golden

import (
	"math"
	"slices"
	"testing"
)

// TestNeuronsAtTheEdgesOfEqs2And6: a neuron fires at the threshold, and the
// surrogate's window has neither of its ends, in every kernel.
func TestNeuronsAtTheEdgesOfEqs2And6(t *testing.T) {
	p := &lifParameters{leak: 0.5, reset: 0.25, threshold: 1, halfWidth: 0.5, inverseWidth: 1}
	up := func(v float32) float32 { return math.Nextafter32(v, 2) }
	down := func(v float32) float32 { return math.Nextafter32(v, 0) }
	// A vector register's worth of each.
	potentials := []float32{1, down(1), 0.5, up(0.5), 1.5, down(1.5), 0.25, 2}
	fires := []byte{1, 0, 0, 0, 1, 1, 0, 1}
	passes := []float32{1, 1, 0, 1, 0, 1, 0, 0}
	n := len(potentials)
	ones := slices.Repeat([]float32{1}, n)
	for name, kernels := range map[string]struct {
		fire   func(u, previous, sum []float32, spikes []byte, p *lifParameters)
		errors func(gamma, spatial, u []float32, p *lifParameters, last bool)
	}{
		"Go": {fireGo, potentialErrorGo}, "this processor's": {fire, potentialError},
	} {
		u, spikes, gamma := make([]float32, n), make([]byte, n), make([]float32, n)
		kernels.fire(u, make([]float32, n), potentials, spikes, p)
		if !slices.Equal(spikes, fires) {
			t.Errorf("%s: potentials %v fire %v; want %v", name, potentials, spikes, fires)
		}
		kernels.errors(gamma, ones, potentials, p, true)
		if !slices.Equal(gamma, passes) {
			t.Errorf("%s: potentials %v pass %v; want %v", name, potentials, gamma, passes)
		}
	}
}
