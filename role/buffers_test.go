package role_test

import (
	"testing"

	"accelsim/role"
)

// TestEveryRoleHasTheBufferOfItsKind: parameters and what batch norm knows of its
// channels; what neurons are; errors, gradients and moments; spikes, counts of
// them and labels (docs/hardware.md).
func TestEveryRoleHasTheBufferOfItsKind(t *testing.T) {
	kinds := map[role.Buffer][]role.Role{
		role.WeightBuffer: {role.Weight, role.ClassifierWeight, role.RandomWeight, role.NormParameter, role.NormStatistic},
		role.StateBuffer:  {role.Potential, role.ClassifierPotential, role.PoolPotential, role.NormSaved, role.PartialSum, role.NormSums},
		role.GradientBuffer: {
			role.WeightGradient, role.ClassifierGradient, role.NormGradient, role.PotentialError, role.ClassifierError, role.ClassifierDelta,
			role.PoolError, role.SynapticError, role.OutputError, role.Moment, role.ClassifierMoment, role.NormMoment,
		},
		role.SpikeBuffer: {role.Spikes, role.OwnSpikes, role.SpikeCount, role.Input, role.Label},
	}
	seen := 0
	for want, roles := range kinds {
		for _, r := range roles {
			seen++
			if got := r.Buffer(); got != want {
				t.Errorf("%s are in the buffer for %s, not for %s", r, got, want)
			}
		}
	}
	if seen != role.Count {
		t.Errorf("%d roles of %d have a kind", seen, role.Count)
	}
}
