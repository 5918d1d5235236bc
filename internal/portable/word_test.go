package portable

import (
	"os/exec"
	"strings"
	"testing"
)

// TestBuildsFor32BitsSayWhyNot: there is no program whose sizes overflow.
func TestBuildsFor32BitsSayWhyNot(t *testing.T) {
	for _, to := range []target{{"386", "GO386=sse2"}, {"arm", "GOARM=7"}, {"mips", "GOMIPS=hardfloat"}} {
		cmd := exec.Command("go", "build", "github.com/accelsim-dev/accelsim/units")
		cmd.Env = to.environment()
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "undefined: accelsim_needs_a_64_bit_processor_because_sizes_of_tensors_exceed_32_bits") {
			t.Errorf("%s: %v\n%s", to.arch, err, out)
		}
	}
}
