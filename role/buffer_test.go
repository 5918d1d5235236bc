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
		"weights":   "W W_c W_c* BN BN_run b b_c fb* φ",
		"states":    "U U_c U_p BN_x I ΣI i i_c i_p A A_c A_p x̂ x̂_c Σu_c",
		"gradients": "dW γ dW_c γ_c δ_c γ_p dBN V V_c V_bn γ_I δ_out db V_b db_c V_bc γ_i γ_ic γ_ip γ_A γ_Ac γ_Ap γ_Ic",
		"spikes":    "S s X Y ΣS_c j",
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
