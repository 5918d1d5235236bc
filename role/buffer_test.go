package role

import (
	"slices"
	"strings"
	"testing"
)

// TestEachKindOfTensorIsInItsBuffer: parameters with their running statistics;
// membrane potentials, sums and what batch norm saves; all that is a gradient,
// an error or an optimizer's moment; all that is a spike, counts spikes or comes
// with a frame.
func TestEachKindOfTensorIsInItsBuffer(t *testing.T) {
	want := map[string]string{
		"weights":   "W W_c W_c* BN BN_run",
		"states":    "U U_c U_p BN_x I ΣI",
		"gradients": "dW γ dW_c γ_c δ_c γ_p dBN V V_c V_bn γ_I δ_out",
		"spikes":    "S s X Y ΣS_c",
	}
	got := map[string][]string{}
	for r := range numRoles {
		buffer := r.Buffer().String()
		got[buffer] = append(got[buffer], r.Row().Symbol)
	}
	for buffer, symbols := range want {
		expected := strings.Fields(symbols)
		slices.Sort(expected)
		slices.Sort(got[buffer])
		if !slices.Equal(got[buffer], expected) {
			t.Errorf("%s are %v, want %v", buffer, got[buffer], expected)
		}
	}
}
