package report

import (
	"testing"

	"github.com/accelsim-dev/accelsim/schedule"
)

func TestEveryKernelHasAKey(t *testing.T) {
	seen := map[string]bool{}
	for op, key := range kernelKeys {
		if key == "" || seen[key] {
			t.Errorf("kernel %q has the key %q", schedule.Op(op), key)
		}
		seen[key] = true
	}
}
