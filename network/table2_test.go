package network

import (
	"strings"
	"testing"
)

// ofTable2 are the paper's networks.
var ofTable2 = []string{"alexnet", "lenet1", "lenet2", "resnet18", "vgg11"}

func TestWhatIsBeyondTable2IsNamed(t *testing.T) {
	for _, name := range ofTable2 {
		if beyond := open(t, name).Beyond(); len(beyond) != 0 {
			t.Errorf("%s: %v", name, beyond)
		}
	}
	for name, want := range map[string]string{
		"g-groups":    "layer 1 (a bias)",
		"g-shapes":    "layer 1 (its kernel, padding or pooling)",
		"g-pools":     "layer 1 (max pooling)",
		"g-recurrent": "layer 1 (several inputs)",
		"g-alif":      "neurons other than Eqs. 1 and 2's",
		"g-sigmoid":   "neurons other than Eqs. 1 and 2's; readout: potential; classifier_bias",
		"r-short":     "rule: backward_steps: 2",
		"r-eprop":     "layer 1 (several inputs); neurons other than Eqs. 1 and 2's; readout: potential; rule: update: iteration, trace: 0.79, feedback: direct-all",
	} {
		if got := strings.Join(readGeneral(t, name).Beyond(), "; "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
